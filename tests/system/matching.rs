//! Which cases meet, and that both sides learn the same.

use std::collections::BTreeSet;

use kring_tests::caseload::{Cases, Person, bsn};
use kring_tests::demo::Demo;
use kring_tests::place::Place;
use kring_tests::report::pair;

/// A brother or sister: same family name and address, own given name and birth date.
fn sibling(of: &Person, given: &str, born: &str) -> Person {
    Person { given: given.into(), born: born.into(), ..of.clone() }
}

#[test]
fn families_meet_through_any_shared_person_and_nobody_else_does() {
    let place = Place::new();
    let files = place.dir("files");
    let person = Person::invented;
    let (with_bsn, child, mother, twice, moved) = (person(1), person(2), person(3), person(4), person(5));
    let brother = sibling(&child, "Jurriaan", "2014-08-25");
    let housemate = sibling(&person(6), "Willemijn", "1991-02-27");
    let known_by_both = Person::new("Ilse", "Ravensbergen", "2009-10-19").bsn(&bsn(1));
    Cases::new()
        .case("with and without BSN", &[&with_bsn.clone().bsn(&bsn(0))])
        .case("a child", &[&child, &mother])
        .case("twice first", &[&twice])
        .case("twice again", &[&twice, &person(7)])
        .case("moved", &[&moved])
        .case("a household", &[&person(6)])
        .case("by BSN and names", &[&known_by_both])
        .case("alone", &[&person(8)])
        .write(&files, "a");
    Cases::new()
        .case("without BSN", &[&with_bsn])
        .case("his brother", &[&brother, &mother])
        .case("once", &[&twice])
        .case("new address", &[&moved.clone().at("9999ZX", "4711")])
        .case("a housemate with another name", &[&Person { family: "Terpstra".into(), ..housemate }])
        .case("the same BSN misspelt", &[&Person { family: "Rafensburg".into(), ..known_by_both.clone() }])
        .write(&files, "b");
    Cases::new().case("the brother alone", &[&brother]).write(&files, "c");
    let report = Demo::once(place.path(), &files).finish().good();
    let expected = BTreeSet::from([
        pair(("a", "with and without BSN"), ("b", "without BSN")),
        pair(("a", "a child"), ("b", "his brother")),
        pair(("b", "his brother"), ("c", "the brother alone")),
        pair(("a", "twice first"), ("b", "once")),
        pair(("a", "twice again"), ("b", "once")),
        pair(("a", "moved"), ("b", "new address")),
        pair(("a", "by BSN and names"), ("b", "the same BSN misspelt")),
    ]);
    assert_eq!(report.pairs(), expected);
    assert!(!report.basis("a", "with and without BSN", "b").contains("bsn"));
    assert!(report.basis("a", "by BSN and names", "b").contains("bsn"));
}

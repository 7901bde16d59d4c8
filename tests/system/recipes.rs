//! A covenant with another recipe list: what the network then finds, and what it refuses.

use std::collections::BTreeSet;
use std::fs;

use kring_protocol::recipe::RecipeList;
use kring_tests::caseload::{Cases, Person};
use kring_tests::command::run;
use kring_tests::demo::Demo;
use kring_tests::founded::Founded;
use kring_tests::place::Place;
use kring_tests::report::pair;

/// Runs the files of one place with a recipe list of the covenant's own.
fn once(place: &Place, recipes: &str) -> kring_tests::report::Report {
    let files = place.dir("files");
    let arguments = ["--once", "--recipes", recipes, "--caseload", &files.to_string_lossy()];
    Demo::start(place.path(), &arguments).finish().good()
}

#[test]
fn a_covenant_with_a_list_of_its_own_finds_by_it_alone() {
    let place = Place::new();
    let files = place.dir("files");
    let person = Person::invented;
    let nowhere = |number| Person { postal_code: String::new(), house: String::new(), ..person(number) };
    let undated = |number| Person { born: String::new(), ..person(number) };
    Cases::new()
        .case("by birth date", &[&person(1)])
        .case("by postal code", &[&person(2)])
        .case("by address", &[&person(3)])
        .write(&files, "a");
    Cases::new()
        .case("without address", &[&nowhere(1)])
        .case("without birth date", &[&undated(2)])
        // The same given name and address: no recipe of this list.
        .case("other surname, no birth date", &[&Person { family: "Ravensbergen".into(), ..undated(3) }])
        .write(&files, "b");
    let report = once(&place, "names-postcode,birth-name-initial");
    let expected = BTreeSet::from([
        pair(("a", "by birth date"), ("b", "without address")),
        pair(("a", "by postal code"), ("b", "without birth date")),
    ]);
    assert_eq!(report.pairs(), expected);
    assert_eq!(report.basis("a", "by birth date", "b"), ["birth-name-initial".to_owned()].into());
    assert_eq!(report.basis("a", "by postal code", "b"), ["names-postcode".to_owned()].into());
}

#[test]
fn the_strict_list_keeps_twins_apart() {
    let place = Place::new();
    let files = place.dir("files");
    let (one, same) = (Person::invented(1), Person::invented(2));
    let twin = Person { given: "Jurriaan".into(), ..one.clone() };
    Cases::new().case("one twin", &[&one]).case("same", &[&same]).write(&files, "a");
    Cases::new().case("the other", &[&twin]).case("same", &[&same]).write(&files, "b");
    let report = once(&place, "strict");
    assert_eq!(report.pairs(), [pair(("a", "same"), ("b", "same"))].into());
    let strict: BTreeSet<_> = RecipeList::named("strict").unwrap().ids().map(|id| id.to_string()).collect();
    assert!(report.basis("a", "same", "b").is_subset(&strict));
}

#[test]
fn a_recipe_that_nobody_knows_is_refused_by_its_name() {
    let place = Place::new();
    let (code, out, log) = run(&["demo", "--once", "--json", "--recipes", "birth-name-initial,shoe-size"]);
    assert_eq!((code, log.as_str()), (2, "kring: unknown recipe shoe-size\n"), "before anything starts");
    assert!(out.contains("unknown recipe shoe-size"), "{out}");

    let members = ["a", "b", "c", "d", "e", "f"];
    let own = |draft: String| {
        let own = draft.replace("[\"default\"]", "[\"birth-name-initial\", \"names-postcode\"]");
        assert_ne!(own, draft);
        own
    };
    let _founded = Founded::new(place.path(), &members, &["c", "d", "e", "f"], own);
    let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();

    // A draft with it is not signed.
    let draft = fs::read_to_string(path("covenant.toml")).unwrap();
    fs::write(path("covenant.toml"), draft.replace("names-postcode", "shoe-size")).unwrap();
    let (code, _, log) = run(&["covenant", "sign", "--dir", &path("a"), &path("covenant.toml")]);
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("unknown recipe shoe-size"), "{log}");

    // A node does not start with a covenant that members with newer software may have signed.
    let mut signed = fs::read(path("a/covenant.kring")).unwrap();
    let (known, newer) = (b"names-postcode".as_slice(), b"shoes-and-size".as_slice());
    let places: Vec<_> =
        (0..signed.len() - known.len()).filter(|&at| signed[at..].starts_with(known)).collect();
    assert_eq!(places.len(), 2, "once in each purpose");
    places.iter().for_each(|&at| signed[at..at + newer.len()].copy_from_slice(newer));
    fs::write(path("a/covenant.kring"), signed).unwrap();
    let (code, _, log) = run(&["node", "--config", &path("a/node.toml")]);
    assert_ne!(code, 0, "{log}");
    assert!(log.contains("unknown recipe shoes-and-size"), "{log}");
}

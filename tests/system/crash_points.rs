//! A node that dies at one message after the other, from the first of its life until its work is done.
//!
//! Between two messages a node only computes and commits, so these are all the moments that others can tell apart. What is
//! lost here shows: there is one matcher, and one key a person.

use std::collections::BTreeSet;
use std::time::Duration;

use kring_tests::caseload::{Cases, Person, bsn};
use kring_tests::changed::DIES_AT;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Have cases. The only matcher is f; all others hold keys.
const PARTNERS: [&str; 2] = ["a", "b"];
/// Persons whom both partners know.
const PERSONS: usize = 3;
/// How long all of it may take.
const DONE: Duration = Duration::from_secs(150);

/// Where the victim dies next: at every message at first, then at greater steps, so that it comes to an end.
fn next(point: u64) -> u64 {
    point + 1 + point / 12
}

fn import(node: &Node, cases: &Cases) -> bool {
    let answered = node.try_post_with("/imports", "text/csv", cases.text().as_bytes(), &[]);
    answered.is_some_and(|(status, _)| status == 200)
}

fn match_ids(node: &Node) -> Option<BTreeSet<String>> {
    let (_, notices) = node.try_get("/notices")?;
    Some(notices.as_array()?.iter().map(|notice| notice["matches"][0]["matchId"].to_string()).collect())
}

fn dies_at_every_message(victim: &str) {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["f"], |draft| {
        draft.replace(r#"members = ["a", "b", "c", "d", "e", "f"]"#, r#"members = ["a", "b"]"#)
    });
    let persons: Vec<_> = (0..PERSONS).map(|number| Person::default().bsn(&bsn(number))).collect();
    let cases = persons.iter().zip(1..).fold(Cases::new(), |cases, (person, number)| {
        let number: i32 = number;
        cases.case(&number.to_string(), &[person])
    });
    let mut point = 1;
    founded.start_changed(victim, &[(DIES_AT, "1")]);
    for member in MEMBERS.into_iter().filter(|member| *member != victim) {
        founded.start_changed(member, &[]);
    }
    let nodes = PARTNERS.map(|member| founded.node(member));
    let mut imported = [false; 2];
    let mut deaths = Vec::new();
    let ids = until("both partners know all persons", DONE, || {
        if !founded.is_running(victim) {
            deaths.push(point);
            point = next(point);
            founded.start_changed(victim, &[(DIES_AT, &point.to_string())]);
        }
        for (node, imported) in nodes.iter().zip(&mut imported) {
            *imported = *imported || (node.is_ready() && import(node, &cases));
        }
        let [a, b] = nodes.each_ref().map(match_ids);
        let (a, b) = (a?, b?);
        (a.len() == PERSONS && b.len() == PERSONS).then_some([a, b])
    });
    eprintln!("{victim} died {} times, at {deaths:?}", deaths.len());
    assert_eq!(ids[0], ids[1]);
    for node in &nodes {
        until("each person gives one notice", DONE, || {
            (node.try_get("/notices")?.1.as_array()?.len() == PERSONS).then_some(())
        });
    }
    assert!(deaths.len() >= 6, "{deaths:?}");
}

#[test]
fn a_partner_that_dies_at_every_message_finds_all() {
    dies_at_every_message("a");
}

#[test]
fn a_matcher_that_dies_at_every_message_loses_nothing() {
    dies_at_every_message("f");
}

#[test]
fn a_key_holder_and_relay_that_dies_at_every_message_loses_nothing() {
    dies_at_every_message("c");
}

//! A node that is put back to an older state of its disk goes on from what others have of it, and nobody accuses it.

use std::path::Path;
use std::process::Command;

use kring_tests::caseload::Person;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::place::Place;
use kring_tests::wait::until;

use crate::hostile::evidence;
use crate::signals::{SOON, add, matches, until_quiet};

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A copy as a backup would make it, of a node that stands still.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.expect("there is a cp").success());
}

fn put_back(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    copy(from, to);
}

fn add_at_both(founded: &Founded, number: usize) {
    let person = Person::invented(number);
    for member in ["a", "b"] {
        add(&founded.node(member), &format!("case {number}"), &[&person]);
    }
}

fn until_all_quiet(founded: &Founded) {
    until_quiet(&MEMBERS.map(|member| founded.node(member)));
}

#[test]
fn a_node_that_is_put_back_waits_for_who_may_know_more_and_goes_on() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    founded.start(&MEMBERS);
    add_at_both(&founded, 0);
    until_all_quiet(&founded);
    let (dir, backup) = (founded.node("a").dir().to_owned(), place.path().join("backup"));
    founded.stop("a");
    copy(&dir, &backup);
    founded.start(&["a"]);
    add_at_both(&founded, 1);
    until_all_quiet(&founded);
    founded.stop("a");
    put_back(&backup, &dir);
    // A key holder that may have seen more of it is down.
    founded.stop("c");
    founded.start_changed("a", &[]);
    let a = founded.node("a");
    until_ready(std::slice::from_ref(&a));
    add_at_both(&founded, 2);
    let waits =
        |line: &str| line.contains("have said what they know of this node") && line.contains("holders=\"c\"");
    until("a waits for c", SOON, || a.log().lines().any(waits).then_some(()));
    assert_ne!(a.get("/network")["waiting"]["evaluations"], 0, "nothing is asked before");
    founded.start(&["c"]);
    matches(&a, "case 2", 1);
    matches(&founded.node("b"), "case 2", 1);
    until_all_quiet(&founded);
    for member in MEMBERS {
        assert!(evidence(&founded.node(member)).is_empty(), "{member} accuses somebody");
    }
}

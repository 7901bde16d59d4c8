//! What stands on boards is dropped when it concerns nobody any more, by whoever has it, and boards can be read on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kring_node::clock::Clock;
use kring_node::store::{Store, Table};
use kring_protocol::board::ENTRY_LEN;
use kring_protocol::log::merkle::{Hash, leaf_hash};
use kring_tests::caseload::Person;
use kring_tests::changed::{CHANGE, DID, ONLY_TO};
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, Hand};
use kring_tests::wait::until;

use crate::signals::{add, matches, until_quiet};

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const AWAKE: [&str; 5] = ["a", "b", "c", "d", "e"];
const TIMEOUT: Duration = Duration::from_secs(60);
/// After the end of the first epoch, in days from its first.
const LATER: u64 = 190;

fn store(founded: &Founded, member: &str) -> PathBuf {
    founded.node(member).config().data_dir.join("store")
}

/// All that a stopped node has of boards: entries, and hashes of those that are dropped.
fn boards(founded: &Founded, member: &str) -> (Vec<Vec<u8>>, Vec<Hash>) {
    let store = Store::open(&store(founded, member)).unwrap();
    let values = |table| store.scan_all(table).unwrap().into_iter().map(|(_, value)| value);
    let entries = values(Table::Bundle).flat_map(|bundle| {
        bundle.as_chunks::<ENTRY_LEN>().0.iter().map(|entry| entry.to_vec()).collect::<Vec<_>>()
    });
    let hashes = values(Table::Dropped).flat_map(|hashes| {
        hashes.as_chunks::<{ Hash::LEN }>().0.iter().copied().map(Hash::from_bytes).collect::<Vec<_>>()
    });
    (entries.filter(|entry| entry.iter().any(|byte| *byte != 0)).collect(), hashes.collect())
}

/// How many of these entries' bytes stand in some file of the directory.
fn found(dir: &Path, entries: &[Vec<u8>]) -> usize {
    let mut begins = vec![false; 1 << 16];
    entries.iter().for_each(|entry| begins[usize::from(u16::from_be_bytes([entry[0], entry[1]]))] = true);
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        for (at, pair) in bytes.windows(2).enumerate() {
            if begins[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
                found.extend(entries.iter().filter(|entry| bytes[at..].starts_with(&entry[..64])));
            }
        }
    }
    let deeper =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    found.len().max(deeper.map(|dir| self::found(&dir, entries)).max().unwrap_or(0))
}

/// `reader` has read all of these boards, and there is something on them.
fn until_read(reader: &Node, boards: &[&str]) {
    until("boards are read to their end", TIMEOUT, || {
        let all = reader.get("/network")["waiting"]["boards"].clone();
        let mut read = all
            .as_array()
            .unwrap()
            .iter()
            .filter(|board| board["size"] == board["read"] && board["size"].as_u64() > Some(0));
        let names: Vec<_> =
            read.by_ref().map(|board| board["matcher"].as_str().unwrap().to_owned()).collect();
        boards.iter().all(|board| names.iter().any(|name| name == board)).then_some(())
    });
}

/// a and b meet while f is away. Half a year later nobody has what was said on the boards, neither in records nor as bytes
/// in a file: all have the hashes. f, which reads only then, gets hashes, accepts them, and meets somebody after them.
#[test]
fn what_is_over_is_dropped_and_can_still_be_read_past() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    let mut hand = Hand::new(place.path(), Clock.now());
    let clock = hand.file().to_string_lossy().into_owned();
    let start = |founded: &mut Founded, members: &[&str]| {
        members.iter().for_each(|member| founded.start_changed(member, &[(CLOCK, &clock)]));
    };
    let all = MEMBERS.map(|member| founded.node(member));
    start(&mut founded, &MEMBERS);
    until_ready(&all);
    founded.kill("f");
    let person = Person::invented(0);
    ["a", "b"].iter().for_each(|member| drop(add(&founded.node(member), "case", &[&person])));
    ["a", "b"].iter().for_each(|member| drop(matches(&founded.node(member), "case", 1)));
    AWAKE.iter().for_each(|member| until_read(&founded.node(member), &["c", "d", "e"]));
    AWAKE.iter().for_each(|member| founded.stop(member));
    let (said, none) = boards(&founded, "a");
    assert!(!said.is_empty() && none.is_empty());
    assert_eq!(found(&store(&founded, "a"), &said), said.len(), "the search finds what is there");

    hand.set(hand.now().plus_secs(LATER * 86_400));
    start(&mut founded, &AWAKE);
    for member in AWAKE {
        until("what is over is dropped", TIMEOUT, || {
            (founded.node(member).log().matches("entries of a board are over").count() >= 3).then_some(())
        });
    }
    // The keys of today need all holders.
    start(&mut founded, &["f"]);
    until_ready(&all);
    until_quiet(&[founded.node("f")]);
    let later = Person::invented(1);
    ["a", "f"].iter().for_each(|member| drop(add(&founded.node(member), "later", &[&later])));
    assert_eq!(matches(&founded.node("a"), "later", 1), matches(&founded.node("f"), "later", 1));
    assert!(!founded.node("f").log().contains("was not accepted"));
    MEMBERS.iter().for_each(|member| until_read(&founded.node(member), &["c", "d", "e"]));
    MEMBERS.iter().for_each(|member| founded.stop(member));
    for member in MEMBERS {
        let (entries, hashes) = boards(&founded, member);
        assert!(!entries.is_empty(), "what was said later is there");
        for entry in &said {
            assert!(!entries.contains(entry), "{member} still has an entry");
            assert!(hashes.contains(&leaf_hash(entry)), "{member} lacks a hash");
        }
        assert_eq!(found(&store(&founded, member), &said), 0, "{member} still has bytes of an entry");
    }
    // And all of it can be read from the disk again, with heads that fit.
    start(&mut founded, &MEMBERS);
    until_ready(&all);
    until_quiet(&all);
}

/// A matcher shows one reader hashes of what was said just now. It is refused and named, and the reader reads from others.
#[test]
fn who_shows_hashes_too_early_is_refused_and_named() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    founded.start_changed("d", &[(CHANGE, "EarlyHashes"), (ONLY_TO, "a")]);
    founded.start(&["a", "b", "c", "e", "f"]);
    let [a, b, d] = ["a", "b", "d"].map(|member| founded.node(member));
    until_ready(std::slice::from_ref(&d));
    let person = Person::invented(0);
    [&a, &b].iter().for_each(|node| drop(add(node, "case", &[&person])));
    assert_eq!(matches(&a, "case", 1), matches(&b, "case", 1));
    until_read(&a, &["c", "d", "e", "f"]);
    assert!(d.log().contains(DID));
    let named =
        |line: &str| ["was not accepted", "from=d", "not over"].iter().all(|part| line.contains(part));
    assert!(a.log().lines().any(named), "{}", a.log());
    assert!(!b.log().contains("was not accepted"));
    founded.stop("a");
    let (entries, hashes) = boards(&founded, "a");
    assert!(!entries.is_empty() && hashes.is_empty());
}

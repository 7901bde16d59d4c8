//! Nodes that die: killed at any moment and started again, or gone for good.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kring_tests::caseload::{Cases, Person, bsn};
use kring_tests::demo::{DELIVERED, Demo, Finished, IMPORTED, KEYS_MADE};
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::report::{Pair, pair};
use kring_tests::wait::{until, within_time};

use crate::hostile;
use crate::signals::{add, matches};

/// Caseloads for `partners`, in which each shares families with each other one; what must be found.
fn caseloads(place: &Place, partners: &[&str], shared: usize) -> (std::path::PathBuf, BTreeSet<Pair>) {
    let files = place.dir("files");
    let mut cases = vec![Cases::new(); partners.len()];
    let mut expected = BTreeSet::new();
    let mut number = 0;
    for (index, one) in partners.iter().enumerate() {
        for (other_index, other) in partners.iter().enumerate().skip(index + 1) {
            for _ in 0..shared {
                let (person, case) = (Person::invented(number), format!("case {number}"));
                number += 1;
                for owner in [index, other_index] {
                    cases[owner] = std::mem::take(&mut cases[owner]).case(&case, &[&person]);
                }
                expected.insert(pair((one, &case), (other, &case)));
            }
        }
    }
    partners.iter().zip(&cases).for_each(|(partner, cases)| cases.write(&files, partner));
    (files, expected)
}

fn restarts(finished: &Finished) -> Vec<u64> {
    let nodes = finished.report.as_ref().unwrap().0["timings"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["restarts"].as_u64().unwrap()).collect()
}

/// One after the other, `apart` apart, each is killed as soon as it runs.
fn kill_each(nodes: &[Node], apart: Duration) {
    for node in nodes {
        let next = Instant::now() + apart;
        until("a node runs that can be killed", Duration::from_secs(10), || node.kill().then_some(()));
        within_time(next.saturating_duration_since(Instant::now()), || None::<()>);
    }
}

#[test]
fn nodes_killed_during_the_ceremony_begin_it_again() {
    let place = Place::new();
    let (files, expected) = caseloads(&place, &["a", "b", "c"], 4);
    let mut demo = Demo::once(place.path(), &files);
    let nodes = demo.all_nodes();
    // Twelve moments between the first start and the keys.
    kill_each(&nodes, Duration::from_millis(60));
    kill_each(&nodes, Duration::from_millis(110));
    assert!(
        !demo.log().contains(KEYS_MADE),
        "the ceremony was over before all were killed in it:\n{}",
        demo.log()
    );
    let finished = demo.finish();
    assert!(restarts(&finished).iter().all(|&restarts| restarts >= 2), "{}", finished.log);
    assert_eq!(finished.good().pairs(), expected);
}

/// The last stage alone, where the others hold a node to its word: it must take up the session that it confirmed.
#[test]
fn a_node_killed_after_its_confirmation_still_gets_its_share() {
    let place = Place::new();
    let (files, expected) = caseloads(&place, &["a", "b", "c"], 2);
    let mut demo = Demo::once(place.path(), &files);
    let [victim] = demo.nodes(["b"]);
    let others = demo.nodes(["a", "c", "partner-4", "partner-5", "partner-6"]);
    let has_its_word = |node: &Node| {
        let said = node.readiness()?;
        let (_, waiting) = said.split_once("round 3")?.1.split_once("waiting for ")?;
        Some(!waiting.split(['"', ',', ' ']).any(|member| member == "b"))
    };
    // The last stage may pass between two looks; then it is killed after it.
    let in_time = until("the last stage", Duration::from_secs(60), || {
        let held = others.iter().any(|node| has_its_word(node) == Some(true));
        (held || demo.log().contains(KEYS_MADE)).then_some(held)
    });
    assert!(victim.kill());
    eprintln!("killed in time: {in_time}");
    let finished = demo.finish();
    // All may be over before it is started again.
    assert!(restarts(&finished)[1] <= 1);
    assert_eq!(finished.good().pairs(), expected);
}

/// What was going on when nodes were killed.
#[derive(Debug, Default)]
struct Moments {
    importing: u32,
    evaluating: u32,
    sending: u32,
    posting: u32,
    kills: u32,
}

impl Moments {
    /// Kills a node and notes what it had to do. What waits to be posted waits only for milliseconds: who has
    /// seen that it does has it killed at once.
    fn kill(&mut self, demo: &Demo, node: &Node, posting: bool) {
        let waiting = |name| !posting && node.metric(name).is_some_and(|waiting| waiting > 0);
        let (evaluating, sending) =
            (waiting("kring_waiting_evaluations"), waiting("kring_waiting_submissions"));
        let importing = demo.log().contains(KEYS_MADE) && !demo.log().contains(IMPORTED);
        if node.kill() {
            self.kills += 1;
            self.importing += u32::from(importing);
            self.evaluating += u32::from(evaluating);
            self.sending += u32::from(sending);
            self.posting += u32::from(posting);
        }
    }
}

#[test]
fn nodes_killed_while_they_work_lose_nothing() {
    let place = Place::new();
    let mut demo = Demo::start(place.path(), &["--once"]);
    let nodes = demo.all_nodes();
    demo.wait_for(KEYS_MADE, DELIVERED);
    let mut moments = Moments::default();
    let mut next = Instant::now();
    for round in 0..4 {
        for (index, node) in nodes.iter().enumerate() {
            // At first as fast as can be, to come in between the import; then so that all get on with their work.
            next += if round == 0 {
                Duration::from_millis(20)
            } else {
                Duration::from_millis(370 + 30 * index as u64)
            };
            within_time(next.saturating_duration_since(Instant::now()), || demo.has_ended().then_some(()));
            moments.kill(&demo, node, false);
        }
    }
    // Matchers just when they have meetings to post.
    let mut at_posting = BTreeSet::new();
    until("every matcher was killed at a meeting, or all is over", DELIVERED, || {
        for (index, node) in
            nodes.iter().enumerate().filter(|(index, _)| !at_posting.contains(index)).collect::<Vec<_>>()
        {
            if node.metric("kring_waiting_appends").is_some_and(|waiting| waiting > 0) {
                moments.kill(&demo, node, true);
                at_posting.insert(index);
            }
        }
        (at_posting.len() >= 4 || demo.has_ended()).then_some(())
    });
    let finished = demo.finish();
    let report = finished.good();
    assert_eq!((&report.0["missing"], &report.0["unexpected"]), (&0.into(), &0.into()));
    assert!(report.0["expected"].as_u64().unwrap() > 200, "a run in which little happens shows little");
    eprintln!("{moments:?}");
    assert!(moments.kills >= 12, "{moments:?}");
    assert!(moments.evaluating >= 3 && moments.sending >= 3 && moments.posting >= 1, "{moments:?}");
}

/// Persons whom both partners know, by one match key only.
const KNOWN_TWICE: usize = 300;

/// One matcher, and one key a person: what any node loses is missing in the end. (In the networks above most families
/// meet by several keys at several matchers.)
#[test]
fn nothing_is_lost_where_nothing_is_found_twice() {
    let place = Place::new();
    let members = ["a", "b", "c", "d", "e", "f"];
    let mut founded = Founded::new(place.path(), &members, &["f"], |draft| {
        draft.replace(r#"members = ["a", "b", "c", "d", "e", "f"]"#, r#"members = ["a", "b"]"#)
    });
    founded.start(&members);
    let [a, b, f] = ["a", "b", "f"].map(|member| founded.node(member));
    let persons = (0..KNOWN_TWICE).map(|number| Person::default().bsn(&bsn(number)));
    let cases = persons
        .enumerate()
        .fold(Cases::new(), |cases, (number, person)| cases.case(&number.to_string(), &[&person]));
    for node in [&a, &b] {
        let (status, report) = node.post_with("/imports", "text/csv", cases.text().as_bytes(), &[]);
        assert_eq!((status, &report["cases"]), (200, &KNOWN_TWICE.into()), "{report}");
    }
    let (mut kills, mut at_work) = (0, 0);
    let mut seen = Vec::new();
    for victim in ["f", "a", "f", "c", "b", "f", "d", "f", "a", "f"] {
        // Each time after something has happened since the last.
        let happened = within_time(Duration::from_secs(40), || {
            let counts = [&a, &b, &f].map(|node| {
                ["kring_submissions", "kring_matches", "kring_meeting_submissions"]
                    .map(|name| node.metric(name))
            });
            let new = !seen.contains(&counts) && counts.iter().all(|counts| counts[0].is_some());
            seen.push(counts);
            new.then_some(())
        });
        let done = [&a, &b].iter().all(|node| node.metric("kring_matches") == Some(KNOWN_TWICE as u64));
        founded.kill(victim);
        kills += 1;
        at_work += u32::from(happened.is_some() && !done);
        founded.start(&[victim]);
    }
    for node in [&a, &b] {
        until("every person is found", Duration::from_secs(100), || {
            (node.notices().len() == KNOWN_TWICE).then_some(())
        });
    }
    let ids = |node: &Node| -> BTreeSet<String> {
        node.notices().iter().map(|notice| notice["matches"][0]["matchId"].to_string()).collect()
    };
    assert_eq!(ids(&a), ids(&b));
    eprintln!("{kills} kills, {at_work} of them before all was found");
    assert!(at_work >= 4, "{at_work} of {kills}");
}

/// A network in which `victim` goes for good once the keys are made.
fn without(partners: &[&str], number: &str, victim: &str) {
    let place = Place::new();
    let (files, expected) = caseloads(&place, partners, 8);
    let mut demo =
        Demo::start(place.path(), &["--once", "--partners", number, "--caseload", &files.to_string_lossy()]);
    let [victim] = demo.nodes([victim]);
    demo.wait_for(KEYS_MADE, DELIVERED);
    victim.take_down();
    let finished = demo.finish();
    assert_eq!(finished.good().pairs(), expected);
}

// Of eight partners the first six hold keys and the last four are matchers.

#[test]
fn a_key_holder_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "8", "partner-4");
}

#[test]
fn a_matcher_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "8", "partner-8");
}

/// One matcher and one sender at first: the relay it drew is known, and nothing that it does not bring is found elsewhere.
#[test]
fn a_relay_that_is_gone_for_good_is_not_needed() {
    let place = Place::new();
    let mut founded = hostile::found(place.path(), &["f"]);
    founded.start(&hostile::MEMBERS);
    let nodes = hostile::MEMBERS.map(|member| founded.node(member));
    let [a, b, c, ..] = &nodes;
    let (before, after) = (Person::invented(0), Person::invented(1));
    add(a, "before", &[&before]);
    let relay = hostile::relay(&nodes);
    let other = if relay.dir() == b.dir() { c } else { b };
    add(other, "before", &[&before]);
    assert_eq!(matches(a, "before", 1), matches(other, "before", 1));
    founded.kill(relay.dir().file_name().unwrap().to_str().unwrap());
    for node in [a, other] {
        add(node, "after", &[&after]);
    }
    assert_eq!(matches(a, "after", 1), matches(other, "after", 1));
}

#[test]
fn a_member_with_every_role_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "6", "partner-4");
}

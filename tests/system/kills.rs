//! Nodes that die: killed at any moment and started again, or gone for good.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kring_tests::caseload::{Cases, Person};
use kring_tests::demo::{DELIVERED, Demo, Finished, IMPORTED, KEYS_MADE};
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::report::{Pair, pair};
use kring_tests::wait::{until, within_time};

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
    /// Kills a node and notes what it had to do.
    fn kill(&mut self, demo: &Demo, node: &Node) {
        let waiting = |name| node.metric(name).is_some_and(|waiting| waiting > 0);
        let (evaluating, sending, posting) = (
            waiting("kring_waiting_evaluations"),
            waiting("kring_waiting_submissions"),
            waiting("kring_waiting_appends"),
        );
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
            moments.kill(&demo, node);
        }
    }
    // Matchers just when they have meetings to post.
    let mut at_posting = BTreeSet::new();
    until("every matcher was killed at a meeting, or all is over", DELIVERED, || {
        for (index, node) in
            nodes.iter().enumerate().filter(|(index, _)| !at_posting.contains(index)).collect::<Vec<_>>()
        {
            if node.metric("kring_waiting_appends").is_some_and(|waiting| waiting > 0) {
                moments.kill(&demo, node);
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

// Of eight partners the first six hold keys and the last four are matchers; of twelve, two are neither.

#[test]
fn a_key_holder_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "8", "partner-4");
}

#[test]
fn a_matcher_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "8", "partner-8");
}

#[test]
fn a_relay_that_is_gone_for_good_is_not_needed() {
    // Six senders draw one of ten relays for each of four matchers: some draw this one.
    without(&["a", "b", "c", "d", "e", "f"], "12", "partner-7");
}

#[test]
fn a_member_with_every_role_that_is_gone_for_good_is_not_needed() {
    without(&["a", "b", "c"], "6", "partner-4");
}

//! A matcher that gives receipts and introduces nobody, invents, is late, or drops messages, among three honest ones: all
//! that partners have to tell each other arrives, and what it did is proven to whoever has the covenant.
//!
//! `f` is that matcher; its own node is stopped and this test speaks for it. `a` leaves canaries when asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kring_node::clock::Clock;
use kring_protocol::time::Timestamp;
use kring_tests::caseload::Person;
use kring_tests::command::run;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::rogue::{Conduct, Rogue};
use kring_tests::simulated::{CANARY, CLOCK, Hand};
use kring_tests::wait::until;
use serde_json::json;

use crate::hostile::evidence;
use crate::signals::{add, match_ids, matches, until_quiet};

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const HONEST: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Tags of a canary at each matcher.
const TAGS: u64 = 12;
const HOUR: u64 = 3_600;
const TIMEOUT: Duration = Duration::from_secs(60);

struct Watched {
    founded: Founded,
    hand: Hand,
    clock: Arc<AtomicU64>,
    canary: PathBuf,
    asked: u64,
}

impl Watched {
    fn start(place: &Path) -> Self {
        let founded = Founded::new(place, &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
        let now = Clock.now();
        // In the middle of a day, so that both halves have receipts of one day.
        let noon = Timestamp::from_secs(now.day().start().secs() + 12 * HOUR);
        let (hand, clock) = (Hand::new(place, noon), Arc::new(AtomicU64::new(noon.secs())));
        let mut watched = Self { founded, hand, clock, canary: place.join("canary"), asked: 0 };
        std::fs::write(&watched.canary, "0").unwrap();
        MEMBERS.iter().for_each(|member| watched.start_node(member));
        until_ready(&MEMBERS.map(|member| watched.founded.node(member)));
        watched
    }

    fn start_node(&mut self, member: &str) {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (clock, canary) = (text(self.hand.file()), text(&self.canary));
        let mut environment = vec![(CLOCK, clock.as_str())];
        if member == "a" {
            environment.push((CANARY, &canary));
        }
        self.founded.start_changed(member, &environment);
    }

    fn node(&self, member: &str) -> Node {
        self.founded.node(member)
    }

    fn quiet(&self) {
        until_quiet(&HONEST.map(|member| self.node(member)));
    }

    /// Asks `a` for a canary, and waits until only `f` still owes an introduction of it and all before.
    fn canary(&mut self) {
        self.asked += 1;
        self.ask(2 * self.asked);
        self.until_canaries("more of them", |count| count > TAGS * (self.asked - 1));
        if self.asked == 1 {
            // What is under way goes on after a power cut.
            self.founded.kill("a");
            self.start_node("a");
            until_ready(&[self.node("a")]);
        }
        self.until_canaries("those of honest matchers are withdrawn", |count| count == TAGS * self.asked);
        assert_eq!(self.node("a").metric("kring_canaries_withheld"), Some(0), "it is not late yet");
    }

    /// An odd number asks for canaries whose first half ends before the second is left.
    fn ask(&self, number: u64) {
        let new = self.canary.with_extension("new");
        std::fs::write(&new, number.to_string()).unwrap();
        std::fs::rename(new, &self.canary).unwrap();
    }

    /// `a` leaves canaries, withdraws their first halves a day later, and leaves the second ones once no head can be without
    /// that end.
    fn ending_canary(&mut self, rogue: &Rogue) {
        let tags = usize::try_from(TAGS).unwrap();
        let (left, ended) = rogue.left();
        self.ask(1);
        self.until_canaries("at every matcher", |count| count == 4 * TAGS);
        until("first halves are left", TIMEOUT, || (rogue.left().0 >= left + tags).then_some(()));
        self.quiet();
        self.pass(24 * HOUR);
        until("they are withdrawn", TIMEOUT, || (rogue.left().1 >= ended + tags).then_some(()));
        self.quiet();
        let due = self.hand.now().day().plus(1).start().plus_secs(HOUR + 60);
        self.pass(due.secs() - self.hand.now().secs());
        until("second halves are left", TIMEOUT, || {
            rogue.post_anything();
            (rogue.left().0 >= left + 2 * tags).then_some(())
        });
        self.quiet();
    }

    /// Days pass until no canary waits for a head: an hour after a day's end whatever follows is on the boards.
    fn settle(&mut self, rogue: &Rogue) {
        let mut looks = 0_u32;
        until("all of them are judged and withdrawn", TIMEOUT, || {
            if looks.is_multiple_of(100) {
                self.pass(25 * HOUR);
                rogue.post_anything();
            }
            looks += 1;
            self.node("a").metric("kring_canaries").filter(|count| *count == 0)
        });
        self.quiet();
    }

    fn until_canaries(&self, what: &str, holds: impl Fn(u64) -> bool) {
        until(what, TIMEOUT, || self.node("a").metric("kring_canaries").filter(|count| holds(*count)));
    }

    fn pass(&mut self, secs: u64) {
        self.hand.set(self.hand.now().plus_secs(secs));
        self.clock.store(self.hand.now().secs(), Ordering::Relaxed);
    }

    /// Both signal a person whom nobody else knows, and both find one match.
    fn meet(&self, number: usize) {
        let (case, person) = (format!("case {number}"), Person::invented(number));
        let nodes = ["a", "b"].map(|member| self.node(member));
        nodes.iter().for_each(|node| {
            add(node, &case, &[&person]);
        });
        let [a, b] = nodes.map(|node| matches(&node, &case, 1));
        assert_eq!(a, b);
        self.quiet();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matcher_that_breaks_its_promises_is_proven_to_and_costs_no_meeting() {
    let place = Place::new();
    let mut watched = tokio::task::block_in_place(|| Watched::start(place.path()));
    watched.founded.kill("f");
    let rogue = Rogue::new(&watched.node("f"), Arc::clone(&watched.clock));
    let serving = tokio::spawn(Arc::clone(&rogue).serve(watched.node("f")));
    tokio::task::block_in_place(|| {
        watched.meet(0);
        rogue.behave(Conduct::Withholds);
        say_mistaken(&watched);
        for (number, conduct) in (1..).zip([Conduct::Withholds, Conduct::Invents, Conduct::Delays]) {
            rogue.behave(conduct);
            watched.meet(number);
            watched.canary();
        }
        let told_of_nobody = "nobody knows its tag";
        assert!(watched.node("a").log().contains(told_of_nobody), "{}", watched.node("a").log());
        assert!(
            HONEST.iter().all(|member| evidence(&watched.node(member)).is_empty()),
            "nothing is late yet"
        );
        // An hour after the day's end it is.
        watched.pass(13 * HOUR + 60);
        rogue.post_anything();
        until("all of it is noticed", TIMEOUT, || {
            (watched.node("a").metric("kring_canaries_withheld")? == 3 * TAGS).then_some(())
        });
        watched.until_canaries("all of them are judged and withdrawn", |count| count == 0);
        watched.quiet();
        proven(&watched, place.path());
        // What is late comes at last, and is told nobody twice.
        watched.pass(4 * 24 * HOUR);
        let before = rogue.size();
        until("the late posts", TIMEOUT, || (rogue.size() > before).then_some(()));
        watched.meet(4);
        for number in 1..5 {
            let case = format!("case {number}");
            assert_eq!(matches(&watched.node("a"), &case, 1), matches(&watched.node("b"), &case, 1));
        }
    });
    serving.abort();
}

/// A matcher introduces again what was withdrawn: whoever had met it leaves it out, and names the matcher.
#[tokio::test(flavor = "multi_thread")]
async fn a_matcher_that_revives_what_was_withdrawn_is_named_and_not_believed() {
    let place = Place::new();
    let mut watched = tokio::task::block_in_place(|| Watched::start(place.path()));
    watched.founded.kill("f");
    let rogue = Rogue::new(&watched.node("f"), Arc::clone(&watched.clock));
    let serving = tokio::spawn(Arc::clone(&rogue).serve(watched.node("f")));
    tokio::task::block_in_place(|| {
        watched.meet(0);
        rogue.behave(Conduct::Revives);
        let (a, b) = (watched.node("a"), watched.node("b"));
        let signals = a.get("/signals");
        let signal = signals.as_array().unwrap().iter().find(|it| it["caseReference"] == "case 0").unwrap();
        let path = format!("/signals/{}/withdraw", signal["id"].as_str().unwrap());
        assert_eq!(a.post(&path, &json!({})).0, 200);
        let named = |line: &str| line.contains("introduces what had ended") && line.contains("matcher=f");
        until("b names f", TIMEOUT, || b.log().lines().any(named).then_some(()));
        watched.quiet();
        let count = || b.log().lines().filter(|line| named(line)).count();
        let times = count();
        assert!(b.notice("case 0").is_none(), "the match has ended at every matcher");
        // It stays so after a restart, and others still meet.
        watched.founded.stop("b");
        watched.start_node("b");
        until_ready(&[watched.node("b")]);
        assert!(watched.node("b").notice("case 0").is_none());
        watched.meet(1);
        assert_eq!(count(), times, "once for each key");
    });
    serving.abort();
}

/// A matcher introduces what was withdrawn to somebody who had never met it: a canary proves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_matcher_that_revives_what_was_withdrawn_for_who_comes_later_is_proven_to() {
    let place = Place::new();
    let mut watched = tokio::task::block_in_place(|| Watched::start(place.path()));
    watched.founded.kill("f");
    let rogue = Rogue::new(&watched.node("f"), Arc::clone(&watched.clock));
    let serving = tokio::spawn(Arc::clone(&rogue).serve(watched.node("f")));
    tokio::task::block_in_place(|| {
        let revived = |watched: &Watched| watched.node("a").metric("kring_canaries_revived").unwrap();
        // The control: as long as it keeps its promises, nothing.
        watched.meet(0);
        watched.ending_canary(&rogue);
        watched.settle(&rogue);
        assert_eq!(revived(&watched), 0);
        assert!(HONEST.iter().all(|member| evidence(&watched.node(member)).is_empty()));
        rogue.behave(Conduct::RevivesLater);
        watched.ask(0);
        watched.until_canaries("some that meet", |count| count > 0);
        watched.until_canaries("those are withdrawn", |count| count == 0);
        watched.ending_canary(&rogue);
        until("all of it is noticed", TIMEOUT, || (revived(&watched) == TAGS).then_some(()));
        watched.settle(&rogue);
        watched.meet(1);
        let a = watched.node("a");
        let covenant = Member::of(&a).covenant().clone();
        let records = evidence(&a);
        assert_eq!(records.len(), usize::try_from(TAGS).unwrap());
        for record in records {
            let verdict = record.check(&covenant).unwrap();
            assert_eq!(verdict.kind, "revived");
            assert_eq!(verdict.members.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["f"]);
        }
        for member in &HONEST[1..] {
            assert!(evidence(&watched.node(member)).is_empty(), "{member} left no canary");
        }
    });
    serving.abort();
}

/// A matcher posts every meeting twice, and later everything once more: nobody is told anything twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_matcher_that_repeats_tells_nobody_anything_twice() {
    let place = Place::new();
    let mut watched = tokio::task::block_in_place(|| Watched::start(place.path()));
    watched.founded.kill("f");
    let rogue = Rogue::new(&watched.node("f"), Arc::clone(&watched.clock));
    let serving = tokio::spawn(Arc::clone(&rogue).serve(watched.node("f")));
    tokio::task::block_in_place(|| {
        rogue.behave(Conduct::Repeats);
        watched.meet(0);
        let shown = |watched: &Watched| HONEST.map(|member| watched.node(member).notices());
        let (before, size) = (shown(&watched), rogue.size());
        assert!(size >= 4, "a meeting has two posts, each of them twice");
        rogue.repeat_all();
        // A restart does not make it forget.
        watched.founded.stop("b");
        rogue.repeat_all();
        watched.start_node("b");
        until_ready(&[watched.node("b")]);
        for member in HONEST {
            until("it has read all of it", TIMEOUT, || {
                let boards = watched.node(member).get("/network")["waiting"]["boards"].clone();
                let of_f = |board: &&serde_json::Value| board["matcher"] == "f" && board["read"] == 4 * size;
                boards.as_array().unwrap().iter().find(of_f).map(drop)
            });
        }
        watched.quiet();
        assert_eq!(shown(&watched), before);
        // What was not posted before is told at once.
        let c = watched.node("c");
        add(&c, "case 0", &[&Person::invented(0)]);
        assert_eq!(matches(&c, "case 0", 2).len(), 2);
        assert_eq!(matches(&watched.node("b"), "case 0", 2).len(), 2);
        assert!(HONEST.iter().all(|member| evidence(&watched.node(member)).is_empty()));
    });
    serving.abort();
}

/// The control: a matcher that keeps its promises, and is down for two days while canaries are left.
#[test]
fn a_matcher_that_was_away_is_accused_of_nothing() {
    let place = Place::new();
    let mut watched = Watched::start(place.path());
    watched.founded.kill("f");
    watched.canary();
    watched.pass(2 * 24 * HOUR);
    watched.canary();
    watched.start_node("f");
    watched.until_canaries("it introduces all of them", |count| count == 0);
    watched.quiet();
    watched.pass(2 * 24 * HOUR);
    watched.meet(1);
    assert_eq!(watched.node("a").metric("kring_canaries_withheld"), Some(0));
    for member in HONEST {
        assert!(evidence(&watched.node(member)).is_empty(), "{member}");
    }
}

/// `a` says that its match is not right; `b` hears it through the other matchers.
fn say_mistaken(watched: &Watched) {
    let (a, b) = (watched.node("a"), watched.node("b"));
    let notice = a.notice("case 0").unwrap();
    let match_id = match_ids(&notice)[0].clone();
    let path = format!("/notices/{}/respond", notice["id"].as_str().unwrap());
    let body = json!({ "matchId": match_id, "response": "notRight", "reason": "otherPerson" });
    assert_eq!(a.post(&path, &body).0, 200);
    until("b has heard it", TIMEOUT, || b.notice("case 0").is_none().then_some(()));
    watched.quiet();
}

/// The records convict `f`, and nobody else, with the covenant and nothing else.
fn proven(watched: &Watched, place: &Path) {
    let a = watched.node("a");
    let covenant = Member::of(&a).covenant().clone();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for record in evidence(&a) {
        let verdict = record.check(&covenant).unwrap();
        assert_eq!(verdict.members.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["f"]);
        *kinds.entry(verdict.kind).or_default() += 1;
    }
    // So many are kept of one kind.
    assert_eq!(kinds, BTreeMap::from([("promise", 1), ("withheld", 16)]));
    for member in &HONEST[1..] {
        assert!(evidence(&watched.node(member)).is_empty(), "{member} left no canary and said nothing");
    }
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let (dir, out) = (text(a.dir().to_owned()), text(place.join("for-the-board")));
    assert_eq!(run(&["audit", "evidence", "--dir", &dir, "--out", &out]).0, 0);
    let files: Vec<_> = std::fs::read_dir(&out).unwrap().map(|file| text(file.unwrap().path())).collect();
    let mut arguments = vec!["audit", "evidence", "--covenant"];
    let covenant_file = text(a.config().covenant_file);
    arguments.push(&covenant_file);
    arguments.extend(files.iter().map(String::as_str));
    let (code, stdout, log) = run(&arguments);
    assert_eq!(code, 0, "{log}");
    assert!(stdout.contains("f gave receipts for two submissions with one tag"), "{stdout}");
    assert!(stdout.contains("f gave a receipt for a message and left it off its board"), "{stdout}");
    let noticed = |entry: &serde_json::Value| {
        entry["entry"]["kind"] == "evidence" && entry["entry"]["outcome"] == "failed"
    };
    let pages = (0..).step_by(1_000).map(|first| a.get(&format!("/audit/entries?first={first}&limit=1000")));
    let mut entries = pages.map(|page| page.as_array().unwrap().clone()).take_while(|page| !page.is_empty());
    assert!(entries.any(|page| page.iter().any(noticed)), "it is in the audit log");
}

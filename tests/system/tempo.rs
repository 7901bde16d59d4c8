//! The production tempo, for two days by a simulated clock: who looks at the traffic of six real nodes cannot tell which of
//! them has something to say, and what they have to say arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kring_node::clock::Clock;
use kring_protocol::time::Timestamp;
use kring_tests::caseload::Person;
use kring_tests::changed::RECORD;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, DONE, Hand};
use kring_tests::traffic::{Seen, TRAFFIC, seen};
use kring_tests::wait::until;

use crate::signals::{add, matches, until_quiet};

pub(crate) const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
pub(crate) const MATCHERS: [&str; 4] = ["c", "d", "e", "f"];
pub(crate) const SLOT: u64 = 600;
const TICK: u64 = 900;
pub(crate) const HOUR: u64 = 3_600;
const DAYS: u64 = 2;
/// The clock's steps; each ends just before a slot or tick may begin, so that every moment is reached within its slot.
const STEP: u64 = 30;

/// Long enough for what a step sets off, on a machine with other things to do.
const DONE_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Watched {
    pub(crate) founded: Founded,
    hand: Hand,
    dir: PathBuf,
    /// By member: how far its traffic was looked at, and how many of its requests had no answer there.
    looked: BTreeMap<&'static str, (u64, i64)>,
}

impl Watched {
    /// Six nodes with the production tempo. They declare few persons, so slots are the longest; batches are small.
    fn start(place: &Path) -> Self {
        Self::start_with(place, |draft| {
            assert_eq!(draft.matches("per_day = 4096").count(), MEMBERS.len());
            draft
                .replace(r#"tempo = "immediate""#, r#"tempo = "production""#)
                .replace("per_day = 4096", "per_day = 256")
        })
    }

    pub(crate) fn start_with(place: &Path, edit: impl FnOnce(String) -> String) -> Self {
        let founded = Founded::new(place, &MEMBERS, &MATCHERS, edit);
        let now = Clock.now().secs();
        let hand = Hand::new(place, Timestamp::from_secs(now - now % HOUR + HOUR - 1));
        let mut watched = Self { founded, hand, dir: place.to_owned(), looked: BTreeMap::new() };
        watched.start_nodes(&MEMBERS);
        watched
    }

    fn start_nodes(&mut self, members: &[&str]) {
        for member in members {
            let (clock, done) = (text(self.hand.file()), text(&self.done_file(member)));
            let traffic = text(&self.traffic_file(member));
            let record = text(&self.record(member));
            let environment = [(CLOCK, &clock), (DONE, &done), (TRAFFIC, &traffic), (RECORD, &record)];
            self.founded.start_changed(member, &environment.map(|(name, value)| (name, value.as_str())));
        }
        let nodes: Vec<_> = members.iter().map(|member| self.node(member)).collect();
        until_ready(&nodes);
    }

    pub(crate) fn node(&self, member: &str) -> Node {
        self.founded.node(member)
    }

    /// Where all messages of a member's node are.
    pub(crate) fn record(&self, member: &str) -> PathBuf {
        self.dir.join(format!("{member}.record"))
    }

    pub(crate) fn traffic_file(&self, member: &str) -> PathBuf {
        self.dir.join(format!("{member}.traffic"))
    }

    fn done_file(&self, member: &str) -> PathBuf {
        self.dir.join(format!("{member}.done"))
    }

    /// Lets so many seconds pass, step by step; each step is over when every node has done what was due in it, and every
    /// request has its answer: also those that the node did not wait for, because enough others had answered.
    pub(crate) fn pass(&mut self, secs: u64) {
        let end = self.hand.now().secs() + secs;
        while self.hand.now().secs() < end {
            self.hand.set(self.hand.now().plus_secs(STEP));
            for member in MEMBERS {
                let is_done = || self.hand.is_done(&self.done_file(member)).then_some(());
                until("every node has done what was due", DONE_WITHIN, is_done);
            }
            until("every request has its answer", DONE_WITHIN, || self.is_quiet().then_some(()));
        }
    }

    fn is_quiet(&mut self) -> bool {
        let mut quiet = true;
        for member in MEMBERS {
            let mut file = File::open(self.traffic_file(member)).expect("the node writes it from its start");
            let (place, open) = self.looked.entry(member).or_default();
            let mut new = String::new();
            file.seek(SeekFrom::Start(*place))
                .and_then(|_| file.read_to_string(&mut new))
                .expect("it is text");
            for line in new.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                *place += line.len() as u64;
                // Holders ask each other for the ceremony at times of their own.
                if !line.contains("/ceremony/") {
                    *open +=
                        i64::from(line.contains(" RequestOut ")) - i64::from(line.contains(" AnswerIn "));
                }
            }
            quiet &= *open == 0;
        }
        quiet
    }

    /// A member's own requests since a moment: what it relays for others follows from others.
    fn requests(&self, member: &str, since: u64) -> Vec<Seen> {
        let own = |seen: &Seen| seen.way == "RequestOut" && seen.kind != "relayed" && seen.at > since;
        seen(&self.traffic_file(member)).into_iter().filter(own).collect()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// How many messages of which size in each slot to each matcher.
fn slots(seen: &[Seen]) -> BTreeMap<(u64, usize), usize> {
    let mut slots = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.kind == "forward") {
        *slots.entry((seen.at / SLOT, seen.len)).or_default() += 1;
    }
    slots
}

/// How many reads of which size after each tick, apart from these members' boards: nobody reads its own.
fn reads(seen: &[Seen], except: [&str; 2]) -> BTreeMap<(u64, usize), usize> {
    let mut reads = BTreeMap::new();
    let boards =
        seen.iter().filter(|seen| seen.kind == "/kring/board/1" && !except.contains(&seen.peer.as_str()));
    for seen in boards {
        *reads.entry((seen.at / TICK, seen.len)).or_default() += 1;
    }
    reads
}

/// How many questions about heads, of which kind and size, in each hour. They come in its last minutes: what the clock's
/// steps delay may stand in the next one.
fn comparisons(seen: &[Seen]) -> BTreeMap<(u64, &str, &str, usize), usize> {
    let mut comparisons = BTreeMap::new();
    for seen in seen.iter().filter(|seen| ["chains", "header", "board-head"].contains(&seen.kind.as_str())) {
        let hour = (seen.at - HOUR / 2) / HOUR;
        *comparisons.entry((hour, seen.kind.as_str(), seen.matcher.as_str(), seen.len)).or_default() += 1;
    }
    comparisons
}

/// Hours of the rounds of evaluation, and the sizes of what was asked; where holders are slow, a spare is asked too.
fn rounds(seen: &[Seen]) -> (Vec<u64>, BTreeSet<usize>) {
    let evaluations = || seen.iter().filter(|seen| seen.kind == "evaluate");
    let times: BTreeSet<u64> = evaluations().map(|seen| seen.at / 60).collect();
    let mut starts: Vec<u64> = Vec::new();
    for minute in times {
        if starts.last().is_none_or(|last| minute - last > 10) {
            starts.push(minute);
        }
    }
    (starts, evaluations().map(|seen| seen.len).collect())
}

/// One message of one size a slot for each of three matchers, and eight rounds a day.
fn is_on_schedule(member: &str, seen: &[Seen]) {
    let whole = DAYS * 86_400 / SLOT;
    let slots = slots(seen);
    assert_eq!(slots.len() as u64, whole, "{member}");
    assert!(slots.values().all(|count| *count == 3), "{member}: {slots:?}");
    let forwards = seen.iter().filter(|seen| seen.kind == "forward");
    let to: BTreeSet<_> = forwards.map(|seen| (seen.at / SLOT, &seen.matcher)).collect();
    assert_eq!(to.len() as u64, whole * 3, "{member}: one for each");
    let (starts, sizes) = rounds(seen);
    assert_eq!(starts.len() as u64, DAYS * 8, "{member}: {starts:?}");
    let apart = |pair: &[u64]| (179..=181).contains(&(pair[1] - pair[0]));
    assert!(starts.windows(2).all(apart), "{member}: {starts:?}");
    let comparisons = comparisons(seen);
    let hours: BTreeSet<_> = comparisons.keys().map(|(hour, ..)| hour).collect();
    assert_eq!(hours.len() as u64, DAYS * 24, "{member}: compares once an hour");
    let heads = comparisons.iter().filter(|((_, kind, ..), _)| *kind == "board-head");
    assert!(heads.clone().all(|(_, count)| *count == MEMBERS.len() - 1), "{member}: each other member once");
    assert!(heads.count() as u64 > DAYS * 24, "{member}: boards have heads to compare");
    let compared: usize = comparisons.iter().map(|((.., len), count)| len * count).sum();
    let bytes: usize = seen.iter().map(|seen| seen.len).sum();
    eprintln!(
        "{member}: {} requests of its own, {bytes} bytes, {compared} of them to compare; evaluations of {sizes:?}",
        seen.len()
    );
}

#[test]
fn traffic_does_not_show_who_has_something_to_say() {
    let place = Place::new();
    let mut network = Watched::start(place.path());
    let start = network.hand.now().secs();
    // c meets a and d; e has cases that nobody else has; f has none. All four are matchers and hold keys.
    let persons: Vec<_> = (0..4).map(Person::invented).collect();
    add(&network.node("c"), "first", &[&persons[0], &persons[1]]);
    add(&network.node("a"), "dossier", &[&persons[0]]);
    add(&network.node("e"), "alone", &[&persons[2]]);
    network.pass(86_400 / 2);
    add(&network.node("d"), "later", &[&persons[1], &persons[3]]);
    // One that has work and one that has none are killed and start again.
    for member in ["d", "f"] {
        network.founded.kill(member);
    }
    network.start_nodes(&["d", "f"]);
    network.pass(DAYS * 86_400 - 86_400 / 2);

    let partners = |member: &str, case: &str| {
        let notice =
            network.node(member).notice(case).unwrap_or_else(|| panic!("{member} has no notice of {case}"));
        let matches = notice["matches"].as_array().unwrap().clone();
        matches.iter().map(|one| one["partner"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(partners("c", "first"), BTreeSet::from(["a", "d"].map(str::to_owned)));
    assert_eq!(partners("a", "dossier"), BTreeSet::from(["c".to_owned()]));
    assert_eq!(partners("d", "later"), BTreeSet::from(["c".to_owned()]));
    assert!(network.node("e").notices().is_empty() && network.node("f").notices().is_empty());

    let all = MATCHERS.map(|member| network.requests(member, start));
    MATCHERS.iter().zip(&all).for_each(|(member, seen)| is_on_schedule(member, seen));
    let [c, d, e, f] = &all;
    for (name, other) in [("c", c), ("d", d), ("e", e)] {
        assert_eq!(slots(other), slots(f));
        assert_eq!(reads(other, [name, "f"]), reads(f, [name, "f"]));
        assert_eq!(comparisons(other), comparisons(f), "{name}");
        let count = |seen: &[Seen], kind| seen.iter().filter(|seen| seen.kind == kind).count();
        assert_eq!(count(other, "announce"), count(f, "announce"));
    }
    let weekly_keys = |seen: &[Seen]| seen.iter().filter(|seen| seen.kind == "weekly-key").count();
    assert_eq!(weekly_keys(c), weekly_keys(e));
    assert_eq!(weekly_keys(d), weekly_keys(f), "asked for once more after a start");
}

/// The control: without the tempo the same look at the traffic tells at once who has something to say.
#[test]
fn without_the_tempo_traffic_shows_who_has_something_to_say() {
    let place = Place::new();
    let network = Watched::start_with(place.path(), |draft| draft);
    let start = network.hand.now().secs() - 1;
    let person = Person::invented(0);
    for member in ["a", "c"] {
        add(&network.node(member), "dossier", &[&person]);
    }
    assert_eq!(matches(&network.node("a"), "dossier", 1), matches(&network.node("c"), "dossier", 1));
    until_quiet(&MEMBERS.map(|member| network.node(member)));
    let [c, e, f] = ["c", "e", "f"].map(|member| network.requests(member, start));
    let evaluations = |seen: &[Seen]| seen.iter().filter(|seen| seen.kind == "evaluate").count();
    assert!(!slots(&c).is_empty() && evaluations(&c) > 0);
    for idle in [&e, &f] {
        assert!(slots(idle).is_empty() && evaluations(idle) == 0);
    }
}

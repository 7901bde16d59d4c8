//! Members whose nodes run changed software, among honest ones: what they cost, and who is told whose fault it is.
//!
//! What they do wrong stands in `kring_tests::changed`; that they did it is checked in their logs.

use std::path::Path;
use std::time::{Duration, Instant};

use kring_node::network::{Family, Way};
use kring_node::store::{Batch, Store, Table};
use kring_protocol::codec;
use kring_protocol::evidence::{Evidence, Violation};
use kring_protocol::relay::{Outcome, Request, Response};
use kring_tests::caseload::Person;
use kring_tests::changed::{CHANGE, DID, ONLY_TO, RECORD, recorded};
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::{until, within_time};
use serde_json::Value;

use crate::board_reader::talk;
use crate::signals::{SOON, add, matches, until_quiet};
use crate::wire::{record, recording};

pub(crate) const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Founds a network. Where `f` is the only matcher it has no purpose: it could meet nobody.
pub(crate) fn found(place: &Path, matchers: &[&str]) -> Founded {
    let others = r#"members = ["a", "b", "c", "d", "e"]"#;
    Founded::new(place, &MEMBERS, matchers, |draft| match matchers {
        ["f"] => draft.replace(r#"members = ["a", "b", "c", "d", "e", "f"]"#, others),
        _ => draft,
    })
}

/// The nodes of a network whose matchers are these, in which some members run changed software.
fn network(place: &Path, matchers: &[&str], changed: &[(&str, &str)]) -> (Founded, [Node; 6]) {
    let mut founded = found(place, matchers);
    for (member, change) in changed {
        founded.start_changed(member, &[(CHANGE, change)]);
    }
    let honest: Vec<_> =
        MEMBERS.into_iter().filter(|member| changed.iter().all(|(other, _)| other != member)).collect();
    founded.start(&honest);
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    (founded, nodes)
}

/// Stops a node and starts it again with changed software.
fn change(founded: &mut Founded, node: &Node, environment: &[(&str, &str)]) {
    let member = node.dir().file_name().unwrap().to_str().unwrap();
    founded.stop(member);
    founded.start_changed(member, environment);
    until_ready(std::slice::from_ref(node));
}

/// Both signal the same person, whom nobody else knows, and both find one match.
fn meet(a: &Node, b: &Node, number: usize) {
    let (person, case) = (Person::invented(number), format!("case {number}"));
    add(a, &case, &[&person]);
    add(b, &case, &[&person]);
    assert_eq!(matches(a, &case, 1), matches(b, &case, 1));
}

/// A line of a node's log in which all of these stand.
fn logged(node: &Node, all: &[&str]) -> bool {
    node.log().lines().any(|line| all.iter().all(|part| line.contains(part)))
}

fn until_logged(node: &Node, all: &[&str]) {
    until(&format!("{all:?} in {}", node.dir().display()), SOON, || logged(node, all).then_some(()));
}

fn did(node: &Node, change: &str) {
    assert!(logged(node, &[DID, change]), "{change} was never done");
}

#[test]
fn a_key_holder_that_evaluates_wrongly_is_proven_wrong_and_not_needed() {
    let place = Place::new();
    let (mut founded, [a, b, c, ..]) = network(place.path(), &["f"], &[("b", "WrongElement")]);
    let mut numbers = 0..20;
    for wrong in ["WrongElement", "WrongProof"] {
        if wrong != "WrongElement" {
            change(&mut founded, &b, &[(CHANGE, wrong)]);
        }
        let before = evidence_count(&a);
        // Whoever is among the first to acknowledge is asked; `b` is not always.
        while evidence_count(&a) == before {
            meet(&a, &c, numbers.next().expect("`b` is asked in one of many requests"));
        }
        did(&b, wrong);
    }
    assert!(
        logged(&a, &["a key holder answered wrongly", "holder=b", "b signed a wrong answer"]),
        "{}",
        a.log()
    );
    founded.stop("a");
    assert_evidence(&a);
}

/// Entries of the audit log about evaluations that failed.
fn evidence_count(node: &Node) -> usize {
    let entries = node.get("/audit/entries?limit=1000");
    let failed = |entry: &&Value| {
        entry["entry"]["kind"] == "evaluation-asked" && entry["entry"]["outcome"] == "failed"
    };
    entries.as_array().unwrap().iter().filter(failed).count()
}

/// What a stopped node keeps proves that `b`, and nobody else, answered wrongly.
fn assert_evidence(node: &Node) {
    let member = Member::of(node);
    let records = evidence(node);
    assert!(records.len() >= 2, "an element and a proof were wrong");
    for record in records {
        let verdict = record.check(member.covenant()).unwrap();
        assert_eq!((verdict.kind, verdict.members[0].as_str()), ("evaluation", "b"));
        let Violation::Evaluation(mut wrong) = record.violation else { panic!("{verdict}") };
        wrong.holder = "c".parse().unwrap();
        let altered = Evidence { violation: Violation::Evaluation(wrong), ..record };
        assert!(altered.check(member.covenant()).is_err(), "it proves nothing against others");
    }
}

/// The files that a node has written for a board.
pub(crate) fn evidence(node: &Node) -> Vec<Evidence> {
    let files = std::fs::read_dir(node.config().data_dir.join("evidence")).into_iter().flatten().flatten();
    let files = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "evidence"));
    files.map(|file| codec::decode(&std::fs::read(file.path()).unwrap()).unwrap()).collect()
}

/// Live submissions at the matcher `f`, when all that is waiting has been done.
fn live(nodes: &[Node]) -> Option<u64> {
    until_quiet(nodes);
    nodes[5].metric("kring_meeting_submissions")
}

/// The one member whose node has passed on submissions of others.
pub(crate) fn relay(nodes: &[Node; 6]) -> &Node {
    until("a submission is passed on", SOON, || {
        let passed_on = |node: &&Node| {
            let entries = node.get("/audit/entries?limit=1000");
            entries.as_array().unwrap().iter().any(|entry| entry["entry"]["kind"] == "submission-relayed")
        };
        nodes.iter().find(passed_on)
    })
}

#[test]
fn a_relay_that_drops_alters_or_repeats_costs_the_spare_and_nothing_else() {
    let place = Place::new();
    let (mut founded, nodes) = network(place.path(), &["f"], &[]);
    let [a, b, ..] = &nodes;
    let known = Person::invented(0);
    add(a, "case 0", &[&known]);
    let relay = relay(&nodes);
    add(b, "case 0", &[&known]);
    assert_eq!(matches(a, "case 0", 1), matches(b, "case 0", 1));
    let record = place.dir("record");
    let record = record.to_str().unwrap();
    for (number, wrong) in ["RelayDrops", "RelayAlters", "RelayReplays"].into_iter().enumerate() {
        change(&mut founded, relay, &[(CHANGE, wrong), (RECORD, record)]);
        // Two, because the first answer of all cannot be an earlier one.
        meet(a, b, 2 * number + 1);
        meet(a, b, 2 * number + 2);
        did(relay, wrong);
    }
    let left = live(&nodes);
    let of = |node: &Node| node.metric("kring_submissions").unwrap();
    assert_eq!(left, Some(of(a) + of(b)), "nothing is missing, nothing is there twice");
    assert_eq!((a.notices().len(), b.notices().len()), (7, 7));

    // The same relay, later, with all that it ever passed on.
    let (sent, entries) = (recorded(Path::new(record), Family::Forward, Way::RequestOut), board_size(a));
    let member = Member::of(relay);
    founded.stop(member.id().as_str());
    let again = tokio::runtime::Runtime::new().unwrap().block_on(replay(&member, &sent));
    assert!(again > 0, "no altered submission was among them that could be taken in");
    assert_eq!(nodes[5].metric("kring_meeting_submissions"), left);
    assert_eq!(board_size(&nodes[5]), entries, "nothing was posted again");
}

/// Sends everything to the matcher once more: how many receipts it gave.
async fn replay(relay: &Member, requests: &[Vec<u8>]) -> usize {
    let network = relay.connect().await;
    let mut receipts = 0;
    for request in requests {
        if !matches!(codec::decode(request), Ok(Request::Relayed { .. })) {
            continue;
        }
        let answer = network.request(&"f".parse().unwrap(), Family::Forward, request.clone()).await.unwrap();
        let Ok(Response::Outcomes(outcomes)) = codec::decode(&answer) else { panic!("{answer:?}") };
        receipts += outcomes.iter().filter(|one| matches!(one, Outcome::Receipt(_))).count();
    }
    network.shutdown().await;
    receipts
}

/// The control: where no other relay may stand between sender and matcher, one that drops or alters is obeyed.
#[test]
fn without_a_spare_a_relay_decides_what_arrives() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &["a", "b", "f"], &["f"], |draft| {
        draft.replace(r#"members = ["a", "b", "f"]"#, r#"members = ["a", "b"]"#)
    });
    for (number, wrong) in ["RelayDrops", "RelayAlters"].into_iter().enumerate() {
        founded.start_changed("b", &[(CHANGE, wrong)]);
        let others: &[&str] = if number == 0 { &["a", "f"] } else { &[] };
        founded.start(others);
        let nodes = ["a", "b", "f"].map(|member| founded.node(member));
        until_ready(&nodes);
        let [a, b, _] = &nodes;
        let (case, person) = (format!("case {number}"), Person::invented(number));
        add(a, &case, &[&person]);
        add(b, &case, &[&person]);
        // Tried again and again, and b's own is there.
        until("a tries", SOON, || (b.log().matches(DID).count() >= 4 * (number + 1)).then_some(()));
        until("b has left its own", SOON, || {
            nodes[2].metric("kring_meeting_submissions").filter(|live| *live > 0)
        });
        assert!(a.notice(&case).is_none() && b.notice(&case).is_none(), "{wrong}");
        founded.stop("b");
        founded.start(&["b"]);
        assert_eq!(matches(a, &case, 1), matches(b, &case, 1), "nothing was lost for good");
        founded.stop("b");
    }
}

/// The controls of the last part: a matcher that forgets what it took in takes it again.
#[test]
fn without_its_memory_a_matcher_takes_what_a_relay_brings_again() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["f"]);
    let [a, b, _, _, _, f] = &nodes;
    let person = Person::invented(0);
    let signal = add(a, "case", &[&person]);
    let relay = relay(&nodes);
    let name = relay.dir().file_name().unwrap().to_str().unwrap();
    add(b, "case", &[&person]);
    assert_eq!(matches(a, "case", 1), matches(b, "case", 1));
    talk(a, b, "case", true);
    until_quiet(&nodes);
    let sent = recorded(&record(&place, name), Family::Forward, Way::RequestOut);
    assert_eq!(a.post(&format!("/signals/{signal}/withdraw"), &serde_json::json!({})).0, 200);
    let (live, size) = (live(&nodes), board(f));
    let member = Member::of(relay);
    founded.stop(name);
    let again = || tokio::runtime::Runtime::new().unwrap().block_on(replay(&member, &sent));
    assert!(again() > 0);
    assert_eq!((f.metric("kring_meeting_submissions"), board(f)), (live, size), "nothing happens again");
    // Without the hashes of requests and messages, messages are posted again.
    forget(&mut founded, f, &[Table::Seen]);
    again();
    until("messages are posted again", SOON, || (board(f) > size).then_some(()));
    assert_eq!(f.metric("kring_meeting_submissions"), live, "what has ended is known by its mailbox");
    // Without the mailboxes of what has ended, that lives again too.
    forget(&mut founded, f, &[Table::Seen, Table::Ended]);
    again();
    assert!(f.metric("kring_meeting_submissions") > live);
}

/// Takes tables out of a node's store.
fn forget(founded: &mut Founded, node: &Node, tables: &[Table]) {
    let name = node.dir().file_name().unwrap().to_str().unwrap();
    founded.stop(name);
    let store = Store::open(&node.config().data_dir.join("store")).unwrap();
    let mut batch = Batch::new();
    for table in tables {
        let rows = store.scan_all(*table).unwrap();
        assert!(!rows.is_empty());
        rows.into_iter().for_each(|(key, _)| batch.delete(*table, key));
    }
    store.commit_blocking(batch).unwrap();
    drop(store);
    founded.start(&[name]);
}

/// Entries of the only board.
fn board(node: &Node) -> u64 {
    board_size(node)[0]["size"].as_u64().unwrap()
}

/// It costs two seconds once, and then nothing for a minute; nothing is lost, and nothing is there twice.
#[test]
fn a_relay_that_keeps_requests_open_costs_two_seconds() {
    let place = Place::new();
    let (mut founded, nodes) = network(place.path(), &["f"], &[]);
    let [a, b, ..] = &nodes;
    let known = Person::invented(0);
    add(a, "case 0", &[&known]);
    let relay = relay(&nodes);
    add(b, "case 0", &[&known]);
    assert_eq!(matches(a, "case 0", 1), matches(b, "case 0", 1));
    change(&mut founded, relay, &[(CHANGE, "RelayHolds")]);
    let started = Instant::now();
    meet(a, b, 1);
    let first = started.elapsed();
    meet(a, b, 2);
    did(relay, "RelayHolds");
    let member = relay.dir().file_name().unwrap().to_str().unwrap();
    assert!(logged(a, &["a relay is silent", &format!("relay={member}"), "matcher=f"]));
    assert!(first < Duration::from_secs(12), "{first:?}: a request stays open for 30 seconds");
    let of = |node: &Node| node.metric("kring_submissions").unwrap();
    assert_eq!(live(&nodes), Some(of(a) + of(b)), "nothing is missing, nothing is there twice");
    assert_eq!((a.notices().len(), b.notices().len()), (3, 3));
}

/// The control: where nobody else may carry it, what a relay keeps open does not arrive.
#[test]
fn without_a_spare_a_relay_that_keeps_requests_open_decides_when_anything_arrives() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &["a", "b", "f"], &["f"], |draft| {
        draft.replace(r#"members = ["a", "b", "f"]"#, r#"members = ["a", "b"]"#)
    });
    founded.start_changed("b", &[(CHANGE, "RelayHolds")]);
    founded.start(&["a", "f"]);
    let [a, b, f] = ["a", "b", "f"].map(|member| founded.node(member));
    until_ready(std::slice::from_ref(&b));
    let person = Person::invented(0);
    [&a, &b].iter().for_each(|node| drop(add(node, "case", &[&person])));
    until_logged(&a, &["a relay is silent", "relay=b", "matcher=f"]);
    until("b has left its own", SOON, || f.metric("kring_meeting_submissions").filter(|live| *live > 0));
    let live = || f.metric("kring_meeting_submissions");
    let own = live();
    // Longer than both sides of a meeting need where there is a spare.
    let arrived = within_time(Duration::from_secs(15), || (live() != own).then_some(()));
    assert!(arrived.is_none() && a.notice("case").is_none());
    founded.stop("b");
    founded.start(&["b"]);
    assert_eq!(matches(&a, "case", 1), matches(&b, "case", 1), "nothing was lost for good");
}

/// It costs nobody more than its own board: others bring the matches, and when it is honest again it has everything once.
#[test]
fn a_matcher_that_keeps_requests_open_costs_only_itself() {
    let place = Place::new();
    let (mut founded, nodes) = network(place.path(), &["c", "d", "e", "f"], &[("f", "MatcherHolds")]);
    let [a, b, ..] = &nodes;
    for number in 0..3 {
        let started = Instant::now();
        meet(a, b, number);
        assert!(started.elapsed() < Duration::from_secs(12), "{number}: {:?}", started.elapsed());
    }
    did(&nodes[5], "MatcherHolds");
    change(&mut founded, &nodes[5], &[]);
    until("f has what was left at it", Duration::from_secs(90), || {
        let waits = |node: &Node| node.get("/network")["waiting"]["submissions"].clone();
        let none = |list: Value| list.as_array().unwrap().iter().all(|one| one["count"] == 0);
        (none(waits(a)) && none(waits(b))).then_some(())
    });
    // c, d and e are matchers too: a and b leave the same at each of the four.
    let left = nodes[5].metric("kring_meeting_submissions");
    assert_eq!(
        left,
        nodes[4].metric("kring_meeting_submissions"),
        "nothing is missing, nothing is there twice"
    );
    assert_eq!((a.notices().len(), b.notices().len()), (3, 3));
}

fn board_size(node: &Node) -> Value {
    node.get("/network")["waiting"]["boards"].clone()
}

#[test]
fn false_receipts_and_false_boards_are_named_and_matches_come_through_other_matchers() {
    let place = Place::new();
    let changed = [("c", "GarbageReceipts"), ("d", "ShrunkBoard"), ("e", "ForkedBoard")];
    let (mut founded, nodes) = network(place.path(), &["c", "d", "e", "f"], &changed);
    let [a, b, c, d, e, _] = &nodes;
    meet(a, b, 0);
    until_logged(a, &["a bad receipt", "matcher=c"]);
    // From now on there is something from which a board can be different.
    let read_once = |node: &Node| {
        let boards = node.get("/network")["waiting"]["boards"].clone();
        boards.as_array().unwrap().iter().all(|board| board["read"] != 0).then_some(())
    };
    until("every board was read", SOON, || read_once(a));
    meet(a, b, 1);
    for node in [a, b] {
        for matcher in ["d", "e"] {
            let (board, from) = (format!("matcher={matcher}"), format!("from={matcher}"));
            until_logged(node, &["a board page was not accepted", &board, &from, "does not continue"]);
        }
    }
    change(&mut founded, c, &[(CHANGE, "ForeignCheckpoint")]);
    meet(a, b, 2);
    for node in [a, b] {
        until_logged(node, &["a board page was not accepted", "matcher=c", "from=c", "not the matcher's"]);
    }
    for (node, wrong) in
        [(c, "GarbageReceipts"), (c, "ForeignCheckpoint"), (d, "ShrunkBoard"), (e, "ForkedBoard")]
    {
        did(node, wrong);
    }
    for number in 0..3 {
        let case = format!("case {number}");
        assert_eq!(matches(a, &case, 1), matches(b, &case, 1));
    }
}

#[test]
fn a_board_that_is_false_to_one_reader_is_read_from_others() {
    let place = Place::new();
    let mut founded = found(place.path(), &["f"]);
    founded.start_changed("f", &[(CHANGE, "ForkedBoard"), (ONLY_TO, "a")]);
    founded.start(&MEMBERS[..5]);
    let [a, b, f] = ["a", "b", "f"].map(|member| founded.node(member));
    for number in 0..3 {
        meet(&a, &b, number);
    }
    did(&f, "ForkedBoard");
    assert!(logged(&a, &["a board page was not accepted", "matcher=f", "from=f", "does not continue"]));
    assert!(!logged(&b, &["a board page was not accepted"]));
    let proven = until("a head that was refused is proof", SOON, || evidence(&a).pop());
    let verdict = proven.check(Member::of(&a).covenant()).unwrap();
    assert_eq!((verdict.kind, verdict.members[0].as_str()), ("fork", "f"));
}

#[test]
fn a_board_that_is_hidden_from_one_reader_is_read_from_others() {
    let place = Place::new();
    let mut founded = found(place.path(), &["f"]);
    founded.start_changed("f", &[(CHANGE, "HiddenBoard"), (ONLY_TO, "a")]);
    founded.start(&MEMBERS[..5]);
    let [a, b, f] = ["a", "b", "f"].map(|member| founded.node(member));
    // At first it has nothing of the board, then too little.
    for number in 0..2 {
        meet(&a, &b, number);
    }
    did(&f, "HiddenBoard");
    assert!(evidence(&a).is_empty() && evidence(&b).is_empty(), "nothing was signed that proves it");
}

#[test]
fn a_matcher_that_does_not_wait_is_not_asked_without_end() {
    let place = Place::new();
    let mut founded = found(place.path(), &["f"]);
    let record = place.dir("record");
    let started = Instant::now();
    founded.start_changed("f", &[(CHANGE, "NothingAtOnce"), (RECORD, record.to_str().unwrap())]);
    founded.start(&MEMBERS[..5]);
    meet(&founded.node("a"), &founded.node("b"), 0);
    did(&founded.node("f"), "NothingAtOnce");
    let asked = recorded(&record, Family::Board, Way::RequestIn).len();
    // Five readers, each twice a second, and once more for each page.
    let most = 5 * (2 * usize::try_from(started.elapsed().as_secs()).unwrap() + 20);
    assert!(asked <= most, "asked {asked} times, at most {most} were expected");
}

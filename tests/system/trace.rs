//! Who left a submission that is not in order is named at the two holders of trace keys, and nowhere else.
//!
//! `a` and `b` hold the trace keys, `f` is the only matcher. `e` is a member whose own node is stopped: this test speaks for
//! it, with its keys, and with the subject key that it would have as everyone who knows the person.

use kring_node::clock::Clock;
use kring_node::keystore::MasterKey;
use kring_node::keystore::identity::Identity;
use kring_node::leaves::{LeaveKey, Left};
use kring_node::network::{Family, Network};
use kring_node::store::Table;
use kring_node::vault::KeyName;
use kring_protocol::board::replication::{Request as Read, Response as Shown};
use kring_protocol::board::{Entry, Post, SignedPost, open_signed_post, post_address};
use kring_protocol::codec;
use kring_protocol::id::{MemberId, Reference};
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use kring_protocol::relay::{Outcome, Request, Response, forward};
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::{self, Content, Destination, Leave, SealedHello, Submission};
use kring_protocol::trace::{self, Complainant, Grounds, Refusal, SignedComplaint};
use kring_tests::caseload::{Person, bsn};
use kring_tests::changed::{CHANGE, DID};
use kring_tests::command::run;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::RngCore;
use rand::rngs::OsRng;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::hostile::{MEMBERS, evidence, found};
use crate::signals::{SOON, add, matches, until_quiet};
use crate::wire::Records;

/// The network, in which `e` is stopped once the keys are there.
pub(crate) fn network(place: &Place, changed: &[(&str, &str)]) -> (Founded, [Node; 6]) {
    let mut founded = found(place.path(), &["f"]);
    for (member, change) in changed {
        founded.start_changed(member, &[(CHANGE, change)]);
    }
    let others: Vec<_> =
        MEMBERS.into_iter().filter(|member| changed.iter().all(|(other, _)| other != member)).collect();
    founded.start(&others);
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    founded.stop("e");
    (founded, nodes)
}

/// Somebody with one match key alone.
pub(crate) fn person(number: usize) -> Person {
    Person::default().bsn(&bsn(number))
}

/// Stops a node; what it has left, read from its store.
pub(crate) fn stop(founded: &mut Founded, member: &str) -> (LeaveKey, Left) {
    founded.stop(member);
    let Records { store, vault } = Records::open(&founded.node(member));
    let (bytes, sealed) = store.scan_all(Table::Left).unwrap().pop().unwrap();
    let key = LeaveKey::from_bytes(&bytes).unwrap();
    let name = KeyName::Left { matcher: key.matcher.clone(), epoch: key.epoch };
    let left = vault.open_record(&name, Table::Left, &bytes, &sealed).unwrap();
    (key, left)
}

/// A member with changed software: `e`.
pub(crate) struct Hostile {
    member: Member,
    scope: Scope,
    left: Left,
}

impl Hostile {
    pub(crate) fn new(founded: &Founded, (key, left): (LeaveKey, Left)) -> Self {
        let member = Member::of(&founded.node("e"));
        let (epoch, matcher, purpose) = (key.epoch, key.matcher, left.purpose.clone());
        let scope = Scope { network: member.covenant().network(), epoch, purpose, matcher };
        Self { member, scope, left }
    }

    /// A submission for the person, as an honest node would make it.
    fn leave(&self) -> Leave {
        self.leave_as(self.member.id(), &self.member.signing_key())
    }

    /// The same, with any name and signature.
    pub(crate) fn leave_as(&self, id: &MemberId, signing: &SigningKey) -> Leave {
        let number = WithdrawNumber { generation: 0, counter: OsRng.next_u64() };
        let references = vec![Reference::from_bytes([9; 16])];
        let own = OwnSubmission::draw(references, 2, self.left.own.expiry, number, &mut OsRng);
        let root = WithdrawRoot(Secret::random(&mut OsRng));
        let leaver = Leaver { name: Some((id, signing)), root: &root };
        own.leave(&self.left.subject_key(), &self.scope, leaver, None)
    }

    /// The same with a hello that does not open.
    pub(crate) fn closed(&self) -> Leave {
        let mut hello = [0; SealedHello::LEN];
        OsRng.fill_bytes(&mut hello);
        Leave { hello: SealedHello::from_bytes(hello), ..self.leave() }
    }

    /// Leaves all of these at `f` through one relay.
    pub(crate) fn send(&self, relay: &str, leaves: Vec<Leave>) {
        Runtime::new().unwrap().block_on(async {
            let network = self.member.connect().await;
            let matcher: MemberId = "f".parse().unwrap();
            let destination = Destination { network: self.scope.network, matcher: matcher.clone() };
            let keys = ask(&network, "f", Family::Forward, &Request::WeeklyKey).await;
            let Response::WeeklyKeys(keys) = keys else { panic!("{keys:?}") };
            let (day, relay) = (Clock.now().day(), relay.parse::<MemberId>().unwrap());
            let key = keys.iter().find(|key| key.week == day.week()).unwrap().key;
            let item = |leave: Leave| {
                let content = Content::Leave(Box::new(leave));
                let sealed = submission::seal(&Submission { day, content }, &destination, &key, &mut OsRng);
                forward(&sealed, &destination, &relay, day, &self.member.signing_key())
            };
            let items = leaves.into_iter().map(item).collect();
            let request = Request::Forward { matcher, day, items };
            let answer: Response = ask(&network, relay.as_str(), Family::Forward, &request).await;
            let Response::Outcomes(outcomes) = answer else { panic!("{answer:?}") };
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Receipt(_))), "{outcomes:?}");
            network.shutdown().await;
        });
    }
}

async fn ask<Q: codec::Wire, A: codec::Wire>(network: &Network, to: &str, family: Family, request: &Q) -> A {
    let to = to.parse().unwrap();
    loop {
        match network.request(&to, family, codec::encode(request)).await {
            Ok(answer) => return codec::decode(&answer).unwrap(),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

/// What `kring audit trace` lists for a member.
fn answers(node: &Node) -> Vec<Value> {
    let dir = node.dir().to_string_lossy().into_owned();
    let (code, stdout, log) = run(&["audit", "trace", "--dir", &dir, "--json"]);
    assert_eq!(code, 0, "{stdout}{log}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    report["answers"].as_array().unwrap().clone()
}

pub(crate) fn until_answers(node: &Node, count: usize) -> Vec<Value> {
    until(&format!("{count} answers at {}", node.dir().display()), SOON, || {
        let found = answers(node);
        (found.len() >= count).then_some(found)
    })
}

/// Entries of a node's audit log of this kind and outcome.
fn entries(node: &Node, kind: &str, outcome: &str) -> usize {
    let entries = node.get("/audit/entries?limit=1000");
    let is = |entry: &&Value| entry["entry"]["kind"] == kind && entry["entry"]["outcome"] == outcome;
    entries.as_array().unwrap().iter().filter(is).count()
}

pub(crate) fn until_logged(node: &Node, text: &str) {
    until(&format!("{text} in {}", node.dir().display()), SOON, || node.log().contains(text).then_some(()));
}

/// `e` leaves a hello that does not open where `c` meets it. The second holder is down, `c` is killed; in the end both
/// holders know that it was `e`, and nobody else does.
#[test]
fn a_member_that_leaves_a_tag_with_a_hello_that_does_not_open_is_named_to_both_holders_alone() {
    let place = Place::new();
    let (mut founded, nodes) = network(&place, &[]);
    let [a, b, c, d, _, f] = &nodes;
    add(c, "case", &[&person(0)]);
    until("it is left", SOON, || (c.metric("kring_submissions") == Some(1)).then_some(()));
    until_quiet(&[c.clone(), f.clone()]);
    let known = stop(&mut founded, "c");
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    founded.kill("b");
    hostile.send("d", vec![hostile.closed()]);
    until_logged(c, "a meeting without a valid partner");
    let failed = || c.metric("kring_network_requests_failed_total");
    let before = failed();
    until("the holder is asked in vain", SOON, || (failed() > before).then_some(()));
    founded.kill("c");
    founded.start(&["c", "b"]);
    for node in [a, b] {
        let found = until_answers(node, 1);
        assert_eq!(found.len(), 1);
        let row = &found[0];
        assert_eq!(
            (&row["sender"], &row["how"], &row["why"]["by"], &row["relay"]),
            (&json!("e"), &json!("signed"), &json!("c"), &json!("d"))
        );
        assert_eq!(entries(node, "trace", "done"), 1);
    }
    until("the complaint is handled", SOON, || (entries(c, "complaint", "done") == 1).then_some(()));
    for node in [c, d, f] {
        assert!(answers(node).is_empty() && !node.dir().join("data/trace").exists());
        assert!(evidence(node).is_empty());
    }
    assert!(c.notices().is_empty(), "a hello that does not open is no notice");
    // The text for people, at a holder.
    let (code, stdout, _) = run(&["audit", "trace", "--dir", &a.dir().to_string_lossy()]);
    assert_eq!(code, 0);
    assert!(stdout.contains("e left submission") && stdout.contains("c met it"), "{stdout}");
    let file = found_file(a);
    let mut bytes = std::fs::read(&file).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (code, stdout, _) = run(&["audit", "trace", "--dir", &a.dir().to_string_lossy()]);
    assert_eq!((code, stdout.starts_with("no answer of both")), (1, true), "{stdout}");
}

fn found_file(node: &Node) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(node.dir().join("data/trace")).unwrap();
    files.next().unwrap().unwrap().path()
}

/// The relay says that the bad submission came from `a`; both holders find that `a` never signed it.
#[test]
fn a_relay_that_makes_a_false_ticket_is_named_by_evidence() {
    let place = Place::new();
    let (mut founded, nodes) = network(&place, &[("d", "FalseTickets")]);
    let [a, b, c, d, _, f] = &nodes;
    add(c, "case", &[&person(0)]);
    until_quiet(&[c.clone(), f.clone()]);
    until("it is left", SOON, || (c.metric("kring_submissions") == Some(1)).then_some(()));
    let known = stop(&mut founded, "c");
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    hostile.send("d", vec![hostile.closed()]);
    for node in [a, b] {
        let found = until_answers(node, 1);
        assert_eq!((&found[0]["sender"], &found[0]["how"]), (&json!("d"), &json!("false-ticket")));
        let proven = until("evidence is kept", SOON, || evidence(node).pop());
        let verdict = proven.check(Member::of(node).covenant()).unwrap();
        assert_eq!((verdict.kind, verdict.members[0].as_str()), ("ticket", "d"));
    }
    assert!(d.log().contains(DID));
    assert!(evidence(c).is_empty() && answers(c).is_empty());
}

/// `e` leaves fifteen of one tag; the seventeenth is `d`'s own and waits. After the ruling only `c` and `d` are left, and
/// they meet.
#[test]
fn the_author_of_a_crowd_is_named_and_the_honest_ones_are_introduced() {
    let place = Place::new();
    let (mut founded, nodes) = network(&place, &[]);
    let [a, b, c, d, _, f] = &nodes;
    let person = person(0);
    add(c, "case", &[&person]);
    until_quiet(&[c.clone(), f.clone()]);
    let known = stop(&mut founded, "c");
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    hostile.send("b", (0..15).map(|_| hostile.leave()).collect());
    assert_eq!(matches(c, "case", 1).len(), 1, "with e, whose hellos are good");
    assert!(answers(a).is_empty(), "sixteen are no crowd");
    add(d, "case", &[&person]);
    for node in [a, b] {
        let found = until_answers(node, 15);
        assert_eq!(found.len(), 15);
        for row in &found {
            assert_eq!((&row["sender"], &row["why"]["submissions"]), (&json!("e"), &json!(17)), "{row}");
        }
    }
    let met = matches(d, "case", 1);
    until("c has met d alone", SOON, || (matches(c, "case", 1) == met).then_some(()));
    assert_eq!(c.notice("case").unwrap()["matches"][0]["partner"], "d");
    assert_eq!(d.notice("case").unwrap()["matches"][0]["partner"], "c");
    assert_eq!(f.metric("kring_meeting_submissions"), Some(2));
    for node in [c, d, f] {
        assert!(answers(node).is_empty());
    }
}

/// `d` complains about what `c` left in order. Nobody is opened, and the answer says that it is in order; a restart of
/// the holder does not change it.
#[test]
fn a_complaint_about_a_hello_in_order_is_refused_and_opens_nothing() {
    let place = Place::new();
    let (mut founded, nodes) = network(&place, &[]);
    let [a, b, c, d, _, _] = &nodes;
    let person = person(0);
    for node in [c, d] {
        add(node, "case", &[&person]);
    }
    assert_eq!(matches(c, "case", 1), matches(d, "case", 1));
    let (key, left) = stop(&mut founded, "d");
    let member = Member::of(d);
    let config = d.config();
    let master = MasterKey::load(&config.master_key_file).unwrap();
    let identity = Identity::load(&config.data_dir.join("identity.sealed"), &master).unwrap();
    let complaint = Runtime::new().unwrap().block_on(complaint(&member, &identity, &key, &left));
    for restart in [false, true] {
        if restart {
            founded.stop("b");
            founded.start(&["b"]);
        }
        let answer = Runtime::new().unwrap().block_on(async {
            let network = member.connect().await;
            let request = trace::Request::Complain(Box::new(complaint.clone()));
            let answer: trace::Response = ask(&network, "b", Family::Trace, &request).await;
            network.shutdown().await;
            answer
        });
        assert_eq!(answer, trace::Response::Refused(Refusal::Unfounded));
    }
    assert_eq!(entries(b, "complaint", "refused"), 1, "judged once");
    assert!(answers(a).is_empty() && answers(b).is_empty());
    assert_eq!(entries(a, "trace", "done") + entries(b, "trace", "done"), 0);
}

/// A complaint of `d` about the first that it met.
async fn complaint(member: &Member, identity: &Identity, key: &LeaveKey, left: &Left) -> SignedComplaint {
    let network = member.connect().await;
    let matcher = key.matcher.clone();
    let read = Read::Read { matcher: matcher.clone(), from: 0, wait_ms: 0 };
    let Shown::Entries(page) = ask(&network, "f", Family::Board, &read).await else { panic!() };
    network.shutdown().await;
    let (entries, _) = page.entries.as_ref().as_chunks::<656>();
    let address = post_address(&left.own.inbox, 0);
    let entry = entries.iter().map(Entry::from_bytes).find(|entry| entry.address == address).unwrap();
    let covenant = member.covenant();
    let destination = Destination { network: covenant.network(), matcher: matcher.clone() };
    let matcher_key = covenant.member(&matcher).unwrap().signing_key;
    let mailbox = left.own.mailbox();
    let post = open_signed_post(&entry.body, &mailbox, &destination, &matcher_key).unwrap();
    let SignedPost { post: Post::Met(met), signature: posted } = post else { panic!() };
    let (epoch, purpose) = (key.epoch, left.purpose.clone());
    let scope = Scope { network: covenant.network(), epoch, purpose, matcher: matcher.clone() };
    let (subject_key, day) = (left.subject_key(), Clock.now().day());
    let grounds =
        Grounds { scope: &scope, key: &subject_key, mailbox: mailbox.public(), met: *met, posted, day };
    let withdraw = identity.withdraw_root().key(&matcher, left.own.number);
    let complainant =
        Complainant { member: member.id(), signing: &member.signing_key(), withdraw: &withdraw };
    SignedComplaint::new(grounds, complainant, covenant, &mut OsRng)
}

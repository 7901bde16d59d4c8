//! What a role cannot do (`docs/threat-model.md`, "Roles, and what each can do"): a node with changed software tries exactly
//! that among real nodes, and fails or is named.
//!
//! Each attempt has its control: where the guard is taken away, the same attempt succeeds. Attempts of relays to deny, alter
//! or replay, and false boards, are in `hostile`; what a member may not ask is in `rules`.

use std::collections::BTreeSet;

use kring_node::caseload;
use kring_node::clock::Clock;
use kring_node::leaves::{LeaveKey, Left};
use kring_node::network::{Family, Way};
use kring_node::store::Table;
use kring_node::vault::KeyName;
use kring_protocol::codec::{self, Bytes};
use kring_protocol::evaluation::{Evaluate, HeaderHash, Request};
use kring_protocol::id::Tag;
use kring_protocol::meeting::Live;
use kring_protocol::oprf::blind;
use kring_protocol::recipe::{RecipeList, match_keys};
use kring_tests::caseload::{Cases, Person};
use kring_tests::changed::{CHANGE, DID, recorded};
use kring_tests::demo::until_ready;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::{CryptoRng, RngCore};

use crate::hostile::{MEMBERS, found, relay};
use crate::signals::{SOON, add, matches, until_quiet};
use crate::trace::{self, Hostile};
use crate::wire::{Kept, Records, received, record, recording};

/// What a stopped member has left, or meant to leave.
pub(crate) fn left(node: &Node) -> Vec<Left> {
    let name = |key: &[u8]| {
        let LeaveKey { matcher, epoch, .. } = LeaveKey::from_bytes(key).unwrap();
        KeyName::Left { matcher, epoch }
    };
    Records::open(node).all(Table::Left, name)
}

#[test]
fn a_partner_cannot_test_a_person_without_leaving_a_tag() {
    let place = Place::new();
    let mut founded = found(place.path(), &["f"]);
    founded.start_changed("a", &[(CHANGE, "LeavesNothing")]);
    founded.start(&MEMBERS[1..]);
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    let [a, b, c, .., f] = &nodes;
    let (known, unknown) = (Person::invented(0), Person::invented(1));
    add(b, "known", &[&known]);
    add(a, "looks", &[&known]);
    add(a, "looks again", &[&unknown]);
    until("a has its subject keys, and nothing is left", SOON, || {
        let waiting = a.get("/network")["waiting"].clone();
        let submissions = waiting["submissions"].as_array().unwrap();
        let wait = submissions.iter().any(|one| one["count"] != 0);
        (waiting["evaluations"] == 0 && wait).then_some(())
    });
    // What could come to it has come by the time that others have met, and it has read the board.
    let other = Person::invented(2);
    add(b, "other", &[&other]);
    add(c, "other", &[&other]);
    assert_eq!(matches(b, "other", 1), matches(c, "other", 1));
    until("a has read the board", SOON, || {
        let boards = a.get("/network")["waiting"]["boards"].clone();
        let read = |board: &serde_json::Value| board["size"] != 0 && board["size"] == board["read"];
        boards.as_array().unwrap().iter().all(read).then_some(())
    });
    assert!(a.log().contains(DID), "it left something after all");
    assert!(a.notices().is_empty() && b.notice("known").is_none(), "nobody learns anything");

    // The guard is that only the matcher holds tags. A matcher that hands them over tells who is known.
    founded.stop("a");
    founded.stop("f");
    let mine: BTreeSet<Tag> = left(a).iter().map(|left| left.subject_key().tag()).collect();
    let live: Vec<Live> = Records::open(f).all(Table::Live, |_| KeyName::Meeting);
    let theirs: BTreeSet<Tag> = live.iter().map(|live| live.tag).collect();
    let equal = mine.intersection(&theirs).count();
    assert!(equal > 0 && equal < mine.len(), "{equal} of {}: one is known, the other is not", mine.len());

    // With honest software it leaves its tags, and both learn it.
    founded.start(&["a", "f"]);
    assert_eq!(matches(a, "looks", 1), matches(b, "known", 1));
    assert!(a.notice("looks again").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holder_cannot_see_what_is_asked() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["f"]);
    let person = Person::invented(0);
    add(&nodes[0], "case", &[&person]);
    until_quiet(&nodes);
    // A holder that suspects this very family, and looks for it in all that it and the others are asked.
    founded.stop("e");
    let e = Member::of(&nodes[4]);
    let guessed = unblinded(&e, &person);
    let asked = || -> BTreeSet<Vec<u8>> {
        let requests = received(&place, Family::Evaluate, Way::RequestIn);
        let elements = |request: &Vec<u8>| match codec::decode(request) {
            Ok(Request::Evaluate(Evaluate { elements, .. })) => elements.0,
            _ => Vec::new(),
        };
        requests
            .iter()
            .map(elements)
            .flat_map(|all| all.chunks(32).map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect()
    };
    assert!(asked().len() >= guessed.len() && asked().is_disjoint(&guessed));

    // The guard is blinding. What a member asks without it is recognised at once.
    let elements = Bytes(guessed.iter().flatten().copied().collect());
    let epoch = e.covenant().epochs_on(Clock.now().day())[0];
    let question = Evaluate { epoch, header: HeaderHash::NONE, acknowledgements: Vec::new(), elements };
    let network = e.connect().await;
    let question = codec::encode(&Request::Evaluate(question));
    network.request(&"b".parse().unwrap(), Family::Evaluate, question).await.unwrap();
    network.shutdown().await;
    assert!(guessed.is_subset(&asked()));
}

/// The elements that stand for a person's match keys, as they are before they are blinded.
fn unblinded(member: &Member, person: &Person) -> BTreeSet<Vec<u8>> {
    let elements = blind(&inputs(member, person), &mut One).unwrap().1.to_bytes();
    elements.chunks(32).map(<[u8]>::to_vec).collect()
}

/// What is evaluated of a person.
pub(crate) fn inputs(member: &Member, person: &Person) -> Vec<Vec<u8>> {
    let recipes = RecipeList::from_terms(&member.covenant().purposes[0].recipes).unwrap();
    let file = Cases::new().case("case", &[person]).text();
    let read = caseload::read(file.as_bytes(), Clock.now().day(), &recipes).unwrap();
    let keys = match_keys(&read.cases[0].persons[0], &recipes);
    let (network, pepper) = (member.covenant().network(), &member.covenant().annex().unwrap().pepper);
    keys.iter().map(|key| key.oprf_input(&network, pepper)).collect()
}

/// "Randomness" of which every scalar is one.
pub(crate) struct One;

impl RngCore for One {
    fn next_u32(&mut self) -> u32 {
        1
    }

    fn next_u64(&mut self) -> u64 {
        1
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for One {}

#[test]
fn fewer_than_t_key_holders_cannot_evaluate() {
    let place = Place::new();
    let mut founded = found(place.path(), &["f"]);
    founded.start(&MEMBERS);
    let nodes = MEMBERS.map(|member| founded.node(member));
    let [a, b, ..] = &nodes;
    let (first, second) = (Person::invented(0), Person::invented(1));
    for node in [a, b] {
        add(node, "before", &[&first]);
    }
    assert_eq!(matches(a, "before", 1), matches(b, "before", 1));
    let before = [a, b].map(|node| (asked(node), node.metric("kring_submissions")));
    // Of the five holders of the matcher's key, `t` is three: `a` and `b` are left.
    for member in ["c", "d", "e"] {
        founded.stop(member);
    }
    for node in [a, b] {
        add(node, "case", &[&second]);
    }
    for (node, (times, submissions)) in [a, b].into_iter().zip(before) {
        until("it asks", SOON, || (asked(node) > times).then_some(()));
        // And tries those who are away again and again.
        let failed = || node.metric("kring_network_dials_failed_total").unwrap();
        let since = failed();
        until("others are tried in vain", SOON, || (failed() > since + 5).then_some(()));
        assert_eq!(
            node.metric("kring_submissions"),
            submissions,
            "no new subject key to leave anything with"
        );
    }
    // One more, and there are enough. (To leave something each may need a relay that is away yet.)
    founded.start(&["c"]);
    for (node, (_, submissions)) in [a, b].into_iter().zip(before) {
        until("there are subject keys", SOON, || {
            (node.metric("kring_submissions") > submissions).then_some(())
        });
    }
    founded.start(&["d", "e"]);
    assert_eq!(matches(a, "case", 1), matches(b, "case", 1));
}

/// How often a node has asked for evaluations.
fn asked(node: &Node) -> usize {
    let entries = node.get("/audit/entries?limit=1000");
    let asked = |entry: &&serde_json::Value| entry["entry"]["kind"] == "evaluation-asked";
    entries.as_array().unwrap().iter().filter(asked).count()
}

#[test]
fn a_relay_cannot_read_what_it_passes_on() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["f"]);
    let [a, .., f] = &nodes;
    add(a, "case", &[&Person::invented(0)]);
    let relay = relay(&nodes).dir().file_name().unwrap().to_str().unwrap().to_owned();
    until_quiet(&nodes);
    founded.stop("a");
    founded.stop("f");
    let secrets: Vec<Vec<u8>> = left(a)
        .iter()
        .flat_map(|left| {
            let (tag, mailbox) = (left.subject_key().tag(), left.own.mailbox().public());
            [tag.as_bytes().to_vec(), mailbox.as_bytes().to_vec(), left.own.inbox.as_bytes().to_vec()]
        })
        .collect();
    assert!(!secrets.is_empty());
    let read = |bytes: &[u8]| {
        let stands =
            |secret: &&Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_slice());
        secrets.iter().filter(stands).count()
    };
    let passed_on: Vec<u8> = [Way::RequestIn, Way::AnswerIn, Way::RequestOut]
        .into_iter()
        .flat_map(|way| recorded(&record(&place, &relay), Family::Forward, way))
        .flatten()
        .collect();
    assert!(passed_on.len() > 1_000 * left(a).len() / 2, "it did pass them on");
    assert_eq!(read(&passed_on), 0);

    // The guard is the seal to the matcher. What stands under it is found by the same search.
    let opened = Records::open(f).decrypted::<Kept>((KeyName::Meeting, Table::Kept));
    assert_eq!(read(&opened), secrets.len());
}

/// It knows which tag is left, and nothing from which a hello can be made. A member does it for it: that is the same.
#[test]
fn a_matcher_cannot_invent_a_meeting() {
    let place = Place::new();
    let (mut founded, nodes) = trace::network(&place, &[]);
    let [_, _, c, .., f] = &nodes;
    add(c, "case", &[&trace::person(0)]);
    until("it is left", SOON, || (f.metric("kring_meeting_submissions") == Some(1)).then_some(()));
    let known = trace::stop(&mut founded, "c");
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    hostile.send("d", vec![hostile.closed()]);
    trace::until_logged(c, "a meeting without a valid partner");
    assert!(c.notices().is_empty());
    // The guard is the subject key. Who has it can make a meeting.
    let e = Member::of(&nodes[4]);
    hostile.send("d", vec![hostile.leave_as(e.id(), &e.signing_key())]);
    assert_eq!(matches(c, "case", 1).len(), 1);
}

#[test]
fn a_met_partner_cannot_speak_for_another() {
    let place = Place::new();
    let (mut founded, nodes) = trace::network(&place, &[]);
    let [a, b, c, d, e, f] = &nodes;
    add(c, "case", &[&trace::person(0)]);
    until("it is left", SOON, || (f.metric("kring_meeting_submissions") == Some(1)).then_some(()));
    let known = trace::stop(&mut founded, "c");
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    let (d, e) = (Member::of(d), Member::of(e));
    // `e` knows the family, and says that it is `d`.
    hostile.send("b", vec![hostile.leave_as(d.id(), &e.signing_key())]);
    trace::until_logged(c, "a meeting without a valid partner");
    assert!(c.notices().is_empty());
    for holder in [a, b] {
        assert_eq!(trace::until_answers(holder, 1)[0]["sender"], "e", "its ticket opens to its own name");
    }
    // The guard is the signature. Whoever has another's key can speak for it.
    hostile.send("b", vec![hostile.leave_as(d.id(), &d.signing_key())]);
    assert_eq!(matches(c, "case", 1).len(), 1);
    assert_eq!(c.notice("case").unwrap()["matches"][0]["partner"], "d");
}

//! The bytes of every message and stored record that can be made from outside the crate, by fixed seeds. One text
//! file per subject, a name and hex per line, compared whole: a change of the wire shows in the diff.
//!
//! Not here: what other spellings are refused (`wire.rs`); evaluation, ceremony and recipes, which have theirs beside
//! the code.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Debug;

use kring_protocol::board::replication::{self, board_name, page, page_after_dropped, sign_head};
use kring_protocol::board::{Body, Entry, Met, Post, Replaced, open_post, post_address, seal_post};
use kring_protocol::codec::{Wire, decode, encode};
use kring_protocol::conversation::{Message, MessageId, MistakenReason, Says};
use kring_protocol::covenant::{
    Annex, Budget, Coordination, Covenant, Disclosure, EpochTerms, Kind, MemberCard, MemberSignature,
    Purpose, SignedCard, SignedCovenant, Tempo,
};
use kring_protocol::id::{Address, Epoch, MemberId, NetworkId, Reference};
use kring_protocol::log::merkle::{Tree, leaf_hash};
use kring_protocol::matching::outbox::{Delivery, Pair, Said, Spent};
use kring_protocol::matching::{Match, MeetingPoint, match_id};
use kring_protocol::meeting::{Announcement, Live};
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use kring_protocol::relay::{
    self, Forward, Outcome, Refusal, Relay, Relayed, TicketMaker, TraceKeys, forward,
};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::subject_key::{Scope, SubjectKey};
use kring_protocol::submission::hello::Envelope;
use kring_protocol::submission::{
    self, Content, Destination, Hello, Inbox, Leave, PostRequest, SealedSubmission, Submission, WeeklyKey,
};
use kring_protocol::time::Day;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A part of messages, encoded as if it were one.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Part<T>(T);

impl<T: Serialize + DeserializeOwned> Wire for Part<T> {
    const MAX_LEN: usize = 4_096;
}

fn part<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) -> String {
    let part = Part(value);
    let bytes = encode(&part);
    assert_eq!(decode::<Part<T>>(&bytes).unwrap().0, part.0);
    hex::encode(&bytes[1..])
}

fn whole<T: Wire + PartialEq + Debug>(value: &T) -> String {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    hex::encode(bytes)
}

fn compare(found: &[(&str, String)], golden: &str) {
    let found: String = found.iter().map(|(name, bytes)| format!("{name}: {bytes}\n")).collect();
    assert_eq!(found, golden, "\n{found}");
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new([seed; 32]))
}

fn exchange(seed: u8) -> ExchangeSecret {
    ExchangeSecret::from_bytes(Secret::new([seed; 32]))
}

fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

/// The day of every message here, and the last day of every submission.
const TODAY: Day = Day::from_days(20_000);
const EXPIRY: Day = Day::from_days(20_088);

// Seeds: members 16 to 31 (signing), 32 to 47 (transport), 48 to 63 (trace), matcher 4, weekly key 8, withdraw root 9.

fn card(index: u8, kind: Kind, addresses: &[&str]) -> SignedCard {
    let key = signing(16 + index);
    let card = MemberCard {
        id: id(&format!("p{index}")),
        name: format!("Partner \u{eb} {index}"),
        kind,
        oin: "00000001234567890000".parse().unwrap(),
        controller: format!("c{index}").parse().unwrap(),
        operator: format!("o{index}").parse().unwrap(),
        persons: 300 + u32::from(index),
        addresses: addresses.iter().map(ToString::to_string).collect(),
        signing_key: key.verifying_key(),
        transport_key: signing(32 + index).verifying_key(),
        trace_key: exchange(48 + index).public(),
    };
    card.sign(&key)
}

fn first_card() -> SignedCard {
    card(0, Kind::VeiligThuis, &["/ip4/192.0.2.1/tcp/7000", "/dns/kring.example/udp/7000/quic-v1"])
}

fn annex() -> Annex {
    Annex { pepper: Secret::new([7; 32]) }
}

fn purpose(name: &str, recipes: &[&str], disclosure: Disclosure) -> Purpose {
    Purpose {
        id: name.parse().unwrap(),
        title: format!("Purpose {name}"),
        legal_ground: "Wmo 2015, artikel 5.1.1".into(),
        members: vec![id("p0"), id("p1")],
        bsn_members: vec![id("p0")],
        recipes: recipes.iter().map(ToString::to_string).collect(),
        disclosure,
        signal_months: 12,
        coordination: None,
    }
}

/// The smallest that keeps every rule: three members who hold the keys, one of them the matcher.
fn covenant() -> Covenant {
    let ids = ["p0", "p1", "p2"].map(id);
    Covenant {
        title: "Kring".into(),
        version: 1,
        previous: None,
        annex: annex().hash(),
        key_holders: ids.to_vec(),
        matchers: vec![id("p2")],
        trace_keys: [id("p0"), id("p1")],
        epochs: EpochTerms::starting(TODAY),
        tempo: Tempo::Production,
        purposes: vec![
            purpose("jeugd", &["default"], Disclosure::NameAtOnce),
            purpose("zorg", &["bsn", "names-birth"], Disclosure::NameWhenBothAgree),
        ],
        budgets: ids.map(|id| Budget::for_caseload(id, 300, 1)).to_vec(),
        members: vec![first_card(), card(1, Kind::School, &[]), card(2, Kind::Other, &["/ip6/::1/tcp/1"])],
    }
}

#[test]
fn covenants() {
    let covenant = covenant();
    let sign = |index: u8| MemberSignature::new(id(&format!("p{index}")), &signing(16 + index), &covenant);
    let signed = SignedCovenant::assemble(&covenant, Some(&annex()), [2, 0, 1].map(sign).to_vec());
    let verified = signed.verify().unwrap();
    assert_eq!(verified.network().as_bytes(), covenant.hash().as_bytes());
    let for_others = SignedCovenant { pepper: None, ..signed.clone() };
    assert!(for_others.verify().is_ok());
    let second = Covenant {
        version: 2,
        previous: Some(covenant.hash()),
        tempo: Tempo::Immediate,
        members: vec![],
        ..covenant.clone()
    };
    let terms = Coordination {
        respond_days: 1,
        functions: ["doctor".parse().unwrap(), "nurse".parse().unwrap()].into(),
        ..Coordination::default()
    };
    let coordinated = Purpose { coordination: Some(terms), ..covenant.purposes[0].clone() };
    let found = [
        ("member card", part(first_card())),
        ("kinds", part(Kind::ALL.to_vec())),
        ("purpose with terms of coordination", part(coordinated)),
        ("annex hash", covenant.annex.to_string()),
        ("covenant", whole(&covenant)),
        ("covenant hash", covenant.hash().to_string()),
        ("covenant with a predecessor", whole(&second)),
        ("signed covenant", whole(&signed)),
        ("signed covenant for others", whole(&for_others)),
    ];
    compare(&found, include_str!("golden/covenant.txt"));
    for kind in Kind::ALL {
        assert!(part(kind).ends_with(&hex::encode(kind.as_str())), "{kind:?}");
    }
}

#[test]
fn a_member_card_as_text() {
    let golden = include_str!("golden/member.toml");
    assert_eq!(toml::to_string(&first_card()).unwrap(), golden);
    let read: SignedCard = toml::from_str(golden).unwrap();
    assert_eq!(read, first_card());
    assert!(read.verify().is_ok());
}

fn destination() -> Destination {
    Destination { network: NetworkId::from_bytes([1; 32]), matcher: id("matcher") }
}

fn scope() -> Scope {
    let Destination { network, matcher } = destination();
    Scope { network, epoch: Epoch(1), purpose: "jeugd".parse().unwrap(), matcher }
}

/// Of the worked example at the end of `docs/protocol.md`.
fn subject_key() -> SubjectKey {
    SubjectKey::derive(&Secret::new([7; 64]), &scope())
}

fn root() -> WithdrawRoot {
    WithdrawRoot(Secret::new([9; 32]))
}

fn own(counter: u64) -> OwnSubmission {
    let references = [3, 2].map(|byte| Reference::from_bytes([byte; 16])).to_vec();
    let number = WithdrawNumber { generation: 1, counter };
    OwnSubmission::draw(references, 2, EXPIRY, number, &mut rng(u8::try_from(counter).unwrap()))
}

fn leave(replaced: Option<&OwnSubmission>) -> Leave {
    let (member, key, root) = (id("p0"), signing(16), root());
    let leaver = Leaver { name: Some((&member, &key)), root: &root };
    own(1).leave(&subject_key(), &scope(), leaver, replaced)
}

fn sealed(content: Content, seed: u8) -> SealedSubmission {
    let submission = Submission { day: TODAY, content };
    submission::seal(&submission, &destination(), &exchange(8).public(), &mut rng(seed))
}

#[test]
fn submissions() {
    let leave = leave(None);
    let replacing = self::leave(Some(&own(2)));
    let scope = scope();
    let envelope = Envelope {
        scope: &scope,
        mailbox: &leave.mailbox,
        withdraw_key: &leave.withdraw_key,
        expiry: leave.expiry,
    };
    let nameless = Hello::new(own(1).references, &subject_key(), envelope, None);
    let post = PostRequest { address: Address::from_bytes([5; 16]), body: Body::from_bytes([6; 640]) };
    let contents = [
        ("dummy", Content::Dummy(Inbox::from_bytes([3; 16]))),
        ("leave", Content::Leave(Box::new(leave.clone()))),
        ("leave that replaces", Content::Leave(Box::new(replacing))),
        ("post", Content::Post(Box::new(post))),
        ("withdraw", Content::Withdraw(own(1).withdraw(&destination(), &root()))),
    ];
    let mut found = vec![
        ("subject key".to_owned(), hex::encode(subject_key().secret().expose())),
        ("tag".to_owned(), subject_key().tag().to_string()),
        ("hello".to_owned(), leave.hello.to_string()),
        ("hello without a name".to_owned(), nameless.seal(&subject_key(), envelope).to_string()),
    ];
    for (seed, (name, content)) in (1..).zip(contents) {
        let submission = Submission { day: TODAY, content: content.clone() };
        let (plaintext, sealed) = (submission.to_plaintext(), sealed(content, seed));
        let encoded = encode(&submission);
        let length = u16::try_from(encoded.len()).unwrap().to_be_bytes();
        assert!(plaintext.starts_with(&[length.as_slice(), &encoded].concat()));
        assert_eq!(
            submission::open(&sealed.sealed, &destination(), &exchange(8)).unwrap().plaintext,
            plaintext
        );
        found.push((name.to_owned(), whole(&submission)));
        found.push((format!("{name}, sealed"), hex::encode(&sealed.sealed)));
    }
    let found: Vec<_> = found.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    compare(&found, include_str!("golden/submission.txt"));
}

/// A submission on its way: as its sender hands it over, as the relay passes it on, and its two trace keys.
fn on_its_way(sealed: &SealedSubmission) -> (Forward, Relayed, TraceKeys) {
    let (sender, relay, destination) = (id("p0"), id("p1"), destination());
    let forward = forward(sealed, &destination, &relay, TODAY, &signing(16));
    let traces =
        TraceKeys { holders: [(id("p0"), exchange(48).public()), (id("p1"), exchange(49).public())] };
    let tickets = TicketMaker::new(&destination.network, &traces, &mut rng(10));
    let relay = Relay { destination: &destination, me: &relay, key: &signing(17), day: TODAY };
    let relayed = relay
        .pass_on(forward.clone(), &sender, &signing(16).verifying_key(), &tickets, &mut rng(11))
        .unwrap();
    (forward, relayed, traces)
}

const REFUSALS: [(&str, Refusal); 9] = [
    ("response refused malformed", Refusal::Malformed),
    ("response refused path", Refusal::Path),
    ("response refused signature", Refusal::Signature),
    ("response refused day", Refusal::Day),
    ("response refused unopenable", Refusal::Unopenable),
    ("response refused mailbox", Refusal::Mailbox),
    ("response refused quota", Refusal::Quota),
    ("response refused unserved", Refusal::Unserved),
    ("response refused unreachable", Refusal::Unreachable),
];

#[test]
fn forwarding() {
    let sealed = sealed(Content::Dummy(Inbox::from_bytes([3; 16])), 1);
    let (forward, relayed, traces) = on_its_way(&sealed);
    let destination = destination();
    let half = relayed.ticket.open_outer(&destination.network, &traces.holders[1].0, &exchange(49)).unwrap();
    let trace = half.open_inner(&destination.network, &traces.holders[0].0, &exchange(48)).unwrap();
    assert_eq!((trace.member, trace.signature), (id("p0"), forward.signature));

    let opened = submission::open(&sealed.sealed, &destination, &exchange(8)).unwrap();
    let sealed_receipt = opened.receipt(TODAY.plus(1), true, &destination, &signing(4));
    let verified = sealed.verify_receipt(&sealed_receipt, &destination, &signing(4).verifying_key()).unwrap();
    let weekly = WeeklyKey::sign(&destination, TODAY.week(), exchange(8).public(), &signing(4));
    assert!(weekly.verify(&destination, &signing(4).verifying_key()).is_ok());
    let outcomes = vec![Outcome::Receipt(sealed_receipt.clone()), Outcome::Refused(Refusal::Mailbox)];
    let (matcher, day) = (destination.matcher, TODAY);
    let mut found = vec![
        ("forward", part(forward.clone())),
        ("relayed", part(relayed.clone())),
        ("ticket", part(relayed.ticket.clone())),
        ("weekly key", part(weekly.clone())),
        ("receipt", whole(&verified)),
        ("receipt, sealed", part(sealed_receipt)),
        ("request forward", whole(&relay::Request::Forward { matcher, day, items: vec![forward] })),
        ("request relayed", whole(&relay::Request::Relayed { day, items: vec![relayed] })),
        ("request weekly key", whole(&relay::Request::WeeklyKey)),
        ("response outcomes", whole(&relay::Response::Outcomes(outcomes))),
        ("response weekly keys", whole(&relay::Response::WeeklyKeys(vec![weekly]))),
    ];
    found.extend(REFUSALS.map(|(name, why)| (name, whole(&relay::Response::Refused(why)))));
    compare(&found, include_str!("golden/relay.txt"));
}

fn met() -> Met {
    let Leave { mailbox, withdraw_key, expiry, hello, .. } = leave(None);
    Met { mailbox, withdraw_key, expiry, hello }
}

fn posts() -> [(&'static str, Post); 3] {
    let (own, new) = (own(1), exchange(12).public());
    let key = root().key(&destination().matcher, own.number);
    let replaces = destination().replaces(&key, own.mailbox().public(), &new);
    [
        ("met", Post::Met(Box::new(met()))),
        ("replaced", Post::Replaced(Replaced { replaces, new })),
        ("withdrawn", Post::Withdrawn(own.withdraw(&destination(), &root()))),
    ]
}

#[test]
fn boards() {
    let (to, inbox, matcher) = (exchange(13), Inbox::from_bytes([14; 16]), signing(4));
    let mut found = Vec::new();
    let (mut tree, mut entries) = (Tree::default(), Vec::new());
    for (n, (name, post)) in (0_u8..).zip(posts()) {
        let announcement = Announcement { to: to.public(), inbox, n: n.into(), post: post.clone() };
        let body = seal_post(post.clone(), &to.public(), &destination(), &matcher, &mut rng(20 + n));
        assert_eq!(open_post(&body, &to, &destination(), &matcher.verifying_key()).as_ref(), Ok(&post));
        let entry = Entry { address: post_address(&inbox, n.into()), body };
        tree.append(leaf_hash(&entry.to_bytes()));
        entries.extend(entry.to_bytes());
        found.push((format!("post {name}"), whole(&post)));
        found.push((format!("announcement {name}"), whole(&announcement)));
        found.push((format!("entry {name}"), hex::encode(entry.to_bytes())));
    }
    let name = board_name(&destination().network, &destination().matcher);
    let head = sign_head(&tree, &name, &matcher);
    let first = page(&tree, &head, 3, 0, &entries[..entries.len() / 3]).unwrap();
    let later = page_after_dropped(&tree, &head, 3, (0, 1), &entries[entries.len() / 3..]).unwrap();
    let read = replication::Request::Read { matcher: id("matcher"), from: 300, wait_ms: 30_000 };
    found.extend([
        ("request read".to_owned(), whole(&read)),
        ("response entries".to_owned(), whole(&replication::Response::Entries(Box::new(first)))),
        ("response dropped".to_owned(), whole(&replication::Response::Entries(Box::new(later)))),
        ("response nothing".to_owned(), whole(&replication::Response::Nothing)),
        ("response malformed".to_owned(), whole(&replication::Response::Malformed)),
    ]);
    let found: Vec<_> = found.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    compare(&found, include_str!("golden/board.txt"));
    assert_eq!(head.to_string(), include_str!("golden/board-head.note"));
}

/// A submission that has met nobody, and one that has met two others.
fn lives() -> [Live; 2] {
    let Leave { tag, withdraw_key, expiry, hello, inbox, .. } = leave(None);
    let fresh = Live {
        tag,
        withdraw_key,
        min: 16,
        expiry,
        hello,
        inbox,
        posts: 0,
        introduced: BTreeSet::new(),
        cleared: false,
    };
    let introduced = [12, 13].map(|seed| exchange(seed).public()).into();
    let known = Live { min: 2, posts: 24, introduced, ..fresh.clone() };
    [fresh, known]
}

#[test]
fn records() {
    let [fresh, known] = lives();
    let Leave { withdraw_key, expiry, .. } = leave(None);
    let point = MeetingPoint {
        matcher: id("matcher"),
        own: exchange(13).public(),
        other: exchange(12).public(),
        withdraw_key,
        expiry,
        recipe: "names-birth".parse().unwrap(),
    };
    let [low, high] = [2, 3].map(|byte| Reference::from_bytes([byte; 16]));
    let named = Match {
        id: match_id(high, low),
        own: high,
        other: low,
        partner: Some(id("p1")),
        since: TODAY,
        points: BTreeSet::from([point.clone()]),
        said: Vec::new(),
        heard: Vec::new(),
        heard_over: BTreeSet::new(),
        spent: Vec::new(),
        ended: BTreeSet::new(),
    };
    let message = |from, to, byte| Message {
        id: MessageId::from_bytes([byte; 16]),
        from,
        to,
        issued: TODAY,
        says: Says::Mistaken(MistakenReason::NoLongerInvolved),
    };
    let delivery = Delivery { pair: Pair::from(&point), n: 300, receipted: true };
    let said = Said { message: message(high, low, 14), only: None, deliveries: vec![delivery] };
    let pair = Pair::from(&point);
    let bound = Said { only: Some(pair.clone()), ..said.clone() };
    let spoken = Match {
        said: vec![bound],
        heard_over: BTreeSet::from([pair.clone()]),
        spent: vec![Spent { pair, next: 300 }],
        ended: BTreeSet::new(),
        ..named.clone()
    };
    let mistaken = Match { said: vec![said], heard: vec![message(low, high, 15)], ..named.clone() };
    let ended = Match { partner: None, points: BTreeSet::new(), ..named.clone() };
    let (last, matcher) = (WithdrawNumber { generation: u32::MAX, counter: u64::MAX }, id("matcher"));
    let withdraw_key = |number| hex::encode(root().key(&matcher, number).verifying_key().as_bytes());
    let found = [
        ("own submission", part(own(1))),
        ("withdraw key of it", withdraw_key(own(1).number)),
        ("withdraw key with the last number", withdraw_key(last)),
        ("live, fresh", whole(&fresh)),
        ("live, introduced", whole(&known)),
        ("match id", match_id(low, high).to_string()),
        ("match", whole(&named)),
        ("match that ended, without a name", whole(&ended)),
        ("match that both sides call mistaken", whole(&mistaken)),
        ("match over which both sides speak", whole(&spoken)),
    ];
    compare(&found, include_str!("golden/record.txt"));
}

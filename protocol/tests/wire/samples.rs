//! One sample or more of every message and stored record that this crate's outside can name: the golden files' own, and
//! some made here. Used by `wire.rs`, and by the fuzz target `message` (`tests/fuzz`), which starts from them.

#![allow(clippy::unwrap_used, reason = "tests")]

use kring_protocol::board::Post;
use kring_protocol::board::replication as board;
use kring_protocol::canary::Canary;
use kring_protocol::ceremony::message::{Commitment, Confirm, Share, Working};
use kring_protocol::ceremony::{self, Abort, Evidence, Fault, Finished, KeyId, Nonce, SessionId};
use kring_protocol::ceremony::{KeyRecord, Point, SignedKeyRecord};
use kring_protocol::codec::{Bytes, Wire, decode, encode};
use kring_protocol::conversation::{Message, MessageId, MistakenReason, Says};
use kring_protocol::coordination::Cooperation;
use kring_protocol::covenant::{Covenant, SignedCovenant};
use kring_protocol::evaluation::{self, Chain, Fraud, SignedAnswer, SignedHeader, Vouched};
use kring_protocol::evidence;
use kring_protocol::id::{CovenantHash, Epoch, MemberId, NetworkId, Reference};
use kring_protocol::log::entry::{self, Actor, Entry, Quarter, Record, Salt};
use kring_protocol::log::merkle::{Frontier, leaf_hash};
use kring_protocol::log::witness::message as witness;
use kring_protocol::matching::Match;
use kring_protocol::meeting::{Announcement, Live};
use kring_protocol::relay;
use kring_protocol::secret::Secret;
use kring_protocol::sign::Signature;
use kring_protocol::submission::{MatcherDay, Receipt, Submission};
use kring_protocol::time::{Day, Timestamp};
use kring_protocol::trace;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// An encoding and whether bytes read as its type; whatever does must encode back to those bytes.
pub(crate) struct Sample {
    /// The path of its type.
    pub(crate) kind: &'static str,
    /// Most bytes its type allows.
    pub(crate) limit: usize,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) reads: fn(&[u8]) -> bool,
}

pub(crate) fn reads<T: Wire>(bytes: &[u8]) -> bool {
    decode::<T>(bytes).is_ok_and(|value| {
        assert!(encode(&value) == bytes, "reads {} and writes something else", hex::encode(bytes));
        true
    })
}

fn sample<T: Wire>(name: &str, bytes: Vec<u8>) -> Sample {
    let kind = std::any::type_name::<T>();
    Sample { kind, limit: T::MAX_LEN, name: name.to_owned(), bytes, reads: reads::<T> }
}

fn made<T: Wire>(value: &T) -> Sample {
    sample::<T>(std::any::type_name::<T>(), encode(value))
}

/// The lines of a golden file that have these names.
pub(crate) fn golden<T: Wire>(file: &str, names: &[&str]) -> Vec<Sample> {
    let line = |name: &&str| {
        let hex = file.lines().find_map(|line| line.strip_prefix(*name)?.strip_prefix(": "));
        sample::<T>(name, hex::decode(hex.unwrap_or_else(|| panic!("no {name}"))).unwrap())
    };
    names.iter().map(line).collect()
}

pub(crate) fn samples() -> Vec<Sample> {
    [
        covenants(),
        evaluations(),
        exchanges(),
        boards_and_records(),
        ceremonies(),
        logs(),
        witnesses(),
        evidence(),
        traces(),
        canaries(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn covenants() -> Vec<Sample> {
    let file = include_str!("../golden/covenant.txt");
    let mut samples = golden::<Covenant>(file, &["covenant", "covenant with a predecessor"]);
    samples.extend(golden::<SignedCovenant>(file, &["signed covenant", "signed covenant for others"]));
    samples
}

fn evaluations() -> Vec<Sample> {
    let file = include_str!("../../src/evaluation/tests/golden.txt");
    let requests = ["announce", "evaluate", "ask head", "ask headers"];
    let responses = ["acknowledged", "answered", "no head", "head", "headers", "refused"];
    let mut samples = golden::<evaluation::Request>(file, &requests);
    samples.extend(golden::<evaluation::Response>(file, &responses));
    samples.extend(golden::<SignedHeader>(file, &["signed header"]));
    samples.extend(golden::<SignedAnswer>(file, &["stored answer"]));
    samples.extend(golden::<Chain>(file, &["chain"]));
    samples.extend(golden::<Vouched>(file, &["vouched"]));
    samples.extend(golden::<Fraud>(file, &["fraud"]));
    samples
}

fn exchanges() -> Vec<Sample> {
    let kinds = ["dummy", "leave", "leave that replaces", "post", "withdraw"];
    let mut samples = golden::<Submission>(include_str!("../golden/submission.txt"), &kinds);
    let file = include_str!("../golden/relay.txt");
    let requests = ["request forward", "request relayed", "request weekly key"];
    let responses = ["response outcomes", "response weekly keys", "response refused unserved"];
    samples.extend(golden::<Receipt>(file, &["receipt"]));
    samples.extend(golden::<relay::Request>(file, &requests));
    samples.extend(golden::<relay::Response>(file, &responses));
    samples
}

fn boards_and_records() -> Vec<Sample> {
    let file = include_str!("../golden/board.txt");
    let announcements = ["announcement met", "announcement replaced", "announcement withdrawn"];
    let responses = ["response entries", "response dropped", "response nothing", "response malformed"];
    let mut samples = golden::<Post>(file, &["post met", "post replaced", "post withdrawn"]);
    samples.extend(golden::<Announcement>(file, &announcements));
    samples.extend(golden::<board::Request>(file, &["request read"]));
    samples.extend(golden::<board::Response>(file, &responses));
    let file = include_str!("../golden/record.txt");
    samples.extend(golden::<Live>(file, &["live, fresh", "live, introduced"]));
    let matches = [
        "match",
        "match that ended, without a name",
        "match that both sides call mistaken",
        "match over which both sides speak",
    ];
    samples.extend(golden::<Match>(file, &matches));
    samples.push(made(&Message {
        id: MessageId::from_bytes([1; 16]),
        from: Reference::from_bytes([2; 16]),
        to: Reference::from_bytes([3; 16]),
        issued: Day::from_days(20_000),
        says: Says::Mistaken(MistakenReason::Duplicate),
    }));
    let file = include_str!("../../src/coordination/tests/golden.txt");
    samples.extend(golden::<Message>(file, &["card", "position", "position that says nothing"]));
    samples.extend(golden::<Cooperation>(file, &["cooperation", "cooperation with nobody"]));
    samples
}

fn canaries() -> Vec<Sample> {
    let (before, last) = (Frontier::new(), Day::from_days(20_100));
    let from = Timestamp::from_secs(1_700_000_000);
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let matcher = || id("matcher");
    vec![
        made(&Canary::draw(matcher(), Epoch(1), (before.clone(), last), from, &mut rng)),
        made(&Canary::draw_ending(matcher(), Epoch(1), (before, last), (from, from), &mut rng)),
        made(&MatcherDay::first(last)),
    ]
}

fn traces() -> Vec<Sample> {
    let file = include_str!("../../src/trace/tests/golden.txt");
    let requests = ["request complain", "request kept", "request open"];
    let responses =
        ["response handled", "response kept", "response answer", "response ruling", "response refused"];
    let mut samples = golden::<trace::SignedComplaint>(file, &["signed complaint"]);
    samples.extend(golden::<trace::Answer>(file, &["answer", "answer about a crowd"]));
    samples.extend(golden::<Post>(file, &["post removed"]));
    samples.extend(golden::<trace::Request>(file, &requests));
    samples.extend(golden::<trace::Response>(file, &responses));
    samples
}

fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

fn key_record() -> SignedKeyRecord {
    // The ristretto255 generator (RFC 9496 appendix A.1).
    let generator = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    let point = Point::from_bytes(hex::decode(generator).unwrap().try_into().unwrap()).unwrap();
    let record = KeyRecord {
        network: NetworkId::from_bytes([1; 32]),
        epoch: Epoch(1),
        purpose: "jeugd".parse().unwrap(),
        matcher: id("m"),
        t: 2,
        holders: vec![id("a"), id("b")],
        public: point,
        shares: vec![point; 2],
    };
    SignedKeyRecord { record, signatures: vec![Signature::from_bytes([2; 64]); 2] }
}

fn ceremonies() -> Vec<Sample> {
    use ceremony::{Request, Response};
    let (session, signature) = (SessionId::from_bytes([1; 32]), Signature::from_bytes([2; 64]));
    let key = KeyId { purpose: "jeugd".parse().unwrap(), matcher: id("m") };
    let commitment =
        Commitment { session, key: key.clone(), sender: id("a"), body: Bytes(vec![3; 128]), signature };
    let share =
        Share { session, key, sender: id("a"), receiver: id("b"), body: Secret::new([4; 32]), signature };
    let confirm =
        Confirm { session, member: id("a"), transcript: [5; 32], records: vec![signature], signature };
    let nonce = Nonce::from_bytes([6; 32]);
    let working = Working {
        nonce,
        signature,
        session: Some(session),
        commitments: vec![commitment.clone()],
        shares: vec![share.clone()],
        confirms: vec![confirm.clone()],
    };
    let entering =
        Working { session: None, commitments: vec![], shares: vec![], confirms: vec![], ..working.clone() };
    let finished =
        Finished { nonces: [(id("a"), nonce), (id("b"), nonce)].into(), confirms: vec![confirm.clone()] };
    let evidence = vec![Evidence::Commitment(commitment), Evidence::Share(share), Evidence::Confirm(confirm)];
    vec![
        made(&Request::Poll { covenant: CovenantHash::from_bytes([7; 32]), epoch: Epoch(300) }),
        made(&Request::Records { epoch: Epoch(1) }),
        made(&Response::Working(working)),
        made(&Response::Working(entering)),
        made(&Response::Finished(finished)),
        made(&Response::Aborted { culprit: id("b") }),
        made(&Response::Elsewhere),
        made(&Response::Records(vec![key_record()])),
        made(&key_record()),
        made(&Abort { culprit: id("b"), fault: Fault::TwoFaced, evidence }),
    ]
}

fn logs() -> Vec<Sample> {
    let mut frontier = Frontier::new();
    (0..7_u8).for_each(|leaf| frontier.append(leaf_hash(&[leaf])));
    let entry = Entry {
        time: Quarter::of(Timestamp::from_secs(1_800_000_000)),
        kind: entry::Kind::Disclosure,
        actor: Some(Actor::from_bytes([1; 16])),
        object: None,
        count: 300,
        outcome: entry::Outcome::Done,
    };
    vec![made(&frontier), made(&entry), made(&Record { salt: Salt::from_bytes([2; 16]), entry })]
}

fn witnesses() -> Vec<Sample> {
    let lines: Vec<_> = include_str!("../../src/log/witness/golden.txt")
        .lines()
        .map(|hex| hex::decode(hex).unwrap())
        .collect();
    let (requests, responses) = lines.split_at(5);
    let request = |bytes: &Vec<u8>| sample::<witness::Request>("witness request", bytes.clone());
    let response = |bytes: &Vec<u8>| sample::<witness::Response>("witness response", bytes.clone());
    let mut samples: Vec<_> = requests.iter().map(request).chain(responses.iter().map(response)).collect();
    let file = include_str!("../../src/evaluation/tests/golden.txt");
    let header: SignedHeader = decode(&golden::<SignedHeader>(file, &["signed header"])[0].bytes).unwrap();
    samples.push(made(&witness::Response::Chains(vec![header.clone(); 2])));
    let vouched: Vouched = decode(&golden::<Vouched>(file, &["vouched"])[0].bytes).unwrap();
    samples.push(made(&witness::Response::Vouched(Box::new(vouched))));
    samples.push(made(&witness::Response::Header(Box::new(header))));
    samples
}

fn evidence() -> Vec<Sample> {
    let file = include_str!("../../src/evidence/tests/golden.txt");
    let kinds = [
        "headers",
        "served-twice",
        "evaluation",
        "ceremony",
        "fork",
        "promise",
        "misposted",
        "invented",
        "ticket",
        "references",
        "withheld",
        "revived",
    ];
    let mut samples = golden::<evidence::Evidence>(file, &kinds);
    samples.extend(golden::<SignedCovenant>(file, &["covenant"]));
    let record: evidence::Evidence =
        decode(&golden::<evidence::Evidence>(file, &["invented"])[0].bytes).unwrap();
    let evidence::Violation::Invented(invented) = record.violation else { panic!("another kind") };
    samples.push(made(&invented.kept));
    samples
}

//! One spelling per value: every message and stored record reads back, and whatever else is read encodes back to the
//! very bytes that were read. The samples are the golden files' own.
//!
//! Not here: the golden bytes themselves (`golden.rs`), and records that only this crate makes.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::ops::Range;

use kring_protocol::board::Post;
use kring_protocol::board::replication as board;
use kring_protocol::ceremony::message::{Commitment, Confirm, Share, Working};
use kring_protocol::ceremony::{self, Abort, Evidence, Fault, Finished, KeyId, Nonce, SessionId};
use kring_protocol::ceremony::{KeyRecord, Point, SignedKeyRecord};
use kring_protocol::codec::{Bytes, Wire, decode, encode};
use kring_protocol::conversation::{Message, MessageId, MistakenReason, Says};
use kring_protocol::covenant::{Covenant, SignedCovenant};
use kring_protocol::evaluation::{self, Chain, Fraud, SignedAnswer, SignedHeader};
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
use kring_protocol::submission::{Receipt, Submission};
use kring_protocol::time::{Day, Timestamp};
use kring_protocol::trace;
use proptest::prelude::*;

/// An encoding and whether bytes read as its type; whatever does must encode back to those bytes.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    reads: fn(&[u8]) -> bool,
}

fn reads<T: Wire>(bytes: &[u8]) -> bool {
    decode::<T>(bytes).is_ok_and(|value| {
        assert!(encode(&value) == bytes, "reads {} and writes something else", hex::encode(bytes));
        true
    })
}

fn sample<T: Wire>(name: &str, bytes: Vec<u8>) -> Sample {
    Sample { name: name.to_owned(), bytes, reads: reads::<T> }
}

fn made<T: Wire>(value: &T) -> Sample {
    sample::<T>(std::any::type_name::<T>(), encode(value))
}

/// The lines of a golden file that have these names.
fn golden<T: Wire>(file: &str, names: &[&str]) -> Vec<Sample> {
    let line = |name: &&str| {
        let hex = file.lines().find_map(|line| line.strip_prefix(*name)?.strip_prefix(": "));
        sample::<T>(name, hex::decode(hex.unwrap_or_else(|| panic!("no {name}"))).unwrap())
    };
    names.iter().map(line).collect()
}

fn samples() -> Vec<Sample> {
    [
        covenants(),
        evaluations(),
        exchanges(),
        boards_and_records(),
        ceremonies(),
        logs(),
        evidence_and_witnesses(),
        traces(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn covenants() -> Vec<Sample> {
    let file = include_str!("golden/covenant.txt");
    let mut samples = golden::<Covenant>(file, &["covenant", "covenant with a predecessor"]);
    samples.extend(golden::<SignedCovenant>(file, &["signed covenant", "signed covenant for others"]));
    samples
}

fn evaluations() -> Vec<Sample> {
    let file = include_str!("../src/evaluation/tests/golden.txt");
    let requests = ["announce", "evaluate", "ask head", "ask headers"];
    let responses = ["acknowledged", "answered", "no head", "head", "headers", "refused"];
    let mut samples = golden::<evaluation::Request>(file, &requests);
    samples.extend(golden::<evaluation::Response>(file, &responses));
    samples.extend(golden::<SignedHeader>(file, &["signed header"]));
    samples.extend(golden::<SignedAnswer>(file, &["stored answer"]));
    samples.extend(golden::<Chain>(file, &["chain"]));
    samples.extend(golden::<Fraud>(file, &["fraud"]));
    samples
}

fn exchanges() -> Vec<Sample> {
    let kinds = ["dummy", "leave", "leave that replaces", "post", "withdraw"];
    let mut samples = golden::<Submission>(include_str!("golden/submission.txt"), &kinds);
    let file = include_str!("golden/relay.txt");
    let requests = ["request forward", "request relayed", "request weekly key"];
    let responses = ["response outcomes", "response weekly keys", "response refused unserved"];
    samples.extend(golden::<Receipt>(file, &["receipt"]));
    samples.extend(golden::<relay::Request>(file, &requests));
    samples.extend(golden::<relay::Response>(file, &responses));
    samples
}

fn boards_and_records() -> Vec<Sample> {
    let file = include_str!("golden/board.txt");
    let announcements = ["announcement met", "announcement replaced", "announcement withdrawn"];
    let responses = ["response entries", "response nothing", "response malformed"];
    let mut samples = golden::<Post>(file, &["post met", "post replaced", "post withdrawn"]);
    samples.extend(golden::<Announcement>(file, &announcements));
    samples.extend(golden::<board::Request>(file, &["request read"]));
    samples.extend(golden::<board::Response>(file, &responses));
    let file = include_str!("golden/record.txt");
    samples.extend(golden::<Live>(file, &["live, fresh", "live, introduced"]));
    let matches = ["match", "match that ended, without a name", "match that both sides call mistaken"];
    samples.extend(golden::<Match>(file, &matches));
    samples.push(made(&Message {
        id: MessageId::from_bytes([1; 16]),
        from: Reference::from_bytes([2; 16]),
        to: Reference::from_bytes([3; 16]),
        issued: Day::from_days(20_000),
        says: Says::Mistaken(MistakenReason::Duplicate),
    }));
    samples
}

fn traces() -> Vec<Sample> {
    let file = include_str!("../src/trace/tests/golden.txt");
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

fn evidence_and_witnesses() -> Vec<Sample> {
    let file = include_str!("../src/evidence/tests/golden.txt");
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
    ];
    let board = witness::Request::Board { matcher: id("m"), checkpoint: "text".to_owned() };
    let mut samples = golden::<evidence::Evidence>(file, &kinds);
    samples.push(made(&board));
    samples.push(made(&witness::Request::Chains { epoch: Epoch(1), after: Some(id("m")) }));
    samples.push(made(&witness::Response::Nothing));
    samples
}

/// One CBOR item in a sample: where it and its content begin and end, and where each item inside does.
struct Item {
    range: Range<usize>,
    head_end: usize,
    major: u8,
    argument: u64,
    inside: Vec<Range<usize>>,
}

/// Reads the item at `at` and puts it and all inside it into `items`; returns where it ends.
fn walk(bytes: &[u8], at: usize, items: &mut Vec<Item>) -> usize {
    let (major, short) = (bytes[at] >> 5, bytes[at] & 0x1f);
    let size = if short < 24 { 0 } else { 1 << (short - 24) };
    let head_end = at + 1 + size;
    let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let argument = if size == 0 { short.into() } else { big_endian(&bytes[at + 1..head_end]) };
    let (mut end, mut inside) = (head_end, Vec::new());
    match major {
        2 | 3 => end += usize::try_from(argument).unwrap(),
        4 | 5 => {
            for _ in 0..argument * u64::from(major - 3) {
                let start = end;
                end = walk(bytes, start, items);
                inside.push(start..end);
            }
        }
        _ => {}
    }
    items.push(Item { range: at..end, head_end, major, argument, inside });
    end
}

/// A head of `1 << size` argument bytes.
fn head(major: u8, argument: u64, size: u8) -> Vec<u8> {
    let mut head = vec![major << 5 | (24 + size)];
    head.extend_from_slice(&argument.to_be_bytes()[8 - (1 << size)..]);
    head
}

/// The shortest head.
fn short_head(major: u8, argument: u64) -> Vec<u8> {
    match argument {
        0..=23 => vec![major << 5 | u8::try_from(argument).unwrap()],
        24..=0xff => head(major, argument, 0),
        0x100..=0xffff => head(major, argument, 1),
        _ => head(major, argument, 2),
    }
}

/// Other spellings of one item: what a lax reader would take for the same value, or for a value at all.
fn respelled(bytes: &[u8], item: &Item) -> Vec<(&'static str, Vec<u8>)> {
    let (whole, content) = (&bytes[item.range.clone()], &bytes[item.head_end..item.range.end]);
    let (major, argument) = (item.major, item.argument);
    let mut others = vec![("a tag", [&[0xc1], whole].concat())];
    if major < 6 {
        let shortest = item.head_end - item.range.start;
        let sizes = (0..4).filter(|size| 1 + (1 << size) > shortest);
        others.extend(sizes.map(|size| ("a longer head", [&head(major, argument, size), content].concat())));
    }
    match major {
        0 => others.push(("a float", [&[0xfb], (argument as f64).to_be_bytes().as_slice()].concat())),
        2 | 3 => {
            others.push(("an indefinite string", [&[major << 5 | 31], whole, &[0xff]].concat()));
            others.push(("the other string", [&short_head(5 - major, argument), content].concat()));
            others.push(("a number", vec![0]));
            let numbers = content.iter().flat_map(|byte| short_head(0, (*byte).into()));
            others.push(("numbers", short_head(4, argument).into_iter().chain(numbers).collect()));
        }
        4 | 5 => others.push(("an indefinite list", [&[major << 5 | 31], content, &[0xff]].concat())),
        _ if whole == [0xf6] => others.push(("undefined", vec![0xf7])),
        _ => others.push(("a number", vec![0])),
    }
    if let (5, [key, value, rest @ ..]) = (major, item.inside.as_slice()) {
        let pair = &bytes[key.start..value.end];
        let more = short_head(5, argument + 1);
        others.push(("an entry twice", [&more, pair, content].concat()));
        others.push(("an unknown field", [&more, content, b"\x62zz\xf6"].concat()));
        if let [second, value, ..] = rest {
            let swapped = [&bytes[second.start..value.end], pair, &bytes[value.end..item.range.end]].concat();
            others.push(("entries swapped", [&short_head(5, argument), swapped.as_slice()].concat()));
        }
    }
    others
}

#[test]
fn every_sample_has_one_spelling() {
    for Sample { name, bytes, reads } in samples() {
        assert!(reads(&bytes), "{name}");
        let mut items = Vec::new();
        assert_eq!(walk(&bytes, 1, &mut items), bytes.len(), "{name}");
        for item in items {
            let (before, after) = (&bytes[..item.range.start], &bytes[item.range.end..]);
            for (other, spelling) in respelled(&bytes, &item) {
                let spelled = [before, &spelling, after].concat();
                assert!(!reads(&spelled), "{name}: {other} at {}", item.range.start);
            }
        }
        assert!(!reads(&[bytes.as_slice(), &[0xf6]].concat()), "{name}: a second item");
        assert!(!reads(&[&[2], &bytes[1..]].concat()), "{name}: another version");
    }
}

/// Lists that are sets have one order; other lists are other values in another order.
#[test]
fn swapped_items_are_another_value_or_nothing() {
    for Sample { bytes, reads, .. } in samples() {
        let mut items = Vec::new();
        walk(&bytes, 1, &mut items);
        for item in items.iter().filter(|item| item.major == 4) {
            for pair in item.inside.windows(2) {
                let [a, b] = [&bytes[pair[0].clone()], &bytes[pair[1].clone()]];
                let (before, after) = (&bytes[..pair[0].start], &bytes[pair[1].end..]);
                reads(&[before, b, a, after].concat());
                reads(&[before, a, a, after].concat());
            }
        }
    }
}

#[test]
fn a_set_has_one_order() {
    let file = include_str!("golden/record.txt");
    let [Sample { bytes, .. }] =
        <[Sample; 1]>::try_from(golden::<Live>(file, &["live, introduced"])).ok().unwrap();
    let mut items = Vec::new();
    walk(&bytes, 1, &mut items);
    let set = items.iter().find(|item| item.major == 4).unwrap();
    let [a, b] = [&bytes[set.inside[0].clone()], &bytes[set.inside[1].clone()]];
    assert!(a < b && !reads::<Live>(&[&bytes[..set.head_end], b, a].concat()));
}

#[test]
fn a_submission_has_one_padding() {
    let file = include_str!("golden/submission.txt");
    for Sample { name, bytes, .. } in golden::<Submission>(file, &["dummy", "leave", "post", "withdraw"]) {
        let plaintext = decode::<Submission>(&bytes).unwrap().to_plaintext();
        for bit in 0..plaintext.len() * 8 {
            let mut flipped = plaintext.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(submission) = Submission::from_plaintext(&flipped) {
                assert_eq!(submission.to_plaintext(), flipped, "{name}: bit {bit}");
            }
        }
        for length in [0, 1, 2, plaintext.len() - 1] {
            assert!(Submission::from_plaintext(&plaintext[..length]).is_err(), "{name}: {length} bytes");
        }
        assert!(Submission::from_plaintext(&[plaintext.as_slice(), &[0]].concat()).is_err(), "{name}");
    }
}

proptest! {
    /// Flipped, truncated, spliced and random bytes never panic any type, and none reads what it would not write.
    #[test]
    fn foreign_bytes_are_refused_or_are_what_would_be_written(
        at in 0.0..1.0_f64, bit in 0_u8..8, noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        for Sample { name, bytes, reads } in samples() {
            let at = (bytes.len() as f64 * at) as usize;
            let (before, after) = bytes.split_at(at);
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            reads(&flipped);
            prop_assert!(!reads(before), "{}: {} bytes", name, at);
            reads(&[before, &noise, after].concat());
            reads(&[before, &noise, after.get(noise.len()..).unwrap_or_default()].concat());
            reads(&noise);
            reads(&[&[1], noise.as_slice()].concat());
        }
    }
}

//! Every message and stored record: arbitrary bytes are refused, or are exactly what would be written. The first byte
//! says which type; the types are those of the property tests, which miss none.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use kring_fuzz::{chosen, seeds};
use kring_protocol::conversation::Message;
use kring_protocol::submission::Submission;
use libfuzzer_sys::fuzz_target;

#[path = "../../../protocol/tests/wire/samples.rs"]
#[allow(dead_code, reason = "the property tests use all of it")]
mod samples;

use samples::{Sample, samples};

/// A type's name, and what reads it.
type Kind = (&'static str, fn(&[u8]) -> bool);

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut seen = BTreeSet::new();
    let first = |sample: Sample| seen.insert(sample.kind).then_some((sample.kind, sample.reads));
    let mut kinds: Vec<_> = samples().into_iter().filter_map(first).collect();
    kinds.push(("padded submission", |bytes| {
        Submission::from_plaintext(bytes).is_ok_and(|read| {
            assert_eq!(read.to_plaintext(), bytes);
            true
        })
    }));
    kinds.push(("padded message", |bytes| {
        Message::from_plaintext(bytes).is_ok_and(|read| {
            assert_eq!(read.to_plaintext(), bytes);
            true
        })
    }));
    kinds
});

fn number(kind: &str) -> u8 {
    u8::try_from(KINDS.iter().position(|(name, _)| *name == kind).unwrap()).unwrap()
}

fn inputs() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> =
        samples().iter().map(|sample| chosen(number(sample.kind), &sample.bytes)).collect();
    for sample in samples() {
        if let Ok(submission) = kring_protocol::codec::decode::<Submission>(&sample.bytes) {
            seeds.push(chosen(number("padded submission"), &submission.to_plaintext()));
        }
        if let Ok(message) = kring_protocol::codec::decode::<Message>(&sample.bytes) {
            seeds.push(chosen(number("padded message"), &message.to_plaintext()));
        }
    }
    seeds
}

fn run(data: &[u8]) {
    if let Some((kind, bytes)) = data.split_first() {
        let (_, reads) = KINDS[usize::from(*kind) % KINDS.len()];
        reads(bytes);
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

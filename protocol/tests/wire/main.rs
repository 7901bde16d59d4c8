//! One spelling per value: every message and stored record reads back, and whatever else is read encodes back to the
//! very bytes that were read. The samples are the golden files' own.
//!
//! Not here: the golden bytes themselves (`golden.rs`), and records that only this crate makes.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kring_protocol::codec::decode;
use kring_protocol::meeting::Live;
use kring_protocol::submission::Submission;
use proptest::prelude::*;

mod items;
mod memory;
mod negative;
mod samples;

use items::{Item, head, items, short_head};
use samples::{Sample, golden, reads, samples};

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

/// The paths of all types in this crate's source that have an encoding of their own, tests aside.
fn encoded_types() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (module, text) in modules("kring_protocol", &Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let types = text.lines().filter_map(|line| line.strip_prefix("impl Wire for ")?.strip_suffix(" {"));
        found.extend(types.map(|name| format!("{module}::{name}")));
    }
    found
}

/// Every module below a directory, with its text. Unit tests stand in files of that name or are set in.
fn modules(parent: &str, dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let module = format!("{parent}::{}", path.file_stem().unwrap().to_str().unwrap());
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(modules(&module, &path));
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            found.push((module, fs::read_to_string(path).unwrap()));
        }
    }
    found
}

/// Types that cannot be named from here, for which `codec::tests::has_one_spelling` is, and those that are part of another
/// and have no record of their own.
const INSIDE: [&str; 5] = [
    "kring_protocol::board::SignedPost",
    "kring_protocol::ceremony::kept::Kept",
    "kring_protocol::trace::Complaint",
    "kring_protocol::trace::crowd::Crowd",
    "kring_protocol::trace::opening::Why",
];

#[test]
fn every_encoded_type_has_a_sample() {
    let mut sampled: BTreeSet<_> = samples().iter().map(|sample| sample.kind.to_owned()).collect();
    sampled.extend(INSIDE.map(str::to_owned));
    assert_eq!(sampled, encoded_types());
    assert!(sampled.len() > 25, "types were found at all");
}

#[test]
fn every_sample_has_one_spelling() {
    for Sample { name, bytes, reads, .. } in samples() {
        assert!(reads(&bytes), "{name}");
        for item in items(&bytes) {
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

#[test]
fn every_flipped_bit_gives_another_value_or_nothing() {
    for Sample { bytes, reads, .. } in samples() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            reads(&flipped);
        }
    }
}

/// Lists that are sets have one order; other lists are other values in another order.
#[test]
fn swapped_items_are_another_value_or_nothing() {
    for Sample { bytes, reads, .. } in samples() {
        for item in items(&bytes).iter().filter(|item| item.major == 4) {
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
    let file = include_str!("../golden/record.txt");
    let [Sample { bytes, .. }] =
        <[Sample; 1]>::try_from(golden::<Live>(file, &["live, introduced"])).ok().unwrap();
    let items = items(&bytes);
    let set = items.iter().find(|item| item.major == 4).unwrap();
    let [a, b] = [&bytes[set.inside[0].clone()], &bytes[set.inside[1].clone()]];
    assert!(a < b && !reads::<Live>(&[&bytes[..set.head_end], b, a].concat()));
}

#[test]
fn a_submission_has_one_padding() {
    let file = include_str!("../golden/submission.txt");
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
        for Sample { name, bytes, reads, .. } in samples() {
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

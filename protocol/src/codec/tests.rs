use serde::{Deserialize, Serialize};

use super::{Bytes, CodecError, Wire, decode, encode};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    count: u32,
    data: Bytes,
    next: Option<Box<Self>>,
}

impl Wire for Sample {
    const MAX_LEN: usize = 4096;
}

fn sample() -> Sample {
    Sample { name: "a".into(), count: 300, data: Bytes(vec![1, 2]), next: None }
}

/// The encoding with `from` replaced by `to`.
fn altered(from: &str, to: &str) -> Vec<u8> {
    let encoded = hex::encode(encode(&sample()));
    assert!(encoded.contains(from), "{encoded}");
    hex::decode(encoded.replacen(from, to, 1)).unwrap()
}

#[test]
fn golden_bytes() {
    let golden = "01a4646e616d65616165636f756e7419012c6464617461420102646e657874f6";
    assert_eq!(hex::encode(encode(&sample())), golden);
    assert_eq!(decode::<Sample>(&encode(&sample())), Ok(sample()));
}

#[test]
fn other_spellings_are_refused() {
    let cases = [
        ("non-shortest integer", "19012c", "1a0000012c"),
        ("float for an integer", "19012c", "f95cb0"),
        ("indefinite byte string", "420102", "5f420102ff"),
        ("array of integers for bytes", "420102", "820102"),
        ("tag in front", "420102", "c1420102"),
        ("undefined for null", "f6", "f7"),
        ("indefinite map", "01a4", "01bf"),
        ("unknown field", "01a4", "01a5"),
        ("trailing byte", "f6", "f600"),
        ("two-byte null", "f6", "f816"),
        ("invalid UTF-8", "6161", "61ff"),
        ("huge length", "420102", "5b7fffffffffffffff0102"),
        ("huge array", "420102", "9b7fffffffffffffff0102"),
    ];
    for (defect, from, to) in cases {
        assert!(decode::<Sample>(&altered(from, to)).is_err(), "{defect}");
    }
}

#[test]
fn swapped_and_duplicate_keys_are_refused() {
    let swapped = "01a465636f756e7419012c646e616d6561616464617461420102646e657874f6";
    assert_eq!(decode::<Sample>(&hex::decode(swapped).unwrap()), Err(CodecError::NotCanonical));
    let duplicate = "01a5646e616d656161646e616d65616165636f756e7419012c6464617461420102646e657874f6";
    assert_eq!(decode::<Sample>(&hex::decode(duplicate).unwrap()), Err(CodecError::Value));
}

#[test]
fn deep_nesting_is_refused_before_decoding() {
    let nest = |depth: usize| {
        (0..depth).fold(sample(), |inner, _| Sample { next: Some(Box::new(inner)), ..sample() })
    };
    assert!(decode::<Sample>(&encode(&nest(15))).is_ok());
    assert_eq!(decode::<Sample>(&encode(&nest(16))), Err(CodecError::Structure));
    let mut bomb = vec![1];
    bomb.extend([0x81; 4000]);
    assert_eq!(decode::<Sample>(&bomb), Err(CodecError::Structure));
}

#[test]
fn limits_and_versions() {
    assert_eq!(decode::<Sample>(&[]), Err(CodecError::Version(None)));
    assert_eq!(decode::<Sample>(&[2, 0xf6]), Err(CodecError::Version(Some(2))));
    assert_eq!(decode::<Sample>(&[0; 4097]), Err(CodecError::TooLong { found: 4097, allowed: 4096 }));
}

proptest::proptest! {
    /// Random, flipped and truncated bytes never panic, and whatever decodes encodes back to the same bytes.
    #[test]
    fn decoding_never_panics(flip in 0_usize..256, cut in 0_usize..40, noise: Vec<u8>) {
        let mut bytes = encode(&sample());
        if let Some(byte) = bytes.get_mut(flip / 8) { *byte ^= 1 << (flip % 8); }
        bytes.truncate(bytes.len().saturating_sub(cut));
        for candidate in [bytes, noise] {
            if let Ok(value) = decode::<Sample>(&candidate) { assert_eq!(encode(&value), candidate); }
        }
    }
}

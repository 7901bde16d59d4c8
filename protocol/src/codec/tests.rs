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

/// For types that only this crate can name: whatever a flip, a cut or one more byte makes of an encoding is refused, or
/// is what would be written. The others are in `protocol/tests/wire`.
pub(crate) fn has_one_spelling<T: Wire>(encoding: &[u8]) {
    assert!(decode::<T>(encoding).is_ok_and(|value| encode(&value) == encoding));
    for length in 0..encoding.len() {
        assert!(decode::<T>(&encoding[..length]).is_err(), "{length} bytes");
    }
    assert!(decode::<T>(&[encoding, &[0xf6]].concat()).is_err());
    for bit in 0..encoding.len() * 8 {
        let mut flipped = encoding.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = decode::<T>(&flipped) {
            assert_eq!(encode(&other), flipped, "bit {bit}");
        }
    }
}

#[test]
fn golden_bytes() {
    let golden = "01a4646e616d65616165636f756e7419012c6464617461420102646e657874f6";
    assert_eq!(hex::encode(encode(&sample())), golden);
    assert_eq!(decode::<Sample>(&encode(&sample())), Ok(sample()));
    has_one_spelling::<Sample>(&encode(&sample()));
}

#[test]
fn what_would_be_written_longer_than_allowed_is_refused() {
    let mut bytes = hex::decode("01a3646e616d65616165636f756e7419012c6464617461590fe6").unwrap();
    bytes.resize(Sample::MAX_LEN, 0);
    assert_eq!(
        decode::<Sample>(&bytes),
        Err(CodecError::NotCanonical),
        "`next` is left out and would be null"
    );
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

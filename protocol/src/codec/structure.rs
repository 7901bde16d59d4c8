//! A walk over CBOR bytes before they are decoded: well formed, shortest lengths, bounded depth, nothing exotic.
//!
//! RFC 8949 section 4.2.1 (core deterministic encoding), minus tags, floats, `undefined` and indefinite lengths,
//! which none of our messages has. Key order is left to the re-encoding comparison.

use super::CodecError;

/// Deepest nesting of arrays and maps; our deepest message has seven levels.
const MAX_DEPTH: usize = 16;

/// Checks that `bytes` is exactly one well-formed item.
pub(super) fn check(bytes: &[u8]) -> Result<(), CodecError> {
    match item(bytes, 0) {
        Some([]) => Ok(()),
        _ => Err(CodecError::Structure),
    }
}

/// Walks over one item and returns what follows it.
fn item(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (major, argument, rest) = head(bytes)?;
    match major {
        0 | 1 => Some(rest),
        2 => rest.get(usize::try_from(argument).ok()?..),
        3 => {
            let length = usize::try_from(argument).ok()?;
            std::str::from_utf8(rest.get(..length)?).ok()?;
            rest.get(length..)
        }
        4 => items(rest, argument, depth),
        5 => items(rest, argument.checked_mul(2)?, depth),
        // false, true, null
        7 if bytes.len() > rest.len() && (20..=22).contains(&argument) && bytes.len() - rest.len() == 1 => {
            Some(rest)
        }
        _ => None,
    }
}

fn items(mut rest: &[u8], count: u64, depth: usize) -> Option<&[u8]> {
    // Each item takes at least one byte, so a huge count fails here, before any work is done.
    if depth >= MAX_DEPTH || count > rest.len() as u64 {
        return None;
    }
    for _ in 0..count {
        rest = item(rest, depth + 1)?;
    }
    Some(rest)
}

/// Major type, argument in its shortest form, and the rest.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (major, short) = (first >> 5, first & 0x1f);
    let (argument, size, least) = match short {
        0..=23 => return Some((major, u64::from(short), rest)),
        24 => (u64::from(*rest.first()?), 1, 24),
        25 => (u64::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?)), 2, 0x100),
        26 => (u64::from(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)), 4, 0x1_0000),
        27 => (u64::from_be_bytes(rest.get(..8)?.try_into().ok()?), 8, 0x1_0000_0000),
        _ => return None,
    };
    (argument >= least).then_some((major, argument, rest.get(size..)?))
}

//! CBOR taken apart item by item, without any of the crate's own code.

use std::ops::Range;

/// One CBOR item in a sample: where it and its content begin and end, and where each item inside does.
pub(crate) struct Item {
    pub(crate) range: Range<usize>,
    pub(crate) head_end: usize,
    pub(crate) major: u8,
    pub(crate) argument: u64,
    pub(crate) inside: Vec<Range<usize>>,
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
pub(crate) fn head(major: u8, argument: u64, size: u8) -> Vec<u8> {
    let mut head = vec![major << 5 | (24 + size)];
    head.extend_from_slice(&argument.to_be_bytes()[8 - (1 << size)..]);
    head
}

/// The shortest head.
pub(crate) fn short_head(major: u8, argument: u64) -> Vec<u8> {
    match argument {
        0..=23 => vec![major << 5 | u8::try_from(argument).unwrap()],
        24..=0xff => head(major, argument, 0),
        0x100..=0xffff => head(major, argument, 1),
        _ => head(major, argument, 2),
    }
}

/// All items of an encoding, the inner ones before those around them.
pub(crate) fn items(encoding: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    assert_eq!(walk(encoding, 1, &mut items), encoding.len(), "one item after the version byte");
    items
}

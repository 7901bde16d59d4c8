//! The joining of fields, written `||` in `docs/protocol.md` section 2.1: each field is preceded by its length.
//!
//! Not for messages: those are CBOR, see [`crate::codec`].

/// Joins `fields`, each preceded by its length as u16 big-endian, so that no two different lists give the same bytes.
///
/// # Panics
/// If a field is longer than 65,535 bytes: every caller joins fields whose size its type bounds.
#[must_use]
pub fn join(fields: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(fields.iter().map(|field| field.len() + 2).sum());
    for field in fields {
        let length = u16::try_from(field.len()).expect("a joined field is at most 65,535 bytes by its type");
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(field);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn fields_cannot_slide_into_each_other() {
        assert_eq!(join(&[b"ab", b"c"]), b"\x00\x02ab\x00\x01c");
        assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
        assert_ne!(join(&[b"", b"a"]), join(&[b"a", b""]));
    }
}

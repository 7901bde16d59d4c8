//! Sealing of single records, bound to where they stand.
//!
//! Nonces are random: at most 2^32 records may be sealed under one key, which one case or epoch never reaches.

use kring_protocol::crypto::{self, AEAD_NONCE_LEN, AEAD_TAG_LEN, Unopenable};
use kring_protocol::field::join;
use kring_protocol::label;
use kring_protocol::secret::Secret;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::store::{SCHEMA, Table};

/// Bytes that sealing adds.
pub const OVERHEAD: usize = AEAD_NONCE_LEN + AEAD_TAG_LEN;

/// Seals `plaintext` for the record under `record_key` in `table`: nonce, then ciphertext.
#[must_use]
pub fn seal(key: &Secret<32>, table: Table, record_key: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0; AEAD_NONCE_LEN];
    OsRng.fill_bytes(&mut nonce);
    seal_with(nonce, key, table, record_key, plaintext)
}

fn seal_with(
    nonce: [u8; AEAD_NONCE_LEN],
    key: &Secret<32>,
    table: Table,
    record_key: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let mut sealed = nonce.to_vec();
    sealed.append(&mut crypto::seal(key, nonce, &place(table, record_key), plaintext));
    sealed
}

/// Opens what [`seal`] made for the same place.
///
/// # Errors
/// [`Unopenable`]: another key, moved from another place, or damaged.
pub fn open(
    key: &Secret<32>,
    table: Table,
    record_key: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
    let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(Unopenable)?;
    crypto::open(key, *nonce, &place(table, record_key), ciphertext).map(Zeroizing::new)
}

fn place(table: Table, record_key: &[u8]) -> Vec<u8> {
    join(&[label::RECORD, table.name().as_bytes(), record_key, &SCHEMA.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use kring_protocol::secret::Secret;

    use super::{OVERHEAD, open, seal, seal_with};
    use crate::store::Table;

    #[test]
    fn a_record_opens_only_in_its_place() {
        let key = Secret::new([1; 32]);
        let sealed = seal(&key, Table::Audit, b"key", b"plain");
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(open(&key, Table::Audit, b"key", &sealed).unwrap().as_slice(), b"plain");
        assert!(open(&key, Table::Checkpoint, b"key", &sealed).is_err());
        assert!(open(&key, Table::Audit, b"kez", &sealed).is_err());
        assert!(open(&Secret::new([2; 32]), Table::Audit, b"key", &sealed).is_err());
        for length in 0..sealed.len() {
            assert!(open(&key, Table::Audit, b"key", &sealed[..length]).is_err());
            let mut flipped = sealed.clone();
            flipped[length] ^= 1;
            assert!(open(&key, Table::Audit, b"key", &flipped).is_err());
        }
        assert_ne!(seal(&key, Table::Audit, b"key", b"plain"), sealed, "a nonce was used twice");
    }

    #[test]
    fn the_bytes_of_a_sealed_record() {
        let sealed = seal_with([7; 12], &Secret::new([1; 32]), Table::Audit, b"key", b"plain");
        assert_eq!(hex::encode(sealed), "070707070707070707070707fd9f8bcd612738971e0ace61a4df6dc5cb992d628c");
    }
}

//! HKDF, HMAC, SHA-256 and AES-256-GCM in the forms `docs/protocol.md` section 2.4 gives them. All are ring's.
//!
//! Not here: the OPRF ([`crate::oprf`]), Ed25519 ([`crate::sign`]) and HPKE (where messages are sealed).

use ring::{aead, digest, hkdf, hmac};

use crate::secret::Secret;

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// HMAC-SHA256, whole.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes")
}

/// HMAC-SHA256 cut to its first 16 bytes: tags and one-time addresses.
#[must_use]
pub fn hmac_sha256_16(key: &[u8], message: &[u8]) -> [u8; 16] {
    hmac_sha256(key, message)[..16].try_into().expect("16 of 32 bytes")
}

/// `HKDF(k, x)`: HKDF-SHA256 with empty salt, `key` as input and 32 bytes out (RFC 5869).
#[must_use]
pub fn hkdf(key: &[u8], info: &[u8]) -> Secret<32> {
    hkdf_salted(&[], key, info)
}

/// HKDF-SHA256 with a salt, 32 bytes out.
#[must_use]
pub fn hkdf_salted(salt: &[u8], key: &[u8], info: &[u8]) -> Secret<32> {
    let mut out = [0; 32];
    let info = [info];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key)
        .expand(&info, Len32)
        .and_then(|okm| okm.fill(&mut out))
        .expect("32 bytes is a length that HKDF-SHA256 allows");
    Secret::new(out)
}

struct Len32;

impl hkdf::KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// Bytes that AES-256-GCM adds to a plaintext.
pub const AEAD_TAG_LEN: usize = 16;
/// Size of an AES-256-GCM nonce.
pub const AEAD_NONCE_LEN: usize = 12;

/// The sealed bytes do not open: another key, another context, or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("does not open with this key in this context")]
pub struct Unopenable;

/// Seals `plaintext` with AES-256-GCM. The caller guarantees that `key` and `nonce` meet only once.
#[must_use]
pub fn seal(key: &Secret<32>, nonce: [u8; AEAD_NONCE_LEN], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(plaintext.len() + AEAD_TAG_LEN);
    sealed.extend_from_slice(plaintext);
    aead_key(key)
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(aad),
            &mut sealed,
        )
        .expect("AES-256-GCM seals any message of our sizes");
    sealed
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`Unopenable`] when key, nonce, associated data or bytes differ from those at sealing.
pub fn open(
    key: &Secret<32>,
    nonce: [u8; AEAD_NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, Unopenable> {
    let mut bytes = sealed.to_vec();
    let length = aead_key(key)
        .open_in_place(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(aad), &mut bytes)
        .map_err(|_| Unopenable)?
        .len();
    bytes.truncate(length);
    Ok(bytes)
}

fn aead_key(key: &Secret<32>) -> aead::LessSafeKey {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key.expose()).expect("AES-256 takes 32 bytes");
    aead::LessSafeKey::new(key)
}

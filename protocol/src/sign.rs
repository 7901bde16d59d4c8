//! Ed25519 (RFC 8032), ring's. Every signature is over joined fields whose first is a label of [`crate::label`].
//!
//! Public keys are checked when they are parsed: canonical, on the curve and not of small order, because ring
//! would accept a trivial signature under the identity.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::field::join;
use crate::id::byte_id;
use crate::secret::Secret;

byte_id! {
    /// An Ed25519 signature. Holding one says nothing: see [`VerifyingKey::verify`].
    Signature, 64
}

/// The private half, made from a 32-byte seed.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// From its seed.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("an Ed25519 seed is 32 bytes");
        let public = pair.public_key().as_ref().try_into().expect("an Ed25519 public key is 32 bytes");
        Self { pair, public: VerifyingKey(public) }
    }

    /// The public half.
    #[must_use]
    pub const fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    /// Signs `label || fields...`, joined.
    #[must_use]
    pub fn sign(&self, label: &[u8], fields: &[&[u8]]) -> Signature {
        self.sign_bytes(&labelled(label, fields))
    }

    /// Signs bytes whose format is fixed elsewhere and starts with its own context (C2SP signed notes).
    #[must_use]
    pub fn sign_bytes(&self, message: &[u8]) -> Signature {
        let signature = self.pair.sign(message);
        Signature::try_from(signature.as_ref()).expect("an Ed25519 signature is 64 bytes")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(<redacted>, public {:?})", self.public)
    }
}

/// A public key that is canonical and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

/// The bytes are not a usable Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical Ed25519 public key of large order")]
pub struct BadPublicKey;

/// The signature does not fit key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct BadSignature;

impl VerifyingKey {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadPublicKey`] for anything off the curve, not canonical, or of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, BadPublicKey> {
        let mut y = bytes;
        y[31] &= 0x7f;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(BadPublicKey)?;
        if is_canonical_field_element(&y) && !point.is_small_order() {
            Ok(Self(bytes))
        } else {
            Err(BadPublicKey)
        }
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Verifies a signature over `label || fields...`, joined.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, label: &[u8], fields: &[&[u8]], signature: &Signature) -> Result<(), BadSignature> {
        self.verify_bytes(&labelled(label, fields), signature)
    }

    /// Verifies a signature over bytes whose format is fixed elsewhere.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify_bytes(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature.as_bytes())
            .map_err(|_| BadSignature)
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_bytes(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = crate::codec::deserialize_array(deserializer)?;
        Self::from_bytes(bytes).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}..)", hex::encode(&self.0[..4]))
    }
}

/// Whether `bytes`, little-endian, is below p = 2^255 - 19.
pub(crate) fn is_canonical_field_element(bytes: &[u8; 32]) -> bool {
    let all_ones_above = bytes[31] == 0x7f && bytes[1..31].iter().all(|&byte| byte == 0xff);
    bytes[31] < 0x80 && !(all_ones_above && bytes[0] >= 0xed)
}

fn labelled(label: &[u8], fields: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::with_capacity(fields.len() + 1);
    all.push(label);
    all.extend_from_slice(fields);
    join(&all)
}

#[cfg(test)]
mod tests {
    use super::{SigningKey, VerifyingKey};
    use crate::secret::Secret;

    #[test]
    fn signatures_bind_label_and_fields() {
        let key = SigningKey::from_seed(&Secret::new([7; 32]));
        let signature = key.sign(b"a", &[b"b", b"c"]);
        let public = VerifyingKey::from_bytes(*key.verifying_key().as_bytes()).unwrap();
        assert!(public.verify(b"a", &[b"b", b"c"], &signature).is_ok());
        assert!(public.verify(b"a", &[b"bc"], &signature).is_err());
        assert!(public.verify(b"b", &[b"b", b"c"], &signature).is_err());
    }

    #[test]
    fn weak_public_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut not_canonical = [0xff; 32];
        not_canonical[0] = 0xee; // p + 1
        not_canonical[31] = 0x7f;
        for bad in [identity, [0; 32], not_canonical, [0xff; 32]] {
            assert!(VerifyingKey::from_bytes(bad).is_err());
        }
    }
}

//! The only door to CBOR: one encoding per value, limits before decoding (`docs/protocol.md` section 2.3).
//!
//! `serde_cbor` accepts many spellings of one value and is no longer maintained, so it stands behind this fence:
//! a length limit per type, a structural check of the bytes before they reach it, and a comparison of the
//! re-encoded value with what came in. Whatever passes has exactly one spelling, so bytes can be signed and hashed.
//!
//! Not for signatures' contexts or key derivation: those join fields, see [`crate::field`].

#![allow(clippy::disallowed_methods, reason = "this is the fence")]

use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod structure;

/// A value with one encoding: a version byte followed by CBOR.
pub trait Wire: Serialize + DeserializeOwned {
    /// Most bytes an encoding may have, version byte included; checked before anything is parsed.
    const MAX_LEN: usize;
    /// First byte of the encoding.
    const VERSION: u8 = 1;
}

/// Why bytes were refused. The fault lies with whoever made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than the type allows.
    #[error("{found} bytes, at most {allowed} are allowed")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Most bytes allowed.
        allowed: usize,
    },
    /// No bytes, or a version this software does not know.
    #[error("unknown version {0:?}")]
    Version(Option<u8>),
    /// Not well formed, nested too deep, of indefinite length, tagged, or with bytes left over.
    #[error("not well-formed canonical CBOR")]
    Structure,
    /// Well formed, but not a value of this type.
    #[error("not a value of the expected type")]
    Value,
    /// A value of this type in another spelling than the one that counts.
    #[error("not the one canonical encoding of its value")]
    NotCanonical,
}

/// Encodes `value`.
///
/// # Panics
/// If serialising fails, which for our plain data types only a programming error can cause.
#[must_use]
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let bytes = written(value);
    debug_assert!(bytes.len() <= T::MAX_LEN, "{} bytes exceed MAX_LEN {}", bytes.len(), T::MAX_LEN);
    bytes
}

/// The encoding, however long.
fn written<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = vec![T::VERSION];
    serde_cbor::to_writer(&mut bytes, value).expect("plain data always serialises to memory");
    bytes
}

/// Decodes `bytes`, which must be exactly what [`encode`] gives for the result.
///
/// # Errors
/// See [`CodecError`].
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > T::MAX_LEN {
        return Err(CodecError::TooLong { found: bytes.len(), allowed: T::MAX_LEN });
    }
    let (&version, body) = bytes.split_first().ok_or(CodecError::Version(None))?;
    if version != T::VERSION {
        return Err(CodecError::Version(Some(version)));
    }
    structure::check(body)?;
    let mut deserializer =
        serde_cbor::Deserializer::from_slice(body).disable_packed_format().disable_legacy_enums();
    let value = T::deserialize(&mut deserializer).map_err(|_| CodecError::Value)?;
    deserializer.end().map_err(|_| CodecError::Structure)?;
    // What was left out of foreign bytes may make this longer than the type allows.
    if written(&value) == bytes { Ok(value) } else { Err(CodecError::NotCanonical) }
}

/// Serialises as a CBOR byte string, or as hex in formats that people read (TOML, JSON).
pub(crate) fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&hex::encode(bytes))
    } else {
        serializer.serialize_bytes(bytes)
    }
}

/// Reads what [`serialize_bytes`] wrote, if it is exactly `N` bytes.
pub(crate) fn deserialize_array<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let bytes = if deserializer.is_human_readable() {
        hex::decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?
    } else {
        deserializer.deserialize_bytes(BytesVisitor)?
    };
    bytes.as_slice().try_into().map_err(|_| serde::de::Error::invalid_length(bytes.len(), &"an exact length"))
}

/// A byte string of variable length, encoded as a CBOR byte string instead of an array of numbers.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} bytes)", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor).map(Self)
    }
}

/// For `#[serde(with = "crate::codec::array")]` on `[u8; N]` fields.
pub(crate) mod array {
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], s: S) -> Result<S::Ok, S::Error> {
        super::serialize_bytes(bytes, s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(d: D) -> Result<[u8; N], D::Error> {
        super::deserialize_array(d)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
pub(crate) mod tests;

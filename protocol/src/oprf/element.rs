//! Group elements from outside: canonical and not the identity, or they do not exist.

use std::fmt;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ELEMENT_LEN, MAX_BATCH};
use crate::crypto::sha256;

/// What is wrong with one encoded element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPoint {
    /// Not the canonical encoding of a ristretto255 element.
    #[error("not a canonical group element")]
    NotCanonical,
    /// The identity, which would tell or prove nothing.
    #[error("the identity element")]
    Identity,
}

/// What is wrong with a batch of elements. The fault lies with whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadElements {
    /// Not a whole number of elements, none, or more than [`MAX_BATCH`].
    #[error("{0} bytes are not 1 to {MAX_BATCH} elements of {ELEMENT_LEN} bytes")]
    Length(usize),
    /// One element is unusable.
    #[error("element {index}: {defect}")]
    Element {
        /// Its place in the batch, from 0.
        index: usize,
        /// What is wrong with it.
        defect: BadPoint,
    },
}

/// 1 to [`MAX_BATCH`] elements, each canonical and not the identity. On the wire: one byte string.
#[derive(Clone)]
pub struct Elements {
    points: Vec<RistrettoPoint>,
    /// The encodings, kept because proofs hash them.
    bytes: Vec<u8>,
}

impl Elements {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadElements`] names the first defect.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadElements> {
        let (encodings, rest) = bytes.as_chunks::<ELEMENT_LEN>();
        if !rest.is_empty() || !(1..=MAX_BATCH).contains(&encodings.len()) {
            return Err(BadElements::Length(bytes.len()));
        }
        let point = |(index, encoding): (usize, &[u8; ELEMENT_LEN])| {
            decompress(encoding).map_err(|defect| BadElements::Element { index, defect })
        };
        let points = encodings.iter().enumerate().map(point).collect::<Result<_, _>>()?;
        Ok(Self { points, bytes: bytes.to_vec() })
    }

    /// From halves of the elements meant, none the identity, 1 to [`MAX_BATCH`] of them.
    pub(super) fn from_halves(halves: &[RistrettoPoint]) -> Self {
        let bytes =
            RistrettoPoint::double_and_compress_batch(halves).iter().flat_map(|point| point.0).collect();
        Self { points: halves.iter().map(|half| half + half).collect(), bytes }
    }

    /// The encodings, one after the other.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The encodings, one after the other, as a vector of their own.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// SHA-256 of the encodings, as a header names them.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }

    /// Number of elements, at least 1.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.points.len()
    }

    pub(super) fn points(&self) -> &[RistrettoPoint] {
        &self.points
    }

    pub(super) fn encodings(&self) -> &[[u8; ELEMENT_LEN]] {
        self.bytes.as_chunks().0
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Elements {}

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements({})", self.count())
    }
}

fn decompress(encoding: &[u8; ELEMENT_LEN]) -> Result<RistrettoPoint, BadPoint> {
    let point = CompressedRistretto(*encoding).decompress().ok_or(BadPoint::NotCanonical)?;
    if point.is_identity() { Err(BadPoint::Identity) } else { Ok(point) }
}

/// The public half of one holder's share (`P_i` of a key record): proofs are checked against it.
#[derive(Clone, Copy)]
pub struct PublicShare {
    point: RistrettoPoint,
    bytes: [u8; ELEMENT_LEN],
}

impl PublicShare {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadPoint`] when not canonical, or the identity.
    pub fn from_bytes(bytes: [u8; ELEMENT_LEN]) -> Result<Self, BadPoint> {
        Ok(Self { point: decompress(&bytes)?, bytes })
    }

    /// Its encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ELEMENT_LEN] {
        &self.bytes
    }

    /// The public half of `secret`, which is not zero.
    pub(super) fn of(secret: &Scalar) -> Self {
        let point = RistrettoPoint::mul_base(secret);
        Self { point, bytes: point.compress().0 }
    }

    pub(super) const fn point(&self) -> &RistrettoPoint {
        &self.point
    }
}

impl PartialEq for PublicShare {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicShare {}

impl fmt::Debug for PublicShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicShare({}..)", hex::encode(&self.bytes[..4]))
    }
}

impl Serialize for PublicShare {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_bytes(&self.bytes, serializer)
    }
}

impl<'de> Deserialize<'de> for PublicShare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(crate::codec::deserialize_array(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The public half of a whole key (`P` of a key record). Nothing is checked against it in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(PublicShare);

impl PublicKey {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadPoint`] when not canonical, or the identity.
    pub fn from_bytes(bytes: [u8; ELEMENT_LEN]) -> Result<Self, BadPoint> {
        PublicShare::from_bytes(bytes).map(Self)
    }

    /// Its encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ELEMENT_LEN] {
        self.0.as_bytes()
    }
}

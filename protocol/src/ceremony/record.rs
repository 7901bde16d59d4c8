//! Key records: what everyone must know of one OPRF key, signed by all who hold a share of it
//! (`docs/protocol.md` section 3.5).
//!
//! Not here: the shares themselves, and evaluating with them ([`crate::oprf`]).

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::spec::{HOLDERS_MAX, HOLDERS_MIN, KeyId, threshold};
use crate::codec::{self, Wire};
use crate::id::{Epoch, MemberId, NetworkId, PurposeId};
use crate::label;
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey, VerifyingKey};

/// A ristretto255 element (RFC 9496) that is canonical and not the identity, by its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point([u8; 32]);

/// The bytes are not the canonical encoding of an element, or of the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical ristretto255 element other than the identity")]
pub struct BadPoint;

impl Point {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadPoint`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, BadPoint> {
        let element = CompressedRistretto(bytes).decompress().ok_or(BadPoint)?;
        if element == RistrettoPoint::identity() { Err(BadPoint) } else { Ok(Self(bytes)) }
    }

    /// Its canonical encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn element(&self) -> RistrettoPoint {
        CompressedRistretto(self.0).decompress().expect("a Point was checked when it was made")
    }
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Point({}..)", hex::encode(&self.0[..4]))
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        codec::serialize_bytes(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(codec::deserialize_array(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// One OPRF key in public. Parsed, not verified: see [`SignedKeyRecord::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// The network.
    pub network: NetworkId,
    /// The epoch the key serves.
    pub epoch: Epoch,
    /// The purpose it serves.
    pub purpose: PurposeId,
    /// The matcher that compares tags made with it.
    pub matcher: MemberId,
    /// Shares needed to evaluate: `floor(n / 2) + 1`.
    pub t: u16,
    /// The `n` holders, sorted; holder `i` (from 1) has the share at `x = i`.
    pub holders: Vec<MemberId>,
    /// `P = k * G`.
    pub public: Point,
    /// `P_i = k_i * G` for each holder, in the same order.
    pub shares: Vec<Point>,
}

/// A key record with a signature of each holder, in the order of the holders. Parsed, not verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedKeyRecord {
    /// What is signed.
    pub record: KeyRecord,
    /// One signature per holder.
    pub signatures: Vec<Signature>,
}

impl Wire for SignedKeyRecord {
    /// Seven holders take about 1,100 bytes.
    const MAX_LEN: usize = 2048;
}

/// A key record whose points lie on one polynomial and which every holder has signed. Exists only as the result of
/// [`SignedKeyRecord::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKeyRecord(KeyRecord);

/// Why a key record does not hold. Whoever handed it over is at fault, unless a holder is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Holders unsorted, too few or too many, other threshold than theirs, or lists of different length.
    #[error("holders, threshold and shares of the key record do not fit each other")]
    Shape,
    /// The points are not those of one secret shared with threshold `t`.
    #[error("the public key and the public shares of the key record do not belong to one sharing")]
    Points,
    /// This holder is not known, so its signature cannot be checked.
    #[error("{0} is named as holder but is not a known member")]
    UnknownHolder(MemberId),
    /// The signature of this holder is missing or does not fit.
    #[error("the key record lacks a fitting signature of {0}")]
    Signature(MemberId),
}

impl KeyRecord {
    /// Which key this is.
    #[must_use]
    pub fn key(&self) -> KeyId {
        KeyId { purpose: self.purpose.clone(), matcher: self.matcher.clone() }
    }

    /// `network || epoch || purpose || matcher || t || holders || P || P_1 || .. || P_n`; the number of fields gives n.
    pub(super) fn with_fields<R>(&self, use_fields: impl FnOnce(&[&[u8]]) -> R) -> R {
        let (epoch, t) = (self.epoch.to_be_bytes(), u32::from(self.t).to_be_bytes());
        let mut fields: Vec<&[u8]> =
            vec![self.network.as_bytes(), &epoch, self.purpose.as_bytes(), self.matcher.as_bytes(), &t];
        fields.extend(self.holders.iter().map(MemberId::as_bytes));
        fields.push(self.public.as_bytes());
        fields.extend(self.shares.iter().map(|share| share.as_bytes().as_slice()));
        use_fields(&fields)
    }

    pub(super) fn sign(&self, key: &SigningKey) -> Signature {
        self.with_fields(|fields| key.sign(label::KEY_RECORD, fields))
    }

    pub(super) fn is_signed_by(&self, key: &VerifyingKey, signature: &Signature) -> bool {
        self.with_fields(|fields| key.verify(label::KEY_RECORD, fields, signature)).is_ok()
    }

    fn check_shape(&self) -> Result<(), RecordError> {
        let n = self.holders.len();
        let fits = (HOLDERS_MIN..=HOLDERS_MAX).contains(&n)
            && self.shares.len() == n
            && self.t == threshold(n)
            && self.holders.windows(2).all(|pair| pair[0] < pair[1])
            && !self.holders.contains(&self.matcher);
        if fits { Ok(()) } else { Err(RecordError::Shape) }
    }

    /// `P` at 0 and `P_1..P_n` at 1..n are values of one polynomial of degree t - 1 in the exponent: the first t give
    /// all others. So any t of them give P (`docs/protocol.md` section 3.5).
    fn check_points(&self) -> Result<(), RecordError> {
        let t = usize::from(self.t);
        let elements: Vec<_> = self.shares.iter().map(Point::element).collect();
        let at = |x: u64| -> RistrettoPoint {
            elements.iter().take(t).zip(lagrange(self.t, x)).map(|(element, factor)| element * factor).sum()
        };
        let rest = elements.iter().zip(1_u64..).skip(t);
        if at(0) == self.public.element() && rest.into_iter().all(|(element, x)| at(x) == *element) {
            Ok(())
        } else {
            Err(RecordError::Points)
        }
    }
}

/// Lagrange coefficients at `x` for the nodes 1..t, `x` not being one of them.
fn lagrange(t: u16, x: u64) -> Vec<Scalar> {
    let nodes = || (1..=u64::from(t)).map(Scalar::from);
    let x = Scalar::from(x);
    let factor = |i: Scalar| {
        let others = || nodes().filter(move |j| *j != i);
        let above: Scalar = others().map(|j| x - j).product();
        let below: Scalar = others().map(|j| i - j).product();
        above * below.invert()
    };
    nodes().map(factor).collect()
}

impl SignedKeyRecord {
    /// Checks shape, points and the signature of every holder, whose keys `lookup` gives.
    ///
    /// Whether network, epoch and holders are those the covenant asks for is for the caller to compare.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn verify(
        &self,
        lookup: impl Fn(&MemberId) -> Option<VerifyingKey>,
    ) -> Result<VerifiedKeyRecord, RecordError> {
        let record = &self.record;
        record.check_shape()?;
        if self.signatures.len() > record.holders.len() {
            return Err(RecordError::Shape);
        }
        record.check_points()?;
        let mut signatures = self.signatures.iter();
        for holder in &record.holders {
            let key = lookup(holder).ok_or_else(|| RecordError::UnknownHolder(holder.clone()))?;
            match signatures.next() {
                Some(signature) if record.is_signed_by(&key, signature) => {}
                _ => return Err(RecordError::Signature(holder.clone())),
            }
        }
        Ok(VerifiedKeyRecord(record.clone()))
    }
}

impl VerifiedKeyRecord {
    /// What was verified.
    #[must_use]
    pub const fn record(&self) -> &KeyRecord {
        &self.0
    }

    /// Whether `share` is the secret share of `holder`: canonical, and `share * G` is its public share.
    #[must_use]
    pub fn fits(&self, holder: &MemberId, share: &Secret<32>) -> bool {
        let index = self.0.holders.binary_search(holder).ok();
        let public = index.and_then(|index| self.0.shares.get(index));
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*share.expose()).into();
        match (public, scalar.map(Zeroizing::new)) {
            (Some(public), Some(scalar)) => RistrettoPoint::mul_base(&scalar) == public.element(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;

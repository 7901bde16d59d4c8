//! The proof that a whole batch was multiplied by the share behind one public share (RFC 9497 section 2.2).
//!
//! Everything the verifier handles is public, so it works in variable time; the prover multiplies the secret in
//! constant time.

use std::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha512};
use zeroize::Zeroize;

use super::threshold::KeyShare;
use super::{
    Elements, Evaluation, PROOF_LEN, PublicShare, SEED, hash_to_scalar, random_scalar, update_prefixed,
};

/// The bytes are not two canonical scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof is two canonical scalars")]
pub struct NotAProof;

/// The evaluation was not made with the share it should have been: the holder who signed it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the evaluation does not follow from the holder's public share")]
pub struct WrongProof;

/// Challenge and response, both canonical. On the wire: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    challenge: Scalar,
    response: Scalar,
}

impl Proof {
    /// Parses; says nothing about what it proves.
    ///
    /// # Errors
    /// [`NotAProof`] when a scalar is not canonical.
    pub fn from_bytes(bytes: [u8; PROOF_LEN]) -> Result<Self, NotAProof> {
        let [challenge, response] = std::array::from_fn(|half| {
            let bytes = bytes[half * 32..][..32].try_into().expect("half of 64 bytes");
            Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes))
        });
        Ok(Self { challenge: challenge.ok_or(NotAProof)?, response: response.ok_or(NotAProof)? })
    }

    /// Challenge, then response.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PROOF_LEN] {
        let mut bytes = [0; PROOF_LEN];
        bytes[..32].copy_from_slice(self.challenge.as_bytes());
        bytes[32..].copy_from_slice(self.response.as_bytes());
        bytes
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({}..)", hex::encode(&self.challenge.as_bytes()[..4]))
    }
}

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_bytes(&self.to_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for Proof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(crate::codec::deserialize_array(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// `GenerateProof` (RFC 9497 section 2.2.1).
pub(super) fn prove(
    share: &KeyShare,
    blinded: &Elements,
    evaluated: &Elements,
    rng: &mut (impl RngCore + CryptoRng),
) -> Proof {
    let weights = composite_weights(share.public(), blinded, evaluated);
    let m = RistrettoPoint::vartime_multiscalar_mul(&weights, blinded.points());
    let z = m * share.secret();
    let mut nonce = random_scalar(rng);
    let commitments = [RistrettoPoint::mul_base(&nonce), m * nonce];
    let challenge = challenge(share.public(), [m, z, commitments[0], commitments[1]]);
    let response = nonce - challenge * share.secret();
    nonce.zeroize();
    Proof { challenge, response }
}

/// `VerifyProof` (RFC 9497 section 2.2.2): that `evaluation` is `blinded` times the share behind `public`.
///
/// # Errors
/// [`WrongProof`], also when the counts differ.
pub fn verify(public: &PublicShare, blinded: &Elements, evaluation: &Evaluation) -> Result<(), WrongProof> {
    let Evaluation { elements, proof } = evaluation;
    if elements.count() != blinded.count() {
        return Err(WrongProof);
    }
    let weights = composite_weights(public, blinded, elements);
    let m = RistrettoPoint::vartime_multiscalar_mul(&weights, blinded.points());
    let z = RistrettoPoint::vartime_multiscalar_mul(&weights, elements.points());
    let on_base = RistrettoPoint::vartime_double_scalar_mul_basepoint(
        &proof.challenge,
        public.point(),
        &proof.response,
    );
    let on_m = RistrettoPoint::vartime_multiscalar_mul([proof.response, proof.challenge], [m, z]);
    if challenge(public, [m, z, on_base, on_m]) == proof.challenge { Ok(()) } else { Err(WrongProof) }
}

/// The weights `d_i` of `ComputeComposites` (RFC 9497 section 2.2.1), which fold the batch into one statement.
fn composite_weights(public: &PublicShare, blinded: &Elements, evaluated: &Elements) -> Vec<Scalar> {
    let seed = update_prefixed(Sha512::new(), &[public.as_bytes(), SEED]).finalize();
    let weight = |(index, (c, d)): (usize, (&[u8; 32], &[u8; 32]))| {
        let index = u16::try_from(index).expect("a batch is at most MAX_BATCH");
        let (seed_length, length) = (64_u16.to_be_bytes(), 32_u16.to_be_bytes());
        hash_to_scalar(&[&seed_length, &seed, &index.to_be_bytes(), &length, c, &length, d, b"Composite"])
    };
    blinded.encodings().iter().zip(evaluated.encodings()).enumerate().map(weight).collect()
}

/// The Fiat-Shamir challenge over the public share and `M, Z, t2, t3`.
fn challenge(public: &PublicShare, points: [RistrettoPoint; 4]) -> Scalar {
    let [m, z, t2, t3] = points.map(|point| point.compress().0);
    let length = 32_u16.to_be_bytes();
    hash_to_scalar(&[
        &length,
        public.as_bytes(),
        &length,
        &m,
        &length,
        &z,
        &length,
        &t2,
        &length,
        &t3,
        b"Challenge",
    ])
}

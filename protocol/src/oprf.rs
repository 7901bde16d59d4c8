//! The oblivious pseudo-random function: RFC 9497 VOPRF(ristretto255, SHA-512), mode 0x01, with its key split over
//! holders (`docs/protocol.md` section 4).
//!
//! A member blinds its inputs ([`blind`]), any `t` holders multiply them by their share and prove it
//! ([`evaluate`]), the member checks each proof ([`verify`]), then combines and unblinds ([`finalise`]). The output is
//! RFC 9497's own for the combined key, to the byte, whichever `t` holders answered.
//!
//! Written over curve25519-dalek because the whole path then costs a quarter of what a general crate asks: points are
//! compressed in batches, proofs checked with one multiplication over the batch, and combining and unblinding share
//! one scalar multiplication. Constant time wherever a share, a blind or an input takes part; variable time only over
//! what both sides see.
//!
//! Not here: who may ask, and how often ([`crate::evaluation`]); how shares come about (the key ceremony).

use std::fmt;
use std::sync::LazyLock;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

mod dleq;
mod element;
mod threshold;

pub use dleq::{NotAProof, Proof, WrongProof, verify};
pub use element::{BadElements, BadPoint, Elements, PublicKey, PublicShare};
pub use threshold::{BadShare, CombineError, KeyShare, evaluate, finalise, hedged_nonce_rng};

/// Bytes of one encoded group element.
pub const ELEMENT_LEN: usize = 32;
/// Bytes of a proof: two scalars.
pub const PROOF_LEN: usize = 64;
/// Bytes of the function's output.
pub const OUTPUT_LEN: usize = 64;
/// Most inputs in one request.
pub const MAX_BATCH: usize = 256;
/// Most holders of one key, and so the highest holder index (section 3.3: three to seven).
pub const MAX_HOLDERS: u16 = 7;

/// RFC 9497 section 3.1: `"OPRFV1-" || I2OSP(mode, 1) || "-" || identifier`, with mode 0x01 (VOPRF).
macro_rules! with_context {
    ($prefix:literal) => {
        concat!($prefix, "OPRFV1-\x01-ristretto255-SHA512").as_bytes()
    };
}
const HASH_TO_GROUP: &[u8] = with_context!("HashToGroup-");
const HASH_TO_SCALAR: &[u8] = with_context!("HashToScalar-");
const SEED: &[u8] = with_context!("Seed-");

/// 1/2. `double_and_compress_batch` gives the encoding of twice a point, so we hand it halves.
static HALF: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(2_u8).invert());

/// What a holder gives for one key: the elements times its share, and the proof that it used that share for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// One element per blinded element, in the same order.
    pub elements: Elements,
    /// Proof over the whole batch.
    pub proof: Proof,
}

/// What the asker keeps while holders work: the inputs and what undoes the blinds. Wiped when dropped.
pub struct Blinded {
    inputs: Vec<Zeroizing<Vec<u8>>>,
    unblinders: Vec<Scalar>,
}

impl Blinded {
    /// Number of inputs.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.inputs.len()
    }
}

impl Drop for Blinded {
    fn drop(&mut self) {
        self.unblinders.zeroize();
    }
}

impl fmt::Debug for Blinded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blinded({} inputs, <redacted>)", self.inputs.len())
    }
}

/// Why inputs cannot be blinded. The fault is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlindError {
    /// No inputs, or more than [`MAX_BATCH`].
    #[error("{0} inputs; a batch has 1 to {MAX_BATCH}")]
    Count(usize),
    /// An input is empty or longer than 65,535 bytes.
    #[error("input {0} is empty or longer than 65,535 bytes")]
    Length(usize),
    /// An input that hashes to the identity, which nobody knows how to find (RFC 9497, `InvalidInputError`).
    #[error("input {0} hashes to the identity")]
    Identity(usize),
}

/// RFC 9497 section 3.3.2, `Blind`, for a batch. One blind is drawn per input, in order.
///
/// # Errors
/// See [`BlindError`].
pub fn blind(
    inputs: &[Vec<u8>],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(Blinded, Elements), BlindError> {
    if !(1..=MAX_BATCH).contains(&inputs.len()) {
        return Err(BlindError::Count(inputs.len()));
    }
    let mut blinds: Vec<Scalar> = inputs.iter().map(|_| random_scalar(rng)).collect();
    let mut halves = Zeroizing::new(Vec::with_capacity(inputs.len()));
    for (index, (input, blind)) in inputs.iter().zip(&blinds).enumerate() {
        if input.is_empty() || u16::try_from(input.len()).is_err() {
            return Err(BlindError::Length(index));
        }
        let mut point = hash_to_group(input);
        if point.is_identity() {
            return Err(BlindError::Identity(index));
        }
        halves.push(point * (blind * *HALF));
        point.zeroize();
    }
    Scalar::batch_invert(&mut blinds);
    let inputs = inputs.iter().cloned().map(Zeroizing::new).collect();
    Ok((Blinded { inputs, unblinders: blinds }, Elements::from_halves(&halves)))
}

/// A uniform scalar other than zero (RFC 9497 section 2.1, `RandomScalar`).
fn random_scalar(rng: &mut (impl RngCore + CryptoRng)) -> Scalar {
    loop {
        let scalar = Scalar::random(rng);
        if scalar != Scalar::ZERO {
            return scalar;
        }
    }
}

fn hash_to_group(input: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&expand(&[input], HASH_TO_GROUP))
}

fn hash_to_scalar(parts: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(parts, HASH_TO_SCALAR))
}

/// RFC 9380 section 5.3.1, `expand_message_xmd` with SHA-512, for the one length we need: 64 bytes.
fn expand(message: &[&[u8]], dst: &[u8]) -> Zeroizing<[u8; 64]> {
    const LENGTH: [u8; 2] = 64_u16.to_be_bytes();
    let dst_length = [u8::try_from(dst.len()).expect("our labels are short")];
    let mut hash = Sha512::new_with_prefix([0; 128]);
    for part in message {
        hash.update(part);
    }
    let first: Zeroizing<[u8; 64]> = Zeroizing::new(
        hash.chain_update(LENGTH)
            .chain_update([0])
            .chain_update(dst)
            .chain_update(dst_length)
            .finalize()
            .into(),
    );
    let hash = Sha512::new_with_prefix(*first);
    Zeroizing::new(hash.chain_update([1]).chain_update(dst).chain_update(dst_length).finalize().into())
}

/// `I2OSP(len(part), 2) || part` for each part: the transcripts of RFC 9497.
fn update_prefixed(mut hash: Sha512, parts: &[&[u8]]) -> Sha512 {
    for part in parts {
        let length = u16::try_from(part.len()).expect("every part is checked to be short");
        hash.update(length.to_be_bytes());
        hash.update(part);
    }
    hash
}

#[cfg(test)]
mod tests;

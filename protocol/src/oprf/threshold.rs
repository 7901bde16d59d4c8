//! The key in shares: what one holder computes, and how any `t` results become the output of the whole key.

use std::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, RngCore, SeedableRng};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

use super::dleq::prove;
use super::{Blinded, Elements, Evaluation, HALF, MAX_HOLDERS, OUTPUT_LEN, PublicShare, update_prefixed};
use crate::crypto::hmac_sha256;
use crate::field::join;
use crate::label;
use crate::secret::Secret;

/// The bytes are not a canonical scalar other than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable key share")]
pub struct BadShare;

/// One holder's share of one key, for evaluation only, never for signing. Wiped when dropped.
pub struct KeyShare {
    secret: Scalar,
    public: PublicShare,
}

impl KeyShare {
    /// From the encoding of its scalar.
    ///
    /// # Errors
    /// [`BadShare`] when not canonical, or zero.
    pub fn from_bytes(bytes: &Secret<32>) -> Result<Self, BadShare> {
        let secret = Option::<Scalar>::from(Scalar::from_canonical_bytes(*bytes.expose())).ok_or(BadShare)?;
        if secret == Scalar::ZERO {
            return Err(BadShare);
        }
        Ok(Self { public: PublicShare::of(&secret), secret })
    }

    /// The encoding of its scalar, for sealing to disk.
    #[must_use]
    pub fn to_bytes(&self) -> Secret<32> {
        Secret::new(self.secret.to_bytes())
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicShare {
        &self.public
    }

    pub(super) const fn secret(&self) -> &Scalar {
        &self.secret
    }
}

impl Drop for KeyShare {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyShare(<redacted>, {:?})", self.public)
    }
}

/// The randomness of a proof: hedged, because a restored machine may repeat its randomness, and two proofs with one
/// nonce over different elements give the share away. Bound to the share, to `os_randomness` and to the hash of the
/// header, which names the elements.
#[must_use]
pub fn hedged_nonce_rng(share: &KeyShare, os_randomness: &[u8; 32], header: &[u8; 32]) -> ChaCha20Rng {
    let mut seed = hmac_sha256(share.to_bytes().expose(), &join(&[label::NONCE, os_randomness, header]));
    let rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    rng
}

/// RFC 9497 section 3.3.2, `BlindEvaluate`, for a batch: multiplies every element by the share and proves it.
/// `nonce_rng` is [`hedged_nonce_rng`]'s.
#[must_use]
pub fn evaluate(
    share: &KeyShare,
    elements: &Elements,
    nonce_rng: &mut (impl RngCore + CryptoRng),
) -> Evaluation {
    let half = Zeroizing::new(share.secret() * *HALF);
    let halves: Vec<_> = elements.points().iter().map(|point| point * *half).collect();
    let evaluated = Elements::from_halves(&halves);
    let proof = prove(share, elements, &evaluated, nonce_rng);
    Evaluation { elements: evaluated, proof }
}

/// Why partial evaluations cannot be combined. The fault is the caller's: holders' faults show in their proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// No partial, an index outside 1..=[`MAX_HOLDERS`], or one index twice.
    #[error("holder indices must be distinct, from 1 to {MAX_HOLDERS}, and at least one")]
    Indices,
    /// A partial has another number of elements than was asked.
    #[error("a partial evaluation has another number of elements than was blinded")]
    Count,
    /// The combination is the identity, which verified partials cannot give.
    #[error("a partial evaluation was not verified")]
    Unverified,
}

/// Combines exactly `t` verified partials of one key, with the index of each holder in the key record from 1,
/// unblinds, and hashes (RFC 9497 section 3.3.2, `Finalize`). Equals RFC 9497's output for the whole key; fewer than
/// `t`, or partials of different keys, give unrelated bytes.
///
/// # Errors
/// See [`CombineError`].
pub fn finalise(
    blinded: &Blinded,
    partials: &[(u16, &Evaluation)],
) -> Result<Vec<Secret<OUTPUT_LEN>>, CombineError> {
    let indices: Vec<u16> = partials.iter().map(|(index, _)| *index).collect();
    let lagrange = Lagrange::at_zero(&indices).ok_or(CombineError::Indices)?;
    if partials.iter().any(|(_, partial)| partial.elements.count() != blinded.count()) {
        return Err(CombineError::Count);
    }
    let scale = lagrange.denominator_inverse * *HALF;
    let mut halves = Zeroizing::new(Vec::with_capacity(blinded.count()));
    for (place, unblinder) in blinded.unblinders.iter().enumerate() {
        let points = partials.iter().map(|(_, partial)| &partial.elements.points()[place]);
        let combined = lagrange.combine(points);
        if combined.is_identity() {
            return Err(CombineError::Unverified);
        }
        // The one multiplication by a secret, and therefore in constant time.
        halves.push(combined * (unblinder * scale));
    }
    let unblinded = Zeroizing::new(RistrettoPoint::double_and_compress_batch(halves.iter()));
    Ok(blinded.inputs.iter().zip(unblinded.iter()).map(|(input, point)| output(input, &point.0)).collect())
}

fn output(input: &[u8], element: &[u8; 32]) -> Secret<OUTPUT_LEN> {
    let hash = update_prefixed(Sha512::new(), &[input, element]);
    Secret::new(hash.chain_update(b"Finalize").finalize().into())
}

/// Lagrange coefficients at zero as small integers over one denominator, so that combining costs a few additions.
/// They are public.
struct Lagrange {
    /// At most 7! / 2 in size; in the order of the indices.
    numerators: Vec<i64>,
    denominator_inverse: Scalar,
}

impl Lagrange {
    /// For distinct indices from 1 to [`MAX_HOLDERS`], at least one of them.
    fn at_zero(indices: &[u16]) -> Option<Self> {
        let in_range = indices.iter().all(|index| (1..=MAX_HOLDERS).contains(index));
        let distinct = indices.iter().enumerate().all(|(place, index)| !indices[..place].contains(index));
        if indices.is_empty() || !in_range || !distinct {
            return None;
        }
        // lambda_j = prod over m != j of x_m / (x_m - x_j), brought to the product of all denominators' magnitudes
        // and then to lowest terms.
        let fractions: Vec<(i64, i64)> = indices.iter().map(|&own| coefficient(own, indices)).collect();
        let common = fractions.iter().fold(1, |common, (_, below)| common / gcd(common, *below) * below);
        let numerators = fractions.iter().map(|(above, below)| above * (common / below)).collect();
        let denominator = u64::try_from(common).expect("a least common multiple of positive numbers");
        Some(Self { numerators, denominator_inverse: Scalar::from(denominator).invert() })
    }

    /// The sum of numerators times points: the combination times the denominator.
    fn combine<'a>(&self, points: impl Iterator<Item = &'a RistrettoPoint>) -> RistrettoPoint {
        let terms: Vec<(u64, RistrettoPoint)> = self
            .numerators
            .iter()
            .zip(points)
            .map(|(numerator, point)| {
                (numerator.unsigned_abs(), if *numerator < 0 { -point } else { *point })
            })
            .collect();
        let bits = terms.iter().map(|(factor, _)| u64::BITS - factor.leading_zeros()).max().unwrap_or(0);
        let mut sum = RistrettoPoint::identity();
        for bit in (0..bits).rev() {
            sum = sum + sum;
            for (_, point) in terms.iter().filter(|(factor, _)| factor >> bit & 1 == 1) {
                sum += point;
            }
        }
        sum
    }
}

/// One coefficient as a fraction in lowest terms with a positive denominator.
fn coefficient(own: u16, indices: &[u16]) -> (i64, i64) {
    let (mut above, mut below) = (1_i64, 1_i64);
    for &other in indices.iter().filter(|&&other| other != own) {
        above *= i64::from(other);
        below *= i64::from(other) - i64::from(own);
    }
    let divisor = gcd(above, below) * below.signum();
    (above / divisor, below / divisor)
}

/// Greatest common divisor, positive; neither number is zero.
fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

//! Whether what a culprit signed shows what it is accused of, for anyone with the covenant (`docs/protocol.md` sections
//! 3.4 and 7.5).
//!
//! Some faults lie in what was not signed, or show only next to the whole session; those prove nothing to others.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};

use super::dkg::{ELEMENT_LEN, parse};
use super::fault::{Abort, Evidence, Fault};
use super::message::{Commitment, SessionId, Share};
use super::spec::{KeyId, KeySpec};
use crate::covenant::VerifiedCovenant;
use crate::id::MemberId;
use crate::sign::VerifyingKey;

impl Abort {
    /// The session it is about, where the culprit signed anything.
    #[must_use]
    pub fn session(&self) -> Option<&SessionId> {
        self.evidence.first().map(|evidence| match evidence {
            Evidence::Commitment(it) => &it.session,
            Evidence::Share(it) => &it.session,
            Evidence::Confirm(it) => &it.session,
        })
    }

    /// Whether the culprit's signatures show its fault.
    #[must_use]
    pub fn proves(&self, covenant: &VerifiedCovenant) -> bool {
        let Some(card) = covenant.member(&self.culprit) else { return false };
        let accused = Accused { covenant, member: &self.culprit, key: card.signing_key };
        match (self.fault, self.evidence.as_slice()) {
            (Fault::TwoFaced, [Evidence::Commitment(one), Evidence::Commitment(other)]) => {
                accused.committed(one).is_some()
                    && accused.committed(other).is_some()
                    && (&one.session, &one.key) == (&other.session, &other.key)
                    && one.body != other.body
            }
            (Fault::TwoFaced, [Evidence::Share(one), Evidence::Share(other)]) => {
                accused.shared(one).is_some()
                    && accused.shared(other).is_some()
                    && (&one.session, &one.key, &one.receiver)
                        == (&other.session, &other.key, &other.receiver)
                    && one.body.expose() != other.body.expose()
            }
            (Fault::CommitmentLength | Fault::CommitmentForm, [Evidence::Commitment(it)]) => {
                let spec = accused.committed(it);
                spec.and_then(|spec| parse(&spec, it.body.as_ref()).err()) == Some(self.fault)
            }
            (Fault::Proof, [Evidence::Commitment(it)]) => {
                accused.committed(it).is_some_and(|spec| !knows(&spec, it))
            }
            (Fault::Share, [Evidence::Share(it)]) => {
                accused.shared(it).is_some() && scalar(it.body.expose()).is_none()
            }
            (Fault::Share, [Evidence::Commitment(commitment), Evidence::Share(share)]) => {
                let same = (&commitment.session, &commitment.key) == (&share.session, &share.key);
                let spec = accused.committed(commitment).filter(|_| same && accused.shared(share).is_some());
                spec.is_some_and(|spec| fits(&spec, commitment, share) == Some(false))
            }
            _ => false,
        }
    }
}

struct Accused<'a> {
    covenant: &'a VerifiedCovenant,
    member: &'a MemberId,
    key: VerifyingKey,
}

impl Accused<'_> {
    fn spec(&self, key: &KeyId) -> Option<KeySpec> {
        let covenant = self.covenant;
        let known = covenant.purpose(&key.purpose).is_some() && covenant.matchers.contains(&key.matcher);
        let spec = KeySpec::new(key.clone(), covenant.holders_of(&key.matcher)).ok()?;
        spec.position(self.member).filter(|_| known).map(|_| spec)
    }

    fn committed(&self, it: &Commitment) -> Option<KeySpec> {
        let spec = self.spec(&it.key).filter(|_| it.sender == *self.member)?;
        it.verify(&spec, &self.key).is_ok().then_some(spec)
    }

    fn shared(&self, it: &Share) -> Option<KeySpec> {
        let spec = self.spec(&it.key).filter(|_| it.sender == *self.member && it.receiver != it.sender)?;
        spec.position(&it.receiver)?;
        it.verify(&spec, &self.key).is_ok().then_some(spec)
    }
}

fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes).into()
}

/// The committed elements and what follows them: the proof.
fn read<'a>(spec: &KeySpec, it: &'a Commitment) -> Option<(Vec<RistrettoPoint>, &'a [u8])> {
    parse(spec, it.body.as_ref()).ok()?;
    let (elements, proof) = it.body.as_ref().split_at(usize::from(spec.threshold()) * ELEMENT_LEN);
    let element = |bytes: &[u8]| CompressedRistretto::from_slice(bytes).ok()?.decompress();
    Some((elements.chunks(ELEMENT_LEN).map(element).collect::<Option<_>>()?, proof))
}

/// FROST's proof of knowledge (RFC-style: `z * G = R + c * A_0`, `c = H(position, A_0, R)` with the suite's `dkg` label).
/// A commitment that does not parse has another fault, and counts as proven here.
fn knows(spec: &KeySpec, it: &Commitment) -> bool {
    let Some((elements, proof)) = read(spec, it) else { return true };
    let (Some(first), Some(position)) = (elements.first(), spec.position(&it.sender)) else { return true };
    let (r, z) = proof.split_at(ELEMENT_LEN);
    let point = CompressedRistretto::from_slice(r).ok().and_then(|point| point.decompress());
    let z = z.try_into().ok().and_then(scalar);
    let (Some(point), Some(z)) = (point, z) else { return true };
    let challenge = Sha512::new()
        .chain_update(b"FROST-RISTRETTO255-SHA512-v1")
        .chain_update(b"dkg")
        .chain_update(Scalar::from(position).as_bytes())
        .chain_update(first.compress().as_bytes())
        .chain_update(r);
    let challenge = Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
    RistrettoPoint::mul_base(&z) == point + challenge * first
}

/// Whether the share is the committed polynomial's value at the receiver's position; none where that cannot be told.
fn fits(spec: &KeySpec, commitment: &Commitment, share: &Share) -> Option<bool> {
    let (elements, _) = read(spec, commitment)?;
    let x = Scalar::from(spec.position(&share.receiver)?);
    let value = elements.iter().rev().fold(RistrettoPoint::identity(), |sum, element| sum * x + element);
    let body = scalar(share.body.expose())?;
    Some(RistrettoPoint::mul_base(&body) == value)
}

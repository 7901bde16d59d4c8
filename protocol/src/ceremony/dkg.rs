//! The distributed generation of one key in one session, over `frost-ristretto255` (`docs/protocol.md` section 3.4).
//!
//! FROST's own proof of knowledge binds no session and no threshold, so every package here is signed with both, and
//! packages are encoded raw: their serde form has no fixed size. Everything a holder makes follows from its seed and
//! the session, so a holder that goes through a session twice never says two different things.
//!
//! Not here: when a round is over for all keys; see [`super::session`].

use std::collections::BTreeMap;

use frost_ristretto255::keys::dkg::{part1, part2, part3, round1, round2};
use frost_ristretto255::keys::{PublicKeyPackage, SigningShare, VerifiableSecretSharingCommitment};
use frost_ristretto255::{Error, Identifier};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::Setup;
use super::fault::{Abort, Evidence, Fault};
use super::message::{Commitment, SessionId, Share};
use super::record::{KeyRecord, Point};
use super::spec::KeySpec;
use crate::crypto::hmac_sha256;
use crate::field::join;
use crate::id::MemberId;
use crate::label;
use crate::secret::Secret;

/// Size of a group element and of a scalar.
pub(super) const ELEMENT_LEN: usize = 32;
/// Size of the proof of knowledge: an element and a scalar.
const PROOF_LEN: usize = 64;

/// One key of one session. A holder of other keys follows it too, for the transcript, without secrets.
pub(super) struct Dkg {
    spec: KeySpec,
    session: SessionId,
    commitments: BTreeMap<MemberId, (Commitment, round1::Package)>,
    /// This node's polynomial, if it holds this key.
    polynomial: Option<round1::SecretPackage>,
    /// After round 1: its own value, and the shares it has for the others.
    opened: Option<(round2::SecretPackage, BTreeMap<MemberId, Share>)>,
    received: BTreeMap<MemberId, Share>,
}

impl Dkg {
    /// Draws this node's polynomial, if it holds the key, and commits to it.
    pub(super) fn start(setup: &Setup, seed: &Secret<32>, session: SessionId, spec: &KeySpec) -> Self {
        let mut dkg = Self {
            spec: spec.clone(),
            session,
            commitments: BTreeMap::new(),
            polynomial: None,
            opened: None,
            received: BTreeMap::new(),
        };
        if let Some(position) = spec.position(&setup.me) {
            let n = u16::try_from(spec.holders().len()).expect("a key has at most seven holders");
            let rng = polynomial_rng(seed, session, spec);
            let (polynomial, package) = part1(identifier(position), n, spec.threshold(), rng)
                .expect("2 <= t <= n, and a random element is not the identity");
            let commitment = Commitment::new(session, spec, &setup.me, encode(&package), &setup.signing_key);
            dkg.commitments.insert(setup.me.clone(), (commitment, package));
            dkg.polynomial = Some(polynomial);
        }
        dkg
    }

    pub(super) const fn spec(&self) -> &KeySpec {
        &self.spec
    }

    /// Takes a commitment that `from` has shown: its own or another's.
    pub(super) fn take_commitment(
        &mut self,
        setup: &Setup,
        from: &MemberId,
        new: Commitment,
    ) -> Result<(), Abort> {
        let known = self.commitments.get(&new.sender).map(|(known, _)| known);
        if known.is_some_and(|known| known.body == new.body && known.session == new.session) {
            return Ok(());
        }
        let key = setup.holders.get(&new.sender).filter(|_| self.spec.position(&new.sender).is_some());
        let key =
            key.filter(|_| new.session == self.session).ok_or_else(|| Abort::new(from, Fault::Unexpected))?;
        new.verify(&self.spec, key).map_err(|_| Abort::new(from, Fault::Signature))?;
        if let Some(known) = known {
            let both = vec![Evidence::Commitment(known.clone()), Evidence::Commitment(new.clone())];
            return Err(Abort::proven(&new.sender, Fault::TwoFaced, both));
        }
        match parse(&self.spec, new.body.as_ref()) {
            Ok(package) => {
                self.commitments.insert(new.sender.clone(), (new, package));
                Ok(())
            }
            Err(fault) => Err(Abort::proven(&new.sender.clone(), fault, vec![Evidence::Commitment(new)])),
        }
    }

    /// Takes the share that `from` has for this node. Whether it fits is seen once all are there.
    pub(super) fn take_share(&mut self, setup: &Setup, from: &MemberId, new: Share) -> Result<(), Abort> {
        let known = self.received.get(&new.sender);
        if known.is_some_and(|known| known.body == new.body && known.session == new.session) {
            return Ok(());
        }
        let both_hold = [&setup.me, from].into_iter().all(|member| self.spec.position(member).is_some());
        let belongs = new.sender == *from && new.receiver == setup.me && new.session == self.session;
        let key = setup.holders.get(from).filter(|_| both_hold && belongs && *from != setup.me);
        let key = key.ok_or_else(|| Abort::new(from, Fault::Unexpected))?;
        new.verify(&self.spec, key).map_err(|_| Abort::new(from, Fault::Signature))?;
        if let Some(known) = known {
            let both = vec![Evidence::Share(known.clone()), Evidence::Share(new)];
            return Err(Abort::proven(from, Fault::TwoFaced, both));
        }
        if SigningShare::deserialize(new.body.expose()).is_err() {
            return Err(Abort::proven(from, Fault::Share, vec![Evidence::Share(new)]));
        }
        self.received.insert(from.clone(), new);
        Ok(())
    }

    /// Holders whose commitment is not there.
    pub(super) fn uncommitted(&self) -> impl Iterator<Item = &MemberId> {
        self.spec.holders().iter().filter(|holder| !self.commitments.contains_key(*holder))
    }

    /// Holders whose share for this node, which holds this key, is not there.
    pub(super) fn unshared<'a>(&'a self, setup: &'a Setup) -> impl Iterator<Item = &'a MemberId> {
        let others =
            self.spec.holders().iter().filter(|holder| self.polynomial.is_some() && **holder != setup.me);
        others.filter(|holder| !self.received.contains_key(*holder))
    }

    pub(super) fn commitments(&self) -> impl Iterator<Item = &Commitment> {
        self.commitments.values().map(|(commitment, _)| commitment)
    }

    pub(super) fn received(&self) -> impl Iterator<Item = &Share> {
        self.received.values()
    }

    /// The share that only `member` may see, once all commitments are in.
    pub(super) fn share_for(&self, member: &MemberId) -> Option<&Share> {
        self.opened.as_ref()?.1.get(member)
    }

    /// Round 2, once all commitments are there: checks every proof and computes the others' shares.
    pub(super) fn open(&mut self, setup: &Setup) -> Result<(), Abort> {
        let (None, Some(polynomial)) = (&self.opened, &self.polynomial) else { return Ok(()) };
        let (secret, packages) =
            part2(polynomial.clone(), &self.others(setup)).map_err(|error| self.blame(setup, &error))?;
        let mut shares = BTreeMap::new();
        for (position, receiver) in (1..).zip(self.spec.holders()) {
            if let Some(package) = packages.get(&identifier(position)) {
                let body = scalar(package.signing_share());
                let share =
                    Share::new(self.session, &self.spec, (&setup.me, receiver), body, &setup.signing_key);
                shares.insert(receiver.clone(), share);
            }
        }
        self.opened = Some((secret, shares));
        Ok(())
    }

    /// Round 3, once all shares are there: checks every share and adds them up. `None` when not a holder of this key.
    pub(super) fn share(&self, setup: &Setup) -> Result<Option<Secret<32>>, Abort> {
        let Some((secret, _)) = &self.opened else { return Ok(None) };
        let mut received = BTreeMap::new();
        for (sender, share) in &self.received {
            let position = self.spec.position(sender).expect("only shares of holders are taken");
            let share = SigningShare::deserialize(share.body.expose()).expect("checked when it was taken");
            received.insert(identifier(position), round2::Package::new(share));
        }
        let (key, _) =
            part3(secret, &self.others(setup), &received).map_err(|error| self.blame(setup, &error))?;
        Ok(Some(scalar(key.signing_share())))
    }

    /// What the commitments say of the key; anyone can compute it. `None` while one is missing, and in the case, which
    /// chance does not bring about and which no valid shares go with, that an element is the identity.
    pub(super) fn record(&self, setup: &Setup) -> Option<KeyRecord> {
        let positions = (1..).zip(self.spec.holders());
        let commitments: Option<BTreeMap<_, _>> = positions
            .map(|(position, holder)| {
                Some((identifier(position), self.commitments.get(holder)?.1.commitment()))
            })
            .collect();
        let public = PublicKeyPackage::from_dkg_commitments(&commitments?).ok()?;
        let shares = public.verifying_shares().values().map(|share| point(&share.serialize().ok()?));
        Some(KeyRecord {
            network: setup.network,
            epoch: setup.epoch,
            purpose: self.spec.key().purpose.clone(),
            matcher: self.spec.key().matcher.clone(),
            t: self.spec.threshold(),
            holders: self.spec.holders().to_vec(),
            public: point(&public.verifying_key().serialize().ok()?)?,
            shares: shares.collect::<Option<_>>()?,
        })
    }

    fn others(&self, setup: &Setup) -> BTreeMap<Identifier, round1::Package> {
        let others = (1..).zip(self.spec.holders()).filter(|(_, holder)| **holder != setup.me);
        others
            .filter_map(|(position, holder)| {
                Some((identifier(position), self.commitments.get(holder)?.1.clone()))
            })
            .collect()
    }

    /// Names who caused `error`, with what it signed. FROST names the sender of whatever a package can do wrong; anything
    /// else is this node's own mistake.
    fn blame(&self, setup: &Setup, error: &Error) -> Abort {
        let fault = match error {
            Error::InvalidProofOfKnowledge { .. } => Fault::Proof,
            _ => Fault::Share,
        };
        let culprit = error.culprits().first().copied();
        let mut holders = (1..).zip(self.spec.holders());
        let culprit = holders.find(|(position, _)| Some(identifier(*position)) == culprit);
        let culprit = culprit.map_or(&setup.me, |(_, holder)| holder);
        let commitment = self.commitments.get(culprit).map(|(known, _)| Evidence::Commitment(known.clone()));
        let share = self.received.get(culprit).filter(|_| fault == Fault::Share);
        let share = share.map(|share| Evidence::Share(share.clone()));
        Abort::proven(culprit, fault, commitment.into_iter().chain(share).collect())
    }
}

/// Positions count from 1: the polynomial's value at 0 is the key itself.
fn identifier(position: u16) -> Identifier {
    Identifier::try_from(position).expect("a position is not zero")
}

fn polynomial_rng(seed: &Secret<32>, session: SessionId, spec: &KeySpec) -> ChaCha20Rng {
    let key = spec.key();
    let context = [label::CEREMONY_SEED, session.as_bytes(), key.purpose.as_bytes(), key.matcher.as_bytes()];
    let derived = Zeroizing::new(hmac_sha256(seed.expose(), &join(&context)));
    ChaCha20Rng::from_seed(*derived)
}

fn encode(package: &round1::Package) -> Vec<u8> {
    let commitment = package.commitment().serialize_whole();
    let proof = package.proof_of_knowledge().serialize();
    [commitment, proof].map(|part| part.expect("our own elements are not the identity")).concat()
}

/// Reads a commitment body: exactly the elements of the threshold and a proof.
pub(super) fn parse(spec: &KeySpec, body: &[u8]) -> Result<round1::Package, Fault> {
    // Exactly t elements: one more would raise the threshold for everyone (C2SP COCKTAIL-DKG, Trail of Bits 2024).
    let commitment_len = usize::from(spec.threshold()) * ELEMENT_LEN;
    if body.len() != commitment_len + PROOF_LEN {
        return Err(Fault::CommitmentLength);
    }
    let (commitment, proof) = body.split_at(commitment_len);
    let commitment = VerifiableSecretSharingCommitment::deserialize_whole(commitment);
    let proof = frost_ristretto255::Signature::deserialize(proof);
    match (commitment, proof) {
        (Ok(commitment), Ok(proof)) => Ok(round1::Package::new(commitment, proof)),
        _ => Err(Fault::CommitmentForm),
    }
}

fn scalar(share: &SigningShare) -> Secret<32> {
    let bytes = Zeroizing::new(share.serialize());
    bytes.as_slice().try_into().expect("a scalar is 32 bytes")
}

fn point(bytes: &[u8]) -> Option<Point> {
    Point::from_bytes(bytes.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests;

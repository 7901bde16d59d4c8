//! The messages of `/kring/ceremony/1` and what is signed in them (`docs/protocol.md` section 3.4).
//!
//! Not here: what a message means in a session; see the parent module.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::SignedKeyRecord;
use super::spec::{KeyId, KeySpec};
use crate::codec::{Bytes, Wire};
use crate::crypto::sha256;
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, byte_id};
use crate::label;
use crate::secret::Secret;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};

/// Most keys made in one ceremony: sixteen matchers and eight purposes.
pub const KEYS_MAX: usize = 128;

/// Most bytes of an answer or of kept state; a ceremony of 128 keys with seven holders each takes about 700,000.
pub(super) const STATE_MAX_LEN: usize = 1 << 20;

byte_id! {
    /// What a holder draws when it enters a ceremony, and keeps until the end or until it loses its state.
    Nonce, 32
}
byte_id! {
    /// Hash of everything a session of the ceremony is about, all nonces included.
    SessionId, 32
}

/// What one member asks another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Request {
    /// From a key holder: all you have in this ceremony, and what is meant for me.
    Poll {
        /// The covenant that orders the ceremony.
        covenant: CovenantHash,
        /// The epoch whose keys are made.
        epoch: Epoch,
    },
    /// From any member: the finished key records of this epoch.
    Records {
        /// Which epoch.
        epoch: Epoch,
    },
}

impl Wire for Request {
    const MAX_LEN: usize = 128;
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Response {
    /// Still at work.
    Working(Working),
    /// All signatures are there, so whoever has signed can finish.
    Finished(Finished),
    /// Stopped, and whom it blames.
    Aborted {
        /// Who made it stop.
        culprit: MemberId,
    },
    /// Not in the ceremony that was asked for, or the asker is not.
    Elsewhere,
    /// The key records of the epoch that was asked for; none while they are being made.
    Records(Vec<SignedKeyRecord>),
}

impl Wire for Response {
    const MAX_LEN: usize = STATE_MAX_LEN;
}

/// What a holder has so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Working {
    /// The answering holder's nonce.
    pub nonce: Nonce,
    /// Its signature on the nonce.
    pub signature: Signature,
    /// The session it works in, once it knows all nonces.
    pub session: Option<SessionId>,
    /// Round 1: all commitments it has in that session, its own and others', so that nobody can show two faces.
    pub commitments: Vec<Commitment>,
    /// Round 2: its shares for the asker in that session.
    pub shares: Vec<Share>,
    /// Round 3: all confirmations it has of the session it has signed itself.
    pub confirms: Vec<Confirm>,
}

/// What a holder that has finished tells one that has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finished {
    /// The nonces of the session that was finished.
    pub nonces: BTreeMap<MemberId, Nonce>,
    /// Every holder's confirmation of it.
    pub confirms: Vec<Confirm>,
}

/// Round 1, for everyone: a holder's commitment to its polynomial for one key, with a proof that it knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The session.
    pub session: SessionId,
    /// The key.
    pub key: KeyId,
    /// Whose commitment.
    pub sender: MemberId,
    /// `t` elements of 32 bytes, then the proof of knowledge of 64.
    pub body: Bytes,
    /// The sender's signature.
    pub signature: Signature,
}

/// Round 2, for one receiver only: the sender's polynomial at the receiver's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The session.
    pub session: SessionId,
    /// The key.
    pub key: KeyId,
    /// Whose polynomial.
    pub sender: MemberId,
    /// Who alone may see it.
    pub receiver: MemberId,
    /// A canonical scalar.
    #[serde(with = "secret_bytes")]
    pub body: Secret<32>,
    /// The sender's signature.
    pub signature: Signature,
}

/// Round 3, for everyone: a holder has valid shares, has stored them, and signs what all must have seen alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The session.
    pub session: SessionId,
    /// Who confirms.
    pub member: MemberId,
    /// Hash of all commitments and key records of the session.
    #[serde(with = "crate::codec::array")]
    pub transcript: [u8; 32],
    /// Its signature on the record of each key it holds, in the order of the keys.
    pub records: Vec<Signature>,
    /// Its signature on session, transcript and those signatures.
    pub signature: Signature,
}

/// A nonce's signature covers the ceremony it is for; the session does not exist yet.
pub(super) struct NonceStatement<'a> {
    pub(super) network: &'a NetworkId,
    pub(super) covenant: &'a CovenantHash,
    pub(super) epoch: Epoch,
    pub(super) member: &'a MemberId,
    pub(super) nonce: &'a Nonce,
}

impl NonceStatement<'_> {
    fn with_fields<R>(&self, use_fields: impl FnOnce(&[&[u8]]) -> R) -> R {
        use_fields(&[
            self.network.as_bytes(),
            self.covenant.as_bytes(),
            &self.epoch.to_be_bytes(),
            self.member.as_bytes(),
            self.nonce.as_bytes(),
        ])
    }

    pub(super) fn sign(&self, key: &SigningKey) -> Signature {
        self.with_fields(|fields| key.sign(label::CEREMONY_NONCE, fields))
    }

    pub(super) fn verify(&self, key: &VerifyingKey, signature: &Signature) -> Result<(), BadSignature> {
        self.with_fields(|fields| key.verify(label::CEREMONY_NONCE, fields, signature))
    }
}

/// What a package's signature covers, so that it counts in one place of one session only.
struct PackageStatement<'a> {
    session: &'a SessionId,
    round: u32,
    spec: &'a KeySpec,
    sender: &'a MemberId,
    /// Empty in round 1, whose packages are for everyone.
    receiver: &'a [u8],
    body: &'a [u8],
}

impl PackageStatement<'_> {
    /// The body enters by its hash, so that no copy of a secret share is left behind.
    fn with_fields<R>(&self, use_fields: impl FnOnce(&[&[u8]]) -> R) -> R {
        let key = self.spec.key();
        let (round, t) = (self.round.to_be_bytes(), u32::from(self.spec.threshold()).to_be_bytes());
        let n =
            u32::try_from(self.spec.holders().len()).expect("a key has at most seven holders").to_be_bytes();
        let body = sha256(self.body);
        let mut fields: Vec<&[u8]> =
            vec![self.session.as_bytes(), &round, key.purpose.as_bytes(), key.matcher.as_bytes(), &t, &n];
        fields.extend(self.spec.holders().iter().map(MemberId::as_bytes));
        fields.extend([self.sender.as_bytes(), self.receiver, &body]);
        use_fields(&fields)
    }

    fn sign(&self, key: &SigningKey) -> Signature {
        self.with_fields(|fields| key.sign(label::CEREMONY_PACKAGE, fields))
    }

    fn verify(&self, key: &VerifyingKey, signature: &Signature) -> Result<(), BadSignature> {
        self.with_fields(|fields| key.verify(label::CEREMONY_PACKAGE, fields, signature))
    }
}

impl Commitment {
    pub(crate) fn new(
        session: SessionId,
        spec: &KeySpec,
        sender: &MemberId,
        body: Vec<u8>,
        key: &SigningKey,
    ) -> Self {
        let statement =
            PackageStatement { session: &session, round: 1, spec, sender, receiver: b"", body: &body };
        let signature = statement.sign(key);
        Self { session, key: spec.key().clone(), sender: sender.clone(), body: Bytes(body), signature }
    }

    pub(super) fn verify(&self, spec: &KeySpec, key: &VerifyingKey) -> Result<(), BadSignature> {
        let (sender, body) = (&self.sender, self.body.as_ref());
        let statement =
            PackageStatement { session: &self.session, round: 1, spec, sender, receiver: b"", body };
        statement.verify(key, &self.signature)
    }
}

impl Share {
    pub(crate) fn new(
        session: SessionId,
        spec: &KeySpec,
        (sender, receiver): (&MemberId, &MemberId),
        body: Secret<32>,
        key: &SigningKey,
    ) -> Self {
        let (sender, receiver) = (sender.clone(), receiver.clone());
        let empty = Signature::from_bytes([0; 64]);
        let unsigned = Self { session, key: spec.key().clone(), sender, receiver, body, signature: empty };
        let signature = unsigned.statement(spec).sign(key);
        Self { signature, ..unsigned }
    }

    pub(super) fn verify(&self, spec: &KeySpec, key: &VerifyingKey) -> Result<(), BadSignature> {
        self.statement(spec).verify(key, &self.signature)
    }

    fn statement<'a>(&'a self, spec: &'a KeySpec) -> PackageStatement<'a> {
        PackageStatement {
            session: &self.session,
            round: 2,
            spec,
            sender: &self.sender,
            receiver: self.receiver.as_bytes(),
            body: self.body.expose(),
        }
    }
}

impl Confirm {
    pub(super) fn new(
        session: SessionId,
        member: &MemberId,
        transcript: [u8; 32],
        records: Vec<Signature>,
        key: &SigningKey,
    ) -> Self {
        let empty = Signature::from_bytes([0; 64]);
        let unsigned = Self { session, member: member.clone(), transcript, records, signature: empty };
        let signature = unsigned.with_fields(|fields| key.sign(label::CEREMONY_TRANSCRIPT, fields));
        Self { signature, ..unsigned }
    }

    pub(super) fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        self.with_fields(|fields| key.verify(label::CEREMONY_TRANSCRIPT, fields, &self.signature))
    }

    /// `session || transcript || signatures`: a wrong signature on a record is then proven to be the member's own.
    fn with_fields<R>(&self, use_fields: impl FnOnce(&[&[u8]]) -> R) -> R {
        let mut fields: Vec<&[u8]> = vec![self.session.as_bytes(), &self.transcript];
        fields.extend(self.records.iter().map(|signature| signature.as_bytes().as_slice()));
        use_fields(&fields)
    }
}

/// For the two places where a secret goes into bytes: to its receiver, and to be sealed to disk.
pub(super) mod secret_bytes {
    use serde::{Deserializer, Serializer};

    use crate::codec;
    use crate::secret::Secret;

    pub(in super::super) fn serialize<S: Serializer>(
        secret: &Secret<32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        codec::serialize_bytes(secret.expose(), serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret<32>, D::Error> {
        codec::deserialize_array(deserializer).map(Secret::new)
    }
}

#[cfg(test)]
mod tests;

//! One session of the ceremony: all keys of an epoch at once, for one set of nonces (`docs/protocol.md` section 3.4).
//!
//! Not here: which session counts when nonces change, and what is durable when; see [`super::running`].

use std::collections::{BTreeMap, BTreeSet};

use super::Setup;
use super::dkg::Dkg;
use super::fault::{Abort, Fault};
use super::message::{Commitment, Confirm, Nonce, SessionId, Share};
use super::record::KeyRecord;
use super::spec::KeyId;
use crate::crypto::sha256;
use crate::field::join;
use crate::id::MemberId;
use crate::label;
use crate::secret::Secret;
use crate::sign::VerifyingKey;

/// The hash of all that the holders must agree on before they start. With every nonce in it no package of another
/// attempt fits, whoever replays it.
pub(super) fn session_id(setup: &Setup, nonces: &BTreeMap<MemberId, Nonce>) -> SessionId {
    let count = |n: usize| u32::try_from(n).expect("holders and keys are few").to_be_bytes().to_vec();
    let mut fields = vec![
        label::CEREMONY.to_vec(),
        setup.network.as_bytes().to_vec(),
        setup.covenant.as_bytes().to_vec(),
        setup.epoch.to_be_bytes().to_vec(),
        count(nonces.len()),
    ];
    for (member, nonce) in nonces {
        fields.extend([member.as_bytes().to_vec(), nonce.as_bytes().to_vec()]);
    }
    for spec in &setup.specs {
        let (key, t) = (spec.key(), u32::from(spec.threshold()).to_be_bytes());
        fields.extend([key.purpose.as_bytes().to_vec(), key.matcher.as_bytes().to_vec(), t.to_vec()]);
        fields.push(count(spec.holders().len()));
        fields.extend(spec.holders().iter().map(|holder| holder.as_bytes().to_vec()));
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    SessionId::from_bytes(sha256(&join(&fields)))
}

/// All keys of an epoch in the making, for one set of nonces.
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) nonces: BTreeMap<MemberId, Nonce>,
    keys: Vec<Dkg>,
}

/// What a holder has made at the end of round 2.
pub(super) struct Made {
    pub(super) shares: Vec<(KeyId, Secret<32>)>,
    pub(super) records: Vec<KeyRecord>,
    pub(super) confirm: Confirm,
}

impl Made {
    /// Whether `confirm`, signed by the holder whose key is given, confirms exactly this.
    pub(super) fn agrees_with(&self, confirm: &Confirm, key: &VerifyingKey) -> bool {
        let held: Vec<_> =
            self.records.iter().filter(|record| record.holders.contains(&confirm.member)).collect();
        confirm.transcript == self.confirm.transcript
            && confirm.records.len() == held.len()
            && held
                .iter()
                .zip(&confirm.records)
                .all(|(record, signature)| record.is_signed_by(key, signature))
    }
}

/// Where a session stands, and on whom it waits.
pub(super) enum Lacking<'a> {
    Commitments(BTreeSet<&'a MemberId>),
    Shares(BTreeSet<&'a MemberId>),
}

impl Session {
    pub(super) fn start(setup: &Setup, seed: &Secret<32>, nonces: &BTreeMap<MemberId, Nonce>) -> Self {
        let id = session_id(setup, nonces);
        let keys = setup.specs.iter().map(|spec| Dkg::start(setup, seed, id, spec)).collect();
        Self { id, nonces: nonces.clone(), keys }
    }

    pub(super) fn take_commitment(
        &mut self,
        setup: &Setup,
        from: &MemberId,
        new: Commitment,
    ) -> Result<(), Abort> {
        self.key_mut(from, &new.key)?.take_commitment(setup, from, new)
    }

    pub(super) fn take_share(&mut self, setup: &Setup, from: &MemberId, new: Share) -> Result<(), Abort> {
        self.key_mut(from, &new.key)?.take_share(setup, from, new)
    }

    fn key_mut(&mut self, from: &MemberId, key: &KeyId) -> Result<&mut Dkg, Abort> {
        let index = self.keys.binary_search_by(|dkg| dkg.spec().key().cmp(key));
        index
            .ok()
            .and_then(|index| self.keys.get_mut(index))
            .ok_or_else(|| Abort::new(from, Fault::Unexpected))
    }

    /// All commitments it has, this node's and others'.
    pub(super) fn commitments(&self) -> Vec<Commitment> {
        self.keys.iter().flat_map(Dkg::commitments).cloned().collect()
    }

    /// The shares that only `member` may see.
    pub(super) fn shares_for(&self, member: &MemberId) -> Vec<Share> {
        self.keys.iter().filter_map(|dkg| dkg.share_for(member)).cloned().collect()
    }

    /// The shares this node was sent.
    pub(super) fn received(&self) -> Vec<Share> {
        self.keys.iter().flat_map(Dkg::received).cloned().collect()
    }

    pub(super) fn lacking<'a>(&'a self, setup: &'a Setup) -> Lacking<'a> {
        let uncommitted: BTreeSet<_> = self.keys.iter().flat_map(Dkg::uncommitted).collect();
        if uncommitted.is_empty() {
            Lacking::Shares(self.keys.iter().flat_map(|dkg| dkg.unshared(setup)).collect())
        } else {
            Lacking::Commitments(uncommitted)
        }
    }

    /// Goes as far as what is there allows: opens round 2 when all commitments are in, and when all shares are in too,
    /// makes this node's shares, the records of all keys and its confirmation.
    pub(super) fn advance(&mut self, setup: &Setup) -> Result<Option<Made>, Abort> {
        if matches!(self.lacking(setup), Lacking::Commitments(_)) {
            return Ok(None);
        }
        for dkg in &mut self.keys {
            dkg.open(setup)?;
        }
        if matches!(self.lacking(setup), Lacking::Shares(missing) if !missing.is_empty()) {
            return Ok(None);
        }
        let mut shares = Vec::new();
        for dkg in &self.keys {
            shares.extend(dkg.share(setup)?.map(|share| (dkg.spec().key().clone(), share)));
        }
        let records: Option<Vec<_>> = self.keys.iter().map(|dkg| dkg.record(setup)).collect();
        Ok(records.map(|records| Made { shares, confirm: self.confirm(setup, &records), records }))
    }

    fn confirm(&self, setup: &Setup, records: &[KeyRecord]) -> Confirm {
        let held = records.iter().filter(|record| record.holders.contains(&setup.me));
        let signatures = held.map(|record| record.sign(&setup.signing_key)).collect();
        Confirm::new(self.id, &setup.me, self.transcript(records), signatures, &setup.signing_key)
    }

    /// Hash of the session, and per key of all commitments in the order of the holders, then the key record.
    fn transcript(&self, records: &[KeyRecord]) -> [u8; 32] {
        let mut fields = vec![self.id.as_bytes().to_vec()];
        for (dkg, record) in self.keys.iter().zip(records) {
            fields.extend(dkg.commitments().map(|commitment| commitment.body.0.clone()));
            fields.push(record.with_fields(join));
        }
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        sha256(&join(&fields))
    }
}

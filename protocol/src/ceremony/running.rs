//! A ceremony under way: which session counts, what has been signed, and what may be given out
//! (`docs/protocol.md` section 3.4).
//!
//! A holder that loses its state comes back with a new nonce, which makes a new session. The others keep nonce and seed
//! and follow. One rule decides between the session this node has signed and the one the latest nonces make: the signed
//! one counts as long as every holder either still has the nonce it has there, or has confirmed it. So a session that
//! anyone may have finished is never left.

use std::collections::BTreeMap;

use super::fault::{Abort, Evidence, Fault};
use super::kept::{Kept, KeptBytes, KeptFinished, KeptSigned};
use super::message::{Confirm, Finished, Nonce, NonceStatement, SessionId, Working};
use super::progress::{Note, Progress, Stage};
use super::record::SignedKeyRecord;
use super::session::{Lacking, Made, Session, session_id};
use super::{Effect, Outcome, Setup, SetupError};
use crate::id::MemberId;
use crate::secret::Secret;

/// What a node has of a ceremony that is not over.
pub(super) struct Running {
    seed: Secret<32>,
    /// The nonce last heard from each holder itself, and this node's own.
    nonces: BTreeMap<MemberId, Nonce>,
    /// The session of these nonces, unless it is the signed one.
    open: Option<Session>,
    /// The session this node has signed last.
    signed: Option<Signed>,
    notes: BTreeMap<MemberId, Note>,
}

/// A session this node has finished its part of.
struct Signed {
    session: Session,
    made: Made,
    confirms: BTreeMap<MemberId, Confirm>,
}

impl Signed {
    /// This node's confirmation is given out only when what it confirms is on disk; until then it is not among these.
    fn is_durable(&self, setup: &Setup) -> bool {
        self.confirms.contains_key(&setup.me)
    }
}

impl Running {
    /// Enters a ceremony with a new nonce.
    pub(super) fn enter(setup: &Setup, nonce: Nonce, seed: Secret<32>) -> Self {
        let nonces = BTreeMap::from([(setup.me.clone(), nonce)]);
        Self { seed, nonces, open: None, signed: None, notes: BTreeMap::new() }
    }

    /// Goes through the kept session again, which gives the same shares and the same signatures.
    pub(super) fn resume(setup: &Setup, kept: KeptSigned) -> Result<Self, SetupError> {
        let id = session_id(setup, &kept.nonces);
        if kept.commitments.iter().any(|commitment| commitment.session != id) {
            return Err(SetupError::OtherCeremony);
        }
        let mut session = Session::start(setup, &kept.seed, &kept.nonces);
        let damaged = |_: Abort| SetupError::Damaged;
        for commitment in kept.commitments {
            session.take_commitment(setup, &setup.me, commitment).map_err(damaged)?;
        }
        for share in kept.shares {
            let sender = share.sender.clone();
            session.take_share(setup, &sender, share).map_err(damaged)?;
        }
        let made = session.advance(setup).map_err(damaged)?.ok_or(SetupError::Damaged)?;
        let confirms = BTreeMap::from([(setup.me.clone(), made.confirm.clone())]);
        let signed = Some(Signed { session, made, confirms });
        Ok(Self { seed: kept.seed, nonces: kept.nonces, open: None, signed, notes: BTreeMap::new() })
    }

    /// What the holder `from` may see.
    pub(super) fn working(&self, setup: &Setup, from: &MemberId) -> Working {
        let nonce = self.nonces[&setup.me];
        let signature = nonce_statement(setup, &setup.me, &nonce).sign(&setup.signing_key);
        let session = self.current();
        Working {
            nonce,
            signature,
            session: session.map(|session| session.id),
            commitments: session.map(Session::commitments).unwrap_or_default(),
            shares: session.map(|session| session.shares_for(from)).unwrap_or_default(),
            confirms: self.signed.iter().flat_map(|signed| signed.confirms.values().cloned()).collect(),
        }
    }

    /// Takes in what another holder has.
    pub(super) fn hear(
        &mut self,
        setup: &Setup,
        from: &MemberId,
        said: Working,
    ) -> Result<Option<Effect>, Abort> {
        let key = setup.holders.get(from).ok_or_else(|| Abort::new(from, Fault::Unexpected))?;
        let statement = nonce_statement(setup, from, &said.nonce);
        statement.verify(key, &said.signature).map_err(|_| Abort::new(from, Fault::Signature))?;
        self.nonces.insert(from.clone(), said.nonce);
        // Confirmations first, as they can hold this node in the session it has signed; but before them the commitments
        // behind them, so that whoever told two tales is named and not who believed the other one.
        let heard = said.session;
        let (commitments, shares) = (said.commitments, said.shares);
        if let Some(signed) = self.signed.as_mut().filter(|signed| Some(signed.session.id) == heard) {
            for commitment in &commitments {
                signed.session.take_commitment(setup, from, commitment.clone())?;
            }
        }
        let shown = self.signed.as_ref().is_some_and(|signed| Some(signed.session.id) == heard);
        self.take_confirms(setup, (from, shown), said.confirms)?;
        self.follow_nonces(setup);
        if let Some(open) = self.open.as_mut().filter(|open| Some(open.id) == heard) {
            for commitment in commitments {
                open.take_commitment(setup, from, commitment)?;
            }
            for share in shares {
                open.take_share(setup, from, share)?;
            }
        }
        let here = self.current().map(|session| session.id);
        self.note(from, (heard.is_some() && heard != here).then_some(Note::OtherSession));
        self.advance(setup)
    }

    /// Learns that `from` has finished: finishes too, or learns why it cannot.
    pub(super) fn catch_up(&mut self, setup: &Setup, from: &MemberId, all: Finished) -> Result<(), Abort> {
        if !all.nonces.keys().eq(setup.holders.keys()) {
            return Err(Abort::new(from, Fault::Unexpected));
        }
        let id = session_id(setup, &all.nonces);
        if self.signed.as_ref().is_some_and(|signed| signed.session.id == id) {
            return self.take_confirms(setup, (from, true), all.confirms);
        }
        Err(self.left_behind(setup, from, id, all))
    }

    /// Remembers why a holder does not take part, or that it does.
    pub(super) fn note(&mut self, from: &MemberId, note: Option<Note>) {
        match note {
            Some(note) => self.notes.insert(from.clone(), note),
            None => self.notes.remove(from),
        };
    }

    /// What was to be kept of `session` is on disk, so this node's confirmation of it may be given out.
    pub(super) fn persisted(&mut self, setup: &Setup, session: SessionId) {
        if let Some(signed) = self.signed.as_mut().filter(|signed| signed.session.id == session) {
            signed.confirms.insert(setup.me.clone(), signed.made.confirm.clone());
        }
    }

    /// The end, once every holder's confirmation is there, this node's own among them.
    pub(super) fn outcome(&mut self, setup: &Setup) -> Option<Outcome> {
        let signed = self.signed.take_if(|signed| signed.confirms.len() == setup.holders.len())?;
        let Signed { session, made, confirms } = signed;
        // Every holder's signatures stand in the order of the keys, so each record takes the next one of each.
        let mut signatures: BTreeMap<_, _> =
            confirms.iter().map(|(member, confirm)| (member, confirm.records.iter())).collect();
        let records = made.records.into_iter().map(|record| {
            let next = |holder| signatures.get_mut(holder).and_then(Iterator::next).copied();
            let signatures = record.holders.iter().filter_map(next).collect();
            SignedKeyRecord { record, signatures }
        });
        let records: Vec<_> = records.collect();
        let finished = Finished { nonces: session.nonces, confirms: confirms.into_values().collect() };
        let kept = KeptBytes::encode(&Kept::Finished(KeptFinished {
            finished: finished.clone(),
            records: records.clone(),
        }));
        Some(Outcome { records, shares: made.shares, kept, finished })
    }

    pub(super) fn progress(&self, setup: &Setup) -> Progress {
        let of = setup.holders.len();
        let missing = |known: &dyn Fn(&MemberId) -> bool| -> Vec<MemberId> {
            setup.holders.keys().filter(|member| !known(member)).cloned().collect()
        };
        let (stage, waiting_for) = match (&self.signed, &self.open) {
            (Some(signed), None) if !signed.is_durable(setup) => (Stage::Saving, vec![setup.me.clone()]),
            (Some(signed), None) => {
                (Stage::Confirmations, missing(&|member| signed.confirms.contains_key(member)))
            }
            (_, Some(open)) => match open.lacking(setup) {
                Lacking::Commitments(members) => (Stage::Commitments, members.into_iter().cloned().collect()),
                Lacking::Shares(members) => (Stage::Shares, members.into_iter().cloned().collect()),
            },
            (None, None) => (Stage::Nonces, missing(&|member| self.nonces.contains_key(member))),
        };
        let mut notes = self.notes.clone();
        notes.extend(self.lost().map(|member| (member.clone(), Note::LostState)));
        Progress { stage, have: of.saturating_sub(waiting_for.len()), of, waiting_for, notes }
    }

    /// Holders that have confirmed the session this node is held in, and then came with another nonce.
    fn lost(&self) -> impl Iterator<Item = &MemberId> {
        let held = self.signed.iter().filter(|_| self.open.is_none());
        held.flat_map(|signed| {
            let confirmed = signed.confirms.keys();
            confirmed.filter(|member| self.nonces.get(*member) != signed.session.nonces.get(*member))
        })
    }

    fn current(&self) -> Option<&Session> {
        self.open.as_ref().or_else(|| self.signed.as_ref().map(|signed| &signed.session))
    }

    /// Makes `open` the session of the nonces, or nothing while the signed one counts.
    fn follow_nonces(&mut self, setup: &Setup) {
        let holds = |signed: &Signed| {
            let mut nonces = signed.session.nonces.iter();
            nonces.all(|(member, nonce)| {
                self.nonces.get(member) == Some(nonce) || signed.confirms.contains_key(member)
            })
        };
        if self.signed.as_ref().is_some_and(holds) || !self.nonces.keys().eq(setup.holders.keys()) {
            self.open = None;
            return;
        }
        let id = session_id(setup, &self.nonces);
        if self.open.as_ref().is_none_or(|open| open.id != id) {
            self.open = Some(Session::start(setup, &self.seed, &self.nonces));
        }
    }

    fn advance(&mut self, setup: &Setup) -> Result<Option<Effect>, Abort> {
        let Some(open) = self.open.as_mut() else { return Ok(None) };
        let Some(made) = open.advance(setup)? else { return Ok(None) };
        let Some(session) = self.open.take() else { return Ok(None) };
        let kept = KeptBytes::encode(&Kept::Signed(KeptSigned {
            seed: self.seed.clone(),
            nonces: session.nonces.clone(),
            commitments: session.commitments(),
            shares: session.received(),
        }));
        let effect = Effect::Persist { session: session.id, kept };
        self.signed = Some(Signed { session, made, confirms: BTreeMap::new() });
        Ok(Some(effect))
    }

    /// Takes confirmations of the session this node has signed; those of another say nothing to it yet. A holder that
    /// confirms something else is at fault only if it has `shown` that it saw the very commitments this node has;
    /// otherwise a third may have told it another tale.
    fn take_confirms(
        &mut self,
        setup: &Setup,
        (from, shown): (&MemberId, bool),
        confirms: Vec<Confirm>,
    ) -> Result<(), Abort> {
        let Some(signed) = self.signed.as_mut() else { return Ok(()) };
        for confirm in confirms {
            let known = confirm.member == setup.me || signed.confirms.contains_key(&confirm.member);
            if known || confirm.session != signed.session.id {
                continue;
            }
            let key =
                setup.holders.get(&confirm.member).ok_or_else(|| Abort::new(from, Fault::Unexpected))?;
            confirm.verify(key).map_err(|_| Abort::new(from, Fault::Signature))?;
            if signed.made.agrees_with(&confirm, key) {
                signed.confirms.insert(confirm.member.clone(), confirm);
            } else if confirm.member == *from && shown {
                return Err(Abort::proven(from, Fault::Transcript, vec![Evidence::Confirm(confirm)]));
            }
        }
        Ok(())
    }

    /// Why this node cannot finish a session that others have finished with its own confirmation in it: some holder's
    /// nonce there is not the one it came with later. This node's own first: then it is the one that lost its state.
    fn left_behind(&self, setup: &Setup, from: &MemberId, id: SessionId, all: Finished) -> Abort {
        let mut confirms = BTreeMap::new();
        for confirm in all.confirms {
            let key = setup.holders.get(&confirm.member);
            if confirm.session != id || key.is_none_or(|key| confirm.verify(key).is_err()) {
                return Abort::new(from, Fault::Signature);
            }
            confirms.insert(confirm.member.clone(), confirm);
        }
        if confirms.len() != setup.holders.len() {
            return Abort::new(from, Fault::Unexpected);
        }
        let signed = self.signed.as_ref().map(|signed| &signed.session.nonces);
        let differs = |member: &MemberId| {
            let there = all.nonces.get(member);
            let here =
                [Some(&self.nonces), signed].into_iter().flatten().filter_map(|nonces| nonces.get(member));
            here.into_iter().any(|nonce| Some(nonce) != there)
        };
        let suspects = std::iter::once(&setup.me).chain(setup.holders.keys());
        let culprit = suspects.into_iter().find(|member| differs(member)).unwrap_or(&setup.me).clone();
        let evidence = confirms.remove(&culprit).map(Evidence::Confirm);
        Abort::proven(&culprit, Fault::LostState, evidence.into_iter().collect())
    }
}

fn nonce_statement<'a>(setup: &'a Setup, member: &'a MemberId, nonce: &'a Nonce) -> NonceStatement<'a> {
    NonceStatement { network: &setup.network, covenant: &setup.covenant, epoch: setup.epoch, member, nonce }
}

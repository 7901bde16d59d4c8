//! The asking member's rules: number and sign requests, collect acknowledgements, choose whom to ask, check and
//! combine what comes back (`docs/protocol.md` section 4.2).
//!
//! Decisions only. [`Asker::outgoing`] says what to send; every reply or failure is told to it. Blinds never leave memory:
//! after a restart an outstanding request is gone, its header stays in the chain, and the next number goes on from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use rand_core::{CryptoRng, RngCore};

use super::{
    Acknowledgement, Evaluate, Header, HeaderHash, MAX_HEADERS, Reason, Refused, SignedAnswer, SignedHeader,
    Terms, VerifiedHeader, WrongAnswer,
};
use crate::codec::Bytes;
use crate::id::{MemberId, PurposeId};
use crate::oprf::{BlindError, CombineError, Elements, blind};
use crate::sign::SigningKey;
use crate::subject_key::SubjectKey;
use crate::time::Timestamp;

mod choice;
mod outstanding;

use outstanding::Outstanding;

/// One member's chain in one epoch, with at most one request outstanding.
#[derive(Debug)]
pub struct Asker {
    me: MemberId,
    last: Option<VerifiedHeader>,
    /// The highest number that each holder has acknowledged. A holder we know nothing of is taken to have all but the
    /// newest; one that has not says so, and gets them then.
    has: BTreeMap<MemberId, u64>,
    outstanding: Option<Outstanding>,
}

/// What is to be sent to a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// The headers with these numbers, at most [`MAX_HEADERS`], from the caller's store.
    Announce(RangeInclusive<u64>),
    /// The elements: [`Asker::evaluate_message`].
    Evaluate,
}

/// Why a request was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// Another one is not finished. Finish or abandon it.
    #[error("a request is outstanding")]
    Outstanding,
    /// The member does not take part in the purpose, or every matcher in it is the member or related to it.
    #[error("no key of this purpose may be asked by this member")]
    NoKeys,
    /// The inputs.
    #[error(transparent)]
    Blind(#[from] BlindError),
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Not an answer by this holder to the outstanding header: proves nothing against anyone.
    #[error("not this holder's signed answer to the outstanding header")]
    NotAnAnswer,
    /// Signed and wrong. To be stored as evidence and reported.
    #[error("{} signed a wrong answer: {}", .0.answer.holder, .0.fault)]
    Wrong(Box<Culprit>),
}

/// A holder that signed a wrong answer, and all that is needed to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The answer; its holder is the culprit.
    pub answer: SignedAnswer,
    /// The header it answers.
    pub header: SignedHeader,
    /// The blinded elements of that header.
    pub elements: Elements,
    /// What is wrong.
    pub fault: WrongAnswer,
}

impl Culprit {
    /// Whether the evidence holds, for anyone with the covenant and the key records. The header's signature is not
    /// part of it: the holder signed the header's hash.
    #[must_use]
    pub fn proves(&self, terms: &Terms) -> bool {
        let Header { member, purpose, elements, .. } = &self.header.header;
        let Some(party) = terms.parties.get(&self.answer.holder) else { return false };
        let Some(keys) = terms.keys_for(member, purpose) else { return false };
        self.answer.header == self.header.header.hash()
            && self.elements.sha256() == *elements
            && self.answer.verify_signature(&party.key).is_ok()
            && self.answer.check(&keys, &self.elements).is_err()
    }
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is asked.
    Idle,
    /// [`Asker::outgoing`] has something, or a reply is awaited.
    Working,
    /// Every key has its answers: [`Asker::finish`].
    Complete,
    /// Too few holders answer. [`Asker::retry`] some while the header is fresh, or [`Asker::abandon`].
    Stuck,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinishError {
    /// Some key has fewer than `t` answers.
    #[error("some key has too few answers")]
    NotComplete,
    /// The covenant names more holders than a key may have.
    #[error(transparent)]
    Combine(#[from] CombineError),
}

/// The subject keys of all inputs under one matcher's key, in the order of the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyResult {
    /// The matcher.
    pub matcher: MemberId,
    /// One per input.
    pub subject_keys: Vec<SubjectKey>,
}

impl Asker {
    /// After a start: `last` is the highest header of this epoch in our store or any holder's.
    #[must_use]
    pub const fn new(me: MemberId, last: Option<VerifiedHeader>) -> Self {
        Self { me, last, has: BTreeMap::new(), outstanding: None }
    }

    /// The asking member.
    #[must_use]
    pub const fn member(&self) -> &MemberId {
        &self.me
    }

    /// Inputs asked so far in this chain.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.header().total)
    }

    /// Begins a request. The header returned must be stored durably before [`Self::outgoing`] is asked what to send.
    ///
    /// `preferred` holders are chosen over others at equal cost, the first most.
    ///
    /// # Errors
    /// See [`BeginError`]; nothing was begun then.
    pub fn begin(
        &mut self,
        request: NewRequest<'_>,
        key: &SigningKey,
        now: Timestamp,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<&SignedHeader, BeginError> {
        if self.outstanding.is_some() {
            return Err(BeginError::Outstanding);
        }
        let NewRequest { terms, purpose, inputs, preferred } = request;
        let keys =
            terms.keys_for(&self.me, purpose).filter(|keys| !keys.is_empty()).ok_or(BeginError::NoKeys)?;
        let keys = keys.iter().map(|key| key.matcher.clone()).collect();
        let (blinded, elements) = blind(inputs, rng)?;
        let count = u32::try_from(elements.count()).expect("a batch is at most MAX_BATCH");
        let last = self.last.as_ref();
        let header = Header {
            network: terms.network,
            covenant: terms.covenant,
            epoch: terms.epoch,
            purpose: purpose.clone(),
            member: self.me.clone(),
            seq: last.map_or(0, |last| last.header().seq) + 1,
            total: last.map_or(0, |last| last.header().total) + u64::from(count),
            time: now,
            count,
            elements: elements.sha256(),
            keys,
            prev: last.map_or(HeaderHash::NONE, VerifiedHeader::hash),
        };
        let header = header.sign(key);
        for holder in &terms.key_holders {
            self.has.entry(holder.clone()).or_insert(header.header().seq - 1);
        }
        self.last = Some(header.clone());
        let outstanding = Outstanding {
            holders: choice::by_preference(&terms.key_holders, preferred),
            terms: Arc::clone(terms),
            purpose: purpose.clone(),
            header,
            blinded,
            elements,
            acknowledgements: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            failed: BTreeSet::new(),
            overdue: BTreeSet::new(),
            answers: BTreeMap::new(),
        };
        Ok(self.outstanding.insert(outstanding).header.signed())
    }

    /// What to send now. Each is given once; a reply, a refusal or a failure must be told for each.
    pub fn outgoing(&mut self) -> Vec<(MemberId, Outgoing)> {
        let Some(request) = &mut self.outstanding else { return Vec::new() };
        let newest = request.header.header().seq;
        let mut sends = Vec::new();
        for holder in &request.holders {
            let has = self.has.get(holder).copied().unwrap_or(0);
            let silent = !request.failed.contains(holder) && !request.in_flight.contains_key(holder);
            if silent && has < newest {
                let to = newest.min(has + MAX_HEADERS as u64);
                sends.push((holder.clone(), Outgoing::Announce(has + 1..=to)));
            }
        }
        sends.extend(request.choose().into_iter().map(|holder| (holder, Outgoing::Evaluate)));
        request.in_flight.extend(sends.iter().cloned());
        sends
    }

    /// The message for [`Outgoing::Evaluate`], the same for every holder.
    #[must_use]
    pub fn evaluate_message(&self) -> Option<Evaluate> {
        let request = self.outstanding.as_ref()?;
        let witnesses = request.terms.witnesses(&self.me);
        Some(Evaluate {
            epoch: request.terms.epoch,
            header: request.header.hash(),
            acknowledgements: witnesses
                .filter_map(|holder| request.acknowledgements.get(holder).cloned())
                .collect(),
            elements: Bytes(request.elements.to_bytes()),
        })
    }

    /// A holder acknowledged what it was sent. A wrong acknowledgement counts as a failure of that holder.
    pub fn acknowledged(&mut self, holder: &MemberId, given: Acknowledgement) {
        let Some(request) = &mut self.outstanding else { return };
        let Some(Outgoing::Announce(range)) = request.in_flight.remove(holder) else { return };
        if *range.end() == request.header.header().seq {
            if !request.acknowledges(holder, &given) {
                request.failed.insert(holder.clone());
                return;
            }
            request.acknowledgements.insert(holder.clone(), given);
        }
        self.has.insert(holder.clone(), *range.end());
    }

    /// A holder refused. Missing headers are sent next; anything else counts as a failure of that holder.
    pub fn refused(&mut self, holder: &MemberId, refused: &Refused) {
        let Some(request) = &mut self.outstanding else { return };
        let sent = request.in_flight.remove(holder);
        let highest = refused.highest.as_ref().map_or(0, |highest| highest.header.seq);
        // Going back further each time ends; anything else would be asking the same again.
        if let (Some(Outgoing::Announce(range)), Reason::Gap) = (sent, refused.reason)
            && highest.saturating_add(1) < *range.start()
        {
            self.has.insert(holder.clone(), highest);
        } else {
            request.failed.insert(holder.clone());
        }
    }

    /// A holder did not reply.
    pub fn failed(&mut self, holder: &MemberId) {
        let Some(request) = &mut self.outstanding else { return };
        request.in_flight.remove(holder);
        request.failed.insert(holder.clone());
    }

    /// Nothing has come for a while: spares are asked besides those that owe an answer, and who failed is asked again, so
    /// that one silent holder costs a moment and not a connection's whole time limit. An answer that comes late still
    /// counts.
    pub fn overdue(&mut self) {
        if let Some(request) = &mut self.outstanding {
            request.mark_overdue();
            request.failed.clear();
        }
    }

    /// Tries a holder again that failed or refused.
    pub fn retry(&mut self, holder: &MemberId) {
        if let Some(request) = &mut self.outstanding {
            request.failed.remove(holder);
            request.overdue.remove(holder);
        }
    }

    /// A holder answered. Every evaluation is verified; a wrong answer is never used and a spare is asked.
    ///
    /// # Errors
    /// See [`AnswerFault`]; the request goes on.
    pub fn answered(&mut self, holder: &MemberId, answer: SignedAnswer) -> Result<(), AnswerFault> {
        let Some(request) = &mut self.outstanding else { return Err(AnswerFault::NotAnAnswer) };
        if request.in_flight.remove(holder) != Some(Outgoing::Evaluate) {
            return Err(AnswerFault::NotAnAnswer);
        }
        match request.check(holder, answer) {
            Ok(evaluations) => {
                request.answers.insert(holder.clone(), evaluations);
                Ok(())
            }
            Err(fault) => {
                request.failed.insert(holder.clone());
                Err(fault)
            }
        }
    }

    /// How the request stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Some(request) = &self.outstanding else { return Progress::Idle };
        let newest = request.header.header().seq;
        let to_announce = |holder: &MemberId| {
            !request.failed.contains(holder) && self.has.get(holder).is_none_or(|has| *has < newest)
        };
        if request.is_complete() {
            Progress::Complete
        } else if !request.in_flight.is_empty()
            || request.holders.iter().any(to_announce)
            || !request.choose().is_empty()
        {
            Progress::Working
        } else {
            Progress::Stuck
        }
    }

    /// Combines exactly `t` answers per key and ends the request; the blinds are wiped.
    ///
    /// # Errors
    /// [`FinishError`]; the request stands as it was.
    pub fn finish(&mut self) -> Result<Vec<KeyResult>, FinishError> {
        let request = self.outstanding.as_ref().ok_or(FinishError::NotComplete)?;
        let results = request.keys().iter().map(|key| request.combine(key)).collect::<Result<_, _>>()?;
        self.outstanding = None;
        Ok(results)
    }

    /// Gives the request up; the blinds are wiped. Its header stays in the chain.
    pub fn abandon(&mut self) {
        self.outstanding = None;
    }
}

/// What [`Asker::begin`] asks.
#[derive(Clone, Copy)]
pub struct NewRequest<'a> {
    /// The covenant in force; the request is judged by it to its end.
    pub terms: &'a Arc<Terms>,
    /// The purpose.
    pub purpose: &'a PurposeId,
    /// 1 to [`crate::oprf::MAX_BATCH`] inputs, dummies included.
    pub inputs: &'a [Vec<u8>],
    /// Holders to choose first at equal cost.
    pub preferred: &'a [MemberId],
}

impl fmt::Debug for NewRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewRequest({}, {} inputs <redacted>)", self.purpose, self.inputs.len())
    }
}

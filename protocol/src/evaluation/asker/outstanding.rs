//! The one request an asker has outstanding: what came in so far, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{AnswerFault, Culprit, FinishError, KeyResult, Outgoing, choice};
use crate::evaluation::{Acknowledgement, KeySpec, Party, SignedAnswer, Terms, VerifiedHeader};
use crate::id::{MemberId, PurposeId};
use crate::oprf::{Blinded, Elements, Evaluation, finalise};
use crate::subject_key::{Scope, SubjectKey};

#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) terms: Arc<Terms>,
    pub(super) purpose: PurposeId,
    pub(super) header: VerifiedHeader,
    pub(super) blinded: Blinded,
    pub(super) elements: Elements,
    /// Holders, the preferred first.
    pub(super) holders: Vec<MemberId>,
    pub(super) acknowledgements: BTreeMap<MemberId, Acknowledgement>,
    pub(super) in_flight: BTreeMap<MemberId, Outgoing>,
    pub(super) failed: BTreeSet<MemberId>,
    /// Holders that owe an answer for so long that spares are asked besides them. Theirs still counts when it comes.
    pub(super) overdue: BTreeSet<MemberId>,
    /// What each holder evaluated, with the matcher whose key it is under. Verified.
    pub(super) answers: BTreeMap<MemberId, Vec<(MemberId, Evaluation)>>,
}

impl Outstanding {
    pub(super) fn keys(&self) -> Vec<&KeySpec> {
        self.terms.keys_for(&self.header.header().member, &self.purpose).unwrap_or_default()
    }

    /// Whether this is the holder's signed word that it entered the header.
    pub(super) fn acknowledges(&self, holder: &MemberId, given: &Acknowledgement) -> bool {
        let fits = |party: &Party| given.verify(&party.key).is_ok();
        given.holder == *holder
            && given.header == self.header.hash()
            && self.terms.parties.get(holder).is_some_and(fits)
    }

    /// The holder's evaluations with the matchers of their keys, verified.
    pub(super) fn check(
        &self,
        holder: &MemberId,
        answer: SignedAnswer,
    ) -> Result<Vec<(MemberId, Evaluation)>, AnswerFault> {
        let signed = |party: &Party| answer.verify_signature(&party.key).is_ok();
        let party = self.terms.parties.get(holder);
        if answer.holder != *holder || answer.header != self.header.hash() || !party.is_some_and(signed) {
            return Err(AnswerFault::NotAnAnswer);
        }
        match answer.check(&self.keys(), &self.elements) {
            Ok(evaluations) => {
                Ok(answer.keys.into_iter().map(|part| part.matcher).zip(evaluations).collect())
            }
            Err(fault) => {
                let (header, elements) = (self.header.signed().clone(), self.elements.clone());
                Err(AnswerFault::Wrong(Box::new(Culprit { answer, header, elements, fault })))
            }
        }
    }

    /// Verified partials of a key with their holders' indices, the preferred holders' first.
    fn partials(&self, key: &KeySpec) -> Vec<(u16, &Evaluation)> {
        let partial = |holder| {
            let (index, _) = key.share_of(holder)?;
            let (_, evaluation) =
                self.answers.get(holder)?.iter().find(|(matcher, _)| *matcher == key.matcher)?;
            Some((index, evaluation))
        };
        self.holders.iter().filter_map(partial).collect()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.keys().iter().all(|key| self.partials(key).len() >= usize::from(key.threshold))
    }

    pub(super) fn combine(&self, key: &KeySpec) -> Result<KeyResult, FinishError> {
        let partials = self.partials(key);
        let chosen = partials.get(..usize::from(key.threshold)).ok_or(FinishError::NotComplete)?;
        let outputs = finalise(&self.blinded, chosen)?;
        let Terms { network, epoch, .. } = &*self.terms;
        let scope = Scope {
            network: *network,
            epoch: *epoch,
            purpose: self.purpose.clone(),
            matcher: key.matcher.clone(),
        };
        let derive = |output| SubjectKey::derive(output, &scope);
        Ok(KeyResult { matcher: key.matcher.clone(), subject_keys: outputs.iter().map(derive).collect() })
    }

    /// Whoever owes an answer now is not counted on any more.
    pub(super) fn mark_overdue(&mut self) {
        let owing = self.in_flight.iter().filter(|(_, sent)| **sent == Outgoing::Evaluate);
        self.overdue.extend(owing.map(|(holder, _)| holder.clone()));
    }

    /// Whom to ask now: nobody before a majority has acknowledged.
    pub(super) fn choose(&self) -> Vec<MemberId> {
        let me = &self.header.header().member;
        let acknowledged =
            self.terms.witnesses(me).filter(|holder| self.acknowledgements.contains_key(*holder));
        if acknowledged.count() < self.terms.majority(me) {
            return Vec::new();
        }
        let asked = |holder: &MemberId| self.in_flight.get(holder) == Some(&Outgoing::Evaluate);
        let counts_on = |holder: &MemberId| {
            self.answers.contains_key(holder) || (asked(holder) && !self.overdue.contains(holder))
        };
        let free = |holder: &&MemberId| {
            self.acknowledgements.contains_key(*holder)
                && !self.failed.contains(*holder)
                && !self.answers.contains_key(*holder)
                && !asked(holder)
        };
        let candidates: Vec<&MemberId> = self.holders.iter().filter(free).collect();
        choice::cheapest(&self.keys(), &candidates, counts_on)
    }
}

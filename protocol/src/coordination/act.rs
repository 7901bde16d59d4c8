//! What the own people do (`docs/protocol.md` sections 10.6 and 10.9). Who of them may is for the caller.

use rand_core::{CryptoRng, RngCore};

use super::cooperation::{Cooperation, random};
use super::position::{ClaimId, Outcome, Response};
use super::tie::Tie;
use super::{At, Effect};
use crate::calendar::local_day;
use crate::conversation::MistakenReason;
use crate::matching::MatchKey;
use crate::time::Day;

/// Something that one of the own people does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answers a match. May be changed.
    Respond(MatchKey, Response),
    /// Says that a match is not right. Cannot be taken back.
    NotRight(MatchKey, MistakenReason),
    /// Records the day of contact, or that there was none after all.
    Contact(MatchKey, Option<Day>),
    /// Claims to be the lead, or accepts to take over.
    Claim,
    /// Gives up the own claim.
    Release,
    /// Confirms another's claim; gives up the own one.
    Confirm(ClaimId),
    /// As the lead, asks the other side to take over.
    OfferLead(MatchKey),
    /// Takes that back.
    KeepLead,
    /// Is done with a match.
    Close(MatchKey, Outcome),
    /// Takes it up again.
    Reopen(MatchKey),
    /// Has looked at the notice.
    Look,
    /// Wants no more reminders of this notice, or wants them again.
    Mute(bool),
    /// Somebody else, or somebody at another number, is to be reached: a new card goes to all who have the old one.
    ChangeCard,
}

/// Why something cannot be done. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such match, or it has ended or is not right.
    #[error("there is no such match any more")]
    NoMatch,
    /// Nobody can say that they work with a partner whose name they do not know.
    #[error("the other organisation's name is not known yet")]
    NotNamed,
    /// Contact and closing come after an answer.
    #[error("answer the match first")]
    AnswerFirst,
    /// The outcome says more than is recorded.
    #[error("no contact is recorded for this match")]
    NoContact,
    /// The outcome says more than is recorded.
    #[error("no lead is agreed on for this match")]
    NoLead,
    /// Only who claims to be the lead can give it up or offer it.
    #[error("this side does not claim to be the lead")]
    NotLead,
    /// Nobody claims so, or not any more.
    #[error("there is no such claim any more")]
    NoClaim,
    /// A day that has not come.
    #[error("the day lies in the future")]
    InFuture,
}

impl Cooperation {
    /// Does it, and what follows.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn act(
        &mut self,
        action: &Action,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Effect>, Refused> {
        let mut effects = Vec::new();
        self.do_it(action, at, rng, &mut effects)?;
        // Whoever does something has looked.
        self.unseen = false;
        self.settle(at, rng, &mut effects);
        Ok(effects)
    }

    fn do_it(
        &mut self,
        action: &Action,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        match action {
            Action::Respond(key, response) => self.respond(key, *response)?,
            Action::NotRight(key, reason) => {
                self.live(key)?;
                let message = random(rng);
                effects.push(Effect::Mark { key: key.clone(), message, reason: *reason });
            }
            Action::Contact(key, on) => {
                if on.is_some_and(|day| day > local_day(at.now)) {
                    return Err(Refused::InFuture);
                }
                self.answered(key)?.decided.contact = *on;
            }
            Action::Claim => {
                let mut id = [0; ClaimId::LEN];
                rng.fill_bytes(&mut id);
                self.claim.get_or_insert(ClaimId::from_bytes(id));
                self.supports = None;
            }
            Action::Release => {
                self.claim.ok_or(Refused::NotLead)?;
                self.release();
            }
            Action::Confirm(claim) => {
                if !self.claims().contains_key(claim) {
                    return Err(Refused::NoClaim);
                }
                self.release();
                self.supports = Some(*claim);
            }
            Action::OfferLead(key) => {
                self.claim.ok_or(Refused::NotLead)?;
                self.live(key)?.decided.offers_lead = true;
            }
            Action::KeepLead => self.ties.iter_mut().for_each(|tie| tie.decided.offers_lead = false),
            Action::Close(key, outcome) => self.close(key, *outcome)?,
            Action::Reopen(key) => self.live(key)?.decided.outcome = None,
            Action::Look => {}
            Action::Mute(muted) => self.muted = *muted,
            Action::ChangeCard => {
                self.ties.iter_mut().filter_map(|tie| tie.card.as_mut()).for_each(|card| card.changed = true);
            }
        }
        Ok(())
    }

    fn respond(&mut self, key: &MatchKey, response: Response) -> Result<(), Refused> {
        let tie = self.live(key)?;
        if response == Response::AlreadyTogether && tie.partner().is_none() {
            return Err(Refused::NotNamed);
        }
        tie.decided.response = Some(response);
        Ok(())
    }

    fn close(&mut self, key: &MatchKey, outcome: Outcome) -> Result<(), Refused> {
        let agreed = self.tie(key).is_some_and(|tie| self.lead_is_agreed(tie, &self.claims()));
        let tie = self.answered(key)?;
        match outcome {
            Outcome::ContactMade | Outcome::PlanMade if !tie.in_contact() => Err(Refused::NoContact),
            Outcome::LeadAgreed if !agreed => Err(Refused::NoLead),
            _ => {
                tie.decided.outcome = Some(outcome);
                Ok(())
            }
        }
    }

    fn live(&mut self, key: &MatchKey) -> Result<&mut Tie, Refused> {
        self.tie_mut(key).filter(|tie| tie.shown).ok_or(Refused::NoMatch)
    }

    fn answered(&mut self, key: &MatchKey) -> Result<&mut Tie, Refused> {
        let tie = self.live(key)?;
        if tie.decided.response.is_some() { Ok(tie) } else { Err(Refused::AnswerFirst) }
    }
}

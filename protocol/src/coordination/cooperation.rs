//! The state of one case's cooperation, and what comes in from outside (`docs/protocol.md` section 10.6).

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use super::lead::Claims;
use super::position::{ClaimId, Position, pair_mark};
use super::tie::{Heard, Once, Tie};
use super::{Alert, At, CardError, CardPlace, Effect, Flag};
use crate::calendar::local_day;
use crate::codec::Wire;
use crate::conversation::{Message, MessageId, Says};
use crate::covenant::VerifiedCovenant;
use crate::id::{MemberId, Reference};
use crate::matching::outbox::Pair;
use crate::matching::{Match, MatchKey};
use crate::subject_key::Scope;
use crate::time::Day;

/// Most matches that one cooperation holds.
pub const MATCHES_MAX: usize = 20;

/// One case's cooperation with all it has met: a record of its own, sealed at rest.
///
/// Every method that changes something gives back what has to be done about it. The caller stores the record, and what the
/// effects change, in one commit; a crash before that is as if nothing had happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooperation {
    pub(super) own: Reference,
    /// The own claim to be the lead.
    pub(super) claim: Option<ClaimId>,
    /// Own claims that were given up, the latest last.
    pub(super) past_claims: Vec<ClaimId>,
    /// The claim that the own people have confirmed.
    pub(super) supports: Option<ClaimId>,
    /// Whether the professional wants no more reminders.
    pub(super) muted: bool,
    /// Whether the professional has been told that others are involved and has not looked since.
    pub(super) unseen: bool,
    /// Whether the own people are done with every match.
    pub(super) closed: bool,
    pub(super) crowded: bool,
    /// Since when several claim to be the lead.
    pub(super) contested_since: Option<Day>,
    /// The own claim that the own people were told is contested.
    pub(super) contested_own: Option<ClaimId>,
    pub(super) ties: Vec<Tie>,
}

impl Wire for Cooperation {
    const MAX_LEN: usize = 64_000;
}

/// A message of the other side of a match, and by which way it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// What was said.
    pub message: &'a Message,
    /// The match that it is about, as it is with the message ([`crate::matching::Matches::hear`]).
    pub entry: &'a Match,
    /// Over which pair of mailboxes it came.
    pub pair: &'a Pair,
    /// Where those met.
    pub scope: &'a Scope,
    /// The reader.
    pub me: &'a MemberId,
    /// The covenant in force.
    pub covenant: &'a VerifiedCovenant,
}

impl Cooperation {
    /// Of a case that has met nobody yet.
    #[must_use]
    pub const fn new(own: Reference) -> Self {
        Self {
            own,
            claim: None,
            past_claims: Vec::new(),
            supports: None,
            muted: false,
            unseen: false,
            closed: false,
            crowded: false,
            contested_since: None,
            contested_own: None,
            ties: Vec::new(),
        }
    }

    /// The case's reference.
    #[must_use]
    pub const fn own(&self) -> Reference {
        self.own
    }

    /// A match of this case is new, or its grounds have changed, or somebody has called it mistaken. Feed every change.
    pub fn update(&mut self, entry: &Match, at: At<'_>, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.take(entry, at, &mut effects);
        self.settle(at, rng, &mut effects);
        effects
    }

    fn take(&mut self, entry: &Match, at: At<'_>, effects: &mut Vec<Effect>) {
        let key = entry.key();
        if entry.own != self.own {
            return;
        }
        if self.tie(&key).is_none() && entry.is_shown() {
            self.join(&key, entry.other, at, effects);
        }
        let Some(tie) = self.tie_mut(&key) else { return };
        tie.mistaken = entry.is_mistaken();
        tie.heard_over = entry.heard_over.iter().map(pair_mark).collect();
        if entry.is_shown() {
            tie.shown = true;
        } else if tie.shown {
            tie.end();
            let alert = match (tie.mistaken, entry.is_mistaken_here()) {
                (true, true) => None,
                (true, false) => tie.once(Once::NotRight).then_some(Alert::NotRight(key)),
                (false, _) => tie.once(Once::Ended).then_some(Alert::Ended(key)),
            };
            effects.extend(alert.map(Effect::Notify));
        }
    }

    /// A partner joins. One alert, until the professional has looked.
    fn join(&mut self, key: &MatchKey, other: Reference, at: At<'_>, effects: &mut Vec<Effect>) {
        if self.ties.len() >= MATCHES_MAX {
            if !std::mem::replace(&mut self.crowded, true) {
                effects.push(Effect::Flag(Flag::Crowded));
            }
            return;
        }
        let first = self.ties.is_empty();
        let mut tie = Tie::new(key.clone(), other, local_day(at.now));
        at.restored.into_iter().for_each(|moment| tie.restored(moment));
        self.ties.push(tie);
        // Whoever wanted no reminders of what they knew does not know this yet.
        self.muted = false;
        if !std::mem::replace(&mut self.unseen, true) {
            effects.push(Effect::Notify(Alert::Involved { first, joined: key.clone() }));
        }
    }

    /// The other side of a match says something.
    ///
    /// # Errors
    /// [`CardError`]: the card is not believed, and to be reported. Nothing has changed; the match is still to be fed to
    /// [`Self::update`].
    pub fn hear(
        &mut self,
        incoming: Incoming<'_>,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Effect>, CardError> {
        let Incoming { message, entry, pair, scope, me, covenant } = incoming;
        let card = match &message.says {
            Says::Card(card) => {
                let place = CardPlace { scope, match_id: entry.id, pair };
                let known = self.tie(&entry.key()).and_then(Tie::partner).or(entry.partner.as_ref());
                Some(card.verify(message.issued, place, known, me, covenant)?)
            }
            Says::Mistaken(_) | Says::Position(_) => None,
        };
        let mut effects = Vec::new();
        self.take(entry, at, &mut effects);
        let about = |tie: &&mut Tie| tie.shown && tie.other == message.from && message.to == entry.own;
        if let Some(tie) = self.tie_mut(&entry.key()).filter(about) {
            match &message.says {
                Says::Mistaken(_) | Says::Card(_) => {} // taken in with the match; see below
                Says::Position(position) => tie.hear(message.id, position),
            }
            if let Some(card) = card {
                tie.hear_card(message.id, card, at.now);
            }
        }
        self.settle(at, rng, &mut effects);
        Ok(effects)
    }

    /// The case's own signal has ended: withdrawn, expired or erased. Its matches end by themselves ([`Self::update`]).
    pub fn own_signal_ended(&mut self, at: At<'_>, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        self.release();
        self.supports = None;
        let mut effects = Vec::new();
        self.settle(at, rng, &mut effects);
        effects
    }

    /// The node has been restored from a backup, at [`At::restored`], and may have said things that it does not remember. What
    /// it says from now on counts as later: it says again where it stands, and cards go again.
    pub fn restored(&mut self, at: At<'_>, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        for tie in &mut self.ties {
            at.restored.into_iter().for_each(|moment| tie.restored(moment));
        }
        let mut effects = Vec::new();
        self.settle(at, rng, &mut effects);
        effects
    }

    /// After every change: says what is not said yet, and tells the own people what is new.
    pub(super) fn settle(
        &mut self,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
        effects: &mut Vec<Effect>,
    ) {
        self.hand_over();
        let known = self.claims();
        for index in 0..self.ties.len() {
            let (position, tie) = (self.position(index, &known), &self.ties[index]);
            if tie.shown && (!position.says_the_same_as(&tie.told) || tie.owes_a_word()) {
                effects.push(self.say(index, position, at, rng));
            }
        }
        let today = local_day(at.now);
        let contested = self.is_contested(&known);
        self.contested_since = contested.then(|| self.contested_since.unwrap_or(today));
        for index in 0..self.ties.len() {
            self.tell_of(index, &known, effects);
            self.step_began(index, today);
            self.ties[index].card_was_read(at.now);
        }
        self.close_or_reopen(effects);
    }

    /// Where this side stands over one match.
    fn position(&self, index: usize, known: &Claims) -> Position {
        let tie = &self.ties[index];
        let both = tie.both_want_to_coordinate();
        Position {
            seq: tie.told.seq,
            response: tie.decided.response,
            contact: tie.decided.contact,
            // Only a card needs to know, and it goes when both want to coordinate.
            heard_over: if both { tie.heard_over.clone() } else { Default::default() },
            card_read: tie.their_card.as_ref().map_or(0, |held| held.seq),
            claims: self.claims_for(index, known),
            supports: self.supported(known),
            offers_lead: tie.decided.offers_lead,
            outcome: tie.decided.outcome,
        }
    }

    fn say(
        &mut self,
        index: usize,
        position: Position,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Effect {
        let own = self.own;
        let tie = &mut self.ties[index];
        tie.counter += 1;
        tie.told = Position { seq: tie.counter, ..position };
        let says = Says::Position(Box::new(tie.told.clone()));
        let message = Message { id: random(rng), from: own, to: tie.other, issued: at.now.day(), says };
        Effect::Send { key: tie.key.clone(), message: Box::new(message), only: None }
    }

    /// Tells what is new of one match, each thing once.
    fn tell_of(&mut self, index: usize, known: &Claims, effects: &mut Vec<Effect>) {
        if !self.ties[index].shown {
            return;
        }
        for (id, _) in known.iter().filter(|(_, route)| route.0.contains_key(&index)) {
            let announced = |tie: &Tie| tie.claims_seen.iter().any(|seen| seen.id == *id && seen.announced);
            if self.ties.iter().any(announced) {
                continue;
            }
            if let Some(seen) = self.ties[index].sees_claim(*id, false) {
                seen.announced = true;
                effects.push(Effect::Notify(Alert::LeadClaimed(*id)));
            }
        }
        let tie = &mut self.ties[index];
        let key = tie.key.clone();
        let Some(Heard { position: Position { response, outcome, offers_lead, .. }, .. }) = tie.heard else {
            return;
        };
        let offered = tie.theirs().and_then(Position::own_claim).filter(|_| offers_lead);
        if let Some(seen) = offered.and_then(|id| tie.sees_claim(id, true))
            && !std::mem::replace(&mut seen.offered, true)
        {
            effects.push(Effect::Notify(Alert::LeadOffered(key.clone(), seen.id)));
        }
        let mut alert = |happened: bool, what: Once, alert: fn(MatchKey) -> Alert| {
            if happened && tie.once(what) {
                effects.push(Effect::Notify(alert(key.clone())));
            }
        };
        alert(response.is_some(), Once::Responded, Alert::Responded);
        alert(outcome.is_some(), Once::OtherClosed, Alert::OtherClosed);
        let card = self.ties[index].their_card.is_some();
        if card && self.ties[index].once(Once::Card) {
            effects.push(Effect::Notify(Alert::Card(key)));
        }
    }

    fn close_or_reopen(&mut self, effects: &mut Vec<Effect>) {
        let mut shown = self.ties.iter().filter(|tie| tie.shown).peekable();
        if shown.peek().is_none() {
            return;
        }
        let closed = shown.all(|tie| tie.decided.outcome.is_some());
        if closed != std::mem::replace(&mut self.closed, closed) {
            effects.push(if closed { Effect::Closed } else { Effect::Reopened });
        }
    }

    pub(super) fn tie(&self, key: &MatchKey) -> Option<&Tie> {
        self.ties.iter().find(|tie| tie.key == *key)
    }

    pub(super) fn tie_mut(&mut self, key: &MatchKey) -> Option<&mut Tie> {
        self.ties.iter_mut().find(|tie| tie.key == *key)
    }
}

/// A fresh message id.
pub(super) fn random(rng: &mut (impl RngCore + CryptoRng)) -> MessageId {
    let mut bytes = [0; MessageId::LEN];
    rng.fill_bytes(&mut bytes);
    MessageId::from_bytes(bytes)
}

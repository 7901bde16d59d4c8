//! When a contact card goes, and over which pair of mailboxes (`docs/protocol.md` section 10.8).

use rand_core::{CryptoRng, RngCore};

use super::card::{CardMessage, VerifiedCard};
use super::cooperation::{Cooperation, random};
use super::position::{PairMark, pair_mark};
use super::tie::{Held, Once, Sent, Tie};
use super::{At, CardError, CardPlace, ContactCard, Effect, Flag};
use crate::conversation::{Message, MessageId, Says};
use crate::id::MemberId;
use crate::matching::MatchKey;
use crate::sign::SigningKey;
use crate::time::Timestamp;

/// A card is flagged when it has not followed so long after the other's was read: 24 hours, in seconds.
const FOLLOWS_WITHIN_SECS: u64 = 24 * 3_600;

/// A card that has to go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardDue {
    /// Over which match.
    pub key: MatchKey,
    /// Over which of its pairs: of those in [`crate::matching::Match::heard_over`] the one with this mark.
    pub over: PairMark,
}

/// Who signs a card, and for which place.
#[derive(Clone, Copy, Debug)]
pub struct CardSigner<'a> {
    /// The own member.
    pub member: &'a MemberId,
    /// Its signing key.
    pub key: &'a SigningKey,
    /// The match and the pair that [`CardDue`] names.
    pub place: CardPlace<'a>,
}

impl Cooperation {
    /// The cards that have to go now. To be asked after every change and at start; who sends one tells by
    /// [`Self::send_card`].
    #[must_use]
    pub fn cards_due(&self) -> Vec<CardDue> {
        let due = |tie: &Tie| Some(CardDue { key: tie.key.clone(), over: self.card_way(tie)? });
        self.ties.iter().filter_map(due).collect()
    }

    /// Over which pair the own card has to go now; none when it may not, or has gone.
    fn card_way(&self, tie: &Tie) -> Option<PairMark> {
        let theirs = tie.theirs()?;
        let ours_to_send = self.own < tie.other || tie.their_card.is_some();
        let goes = |sent: &Sent| {
            !sent.changed && (tie.heard_over.contains(&sent.over) || theirs.card_read >= sent.seq)
        };
        if !tie.shown
            || !tie.both_want_to_coordinate()
            || !ours_to_send
            || tie.card.as_ref().is_some_and(goes)
        {
            return None;
        }
        // Over these a message of either side has opened at the other.
        tie.heard_over.intersection(&theirs.heard_over).next().copied()
    }

    /// Signs the own card for a place that is due, and sends it. Nothing happens when it is not due there (any more).
    ///
    /// # Errors
    /// [`CardError::Function`].
    pub fn send_card(
        &mut self,
        due: &CardDue,
        card: ContactCard,
        signer: CardSigner<'_>,
        at: At<'_>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Effect>, CardError> {
        let CardSigner { member, key, place } = signer;
        let own = self.own;
        let way = self.tie(&due.key).and_then(|tie| self.card_way(tie));
        let fits = due.over == pair_mark(place.pair) && due.key.id == place.match_id;
        let Some(tie) = self.tie_mut(&due.key).filter(|_| fits && way == Some(due.over)) else {
            return Ok(Vec::new());
        };
        let (seq, issued) = (tie.counter + 1, at.now.day());
        let card = CardMessage::sign(card, place, (seq, issued), (member, key), at.purpose)?;
        tie.counter = seq;
        tie.card = Some(Sent { seq, over: due.over, changed: false });
        tie.card_read = None;
        let message =
            Message { id: random(rng), from: own, to: tie.other, issued, says: Says::Card(Box::new(card)) };
        let send =
            Effect::Send { key: due.key.clone(), message: Box::new(message), only: Some(place.pair.clone()) };
        let mut effects = vec![send];
        self.settle(at, rng, &mut effects);
        Ok(effects)
    }

    /// Flags cards that have not followed, each side's once.
    pub(super) fn flag_late_cards(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for tie in self.ties.iter_mut().filter(|tie| tie.shown) {
            let late = |since: Timestamp| since.plus_secs(FOLLOWS_WITHIN_SECS) < now;
            let read = tie.their_card.as_ref().map(|held| held.read);
            let own_late = tie.card.is_none() && read.is_some_and(late);
            let theirs_late = tie.their_card.is_none() && tie.card_read.is_some_and(late);
            for (happened, ours, once) in
                [(own_late, true, Once::OwnCardLate), (theirs_late, false, Once::TheirCardLate)]
            {
                if happened && tie.once(once) {
                    effects.push(Effect::Flag(Flag::CardLate { key: tie.key.clone(), ours }));
                }
            }
        }
    }
}

impl Tie {
    /// Takes in a card: the highest counter counts, whatever came first.
    pub(super) fn hear_card(&mut self, message: MessageId, card: VerifiedCard, now: Timestamp) {
        let VerifiedCard { seq, member, card } = card;
        let known = self.their_card.as_ref();
        if known.is_none_or(|held| (seq, message) > (held.seq, held.message)) {
            let read = known.map_or(now, |held| held.read);
            self.their_card = Some(Held { seq, message, member, card, read });
        }
    }

    /// Whether the other side has said that it holds the own card.
    pub(super) fn card_was_read(&mut self, now: Timestamp) {
        let read = self.theirs().map_or(0, |position| position.card_read);
        if self.card.as_ref().is_some_and(|sent| read >= sent.seq) {
            self.card_read.get_or_insert(now);
        }
    }
}

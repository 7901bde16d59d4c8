//! One match as a cooperation keeps it: what both sides have said, and what the own people were told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::card::ContactCard;
use super::position::{ClaimId, Outcome, PairMark, Position, Response};
use crate::conversation::MessageId;
use crate::id::{MemberId, Reference};
use crate::matching::MatchKey;
use crate::time::{Day, Timestamp};

/// One match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tie {
    pub(super) key: MatchKey,
    /// The other side's reference.
    pub(super) other: Reference,
    /// The date of its first day, in Amsterdam.
    pub(super) since: Day,
    /// Whether it lives and nobody has called it mistaken.
    pub(super) shown: bool,
    /// Whether somebody has called it mistaken: it is out for good.
    pub(super) mistaken: bool,
    /// Over which pairs the other side has spoken.
    pub(super) heard_over: BTreeSet<PairMark>,
    /// The own counter.
    pub(super) counter: u64,
    pub(super) decided: Decided,
    /// The own position as it was said last.
    pub(super) told: Position,
    pub(super) heard: Option<Heard>,
    /// The own card, if one was sent over a pair that lives or has arrived.
    pub(super) card: Option<Sent>,
    /// Since when the other side is known to hold it.
    pub(super) card_read: Option<Timestamp>,
    pub(super) their_card: Option<Held>,
    /// The date from which contact was due, and an agreed lead.
    pub(super) contact_from: Option<Day>,
    pub(super) lead_from: Option<Day>,
    /// How far reminding and telling has gone, by step.
    pub(super) chased: [u8; 3],
    /// What the own people, or those who answer for it, were told already.
    pub(super) done: BTreeSet<Once>,
    /// Claims first heard of over this match.
    pub(super) claims_seen: Vec<SeenClaim>,
}

/// What the own people have decided about one match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decided {
    pub(super) response: Option<Response>,
    pub(super) contact: Option<Day>,
    pub(super) offers_lead: bool,
    pub(super) outcome: Option<Outcome>,
}

/// The latest position of the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heard {
    pub(super) message: MessageId,
    pub(super) position: Position,
}

/// An own card on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) over: PairMark,
    /// Whether another one has to take its place.
    pub(super) changed: bool,
}

/// The other side's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    pub(super) seq: u64,
    pub(super) message: MessageId,
    pub(super) member: MemberId,
    pub(super) card: ContactCard,
    /// When the first of them was read.
    pub(super) read: Timestamp,
}

/// What is told once for a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Once {
    Responded,
    Card,
    OtherClosed,
    Ended,
    NotRight,
    Silent,
    OwnCardLate,
    TheirCardLate,
}

/// A claim that was heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenClaim {
    pub(super) id: ClaimId,
    /// Whether the other side of this match made it.
    pub(super) direct: bool,
    pub(super) announced: bool,
    pub(super) contested: bool,
    pub(super) offered: bool,
}

/// After a restore counters go on from its moment in seconds, shifted by so many bits: later than anything said before, also
/// after an earlier restore of the same backup.
const RESTORED_BITS: u32 = 20;

/// Most claims remembered for one match. A side that makes more is heard, but nobody is told of them.
const CLAIMS_SEEN_MAX: usize = 16;

impl Tie {
    pub(super) fn new(key: MatchKey, other: Reference, since: Day) -> Self {
        Self {
            key,
            other,
            since,
            shown: true,
            mistaken: false,
            heard_over: BTreeSet::new(),
            counter: 0,
            decided: Decided::default(),
            told: Position::default(),
            heard: None,
            card: None,
            card_read: None,
            their_card: None,
            contact_from: None,
            lead_from: None,
            chased: [0; 3],
            done: BTreeSet::new(),
            claims_seen: Vec::new(),
        }
    }

    /// The node was restored, and may have said more than it remembers.
    pub(super) fn restored(&mut self, moment: Timestamp) {
        self.counter = self.counter.max(moment.secs() << RESTORED_BITS);
        self.told.seq = 0;
        self.card.iter_mut().for_each(|card| card.changed = true);
    }

    /// Whether the other side may believe something that this side does not know to have said.
    pub(super) const fn owes_a_word(&self) -> bool {
        self.told.seq == 0 && self.counter > 0
    }

    /// What the other side has said last, if anything.
    pub(super) fn theirs(&self) -> Option<&Position> {
        self.heard.as_ref().map(|heard| &heard.position)
    }

    pub(super) fn their_response(&self) -> Option<Response> {
        self.theirs().and_then(|position| position.response)
    }

    /// The other organisation, where its name may be known: the purpose gives it at once, or it has given its card.
    pub(super) fn partner(&self) -> Option<&MemberId> {
        self.key.partner.as_ref().or_else(|| self.their_card.as_ref().map(|held| &held.member))
    }

    pub(super) fn both_want_to_coordinate(&self) -> bool {
        let wants = Some(Response::Coordinate);
        self.decided.response == wants && self.their_response() == wants
    }

    /// Whether there was contact: either side says when, or both are working together already.
    pub(super) fn in_contact(&self) -> bool {
        let together = Some(Response::AlreadyTogether);
        self.contact().is_some() || (self.decided.response == together && self.their_response() == together)
    }

    /// The day of contact; the later one where the sides name two.
    pub(super) fn contact(&self) -> Option<Day> {
        self.decided.contact.max(self.theirs().and_then(|position| position.contact))
    }

    /// True the first time.
    pub(super) fn once(&mut self, what: Once) -> bool {
        self.done.insert(what)
    }

    /// Takes in a position: the highest counter counts, whatever came first.
    pub(super) fn hear(&mut self, message: MessageId, position: &Position) {
        if let Some(own) = position.own_claim() {
            self.sees_claim(own, true);
        }
        let newer = |heard: &Heard| (position.seq, message) > (heard.position.seq, heard.message);
        if self.heard.as_ref().is_none_or(newer) {
            self.heard = Some(Heard { message, position: position.clone() });
        }
    }

    /// Remembers a claim. None when there is no room for it.
    pub(super) fn sees_claim(&mut self, id: ClaimId, direct: bool) -> Option<&mut SeenClaim> {
        match self.claims_seen.iter().position(|seen| seen.id == id) {
            Some(index) => {
                let seen = &mut self.claims_seen[index];
                seen.direct |= direct;
                Some(seen)
            }
            None if self.claims_seen.len() < CLAIMS_SEEN_MAX => {
                let (announced, contested, offered) = (false, false, false);
                self.claims_seen.push(SeenClaim { id, direct, announced, contested, offered });
                self.claims_seen.last_mut()
            }
            None => None,
        }
    }

    /// The match has ended or is not right: what the other side gave is given back.
    pub(super) fn end(&mut self) {
        self.shown = false;
        self.card = None;
        self.card_read = None;
        self.their_card = None;
    }
}

//! What one side says about one match: where it stands, whole, each time (`docs/protocol.md` section 10.7).
//!
//! A later position of the same sender takes the place of an earlier one, whatever order they arrive in. So both sides
//! know the same as soon as the last position of each has arrived, and nothing is lost with one that did not.
//!
//! Not here: what follows from it ([`super::Cooperation`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::crypto::sha256;
use crate::field::join;
use crate::id::byte_id;
use crate::label;
use crate::matching::outbox::Pair;
use crate::time::Day;

byte_id! {
    /// One side's claim to be the lead; random, so that it names nobody to those who hear of it through another.
    ClaimId, 16
}
byte_id! {
    /// A pair of mailboxes, the same from both sides.
    PairMark, 8
}

/// Most claims told over one match.
pub const CLAIMS_MAX: usize = 6;
/// Most pairs of mailboxes told over one match: two at each of the most matchers that a covenant may name.
pub const HEARD_OVER_MAX: usize = 14;
/// A claim comes through so many partners at most.
pub const HOPS_MAX: u8 = 6;

/// What a side answers to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// It wants to coordinate.
    Coordinate,
    /// The two are already working together.
    AlreadyTogether,
}

/// What came of a match, in the eyes of one side. A match that is not right has none: it is marked
/// ([`crate::matching::mistaken`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// They spoke.
    ContactMade,
    /// They made a plan.
    PlanMade,
    /// They agreed on the lead.
    LeadAgreed,
    /// Nothing has to follow.
    NoFollowUp,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ContactMade, Self::PlanMade, Self::LeadAgreed, Self::NoFollowUp];
}

/// Somebody claims to be the lead, and how far away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// 0 for the sender itself. More means: reach the lead through me.
    pub hops: u8,
    /// Which claim.
    pub id: ClaimId,
}

/// Where one side stands in the cooperation over one match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The sender's counter over this match, from 1. The highest counts.
    pub seq: u64,
    /// What it answers; none yet.
    pub response: Option<Response>,
    /// The day on which there was contact, on the sender's calendar; none yet.
    pub contact: Option<Day>,
    /// Over which pairs, still in use, a message of the other side has opened.
    pub heard_over: BTreeSet<PairMark>,
    /// The counter of the other side's card that the sender holds; 0 without one.
    pub card_read: u64,
    /// Who claims to be the lead, as far as the sender knows without the receiver.
    pub claims: BTreeSet<Claim>,
    /// Which claim the sender agrees with; its own if it has one.
    pub supports: Option<ClaimId>,
    /// Whether the sender, who is the lead, asks the receiver to take over.
    pub offers_lead: bool,
    /// What came of it for the sender, who is done with it; none yet.
    pub outcome: Option<Outcome>,
}

impl Position {
    /// The claim that the sender makes for itself.
    #[must_use]
    pub fn own_claim(&self) -> Option<ClaimId> {
        self.claims.iter().find(|claim| claim.hops == 0).map(|claim| claim.id)
    }

    /// Whether it says the same, whenever.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        Self { seq: 0, ..self.clone() } == Self { seq: 0, ..other.clone() }
    }
}

/// The mark of a pair: `SHA-256("kring/pair/v1" || lower mailbox || higher mailbox)[..8]`.
#[must_use]
pub fn pair_mark(pair: &Pair) -> PairMark {
    let (low, high) = (pair.own.min(pair.other), pair.own.max(pair.other));
    let hash = sha256(&join(&[label::PAIR, low.as_bytes(), high.as_bytes()]));
    PairMark::try_from(&hash[..PairMark::LEN]).expect("8 of 32 bytes")
}

//! From notice to cooperation: what follows when cases of several partners have matched (`docs/protocol.md` sections 10.6
//! to 10.12).
//!
//! # In scope
//! [`Cooperation`] is one case's cooperation with all partners it has met: it takes what the own people do, what others say,
//! how matches come and go, and time passing, and gives back [`Effect`]s. It is one record, and decides alone from what it
//! holds, so that all sides come to the same whatever is late, repeated or lost.
//!
//! # Out of scope
//! Which ways messages take ([`crate::matching::outbox`]), the mark "this is not right" itself
//! ([`crate::matching::mistaken`]), who of the own people may do what, and words for people (`node`).

use crate::conversation::{Message, MessageId, MistakenReason};
use crate::covenant::Purpose;
use crate::matching::MatchKey;
use crate::matching::outbox::Pair;
use crate::time::{Day, Timestamp};

mod act;
pub mod card;
mod cards;
mod chase;
mod cooperation;
mod lead;
pub mod position;
mod tie;
pub mod view;

pub use act::{Action, Refused};
pub use card::{CardError, CardMessage, CardPlace, ContactCard, VerifiedCard};
pub use cards::{CardDue, CardSigner};
pub use chase::Step;
pub use cooperation::{Cooperation, Incoming, MATCHES_MAX};
pub use position::{Claim, ClaimId, Outcome, PairMark, Position, Response, pair_mark};
pub use view::{ClaimView, MatchView, NoticeView, Progress, Who};

/// When something happens, and under which terms.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The moment.
    pub now: Timestamp,
    /// The case's purpose.
    pub purpose: &'a Purpose,
    /// When this node was last restored from a backup, if it was since the last epoch began: it may have known, and told,
    /// what it finds now.
    pub restored: Option<Timestamp>,
}

/// What the caller has to carry out, in this order, after it has stored the new state. What changes records is stored in the
/// same commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// To be said over a match ([`crate::matching::Matches::tell`]).
    Send {
        /// Which match.
        key: MatchKey,
        /// What.
        message: Box<Message>,
        /// The only pair it may take, if it is bound to one.
        only: Option<Pair>,
    },
    /// A match is not right ([`crate::matching::Matches::mark_mistaken`]); the changed match comes back through
    /// [`Cooperation::update`].
    Mark {
        /// Which match.
        key: MatchKey,
        /// The id of the message that says so.
        message: MessageId,
        /// Why.
        reason: MistakenReason,
    },
    /// The professional is told. Never twice the same.
    Notify(Alert),
    /// The professional is reminded that the notice waits for an answer.
    Remind {
        /// The last day on which it is in time, on the calendar of Amsterdam.
        deadline: Day,
        /// Working days until then.
        days_left: u32,
        /// What waits.
        about: Vec<(MatchKey, Step)>,
    },
    /// The deadline has passed: the own supervisor is told, once for each thing that waits.
    TellSupervisor {
        /// Working days that the longest has waited.
        waited: u32,
        /// What waits.
        about: Vec<(MatchKey, Step)>,
    },
    /// The process coordinator is told that a match has waited so many working days. Nothing else may go with it.
    TellCoordinator {
        /// Working days.
        waited: u32,
    },
    /// Something is not as the rules want it.
    Flag(Flag),
    /// The own people are done with every match of the notice.
    Closed,
    /// The notice is open again: a further partner joined, or somebody took up a match again.
    Reopened,
}

/// What a professional is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Others are involved too. The notice grows by itself as long as nobody has looked at it.
    Involved {
        /// Whether this is the first the professional hears of the notice.
        first: bool,
        /// Who joined.
        joined: MatchKey,
    },
    /// The other side has answered.
    Responded(MatchKey),
    /// The other side can be reached now.
    Card(MatchKey),
    /// Somebody else claims to be the lead: to be confirmed.
    LeadClaimed(ClaimId),
    /// The lead asks this side to take over.
    LeadOffered(MatchKey, ClaimId),
    /// Several claim to be the lead, since yesterday or longer: to be settled by people.
    LeadContested(Vec<ClaimId>),
    /// The other side is done with the match.
    OtherClosed(MatchKey),
    /// The other side is not involved any more.
    Ended(MatchKey),
    /// The other side says that the match is not right.
    NotRight(MatchKey),
    /// The other side has let the deadline pass without an answer.
    Silent(MatchKey),
}

/// What should not happen, and is kept for those who answer for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// A contact card has not followed within 24 hours of the other's being read.
    CardLate {
        /// Over which match.
        key: MatchKey,
        /// Whether it is this side's own.
        ours: bool,
    },
    /// A side whose name the purpose hides is silent past the deadline: it can be traced.
    Traceable(MatchKey),
    /// More partners than one cooperation holds: what came last is not part of it.
    Crowded,
}

#[cfg(test)]
mod tests;

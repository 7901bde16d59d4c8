//! What somebody was to be told about a notice: fixed words, kept with the case.
//!
//! Not here: the words in a language ([`crate::texts`]), and how they reach people.

use kring_protocol::codec::Wire;
use kring_protocol::coordination::{Alert, Effect, Flag};
use kring_protocol::id::MatchId;
use kring_protocol::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

/// So many are kept for one case; the oldest goes first.
pub(super) const TOLD_MAX: usize = 200;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $kebab:literal $camel:literal),+ $(,)?) => {
        /// What is told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum What {
            $($(#[$doc])* #[serde(rename = $kebab)] $name),+
        }

        impl What {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it is stored, logged, and named among the texts.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $kebab),+
                }
            }

            /// As the API writes it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $camel),+
                }
            }
        }
    };
}

words! {
    /// Others are involved too.
    Involved "involved" "involved",
    /// A further partner joined.
    Joined "joined" "joined",
    /// The other side has answered.
    Responded "responded" "responded",
    /// The other side can be reached now.
    Card "card" "card",
    /// Somebody else claims to be the lead.
    LeadClaimed "lead-claimed" "leadClaimed",
    /// The lead asks this side to take over.
    LeadOffered "lead-offered" "leadOffered",
    /// Several claim to be the lead.
    LeadContested "lead-contested" "leadContested",
    /// The other side is done with the match.
    OtherClosed "other-closed" "otherClosed",
    /// The other side is not involved any more.
    Ended "ended" "ended",
    /// The other side says that the match is not right.
    NotRight "not-right" "notRight",
    /// The other side is silent past the deadline.
    Silent "silent" "silent",
    /// A deadline comes near.
    Reminder "reminder" "reminder",
    /// A deadline has passed: for the own supervisor.
    Overdue "overdue" "overdue",
    /// It has waited longer: for the process coordinator.
    Escalated "escalated" "escalated",
    /// The own card has not followed in time.
    OwnCardLate "own-card-late" "ownCardLate",
    /// The other side's card has not followed in time.
    OtherCardLate "other-card-late" "otherCardLate",
    /// Who is silent and not named can be traced.
    Traceable "traceable" "traceable",
    /// More matches than one cooperation holds.
    Crowded "crowded" "crowded",
    /// The own people are done with all of it.
    Closed "closed" "closed",
    /// It is open again.
    Reopened "reopened" "reopened",
}

/// One thing that was to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// Over which match, if over one.
    pub about: Option<MatchId>,
    /// The last day on which it is in time, for a reminder.
    pub deadline: Option<Day>,
    /// How many working days it has waited, where that is what is told.
    pub waited: Option<u32>,
}

impl Told {
    /// What an effect of the rules tells somebody; none for what is carried out otherwise.
    #[must_use]
    pub fn of(effect: &Effect, at: Timestamp) -> Option<Self> {
        let (what, about) = match effect {
            Effect::Send { .. } | Effect::Mark { .. } => return None,
            Effect::Notify(alert) => of_alert(alert),
            Effect::Flag(flag) => of_flag(flag),
            Effect::Remind { .. } => (What::Reminder, None),
            Effect::TellSupervisor { .. } => (What::Overdue, None),
            Effect::TellCoordinator { .. } => (What::Escalated, None),
            Effect::Closed => (What::Closed, None),
            Effect::Reopened => (What::Reopened, None),
        };
        let deadline = match effect {
            Effect::Remind { deadline, .. } => Some(*deadline),
            _ => None,
        };
        let waited = match effect {
            Effect::TellSupervisor { waited, .. } | Effect::TellCoordinator { waited } => Some(*waited),
            _ => None,
        };
        Some(Self { at, what, about, deadline, waited })
    }
}

fn of_alert(alert: &Alert) -> (What, Option<MatchId>) {
    match alert {
        Alert::Involved { first: true, joined } => (What::Involved, Some(joined.id)),
        Alert::Involved { first: false, joined } => (What::Joined, Some(joined.id)),
        Alert::Responded(key) => (What::Responded, Some(key.id)),
        Alert::Card(key) => (What::Card, Some(key.id)),
        Alert::LeadClaimed(_) => (What::LeadClaimed, None),
        Alert::LeadOffered(key, _) => (What::LeadOffered, Some(key.id)),
        Alert::LeadContested(_) => (What::LeadContested, None),
        Alert::OtherClosed(key) => (What::OtherClosed, Some(key.id)),
        Alert::Ended(key) => (What::Ended, Some(key.id)),
        Alert::NotRight(key) => (What::NotRight, Some(key.id)),
        Alert::Silent(key) => (What::Silent, Some(key.id)),
    }
}

fn of_flag(flag: &Flag) -> (What, Option<MatchId>) {
    match flag {
        Flag::CardLate { key, ours: true } => (What::OwnCardLate, Some(key.id)),
        Flag::CardLate { key, ours: false } => (What::OtherCardLate, Some(key.id)),
        Flag::Traceable(key) => (What::Traceable, Some(key.id)),
        Flag::Crowded => (What::Crowded, None),
    }
}

/// What was to be told about one case, the latest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ToldList(Vec<Told>);

impl Wire for ToldList {
    const MAX_LEN: usize = 60_000;
}

impl ToldList {
    /// Adds one; the oldest makes room.
    pub fn add(&mut self, told: Told) {
        self.0.push(told);
        let surplus = self.0.len().saturating_sub(TOLD_MAX);
        self.0.drain(..surplus);
    }

    /// All of them, the latest last.
    pub fn iter(&self) -> impl Iterator<Item = &Told> {
        self.0.iter()
    }
}

//! Tempo: at which moments a node evaluates, sends, appends, reads and compares, whether it has something to say or not
//! (`docs/protocol.md` section 11).
//!
//! Every moment follows from the covenant, the member and the time, and never from what is waiting: so a busy node and an
//! idle one cannot be told apart, and a node that starts again goes on as if it had never stopped. What is waiting, and
//! which of it a message carries, is [`Queue`]. Waiting for a moment and sending is the node's.

use crate::covenant::{Covenant, Tempo};
use crate::crypto::{hmac_sha256, sha256};
use crate::field::join;
use crate::id::MemberId;
use crate::label;
use crate::oprf::MAX_BATCH;
use crate::relay::ITEMS_MAX;
use crate::time::{Day, Timestamp};
use rand_core::{CryptoRng, RngCore};

mod queue;

pub use queue::Queue;

/// Rounds of evaluation a day.
pub const ROUNDS_A_DAY: u32 = 8;
/// Longest slot, in seconds.
pub const SLOT_MAX_SECS: u32 = 600;
/// Longest wait of an item before it may be sent, in seconds.
pub const WAIT_MAX_SECS: u32 = 7_200;
/// Between two ticks, in seconds: matchers append at ticks, readers fetch after them.
pub const TICK_SECS: u32 = 900;
/// Bytes that one slot costs its sender, both ways: request 983, answer 170, and the transport's share.
pub const SLOT_BYTES: u64 = 1_370;

const DAY_SECS: u32 = 86_400;
const WEEK_SECS: u64 = 7 * DAY_SECS as u64;
/// Between two rounds of evaluation, in seconds.
const ROUND_SECS: u32 = DAY_SECS / ROUNDS_A_DAY;
/// A day's last round begins so long before midnight that its requests still count on that day.
const BEFORE_MIDNIGHT_SECS: u32 = 600;
/// Seconds of a third of one day of overlap.
const THIRD_OF_DAY_SECS: u64 = DAY_SECS as u64 / 3;
/// Between the starts of two requests of one round, in seconds.
const REQUEST_SECS: u64 = 10;
/// A reader fetches at the earliest so long after a tick: the matcher's append must be durable by then.
const READ_AFTER_SECS: u32 = 60;
/// Readers spread over so many seconds from there.
const READ_SPREAD_SECS: u32 = 600;
/// Between two comparisons with other members, in seconds.
const COMPARE_SECS: u32 = 3_600;
/// From this second of the hour members compare: a minute after the last reader of the hour's last tick has begun. So all
/// of them have the same heads, and can take over each other's cosignatures.
const COMPARE_AFTER_SECS: u32 = 3_420;
/// Members spread over so many seconds from there; all begin before the next tick.
const COMPARE_SPREAD_SECS: u32 = 150;

/// When something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// As soon as there is something to do.
    WhenWaiting,
    /// Then, whether there is something to do or not.
    At(Timestamp),
}

/// The pace at which one member's node works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pace {
    /// For development and demonstration, never for real data: everything at once, nothing that hides it.
    Immediate,
    /// As agreed for real data.
    Production(Schedule),
}

impl Pace {
    /// The pace of a member; none of who is not a member or has no budget.
    #[must_use]
    pub fn of(covenant: &Covenant, member: &MemberId) -> Option<Self> {
        match covenant.tempo {
            Tempo::Immediate => covenant.member(member).map(|_| Self::Immediate),
            Tempo::Production => Schedule::of(covenant, member).map(Self::Production),
        }
    }

    /// The next round of evaluation after `after`.
    #[must_use]
    pub fn next_round(&self, after: Timestamp) -> Next {
        self.due(|schedule| schedule.round_after(after))
    }

    /// The next append of a matcher after `after`.
    #[must_use]
    pub fn next_append(&self, after: Timestamp) -> Next {
        self.due(|_| tick_after(after))
    }

    /// When to read boards next after `after`.
    #[must_use]
    pub fn next_read(&self, after: Timestamp) -> Next {
        self.due(|schedule| schedule.read_after(after))
    }

    /// When to compare heads with other members next after `after`.
    #[must_use]
    pub fn next_comparison(&self, after: Timestamp) -> Next {
        self.due(|schedule| schedule.comparison_after(after))
    }

    /// When to draw a canary next after `after`; never by itself at the immediate tempo. `own` is the node's own secret.
    #[must_use]
    pub fn next_canary(&self, own: &[u8; 16], after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Immediate => None,
            Self::Production(schedule) => Some(schedule.canary_after(own, after)),
        }
    }

    /// When the second half of a canary may be left, whose first half is drawn at `drawn` and which lives until `until`.
    pub fn canary_second(
        &self,
        drawn: Timestamp,
        until: Day,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Timestamp {
        match self {
            Self::Immediate => drawn,
            Self::Production(_) => Schedule::canary_second(drawn, until, rng),
        }
    }

    /// Longest wait of an item in a queue, in seconds.
    #[must_use]
    pub const fn wait_secs(&self) -> u32 {
        match self {
            Self::Immediate => 0,
            Self::Production(_) => WAIT_MAX_SECS,
        }
    }

    /// Most sealed submissions of one forward request.
    #[must_use]
    pub const fn items_max(&self) -> usize {
        match self {
            Self::Immediate => ITEMS_MAX,
            Self::Production(_) => 1,
        }
    }

    fn due(&self, at: impl FnOnce(&Schedule) -> Timestamp) -> Next {
        match self {
            Self::Immediate => Next::WhenWaiting,
            Self::Production(schedule) => Next::At(at(schedule)),
        }
    }
}

/// The fixed times and sizes of one member, from the covenant alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    slot_secs: u32,
    batch: u32,
    /// Inputs of one batch for each of the member's purposes.
    round: u64,
    /// The first so many rounds of an epoch have two batches.
    double_rounds: u64,
    /// Seconds after midnight of the first round.
    round_offset: u32,
    /// Seconds after a tick of a fetch.
    read_offset: u32,
    /// Second of the hour of a comparison.
    compare_offset: u32,
}

/// One slot of a member for one matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its first second. What its message carries is chosen now, so that its making takes no part in its moment.
    pub begins: Timestamp,
    /// When its message is sent.
    pub moment: Timestamp,
    /// The first second after it.
    pub ends: Timestamp,
}

impl Schedule {
    /// A member's schedule; none of who is not a member or has no budget.
    #[must_use]
    pub fn of(covenant: &Covenant, member: &MemberId) -> Option<Self> {
        let card = covenant.member(member)?;
        let budget = covenant.budgets.iter().find(|budget| budget.member == *member)?;
        let purposes = u32::try_from(covenant.purposes_of(member).count()).unwrap_or(u32::MAX).max(1);
        let batch = budget.per_day / ROUNDS_A_DAY / purposes;
        let round = u64::from(batch) * u64::from(purposes);
        let left_within = u64::from(covenant.epochs.overlap_days) * THIRD_OF_DAY_SECS;
        let keys = u64::from(card.keys()).max(1);
        let slot_secs = u32::try_from(left_within / keys).unwrap_or(u32::MAX).clamp(1, SLOT_MAX_SECS);
        let spread = sha256(&join(&[label::SPREAD, member.as_bytes()]));
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = spread;
        Some(Self {
            slot_secs,
            batch,
            round,
            double_rounds: u64::from(budget.allowance).checked_div(round).unwrap_or(0),
            round_offset: u32::from_be_bytes([a, b, c, d]) % (ROUND_SECS - BEFORE_MIDNIGHT_SECS),
            read_offset: READ_AFTER_SECS + u32::from_be_bytes([e, f, g, h]) % READ_SPREAD_SECS,
            compare_offset: COMPARE_AFTER_SECS + u32::from_be_bytes([i, j, k, l]) % COMPARE_SPREAD_SECS,
        })
    }

    /// Length of a slot, in seconds.
    #[must_use]
    pub const fn slot_secs(&self) -> u32 {
        self.slot_secs
    }

    /// Inputs of one batch.
    #[must_use]
    pub const fn batch(&self) -> u32 {
        self.batch
    }

    /// Most slots that any 24 hours have.
    #[must_use]
    pub const fn slots_a_day(&self) -> u64 {
        DAY_SECS.div_ceil(self.slot_secs) as u64 + 1
    }

    /// What the slots of one day cost, for so many matchers.
    #[must_use]
    pub const fn bytes_a_day(&self, matchers: usize) -> u64 {
        DAY_SECS as u64 * matchers as u64 * SLOT_BYTES / self.slot_secs as u64
    }

    /// When the requests of a round start, from 0. Each has its own second, so that what was in one does not show in
    /// when the next one starts.
    #[must_use]
    pub const fn request_start(round: Timestamp, number: u64) -> Timestamp {
        round.plus_secs(number.saturating_mul(REQUEST_SECS))
    }

    /// Seconds in which so many submissions are left at one matcher, one a slot.
    #[must_use]
    pub const fn secs_to_leave(&self, submissions: u32) -> u64 {
        submissions as u64 * self.slot_secs as u64
    }

    /// Seconds in which so many inputs of one purpose are evaluated by batches alone, without the allowance.
    #[must_use]
    pub fn secs_to_evaluate(&self, inputs: u32) -> u64 {
        match self.batch {
            0 => u64::MAX,
            batch => u64::from(inputs.div_ceil(batch)) * u64::from(ROUND_SECS),
        }
    }

    /// How many batches a round has for each purpose: two while the allowance of the epoch lasts, then one. `total` is
    /// that of the member's last header in the epoch: what it asked, and not what it had to ask.
    #[must_use]
    pub const fn batches(&self, total: u64) -> u32 {
        if total < 2 * self.round * self.double_rounds { 2 } else { 1 }
    }

    /// The requests of one batch: how many inputs each has.
    pub fn requests(&self) -> impl Iterator<Item = usize> + use<> {
        let batch = usize::try_from(self.batch).unwrap_or(usize::MAX);
        (0..batch).step_by(MAX_BATCH).map(move |first| MAX_BATCH.min(batch - first))
    }

    /// The first slot for a matcher whose moment is later than `after`. `own` is the node's own secret: others cannot
    /// tell a slot's moment before it comes, nor whose a message is by its moment.
    #[must_use]
    pub fn slot_after(&self, matcher: &MemberId, own: &[u8; 16], after: Timestamp) -> Slot {
        let slot = |number: u64| {
            let length = u64::from(self.slot_secs);
            let begins = Timestamp::from_secs(number.saturating_mul(length));
            let field = join(&[label::MOMENT, matcher.as_bytes(), &number.to_be_bytes()]);
            let [a, b, c, d, e, f, g, h, ..] = hmac_sha256(own, &field);
            let within = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % length;
            Slot { begins, moment: begins.plus_secs(within), ends: begins.plus_secs(length) }
        };
        let number = after.secs() / u64::from(self.slot_secs);
        let current = slot(number);
        if current.moment > after { current } else { slot(number + 1) }
    }

    /// The first moment later than `after` at which a canary is drawn: one in each week, when a request of a round may
    /// bring the match keys of a person. `own` is the node's own secret, so that nobody else knows which round.
    #[must_use]
    pub fn canary_after(&self, own: &[u8; 16], after: Timestamp) -> Timestamp {
        let requests = u64::try_from(self.requests().count()).unwrap_or(1).max(1);
        let in_week = |week: u64| {
            let [a, b, c, d, e, f, g, h, rest @ ..] =
                hmac_sha256(own, &join(&[label::CANARY_ROUND, &week.to_be_bytes()]));
            let [i, j, k, l, m, n, o, p, ..] = rest;
            let round = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % (WEEK_SECS / u64::from(ROUND_SECS));
            let request = u64::from_be_bytes([i, j, k, l, m, n, o, p]) % requests;
            let secs = week * WEEK_SECS + round * u64::from(ROUND_SECS) + u64::from(self.round_offset);
            Self::request_start(Timestamp::from_secs(secs), request + 1)
        };
        // The last round of a week ends in the next one.
        let week = (after.secs() / WEEK_SECS).saturating_sub(1);
        (week..).map(in_week).find(|moment| *moment > after).expect("there is one in every week")
    }

    /// When a canary's second half is left, whose first half is drawn at `drawn`: some number of rounds later, of which
    /// few are as likely as many, when the other relay has its turn, and at least a week before `until`. Two partners'
    /// signals lie apart as little and as much, so that a matcher cannot leave out those that lie further apart.
    pub fn canary_second(drawn: Timestamp, until: Day, rng: &mut (impl RngCore + CryptoRng)) -> Timestamp {
        let round = u64::from(ROUND_SECS);
        let most = until.start().secs().saturating_sub(drawn.secs() + WEEK_SECS) / round;
        // Doubling by doubling: each has the same share.
        let doublings = u64::from(most.max(1).ilog2()) + 1;
        let power = 1_u64 << (rng.next_u64() % doublings);
        let rounds = (power + rng.next_u64() % power).min(most.max(1));
        let second = drawn.plus_secs(rounds * round);
        let same_turn = relay_on(second.day()) == relay_on(drawn.day());
        if same_turn { second.plus_secs(DAY_SECS.into()) } else { second }
    }

    fn round_after(&self, after: Timestamp) -> Timestamp {
        next(after, ROUND_SECS, self.round_offset)
    }

    fn read_after(&self, after: Timestamp) -> Timestamp {
        next(after, TICK_SECS, self.read_offset)
    }

    fn comparison_after(&self, after: Timestamp) -> Timestamp {
        next(after, COMPARE_SECS, self.compare_offset)
    }
}

/// Which of its two relays carries all that a member sends on a day: they take turns.
#[must_use]
pub const fn relay_on(day: Day) -> usize {
    (day.days() % 2) as usize
}

/// The first tick later than `after`; the same for everyone.
fn tick_after(after: Timestamp) -> Timestamp {
    next(after, TICK_SECS, 0)
}

/// The first moment later than `after` that is `offset` after a multiple of `every`.
fn next(after: Timestamp, every: u32, offset: u32) -> Timestamp {
    let (every, offset) = (u64::from(every), u64::from(offset));
    let passed = (after.secs() + every - offset) / every;
    Timestamp::from_secs(passed * every + offset)
}

#[cfg(test)]
mod tests;

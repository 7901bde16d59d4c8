//! Canaries whose first half ends before the second is left: a matcher that introduces it all the same has revived it
//! (`docs/protocol.md` section 12.6).
//!
//! Not here: canaries whose halves must meet ([`super`]), and the record ([`crate::evidence::Revived`]).

use serde::{Deserialize, Serialize};

use super::{Canary, Half, Plan, Receipted, Side, Stage, Step};
use crate::evidence::Revived;
use crate::log::checkpoint::Checkpoint;
use crate::log::merkle::Hash;
use crate::sign::Signature;
use crate::submission::due;
use crate::time::{Day, Timestamp};

/// What is known of the end of a canary's first half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// From when it may be withdrawn: on a later day than that of its receipt.
    pub withdraw_from: Timestamp,
    /// The receipt of its withdrawal, of a later day than that of the leave.
    pub(super) withdrawn: Option<Receipted>,
    /// A head that the matcher timed when all that came before the withdrawal had to stand under it.
    pub(super) head: Option<String>,
    /// By which post it was introduced after that: to whom, and the matcher's signature.
    pub(super) told: Option<(Side, Signature)>,
    /// A later head shows that the second half was introduced to nobody.
    pub(super) kept: bool,
}

impl Ending {
    pub(super) const fn from(withdraw_from: Timestamp) -> Self {
        Self { withdraw_from, withdrawn: None, head: None, told: None, kept: false }
    }

    pub(super) const fn stage(&self) -> Stage {
        match (&self.told, self.kept) {
            (Some(_), _) => Stage::Revived,
            (None, true) => Stage::Met,
            (None, false) => Stage::Open,
        }
    }

    /// What one half has to send now.
    pub(super) fn step(
        &self,
        side: Side,
        (first, second): (&Half, &Half),
        second_from: Timestamp,
        now: Timestamp,
    ) -> Step {
        match side {
            Side::First => match &first.left {
                None => Step::Leave,
                Some(left) if !first.withdrawn && self.may_end(left.promise.day, now) => Step::Withdraw,
                Some(_) => Step::Nothing,
            },
            Side::Second if second.withdrawn || self.head.is_none() => Step::Nothing,
            Side::Second if second.left.is_none() && now >= second_from => Step::Leave,
            Side::Second if second.left.is_some() && (self.kept || self.told.is_some()) => Step::Withdraw,
            Side::Second => Step::Nothing,
        }
    }

    fn may_end(&self, left: Day, now: Timestamp) -> bool {
        now >= self.withdraw_from && now.day() > left
    }

    /// The first half's withdrawal has a receipt. It proves something only when it is of a later day than the leave's.
    pub(super) fn withdrawn(&mut self, left: Option<&Receipted>, receipted: Receipted, expiry: Day) {
        let day = receipted.promise.day;
        if left.is_some_and(|left| left.promise.day < day) && day <= expiry {
            self.withdrawn = Some(receipted);
        }
    }

    /// Whether nothing is left that could be proven.
    pub(super) const fn is_over(&self, first: &Half, second: &Half) -> bool {
        first.withdrawn && (self.withdrawn.is_none() || second.withdrawn)
    }

    /// Judges by a head of the board, as [`Canary::judge`].
    pub(super) fn judge(&mut self, plan: &mut Plan, second: &Half, timed: Timestamp, head: &str) {
        let Some(withdrawn) = &self.withdrawn else { return };
        if self.head.is_none() {
            if timed >= due(withdrawn.promise.day)
                && let Some(root) = root_of(head)
            {
                plan.ended = Some(root);
                self.head = Some(head.to_owned());
            }
        } else if let Some(left) = &second.left {
            self.kept |= self.told.is_none() && timed >= due(left.promise.day);
        }
    }
}

/// The root that a head's text names; its lines of signatures follow after an empty line.
fn root_of(head: &str) -> Option<Hash> {
    let (text, _) = head.split_once("\n\n")?;
    Checkpoint::parse(&format!("{text}\n")).ok().map(|checkpoint| checkpoint.root)
}

impl Canary {
    /// Whether and how its first half ends before the second is left.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The evidence that the matcher revived the first half. None until it has.
    #[must_use]
    pub fn revived(&self) -> Option<Revived> {
        let ending = self.ending.as_ref()?;
        let (to, signature) = ending.told?;
        Some(Revived {
            matcher: self.matcher.clone(),
            plan: self.plan.clone(),
            left: self.first.left.clone()?,
            withdrawn: ending.withdrawn.clone()?,
            checkpoint: ending.head.clone()?,
            to,
            signature,
        })
    }
}

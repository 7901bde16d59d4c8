//! What the members agree on: purposes, budgets, tempo and epochs (section 3.3).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, FunctionId, MemberId, PurposeId};
use crate::tempo::ROUNDS_A_DAY;
use crate::time::Day;

/// One goal with its legal ground, who takes part, and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Its id.
    pub id: PurposeId,
    /// What people call it.
    pub title: String,
    /// The law or agreement it rests on.
    pub legal_ground: String,
    /// Who takes part.
    pub members: Vec<MemberId>,
    /// Which of them may use the BSN.
    pub bsn_members: Vec<MemberId>,
    /// A named recipe list, or the recipes' own ids.
    pub recipes: Vec<String>,
    /// What both sides learn at once.
    pub disclosure: Disclosure,
    /// Months after which a signal ends unless renewed.
    pub signal_months: u32,
    /// Deadlines and functions of the coordination; left out where those of section 10.11 are meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coordination: Option<Coordination>,
}

impl Purpose {
    /// Deadlines and functions that hold for this purpose.
    #[must_use]
    pub fn coordination(&self) -> Cow<'_, Coordination> {
        self.coordination.as_ref().map_or_else(|| Cow::Owned(Coordination::default()), Cow::Borrowed)
    }
}

/// What holds for the coordination after a match (section 10.11). Days are working days ([`crate::calendar`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coordination {
    /// A side has so many to answer a match.
    pub respond_days: u32,
    /// Both have so many, after both have answered, until there is contact.
    pub contact_days: u32,
    /// Both have so many, from contact, to agree on the lead or to close.
    pub lead_days: u32,
    /// So many after any of these deadlines the process coordinator is told that a match waits.
    pub coordinator_days: u32,
    /// The functions that a contact card may name.
    pub functions: BTreeSet<FunctionId>,
}

/// Functions where the covenant names none.
const FUNCTIONS: [&str; 13] = [
    "attention-officer",
    "care-coordinator",
    "case-manager",
    "doctor",
    "family-guardian",
    "nurse",
    "other",
    "police-officer",
    "psychologist",
    "social-worker",
    "teacher",
    "team-lead",
    "therapist",
];

impl Default for Coordination {
    fn default() -> Self {
        let functions = FUNCTIONS.iter().map(|text| text.parse().expect("these are slugs"));
        Self {
            respond_days: 5,
            contact_days: 5,
            lead_days: 20,
            coordinator_days: 5,
            functions: functions.collect(),
        }
    }
}

/// What a match tells at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disclosure {
    /// Both sides see which organisation.
    NameAtOnce,
    /// First only that another organisation is involved.
    NameWhenBothAgree,
}

/// How many evaluations (blinded inputs, dummies included) a member may ask (section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Whose.
    pub member: MemberId,
    /// Per UTC day by the holder's clock; what is unused lapses.
    pub per_day: u32,
    /// Once per epoch on top, for a first import or a rotation.
    pub allowance: u32,
}

/// Most match keys a person gives; the default budgets reckon with it.
pub const KEYS_PER_PERSON: u32 = 12;
/// Inputs of one batch at least.
const BATCH_LEN: u32 = 256;
/// Days in which a caseload must be left after a rotation: a third of the default overlap.
const ROTATION_DAYS: u32 = 10;

impl Budget {
    /// The budget that follows from the tempo and a declared caseload: for each of the member's purposes full batches
    /// that evaluate all of it within a third of the overlap, and the caseload once more as allowance.
    #[must_use]
    pub fn for_caseload(member: MemberId, persons: u32, purposes: u32) -> Self {
        let keys = persons.saturating_mul(KEYS_PER_PERSON);
        let batch = keys.div_ceil(ROTATION_DAYS * ROUNDS_A_DAY).max(BATCH_LEN);
        let per_day = batch.saturating_mul(ROUNDS_A_DAY).saturating_mul(purposes.max(1));
        Self { member, per_day, allowance: keys }
    }

    /// Guesses a year that this budget allows, allowances of two epochs included.
    #[must_use]
    pub fn guesses_per_year(&self) -> u64 {
        u64::from(self.per_day) * 365 + u64::from(self.allowance) * 2
    }
}

/// How a node spreads its work over time (design 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tempo {
    /// All intervals zero, no dummies: for development and demonstration, never for real data.
    Immediate,
    /// Fixed times, full batches, one message per slot, dummies.
    Production,
}

/// When keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochTerms {
    /// The first day of epoch 1.
    pub first_day: Day,
    /// Life of one epoch's keys, in days.
    pub days: u32,
    /// How long before an epoch's end the next one begins, in days.
    pub overlap_days: u32,
}

impl EpochTerms {
    /// Half a year, with a month of overlap.
    #[must_use]
    pub const fn starting(first_day: Day) -> Self {
        Self { first_day, days: 183, overlap_days: 30 }
    }

    /// First day of an epoch.
    #[must_use]
    pub const fn start(&self, epoch: Epoch) -> Day {
        self.first_day.plus((epoch.0 - 1).saturating_mul(self.days - self.overlap_days))
    }

    /// First day after an epoch: its keys are destroyed when it begins.
    #[must_use]
    pub const fn end(&self, epoch: Epoch) -> Day {
        self.start(epoch).plus(self.days)
    }

    /// The last day of an epoch: nothing left under its keys lives longer.
    #[must_use]
    pub const fn last_day(&self, epoch: Epoch) -> Day {
        Day::from_days(self.end(epoch).days() - 1)
    }

    /// The epochs in use on `day`, the older first; none before the first day.
    #[must_use]
    pub fn on(&self, day: Day) -> Vec<Epoch> {
        let Some(since) = day.days().checked_sub(self.first_day.days()) else { return Vec::new() };
        let newest = Epoch(since / (self.days - self.overlap_days) + 1);
        let older = Epoch(newest.0 - 1);
        let mut epochs = vec![newest];
        if older.0 > 0 && day < self.end(older) {
            epochs.insert(0, older);
        }
        epochs
    }

    /// The first day on which nothing that was posted on `day` concerns anybody: all epochs in use on that day have ended.
    /// What was posted before the first day counts as posted then.
    #[must_use]
    pub fn over_from(&self, day: Day) -> Day {
        let newest = self.on(day.max(self.first_day)).pop().unwrap_or(Epoch(1));
        self.end(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, EpochTerms};
    use crate::id::Epoch;
    use crate::time::Day;

    #[test]
    fn epochs_overlap_by_their_overlap() {
        let terms = EpochTerms::starting(Day::from_days(1000));
        assert_eq!(terms.on(Day::from_days(999)), []);
        assert_eq!(terms.on(Day::from_days(1000)), [Epoch(1)]);
        assert_eq!(terms.on(Day::from_days(1152)), [Epoch(1)]);
        assert_eq!(terms.on(Day::from_days(1153)), [Epoch(1), Epoch(2)]);
        assert_eq!(terms.on(Day::from_days(1182)), [Epoch(1), Epoch(2)]);
        assert_eq!(terms.on(Day::from_days(1183)), [Epoch(2)]);
    }

    #[test]
    fn what_was_posted_is_over_with_the_last_epoch_of_its_day() {
        let terms = EpochTerms::starting(Day::from_days(1000));
        for (day, over) in [(900, 1183), (1000, 1183), (1152, 1183), (1153, 1336), (1183, 1336), (1306, 1489)]
        {
            assert_eq!(terms.over_from(Day::from_days(day)), Day::from_days(over), "{day}");
        }
        for day in (900..2_000).map(Day::from_days) {
            assert!(terms.on(day).into_iter().all(|epoch| terms.end(epoch) <= terms.over_from(day)));
            assert!(terms.over_from(day) <= terms.over_from(day.plus(1)) && day < terms.over_from(day));
        }
    }

    #[test]
    fn a_budget_leaves_the_caseload_within_a_third_of_the_overlap() {
        for persons in [0, 1, 300, 5_000, 2_000_000] {
            let budget = Budget::for_caseload("a".parse().unwrap(), persons, 1);
            assert!(u64::from(budget.per_day) * 10 >= u64::from(persons) * 12, "{persons}");
        }
    }
}

//! What happens when nobody does anything: reminders, then the own supervisor, then the process coordinator
//! (`docs/protocol.md` section 10.11).

use std::collections::BTreeSet;

use rand_core::{CryptoRng, RngCore};

use super::cooperation::Cooperation;
use super::lead::Claims;
use super::position::ClaimId;
use super::tie::{Once, Tie};
use super::{Alert, At, Effect, Flag};
use crate::calendar::{is_working_day, local_day, waited, working_days_after};
use crate::covenant::Coordination;
use crate::matching::MatchKey;
use crate::time::Day;

/// What a match waits for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An answer of each side.
    Respond,
    /// Contact.
    Contact,
    /// A lead that both agree on, or that a side is done.
    Lead,
}

/// How far chasing has gone for one step of one match; more is further.
mod stage {
    pub(super) const REMINDED: u8 = 1;
    pub(super) const REMINDED_AGAIN: u8 = 2;
    pub(super) const SUPERVISOR: u8 = 3;
    pub(super) const COORDINATOR: u8 = 4;
}

/// Reminders go out on these working days before the last one.
const REMIND_BEFORE: u32 = 3;
const REMIND_AGAIN_BEFORE: u32 = 1;

/// A step that a match is at, and for whom it waits.
pub(super) struct Waiting {
    pub(super) step: Step,
    /// It waits for this side, perhaps for the other too.
    pub(super) for_us: bool,
    since: Day,
    days: u32,
}

impl Waiting {
    /// The last day on which it is in time.
    pub(super) fn deadline(&self) -> Day {
        working_days_after(self.since, self.days)
    }

    fn stage(&self, coordinator_days: u32, today: Day) -> u8 {
        let reached = |working_day: Option<u32>| {
            working_day.is_some_and(|nth| nth > 0 && working_days_after(self.since, nth) <= today)
        };
        let stages = [
            (Some(self.days + coordinator_days + 1), stage::COORDINATOR),
            (Some(self.days + 1), stage::SUPERVISOR),
            (self.days.checked_sub(REMIND_AGAIN_BEFORE), stage::REMINDED_AGAIN),
            (self.days.checked_sub(REMIND_BEFORE), stage::REMINDED),
        ];
        stages.into_iter().find(|(nth, _)| reached(*nth)).map_or(0, |(_, stage)| stage)
    }
}

/// What has become due, over all matches of the case.
#[derive(Default)]
struct Due {
    reminders: Vec<(MatchKey, Step)>,
    deadline: Option<Day>,
    supervisor: Vec<(MatchKey, Step)>,
    supervisor_waited: u32,
    coordinator_waited: Option<u32>,
}

impl Cooperation {
    /// Time passes. To be fed at start, and at least once on every day, best in the morning.
    pub fn tick(&mut self, at: At<'_>, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Effect> {
        let mut effects = Vec::new();
        let today = local_day(at.now);
        self.flag_late_cards(at.now, &mut effects);
        self.tell_contested(today, &mut effects);
        if is_working_day(today) {
            let terms = at.purpose.coordination();
            self.chase(&terms, today, &mut effects);
            self.tell_silent(&terms, today, &mut effects);
        }
        self.settle(at, rng, &mut effects);
        effects
    }

    fn chase(&mut self, terms: &Coordination, today: Day, effects: &mut Vec<Effect>) {
        let known = self.claims();
        let mut due = Due::default();
        for index in 0..self.ties.len() {
            let waiting = self.waiting(&self.ties[index], terms, &known).filter(|waiting| waiting.for_us);
            if let Some(waiting) = waiting {
                self.chase_one(index, &waiting, terms.coordinator_days, today, &mut due);
            }
        }
        if let Some(deadline) = due.deadline.filter(|_| !self.muted) {
            let days_left = waited(today, deadline.plus(1));
            effects.push(Effect::Remind { deadline, days_left, about: due.reminders });
        }
        if !due.supervisor.is_empty() {
            let waited = due.supervisor_waited;
            effects.push(Effect::TellSupervisor { waited, about: due.supervisor });
        }
        effects.extend(due.coordinator_waited.map(|waited| Effect::TellCoordinator { waited }));
    }

    fn chase_one(
        &mut self,
        index: usize,
        waiting: &Waiting,
        coordinator_days: u32,
        today: Day,
        due: &mut Due,
    ) {
        let tie = &mut self.ties[index];
        let before = tie.chased[waiting.step as usize];
        // What waits for both is told to the coordinator by one.
        let ours_to_tell = waiting.step == Step::Respond || self.own < tie.other;
        let most = if ours_to_tell { stage::COORDINATOR } else { stage::SUPERVISOR };
        let now = waiting.stage(coordinator_days, today).min(most);
        if now <= before {
            return;
        }
        tie.chased[waiting.step as usize] = now;
        let (what, waited) = ((tie.key.clone(), waiting.step), waited(waiting.since, today));
        match now {
            stage::REMINDED | stage::REMINDED_AGAIN => {
                due.reminders.push(what);
                let deadline = waiting.deadline();
                due.deadline = Some(due.deadline.map_or(deadline, |earliest| earliest.min(deadline)));
            }
            _ => {
                if before < stage::SUPERVISOR {
                    due.supervisor.push(what);
                    due.supervisor_waited = due.supervisor_waited.max(waited);
                }
                if now == stage::COORDINATOR {
                    due.coordinator_waited = due.coordinator_waited.max(Some(waited));
                }
            }
        }
    }

    /// What a match waits for. Nothing when it is not shown, this side is done with it, or a lead is agreed on.
    pub(super) fn waiting(&self, tie: &Tie, terms: &Coordination, known: &Claims) -> Option<Waiting> {
        if !tie.shown || tie.decided.outcome.is_some() || self.lead_is_agreed(tie, known) {
            return None;
        }
        let answered = tie.decided.response.is_some();
        let waiting = if !answered || tie.their_response().is_none() {
            Waiting { step: Step::Respond, for_us: !answered, since: tie.since, days: terms.respond_days }
        } else if !tie.in_contact() {
            let since = tie.contact_from.unwrap_or(tie.since);
            Waiting { step: Step::Contact, for_us: true, since, days: terms.contact_days }
        } else {
            let since = tie.lead_from.unwrap_or(tie.since);
            Waiting { step: Step::Lead, for_us: true, since, days: terms.lead_days }
        };
        Some(waiting)
    }

    /// A step begins when it is first reached, once: going back gives no new deadline.
    pub(super) fn step_began(&mut self, index: usize, today: Day) {
        let tie = &mut self.ties[index];
        if tie.decided.response.is_some() && tie.their_response().is_some() {
            tie.contact_from.get_or_insert(today);
            if tie.in_contact() {
                tie.lead_from.get_or_insert(today);
            }
        }
    }

    /// Who has answered is told of who has not, the day after the other's last day.
    fn tell_silent(&mut self, terms: &Coordination, today: Day, effects: &mut Vec<Effect>) {
        for tie in self.ties.iter_mut().filter(|tie| tie.shown) {
            let waits = tie.decided.response.is_some() && tie.decided.outcome.is_none();
            let overdue = working_days_after(tie.since, terms.respond_days) < today;
            if waits && overdue && tie.their_response().is_none() && tie.once(Once::Silent) {
                effects.push(Effect::Notify(Alert::Silent(tie.key.clone())));
                if tie.partner().is_none() {
                    effects.push(Effect::Flag(Flag::Traceable(tie.key.clone())));
                }
            }
        }
    }

    /// Several claims are told of on the day after they met, so that a hand-over under way alarms nobody, and once for each
    /// claim that comes in between.
    fn tell_contested(&mut self, today: Day, effects: &mut Vec<Effect>) {
        if self.contested_since.is_none_or(|since| since >= today) {
            return;
        }
        let known: BTreeSet<ClaimId> = self.claims().into_keys().collect();
        let mut news = false;
        for seen in self.ties.iter_mut().flat_map(|tie| &mut tie.claims_seen) {
            if known.contains(&seen.id) && seen.announced {
                news |= !std::mem::replace(&mut seen.contested, true);
            }
        }
        if self.claim.is_some() {
            news |= std::mem::replace(&mut self.contested_own, self.claim) != self.claim;
        }
        if news {
            let all = known.into_iter().chain(self.claim).collect();
            effects.push(Effect::Notify(Alert::LeadContested(all)));
        }
    }
}

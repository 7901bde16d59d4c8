//! The rules that every covenant must keep, and the warnings its members should know (section 3.3).

use std::collections::BTreeSet;
use std::fmt;

use super::{Coordination, Covenant, MemberCard, Purpose, Tempo, threshold};
use crate::id::MemberId;
use crate::recipe::RecipeList;
use crate::tempo::{ROUNDS_A_DAY, SLOT_MAX_SECS, Schedule};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No node accepts this covenant.
    Error,
    /// Members should know before they sign.
    Warning,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// What, and what to do about it.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity}: {}", self.text)
    }
}

/// Fewest key holders.
const KEY_HOLDERS_MIN: usize = 3;
/// Most key holders.
const KEY_HOLDERS_MAX: usize = 7;
/// Most matchers: a key holder's answer for all their keys is one record.
const MATCHERS_MAX: usize = 7;
/// From this many matchers on, one that cheats or fails harms nobody.
const MATCHERS_GOOD: usize = 4;
/// With fewer members, who left a submission is not hidden (design 4.8).
const MEMBERS_GOOD: usize = 6;

/// Longest deadline of the coordination, in working days.
const DEADLINE_MAX_DAYS: u32 = 60;
/// Most functions that a contact card may choose from.
const FUNCTIONS_MAX: usize = 64;

/// Everything found, errors first.
#[must_use]
pub fn findings(covenant: &Covenant) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    members(covenant, &mut findings);
    roles(covenant, &mut findings);
    terms(covenant, &mut findings);
    if covenant.tempo == Tempo::Production {
        tempo(covenant, &mut findings);
    }
    if findings.0.is_empty() {
        // Only where every name resolves can paths be looked at.
        paths(covenant, &mut findings);
        warnings(covenant, &mut findings);
    }
    let mut findings = findings.0;
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// The errors alone.
pub(super) fn errors(covenant: &Covenant) -> Vec<Finding> {
    findings(covenant).into_iter().filter(|finding| finding.severity == Severity::Error).collect()
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, text: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Error, text: text.into() });
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Warning, text: text.into() });
    }
}

fn members(covenant: &Covenant, findings: &mut Findings) {
    if covenant.version != 1 || covenant.previous.is_some() {
        findings.error("only a first covenant (version 1, no previous) can be read by this software");
    }
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for signed in &covenant.members {
        let card = &signed.card;
        if signed.verify().is_err() {
            findings.error(format!(
                "the card of {} was altered after signing; ask for its member.toml again",
                card.id
            ));
        }
        if !ids.insert(&card.id) {
            findings.error(format!("two members are called {}; one must choose another id", card.id));
        }
        let fresh = keys.insert(card.signing_key.as_bytes()) & keys.insert(card.transport_key.as_bytes());
        if !fresh {
            findings.error(format!(
                "{} uses a key twice or another member's key; run `kring init` anew",
                card.id
            ));
        }
    }
}

fn roles(covenant: &Covenant, findings: &mut Findings) {
    let roles = [("key_holders", &covenant.key_holders), ("matchers", &covenant.matchers)];
    for (role, ids) in roles {
        known_once(covenant, role, ids, findings);
    }
    known_once(covenant, "trace_keys", &covenant.trace_keys, findings);
    let holders = &covenant.key_holders;
    if !(KEY_HOLDERS_MIN..=KEY_HOLDERS_MAX).contains(&holders.len()) {
        findings
            .error(format!("{} key holders; choose {KEY_HOLDERS_MIN} to {KEY_HOLDERS_MAX}", holders.len()));
    }
    for (index, a) in holders.iter().enumerate() {
        for b in &holders[index + 1..] {
            if dependent(covenant, a, b) {
                findings
                    .error(format!("key holders {a} and {b} have one controller or operator; replace one"));
            }
        }
    }
    let [first, second] = &covenant.trace_keys;
    if dependent(covenant, first, second) {
        findings.error(format!("trace keys of {first} and {second} are in one hand; choose another member"));
    }
    if covenant.matchers.len() > MATCHERS_MAX {
        findings.error(format!(
            "{} matchers; at most {MATCHERS_MAX}, because every submission goes to each",
            covenant.matchers.len()
        ));
    }
    if covenant.matchers.is_empty() {
        findings.error("no matchers; name four where there are that many members");
    }
    for matcher in &covenant.matchers {
        let holders = covenant.holders_of(matcher).len();
        if covenant.member(matcher).is_some() && holders < 2 {
            findings
                .error(format!("the key of matcher {matcher} would have {holders} holders; it needs two"));
        }
    }
}

/// Whether both are members and not independent of each other.
fn dependent(covenant: &Covenant, a: &MemberId, b: &MemberId) -> bool {
    covenant.member(a).is_some() && covenant.member(b).is_some() && !covenant.independent(a, b)
}

fn known_once(covenant: &Covenant, role: &str, ids: &[MemberId], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for id in ids {
        if covenant.member(id).is_none() {
            findings.error(format!("{role} names {id}, who is not a member"));
        }
        if !seen.insert(id) {
            findings.error(format!("{role} names {id} twice"));
        }
    }
}

fn terms(covenant: &Covenant, findings: &mut Findings) {
    let epochs = &covenant.epochs;
    if epochs.overlap_days == 0 || epochs.overlap_days.saturating_mul(2) > epochs.days || epochs.days > 400 {
        findings
            .error("epochs: at most 400 days, with an overlap of at least one day and at most half of them");
    }
    if covenant.purposes.is_empty() {
        findings.error("no purposes; a network without one can do nothing");
    }
    let mut seen = BTreeSet::new();
    for purpose in &covenant.purposes {
        if !seen.insert(&purpose.id) {
            findings.error(format!("two purposes are called {}", purpose.id));
        }
        purpose_terms(covenant, purpose, findings);
    }
    let budgeted: Vec<_> = covenant.budgets.iter().map(|budget| budget.member.clone()).collect();
    known_once(covenant, "budgets", &budgeted, findings);
    for card in &covenant.members {
        if !budgeted.contains(&card.card.id) {
            findings.error(format!("{} has no budget", card.card.id));
        }
    }
}

fn purpose_terms(covenant: &Covenant, purpose: &Purpose, findings: &mut Findings) {
    known_once(covenant, &format!("purpose {}: members", purpose.id), &purpose.members, findings);
    known_once(covenant, &format!("purpose {}: bsn_members", purpose.id), &purpose.bsn_members, findings);
    if let Some(id) = purpose.bsn_members.iter().find(|id| !purpose.members.contains(id)) {
        findings.error(format!("purpose {}: {id} may use the BSN but takes no part", purpose.id));
    }
    if let Err(problem) = RecipeList::from_terms(&purpose.recipes) {
        findings.error(format!("purpose {}: {problem}", purpose.id));
    }
    if !(1..=24).contains(&purpose.signal_months) {
        findings.error(format!("purpose {}: signals live 1 to 24 months", purpose.id));
    }
    let Coordination { respond_days, contact_days, lead_days, coordinator_days, functions } =
        &*purpose.coordination();
    let deadlines = [respond_days, contact_days, lead_days, coordinator_days];
    if !deadlines.into_iter().all(|days| (1..=DEADLINE_MAX_DAYS).contains(days)) {
        findings.error(format!(
            "purpose {}: deadlines of the coordination are 1 to {DEADLINE_MAX_DAYS} working days",
            purpose.id
        ));
    }
    if !(1..=FUNCTIONS_MAX).contains(&functions.len()) {
        findings.error(format!("purpose {}: name 1 to {FUNCTIONS_MAX} functions", purpose.id));
    }
}

/// Slots and batches move every declared caseload within a third of the overlap (section 11.4).
fn tempo(covenant: &Covenant, findings: &mut Findings) {
    let third = u64::from(covenant.epochs.overlap_days) * 28_800;
    for card in covenant.members.iter().map(|signed| &signed.card) {
        let Some(schedule) = Schedule::of(covenant, &card.id) else { continue };
        if schedule.secs_to_leave(card.keys()) > third {
            findings.error(format!(
                "{} declares {} persons, which not even a message a second leaves within a third of the overlap; \
                 lengthen the overlap",
                card.id, card.persons
            ));
        }
        if schedule.secs_to_evaluate(card.keys()) > third {
            let rounds = u64::from(covenant.epochs.overlap_days) * u64::from(ROUNDS_A_DAY) / 3;
            let batch = u64::from(card.keys()).div_ceil(rounds.max(1)).max(1);
            let purposes = covenant.purposes_of(&card.id).count().max(1) as u64;
            findings.error(format!(
                "the budget of {} is too small to evaluate its declared caseload within a third of the overlap; it \
                 needs {} a day",
                card.id,
                batch * u64::from(ROUNDS_A_DAY) * purposes
            ));
        }
    }
}

fn paths(covenant: &Covenant, findings: &mut Findings) {
    for sender in ids(covenant) {
        for matcher in covenant.matchers_for(sender) {
            match covenant.relays_for(sender, &matcher).len() {
                0 => findings
                    .error(format!("nobody can relay what {sender} leaves at {matcher}; add a member")),
                1 => findings.warn(format!("only one member can relay what {sender} leaves at {matcher}")),
                _ => {}
            }
        }
    }
    for purpose in &covenant.purposes {
        for (index, a) in purpose.members.iter().enumerate() {
            for b in &purpose.members[index + 1..] {
                if covenant.independent(a, b) {
                    shared_matchers(covenant, a, b, findings);
                }
            }
        }
    }
}

fn shared_matchers(covenant: &Covenant, a: &MemberId, b: &MemberId, findings: &mut Findings) {
    let of_b = covenant.matchers_for(b);
    match covenant.matchers_for(a).iter().filter(|matcher| of_b.contains(matcher)).count() {
        0 => findings.error(format!("{a} and {b} share no matcher and could never meet; add one")),
        1 => findings.warn(format!("{a} and {b} share one matcher only; if it fails they cannot meet")),
        _ => {}
    }
}

fn warnings(covenant: &Covenant, findings: &mut Findings) {
    if covenant.members.len() < MEMBERS_GOOD {
        findings
            .warn(format!("with {} members, who left a submission is not hidden", covenant.members.len()));
    }
    if covenant.matchers.len() < MATCHERS_GOOD {
        findings.warn(format!("{} matchers; with four, one may fail or cheat", covenant.matchers.len()));
    }
    for matcher in &covenant.matchers {
        let holders = covenant.holders_of(matcher).len();
        if threshold(holders) == holders {
            findings.warn(format!(
                "the key of {matcher} has {holders} holders and needs them all; none may fail"
            ));
        }
    }
    match covenant.tempo {
        Tempo::Immediate => {
            findings.warn("tempo immediate: for development and demonstration only, never for real data");
        }
        Tempo::Production => lone_slots(covenant, findings),
    }
}

/// A matcher counts what comes through a relay. Who sends at a rate of its own stands out there.
fn lone_slots(covenant: &Covenant, findings: &mut Findings) {
    let slots: Vec<_> = ids(covenant)
        .filter_map(|id| Some((id, Schedule::of(covenant, id)?.slot_secs())))
        .filter(|(_, secs)| *secs < SLOT_MAX_SECS)
        .collect();
    for (id, secs) in &slots {
        if slots.iter().filter(|(_, other)| other == secs).count() == 1 {
            findings.warn(format!(
                "only {id} sends every {secs} seconds, so a matcher can tell by their number which messages are its; \
                 let members declare caseloads in the same steps"
            ));
        }
    }
}

fn ids(covenant: &Covenant) -> impl Iterator<Item = &MemberId> {
    covenant.members.iter().map(|signed| &signed.card).map(|card: &MemberCard| &card.id)
}

//! The steps of coordination after the answer, as they are asked for.
//!
//! Not here: what may be done when (`kring_protocol::coordination`).

use kring_protocol::coordination::Outcome;
use kring_protocol::time::Day;
use serde_json::Value;

use super::Problem;
use super::notices::OUTCOMES;
use super::shape::{Object, Shape};

const CONTACT_FIELDS: &[&str] = &["matchId", "on"];
const LEAD_FIELDS: &[&str] = &["action", "claim", "matchId"];
const CLOSE_FIELDS: &[&str] = &["matchId", "outcome", "reopen"];

/// A step of the coordination other than an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There was contact on this day, or there was none after all.
    Contact { match_id: String, on: Option<Day> },
    /// Claims to be the lead, or takes over.
    Claim,
    /// Gives the own claim up.
    Release,
    /// Agrees with a claim.
    Confirm { claim: String },
    /// Asks the other side of a match to take over.
    Offer { match_id: String },
    /// Takes that back.
    Keep,
    /// Is done with a match.
    Close { match_id: String, outcome: Outcome },
    /// Takes it up again.
    Reopen { match_id: String },
    /// Wants no reminders of the notice, or wants them again.
    Mute(bool),
}

/// What is done about the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    Claim,
    Release,
    Confirm,
    Offer,
    Keep,
}

pub(super) const LEAD: [(&str, Lead); 5] = [
    ("claim", Lead::Claim),
    ("release", Lead::Release),
    ("confirm", Lead::Confirm),
    ("offer", Lead::Offer),
    ("keep", Lead::Keep),
];

fn read(
    value: &Value,
    fields: &[&str],
    step: impl FnOnce(&mut Shape, &Object<'_>) -> Option<Step>,
) -> Result<Step, Problem> {
    let mut shape = Shape::default();
    let found = shape.object(value, String::new(), fields).and_then(|object| step(&mut shape, &object));
    shape.finish(found)
}

pub(super) fn contact(value: &Value) -> Result<Step, Problem> {
    read(value, CONTACT_FIELDS, |shape, object| {
        shape.require(object, "matchId");
        let match_id = shape.text(object, "matchId");
        // Leaving it out would take contact back by mistake.
        shape.require_or_null(object, "on");
        let on = shape.date(object, "on");
        Some(Step::Contact { match_id: match_id?, on })
    })
}

pub(super) fn lead(value: &Value) -> Result<Step, Problem> {
    read(value, LEAD_FIELDS, |shape, object| {
        shape.require(object, "action");
        let action = shape.word(object, "action", &LEAD);
        let (claim, match_id) = (shape.text(object, "claim"), shape.text(object, "matchId"));
        if let Some(action) = action {
            for (name, belongs_to) in [("claim", Lead::Confirm), ("matchId", Lead::Offer)] {
                if action == belongs_to {
                    shape.require(object, name);
                } else {
                    shape.refuse(object, name, "does not go with this action");
                }
            }
        }
        Some(match action? {
            Lead::Claim => Step::Claim,
            Lead::Release => Step::Release,
            Lead::Confirm => Step::Confirm { claim: claim? },
            Lead::Offer => Step::Offer { match_id: match_id? },
            Lead::Keep => Step::Keep,
        })
    })
}

pub(super) fn close(value: &Value) -> Result<Step, Problem> {
    read(value, CLOSE_FIELDS, |shape, object| {
        shape.require(object, "matchId");
        let match_id = shape.text(object, "matchId");
        let outcome = shape.word(object, "outcome", &OUTCOMES);
        let reopen = shape.boolean(object, "reopen").unwrap_or(false);
        if reopen {
            shape.refuse(object, "outcome", "does not go with `reopen`");
            return Some(Step::Reopen { match_id: match_id? });
        }
        shape.require(object, "outcome");
        Some(Step::Close { match_id: match_id?, outcome: outcome? })
    })
}

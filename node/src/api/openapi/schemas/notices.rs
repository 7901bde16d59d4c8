//! The schemas of notices and of the steps of coordination.

use serde_json::{Value, json};

use super::{count, id, input, list, moment, nullable, object, one_of, reference, text};
use crate::api::notices::{ALREADY_TOGETHER, COORDINATE, NOT_RIGHT, OUTCOMES, REASONS};
use crate::api::steps::LEAD;
use crate::coordination::What;

fn state() -> Value {
    one_of(&["open", "responded", "inContact", "leadAgreed", "closed"])
}

/// A date or nothing.
fn day(description: &str) -> Value {
    json!({ "type": ["string", "null"], "format": "date", "maxLength": 10, "description": description })
}

/// One of these words or nothing.
fn maybe_one_of(words: &[&str]) -> Value {
    let words: Vec<_> = words.iter().map(|word| json!(word)).chain([Value::Null]).collect();
    json!({ "type": ["string", "null"], "enum": words })
}

fn maybe_text(max: u32, description: &str) -> Value {
    json!({ "type": ["string", "null"], "maxLength": max, "description": description })
}

pub(super) fn notice() -> Value {
    let properties = [
        ("id", id()),
        ("caseReference", text(256)),
        ("state", state()),
        ("otherPartners", count()),
        ("deadlineDate", day("If something waits for this side: the last day on which it is in time.")),
        ("muted", json!({ "type": "boolean", "description": "Whether nobody is reminded." })),
        ("matches", list(&reference("Match"))),
        ("lead", list(&reference("Claim"))),
        ("alerts", list(&reference("Alert"))),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

pub(super) fn matched() -> Value {
    let partner = maybe_text(32, "The other organisation's id, once it may be known.");
    let basis_text = json!({
        "type": "string",
        "maxLength": 1024,
        "description": "On what the match rests, in words, in the language asked for.",
    });
    let response = || maybe_one_of(&[COORDINATE, ALREADY_TOGETHER]);
    let outcome = || maybe_one_of(&OUTCOMES.map(|(word, _)| word));
    let offers = json!({ "type": "boolean", "description": "Whether the lead asks this side to take over." });
    let properties = [
        ("matchId", text(32)),
        ("partner", partner),
        ("basis", list(&text(32))),
        ("basisText", basis_text),
        ("state", state()),
        ("response", response()),
        ("theirResponse", response()),
        ("contactDate", day("The day of contact.")),
        ("card", nullable("Card")),
        ("outcome", outcome()),
        ("theirOutcome", outcome()),
        ("offersLead", offers),
        ("theirChoice", maybe_text(32, "The claim to the lead with which the other side agrees.")),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

pub(super) fn card() -> Value {
    let properties = [("name", text(100)), ("function", text(32)), ("phone", text(16)), ("email", text(160))];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

pub(super) fn claim() -> Value {
    let mut who = one_of(&["us", "partner", "through"]);
    who["description"] =
        json!("`through`: somebody who was not met, to be reached through the other sides of `matchIds`.");
    let properties = [
        ("claim", text(32)),
        ("who", who),
        ("partner", maybe_text(32, "The other organisation's id, where it may be named.")),
        ("matchIds", list(&text(32))),
        ("confirmed", json!({ "type": "boolean", "description": "Whether this side agrees with it." })),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

pub(super) fn alert() -> Value {
    let kinds: Vec<_> = What::ALL.iter().map(|what| what.word()).collect();
    let properties = [
        ("at", moment()),
        ("kind", one_of(&kinds)),
        ("matchId", maybe_text(32, "The match that it is about.")),
        ("text", text(256)),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

fn answer() -> [(&'static str, Value); 3] {
    let mut response = one_of(&[COORDINATE, ALREADY_TOGETHER, NOT_RIGHT]);
    response["description"] =
        json!("`notRight`: the match leaves both sides' notices, for this pair of cases, for good.");
    let mut reason = maybe_one_of(&REASONS.map(|(word, _)| word));
    reason["description"] = json!("With `notRight`, and only then.");
    [("matchId", text(256)), ("response", response), ("reason", reason)]
}

pub(super) fn new_response() -> Value {
    let mut contact = nullable("Contact");
    contact["description"] = json!(
        "Who can be reached about the case from now on; needed with `coordinate` when the signal has no contact \
         that makes a contact card."
    );
    let [match_id, response, reason] = answer();
    input(&[match_id, response, reason, ("contact", contact)], &["matchId", "response"])
}

pub(super) fn response() -> Value {
    object(&answer(), &["matchId", "response"])
}

pub(super) fn new_contact_day() -> Value {
    let on = json!({
        "type": ["string", "null"],
        "maxLength": 10,
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "description": "The day, as ISO 8601 writes it; `null` takes contact back.",
    });
    input(&[("matchId", text(256)), ("on", on)], &["matchId", "on"])
}

pub(super) fn new_lead() -> Value {
    let properties = [
        ("action", one_of(&LEAD.map(|(word, _)| word))),
        ("claim", maybe_text(256, "With `confirm`: which claim.")),
        ("matchId", maybe_text(256, "With `offer`: whose side of which match is asked to take over.")),
    ];
    input(&properties, &["action"])
}

pub(super) fn new_outcome() -> Value {
    let mut outcome = maybe_one_of(&OUTCOMES.map(|(word, _)| word));
    outcome["description"] = json!("What came of it; needed unless `reopen` is true.");
    let reopen = json!({ "type": ["boolean", "null"], "description": "Takes the match up again." });
    input(&[("matchId", text(256)), ("outcome", outcome), ("reopen", reopen)], &["matchId"])
}

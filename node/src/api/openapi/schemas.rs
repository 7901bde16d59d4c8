//! The schemas of the OpenAPI document.

use kring_protocol::submission::MIN_MAX;
use serde_json::{Map, Value, json};

use super::reference;
pub(super) use crate::api::audit::MAX_COUNT;

mod notices;
mod people;

pub(super) fn schemas() -> Value {
    let mut schemas = most_schemas();
    for (name, schema) in people::all() {
        schemas[name] = schema;
    }
    schemas
}

fn most_schemas() -> Value {
    json!({
        "Problem": problem(),
        "InvalidParam": invalid_param(),
        "NewSignal": new_signal(),
        "NewPerson": new_person(),
        "Contact": contact(),
        "FamilyInformed": family_informed(),
        "Signal": signal(),
        "Notice": notices::notice(),
        "Match": notices::matched(),
        "Card": notices::card(),
        "Claim": notices::claim(),
        "Alert": notices::alert(),
        "NewResponse": notices::new_response(),
        "Response": notices::response(),
        "NewContactDay": notices::new_contact_day(),
        "NewLead": notices::new_lead(),
        "NewOutcome": notices::new_outcome(),
        "Network": network(),
        "EvaluationKey": evaluation_key(),
        "Partner": partner(),
        "Waiting": waiting(),
        "Covenant": { "type": "object", "description": "The signed agreement, readable." },
        "ImportReport": import_report(),
        "LineReason": object(&[("line", count()), ("reason", text(1024))], &["line", "reason"]),
        "AuditEntry": audit_entry(),
        "AuditProof": object(&[("hashes", list(&text(44)))], &["hashes"]),
    })
}

/// Most items of a list that only the node's own size bounds.
pub(super) const MAX_ITEMS: u32 = 10_000_000;

fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// An object of a request body: other fields are refused.
fn input(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let mut schema = object(properties, required);
    schema["additionalProperties"] = json!(false);
    schema
}

fn text(max: u32) -> Value {
    json!({ "type": "string", "maxLength": max })
}

/// A text of a request body; `null` counts as left out.
fn optional_text() -> Value {
    json!({ "type": ["string", "null"], "maxLength": 256 })
}

fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

/// An opaque id.
pub(super) fn id() -> Value {
    json!({ "type": "string", "maxLength": 64, "pattern": "^[0-9a-f]{32}$" })
}

/// The same or nothing.
fn maybe_id(description: &str) -> Value {
    json!({
        "type": ["string", "null"],
        "maxLength": 64,
        "pattern": "^[0-9a-f]{32}$",
        "description": description,
    })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_COUNT })
}

fn moment() -> Value {
    json!({ "type": "string", "format": "date-time", "maxLength": 32, "description": "In UTC." })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items, "maxItems": MAX_ITEMS })
}

fn problem() -> Value {
    let status = json!({ "type": "integer", "format": "int32", "minimum": 400, "maximum": 599 });
    let errors = json!({
        "type": "array",
        "items": reference("InvalidParam"),
        "maxItems": MAX_ITEMS,
        "description": "Everything that is wrong with the request.",
    });
    let properties = [
        ("status", status),
        ("title", text(64)),
        ("detail", text(1024)),
        ("instance", text(64)),
        ("errors", errors),
    ];
    object(&properties, &["status", "title", "detail"])
}

fn invalid_param() -> Value {
    let pointer = json!({ "type": "string", "maxLength": 256, "description": "In a body: JSON pointer as URI fragment (RFC 6901)." });
    let name = json!({ "type": "string", "maxLength": 256, "description": "Elsewhere: the name of the parameter or header." });
    let place = one_of(&["body", "query", "header"]);
    object(&[("in", place), ("pointer", pointer), ("name", name), ("detail", text(1024))], &["in", "detail"])
}

fn new_signal() -> Value {
    let persons = json!({ "type": "array", "minItems": 1, "maxItems": 50, "items": reference("NewPerson") });
    let quiet = json!({
        "type": ["integer", "null"],
        "format": "int32",
        "minimum": 2,
        "maximum": MIN_MAX,
        "description": "Nobody learns of it until so many organisations are involved.",
    });
    let purpose = json!({
        "type": ["string", "null"],
        "maxLength": 256,
        "description": "A purpose of the covenant; left out: the organisation's default one.",
    });
    let reference_text = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Your own reference of the case; a live signal with it gets the new content.",
    });
    let owner = json!({
        "type": ["string", "null"],
        "maxLength": 256,
        "description": "The account that works on it; a person makes signals of their own.",
    });
    let properties = [
        ("caseReference", reference_text),
        ("purpose", purpose),
        ("persons", persons),
        ("contact", nullable("Contact")),
        ("familyInformed", nullable("FamilyInformed")),
        ("quietUntil", quiet),
        ("owner", owner),
    ];
    input(&properties, &["caseReference", "persons"])
}

fn nullable(schema: &str) -> Value {
    json!({ "anyOf": [reference(schema), { "type": "null" }] })
}

fn new_person() -> Value {
    let birth_date = json!({
        "type": ["string", "null"],
        "format": "date",
        "maxLength": 256,
        "description": "ISO 8601.",
    });
    let house_number = json!({ "type": ["string", "integer", "null"], "format": "int32", "maxLength": 256, "minimum": 0, "maximum": 99_999 });
    let properties = [
        ("role", json!({ "type": ["string", "null"], "enum": ["child", "parent", "other", null] })),
        ("bsn", optional_text()),
        ("givenNames", optional_text()),
        ("namePrefix", optional_text()),
        ("familyName", optional_text()),
        ("birthDate", birth_date),
        ("postalCode", optional_text()),
        ("houseNumber", house_number),
        ("houseNumberSuffix", optional_text()),
    ];
    input(&properties, &[])
}

fn contact() -> Value {
    let function = json!({
        "type": ["string", "null"],
        "maxLength": 256,
        "description": "From the covenant's list.",
    });
    let properties = [
        ("name", optional_text()),
        ("function", function),
        ("phone", optional_text()),
        ("email", optional_text()),
    ];
    input(&properties, &[])
}

fn family_informed() -> Value {
    input(&[("informed", json!({ "type": "boolean" })), ("reason", optional_text())], &["informed"])
}

fn signal() -> Value {
    let properties = [
        ("id", id()),
        ("caseReference", text(256)),
        ("purpose", text(32)),
        ("state", one_of(&["active", "withdrawn", "expired"])),
        ("persons", count()),
        ("createdAt", moment()),
        ("expiresAt", moment()),
        (
            "quietUntil",
            json!({ "type": ["integer", "null"], "format": "int32", "minimum": 2, "maximum": MIN_MAX }),
        ),
        ("owner", maybe_id("The account that works on it.")),
        ("team", maybe_id("The team that sees it.")),
        ("offeredTo", maybe_id("The account that is asked to take it over.")),
        (
            "declinedBy",
            maybe_id("The account that declined the last offer, until the owner asks again or reads it."),
        ),
    ];
    object(&properties, &["id", "caseReference", "purpose", "state", "persons", "createdAt", "expiresAt"])
}

fn network() -> Value {
    let properties = [
        ("member", text(32)),
        ("name", text(256)),
        ("covenantVersion", count()),
        ("covenantHash", text(64)),
        ("tempo", one_of(&["immediate", "production"])),
        ("developmentMode", json!({ "type": "boolean", "description": "True: not for real data." })),
        ("keys", list(&reference("EvaluationKey"))),
        ("partners", list(&reference("Partner"))),
        ("waiting", reference("Waiting")),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

fn evaluation_key() -> Value {
    let ends = json!({ "type": ["string", "null"], "format": "date-time", "maxLength": 32, "description": "In UTC." });
    let properties = [
        ("purpose", text(32)),
        ("matcher", text(32)),
        ("epoch", json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_COUNT })),
        ("state", one_of(&["ceremony", "active", "overlap", "ended"])),
        ("endsAt", ends),
    ];
    object(&properties, &["purpose", "matcher", "epoch", "state", "endsAt"])
}

fn partner() -> Value {
    let roles = list(&one_of(&["keyHolder", "matcher", "relay", "witness"]));
    let properties = [
        ("id", text(32)),
        ("name", text(256)),
        ("reachable", json!({ "type": "boolean" })),
        ("roles", roles),
    ];
    object(&properties, &["id", "name", "reachable", "roles"])
}

fn waiting() -> Value {
    let submissions = object(&[("matcher", text(32)), ("count", count())], &["matcher", "count"]);
    let boards =
        object(&[("matcher", text(32)), ("size", count()), ("read", count())], &["matcher", "size", "read"]);
    let properties = [
        ("evaluations", count()),
        ("submissions", list(&submissions)),
        ("appends", count()),
        ("boards", list(&boards)),
    ];
    object(&properties, &["evaluations", "submissions", "appends", "boards"])
}

fn import_report() -> Value {
    let properties = [
        ("dryRun", json!({ "type": "boolean" })),
        ("cases", count()),
        ("persons", count()),
        ("unchanged", count()),
        ("linesLeftOut", list(&reference("LineReason"))),
        ("warnings", list(&reference("LineReason"))),
    ];
    let required = properties.each_ref().map(|(name, _)| *name);
    object(&properties, &required)
}

fn audit_entry() -> Value {
    let leaf = json!({ "type": "string", "maxLength": 1024, "description": "The bytes whose hash is the leaf, in base64." });
    let properties = [("index", count()), ("leaf", leaf), ("entry", json!({ "type": "object" }))];
    object(&properties, &["index", "leaf", "entry"])
}

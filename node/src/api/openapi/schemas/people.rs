//! Schemas of people, and of what is held about a person.

use serde_json::{Value, json};

use super::{id, input, list, moment, object, one_of, text};
use crate::api::openapi::reference;
use crate::people::Role;

fn nullable_text(max: u32) -> Value {
    json!({ "type": ["string", "null"], "maxLength": max })
}

fn nullable_date() -> Value {
    json!({ "type": ["string", "null"], "format": "date", "maxLength": 10 })
}

fn role() -> Value {
    one_of(&Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>())
}

fn mail() -> Value {
    one_of(&["digest", "atOnce"])
}

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Person", person()),
        ("SignInName", sign_in()),
        ("Away", away()),
        ("NewAccount", account(&["signIn", "name", "email", "roles"])),
        ("AccountChange", account(&[])),
        ("NewAbsence", new_absence()),
        ("Activation", object(&[("code", text(23)), ("expiresAt", moment())], &["code", "expiresAt"])),
        ("Team", object(&[("id", id()), ("name", text(100))], &["id", "name"])),
        ("NewTeam", input(&[("name", text(256))], &["name"])),
        ("NewOffer", input(&[("to", nullable_text(256))], &["to"])),
        ("NewOwner", input(&[("to", text(256))], &["to"])),
        ("Declined", object(&[("id", id())], &["id"])),
        ("Erased", object(&[("id", id())], &["id"])),
        ("Held", object(&[("signals", list(&reference("HeldSignal")))], &["signals"])),
        ("HeldSignal", held_signal()),
        ("HeldPerson", held_person()),
        ("Shared", shared()),
    ]
}

fn person() -> Value {
    let properties = [
        ("id", id()),
        ("name", text(100)),
        ("function", nullable_text(32)),
        ("teams", list(&id())),
        ("active", json!({ "type": "boolean" })),
        ("away", reference("Away")),
        ("signIn", reference("SignInName")),
        ("email", text(160)),
        ("phone", text(16)),
        ("roles", list(&role())),
        ("mail", mail()),
        ("createdAt", moment()),
    ];
    let mut schema = object(&properties, &["id", "name", "function", "teams", "active"]);
    schema["description"] = json!("Somebody who works here: with those fields that the caller may see.");
    schema
}

fn sign_in() -> Value {
    let mut schema = input(&[("local", text(256)), ("provider", text(256))], &[]);
    schema["minProperties"] = json!(1);
    schema["maxProperties"] = json!(1);
    schema["description"] = json!("A user name of this node, or the `sub` that the OpenID provider gives.");
    schema
}

fn away() -> Value {
    let properties = [
        ("now", json!({ "type": "boolean" })),
        ("fromDate", nullable_date()),
        ("untilDate", nullable_date()),
        ("substitute", nullable_text(64)),
    ];
    object(&properties, &["now", "fromDate", "untilDate", "substitute"])
}

fn account(required: &[&str]) -> Value {
    let properties = [
        ("signIn", reference("SignInName")),
        ("name", text(256)),
        ("email", text(256)),
        ("phone", nullable_text(256)),
        ("function", nullable_text(256)),
        ("roles", json!({ "type": "array", "items": role(), "minItems": 1, "maxItems": 64 })),
        ("teams", json!({ "type": "array", "items": text(256), "maxItems": 64 })),
        ("mail", mail()),
        ("active", json!({ "type": "boolean" })),
    ];
    let properties = properties.map(|(name, schema)| {
        let is_needed = required.contains(&name);
        (name, if is_needed { schema } else { or_null(schema) })
    });
    input(&properties, required)
}

/// What may be left out may be `null` too.
fn or_null(mut schema: Value) -> Value {
    if schema.get("type").is_none_or(|types| types.is_array()) {
        return if schema.get("$ref").is_some() {
            json!({ "anyOf": [schema, { "type": "null" }] })
        } else {
            schema
        };
    }
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

fn new_absence() -> Value {
    let properties =
        [("fromDate", nullable_date()), ("untilDate", nullable_date()), ("substitute", nullable_text(256))];
    let mut schema = input(&properties, &["fromDate", "untilDate"]);
    schema["description"] =
        json!("The first and the last day, on the calendar of Amsterdam; both null: back.");
    schema
}

fn held_signal() -> Value {
    let properties = [
        ("id", id()),
        ("caseReference", text(200)),
        ("purpose", text(32)),
        ("legalGround", text(1024)),
        ("state", one_of(&["active", "withdrawn", "expired"])),
        ("createdAt", moment()),
        ("expiresAt", moment()),
        ("familyInformed", json!({ "type": ["boolean", "null"] })),
        ("persons", list(&reference("HeldPerson"))),
        ("shared", list(&reference("Shared"))),
    ];
    let names = properties.clone().map(|(name, _)| name);
    object(&properties, &names)
}

fn held_person() -> Value {
    let typed = || text(256);
    let properties = [
        ("basis", list(&text(32))),
        ("role", typed()),
        ("bsn", typed()),
        ("givenNames", typed()),
        ("namePrefix", typed()),
        ("familyName", typed()),
        ("born", typed()),
        ("postalCode", typed()),
        ("houseNumber", typed()),
        ("houseNumberSuffix", typed()),
    ];
    let names = properties.clone().map(|(name, _)| name);
    object(&properties, &names)
}

fn shared() -> Value {
    let state = json!({
        "type": ["string", "null"],
        "enum": ["open", "responded", "inContact", "leadAgreed", "closed", null],
    });
    let outcome = || {
        json!({
            "type": ["string", "null"],
            "enum": ["contactMade", "planMade", "leadAgreed", "noFollowUp", null],
        })
    };
    let properties = [
        ("partner", nullable_text(32)),
        ("sinceDate", json!({ "type": "string", "format": "date", "maxLength": 10 })),
        ("live", json!({ "type": "boolean" })),
        ("state", state),
        ("contactDate", nullable_date()),
        ("outcome", outcome()),
        ("theirOutcome", outcome()),
    ];
    let names = properties.clone().map(|(name, _)| name);
    object(&properties, &names)
}

//! An example of everything that is sent and answered. Tests hold them against their schemas.
//!
//! None has a postal code: the published linter of the Dutch rules takes a field of that name for an operation, as it
//! holds `post`.

use serde_json::{Value, json};

/// The example of a component schema, where it has one.
pub(super) fn of(schema: &str) -> Option<Value> {
    let example = match schema {
        "NewSignal" => json!({
            "caseReference": "2026-0431",
            "persons": [{
                "role": "child", "givenNames": "Sanne", "namePrefix": "de", "familyName": "Jong",
                "birthDate": "2014-03-31",
            }],
            "contact": contact(),
            "familyInformed": { "informed": true },
        }),
        "Signal" => json!({
            "id": ID, "caseReference": "2026-0431", "purpose": "jeugd", "state": "active", "persons": 1,
            "createdAt": "2026-11-21T20:00:00Z", "expiresAt": "2027-12-01T00:00:00Z", "quietUntil": null,
            "owner": ACCOUNT, "team": TEAM, "offeredTo": null, "declinedBy": null,
        }),
        "Notice" => notice(),
        "NewResponse" => json!({ "matchId": MATCH, "response": "coordinate", "contact": contact() }),
        "Response" => json!({ "matchId": MATCH, "response": "notRight", "reason": "otherPerson" }),
        "NewContactDay" => json!({ "matchId": MATCH, "on": "2026-11-20" }),
        "NewLead" => json!({ "action": "offer", "matchId": MATCH }),
        "NewOutcome" => json!({ "matchId": MATCH, "outcome": "noFollowUp" }),
        "Network" => network(),
        "Covenant" => json!({ "version": 1 }),
        "ImportReport" => json!({
            "dryRun": false, "cases": 2, "persons": 5, "unchanged": 1,
            "linesLeftOut": [{ "line": 3, "reason": "birth_date: is not a date" }],
            "warnings": [],
        }),
        "AuditEntry" => json!({
            "index": 0, "leaf": "AaJkc2FsdFA=",
            "entry": { "kind": "service", "time": "2026-11-21T20:00:00Z", "outcome": "done", "count": 1 },
        }),
        "AuditProof" => json!({ "hashes": ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] }),
        _ => return of_people(schema),
    };
    Some(example)
}

fn of_people(schema: &str) -> Option<Value> {
    let sign_in = json!({ "local": "a.bakker" });
    let example = match schema {
        "Person" => json!({
            "id": ACCOUNT, "name": "A. Bakker", "function": "teacher", "teams": [TEAM], "active": true,
            "away": { "now": false, "fromDate": "2026-12-21", "untilDate": "2027-01-03", "substitute": OTHER },
            "signIn": sign_in, "email": "a.bakker@school.example", "phone": "+31101234567",
            "roles": ["professional"], "mail": "digest", "createdAt": "2026-11-21T20:00:00Z",
        }),
        "Activation" => json!({ "code": "7K3M9-QX2TB-4HRWD-8CFNP", "expiresAt": "2026-11-24T20:00:00Z" }),
        "NewAccount" => json!({
            "signIn": sign_in, "name": "A. Bakker", "email": "a.bakker@school.example", "phone": "010 123 45 67",
            "function": "teacher", "roles": ["professional"], "teams": [], "mail": "digest",
        }),
        "AccountChange" => json!({ "active": false }),
        "NewAbsence" => json!({ "fromDate": "2026-12-21", "untilDate": "2027-01-03", "substitute": null }),
        "Team" => json!({ "id": TEAM, "name": "Team Noord" }),
        "NewTeam" => json!({ "name": "Team Noord" }),
        "NewOffer" | "NewOwner" => json!({ "to": OTHER }),
        "Declined" | "Erased" => json!({ "id": ID }),
        "NewPerson" => json!({ "givenNames": "Sanne", "familyName": "Jong", "birthDate": "2014-03-31" }),
        "Held" => json!({ "signals": [held()] }),
        _ => return None,
    };
    Some(example)
}

fn held() -> Value {
    json!({
        "id": ID, "caseReference": "2026-0431", "purpose": "jeugd", "legalGround": "Jeugdwet", "state": "active",
        "createdAt": "2026-11-21T20:00:00Z", "expiresAt": "2027-12-01T00:00:00Z", "familyInformed": true,
        "persons": [],
        "shared": [{
            "partner": "wijkteam-noord", "sinceDate": "2026-11-21", "live": true, "state": "open",
            "contactDate": null, "outcome": null, "theirOutcome": null,
        }],
    })
}

const ACCOUNT: &str = "4d0e9d3c1b2a394857660c4be1f05f6a";
const OTHER: &str = "1b2a394857660c4be1f05f6a4d0e9d3c";
const TEAM: &str = "57660c4be1f05f6a4d0e9d3c1b2a3948";
const ID: &str = "0c4be1f05f6a4d0e9d3c1b2a39485766";
const MATCH: &str = "9b1d0f6e2c3a4857b6c5d4e3f2a10918";
const CLAIM: &str = "2a10918b6c5d4e3f9b1d0f6e2c3a4857";

fn contact() -> Value {
    json!({ "name": "A. Bakker", "function": "teacher", "phone": "010 123 45 67", "email": "a.bakker@school.example" })
}

fn notice() -> Value {
    let matched = json!({
        "matchId": MATCH, "partner": "wijkteam-noord", "basis": ["birth-postcode"],
        "basisText": "Dezelfde geboortedatum en postcode.", "state": "inContact",
        "response": "coordinate", "theirResponse": "coordinate", "contactDate": "2026-11-20",
        "card": {
            "name": "B. de Vries", "function": "youth-worker", "phone": "+31101234567",
            "email": "b.devries@wijkteam.example",
        },
        "outcome": null, "theirOutcome": null, "offersLead": false, "theirChoice": CLAIM,
    });
    json!({
        "id": ID, "caseReference": "2026-0431", "state": "inContact", "otherPartners": 1,
        "deadlineDate": "2026-11-26", "muted": false, "matches": [matched],
        "lead": [{
            "claim": CLAIM, "who": "partner", "partner": "wijkteam-noord", "matchIds": [MATCH], "confirmed": true,
        }],
        "alerts": [{
            "at": "2026-11-21T20:00:00Z", "kind": "responded", "matchId": MATCH, "text": "De ander heeft gereageerd.",
        }],
    })
}

fn network() -> Value {
    json!({
        "member": "school-zuid", "name": "School Zuid", "covenantVersion": 1,
        "covenantHash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "tempo": "production", "developmentMode": false,
        "keys": [{
            "purpose": "jeugd", "matcher": "wijkteam-noord", "epoch": 3, "state": "active",
            "endsAt": "2027-01-01T00:00:00Z",
        }],
        "partners": [{
            "id": "wijkteam-noord", "name": "Wijkteam Noord", "reachable": true, "roles": ["relay", "matcher"],
        }],
        "waiting": {
            "evaluations": 0, "submissions": [{ "matcher": "wijkteam-noord", "count": 0 }], "appends": 0,
            "boards": [{ "matcher": "wijkteam-noord", "size": 40, "read": 40 }],
        },
    })
}

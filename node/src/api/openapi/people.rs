//! Operations on people, on whose a signal is, and on what is held about a person.

use serde_json::{Value, json};

use super::{Operation, id, idempotency_key, reference};
use crate::api::Scope;

const BODY_PROBLEMS: &[u16] = &[400, 404, 408, 409, 413, 415];

pub(super) fn paths() -> Vec<(&'static str, Value)> {
    vec![
        ("/people", json!({ "get": list(), "post": add() })),
        ("/people/{id}", json!({ "get": show(), "patch": change() })),
        ("/people/{id}/absence", json!({ "post": absence() })),
        ("/people/{id}/activation", json!({ "post": invite() })),
        ("/teams", json!({ "get": teams(), "post": add_team() })),
        ("/signals/{id}/hand-over", json!({ "post": hand_over() })),
        ("/signals/{id}/accept", json!({ "post": accept() })),
        ("/signals/{id}/decline", json!({ "post": decline() })),
        ("/signals/{id}/assign", json!({ "post": assign() })),
        ("/signals/{id}/erase", json!({ "post": erase() })),
        ("/access-requests", json!({ "post": access_request() })),
    ]
}

fn list() -> Value {
    let summary = "Who works here, each with as much as the caller may see.";
    Operation::new("listPeople", "people", summary, Scope::PeopleRead).answers_list("Person")
}

fn add() -> Value {
    let summary = "Makes an account. The answer comes once it is durable.";
    let mut operation = Operation::new("addPerson", "people", summary, Scope::PeopleWrite)
        .parameter(idempotency_key())
        .body("application/json", &reference("NewAccount"))
        .problems(&[400, 408, 409, 413, 415])
        .answers("201", "The account.", "Person");
    operation["responses"]["201"]["headers"]["Location"] = json!({
        "description": "Where the account is.",
        "schema": { "type": "string", "format": "uri-reference", "maxLength": 128 },
    });
    operation
}

fn show() -> Value {
    Operation::new("getPerson", "people", "Somebody who works here.", Scope::PeopleRead)
        .parameter(id("account"))
        .problems(&[400, 404])
        .answers("200", "The account, as far as the caller may see it.", "Person")
}

fn change() -> Value {
    let summary = "Changes what the body names of an account, and nothing else.";
    Operation::new("changePerson", "people", summary, Scope::PeopleWrite)
        .parameter(id("account"))
        .body("application/json", &reference("AccountChange"))
        .problems(&[400, 404, 408, 413, 415])
        .answers("200", "The account.", "Person")
}

fn absence() -> Value {
    let summary = "Says when somebody is away and who stands in; with both dates null, that they are back.";
    Operation::new("setAbsence", "people", summary, Scope::PeopleWrite)
        .parameter(id("account"))
        .parameter(idempotency_key())
        .body("application/json", &reference("NewAbsence"))
        .problems(BODY_PROBLEMS)
        .answers("200", "The account.", "Person")
}

fn invite() -> Value {
    let summary = "Draws a code, valid for 72 hours, by which somebody sets up a password and a second factor. A new code \
                   replaces the one before; what was set up earlier counts until the new code is used.";
    Operation::new("invitePerson", "people", summary, Scope::PeopleWrite)
        .parameter(id("account"))
        .problems(&[404, 409])
        .answers(
            "201",
            "The code, to be handed over in person or by telephone. It is not shown again.",
            "Activation",
        )
}

fn teams() -> Value {
    Operation::new("listTeams", "people", "All teams.", Scope::PeopleRead).answers_list("Team")
}

fn add_team() -> Value {
    Operation::new("addTeam", "people", "Makes a team.", Scope::PeopleWrite)
        .parameter(idempotency_key())
        .body("application/json", &reference("NewTeam"))
        .problems(&[400, 408, 409, 413, 415])
        .answers("201", "The team.", "Team")
}

fn of_signal(operation_id: &str, summary: &str) -> Operation {
    Operation::new(operation_id, "signals", summary, Scope::SignalsWrite)
        .parameter(id("signal"))
        .parameter(idempotency_key())
}

fn hand_over() -> Value {
    let summary = "Offers a signal to a colleague, who must accept; with null, takes the offer back.";
    of_signal("handOverSignal", summary)
        .body("application/json", &reference("NewOffer"))
        .problems(BODY_PROBLEMS)
        .answers("200", "The signal.", "Signal")
}

fn accept() -> Value {
    let summary = "Takes over a signal that was offered to the person whose token this is.";
    of_signal("acceptSignal", summary).problems(&[400, 404, 409]).answers("200", "The signal.", "Signal")
}

fn decline() -> Value {
    let summary =
        "Declines a signal that was offered to the person whose token this is; it stays with its owner.";
    of_signal("declineSignal", summary).problems(&[400, 404, 409]).answers(
        "200",
        "It is declined.",
        "Declined",
    )
}

fn assign() -> Value {
    of_signal("assignSignal", "Gives a signal to a professional; for supervisors.")
        .body("application/json", &reference("NewOwner"))
        .problems(BODY_PROBLEMS)
        .answers("200", "The signal.", "Signal")
}

fn erase() -> Value {
    let summary = "Withdraws a signal and destroys all that is held of its case, for good.";
    Operation::new("eraseSignal", "access-requests", summary, Scope::AccessRequestsWrite)
        .parameter(id("signal"))
        .parameter(idempotency_key())
        .problems(&[400, 404, 409])
        .answers("200", "It is gone.", "Erased")
}

fn access_request() -> Value {
    let summary =
        "What this organisation holds and shared about a person (GDPR article 15), from its own records.";
    Operation::new("answerAccessRequest", "access-requests", summary, Scope::AccessRequestsWrite)
        .body("application/json", &reference("NewPerson"))
        .problems(&[400, 408, 413, 415])
        .answers("200", "What is held and shared.", "Held")
}

//! What is intended: for every route, who gets what. One letter stands for one answer.
//!
//! `+` it is done; `f` not for this role, or not theirs to do (403); `-` not there (404); `c` cannot be done now (409).

use axum::http::Method;
use serde_json::{Value, json};

/// What a row asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing in particular: one letter.
    Nothing,
    /// A case, in its relation to the asker: own; of a colleague of the own team; of another team; of somebody for whom
    /// they stand in today; another team's, but offered; nobody's; not there.
    Case,
    /// The same, as a list: `+` it is in it.
    ListOfCases,
    /// An account: the own; of the own team; of another team; not there.
    Account,
}

impl About {
    pub(super) const fn letters(self) -> usize {
        match self {
            Self::Nothing => 1,
            Self::Case | Self::ListOfCases => 7,
            Self::Account => 4,
        }
    }
}

/// One route with one body.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) query: &'static str,
    pub(super) about: About,
    pub(super) scope: &'static str,
    /// For professional, supervisor, privacy officer, board auditor, functional and technical administrator, and a system.
    pub(super) expected: [&'static str; 7],
    /// From the case's reference, its match, and somebody to name.
    pub(super) body: fn(&str, &str, &str) -> Value,
}

const NONE: &str = "fffffff";
/// Cases are for professionals and supervisors only.
const fn cases(
    professional: &'static str,
    supervisor: &'static str,
    system: &'static str,
) -> [&'static str; 7] {
    [professional, supervisor, NONE, NONE, NONE, NONE, system]
}

const SEE: [&str; 7] = cases("++-++--", "++---+-", "++++++-");
const CHANGE: [&str; 7] = cases("+f-+f--", "++---+-", "++++++-");
const NOTHING: fn(&str, &str, &str) -> Value = |_, _, _| Value::Null;

macro_rules! one {
    ($($letter:literal)*) => { [$($letter),*] };
}

fn row(
    method: Method,
    path: &'static str,
    about: About,
    scope: &'static str,
    expected: [&'static str; 7],
    body: fn(&str, &str, &str) -> Value,
) -> Row {
    Row { method, path, query: "", about, scope, expected, body }
}

/// Either of these will do for hearing that something happened.
pub(super) const EVENTS: &str = "events:read notices:read";

/// All rows of the API. A route without one fails the test.
pub(super) fn rows() -> Vec<Row> {
    [signals(), notices(), people(), teams(), others(), pages()].into_iter().flatten().collect()
}

/// Routes of the pages: to be put here with the pages, each with a row.
fn pages() -> Vec<Row> {
    Vec::new()
}

fn signals() -> Vec<Row> {
    let (get, post) = (|| Method::GET, || Method::POST);
    let (read, write) = ("signals:read", "signals:write");
    vec![
        row(get(), "/signals", About::ListOfCases, read, SEE, NOTHING),
        Row {
            query: "?owner=none",
            ..row(get(), "/signals", About::ListOfCases, read, cases(NONE, "+----+-", "-----+-"), NOTHING)
        },
        row(
            post(),
            "/signals",
            About::Case,
            write,
            cases("+cc+cc+", NONE, "+++++++"),
            |case, _, _| json!({ "caseReference": case, "persons": [{ "role": "child", "bsn": "999990019" }] }),
        ),
        row(get(), "/signals/{id}", About::Case, read, SEE, NOTHING),
        row(post(), "/signals/{id}/renew", About::Case, write, CHANGE, NOTHING),
        row(post(), "/signals/{id}/withdraw", About::Case, write, CHANGE, NOTHING),
        row(post(), "/signals/{id}/hand-over", About::Case, write, CHANGE, |_, _, to| json!({ "to": to })),
        row(
            post(),
            "/signals/{id}/accept",
            About::Case,
            write,
            cases("+f-f+--", "ff---f-", "ffffff-"),
            NOTHING,
        ),
        row(
            post(),
            "/signals/{id}/decline",
            About::Case,
            write,
            cases("ff-f+--", "ff---f-", "ffffff-"),
            NOTHING,
        ),
        row(
            post(),
            "/signals/{id}/assign",
            About::Case,
            write,
            cases(NONE, "++---+-", "++++++-"),
            |_, _, to| json!({ "to": to }),
        ),
        row(
            post(),
            "/signals/{id}/erase",
            About::Case,
            "access-requests:write",
            [NONE, NONE, "++++++-", NONE, NONE, NONE, "++++++-"],
            NOTHING,
        ),
    ]
}

fn notices() -> Vec<Row> {
    let (read, write) = ("notices:read", "notices:write");
    let change = |path, body| row(Method::POST, path, About::Case, write, CHANGE, body);
    vec![
        row(Method::GET, "/notices", About::ListOfCases, read, SEE, NOTHING),
        row(Method::GET, "/notices/{id}", About::Case, read, SEE, NOTHING),
        change("/notices/{id}/respond", |_, id, _| json!({ "matchId": id, "response": "alreadyTogether" })),
        change("/notices/{id}/contact", |_, id, _| json!({ "matchId": id, "on": "2025-01-06" })),
        change("/notices/{id}/lead", |_, _, _| json!({ "action": "claim" })),
        change("/notices/{id}/close", |_, id, _| json!({ "matchId": id, "outcome": "noFollowUp" })),
        change("/notices/{id}/mute", NOTHING),
        change("/notices/{id}/unmute", NOTHING),
    ]
}

fn people() -> Vec<Row> {
    let (read, write) = ("people:read", "people:write");
    vec![
        row(Method::GET, "/people", About::Nothing, read, one!("+" "+" "f" "f" "+" "+" "+"), NOTHING),
        row(
            Method::POST,
            "/people",
            About::Nothing,
            write,
            one!("f" "f" "f" "f" "+" "f" "+"),
            |name, _, _| json!({ "signIn": { "provider": name }, "name": "Bea", "email": "b@p.example", "roles": ["supervisor"] }),
        ),
        row(
            Method::GET,
            "/people/{id}",
            About::Account,
            read,
            ["+++-", "+++-", "+---", "+---", "+++-", "+++-", "+++-"],
            NOTHING,
        ),
        row(
            Method::PATCH,
            "/people/{id}",
            About::Account,
            write,
            ["+ff-", "+ff-", "+---", "+---", "+++-", "+ff-", "+++-"],
            |_, _, _| json!({ "phone": "010 123 45 68", "mail": "atOnce" }),
        ),
        row(
            Method::PATCH,
            "/people/{id}",
            About::Account,
            write,
            ["fff-", "fff-", "f---", "f---", "f++-", "fff-", "+++-"],
            |_, _, _| json!({ "active": true }),
        ),
        row(
            Method::POST,
            "/people/{id}/absence",
            About::Account,
            write,
            ["+ff-", "++f-", "+---", "+---", "+++-", "+ff-", "+++-"],
            |_, _, _| json!({ "fromDate": null, "untilDate": null }),
        ),
        // All who are asked about sign in at a provider: nothing to activate.
        row(
            Method::POST,
            "/people/{id}/activation",
            About::Account,
            write,
            ["fff-", "fff-", "f---", "f---", "fcc-", "fff-", "ccc-"],
            NOTHING,
        ),
    ]
}

fn teams() -> Vec<Row> {
    let (read, write) = ("people:read", "people:write");
    vec![
        row(Method::GET, "/teams", About::Nothing, read, one!("+" "+" "f" "f" "+" "+" "+"), NOTHING),
        row(
            Method::POST,
            "/teams",
            About::Nothing,
            write,
            one!("f" "f" "f" "f" "+" "f" "+"),
            |name, _, _| json!({ "name": name }),
        ),
    ]
}

fn others() -> Vec<Row> {
    let get = |path, scope, expected| row(Method::GET, path, About::Nothing, scope, expected, NOTHING);
    let audit = one!("f" "f" "+" "+" "f" "f" "+");
    vec![
        get("/openapi.json", "", one!("+" "+" "+" "+" "+" "+" "+")),
        get("/events", EVENTS, one!("+" "+" "f" "f" "f" "f" "+")),
        get("/network", "network:read", one!("f" "f" "f" "f" "f" "+" "+")),
        get("/covenant", "network:read", one!("f" "f" "f" "+" "f" "+" "+")),
        row(
            Method::POST,
            "/imports",
            About::Nothing,
            "imports:write",
            one!("f" "f" "f" "f" "+" "f" "+"),
            |_, _, _| {
                json!(
                    "case,person,role,bsn,given_names,name_prefix,family_name,birth_date,postal_code,house_number,\
                 house_number_suffix\nimported,1,child,999990020,,,,,,,\n"
                )
            },
        ),
        row(
            Method::POST,
            "/access-requests",
            About::Nothing,
            "access-requests:write",
            one!("f" "f" "+" "f" "f" "f" "+"),
            |_, _, _| json!({ "bsn": "999990019" }),
        ),
        get("/audit/checkpoint", "audit:read", audit),
        get("/audit/entries", "audit:read", audit),
        Row { query: "?index=0&size=1", ..get("/audit/proofs", "audit:read", audit) },
    ]
}

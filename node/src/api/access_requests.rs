//! What is held about a person, for that person (GDPR article 15).

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::auth::Allowed;
use super::auth::needs::AccessRequestsWrite;
use super::body::JsonBody;
use super::notices::MaybeOutcome;
use super::shape::Shape;
use super::signals::{PERSON_FIELDS, person_of};
use super::{Application, NewPerson, NoticeState, Problem, SignalState};

/// What this partner holds and shared about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldView {
    /// The signals in which somebody with these particulars stands.
    pub signals: Vec<HeldSignalView>,
}

/// One signal in which the person stands.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldSignalView {
    pub id: String,
    pub case_reference: String,
    pub purpose: String,
    /// The law or agreement that the purpose rests on.
    pub legal_ground: String,
    pub state: SignalState,
    /// Moment in UTC, RFC 3339.
    pub created_at: String,
    /// Moment in UTC, RFC 3339.
    pub expires_at: String,
    /// Whether the family was told; none where it is not recorded.
    pub family_informed: Option<bool>,
    /// The person as held. Several where the particulars fit more than one: whoever answers looks which is meant.
    pub persons: Vec<HeldPersonView>,
    /// What was shared, and with whom.
    pub shared: Vec<SharedView>,
}

/// A person as held.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldPersonView {
    /// By which recipes the particulars fit.
    pub basis: Vec<String>,
    pub role: String,
    pub bsn: String,
    pub given_names: String,
    pub name_prefix: String,
    pub family_name: String,
    /// The birth date as it was typed.
    pub born: String,
    pub postal_code: String,
    pub house_number: String,
    pub house_number_suffix: String,
}

/// Another organisation that knows that this one is involved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedView {
    /// Its id, where it is known.
    pub partner: Option<String>,
    /// Since when.
    pub since_date: String,
    /// Whether it still is so.
    pub live: bool,
    /// How far the coordination is, where it is shown.
    pub state: Option<NoticeState>,
    pub contact_date: Option<String>,
    pub outcome: MaybeOutcome,
    pub their_outcome: MaybeOutcome,
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }
    )+};
}
redacted!(HeldSignalView, HeldPersonView);

pub(super) async fn answer<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<AccessRequestsWrite>,
    body: JsonBody,
) -> Result<Json<HeldView>, Problem> {
    Ok(Json(application.access_request(&actor, request(&body.value)?).await?))
}

fn request(value: &Value) -> Result<NewPerson, Problem> {
    let mut shape = Shape::default();
    let person = shape.object(value, String::new(), PERSON_FIELDS);
    let person = person.map(|object| person_of(&mut shape, &object));
    shape.finish(person)
}

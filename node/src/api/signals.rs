//! Signals: a professional's statement "we are involved and worried" about one case.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;

use super::auth::Allowed;
use super::auth::needs::{SignalsRead, SignalsWrite};
use super::body::{JsonBody, NoBody};
use super::idempotency::with_key;
use super::query::Parameters;
use super::shape::{Object, Shape};
use super::{Application, BASE_PATH, Problem};

/// Persons in one signal.
const MAX_PERSONS: usize = 50;

const SIGNAL_FIELDS: &[&str] =
    &["caseReference", "purpose", "persons", "contact", "familyInformed", "quietUntil", "owner"];
pub(super) const PERSON_FIELDS: &[&str] = &[
    "role",
    "bsn",
    "givenNames",
    "namePrefix",
    "familyName",
    "birthDate",
    "postalCode",
    "houseNumber",
    "houseNumberSuffix",
];
const CONTACT_FIELDS: &[&str] = &["name", "function", "phone", "email"];
const INFORMED_FIELDS: &[&str] = &["informed", "reason"];

/// A new signal as it was sent: well-formed, its texts not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSignal {
    pub case_reference: String,
    /// Left out: the member's default one.
    pub purpose: Option<String>,
    /// 1 to 50.
    pub persons: Vec<NewPerson>,
    pub contact: Option<NewContact>,
    pub family_informed: Option<FamilyInformed>,
    /// Nobody learns of it until so many organisations are involved.
    pub quiet_until: Option<u32>,
    /// The account that works on it; a person makes signals of their own.
    pub owner: Option<String>,
}

/// A person as it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewPerson {
    pub role: Option<String>,
    pub bsn: Option<String>,
    pub given_names: Option<String>,
    pub name_prefix: Option<String>,
    pub family_name: Option<String>,
    pub birth_date: Option<String>,
    pub postal_code: Option<String>,
    pub house_number: Option<String>,
    pub house_number_suffix: Option<String>,
}

/// Who can be reached about the case, as it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewContact {
    pub name: Option<String>,
    pub function: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// Whether the family knows of the signal; if not, why not.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyInformed {
    pub informed: bool,
    pub reason: Option<String>,
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
redacted!(NewSignal, NewPerson, NewContact, FamilyInformed);

/// Where a signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignalState {
    Active,
    Withdrawn,
    Expired,
}

/// A signal as it is shown: no one's fields, only how many persons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalView {
    pub id: String,
    pub case_reference: String,
    pub purpose: String,
    pub state: SignalState,
    pub persons: usize,
    /// Moment in UTC, RFC 3339.
    pub created_at: String,
    /// Moment in UTC, RFC 3339.
    pub expires_at: String,
    pub quiet_until: Option<u32>,
    /// The account that works on it; none when nobody does, or nobody who is still here.
    pub owner: Option<String>,
    /// Their team.
    pub team: Option<String>,
    /// The account to which it is offered.
    pub offered_to: Option<String>,
    /// The account that declined the last offer.
    pub declined_by: Option<String>,
}

impl FromStr for SignalFilter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "none" { Ok(Self::WithoutOwner) } else { Err(()) }
    }
}

/// Which signals are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalFilter {
    /// All that the actor may see.
    All,
    /// Only those that nobody owns.
    WithoutOwner,
}

pub(super) async fn add<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let (signal, idempotency) = with_key(new_signal(&body.value), &headers, body.hash)?;
    let added = application.add_signal(&actor, signal, idempotency).await?;
    let location = format!("{BASE_PATH}/signals/{}", added.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(added)))
}

pub(super) async fn list<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsRead>,
    mut parameters: Parameters,
) -> Result<Json<Vec<SignalView>>, Problem> {
    let filter = parameters.take("owner", "must be none, or left out").unwrap_or(SignalFilter::All);
    parameters.finish()?;
    Ok(Json(application.signals(&actor, filter).await?))
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsRead>,
    Path(id): Path<String>,
) -> Result<Json<SignalView>, Problem> {
    Ok(Json(application.signal(&actor, &id).await?))
}

pub(super) async fn renew<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Json<SignalView>, Problem> {
    let ((), idempotency) = with_key(Ok(()), &headers, body.hash)?;
    Ok(Json(application.renew_signal(&actor, &id, idempotency).await?))
}

pub(super) async fn withdraw<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Json<SignalView>, Problem> {
    let ((), idempotency) = with_key(Ok(()), &headers, body.hash)?;
    Ok(Json(application.withdraw_signal(&actor, &id, idempotency).await?))
}

fn new_signal(value: &Value) -> Result<NewSignal, Problem> {
    let mut shape = Shape::default();
    let signal = shape.object(value, String::new(), SIGNAL_FIELDS).map(|object| {
        shape.require(&object, "caseReference");
        NewSignal {
            case_reference: shape.text(&object, "caseReference").unwrap_or_default(),
            purpose: shape.text(&object, "purpose"),
            persons: persons(&mut shape, &object),
            contact: contact(&mut shape, &object),
            family_informed: family_informed(&mut shape, &object),
            quiet_until: shape.number(&object, "quietUntil"),
            owner: shape.text(&object, "owner"),
        }
    });
    shape.finish(signal)
}

fn persons(shape: &mut Shape, signal: &Object<'_>) -> Vec<NewPerson> {
    shape.require(signal, "persons");
    let Some(list) = shape.list(signal, "persons") else { return Vec::new() };
    if !(1..=MAX_PERSONS).contains(&list.len()) {
        shape.wrong("/persons", "must name 1 to 50 persons");
        return Vec::new();
    }
    let numbered = list.iter().enumerate();
    numbered.filter_map(|(n, value)| person(shape, value, format!("/persons/{n}"))).collect()
}

fn person(shape: &mut Shape, value: &Value, at: String) -> Option<NewPerson> {
    let object = shape.object(value, at, PERSON_FIELDS)?;
    Some(person_of(shape, &object))
}

pub(super) fn person_of(shape: &mut Shape, object: &Object<'_>) -> NewPerson {
    NewPerson {
        role: shape.text(object, "role"),
        bsn: shape.text(object, "bsn"),
        given_names: shape.text(object, "givenNames"),
        name_prefix: shape.text(object, "namePrefix"),
        family_name: shape.text(object, "familyName"),
        birth_date: shape.text(object, "birthDate"),
        postal_code: shape.text(object, "postalCode"),
        house_number: shape.text_or_number(object, "houseNumber"),
        house_number_suffix: shape.text(object, "houseNumberSuffix"),
    }
}

pub(super) fn contact(shape: &mut Shape, signal: &Object<'_>) -> Option<NewContact> {
    let object = shape.nested(signal, "contact", CONTACT_FIELDS)?;
    Some(NewContact {
        name: shape.text(&object, "name"),
        function: shape.text(&object, "function"),
        phone: shape.text(&object, "phone"),
        email: shape.text(&object, "email"),
    })
}

fn family_informed(shape: &mut Shape, signal: &Object<'_>) -> Option<FamilyInformed> {
    let object = shape.nested(signal, "familyInformed", INFORMED_FIELDS)?;
    shape.require(&object, "informed");
    let informed = shape.boolean(&object, "informed");
    let reason = shape.text(&object, "reason");
    Some(FamilyInformed { informed: informed?, reason })
}

//! The partner's people and teams.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use kring_protocol::time::Day;
use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::auth::Allowed;
use super::auth::needs::{PeopleRead, PeopleWrite};
use super::body::JsonBody;
use super::idempotency::with_key;
use super::shape::{Object, Shape};
use super::{Application, BASE_PATH, Problem};
use crate::people::{MailWish, Role, SignInName};

const PERSON_FIELDS: &[&str] =
    &["signIn", "name", "email", "phone", "function", "roles", "teams", "mail", "active"];
const SIGN_IN_FIELDS: &[&str] = &["local", "provider"];
const ABSENCE_FIELDS: &[&str] = &["fromDate", "untilDate", "substitute"];
const TEAM_FIELDS: &[&str] = &["name"];
/// Roles or teams of one person.
const MAX_LIST: usize = 64;

pub(super) const MAIL: [(&str, MailWish); 2] = [("digest", MailWish::Digest), ("atOnce", MailWish::AtOnce)];

/// How somebody wants to be mailed, as it is written.
#[must_use]
pub const fn mail_word(wish: MailWish) -> &'static str {
    match wish {
        MailWish::Digest => MAIL[0].0,
        MailWish::AtOnce => MAIL[1].0,
    }
}

/// An account as it was sent, new or changed: well-formed, its texts not yet checked. What is none stays as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonForm {
    pub sign_in: Option<SignInName>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub function: Option<String>,
    pub roles: Option<Vec<Role>>,
    /// Ids.
    pub teams: Option<Vec<String>>,
    pub mail: Option<MailWish>,
    pub active: Option<bool>,
}

impl PersonForm {
    /// Whether it changes nothing but how somebody is reached.
    #[must_use]
    pub const fn is_contact_only(&self) -> bool {
        matches!(
            self,
            Self {
                sign_in: None,
                name: None,
                email: None,
                function: None,
                roles: None,
                teams: None,
                active: None,
                phone: _,
                mail: _,
            }
        )
    }
}

impl fmt::Debug for PersonForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonForm(<redacted>)")
    }
}

/// An absence as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAbsence {
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// The id of whoever stands in.
    pub substitute: Option<String>,
}

/// Somebody who works here: as much as the asker may see.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    pub id: String,
    pub name: String,
    pub function: Option<String>,
    /// Ids.
    pub teams: Vec<String>,
    pub active: bool,
    /// For who may see when they are away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<AwayView>,
    /// For who may see everything.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub all: Option<AllView>,
}

/// Whether somebody is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwayView {
    /// Today.
    pub now: bool,
    pub from_date: Option<String>,
    pub until_date: Option<String>,
    pub substitute: Option<String>,
}

/// What few may see of somebody.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllView {
    pub sign_in: SignInView,
    pub email: String,
    pub phone: String,
    pub roles: Vec<&'static str>,
    pub mail: &'static str,
    /// Moment in UTC, RFC 3339.
    pub created_at: String,
}

/// By what somebody signs in: one of the two.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignInView {
    Local(String),
    Provider(String),
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
redacted!(PersonView, AllView, SignInView, ActivationView);

/// A code by which somebody sets up how they sign in; given once.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivationView {
    #[serde(serialize_with = "exposed")]
    pub code: Zeroizing<String>,
    /// Moment in UTC, RFC 3339.
    pub expires_at: String,
}

fn exposed<S: Serializer>(code: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code)
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamView {
    pub id: String,
    pub name: String,
}

pub(super) async fn list<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleRead>,
) -> Result<Json<Vec<PersonView>>, Problem> {
    Ok(Json(application.people(&actor).await?))
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleRead>,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, Problem> {
    Ok(Json(application.person(&actor, &id).await?))
}

pub(super) async fn add<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleWrite>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let form = person(&body.value, &["signIn", "name", "email", "roles"]);
    let (form, idempotency) = with_key(form, &headers, body.hash)?;
    let added = application.add_person(&actor, form, idempotency).await?;
    let location = format!("{BASE_PATH}/people/{}", added.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(added)))
}

pub(super) async fn change<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleWrite>,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<Json<PersonView>, Problem> {
    Ok(Json(application.change_person(&actor, &id, person(&body.value, &[])?).await?))
}

pub(super) async fn absence<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<PersonView>, Problem> {
    let (absence, idempotency) = with_key(new_absence(&body.value), &headers, body.hash)?;
    Ok(Json(application.set_absence(&actor, &id, absence, idempotency).await?))
}

/// Each call draws a new code, and only the newest counts: so it is not a request that could be repeated by mistake.
pub(super) async fn invite<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleWrite>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok((StatusCode::CREATED, Json(application.invite(&actor, &id).await?)))
}

pub(super) async fn teams<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleRead>,
) -> Result<Json<Vec<TeamView>>, Problem> {
    Ok(Json(application.teams(&actor).await?))
}

pub(super) async fn add_team<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<PeopleWrite>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let mut shape = Shape::default();
    let name = shape.object(&body.value, String::new(), TEAM_FIELDS).and_then(|object| {
        shape.require(&object, "name");
        shape.text(&object, "name")
    });
    let (name, idempotency) = with_key(shape.finish(name), &headers, body.hash)?;
    Ok((StatusCode::CREATED, Json(application.add_team(&actor, name, idempotency).await?)))
}

fn person(value: &Value, required: &[&str]) -> Result<PersonForm, Problem> {
    let mut shape = Shape::default();
    let form = shape.object(value, String::new(), PERSON_FIELDS).map(|object| {
        required.iter().for_each(|name| shape.require(&object, name));
        PersonForm {
            sign_in: sign_in(&mut shape, &object),
            name: shape.text(&object, "name"),
            email: shape.text(&object, "email"),
            phone: shape.text(&object, "phone"),
            function: shape.text(&object, "function"),
            roles: texts(&mut shape, &object, "roles").map(|roles| roles_of(&mut shape, &roles)),
            teams: texts(&mut shape, &object, "teams"),
            mail: shape.word(&object, "mail", &MAIL),
            active: shape.boolean(&object, "active"),
        }
    });
    shape.finish(form)
}

fn sign_in(shape: &mut Shape, person: &Object<'_>) -> Option<SignInName> {
    let object = shape.nested(person, "signIn", SIGN_IN_FIELDS)?;
    match (shape.text(&object, "local"), shape.text(&object, "provider")) {
        (Some(name), None) => Some(SignInName::Local(name.to_lowercase())),
        (None, Some(name)) => Some(SignInName::Provider(name)),
        _ => {
            shape.wrong("/signIn", "must have either local or provider");
            None
        }
    }
}

/// A list of texts.
fn texts(shape: &mut Shape, object: &Object<'_>, name: &str) -> Option<Vec<String>> {
    let list = shape.list(object, name)?;
    if list.len() > MAX_LIST {
        shape.wrong(format!("/{name}"), "has too many entries");
        return None;
    }
    let mut found = Vec::new();
    for (n, value) in list.iter().enumerate() {
        match value.as_str().filter(|text| text.len() <= 256) {
            Some(text) => found.push(text.to_owned()),
            None => shape.wrong(format!("/{name}/{n}"), "must be a text"),
        }
    }
    Some(found)
}

fn roles_of(shape: &mut Shape, texts: &[String]) -> Vec<Role> {
    let mut roles = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(role) => roles.push(role),
            Err(_) => {
                let known: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
                shape.wrong(format!("/roles/{n}"), &format!("must be one of: {}", known.join(", ")));
            }
        }
    }
    roles
}

/// Both dates, or both `null`: they are back.
fn new_absence(value: &Value) -> Result<Option<NewAbsence>, Problem> {
    let mut shape = Shape::default();
    let absence = shape.object(value, String::new(), ABSENCE_FIELDS).and_then(|object| {
        // Leaving them out would end an absence by mistake.
        shape.require_or_null(&object, "fromDate");
        shape.require_or_null(&object, "untilDate");
        let (from, until) = (shape.date(&object, "fromDate"), shape.date(&object, "untilDate"));
        let substitute = shape.text(&object, "substitute");
        match (from, until) {
            (Some(from), Some(until)) => {
                if until < from {
                    shape.wrong("/untilDate", "is before fromDate");
                }
                Some(Some(NewAbsence { from, until, substitute }))
            }
            (None, None) => {
                shape.refuse(&object, "substitute", "goes with two dates");
                Some(None)
            }
            _ => {
                shape.wrong("", "fromDate and untilDate are both dates, or both null");
                None
            }
        }
    });
    shape.finish(absence)
}

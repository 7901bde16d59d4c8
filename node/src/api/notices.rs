//! Notices: what a professional gets when others are also involved.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use kring_protocol::conversation::MistakenReason;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::auth::Allowed;
use super::auth::needs::{NoticesRead, NoticesWrite};
use super::body::JsonBody;
use super::shape::Shape;
use super::signals::idempotency_key;
use super::{Application, Idempotency, Problem};
use crate::texts::Language;

/// How far the coordination of a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum NoticeState {
    Open,
    Responded,
    InContact,
    LeadAgreed,
    Closed,
}

/// One case that others are involved with too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeView {
    pub id: String,
    pub case_reference: String,
    pub state: NoticeState,
    /// Other organisations, counted as distinct controllers with verified names.
    pub other_partners: usize,
    pub matches: Vec<MatchView>,
}

/// One match of the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchView {
    pub match_id: String,
    /// The other organisation's id, once it may be known.
    pub partner: Option<String>,
    /// The recipes of the keys that met.
    pub basis: Vec<String>,
    /// The same in words, in the language that was asked for.
    pub basis_text: String,
}

/// What a professional says about a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// This is not right: out, for both sides.
    NotRight(MistakenReason),
}

/// An answer to one match of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewResponse {
    pub match_id: String,
    pub says: Says,
}

/// What stands recorded as this side's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseView {
    pub match_id: String,
    pub says: Says,
}

impl Serialize for ResponseView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Says::NotRight(reason) = self.says;
        let (reason, _) = REASONS
            .into_iter()
            .find(|(_, known)| *known == reason)
            .expect("every reason has a word, as a test shows");
        let mut view = serializer.serialize_struct("Response", 3)?;
        view.serialize_field("matchId", &self.match_id)?;
        view.serialize_field("response", NOT_RIGHT)?;
        view.serialize_field("reason", reason)?;
        view.end()
    }
}

pub(super) const NOT_RIGHT: &str = "notRight";
pub(super) const REASONS: [(&str, MistakenReason); 3] = [
    ("otherPerson", MistakenReason::OtherPerson),
    ("noLongerInvolved", MistakenReason::NoLongerInvolved),
    ("duplicate", MistakenReason::Duplicate),
];
const RESPONSE_FIELDS: &[&str] = &["matchId", "response", "reason"];

/// Texts in the language of the request, and a header that says which.
type InLanguage<T> = ([(HeaderName, &'static str); 2], Json<T>);

fn in_language<T>(language: Language, view: T) -> InLanguage<T> {
    ([(header::CONTENT_LANGUAGE, language.tag()), (header::VARY, "Accept-Language")], Json(view))
}

fn language(headers: &HeaderMap) -> Language {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.map(Language::accepted).unwrap_or_default()
}

pub(super) async fn list<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
    headers: HeaderMap,
) -> Result<InLanguage<Vec<NoticeView>>, Problem> {
    let language = language(&headers);
    Ok(in_language(language, application.notices(&actor, language).await?))
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<InLanguage<NoticeView>, Problem> {
    let language = language(&headers);
    Ok(in_language(language, application.notice(&actor, &id, language).await?))
}

pub(super) async fn respond<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<ResponseView>, Problem> {
    let (response, key) = match (new_response(&body.value), idempotency_key(&headers)) {
        (Ok(response), Ok(key)) => (response, key),
        (Err(problem), Ok(_)) => return Err(problem),
        (Ok(_), Err(wrong)) => return Err(Problem::invalid(vec![wrong])),
        (Err(problem), Err(wrong)) => return Err(problem.and(wrong)),
    };
    let idempotency = key.map(|key| Idempotency { key, body_hash: body.hash });
    Ok(Json(application.respond(&actor, &id, response, idempotency).await?))
}

fn new_response(value: &Value) -> Result<NewResponse, Problem> {
    let mut shape = Shape::default();
    let response = shape.object(value, String::new(), RESPONSE_FIELDS).and_then(|object| {
        for name in RESPONSE_FIELDS {
            shape.require(&object, name);
        }
        let match_id = shape.text(&object, "matchId");
        let not_right = shape.word(&object, "response", &[(NOT_RIGHT, ())]);
        let reason = shape.word(&object, "reason", &REASONS);
        not_right?;
        Some(NewResponse { match_id: match_id?, says: Says::NotRight(reason?) })
    });
    shape.finish(response)
}

//! Notices: what a professional gets when others are also involved.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use kring_protocol::conversation::MistakenReason;
use kring_protocol::coordination::Outcome;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::auth::Allowed;
use super::auth::needs::{NoticesRead, NoticesWrite};
use super::body::{JsonBody, NoBody};
use super::idempotency::with_key;
use super::shape::Shape;
use super::signals::{NewContact, contact as contact_of};
use super::steps::{self, Step};
use super::{Actor, Application, InvalidParam, Problem};
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
    /// As far as the match that is least far.
    pub state: NoticeState,
    /// Other organisations, counted as distinct controllers with verified names.
    pub other_partners: usize,
    /// If something waits for this side: the last day on which it is in time.
    pub deadline_date: Option<String>,
    /// Whether nobody is reminded.
    pub muted: bool,
    pub matches: Vec<MatchView>,
    /// Who claims to be the lead; several are a conflict, to be settled by people.
    pub lead: Vec<ClaimView>,
    /// What was to be told, the latest last.
    pub alerts: Vec<AlertView>,
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
    pub state: NoticeState,
    /// What this side answered.
    pub response: Option<Says>,
    pub their_response: Option<Says>,
    /// The day of contact.
    pub contact_date: Option<String>,
    /// How to reach the other side's professional.
    pub card: Option<CardView>,
    /// What came of it for this side.
    pub outcome: MaybeOutcome,
    pub their_outcome: MaybeOutcome,
    /// Whether the lead asks this side to take over.
    pub offers_lead: bool,
    /// The claim to the lead with which the other side agrees.
    pub their_choice: Option<String>,
}

/// A contact card.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CardView {
    pub name: String,
    pub function: String,
    pub phone: String,
    pub email: String,
}

impl fmt::Debug for CardView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardView(<redacted>)")
    }
}

/// Who claims to be the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Whose {
    Us,
    /// The other side of a match.
    Partner,
    /// Somebody who was not met: to be reached through the other sides of some matches.
    Through,
}

/// A claim to be the lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimView {
    pub claim: String,
    pub who: Whose,
    /// The other organisation's id, where it is one that was met and may be named.
    pub partner: Option<String>,
    /// The matches over which it is known.
    pub match_ids: Vec<String>,
    /// Whether this side agrees with it.
    pub confirmed: bool,
}

/// Something that was to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    /// Moment in UTC, RFC 3339.
    pub at: String,
    pub kind: &'static str,
    pub match_id: Option<String>,
    /// The same in words, in the language that was asked for.
    pub text: String,
}

/// What came of a match, as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaybeOutcome(pub Option<Outcome>);

impl From<Option<Outcome>> for MaybeOutcome {
    fn from(outcome: Option<Outcome>) -> Self {
        Self(outcome)
    }
}

impl Serialize for MaybeOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.map(|outcome| word_of(&OUTCOMES, &outcome)).serialize(serializer)
    }
}

/// What a professional says about a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// They want to coordinate.
    Coordinate,
    /// They are working together already.
    AlreadyTogether,
    /// This is not right: out, for both sides.
    NotRight(MistakenReason),
}

impl Says {
    const fn word(self) -> &'static str {
        match self {
            Self::Coordinate => COORDINATE,
            Self::AlreadyTogether => ALREADY_TOGETHER,
            Self::NotRight(_) => NOT_RIGHT,
        }
    }
}

impl Serialize for Says {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// An answer to one match of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewResponse {
    pub match_id: String,
    pub says: Says,
    /// Who can be reached, from now on.
    pub contact: Option<NewContact>,
}

/// What stands recorded as this side's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseView {
    pub match_id: String,
    pub says: Says,
}

impl Serialize for ResponseView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Response", 3)?;
        view.serialize_field("matchId", &self.match_id)?;
        view.serialize_field("response", self.says.word())?;
        if let Says::NotRight(reason) = self.says {
            view.serialize_field("reason", word_of(&REASONS, &reason))?;
        }
        view.end()
    }
}

/// The word of something that stands in such a list.
fn word_of<T: PartialEq>(words: &[(&'static str, T)], meant: &T) -> &'static str {
    let found = words.iter().find(|(_, known)| known == meant);
    found.expect("everything that is written has a word, as a test shows").0
}

pub(super) const COORDINATE: &str = "coordinate";
pub(super) const ALREADY_TOGETHER: &str = "alreadyTogether";
pub(super) const NOT_RIGHT: &str = "notRight";
pub(super) const REASONS: [(&str, MistakenReason); 3] = [
    ("otherPerson", MistakenReason::OtherPerson),
    ("noLongerInvolved", MistakenReason::NoLongerInvolved),
    ("duplicate", MistakenReason::Duplicate),
];
pub(super) const OUTCOMES: [(&str, Outcome); 4] = [
    ("contactMade", Outcome::ContactMade),
    ("planMade", Outcome::PlanMade),
    ("leadAgreed", Outcome::LeadAgreed),
    ("noFollowUp", Outcome::NoFollowUp),
];
const RESPONSE_FIELDS: &[&str] = &["matchId", "response", "reason", "contact"];

/// Longest list of languages, in characters.
const MAX_LANGUAGES: usize = 256;

/// Texts in the language of the request, and a header that says which.
type InLanguage<T> = ([(HeaderName, &'static str); 2], Json<T>);

fn in_language<T>(language: Language, view: T) -> InLanguage<T> {
    ([(header::CONTENT_LANGUAGE, language.tag()), (header::VARY, "Accept-Language")], Json(view))
}

fn language(headers: &HeaderMap) -> Result<Language, Problem> {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    if header.is_some_and(|header| header.len() > MAX_LANGUAGES) {
        let wrong = InvalidParam::header("Accept-Language", "must have at most 256 characters");
        return Err(Problem::invalid(vec![wrong]));
    }
    Ok(header.map(Language::accepted).unwrap_or_default())
}

pub(super) async fn list<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
    headers: HeaderMap,
) -> Result<InLanguage<Vec<NoticeView>>, Problem> {
    let language = language(&headers)?;
    Ok(in_language(language, application.notices(&actor, language).await?))
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<InLanguage<NoticeView>, Problem> {
    let language = language(&headers)?;
    Ok(in_language(language, application.notice(&actor, &id, language).await?))
}

pub(super) async fn respond<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<ResponseView>, Problem> {
    let (response, idempotency) = with_key(new_response(&body.value), &headers, body.hash)?;
    Ok(Json(application.respond(&actor, &id, response, idempotency).await?))
}

/// A step other than an answer, by how its body is read.
async fn step<A: Application>(
    application: &A,
    actor: &Actor,
    id: &str,
    headers: &HeaderMap,
    body: &JsonBody,
    read: impl FnOnce(&Value) -> Result<Step, Problem>,
) -> Result<InLanguage<NoticeView>, Problem> {
    let language = language(headers)?;
    let (step, idempotency) = with_key(read(&body.value), headers, body.hash)?;
    Ok(in_language(language, application.step(actor, id, step, idempotency, language).await?))
}

macro_rules! step_handler {
    ($name:ident) => {
        pub(super) async fn $name<A: Application>(
            State(application): State<Arc<A>>,
            Allowed(actor, _): Allowed<NoticesWrite>,
            Path(id): Path<String>,
            headers: HeaderMap,
            body: JsonBody,
        ) -> Result<InLanguage<NoticeView>, Problem> {
            step(&*application, &actor, &id, &headers, &body, steps::$name).await
        }
    };
}
step_handler!(contact);
step_handler!(lead);
step_handler!(close);

pub(super) async fn mute<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<InLanguage<NoticeView>, Problem> {
    muting(&*application, &actor, &id, &headers, &body, true).await
}

pub(super) async fn unmute<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<InLanguage<NoticeView>, Problem> {
    muting(&*application, &actor, &id, &headers, &body, false).await
}

async fn muting<A: Application>(
    application: &A,
    actor: &Actor,
    id: &str,
    headers: &HeaderMap,
    body: &NoBody,
    muted: bool,
) -> Result<InLanguage<NoticeView>, Problem> {
    let (step, idempotency) = with_key(Ok(Step::Mute(muted)), headers, body.hash)?;
    let language = language(headers)?;
    Ok(in_language(language, application.step(actor, id, step, idempotency, language).await?))
}

fn new_response(value: &Value) -> Result<NewResponse, Problem> {
    let mut shape = Shape::default();
    let response = shape.object(value, String::new(), RESPONSE_FIELDS).and_then(|object| {
        shape.require(&object, "matchId");
        shape.require(&object, "response");
        let match_id = shape.text(&object, "matchId");
        let words = [COORDINATE, ALREADY_TOGETHER, NOT_RIGHT].map(|word| (word, word));
        let word = shape.word(&object, "response", &words);
        let reason = shape.word(&object, "reason", &REASONS);
        let contact = contact_of(&mut shape, &object);
        let not_right = word == Some(NOT_RIGHT);
        if not_right {
            shape.require(&object, "reason");
            shape.refuse(&object, "contact", "goes with another answer");
        } else if word.is_some() {
            shape.refuse(&object, "reason", "goes with `notRight` only");
        }
        let says = match (word?, reason) {
            (COORDINATE, _) => Says::Coordinate,
            (ALREADY_TOGETHER, _) => Says::AlreadyTogether,
            (_, reason) => Says::NotRight(reason?),
        };
        Some(NewResponse { match_id: match_id?, says, contact })
    });
    shape.finish(response)
}

//! Notices: what a professional gets when others are also involved.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::auth::Allowed;
use super::auth::needs::NoticesRead;
use super::{Application, Problem};

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
}

pub(super) async fn list<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
) -> Result<Json<Vec<NoticeView>>, Problem> {
    Ok(Json(application.notices(&actor).await?))
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NoticesRead>,
    Path(id): Path<String>,
) -> Result<Json<NoticeView>, Problem> {
    Ok(Json(application.notice(&actor, &id).await?))
}

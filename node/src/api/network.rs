//! The network as this node sees it, and the covenant in force.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::auth::Allowed;
use super::auth::needs::NetworkRead;
use super::{Application, Problem};

/// The network as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkView {
    /// This node's member id and name.
    pub member: String,
    pub name: String,
    pub covenant_version: u64,
    /// Hexadecimal.
    pub covenant_hash: String,
    pub tempo: Tempo,
    /// The tempo is not for real data; every page says so.
    pub development_mode: bool,
    pub keys: Vec<KeyView>,
    pub partners: Vec<PartnerView>,
    pub waiting: WaitingView,
}

/// By which schedule the node evaluates, sends and posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tempo {
    Immediate,
    Production,
}

/// One evaluation key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    pub purpose: String,
    pub matcher: String,
    pub epoch: u32,
    /// `ceremony`, `active`, `overlap` or `ended`.
    pub state: String,
    /// Moment in UTC, RFC 3339; none while the ceremony runs.
    pub ends_at: Option<String>,
}

/// Another member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerView {
    pub id: String,
    pub name: String,
    pub reachable: bool,
    /// `keyHolder`, `matcher`, `relay`, `witness`.
    pub roles: Vec<String>,
}

/// Work that is not done yet. All zero and every board read to its size: everything is delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    pub evaluations: usize,
    pub submissions: Vec<SubmissionsWaiting>,
    pub appends: usize,
    pub boards: Vec<BoardRead>,
}

/// Submissions not yet receipted, by matcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionsWaiting {
    pub matcher: String,
    pub count: usize,
}

/// How far a board was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardRead {
    pub matcher: String,
    /// Messages in its newest known checkpoint.
    pub size: u64,
    /// Messages read.
    pub read: u64,
}

pub(super) async fn show<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NetworkRead>,
) -> Result<Json<NetworkView>, Problem> {
    Ok(Json(application.network(&actor).await?))
}

pub(super) async fn covenant<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<NetworkRead>,
) -> Result<Json<serde_json::Value>, Problem> {
    Ok(Json(application.covenant(&actor).await?))
}

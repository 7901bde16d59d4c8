//! Whose a signal is: handing over, taking over or declining, assigning, and the end of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::auth::Allowed;
use super::auth::needs::{AccessRequestsWrite, SignalsWrite};
use super::body::{JsonBody, NoBody};
use super::idempotency::with_key;
use super::shape::Shape;
use super::{Application, Problem, SignalView};

const FIELDS: &[&str] = &["to"];

/// A case that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErasedView {
    pub id: String,
}

/// A case that its reader declined: nothing of it, because who declines may not see it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeclinedView {
    pub id: String,
}

pub(super) async fn hand_over<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<SignalView>, Problem> {
    let (to, idempotency) = with_key(to(&body.value), &headers, body.hash)?;
    Ok(Json(application.hand_over_signal(&actor, &id, to, idempotency).await?))
}

pub(super) async fn accept<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Json<SignalView>, Problem> {
    let ((), idempotency) = with_key(Ok(()), &headers, body.hash)?;
    Ok(Json(application.accept_signal(&actor, &id, idempotency).await?))
}

pub(super) async fn decline<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Json<DeclinedView>, Problem> {
    let ((), idempotency) = with_key(Ok(()), &headers, body.hash)?;
    Ok(Json(application.decline_signal(&actor, &id, idempotency).await?))
}

pub(super) async fn assign<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<SignalsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<SignalView>, Problem> {
    let mut shape = Shape::default();
    let to = shape.object(&body.value, String::new(), FIELDS).and_then(|object| {
        shape.require(&object, "to");
        shape.text(&object, "to")
    });
    let (to, idempotency) = with_key(shape.finish(to), &headers, body.hash)?;
    Ok(Json(application.assign_signal(&actor, &id, to, idempotency).await?))
}

pub(super) async fn erase<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<AccessRequestsWrite>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: NoBody,
) -> Result<Json<ErasedView>, Problem> {
    let ((), idempotency) = with_key(Ok(()), &headers, body.hash)?;
    Ok(Json(application.erase_signal(&actor, &id, idempotency).await?))
}

/// To whom; `null` takes an offer back.
fn to(value: &Value) -> Result<Option<String>, Problem> {
    let mut shape = Shape::default();
    let to = shape.object(value, String::new(), FIELDS).map(|object| {
        // Leaving it out would take an offer back by mistake.
        shape.require_or_null(&object, "to");
        shape.text(&object, "to")
    });
    shape.finish(to)
}

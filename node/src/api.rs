//! The HTTP API of a node, after the Dutch API Design Rules: what other software of the partner uses.
//!
//! # In scope
//! Requests and answers: their form, who may make them, their limits. The operations listener.
//!
//! # Out of scope
//! What a request does, and whether a person can be recognised: that is the [`Application`]'s. Pages for people,
//! and TLS, which ends at the proxy before the node or in it, but not here.

mod accept;
mod access_requests;
mod application;
mod audit;
pub mod auth;
mod body;
mod error;
mod events;
mod finish;
mod hand_over;
mod idempotency;
mod imports;
mod limits;
mod network;
mod notices;
mod openapi;
pub mod operations;
mod people;
mod query;
mod serve;
mod shape;
mod signals;
mod staff;
mod steps;

use std::fmt;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::routing::{MethodRouter, any, get, patch, post};
use axum::{Extension, Router};

pub use access_requests::{HeldPersonView, HeldSignalView, HeldView, SharedView};
pub use application::Application;
pub use audit::{AuditEntry, AuditProof, ProofView};
pub use auth::{Actor, Scope, TokenRecord};
pub use error::{ApplicationError, InvalidParam, Place, Problem};
pub use events::EventView;
pub use hand_over::{DeclinedView, ErasedView};
pub use idempotency::Idempotency;
pub use imports::{ImportReport, LineReason};
pub use network::{BoardRead, KeyView, NetworkView, PartnerView, SubmissionsWaiting, Tempo, WaitingView};
pub use notices::{
    AlertView, CardView, ClaimView, MatchView, MaybeOutcome, NewResponse, NoticeState, NoticeView,
    ResponseView, Says, Whose,
};
pub use people::{
    ActivationView, AllView, AwayView, NewAbsence, PersonForm, PersonView, SignInView, TeamView, mail_word,
};
pub use serve::{Peer, serve};
pub use signals::{FamilyInformed, NewContact, NewPerson, NewSignal, SignalFilter, SignalState, SignalView};
pub use staff::Staff;
pub use steps::Step;

/// The version of the interface, in every response and in the OpenAPI document.
pub const API_VERSION: &str = "1.0.0";
/// Where the interface stands. The major version is part of it.
pub const BASE_PATH: &str = "/api/v1";

/// One operation: what the OpenAPI document describes and the router serves.
struct Endpoint<A> {
    method: Method,
    path: &'static str,
    handler: MethodRouter<Arc<A>>,
}

impl<A> fmt::Debug for Endpoint<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

fn endpoints<A: Application>() -> Vec<Endpoint<A>> {
    let get = |path, handler| Endpoint { method: Method::GET, path, handler };
    let post = |path, handler| Endpoint { method: Method::POST, path, handler };
    let patch = |path, handler| Endpoint { method: Method::PATCH, path, handler };
    vec![
        get("/openapi.json", self::get(openapi::document)),
        get("/signals", self::get(signals::list::<A>)),
        post("/signals", self::post(signals::add::<A>)),
        get("/signals/{id}", self::get(signals::show::<A>)),
        post("/signals/{id}/renew", self::post(signals::renew::<A>)),
        post("/signals/{id}/withdraw", self::post(signals::withdraw::<A>)),
        get("/notices", self::get(notices::list::<A>)),
        get("/notices/{id}", self::get(notices::show::<A>)),
        post("/notices/{id}/respond", self::post(notices::respond::<A>)),
        post("/notices/{id}/contact", self::post(notices::contact::<A>)),
        post("/notices/{id}/lead", self::post(notices::lead::<A>)),
        post("/notices/{id}/close", self::post(notices::close::<A>)),
        get("/events", self::get(events::stream::<A>)),
        post("/notices/{id}/mute", self::post(notices::mute::<A>)),
        post("/notices/{id}/unmute", self::post(notices::unmute::<A>)),
        get("/people", self::get(people::list::<A>)),
        post("/people", self::post(people::add::<A>)),
        get("/people/{id}", self::get(people::show::<A>)),
        patch("/people/{id}", self::patch(people::change::<A>)),
        post("/people/{id}/absence", self::post(people::absence::<A>)),
        post("/people/{id}/activation", self::post(people::invite::<A>)),
        get("/teams", self::get(people::teams::<A>)),
        post("/teams", self::post(people::add_team::<A>)),
        post("/signals/{id}/hand-over", self::post(hand_over::hand_over::<A>)),
        post("/signals/{id}/accept", self::post(hand_over::accept::<A>)),
        post("/signals/{id}/decline", self::post(hand_over::decline::<A>)),
        post("/signals/{id}/assign", self::post(hand_over::assign::<A>)),
        post("/signals/{id}/erase", self::post(hand_over::erase::<A>)),
        post("/access-requests", self::post(access_requests::answer::<A>)),
        get("/network", self::get(network::show::<A>)),
        get("/covenant", self::get(network::covenant::<A>)),
        post("/imports", self::post(imports::import::<A>)),
        get("/audit/checkpoint", self::get(audit::checkpoint::<A>)),
        get("/audit/entries", self::get(audit::entries::<A>)),
        get("/audit/proofs", self::get(audit::proofs::<A>)),
    ]
}

/// The API under [`BASE_PATH`], to be merged with the pages.
pub fn router<A: Application>(application: Arc<A>) -> Router {
    let routes = endpoints().into_iter().fold(Router::new(), |router, endpoint: Endpoint<A>| {
        let accept = axum::middleware::from_fn_with_state(openapi::answers(&endpoint), accept::check);
        router.route(endpoint.path, endpoint.handler.layer(accept))
    });
    let api = routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(async || Problem::from_status(StatusCode::METHOD_NOT_ALLOWED))
        .layer(axum::middleware::from_fn(finish::finish))
        .layer(Extension(Arc::new(limits::Limits::default())))
        .with_state(application);
    // Nesting leaves out the base path with a slash after it.
    let base = Router::new()
        .route(&format!("{BASE_PATH}/"), any(nothing_here))
        .layer(axum::middleware::from_fn(finish::finish));
    Router::new().nest(BASE_PATH, api).merge(base)
}

/// Every operation, as method and path below [`BASE_PATH`]: for tests that go over all of them.
#[cfg(test)]
pub(crate) fn route_list<A: Application>() -> Vec<String> {
    endpoints::<A>().iter().map(|endpoint| format!("{endpoint:?}")).collect()
}

async fn nothing_here() -> Problem {
    Problem::from_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

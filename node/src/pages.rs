//! The pages for people: what professionals, their supervisors and the partner's administrators see.
//!
//! Not here: any rule about who may do what or when ([`crate::application`] asks those); sign-in and sessions. Pages only
//! ask, show, and say what was wrong.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::application::Node;
use crate::sign_in::{self, SignIn};

mod absence;
mod access;
mod account;
pub mod assets;
mod dates;
mod draft;
mod events;
mod fields;
mod give_signal;
mod import;
mod kept;
mod new_signal;
mod notice;
mod notice_acts;
mod oversight;
mod overview;
pub mod page;
mod said;
mod signal;
mod site;
mod staff;
mod team;

pub use page::{Failure, Page, PageError, Place, render, render_with};

/// What page handlers work on.
#[derive(Debug)]
pub struct Pages {
    /// The node.
    pub node: Arc<Node>,
    /// Who is who.
    pub sign_in: Arc<SignIn>,
    /// Where people reach the node: scheme, host and port.
    pub origin: String,
    drafts: draft::Drafts,
    said: said::Said,
    pub(crate) kept: kept::Kept,
}

impl Pages {
    /// The pages of a node.
    #[must_use]
    pub fn new(node: Arc<Node>, sign_in: Arc<SignIn>, origin: String) -> Self {
        Self {
            node,
            sign_in,
            origin,
            drafts: draft::Drafts::default(),
            said: said::Said::default(),
            kept: kept::Kept::default(),
        }
    }
}

/// Everything outside the API.
pub fn router(pages: Arc<Pages>) -> Router {
    let forms = axum::middleware::from_fn_with_state(Arc::clone(&pages), sign_in::around_forms);
    Router::new()
        .merge(cases())
        .merge(offices())
        .route_layer(forms)
        .merge(sign_in::router())
        .route("/assets/{name}", get(assets::serve))
        .fallback(site::nothing_here)
        .method_not_allowed_fallback(site::nothing_here)
        .layer(axum::middleware::from_fn(sign_in::headers))
        .with_state(pages)
}

/// Pages about cases.
fn cases() -> Router<Arc<Pages>> {
    Router::new()
        .route("/", get(overview::show))
        .route("/events", get(events::listen))
        .route("/expiring", get(overview::expiring))
        .route("/signals/new", get(new_signal::weigh).post(new_signal::decide))
        .route("/signals/new/{draft}/who", get(new_signal::who).post(new_signal::set_who))
        .route("/signals/new/{draft}/reach", get(new_signal::reach).post(new_signal::set_reach))
        .route("/signals/new/{draft}/family", get(new_signal::family).post(new_signal::set_family))
        .route("/signals/new/{draft}/check", get(give_signal::check).post(give_signal::give))
        .route("/signals/{id}", get(signal::show))
        .route("/signals/{id}/given", get(signal::given))
        .route("/signals/{id}/sheet", get(signal::sheet))
        .route("/signals/{id}/renew", get(signal::renew_page).post(signal::renew))
        .route("/signals/{id}/withdraw", get(signal::withdraw_page).post(signal::withdraw))
        .route("/signals/{id}/hand-over", get(signal::hand_over_page).post(signal::hand_over))
        .route("/signals/{id}/take-over", get(signal::show).post(signal::take_over))
        .route("/signals/{id}/decline", get(signal::show).post(signal::decline))
        .route("/notices/{id}", get(notice::show))
        .route("/notices/{id}/respond", get(notice::show).post(notice_acts::respond))
        .route("/notices/{id}/not-right", get(notice::show).post(notice_acts::not_right))
        .route("/notices/{id}/contact", get(notice::show).post(notice_acts::contact))
        .route("/notices/{id}/lead", get(notice::show).post(notice_acts::lead))
        .route("/notices/{id}/close", get(notice::show).post(notice_acts::close))
        .route("/notices/{id}/mute", get(notice::show).post(notice_acts::mute))
        .route("/absence", get(absence::show).post(absence::set))
        .route("/absence/hand-over", get(absence::show).post(absence::hand_over))
        .route("/team", get(team::show))
        .route("/team/assign", get(team::show).post(team::assign))
}

/// Pages of those who administer and watch over it, and of one's own account.
fn offices() -> Router<Arc<Pages>> {
    Router::new()
        .route("/account", get(account::show).post(account::set))
        .route("/access-request", get(access::show).post(access::answer))
        .route("/import", get(import::show).post(import::import))
        .route("/people", get(staff::show))
        .route("/people/teams", get(staff::show).post(staff::add_team))
        .route("/people/new", get(staff::new).post(staff::add))
        .route("/people/{id}", get(staff::edit).post(staff::change))
        .route("/network", get(oversight::network))
        .route("/audit", get(oversight::audit))
        .route("/audit/{last}", get(oversight::audit_at))
}

#[cfg(test)]
mod tests;

//! Tells a page that is open when something happens that its reader may see: that, and nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;

use super::site::Site;

/// Proxies close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// `GET /events`.
pub(super) async fn listen(site: Site) -> Response {
    let node = site.node();
    match node.outgoing.feed(Some(site.who.account.id), Arc::clone(&node.people), None) {
        Ok(feed) => {
            let events = feed.map(|_| Ok::<_, Infallible>(Event::default().data("changed")));
            let news = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
            ([(header::CACHE_CONTROL, "no-store")], news).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

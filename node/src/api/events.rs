//! `GET /events`: what happens, as it happens, as server-sent events (WHATWG HTML section 9.2).
//!
//! Each event is the CloudEvent that webhooks get too, and as empty. Its `id` is a number that counts up; who comes back with
//! it in `Last-Event-ID` misses nothing that is still kept.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};

use super::auth::Allowed;
use super::auth::needs::EventsOrNotices;
use super::{Application, InvalidParam, Problem};

/// A comment is sent after so long without an event, so that whoever is between does not close the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A stream lasts so long, so that it does not outlive its token by more; who comes back goes on where it was.
const LASTS: Duration = Duration::from_secs(900);

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    /// Counts up.
    pub number: u64,
    /// What happened, in one word.
    pub kind: &'static str,
    /// The CloudEvent, as JSON.
    pub json: String,
}

pub(super) async fn stream<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<EventsOrNotices>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = last_event_id(&headers)?;
    let events = application.events(&actor, after).await?;
    let event =
        |view: EventView| Ok(Event::default().id(view.number.to_string()).event(view.kind).data(view.json));
    let events = events.map(event).take_until(tokio::time::sleep(LASTS));
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    Ok(Sse::new(events).keep_alive(keep_alive))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut given = headers.get_all("last-event-id").iter();
    let wrong = || {
        let reason = "must be the id of an event of this node, once";
        Problem::invalid(vec![InvalidParam::header("Last-Event-ID", reason)])
    };
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(id), None) => {
            let id = id.to_str().ok().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
            id.and_then(|id| id.parse().ok()).map(Some).ok_or_else(wrong)
        }
        (Some(_), Some(_)) => Err(wrong()),
    }
}

//! Pages that answer a form, fetched by a second request: a browser that has sent a form with a page as its answer keeps the
//! form on disk, with all that was typed, to be able to send it once more. After a redirect it keeps nothing of it.
//!
//! In memory only, one for each session, until it is fetched. Not here: what is in a page.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kring_protocol::time::Timestamp;
use zeroize::Zeroizing;

use super::browser::{see_other, text};
use super::session::{IdHash, Session};
use crate::pages::Pages;

/// Kept so long for a browser that does not fetch it.
const TERM_SECS: u64 = 60;
/// Longest page that is kept, in bytes; a longer one is the answer itself, as to browsers that do not say what they ask for.
const MAX_LEN: usize = 1024 * 1024;

struct Answer {
    path: String,
    status: StatusCode,
    body: Zeroizing<Vec<u8>>,
    since: Timestamp,
}

/// Pages that wait to be fetched.
#[derive(Default)]
pub(super) struct Answers(Mutex<HashMap<IdHash, Answer>>);

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answers(<redacted>)")
    }
}

impl Answers {
    fn put(&self, session: IdHash, answer: Answer) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(session, answer);
    }

    /// Takes what answers the last form of this session, if it was sent to this path.
    fn take(&self, session: IdHash, path: &str, now: Timestamp) -> Option<Answer> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, answer| now.secs().saturating_sub(answer.since.secs()) < TERM_SECS);
        answers.remove(&session).filter(|answer| answer.path == path)
    }
}

/// Answers a form of this session with a redirect to its own address, and there with the page.
pub(super) async fn by_redirect(pages: &Pages, session: &Session, request: Request, next: Next) -> Response {
    let (answers, now) = (&pages.sign_in.answers, pages.sign_in.core.now());
    let path = request.uri().path().to_owned();
    if text(request.headers(), "sec-fetch-dest") != Some("document") {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        let waiting = answers.take(session.id, &path, now);
        return match waiting {
            Some(Answer { status, body, .. }) => {
                (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body.to_vec()).into_response()
            }
            None => next.run(request).await,
        };
    }
    let response = next.run(request).await;
    let is_page = text(response.headers(), "content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if response.status().is_redirection() || !is_page {
        return response;
    }
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) if body.len() <= MAX_LEN => {
            let body = Zeroizing::new(body.to_vec());
            answers.put(session.id, Answer { path: path.clone(), status: parts.status, body, since: now });
            see_other(&path, None)
        }
        Ok(body) => Response::from_parts(parts, Body::from(body)),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_fetched_once_by_the_session_that_sent_the_form() {
        let (answers, at) = (Answers::default(), Timestamp::from_secs);
        let answer = |since| Answer {
            path: "/here".to_owned(),
            status: StatusCode::BAD_REQUEST,
            body: Zeroizing::new(b"page".to_vec()),
            since: at(since),
        };
        answers.put([1; 32], answer(100));
        assert!(answers.take([2; 32], "/here", at(100)).is_none(), "another session");
        assert_eq!(
            answers.take([1; 32], "/here", at(159)).map(|one| one.status),
            Some(StatusCode::BAD_REQUEST)
        );
        assert!(answers.take([1; 32], "/here", at(100)).is_none(), "a second time");
        answers.put([1; 32], answer(100));
        assert!(answers.take([1; 32], "/there", at(100)).is_none(), "another page");
        answers.put([1; 32], answer(100));
        assert!(answers.take([1; 32], "/here", at(160)).is_none(), "a minute later");
    }
}

//! Forms of a session that has ended: nothing is done with them; what was typed is kept for the person whose session it was,
//! until they are signed in again.
//!
//! Not here: for how long, and how it is filled in (`crate::pages`).

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::browser::{Browser, Who};
use super::form::{CsrfForm, Fields, browser};
use super::session::same;
use super::{SignIn, answers};
use crate::pages::Pages;
use crate::people::AccountId;

/// Around pages with forms. A form of a session that has ended is kept, and its browser goes to sign in. The page that
/// answers any other is fetched after a redirect.
pub async fn around_forms(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut browser = browser(&mut parts, &pages).await;
    match (&browser.who, &parts.method) {
        (Who::SignedIn(signed_in), &(Method::GET | Method::POST)) => {
            let session = signed_in.session.clone();
            answers::by_redirect(&pages, &session, Request::from_parts(parts, body), next).await
        }
        (Who::Ended(_), &Method::POST) => {
            // Reading it keeps it, where it is a form of that session; whatever it is, it goes no further.
            let form = Request::from_parts(parts.clone(), body);
            let refused = CsrfForm::<Fields>::from_request(form, &pages).await.err();
            browser.kept = refused.is_some_and(|answer| answer.status() == StatusCode::SEE_OTHER);
            pages.sign_in.send_to_sign_in(browser, &parts)
        }
        _ => next.run(Request::from_parts(parts, body)).await,
    }
}

impl SignIn {
    /// Whose form this is, if its session has ended: that of this browser, or one before it of the same person, as when
    /// they signed in again in another window.
    pub(super) fn of_ended(&self, browser: &Browser, pairs: &Fields) -> Option<AccountId> {
        let mut words = pairs.iter().filter(|(name, _)| name == "csrf").map(|(_, word)| word);
        let (word, None) = (words.next()?, words.next()) else { return None };
        match &browser.who {
            Who::Ended(session) => same(&session.csrf, word).then_some(session.account),
            Who::SignedIn(signed_in) => {
                let account = signed_in.account.id;
                self.sessions.had_word(account, word).then_some(account)
            }
            _ => None,
        }
    }
}

/// Keeps the fields, those that hold words of ours left out.
pub(super) fn keep(pages: &Pages, account: AccountId, path: &str, mut pairs: Fields) {
    pairs.retain(|(name, _)| name != "csrf");
    pages.kept.put(account, path, pairs, pages.sign_in.core.now());
}

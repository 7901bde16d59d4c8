//! The pages of signing in: user name and password, the second factor, setting up an account, the way to the provider and
//! back, signing out, and the language.
//!
//! Not here: what makes a password, code or token right.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::browser::{Browser, SignedIn, Who, see_other, with_cookie};
use super::form::CsrfForm;
use super::session::SessionId;
use super::visitor::Visitor;
use crate::pages::{Failure, Page, Pages, render_with};
use crate::people::{AccountId, SignInName};
use crate::store::StoreError;
use crate::texts::Language;

mod activate;
mod external;
mod local;

pub(super) const SIGN_IN: &str = "/sign-in";
const START: &str = "/sign-in/start";
pub(super) const CALLBACK: &str = "/sign-in/callback";
const SECOND_FACTOR: &str = "/sign-in/second-factor";
const ACTIVATE: &str = "/activate";

/// The routes of signing in. The layer [`super::headers()`] belongs around all pages, these too.
pub fn router() -> Router<Arc<Pages>> {
    Router::new()
        .route(SIGN_IN, get(local::show).post(local::password))
        .route(SECOND_FACTOR, get(local::show_second_factor).post(local::second_factor))
        .route(ACTIVATE, get(activate::show).post(activate::act))
        .route(START, get(external::start))
        .route(CALLBACK, get(external::callback))
        .route("/sign-out", post(sign_out))
        .route("/language", post(language))
}

/// A password or code on its way to be checked: wiped, and never shown.
#[derive(Default)]
struct Typed(zeroize::Zeroizing<String>);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(zeroize::Zeroizing::new(text)))
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(<redacted>)")
    }
}

/// Ends all sessions of this account on this node: also the one on the telephone that somebody forgot.
async fn sign_out(
    State(pages): State<Arc<Pages>>,
    signed_in: SignedIn,
    _: CsrfForm<std::collections::HashMap<String, IgnoredAny>>,
) -> Response {
    let sign_in = &pages.sign_in;
    let account = signed_in.account.id;
    let event = sign_in.event(Some(account), kring_protocol::log::entry::Outcome::Done);
    if sign_in.sessions.end_all(account, vec![event]).await.is_err() {
        return failed(&pages, signed_in.session.language);
    }
    let now = sign_in.core.now();
    let visitor = Visitor::new(signed_in.session.language, now);
    let id = sign_in.visitors.add(Visitor { note: Some("signed-out"), ..visitor }, now);
    see_other(SIGN_IN, Some(sign_in.cookie(&id)))
}

#[derive(Deserialize)]
struct Choice {
    language: String,
    #[serde(default)]
    to: String,
}

async fn language(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let browser = browser(&mut parts, &pages).await;
    let request = Request::from_parts(parts, body);
    let choice = <CsrfForm<Choice> as axum::extract::FromRequest<_>>::from_request(request, &pages).await;
    let CsrfForm(Choice { language, to }) = match choice {
        Ok(choice) => choice,
        Err(refusal) => return refusal,
    };
    let language = if language == Language::English.tag() { Language::English } else { Language::Dutch };
    match &browser.who {
        Who::SignedIn(signed_in) => {
            if pages.sign_in.sessions.set_language(&signed_in.session.id, language).await.is_err() {
                return failed(&pages, language);
            }
        }
        Who::Visitor(id, _) => drop(pages.sign_in.visitors.change(id, |visitor| visitor.language = language)),
        Who::Ended(_) | Who::Unknown => {}
    }
    see_other(if is_local(&to) { &to } else { "/" }, None)
}

/// A path of this node, which no browser takes for another host.
fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 200
        && !path.contains("//")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
}

async fn browser(parts: &mut axum::http::request::Parts, pages: &Arc<Pages>) -> Browser {
    Browser::from_request_parts(parts, pages).await.unwrap_or_else(|never| match never {})
}

/// Signs somebody in: a new session under a new id, and the browser goes where it wanted to.
async fn begin(pages: &Pages, id: &SessionId, account: AccountId) -> Result<Response, StoreError> {
    let sign_in = &pages.sign_in;
    let visitor = sign_in.visitors.take(id, sign_in.core.now());
    let (language, wanted) = visitor.map(|visitor| (visitor.language, visitor.wanted)).unwrap_or_default();
    let event = sign_in.event(Some(account), kring_protocol::log::entry::Outcome::Done);
    let session = sign_in.sessions.begin(account, language, event).await?;
    Ok(see_other(wanted.as_deref().unwrap_or("/"), Some(sign_in.cookie(&session))))
}

/// Gives a visitor a new id, and with it whatever has been shown of who they are.
fn renew(pages: &Pages, id: &SessionId, change: impl FnOnce(&mut Visitor)) -> Option<HeaderValue> {
    let sign_in = &pages.sign_in;
    let now = sign_in.core.now();
    let mut visitor = sign_in.visitors.take(id, now)?;
    visitor.csrf = super::session::random_word();
    change(&mut visitor);
    Some(sign_in.cookie(&sign_in.visitors.add(visitor, now)))
}

/// Somebody must wait before the next attempt.
fn wait(page: &mut Page, seconds: u64) {
    let text = if seconds < 60 {
        page.count("sign-in-wait-seconds", &usize::try_from(seconds).unwrap_or(60))
    } else {
        page.count("sign-in-wait-minutes", &usize::try_from(seconds.div_ceil(60)).unwrap_or(60))
    };
    page.errors.push(crate::pages::PageError { field: String::new(), text });
}

fn too_early(mut response: Response, seconds: u64) -> Response {
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn failed(pages: &Pages, language: Language) -> Response {
    Failure::internal(Page::of(&pages.node, language, "/"))
}

fn failure(page: Page, (title, text): (&'static str, &'static str), status: StatusCode) -> Response {
    render_with(status, &Failure { page, title, text, detail: None })
}

/// The name under which a local account is found.
fn local_name(user: &str) -> SignInName {
    SignInName::Local(user.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use crate::texts::{Language, t};

    const SOURCES: [&str; 10] = [
        include_str!("handlers.rs"),
        include_str!("handlers/local.rs"),
        include_str!("handlers/activate.rs"),
        include_str!("handlers/external.rs"),
        include_str!("form.rs"),
        include_str!("browser.rs"),
        include_str!("../../templates/sign_in.html"),
        include_str!("../../templates/second_factor.html"),
        include_str!("../../templates/activate.html"),
        include_str!("../../templates/activate_factor.html"),
    ];

    #[test]
    fn every_text_that_is_used_exists() {
        let begins = [
            "sign-in-",
            "signed-",
            "second-factor-",
            "activate-",
            "password-",
            "factor-",
            "no-access-",
            "provider-",
            "form-",
        ];
        let is_key = |text: &&str| {
            begins.iter().any(|begin| text.starts_with(begin))
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                && !text.ends_with('-')
        };
        let keys: Vec<_> = SOURCES.iter().flat_map(|source| source.split('"')).filter(is_key).collect();
        assert!(keys.len() > 40, "{}", keys.len());
        for key in keys {
            let has = |key: &str| t(Language::Dutch, key, &[]) != key;
            assert!(has(key) || (has(&format!("{key}-one")) && has(&format!("{key}-many"))), "{key}");
        }
    }
}

//! User name and password, then the second factor.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{
    Browser, Pages, SECOND_FACTOR, SIGN_IN, SessionId, Typed, Visitor, Who, begin, failed, local_name, renew,
    see_other, too_early, wait, with_cookie,
};
use crate::pages::{Page, render_with};
use crate::people::{Account, AccountId, SignInName};
use crate::sign_in::form::CsrfForm;
use crate::sign_in::visitor::Stage;
use crate::store::StoreError;

/// Longest user name that is looked at, in bytes.
const MAX_USER: usize = 200;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    /// Whether there is a provider to sign in with.
    provider: bool,
    /// Whether there are local accounts.
    local: bool,
    user: String,
    /// The key of a text about how one came here.
    note: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    page: Page,
}

#[derive(Debug, Deserialize)]
pub(super) struct Password {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: Typed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: Typed,
}

pub(super) async fn show(State(pages): State<Arc<Pages>>, mut browser: Browser) -> Response {
    if matches!(browser.who, Who::SignedIn(_)) {
        return see_other("/", None);
    }
    let cookie = pages.sign_in.receive(&mut browser);
    let note = match &browser.who {
        Who::Visitor(id, visitor) => {
            pages.sign_in.visitors.change(id, |visitor| visitor.note = None);
            visitor.note
        }
        _ => None,
    };
    let page = browser.page(&pages, SIGN_IN);
    with_cookie(sign_in_page(&pages, page, String::new(), note), cookie)
}

fn sign_in_page(pages: &Pages, page: Page, user: String, note: Option<&'static str>) -> Response {
    let provider = pages.sign_in.provider.is_some();
    let local = |account: &Account| account.active && matches!(account.sign_in, SignInName::Local(_));
    let local = !provider || pages.sign_in.people.accounts().iter().any(local);
    let status = page.status();
    render_with(status, &SignInPage { page, provider, local, user, note })
}

pub(super) async fn password(
    State(pages): State<Arc<Pages>>,
    browser: Browser,
    CsrfForm(form): CsrfForm<Password>,
) -> Response {
    let Who::Visitor(id, _) = &browser.who else { return see_other("/", None) };
    let sign_in = &pages.sign_in;
    let user: String = form.user.chars().take(MAX_USER).collect();
    let name = local_name(&user);
    let SignInName::Local(lower) = &name else { return see_other(SIGN_IN, None) };
    let tried = sign_in.who("password", lower);
    let mut page = browser.page(&pages, SIGN_IN);
    if let Err(seconds) = sign_in.begin_attempt(&sign_in.names, tried, browser.address) {
        wait(&mut page, seconds);
        return too_early(sign_in_page(&pages, page, user, None), seconds);
    }
    match check(&pages, &name, &form.password).await {
        Err(_) => failed(&pages, browser.language()),
        Ok(None) => {
            page.wrong("user", "sign-in-wrong");
            sign_in_page(&pages, page, user, None)
        }
        Ok(Some(account)) => {
            sign_in.end_attempt(&sign_in.names, &tried, browser.address);
            proceed(&pages, id, &browser, account).await
        }
    }
}

/// The account whose password this is. The same work and the same entry in the log where there is none.
async fn check(pages: &Pages, name: &SignInName, password: &Typed) -> Result<Option<AccountId>, StoreError> {
    let sign_in = &pages.sign_in;
    let account = sign_in.people.find(name).map(|account| (account.id, account.active));
    let credential = match account {
        Some((id, _)) => sign_in.credentials.get(id)?,
        None => None,
    };
    let stored = credential.as_ref().and_then(|credential| credential.password.as_ref());
    let right = sign_in.hasher.verify(&password.0, stored).await;
    match account {
        Some((id, true)) if right => Ok(Some(id)),
        other => {
            sign_in.enter_failure(other.map(|(id, _)| id)).await?;
            Ok(None)
        }
    }
}

/// The password was right: on to the second factor, or, where there is none, in.
async fn proceed(pages: &Pages, id: &SessionId, browser: &Browser, account: AccountId) -> Response {
    if !pages.sign_in.second_factor {
        return begin(pages, id, account).await.unwrap_or_else(|_| failed(pages, browser.language()));
    }
    match renew(pages, id, |visitor| visitor.stage = Stage::Password(account)) {
        Some(cookie) => see_other(SECOND_FACTOR, Some(cookie)),
        None => see_other(SIGN_IN, None),
    }
}

pub(super) async fn show_second_factor(State(pages): State<Arc<Pages>>, browser: Browser) -> Response {
    match &browser.who {
        Who::Visitor(_, visitor) if matches!(visitor.stage, Stage::Password(_)) => {
            render_with(StatusCode::OK, &SecondFactorPage { page: browser.page(&pages, SECOND_FACTOR) })
        }
        Who::SignedIn(_) => see_other("/", None),
        _ => see_other(SIGN_IN, None),
    }
}

pub(super) async fn second_factor(
    State(pages): State<Arc<Pages>>,
    browser: Browser,
    CsrfForm(form): CsrfForm<Code>,
) -> Response {
    let Who::Visitor(id, visitor) = &browser.who else { return see_other("/", None) };
    let Visitor { stage: Stage::Password(account), .. } = **visitor else { return see_other(SIGN_IN, None) };
    let sign_in = &pages.sign_in;
    let tried = sign_in.who("second-factor", &account.to_string());
    let mut page = browser.page(&pages, SECOND_FACTOR);
    if let Err(seconds) = sign_in.begin_attempt(&sign_in.factors, tried, browser.address) {
        wait(&mut page, seconds);
        return too_early(render_with(page.status(), &SecondFactorPage { page }), seconds);
    }
    let active = sign_in.people.get(&account).is_some_and(|account| account.active);
    let signed_in = async {
        if active && sign_in.credentials.second_factor(account, &form.code.0).await? {
            sign_in.end_attempt(&sign_in.factors, &tried, browser.address);
            return begin(&pages, id, account).await.map(Some);
        }
        sign_in.enter_failure(Some(account)).await.map(|()| None)
    };
    match signed_in.await {
        Ok(Some(response)) => response,
        Ok(None) => {
            page.wrong("code", "second-factor-wrong");
            render_with(page.status(), &SecondFactorPage { page })
        }
        Err(_) => failed(&pages, browser.language()),
    }
}

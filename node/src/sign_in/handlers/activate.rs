//! Setting up a local account, new or after a lost telephone: a code from the functional administrator, a password of one's
//! own, and an authenticator app.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kring_protocol::log::entry::Outcome;
use qrcode::QrCode;
use qrcode::render::svg;
use rand::rngs::OsRng;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    ACTIVATE, Browser, Pages, Typed, Who, begin, failed, local_name, renew, see_other, too_early, wait,
    with_cookie,
};
use crate::pages::{Page, render_with};
use crate::people::{AccountId, SignInName};
use crate::sign_in::credential::{Credential, code_hash};
use crate::sign_in::form::CsrfForm;
use crate::sign_in::password::{Weak, check_new};
use crate::sign_in::session::SessionId;
use crate::sign_in::totp::TotpSecret;
use crate::sign_in::visitor::{Activating, Stage};
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "activate.html")]
struct ActivatePage {
    page: Page,
    user: String,
}

#[derive(Template)]
#[template(path = "activate_factor.html")]
struct FactorPage {
    page: Page,
    /// The secret as people type it.
    secret: Zeroizing<String>,
    /// The same as a picture, SVG of our own making.
    picture: Zeroizing<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    user: String,
    #[serde(default)]
    activation: Typed,
    #[serde(default)]
    password: Typed,
    #[serde(default)]
    again: Typed,
    /// The first code of the app; the form's second half.
    code: Option<Typed>,
}

pub(super) async fn show(State(pages): State<Arc<Pages>>, mut browser: Browser) -> Response {
    if matches!(browser.who, Who::SignedIn(_)) {
        return see_other("/", None);
    }
    let cookie = pages.sign_in.receive(&mut browser);
    let page = browser.page(&pages, ACTIVATE);
    let response = match &browser.who {
        Who::Visitor(_, visitor) => match &visitor.stage {
            Stage::Activating(activating) => factor_page(&pages, page, activating),
            _ => first_page(page, String::new()),
        },
        _ => first_page(page, String::new()),
    };
    with_cookie(response, cookie)
}

pub(super) async fn act(
    State(pages): State<Arc<Pages>>,
    browser: Browser,
    CsrfForm(form): CsrfForm<Form>,
) -> Response {
    let Who::Visitor(id, visitor) = &browser.who else { return see_other("/", None) };
    let done = match (&visitor.stage, &form.code) {
        (Stage::Activating(activating), Some(code)) => second(&pages, &browser, id, activating, code).await,
        _ => first(&pages, &browser, id, &form).await,
    };
    done.unwrap_or_else(|_| failed(&pages, browser.language()))
}

fn first_page(page: Page, user: String) -> Response {
    render_with(page.status(), &ActivatePage { page, user })
}

fn factor_page(pages: &Pages, page: Page, activating: &Activating) -> Response {
    let user = pages.sign_in.people.get(&activating.account).map(|account| account.sign_in);
    let user = if let Some(SignInName::Local(user)) = user { user } else { String::new() };
    let issuer = format!("Kring {}", page.organisation);
    let uri = Zeroizing::new(activating.totp.uri(&issuer, &user));
    let picture =
        Zeroizing::new(QrCode::new(uri.as_bytes()).map_or_else(|_| String::new(), |code| picture(&code)));
    let secret = Zeroizing::new(activating.totp.text());
    render_with(page.status(), &FactorPage { page, secret, picture })
}

/// An SVG element to stand in a page: without the declaration of a document of its own.
fn picture(code: &QrCode) -> String {
    let document = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    document.find("<svg").map_or_else(String::new, |start| document[start..].to_owned())
}

/// User name, code and new password.
async fn first(
    pages: &Pages,
    browser: &Browser,
    id: &SessionId,
    form: &Form,
) -> Result<Response, StoreError> {
    let sign_in = &pages.sign_in;
    let mut page = browser.page(pages, ACTIVATE);
    let user: String = form.user.chars().take(200).collect();
    check_password(&mut page, form, &user);
    if !page.errors.is_empty() {
        return Ok(first_page(page, user));
    }
    let name = local_name(&user);
    let SignInName::Local(lower) = &name else { return Ok(first_page(page, user)) };
    let tried = sign_in.who("activation", lower);
    if let Err(seconds) = sign_in.begin_attempt(&sign_in.names, tried, browser.address) {
        wait(&mut page, seconds);
        return Ok(too_early(first_page(page, user), seconds));
    }
    let account = sign_in.people.find(&name).filter(|account| account.active).map(|account| account.id);
    // The same work whether or not there is such an account.
    let password = sign_in.hasher.hash(&form.password.0).await;
    let code = code_hash(&form.activation.0);
    let Some((account, code)) = account.zip(code).filter(|(account, code)| is_invited(pages, *account, code))
    else {
        sign_in.enter_failure(account).await?;
        page.wrong("user", "activate-wrong");
        return Ok(first_page(page, user));
    };
    sign_in.end_attempt(&sign_in.names, &tried, browser.address);
    let activating = Activating { account, password, totp: TotpSecret::random(&mut OsRng), code };
    if !sign_in.second_factor {
        return finish(pages, id, &activating, None).await;
    }
    let cookie = renew(pages, id, |visitor| visitor.stage = Stage::Activating(Box::new(activating)));
    Ok(see_other(ACTIVATE, cookie))
}

fn is_invited(pages: &Pages, account: AccountId, code: &[u8; 32]) -> bool {
    let credential = pages.sign_in.credentials.get(account).ok().flatten();
    credential.is_some_and(|credential| credential.is_activated_by(code, pages.sign_in.core.now()))
}

fn check_password(page: &mut Page, form: &Form, user: &str) {
    let organisation = page.organisation.clone();
    match check_new(&form.password.0, &[user.trim(), &organisation]) {
        Err(Weak::TooShort) => page.wrong("password", "password-too-short"),
        Err(Weak::TooLong) => page.wrong("password", "password-too-long"),
        Err(Weak::Common) => page.wrong("password", "password-common"),
        Ok(()) if *form.password.0 != *form.again.0 => page.wrong("again", "password-not-again"),
        Ok(()) => {}
    }
}

/// The first code of the app.
async fn second(
    pages: &Pages,
    browser: &Browser,
    id: &SessionId,
    activating: &Activating,
    code: &Typed,
) -> Result<Response, StoreError> {
    let sign_in = &pages.sign_in;
    let tried = sign_in.who("first-code", &activating.account.to_string());
    let mut page = browser.page(pages, ACTIVATE);
    if let Err(seconds) = sign_in.begin_attempt(&sign_in.factors, tried, browser.address) {
        wait(&mut page, seconds);
        return Ok(too_early(factor_page(pages, page, activating), seconds));
    }
    match activating.totp.accept(&code.0, sign_in.core.now(), 0) {
        Some(step) => {
            sign_in.end_attempt(&sign_in.factors, &tried, browser.address);
            finish(pages, id, activating, Some(step)).await
        }
        None => {
            sign_in.enter_failure(Some(activating.account)).await?;
            page.wrong("code", "second-factor-wrong");
            Ok(factor_page(pages, page, activating))
        }
    }
}

/// Stores what was set up; whatever was signed in before is not any more.
async fn finish(
    pages: &Pages,
    id: &SessionId,
    activating: &Activating,
    step: Option<u64>,
) -> Result<Response, StoreError> {
    let sign_in = &pages.sign_in;
    let fresh =
        Credential::new(activating.password.clone(), step.map(|step| (activating.totp.clone(), step)));
    let event = sign_in.event(Some(activating.account), Outcome::Done);
    if !sign_in.credentials.activate(activating.account, &activating.code, fresh, event).await? {
        sign_in.enter_failure(Some(activating.account)).await?;
        sign_in.visitors.take(id, sign_in.core.now());
        return Ok(see_other(ACTIVATE, None));
    }
    sign_in.sessions.end_all(activating.account, Vec::new()).await?;
    begin(pages, id, activating.account).await
}

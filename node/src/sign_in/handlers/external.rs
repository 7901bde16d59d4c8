//! The way to the partner's OpenID provider and back, and the account of whom it signs in.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use kring_protocol::log::entry::{Kind, Outcome};

use super::{Browser, Pages, SIGN_IN, Visitor, Who, begin, failed, failure, see_other, with_cookie};
use crate::audit::Event;
use crate::people::{Account, AccountId, MailWish, SignInName};
use crate::sign_in::provider::{Answer, Asked, Identity, Provider, ProviderError};
use crate::sign_in::visitor::Stage;
use crate::store::StoreError;

pub(super) async fn start(State(pages): State<Arc<Pages>>, mut browser: Browser) -> Response {
    let sign_in = &pages.sign_in;
    let Some(provider) = &sign_in.provider else { return see_other(SIGN_IN, None) };
    if matches!(browser.who, Who::SignedIn(_)) {
        return see_other("/", None);
    }
    let cookie = sign_in.receive(&mut browser);
    let response = match provider.ask(sign_in.core.now()).await {
        Ok((asked, url)) => {
            if let Who::Visitor(id, _) = &browser.who {
                sign_in.visitors.change(id, |visitor| visitor.stage = Stage::Provider(Box::new(asked)));
            }
            see_other(&url, None)
        }
        Err(error) => refused(&pages, &browser, &error),
    };
    with_cookie(response, cookie)
}

pub(super) async fn callback(
    State(pages): State<Arc<Pages>>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Response {
    let sign_in = &pages.sign_in;
    let done = async {
        let Some(provider) = &sign_in.provider else { return Ok(see_other(SIGN_IN, None)) };
        let began = answered(&browser, &query.unwrap_or_default());
        let (answer, asked) = match began {
            Ok(began) => began,
            Err(error) => {
                sign_in.enter_failure(None).await?;
                return Ok(refused(&pages, &browser, &error));
            }
        };
        // Whatever comes of it, this answer is not heard again, and the browser goes on under another id.
        let Who::Visitor(id, visitor) = &browser.who else { return Ok(see_other(SIGN_IN, None)) };
        let now = sign_in.core.now();
        if sign_in.visitors.take(id, now).is_none() {
            return Ok(see_other(SIGN_IN, None));
        }
        let id = sign_in.visitors.add(Visitor { stage: Stage::Nothing, ..(**visitor).clone() }, now);
        let cookie = Some(sign_in.cookie(&id));
        match provider.identify(&asked, &answer, now).await {
            Err(error) => {
                sign_in.enter_failure(None).await?;
                Ok(with_cookie(refused(&pages, &browser, &error), cookie))
            }
            Ok(identity) => match admit(&pages, identity).await? {
                Ok(account) => begin(&pages, &id, account).await,
                Err(text) => Ok(with_cookie(no_access(&pages, &browser, text), cookie)),
            },
        }
    };
    done.await.unwrap_or_else(|_: StoreError| failed(&pages, browser.language()))
}

/// The answer in a query, and what it answers: only what this browser was sent to ask counts.
fn answered(browser: &Browser, query: &str) -> Result<(Answer, Asked), ProviderError> {
    let answer = Answer::read(query)?;
    let not_asked = ProviderError::Answer("this browser has not been sent to ask, or had its answer");
    let Who::Visitor(_, visitor) = &browser.who else { return Err(not_asked) };
    let Stage::Provider(asked) = &visitor.stage else { return Err(not_asked) };
    if !Provider::is_answer_to(asked, &answer) {
        return Err(ProviderError::Answer("its state is not that of this browser"));
    }
    Ok((answer, (**asked).clone()))
}

/// The account of whom the provider signed in: made at the first time, and brought up to date at every other. Or the key of a
/// text that says why there is no access.
async fn admit(pages: &Pages, identity: Identity) -> Result<Result<AccountId, &'static str>, StoreError> {
    let sign_in = &pages.sign_in;
    let _changing = sign_in.people.changing.lock().await;
    let known = sign_in.people.find(&SignInName::Provider(identity.subject.clone()));
    let is_new = known.is_none();
    if known.as_ref().is_some_and(|account| !account.active) {
        return refuse(pages, known.map(|account| account.id), "no-access-closed").await;
    }
    let without = identity.roles.is_empty();
    if without && is_new {
        return refuse(pages, None, "no-access-role").await;
    }
    let before = known.unwrap_or_else(|| new_account(pages, &identity));
    let Identity { name, email, roles, .. } = identity;
    let mut account = Account { roles, ..before.clone() };
    account.name = name.unwrap_or(account.name);
    account.email = email.unwrap_or(account.email);
    let id = account.id;
    if is_new || account != before {
        let event = Event { kind: Kind::Configuration, ..sign_in.event(Some(id), Outcome::Done) };
        sign_in.people.put(account, event).await?;
    }
    if without {
        sign_in.sessions.end_all(id, Vec::new()).await?;
        return refuse(pages, Some(id), "no-access-role").await;
    }
    Ok(Ok(id))
}

async fn refuse(
    pages: &Pages,
    account: Option<AccountId>,
    text: &'static str,
) -> Result<Result<AccountId, &'static str>, StoreError> {
    let event = pages.sign_in.event(account, Outcome::Refused);
    pages.sign_in.core.commit(crate::store::Batch::new(), vec![event]).await?;
    Ok(Err(text))
}

fn new_account(pages: &Pages, identity: &Identity) -> Account {
    Account {
        id: AccountId::random(),
        sign_in: SignInName::Provider(identity.subject.clone()),
        name: crate::texts::t(crate::texts::Language::Dutch, "name-unknown", &[]),
        email: String::new(),
        phone: String::new(),
        function: None,
        roles: BTreeSet::new(),
        teams: BTreeSet::new(),
        active: true,
        absence: None,
        mail: MailWish::default(),
        created: pages.sign_in.core.now(),
    }
}

fn no_access(pages: &Pages, browser: &Browser, text: &'static str) -> Response {
    failure(browser.page(pages, SIGN_IN), ("no-access-title", text), StatusCode::FORBIDDEN)
}

/// The log says what was wrong and with whom it lies; the page says what to do.
fn refused(pages: &Pages, browser: &Browser, error: &ProviderError) -> Response {
    tracing::warn!(%error, "nobody was signed in");
    let page = browser.page(pages, SIGN_IN);
    match error {
        ProviderError::Unreachable(_) | ProviderError::Metadata(_) | ProviderError::OtherIssuer(_) => {
            failure(
                page,
                ("provider-unreachable-title", "provider-unreachable-text"),
                StatusCode::BAD_GATEWAY,
            )
        }
        ProviderError::Declined(_) => {
            failure(page, ("provider-declined-title", "provider-declined-text"), StatusCode::FORBIDDEN)
        }
        _ => failure(page, ("provider-refused-title", "provider-refused-text"), StatusCode::FORBIDDEN),
    }
}

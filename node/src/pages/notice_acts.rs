//! What professionals do with a notice: each becomes one request to the node, as over the API.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kring_protocol::conversation::MistakenReason;
use kring_protocol::coordination::Outcome;

use super::fields::{ContactText, Fields, Pairs};
use super::new_signal::{contact_of, functions};
use super::notice::{OUTCOMES, Wrong, case_of, page, refused};
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{Application, ApplicationError, NewResponse, Says, Step};
use crate::sign_in::CsrfForm;

#[derive(Debug, Template)]
#[template(path = "respond.html")]
struct Respond {
    page: Page,
    id: String,
    match_id: String,
    contact: ContactText,
    functions: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "not_right.html")]
struct NotRight {
    page: Page,
    id: String,
    match_id: String,
}

fn notice_path(id: &str) -> String {
    format!("/notices/{id}")
}

/// Who is to be reached, asked on a page of its own.
fn ask_contact(site: &Site, mut page: Page, id: String, match_id: String, contact: ContactText) -> Response {
    page.path = format!("/notices/{id}");
    let purpose = case_of(site, &id).map(|case| case.purpose);
    let functions = functions(site, &page, purpose.as_ref());
    let template = Respond { id, match_id, contact, functions, page };
    render_with(template.page.status(), &template)
}

/// `POST /notices/{id}/respond`.
pub(super) async fn respond(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    let match_id = fields.text("match");
    let says = match fields.text("answer").as_str() {
        "coordinate" => Says::Coordinate,
        "together" => Says::AlreadyTogether,
        _ => return page(&site, &id, Some(Wrong { text: "wrong-form", ..Wrong::default() })).await,
    };
    let with_contact = !fields.text("with_contact").is_empty();
    let typed = fields.contact();
    let contact = with_contact.then(|| typed.to_contact());
    let response = NewResponse { match_id: match_id.clone(), says, contact };
    match site.node().respond(&site.actor(), &id, response, None).await {
        Ok(_) => site.go(&notice_path(&id), Some("said-answered")),
        Err(ApplicationError::Conflict(reason)) if reason.contains("contact card") && !with_contact => {
            ask_contact(&site, site.page(), id, match_id, contact_of(&site))
        }
        Err(ApplicationError::Invalid(errors)) => {
            let mut page = site.page();
            page.wrong_all(&errors);
            ask_contact(&site, page, id, match_id, typed)
        }
        Err(error) => refused(&site, &id, error).await,
    }
}

/// The page that is the answer to a form, where something was typed on it when the session had ended.
pub(super) async fn again(site: &Site, id: &str) -> Option<Response> {
    let fields = Fields(site.typed()?);
    let (respond, reason) = (fields.text("with_contact"), fields.text("reason"));
    if respond.is_empty() && reason.is_empty() {
        return None;
    }
    if let Err(error) = site.node().notice(&site.actor(), id, site.who.session.language).await {
        return Some(site.failed(&error));
    }
    let (mut page, match_id) = (site.page(), fields.text("match"));
    if reason.is_empty() {
        return Some(ask_contact(site, page, id.to_owned(), match_id, fields.contact()));
    }
    page.path = notice_path(id);
    Some(super::render(&NotRight { id: id.to_owned(), match_id, page }))
}

/// `POST /notices/{id}/not-right`: first asks why.
pub(super) async fn not_right(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    let match_id = fields.text("match");
    let reason = match fields.text("reason").as_str() {
        "otherPerson" => MistakenReason::OtherPerson,
        "noLongerInvolved" => MistakenReason::NoLongerInvolved,
        "duplicate" => MistakenReason::Duplicate,
        _ => {
            let language = site.who.session.language;
            if let Err(error) = site.node().notice(&site.actor(), &id, language).await {
                return site.failed(&error);
            }
            let mut page = site.page();
            page.path = notice_path(&id);
            if fields.text("ask").is_empty() {
                page.wrong("reason", "wrong-not-right");
            }
            let template = NotRight { id, match_id, page };
            return render_with(template.page.status(), &template);
        }
    };
    let response = NewResponse { match_id, says: Says::NotRight(reason), contact: None };
    match site.node().respond(&site.actor(), &id, response, None).await {
        Ok(_) => site.go("/", Some("said-not-right")),
        Err(error) => refused(&site, &id, error).await,
    }
}

async fn step(site: &Site, id: &str, step: Step, said: &'static str) -> Response {
    match site.node().step(&site.actor(), id, step, None, site.who.session.language).await {
        Ok(_) => site.go(&notice_path(id), Some(said)),
        Err(error) => refused(site, id, error).await,
    }
}

/// `POST /notices/{id}/contact`.
pub(super) async fn contact(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    let match_id = fields.text("match");
    if fields.text("had") == "no" {
        return step(&site, &id, Step::Contact { match_id, on: None }, "said-contact-undone").await;
    }
    let typed = fields.date("on");
    let Some(on) = typed.day() else {
        let wrong = Wrong { match_id, text: "wrong-date", date: Some(typed) };
        return page(&site, &id, Some(wrong)).await;
    };
    let language = site.who.session.language;
    let asked = Step::Contact { match_id: match_id.clone(), on: Some(on) };
    match site.node().step(&site.actor(), &id, asked, None, language).await {
        Ok(_) => site.go(&notice_path(&id), Some("said-contact")),
        Err(ApplicationError::Conflict(_)) if on > site.node().local_today() => {
            let wrong = Wrong { match_id, text: "wrong-future", date: Some(typed) };
            page(&site, &id, Some(wrong)).await
        }
        Err(error) => refused(&site, &id, error).await,
    }
}

/// `POST /notices/{id}/lead`.
pub(super) async fn lead(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    let action = fields.text("action");
    let asked = match action.as_str() {
        "claim" => Step::Claim,
        "release" => Step::Release,
        "confirm" => Step::Confirm { claim: fields.text("claim") },
        "keep" => Step::Keep,
        other => {
            let number = other.strip_prefix("offer-").and_then(|number| number.parse::<usize>().ok());
            let language = site.who.session.language;
            let notice = match site.node().notice(&site.actor(), &id, language).await {
                Ok(notice) => notice,
                Err(error) => return site.failed(&error),
            };
            match number.and_then(|number| notice.matches.get(number)) {
                Some(found) => Step::Offer { match_id: found.match_id.clone() },
                None => {
                    return page(&site, &id, Some(Wrong { text: "wrong-form", ..Wrong::default() })).await;
                }
            }
        }
    };
    step(&site, &id, asked, "said-lead").await
}

/// `POST /notices/{id}/close`.
pub(super) async fn close(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    let match_id = fields.text("match");
    if !fields.text("reopen").is_empty() {
        return step(&site, &id, Step::Reopen { match_id }, "said-reopened").await;
    }
    let outcomes = [Outcome::ContactMade, Outcome::PlanMade, Outcome::LeadAgreed, Outcome::NoFollowUp];
    let chosen = fields.text("outcome");
    let outcome = OUTCOMES.iter().zip(outcomes).find(|((word, _), _)| *word == chosen);
    let Some((_, outcome)) = outcome else {
        return page(&site, &id, Some(Wrong { match_id, text: "wrong-outcome", date: None })).await;
    };
    let asked = Step::Close { match_id: match_id.clone(), outcome };
    match site.node().step(&site.actor(), &id, asked, None, site.who.session.language).await {
        Ok(_) => site.go(&notice_path(&id), Some("said-closed")),
        Err(ApplicationError::Conflict(reason)) => {
            let text = super::site::conflict(&reason);
            page(&site, &id, Some(Wrong { match_id, text, date: None })).await
        }
        Err(error) => site.failed(&error),
    }
}

/// `POST /notices/{id}/mute`.
pub(super) async fn mute(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let muted = Fields(form.0).text("muted") == "yes";
    let said = if muted { "said-muted" } else { "said-unmuted" };
    step(&site, &id, Step::Mute(muted), said).await
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let (_, contact) = super::tests::filled(text);
    let text = || text.to_owned();
    let functions = vec![(text(), text())];
    let respond = Respond { page: page(), id: text(), match_id: text(), contact, functions };
    let not_right = NotRight { page: page(), id: text(), match_id: text() };
    [respond.render(), not_right.render()].map(Result::unwrap).into()
}

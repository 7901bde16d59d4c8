//! The last of the five pages: check, and give. Sent twice, it is one signal.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kring_protocol::crypto::sha256;

use super::draft::Draft;
use super::fields::{ContactText, Fields, Pairs, PersonText};
use super::new_signal::{drafted, keep, purposes};
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{Application, ApplicationError, FamilyInformed, Idempotency, NewSignal};
use crate::sign_in::CsrfForm;

#[derive(Debug, Template)]
#[template(path = "signal_check.html")]
struct Check {
    page: Page,
    draft: Draft,
    purpose: Option<String>,
    informed: String,
}

/// Whether the family knows, as the node keeps it: fixed words only.
fn informed(draft: &Draft) -> FamilyInformed {
    let reason = match draft.informed.as_str() {
        "later" => draft.later.day().map(|day| format!("later {day}")),
        "unsafe" => Some(draft.reason.clone()),
        _ => None,
    };
    FamilyInformed { informed: draft.informed == "yes", reason }
}

/// The first page that is not filled in yet.
fn missing(draft: &Draft) -> Option<&'static str> {
    let ContactText { name, function, phone, email } = &draft.contact;
    let contact = [name, function, phone, email];
    if draft.reference.is_empty() || draft.persons.is_empty() || draft.purpose.is_empty() {
        Some("who")
    } else if contact.iter().any(|text| text.trim().is_empty()) {
        Some("reach")
    } else if draft.informed.is_empty() {
        Some("family")
    } else {
        None
    }
}

fn check_page(site: &Site, page: Page, draft: Draft) -> Response {
    if let Some(step) = missing(&draft) {
        return site.go(&draft.path(step), None);
    }
    let purposes = purposes(site);
    let several = purposes.len() > 1;
    let purpose =
        purposes.into_iter().find(|(id, _)| several && *id == draft.purpose).map(|(_, title)| title);
    let FamilyInformed { informed, reason } = informed(&draft);
    let informed = super::signal::informed_text(&page, &crate::cases::Informed { informed, reason });
    let check = Check { draft, purpose, informed, page };
    render_with(check.page.status(), &check)
}

/// `GET /signals/new/{draft}/check`.
pub(super) async fn check(site: Site, Path(id): Path<String>) -> Response {
    match drafted(&site, &id) {
        Ok(draft) => check_page(&site, site.page(), draft),
        Err(answer) => answer,
    }
}

/// `POST /signals/new/{draft}/check`: gives it. Sent twice, it is one signal.
pub(super) async fn give(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let mut draft = match drafted(&site, &id) {
        Ok(draft) => draft,
        Err(answer) => return answer,
    };
    if missing(&draft).is_some() {
        return check_page(&site, site.page(), draft);
    }
    let Ok(quiet) = Fields(form.0).text("quiet").parse::<u32>() else {
        let mut page = site.page();
        page.wrong("quiet", "wrong-quiet");
        return check_page(&site, page, draft);
    };
    let signal = NewSignal {
        case_reference: draft.reference.clone(),
        purpose: Some(draft.purpose.clone()),
        persons: draft.persons.iter().map(PersonText::to_person).collect(),
        contact: Some(draft.contact.to_contact()),
        family_informed: Some(informed(&draft)),
        quiet_until: (quiet > 2).then_some(quiet),
        owner: None,
    };
    let once = Idempotency { key: format!("page-{}", draft.id), body_hash: sha256(draft.id.as_bytes()) };
    match site.node().add_signal(&site.actor(), signal, Some(once)).await {
        Ok(given) => {
            let id = given.id.clone();
            draft = Draft { id: draft.id.clone(), given: Some(given.id), ..Draft::default() };
            keep(&site, draft);
            site.go(&format!("/signals/{id}/given"), None)
        }
        Err(ApplicationError::Invalid(errors)) => {
            let mut page = site.page();
            page.wrong_all(&errors);
            page.errors.iter_mut().for_each(|error| error.field.clear()); // the fields are on other pages
            check_page(&site, page, draft)
        }
        Err(error) => site.failed(&error),
    }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, draft: Draft, text: &str) -> String {
    let check = Check { page, draft, purpose: Some(text.to_owned()), informed: text.to_owned() };
    check.render().unwrap()
}

//! Answering a person who asks what is held about them.

use askama::Template;
use axum::response::Response;

use super::fields::{Fields, Pairs, PersonText, called, role_text};
use super::page::Page;
use super::render_with;
use super::signal::id_of;
use super::site::Site;
use crate::api::{ApplicationError, HeldPersonView, HeldSignalView, SharedView, SignalState, Staff};
use crate::people::Act;
use crate::sign_in::CsrfForm;

#[derive(Debug, Template)]
#[template(path = "access_request.html")]
struct Request {
    page: Page,
    person: PersonText,
}

/// One signal in which the person stands.
pub(super) struct HeldCase {
    reference: String,
    facts: Vec<(String, String)>,
    shared: Vec<String>,
}

impl std::fmt::Debug for HeldCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeldCase(<redacted>)")
    }
}

#[derive(Debug, Template)]
#[template(path = "access_answer.html")]
struct Answer {
    page: Page,
    today: String,
    cases: Vec<HeldCase>,
}

/// `GET /access-request`.
pub(super) async fn show(site: Site) -> Response {
    if !site.may(Act::AccessRequest) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let template = Request { page: site.page(), person: PersonText::nobody() };
    render_with(template.page.status(), &template)
}

/// `POST /access-request`.
pub(super) async fn answer(site: Site, form: CsrfForm<Pairs>) -> Response {
    let person = Fields(form.0).person();
    let mut page = site.page();
    if person.is_empty() && site.may(Act::AccessRequest) {
        page.wrong("given_names", "access-refine");
        return render_with(page.status(), &Request { page, person });
    }
    match site.node().access_request(&site.actor(), person.to_person()).await {
        Ok(held) => {
            let today = page.date(&site.node().local_today().to_string());
            let cases = held.signals.iter().map(|signal| held_case(&site, &page, signal)).collect();
            render_with(page.status(), &Answer { today, cases, page })
        }
        Err(ApplicationError::Invalid(errors)) => {
            page.wrong_all(&errors);
            render_with(page.status(), &Request { page, person })
        }
        Err(error) => site.failed(&error),
    }
}

fn held_case(site: &Site, page: &Page, signal: &HeldSignalView) -> HeldCase {
    let case = id_of(&signal.id).and_then(|id| site.node().partner.cases().get(&id).cloned());
    let purpose =
        case.map_or_else(|| signal.purpose.clone(), |case| super::signal::purpose_title(site, &case));
    let state = match signal.state {
        SignalState::Active => "state-active",
        SignalState::Withdrawn => "state-withdrawn",
        SignalState::Expired => "state-expired",
    };
    let mut facts = vec![
        (page.t("signal-state"), page.t(state)),
        (page.t("signal-given-on"), page.moment(&signal.created_at)),
        (page.t("signal-purpose"), purpose),
        (page.t("sheet-why"), signal.legal_ground.clone()),
    ];
    if let Some(informed) = signal.family_informed {
        facts.push((page.t("check-family"), page.t(if informed { "yes" } else { "no" })));
    }
    facts.extend(
        signal.persons.iter().map(|person| (page.t(role_text(&person.role)), held_person(page, person))),
    );
    let shared = signal.shared.iter().map(|shared| shared_line(site, page, shared)).collect();
    HeldCase { reference: signal.case_reference.clone(), facts, shared }
}

fn held_person(page: &Page, person: &HeldPersonView) -> String {
    // Caseloads have dates in either order.
    let iso = match person.born.split('-').collect::<Vec<_>>()[..] {
        [day, month, year] if year.len() == 4 => format!("{year}-{month}-{day}"),
        _ => person.born.clone(),
    };
    let born = match (person.born.is_empty(), page.date(&iso)) {
        (true, _) => String::new(),
        (false, text) if text.is_empty() => page.with("person-born", "date", &person.born),
        (false, text) => page.with("person-born", "date", text),
    };
    let bsn = if person.bsn.is_empty() { String::new() } else { format!("BSN {}", person.bsn) };
    let address = [&person.postal_code, &person.house_number, &person.house_number_suffix];
    let address = address.map(String::as_str).into_iter().filter(|part| !part.is_empty());
    let address = address.collect::<Vec<_>>().join(" ");
    let name = called(&person.given_names, &person.name_prefix, &person.family_name);
    let parts = [name, bsn, born, address];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn shared_line(site: &Site, page: &Page, shared: &SharedView) -> String {
    let name = shared.partner.as_ref().map(|id| super::notice::partner_name(site, id));
    let met = match name {
        Some(name) => page.with("sheet-row-met", "name", name),
        None => page.t("sheet-row-met-unnamed"),
    };
    format!("{}: {met}", page.date(&shared.since_date))
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let (person, _) = super::tests::filled(text);
    let text = || text.to_owned();
    let case = HeldCase { reference: text(), facts: vec![(text(), text())], shared: vec![text()] };
    let request = Request { page: page(), person };
    let answer = Answer { page: page(), today: text(), cases: vec![case] };
    [request.render(), answer.render()].map(Result::unwrap).into()
}

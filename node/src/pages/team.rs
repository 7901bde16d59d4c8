//! The signals of the viewer's teams; for supervisors also those without an owner, and what waits too long.

use askama::Template;
use axum::response::Response;

use super::fields::{Fields, Pairs};
use super::overview::{Listed, Row, row};
use super::page::Page;
use super::render_with;
use super::signal::{colleagues, may};
use super::site::Site;
use crate::api::{ApplicationError, Staff};
use crate::cases::Case;
use crate::people::{Act, CaseAct};
use crate::sign_in::CsrfForm;

#[derive(Debug, Template)]
#[template(path = "team.html")]
struct Team {
    page: Page,
    supervises: bool,
    unowned: Vec<Row>,
    late: Vec<Row>,
    signals: Vec<Row>,
    colleagues: Vec<(String, String)>,
}

async fn page(site: &Site, page: Page) -> Response {
    let listed = match Listed::of(site).await {
        Ok(listed) => listed,
        Err(error) => return site.failed(&error),
    };
    let today = site.node().core.today();
    let due = site.node().local_today().to_string();
    let supervises = site.may(Act::AssignCases);
    let owner = |case: &Case| crate::people::access::owner(&case.ownership(), &*site.node().people);
    let (mut unowned, mut late, mut signals) = (Vec::new(), Vec::new(), Vec::new());
    for (case, notice) in listed.cases.iter().filter(|(case, _)| case.is_live(today)) {
        let mut row = row(site, &page, case, notice.as_ref());
        let deadline = notice.as_ref().and_then(|notice| notice.deadline_date.clone());
        let owner = owner(case);
        let whose = match &owner {
            Some(owner) => page.with("row-owner", "name", &owner.name),
            None => page.t("row-no-owner"),
        };
        if owner.is_none() && may(site, CaseAct::Assign, case) {
            unowned.push(row);
            continue;
        }
        row.text = format!("{} {whose}", row.text);
        if deadline.is_some_and(|deadline| deadline < due) {
            late.push(row);
        } else {
            signals.push(row);
        }
    }
    let mut colleagues = colleagues(site);
    if site.may(Act::MakeSignal) {
        colleagues.push((site.who.account.id.to_string(), site.who.account.name.clone()));
    }
    let template = Team { supervises, unowned, late, signals, colleagues, page };
    render_with(template.page.status(), &template)
}

/// `GET /team`.
pub(super) async fn show(site: Site) -> Response {
    page(&site, site.page()).await
}

/// `POST /team/assign`.
pub(super) async fn assign(site: Site, form: CsrfForm<Pairs>) -> Response {
    if !site.may(Act::AssignCases) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let fields = Fields(form.0);
    let (to, signals) = (fields.text("colleague"), fields.all("signal").collect::<Vec<_>>());
    let mut layout = site.page();
    if signals.is_empty() {
        layout.wrong("signal-0", "wrong-signals");
    }
    if to.is_empty() {
        layout.wrong("colleague", "wrong-colleague");
    }
    if layout.errors.is_empty() {
        for signal in signals {
            match site.node().assign_signal(&site.actor(), signal, to.clone(), None).await {
                Ok(_) => {}
                Err(ApplicationError::Invalid(errors)) => layout.wrong_all(&errors),
                Err(error) => return site.failed(&error),
            }
        }
    }
    if layout.errors.is_empty() { site.go("/team", Some("said-assigned")) } else { page(&site, layout).await }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let row = || Row { path: text(), id: text(), reference: text(), text: text(), when: Some(text()) };
    let colleagues = vec![(text(), text())];
    let [unowned, late, signals] = [(); 3].map(|()| vec![row()]);
    let team = Team { page, supervises: true, unowned, late, signals, colleagues };
    vec![team.render().unwrap()]
}

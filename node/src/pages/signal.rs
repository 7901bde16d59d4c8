//! One signal: what it holds, renewing and stopping it, handing it over, and the sheet for the family.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kring_protocol::id::Reference;

use super::fields::{Fields, Pairs, called_raw, role_text};
use super::overview::{ends, name_of};
use super::page::Page;
use super::site::Site;
use super::{render, render_with};
use crate::api::{Application, ApplicationError, Staff};
use crate::cases::{Case, CaseId, Informed};
use crate::people::{CaseAct, Role, may_with};
use crate::sign_in::CsrfForm;
use axum::http::StatusCode;

/// A person and the key of their role.
type Named = (String, &'static str);

#[derive(Debug, Template)]
#[template(path = "signal.html")]
struct SignalPage {
    page: Page,
    id: String,
    reference: String,
    notice: Option<String>,
    active: bool,
    state: &'static str,
    given: String,
    ends: String,
    purpose: String,
    owner: Option<String>,
    team: Option<String>,
    persons: Vec<Named>,
    contact: Option<String>,
    informed: Option<String>,
    quiet: Option<u8>,
    offered: Option<String>,
    declined: Option<String>,
    /// Who asks the viewer to take it over.
    asks: Option<String>,
    may_change: bool,
}

#[derive(Debug, Template)]
#[template(path = "signal_given.html")]
struct Given {
    page: Page,
    id: String,
    reference: String,
    ends: String,
}

#[derive(Debug, Template)]
#[template(path = "signal_act.html")]
struct ActPage {
    page: Page,
    id: String,
    reference: String,
    title: &'static str,
    text: String,
    button: &'static str,
    colleagues: Option<Vec<(String, String)>>,
    /// Who was asked and has not answered.
    offered: Option<String>,
}

pub(super) fn id_of(id: &str) -> Option<CaseId> {
    let bytes = hex::decode(id).ok()?;
    Reference::try_from(bytes.as_slice()).ok().map(CaseId)
}

/// Whether the rules let the viewer do this, so that a page need not offer what would be refused.
pub(super) fn may(site: &Site, act: CaseAct, case: &Case) -> bool {
    let node = site.node();
    may_with(&site.viewer(), act, &case.ownership(), &*node.people, node.local_today())
}

/// The case, if the node shows its signal to who asks.
async fn shown(site: &Site, id: &str) -> Result<Case, ApplicationError> {
    site.node().signal(&site.actor(), id).await?;
    let case = id_of(id).and_then(|id| site.node().partner.cases().get(&id).cloned());
    case.ok_or(ApplicationError::NotFound)
}

/// Colleagues to whom signals can be given: their ids and names.
pub(super) fn colleagues(site: &Site) -> Vec<(String, String)> {
    let me = site.who.account.id;
    let accounts = site.node().people.accounts();
    let fit = accounts.iter().filter(|account| account.acts_as(Role::Professional) && account.id != me);
    let mut found: Vec<_> = fit.map(|account| (account.id.to_string(), account.name.clone())).collect();
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    found
}

pub(super) fn purpose_title(site: &Site, case: &Case) -> String {
    let purpose = site.node().core.covenant.purpose(&case.purpose);
    purpose.map_or_else(|| case.purpose.to_string(), |purpose| purpose.title.clone())
}

pub(super) fn informed_text(page: &Page, informed: &Informed) -> String {
    let reason = informed.reason.as_deref().unwrap_or_default();
    match (informed.informed, reason.strip_prefix("later ")) {
        (true, _) => page.t("informed-yes"),
        (false, Some(date)) => page.with("informed-later", "date", page.date(date)),
        (false, None) if reason.is_empty() => page.t("informed-no"),
        (false, None) => {
            let key = format!("reason-{reason}");
            let text = page.t(&key);
            page.with("informed-unsafe", "reason", if text == key { reason.to_owned() } else { text })
        }
    }
}

pub(super) fn persons(page: &Page, case: &Case) -> Vec<Named> {
    let named = |person: &kring_protocol::identifier::Person| {
        (called_raw(person.typed(), page), role_text(person.role().as_str()))
    };
    case.persons.iter().map(named).collect()
}

/// `GET /signals/{id}`.
pub(super) async fn show(site: Site, Path(id): Path<String>) -> Response {
    let case = match shown(&site, &id).await {
        Ok(case) => case,
        Err(error) => return site.failed(&error),
    };
    let (node, page) = (site.node(), site.page());
    let active = case.is_live(node.core.today());
    let notice = node.notice_view(case.id, page.language).map(|notice| notice.id);
    let team = case.team.and_then(|id| node.people.teams().into_iter().find(|team| team.id == id));
    let contact = case.contact.as_ref().map(|contact| {
        let phone = super::notice::phone_text(&contact.phone);
        let parts = [&contact.name, &page.function(&contact.function), &phone, &contact.email];
        parts.map(String::as_str).into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    });
    let signal = SignalPage {
        id,
        reference: case.case_reference.clone(),
        notice,
        active,
        state: match (active, case.withdrawn) {
            (true, _) => "state-active",
            (false, Some(_)) => "state-withdrawn",
            (false, None) => "state-expired",
        },
        given: page.moment(&crate::application::moment(case.created)),
        ends: page.date(&ends(&case).to_string()),
        purpose: purpose_title(&site, &case),
        owner: crate::people::access::owner(&case.ownership(), &*node.people).map(|owner| owner.name),
        team: team.map(|team| team.name),
        persons: persons(&page, &case),
        contact,
        informed: case.family_informed.as_ref().map(|informed| informed_text(&page, informed)),
        quiet: (case.min > 2).then_some(case.min),
        offered: name_of(&site, case.offered_to).filter(|_| case.offered_to != Some(site.who.account.id)),
        declined: name_of(&site, case.declined_by),
        asks: name_of(&site, case.owner).filter(|_| may(&site, CaseAct::TakeOver, &case)),
        may_change: may(&site, CaseAct::Change, &case),
        page,
    };
    render(&signal)
}

/// `GET /signals/{id}/given`: right after it was given.
pub(super) async fn given(site: Site, Path(id): Path<String>) -> Response {
    match shown(&site, &id).await {
        Ok(case) => {
            let page = site.page();
            let ends = page.date(&ends(&case).to_string());
            render(&Given { id, reference: case.case_reference.clone(), ends, page })
        }
        Err(error) => site.failed(&error),
    }
}

/// What can be done with a signal on a page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Renew,
    Withdraw,
    HandOver,
}

async fn act_page(site: &Site, id: String, kind: Kind, wrong: &[(&str, &str)]) -> Response {
    let case = match shown(site, &id).await {
        Ok(case) => case,
        Err(error) => return site.failed(&error),
    };
    if !may(site, CaseAct::Change, &case) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let mut page = site.page();
    for (field, text) in wrong {
        page.wrong(field, text);
    }
    let (title, text, button) = match kind {
        Kind::Renew => {
            let until = crate::signals::expiry(&site.node().core, &case.purpose).unwrap_or(case.expiry);
            let text = page.with("renew-text", "date", page.date(&until.to_string()));
            ("renew-title", text, "renew-do")
        }
        Kind::Withdraw => ("withdraw-title", page.t("withdraw-text"), "withdraw-do"),
        Kind::HandOver => ("hand-over-title", page.t("hand-over-text"), "hand-over-do"),
    };
    let colleagues = (kind == Kind::HandOver).then(|| colleagues(site));
    let offered = name_of(site, case.offered_to).filter(|_| kind == Kind::HandOver);
    let reference = case.case_reference.clone();
    let template = ActPage { id, reference, title, text, button, colleagues, offered, page };
    render_with(template.page.status(), &template)
}

/// `GET /signals/{id}/renew`.
pub(super) async fn renew_page(site: Site, Path(id): Path<String>) -> Response {
    act_page(&site, id, Kind::Renew, &[]).await
}

/// `GET /signals/{id}/withdraw`.
pub(super) async fn withdraw_page(site: Site, Path(id): Path<String>) -> Response {
    act_page(&site, id, Kind::Withdraw, &[]).await
}

/// `GET /signals/{id}/hand-over`.
pub(super) async fn hand_over_page(site: Site, Path(id): Path<String>) -> Response {
    act_page(&site, id, Kind::HandOver, &[]).await
}

/// `POST /signals/{id}/renew`.
pub(super) async fn renew(site: Site, Path(id): Path<String>, _form: CsrfForm<Pairs>) -> Response {
    match site.node().renew_signal(&site.actor(), &id, None).await {
        Ok(_) => site.go(&format!("/signals/{id}"), Some("said-renewed")),
        Err(error) => site.failed(&error),
    }
}

/// `POST /signals/{id}/withdraw`.
pub(super) async fn withdraw(site: Site, Path(id): Path<String>, _form: CsrfForm<Pairs>) -> Response {
    match site.node().withdraw_signal(&site.actor(), &id, None).await {
        Ok(_) => site.go(&format!("/signals/{id}"), Some("said-withdrawn")),
        Err(error) => site.failed(&error),
    }
}

/// `POST /signals/{id}/hand-over`.
pub(super) async fn hand_over(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let fields = Fields(form.0);
    if fields.text("action") == "keep" {
        return match site.node().hand_over_signal(&site.actor(), &id, None, None).await {
            Ok(_) => site.go("/", Some("said-kept")),
            Err(error) => site.failed(&error),
        };
    }
    let to = fields.text("colleague");
    if to.is_empty() {
        return act_page(&site, id, Kind::HandOver, &[("colleague", "wrong-colleague")]).await;
    }
    match site.node().hand_over_signal(&site.actor(), &id, Some(to), None).await {
        Ok(_) => site.go(&format!("/signals/{id}"), Some("said-offered")),
        Err(ApplicationError::Invalid(_)) => {
            act_page(&site, id, Kind::HandOver, &[("colleague", "wrong-colleague")]).await
        }
        Err(error) => site.failed(&error),
    }
}

/// `POST /signals/{id}/take-over`.
pub(super) async fn take_over(site: Site, Path(id): Path<String>, _form: CsrfForm<Pairs>) -> Response {
    let (node, actor) = (site.node(), site.actor());
    match node.accept_signal(&actor, &id, None).await {
        Ok(_) => site.go("/", Some("said-taken-over")),
        Err(error) => site.failed(&error),
    }
}

/// `POST /signals/{id}/decline`.
pub(super) async fn decline(site: Site, Path(id): Path<String>, _form: CsrfForm<Pairs>) -> Response {
    match site.node().decline_signal(&site.actor(), &id, None).await {
        Ok(_) => site.go("/", Some("said-declined")),
        Err(error) => site.failed(&error),
    }
}

/// A line of the sheet.
#[derive(Debug)]
pub(super) struct SheetRow {
    when: String,
    who: String,
    what: String,
    why: String,
}

#[derive(Debug, Template)]
#[template(path = "sheet.html")]
struct Sheet {
    page: Page,
    id: String,
    today: String,
    rows: Vec<SheetRow>,
    persons: Vec<Named>,
    contact: Option<String>,
}

/// `GET /signals/{id}/sheet`: what is held and shared, for the family.
pub(super) async fn sheet(site: Site, Path(id): Path<String>) -> Response {
    let case = match shown(&site, &id).await {
        Ok(case) => case,
        Err(error) => return site.failed(&error),
    };
    let (node, page) = (site.node(), site.page());
    let purpose = node.core.covenant.purpose(&case.purpose);
    let why = purpose.map(|purpose| format!("{} ({})", purpose.title, purpose.legal_ground));
    let why = why.unwrap_or_default();
    let who = page.organisation.clone();
    let row = |when: String, what: String| SheetRow { when, who: who.clone(), what, why: why.clone() };
    let given = page.moment(&crate::application::moment(case.created));
    let mut rows = vec![row(given, page.t("sheet-row-signal"))];
    if let Some(notice) = node.notice_view(case.id, page.language) {
        for found in &notice.matches {
            let of = |alert: &&crate::api::AlertView| alert.match_id.as_ref() == Some(&found.match_id);
            let since = notice.alerts.iter().find(of).map(|alert| page.moment(&alert.at)).unwrap_or_default();
            let name = found.partner.as_ref().map(|id| super::notice::partner_name(&site, id));
            let met = match &name {
                Some(name) => page.with("sheet-row-met", "name", name),
                None => page.t("sheet-row-met-unnamed"),
            };
            rows.push(row(since, met));
            if let Some(on) = &found.contact_date {
                let name = name.unwrap_or_else(|| page.t("match-unnamed"));
                rows.push(row(page.date(on), page.with("sheet-row-contact", "name", name)));
            }
        }
    }
    let contact = case
        .contact
        .as_ref()
        .map(|contact| format!("{}, {}", contact.name, super::notice::phone_text(&contact.phone)));
    let today = page.date(&node.local_today().to_string());
    render_with(StatusCode::OK, &Sheet { id, today, rows, persons: persons(&page, &case), contact, page })
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let some = || Some(text.to_owned());
    let text = || text.to_owned();
    let signal = SignalPage {
        page: page(),
        id: text(),
        reference: text(),
        notice: some(),
        active: true,
        state: "state-active",
        given: text(),
        ends: text(),
        purpose: text(),
        owner: some(),
        team: some(),
        persons: vec![(text(), "role-child")],
        contact: some(),
        informed: some(),
        quiet: Some(3),
        offered: some(),
        declined: some(),
        asks: some(),
        may_change: true,
    };
    let given = Given { page: page(), id: text(), reference: text(), ends: text() };
    let act = ActPage {
        page: page(),
        id: text(),
        reference: text(),
        title: "hand-over-title",
        text: text(),
        button: "hand-over-do",
        colleagues: Some(vec![(text(), text())]),
        offered: some(),
    };
    let sheet = Sheet {
        page: page(),
        id: text(),
        today: text(),
        rows: vec![SheetRow { when: text(), who: text(), what: text(), why: text() }],
        persons: vec![(text(), "role-child")],
        contact: some(),
    };
    [signal.render(), given.render(), act.render(), sheet.render()].map(Result::unwrap).into()
}

//! Being away, who stands in, and handing over everything.

use askama::Template;
use axum::response::Response;

use super::dates::DateText;
use super::fields::{Fields, Pairs};
use super::overview::{Listed, name_of};
use super::page::Page;
use super::render_with;
use super::signal::colleagues;
use super::site::Site;
use crate::api::{ApplicationError, NewAbsence, Staff};
use crate::people::Act;
use crate::sign_in::CsrfForm;

#[derive(Debug, Template)]
#[template(path = "absence.html")]
struct AbsencePage {
    page: Page,
    away: Option<String>,
    from: DateText,
    until: DateText,
    substitute: String,
    colleagues: Vec<(String, String)>,
    owned: usize,
}

/// Until when the viewer is away and who stands in, in words; none when they are not, or not any more.
pub(super) fn away(site: &Site, page: &Page) -> Option<String> {
    let account = site.node().people.get(&site.who.account.id)?;
    let absence = account.absence.filter(|absence| absence.until >= site.node().local_today())?;
    let [from, until] = [absence.from, absence.until].map(|day| page.date(&day.to_string()));
    let text = match name_of(site, absence.substitute) {
        Some(name) => {
            let arguments = [("from", from.as_str()), ("until", &until), ("name", &name)];
            crate::texts::t(page.language, "absence-now-with", &arguments)
        }
        None => page.with2("absence-now", "from", from, "until", until),
    };
    Some(text)
}

/// The page; `typed` is what somebody filled in that was not right.
async fn page(site: &Site, page: Page, typed: Option<(DateText, DateText, String)>) -> Response {
    let listed = match Listed::of(site).await {
        Ok(listed) => listed,
        Err(error) => return site.failed(&error),
    };
    let me = site.who.account.id;
    let today = site.node().core.today();
    let owned = listed.cases.iter().filter(|(case, _)| case.owner == Some(me) && case.is_live(today)).count();
    let (from, until, substitute) = typed.unwrap_or_else(|| {
        let empty = |name| DateText { name, ..DateText::default() };
        let known = site.node().people.get(&me).and_then(|account| account.absence);
        match known.filter(|absence| absence.until >= site.node().local_today()) {
            Some(absence) => (
                DateText::of("from", absence.from),
                DateText::of("until", absence.until),
                absence.substitute.map(|id| id.to_string()).unwrap_or_default(),
            ),
            None => (empty("from"), empty("until"), String::new()),
        }
    });
    let away = away(site, &page);
    let template = AbsencePage { away, from, until, substitute, colleagues: colleagues(site), owned, page };
    render_with(template.page.status(), &template)
}

/// `GET /absence`.
pub(super) async fn show(site: Site) -> Response {
    if !site.may(Act::MakeSignal) {
        return site.failed(&ApplicationError::Forbidden);
    }
    page(&site, site.page(), None).await
}

/// `POST /absence`.
pub(super) async fn set(site: Site, form: CsrfForm<Pairs>) -> Response {
    if !site.may(Act::MakeSignal) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let (node, me) = (site.node(), site.who.account.id.to_string());
    let fields = Fields(form.0);
    if fields.text("action") == "clear" {
        return match node.set_absence(&site.actor(), &me, None, None).await {
            Ok(_) => site.go("/absence", Some("said-absence-cleared")),
            Err(error) => site.failed(&error),
        };
    }
    let mut layout = site.page();
    let (from, until) = (fields.date("from"), fields.date("until"));
    let substitute = fields.text("substitute");
    let (first, last) = (from.day(), until.day());
    for (day, field, text) in [(first, "from", "wrong-first-day"), (last, "until", "wrong-last-day")] {
        if day.is_none() {
            layout.wrong(field, text);
        }
    }
    if let (Some(first), Some(last)) = (first, last) {
        let chosen = Some(substitute.clone()).filter(|substitute| !substitute.is_empty());
        let absence = NewAbsence { from: first, until: last, substitute: chosen };
        match node.set_absence(&site.actor(), &me, Some(absence), None).await {
            Ok(_) => return site.go("/absence", Some("said-absence")),
            Err(ApplicationError::Invalid(errors)) => layout.wrong_all(&errors),
            Err(error) => return site.failed(&error),
        }
    }
    page(&site, layout, Some((from, until, substitute))).await
}

/// `POST /absence/hand-over`: asks a colleague to take over everything.
pub(super) async fn hand_over(site: Site, form: CsrfForm<Pairs>) -> Response {
    if !site.may(Act::MakeSignal) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let to = Fields(form.0).text("colleague");
    let listed = match Listed::of(&site).await {
        Ok(listed) => listed,
        Err(error) => return site.failed(&error),
    };
    let (node, me) = (site.node(), site.who.account.id);
    let mut layout = site.page();
    if to.is_empty() {
        layout.wrong("colleague", "wrong-colleague");
        return page(&site, layout, None).await;
    }
    let today = node.core.today();
    for (case, _) in listed.cases.iter().filter(|(case, _)| case.owner == Some(me) && case.is_live(today)) {
        let id = case.id.0.to_string();
        match node.hand_over_signal(&site.actor(), &id, Some(to.clone()), None).await {
            Ok(_) => {}
            Err(ApplicationError::Invalid(errors)) => {
                layout.wrong_all(&errors);
                return page(&site, layout, None).await;
            }
            Err(error) => return site.failed(&error),
        }
    }
    site.go("/absence", Some("said-offered"))
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let date = |name| DateText { name, day: text(), month: text(), year: text() };
    let absence = AbsencePage {
        page,
        away: Some(text()),
        from: date("from"),
        until: date("until"),
        substitute: text(),
        colleagues: vec![(text(), text())],
        owned: 1,
    };
    vec![absence.render().unwrap()]
}

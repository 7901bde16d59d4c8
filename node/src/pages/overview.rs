//! The overview: what waits, what runs, what is done; and the lists that are like it.

use askama::Template;
use axum::response::Response;
use kring_protocol::time::Day;

use super::page::Page;
use super::render;
use super::site::Site;
use crate::api::{ApplicationError, NoticeState, NoticeView};
use crate::cases::Case;
use crate::people::{AccountId, Act};

/// Signals that end within so many days are shown as ending.
const ENDING_DAYS: u32 = 30;

/// One line of a list.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it leads.
    pub path: String,
    /// The signal's id.
    pub id: String,
    /// The partner's own reference.
    pub reference: String,
    /// How things are.
    pub text: String,
    /// Until when something is to be done, or it goes on.
    pub when: Option<String>,
}

/// A signal that changes hands, or would have: who asks to take it over, or who will not.
#[derive(Debug)]
pub(super) struct Offer {
    id: String,
    reference: String,
    name: String,
}

impl Offer {
    fn new(site: &Site, case: &Case, who: Option<AccountId>) -> Self {
        let (id, reference) = (case.id.0.to_string(), case.case_reference.clone());
        Self { id, reference, name: name_of(site, who).unwrap_or_default() }
    }
}

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct Overview {
    page: Page,
    away: Option<String>,
    offers: Vec<Offer>,
    declined: Vec<Offer>,
    waiting: Vec<Row>,
    signals: Vec<Row>,
    done: Vec<Row>,
    may_signal: bool,
}

/// `GET /`.
pub(super) async fn show(site: Site) -> Response {
    if !site.may(Act::MakeSignal) {
        let first = site.page().places.first().map_or("/account", |place| place.path);
        return site.go(first, None);
    }
    let listed = match Listed::of(&site).await {
        Ok(listed) => listed,
        Err(error) => return site.failed(&error),
    };
    let mut page = site.page();
    page.live = true;
    let me = site.who.account.id;
    let mine = |case: &Case| listed.is_mine(&site, case);
    let (mut waiting, mut signals, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for (case, notice) in listed.cases.iter().filter(|(case, _)| mine(case)) {
        let row = row(&site, &page, case, notice.as_ref());
        let closed = notice.as_ref().is_some_and(|notice| notice.state == NoticeState::Closed);
        let waits = notice.as_ref().is_some_and(|notice| notice.deadline_date.is_some());
        match (waits, closed || !case.is_live(site.node().core.today())) {
            (true, _) => waiting.push(row),
            (false, true) => done.push(row),
            (false, false) => signals.push(row),
        }
    }
    let offered = listed.cases.iter().filter(|(case, _)| case.offered_to == Some(me));
    let offers = offered.map(|(case, _)| Offer::new(&site, case, case.owner)).collect();
    let declined = listed.cases.iter().filter(|(case, _)| case.declined_by.is_some() && mine(case));
    let declined = declined.map(|(case, _)| Offer::new(&site, case, case.declined_by)).collect();
    let overview = Overview {
        away: super::absence::away(&site, &page),
        offers,
        declined,
        waiting,
        signals,
        done,
        may_signal: true,
        page,
    };
    render(&overview)
}

#[derive(Debug, Template)]
#[template(path = "expiring.html")]
struct Expiring {
    page: Page,
    rows: Vec<Row>,
}

/// `GET /expiring`.
pub(super) async fn expiring(site: Site) -> Response {
    let listed = match Listed::of(&site).await {
        Ok(listed) => listed,
        Err(error) => return site.failed(&error),
    };
    let page = site.page();
    let today = site.node().core.today();
    let soon = |case: &Case| case.is_live(today) && case.expiry <= today.plus(ENDING_DAYS);
    let mut ending: Vec<&Case> =
        listed.cases.iter().map(|(case, _)| case).filter(|case| soon(case)).collect();
    ending.retain(|case| listed.may_change(&site, case));
    ending.sort_by_key(|case| case.expiry);
    let row = |case: &&Case| Row {
        path: format!("/signals/{}", case.id.0),
        id: case.id.0.to_string(),
        reference: case.case_reference.clone(),
        text: page.with("row-ends", "date", page.date(&ends(case).to_string())),
        when: None,
    };
    let rows = ending.iter().map(row).collect();
    render(&Expiring { page, rows })
}

/// The cases that the node shows somebody, each with its notice.
pub(super) struct Listed {
    pub(super) cases: Vec<(Case, Option<NoticeView>)>,
}

impl Listed {
    /// As the node answers; each is asked for as the API asks, so that the audit log has it.
    pub(super) async fn of(site: &Site) -> Result<Self, ApplicationError> {
        use crate::api::Application;
        let (node, actor) = (site.node(), site.actor());
        let signals = node.signals(&actor, crate::api::SignalFilter::All).await?;
        let notices = node.notices(&actor, site.who.session.language).await?;
        let known = node.partner.cases();
        let with_notice = |case: &Case| {
            let id = node.notice_id(case.id);
            notices.iter().find(|notice| notice.id == id).cloned()
        };
        let mut cases = Vec::new();
        for signal in signals {
            let case = super::signal::id_of(&signal.id).and_then(|id| known.get(&id).cloned());
            cases.extend(case.map(|case| (with_notice(&case), case)).map(|(notice, case)| (case, notice)));
        }
        cases.sort_by(|(one, of), (other, and)| {
            let key = |case: &Case, notice: &Option<NoticeView>| {
                let deadline = notice.as_ref().and_then(|notice| notice.deadline_date.clone());
                (deadline.is_none(), deadline, case.case_reference.clone())
            };
            key(one, of).cmp(&key(other, and))
        });
        Ok(Self { cases })
    }

    /// Whether the viewer owns it, or stands in for who does.
    pub(super) fn is_mine(&self, site: &Site, case: &Case) -> bool {
        let me = site.who.account.id;
        let owner = crate::people::access::owner(&case.ownership(), &*site.node().people);
        let today = site.node().local_today();
        owner.is_some_and(|owner| owner.id == me || owner.substitute(today) == Some(me))
    }

    /// Whether the viewer may do something about it.
    pub(super) fn may_change(&self, site: &Site, case: &Case) -> bool {
        super::signal::may(site, crate::people::CaseAct::Change, case)
    }
}

/// The last day of a signal.
pub(super) const fn ends(case: &Case) -> Day {
    case.expiry
}

pub(super) fn name_of(site: &Site, id: Option<AccountId>) -> Option<String> {
    id.and_then(|id| site.node().people.get(&id)).map(|account| account.name)
}

/// How things are with a case, in one line.
pub(super) fn row(site: &Site, page: &Page, case: &Case, notice: Option<&NoticeView>) -> Row {
    let today = site.node().core.today();
    let id = case.id.0.to_string();
    let (path, text, when) = match notice {
        Some(notice) => {
            let state = match notice.state {
                NoticeState::Open => "row-new",
                NoticeState::Responded => "row-answered",
                NoticeState::InContact => "row-contact",
                NoticeState::LeadAgreed => "row-lead",
                NoticeState::Closed => "row-closed",
            };
            let involved = page.count("row-involved", &notice.other_partners);
            let when = notice.deadline_date.as_ref().map(|date| by(site, page, notice, date));
            (format!("/notices/{}", notice.id), format!("{involved} {}", page.t(state)), when)
        }
        None if case.withdrawn.is_some() => (format!("/signals/{id}"), page.t("row-withdrawn"), None),
        None if !case.is_live(today) => (format!("/signals/{id}"), page.t("row-expired"), None),
        None => {
            let ends = page.with("row-ends", "date", page.date(&ends(case).to_string()));
            (format!("/signals/{id}"), page.t("row-alone"), Some(ends))
        }
    };
    Row { path, id, reference: case.case_reference.clone(), text, when }
}

fn by(site: &Site, page: &Page, notice: &NoticeView, date: &str) -> String {
    let open = notice.matches.iter().any(|found| found.response.is_none());
    let key = due(site, date, if open { "row-by" } else { "row-act-by" });
    page.with(key, "date", page.weekday_date(date))
}

/// The key of the words for this date: these, or that it is over.
pub(super) fn due(site: &Site, date: &str, in_time: &'static str) -> &'static str {
    let late = date < site.node().local_today().to_string().as_str();
    if late { "row-late" } else { in_time }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let row = || Row {
        path: text.to_owned(),
        id: text.to_owned(),
        reference: text.to_owned(),
        text: text.to_owned(),
        when: Some(text.to_owned()),
    };
    let offer = || Offer { id: text.to_owned(), reference: text.to_owned(), name: text.to_owned() };
    let overview = Overview {
        away: Some(text.to_owned()),
        offers: vec![offer()],
        declined: vec![offer()],
        waiting: vec![row()],
        signals: vec![row()],
        done: vec![row()],
        may_signal: true,
        page,
    };
    vec![overview.render().unwrap()]
}

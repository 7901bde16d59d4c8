//! A notice as professionals see it: how far it is, what they can do now, and what happened.
//!
//! Not here: what they do ([`super::notice_acts`]), and what may be shown (`kring_protocol::coordination`).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::dates::DateText;
use super::fields::Fields;
use super::page::Page;
use super::render_with;
use super::signal::may;
use super::site::Site;
use crate::api::{Application, ApplicationError, MatchView, NoticeState, NoticeView, Says, Whose};
use crate::cases::Case;
use crate::people::CaseAct;

/// A step of the progress.
#[derive(Debug)]
pub(super) struct StepView {
    text: &'static str,
    class: &'static str,
}

/// One match.
#[derive(Debug)]
pub(super) struct Part {
    id: String,
    anchor: String,
    name: Option<String>,
    basis: String,
    answer: Option<&'static str>,
    their_answer: Option<&'static str>,
    contact: Option<String>,
    outcome: Option<&'static str>,
    their_outcome: Option<&'static str>,
    card: Option<Card>,
    waits_for_card: bool,
    /// Whether it makes sense to ask if there was contact.
    may_talk: bool,
    contact_field: String,
    date: DateText,
    outcome_field: String,
    /// Ids, values and keys of the words.
    outcomes: Vec<(String, &'static str, &'static str)>,
}

impl Part {
    /// Puts back what was typed about this match.
    fn fill(&mut self, fields: &Fields) {
        self.date =
            Some(fields.date("on")).filter(|date| !date.is_empty()).unwrap_or_else(|| self.date.clone());
    }
}

/// How to reach the other side.
#[derive(Clone)]
pub(super) struct Card {
    name: String,
    function: String,
    phone: String,
    phone_text: String,
    email: String,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Card(<redacted>)")
    }
}

/// Somebody who wants to be the lead.
#[derive(Debug)]
pub(super) struct Claim {
    id: String,
    who: String,
    state: &'static str,
    ours: bool,
    confirmed: bool,
}

/// Who is the lead.
#[derive(Debug)]
pub(super) struct Lead {
    shown: bool,
    claims: Vec<Claim>,
    contested: bool,
    ours: bool,
    /// Whether another asks this side to take over.
    asked: bool,
    done: bool,
    /// Matches over which it can be offered, by their number, with the other's name.
    offers: Vec<(usize, String)>,
}

#[derive(Debug, Template)]
#[template(path = "notice.html")]
struct NoticePage {
    page: Page,
    id: String,
    reference: String,
    signal: Option<String>,
    others: usize,
    progress: Vec<StepView>,
    now: &'static str,
    deadline: Option<String>,
    may_change: bool,
    muted: bool,
    parts: Vec<Part>,
    lead: Lead,
    happened: Vec<(String, String)>,
}

/// Something that was wrong with a form on the page: of which match, which field, which text, and what was typed.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub(super) match_id: String,
    pub(super) text: &'static str,
    pub(super) date: Option<DateText>,
}

/// `GET /notices/{id}`.
pub(super) async fn show(site: Site, Path(id): Path<String>) -> Response {
    match super::notice_acts::again(&site, &id).await {
        Some(answer) => answer,
        None => page(&site, &id, None).await,
    }
}

/// The page, perhaps with what was wrong.
pub(super) async fn page(site: &Site, id: &str, wrong: Option<Wrong>) -> Response {
    let notice = match site.node().notice(&site.actor(), id, site.who.session.language).await {
        Ok(notice) => notice,
        Err(error) => return site.failed(&error),
    };
    let case = case_of(site, id);
    let mut page = site.page();
    page.live = wrong.is_none() && page.typed.is_none();
    let mut parts: Vec<_> =
        notice.matches.iter().enumerate().map(|(n, found)| part(site, &page, n, found)).collect();
    if let Some(typed) = page.typed.as_mut() {
        let fields = Fields(std::mem::take(typed)); // of one match, and its fields are called as those of the others
        let part = parts.iter_mut().find(|part| part.id == fields.text("match"));
        part.into_iter().for_each(|part| part.fill(&fields));
    }
    if let Some(wrong) = wrong {
        if let Some(part) = parts.iter_mut().find(|part| part.id == wrong.match_id) {
            let field = if wrong.date.is_some() { &part.contact_field } else { &part.outcome_field };
            page.wrong(field, wrong.text);
            if let Some(date) = wrong.date {
                part.date = date;
            }
        } else {
            page.wrong("", wrong.text);
        }
    }
    let told = |alert: &crate::api::AlertView| (page.moment(&alert.at), alert.text.clone());
    let template = NoticePage {
        reference: notice.case_reference.clone(),
        signal: case.as_ref().map(|case| case.id.0.to_string()),
        others: notice.other_partners,
        progress: progress(notice.state),
        now: now(&notice),
        deadline: notice.deadline_date.as_ref().map(|date| {
            page.with(super::overview::due(site, date, "notice-by"), "date", page.weekday_date(date))
        }),
        may_change: case.as_ref().is_some_and(|case| may(site, CaseAct::Change, case)),
        muted: notice.muted,
        lead: lead(site, &page, &notice),
        happened: notice.alerts.iter().rev().map(told).collect(),
        parts,
        id: notice.id,
        page,
    };
    render_with(template.page.status(), &template)
}

/// The case that has the notice; to be shown only after the node has shown the notice.
pub(super) fn case_of(site: &Site, notice: &str) -> Option<Case> {
    let case = site.node().case_of_notice(notice)?;
    site.node().partner.cases().get(&case).cloned()
}

/// What another partner is called.
pub(super) fn partner_name(site: &Site, member: &str) -> String {
    let found = member.parse().ok().and_then(|id| site.node().core.covenant.member(&id).cloned());
    found.map_or_else(|| member.to_owned(), |card| card.name)
}

fn progress(state: NoticeState) -> Vec<StepView> {
    let steps = [
        (NoticeState::Open, "progress-open"),
        (NoticeState::Responded, "progress-responded"),
        (NoticeState::InContact, "progress-contact"),
        (NoticeState::LeadAgreed, "progress-lead"),
        (NoticeState::Closed, "progress-closed"),
    ];
    let now = steps.iter().position(|(step, _)| *step == state).unwrap_or(0);
    let class = |index: usize| match index.cmp(&now) {
        std::cmp::Ordering::Less => "past",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "coming",
    };
    steps.iter().enumerate().map(|(index, (_, text))| StepView { text, class: class(index) }).collect()
}

/// What the viewer would best do next, in words.
fn now(notice: &NoticeView) -> &'static str {
    let any = |test: &dyn Fn(&MatchView) -> bool| notice.matches.iter().any(test);
    let claimed = |ours: bool| notice.lead.iter().any(|claim| (claim.who == Whose::Us) == ours);
    let asks = notice.lead.iter().any(|claim| claim.who != Whose::Us && !claim.confirmed);
    match notice.state {
        NoticeState::Closed => "now-closed",
        _ if any(&|found| found.response.is_none()) => "now-open",
        NoticeState::LeadAgreed => "now-close",
        _ if asks => "now-confirm-lead",
        NoticeState::InContact if claimed(true) => "now-wait-lead",
        NoticeState::InContact => "now-lead",
        _ if any(&|found| found.their_response.is_none()) => "now-their-turn",
        _ => "now-call",
    }
}

const fn says(says: Says) -> &'static str {
    match says {
        Says::Coordinate => "says-coordinate",
        Says::AlreadyTogether => "says-together",
        Says::NotRight(_) => "says-not-right",
    }
}

/// Values of outcomes, as the API writes them, and the keys of their words.
pub(super) const OUTCOMES: [(&str, &str); 4] = [
    ("contactMade", "outcome-contactMade"),
    ("planMade", "outcome-planMade"),
    ("leadAgreed", "outcome-leadAgreed"),
    ("noFollowUp", "outcome-noFollowUp"),
];

fn outcome(outcome: crate::api::MaybeOutcome) -> Option<&'static str> {
    use kring_protocol::coordination::Outcome;
    outcome.0.map(|outcome| match outcome {
        Outcome::ContactMade => "outcome-contactMade",
        Outcome::PlanMade => "outcome-planMade",
        Outcome::LeadAgreed => "outcome-leadAgreed",
        Outcome::NoFollowUp => "outcome-noFollowUp",
    })
}

fn part(site: &Site, page: &Page, number: usize, found: &MatchView) -> Part {
    let id = |what: &str| format!("{what}-{number}");
    let outcome_id =
        |index: usize| if index == 0 { id("outcome") } else { format!("{}-{index}", id("outcome")) };
    let card = found.card.as_ref().map(|card| Card {
        name: card.name.clone(),
        function: card.function.clone(),
        phone: card.phone.clone(),
        phone_text: phone_text(&card.phone),
        email: card.email.clone(),
    });
    let outcomes = OUTCOMES.iter().enumerate();
    Part {
        id: found.match_id.clone(),
        anchor: id("match"),
        name: found.partner.as_ref().map(|member| partner_name(site, member)),
        basis: found.basis_text.clone(),
        answer: found.response.map(says),
        their_answer: found.their_response.map(says),
        contact: found.contact_date.as_ref().map(|date| page.date(date)),
        outcome: outcome(found.outcome),
        their_outcome: outcome(found.their_outcome),
        waits_for_card: found.response == Some(Says::Coordinate) && card.is_none(),
        may_talk: card.is_some() || found.response == Some(Says::AlreadyTogether),
        card,
        contact_field: id("contact"),
        date: DateText::of("on", site.node().local_today()),
        outcome_field: id("outcome"),
        outcomes: outcomes.map(|(index, (value, text))| (outcome_id(index), *value, *text)).collect(),
    }
}

/// A telephone number as people write it: `+31 10 123 45 67`.
pub(super) fn phone_text(phone: &str) -> String {
    let Some(rest) = phone.strip_prefix("+31") else { return phone.to_owned() };
    let area = usize::from(!rest.starts_with('6')) + 1;
    let (area, number) = rest.split_at(area.min(rest.len()));
    let mut text = format!("0{area}");
    let groups = match number.len() {
        7 => vec![3, 2, 2],
        8 => vec![2, 2, 2, 2],
        other => vec![other],
    };
    let mut at = 0;
    for group in groups {
        text.push(' ');
        text.push_str(&number[at..at + group]);
        at += group;
    }
    text
}

fn lead(site: &Site, page: &Page, notice: &NoticeView) -> Lead {
    let agreed = matches!(notice.state, NoticeState::LeadAgreed | NoticeState::Closed);
    let ours = notice.lead.iter().any(|claim| claim.who == Whose::Us);
    let name = |member: Option<&String>| {
        member.map_or_else(|| page.t("match-unnamed"), |member| partner_name(site, member))
    };
    let through = |ids: &[String]| {
        let first = notice.matches.iter().find(|found| ids.contains(&found.match_id));
        page.with("lead-through", "name", name(first.and_then(|found| found.partner.as_ref())))
    };
    let claim = |claim: &crate::api::ClaimView| Claim {
        id: claim.claim.clone(),
        who: match claim.who {
            Whose::Us => page.t("lead-us"),
            Whose::Partner => name(claim.partner.as_ref()),
            Whose::Through => through(&claim.match_ids),
        },
        state: match (claim.who, claim.confirmed && agreed) {
            (_, true) => "lead-agreed",
            (Whose::Us, false) => "lead-own-open",
            (_, false) => "lead-proposed",
        },
        ours: claim.who == Whose::Us,
        confirmed: claim.confirmed && claim.who != Whose::Us,
    };
    let offers = notice.matches.iter().enumerate().filter(|(_, found)| found.contact_date.is_some());
    Lead {
        shown: !notice.lead.is_empty() || notice.matches.iter().any(|found| found.contact_date.is_some()),
        claims: notice.lead.iter().map(claim).collect(),
        contested: notice.lead.len() > 1,
        ours,
        asked: notice.matches.iter().any(|found| found.offers_lead),
        done: notice.state == NoticeState::Closed,
        offers: offers.map(|(number, found)| (number, name(found.partner.as_ref()))).collect(),
    }
}

/// The notice again after a step that was refused, with the reason above it; other refusals as everywhere.
pub(super) async fn refused(site: &Site, id: &str, error: ApplicationError) -> Response {
    match error {
        ApplicationError::Conflict(reason) => {
            let text = super::site::conflict(&reason);
            page(site, id, Some(Wrong { text, ..Wrong::default() })).await
        }
        error => site.failed(&error),
    }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let some = || Some(text.to_owned());
    let (person, _) = super::tests::filled(text);
    let text = || text.to_owned();
    let card = Card { name: text(), function: text(), phone: text(), phone_text: text(), email: text() };
    let part = |answer| Part {
        id: text(),
        anchor: text(),
        name: some(),
        basis: text(),
        answer,
        their_answer: Some("says-coordinate"),
        contact: None,
        outcome: None,
        their_outcome: None,
        card: Some(card.clone()),
        waits_for_card: false,
        may_talk: true,
        contact_field: text(),
        date: person.birth.clone(),
        outcome_field: text(),
        outcomes: vec![(text(), "planMade", "outcome-planMade")],
    };
    let claim = Claim { id: text(), who: text(), state: "lead-proposed", ours: false, confirmed: false };
    let lead = Lead {
        shown: true,
        claims: vec![claim],
        contested: true,
        ours: true,
        asked: true,
        done: false,
        offers: vec![(0, text())],
    };
    let notice = NoticePage {
        id: text(),
        reference: text(),
        signal: some(),
        others: 2,
        progress: progress(NoticeState::Open),
        now: "now-open",
        deadline: some(),
        may_change: true,
        muted: false,
        parts: vec![part(None), part(Some("says-coordinate"))],
        lead,
        happened: vec![(text(), text())],
        page,
    };
    vec![notice.render().unwrap()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_written_as_people_do() {
        assert_eq!(phone_text("+31101234567"), "010 123 45 67");
        assert_eq!(phone_text("+31612345678"), "06 12 34 56 78");
        assert_eq!(phone_text("+4930123456"), "+4930123456");
        assert_eq!(phone_text("+31"), "0 ");
    }
}

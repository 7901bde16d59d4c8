//! Giving a signal, in five short pages: weigh, who, reach, family; the last is [`super::give_signal`].

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kring_protocol::id::PurposeId;

use super::dates::DateText;
use super::draft::Draft;
use super::fields::{ContactText, Fields, Pairs, PersonText};
use super::page::Page;
use super::site::Site;
use super::{render, render_with};
use crate::api::ApplicationError;
use crate::people::Act;
use crate::sign_in::CsrfForm;

/// Persons in one signal.
const MAX_PERSONS: usize = 50;
/// Why a family is not told.
const REASONS: [&str; 5] =
    ["danger-child", "danger-relative", "danger-professional", "investigation", "out-of-reach"];

#[derive(Debug, Template)]
#[template(path = "signal_weigh.html")]
struct Weigh {
    page: Page,
}

#[derive(Debug, Template)]
#[template(path = "signal_stop.html")]
struct Stop {
    page: Page,
    title: &'static str,
    danger: bool,
}

#[derive(Debug, Template)]
#[template(path = "signal_who.html")]
struct Who {
    page: Page,
    draft: Draft,
    person: PersonText,
    purposes: Vec<(String, String)>,
    bsn: bool,
}

#[derive(Debug, Template)]
#[template(path = "signal_reach.html")]
struct Reach {
    page: Page,
    draft: Draft,
    functions: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "signal_family.html")]
struct Family {
    page: Page,
    draft: Draft,
    reasons: Vec<(String, String)>,
}

/// `GET /signals/new`.
pub(super) async fn weigh(site: Site) -> Response {
    if !site.may(Act::MakeSignal) {
        return site.failed(&ApplicationError::Forbidden);
    }
    render(&Weigh { page: site.page() })
}

/// `POST /signals/new`.
pub(super) async fn decide(site: Site, form: CsrfForm<Pairs>) -> Response {
    if !site.may(Act::MakeSignal) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let mut page = site.page();
    match Fields(form.0).text("decision").as_str() {
        "yes" => {
            let id = site.pages.drafts.begin(site.who.account.id, fresh(&site), site.node().core.now());
            site.go(&format!("/signals/new/{id}/who"), None)
        }
        "no" => render(&Stop { page, title: "no-signal-title", danger: false }),
        "danger" => render(&Stop { page, title: "danger-title", danger: true }),
        _ => {
            page.wrong("decision", "wrong-decision");
            render_with(page.status(), &Weigh { page })
        }
    }
}

/// What is known before anything was filled in.
fn fresh(site: &Site) -> Draft {
    let account = &site.who.account;
    let purposes = purposes(site);
    let only = if purposes.len() == 1 { purposes.first() } else { None };
    Draft {
        purpose: only.map(|(id, _)| id.clone()).unwrap_or_default(),
        contact: contact_of(site),
        later: DateText { name: "later", ..DateText::default() },
        reference: String::new(),
        id: account.id.to_string(),
        ..Draft::default()
    }
}

/// The viewer's own card, as far as their account has it.
pub(super) fn contact_of(site: &Site) -> ContactText {
    let account = &site.who.account;
    ContactText {
        name: account.name.clone(),
        function: account.function.as_ref().map(ToString::to_string).unwrap_or_default(),
        phone: super::notice::phone_text(&account.phone),
        email: account.email.clone(),
    }
}

pub(super) fn purposes(site: &Site) -> Vec<(String, String)> {
    let core = &site.node().core;
    core.covenant
        .purposes_of(&core.me)
        .map(|purpose| (purpose.id.to_string(), purpose.title.clone()))
        .collect()
}

/// The functions of a purpose, as people call them, in their order.
pub(super) fn functions(site: &Site, page: &Page, purpose: Option<&PurposeId>) -> Vec<(String, String)> {
    let core = &site.node().core;
    let found = purpose.and_then(|id| core.covenant.purpose(id));
    let found = found.or_else(|| core.covenant.purposes_of(&core.me).next());
    let functions = found.map(|purpose| purpose.coordination().functions.clone()).unwrap_or_default();
    let mut named: Vec<_> = functions.iter().map(|id| (id.to_string(), page.function(id.as_str()))).collect();
    named.sort_by(|(_, one), (_, other)| one.cmp(other));
    named
}

/// The draft, or the answer where there is none.
#[allow(clippy::result_large_err, reason = "the answer is sent on at once")]
pub(super) fn drafted(site: &Site, id: &str) -> Result<Draft, Response> {
    if !site.may(Act::MakeSignal) {
        return Err(site.failed(&ApplicationError::Forbidden));
    }
    let draft = site.pages.drafts.get(site.who.account.id, id);
    let draft = draft.ok_or_else(|| site.go("/", Some("draft-gone")))?;
    match &draft.given {
        Some(signal) => Err(site.go(&format!("/signals/{signal}/given"), None)),
        None => Ok(draft),
    }
}

pub(super) fn keep(site: &Site, draft: Draft) {
    site.pages.drafts.put(site.who.account.id, draft, site.node().core.now());
}

fn who_page(site: &Site, page: Page, draft: Draft, person: PersonText) -> Response {
    let core = &site.node().core;
    let bsn = core.covenant.purposes_of(&core.me).any(|purpose| purpose.bsn_members.contains(&core.me));
    let who = Who { draft, person, purposes: purposes(site), bsn, page };
    render_with(who.page.status(), &who)
}

/// `GET /signals/new/{draft}/who`.
pub(super) async fn who(site: Site, Path(id): Path<String>) -> Response {
    match drafted(&site, &id) {
        Ok(draft) => who_page(&site, site.page(), draft, PersonText::nobody()),
        Err(answer) => answer,
    }
}

/// `POST /signals/new/{draft}/who`.
pub(super) async fn set_who(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let mut draft = match drafted(&site, &id) {
        Ok(draft) => draft,
        Err(answer) => return answer,
    };
    let (fields, mut page) = (Fields(form.0), site.page());
    draft.reference = fields.text("reference").trim().to_owned();
    if let Some(purpose) = fields.all("purpose").next() {
        draft.purpose = purpose.to_owned();
    }
    let (action, person) = (fields.text("action"), fields.person());
    if let Some(answer) = rearranged(&site, &mut draft, &action, &person) {
        return answer;
    }
    let next = action != "add";
    if next {
        check_case(&site, &mut page, &draft);
    }
    if !person.is_empty() || draft.persons.is_empty() {
        check_person(&site, &mut page, &draft, &person);
    }
    if page.error("role").is_none()
        && page.errors.iter().all(|error| is_of_case(&error.field))
        && !person.is_empty()
    {
        draft.persons.push(person.clone());
        keep(&site, draft.clone());
        if page.errors.is_empty() && next {
            return site.go(&draft.path("reach"), None);
        }
        return who_page(&site, page, draft, PersonText::nobody());
    }
    keep(&site, draft.clone());
    if page.errors.is_empty() && next {
        return site.go(&draft.path("reach"), None);
    }
    who_page(&site, page, draft, person)
}

fn is_of_case(field: &str) -> bool {
    ["reference", "purpose"].contains(&field)
}

/// Takes a named person away, or back into the fields.
fn rearranged(site: &Site, draft: &mut Draft, action: &str, typed: &PersonText) -> Option<Response> {
    let (what, index) = action.split_once('-')?;
    let index = index.parse::<usize>().ok().filter(|index| *index < draft.persons.len())?;
    let taken = draft.persons.remove(index);
    if what == "change" && !typed.is_empty() {
        draft.persons.push(typed.clone());
    }
    keep(site, draft.clone());
    let person = if what == "change" { taken } else { typed.clone() };
    Some(who_page(site, site.page(), draft.clone(), person))
}

/// What the node says of one person.
fn check_person(site: &Site, page: &mut Page, draft: &Draft, person: &PersonText) {
    if person.role.is_empty() {
        page.wrong("role", "wrong-role");
    }
    if draft.persons.len() >= MAX_PERSONS {
        page.wrong("given_names", "wrong-too-many-persons");
    }
    let (node, mut errors) = (site.node(), Vec::new());
    let purpose = draft.purpose.parse().ok().filter(|id| node.core.covenant.purpose(id).is_some());
    let _ = crate::signals::persons(
        &node.partner,
        &purpose,
        &[person.to_person()],
        node.core.today(),
        &mut errors,
    );
    page.wrong_all(&errors);
}

fn check_case(site: &Site, page: &mut Page, draft: &Draft) {
    if draft.reference.is_empty() {
        page.wrong("reference", "wrong-reference");
    } else if draft.reference.chars().count() > 200 {
        page.wrong("reference", "wrong-text");
    }
    if !purposes(site).iter().any(|(id, _)| *id == draft.purpose) {
        page.wrong("purpose", "wrong-purpose");
    }
}

fn reach_page(site: &Site, page: Page, draft: Draft) -> Response {
    let functions = functions(site, &page, draft.purpose.parse().ok().as_ref());
    let reach = Reach { draft, functions, page };
    render_with(reach.page.status(), &reach)
}

/// `GET /signals/new/{draft}/reach`.
pub(super) async fn reach(site: Site, Path(id): Path<String>) -> Response {
    match drafted(&site, &id) {
        Ok(draft) => reach_page(&site, site.page(), draft),
        Err(answer) => answer,
    }
}

/// `POST /signals/new/{draft}/reach`.
pub(super) async fn set_reach(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let mut draft = match drafted(&site, &id) {
        Ok(draft) => draft,
        Err(answer) => return answer,
    };
    let mut page = site.page();
    draft.contact = Fields(form.0).contact();
    keep(&site, draft.clone());
    let purpose = draft.purpose.parse().ok().and_then(|id| site.node().core.covenant.purpose(&id));
    match purpose.map(|purpose| crate::responses::checked(&draft.contact.to_contact(), purpose)) {
        Some(Ok(_)) => return site.go(&draft.path("family"), None),
        Some(Err(ApplicationError::Invalid(errors))) => page.wrong_all(&errors),
        _ => return site.go(&draft.path("who"), None),
    }
    reach_page(&site, page, draft)
}

fn family_page(page: Page, draft: Draft) -> Response {
    let reasons = REASONS.map(|reason| (reason.to_owned(), page.t(&format!("reason-{reason}")))).to_vec();
    let family = Family { draft, reasons, page };
    render_with(family.page.status(), &family)
}

/// `GET /signals/new/{draft}/family`.
pub(super) async fn family(site: Site, Path(id): Path<String>) -> Response {
    match drafted(&site, &id) {
        Ok(draft) => family_page(site.page(), draft),
        Err(answer) => answer,
    }
}

/// `POST /signals/new/{draft}/family`.
pub(super) async fn set_family(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let mut draft = match drafted(&site, &id) {
        Ok(draft) => draft,
        Err(answer) => return answer,
    };
    let (fields, mut page) = (Fields(form.0), site.page());
    draft.informed = fields.text("informed");
    draft.later = fields.date("later");
    draft.reason = fields.text("reason");
    let coming = |day| day >= site.node().local_today();
    match draft.informed.as_str() {
        "yes" => {}
        "later" if draft.later.day().is_some_and(coming) => {}
        "later" => page.wrong("later", "wrong-later"),
        "unsafe" if REASONS.contains(&draft.reason.as_str()) => {}
        "unsafe" => page.wrong("reason", "wrong-reason"),
        _ => page.wrong("informed", "wrong-informed"),
    }
    keep(&site, draft.clone());
    if page.errors.is_empty() { site.go(&draft.path("check"), None) } else { family_page(page, draft) }
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let (person, contact) = super::tests::filled(text);
    let draft = || Draft {
        id: text.to_owned(),
        reference: text.to_owned(),
        purpose: text.to_owned(),
        persons: vec![person.clone()],
        contact: contact.clone(),
        informed: text.to_owned(),
        later: person.birth.clone(),
        reason: text.to_owned(),
        ..Draft::default()
    };
    let pairs = || vec![(text.to_owned(), text.to_owned()); 2];
    let who = Who { page: page(), draft: draft(), person: person.clone(), purposes: pairs(), bsn: true };
    let reach = Reach { page: page(), draft: draft(), functions: pairs() };
    let family = Family { page: page(), draft: draft(), reasons: pairs() };
    let check = super::give_signal::rendered(page(), draft(), text);
    let mut all: Vec<_> = [who.render(), reach.render(), family.render()].map(Result::unwrap).into();
    all.push(check);
    all
}

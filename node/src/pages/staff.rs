//! People and teams, for the functional administrator.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kring_protocol::log::entry::Kind;

use super::account::role_key;
use super::fields::{ContactText, Fields, Pairs};
use super::new_signal::functions;
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{ApplicationError, PersonForm, Staff};
use crate::people::{Account, Act, Role, SignInName, TeamId};
use crate::sign_in::CsrfForm;

/// One account in the list.
#[derive(Debug)]
pub(super) struct AccountRow {
    id: String,
    name: String,
    text: String,
    active: bool,
}

#[derive(Debug, Template)]
#[template(path = "people.html")]
struct PeoplePage {
    page: Page,
    accounts: Vec<AccountRow>,
    /// Names and numbers of members.
    teams: Vec<(String, usize)>,
    team_name: String,
}

/// An account as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct PersonTyped {
    kind: String,
    sign_in: String,
    contact: ContactText,
    roles: Vec<String>,
    teams: Vec<String>,
    active: String,
}

#[derive(Debug, Template)]
#[template(path = "person.html")]
struct PersonPage {
    page: Page,
    title: &'static str,
    new: bool,
    form: PersonTyped,
    functions: Vec<(String, String)>,
    /// Values, keys of words, and whether chosen.
    roles: Vec<(&'static str, &'static str, bool)>,
    /// Ids, names, and whether chosen.
    teams: Vec<(String, String, bool)>,
    activation: Option<Invited>,
}

fn list(site: &Site, page: Page, team_name: String) -> Response {
    let people = &site.node().people;
    let row = |account: &Account| {
        let roles: Vec<_> = account.roles.iter().map(|role| page.t(role_key(*role))).collect();
        let short = roles.iter().map(|role| role.split(':').next().unwrap_or(role));
        AccountRow {
            id: account.id.to_string(),
            name: account.name.clone(),
            text: short.collect::<Vec<_>>().join(", "),
            active: account.active,
        }
    };
    let accounts = people.accounts();
    let mut rows: Vec<_> = accounts.iter().map(row).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let members = |id: &TeamId| accounts.iter().filter(|account| account.teams.contains(id)).count();
    let mut teams: Vec<_> =
        people.teams().into_iter().map(|team| (team.name.clone(), members(&team.id))).collect();
    teams.sort();
    let template = PeoplePage { accounts: rows, teams, team_name, page };
    render_with(template.page.status(), &template)
}

/// `GET /people`.
pub(super) async fn show(site: Site) -> Response {
    if !site.may(Act::ChangePeople) {
        return site.failed(&ApplicationError::Forbidden);
    }
    list(&site, site.page(), String::new())
}

/// `POST /people/teams`.
pub(super) async fn add_team(site: Site, form: CsrfForm<Pairs>) -> Response {
    let name = Fields(form.0).text("team");
    match site.node().add_team(&site.actor(), name.clone(), None).await {
        Ok(_) => site.go("/people", Some("said-team-added")),
        Err(ApplicationError::Invalid(_)) => {
            let mut page = site.page();
            page.wrong("team", "wrong-team");
            list(&site, page, name)
        }
        Err(error) => site.failed(&error),
    }
}

/// What somebody new needs to set up an account.
struct Invited {
    address: String,
    code: String,
}

impl std::fmt::Debug for Invited {
    /// Without the code: who has it can set up the account.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invited").field("address", &self.address).finish_non_exhaustive()
    }
}

fn form_page(site: &Site, page: Page, new: bool, form: PersonTyped, activation: Option<Invited>) -> Response {
    let chosen = |list: &[String], value: &str| list.iter().any(|found| found == value);
    let role = |role: &Role| (role.as_str(), role_key(*role), chosen(&form.roles, role.as_str()));
    let teams = site.node().people.teams().into_iter().map(|team| {
        let id = team.id.to_string();
        let on = chosen(&form.teams, &id);
        (id, team.name, on)
    });
    let template = PersonPage {
        title: if new { "people-new-title" } else { "people-edit-title" },
        new,
        functions: functions(site, &page, None),
        roles: Role::ALL.iter().map(role).collect(),
        teams: teams.collect(),
        activation,
        form,
        page,
    };
    render_with(template.page.status(), &template)
}

/// `GET /people/new`.
pub(super) async fn new(site: Site) -> Response {
    if !site.may(Act::ChangePeople) {
        return site.failed(&ApplicationError::Forbidden);
    }
    form_page(&site, site.page(), true, PersonTyped::default(), None)
}

fn typed(fields: &Fields) -> PersonTyped {
    PersonTyped {
        kind: fields.text("kind"),
        sign_in: fields.text("sign_in"),
        contact: fields.contact(),
        roles: fields.all("role").map(str::to_owned).collect(),
        teams: fields.all("team").map(str::to_owned).collect(),
        active: fields.text("active"),
    }
}

fn asked(typed: &PersonTyped, new: bool) -> PersonForm {
    let text = |text: &String| Some(text.trim().to_owned());
    let sign_in = match typed.kind.as_str() {
        "provider" => SignInName::Provider(typed.sign_in.trim().to_owned()),
        _ => SignInName::Local(typed.sign_in.trim().to_lowercase()),
    };
    PersonForm {
        sign_in: new.then_some(sign_in),
        name: text(&typed.contact.name),
        email: text(&typed.contact.email),
        phone: text(&typed.contact.phone),
        function: text(&typed.contact.function).filter(|function| !function.is_empty()),
        roles: Some(typed.roles.iter().filter_map(|role| role.parse().ok()).collect()),
        teams: Some(typed.teams.clone()),
        mail: None,
        active: (!new).then_some(typed.active != "no"),
    }
}

/// `POST /people/new`.
pub(super) async fn add(site: Site, form: CsrfForm<Pairs>) -> Response {
    let typed = typed(&Fields(form.0));
    let form = asked(&typed, true);
    let local = matches!(form.sign_in, Some(SignInName::Local(_)));
    match site.node().add_person(&site.actor(), form, None).await {
        Ok(added) if local => match activation(&site, &added.id).await {
            Some(invited) => {
                let account = added.id.parse().ok().and_then(|id| site.node().people.get(&id));
                let typed = account.as_ref().map(of_account).unwrap_or_default();
                let mut page = site.page();
                page.path = format!("/people/{}", added.id);
                form_page(&site, page, false, typed, Some(invited))
            }
            None => site.failed(&ApplicationError::Internal),
        },
        Ok(_) => site.go("/people", Some("said-saved")),
        Err(ApplicationError::Invalid(errors)) => {
            let mut page = site.page();
            page.wrong_all(&errors);
            form_page(&site, page, true, typed, None)
        }
        Err(error) => site.failed(&error),
    }
}

/// Where somebody new sets up how they sign in, and the code that they need there.
async fn activation(site: &Site, id: &str) -> Option<Invited> {
    let event = site.node().event(&site.actor(), Kind::Configuration, 1);
    let (code, _) = site.pages.sign_in.invite(id.parse().ok()?, event).await.ok()??;
    Some(Invited { address: format!("{}/activate", site.pages.origin), code: code.to_string() })
}

fn of_account(account: &Account) -> PersonTyped {
    PersonTyped {
        kind: String::new(),
        sign_in: String::new(),
        contact: ContactText {
            name: account.name.clone(),
            function: account.function.as_ref().map(ToString::to_string).unwrap_or_default(),
            phone: super::notice::phone_text(&account.phone),
            email: account.email.clone(),
        },
        roles: account.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        teams: account.teams.iter().map(ToString::to_string).collect(),
        active: if account.active { "yes" } else { "no" }.to_owned(),
    }
}

/// `GET /people/{id}`.
pub(super) async fn edit(site: Site, Path(id): Path<String>) -> Response {
    if !site.may(Act::ChangePeople) {
        return site.failed(&ApplicationError::Forbidden);
    }
    match id.parse().ok().and_then(|id| site.node().people.get(&id)) {
        Some(account) => form_page(&site, site.page(), false, of_account(&account), None),
        None => site.failed(&ApplicationError::NotFound),
    }
}

/// `POST /people/{id}`.
pub(super) async fn change(site: Site, Path(id): Path<String>, form: CsrfForm<Pairs>) -> Response {
    let typed = typed(&Fields(form.0));
    match site.node().change_person(&site.actor(), &id, asked(&typed, false)).await {
        Ok(_) => site.go("/people", Some("said-saved")),
        Err(ApplicationError::Invalid(errors)) => {
            let mut page = site.page();
            page.wrong_all(&errors);
            form_page(&site, page, false, typed, None)
        }
        Err(error) => site.failed(&error),
    }
}

/// The templates with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: &dyn Fn() -> Page, text: &str) -> Vec<String> {
    let (_, contact) = super::tests::filled(text);
    let text = || text.to_owned();
    let row = AccountRow { id: text(), name: text(), text: text(), active: false };
    let people =
        PeoplePage { page: page(), accounts: vec![row], teams: vec![(text(), 2)], team_name: text() };
    let form = PersonTyped {
        kind: text(),
        sign_in: text(),
        contact,
        roles: vec![text()],
        teams: vec![text()],
        active: text(),
    };
    let person = PersonPage {
        page: page(),
        title: "people-new-title",
        new: true,
        form,
        functions: vec![(text(), text())],
        roles: Vec::new(),
        teams: vec![(text(), text(), true)],
        activation: Some(Invited { address: text(), code: text() }),
    };
    [people.render(), person.render()].map(Result::unwrap).into()
}

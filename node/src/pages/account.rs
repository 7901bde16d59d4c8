//! The viewer's own account.

use askama::Template;
use axum::response::Response;

use super::fields::{Fields, Pairs};
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{ApplicationError, PersonForm, Staff};
use crate::people::{MailWish, Role};
use crate::sign_in::CsrfForm;

/// What is shown of it.
pub(super) struct Shown {
    name: String,
    function: String,
    phone: String,
    email: String,
    roles: Vec<&'static str>,
    teams: Vec<String>,
    at_once: bool,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(<redacted>)")
    }
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    account: Shown,
}

/// The key of what a role is called.
pub(super) const fn role_key(role: Role) -> &'static str {
    match role {
        Role::Professional => "role-professional",
        Role::Supervisor => "role-supervisor",
        Role::PrivacyOfficer => "role-privacyOfficer",
        Role::BoardAuditor => "role-boardAuditor",
        Role::FunctionalAdministrator => "role-functionalAdministrator",
        Role::TechnicalAdministrator => "role-technicalAdministrator",
    }
}

fn page(site: &Site, page: Page) -> Response {
    let account = &site.who.account;
    let teams = site.node().people.teams();
    let account = Shown {
        name: account.name.clone(),
        function: account.function.as_ref().map(|id| page.function(id.as_str())).unwrap_or_default(),
        phone: super::notice::phone_text(&account.phone),
        email: account.email.clone(),
        roles: account.roles.iter().map(|role| role_key(*role)).collect(),
        teams: teams
            .into_iter()
            .filter(|team| account.teams.contains(&team.id))
            .map(|team| team.name)
            .collect(),
        at_once: account.mail == MailWish::AtOnce,
    };
    let template = AccountPage { account, page };
    render_with(template.page.status(), &template)
}

/// `GET /account`.
pub(super) async fn show(site: Site) -> Response {
    page(&site, site.page())
}

/// `POST /account`.
pub(super) async fn set(site: Site, form: CsrfForm<Pairs>) -> Response {
    let mail = match Fields(form.0).text("mail").as_str() {
        "digest" => MailWish::Digest,
        "at-once" => MailWish::AtOnce,
        _ => {
            let mut layout = site.page();
            layout.wrong("mail", "wrong-mail");
            return page(&site, layout);
        }
    };
    let form = PersonForm { mail: Some(mail), ..PersonForm::default() };
    match site.node().change_person(&site.actor(), &site.who.account.id.to_string(), form).await {
        Ok(_) => site.go("/account", Some("said-saved")),
        Err(ApplicationError::Invalid(errors)) => {
            let mut layout = site.page();
            layout.wrong_all(&errors);
            page(&site, layout)
        }
        Err(error) => site.failed(&error),
    }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let account = Shown {
        name: text(),
        function: text(),
        phone: text(),
        email: text(),
        roles: vec!["role-professional"],
        teams: vec![text()],
        at_once: false,
    };
    vec![AccountPage { page, account }.render().unwrap()]
}

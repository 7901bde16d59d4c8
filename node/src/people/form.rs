//! Accounts and teams as they are typed in: checked, everything wrong at once.
//!
//! Not here: the form of requests ([`crate::api`]), and who may change what ([`super::access`]).

use std::collections::BTreeSet;

use kring_protocol::coordination::card::{Email, Name, Telephone};
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::id::{FunctionId, MemberId};
use kring_protocol::time::{Day, Timestamp};

use super::access::Colleagues;
use super::account::{Absence, Account, AccountId, MailWish, Role, SignInName, Team, TeamId};
use crate::api::{InvalidParam, NewAbsence, PersonForm};

/// Longest name of a team, in characters.
const TEAM_NAME_MAX: usize = 100;
/// Longest `sub` of a provider, in bytes (OpenID Connect Core section 2).
const SUB_MAX: usize = 255;
/// Longest user name, in bytes.
const USER_NAME_MAX: usize = 64;

type Errors = Vec<InvalidParam>;

/// Against what a form is checked.
#[derive(Debug)]
pub struct Known<'a> {
    /// Which functions there are.
    pub functions: BTreeSet<FunctionId>,
    /// All accounts.
    pub accounts: &'a [Account],
    /// All teams.
    pub teams: &'a [Team],
}

/// The functions of the purposes in which a member takes part.
#[must_use]
pub fn functions(covenant: &VerifiedCovenant, me: &MemberId) -> BTreeSet<FunctionId> {
    covenant.purposes_of(me).flat_map(|purpose| purpose.coordination().into_owned().functions).collect()
}

/// A new account.
///
/// # Errors
/// Everything that is wrong.
pub fn new_account(form: &PersonForm, known: &Known<'_>, now: Timestamp) -> Result<Account, Errors> {
    let fresh = Account {
        id: AccountId::random(),
        sign_in: form.sign_in.clone().unwrap_or_else(|| SignInName::Local(String::new())),
        name: String::new(),
        email: String::new(),
        phone: String::new(),
        function: None,
        roles: BTreeSet::new(),
        teams: BTreeSet::new(),
        active: true,
        absence: None,
        mail: MailWish::default(),
        created: now,
    };
    changed(fresh, form, known)
}

/// An account with what a form changes.
///
/// # Errors
/// Everything that is wrong.
pub fn changed(mut account: Account, form: &PersonForm, known: &Known<'_>) -> Result<Account, Errors> {
    let mut errors = Errors::new();
    if let Some(name) = &form.sign_in {
        check_sign_in(name, account.id, known, &mut errors);
        account.sign_in = name.clone();
    }
    if let Some(name) = &form.name {
        let parsed = name.parse::<Name>();
        account.name = taken(parsed.map(|name| name.as_str().to_owned()), "/name", &mut errors);
    }
    if let Some(email) = &form.email {
        let parsed = email.parse::<Email>();
        account.email = taken(parsed.map(|email| email.as_str().to_owned()), "/email", &mut errors);
    }
    if let Some(phone) = &form.phone {
        let parsed = phone.parse::<Telephone>().map(|phone| phone.as_str().to_owned());
        let parsed = if phone.trim().is_empty() { Ok(String::new()) } else { parsed };
        account.phone = taken(parsed, "/phone", &mut errors);
    }
    if let Some(function) = &form.function {
        account.function = check_function(function, known, &mut errors);
    }
    if let Some(roles) = &form.roles {
        account.roles = roles.iter().copied().collect::<BTreeSet<Role>>();
        if account.roles.is_empty() {
            errors
                .push(InvalidParam::body("/roles", "names no role; to end an account, set active to false"));
        }
    }
    if let Some(teams) = &form.teams {
        account.teams = check_teams(teams, known, &mut errors);
    }
    account.mail = form.mail.unwrap_or(account.mail);
    account.active = form.active.unwrap_or(account.active);
    if errors.is_empty() { Ok(account) } else { Err(errors) }
}

fn taken<E: std::fmt::Display>(parsed: Result<String, E>, pointer: &str, errors: &mut Errors) -> String {
    parsed.unwrap_or_else(|error| {
        errors.push(InvalidParam::body(pointer, error.to_string()));
        String::new()
    })
}

fn check_sign_in(name: &SignInName, of: AccountId, known: &Known<'_>, errors: &mut Errors) {
    let (pointer, good, expected) = match name {
        SignInName::Local(name) => {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_@".contains(c);
            let good = (1..=USER_NAME_MAX).contains(&name.len()) && name.chars().all(allowed);
            ("/signIn/local", good, "1 to 64 letters without accents, digits, and . - _ @")
        }
        SignInName::Provider(sub) => {
            let good = (1..=SUB_MAX).contains(&sub.len()) && sub.bytes().all(|byte| byte.is_ascii_graphic());
            ("/signIn/provider", good, "the provider's `sub`: 1 to 255 visible ASCII characters")
        }
    };
    if !good {
        errors.push(InvalidParam::body(pointer, expected));
    }
    if known.accounts.iter().any(|account| account.id != of && account.sign_in == *name) {
        errors.push(InvalidParam::body(
            pointer,
            "is another account's; an account that is not active counts too",
        ));
    }
}

fn check_function(function: &str, known: &Known<'_>, errors: &mut Errors) -> Option<FunctionId> {
    let found = function.trim().parse().ok().filter(|function| known.functions.contains(function));
    if found.is_none() {
        let all: Vec<_> = known.functions.iter().map(FunctionId::as_str).collect();
        let reason = format!("not one of the covenant's functions: {}", all.join(", "));
        errors.push(InvalidParam::body("/function", reason));
    }
    found
}

fn check_teams(teams: &[String], known: &Known<'_>, errors: &mut Errors) -> BTreeSet<TeamId> {
    let mut found = BTreeSet::new();
    for (n, team) in teams.iter().enumerate() {
        match team.parse().ok().filter(|id| known.teams.iter().any(|team| team.id == *id)) {
            Some(id) => {
                found.insert(id);
            }
            None => errors.push(InvalidParam::body(format!("/teams/{n}"), "is not the id of a team")),
        }
    }
    found
}

/// A new team.
///
/// # Errors
/// What is wrong.
pub fn new_team(name: &str, known: &[Team]) -> Result<Team, Errors> {
    let name = name.trim();
    let length = name.chars().count();
    let wrong = |reason: &str| Err(vec![InvalidParam::body("/name", reason)]);
    if !(1..=TEAM_NAME_MAX).contains(&length) || name.chars().any(char::is_control) {
        wrong("1 to 100 characters, without control characters")
    } else if known.iter().any(|team| team.name == name) {
        wrong("is another team's name")
    } else {
        Ok(Team { id: TeamId::random(), name: name.to_owned() })
    }
}

/// An absence of `account`.
///
/// # Errors
/// Everything that is wrong.
pub fn absence(
    new: &NewAbsence,
    account: &Account,
    people: &impl Colleagues,
    today: Day,
) -> Result<Absence, Errors> {
    let mut errors = Errors::new();
    if new.until < today {
        errors.push(InvalidParam::body("/untilDate", "has passed"));
    }
    let substitute = new.substitute.as_deref().and_then(|id| {
        let found = professional(id, people).filter(|other| other.id != account.id);
        if found.is_none() {
            let reason = "is not the id of an active professional other than the one who is away";
            errors.push(InvalidParam::body("/substitute", reason));
        }
        found.map(|account| account.id)
    });
    if errors.is_empty() { Ok(Absence { from: new.from, until: new.until, substitute }) } else { Err(errors) }
}

/// The active professional with this id.
pub fn professional(id: &str, people: &impl Colleagues) -> Option<Account> {
    let id = id.parse().ok()?;
    people.account(&id).filter(|account| account.acts_as(Role::Professional))
}

#[cfg(test)]
mod tests;

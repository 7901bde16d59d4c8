//! Forms: everything wrong with them at once, and nothing of it taken over.

use kring_protocol::id::Reference;

use super::*;

fn known<'a>(accounts: &'a [Account], teams: &'a [Team]) -> Known<'a> {
    Known { functions: ["teacher".parse().unwrap()].into(), accounts, teams }
}

fn team(n: u8) -> Team {
    Team { id: TeamId(Reference::from_bytes([n; 16])), name: format!("Team {n}") }
}

fn good() -> PersonForm {
    PersonForm {
        sign_in: Some(SignInName::Local("a.bakker".into())),
        name: Some("  Anna Bakker ".into()),
        email: Some("anna@partner.example".into()),
        phone: Some("010 123 45 67".into()),
        function: Some("teacher".into()),
        roles: Some(vec![Role::Professional]),
        teams: Some(vec![team(1).id.to_string()]),
        mail: Some(MailWish::AtOnce),
        active: None,
    }
}

fn pointers<T: std::fmt::Debug>(result: Result<T, Errors>) -> Vec<String> {
    result.unwrap_err().into_iter().map(|error| error.name).collect()
}

fn account() -> Account {
    new_account(&good(), &known(&[], &[team(1)]), Timestamp::from_secs(7)).unwrap()
}

#[test]
fn a_good_form_makes_an_account_in_the_form_of_cards() {
    let account = account();
    assert_eq!((account.name.as_str(), account.phone.as_str()), ("Anna Bakker", "+31101234567"));
    assert_eq!(
        (account.active, account.mail, account.created),
        (true, MailWish::AtOnce, Timestamp::from_secs(7))
    );
    assert_eq!((&account.roles, &account.teams), (&[Role::Professional].into(), &[team(1).id].into()));
    let nothing = changed(account.clone(), &PersonForm::default(), &known(&[], &[])).unwrap();
    assert_eq!(nothing, account, "what is not named stays");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let form = PersonForm {
        sign_in: Some(SignInName::Local("Ändrea".into())),
        name: Some("<b>".into()),
        email: Some("anna".into()),
        phone: Some("12".into()),
        function: Some("boss".into()),
        roles: Some(Vec::new()),
        teams: Some(vec![team(1).id.to_string(), team(2).id.to_string(), "x".into()]),
        ..good()
    };
    let wrong = pointers(new_account(&form, &known(&[], &[team(1)]), Timestamp::from_secs(0)));
    assert_eq!(
        wrong,
        ["/signIn/local", "/name", "/email", "/phone", "/function", "/roles", "/teams/1", "/teams/2"]
    );
    let form = PersonForm { sign_in: Some(SignInName::Provider("a b".into())), ..good() };
    assert_eq!(
        pointers(new_account(&form, &known(&[], &[team(1)]), Timestamp::from_secs(0))),
        ["/signIn/provider"]
    );
}

#[test]
fn a_sign_in_name_is_one_accounts_also_when_that_is_not_active() {
    let first = Account { active: false, ..account() };
    let teams = [team(1)];
    let others = [first.clone()];
    let known = known(&others, &teams);
    assert_eq!(pointers(new_account(&good(), &known, Timestamp::from_secs(0))), ["/signIn/local"]);
    assert!(changed(first, &good(), &known).is_ok(), "its own");
}

#[test]
fn a_phone_number_can_be_taken_away() {
    let form = PersonForm { phone: Some(" ".into()), ..PersonForm::default() };
    assert_eq!(changed(account(), &form, &known(&[], &[])).unwrap().phone, "");
    assert!(form.is_contact_only());
    assert!(!PersonForm { active: Some(true), ..form }.is_contact_only());
}

#[test]
fn teams_have_names_of_their_own() {
    assert_eq!(new_team(" Noord ", &[]).unwrap().name, "Noord");
    for name in ["", " ", "Team 1", "a\nb", &"x".repeat(101)] {
        assert_eq!(pointers(new_team(name, &[team(1)])), ["/name"], "{name:?}");
    }
}

struct One(Account);

impl Colleagues for One {
    fn account(&self, id: &AccountId) -> Option<Account> {
        (*id == self.0.id).then(|| self.0.clone())
    }

    fn supervisors(&self, _: Option<&TeamId>) -> Vec<Account> {
        Vec::new()
    }
}

#[test]
fn a_substitute_is_another_active_professional() {
    let (me, other) = (account(), account());
    let today = Day::from_days(20_000);
    let new = |until: u32, substitute: &Account| NewAbsence {
        from: today,
        until: Day::from_days(until),
        substitute: Some(substitute.id.to_string()),
    };
    let taken = absence(&new(20_003, &other), &me, &One(other.clone()), today).unwrap();
    assert_eq!((taken.until, taken.substitute), (Day::from_days(20_003), Some(other.id)));
    let left = Account { active: false, ..other.clone() };
    let supervisor = Account { roles: [Role::Supervisor].into(), ..other.clone() };
    for people in [One(left), One(supervisor), One(account())] {
        assert_eq!(pointers(absence(&new(20_003, &other), &me, &people, today)), ["/substitute"]);
    }
    let wrong = absence(&new(19_999, &me), &me, &One(me.clone()), today);
    assert_eq!(pointers(wrong), ["/untilDate", "/substitute"]);
}

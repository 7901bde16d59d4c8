//! Every rule, for every role and every relation to a case, as a table that people can read.

use std::collections::{BTreeMap, BTreeSet};

use kring_protocol::id::Reference;
use kring_protocol::time::{Day, Timestamp};

use super::*;
use crate::people::account::{Absence, MailWish, SignInName};

const TODAY: Day = Day::from_days(20_000);

fn account_id(n: u8) -> AccountId {
    AccountId(Reference::from_bytes([n; 16]))
}

fn team(n: u8) -> TeamId {
    TeamId(Reference::from_bytes([n; 16]))
}

fn person(n: u8, roles: &[Role], teams: &[u8]) -> Account {
    Account {
        id: account_id(n),
        sign_in: SignInName::Local(format!("user{n}")),
        name: "N".into(),
        email: "n@partner.example".into(),
        phone: String::new(),
        function: None,
        roles: roles.iter().copied().collect(),
        teams: teams.iter().map(|n| team(*n)).collect(),
        active: true,
        absence: None,
        mail: MailWish::Digest,
        created: Timestamp::from_secs(0),
    }
}

#[derive(Default)]
struct World(BTreeMap<AccountId, Account>);

impl World {
    fn of(accounts: impl IntoIterator<Item = Account>) -> Self {
        Self(accounts.into_iter().map(|account| (account.id, account)).collect())
    }
}

impl Colleagues for World {
    fn account(&self, id: &AccountId) -> Option<Account> {
        self.0.get(id).cloned()
    }

    fn supervisors(&self, team: Option<&TeamId>) -> Vec<Account> {
        let here = |account: &&Account| {
            account.acts_as(Role::Supervisor) && team.is_none_or(|team| account.teams.contains(team))
        };
        self.0.values().filter(here).cloned().collect()
    }
}

/// In the order of [`Role::ALL`]: professional, supervisor, privacy officer, board auditor, functional and technical
/// administrator.
const ROLE_TABLE: [(Act, &str); 12] = [
    (Act::MakeSignal, "x....."),
    (Act::WorkOnCases, "xx...."),
    (Act::SignalsWithoutOwner, ".x...."),
    (Act::AssignCases, ".x...."),
    (Act::Import, "....x."),
    (Act::AccessRequest, "..x..."),
    (Act::Erase, "..x..."),
    (Act::ReadNames, "xx..xx"),
    (Act::ChangePeople, "....x."),
    (Act::ReadNetwork, ".....x"),
    (Act::ReadCovenant, "...x.x"),
    (Act::ReadAudit, "..xx.."),
];

#[test]
fn every_act_is_for_the_roles_of_the_table() {
    assert_eq!(ROLE_TABLE.map(|(act, _)| act).as_slice(), Act::ALL);
    for (act, row) in ROLE_TABLE {
        assert!(may(&Viewer::System, act), "{act:?}: scopes are what limits a system");
        for (role, mark) in Role::ALL.iter().zip(row.chars()) {
            let mut account = person(1, &[*role], &[1]);
            assert_eq!(may(&Viewer::Person(account.clone()), act), mark == 'x', "{act:?} as {role}");
            account.active = false;
            assert!(!may(&Viewer::Person(account), act), "{act:?} as {role} who left");
        }
    }
}

#[test]
fn several_roles_are_their_union() {
    for (act, row) in ROLE_TABLE {
        for bits in 0..1_u8 << Role::ALL.len() {
            let has = |n: &usize| bits >> n & 1 == 1;
            let roles: Vec<_> = (0..Role::ALL.len()).filter(has).map(|n| Role::ALL[n]).collect();
            let expected = (0..Role::ALL.len()).filter(has).any(|n| row.as_bytes()[n] == b'x');
            assert_eq!(may(&Viewer::Person(person(1, &roles, &[])), act), expected, "{act:?} {roles:?}");
        }
    }
}

/// What of See, Change, Assign and TakeOver somebody may who has this relation to a case, as a professional, as a
/// supervisor of the case's team, and as a supervisor of another team. Team 1 is the case's; account 9 its owner.
const RELATIONS: [(&str, &str, &str, &str); 12] = [
    // relation           professional supervisor other-team supervisor
    ("own", "SC..", "SCA.", "...."),
    ("own team", "S...", "SCA.", "...."),
    ("other team", "....", "SCA.", "...."),
    ("stands in today", "SC..", "SCA.", "...."),
    ("stood in yesterday", "....", "SCA.", "...."),
    ("stands in tomorrow", "....", "SCA.", "...."),
    ("stands in for one who left", "....", "SCA.", "...."),
    ("offered", "S..T", "SCA.", "...."),
    ("no owner, team", "....", "SCA.", "...."),
    ("no owner, no team", "....", "SCA.", "SCA."),
    ("owner left, no team", "....", "SCA.", "SCA."),
    ("team without supervisor", "....", "SCA.", "SCA."),
];

/// The case and the people around it. `me` is account 1.
fn world(relation: &str, mut me: Account) -> (Ownership, World, Account) {
    let mut of = Ownership { owner: Some(account_id(9)), team: Some(team(1)), offered_to: None };
    let mut owner = person(9, &[Role::Professional], &[1]);
    let others = [person(7, &[Role::Supervisor], &[1]), person(8, &[Role::Supervisor], &[2])];
    let away = |from: u32, until: u32| Absence {
        from: Day::from_days(from),
        until: Day::from_days(until),
        substitute: Some(account_id(1)),
    };
    match relation {
        "own" => of.owner = Some(me.id),
        "own team" => {
            me.teams.insert(team(1));
        }
        "stands in today" => owner.absence = Some(away(20_000, 20_000)),
        "stood in yesterday" => owner.absence = Some(away(19_000, 19_999)),
        "stands in tomorrow" => owner.absence = Some(away(20_001, 20_002)),
        "stands in for one who left" => {
            owner.absence = Some(away(20_000, 20_000));
            owner.active = false;
        }
        "offered" => of.offered_to = Some(me.id),
        "no owner, team" => of.owner = None,
        "no owner, no team" => (of.owner, of.team) = (None, None),
        "owner left, no team" => {
            of.team = None;
            owner.active = false;
        }
        "team without supervisor" => of.team = Some(team(3)),
        _ => assert_eq!(relation, "other team"),
    }
    let people = World::of(others.into_iter().chain([owner, me.clone()]));
    (of, people, me)
}

fn rights(viewer: &Viewer, of: &Ownership, people: &World) -> String {
    let letter = |(act, letter): (&CaseAct, char)| {
        if may_with(viewer, *act, of, people, TODAY) { letter } else { '.' }
    };
    CaseAct::ALL.iter().zip("SCAT".chars()).map(letter).collect()
}

#[test]
fn every_relation_gives_the_rights_of_the_table() {
    for (relation, professional, supervisor, of_another_team) in RELATIONS {
        let columns = [
            (person(1, &[Role::Professional], &[2]), professional),
            (person(1, &[Role::Supervisor], &[1, 3]), supervisor),
            (person(1, &[Role::Supervisor], &[2]), of_another_team),
        ];
        for (n, (me, expected)) in columns.into_iter().enumerate() {
            // Who is of a team is not of another one.
            if relation == "own team" && n == 2 {
                continue;
            }
            let (of, people, me) = world(relation, me);
            assert_eq!(rights(&Viewer::Person(me), &of, &people), expected, "{relation}, column {n}");
        }
        let both = person(1, &[Role::Professional, Role::Supervisor], &[1, 3]);
        let (of, people, both) = world(relation, both);
        let union: String = professional
            .chars()
            .zip(supervisor.chars())
            .map(|(one, other)| if one == '.' { other } else { one })
            .collect();
        let got = rights(&Viewer::Person(both), &of, &people);
        // A member of the case's team sees it anyway.
        assert_eq!(got, union, "{relation} with both roles");
    }
}

#[test]
fn the_other_roles_and_who_left_have_no_case_whatever_the_relation() {
    for (relation, ..) in RELATIONS {
        for role in &Role::ALL[2..] {
            let (of, people, me) = world(relation, person(1, &[*role], &[1, 2, 3]));
            assert_eq!(rights(&Viewer::Person(me), &of, &people), "....", "{relation} as {role}");
        }
        for role in &Role::ALL[..2] {
            let left = Account { active: false, ..person(1, &[*role], &[1, 2, 3]) };
            let (of, people, me) = world(relation, left);
            assert_eq!(rights(&Viewer::Person(me), &of, &people), "....", "{relation} as {role} who left");
        }
        let (of, people, _) = world(relation, person(1, &[Role::Professional], &[]));
        assert_eq!(rights(&Viewer::System, &of, &people), "SCA.", "a system is offered nothing");
    }
}

#[test]
fn an_account_without_the_role_owns_nothing() {
    let of = Ownership { owner: Some(account_id(1)), team: None, offered_to: None };
    for role in &Role::ALL[1..] {
        assert_eq!(owner(&of, &World::of([person(1, &[*role], &[])])), None);
    }
    assert!(owner(&of, &World::of([person(1, Role::ALL, &[])])).is_some());
    assert_eq!(owner(&of, &World::default()), None);
}

#[test]
fn supervisors_are_those_of_the_team_or_all() {
    let inactive = Account { active: false, ..person(4, &[Role::Supervisor], &[2]) };
    let people = World::of([
        person(1, &[Role::Supervisor], &[1]),
        person(2, &[Role::Supervisor], &[1, 2]),
        person(3, &[Role::Professional], &[1]),
        inactive,
    ]);
    let ids = |of: &Ownership| -> BTreeSet<_> {
        supervisors(of, &people).iter().map(|account| account.id).collect()
    };
    let of = |n: Option<u8>| Ownership { team: n.map(team), ..Ownership::default() };
    assert_eq!(ids(&of(Some(2))), [account_id(2)].into());
    assert_eq!(ids(&of(Some(1))), [account_id(1), account_id(2)].into());
    assert_eq!(ids(&of(Some(3))), [account_id(1), account_id(2)].into());
    assert_eq!(ids(&of(None)), [account_id(1), account_id(2)].into());
}

/// What of SeeName, Absence, Contact, Standing each role may with an account: its own, one of the same team, one of another.
const ACCOUNTS: [(&str, &str, &str); 6] = [
    ("NAC.", "N...", "N..."),
    ("NAC.", "NA..", "N..."),
    ("NAC.", "....", "...."),
    ("NAC.", "....", "...."),
    ("NAC.", "NACS", "NACS"),
    ("NAC.", "N...", "N..."),
];

#[test]
fn every_role_sees_and_changes_of_accounts_what_the_table_says() {
    let rights = |viewer: &Viewer, account: &Account| -> String {
        let letter = |(act, letter): (&AccountAct, char)| {
            if may_with_account(viewer, *act, account) { letter } else { '.' }
        };
        AccountAct::ALL.iter().zip("NACS".chars()).map(letter).collect()
    };
    for (role, (own, same_team, other)) in Role::ALL.iter().zip(ACCOUNTS) {
        let me = person(1, &[*role], &[1]);
        let viewer = Viewer::Person(me.clone());
        assert_eq!(rights(&viewer, &me), own, "{role}: own");
        assert_eq!(rights(&viewer, &person(2, Role::ALL, &[1, 2])), same_team, "{role}: same team");
        assert_eq!(rights(&viewer, &person(2, Role::ALL, &[2])), other, "{role}: other team");
        let left = Viewer::Person(Account { active: false, ..me.clone() });
        assert_eq!(rights(&left, &me), "....", "{role} who left");
    }
    assert_eq!(rights(&Viewer::System, &person(1, &[], &[])), "NACS");
}

#[test]
fn the_daily_work_is_the_owners_or_else_the_supervisors() {
    let works = |relation: &str, me: Account| {
        let (of, people, me) = world(relation, me);
        works_on(&Viewer::Person(me), &of, &people, TODAY)
    };
    for (relation, ..) in RELATIONS {
        let professional = person(1, &[Role::Professional], &[2]);
        let expected = ["own", "stands in today"].contains(&relation);
        assert_eq!(works(relation, professional), expected, "{relation}");
        let without = relation.starts_with("no owner")
            || ["own", "stands in for one who left", "owner left, no team"].contains(&relation);
        // As a supervisor alone, who is named as owner owns nothing.
        let supervisor = person(1, &[Role::Supervisor], &[1, 3]);
        assert_eq!(works(relation, supervisor), without, "{relation}");
    }
}

//! Every route, for every role and every relation to what it is about: no access that is not intended, and the same answer
//! for what is not the asker's and what is not there. And every single check is needed: taken away, a row differs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rows::{About, Row, rows};
use super::world::{Asker, World, match_of, random};
use crate::api::route_list;
use crate::application::permit::removed::{self, Site};
use crate::people::{AccountId, Role};

/// A case that this row is asked about, made for this one question; none for the last letter.
async fn subject(world: &World, asker: &Asker, relation: usize) -> Option<crate::cases::Case> {
    let me = asker.account.unwrap_or(world.colleagues[0]);
    let [one, two] = world.teams;
    let [colleague, other] = world.colleagues;
    let away = if relation == 3 { Some(world.away_owner(me).await) } else { None };
    let (owner, team, offered_to) = match relation {
        0 => (Some(me), None, None),
        1 => (Some(colleague), Some(one), None),
        2 => (Some(other), Some(two), None),
        3 => (away, Some(two), None),
        4 => (Some(other), Some(two), Some(me)),
        5 => (None, None, None),
        _ => return None,
    };
    let set = |case: &mut crate::cases::Case| {
        (case.owner, case.team, case.offered_to) = (owner, team, offered_to);
    };
    Some(world.case(set).await)
}

fn letter(status: u16) -> char {
    match status {
        200..300 => '+',
        403 => 'f',
        404 => '-',
        409 => 'c',
        401 => 'n',
        _ => '?',
    }
}

/// What one asker gets from one row, and the bodies.
async fn answers(world: &World, row: &Row, asker: Option<&Asker>) -> (String, Vec<Value>) {
    let (mut letters, mut bodies) = (String::new(), Vec::new());
    let stranger = world.system.clone();
    for relation in 0..row.about.letters() {
        let case = match row.about {
            About::Case | About::ListOfCases => subject(world, asker.unwrap_or(&stranger), relation).await,
            _ => None,
        };
        let nothing = random().to_string();
        let id = match (row.about, &case) {
            (About::Account, _) => account(world, asker, relation),
            (_, Some(case)) if row.path.starts_with("/notices") => world.notice(case),
            (_, Some(case)) => case.id.0.to_string(),
            (_, None) => nothing.clone(),
        };
        let to = world.colleagues[usize::from(relation != 2 && relation != 4)].to_string();
        let reference = case.as_ref().map_or(nothing, |case| case.case_reference.clone());
        let match_id = case.as_ref().map_or_else(|| random().to_string(), match_of);
        let body = (row.body)(&reference, &match_id, &to);
        let path = format!("{}{}", row.path.replace("{id}", &id), row.query);
        let (status, answer) = world.ask(asker, row.method.as_str(), &path, &body, &[]).await;
        let listed = |list: &Vec<Value>| list.iter().any(|one| one["caseReference"] == reference);
        let got = match (row.about, answer.as_array()) {
            (About::ListOfCases, Some(list)) => {
                if listed(list) {
                    '+'
                } else {
                    '-'
                }
            }
            _ => letter(status),
        };
        letters.push(got);
        bodies.push(json!([status, answer]));
    }
    (letters, bodies)
}

fn account(world: &World, asker: Option<&Asker>, relation: usize) -> String {
    let own = asker.and_then(|asker| asker.account).unwrap_or(world.colleagues[0]);
    let none = AccountId::random();
    [own, world.colleagues[0], world.colleagues[1], none][relation].to_string()
}

/// What differs from what is intended, in words; none when nothing does.
async fn differs(world: &World, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    let askers = world.roles.iter().chain([&world.system]);
    for (asker, expected) in askers.zip(row.expected) {
        let (got, bodies) = answers(world, row, Some(asker)).await;
        if got != expected {
            wrong.push(format!(
                "{} {}{} as {}: {got}, not {expected}",
                row.method, row.path, row.query, asker.name
            ));
        }
        // What is not theirs is answered to the letter as what is not there.
        let hidden: BTreeSet<_> = got
            .chars()
            .zip(&bodies)
            .filter(|(letter, _)| row.about != About::ListOfCases && *letter == '-')
            .map(|(_, body)| body.to_string())
            .collect();
        if hidden.len() > 1 {
            wrong.push(format!("{} {} as {}: {hidden:?}", row.method, row.path, asker.name));
        }
    }
    wrong
}

/// Without the right token there is nothing, whatever it is about.
async fn differs_without_token(world: &World, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    if row.scope.is_empty() {
        return wrong;
    }
    let all = |letter: &str| letter.repeat(row.about.letters());
    let (_, without) = world.without.iter().find(|(scope, _)| *scope == row.scope).unwrap();
    let askers =
        [("nobody", None, "n"), ("who left", Some(&world.left), "n"), ("no scope", Some(without), "f")];
    for (name, asker, expected) in askers {
        let (got, bodies) = answers(world, row, asker).await;
        let same: BTreeSet<_> = bodies.iter().map(ToString::to_string).collect();
        if got != all(expected) || same.len() > 1 {
            wrong.push(format!("{} {}: {name} gets {got}: {same:?}", row.method, row.path));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_route_answers_every_role_as_intended() {
    let world = World::new().await;
    let rows = rows();
    let known: BTreeSet<_> = rows.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let served: BTreeSet<_> = route_list::<crate::application::Node>().into_iter().collect();
    assert_eq!(served, known, "every route has a row, and every row a route");
    let mut wrong = Vec::new();
    for row in &rows {
        wrong.extend(differs(&world, row).await);
        wrong.extend(differs_without_token(&world, row).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.roles.len(), Role::ALL.len());
}

/// The checks in the source, by file and line.
fn checks_in_source() -> BTreeSet<(&'static str, u32)> {
    let sources = [
        ("node/src/application.rs", include_str!("../../application.rs")),
        ("node/src/application/staff.rs", include_str!("../staff.rs")),
    ];
    let calls = [".allowed(", ".allowed_case(", ".allowed_account(", ".may("];
    let lines = sources
        .into_iter()
        .flat_map(|(file, source)| (1..).zip(source.lines()).map(move |(n, line)| (file, n, line)));
    lines
        .filter(|(_, _, line)| calls.iter().any(|call| line.contains(call)))
        .map(|(file, n, _)| (file, n))
        .collect()
}

/// A request that was done is not answered again to who may not see any more what came of it.
async fn repeated_after_it_was_given_away(world: &World) -> bool {
    let professional = &world.roles[0];
    let reference = random().to_string();
    let body = json!({ "caseReference": reference, "persons": [{ "role": "child", "bsn": "999990019" }] });
    let key = random().to_string();
    let headers = [("idempotency-key", key.as_str())];
    let (status, made) = world.ask(Some(professional), "POST", "/signals", &body, &headers).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/signals/{}/assign", made["id"].as_str().unwrap());
    let to = json!({ "to": world.colleagues[1].to_string() });
    assert_eq!(world.ask(Some(&world.system), "POST", &path, &to, &[]).await.0, 200);
    world.ask(Some(professional), "POST", "/signals", &body, &headers).await.0 == 404
}

/// Takes away one check after the other, and sees that the rows differ then.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_any_one_check_a_row_differs() {
    let world = World::new().await;
    let rows = rows();
    let mut used: BTreeMap<Site, Vec<usize>> = BTreeMap::new();
    removed::refused(&world.node);
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(differs(&world, row).await, Vec::<String>::new(), "{row:?}");
        removed::refused(&world.node).into_iter().for_each(|site| used.entry(site).or_default().push(n));
    }
    assert!(repeated_after_it_was_given_away(&world).await);
    let repeated: BTreeSet<_> = removed::refused(&world.node);
    let places: BTreeSet<_> = used.keys().chain(&repeated).map(|(file, line, _)| (*file, *line)).collect();
    assert_eq!(places, checks_in_source(), "every check refuses somebody something");
    for (site, rows_of_it) in &used {
        removed::take(&world.node, Some(*site));
        let mut noticed = false;
        for n in rows_of_it {
            noticed = noticed || !differs(&world, &rows[*n]).await.is_empty();
        }
        removed::take(&world.node, None);
        assert!(noticed, "nobody notices that {site:?} is missing");
        eprintln!("taken away and noticed: {site:?}");
    }
    for site in repeated.iter().filter(|site| !used.contains_key(site)) {
        removed::take(&world.node, Some(*site));
        assert!(!repeated_after_it_was_given_away(&world).await, "nobody notices that {site:?} is missing");
        removed::take(&world.node, None);
        eprintln!("taken away and noticed: {site:?}");
    }
}

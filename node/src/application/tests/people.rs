//! People, absences and hand-over, over the API of one node.

use kring_protocol::log::entry::{Kind, Outcome};
use serde_json::{Value, json};

use super::world::{World, account, random};
use crate::people::{Account, AccountId, MailWish, People, Recipient, Role};
use crate::store::Table;

/// How often this stands in the audit log.
fn logged(world: &World, kind: Kind, outcome: Outcome) -> usize {
    let records = world.core().audit.records(0, 1_000).unwrap();
    let same = |entry: &&crate::audit::LocalRecord| {
        entry.record.entry.kind == kind && entry.record.entry.outcome == outcome
    };
    records.iter().filter(same).count()
}

#[tokio::test]
async fn an_account_lives_through_a_restart_and_is_sealed() {
    let world = World::new().await;
    let administrator = &world.roles[4];
    let body = json!({
        "signIn": { "local": "B.Blom" }, "name": "Bea Blom", "email": "bea@partner.example", "phone": "0101234567",
        "function": "teacher", "roles": ["professional", "supervisor"], "teams": [world.teams[0].to_string()],
    });
    let headers = [("idempotency-key", "once")];
    let (status, made) = world.ask(Some(administrator), "POST", "/people", &body, &headers).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["signIn"], json!({ "local": "b.blom" }));
    assert_eq!(made["roles"], json!(["professional", "supervisor"]));
    let again = world.ask(Some(administrator), "POST", "/people", &body, &headers).await;
    assert_eq!(again, (201, made.clone()), "done once");
    let (status, problem) = world.ask(Some(administrator), "POST", "/people", &body, &[]).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (400, &json!("#/signIn/local")), "{problem}");

    let loaded = People::load(std::sync::Arc::clone(&world.node.core)).unwrap();
    let id: AccountId = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(loaded.get(&id), world.node.people.get(&id));
    assert_eq!(loaded.find(&loaded.get(&id).unwrap().sign_in).unwrap().id, id);
    assert_eq!(
        (loaded.accounts(), loaded.teams()),
        (world.node.people.accounts(), world.node.people.teams())
    );
    for table in [Table::Account, Table::Team] {
        for (_, sealed) in world.core().store.scan_all(table).unwrap() {
            let text = String::from_utf8_lossy(&sealed).into_owned();
            assert!(["Bea", "blom", "Team"].iter().all(|word| !text.contains(word)));
        }
    }
}

#[tokio::test]
async fn everybody_sees_as_much_of_a_colleague_as_they_may() {
    let world = World::new().await;
    let path = format!("/people/{}", world.colleagues[0]);
    let fields = |person: &Value| person.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let name = "active function id name teams";
    let all = "active away createdAt email function id mail name phone roles signIn teams";
    let expected = [name, "active away function id name teams", "", "", all, name];
    for (asker, expected) in world.roles.iter().zip(expected) {
        let (status, person) = world.ask(Some(asker), "GET", &path, &Value::Null, &[]).await;
        if expected.is_empty() {
            assert_eq!(status, 404);
        } else {
            assert_eq!(fields(&person), expected, "{}", asker.name);
        }
        let own = format!("/people/{}", asker.account.unwrap());
        let (_, person) = world.ask(Some(asker), "GET", &own, &Value::Null, &[]).await;
        assert_eq!(fields(&person), all, "{}: their own", asker.name);
    }
}

#[tokio::test]
async fn refusals_are_logged_with_who_asked() {
    let world = World::new().await;
    let professional = &world.roles[0];
    let before = logged(&world, Kind::AccessRefused, Outcome::Refused);
    let unknown = format!("/signals/{}", random());
    for path in ["/network", &unknown, "/people/nobody"] {
        let (status, _) = world.ask(Some(professional), "GET", path, &Value::Null, &[]).await;
        assert!([403, 404].contains(&status), "{path}");
    }
    assert_eq!(logged(&world, Kind::AccessRefused, Outcome::Refused), before + 3);
}

#[tokio::test]
async fn a_signal_is_its_makers_and_names_them_to_others() {
    let world = World::new().await;
    let professional = &world.roles[0];
    let me = professional.account.unwrap().to_string();
    let body = json!({ "caseReference": "x", "persons": [{ "role": "child", "bsn": "999990019" }] });
    let (_, made) = world.ask(Some(professional), "POST", "/signals", &body, &[]).await;
    assert_eq!((&made["owner"], &made["team"]), (&json!(me), &json!(world.teams[0].to_string())));
    let case = world.node.partner.cases().iter().find(|case| case.case_reference == "x").cloned().unwrap();
    assert_eq!(case.contact.unwrap().name, "Anna Bakker", "whoever owns it is who others reach");

    let mut other = body.clone();
    other["owner"] = json!(world.colleagues[0].to_string());
    let (status, problem) = world.ask(Some(professional), "POST", "/signals", &other, &[]).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (400, &json!("#/owner")), "{problem}");
    let (_, kept) = world.ask(Some(&world.system), "POST", "/signals", &body, &[]).await;
    assert_eq!(kept["owner"], json!(me), "a system that names nobody changes nothing");
    let (_, given) = world.ask(Some(&world.system), "POST", "/signals", &other, &[]).await;
    assert_eq!(given["owner"], other["owner"]);
    other["owner"] = json!(world.roles[1].account.unwrap().to_string());
    let (status, _) = world.ask(Some(&world.system), "POST", "/signals", &other, &[]).await;
    assert_eq!(status, 400, "a supervisor owns nothing");
}

#[tokio::test]
async fn a_signal_is_handed_over_when_the_colleague_accepts() {
    let world = World::new().await;
    let [professional, supervisor] = [&world.roles[0], &world.roles[1]];
    let me = professional.account.unwrap();
    let case = world.case(|case| case.owner = Some(world.colleagues[1])).await;
    let path = format!("/signals/{}", case.id.0);
    let offer = json!({ "to": me.to_string() });
    let offered = world.ask(Some(&world.system), "POST", &format!("{path}/hand-over"), &offer, &[]).await;
    assert_eq!(offered.1["offeredTo"], offer["to"]);
    assert_eq!(offered.1["owner"], json!(world.colleagues[1].to_string()), "not before it is accepted");
    for _ in 0..2 {
        let (status, taken) =
            world.ask(Some(professional), "POST", &format!("{path}/accept"), &Value::Null, &[]).await;
        assert_eq!((status, &taken["owner"], &taken["offeredTo"]), (200, &offer["to"], &Value::Null));
        assert_eq!(taken["team"], json!(world.teams[0].to_string()));
    }
    // Who leaves owns nothing any more, and the supervisor gives it to somebody.
    world.put(Account { active: false, ..account(me, &[Role::Professional], &world.teams[..1]) }).await;
    let without = world.ask(Some(supervisor), "GET", "/signals?owner=none", &Value::Null, &[]).await.1;
    assert_eq!(without.as_array().unwrap().len(), 1);
    assert_eq!(without[0]["owner"], Value::Null);
    let to = json!({ "to": world.colleagues[0].to_string() });
    let (status, assigned) = world.ask(Some(supervisor), "POST", &format!("{path}/assign"), &to, &[]).await;
    assert_eq!((status, &assigned["owner"]), (200, &to["to"]));
    let without = world.ask(Some(supervisor), "GET", "/signals?owner=none", &Value::Null, &[]).await.1;
    assert_eq!(without, json!([]));
    let (status, _) = world
        .ask(Some(supervisor), "POST", &format!("{path}/assign"), &json!({ "to": me.to_string() }), &[])
        .await;
    assert_eq!(status, 400, "who has left gets nothing");
}

#[tokio::test]
async fn who_declines_leaves_the_signal_with_its_owner_who_is_told() {
    let world = World::new().await;
    let [me, owner] = [world.roles[0].account.unwrap(), world.colleagues[1]];
    let case = world.case(|case| case.owner = Some(owner)).await;
    let path = format!("/signals/{}", case.id.0);
    let key = [("idempotency-key", "declined-once")];
    let offer = async |to: Value| {
        world.ask(Some(&world.system), "POST", &format!("{path}/hand-over"), &json!({ "to": to }), &[]).await
    };
    let decline = async || {
        world.ask(Some(&world.roles[0]), "POST", &format!("{path}/decline"), &Value::Null, &key).await
    };
    let standing = async || {
        let (_, signal) = world.ask(Some(&world.system), "GET", &path, &Value::Null, &[]).await;
        [&signal["owner"], &signal["offeredTo"], &signal["declinedBy"]].map(Value::clone)
    };
    let [me, owner] = [me, owner].map(|id| json!(id.to_string()));
    assert_eq!(decline().await.0, 404, "nobody offered it");
    offer(me.clone()).await;
    for _ in 0..2 {
        assert_eq!(decline().await, (200, json!({ "id": case.id.0.to_string() })));
        assert_eq!(standing().await, [owner.clone(), Value::Null, me.clone()]);
    }
    let accept = format!("{path}/accept");
    let (status, _) = world.ask(Some(&world.roles[0]), "POST", &accept, &Value::Null, &[]).await;
    assert_eq!(status, 404, "what was declined is not there any more");
    offer(me.clone()).await;
    assert_eq!(standing().await, [owner.clone(), me, Value::Null], "asked again");
    offer(Value::Null).await;
    assert_eq!(standing().await, [owner, Value::Null, Value::Null], "taken back");
    assert_eq!(decline().await.0, 404);
}

#[tokio::test]
async fn who_is_told_is_the_owner_with_their_substitute_or_else_the_supervisors() {
    let world = World::new().await;
    let substitute = world.colleagues[0];
    let owner = world.away_owner(substitute).await;
    let today = world.node.local_today();
    let of = |owner| crate::people::Ownership { owner, team: Some(world.teams[0]), offered_to: None };
    let ids = |of: &_, who, day| -> Vec<_> {
        world.node.people.recipients(of, who, day).into_iter().map(|account| account.id).collect()
    };
    let supervisor = world.roles[1].account.unwrap();
    assert_eq!(ids(&of(Some(owner)), Recipient::Owner, today), [owner, substitute]);
    assert_eq!(ids(&of(Some(owner)), Recipient::Owner, today.plus(1)), [owner]);
    assert_eq!(ids(&of(Some(owner)), Recipient::Supervisor, today), [supervisor]);
    assert_eq!(ids(&of(None), Recipient::Owner, today), [supervisor]);
    assert_eq!(ids(&of(world.left.account), Recipient::Owner, today), [supervisor]);
}

#[tokio::test]
async fn an_access_request_finds_what_is_held_and_with_whom_it_was_shared() {
    let world = World::new().await;
    let officer = &world.roles[2];
    let case = world.case(|_| ()).await;
    let before = logged(&world, Kind::AccessRequest, Outcome::Done);
    let ask = async |body: Value| world.ask(Some(officer), "POST", "/access-requests", &body, &[]).await;
    let (status, held) = ask(json!({ "bsn": "999990019" })).await;
    assert_eq!(status, 200, "{held}");
    let signal = &held["signals"][0];
    assert_eq!(signal["id"], json!(case.id.0.to_string()));
    assert_eq!((&signal["legalGround"], &signal["state"]), (&json!("Jeugdwet"), &json!("active")));
    assert_eq!(
        (&signal["persons"][0]["bsn"], &signal["persons"][0]["basis"]),
        (&json!("999990019"), &json!(["bsn"]))
    );
    let shared = &signal["shared"][0];
    assert_eq!(
        (&shared["partner"], &shared["live"], &shared["outcome"]),
        (&json!("b"), &json!(true), &Value::Null)
    );
    assert_eq!(ask(json!({ "bsn": "999990020" })).await.1, json!({ "signals": [] }));
    assert_eq!(logged(&world, Kind::AccessRequest, Outcome::Done), before + 1);
    assert_eq!(logged(&world, Kind::AccessRequest, Outcome::Nothing), 1);
    let (status, problem) = ask(json!({ "givenNames": "Sanne" })).await;
    assert_eq!(status, 400, "{problem}");
    let (status, problem) = ask(json!({ "bsn": "123", "birthDate": "never" })).await;
    assert_eq!((status, problem["errors"].as_array().unwrap().len()), (400, 2), "{problem}");
}

#[tokio::test]
async fn what_was_erased_can_not_be_read_with_all_keys_of_the_node() {
    let world = World::new().await;
    let officer = &world.roles[2];
    let case = world.case(|case| case.case_reference = "gone".into()).await;
    let other = world.case(|_| ()).await;
    let key = case.id.0.as_bytes();
    let name = crate::vault::KeyName::Case(case.id);
    let core = world.core();
    let sealed = core.store.get(Table::Case, key).unwrap().unwrap();
    let open = || core.vault.open_record::<crate::cases::Case>(&name, Table::Case, key, &sealed);
    assert!(open().is_ok());
    let slots = || std::fs::read(world.data("slots")).unwrap();
    let before = slots();
    let path = format!("/signals/{}/erase", case.id.0);
    let (status, answer) = world.ask(Some(officer), "POST", &path, &Value::Null, &[]).await;
    assert_eq!((status, answer), (200, json!({ "id": case.id.0.to_string() })));
    assert!(open().is_err(), "a copy of the record from before is noise");
    let after = slots();
    let changed: Vec<_> =
        before.chunks(64).zip(after.chunks(64)).filter(|(before, after)| before != after).collect();
    assert_eq!(changed.len(), 1, "one slot");
    assert!(changed[0].1.iter().all(|byte| *byte == 0), "and it is overwritten");
    for table in [Table::Case, Table::Cooperation, Table::Told] {
        assert_eq!(core.store.get(table, key).unwrap(), None, "{table:?}");
        assert!(core.store.get(table, other.id.0.as_bytes()).unwrap().is_some(), "{table:?} of another case");
    }
    assert_eq!(core.store.scan_all(Table::Match).unwrap().len(), 1, "the other case's");
    assert!(world.node.partner.matches().iter().all(|entry| entry.own == other.reference));
    let (status, _) = world.ask(Some(officer), "POST", &path, &Value::Null, &[]).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn who_looks_on_does_not_stop_the_reminders_of_who_works_on_it() {
    let world = World::new().await;
    let professional = &world.roles[0];
    let case = world.unanswered(|case| {
        (case.owner, case.team) = (Some(world.colleagues[0]), Some(world.teams[0]));
    });
    let case = case.await;
    let path = format!("/notices/{}", world.notice(&case));
    let state = || world.node.partner.cooperations().get(&case.id).unwrap().cooperation.clone();
    let before = state();
    assert_eq!(world.ask(Some(professional), "GET", &path, &Value::Null, &[]).await.0, 200);
    assert_eq!(state(), before, "a colleague's look is not the owner's");
    assert_eq!(world.ask(Some(&world.system), "GET", &path, &Value::Null, &[]).await.0, 200);
    assert_ne!(state(), before);
}

#[tokio::test]
async fn a_change_names_what_it_changes_and_nobody_raises_themselves() {
    let world = World::new().await;
    let administrator = &world.roles[4];
    let own = format!("/people/{}", administrator.account.unwrap());
    let (status, _) =
        world.ask(Some(administrator), "PATCH", &own, &json!({ "roles": ["professional"] }), &[]).await;
    assert_eq!(status, 403);
    let path = format!("/people/{}", world.colleagues[0]);
    let before = world.node.people.get(&world.colleagues[0]).unwrap();
    let (status, _) = world.ask(Some(administrator), "PATCH", &path, &json!({ "mail": "atOnce" }), &[]).await;
    let after = world.node.people.get(&world.colleagues[0]).unwrap();
    assert_eq!((status, after), (200, Account { mail: MailWish::AtOnce, ..before }));
}

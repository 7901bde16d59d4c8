//! From notice to cooperation: what professionals of two partners, and then of three, come to on running nodes.

use kring_node::clock::Clock;
use kring_node::store::{Batch, Table};
use kring_node::vault::KeyName;
use kring_protocol::calendar::{local_day, working_days_after};
use kring_protocol::codec;
use kring_protocol::conversation::{Message, MessageId, Says};
use kring_protocol::matching::Match;
use kring_protocol::matching::outbox::Said;
use kring_tests::caseload::{Person, signal};
use kring_tests::command;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, Hand};
use kring_tests::wait::until;
use serde_json::{Value, json};

use crate::hostile::MEMBERS;
use crate::signals::{SOON, add, match_ids, matches, network, no_notice, until_quiet};
use crate::wire::Records;

/// A day on which there can have been contact.
const CONTACT: &str = "2025-01-06";

fn contact(name: &str) -> Value {
    json!({ "name": name, "function": "teacher", "phone": "010 123 45 67", "email": "kaart@example.nl" })
}

/// As others get it.
fn card(name: &str) -> Value {
    json!({ "name": name, "function": "teacher", "phone": "+31101234567", "email": "kaart@example.nl" })
}

fn notice_id(node: &Node, case: &str) -> String {
    node.notice(case).unwrap()["id"].as_str().unwrap().to_owned()
}

/// One match of a notice.
fn found<'a>(notice: &'a Value, match_id: &str) -> &'a Value {
    let matches = notice["matches"].as_array().unwrap();
    matches.iter().find(|one| one["matchId"] == match_id).unwrap_or_else(|| panic!("{match_id}: {notice}"))
}

/// Waits until what a node shows of a match is so.
fn sees(node: &Node, case: &str, match_id: &str, what: &str, so: impl Fn(&Value, &Value) -> bool) -> Value {
    let what = format!("{}: {what}", node.dir().display());
    until(&what, SOON, || {
        let notice = node.notice(case)?;
        let matched = notice["matches"].as_array()?.iter().find(|one| one["matchId"] == match_id)?.clone();
        so(&notice, &matched).then_some(notice)
    })
}

/// Takes a step that is allowed, and gives the answer.
fn does(node: &Node, case: &str, step: &str, body: &Value) -> Value {
    let (status, answer) = node.post(&format!("/notices/{}/{step}", notice_id(node, case)), body);
    assert_eq!(status, 200, "{step} {body}: {answer}");
    answer
}

/// Takes a step that is not allowed, and gives the reason.
fn may_not(node: &Node, case: &str, step: &str, body: &Value, with: u16) -> Value {
    let before = node.notice(case);
    let (status, answer) = node.post(&format!("/notices/{}/{step}", notice_id(node, case)), body);
    assert_eq!(status, with, "{step} {body}: {answer}");
    assert_eq!(node.notice(case), before, "nothing has changed");
    answer
}

/// The same through the `kring` command.
fn commands(node: &Node, case: &str, step: &str, arguments: &[&str]) -> Value {
    let (id, dir) = (notice_id(node, case), node.dir().to_string_lossy().into_owned());
    let all = [&["notice", step, "--json", "--dir", &dir, &id], arguments].concat();
    let (code, out, log) = command::run(&all);
    assert_eq!(code, 0, "{all:?}: {log}");
    serde_json::from_str(&out).unwrap()
}

fn alerts(notice: &Value) -> Vec<&str> {
    notice["alerts"].as_array().unwrap().iter().map(|alert| alert["kind"].as_str().unwrap()).collect()
}

fn kill_and_wait(node: &Node) {
    assert!(node.kill(), "what was acknowledged survives");
    until("it is back", SOON, || node.is_ready().then_some(()));
}

/// `b` needs a contact to answer with; `a` has one with its signal.
fn both_answer(a: &Node, b: &Node, id: &str) {
    let answer = json!({ "matchId": id, "response": "coordinate" });
    let problem = may_not(b, "theirs", "respond", &answer, 409);
    assert!(problem["detail"].as_str().unwrap().contains("`contact`"), "{problem}");
    let mut with = answer.clone();
    with["contact"] = json!({ "name": "x1", "function": "boss", "phone": "12", "email": "b" });
    let problem = may_not(b, "theirs", "respond", &with, 400);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4, "{problem}");
    assert!(may_not(b, "theirs", "contact", &json!({ "matchId": id, "on": CONTACT }), 409).is_object());

    with["contact"] = contact("Bea Blom");
    let path = format!("/notices/{}/respond", notice_id(b, "theirs"));
    let key = [("idempotency-key", "once")];
    let send = |body: &Value| b.post_with(&path, "application/json", body.to_string().as_bytes(), &key);
    assert_eq!(send(&with), (200, answer.clone()));
    assert_eq!(send(&with), (200, answer.clone()), "the same request again");
    assert_eq!(send(&answer).0, 409, "the same key with another body");
    let notice = sees(a, "ours", id, "b has answered", |_, one| one["theirResponse"] == "coordinate");
    assert_eq!((&notice["state"], &found(&notice, id)["card"]), (&json!("responded"), &Value::Null));
    assert_eq!(alerts(&notice), ["involved", "responded"]);
    let answered = commands(a, "ours", "respond", &["--match-id", id, "--coordinate"]);
    assert_eq!(answered, answer);
}

/// From contact to an agreed lead.
fn contact_and_lead(a: &Node, b: &Node, id: &str) {
    let future = json!({ "matchId": id, "on": "2999-01-01" });
    may_not(a, "ours", "contact", &future, 409);
    let notice = does(a, "ours", "contact", &json!({ "matchId": id, "on": CONTACT }));
    assert_eq!(
        (&notice["state"], &found(&notice, id)["contactDate"]),
        (&json!("inContact"), &json!(CONTACT))
    );
    sees(b, "theirs", id, "contact", |notice, one| {
        notice["state"] == "inContact" && one["contactDate"] == CONTACT
    });

    may_not(b, "theirs", "close", &json!({ "matchId": id, "outcome": "leadAgreed" }), 409);
    may_not(b, "theirs", "lead", &json!({ "action": "confirm", "claim": "00".repeat(16) }), 409);
    let notice = does(a, "ours", "lead", &json!({ "action": "claim" }));
    assert_eq!(notice["lead"][0]["who"], "us");
    kill_and_wait(a);
    let notice = sees(b, "theirs", id, "a's claim", |notice, _| notice["lead"][0]["who"] == "partner");
    let claim = &notice["lead"][0];
    assert_eq!((&claim["partner"], &claim["confirmed"]), (&json!("a"), &json!(false)));
    let notice = commands(b, "theirs", "lead", &["--confirm", claim["claim"].as_str().unwrap()]);
    assert_eq!((&notice["state"], &notice["lead"][0]["confirmed"]), (&json!("leadAgreed"), &json!(true)));
    sees(a, "ours", id, "the lead is agreed on", |notice, _| notice["state"] == "leadAgreed");
}

fn both_close(a: &Node, b: &Node, id: &str) {
    let notice = commands(a, "ours", "close", &["--match-id", id, "--outcome", "lead-agreed"]);
    assert_eq!((&notice["state"], &notice["deadlineDate"]), (&json!("closed"), &Value::Null));
    let done = |word: &'static str| move |_: &Value, one: &Value| one["theirOutcome"] == word;
    let notice = sees(b, "theirs", id, "a is done", done("leadAgreed"));
    assert_eq!(notice["state"], "leadAgreed", "closing is each side's own");
    does(b, "theirs", "close", &json!({ "matchId": id, "outcome": "planMade" }));
    let notice = sees(a, "ours", id, "b is done", done("planMade"));
    assert_eq!(alerts(&notice).last(), Some(&"otherClosed"));
}

#[test]
fn two_come_from_notice_to_agreement_and_a_third_opens_it_again() {
    let place = Place::new();
    let (mut demo, [a, b, c]) = network(&place);
    let person = Person::invented(50);
    let mut ours = signal("ours", &[&person]);
    ours["contact"] = contact("Anna Appel");
    assert_eq!(a.post("/signals", &ours).0, 201);
    let theirs = add(&b, "theirs", &[&person]);
    let id = matches(&a, "ours", 1).remove(0);
    assert_eq!(matches(&b, "theirs", 1), std::slice::from_ref(&id));
    let notice = a.notice("ours").unwrap();
    assert!(notice["state"] == "open" && notice["deadlineDate"].is_string(), "{notice}");

    both_answer(&a, &b, &id);
    kill_and_wait(&a);
    let has = |name: &str| {
        let card = card(name);
        move |_: &Value, one: &Value| one["card"] == card
    };
    sees(&a, "ours", &id, "b's card", has("Bea Blom"));
    sees(&b, "theirs", &id, "a's card", has("Anna Appel"));
    contact_and_lead(&a, &b, &id);
    both_close(&a, &b, &id);
    until_quiet(&demo.all_nodes());
    kill_and_wait(&b);
    let before = [&a, &b].map(Node::notices);
    assert_eq!(before[0][0]["state"], "closed");

    add(&c, "third", &[&person]);
    assert_eq!(matches(&a, "ours", 2).len(), 2);
    let notice = a.notice("ours").unwrap();
    assert_eq!((&notice["id"], &notice["state"]), (&before[0][0]["id"], &json!("open")), "the same notice");
    assert_eq!(notice["otherPartners"], 2);
    assert_eq!(found(&notice, &id), found(&before[0][0], &id), "what was agreed stays");
    assert!(alerts(&notice).ends_with(&["joined", "reopened"]), "{notice}");
    let with_a = match_ids(&notice).into_iter().find(|other| *other != id).unwrap();
    let notice = sees(&c, "third", &with_a, "a's claim", |notice, _| notice["lead"][0]["who"] == "partner");
    assert_eq!((&notice["lead"][0]["partner"], notice["lead"].as_array().unwrap().len()), (&json!("a"), 1));

    let (status, _) = b.post(&format!("/signals/{theirs}/withdraw"), &json!({}));
    assert_eq!(status, 200);
    no_notice(&b, "theirs");
    assert_eq!(matches(&a, "ours", 1), [with_a]);
    let notice = a.notice("ours").unwrap();
    assert!(alerts(&notice).contains(&"ended") && !notice.to_string().contains("Bea Blom"), "{notice}");
    let entries = a.get("/audit/entries?limit=1000").to_string();
    assert!(entries.contains("coordination") && !entries.contains(&id) && !entries.contains("Appel"));
    assert_eq!(demo.stop().code, 0);
}

/// Founds a network that gives a name only with a contact card.
fn nameless(place: &Place) -> (Founded, [Node; 3]) {
    let (at_once, later) = ("\"name-at-once\"", "\"name-when-both-agree\"");
    let mut founded = Founded::new(place.path(), &MEMBERS, &["d", "e", "f"], |draft| {
        assert!(draft.contains(at_once), "{draft}");
        draft.replace(at_once, later)
    });
    founded.start(&MEMBERS);
    let nodes = ["a", "b", "c"].map(|member| founded.node(member));
    until_ready(&nodes);
    (founded, nodes)
}

fn with_card(node: &Node, case: &str, match_id: &str, name: &str) {
    let body = json!({ "matchId": match_id, "response": "coordinate", "contact": contact(name) });
    does(node, case, "respond", &body);
}

/// The match record of a stopped node, with its key.
fn record(records: &Records, match_id: &str) -> (Vec<u8>, Match) {
    let rows = records.store.scan_all(Table::Match).unwrap();
    let (key, sealed) = rows.into_iter().find(|(key, _)| hex::encode(key).starts_with(match_id)).unwrap();
    let found = records.vault.open_record(&KeyName::Matches, Table::Match, &key, &sealed).unwrap();
    (key, found)
}

/// `b` gives `c` the very card that `a` gave to `b`: where no name is known beforehand, `c` would take `b` for `a`.
#[test]
fn a_card_that_is_handed_on_is_refused_and_nothing_of_it_is_shown() {
    let place = Place::new();
    let (mut founded, nodes) = nameless(&place);
    let [a, b, c] = &nodes;
    let person = Person::invented(51);
    for (node, case) in [(a, "ours"), (b, "theirs"), (c, "third")] {
        add(node, case, &[&person]);
    }
    let (of_a, of_b) = (matches(a, "ours", 2), matches(b, "theirs", 2));
    matches(c, "third", 2);
    let (ours, others): (Vec<_>, Vec<_>) = of_b.into_iter().partition(|id| of_a.contains(id));
    let (ab, bc) = (&ours[0], &others[0]);
    let notice = b.notice("theirs").unwrap();
    assert!(notice["matches"].as_array().unwrap().iter().all(|one| one["partner"].is_null()), "{notice}");
    with_card(a, "ours", ab, "Anna Appel");
    with_card(b, "theirs", ab, "Bea Blom");
    let named = |name: &'static str| move |_: &Value, one: &Value| one["partner"] == name;
    sees(b, "theirs", ab, "a's name with its card", named("a"));
    sees(a, "ours", ab, "b's name with its card", named("b"));
    until_quiet(&nodes);

    founded.stop("a");
    founded.stop("b");
    let (_, of_a) = record(&Records::open(a), ab);
    let given = of_a.said.iter().find(|said| matches!(said.message.says, Says::Card(_))).unwrap();
    let records = Records::open(b);
    let (key, mut hands_on) = record(&records, bc);
    let message = Message {
        id: MessageId::from_bytes([7; 16]),
        from: hands_on.own,
        to: hands_on.other,
        ..given.message.clone()
    };
    hands_on.said.push(Said::new(message));
    let bytes = codec::encode(&hands_on);
    let sealed = records.vault.seal_record(&KeyName::Matches, Table::Match, &key, &bytes).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Match, key, sealed);
    records.store.commit_blocking(batch).unwrap();
    drop(records);
    founded.start(&["a", "b"]);

    until("c refuses the card", SOON, || c.log().contains("a contact card was refused").then_some(()));
    let entries = c.get("/audit/entries?limit=1000");
    let refused =
        |entry: &Value| entry["entry"]["kind"] == "coordination" && entry["entry"]["outcome"] == "refused";
    assert!(entries.as_array().unwrap().iter().any(refused), "{entries}");
    let notice = c.notice("third").unwrap();
    let seen = found(&notice, bc);
    assert!(seen["card"].is_null() && seen["partner"].is_null() && notice["state"] == "open", "{notice}");
    assert!(!c.log().contains("Appel") && !notice.to_string().contains("Appel"));

    // The same way carries b's own card.
    with_card(b, "theirs", bc, "Bea Blom");
    with_card(c, "third", bc, "Cor Citroen");
    let notice = sees(c, "third", bc, "b's own card", named("b"));
    assert_eq!(found(&notice, bc)["card"], card("Bea Blom"));
    sees(b, "theirs", bc, "c's card", named("c"));
}

/// Days pass by a clock that the test moves: `b` has answered, `a` does nothing.
#[test]
fn a_side_that_does_nothing_is_reminded_and_then_others_are_told() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["d", "e", "f"], |draft| draft);
    let mut hand = Hand::new(place.path(), Clock.now());
    let clock = hand.file().to_string_lossy().into_owned();
    for member in MEMBERS {
        founded.start_changed(member, &[(CLOCK, &clock)]);
    }
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    let (a, b, person) = (&nodes[0], &nodes[1], Person::invented(52));
    add(a, "ours", &[&person]);
    add(b, "theirs", &[&person]);
    let id = matches(a, "ours", 1).remove(0);
    matches(b, "theirs", 1);
    with_card(b, "theirs", &id, "Bea Blom");
    sees(a, "ours", &id, "b has answered", |_, one| one["theirResponse"] == "coordinate");

    let start = local_day(hand.now());
    let deadline = working_days_after(start, 5).to_string();
    assert_eq!(a.notice("ours").unwrap()["deadlineDate"], deadline.as_str());
    assert_eq!(b.notice("theirs").unwrap()["deadlineDate"], Value::Null, "it waits for a only");
    let mut told = vec!["involved", "responded"];
    for (working_day, what) in [(2, "reminder"), (4, "reminder"), (6, "overdue"), (11, "escalated")] {
        let noon = working_days_after(start, working_day).start().plus_secs(12 * 3_600);
        hand.set(noon);
        told.push(what);
        let so = |notice: &Value, _: &Value| alerts(notice) == told;
        let notice = sees(a, "ours", &id, what, so);
        let text = notice["alerts"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned();
        let expected = if what == "reminder" { deadline.clone() } else { (working_day - 1).to_string() };
        assert!(text.contains(&expected), "{what}: {text}");
    }
    sees(b, "theirs", &id, "a's silence", |notice, _| alerts(notice) == ["involved", "silent"]);
    founded.stop("a");
    founded.start_changed("a", &[(CLOCK, &clock)]);
    until_ready(&[nodes[0].clone()]);
    assert_eq!(alerts(&a.notice("ours").unwrap()), told, "nobody is told twice");
}

//! What professionals do on a running network, over the API.

use std::collections::BTreeSet;
use std::time::Duration;

use kring_tests::caseload::{Cases, Person, signal};
use kring_tests::demo::{Demo, until_ready};
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use serde_json::{Value, json};

/// How long news may take, on a machine with other things to do.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A network of `a`, `b` and `c`, each with a case of its own.
pub(crate) fn network(place: &Place) -> (Demo, [Node; 3]) {
    let files = place.dir("files");
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        Cases::new().case("own", &[&Person::invented(number)]).write(&files, name);
    }
    let mut demo = Demo::standing(place.path(), &files);
    let nodes = demo.nodes(["a", "b", "c"]);
    (demo, nodes)
}

/// Adds a signal and gives its id.
pub(crate) fn add(node: &Node, case: &str, persons: &[&Person]) -> String {
    let (status, body) = node.post("/signals", &signal(case, persons));
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

/// Waits for the notice about a case with so many matches, and gives their ids, sorted.
pub(crate) fn matches(node: &Node, case: &str, count: usize) -> Vec<String> {
    let what = format!("{count} matches of case {case} at {}", node.dir().display());
    until(&what, SOON, || {
        let ids = match_ids(&node.notice(case)?);
        (ids.len() == count).then_some(ids)
    })
}

pub(crate) fn match_ids(notice: &Value) -> Vec<String> {
    let matches = notice["matches"].as_array().unwrap();
    let mut ids: Vec<_> = matches.iter().map(|one| one["matchId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

pub(crate) fn no_notice(node: &Node, case: &str) {
    until(&format!("the notice of {case} ends"), SOON, || node.notice(case).is_none().then_some(()));
}

/// Waits until nothing waits anywhere: what has not happened by then does not happen.
pub(crate) fn until_quiet(nodes: &[Node]) {
    let waiting = || nodes.iter().map(|node| node.get("/network")["waiting"].clone()).collect::<Vec<_>>();
    let is_quiet = |waiting: &Value| {
        let none = |list: &Value, left: fn(&Value) -> bool| list.as_array().unwrap().iter().all(left);
        waiting["evaluations"] == 0
            && waiting["appends"] == 0
            && none(&waiting["submissions"], |one| one["count"] == 0)
            && none(&waiting["boards"], |one| one["size"] == one["read"])
    };
    let mut before = Vec::new();
    until("nothing waits", SOON, || {
        let now = waiting();
        let quiet = now.iter().all(is_quiet) && now == before;
        before = now;
        quiet.then_some(())
    });
}

#[test]
fn a_late_signal_meets_is_renewed_and_ends_on_both_sides() {
    let place = Place::new();
    let (mut demo, [a, b, c]) = network(&place);
    let person = Person::invented(50);
    let ours = add(&a, "late", &[&person]);
    let theirs = add(&b, "dossier 7", &[&person]);
    let met = matches(&a, "late", 1);
    assert_eq!(matches(&b, "dossier 7", 1), met, "both sides know the match by one id");
    let notice = a.notice("late").unwrap();
    assert_eq!((&notice["otherPartners"], &notice["matches"][0]["partner"]), (&json!(1), &json!("b")));
    let third = add(&c, "later", &[&person]);
    assert_eq!(matches(&a, "late", 2).len(), 2);
    assert_eq!(a.notice("late").unwrap()["id"], notice["id"], "the same notice, grown");

    let (status, renewed) = b.post(&format!("/signals/{theirs}/renew"), &json!({}));
    assert_eq!((status, renewed["state"].as_str()), (200, Some("active")));
    until_quiet(&demo.all_nodes());
    assert!(matches(&a, "late", 2).contains(&met[0]), "a renewed signal keeps its match");
    assert_eq!(matches(&b, "dossier 7", 2).len(), 2);

    let withdraw = |node: &Node, id: &str| {
        let (status, body) = node.post(&format!("/signals/{id}/withdraw"), &json!({}));
        assert_eq!((status, body["state"].as_str()), (200, Some("withdrawn")));
    };
    withdraw(&b, &theirs);
    let left = matches(&a, "late", 1);
    assert_ne!(left, met, "the match with c stays");
    assert_eq!(matches(&c, "later", 1), left);
    no_notice(&b, "dossier 7");
    withdraw(&c, &third);
    no_notice(&a, "late");
    no_notice(&c, "later");
    let (status, _) = b.post(&format!("/signals/{theirs}/renew"), &json!({}));
    assert_eq!(status, 409, "what was withdrawn is not renewed");
    assert_eq!(a.get(&format!("/signals/{ours}"))["state"], "active");
    assert_eq!(demo.stop().code, 0);
}

#[test]
fn quiet_signals_wait_for_enough_organisations() {
    let place = Place::new();
    let (mut demo, [a, b, c]) = network(&place);
    let person = Person::invented(60);
    let quiet = |node: &Node, case: &str| {
        let mut body = signal(case, &[&person]);
        body["quietUntil"] = 3.into();
        assert_eq!(node.post("/signals", &body).0, 201);
    };
    quiet(&a, "radar a");
    quiet(&b, "radar b");
    until_quiet(&demo.all_nodes());
    assert_eq!((a.notice("radar a"), b.notice("radar b")), (None, None), "two are not enough");
    quiet(&c, "radar c");
    for (node, case) in [(&a, "radar a"), (&b, "radar b"), (&c, "radar c")] {
        assert_eq!(matches(node, case, 2).len(), 2);
        assert_eq!(node.notice(case).unwrap()["otherPartners"], 2);
    }
}

#[test]
fn repeated_requests_and_imports_change_nothing() {
    let place = Place::new();
    let (mut demo, [a, b, _]) = network(&place);
    let person = Person::invented(70);
    let body = signal("once", &[&person]);
    let send_as = |key: &str, body: &Value| {
        a.post_with("/signals", "application/json", body.to_string().as_bytes(), &[("idempotency-key", key)])
    };
    let send = |body: &Value| send_as("k1", body);
    let (status, first) = send(&body);
    assert_eq!(status, 201);
    assert_eq!(send(&body), (201, first.clone()));
    assert_eq!(send(&signal("another", &[&person])).0, 409, "the same key with another body");
    assert_eq!(a.get("/signals").as_array().unwrap().len(), 2);

    // A client that lost patience repeats itself while the first request is still being stored.
    let body = signal("at once", &[&Person::invented(71)]);
    let ids: BTreeSet<String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16).map(|_| scope.spawn(|| send_as("k2", &body))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap().1["id"].to_string()).collect()
    });
    assert_eq!((ids.len(), a.get("/signals").as_array().unwrap().len()), (1, 3));

    let file = Cases::new().case("own", &[&Person::invented(1)]).case("new", &[&person]).text();
    let import = || b.post_with("/imports", "text/csv", file.as_bytes(), &[]);
    let (status, report) = import();
    assert_eq!((status, &report["cases"], &report["unchanged"]), (200, &json!(1), &json!(1)), "{report}");
    let met = matches(&a, "once", 1);
    until_quiet(&demo.all_nodes());
    let submissions = b.metric("kring_submissions").unwrap();
    let (status, report) = import();
    assert_eq!((status, &report["cases"], &report["unchanged"]), (200, &json!(0), &json!(2)), "{report}");
    until_quiet(&demo.all_nodes());
    assert_eq!(b.metric("kring_submissions"), Some(submissions), "nothing was left a second time");
    assert_eq!(matches(&b, "new", 1), met);
    assert_eq!(b.notices().len(), 1);
}

#[test]
fn a_restart_of_all_nodes_keeps_everything() {
    let place = Place::new();
    let (mut demo, [a, b, c]) = network(&place);
    let (person, later) = (Person::invented(80), Person::invented(81));
    add(&a, "kept", &[&person, &later]);
    add(&b, "kept too", &[&person]);
    let met = matches(&a, "kept", 1);
    matches(&b, "kept too", 1);
    let nodes = demo.all_nodes();
    until_quiet(&nodes);
    let state = || [&a, &b, &c].map(|node| (node.get("/signals"), node.get("/notices")));
    let before = state();
    for node in &nodes {
        assert!(node.kill());
    }
    demo.wait_for("starting it again", SOON);
    until("all nodes are ready again", Duration::from_secs(60), || {
        let again = demo.log().matches("starting it again").count() == nodes.len();
        (again && nodes.iter().all(Node::is_ready)).then_some(())
    });
    until_ready(&nodes);
    assert_eq!(state(), before);
    add(&c, "after", &[&later]);
    assert_eq!(matches(&a, "kept", 2).len(), 2, "what was left before the restart still meets");
    assert!(matches(&a, "kept", 2).contains(&met[0]));
    assert_eq!(matches(&c, "after", 1).len(), 1);
}

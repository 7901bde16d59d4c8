//! Nothing that identifies a family is found anywhere, however one searches: canaries on real nodes.

use kring_node::cases::{Case, CaseId};
use kring_node::clock::Clock;
use kring_node::store::{Batch, Store, Table};
use kring_protocol::codec;
use kring_protocol::id::Reference;
use kring_protocol::identifier::RawPerson;
use kring_tests::canary::{CONTACT, REASON, REFERENCE, canaries, family};
use kring_tests::caseload::{Cases, Person, signal};
use kring_tests::demo::Demo;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::scan::Scanner;
use kring_tests::wait::until;
use serde_json::json;

fn scanner(more: &[&str]) -> Scanner {
    let canaries = canaries();
    Scanner::new(canaries.iter().map(String::as_str).chain(more.iter().copied()))
}

/// Everything that a node tells to whoever may ask it anything.
fn said(node: &Node) -> String {
    let pages = ["/network", "/notices", "/covenant", "/audit/entries?limit=1000"];
    let answers = pages.iter().filter_map(|page| node.try_get(page)).map(|(_, body)| body.to_string());
    answers.chain(node.metrics()).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_canary_is_found_at_any_node_in_any_encoding() {
    let place = Place::new();
    let files = place.dir("files");
    let [child, brother, mother] = family();
    Cases::new()
        .case(REFERENCE, &[&child, &mother])
        .case("KANARIE-DOSSIER-0418", &[&brother])
        .write(&files, "a");
    // Others know part of the family: what they hold of it must be as well hidden.
    Cases::new().case("b-1", &[&mother.clone().bsn("")]).write(&files, "b");
    Cases::new().case("c-1", &[&Person::default().bsn(&child.bsn)]).write(&files, "c");
    let mut demo = Demo::standing(place.path(), &files);
    let [a, b, c] = demo.nodes(["a", "b", "c"]);
    let [name, function, phone, email] = CONTACT;
    let mut late = signal("KANARIE-DOSSIER-0419", &[&child]);
    late["contact"] = json!({"name": name, "function": function, "phone": phone, "email": email});
    late["familyInformed"] = json!({"informed": false, "reason": REASON});
    assert_eq!(a.post("/signals", &late).0, 201);
    until("a run in which all meet", std::time::Duration::from_secs(20), || {
        let matches = |node: &Node, case| Some(node.notice(case)?["matches"].as_array()?.len());
        (matches(&b, "b-1") == Some(1) && matches(&c, "c-1") == Some(2)).then_some(())
    });
    // Refusals too must not repeat what was refused.
    let mut wrong = signal("KANARIE-DOSSIER-0420", &[&child]);
    wrong["persons"][0]["birthDate"] = "2009-07-39".into();
    let (status, refusal) = a.post("/signals", &wrong);
    assert_eq!(status, 400);
    let wrong_file =
        Cases::new().line(&format!("{REFERENCE},9,child,999990000,Zwaanhildegonde,,,,,,")).text();
    let (status, left_out) = a.post_with("/imports", "text/csv", wrong_file.as_bytes(), &[]);
    assert_eq!((status, left_out["linesLeftOut"].as_array().map(Vec::len)), (200, Some(1)), "{left_out}");

    let anywhere = scanner(&[]);
    let elsewhere = scanner(&["KANARIE-DOSSIER"]);
    let answers = format!("{refusal}{left_out}");
    assert_eq!(anywhere.bytes("refusals", answers.as_bytes()), [].into());
    for node in demo.all_nodes() {
        let place = node.dir().display().to_string();
        let scanner = if node.dir() == a.dir() { &anywhere } else { &elsewhere };
        let said = said(&node);
        assert!(said.contains("kring_signals"), "the metrics were read");
        assert_eq!(scanner.bytes(&place, said.as_bytes()), [].into());
    }
    let dir = demo.dir().to_owned();
    let finished = demo.stop();
    assert_eq!(finished.code, 0);
    assert_eq!(anywhere.bytes("the demonstration's log", finished.log.as_bytes()), [].into());
    // Directories last: all that a node writes while it stops is in them. The partner's own holds its reference
    // encrypted too.
    assert_eq!(elsewhere.dir(&dir), [].into());

    assert_control(&elsewhere, &files, &place);
}

/// The same search finds the same values where they are not encrypted.
fn assert_control(scanner: &Scanner, files: &std::path::Path, place: &Place) {
    let given: Vec<_> = family().iter().map(|person| person.given.clone()).collect();
    let found = |dir: &std::path::Path| {
        let found = scanner.dir(dir);
        let canaries = found.into_iter().map(|one| one.canary);
        canaries.collect::<std::collections::BTreeSet<_>>()
    };
    let in_files = found(files);
    assert!(given.iter().all(|name| in_files.contains(name)), "{in_files:?}");
    let plain = place.dir("plain");
    store_in_clear(&plain);
    let in_store = found(&plain);
    for Person { bsn, given, family, born, postal_code, .. } in family() {
        for value in [bsn, given, family, born, postal_code] {
            assert!(in_store.contains(&value), "{value} is not found in a store without encryption");
        }
    }
    assert!(in_store.contains("KANARIE-DOSSIER"));
}

/// The very records that a node seals, as they would stand in its store if it did not.
fn store_in_clear(dir: &std::path::Path) {
    let today = Clock.now().day();
    let persons = family().map(|Person { bsn, given, prefix, family, born, postal_code, house }| {
        let raw = RawPerson {
            bsn,
            given_names: given,
            name_prefix: prefix,
            family_name: family,
            birth_date: born,
            postal_code,
            house_number: house,
            ..RawPerson::default()
        };
        kring_protocol::identifier::Person::parse(&raw, today).unwrap()
    });
    let case = Case {
        id: CaseId(Reference::from_bytes([1; 16])),
        reference: Reference::from_bytes([2; 16]),
        case_reference: REFERENCE.to_owned(),
        purpose: "jeugd".parse().unwrap(),
        persons: persons.to_vec(),
        contact: None,
        family_informed: None,
        min: 2,
        created: Clock.now(),
        expiry: today,
        withdrawn: None,
        request: None,
        owner: None,
        team: None,
        offered_to: None,
        declined_by: None,
    };
    let store = Store::open(dir).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Case, case.id.0.as_bytes().to_vec(), codec::encode(&case));
    store.commit_blocking(batch).unwrap();
}

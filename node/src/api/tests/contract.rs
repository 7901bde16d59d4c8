//! Bodies and answers, to the letter of the design's section 8.2.

use super::*;

fn whole_signal() -> Value {
    json!({
        "caseReference": "case-1",
        "purpose": "care",
        "persons": [{
            "role": "child", "bsn": "999990019", "givenNames": "Sanne", "namePrefix": "de", "familyName": "Jong",
            "birthDate": "2014-03-31", "postalCode": "1234 AB", "houseNumber": 12, "houseNumberSuffix": "a",
        }],
        "contact": {"name": "A. Bakker", "function": "mentor", "phone": "010 1234567", "email": "a@school.example"},
        "familyInformed": {"informed": false, "reason": "unsafe"},
        "quietUntil": 3,
    })
}

#[tokio::test]
async fn a_signal_goes_to_the_application_as_it_was_sent() {
    let (fake, token) = node();
    let answer = post(&fake, "/signals", &token, &whole_signal()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), "/api/v1/signals/s0");
    let expected = json!({
        "id": "s0", "caseReference": "case-1", "purpose": "care", "state": "active", "persons": 1,
        "createdAt": "2026-11-21T20:00:00Z", "expiresAt": "2027-11-21T20:00:00Z", "quietUntil": null,
        "owner": null, "team": null, "offeredTo": null, "declinedBy": null,
    });
    assert_eq!(answer.json(), expected);
    let text = |text: &str| Some(text.to_owned());
    let person = NewPerson {
        role: text("child"),
        bsn: text("999990019"),
        given_names: text("Sanne"),
        name_prefix: text("de"),
        family_name: text("Jong"),
        birth_date: text("2014-03-31"),
        postal_code: text("1234 AB"),
        house_number: text("12"),
        house_number_suffix: text("a"),
    };
    let contact = NewContact {
        name: text("A. Bakker"),
        function: text("mentor"),
        phone: text("010 1234567"),
        email: text("a@school.example"),
    };
    let signal = NewSignal {
        case_reference: "case-1".into(),
        purpose: text("care"),
        persons: vec![person],
        contact: Some(contact),
        family_informed: Some(FamilyInformed { informed: false, reason: text("unsafe") }),
        quiet_until: Some(3),
        owner: None,
    };
    assert!(fake.signals.lock().unwrap()[0].0 == signal);
    assert_eq!(format!("{signal:?} {:?}", signal.persons), "NewSignal(<redacted>) [NewPerson(<redacted>)]");
    assert_eq!(get(&fake, "/signals", &token).await.json(), json!([expected]));
    assert_eq!(get(&fake, "/signals/s0", &token).await.json(), expected);
    assert_eq!(post(&fake, "/signals/s0/renew", &token, &json!({})).await.json(), expected);
    assert_eq!(post(&fake, "/signals/s0/withdraw", &token, &json!({})).await.json()["state"], "withdrawn");
}

#[tokio::test]
async fn what_is_left_out_or_null_is_left_to_the_application() {
    let (fake, token) = node();
    let signal =
        json!({"caseReference": "case-1", "purpose": null, "persons": [{"bsn": null}], "contact": null});
    assert_eq!(post(&fake, "/signals", &token, &signal).await.status, 201);
    let signals = fake.signals.lock().unwrap();
    let taken = &signals[0].0;
    assert!(taken.purpose.is_none() && taken.contact.is_none() && taken.quiet_until.is_none());
    assert!(taken.persons == [NewPerson::default()]);
}

#[tokio::test]
async fn everything_wrong_with_a_body_is_listed_at_once() {
    let (fake, token) = node();
    let body = json!({
        "caseReference": 7,
        "persons": [{"bsn": 999_990_019, "birthDate": []}, "Sanne", {"firstName": "Sanne", "a/b~c": 1}],
        "contact": {"phone": true},
        "familyInformed": {},
        "quietUntil": -1,
        "severity": "high",
    });
    let mut expected = [
        "#/severity",
        "#/caseReference",
        "#/persons/0/bsn",
        "#/persons/0/birthDate",
        "#/persons/1",
        "#/persons/2/firstName",
        "#/persons/2/a~1b~0c",
        "#/contact/phone",
        "#/familyInformed/informed",
        "#/quietUntil",
    ];
    let answer = post(&fake, "/signals", &token, &body).await;
    let mut wrong = answer.invalid();
    wrong.sort_unstable();
    expected.sort_unstable();
    assert_eq!(wrong, expected);
    assert!(!answer.text.contains("999990019") && !answer.text.contains("Sanne"), "no values in errors");
    assert_eq!(post(&fake, "/signals", &token, &json!({})).await.invalid(), ["#/caseReference", "#/persons"]);
    assert_eq!(post(&fake, "/signals", &token, &json!([])).await.invalid(), ["#"]);
    let nobody = json!({"caseReference": "x".repeat(257), "persons": []});
    assert_eq!(post(&fake, "/signals", &token, &nobody).await.invalid(), ["#/caseReference", "#/persons"]);
    assert!(fake.signals.lock().unwrap().is_empty());
}

async fn with_key(fake: &Arc<Fake>, token: &str, key: &str, body: &Value) -> Answer {
    let request = request("POST", "/signals", token).header("Idempotency-Key", key);
    send(router(Arc::clone(fake)), request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_and_not_done_again() {
    let (fake, token) = node();
    let first = with_key(&fake, &token, "k-1", &whole_signal()).await;
    let again = with_key(&fake, &token, "k-1", &whole_signal()).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(again.status, 201);
    assert_eq!(fake.signals.lock().unwrap().len(), 1);
    let other = json!({"caseReference": "case-2", "persons": [{}]});
    with_key(&fake, &token, "k-1", &other).await.problem(409);
    assert_eq!(with_key(&fake, &token, "k-2", &other).await.status, 201);
}

#[tokio::test]
async fn a_wrong_idempotency_key_is_listed_with_the_rest() {
    let (fake, token) = node();
    for key in ["", "a b", &"k".repeat(256)] {
        assert_eq!(with_key(&fake, &token, key, &whole_signal()).await.invalid(), ["Idempotency-Key"]);
        let wrong = with_key(&fake, &token, key, &json!({"persons": [{}]})).await.invalid();
        assert_eq!(wrong, ["#/caseReference", "Idempotency-Key"]);
    }
}

#[tokio::test]
async fn texts_come_in_the_language_that_is_asked_for() {
    let (fake, token) = node();
    let asked = |accepted: &'static str| {
        let request = request("GET", "/notices/n0", &token).header("Accept-Language", accepted);
        send(router(Arc::clone(&fake)), request.body(Body::empty()).unwrap())
    };
    for (accepted, language) in [("en-GB, nl;q=0.5", "en"), ("nl", "nl"), ("de", "nl"), ("\u{e9}", "nl")] {
        let answer = asked(accepted).await;
        assert_eq!(answer.header("content-language"), language, "{accepted}");
        assert_eq!(answer.json()["matches"][0]["basisText"], language, "{accepted}");
    }
}

#[tokio::test]
async fn the_network_shows_partners_keys_and_what_waits() {
    let (fake, token) = node();
    let expected = json!({
        "member": "a", "name": "Wijkteam Noord", "covenantVersion": 1, "covenantHash": "00",
        "tempo": "immediate", "developmentMode": true,
        "keys": [{"purpose": "care", "matcher": "c", "epoch": 1, "state": "active", "endsAt": null}],
        "partners": [{"id": "b", "name": "School", "reachable": true, "roles": ["relay"]}],
        "waiting": {
            "evaluations": 3,
            "submissions": [{"matcher": "c", "count": 4}],
            "appends": 1,
            "boards": [{"matcher": "c", "size": 9, "read": 8}],
        },
    });
    assert_eq!(get(&fake, "/network", &token).await.json(), expected);
    assert_eq!(get(&fake, "/covenant", &token).await.json(), json!({"version": 1}));
}

async fn import(fake: &Arc<Fake>, token: &str, query: &str, csv: Vec<u8>) -> Answer {
    let request = request("POST", &format!("/imports{query}"), token);
    let request = request.header(header::CONTENT_TYPE, "text/csv; charset=windows-1252");
    send(router(Arc::clone(fake)), request.body(Body::from(csv)).unwrap()).await
}

#[tokio::test]
async fn a_caseload_is_imported_or_tried() {
    let (fake, token) = node();
    let expected = |dry_run: bool| {
        json!({
            "dryRun": dry_run, "cases": 2, "persons": 5, "unchanged": 1,
            "linesLeftOut": [{"line": 3, "reason": "the birth date is not a date"}],
            "warnings": [{"line": 4, "reason": "given_names has only initials"}],
        })
    };
    // Larger than a JSON body may be.
    let csv = vec![b'\n'; 1024 * 1024];
    assert_eq!(import(&fake, &token, "", csv.clone()).await.json(), expected(false));
    assert_eq!(import(&fake, &token, "?dryRun=true", csv).await.json(), expected(true));
    assert_eq!(*fake.imported.lock().unwrap(), [(1024 * 1024, false), (1024 * 1024, true)]);
    assert_eq!(import(&fake, &token, "?dryRun=yes&really=1", vec![]).await.invalid(), ["dryRun", "really"]);
    assert_eq!(import(&fake, &token, "?dryRun=true&dryRun=false", vec![]).await.invalid(), ["dryRun"]);
    assert_eq!(fake.imported.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn the_audit_log_is_read_in_parts_and_proved() {
    let (fake, token) = node();
    let checkpoint = get(&fake, "/audit/checkpoint", &token).await;
    assert_eq!(checkpoint.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(checkpoint.text, "kring.example/a\n0\n");
    let entries = get(&fake, "/audit/entries", &token).await.json();
    assert_eq!(entries, json!([{"index": 0, "leaf": "AA==", "entry": {"kind": "signIn"}}]));
    for path in [
        "/audit/entries?first=5&limit=1000",
        "/audit/proofs?index=2&size=3",
        "/audit/proofs?oldSize=3&size=3",
    ] {
        assert_eq!(get(&fake, path, &token).await.status, 200, "{path}");
    }
    let inclusion = "Inclusion { index: 2, size: 3 }";
    let consistency = "Consistency { old_size: 3, size: 3 }";
    assert_eq!(*fake.asked.lock().unwrap(), ["100 from 0", "1000 from 5", inclusion, consistency]);
    for (query, wrong) in [
        ("entries?limit=0", &["limit"][..]),
        ("entries?limit=1001&first=-1&page=2", &["first", "limit", "page"]),
        ("proofs", &["size", "index"]),
        ("proofs?index=3&size=3", &["size"]),
        ("proofs?oldSize=4&size=3", &["size"]),
        ("proofs?index=1&oldSize=1&size=3", &["index"]),
    ] {
        assert_eq!(get(&fake, &format!("/audit/{query}"), &token).await.invalid(), wrong, "{query}");
    }
}

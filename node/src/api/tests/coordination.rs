//! Notices and the steps of coordination: bodies and answers.

use super::*;

#[tokio::test]
async fn notices_have_the_form_of_the_contract() {
    let (fake, token) = node();
    let card = json!({
        "name": "A. Bakker", "function": "teacher", "phone": "+31101234567", "email": "a@school.example",
    });
    let expected = json!({
        "id": "n0", "caseReference": "case-1", "state": "inContact", "otherPartners": 2,
        "deadlineDate": "2026-11-30", "muted": false,
        "matches": [
            {
                "matchId": "m1", "partner": "school", "basis": ["bsn"], "basisText": "nl", "state": "inContact",
                "response": "coordinate", "theirResponse": "alreadyTogether", "contactDate": "2026-11-20",
                "card": card, "outcome": null, "theirOutcome": "noFollowUp", "offersLead": false,
                "theirChoice": "c1",
            },
            {
                "matchId": "m2", "partner": null, "basis": ["bsn"], "basisText": "nl", "state": "inContact",
                "response": "coordinate", "theirResponse": null, "contactDate": null, "card": null, "outcome": null,
                "theirOutcome": null, "offersLead": false, "theirChoice": null,
            },
        ],
        "lead": [
            {"claim": "c1", "who": "partner", "partner": "school", "matchIds": ["m1"], "confirmed": true},
            {"claim": "c2", "who": "through", "partner": null, "matchIds": ["m1"], "confirmed": false},
        ],
        "alerts": [{"at": "2026-11-21T20:00:00Z", "kind": "responded", "matchId": "m1", "text": "nl"}],
    });
    assert_eq!(get(&fake, "/notices", &token).await.json(), json!([expected]));
    assert_eq!(get(&fake, "/notices/n0", &token).await.json(), expected);
}

async fn with_key(fake: &Arc<Fake>, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = request("POST", path, token).header("Idempotency-Key", key);
    send(router(Arc::clone(fake)), request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_match_is_answered_in_words_from_a_list() {
    let (fake, token) = node();
    for (reason, _) in notices::REASONS {
        let body = json!({"matchId": "m1", "response": "notRight", "reason": reason});
        let answer = with_key(&fake, &token, "/notices/n0/respond", "k", &body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, body));
    }
    let contact = json!({"name": "A. Bakker"});
    for (response, contact) in
        [("coordinate", &contact), ("coordinate", &Value::Null), ("alreadyTogether", &contact)]
    {
        let body = json!({"matchId": "m1", "response": response, "reason": null, "contact": contact});
        let answer = with_key(&fake, &token, "/notices/n0/respond", "k", &body).await;
        assert_eq!(answer.json(), json!({"matchId": "m1", "response": response}));
    }
    assert_eq!(
        *fake.asked.lock().unwrap(),
        [
            "m1 NotRight(OtherPerson) k",
            "m1 NotRight(NoLongerInvolved) k",
            "m1 NotRight(Duplicate) k",
            "m1 Coordinate k with contact",
            "m1 Coordinate k",
            "m1 AlreadyTogether k with contact",
        ]
    );
    let good = json!({"matchId": "m1", "response": "notRight", "reason": "duplicate"});
    post(&fake, "/notices/n1/respond", &token, &good).await.problem(404);
    let later = json!({"matchId": "m1", "response": "wantToCoordinate"});
    let answer = post(&fake, "/notices/n0/respond", &token, &later).await;
    assert!(answer.text.contains("serves: coordinate, alreadyTogether, notRight"), "{answer:?}");
    assert_eq!(fake.asked.lock().unwrap().len(), 6, "nothing wrong was done");
}

#[tokio::test]
async fn steps_go_to_the_application_as_they_were_asked() {
    let (fake, token) = node();
    let asked = [
        ("contact", json!({"matchId": "m1", "on": "1970-01-02"})),
        ("contact", json!({"matchId": "m1", "on": null})),
        ("lead", json!({"action": "claim"})),
        ("lead", json!({"action": "release", "claim": null})),
        ("lead", json!({"action": "confirm", "claim": "c1"})),
        ("lead", json!({"action": "offer", "matchId": "m1"})),
        ("lead", json!({"action": "keep"})),
        ("close", json!({"matchId": "m1", "outcome": "contactMade"})),
        ("close", json!({"matchId": "m1", "outcome": "noFollowUp", "reopen": false})),
        ("close", json!({"matchId": "m1", "reopen": true})),
    ];
    for (path, body) in &asked {
        let answer = with_key(&fake, &token, &format!("/notices/n0/{path}"), "k", body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (200, &json!("n0")), "{path} {body}");
        let (status, other) = (404, format!("/notices/n1/{path}"));
        post(&fake, &other, &token, body).await.problem(status);
    }
    assert_eq!(
        *fake.asked.lock().unwrap(),
        [
            "Contact { match_id: \"m1\", on: Some(Day(1)) } k",
            "Contact { match_id: \"m1\", on: None } k",
            "Claim k",
            "Release k",
            "Confirm { claim: \"c1\" } k",
            "Offer { match_id: \"m1\" } k",
            "Keep k",
            "Close { match_id: \"m1\", outcome: ContactMade } k",
            "Close { match_id: \"m1\", outcome: NoFollowUp } k",
            "Reopen { match_id: \"m1\" } k",
        ]
    );
}

#[tokio::test]
async fn everything_wrong_with_a_step_is_listed_at_once() {
    let (fake, token) = node();
    let not_right = |more: Value| {
        let mut body = json!({"matchId": "m1", "response": "notRight", "reason": "duplicate"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (path, body, wrong) in [
        ("respond", json!({}), vec!["#/matchId", "#/response"]),
        (
            "respond",
            json!({"matchId": 1, "response": "together", "reason": "free text"}),
            vec!["#/matchId", "#/response", "#/reason"],
        ),
        ("respond", json!({"matchId": "m1", "response": "notRight"}), vec!["#/reason"]),
        (
            "respond",
            json!({"matchId": "m1", "response": "coordinate", "reason": "duplicate"}),
            vec!["#/reason"],
        ),
        ("respond", not_right(json!({"contact": {}})), vec!["#/contact"]),
        ("respond", not_right(json!({"note": "x"})), vec!["#/note"]),
        (
            "respond",
            json!({"matchId": "m1", "response": "coordinate", "contact": {"phone": 1, "x": 1}}),
            vec!["#/contact/x", "#/contact/phone"],
        ),
        ("respond", json!("notRight"), vec!["#"]),
        ("contact", json!({}), vec!["#/matchId", "#/on"]),
        ("contact", json!({"matchId": "m1", "on": "31-01-2027"}), vec!["#/on"]),
        ("contact", json!({"matchId": "m1", "on": "2027-01-31T10:00"}), vec!["#/on"]),
        ("contact", json!({"matchId": "m1", "on": "1969-12-31"}), vec!["#/on"]),
        ("contact", json!({"matchId": "m1", "on": "2027-02-30", "by": "phone"}), vec!["#/by", "#/on"]),
        ("lead", json!({}), vec!["#/action"]),
        ("lead", json!({"action": "take", "claim": 1}), vec!["#/action", "#/claim"]),
        ("lead", json!({"action": "confirm", "matchId": "m1"}), vec!["#/claim", "#/matchId"]),
        ("lead", json!({"action": "offer"}), vec!["#/matchId"]),
        ("lead", json!({"action": "claim", "claim": "c1"}), vec!["#/claim"]),
        ("close", json!({}), vec!["#/matchId", "#/outcome"]),
        ("close", json!({"matchId": "m1", "outcome": "mistakenMatch"}), vec!["#/outcome"]),
        ("close", json!({"outcome": "noFollowUp", "reopen": true}), vec!["#/matchId", "#/outcome"]),
        ("close", json!({"matchId": "m1", "outcome": "noFollowUp", "reopen": "yes"}), vec!["#/reopen"]),
    ] {
        let mut found = post(&fake, &format!("/notices/n0/{path}"), &token, &body).await.invalid();
        found.dedup();
        assert_eq!(found, wrong, "{path} {body}");
    }
    assert!(fake.asked.lock().unwrap().is_empty(), "nothing wrong was done");
}

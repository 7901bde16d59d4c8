//! Each rule of the interface, request by request.

mod contract;
mod coordination;
mod document;
mod limits;
mod schema;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::fake::{Answer, Fake, NOW, send, view};
use super::*;

/// A node, and a token for everything.
fn node() -> (Arc<Fake>, String) {
    let fake = Arc::new(Fake::default());
    let token = fake.token_for(Scope::ALL);
    (fake, token)
}

fn request(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(format!("{BASE_PATH}{path}"));
    request.header(header::AUTHORIZATION, format!("Bearer {token}"))
}

async fn get(fake: &Arc<Fake>, path: &str, token: &str) -> Answer {
    send(router(Arc::clone(fake)), request("GET", path, token).body(Body::empty()).unwrap()).await
}

async fn post(fake: &Arc<Fake>, path: &str, token: &str, body: &Value) -> Answer {
    let request = request("POST", path, token).header(header::CONTENT_TYPE, "application/json");
    send(router(Arc::clone(fake)), request.body(Body::from(body.to_string())).unwrap()).await
}

/// A path of the interface with an id that exists for it.
fn concrete(path: &str) -> String {
    let id = match path {
        path if path.starts_with("/notices") => "n0",
        path if path.starts_with("/people") => "p0",
        _ => "s0",
    };
    let query = if path == "/audit/proofs" { "?index=0&size=1" } else { "" };
    format!("{}{query}", path.replace("{id}", id))
}

/// A well-formed request to an endpoint.
fn well_formed(endpoint: &Endpoint<Fake>, token: &str) -> Request<Body> {
    let request = request(endpoint.method.as_str(), &concrete(endpoint.path), token);
    let body = match endpoint.path {
        "/signals" if endpoint.method == Method::POST => {
            json!({"caseReference": "case-1", "persons": [{"bsn": "999990019"}]}).to_string()
        }
        "/notices/{id}/respond" => {
            json!({"matchId": "m1", "response": "notRight", "reason": "otherPerson"}).to_string()
        }
        "/notices/{id}/contact" => json!({"matchId": "m1", "on": null}).to_string(),
        "/notices/{id}/lead" => json!({"action": "claim"}).to_string(),
        "/notices/{id}/close" => json!({"matchId": "m1", "outcome": "noFollowUp"}).to_string(),
        "/people" if endpoint.method == Method::POST => {
            let sign_in = json!({"local": "a.bakker"});
            json!({"signIn": sign_in, "name": "A", "email": "a@b.nl", "roles": ["professional"]}).to_string()
        }
        "/people/{id}" if endpoint.method == Method::PATCH => json!({"active": false}).to_string(),
        "/people/{id}/absence" => json!({"fromDate": null, "untilDate": null}).to_string(),
        "/teams" if endpoint.method == Method::POST => json!({"name": "Team Noord"}).to_string(),
        "/signals/{id}/hand-over" | "/signals/{id}/assign" => json!({"to": "p0"}).to_string(),
        "/access-requests" => json!({"bsn": "999990019"}).to_string(),
        "/imports" => {
            return request.header(header::CONTENT_TYPE, "text/csv").body(Body::from("case\n")).unwrap();
        }
        _ => String::new(),
    };
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
}

fn add_a_signal(fake: &Fake) {
    let signal = NewSignal {
        case_reference: "case-1".into(),
        purpose: None,
        persons: Vec::new(),
        contact: None,
        family_informed: None,
        quiet_until: None,
        owner: None,
    };
    fake.signals.lock().unwrap().push((signal, view("s0", "case-1")));
}

#[tokio::test]
async fn every_response_bears_the_version_and_the_headers_of_the_rules() {
    let (fake, token) = node();
    let answers = [
        get(&fake, "/signals", &token).await,
        get(&fake, "/openapi.json", "").await,
        get(&fake, "/signals", "").await,
        get(&fake, "/nothing", &token).await,
        get(&fake, "", &token).await,
        post(&fake, "/notices", &token, &json!({})).await,
        post(&fake, "/signals", &token, &json!({})).await,
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 401, 404, 404, 405, 400]);
    for answer in answers {
        assert_eq!(answer.header("api-version"), "1.0.0", "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(answer.header("strict-transport-security").starts_with("max-age="));
        assert_eq!(answer.header("x-request-id").len(), 16);
        if !answer.status.is_success() {
            answer.problem(answer.status.as_u16());
        }
    }
}

#[tokio::test]
async fn a_trailing_slash_leads_nowhere() {
    let (fake, token) = node();
    for endpoint in endpoints::<Fake>() {
        let path = format!("{}/", endpoint.path.replace("{id}", "s0"));
        get(&fake, &path, &token).await.problem(404);
    }
    get(&fake, "/", &token).await.problem(404);
}

#[tokio::test]
async fn another_method_is_refused_with_the_ones_that_are_known() {
    let (fake, token) = node();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = request(method, "/signals", &token).body(Body::empty()).unwrap();
        let answer = send(router(Arc::clone(&fake)), request).await;
        answer.problem(405);
        assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    }
}

#[tokio::test]
async fn without_a_valid_token_there_is_nothing_but_the_document() {
    let (fake, token) = node();
    add_a_signal(&fake);
    let expired = fake.token_until(Scope::ALL, NOW);
    let unknown = auth::Token::random(&mut rand::thread_rng());
    let changed = format!("{}x", &token[..token.len() - 1]);
    for endpoint in endpoints::<Fake>().iter().filter(|endpoint| endpoint.path != "/openapi.json") {
        for wrong in ["", "kring_", "secret", unknown.expose(), &expired, &changed] {
            let answer = send(router(Arc::clone(&fake)), well_formed(endpoint, wrong)).await;
            answer.problem(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"kring\", error=\"invalid_token\"");
        }
        let mut bare = well_formed(endpoint, "");
        bare.headers_mut().remove(header::AUTHORIZATION);
        let answer = send(router(Arc::clone(&fake)), bare).await;
        answer.problem(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"kring\"");
    }
}

#[tokio::test]
async fn other_ways_to_authenticate_and_doubled_headers_are_refused() {
    let (fake, token) = node();
    let path = format!("{BASE_PATH}/signals");
    let with = |name: header::HeaderName, value: String| Request::builder().uri(&path).header(name, value);
    let requests = [
        with(header::AUTHORIZATION, format!("Basic {token}")),
        with(header::AUTHORIZATION, token.clone()),
        with(header::COOKIE, format!("session={token}")),
        with(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}")),
    ];
    for request in requests {
        send(router(Arc::clone(&fake)), request.body(Body::empty()).unwrap()).await.problem(401);
    }
    let lower_case = with(header::AUTHORIZATION, format!("bearer {token}")).body(Body::empty()).unwrap();
    assert_eq!(send(router(Arc::clone(&fake)), lower_case).await.status, 200);
}

#[tokio::test]
async fn a_record_for_another_token_is_not_believed() {
    let (fake, token) = node();
    let other = auth::Token::random(&mut rand::thread_rng()).hash();
    fake.tokens.lock().unwrap().values_mut().for_each(|record| record.hash = other);
    get(&fake, "/signals", &token).await.problem(401);
}

#[tokio::test]
async fn a_token_opens_what_its_scope_says_and_no_more() {
    let (fake, _) = node();
    add_a_signal(&fake);
    let document = openapi::openapi();
    for endpoint in endpoints::<Fake>().iter().filter(|endpoint| endpoint.path != "/openapi.json") {
        let operation = &document["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
        let one = |way: &Value| way["bearer"][0].as_str().unwrap().parse::<Scope>().unwrap();
        let scopes: Vec<Scope> = operation["security"].as_array().unwrap().iter().map(one).collect();
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| !scopes.contains(other)).collect();
        for scope in &scopes {
            let request = well_formed(endpoint, &fake.token_for(&[*scope]));
            let answer = send(router(Arc::clone(&fake)), request).await;
            assert!(answer.status.is_success(), "{endpoint:?}: {answer:?}");
        }
        let scope = scopes[0];
        let answer = send(router(Arc::clone(&fake)), well_formed(endpoint, &fake.token_for(&others))).await;
        answer.problem(403);
        assert!(answer.header("www-authenticate").contains(&format!("scope=\"{scope}\"")), "{answer:?}");
        assert_eq!(
            fake.refused.lock().unwrap().pop(),
            Some((Actor::Token("test".into()), scope)),
            "it is logged"
        );
    }
}

#[tokio::test]
async fn an_unknown_id_is_not_found() {
    let (fake, token) = node();
    get(&fake, "/signals/none", &token).await.problem(404);
    get(&fake, "/notices/none", &token).await.problem(404);
    get(&fake, "/signals/%FF", &token).await.problem(400);
    post(&fake, "/signals/none/withdraw", &token, &json!({})).await.problem(404);
}

#[tokio::test]
async fn what_the_application_answers_becomes_a_problem() {
    let (fake, token) = node();
    let signal = json!({"caseReference": "case-1", "persons": [{"bsn": "1"}]});
    let invalid =
        vec![InvalidParam::body("/persons/0/bsn", "is not a BSN"), InvalidParam::body("/purpose", "unknown")];
    *fake.error.lock().unwrap() = Some(ApplicationError::Invalid(invalid));
    assert_eq!(post(&fake, "/signals", &token, &signal).await.invalid(), ["#/persons/0/bsn", "#/purpose"]);
    *fake.error.lock().unwrap() = Some(ApplicationError::Conflict("no".into()));
    post(&fake, "/signals", &token, &signal).await.problem(409);
    *fake.error.lock().unwrap() = Some(ApplicationError::Internal);
    post(&fake, "/signals", &token, &signal).await.problem(500);
    *fake.error.lock().unwrap() = Some(ApplicationError::Unavailable("starting".into()));
    let answer = post(&fake, "/signals", &token, &signal).await;
    answer.problem(503);
    assert_eq!(answer.header("retry-after"), "5");
}

#[test]
fn tokens_are_random_marked_and_redacted() {
    let (first, second) =
        (auth::Token::random(&mut rand::thread_rng()), auth::Token::random(&mut rand::thread_rng()));
    assert_ne!(first, second);
    assert!(first.expose().starts_with("kring_"));
    assert_eq!(first.expose().len(), 49);
    assert_eq!(format!("{first:?}"), "Token(<redacted>)");
    assert_eq!(*first.hash().as_bytes(), kring_protocol::crypto::sha256(first.expose().as_bytes()));
    assert_eq!("signals".parse::<Scope>(), Err(auth::UnknownScope));
}

#[tokio::test]
async fn events_come_as_a_stream_that_goes_on_where_it_was() {
    let (fake, token) = node();
    let answer = get(&fake, "/events", &token).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/event-stream"));
    assert_eq!((answer.header("cache-control"), answer.header("api-version")), ("no-store", "1.0.0"));
    let first = "id: 7\nevent: involved\ndata: {\"id\":\"x\"}\n\n";
    assert_eq!(answer.text, format!("{first}{}", first.replace('7', "8")));
    let with = |id: &str| request("GET", "/events", &token).header("last-event-id", id);
    let answer = send(router(Arc::clone(&fake)), with("41").body(Body::empty()).unwrap()).await;
    assert!(answer.text.starts_with("id: 42\n"), "{answer:?}");
    for wrong in ["", "x", "-1", "1.5", "99999999999999999999", "1 "] {
        let answer = send(router(Arc::clone(&fake)), with(wrong).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.invalid(), ["Last-Event-ID"], "{wrong}");
    }
    let doubled = with("1").header("last-event-id", "2");
    let answer = send(router(Arc::clone(&fake)), doubled.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.invalid(), ["Last-Event-ID"]);
}

//! The OpenAPI document against the routes, the answers, and the Dutch API Design Rules.

use std::collections::BTreeSet;

use super::schema::{differences, each_schema};
use super::*;

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods)| {
        let methods: &Value = methods;
        let path: &String = path;
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(|(method, operation)| (path.clone(), method.clone(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let document = openapi::openapi();
    let documented: BTreeSet<_> =
        operations(&document).into_iter().map(|(path, method, _)| (path, method.to_uppercase())).collect();
    let served: BTreeSet<_> = endpoints::<Fake>()
        .into_iter()
        .map(|endpoint| (endpoint.path.to_owned(), endpoint.method.to_string()))
        .collect();
    assert_eq!(documented, served);
}

#[tokio::test]
async fn the_document_is_public() {
    let (fake, _) = node();
    let request = Request::builder().uri("/api/v1/openapi.json").body(Body::empty()).unwrap();
    let answer = send(router(fake), request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.json(), openapi::openapi());
}

#[tokio::test]
async fn answers_have_the_fields_and_the_status_that_are_documented() {
    let (fake, token) = node();
    add_a_signal(&fake);
    let document = openapi::openapi();
    for endpoint in endpoints::<Fake>().iter().filter(|endpoint| endpoint.path != "/openapi.json") {
        let answer = send(router(Arc::clone(&fake)), well_formed(endpoint, &token)).await;
        let operation = &document["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
        let response = response(&document, operation, answer.status.as_str());
        let (media_type, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        assert!(answer.header("content-type").starts_with(media_type.as_str()), "{endpoint:?}");
        if media_type == "application/json" {
            conforms(&document, &content["schema"], &answer.json(), &format!("{endpoint:?}"));
        }
    }
    let problem = get(&fake, "/audit/entries?limit=0", &token).await.json();
    conforms(&document, &json!({"$ref": "#/components/schemas/Problem"}), &problem, "problem");
}

/// The response with this status of an operation, wherever it stands.
fn response<'d>(document: &'d Value, operation: &'d Value, status: &str) -> &'d Value {
    let response = &operation["responses"][status];
    match response["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => response,
    }
}

#[track_caller]
fn conforms(document: &Value, schema: &Value, value: &Value, what: &str) {
    assert_eq!(differences(document, schema, value), Vec::<String>::new(), "{what}: {value}");
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = openapi::openapi();
    let mut seen = 0;
    each_schema(&document, &mut |at, schema| {
        for example in schema["examples"].as_array().into_iter().flatten() {
            conforms(&document, schema, example, at);
            seen += 1;
        }
    });
    let mut contents: Vec<(String, &Value)> = Vec::new();
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        contents.push((name.clone(), &response["content"]));
    }
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        if operation["requestBody"].is_object() {
            contents.push((what.clone(), &operation["requestBody"]["content"]));
        }
        let responses = operation["responses"].as_object().unwrap().values();
        contents.extend(responses.filter_map(|one| Some((what.clone(), one.get("content")?))));
    }
    for (what, content) in contents {
        for (media_type, content) in content.as_object().unwrap() {
            if let Some(example) = content.get("example") {
                conforms(&document, &content["schema"], example, &what);
                seen += 1;
            } else {
                assert!(
                    what == "get /openapi.json" || !media_type.ends_with("json"),
                    "{what} has no example"
                );
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn everything_is_bounded() {
    let document = openapi::openapi();
    let mut seen = 0;
    each_schema(&document, &mut |at, schema| {
        let is = |name: &str| {
            schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.contains(&json!(name)))
        };
        let has = |name: &str| schema.get(name).is_some();
        if is("string") {
            assert!(has("maxLength") || has("enum") || has("const"), "{at}: a text without end");
        }
        if is("integer") {
            assert!(has("minimum") && has("maximum") && has("format"), "{at}: a number without bounds");
        }
        if is("array") {
            assert!(has("items") && has("maxItems"), "{at}: a list without end");
        }
        assert!(has("type") || has("$ref") || has("anyOf"), "{at}: anything");
        seen += 1;
    });
    assert!(seen > 100, "{seen}");
}

#[test]
fn operations_say_everything_that_can_go_wrong() {
    let document = openapi::openapi();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        let says = |status: u16| operation["responses"].get(status.to_string()).is_some();
        let security = operation["security"].as_array().unwrap();
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{what}");
        assert!(operation["description"].as_str().unwrap().len() > 30, "{what}");
        assert!(says(406) && says(429) && says(500), "{what}");
        assert_eq!(says(401) && says(403), !security.is_empty(), "{what}");
        assert_eq!(says(404), path.contains('{') || path == "/audit/proofs", "{what}");
        let body = operation["requestBody"].is_object();
        assert!(!body || says(400) && says(408) && says(413) && says(415), "{what}");
        for requirement in security {
            let (scheme, scopes) = requirement.as_object().unwrap().iter().next().unwrap();
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{what}");
            assert!(scopes.as_array().unwrap().iter().all(|s| s.as_str().unwrap().parse::<Scope>().is_ok()));
        }
    }
}

/// Those that change nothing.
const POSTS_THAT_ONLY_ASK: &[&str] = &["/access-requests"];

#[tokio::test]
async fn every_change_can_be_repeated() {
    let document = openapi::openapi();
    for endpoint in endpoints::<Fake>().iter().filter(|endpoint| endpoint.method == Method::POST) {
        let operation = &document["paths"][endpoint.path]["post"];
        let parameters = operation["parameters"].as_array().unwrap();
        let documented = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        if POSTS_THAT_ONLY_ASK.contains(&endpoint.path) {
            assert!(!documented, "{endpoint:?}");
            continue;
        }
        assert!(documented, "{endpoint:?}");
        let (fake, token) = node();
        add_a_signal(&fake);
        let mut request = well_formed(endpoint, &token);
        request.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
        let answer = send(router(Arc::clone(&fake)), request).await;
        assert!(answer.status.is_success(), "{endpoint:?}: {answer:?}");
        let arrived = fake.marks.lock().unwrap().iter().any(|mark| mark.key == "k-1");
        assert!(arrived || fake.keys.lock().unwrap().contains_key("k-1"), "{endpoint:?}: the key got lost");
    }
}

#[test]
fn the_document_follows_the_rules_for_the_whole() {
    let document = openapi::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], API_VERSION);
    assert_eq!(API_VERSION.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3);
    for field in ["name", "email", "url"] {
        assert!(document["info"]["contact"][field].is_string(), "{field}");
    }
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.keys().all(|name| name.starts_with(|c: char| c.is_ascii_uppercase())));
}

fn is_camel_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

#[test]
fn operations_follow_the_rules() {
    let document = openapi::openapi();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let kebab = |segment: &str| segment.chars().all(|c| c.is_ascii_lowercase() || "-.{}".contains(c));
        assert!(segments.iter().all(|segment| !segment.is_empty() && kebab(segment)), "{path}");
        assert!(["get", "post", "patch"].contains(&method.as_str()));
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "operation ids are unique");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag)));
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let in_path: Vec<&Value> =
            parameters.iter().filter(|p| p["in"] == "path").map(|p| &p["name"]).collect();
        assert_eq!(
            in_path.len(),
            segments.iter().filter(|segment| segment.starts_with('{')).count(),
            "{path}"
        );
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            assert!(is_camel_case(parameter["name"].as_str().unwrap()));
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.contains_key("400") || (method == "get" && parameters.is_empty()),
            "{method} {path}"
        );
        for status in responses.keys() {
            let response = response(&document, operation, status);
            assert!(response["headers"]["API-Version"].is_object(), "{method} {path} {status}");
            let is_problem = response["content"]["application/problem+json"].is_object();
            assert_eq!(is_problem, status.starts_with(['4', '5']), "{method} {path} {status}");
        }
        assert!(!responses.contains_key("422"));
    }
}

#[test]
fn fields_follow_the_rules_and_references_lead_somewhere() {
    let document = openapi::openapi();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let Some(properties) = schema["properties"].as_object() else { continue };
        for (field, property) in properties {
            assert!(is_camel_case(field), "{name}.{field}");
            assert_eq!(property["format"] == "date", field.ends_with("Date"), "{name}.{field}");
        }
    }
    for field in ["status", "title", "detail"] {
        assert!(schemas["Problem"]["required"].as_array().unwrap().contains(&json!(field)));
    }
    let text = document.to_string();
    let references: BTreeSet<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 15);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

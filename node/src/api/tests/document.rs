//! The OpenAPI document against the routes, the answers, and the Dutch API Design Rules.

use std::collections::BTreeSet;

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
        let response = &operation["responses"][answer.status.as_str()];
        let (media_type, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        assert!(answer.header("content-type").starts_with(media_type.as_str()), "{endpoint:?}");
        if media_type == "application/json" {
            conforms(&document, &content["schema"], &answer.json(), &format!("{endpoint:?}"));
        }
    }
    let problem = get(&fake, "/audit/entries?limit=0", &token).await.json();
    conforms(&document, &json!({"$ref": "#/components/schemas/Problem"}), &problem, "problem");
}

/// Every field of the value is documented, and every required one is there.
fn conforms(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} is missing"));
        return conforms(document, found, value, reference);
    }
    if let Some(items) = value.as_array() {
        return items.iter().for_each(|item| conforms(document, &schema["items"], item, at));
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value}");
    }
    let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object()) else {
        return;
    };
    for (name, field) in fields {
        let property = properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not documented"));
        conforms(document, property, field, at);
    }
    for required in schema["required"].as_array().unwrap() {
        assert!(fields.contains_key(required.as_str().unwrap()), "{at}: {required} is missing");
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
        for (status, response) in responses {
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

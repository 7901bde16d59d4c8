//! Whether a value is what a schema of the document says: as much of JSON Schema as the document uses.

use serde_json::Value;

/// Every keyword that the document may use in a schema; another one is checked by nobody.
const KEYWORDS: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "minProperties",
    "maxProperties",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "additionalProperties",
    "anyOf",
    "default",
    "description",
    "examples",
    "example",
];

/// Everything in which the value differs from the schema, each with its place.
pub(super) fn differences(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for keyword in schema.as_object().into_iter().flat_map(|schema| schema.keys()) {
        assert!(KEYWORDS.contains(&keyword.as_str()), "{at}: the keyword {keyword} is not checked");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} is missing"));
        return check(document, target, value, at, found);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        if !choices.iter().any(|choice| differences(document, choice, value).is_empty()) {
            found.push(format!("{at}: is none of those that it may be"));
        }
        return;
    }
    if !has_type(&schema["type"], value) {
        return found.push(format!("{at}: has not the type {}", schema["type"]));
    }
    let fixed = |name: &str| {
        schema.get(name).is_some_and(|known| {
            known != value && !known.as_array().is_some_and(|known| known.contains(value))
        })
    };
    if fixed("enum") || fixed("const") {
        found.push(format!("{at}: {value} is not known"));
    }
    text(schema, value, at, found);
    number(schema, value, at, found);
    list(document, schema, value, at, found);
    object(document, schema, value, at, found);
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        other => panic!("a schema needs a type, and not {other:?}"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

fn text(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(text) = value.as_str() else { return };
    let len = text.chars().count() as u64;
    if len > schema["maxLength"].as_u64().unwrap_or(u64::MAX)
        || len < schema["minLength"].as_u64().unwrap_or(0)
    {
        found.push(format!("{at}: has {len} characters"));
    }
    let fits = match schema["format"].as_str() {
        Some("date") => text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text),
        Some("date-time") => {
            text.parse::<jiff::Timestamp>().is_ok() && text.ends_with('Z') && text.contains('T')
        }
        _ => true,
    };
    if !fits {
        found.push(format!("{at}: {text} has not the format {}", schema["format"]));
    }
}

fn number(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(number) = value.as_i64() else { return };
    if number < schema["minimum"].as_i64().unwrap_or(i64::MIN)
        || number > schema["maximum"].as_i64().unwrap_or(i64::MAX)
    {
        found.push(format!("{at}: {number} is out of range"));
    }
}

fn list(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(list) = value.as_array() else { return };
    let len = list.len() as u64;
    if len > schema["maxItems"].as_u64().unwrap_or(u64::MAX) || len < schema["minItems"].as_u64().unwrap_or(0)
    {
        found.push(format!("{at}: has {len} items"));
    }
    for (number, item) in list.iter().enumerate() {
        check(document, &schema["items"], item, &format!("{at}/{number}"), found);
    }
}

fn object(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    // An object whose fields are another document's to describe.
    let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object()) else {
        return;
    };
    for (name, field) in fields {
        match properties.get(name) {
            Some(property) => check(document, property, field, &format!("{at}/{name}"), found),
            None => found.push(format!("{at}/{name}: is not documented")),
        }
    }
    let len = fields.len() as u64;
    if len > schema["maxProperties"].as_u64().unwrap_or(u64::MAX)
        || len < schema["minProperties"].as_u64().unwrap_or(0)
    {
        found.push(format!("{at}: has {len} fields"));
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let required = required.as_str().expect("a name");
        if !fields.contains_key(required) {
            found.push(format!("{at}/{required}: is missing"));
        }
    }
}

/// Calls `look` with every schema of the document, and where it stands.
pub(super) fn each_schema(document: &Value, look: &mut impl FnMut(&str, &Value)) {
    fn walk(at: &str, value: &Value, is_schema: bool, look: &mut impl FnMut(&str, &Value)) {
        if is_schema {
            look(at, value);
        }
        let named = |name: &str| matches!(name, "schema" | "items");
        if let Some(fields) = value.as_object() {
            for (name, field) in
                fields.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"))
            {
                let at = format!("{at}/{name}");
                match (name.as_str(), field) {
                    ("properties" | "schemas", Value::Object(inner)) => {
                        inner
                            .iter()
                            .for_each(|(name, field)| walk(&format!("{at}/{name}"), field, true, look));
                    }
                    ("anyOf", Value::Array(inner)) => {
                        inner.iter().for_each(|field| walk(&at, field, true, look));
                    }
                    _ => walk(&at, field, named(name), look),
                }
            }
        } else if let Some(list) = value.as_array() {
            list.iter().enumerate().for_each(|(n, item)| walk(&format!("{at}/{n}"), item, false, look));
        }
    }
    walk("", document, false, look);
}

#[test]
fn differences_are_found() {
    use serde_json::json;
    let schema = json!({
        "type": "object",
        "properties": {
            "day": { "type": ["string", "null"], "format": "date" },
            "at": { "type": "string", "format": "date-time" },
            "kind": { "type": "string", "enum": ["a", "b"], "maxLength": 1 },
            "list": { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 0, "maximum": 9 } },
            "either": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
        },
        "required": ["kind"],
    });
    let differ = |value: Value| differences(&Value::Null, &schema, &value).len();
    assert_eq!(differ(json!({ "kind": "a", "day": null, "list": [9], "either": true })), 0);
    assert_eq!(differ(json!({ "kind": "a", "day": "2026-11-20", "at": "2026-11-20T10:00:00Z" })), 0);
    for wrong in [
        json!([]),
        json!({}),
        json!({ "kind": "c" }),
        json!({ "kind": 1 }),
        json!({ "kind": "a", "other": 1 }),
        json!({ "kind": "a", "day": "20-11-2026" }),
        json!({ "kind": "a", "at": "2026-11-20T10:00:00" }),
        json!({ "kind": "a", "list": [] }),
        json!({ "kind": "a", "list": [10] }),
        json!({ "kind": "a", "list": [-1] }),
        json!({ "kind": "a", "either": "x" }),
    ] {
        assert_eq!(differ(wrong.clone()), 1, "{wrong}");
    }
}

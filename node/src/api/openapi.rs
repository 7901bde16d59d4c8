//! The OpenAPI 3.1 document. Written by hand, and compared with the routes by a test.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::limits::Anybody;
use super::{API_VERSION, BASE_PATH, Endpoint, Scope};

mod examples;
mod people;
mod responses;
mod schemas;

use responses::{common_headers, headers, problem};

/// `GET /openapi.json`: without a token and for every origin, as the Dutch rules ask.
pub(super) async fn document(_: Anybody) -> impl IntoResponse {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The document.
pub(super) fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kring node",
            "summary": "The interface of one partner's node for that partner's own systems.",
            "description": DESCRIPTION,
            "version": API_VERSION,
            "contact": {
                "name": "The organisation that runs this node",
                "url": "https://kring.example/contact",
                "email": "kring@kring.example",
            },
            "license": { "name": "EUPL-1.2", "identifier": "EUPL-1.2" },
        },
        "servers": [{ "url": BASE_PATH, "description": "This node, under the address where this document is." }],
        "tags": tags(),
        "paths": paths(),
        "components": {
            "schemas": with_examples(schemas::schemas()),
            "responses": responses::responses(),
            "headers": headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of this node, made by its operator for certain scopes and a limited time.",
                }
            },
        },
    })
}

const DESCRIPTION: &str = "\
Signals of this organisation, and notices that others are involved with the same family.

Every response has the headers `API-Version` and `X-Request-Id`. Every error is a problem (RFC 9457); one of invalid input has \
status 400 and lists everything that is wrong. Addresses hold no personal data. Another method than those of a path gives \
405, another path 404.

A request that changes something may bear an `Idempotency-Key`. Within seven days the same caller's same request with the \
same key is not done again, and is answered with what it made or changed, as it is then; another request with the key gives \
409.

A token may make about a hundred requests a second, and a thousand at once; beyond that the answer is 429. Changes between \
versions are listed in the project's changelog.";

/// The document: it does not change while the node runs.
static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi);
/// As it is sent.
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The media types of what an operation answers when all is well.
pub(super) fn answers<A>(endpoint: &Endpoint<A>) -> Vec<String> {
    let operation = &DOCUMENT["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
    let responses = operation["responses"].as_object().into_iter().flatten();
    let good = responses.filter(|(status, _)| status.starts_with('2'));
    let contents = good.filter_map(|(_, response)| response["content"].as_object());
    contents.flat_map(|content| content.keys().cloned()).collect()
}

fn with_examples(mut schemas: Value) -> Value {
    for (name, schema) in schemas.as_object_mut().expect("schemas have names") {
        if let Some(example) = examples::of(name) {
            schema["examples"] = json!([example]);
        }
    }
    schemas
}

/// Content of this media type, with an example where there is one.
fn content(media_type: &str, schema: &Value) -> Value {
    let mut content = json!({ "schema": schema });
    let name = |schema: &Value| Some(schema["$ref"].as_str()?.rsplit('/').next()?.to_owned());
    let example = |schema: &Value| examples::of(&name(schema)?);
    let found = example(schema).or_else(|| Some(json!([example(&schema["items"])?])));
    if let Some(found) = found {
        content["example"] = found;
    }
    json!({ media_type: content })
}

fn tags() -> Value {
    json!([
        { "name": "signals", "description": "What this organisation's professionals have signalled." },
        { "name": "notices", "description": "What others are involved with too." },
        { "name": "events", "description": "That something happened, without content." },
        { "name": "people", "description": "Who works here, and in which teams." },
        { "name": "access-requests", "description": "What is held about a person, for that person; and erasure." },
        { "name": "network", "description": "Partners, keys, covenant." },
        { "name": "audit", "description": "The audit log of this node." },
        { "name": "documentation", "description": "This document." },
    ])
}

fn paths() -> Value {
    let mut paths = most_paths();
    for (path, operations) in people::paths() {
        paths[path] = operations;
    }
    paths
}

fn most_paths() -> Value {
    json!({
        "/openapi.json": { "get": documentation() },
        "/signals": { "get": list_signals(), "post": add_signal() },
        "/signals/{id}": { "get": signal("getSignal", "One signal.", Scope::SignalsRead) },
        "/signals/{id}/renew": {
            "post": signal("renewSignal", "Lets a signal last for another term.", Scope::SignalsWrite)
        },
        "/signals/{id}/withdraw": {
            "post": signal("withdrawSignal", "Ends a signal; matchers and met partners are told.", Scope::SignalsWrite)
        },
        "/notices": {
            "get": Operation::new("listNotices", "notices", "All notices.", Scope::NoticesRead)
                .parameter(accept_language())
                .problems(&[400])
                .answers_list("Notice")
        },
        "/notices/{id}": {
            "get": Operation::new("getNotice", "notices", "One notice.", Scope::NoticesRead)
                .parameter(id("notice"))
                .parameter(accept_language())
                .problems(&[400, 404])
                .answers("200", "The notice.", "Notice")
        },
        "/notices/{id}/respond": { "post": respond() },
        "/notices/{id}/contact": {
            "post": step("recordContact", "Records the day of contact over a match, or takes it back.", "NewContactDay")
        },
        "/notices/{id}/lead": {
            "post": step("settleLead", "Claims the lead, gives it up, confirms a claim, or hands over.", "NewLead")
        },
        "/notices/{id}/close": {
            "post": step("closeMatch", "Closes a match with an outcome, or takes it up again.", "NewOutcome")
        },
        "/events": { "get": events() },
        "/notices/{id}/mute": { "post": mute("muteNotice", "Nobody is reminded of a notice any more.") },
        "/notices/{id}/unmute": { "post": mute("unmuteNotice", "Reminders of a notice come again.") },
        "/network": {
            "get": Operation::new("getNetwork", "network", "The network as this node sees it.", Scope::NetworkRead)
                .answers("200", "The network.", "Network")
        },
        "/covenant": {
            "get": Operation::new("getCovenant", "network", "The covenant in force.", Scope::NetworkRead)
                .answers("200", "The covenant.", "Covenant")
        },
        "/imports": { "post": import() },
        "/audit/checkpoint": { "get": checkpoint() },
        "/audit/entries": { "get": entries() },
        "/audit/proofs": { "get": proofs() },
    })
}

fn list_signals() -> Value {
    let owner = json!({ "type": "string", "enum": ["none"] });
    Operation::new("listSignals", "signals", "All signals that the caller may see.", Scope::SignalsRead)
        .parameter(query("owner", "With `none`: only those that nobody owns; for supervisors.", &owner))
        .problems(&[400])
        .answers_list("Signal")
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Lets the request be repeated: the same key with the same body gives the same answer.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    })
}

fn accept_language() -> Value {
    json!({
        "name": "Accept-Language",
        "in": "header",
        "description": "The language of texts for people: `nl` (also without this header) or `en`.",
        "schema": { "type": "string", "maxLength": 256 },
    })
}

fn respond() -> Value {
    let summary = "Answers one match of a notice. The answer comes once it is durable.";
    Operation::new("respondToNotice", "notices", summary, Scope::NoticesWrite)
        .parameter(id("notice"))
        .parameter(idempotency_key())
        .body("application/json", &reference("NewResponse"))
        .problems(&[400, 404, 408, 409, 413, 415])
        .answers("200", "What stands recorded as this side's answer.", "Response")
}

fn step(operation_id: &str, summary: &str, body: &str) -> Value {
    let summary = format!("{summary} The answer comes once it is durable.");
    Operation::new(operation_id, "notices", &summary, Scope::NoticesWrite)
        .parameter(id("notice"))
        .parameter(accept_language())
        .parameter(idempotency_key())
        .body("application/json", &reference(body))
        .problems(&[400, 404, 408, 409, 413, 415])
        .answers("200", "The notice as it is now.", "Notice")
}

fn mute(operation_id: &str, summary: &str) -> Value {
    Operation::new(operation_id, "notices", summary, Scope::NoticesWrite)
        .parameter(id("notice"))
        .parameter(accept_language())
        .parameter(idempotency_key())
        .problems(&[400, 404, 409])
        .answers("200", "The notice as it is now.", "Notice")
}

fn add_signal() -> Value {
    let summary = "Gives a signal. The answer comes once it is durable.";
    let mut operation = Operation::new("addSignal", "signals", summary, Scope::SignalsWrite)
        .parameter(idempotency_key())
        .body("application/json", &reference("NewSignal"))
        .problems(&[400, 408, 409, 413, 415])
        .answers("201", "The signal.", "Signal");
    operation["responses"]["201"]["headers"]["Location"] = json!({ "description": "Where the signal is.", "schema": { "type": "string", "format": "uri-reference", "maxLength": 128 } });
    operation
}

fn signal(operation_id: &str, summary: &str, scope: Scope) -> Value {
    let operation = Operation::new(operation_id, "signals", summary, scope).parameter(id("signal"));
    let operation = match scope {
        Scope::SignalsWrite => {
            operation.parameter(idempotency_key()).problems(&[400, 404, 408, 409, 413, 415])
        }
        _ => operation.problems(&[400, 404]),
    };
    operation.answers("200", "The signal.", "Signal")
}

const CASELOAD: &str = "\
case,person,role,bsn,given_names,name_prefix,family_name,birth_date,postal_code,house_number,house_number_suffix
2026-0431,1,child,,Sanne,de,Jong,2014-03-31,1234 AB,12,
";

fn import() -> Value {
    let dry_run =
        query("dryRun", "Only report what would happen.", &json!({ "type": "boolean", "default": false }));
    let csv = json!({
        "type": "string",
        "maxLength": 67_108_864,
        "examples": [CASELOAD],
        "description": "Columns, header required: case, person, role, bsn, given_names, name_prefix, family_name, \
            birth_date, postal_code, house_number, house_number_suffix. At most 64 MiB, UTF-8 or Windows-1252.",
    });
    let summary = "Imports a caseload: every case becomes a signal, all in one commit.";
    Operation::new("importCaseload", "signals", summary, Scope::ImportsWrite)
        .parameter(dry_run)
        .parameter(idempotency_key())
        .body("text/csv", &csv)
        .problems(&[400, 408, 409, 413, 415])
        .answers("200", "What was taken in.", "ImportReport")
}

fn events() -> Value {
    let last = json!({
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The `id` of the last event that was received: what came after it comes first.",
        "schema": { "type": "string", "maxLength": 20, "pattern": "^[0-9]+$" },
    });
    let stream = json!({
        "text/event-stream": {
            "schema": {
                // As text, and as the object that readers make of each event.
                "type": ["string", "object"],
                "maxLength": 67_108_864,
                "description": "Server-sent events. `id` counts up, `event` is the kind, and `data` a CloudEvent of the \
                    NL GOV profile whose own `data` holds the id of a notice and the kind, and nothing else. Comments keep \
                    the connection open; it ends after a quarter of an hour, and whoever comes back with \
                    `Last-Event-ID` misses nothing.",
            },
            "example": "id: 7\nevent: involved\ndata: {}\n\n",
        }
    });
    let summary = "What happens, as it happens.";
    let mut operation = Operation::new("streamEvents", "events", summary, Scope::EventsRead)
        .parameter(last)
        .problems(&[400])
        .answers_content("200", "The stream.", &stream);
    operation["description"] = json!(format!(
        "{summary} Needs a token with the scope `{}` or `{}`.",
        Scope::EventsRead,
        Scope::NoticesRead
    ));
    operation["security"] =
        json!([{ "bearer": [Scope::EventsRead.as_str()] }, { "bearer": [Scope::NoticesRead.as_str()] }]);
    operation
}

fn checkpoint() -> Value {
    let example = "kring/0f1e2d3c4b5a6978/audit/school-zuid\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\
                   \u{2014} kring/0f1e2d3c4b5a6978/audit/school-zuid AAECAw==\n";
    let text =
        json!({ "text/plain": { "schema": { "type": "string", "maxLength": 65_536 }, "example": example } });
    Operation::new("getCheckpoint", "audit", "The newest checkpoint, a C2SP signed note.", Scope::AuditRead)
        .answers_content("200", "The checkpoint with its cosignatures.", &text)
}

fn entries() -> Value {
    let first = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": schemas::MAX_COUNT, "default": 0 });
    let limit =
        json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 1000, "default": 100 });
    Operation::new("listAuditEntries", "audit", "Entries in their order.", Scope::AuditRead)
        .parameter(query("first", "Index of the first entry.", &first))
        .parameter(query("limit", "Most entries to give.", &limit))
        .problems(&[400])
        .answers_list("AuditEntry")
}

fn proofs() -> Value {
    let number = schemas::count();
    let mut size = query("size", "Size of the log to prove it in.", &number);
    size["required"] = json!(true);
    Operation::new("getAuditProof", "audit", "A Merkle proof (RFC 6962).", Scope::AuditRead)
        .parameter(query("index", "For inclusion: index of the entry.", &number))
        .parameter(query("oldSize", "For consistency: size of the older log.", &number))
        .parameter(size)
        .problems(&[400, 404])
        .answers("200", "The proof.", "AuditProof")
}

fn documentation() -> Value {
    json!({
        "operationId": "getOpenapi",
        "tags": ["documentation"],
        "summary": "This document.",
        "description": "For everybody, without a token.",
        "security": [],
        "responses": {
            "200": {
                "description": "The OpenAPI document.",
                "headers": common_headers(),
                "content": { "application/json": { "schema": { "type": "object" } } },
            },
            "405": problem(405),
            "406": problem(406),
            "429": problem(429),
            "500": problem(500),
        },
    })
}

/// One operation while it is written.
struct Operation {
    value: Value,
    problems: Vec<u16>,
}

impl Operation {
    fn new(operation_id: &str, tag: &str, summary: &str, scope: Scope) -> Self {
        let value = json!({
            "operationId": operation_id,
            "tags": [tag],
            "summary": summary,
            "description": format!("{summary} Needs a token with the scope `{scope}`."),
            "security": [{ "bearer": [scope.as_str()] }],
            "parameters": [],
        });
        Self { value, problems: vec![401, 403, 405, 406, 429, 500, 503] }
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.value["parameters"].as_array_mut().expect("is a list since new").push(parameter);
        self
    }

    fn body(mut self, media_type: &str, schema: &Value) -> Self {
        self.value["requestBody"] = json!({ "required": true, "content": content(media_type, schema) });
        self
    }

    fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// What can go wrong wherever there are parameters, ids, a key or a body.
    fn implied(&self) -> Vec<u16> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        let mut problems = Vec::new();
        let mut changes = self.value["requestBody"].is_object();
        for parameter in parameters {
            problems.push(400);
            if parameter["in"] == "path" {
                problems.push(404);
            }
            if parameter["name"] == "Idempotency-Key" {
                problems.push(409);
                changes = true;
            }
        }
        if changes {
            problems.extend([400, 408, 413, 415]);
        }
        problems
    }

    fn answers(self, status: &str, description: &str, schema: &str) -> Value {
        self.answers_content(status, description, &content("application/json", &reference(schema)))
    }

    fn answers_list(self, schema: &str) -> Value {
        let list = json!({ "type": "array", "items": reference(schema), "maxItems": schemas::MAX_ITEMS });
        self.answers_content("200", "All of them, in one list.", &content("application/json", &list))
    }

    fn answers_content(mut self, status: &str, description: &str, content: &Value) -> Value {
        let good = json!({ "description": description, "headers": common_headers(), "content": content });
        self.problems.extend(self.implied());
        let mut responses = Map::from_iter([(status.to_owned(), good)]);
        self.problems.sort_unstable();
        responses.extend(self.problems.iter().map(|status| (status.to_string(), problem(*status))));
        self.value["responses"] = responses.into();
        self.value
    }
}

fn id(of: &str) -> Value {
    json!({
        "name": "id",
        "in": "path",
        "required": true,
        "description": format!("The opaque id of the {of}."),
        "schema": schemas::id(),
    })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

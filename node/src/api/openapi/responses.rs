//! What goes wrong, once for all operations, and the headers of every response.

use serde_json::{Map, Value, json};

use super::reference;
use crate::api::API_VERSION;

/// What the status of a problem means here: the name of its response, its title, what it says, and an example's detail.
struct Meaning {
    status: u16,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    detail: &'static str,
}

const fn meaning(
    status: u16,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    detail: &'static str,
) -> Meaning {
    Meaning { status, name, title, description, detail }
}

const MEANINGS: [Meaning; 13] = [
    meaning(
        400,
        "Invalid",
        "Bad Request",
        "The request is invalid; all errors are listed.",
        "The request is invalid; `errors` lists everything that is wrong.",
    ),
    meaning(
        401,
        "Unauthorized",
        "Unauthorized",
        "There is no valid token.",
        "The token is unknown, malformed or has expired.",
    ),
    meaning(
        403,
        "Forbidden",
        "Forbidden",
        "The token does not have the scope, or this is not for the role of its person.",
        "The token does not have the scope signals:write.",
    ),
    meaning(
        404,
        "NotFound",
        "Not Found",
        "There is nothing with this id that the caller may see.",
        "there is nothing with this id",
    ),
    meaning(
        405,
        "MethodNotAllowed",
        "Method Not Allowed",
        "The resource does not know the method. The header Allow names those that it knows.",
        "The resource does not know this method; see the header Allow.",
    ),
    meaning(
        406,
        "NotAcceptable",
        "Not Acceptable",
        "The caller takes none of the media types in which this is given.",
        "This is given as application/json only; see the header Accept.",
    ),
    meaning(408, "TooSlow", "Request Timeout", "The body came too slowly.", "The body came too slowly."),
    meaning(
        409,
        "Conflict",
        "Conflict",
        "The state of things does not allow it, or the idempotency key was used for another request.",
        "the signal was withdrawn; make a new one",
    ),
    meaning(
        413,
        "TooLarge",
        "Payload Too Large",
        "The body is too large.",
        "The body has more than 262144 bytes.",
    ),
    meaning(
        415,
        "OtherMediaType",
        "Unsupported Media Type",
        "The body has another media type.",
        "The body must have the media type application/json.",
    ),
    meaning(
        429,
        "TooMany",
        "Too Many Requests",
        "This caller asks too much. The header Retry-After says when to ask again.",
        "Too many requests; see the header Retry-After.",
    ),
    meaning(
        500,
        "Fault",
        "Internal Server Error",
        "The node is at fault.",
        "the node could not do this; its operator finds the cause in its log",
    ),
    meaning(
        503,
        "NotNow",
        "Service Unavailable",
        "Not now; the request may be repeated.",
        "the node is starting",
    ),
];

/// Where the response with this status stands.
///
/// # Panics
/// When the document has none.
pub(super) fn problem(status: u16) -> Value {
    let found = MEANINGS.iter().find(|meaning| meaning.status == status);
    let name = found.expect("every status that an operation lists has a response").name;
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// All responses that say what went wrong.
pub(super) fn responses() -> Value {
    MEANINGS.iter().map(|meaning| (meaning.name.to_owned(), response(meaning))).collect::<Map<_, _>>().into()
}

fn response(meaning: &Meaning) -> Value {
    let mut headers = common_headers();
    let also: &[(&str, &str)] = match meaning.status {
        401 | 403 => &[("WWW-Authenticate", "Challenge")],
        405 => &[("Allow", "Allow")],
        429 | 503 => &[("Retry-After", "RetryAfter")],
        _ => &[],
    };
    for (name, component) in also {
        headers[*name] = header(component);
    }
    let mut example = json!({
        "status": meaning.status,
        "title": meaning.title,
        "detail": meaning.detail,
        "instance": "urn:kring:request:5f2b6c1d9e804a37",
    });
    if meaning.status == 400 {
        example["errors"] = json!([{ "in": "body", "pointer": "#/persons/0/bsn", "detail": "is not a BSN" }]);
    }
    json!({
        "description": meaning.description,
        "headers": headers,
        "content": { "application/problem+json": { "schema": reference("Problem"), "example": example } },
    })
}

fn header(component: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{component}") })
}

/// Headers of every response.
pub(super) fn common_headers() -> Value {
    json!({
        "API-Version": header("ApiVersion"),
        "Cache-Control": header("CacheControl"),
        "X-Request-Id": header("RequestId"),
    })
}

/// What the headers are.
pub(super) fn headers() -> Value {
    json!({
        "ApiVersion": {
            "description": "The version of this interface.",
            "required": true,
            "schema": { "type": "string", "maxLength": 16, "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$", "examples": [API_VERSION] },
        },
        "CacheControl": {
            "description": "Nothing is to be kept on the way.",
            "required": true,
            "schema": { "type": "string", "const": "no-store" },
        },
        "RequestId": {
            "description": "Names this request in the node's log.",
            "required": true,
            "schema": { "type": "string", "maxLength": 16, "pattern": "^[0-9a-f]{16}$" },
        },
        "Allow": {
            "description": "The methods that the resource knows.",
            "schema": { "type": "string", "maxLength": 64 },
        },
        "Challenge": {
            "description": "What is needed instead (RFC 6750).",
            "schema": { "type": "string", "maxLength": 256 },
        },
        "RetryAfter": {
            "description": "Seconds until the request may be repeated.",
            "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 3600 },
        },
    })
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn titles_are_those_that_are_sent() {
        for Meaning { status, title, .. } in MEANINGS {
            assert_eq!(StatusCode::from_u16(status).unwrap().canonical_reason(), Some(title));
        }
    }
}

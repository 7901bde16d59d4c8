//! Errors as the caller sees them: problem details (RFC 9457), never with content of a request in them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::caseload::CaseloadError;

/// What the application can answer instead of a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationError {
    #[error("the input is invalid in {} places", .0.len())]
    Invalid(Vec<InvalidParam>),
    /// A caseload that cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] CaseloadError),
    #[error("there is nothing with this id")]
    NotFound,
    /// The state of things does not allow it, such as renewing what was withdrawn.
    #[error("{0}")]
    Conflict(String),
    #[error("this idempotency key was used with another body; use a new key for a new signal")]
    IdempotencyKeyReused,
    /// Who asks is known, and this is not their work.
    #[error("this is not for your role, or not for you to change")]
    Forbidden,
    /// Who asks has no active account any more.
    #[error("the account is not active")]
    Nobody,
    /// Not now; the caller may repeat the request.
    #[error("{0}")]
    Unavailable(String),
    /// The node is at fault. What happened is in its own log.
    #[error("the node could not do this; its operator finds the cause in its log")]
    Internal,
}

/// Where in a request a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Body,
    Query,
    Header,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidParam {
    pub place: Place,
    /// In the body a JSON pointer (RFC 6901) such as `/persons/0/bsn`, empty for the whole; elsewhere the name.
    pub name: String,
    /// Why, and what would be right; never the value.
    pub reason: String,
}

impl InvalidParam {
    /// A part of the body, by its JSON pointer.
    pub fn body(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: Place::Body, name: pointer.into(), reason: reason.into() }
    }

    pub(super) fn query(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: Place::Query, name: name.into(), reason: reason.into() }
    }

    pub(super) fn header(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: Place::Header, name: name.into(), reason: reason.into() }
    }

    fn to_json(&self) -> Value {
        match self.place {
            Place::Body => json!({"in": "body", "pointer": format!("#{}", self.name), "detail": self.reason}),
            Place::Query => json!({"in": "query", "name": self.name, "detail": self.reason}),
            Place::Header => json!({"in": "header", "name": self.name, "detail": self.reason}),
        }
    }
}

/// An error response. As a response it is empty until `super::finish` writes it, which knows the request's id.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<InvalidParam>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn invalid(errors: Vec<InvalidParam>) -> Self {
        let detail = "The request is invalid; `errors` lists everything that is wrong.";
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// For responses that come without a problem of their own. The Dutch rules know no 422.
    pub(super) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(status, "There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "The resource does not know this method; see the header Allow.")
            }
            StatusCode::UNPROCESSABLE_ENTITY => Self::new(StatusCode::BAD_REQUEST, "The request is invalid."),
            _ => Self::new(status, status.canonical_reason().unwrap_or("The request failed.")),
        }
    }

    /// One more thing that is wrong.
    pub(super) fn and(mut self, error: InvalidParam) -> Self {
        self.errors.push(error);
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body. `type` is left out: it is `about:blank`, the title says what the status says.
    pub(super) fn to_json(&self, request_id: &str) -> Value {
        let mut body = json!({
            "status": self.status.as_u16(),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "detail": self.detail,
            "instance": format!("urn:kring:request:{request_id}"),
        });
        if !self.errors.is_empty() {
            body["errors"] = self.errors.iter().map(InvalidParam::to_json).collect();
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, HeaderMap::from_iter(self.headers.clone())).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ApplicationError> for Problem {
    fn from(error: ApplicationError) -> Self {
        let detail = error.to_string();
        match error {
            ApplicationError::Invalid(errors) => Self::invalid(errors),
            ApplicationError::Unreadable(error) => {
                Self::invalid(vec![InvalidParam::body("", error.to_string())])
            }
            ApplicationError::Forbidden => Self::new(StatusCode::FORBIDDEN, detail),
            ApplicationError::Nobody => Self::new(StatusCode::UNAUTHORIZED, detail).with_header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"kring\", error=\"invalid_token\""),
            ),
            ApplicationError::NotFound => Self::new(StatusCode::NOT_FOUND, detail),
            ApplicationError::Conflict(_) | ApplicationError::IdempotencyKeyReused => {
                Self::new(StatusCode::CONFLICT, detail)
            }
            ApplicationError::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("5")),
            ApplicationError::Internal => Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail),
        }
    }
}

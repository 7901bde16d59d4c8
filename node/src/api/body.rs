//! Reading a request's body within limits of size and time.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use kring_protocol::crypto;
use serde_json::{Value, json};

use super::{InvalidParam, Problem};

/// Largest JSON body, in bytes.
pub(super) const MAX_JSON: usize = 256 * 1024;
/// Largest caseload, in bytes.
pub(super) const MAX_CSV: usize = 64 * 1024 * 1024;

const JSON_TIMEOUT: Duration = Duration::from_secs(10);
const CSV_TIMEOUT: Duration = Duration::from_secs(120);

/// A JSON body of any form; its form is checked by [`super::shape::Shape`], which lists all errors at once.
pub(super) struct JsonBody {
    pub(super) value: Value,
    /// SHA-256 of the body as it came.
    pub(super) hash: [u8; 32],
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        media_type(request.headers(), &["application/json"])?;
        let bytes = read(request.into_body(), MAX_JSON, JSON_TIMEOUT).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let reason = format!("not JSON at line {}, column {}", error.line(), error.column());
            Problem::invalid(vec![InvalidParam::body("", reason)])
        })?;
        Ok(Self { value, hash: crypto::sha256(&bytes) })
    }
}

/// For requests without a body: none, or an empty object.
pub(super) struct NoBody {
    /// What stands for it where bodies are compared.
    pub(super) hash: [u8; 32],
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MAX_JSON, JSON_TIMEOUT).await?;
        if !bytes.trim_ascii().is_empty() {
            media_type(&parts.headers, &["application/json"])?;
            let empty = serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| value == json!({}));
            if !empty {
                return Err(Problem::invalid(vec![InvalidParam::body("", "must be left out, or be {}")]));
            }
        }
        Ok(Self { hash: crypto::sha256(b"") })
    }
}

/// A caseload as a file. Its character set is the reader's to find out.
pub(super) struct CsvBody {
    pub(super) bytes: Vec<u8>,
    /// SHA-256 of it.
    pub(super) hash: [u8; 32],
}

impl<S: Send + Sync> FromRequest<S> for CsvBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        media_type(request.headers(), &["text/csv", "application/octet-stream"])?;
        let bytes = read(request.into_body(), MAX_CSV, CSV_TIMEOUT).await?;
        Ok(Self { hash: crypto::sha256(&bytes), bytes })
    }
}

/// Parameters such as a character set are the caller's; a body without a type is taken for what is expected.
fn media_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = given.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if expected.contains(&essence.as_str()) {
        return Ok(());
    }
    let detail = format!("The body must have the media type {}.", expected.join(" or "));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

async fn read(body: Body, max: usize, timeout: Duration) -> Result<Vec<u8>, Problem> {
    let reading = async {
        let mut bytes = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body ended early."))?;
            if bytes.len() + chunk.len() > max {
                let detail = format!("The body has more than {max} bytes.");
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "The body came too slowly.");
    tokio::time::timeout(timeout, reading).await.unwrap_or_else(|_| Err(late()))
}

//! The caller's mark on a request that it may repeat.
//!
//! Not here: what comes of it (`crate::repeats`).

use axum::http::{HeaderMap, HeaderName};

use super::{InvalidParam, Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in characters.
const MAX_KEY: usize = 255;

/// The caller's mark on a request that it may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
}

/// What was asked with the caller's mark on it; everything wrong with either.
pub(super) fn with_key<T>(
    asked: Result<T, Problem>,
    headers: &HeaderMap,
    body_hash: [u8; 32],
) -> Result<(T, Option<Idempotency>), Problem> {
    match (asked, key(headers)) {
        (Ok(asked), Ok(key)) => Ok((asked, key.map(|key| Idempotency { key, body_hash }))),
        (Err(problem), Ok(_)) => Err(problem),
        (Ok(_), Err(wrong)) => Err(Problem::invalid(vec![wrong])),
        (Err(problem), Err(wrong)) => Err(problem.and(wrong)),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, InvalidParam> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let wrong =
        || InvalidParam::header("Idempotency-Key", "must be one text of 1 to 255 visible ASCII characters");
    let key = value.to_str().map_err(|_| wrong())?;
    let fits = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits && values.next().is_none() { Ok(Some(key.to_owned())) } else { Err(wrong()) }
}

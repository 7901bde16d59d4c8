//! The audit log, for boards: its head, its entries, proofs about both.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use super::auth::Allowed;
use super::auth::needs::AuditRead;
use super::query::Parameters;
use super::{Application, Problem};

/// Largest number in the interface: what every reader of JSON takes exactly.
pub(super) const MAX_COUNT: u64 = (1 << 53) - 1;
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub index: u64,
    /// The bytes whose hash is the leaf, in base64.
    pub leaf: String,
    /// The same, readable.
    pub entry: serde_json::Value,
}

/// A proof that is asked for (RFC 6962 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditProof {
    /// That the entry stands in the log of this size.
    Inclusion { index: u64, size: u64 },
    /// That the log of this size holds the older one unchanged.
    Consistency { old_size: u64, size: u64 },
}

/// A proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofView {
    /// SHA-256 hashes in base64, in the order of RFC 6962.
    pub hashes: Vec<String>,
}

pub(super) async fn checkpoint<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<AuditRead>,
) -> Result<impl IntoResponse, Problem> {
    let note = application.audit_checkpoint(&actor).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note))
}

pub(super) async fn entries<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<AuditRead>,
    mut parameters: Parameters,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    let first = number(&mut parameters, "first", "must be the index of an entry").unwrap_or(0);
    let expected = "must be a number from 1 to 1000";
    let limit = parameters.take("limit", expected).unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        parameters.wrong("limit", expected);
    }
    parameters.finish()?;
    Ok(Json(application.audit_entries(&actor, first, limit).await?))
}

pub(super) async fn proofs<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<AuditRead>,
    mut parameters: Parameters,
) -> Result<Json<ProofView>, Problem> {
    let wanted = wanted_proof(&mut parameters);
    parameters.finish()?;
    Ok(Json(application.audit_proof(&actor, wanted).await?))
}

/// A number that every reader of JSON takes exactly.
fn number(parameters: &mut Parameters, name: &str, expected: &str) -> Option<u64> {
    let taken = parameters.take(name, expected);
    if taken.is_some_and(|number| number > MAX_COUNT) {
        parameters.wrong(name, expected);
    }
    taken
}

fn wanted_proof(parameters: &mut Parameters) -> AuditProof {
    let expected = "must be a number of entries";
    let index = number(parameters, "index", "must be the index of an entry");
    let old_size = number(parameters, "oldSize", expected);
    let size = number(parameters, "size", expected);
    if size.is_none() {
        parameters.wrong("size", "is needed");
    }
    let size = size.unwrap_or(u64::MAX);
    match (index, old_size) {
        (Some(index), None) if index < size => AuditProof::Inclusion { index, size },
        (None, Some(old_size)) if old_size <= size => AuditProof::Consistency { old_size, size },
        (Some(_), None) | (None, Some(_)) => {
            parameters.wrong("size", "is smaller than what is to be proved");
            AuditProof::Consistency { old_size: 0, size }
        }
        (Some(_), Some(_)) | (None, None) => {
            parameters.wrong("index", "either index or oldSize is needed");
            AuditProof::Consistency { old_size: 0, size }
        }
    }
}

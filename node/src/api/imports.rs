//! Imports: a caseload as one file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use super::auth::Allowed;
use super::auth::needs::ImportsWrite;
use super::body::CsvBody;
use super::idempotency::with_key;
use super::query::Parameters;
use super::{Application, Problem};
use crate::caseload::LineProblem;

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    pub dry_run: bool,
    /// Cases that became signals.
    pub cases: usize,
    /// Persons in them.
    pub persons: usize,
    /// Cases that were signals already, with the same persons.
    pub unchanged: usize,
    pub lines_left_out: Vec<LineReason>,
    /// Lines that were taken in, of persons whom others cannot recognise, or hardly.
    pub warnings: Vec<LineReason>,
}

/// A line of the file, and why it was not taken in or what to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineReason {
    /// From 1, the header included.
    pub line: u64,
    /// Never a value of the line.
    pub reason: String,
    /// The same, for who says it in words of their own.
    #[serde(skip)]
    pub problems: Vec<LineProblem>,
}

pub(super) async fn import<A: Application>(
    State(application): State<Arc<A>>,
    Allowed(actor, _): Allowed<ImportsWrite>,
    mut parameters: Parameters,
    headers: HeaderMap,
    csv: CsvBody,
) -> Result<Json<ImportReport>, Problem> {
    let dry_run = parameters.take("dryRun", "must be true or false").unwrap_or(false);
    let ((), idempotency) = with_key(parameters.finish(), &headers, csv.hash)?;
    Ok(Json(application.import(&actor, csv.bytes, dry_run, idempotency).await?))
}

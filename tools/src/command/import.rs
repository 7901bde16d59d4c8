//! `kring import`: a caseload into the running node.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::{CSV, Client};
use crate::file;
use crate::output::{Failure, Output};

/// Import a caseload, a CSV file, as signals into the running node
///
/// One case becomes one signal; the whole file is one commit. A wrong line is left out whole and reported with its
/// reason; other persons of its case go in. Exit code 1 if a line was left out.
///
/// Warnings name persons whom others cannot recognise, or hardly, and what is missing. They leave nothing out and do not
/// change the exit code.
///
/// The file is UTF-8 or Windows-1252, its cells separated by comma or semicolon. The first line names the columns: case,
/// person, role, bsn, given_names, name_prefix, family_name, birth_date, postal_code, house_number and
/// house_number_suffix. A role is child, parent or other; a date is YYYY-MM-DD or DD-MM-YYYY; cells may be empty where a
/// person can still be recognised.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The caseload
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// The node's directory, made by `kring init`
    #[arg(long, value_name = "D")]
    dir: PathBuf,
    /// Check every line and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What the node says of a caseload: the body of the answer to `POST /api/v1/imports`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Imported {
    pub(crate) dry_run: bool,
    /// Cases that became signals.
    pub(crate) cases: u64,
    /// Persons in them.
    pub(crate) persons: u64,
    /// Cases that were signals already, with the same persons.
    pub(crate) unchanged: u64,
    /// Lines left out.
    pub(crate) lines_left_out: Vec<LineReason>,
    /// Lines taken in, of persons whom others cannot recognise, or hardly.
    pub(crate) warnings: Vec<LineReason>,
}

/// A line of the file, and why it was not taken in or what to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineReason {
    /// Its number in the file; the header is line 1.
    pub(crate) line: u64,
    /// The column and why, without the cell's content.
    pub(crate) reason: String,
}

impl LineReason {
    /// `FILE:LINE: reason`.
    pub(crate) fn text(&self, file: &Path) -> String {
        format!("{}:{}: {}", file.display(), self.line, self.reason)
    }

    /// `FILE:LINE: warning: reason`.
    pub(crate) fn warning(&self, file: &Path) -> String {
        format!("{}:{}: warning: {}", file.display(), self.line, self.reason)
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let bytes = file::read(&args.file)?;
    let client = Client::open(&args.dir, std::env::vars())?;
    let imported = import(&client, &bytes, args.dry_run)?;
    let mut lines: Vec<_> = imported.lines_left_out.iter().map(|line| line.text(&args.file)).collect();
    lines.extend(imported.warnings.iter().map(|line| line.warning(&args.file)));
    let done = if args.dry_run { "would import" } else { "imported" };
    lines.push(format!(
        "{done} {} cases with {} persons; {} cases were there already; {} lines left out; {} lines \
         with a warning",
        imported.cases,
        imported.persons,
        imported.unchanged,
        imported.lines_left_out.len(),
        imported.warnings.len()
    ));
    output.result(&imported, &lines.join("\n"));
    if imported.lines_left_out.is_empty() { Ok(()) } else { Err(Failure::Reported) }
}

/// Hands a caseload to the node.
pub(crate) fn import(
    client: &Client,
    bytes: &[u8],
    dry_run: bool,
) -> Result<Imported, crate::client::ClientError> {
    let answer = client.post(&format!("/imports?dryRun={dry_run}"), CSV, bytes)?;
    serde_json::from_value(answer).map_err(|problem| crate::client::ClientError::Answer(problem.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named_by_file_line_and_column() {
        let line = LineReason { line: 7, reason: "bsn: fails the eleven-test".into() };
        assert_eq!(line.text(Path::new("a/b.csv")), "a/b.csv:7: bsn: fails the eleven-test");
        assert_eq!(line.warning(Path::new("a/b.csv")), "a/b.csv:7: warning: bsn: fails the eleven-test");
    }
}

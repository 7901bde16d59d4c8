//! `kring covenant verify`: everything that is wrong with a covenant, and what its members should know.

use std::path::{Path, PathBuf};

use kring_protocol::codec;
use kring_protocol::covenant::{Covenant, CovenantError, Finding, Severity, check};
use serde_json::json;

use super::draft::figures;
use crate::file::{Draft, is_text, read_signed};
use crate::output::{Failure, Output};

/// Check a covenant, a draft or a signed one, and list all findings
///
/// Errors mean that no node accepts it: exit code 1. Warnings are for members to know before they sign. What budgets and
/// tempo mean for each member is printed. Of a signed covenant the signatures and the annex are checked too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// covenant.toml or covenant.kring
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let (findings, figures) = look(&args.file)?;
    let holds = !findings.iter().any(|finding| finding.severity == Severity::Error);
    let rows: Vec<_> = findings
        .iter()
        .map(|finding| {
            let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
            json!({ "severity": severity, "text": finding.text })
        })
        .collect();
    let verdict = if holds { "the covenant's rules hold" } else { "no node will accept this covenant" };
    let mut lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    lines.extend(figures.iter().cloned());
    lines.push(verdict.to_owned());
    output.result(&json!({ "holds": holds, "findings": rows, "figures": figures }), &lines.join("\n"));
    if holds { Ok(()) } else { Err(Failure::Reported) }
}

/// What is found in a file, and what the covenant in it means for each member.
fn look(path: &Path) -> Result<(Vec<Finding>, Vec<String>), Failure> {
    if is_text(path)? {
        let covenant = Draft::read(path)?.covenant;
        return Ok((check::findings(&covenant), figures(&covenant)));
    }
    let signed = read_signed(path)?;
    let covenant: Covenant = codec::decode(&signed.covenant.0)
        .map_err(|problem| Failure::Work(format!("{}: not a covenant: {problem}", path.display())))?;
    let mut findings = check::findings(&covenant);
    match signed.verify() {
        // The rules' findings are listed already.
        Ok(_) | Err(CovenantError::Rules(_)) => {}
        Err(problem) => {
            findings.insert(0, Finding { severity: Severity::Error, text: problem.to_string() });
        }
    }
    if signed.pepper.is_none() {
        let text = "this copy has no annex; a node needs the members' copy".to_owned();
        findings.push(Finding { severity: Severity::Warning, text });
    }
    Ok((findings, figures(&covenant)))
}

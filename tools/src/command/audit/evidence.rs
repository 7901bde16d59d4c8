//! `kring audit evidence`: lists what a node can prove, and checks records with the covenant alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kring_node::config::Config;
use kring_node::evidence::{DIR, EXTENSION, file_name};
use kring_node::founding::file;
use kring_protocol::codec::{self, CodecError};
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::evidence::{Evidence, Verdict};
use serde_json::{Value, json};

use crate::file::{read, read_signed, write_private};
use crate::output::{Failure, Output};

/// List and check proofs of members' violations
///
/// A record says who did what against which rule, and holds what that member signed. Checking takes the covenant and
/// nothing else; the node may run or not. Exit code 1 when a record does not hold, or is not one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The node's directory: check all that it has kept
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with = "files")]
    dir: PathBuf,
    /// Records that were handed over; needs --covenant
    #[arg(value_name = "FILE", requires = "covenant")]
    files: Vec<PathBuf>,
    /// The covenant to check them with [default: the node's]
    #[arg(long, value_name = "covenant.kring")]
    covenant: Option<PathBuf>,
    /// Also write every record that holds to this directory, as a file that a board can check
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A record's file, its bytes, and what came of checking it.
struct Checked {
    file: PathBuf,
    bytes: Vec<u8>,
    result: Result<(Verdict, String), String>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let (files, covenant) = chosen(args)?;
    let covenant = read_signed(&covenant)?.verify()?;
    let checked = files.into_iter().map(|file| check(file, &covenant)).collect::<Result<Vec<_>, _>>()?;
    if let Some(dir) = &args.out {
        write_to(dir, &checked)?;
    }
    let holds = checked.iter().all(|record| record.result.is_ok());
    let rows: Vec<_> = checked.iter().map(row).collect();
    let lines: Vec<_> = checked.iter().map(line).collect();
    let text = if lines.is_empty() { "no evidence".to_owned() } else { lines.join("\n") };
    output.result(&json!({ "holds": holds, "evidence": rows }), &text);
    if holds { Ok(()) } else { Err(Failure::Reported) }
}

/// The records and the covenant to check them with.
fn chosen(args: &Args) -> Result<(Vec<PathBuf>, PathBuf), Failure> {
    if let (false, Some(covenant)) = (args.files.is_empty(), &args.covenant) {
        return Ok((args.files.clone(), covenant.clone()));
    }
    let config = Config::load(&args.dir.join(file::CONFIG), [], &[])?;
    let covenant = args.covenant.clone().unwrap_or(config.covenant_file);
    Ok((kept(&config.data_dir.join(DIR))?, covenant))
}

/// What a node has kept, sorted; nothing while it has kept nothing.
fn kept(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(Failure::Work(format!("{}: {problem}", dir.display()))),
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == EXTENSION));
    files.sort();
    Ok(files)
}

fn check(file: PathBuf, covenant: &VerifiedCovenant) -> Result<Checked, Failure> {
    let bytes = read(&file)?;
    let result = match codec::decode::<Evidence>(&bytes) {
        Err(CodecError::Version(Some(version))) => {
            Err(format!("a record of version {version}, which this software does not know; update Kring"))
        }
        Err(problem) => Err(format!("not a record of evidence: {problem}")),
        Ok(evidence) => match evidence.check(covenant) {
            Ok(verdict) => {
                let name = file_name(&verdict, &evidence.subject());
                Ok((verdict, name))
            }
            Err(reason) => Err(format!("proves nothing: {reason}")),
        },
    };
    Ok(Checked { file, bytes, result })
}

fn write_to(dir: &Path, checked: &[Checked]) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(|problem| Failure::Work(format!("{}: {problem}", dir.display())))?;
    // Two records of one act have one name; either will do.
    let records: BTreeMap<_, _> =
        checked.iter().filter_map(|record| Some((&record.result.as_ref().ok()?.1, &record.bytes))).collect();
    records.into_iter().try_for_each(|(name, bytes)| write_private(&dir.join(name), bytes))
}

fn row(checked: &Checked) -> Value {
    let file = checked.file.display().to_string();
    match &checked.result {
        Err(problem) => json!({ "file": file, "holds": false, "problem": problem }),
        Ok((verdict, _)) => json!({
            "file": file,
            "holds": true,
            "kind": verdict.kind,
            "members": verdict.members,
            "section": verdict.section,
            "day": verdict.day.map(|day| day.to_string()),
            "text": verdict.to_string(),
        }),
    }
}

fn line(checked: &Checked) -> String {
    let file = checked.file.display();
    match &checked.result {
        Ok((verdict, _)) => format!("proven   {verdict}\n         {file}"),
        Err(problem) => format!("unproven {problem}\n         {file}"),
    }
}

//! `kring signal`: this partner's own signals, over the API.

use std::io::Read;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::notice::{cell, path_of};
use crate::client::{Client, JSON};
use crate::file;
use crate::output::{Failure, Output};

/// Add, list, show and withdraw signals of the running node
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Add a signal from a JSON body
    ///
    /// The body is that of POST /api/v1/signals: caseReference, purpose, persons, contact, familyInformed, quietUntil.
    /// It comes from a file or from stdin, because arguments can be read by every user of the machine.
    Add {
        #[command(flatten)]
        node: Node,
        /// File with the body [default: stdin]
        #[arg(value_name = "FILE.json")]
        file: Option<PathBuf>,
    },
    /// List the signals
    List {
        #[command(flatten)]
        node: Node,
    },
    /// Show one signal
    Show {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
    },
    /// Withdraw a signal: matchers and met partners learn that it no longer holds
    Withdraw {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
    },
}

/// Which node.
#[derive(Debug, clap::Args)]
pub(super) struct Node {
    /// The node's directory, made by `kring init`
    #[arg(long, value_name = "D")]
    dir: PathBuf,
}

impl Node {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::open(&self.dir, std::env::vars())
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::Add { node, file } => {
            let answer = node.client()?.post("/signals", JSON, &body(file.as_ref())?)?;
            output.result(&answer, &format!("added {}", cell(&answer["id"])));
        }
        Act::List { node } => {
            let answer = node.client()?.get("/signals")?;
            output.result(&answer, &table(&answer));
        }
        Act::Show { node, id } => {
            let answer = node.client()?.get(&path_of("signals", id)?)?;
            output.result(&answer, &format!("{answer:#}"));
        }
        Act::Withdraw { node, id } => {
            let answer =
                node.client()?.post(&format!("{}/withdraw", path_of("signals", id)?), JSON, b"{}")?;
            output.result(&answer, &format!("withdrawn {id}"));
        }
    }
    Ok(())
}

fn body(path: Option<&PathBuf>) -> Result<Vec<u8>, Failure> {
    match path {
        Some(path) => file::read(path),
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            Ok(bytes)
        }
    }
}

fn table(signals: &Value) -> String {
    let rows = signals.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |signal: &Value| {
        ["id", "caseReference", "purpose", "state", "persons", "expiresAt"]
            .map(|key| cell(&signal[key]))
            .join("  ")
    };
    let mut lines: Vec<_> = rows.iter().map(row).collect();
    lines.push(format!("{} signals", rows.len()));
    lines.join("\n")
}

//! `kring signal`: this partner's own signals, over the API.

use std::io::Read;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::notice::{cell, path_of};
use crate::client::{Client, JSON};
use crate::file;
use crate::output::{Failure, Output};

/// Signals of the running node: from making one to handing it over, withdrawing and erasing it
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
        /// Only those that nobody works on, or nobody who is still here
        #[arg(long)]
        without_owner: bool,
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
    /// Offer a signal to a colleague, who must accept, or take the offer back
    HandOver {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
        #[command(flatten)]
        offer: Offer,
    },
    /// Take over a signal that was offered to the person whose token this is
    Accept {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
    },
    /// Decline a signal that was offered to the person whose token this is; it stays with its owner
    Decline {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
    },
    /// Give a signal to a professional, as a supervisor
    Assign {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
        /// The account of whoever works on it from now on
        #[arg(long, value_name = "ACCOUNT")]
        to: String,
    },
    /// Withdraw a signal and destroy all that is held of its case, for good
    ///
    /// For who has the right to be forgotten. Met partners learn that the signal ended, nothing else.
    Erase {
        #[command(flatten)]
        node: Node,
        /// The signal's id
        id: String,
        /// It cannot be undone
        #[arg(long, required = true)]
        for_good: bool,
    },
}

/// To whom.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Offer {
    /// The account of the colleague
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,
    /// Take the offer back
    #[arg(long)]
    keep: bool,
}

/// Which node.
#[derive(Debug, clap::Args)]
pub(super) struct Node {
    /// The node's directory, made by `kring init`
    #[arg(long, value_name = "D")]
    dir: PathBuf,
    /// File with the token of whoever asks [default: D/api.token, the operator's]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Node {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        match &self.token_file {
            None => Client::open(&self.dir, std::env::vars()),
            Some(file) => Client::open_as(&self.dir, file, std::env::vars()),
        }
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::Add { node, file } => {
            let answer = node.client()?.post("/signals", JSON, &body(file.as_ref())?)?;
            output.result(&answer, &format!("added {}", cell(&answer["id"])));
        }
        Act::List { node, without_owner } => {
            let query = if *without_owner { "?owner=none" } else { "" };
            let answer = node.client()?.get(&format!("/signals{query}"))?;
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
        Act::HandOver { node, id, offer } => {
            let answer = step(node, id, "hand-over", &json!({ "to": offer.to }))?;
            output.result(&answer, &format!("offered {id} to {}", cell(&answer["offeredTo"])));
        }
        Act::Accept { node, id } => {
            let answer = step(node, id, "accept", &json!({}))?;
            output.result(&answer, &format!("taken over {id}"));
        }
        Act::Decline { node, id } => {
            let answer = step(node, id, "decline", &json!({}))?;
            output.result(&answer, &format!("declined {id}"));
        }
        Act::Assign { node, id, to } => {
            let answer = step(node, id, "assign", &json!({ "to": to }))?;
            output.result(&answer, &format!("assigned {id}"));
        }
        Act::Erase { node, id, for_good: _ } => {
            let answer = step(node, id, "erase", &json!({}))?;
            output.result(&answer, &format!("erased {id}"));
        }
    }
    Ok(())
}

fn step(node: &Node, id: &str, step: &str, body: &Value) -> Result<Value, Failure> {
    let path = format!("{}/{step}", path_of("signals", id)?);
    Ok(node.client()?.post(&path, JSON, body.to_string().as_bytes())?)
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

//! `kring team`: the teams of this partner, over the API.

use clap::Subcommand;
use serde_json::{Value, json};

use super::notice::cell;
use super::signal::Node;
use crate::client::JSON;
use crate::output::{Failure, Output};

/// Teams of the people who work for this partner
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Add a team
    Add {
        #[command(flatten)]
        node: Node,
        /// The team's name
        name: String,
    },
    /// List the teams
    List {
        #[command(flatten)]
        node: Node,
    },
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::Add { node, name } => {
            let body = json!({ "name": name }).to_string();
            let answer = node.client()?.post("/teams", JSON, body.as_bytes())?;
            output.result(&answer, &format!("added {}", cell(&answer["id"])));
        }
        Act::List { node } => {
            let answer = node.client()?.get("/teams")?;
            output.result(&answer, &table(&answer));
        }
    }
    Ok(())
}

fn table(teams: &Value) -> String {
    let rows = teams.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<_> =
        rows.iter().map(|team| format!("{}  {}", cell(&team["id"]), cell(&team["name"]))).collect();
    lines.push(format!("{} teams", rows.len()));
    lines.join("\n")
}

//! `kring notice`: that others are also involved, over the API.

use clap::Subcommand;
use serde_json::Value;

use super::signal::Node;
use crate::output::{Failure, Output};

/// List and show notices of the running node: cases in which other partners are also involved
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the notices
    List {
        #[command(flatten)]
        node: Node,
    },
    /// Show one notice
    Show {
        #[command(flatten)]
        node: Node,
        /// The notice's id
        id: String,
    },
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::List { node } => {
            let answer = node.client()?.get("/notices")?;
            output.result(&answer, &table(&answer));
        }
        Act::Show { node, id } => {
            let answer = node.client()?.get(&path_of("notices", id)?)?;
            output.result(&answer, &format!("{answer:#}"));
        }
    }
    Ok(())
}

fn table(notices: &Value) -> String {
    let rows = notices.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |notice: &Value| {
        let partners: Vec<_> =
            notice["matches"].as_array().into_iter().flatten().map(|found| cell(&found["partner"])).collect();
        format!(
            "{}  {}  {}  {} other partners: {}",
            cell(&notice["id"]),
            cell(&notice["caseReference"]),
            cell(&notice["state"]),
            cell(&notice["otherPartners"]),
            partners.join(", ")
        )
    };
    let mut lines: Vec<_> = rows.iter().map(row).collect();
    lines.push(format!("{} notices", rows.len()));
    lines.join("\n")
}

/// A value as it stands in a table.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `/collection/id`, for an id that cannot lead elsewhere.
pub(super) fn path_of(collection: &str, id: &str) -> Result<String, Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !id.is_empty() && id.bytes().all(plain) {
        Ok(format!("/{collection}/{id}"))
    } else {
        Err(Failure::Usage(format!("{id:?} is not an id; `list` shows them")))
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn ids_lead_nowhere_else() {
        assert_eq!(path_of("notices", "0a-1").unwrap(), "/notices/0a-1");
        for id in ["", "..", "a/b", "a?b", "a b"] {
            assert!(path_of("notices", id).is_err(), "{id}");
        }
    }
}

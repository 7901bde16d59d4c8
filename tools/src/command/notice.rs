//! `kring notice`: that others are also involved, over the API.

use clap::Subcommand;
use serde_json::{Value, json};

use super::signal::Node;
use crate::client::JSON;
use crate::output::{Failure, Output};

/// List, show and answer notices of the running node: cases in which other partners are also involved
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
        #[command(flatten)]
        texts: Texts,
    },
    /// Show one notice
    Show {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        texts: Texts,
        /// The notice's id
        id: String,
    },
    /// Answer one match of a notice
    ///
    /// A match that is not right leaves the notices of both sides, for good: also after renewal, and when the same two
    /// cases are found again.
    Respond {
        #[command(flatten)]
        node: Node,
        /// The notice's id
        id: String,
        /// Which match of it
        #[arg(long, value_name = "MATCH")]
        match_id: String,
        /// This is not right, because of this
        #[arg(long, value_name = "REASON")]
        not_right: Reason,
    },
}

/// In which language texts for people come.
#[derive(Debug, clap::Args)]
struct Texts {
    /// Language of texts for people
    #[arg(long, default_value = "nl", value_parser = ["nl", "en"])]
    language: String,
}

/// Why a match is not right.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Reason {
    /// The cases are about different people
    OtherPerson,
    /// This organisation is not involved any more
    NoLongerInvolved,
    /// This organisation has the same case twice
    Duplicate,
}

impl Reason {
    /// As the API writes it.
    const fn word(self) -> &'static str {
        match self {
            Self::OtherPerson => "otherPerson",
            Self::NoLongerInvolved => "noLongerInvolved",
            Self::Duplicate => "duplicate",
        }
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::List { node, texts } => {
            let answer = node.client()?.get_in("/notices", &texts.language)?;
            output.result(&answer, &table(&answer));
        }
        Act::Show { node, texts, id } => {
            let answer = node.client()?.get_in(&path_of("notices", id)?, &texts.language)?;
            output.result(&answer, &format!("{answer:#}"));
        }
        Act::Respond { node, id, match_id, not_right } => {
            let body = json!({ "matchId": match_id, "response": "notRight", "reason": not_right.word() });
            let path = format!("{}/respond", path_of("notices", id)?);
            let answer = node.client()?.post(&path, JSON, body.to_string().as_bytes())?;
            output
                .result(&answer, &format!("{match_id} is out, for both sides: {}", cell(&answer["reason"])));
        }
    }
    Ok(())
}

fn table(notices: &Value) -> String {
    let rows = notices.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |notice: &Value| {
        let matches = notice["matches"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|found| ["matchId", "partner", "basisText"].map(|key| cell(&found[key])).join("  "));
        let partners = if notice["otherPartners"] == 1 { "partner" } else { "partners" };
        let head = format!(
            "{}  {}  {}  {} other {partners}",
            cell(&notice["id"]),
            cell(&notice["caseReference"]),
            cell(&notice["state"]),
            cell(&notice["otherPartners"]),
        );
        std::iter::once(head)
            .chain(matches.map(|found| format!("    {found}")))
            .collect::<Vec<_>>()
            .join("\n")
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

//! `kring notice`: that others are also involved, over the API.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::signal::Node;
use crate::client::JSON;
use crate::file;
use crate::output::{Failure, Output};

/// Notices of the running node: cases in which other partners are also involved, from answer to agreement
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
    /// Who wants to coordinate gives a contact card, as soon as the other side wants to coordinate too. A match that is not
    /// right leaves the notices of both sides, for good: also after renewal, and when the same two cases are found
    /// again.
    Respond {
        #[command(flatten)]
        of: OfMatch,
        #[command(flatten)]
        answer: Answer,
        /// With --coordinate: file with the contact card, as JSON: name, function, phone, email [default: the signal's
        /// contact]
        #[arg(long, value_name = "FILE.json", conflicts_with_all = ["not_right", "already_together"])]
        contact: Option<PathBuf>,
    },
    /// Record the day of contact over a match, or take it back
    Contact {
        #[command(flatten)]
        of: OfMatch,
        #[command(flatten)]
        day: ContactDay,
    },
    /// Claim the lead for a case, confirm another's claim, or hand over
    Lead {
        #[command(flatten)]
        of: OfNotice,
        #[command(flatten)]
        lead: LeadAct,
    },
    /// Close a match with an outcome, or take it up again
    Close {
        #[command(flatten)]
        of: OfMatch,
        #[command(flatten)]
        end: End,
    },
}

/// Which notice.
#[derive(Debug, clap::Args)]
struct OfNotice {
    #[command(flatten)]
    node: Node,
    /// The notice's id
    id: String,
}

/// Which match of which notice.
#[derive(Debug, clap::Args)]
struct OfMatch {
    #[command(flatten)]
    notice: OfNotice,
    /// Which match of it
    #[arg(long, value_name = "MATCH")]
    match_id: String,
}

/// What is answered.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Answer {
    /// We want to coordinate
    #[arg(long)]
    coordinate: bool,
    /// We are working together already
    #[arg(long)]
    already_together: bool,
    /// This is not right, because of this
    #[arg(long, value_name = "REASON")]
    not_right: Option<Reason>,
}

/// Whether there was contact.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct ContactDay {
    /// There was contact on this day, such as 2027-01-31
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// There was none after all
    #[arg(long)]
    none: bool,
}

/// What is done about the lead.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct LeadAct {
    /// Claim to be the lead, or accept to take over
    #[arg(long)]
    claim: bool,
    /// Give the own claim up
    #[arg(long)]
    release: bool,
    /// Agree with this claim
    #[arg(long, value_name = "CLAIM")]
    confirm: Option<String>,
    /// As the lead, ask the other side of this match to take over
    #[arg(long, value_name = "MATCH")]
    offer: Option<String>,
    /// Take that back
    #[arg(long)]
    keep: bool,
}

impl LeadAct {
    fn body(&self) -> Value {
        match self {
            Self { confirm: Some(claim), .. } => json!({ "action": "confirm", "claim": claim }),
            Self { offer: Some(match_id), .. } => json!({ "action": "offer", "matchId": match_id }),
            Self { claim: true, .. } => json!({ "action": "claim" }),
            Self { release: true, .. } => json!({ "action": "release" }),
            _ => json!({ "action": "keep" }),
        }
    }
}

/// How a match ends for this side.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct End {
    /// What came of it
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Take the match up again
    #[arg(long)]
    reopen: bool,
}

/// What came of a match.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Outcome {
    /// There was contact
    ContactMade,
    /// There is a plan
    PlanMade,
    /// There is a lead on whom both agree
    LeadAgreed,
    /// Nothing has to follow
    NoFollowUp,
}

impl Outcome {
    /// As the API writes it.
    const fn word(self) -> &'static str {
        match self {
            Self::ContactMade => "contactMade",
            Self::PlanMade => "planMade",
            Self::LeadAgreed => "leadAgreed",
            Self::NoFollowUp => "noFollowUp",
        }
    }
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
        Act::Respond { of, answer, contact } => {
            let body = respond(&of.match_id, answer, contact.as_ref())?;
            let answer = of.notice.post("respond", &body)?;
            let text = match answer["response"].as_str() {
                Some("notRight") => {
                    format!("{} is out, for both sides: {}", of.match_id, cell(&answer["reason"]))
                }
                _ => format!("{}: {}", of.match_id, cell(&answer["response"])),
            };
            output.result(&answer, &text);
        }
        Act::Contact { of, day } => {
            of.notice.step(output, "contact", &json!({ "matchId": of.match_id, "on": day.on }))?;
        }
        Act::Lead { of, lead } => of.step(output, "lead", &lead.body())?,
        Act::Close { of, end } => {
            let body = match end.outcome {
                Some(outcome) => json!({ "matchId": of.match_id, "outcome": outcome.word() }),
                None => json!({ "matchId": of.match_id, "reopen": true }),
            };
            of.notice.step(output, "close", &body)?;
        }
    }
    Ok(())
}

fn respond(match_id: &str, answer: &Answer, contact: Option<&PathBuf>) -> Result<Value, Failure> {
    let mut body = json!({ "matchId": match_id });
    match answer {
        Answer { not_right: Some(reason), .. } => {
            body["response"] = "notRight".into();
            body["reason"] = reason.word().into();
        }
        Answer { already_together: true, .. } => body["response"] = "alreadyTogether".into(),
        Answer { .. } => body["response"] = "coordinate".into(),
    }
    if let Some(path) = contact {
        let card = serde_json::from_slice(&file::read(path)?);
        body["contact"] = card.map_err(|problem| Failure::Work(format!("{}: {problem}", path.display())))?;
    }
    Ok(body)
}

impl OfNotice {
    fn post(&self, step: &str, body: &Value) -> Result<Value, Failure> {
        let path = format!("{}/{step}", path_of("notices", &self.id)?);
        Ok(self.node.client()?.post(&path, JSON, body.to_string().as_bytes())?)
    }

    /// Posts a step that is answered with the notice, and writes that.
    fn step(&self, output: Output, step: &str, body: &Value) -> Result<(), Failure> {
        let notice = self.post(step, body)?;
        output.result(&notice, &notice_lines(&notice));
        Ok(())
    }
}

fn table(notices: &Value) -> String {
    let rows = notices.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<_> = rows.iter().map(notice_lines).collect();
    lines.push(format!("{} notices", rows.len()));
    lines.join("\n")
}

/// A notice, its matches and who claims to be the lead.
fn notice_lines(notice: &Value) -> String {
    let list = |name: &str| notice[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let partners = if notice["otherPartners"] == 1 { "partner" } else { "partners" };
    let head = format!(
        "{}  {}  {}  {} other {partners}",
        cell(&notice["id"]),
        cell(&notice["caseReference"]),
        cell(&notice["state"]),
        cell(&notice["otherPartners"]),
    );
    let matches = list("matches").iter().map(|found| {
        let columns = ["matchId", "partner", "state", "response", "theirResponse", "basisText"];
        format!("    {}", columns.map(|key| cell(&found[key])).join("  "))
    });
    let claims = list("lead").iter().map(|claim| {
        let columns = ["claim", "who", "partner"].map(|key| cell(&claim[key])).join("  ");
        format!("    lead  {columns}{}", if claim["confirmed"] == true { "  confirmed" } else { "" })
    });
    std::iter::once(head).chain(matches).chain(claims).collect::<Vec<_>>().join("\n")
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

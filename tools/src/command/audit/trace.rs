//! `kring audit trace`: lists who left which submission, where this member holds a trace key.

use std::path::PathBuf;

use kring_node::config::Config;
use kring_node::founding::file;
use kring_node::trace::answers;
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::trace::{Answer, Finding, How, Why};
use serde_json::{Value, json};

use crate::file::read_signed;
use crate::output::{Failure, Output};

/// List the tickets that were opened: who left which submission, and why
///
/// Only the two holders of trace keys have any. Each answer is checked with the covenant: both holders signed it, and the
/// ticket opens to whom it names. The node may run or not. Exit code 1 when an answer does not hold, or is not one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The node's directory
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The covenant to check them with [default: the node's]
    #[arg(long, value_name = "covenant.kring")]
    covenant: Option<PathBuf>,
}

/// An answer's file, and what it shows.
type Checked = (PathBuf, Option<(Answer, Finding)>);

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = Config::load(&args.dir.join(file::CONFIG), [], &[])?;
    let covenant = args.covenant.as_ref().unwrap_or(&config.covenant_file);
    let covenant = read_signed(covenant)?.verify()?;
    let files = answers::read(&config.data_dir).map_err(|problem| {
        Failure::Work(format!("{}: {problem}", config.data_dir.join(answers::DIR).display()))
    })?;
    let checked: Vec<_> = files.into_iter().map(|(file, answer)| (file, check(answer, &covenant))).collect();
    let holds = checked.iter().all(|(_, answer)| answer.is_some());
    let rows: Vec<_> = checked.iter().map(row).collect();
    let lines: Vec<_> = checked.iter().map(line).collect();
    let text = if lines.is_empty() { "no ticket was opened".to_owned() } else { lines.join("\n") };
    output.result(&json!({ "holds": holds, "answers": rows }), &text);
    if holds { Ok(()) } else { Err(Failure::Reported) }
}

fn check(answer: Option<Answer>, covenant: &VerifiedCovenant) -> Option<(Answer, Finding)> {
    let answer = answer?;
    let finding = answer.check(covenant).ok()?;
    Some((answer, finding))
}

fn row((file, answer): &Checked) -> Value {
    let file = file.display().to_string();
    let Some((answer, finding)) = answer else { return json!({ "file": file, "holds": false }) };
    let why = match &answer.why {
        Why::Complaint { member, id } => json!({ "complaint": id.to_string(), "by": member }),
        Why::Crowd { id, submissions } => json!({ "crowd": id.to_string(), "submissions": submissions }),
    };
    let (how, holder) = match &finding.how {
        How::Signed => ("signed", None),
        How::FalseTicket => ("false-ticket", None),
        How::Unopenable(holder) => ("unopenable", Some(holder)),
    };
    json!({
        "file": file,
        "holds": true,
        "sender": finding.sender,
        "how": how,
        "byTheWordOf": holder,
        "matcher": answer.matcher,
        "relay": answer.kept.relay,
        "submission": answer.kept.passed.sealed.to_string(),
        "left": answer.kept.passed.day.to_string(),
        "why": why,
        "opened": answer.day.to_string(),
    })
}

fn line((file, answer): &Checked) -> String {
    let file = file.display();
    let Some((answer, Finding { sender, how })) = answer else {
        return format!("no answer of both holders of trace keys\n         {file}");
    };
    let how = match how {
        How::Signed => String::new(),
        How::FalseTicket => ", as the relay whose ticket names nobody that handed it over".to_owned(),
        How::Unopenable(holder) => {
            format!(", as the relay whose ticket does not open, by the word of {holder}")
        }
    };
    let why = match &answer.why {
        Why::Complaint { member, .. } => format!("{member} met it and its hello is not in order"),
        Why::Crowd { submissions, .. } => {
            format!(
                "{} says that {submissions} submissions of one tag were live, several of one sender",
                answer.matcher
            )
        }
    };
    let (left, opened, sealed) = (answer.kept.passed.day, answer.day, answer.kept.passed.sealed.to_string());
    let matcher = &answer.matcher;
    format!(
        "{sender} left submission {} at {matcher} on {left}{how}\n         opened on {opened}: {why}\n         {file}",
        &sealed[..12]
    )
}

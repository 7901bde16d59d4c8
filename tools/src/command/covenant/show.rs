//! `kring covenant show`: a covenant for people.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use kring_protocol::codec;
use kring_protocol::covenant::{Covenant, Disclosure, MemberSignature, Purpose, Tempo};
use kring_protocol::id::MemberId;
use serde_json::json;

use super::draft::figures;
use crate::file::{Draft, is_text, read_signed};
use crate::output::{Failure, Output};

/// Print a covenant, a draft or a signed one, so that people can read it
///
/// Says nothing of its being right: see `kring covenant verify`. The annex is never shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// covenant.toml or covenant.kring
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let (covenant, signatures) = read(&args.file)?;
    let signed_by: Option<Vec<_>> =
        signatures.as_ref().map(|all| all.iter().map(|signature| &signature.member).collect());
    let value = json!({ "hash": covenant.hash().to_string(), "signedBy": signed_by, "covenant": covenant });
    output.result(&value, &text(&covenant, signatures.as_deref()));
    Ok(())
}

/// The covenant in a file, and who signed it where it is more than a draft.
fn read(path: &Path) -> Result<(Covenant, Option<Vec<MemberSignature>>), Failure> {
    if is_text(path)? {
        return Ok((Draft::read(path)?.covenant, None));
    }
    let signed = read_signed(path)?;
    let covenant = codec::decode(&signed.covenant.0)
        .map_err(|problem| Failure::Work(format!("{}: not a covenant: {problem}", path.display())))?;
    Ok((covenant, Some(signed.signatures)))
}

fn text(covenant: &Covenant, signatures: Option<&[MemberSignature]>) -> String {
    let mut text =
        format!("{} (version {})\nhash        {}\n", covenant.title, covenant.version, covenant.hash());
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<12}{value}");
    };
    line(
        "signed by",
        match signatures {
            None => "nobody yet: a draft".to_owned(),
            Some(all) => ids(all.iter().map(|signature| &signature.member)),
        },
    );
    line("key holders", ids(&covenant.key_holders));
    line("matchers", ids(&covenant.matchers));
    line("trace keys", ids(&covenant.trace_keys));
    line("epochs", format!("{} days, {} overlapping", covenant.epochs.days, covenant.epochs.overlap_days));
    line(
        "tempo",
        match covenant.tempo {
            Tempo::Immediate => "immediate (never for real data)".to_owned(),
            Tempo::Production => "production".to_owned(),
        },
    );
    for purpose in &covenant.purposes {
        line("purpose", describe(purpose));
    }
    for signed in &covenant.members {
        let card = &signed.card;
        let place =
            if card.addresses.is_empty() { "dials out only".to_owned() } else { card.addresses.join(" ") };
        line(
            "member",
            format!("{}: {}, {}, OIN {}", card.id, card.name, card.kind.as_str(), card.oin.as_str()),
        );
        line(
            "",
            format!(
                "controller {}, operator {}, {} persons, {place}",
                card.controller, card.operator, card.persons
            ),
        );
    }
    for figure in figures(covenant) {
        line("budget", figure);
    }
    text
}

fn describe(purpose: &Purpose) -> String {
    let disclosure = match purpose.disclosure {
        Disclosure::NameAtOnce => "name at once",
        Disclosure::NameWhenBothAgree => "name when both agree",
    };
    format!(
        "{}: {} ({}); members {}; BSN {}; recipes {}; {disclosure}; signals live {} months",
        purpose.id,
        purpose.title,
        purpose.legal_ground,
        ids(&purpose.members),
        if purpose.bsn_members.is_empty() { "nobody".to_owned() } else { ids(&purpose.bsn_members) },
        purpose.recipes.join(", "),
        purpose.signal_months,
    )
}

fn ids<'a>(members: impl IntoIterator<Item = &'a MemberId>) -> String {
    members.into_iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

//! `kring covenant sign`: a member's signature under the draft.

use std::path::{Path, PathBuf};

use kring_node::config::Config;
use kring_node::founding;
use kring_protocol::covenant::{MemberSignature, Severity, check};
use serde_json::json;

use crate::file::{Draft, SignatureFile};
use crate::output::{Failure, Output, note};

/// Sign a draft covenant as the member whose node is in a directory
///
/// Read the draft first (`kring covenant show`). A draft that breaks the rules every covenant must keep is not signed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The node's directory, made by `kring init`
    #[arg(long, value_name = "D")]
    dir: PathBuf,
    /// The draft
    #[arg(value_name = "covenant.toml")]
    covenant: PathBuf,
    /// Where to write the signature [default: signature.toml in the node's directory]
    #[arg(long, value_name = "signature.toml")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let out = args.out.clone().unwrap_or_else(|| args.dir.join("signature.toml"));
    let draft = Draft::read(&args.covenant)?;
    let signature = sign(&args.dir, &draft, std::env::vars())?;
    signature.write(&out)?;
    let hash = signature.covenant.to_string();
    let text = format!(
        "Signed as {}: covenant {hash}.\nNext: send {} to the coordinator.",
        signature.signature.member,
        out.display()
    );
    output.result(&json!({ "member": signature.signature.member, "hash": hash, "signature": out }), &text);
    Ok(())
}

/// Signs `draft` with the key of the node in `dir`, if its rules hold and it names the member as the member wants to be named.
pub(crate) fn sign(
    dir: &Path,
    draft: &Draft,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<SignatureFile, Failure> {
    let findings = check::findings(&draft.covenant);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        for finding in &findings {
            note(&finding.to_string());
        }
        return Err(Failure::Work(
            "the draft breaks rules that every covenant must keep; not signed".to_owned(),
        ));
    }
    let card = founding::read_card(&dir.join(founding::file::MEMBER))?;
    if !draft.covenant.members.contains(&card) {
        return Err(Failure::Work(format!(
            "the draft does not hold the card of {} as it is in {}; send that card to the coordinator",
            card.card.id,
            dir.join(founding::file::MEMBER).display()
        )));
    }
    let config = Config::load(&dir.join(founding::file::CONFIG), environment, &[])?;
    let key = founding::signing_key(&config)?;
    let signature = MemberSignature::new(card.card.id, &key, &draft.covenant);
    Ok(SignatureFile::new(draft.covenant.hash(), signature))
}

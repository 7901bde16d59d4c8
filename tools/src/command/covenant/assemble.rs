//! `kring covenant assemble`: draft and signatures become `covenant.kring`.

use std::path::PathBuf;

use kring_protocol::covenant::SignedCovenant;
use serde_json::json;

use crate::file::{Draft, SignatureFile, write_signed};
use crate::output::{Failure, Output};

/// Put a draft and all members' signatures together into covenant.kring
///
/// Every member must have signed exactly this draft. The result holds the members' annex: send it to members only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The draft that all have signed
    #[arg(value_name = "covenant.toml")]
    covenant: PathBuf,
    /// The members' signatures
    #[arg(value_name = "SIGNATURE.toml", required = true)]
    signatures: Vec<PathBuf>,
    /// Where to write the signed covenant
    #[arg(long, value_name = "covenant.kring", default_value = "covenant.kring")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let draft = Draft::read(&args.covenant)?;
    let mut signatures = Vec::new();
    for path in &args.signatures {
        let signature = SignatureFile::read(path)?;
        if signature.covenant != draft.covenant.hash() {
            return Err(Failure::Work(format!(
                "{}: {} signed another text than {}; let it sign this one",
                path.display(),
                signature.signature.member,
                args.covenant.display()
            )));
        }
        signatures.push(signature);
    }
    let signed = assemble(&draft, signatures)?;
    write_signed(&args.out, &signed)?;
    let hash = draft.covenant.hash().to_string();
    let text = format!(
        "Covenant {hash} is signed by all {} members.\nNext: every member puts {} into its node's directory and starts \
         the node.",
        draft.covenant.members.len(),
        args.out.display()
    );
    output.result(&json!({ "hash": hash, "covenant": args.out }), &text);
    Ok(())
}

/// Assembles and verifies.
pub(crate) fn assemble(draft: &Draft, signatures: Vec<SignatureFile>) -> Result<SignedCovenant, Failure> {
    let signatures = signatures.into_iter().map(|file| file.signature).collect();
    let signed = SignedCovenant::assemble(&draft.covenant, Some(&draft.annex), signatures);
    signed.verify()?;
    Ok(signed)
}

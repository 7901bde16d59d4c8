//! `kring covenant`: from members' cards to a covenant that all have signed.

mod assemble;
mod draft;
mod show;
mod sign;
mod verify;

use clap::Subcommand;

use crate::output::{Failure, Output};

pub(crate) use assemble::assemble;
pub(crate) use draft::{Choices, draft};
pub(crate) use sign::sign;

/// Draft, sign, assemble, show and verify the covenant between the members
///
/// The coordinator drafts from all members' member.toml; every member checks and signs the same covenant.toml; the
/// coordinator assembles covenant.kring from it and all signatures, and sends that to every member.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Draft(draft::Args),
    Sign(sign::Args),
    Assemble(assemble::Args),
    Show(show::Args),
    Verify(verify::Args),
}

pub(crate) fn run(args: Args, output: Output) -> Result<(), Failure> {
    match args.step {
        Step::Draft(args) => draft::run(args, output),
        Step::Sign(args) => sign::run(&args, output),
        Step::Assemble(args) => assemble::run(&args, output),
        Step::Show(args) => show::run(&args, output),
        Step::Verify(args) => verify::run(&args, output),
    }
}

//! `kring audit`: what boards check without a node.

mod evidence;
mod trace;

use clap::Subcommand;

use crate::output::{Failure, Output};

/// For governance boards: check what members did, without a node
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Evidence(evidence::Args),
    Trace(trace::Args),
}

pub(crate) fn run(args: Args, output: Output) -> Result<(), Failure> {
    match args.step {
        Step::Evidence(args) => evidence::run(&args, output),
        Step::Trace(args) => trace::run(&args, output),
    }
}

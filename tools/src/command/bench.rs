//! `kring bench`: placeholder.

use crate::output::{Failure, Output};

/// Measure this machine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, _output: Output) -> Result<(), Failure> {
    Err(Failure::Work("nothing to measure yet".to_owned()))
}

//! `kring bench`: arguments; the work is [`crate::bench`]'s.

use std::path::PathBuf;

use crate::output::{Failure, Output};

/// Most signals that are measured: every one needs a family of its own.
pub(crate) const SIGNALS_MAX: u16 = 500;

/// Measure this machine: evaluations, submissions, durable commits, and a running network
///
/// Prints medians beside what they should be on two cores shared by six nodes. Takes about a minute. Run it on the machine,
/// and with --dir on the disk, that the node is for. A target that is missed does not change the exit code.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory on the disk to measure; what is written there is removed [default: the system's temporary directory]
    #[arg(long, value_name = "D")]
    pub(crate) dir: Option<PathBuf>,
    /// Signals sent through the running network, at most 500; 0 leaves the network out
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=i64::from(SIGNALS_MAX)))]
    pub(crate) signals: u16,
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    crate::bench::run(args, output)
}

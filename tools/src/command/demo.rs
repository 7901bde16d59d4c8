//! `kring demo`: arguments of the demonstration; the work is [`crate::demo`]'s.

use std::path::PathBuf;

use crate::output::{Failure, Output};

/// Run a complete network on this machine
///
/// Real node processes on loopback, founded as partners found theirs (init, covenant signed by all, key ceremony over
/// the network), with each partner's caseload imported. Nothing here is for real data: the tempo is immediate.
///
/// With --once it waits until all is delivered, prints every match, compares with the known truth where the built-in
/// caseload is used, stops, and exits 0 only if all is as expected. Wrong lines of a caseload are reported by file,
/// line and reason on stderr and do not change the exit code; a file that is refused as a whole makes it 1. Without
/// --once it prints the addresses and stays until Ctrl-C.
///
/// A node that dies is started again, which is said on stderr. DIR/PARTNER/node.pid names a node's process; a file
/// DIR/PARTNER/stay-down keeps a dead node down for as long as it is there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Partners in the network, 3 to 12 [default: 6, or one for each caseload where there are more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(3..=12))]
    pub(crate) partners: Option<u8>,
    /// Keep everything the nodes store in D, one folder a partner [default: a temporary directory, removed at the end]
    #[arg(long, value_name = "D")]
    pub(crate) dir: Option<PathBuf>,
    /// Serve from this port upward: the partners' APIs first; ports in use are passed over [default: any free ports]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1024..))]
    pub(crate) port: Option<u16>,
    /// Caseloads, one NAME.csv for each of 2 to 12 partners [default: a built-in caseload whose truth is known]
    #[arg(long, value_name = "DIR")]
    pub(crate) caseload: Option<PathBuf>,
    /// The covenant's recipes: the name of a list, or recipe ids separated by commas [default: default]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) recipes: Vec<String>,
    /// Stop when all is delivered, and say by the exit code whether all is as expected
    #[arg(long)]
    pub(crate) once: bool,
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    crate::demo::run(args, output)
}

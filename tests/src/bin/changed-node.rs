//! `kring node --config FILE` with changed software, chosen by `TEST_CHANGE` and `TEST_RECORD` (`kring_tests::changed`),
//! or watched, by `TEST_TRAFFIC` (`kring_tests::traffic`); by the clock in
//! `TEST_CLOCK`, and drawing canaries when `TEST_CANARY` says so (`kring_tests::simulated`).
//!
//! Not part of the product: the same daemon, with a tap on its messages and a clock of the test's.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use kring_node::Around;
use kring_node::config::Config;
use kring_node::network::Tap;
use kring_tests::changed::ChangedNode;
use kring_tests::simulated;
use kring_tests::traffic::Observer;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [node, flag, config] = &arguments[..] else { return usage() };
    if node != "node" || flag != "--config" {
        return usage();
    }
    match run(Path::new(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: changed-node node --config node.toml");
    ExitCode::from(2)
}

fn run(config: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(config, [], &[])?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let time = simulated::from_environment();
    let tap: Arc<dyn Tap> = match Observer::from_environment(Arc::clone(&time))? {
        Some(observer) => Arc::new(observer),
        None => Arc::new(ChangedNode::from_environment(&config)?),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(kring_node::run_with(
        config,
        Around { tap: Some(tap), time, canary: Some(simulated::asked_for_canaries()) },
    ))?)
}

//! `kring node --config FILE` with changed software, chosen by `TEST_CHANGE` and `TEST_RECORD` (`kring_tests::changed`),
//! and watched, by `TEST_TRAFFIC` (`kring_tests::traffic`); by the clock in
//! `TEST_CLOCK`, and drawing canaries when `TEST_CANARY` says so (`kring_tests::simulated`).
//!
//! Not part of the product: the same daemon, with a tap on its messages and a clock of the test's.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use kring_node::Around;
use kring_node::config::Config;
use kring_node::network::{Passing, Tap};
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
    let changed = ChangedNode::from_environment(&config)?;
    let tap: Arc<dyn Tap> = match Observer::from_environment(Arc::clone(&time))? {
        Some(observer) => Arc::new(Watched { changed, observer }),
        None => Arc::new(changed),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(kring_node::run_with(
        config,
        Around { tap: Some(tap), time, canary: Some(simulated::asked_for_canaries()) },
    ))?)
}

/// Changed software, and what an observer of its network sees.
#[derive(Debug)]
struct Watched {
    changed: ChangedNode,
    observer: Observer,
}

impl Tap for Watched {
    fn pass(&self, passing: Passing<'_>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.observer.pass(passing, self.changed.pass(passing, bytes)?)
    }

    fn holds(&self, passing: Passing<'_>, request: &[u8]) -> bool {
        self.changed.holds(passing, request)
    }
}

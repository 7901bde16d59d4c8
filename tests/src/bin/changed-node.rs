//! `kring node --config FILE` with changed software, chosen by `TEST_CHANGE` and `TEST_RECORD` (`kring_tests::changed`).
//!
//! Not part of the product: the same daemon, with a tap on its messages.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use kring_node::config::Config;
use kring_tests::changed::ChangedNode;

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
    let tap = ChangedNode::from_environment(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(kring_node::run_with(config, Some(Arc::new(tap))))?)
}

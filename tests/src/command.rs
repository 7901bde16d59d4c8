//! The `kring` command as people run it.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Names another binary than the one that was built together with the tests.
const BINARY: &str = "TEST_KRING_BIN";

/// The `kring` command, without settings from the environment of whoever runs the tests.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn kring() -> Command {
    clean(std::env::var_os(BINARY).map_or_else(|| built("kring"), PathBuf::from))
}

/// `kring node --config FILE` with changed software: what it does is said by this environment
/// ([`crate::changed`]).
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn changed_node(environment: &[(&str, &str)]) -> Command {
    let mut command = clean(built("changed-node"));
    command.envs(environment.iter().copied());
    command
}

fn clean(path: PathBuf) -> Command {
    assert!(path.is_file(), "{} is not there; tests/run builds it", path.display());
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"KRING_") {
            command.env_remove(name);
        }
    }
    command
}

/// `PROFILE/NAME`, next to `PROFILE/deps/system-...`.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the system knows this program's path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("tests run from PROFILE/deps");
    profile.join(name)
}

/// Runs it to its end with these arguments: exit code, stdout, stderr.
///
/// # Panics
/// When it does not start, or is killed.
#[must_use]
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = kring().args(arguments).output().expect("kring starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("kring writes UTF-8");
    (status.code().expect("nobody kills it"), text(stdout), text(stderr))
}

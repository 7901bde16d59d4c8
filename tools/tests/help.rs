//! What `--help` says, word for word: operators and scripts rely on it.
//!
//! After a meant change, run with `UPDATE_HELP=1` and look at the difference.

use std::path::Path;
use std::process::Command;

const COMMANDS: [&[&str]; 42] = [
    &[],
    &["init"],
    &["covenant"],
    &["covenant", "draft"],
    &["covenant", "sign"],
    &["covenant", "assemble"],
    &["covenant", "show"],
    &["covenant", "verify"],
    &["node"],
    &["import"],
    &["signal"],
    &["signal", "add"],
    &["signal", "list"],
    &["signal", "show"],
    &["signal", "withdraw"],
    &["signal", "hand-over"],
    &["signal", "accept"],
    &["signal", "decline"],
    &["signal", "assign"],
    &["signal", "erase"],
    &["account"],
    &["account", "add"],
    &["account", "list"],
    &["account", "show"],
    &["account", "update"],
    &["account", "absence"],
    &["team"],
    &["team", "add"],
    &["team", "list"],
    &["notice"],
    &["notice", "list"],
    &["notice", "show"],
    &["notice", "respond"],
    &["notice", "contact"],
    &["notice", "lead"],
    &["notice", "close"],
    &["audit"],
    &["audit", "evidence"],
    &["audit", "trace"],
    &["demo"],
    &["bench"],
    &["bench", "recognition"],
];

#[test]
fn help_is_as_agreed() {
    let update = std::env::var_os("UPDATE_HELP").is_some();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help");
    let mut expected_files = Vec::new();
    for command in COMMANDS {
        let name = format!("{}.txt", [&["kring"], command].concat().join("-"));
        let output = Command::new(env!("CARGO_BIN_EXE_kring")).args(command).arg("--help").output().unwrap();
        assert!(output.status.success(), "{name}");
        assert!(output.stderr.is_empty(), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        let file = directory.join(&name);
        if update {
            std::fs::write(&file, &text).unwrap();
        }
        let agreed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(text == agreed, "{name} differs; it now says:\n{text}");
        expected_files.push(name);
    }
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    expected_files.sort();
    assert_eq!(files, expected_files, "a file of a command that is gone");
}

//! The pages of real nodes in a real browser: every page and error state, and the whole story among three partners.
//!
//! Needs Chromium, Node.js and the modules of `tests/browser` (`npm ci` there; `TEST_BROWSER_MODULES` names their directory);
//! where one is missing it says so loudly.

use std::path::{Path, PathBuf};
use std::process::Command;

use kring_tests::demo::{DELIVERED, Demo};
use kring_tests::place::Place;

/// What is never in a log: of the families that the browsers fill in.
const CANARIES: [&str; 10] = [
    "Jaspers",
    "Wolvekamp",
    "Oosterwegel",
    "Zonderwijk",
    "Quaedvlieg",
    "Xhofleer",
    "Ypma",
    "B-100",
    "W-200",
    "wide-1",
];

const CHROMIUM: &str = "/usr/bin/chromium";

/// Where the scripts can be run, if they can.
fn scripts() -> Option<PathBuf> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let modules = std::env::var_os("TEST_BROWSER_MODULES").map(PathBuf::from);
    let chromium = std::env::var_os("TEST_CHROMIUM").map_or_else(|| PathBuf::from(CHROMIUM), PathBuf::from);
    let here = modules.as_deref().is_some_and(|modules| modules.join("playwright-core").is_dir());
    let same = modules.is_some_and(|modules| modules == scripts.join("node_modules"));
    if here && same && chromium.is_file() {
        return Some(scripts);
    }
    eprintln!("==== SKIPPED: no browser tests without chromium and TEST_BROWSER_MODULES ====");
    None
}

fn run(scripts: &Path, script: &str, network: &Path, pictures: &Path) {
    let output = Command::new("node")
        .arg(scripts.join(script))
        .args([&network.join("sign-ins.json"), pictures])
        .output()
        .expect("node starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{script}:\n{}", String::from_utf8_lossy(&said));
}

/// Nothing of a family is in what the nodes logged.
fn no_canary(network: &Path) {
    for entry in network.read_dir().unwrap() {
        let log = entry.unwrap().path().join("node.log");
        let Ok(text) = std::fs::read_to_string(&log) else { continue };
        assert!(text.contains("the node is running"), "{} is a log", log.display());
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {}", log.display());
        }
    }
}

/// Where pictures go: kept where `TEST_PICTURES` says.
fn pictures(place: &Place) -> PathBuf {
    std::env::var_os("TEST_PICTURES").map_or_else(|| place.path().join("pictures"), PathBuf::from)
}

fn drive(script: &str) {
    let Some(scripts) = scripts() else { return };
    let place = Place::new();
    let mut demo = Demo::start(place.path(), &["--partners", "6"]);
    demo.wait_for("the network stays up", DELIVERED);
    run(&scripts, script, demo.dir(), &pictures(&place));
    no_canary(demo.dir());
}

#[test]
fn every_page_can_be_used_by_everybody_and_keeps_to_itself() {
    drive("pages.mjs");
}

#[test]
fn professionals_of_three_partners_come_to_work_together_in_their_browsers() {
    drive("story.mjs");
}

#[test]
fn every_page_is_for_the_roles_that_it_is_for() {
    drive("matrix.mjs");
}

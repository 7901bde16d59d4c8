//! The pages of real nodes in a real browser: every page and error state, and the whole story among three partners.
//!
//! Needs Chromium, Node.js and the modules of `tests/browser` (`npm ci` there; `TEST_BROWSER_MODULES` names their directory);
//! where one is missing it says so loudly.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kring_node::clock::Clock;
use kring_protocol::calendar::{local_day, working_days_after};
use kring_tests::canary::{CONTACT, REFERENCE, family};
use kring_tests::demo::{DELIVERED, Demo, until_ready};
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::scan::Scanner;
use kring_tests::simulated::{CLOCK, Hand};
use serde_json::{Value, json};

use crate::hostile::MEMBERS;

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

/// A professional and a supervisor of one team, with the codes by which they set up their accounts.
fn staff(node: &Node, names: &[(&str, &str)]) -> Value {
    let made = |path: &str, body: &Value| {
        let (status, made) = node.post(path, body);
        assert_eq!(status, 201, "{made}");
        made
    };
    let team = made("/teams", &json!({ "name": "Noord" }))["id"].clone();
    let person = |(name, role): &(&str, &str)| {
        let user = name.split(' ').next().unwrap().to_lowercase();
        let body = json!({
            "signIn": { "local": user }, "name": name, "email": format!("{user}@partner.example"),
            "phone": "010 123 45 67", "function": "teacher", "roles": [role], "teams": [team],
        });
        let id = made("/people", &body)["id"].as_str().unwrap().to_owned();
        let code = made(&format!("/people/{id}/activation"), &Value::Null)["code"].clone();
        json!({ "name": name, "role": role, "user": user, "password": "drie blauwe fietsen", "code": code })
    };
    let sign_ins: Vec<_> = names.iter().map(person).collect();
    json!({ "partner": node.dir().file_name().unwrap().to_str(), "address": format!("http://{}", node.config().api_listen), "sign_ins": sign_ins })
}

#[test]
fn a_late_notice_reaches_the_supervisor_and_a_second_factor_is_asked_for() {
    let Some(scripts) = scripts() else { return };
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["d", "e", "f"], |draft| draft);
    let start = working_days_after(local_day(Clock.now()), 1);
    let hand = Hand::new(place.path(), start.start().plus_secs(11 * 3_600));
    for member in ["a", "b"] {
        let config = place.path().join(member).join("node.toml");
        OpenOptions::new()
            .append(true)
            .open(config)
            .unwrap()
            .write_all(b"second_factor = \"off\"\n")
            .unwrap();
    }
    let clock = hand.file().to_str().unwrap();
    MEMBERS.iter().for_each(|member| founded.start_changed(member, &[(CLOCK, clock)]));
    until_ready(&MEMBERS.map(|member| founded.node(member)));
    let [a, b] = ["a", "b"].map(|member| founded.node(member));
    let mut ours = staff(&a, &[("Anna Appel", "professional"), ("Sam Sinaas", "supervisor")]);
    let late = working_days_after(start, 6).start().plus_secs(11 * 3_600);
    ours["clock"] = json!({ "file": clock, "late": late.secs() });
    let theirs = staff(&b, &[("Bram Bes", "professional")]);
    std::fs::write(place.path().join("sign-ins.json"), json!([ours, theirs]).to_string()).unwrap();
    run(&scripts, "late.mjs", place.path(), &pictures(&place));
    // At `c` everybody has a second factor.
    let mut careful =
        staff(&founded.node("c"), &[("Cor Citroen", "professional"), ("Clara Kers", "supervisor")]);
    careful["clock"] = json!({ "file": clock, "seconds": late.secs() });
    std::fs::write(place.path().join("sign-ins.json"), json!([careful]).to_string()).unwrap();
    run(&scripts, "second_factor.mjs", place.path(), &pictures(&place));
}

/// What is found in a file or directory, without the encodings.
fn found(scanner: &Scanner, path: &Path) -> BTreeSet<(String, String)> {
    let found = if path.is_dir() {
        scanner.dir(path)
    } else {
        scanner.bytes(&path.display().to_string(), &std::fs::read(path).unwrap())
    };
    found.into_iter().map(|one| (one.canary, one.place)).collect()
}

/// Values of every field of a signal, each found nowhere else; as browsers fill them in, and as they are shown.
fn canaries() -> (Value, Vec<String>) {
    let [person, ..] = family();
    let [name, _, phone, email] = CONTACT;
    let (references, prefix) = ([REFERENCE, "KANARIE-ANDER-0932"], "van den zwaluw");
    let filled = json!({
        "family": {
            "bsn": person.bsn, "given_names": person.given, "name_prefix": prefix, "family_name": person.family,
            "birth_date": person.born, "postal_code": "7399 WX", "house_number": "48173", "house_number_suffix": "tjiftjaf",
        },
        "contact": { "name": name, "phone": phone, "email": email },
        "references": references,
    });
    let fields = [&person.bsn, &person.given, &person.family, &person.born].map(String::as_str);
    let shown =
        ["7399 WX", "7399WX", "7399+WX", "tjiftjaf", prefix, "29 juli 2009", "+31699147703", "out-of-reach"];
    let all = fields.into_iter().chain(shown).chain([name, phone, email]).chain(references);
    (filled, all.map(str::to_owned).collect())
}

#[test]
fn nothing_of_a_case_stays_in_browsers_addresses_logs_or_metrics() {
    let Some(scripts) = scripts() else { return };
    let place = Place::new();
    let mut demo = Demo::start(place.path(), &["--partners", "6"]);
    demo.wait_for("the network stays up", DELIVERED);
    let kept = place.dir("kept");
    let (filled, values) = canaries();
    std::fs::write(kept.join("canaries.json"), filled.to_string()).unwrap();
    run(&scripts, "canaries.mjs", demo.dir(), &kept);
    let scanner = Scanner::new(values.iter().map(String::as_str));
    let mut leaks = BTreeSet::new();
    for clean in ["seen.json", "profiles/anna", "profiles/bram", "profiles/officer"] {
        leaks.extend(found(&scanner, &kept.join(clean)));
    }
    for node in demo.all_nodes() {
        let said = [node.log(), node.metrics().expect("it has metrics")].concat();
        assert!(said.contains("the node is running") && said.contains("kring_signals"));
        leaks.extend(
            scanner
                .bytes(node.dir().to_str().unwrap(), said.as_bytes())
                .into_iter()
                .map(|one| (one.canary, one.place)),
        );
    }
    // A browser may know how its own person is reached: it fills that in where they want.
    let own = |canary: &str| CONTACT.iter().any(|detail| detail.eq_ignore_ascii_case(canary));
    let learnt = |place: &str| ["/Web Data", "/Sessions/"].iter().any(|file| place.contains(file));
    leaks.retain(|(canary, place)| !(own(canary) && learnt(place)));
    assert!(leaks.is_empty(), "{leaks:#?}");
    // The control: what was planted is found in what was written down and in the profile.
    let planted = found(&scanner, &kept.join("planted.json"));
    assert!(planted.iter().any(|(canary, _)| canary == REFERENCE), "{planted:?}");
    let planted: BTreeSet<_> =
        found(&scanner, &kept.join("profiles/planted")).into_iter().map(|(canary, _)| canary).collect();
    for canary in [REFERENCE, CONTACT[3], family()[0].family.as_str()] {
        assert!(planted.contains(canary), "{canary} was planted: {planted:?}");
    }
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
fn nothing_that_is_filled_in_does_anything() {
    drive("payloads.mjs");
}

#[test]
fn every_page_is_for_the_roles_that_it_is_for() {
    drive("matrix.mjs");
}

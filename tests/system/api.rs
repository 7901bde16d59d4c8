//! The API as other software meets it: its document before the linters, a running node before schemathesis, and requests
//! that come again.
//!
//! The linters run when `TEST_API_MODULES` names a `node_modules` directory made from `tests/api/package-lock.json`,
//! schemathesis when `TEST_SCHEMATHESIS` names its program, made from `tests/api/requirements.txt`. `.ci/run` does both.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use kring_tests::caseload::{Cases, Person, signal};
use kring_tests::demo::until_ready;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use serde_json::{Value, json};

use super::signals::{SOON, add, matches, network};

/// How long schemathesis may ask, in seconds. `TEST_API_SECONDS` gives it longer.
const SECONDS: &str = "60";

fn checks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("api")
}

/// What a variable names; says loudly when it names nothing.
fn tool(variable: &str, what: &str) -> Option<OsString> {
    let found = env::var_os(variable);
    if found.is_none() {
        eprintln!("SKIPPED: {variable} does not name {what}");
    }
    found
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}\n{err}")
}

/// Runs spectral on a document with one of the rule sets: whether it has nothing to say, and what it says.
fn lint(place: &Place, modules: &OsStr, rules: &str, document: &Value) -> (bool, String) {
    let work = place.path().join("lint");
    fs::create_dir_all(&work).unwrap();
    // Rule sets are found from where they stand, so they stand beside the modules.
    let _ = std::os::unix::fs::symlink(modules, work.join("node_modules"));
    for file in ["rules.yaml", "owasp.yaml"] {
        fs::copy(checks().join(file), work.join(file)).unwrap();
    }
    fs::copy(checks().join("nlgov/linter.yaml"), work.join("nlgov.yaml")).unwrap();
    fs::write(work.join("openapi.json"), document.to_string()).unwrap();
    let output = Command::new("node")
        .current_dir(&work)
        .arg(Path::new(modules).join("@stoplight/spectral-cli/dist/index.js"))
        .args(["lint", "--ruleset", rules, "--fail-severity", "hint", "openapi.json"])
        .output()
        .expect("node is needed when TEST_API_MODULES is set");
    assert!(output.status.code().is_some_and(|code| code < 2), "spectral failed: {}", said(&output));
    (output.status.success(), said(&output))
}

/// A document with one thing changed.
fn with(document: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut changed = document.clone();
    change(&mut changed);
    assert_ne!(&changed, document);
    changed
}

#[test]
fn the_document_satisfies_the_linters_and_a_worse_one_does_not() {
    let Some(modules) = tool("TEST_API_MODULES", "a node_modules directory of tests/api") else { return };
    let place = Place::new();
    let (_demo, [a, ..]) = network(&place);
    let document = a.get("/openapi.json");
    for rules in ["nlgov.yaml", "rules.yaml"] {
        let (good, said) = lint(&place, &modules, rules, &document);
        assert!(good, "{rules}:\n{said}");
    }
    let (good, said) = lint(&place, &modules, "owasp.yaml", &document);
    eprintln!("OWASP's rules, advisory: {}\n{said}", if good { "nothing" } else { "findings" });

    for (rules, rule, worse) in worse(&document) {
        let (good, said) = lint(&place, &modules, rules, &worse);
        assert!(!good && said.contains(rule), "{rules} {rule}:\n{said}");
    }
}

/// Rule sets, rules of them, and documents that break them.
fn worse(document: &Value) -> Vec<(&'static str, &'static str, Value)> {
    let signals = |change: fn(&mut Value)| {
        with(document, |document| change(&mut document["paths"]["/signals"]["post"]))
    };
    let without = |document: &mut Value, headers: &str| {
        let headers = document.pointer_mut(headers).and_then(Value::as_object_mut);
        headers.unwrap().remove("API-Version");
    };
    let unsaid = signals(|post| post["responses"]["422"] = post["responses"]["400"].clone());
    let in_address = signals(|post| {
        let bsn = json!({ "name": "bsn", "in": "query", "schema": { "type": "string", "maxLength": 9 } });
        post["parameters"].as_array_mut().unwrap().push(bsn);
    });
    let unlike = signals(|post| {
        post["responses"]["201"]["content"]["application/json"]["example"] = json!({ "id": 7 });
    });
    let on_errors = with(document, |one| without(one, "/components/responses/NotFound/headers"));
    let on_answers = with(document, |one| without(one, "/paths/~1signals/post/responses/201/headers"));
    let camel = with(document, |one| one["paths"]["/auditLog"] = one["paths"]["/network"].clone());
    vec![
        ("rules.yaml", "kring:never-422", unsaid),
        ("rules.yaml", "kring:version-on-every-response", on_errors),
        ("nlgov.yaml", "nlgov:missing-version-header", on_answers),
        ("rules.yaml", "kring:nobody-in-an-address", in_address),
        ("rules.yaml", "kring:changes-may-be-repeated", signals(|post| post["parameters"] = json!([]))),
        ("nlgov.yaml", "oas3-valid-media-example", unlike),
        ("nlgov.yaml", "nlgov:paths-kebab-case", camel),
    ]
}

/// Runs schemathesis on a node: whether it has nothing to say, and what it says.
fn schemathesis(place: &Place, node: &Node, more: &[&str], fault: &str) -> Option<(bool, String)> {
    let program = tool("TEST_SCHEMATHESIS", "the program schemathesis")?;
    let output = Command::new(program)
        .current_dir(place.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", checks())
        .env("TEST_API_FAULT", fault)
        .arg("--config-file")
        .arg(checks().join("schemathesis.toml"))
        .args(["run", &node.url("/openapi.json")])
        .args(["--header", &format!("Authorization: {}", node.bearer())])
        .args(more)
        .output()
        .expect("TEST_SCHEMATHESIS names a program");
    Some((output.status.success(), said(&output)))
}

#[test]
fn schemathesis_finds_nothing_wrong_with_a_running_node() {
    let place = Place::new();
    let (_demo, [a, b, _]) = network(&place);
    let person = Person::invented(50);
    add(&a, "ours", &[&person]);
    add(&b, "theirs", &[&person]);
    matches(&a, "ours", 1);
    let seconds = env::var("TEST_API_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    let Some((good, said)) = schemathesis(&place, &a, &["--max-time", &seconds], "") else { return };
    let tail: Vec<_> = said.lines().rev().take(40).collect();
    eprintln!("{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    assert!(good, "{said}");
    assert!(a.is_ready(), "the node works on");

    let few = [
        "--phases",
        "examples,coverage",
        "--include-path-regex",
        "^/(signals|audit/entries)$",
        "--max-examples",
        "5",
    ];
    for (fault, check) in [
        ("", ""),
        ("invalid_input_as_422", "never_422_and_no_fault"),
        ("no_version", "version_on_every_response"),
        ("errors_as_plain_json", "errors_are_problems"),
        ("another_field", "Response violates schema"),
    ] {
        let (good, said) = schemathesis(&place, &a, &few, fault).expect("it ran just now");
        assert_eq!(good, fault.is_empty(), "{fault}: {said}");
        assert!(said.contains(check), "{fault}: {said}");
    }
}

/// Sends a request sixteen times at once with one key, and gives the answer that all got.
fn at_once(node: &Node, path: &str, media_type: &str, body: &str, key: &str) -> (u16, Value) {
    let send = || node.post_with(path, media_type, body.as_bytes(), &[("idempotency-key", key)]);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let different: BTreeSet<_> = answers.iter().map(|(status, body)| format!("{status} {body}")).collect();
    assert_eq!(different.len(), 1, "{different:?}");
    answers.into_iter().next().unwrap()
}

/// How many entries of a kind the node's audit log has.
fn entries(node: &Node, kind: &str) -> usize {
    let (mut first, mut count) = (0, 0);
    loop {
        let entries = node.get(&format!("/audit/entries?first={first}&limit=1000"));
        let entries = entries.as_array().unwrap();
        count += entries.iter().filter(|entry| entry["entry"]["kind"] == kind).count();
        first += entries.len();
        if entries.len() < 1000 {
            return count;
        }
    }
}

#[test]
fn what_comes_again_is_done_once_and_answered_the_same_also_after_a_crash() {
    let place = Place::new();
    let (mut demo, [a, ..]) = network(&place);
    let json = "application/json";
    let changed = || entries(&a, "case-changed");
    let before = changed();
    let body = signal("once", &[&Person::invented(70)]).to_string();
    let (status, made) = at_once(&a, "/signals", json, &body, "k-add");
    assert_eq!((status, changed()), (201, before + 1), "{made}");
    let id = made["id"].as_str().unwrap();
    let renew = format!("/signals/{id}/renew");
    let (status, renewed) = at_once(&a, &renew, json, "", "k-renew");
    assert_eq!((status, changed()), (200, before + 2), "{renewed}");
    let file = Cases::new().case("own", &[&Person::invented(0)]).case("new", &[&Person::invented(71)]).text();
    let (status, report) = at_once(&a, "/imports", "text/csv", &file, "k-import");
    assert_eq!((status, changed()), (200, before + 3));
    assert_eq!((&report["cases"], &report["unchanged"]), (&json!(1), &json!(1)), "{report}");

    // The same key for something else, also at another address; another caller's key is another.
    let send = |path: &str, media_type: &str, body: &str, key: &str| {
        a.post_with(path, media_type, body.as_bytes(), &[("idempotency-key", key)])
    };
    assert_eq!(send("/signals", json, &signal("two", &[&Person::invented(72)]).to_string(), "k-add").0, 409);
    assert_eq!(send(&format!("/signals/{id}/withdraw"), json, "", "k-renew").0, 409);
    assert_eq!(send("/imports", "text/csv", &format!("{file}\n"), "k-import").0, 409);
    assert_eq!(
        send("/imports?dryRun=true", "text/csv", &file, "k-import").1["unchanged"],
        2,
        "trying has no key"
    );

    assert!(a.kill());
    demo.wait_for("starting it again", SOON);
    until("the node is ready again", Duration::from_secs(60), || a.is_ready().then_some(()));
    until_ready(&demo.all_nodes());
    let before = changed();
    assert_eq!(send("/signals", json, &body, "k-add"), (201, renewed.clone()), "as it is now");
    assert_eq!(send(&renew, json, "", "k-renew"), (200, renewed));
    assert_eq!(send("/imports", "text/csv", &file, "k-import"), (200, report));
    assert_eq!(changed(), before, "nothing was done again");
    let (status, withdrawn) = at_once(&a, &format!("/signals/{id}/withdraw"), json, "", "k-withdraw");
    assert_eq!((status, &withdrawn["state"], changed()), (200, &json!("withdrawn"), before + 1));
}

//! The `kring` command as its users meet it: exit codes, stdout and stderr, and a whole founding.

#![allow(clippy::unwrap_used, reason = "a test, its helpers included")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kring-commands-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kring(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kring")).args(args).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn init(directory: &Directory, name: &str, more: &[&str]) -> Output {
    let dir = directory.path(name);
    let args = [
        "init",
        "--json",
        "--dir",
        &dir,
        "--name",
        name,
        "--kind",
        "school",
        "--oin",
        "00000099900000000000",
    ];
    kring(&[&args, more].concat())
}

/// Six partners with their cards.
fn founders(directory: &Directory) -> Vec<String> {
    ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .map(|name| {
            assert_eq!(code(&init(directory, name, &[])), Some(0));
            directory.path(&format!("{name}/member.toml"))
        })
        .collect()
}

fn draft(directory: &Directory, cards: &[String], more: &[&str]) -> Output {
    let out = directory.path("covenant.toml");
    let mut args = vec!["covenant", "draft", "--json", "--out", &out, "--member"];
    args.extend(cards.iter().map(String::as_str));
    args.extend(more);
    kring(&args)
}

#[test]
fn a_founding_from_init_to_a_covenant_that_all_have_signed() {
    let directory = Directory::new("founding");
    let cards = founders(&directory);
    let drafted =
        draft(&directory, &cards, &["--tempo", "immediate", "--no-bsn", "b,c", "--purpose", "jeugd"]);
    assert_eq!(code(&drafted), Some(0), "{}", stderr(&drafted));
    assert!(stderr(&drafted).contains("warning: tempo immediate"));
    let covenant = directory.path("covenant.toml");
    let text = std::fs::read_to_string(&covenant).unwrap();
    assert!(text.contains("# ") && text.contains("a: at most") && text.contains("guesses a year"), "{text}");

    let out = directory.path("covenant.kring");
    let mut assemble = vec!["covenant", "assemble", "--json", "--out", &out, &covenant];
    let signatures: Vec<_> = ["a", "b", "c", "d", "e", "f"]
        .map(|name| {
            let signed = kring(&["covenant", "sign", "--json", "--dir", &directory.path(name), &covenant]);
            assert_eq!(json(&signed)["hash"], json(&drafted)["hash"], "{}", stderr(&signed));
            directory.path(&format!("{name}/signature.toml"))
        })
        .to_vec();
    assemble.extend(signatures.iter().map(String::as_str));
    let short = kring(&assemble[..assemble.len() - 1]);
    assert_eq!(code(&short), Some(1));
    assert!(json(&short)["error"].as_str().unwrap().contains("missing or wrong for f"));
    assert!(!Path::new(&out).exists());
    assert_eq!(code(&kring(&assemble)), Some(0));

    let verified = kring(&["covenant", "verify", "--json", &out]);
    assert_eq!((code(&verified), json(&verified)["holds"].as_bool()), (Some(0), Some(true)));
    let shown = json(&kring(&["covenant", "show", "--json", &out]));
    assert_eq!(shown["signedBy"], serde_json::json!(["a", "b", "c", "d", "e", "f"]));
    assert_eq!(shown["covenant"]["matchers"], serde_json::json!(["c", "d", "e", "f"]));
    assert_eq!(shown["covenant"]["purposes"][0]["bsn_members"], serde_json::json!(["a", "d", "e", "f"]));
    let shown = kring(&["covenant", "show", &covenant]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("nobody yet: a draft") && shown.contains("never for real data"), "{shown}");
    let pepper = text.lines().find(|line| line.starts_with("pepper")).unwrap();
    assert!(!shown.contains(pepper.split('"').nth(1).unwrap()), "the annex is for members only");
}

#[test]
fn what_was_altered_after_signing_is_refused() {
    let directory = Directory::new("altered");
    let cards = founders(&directory);
    assert_eq!(code(&draft(&directory, &cards, &[])), Some(0));
    let covenant = directory.path("covenant.toml");
    let verified = kring(&["covenant", "verify", "--json", &covenant]);
    let figures = json(&verified)["figures"].to_string();
    assert!(figures.contains("a: at most ") && figures.contains(" MB a day"), "{figures}");
    let signed = kring(&["covenant", "sign", "--dir", &directory.path("a"), &covenant]);
    assert_eq!(code(&signed), Some(0), "{}", stderr(&signed));
    let text = std::fs::read_to_string(&covenant).unwrap();
    std::fs::write(&covenant, text.replace("title = \"Kring\"", "title = \"Other\"")).unwrap();
    let signature = directory.path("a/signature.toml");
    let assembled = kring(&["covenant", "assemble", "--out", &directory.path("x"), &covenant, &signature]);
    assert_eq!(code(&assembled), Some(1));
    assert!(stderr(&assembled).contains("a signed another text"), "{}", stderr(&assembled));

    let few =
        text.replace("key_holders = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]", "key_holders = [\"a\"]");
    assert_ne!(few, text);
    std::fs::write(&covenant, few).unwrap();
    let verified = kring(&["covenant", "verify", &covenant]);
    assert_eq!(code(&verified), Some(1));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("error: 1 key holders"));
    let signed = kring(&["covenant", "sign", "--dir", &directory.path("a"), &covenant]);
    assert_eq!(code(&signed), Some(1));
    assert!(stderr(&signed).contains("not signed"), "{}", stderr(&signed));

    std::fs::write(&covenant, text.replacen("version = 1", "version = 9", 1)).unwrap();
    let shown = kring(&["covenant", "show", &covenant]);
    assert_eq!(code(&shown), Some(1));
    assert!(stderr(&shown).contains("version 9 is not known"), "{}", stderr(&shown));
}

#[test]
fn usage_errors_have_their_own_exit_code() {
    let directory = Directory::new("usage");
    for args in [
        &["nothing"][..],
        &["init"],
        &["demo", "--partners", "2"],
        &["demo", "--partners", "13"],
        &["covenant", "draft"],
        &["notice", "show", "--dir", "x"],
    ] {
        assert_eq!(code(&kring(args)), Some(2), "{args:?}");
    }
    assert_eq!(code(&init(&directory, "!", &[])), Some(2));
    assert_eq!(code(&init(&directory, "a", &["--oin", "1"])), Some(2));
    assert_eq!(code(&init(&directory, "a", &["--kind", "bakery"])), Some(2));
    std::fs::write(directory.0.join("one.csv"), "").unwrap();
    let demo = kring(&["demo", "--once", "--json", "--caseload", &directory.path("")]);
    assert_eq!(code(&demo), Some(2));
    assert!(json(&demo)["error"].as_str().unwrap().contains("takes 2 to 12"));
    let cards = founders(&directory);
    assert_eq!(code(&draft(&directory, &cards, &["--matchers", "a,nobody"])), Some(2));
}

#[test]
fn an_identity_is_never_overwritten() {
    let directory = Directory::new("twice");
    assert_eq!(code(&init(&directory, "a", &[])), Some(0));
    let again = init(&directory, "a", &[]);
    assert_eq!(code(&again), Some(1));
    assert!(stderr(&again).contains("identity is made once"), "{}", stderr(&again));
}

#[test]
fn without_a_running_node_the_command_says_how_to_start_it() {
    let directory = Directory::new("stopped");
    let started = init(&directory, "a", &["--port", "1"]);
    assert_eq!(code(&started), Some(0));
    std::fs::write(directory.0.join("c.csv"), "case,person\n").unwrap();
    let dir = directory.path("a");
    for args in [
        &["import", &directory.path("c.csv"), "--dir", &dir][..],
        &["signal", "list", "--dir", &dir],
        &["notice", "list", "--dir", &dir],
    ] {
        let output = kring(args);
        assert_eq!(code(&output), Some(1), "{args:?}");
        let expected = format!("start it with `kring node --config {dir}/node.toml`");
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
    let elsewhere = kring(&["notice", "list", "--dir", &directory.path("")]);
    assert!(stderr(&elsewhere).contains("kring init"), "{}", stderr(&elsewhere));
}

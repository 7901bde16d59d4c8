//! The documents lead somewhere: links, and the sections that code and documents cite.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below `dir` with one of these endings, apart from what is built or hidden.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            all.append(&mut files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            all.push(path);
        }
    }
    all
}

/// Headings as links name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The targets of a text's links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for file in files(&root(), &[".md"]) {
        let text = fs::read_to_string(&file).unwrap();
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let leads = target.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            followed += 1;
            if !leads {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 10, "links were found at all: {followed}");
}

#[test]
fn every_cited_section_of_the_protocol_exists() {
    let protocol = fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let sections: BTreeSet<_> = protocol
        .lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let mut unknown = Vec::new();
    let mut cited = 0;
    for file in files(&root(), &[".rs", ".md"]) {
        let text = fs::read_to_string(&file).unwrap().replace("\n//! ", " ").replace("\n/// ", " ");
        for rest in text.split(concat!("protocol.md`", " section")).skip(1) {
            let number = rest.trim_start_matches('s').trim_start();
            let number: String = number.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let number = number.trim_end_matches('.');
            cited += 1;
            if !sections.contains(number) {
                unknown.push(format!("{}: section {number}", file.display()));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert!(cited > 20, "citations were found at all: {cited}");
}

/// `module::test` in the threat model, and what stands in the column of controls.
#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let named: BTreeSet<_> =
        text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    let is_there = |(module, test): &&(&str, &str)| {
        let file = root().join(format!("tests/system/{module}.rs"));
        fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {test}(")))
    };
    let missing: Vec<_> = named.iter().filter(|test| !is_there(test)).collect();
    assert!(missing.is_empty() && named.len() > 25, "{missing:?} of {}", named.len());
}

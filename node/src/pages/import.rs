//! Importing a caseload as a file, with a trial first.

use askama::Template;
use axum::response::Response;
use kring_protocol::identifier::Problem;

use super::fields::{Fields, Pairs};
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{Application, ApplicationError, ImportReport, LineReason};
use crate::caseload::{CaseloadError, LineProblem, Missing, Reason};
use crate::people::Act;
use crate::sign_in::CsrfUpload;

/// What an import did, or would do.
#[derive(Debug)]
pub(super) struct Report {
    dry_run: bool,
    cases: usize,
    persons: usize,
    unchanged: usize,
    left_out: Vec<(u64, String)>,
    warnings: Vec<(u64, String)>,
}

#[derive(Debug, Template)]
#[template(path = "import.html")]
struct ImportPage {
    page: Page,
    report: Option<Report>,
}

/// `GET /import`.
pub(super) async fn show(site: Site) -> Response {
    if !site.may(Act::Import) {
        return site.failed(&ApplicationError::Forbidden);
    }
    let template = ImportPage { page: site.page(), report: None };
    render_with(template.page.status(), &template)
}

/// `POST /import`: takes the file in, or tries.
pub(super) async fn import(site: Site, upload: CsrfUpload<Pairs>) -> Response {
    let mut page = site.page();
    let mut report = None;
    let dry_run = Fields(upload.form).text("action") != "import";
    let csv = upload.file.map(|file| file.bytes.to_vec()).unwrap_or_default();
    if csv.is_empty() {
        page.wrong("file", "wrong-file");
    } else {
        match site.node().import(&site.actor(), csv, dry_run, None).await {
            Ok(done) => report = Some(shown(&page, &done)),
            Err(ApplicationError::Unreadable(error)) => {
                let reason = why_unreadable(&page, &error);
                page.wrong_with("file", "wrong-file-text", ("reason", &reason));
            }
            Err(ApplicationError::Invalid(_)) => page.wrong("file", "wrong-file"),
            Err(error) => return site.failed(&error),
        }
    }
    render_with(page.status(), &ImportPage { page, report })
}

fn shown(page: &Page, report: &ImportReport) -> Report {
    let said =
        |line: &LineReason| line.problems.iter().map(|problem| said(page, problem)).collect::<Vec<_>>();
    let lines = |lines: &[LineReason]| lines.iter().map(|line| (line.line, said(line).join(" "))).collect();
    Report {
        dry_run: report.dry_run,
        cases: report.cases,
        persons: report.persons,
        unchanged: report.unchanged,
        left_out: lines(&report.lines_left_out),
        warnings: lines(&report.warnings),
    }
}

/// One reason, with its column as the file calls it.
fn said(page: &Page, problem: &LineProblem) -> String {
    let why = why(page, &problem.reason);
    match problem.column {
        Some(column) => page.with2("import-column", "column", column, "why", why),
        None => why,
    }
}

fn why(page: &Page, reason: &Reason) -> String {
    match reason {
        Reason::Empty => page.t("import-why-empty"),
        Reason::LongReference | Reason::Field(Problem::TooLong) => page.t("import-why-long"),
        Reason::Field(problem) => page.t(why_field(*problem)),
        Reason::Again(line) => page.with("import-why-again", "line", line),
        Reason::ManyPersons => page.t("import-why-many-persons"),
        Reason::OpenQuote => page.t("import-why-quote"),
        Reason::Cells { cells, header } => page.with2("import-why-cells", "cells", cells, "header", header),
        Reason::NoName => page.t("import-why-no-name"),
        Reason::Initials => page.t("import-why-initials"),
        Reason::LongAgo => page.t("import-why-long-ago"),
        Reason::ConventionalDay => page.t("import-why-conventional"),
        Reason::Placeholder => page.t("import-why-placeholder"),
        Reason::Unrecognisable(missing) => {
            let missing: Vec<_> = missing.iter().map(|one| page.t(lacks(*one))).collect();
            page.with("import-why-nobody", "missing", missing.join(", "))
        }
        Reason::ManyCases(count) => page.with("import-why-many-cases", "count", count),
    }
}

const fn why_field(problem: Problem) -> &'static str {
    match problem {
        Problem::Role => "import-why-role",
        Problem::BsnDigits => "import-why-bsn-digits",
        Problem::BsnTest => "import-why-bsn-test",
        Problem::BsnPlaceholder => "import-why-bsn-placeholder",
        Problem::NoLetter => "import-why-no-letter",
        Problem::DateForm => "import-why-date-form",
        Problem::DateImpossible => "import-why-date-impossible",
        Problem::DateFuture => "import-why-date-future",
        Problem::DateTooEarly => "import-why-date-early",
        Problem::PostalCode => "import-why-postal-code",
        Problem::HouseNumber => "import-why-house-number",
        Problem::HouseNumberSuffix => "import-why-suffix",
        Problem::TooLong => "import-why-long",
    }
}

const fn lacks(missing: Missing) -> &'static str {
    match missing {
        Missing::Bsn => "import-lacks-bsn",
        Missing::BirthDate => "import-lacks-birth-date",
        Missing::GivenName => "import-lacks-given-name",
        Missing::Surname => "import-lacks-surname",
        Missing::PostalCode => "import-lacks-postal-code",
        Missing::HouseNumber => "import-lacks-house-number",
    }
}

/// Why nothing of a file can be read.
fn why_unreadable(page: &Page, error: &CaseloadError) -> String {
    match error {
        CaseloadError::Empty => page.t("import-file-empty"),
        CaseloadError::NoHeader => page.t("import-file-no-header"),
        CaseloadError::NotText => page.t("import-file-no-text"),
        CaseloadError::Header { missing, unknown, twice } => {
            let say = |text: &str, columns: String| {
                (!columns.is_empty()).then(|| page.with(text, "columns", columns))
            };
            let said = [
                say("import-file-lacks", missing.join(", ")),
                say("import-file-unknown", unknown.join(", ")),
                say("import-file-twice", twice.join(", ")),
            ];
            said.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    }
}

/// The template with this text in every field, for tests.
#[cfg(test)]
pub(super) fn rendered(page: Page, text: &str) -> Vec<String> {
    let lines = || vec![(1, text.to_owned())];
    let report =
        Report { dry_run: true, cases: 1, persons: 1, unchanged: 1, left_out: lines(), warnings: lines() };
    vec![ImportPage { page, report: Some(report) }.render().unwrap()]
}

#[cfg(test)]
mod tests {
    use kring_protocol::recipe::RecipeList;
    use kring_protocol::time::Day;

    use super::*;
    use crate::caseload;
    use crate::texts::Language;

    #[test]
    fn reasons_are_in_the_readers_language() {
        let header = caseload::COLUMNS.join(",");
        let file = format!("{header}\nA,1,child,123,Jan,,Jansen,2015-02-30,1234AB,1,\nB,1,child,,J,,,,,,\n");
        let read =
            caseload::read(file.as_bytes(), Day::from_days(20_000), &RecipeList::named("default").unwrap());
        let read = read.unwrap();
        let page = |language| Page { language, ..Page::default() };
        let all = |language| {
            let problems = read.problems.iter().chain(&read.warnings);
            problems.map(|problem| said(&page(language), problem)).collect::<Vec<_>>()
        };
        assert_eq!(
            all(Language::Dutch),
            [
                "bsn: dit zijn geen negen cijfers.",
                "birth_date: deze datum bestaat niet.",
                "given_names: hier staan alleen voorletters. Anderen herkennen deze persoon minder vaak.",
                "Niemand kan deze persoon herkennen. Dit ontbreekt: BSN, volledige geboortedatum, voornaam, achternaam, \
                 postcode, huisnummer.",
            ]
        );
        assert!(all(Language::English).iter().zip(all(Language::Dutch)).all(|(one, other)| *one != other));
    }
}

//! Importing a caseload as a file, with a trial first.

use askama::Template;
use axum::response::Response;

use super::fields::{Fields, Pairs};
use super::page::Page;
use super::render_with;
use super::site::Site;
use crate::api::{Application, ApplicationError, ImportReport, LineReason};
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
            Ok(done) => report = Some(shown(&done)),
            Err(ApplicationError::Invalid(errors)) => {
                let reason = errors.first().map(|error| error.reason.clone()).unwrap_or_default();
                page.wrong_with("file", "wrong-file-text", ("reason", &reason));
            }
            Err(error) => return site.failed(&error),
        }
    }
    render_with(page.status(), &ImportPage { page, report })
}

fn shown(report: &ImportReport) -> Report {
    let lines = |lines: &[LineReason]| lines.iter().map(|line| (line.line, line.reason.clone())).collect();
    Report {
        dry_run: report.dry_run,
        cases: report.cases,
        persons: report.persons,
        unchanged: report.unchanged,
        left_out: lines(&report.lines_left_out),
        warnings: lines(&report.warnings),
    }
}

//! What was measured, as data and as tables.

use std::fmt::Write;

use kring_protocol::recipe::MatchKey;
use serde::Serialize;

use super::febrl::Measured;
use super::lists::List;
use super::score::{Score, Share};

/// One way to find pairs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Method {
    pub(crate) method: String,
    pub(crate) score: Score,
    /// Keys per person, on average and at most.
    pub(crate) keys: Option<(f64, usize)>,
}

impl Method {
    pub(crate) fn kring(list: &List, score: Score, keys: &[Vec<MatchKey>]) -> Self {
        let (sum, most) =
            keys.iter().fold((0, 0), |(sum, most), keys| (sum + keys.len(), keys.len().max(most)));
        let keys = Some((sum as f64 / keys.len().max(1) as f64, most));
        Self { method: list.name.clone(), score, keys }
    }

    /// One key for every person.
    pub(crate) fn peer(name: &str, score: Score) -> Self {
        Self { method: name.to_owned(), score, keys: Some((1.0, 1)) }
    }

    /// What nodes found, which does not say by how many keys.
    pub(crate) fn network(score: Score) -> Self {
        Self { method: "the network".to_owned(), score, keys: None }
    }
}

/// What one recipe does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RecipeRow {
    pub(crate) recipe: String,
    pub(crate) alone: Score,
    /// True and wrong pairs that no other recipe of the list finds.
    pub(crate) only_by_it: usize,
    pub(crate) wrong_only_by_it: usize,
}

/// Pairs of one person's records with a kind of error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ErrorRow {
    pub(crate) error: &'static str,
    /// It is the only error in both records.
    pub(crate) alone: Share,
    /// It is in one of both, perhaps among others.
    pub(crate) with_others: Share,
}

/// Cases found that share nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RelationRow {
    pub(crate) relation: &'static str,
    /// Two families; otherwise one, which is neither required nor wrong.
    pub(crate) wrong: bool,
    pub(crate) found: usize,
}

/// Generated cases of which two persons were taken for one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Confused {
    pub(crate) class: &'static str,
    pub(crate) clean: Share,
    pub(crate) noisy: Share,
}

/// What one list does on the Dutch benchmark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ListReport {
    pub(crate) total: Method,
    /// The same by pairs of records of one person instead of cases.
    pub(crate) persons: Score,
    /// Records of which no key can be made.
    pub(crate) without_keys: usize,
    pub(crate) recipes: Vec<RecipeRow>,
    pub(crate) errors: Vec<ErrorRow>,
    pub(crate) relations: Vec<RelationRow>,
    pub(crate) confused: Vec<Confused>,
}

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) families: usize,
    /// Share of records with errors.
    pub(crate) noise: f64,
    pub(crate) cases: usize,
    pub(crate) records: usize,
    pub(crate) noisy_records: usize,
    pub(crate) lists: Vec<ListReport>,
    pub(crate) peers: Vec<Method>,
    pub(crate) febrl: Vec<Measured>,
}

/// Every table, in Markdown.
pub(crate) fn text(report: &Report) -> String {
    let mut out = String::new();
    let Report { seed, families, noise, cases, records, noisy_records, .. } = report;
    let share = 100.0 * noise;
    line(
        &mut out,
        &format!(
            "Dutch benchmark: seed {seed}, {families} families, {cases} cases, {records} records, of which"
        ),
    );
    line(&mut out, &format!("{noisy_records} with errors ({share:.0} % asked). Bounds: 95 %.\n"));
    let totals = report.lists.iter().map(|list| &list.total).chain(&report.peers);
    methods(&mut out, totals);
    by_error(&mut out, &report.lists);
    for list in &report.lists {
        by_recipe(&mut out, list);
    }
    relations(&mut out, &report.lists);
    confused(&mut out, &report.lists, share);
    for set in &report.febrl {
        let Measured { set, records, refused_fields, methods: all } = set;
        line(
            &mut out,
            &format!("{set}: {records} records; {refused_fields} fields that a node refuses are left out.\n"),
        );
        methods(&mut out, all.iter());
    }
    out
}

/// The table of one method.
pub(crate) fn one(method: &Method) -> String {
    let mut out = String::new();
    methods(&mut out, std::iter::once(method));
    out
}

fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}"); // into memory
}

fn table(out: &mut String, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    line(out, &format!("| {} |", head.join(" | ")));
    line(out, &format!("|{}", "---|".repeat(head.len())));
    for row in rows {
        line(out, &format!("| {} |", row.join(" | ")));
    }
    line(out, "");
}

/// Four decimals and the bounds.
fn bounded(share: &Share) -> String {
    if share.of == 0 {
        "-".to_owned()
    } else {
        format!("{:.4} ({:.4} to {:.4})", share.value, share.low, share.high)
    }
}

fn wrong(score: &Score) -> usize {
    score.precision.of - score.precision.hits
}

fn methods<'a>(out: &mut String, all: impl Iterator<Item = &'a Method>) {
    let row = |method: &Method| {
        let Method { method, score, keys } = method;
        let keys = match keys {
            None => "-".to_owned(),
            Some((_, 1)) => "1".to_owned(),
            Some((mean, most)) => format!("{mean:.2}, at most {most}"),
        };
        vec![
            method.clone(),
            bounded(&score.recall),
            bounded(&score.precision),
            format!("{:.4}", score.f1),
            (score.recall.of - score.recall.hits).to_string(),
            wrong(score).to_string(),
            keys,
        ]
    };
    table(out, &["method", "recall", "precision", "F1", "missed", "wrong", "keys per person"], all.map(row));
}

fn by_error(out: &mut String, lists: &[ListReport]) {
    line(
        out,
        "Records of one person at two partners: found, where the error is the only one in both (and where it is one of several).\n",
    );
    let Some(first) = lists.first() else { return };
    let names: Vec<&str> = lists.iter().map(|list| list.total.method.as_str()).collect();
    let cell = |row: &ErrorRow| format!("{} ({:.3})", bounded(&row.alone), row.with_others.value);
    let rows = first.errors.iter().enumerate().map(|(at, row)| {
        let cells = lists.iter().map(|list| cell(&list.errors[at]));
        [row.error.to_owned(), row.alone.of.to_string()].into_iter().chain(cells).collect()
    });
    table(out, &[&["error", "pairs"], names.as_slice()].concat(), rows);
    let all = lists.iter().map(|list| {
        let Score { recall, precision, f1, .. } = &list.persons;
        vec![
            list.total.method.clone(),
            bounded(recall),
            bounded(precision),
            format!("{f1:.4}"),
            list.without_keys.to_string(),
        ]
    });
    line(out, "All records of one person at two partners.\n");
    table(out, &["list", "recall", "precision", "F1", "records without keys"], all);
}

fn by_recipe(out: &mut String, list: &ListReport) {
    line(out, &format!("Recipes of `{}`: alone, and what no other of them finds.\n", list.total.method));
    let row = |row: &RecipeRow| {
        vec![
            format!("`{}`", row.recipe),
            bounded(&row.alone.recall),
            bounded(&row.alone.precision),
            wrong(&row.alone).to_string(),
            row.only_by_it.to_string(),
            row.wrong_only_by_it.to_string(),
        ]
    };
    let head = ["recipe", "recall", "precision", "wrong", "found only by it", "wrong only by it"];
    table(out, &head, list.recipes.iter().map(row));
}

fn relations(out: &mut String, lists: &[ListReport]) {
    line(out, "Cases found that share nobody, by how the two persons are related.\n");
    let row = |list: &ListReport, row: &RelationRow| {
        let verdict = if row.wrong { "wrong" } else { "one family: neither" };
        vec![list.total.method.clone(), row.relation.to_owned(), verdict.to_owned(), row.found.to_string()]
    };
    let rows = lists.iter().flat_map(|list| list.relations.iter().map(move |one| row(list, one)));
    table(out, &["list", "relation", "counts as", "pairs"], rows);
}

fn confused(out: &mut String, lists: &[ListReport], noise: f64) {
    line(
        out,
        "Generated cases of two persons who must not be taken for one: confused, and the upper 95 % bound per 10,000.\n",
    );
    let share = |share: &Share| format!("{} of {} (at most {:.1})", share.hits, share.of, 1e4 * share.high);
    let row = |list: &ListReport, row: &Confused| {
        vec![list.total.method.clone(), row.class.to_owned(), share(&row.clean), share(&row.noisy)]
    };
    let rows = lists.iter().flat_map(|list| list.confused.iter().map(move |one| row(list, one)));
    let noisy = format!("errors in {noise:.0} % of the records");
    table(out, &["list", "case", "no errors", &noisy], rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_markdown() {
        let mut out = String::new();
        let score = Score { recall: Share::new(9, 10), precision: Share::new(9, 9), f1: 0.947_4, neither: 0 };
        methods(&mut out, [Method::peer("exact match", score)].iter());
        let last = out.lines().nth(2).unwrap();
        assert_eq!(
            last,
            "| exact match | 0.9000 (0.5958 to 0.9821) | 1.0000 (0.7009 to 1.0000) | 0.9474 | 1 | 0 | 1 |"
        );
    }
}

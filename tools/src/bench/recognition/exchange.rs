//! The benchmark and FEBRL 4 as caseload files for `kring demo --caseload`, and the score of what a network found.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use kring_node::caseload::COLUMNS;
use kring_protocol::identifier::RawPerson;
use serde_json::Value;

use super::febrl::Row;
use super::score::{Pair, Score, Subject, pair, score_cases};
use super::views::{Benchmark, PARTNERS};
use crate::output::Failure;

/// Every partner's file: its name and its content.
pub(crate) fn files(benchmark: &Benchmark) -> Vec<(String, String)> {
    let lines = benchmark.records.iter().map(|record| {
        let case = &benchmark.cases[record.case];
        (PARTNERS[case.partner].name, case.reference.as_str(), record.person, &record.raw)
    });
    write(lines)
}

/// The two files of FEBRL 4, each record a case.
pub(crate) fn febrl_files(rows: &[Row]) -> Vec<(String, String)> {
    write(rows.iter().map(|row| (febrl_partner(row), row.id.as_str(), row.person, &row.raw)))
}

const fn febrl_partner(row: &Row) -> &'static str {
    if row.file == 0 { "febrl-a" } else { "febrl-b" }
}

fn write<'a>(
    lines: impl Iterator<Item = (&'static str, &'a str, usize, &'a RawPerson)>,
) -> Vec<(String, String)> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (partner, case, person, raw) in lines {
        let file = files.entry(partner).or_insert_with(|| COLUMNS.join(",") + "\n");
        let person = person.to_string();
        let cells = [
            case,
            &person,
            &raw.role,
            &raw.bsn,
            &raw.given_names,
            &raw.name_prefix,
            &raw.family_name,
            &raw.birth_date,
            &raw.postal_code,
            &raw.house_number,
            &raw.house_number_suffix,
        ];
        let quoted =
            cells.map(|cell| if cell.contains(',') { format!("\"{cell}\"") } else { cell.to_owned() });
        file.push_str(&quoted.join(","));
        file.push('\n');
    }
    files.into_iter().map(|(partner, csv)| (format!("{partner}.csv"), csv)).collect()
}

/// Writes caseload files into a new directory.
pub(crate) fn write_files(dir: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let failed =
        |path: &Path, problem: &std::io::Error| Failure::Work(format!("{}: {problem}", path.display()));
    std::fs::create_dir_all(dir).map_err(|problem| failed(dir, &problem))?;
    for (name, csv) in files {
        let path = dir.join(name);
        std::fs::write(&path, csv).map_err(|problem| failed(&path, &problem))?;
    }
    Ok(())
}

/// Where each partner's case is in the numbering of `subjects`.
type CaseNumbers = HashMap<(String, String), usize>;

/// The benchmark's cases by partner and reference.
pub(crate) fn case_numbers(benchmark: &Benchmark) -> CaseNumbers {
    let number = |(number, case): (usize, &super::views::Case)| {
        ((PARTNERS[case.partner].name.to_owned(), case.reference.clone()), number)
    };
    benchmark.cases.iter().enumerate().map(number).collect()
}

/// FEBRL 4's records as subjects, and by file and id.
pub(crate) fn febrl_cases(rows: &[Row]) -> (Vec<Subject>, CaseNumbers) {
    let subject = |(case, row): (usize, &Row)| Subject {
        partner: row.file,
        case,
        person: row.person,
        family: row.person,
    };
    let number = |(case, row): (usize, &Row)| ((febrl_partner(row).to_owned(), row.id.clone()), case);
    (rows.iter().enumerate().map(subject).collect(), rows.iter().enumerate().map(number).collect())
}

/// Scores what `kring demo --once --json` printed.
pub(crate) fn score_found(path: &Path, subjects: &[Subject], cases: &CaseNumbers) -> Result<Score, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|problem| Failure::Work(format!("{}: {problem}", path.display())))?;
    Ok(score_cases(subjects, &found(&serde_json::from_str(&text)?, cases)?))
}

/// The pairs of cases of a demonstration's report.
fn found(report: &Value, cases: &CaseNumbers) -> Result<HashSet<Pair>, Failure> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let mut sides: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in report["matches"].as_array().into_iter().flatten() {
        let case = (text(row, "partner"), text(row, "case"));
        let number = cases.get(&case).ok_or_else(|| {
            Failure::Work(format!(
                "{} case {} is not of this benchmark: other seed or families?",
                case.0, case.1
            ))
        })?;
        sides.entry(text(row, "match_id")).or_default().push(*number);
    }
    sides
        .into_iter()
        .map(|(id, sides)| match sides.as_slice() {
            &[one, other] => Ok(pair(one, other)),
            _ => Err(Failure::Work(format!("match {id} has {} sides", sides.len()))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_is_scored_by_its_matches() {
        let cases: CaseNumbers = [("a", "1", 0), ("b", "2", 1)]
            .map(|(partner, case, at)| ((partner.into(), case.into()), at))
            .into();
        let side = |partner: &str, case: &str| json!({ "match_id": "x", "partner": partner, "case": case });
        let report = json!({ "matches": [side("a", "1"), side("b", "2")] });
        assert_eq!(found(&report, &cases), Ok(HashSet::from([(0, 1)])));
        assert!(found(&json!({ "matches": [side("a", "1")] }), &cases).is_err(), "one side");
        assert!(found(&json!({ "matches": [side("c", "1")] }), &cases).is_err(), "a stranger");
    }
}

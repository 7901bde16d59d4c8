//! A partner's caseload as a CSV file: bytes in, cases and what is wrong with the file out.
//!
//! Pure reading. Whether a case becomes a signal, and what is stored, is decided by whoever calls this.
//! A line is one person; no cell of ours can hold a line break, so a quotation mark left open spoils one line only.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::cases::{PERSONS_MAX_LEN, persons_len};
use kring_protocol::identifier::{Field, FieldError, Person, RawPerson};
use kring_protocol::recipe::RecipeList;
use kring_protocol::time::Day;

mod reason;
mod warnings;

pub use reason::{Missing, Reason};
use warnings::Addresses;

/// The columns, which may stand in any order. All must be there; cells may be empty.
pub const COLUMNS: [&str; 11] = [
    "case",
    "person",
    "role",
    "bsn",
    "given_names",
    "name_prefix",
    "family_name",
    "birth_date",
    "postal_code",
    "house_number",
    "house_number_suffix",
];

/// Longest case reference and person number, in characters.
pub const REFERENCE_MAX_CHARS: usize = 100;

/// Columns of ours that a first line must have to count as a header at all.
const HEADER_MIN_COLUMNS: usize = 3;

/// Why a file cannot be read as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseloadError {
    /// Nothing but blanks.
    #[error("the file is empty; its first line must name the columns: {}", COLUMNS.join(","))]
    Empty,
    /// The first line is data. It is not shown, for it holds someone's.
    #[error("the file has no header; its first line must name the columns: {}", COLUMNS.join(","))]
    NoHeader,
    /// The header does not have exactly our columns.
    #[error("{}", describe_header(missing, unknown, twice))]
    Header {
        /// Columns that are not there.
        missing: Vec<&'static str>,
        /// Columns that we do not know.
        unknown: Vec<String>,
        /// Columns that are there more than once.
        twice: Vec<&'static str>,
    },
    /// UTF-16, as some spreadsheets export it, or no text at all.
    #[error("the file is not text in UTF-8 or Windows-1252; save it again as \"CSV UTF-8\"")]
    NotText,
}

fn describe_header(missing: &[&str], unknown: &[String], twice: &[&str]) -> String {
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let described = [("lacks", missing), ("has unknown", unknown.as_slice()), ("has more than once", twice)]
        .into_iter()
        .filter(|(_, columns)| !columns.is_empty())
        .map(|(what, columns)| format!("{what}: {}", columns.join(", ")));
    format!("the header {}", described.collect::<Vec<_>>().join("; it "))
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caseload {
    /// The cases in the order of their first good line. A case all of whose lines are wrong is not here.
    pub cases: Vec<CaseRows>,
    /// What is wrong, by line. A line named here was left out whole.
    pub problems: Vec<LineProblem>,
    /// What to know of lines that were taken in, by line: persons whom others cannot recognise, or hardly.
    pub warnings: Vec<LineProblem>,
    /// Lines with data, good and wrong.
    pub lines_read: u64,
}

impl Caseload {
    /// Lines that were left out.
    #[must_use]
    pub fn lines_left_out(&self) -> usize {
        self.problems.chunk_by(|one, next| one.line == next.line).count()
    }

    /// Persons that were read.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.cases.iter().map(|case| case.persons.len()).sum()
    }
}

/// One case: a family under the partner's own reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRows {
    /// The partner's reference.
    pub case_reference: String,
    /// At least one person. One whom no recipe recognises is there too, with a warning.
    pub persons: Vec<Person>,
}

/// One thing that is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line in the file, the header being line 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<&'static str>,
    /// What is wrong, without personal data.
    pub reason: Reason,
}

impl LineProblem {
    /// Column and reason, for where the line is named beside it.
    #[must_use]
    pub fn without_line(&self) -> String {
        self.column.map_or_else(|| self.reason.to_string(), |column| format!("{column} {}", self.reason))
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(column) = self.column {
            write!(f, "{column} ")?;
        }
        self.reason.fmt(f)
    }
}

/// Reads a caseload. `today` bounds birth dates; a person from whom `recipes` make no key gets a warning.
///
/// # Errors
/// [`CaseloadError`] when the file as a whole cannot be read; a wrong line is no error but a [`LineProblem`].
pub fn read(bytes: &[u8], today: Day, recipes: &RecipeList) -> Result<Caseload, CaseloadError> {
    let text = decode(bytes)?;
    let mut lines = lines(&text);
    let (_, first) = lines.next().ok_or(CaseloadError::Empty)?;
    let header = Header::read(first)?;
    let mut reading = Reading {
        today,
        recipes,
        caseload: Caseload::default(),
        cases: HashMap::new(),
        seen: HashMap::new(),
        addresses: Addresses::default(),
    };
    for (line, text) in lines {
        reading.line(line, text, &header);
    }
    let mut caseload = reading.caseload;
    caseload.warnings.extend(reading.addresses.warnings());
    caseload.warnings.sort_by_key(|warning| warning.line);
    Ok(caseload)
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, CaseloadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(CaseloadError::NotText);
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    })
}

/// Lines that hold something, with their numbers. A carriage return alone ends a line too.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let break_len = |text: &str| if text.starts_with("\r\n") { 2 } else { 1 };
    let mut rest = Some(text);
    let all = std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else { return rest.take() };
        rest = Some(&text[end + break_len(&text[end..])..]);
        Some(&text[..end])
    });
    let holds_something =
        |line: &str| line.chars().any(|c| !c.is_whitespace() && !matches!(c, ',' | ';' | '"'));
    (1..).zip(all).filter(move |(_, line)| holds_something(line))
}

/// Which separator a file uses and where each of our columns stands.
struct Header {
    separator: u8,
    /// Position of each of [`COLUMNS`].
    positions: [usize; COLUMNS.len()],
    width: usize,
}

impl Header {
    fn read(line: &str) -> Result<Self, CaseloadError> {
        let count = |separator: char| line.matches(separator).count();
        let separator = if count(';') > count(',') { b';' } else { b',' };
        let names: Vec<String> = cells(line, separator)
            .ok_or(CaseloadError::NoHeader)?
            .iter()
            .map(|name| name.to_lowercase())
            .collect();
        let places = |column: &str| names.iter().filter(|name| *name == column).count();
        let with =
            |wanted: fn(usize) -> bool| COLUMNS.into_iter().filter(|column| wanted(places(column))).collect();
        let known = COLUMNS.into_iter().filter(|column| places(column) > 0).count();
        if known < HEADER_MIN_COLUMNS {
            return Err(CaseloadError::NoHeader);
        }
        let unknown: Vec<String> =
            names.iter().filter(|name| !COLUMNS.contains(&name.as_str())).map(|name| shown(name)).collect();
        let (missing, twice): (Vec<_>, Vec<_>) = (with(|places| places == 0), with(|places| places > 1));
        if !(missing.is_empty() && unknown.is_empty() && twice.is_empty()) {
            return Err(CaseloadError::Header { missing, unknown, twice });
        }
        let position = |column: &str| names.iter().position(|name| name == column).expect("none is missing");
        Ok(Self { separator, positions: COLUMNS.map(position), width: names.len() })
    }
}

/// A column's name as an error shows it.
fn shown(name: &str) -> String {
    if name.is_empty() { "(a column without a name)".to_owned() } else { name.chars().take(40).collect() }
}

/// The cells of one line without surrounding blanks, or `None` when a quotation mark is not closed.
fn cells(line: &str, separator: u8) -> Option<Vec<String>> {
    if !line.matches('"').count().is_multiple_of(2) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(line.len().max(1))
        .from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// The columns to blame, and why.
type Reasons = Vec<(Option<&'static str>, Reason)>;

struct Reading<'a> {
    today: Day,
    recipes: &'a RecipeList,
    caseload: Caseload,
    /// Position of each case.
    cases: HashMap<String, usize>,
    /// The line on which a person number or BSN stands in a case.
    seen: HashMap<(usize, Field, String), u64>,
    addresses: Addresses,
}

/// One line, taken apart.
struct Row {
    case: String,
    person: String,
    raw: RawPerson,
}

impl Reading<'_> {
    fn line(&mut self, line: u64, text: &str, header: &Header) {
        self.caseload.lines_read += 1;
        let read = split(text, header).and_then(|row| {
            let person = self.check(&row)?;
            self.add(line, row, person)
        });
        if let Err(problems) = read {
            let problems = problems.into_iter().map(|(column, reason)| LineProblem { line, column, reason });
            self.caseload.problems.extend(problems);
        }
    }

    /// Everything about a line that does not depend on the lines before it.
    fn check(&self, row: &Row) -> Result<Person, Reasons> {
        let mut reasons = Reasons::new();
        if row.case.is_empty() {
            reasons.push((Some("case"), Reason::Empty));
        }
        for (column, text) in [("case", &row.case), ("person", &row.person)] {
            if text.chars().count() > REFERENCE_MAX_CHARS {
                reasons.push((Some(column), Reason::LongReference));
            }
        }
        match Person::parse(&row.raw, self.today) {
            Err(errors) => reasons.extend(errors.iter().map(reason)),
            Ok(person) if reasons.is_empty() => return Ok(person),
            Ok(_) => {}
        }
        Err(reasons)
    }

    /// Enters a good line, unless its person is in the case already.
    fn add(&mut self, line: u64, row: Row, person: Person) -> Result<(), Reasons> {
        let case = self.cases.get(&row.case).copied().unwrap_or(self.caseload.cases.len());
        let mut marks = Vec::new();
        if !row.person.is_empty() {
            marks.push((case, Field::Person, row.person));
        }
        if let Some(bsn) = person.bsn() {
            marks.push((case, Field::Bsn, bsn.as_str().to_owned()));
        }
        let again = |mark| {
            let first = self.seen.get(mark)?;
            Some((Some(mark.1.name()), Reason::Again(*first)))
        };
        let again: Reasons = marks.iter().filter_map(again).collect();
        if !again.is_empty() {
            return Err(again);
        }
        let persons = self.caseload.cases.get(case).map_or(&[][..], |case| &case.persons);
        if persons_len(persons.iter().chain([&person])) > PERSONS_MAX_LEN {
            return Err(vec![(None, Reason::ManyPersons)]);
        }
        self.seen.extend(marks.into_iter().map(|mark| (mark, line)));
        let warnings = warnings::of_person(&row.raw, &person, self.recipes, self.today).into_iter();
        let warnings = warnings.map(|(column, reason)| LineProblem { line, column, reason });
        self.caseload.warnings.extend(warnings);
        self.addresses.note(line, case, &person);
        if case == self.caseload.cases.len() {
            self.cases.insert(row.case.clone(), case);
            self.caseload.cases.push(CaseRows { case_reference: row.case, persons: Vec::new() });
        }
        self.caseload.cases[case].persons.push(person);
        Ok(())
    }
}

fn reason(error: &FieldError) -> (Option<&'static str>, Reason) {
    (Some(error.field.name()), error.problem.into())
}

fn split(line: &str, header: &Header) -> Result<Row, Reasons> {
    let mut cells = cells(line, header.separator).ok_or_else(|| vec![(None, Reason::OpenQuote)])?;
    if cells.len() != header.width {
        return Err(vec![(None, Reason::Cells { cells: cells.len(), header: header.width })]);
    }
    let [
        case,
        person,
        role,
        bsn,
        given_names,
        name_prefix,
        family_name,
        birth_date,
        postal_code,
        house_number,
        house_number_suffix,
    ] = header.positions.map(|position| std::mem::take(&mut cells[position]));
    let raw = RawPerson {
        role,
        bsn,
        given_names,
        name_prefix,
        family_name,
        birth_date,
        postal_code,
        house_number,
        house_number_suffix,
    };
    Ok(Row { case, person, raw })
}

#[cfg(test)]
mod tests;

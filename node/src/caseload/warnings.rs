//! What a good line of a caseload should make its reader think: persons whom no recipe recognises, or only weakly.
//!
//! A warning leaves nothing out and stops nothing. Not here: what makes a line wrong.

use std::collections::{BTreeSet, HashMap};

use kring_protocol::identifier::{Field, Person, RawPerson};
use kring_protocol::recipe::{Recipe, RecipeList, match_keys};
use kring_protocol::time::Day;

use super::{LineProblem, Missing, Reason, Reasons};

/// Postal codes that people type when they have none.
const PLACEHOLDER_CODES: [&str; 8] =
    ["0000", "1111AA", "1234", "1234AB", "9999", "9999AA", "9999XX", "9999ZZ"];
/// House numbers that people type when they have none.
const PLACEHOLDER_NUMBERS: [u32; 3] = [999, 9_999, 99_999];
/// Nobody whom partners know is older, in years.
const OLDEST: u32 = 110;
/// An address with as many cases is taken for an institution.
const MANY_CASES: usize = 5;

/// What a person's line should say, without personal data.
pub(super) fn of_person(raw: &RawPerson, person: &Person, recipes: &RecipeList, today: Day) -> Reasons {
    let mut reasons = Reasons::new();
    let mut warn = |field: Field, reason| reasons.push((Some(field.name()), reason));
    let placeholder = |typed: &str| typed.chars().any(char::is_alphabetic);
    if person.given_name().is_none() && placeholder(&raw.given_names) {
        warn(Field::GivenNames, Reason::NoName);
    }
    if person.family_name().is_empty() && placeholder(&raw.family_name) {
        warn(Field::FamilyName, Reason::NoName);
    }
    if person.bsn().is_none() {
        weak_fields(person, today, &mut warn);
    }
    if match_keys(person, recipes).is_empty() {
        reasons.push((None, unrecognisable(person, recipes)));
    }
    reasons
}

/// What recognises a person without a BSN less well than it seems to.
fn weak_fields(person: &Person, today: Day, warn: &mut impl FnMut(Field, Reason)) {
    if person.given_name().is_some_and(|name| name.is_initial()) {
        warn(Field::GivenNames, Reason::Initials);
    }
    if let Some(date) = person.birth_date() {
        let year = 1970 + u64::from(today.days()) * 400 / 146_097; // days of 400 years
        if u64::from(date.year().unsigned_abs()) + u64::from(OLDEST) < year {
            warn(Field::BirthDate, Reason::LongAgo);
        } else if date.is_conventional() {
            warn(Field::BirthDate, Reason::ConventionalDay);
        }
    }
    if person.postal_code().is_some_and(|code| PLACEHOLDER_CODES.contains(&code.as_str())) {
        warn(Field::PostalCode, Reason::Placeholder);
    }
    if person.house_number().is_some_and(|house| PLACEHOLDER_NUMBERS.contains(&house.number())) {
        warn(Field::HouseNumber, Reason::Placeholder);
    }
}

/// Why no recipe gives a key, and what is missing.
fn unrecognisable(person: &Person, recipes: &RecipeList) -> Reason {
    let whole_date = person.birth_date().is_some_and(|date| date.is_whole());
    let given = person.given_name().is_some_and(|name| !name.is_initial());
    let has = [
        (Missing::Bsn, person.bsn().is_some() || !recipes.recipes().contains(&Recipe::Bsn)),
        (Missing::BirthDate, whole_date),
        (Missing::GivenName, given),
        (Missing::Surname, !person.family_name().is_empty()),
        (Missing::PostalCode, person.postal_code().is_some()),
        (Missing::HouseNumber, person.house_number().is_some()),
    ];
    Reason::Unrecognisable(has.into_iter().filter(|(_, there)| !there).map(|(what, _)| what).collect())
}

/// Which cases are at which address.
#[derive(Default)]
pub(super) struct Addresses(HashMap<(String, u32), (u64, BTreeSet<usize>)>);

impl Addresses {
    /// Notes where a person of a case lives.
    pub(super) fn note(&mut self, line: u64, case: usize, person: &Person) {
        if let (Some(code), Some(house)) = (person.postal_code(), person.house_number()) {
            let address = (code.as_str().to_owned(), house.number());
            self.0.entry(address).or_insert_with(|| (line, BTreeSet::new())).1.insert(case);
        }
    }

    /// One warning for each address of many families, on its first line.
    pub(super) fn warnings(&self) -> impl Iterator<Item = LineProblem> {
        let many = self.0.values().filter(|(_, cases)| cases.len() >= MANY_CASES);
        many.map(|(line, cases)| LineProblem {
            line: *line,
            column: Some(Field::PostalCode.name()),
            reason: Reason::ManyCases(cases.len()),
        })
    }
}

//! The error model: in what ways a partner's record of a person differs from the truth, and how often.
//!
//! The weights were set down before anything was measured; `docs/recognition.md` prints them with their reasons. What is
//! only a partner's style (where prefixes stand, capitals, how dates are written) is not an error and is drawn
//! elsewhere.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::date::Date;
use super::families::{Address, Family, Person};
use super::names::Surname;

mod text;

pub(crate) use text::plain;
use text::{respelled, typed_wrong};

/// One way in which a record differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    GivenTyping,
    FamilyTyping,
    GivenSpelling,
    FamilySpelling,
    CallName,
    Initials,
    PrefixDropped,
    PrefixRewritten,
    MarriedBoth,
    MarriedOnly,
    Accents,
    Exchanged,
    DaySwapped,
    DateDigit,
    DayUnknown,
    YearOnly,
    NoBirthDate,
    OtherAddress,
    NoAddress,
    SuffixLost,
    HouseTyping,
    PostcodeTyping,
    PostcodeDigits,
}

impl Kind {
    /// Every kind, how often it is drawn where it can occur, and what reports call it.
    pub(crate) const ALL: [(Self, u32, &'static str); 23] = [
        (Self::GivenTyping, 9, "given name mistyped"),
        (Self::FamilyTyping, 8, "surname mistyped"),
        (Self::GivenSpelling, 7, "given name spelled otherwise"),
        (Self::FamilySpelling, 7, "surname spelled otherwise"),
        (Self::CallName, 9, "call name"),
        (Self::Initials, 5, "initials only"),
        (Self::PrefixDropped, 4, "prefix left out"),
        (Self::PrefixRewritten, 4, "prefix written otherwise"),
        (Self::MarriedBoth, 4, "married name with own name"),
        (Self::MarriedOnly, 3, "husband's name only"),
        (Self::Accents, 3, "accents dropped"),
        (Self::Exchanged, 2, "names in each other's field"),
        (Self::DaySwapped, 3, "day and month swapped"),
        (Self::DateDigit, 5, "wrong digit in the birth date"),
        (Self::DayUnknown, 2, "1 January or 1 July for the day"),
        (Self::YearOnly, 2, "birth year only"),
        (Self::NoBirthDate, 3, "no birth date"),
        (Self::OtherAddress, 12, "old or other address"),
        (Self::NoAddress, 5, "no address"),
        (Self::SuffixLost, 3, "house number without suffix"),
        (Self::HouseTyping, 3, "house number mistyped"),
        (Self::PostcodeTyping, 5, "postal code mistyped"),
        (Self::PostcodeDigits, 2, "postal code without letters"),
    ];

    /// What reports call it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., name)| name)
    }
}

/// How many errors a record with noise has.
const COUNTS: [(usize, u32); 3] = [(1, 75), (2, 20), (3, 5)];

/// What a partner knows of a person, before its style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) given: String,
    pub(crate) prefix: String,
    pub(crate) family: String,
    /// Year, month and day; zero where not known.
    pub(crate) born: Option<(i32, u32, u32)>,
    pub(crate) address: Option<Address>,
}

impl Known {
    /// The truth.
    pub(crate) fn of(rng: &mut StdRng, person: &Person, family: &Family) -> Self {
        let Date { year, month, day } = person.born;
        let born = if person.day_unknown {
            *[(year, 1, 1), (year, 1, 1), (year, 1, 1), (year, 7, 1), (year, 0, 0)]
                .choose(rng)
                .expect("not empty")
        } else {
            (year, month, day)
        };
        Self {
            given: person.given.registered.clone(),
            prefix: person.surname.prefix.clone(),
            family: person.surname.name.clone(),
            born: Some(born),
            address: Some(family.address.clone()),
        }
    }
}

/// Draws the errors of one record and makes them. `noise` is the share of records that have any.
pub(crate) fn make(
    rng: &mut StdRng,
    noise: f64,
    known: &mut Known,
    person: &Person,
    family: &Family,
) -> Vec<Kind> {
    let mut made = Vec::new();
    if !rng.gen_bool(noise) {
        return made;
    }
    let count = COUNTS.choose_weighted(rng, |(_, weight)| *weight).expect("weights").0;
    let mut tries = 0;
    while made.len() < count && tries < 100 {
        tries += 1;
        let (kind, ..) = *Kind::ALL.choose_weighted(rng, |(_, weight, _)| *weight).expect("weights");
        if !made.contains(&kind) {
            let before = known.clone();
            apply(rng, kind, known, person, family);
            if *known != before {
                made.push(kind);
            }
        }
    }
    made
}

/// Makes one error; changes nothing where it cannot occur.
fn apply(rng: &mut StdRng, kind: Kind, known: &mut Known, person: &Person, family: &Family) {
    match kind {
        Kind::GivenTyping => known.given = typed_wrong(rng, &known.given),
        Kind::FamilyTyping => known.family = typed_wrong(rng, &known.family),
        Kind::GivenSpelling => known.given = spelled(rng, &known.given, &person.given.spellings),
        Kind::FamilySpelling => known.family = spelled(rng, &known.family, &person.surname.spellings),
        Kind::CallName => known.given = call_name(rng, &known.given, person),
        Kind::Initials => known.given = initials(&known.given),
        Kind::PrefixDropped => known.prefix.clear(),
        Kind::PrefixRewritten => rewrite_prefix(rng, known),
        Kind::MarriedBoth | Kind::MarriedOnly => {
            if let Some(husband) = &person.husband {
                marry(rng, known, husband, kind == Kind::MarriedBoth);
            }
        }
        Kind::Accents => {
            (known.given, known.family) = (plain(&known.given), plain(&known.family));
        }
        Kind::Exchanged => {
            let family = format!("{} {}", known.prefix, known.family).trim().to_owned();
            known.prefix.clear();
            known.family = std::mem::replace(&mut known.given, family);
        }
        Kind::DaySwapped | Kind::DateDigit | Kind::DayUnknown | Kind::YearOnly | Kind::NoBirthDate => {
            known.born = known.born.and_then(|born| wrong_date(rng, kind, born));
        }
        Kind::OtherAddress => known.address = Some(family.other_address.clone()),
        Kind::NoAddress => known.address = None,
        Kind::SuffixLost | Kind::HouseTyping | Kind::PostcodeTyping | Kind::PostcodeDigits => {
            if let Some(address) = &mut known.address {
                wrong_address(rng, kind, address);
            }
        }
    }
}

/// Another spelling that occurs, or one by sound.
fn spelled(rng: &mut StdRng, text: &str, spellings: &[String]) -> String {
    match spellings.choose(rng) {
        Some(spelling) if rng.gen_bool(0.7) => match text.split_once(' ') {
            Some((_, second)) if !spelling.contains(' ') => format!("{spelling} {second}"),
            _ => spelling.clone(),
        },
        _ => respelled(rng, text),
    }
}

/// How people call someone: a name of its own, or the first (seldom the second) of the registered ones.
fn call_name(rng: &mut StdRng, given: &str, person: &Person) -> String {
    let names: Vec<&str> = given.split(' ').collect();
    match (&person.given.called, names.as_slice()) {
        (Some(called), _) => called.clone(),
        (None, [_, second]) if rng.gen_bool(0.15) => (*second).to_owned(),
        (None, names) => {
            let first = names[0];
            // Short forms: the first syllable of a long name, sometimes with an ending.
            let letters: Vec<char> = first.chars().collect();
            if letters.len() < 6 {
                return first.to_owned();
            }
            let cut: String = letters[..rng.gen_range(3..=4)].iter().collect();
            if rng.gen_bool(0.3) { format!("{cut}ie") } else { cut }
        }
    }
}

fn initials(given: &str) -> String {
    given
        .split([' ', '-'])
        .filter_map(|name| name.chars().next())
        .map(|letter| format!("{letter}."))
        .collect()
}

fn rewrite_prefix(rng: &mut StdRng, known: &mut Known) {
    if known.prefix.is_empty() {
        return;
    }
    let prefix = std::mem::take(&mut known.prefix);
    let short: String =
        prefix.split(' ').filter_map(|word| word.chars().next()).map(|c| format!("{c}.")).collect();
    match rng.gen_range(0..4) {
        0 => known.prefix = short,
        1 => known.family = format!("{short} {}", known.family),
        2 => known.family = format!("{}, {prefix}", known.family),
        _ => {
            let joined = prefix.replace(' ', "");
            known.family = format!("{}{}", capital(&joined), known.family.to_lowercase());
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn marry(rng: &mut StdRng, known: &mut Known, husband: &Surname, with_own: bool) {
    let whole = |prefix: &str, name: &str| format!("{prefix} {name}").trim().to_owned();
    if !with_own {
        (known.prefix, known.family) = (husband.prefix.clone(), husband.name.clone());
        return;
    }
    let own = whole(&known.prefix, &known.family);
    match rng.gen_range(0..3) {
        0 => {
            known.prefix.clone_from(&husband.prefix);
            known.family = format!("{}-{own}", husband.name);
        }
        1 => known.family = format!("{}-{}", known.family, whole(&husband.prefix, &husband.name)),
        _ => {
            known.prefix.clone_from(&husband.prefix);
            known.family = format!("{} e/v {own}", husband.name);
        }
    }
}

/// `None` for a date that is not written at all.
fn wrong_date(rng: &mut StdRng, kind: Kind, born: (i32, u32, u32)) -> Option<(i32, u32, u32)> {
    let (year, month, day) = born;
    match kind {
        Kind::NoBirthDate => None,
        Kind::YearOnly => Some((year, 0, 0)),
        Kind::DayUnknown => Some((year, if rng.gen_bool(0.75) { 1 } else { 7 }, 1)),
        Kind::DaySwapped if (1..=12).contains(&day) => Some((year, day, month)),
        Kind::DateDigit if day > 0 => Some(wrong_digit(rng, born)),
        _ => Some(born),
    }
}

fn wrong_digit(rng: &mut StdRng, born: (i32, u32, u32)) -> (i32, u32, u32) {
    let digits = format!("{:04}{:02}{:02}", born.0, born.1, born.2).into_bytes();
    for _ in 0..100 {
        let mut wrong = digits.clone();
        // Nobody mistypes the century unnoticed.
        wrong[rng.gen_range(2..8)] = b'0' + rng.gen_range(0..10_u8);
        let number = |range: std::ops::Range<usize>| {
            wrong[range].iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'))
        };
        let date = Date { year: number(0..4) as i32, month: number(4..6), day: number(6..8) };
        if wrong != digits && date.is_possible() {
            return (date.year, date.month, date.day);
        }
    }
    born
}

fn wrong_address(rng: &mut StdRng, kind: Kind, address: &mut Address) {
    match kind {
        Kind::SuffixLost => address.suffix.clear(),
        Kind::HouseTyping => address.house_number = wrong_house(rng, address.house_number),
        Kind::PostcodeDigits => address.postal_code.truncate(4),
        _ if address.postal_code.len() == 6 => {
            let mut signs = address.postal_code.clone().into_bytes();
            match rng.gen_range(0..10) {
                0..=3 => signs[rng.gen_range(1..4)] = b'0' + rng.gen_range(0..10_u8),
                4..=6 => {
                    let at = rng.gen_range(1..3);
                    signs.swap(at, at + 1);
                }
                7 => signs.swap(4, 5),
                _ => signs[rng.gen_range(4..6)] = b'A' + rng.gen_range(0..26_u8),
            }
            let code: String = signs.into_iter().map(char::from).collect();
            if !["SA", "SD", "SS"].contains(&&code[4..]) {
                address.postal_code = code;
            }
        }
        _ => {}
    }
}

fn wrong_house(rng: &mut StdRng, number: u32) -> u32 {
    let mut digits = number.to_string().into_bytes();
    match rng.gen_range(0..4) {
        0 if digits.len() > 1 => digits.swap(0, 1),
        1 if digits.len() > 1 => {
            digits.pop();
        }
        2 => digits.push(b'0' + rng.gen_range(0..10_u8)),
        _ => {
            let at = rng.gen_range(0..digits.len());
            digits[at] = b'0' + rng.gen_range(0..10_u8);
        }
    }
    digits.into_iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')).max(1)
}

#[cfg(test)]
mod tests;

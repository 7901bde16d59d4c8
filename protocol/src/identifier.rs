//! A person as a partner records one: what was typed, checked field by field and made comparable.
//!
//! In scope: BSN, names, birth date and address, and the folding that lets two spellings of one thing become equal
//! (`docs/protocol.md` section 1). Which of these together stand for a person is decided in [`crate::recipe`].
//! Nothing here is ever sent: it is the input of match keys, and personal data at rest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

use crate::time::Day;

mod address;
mod bsn;
mod date;
mod name;

pub use address::{HouseNumber, PostalCode};
pub use bsn::Bsn;
pub use date::BirthDate;
pub use name::{FamilyName, GivenName};

/// Version of the normalisation. It opens every normalised value, so that keys made by other rules never meet: a
/// change of any folding rule in this module is a new version and, for all members at once, a new epoch.
pub const NORMALISATION: u8 = 2;

/// Longest text accepted in one field, in characters.
pub const FIELD_MAX_CHARS: usize = 200;

/// What someone is in the family. Not part of any match key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A child or young person.
    Child,
    /// A parent or who stands in a parent's place.
    Parent,
    /// Anyone else in the family, and who has no role given.
    #[default]
    Other,
}

impl Role {
    /// The role as files and the API write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Parent => "parent",
            Self::Other => "other",
        }
    }
}

impl FromStr for Role {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text.to_lowercase().as_str() {
            "child" => Ok(Self::Child),
            "parent" => Ok(Self::Parent),
            "other" | "" => Ok(Self::Other),
            _ => Err(Problem::Role),
        }
    }
}

/// A person as typed: one line of a caseload or one entry of a request, nothing checked yet.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are the caseload's columns, and Field documents those")]
pub struct RawPerson {
    pub role: String,
    pub bsn: String,
    pub given_names: String,
    pub name_prefix: String,
    pub family_name: String,
    pub birth_date: String,
    pub postal_code: String,
    pub house_number: String,
    pub house_number_suffix: String,
}

impl RawPerson {
    /// Bytes of all fields together.
    #[must_use]
    pub fn len(&self) -> usize {
        [
            &self.role,
            &self.bsn,
            &self.given_names,
            &self.name_prefix,
            &self.family_name,
            &self.birth_date,
            &self.postal_code,
            &self.house_number,
            &self.house_number_suffix,
        ]
        .iter()
        .map(|field| field.len())
        .sum()
    }

    /// Whether every field is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Without surrounding blanks, in one Unicode form, and empty where a filler such as `-` or `onbekend` stands.
    fn cleaned(&self) -> Self {
        Self {
            role: clean(&self.role).to_lowercase(),
            bsn: clean(&self.bsn),
            given_names: clean(&self.given_names),
            name_prefix: clean(&self.name_prefix),
            family_name: clean(&self.family_name),
            birth_date: clean(&self.birth_date),
            postal_code: clean(&self.postal_code),
            house_number: clean(&self.house_number),
            house_number_suffix: clean(&self.house_number_suffix),
        }
    }

    fn fields(&self) -> [(Field, &str); 9] {
        [
            (Field::Role, &self.role),
            (Field::Bsn, &self.bsn),
            (Field::GivenNames, &self.given_names),
            (Field::NamePrefix, &self.name_prefix),
            (Field::FamilyName, &self.family_name),
            (Field::BirthDate, &self.birth_date),
            (Field::PostalCode, &self.postal_code),
            (Field::HouseNumber, &self.house_number),
            (Field::HouseNumberSuffix, &self.house_number_suffix),
        ]
    }
}

impl fmt::Debug for RawPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawPerson(<redacted>)")
    }
}

/// What people and other systems write where they know nothing.
const FILLERS: [&str; 11] =
    ["-", "--", "?", ".", "n/a", "nvt", "n.v.t.", "onbekend", "unknown", "null", "geen"];

fn clean(text: &str) -> String {
    let text: String = text.nfc().collect::<String>().trim().to_owned();
    if FILLERS.contains(&text.to_lowercase().as_str()) { String::new() } else { text }
}

/// A field of a person, named as its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The person as a whole.
    Person,
    /// Child, parent or other; empty counts as other.
    Role,
    /// Citizen service number.
    Bsn,
    /// Given names, a call name or initials.
    GivenNames,
    /// What stands before the surname, such as `van der`.
    NamePrefix,
    /// Surname, with or without its prefix; double and married names in any order.
    FamilyName,
    /// Day, month or only year of birth.
    BirthDate,
    /// Dutch postal code, or four digits of a coarser one.
    PostalCode,
    /// House number; a suffix may stand behind it.
    HouseNumber,
    /// Letter or addition.
    HouseNumberSuffix,
}

impl Field {
    /// The column's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Role => "role",
            Self::Bsn => "bsn",
            Self::GivenNames => "given_names",
            Self::NamePrefix => "name_prefix",
            Self::FamilyName => "family_name",
            Self::BirthDate => "birth_date",
            Self::PostalCode => "postal_code",
            Self::HouseNumber => "house_number",
            Self::HouseNumberSuffix => "house_number_suffix",
        }
    }
}

/// Why a field was refused, in words for whoever typed it, without what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not one of the three roles.
    #[error("must be child, parent or other")]
    Role,
    /// Not nine digits.
    #[error("must have nine digits")]
    BsnDigits,
    /// Nine digits that fail the eleven-test.
    #[error("is not a BSN: it fails the eleven-test, so a digit must be wrong")]
    BsnTest,
    /// A number that people type when they have none.
    #[error("is a placeholder, not a BSN; leave it empty if it is not known")]
    BsnPlaceholder,
    /// Text without a letter where a name should be.
    #[error("has no letter in it")]
    NoLetter,
    /// Neither of the two ways to write a date.
    #[error("must be written as YYYY-MM-DD or DD-MM-YYYY (00 for an unknown day or month)")]
    DateForm,
    /// Such as 31 February.
    #[error("does not exist in the calendar")]
    DateImpossible,
    /// After today.
    #[error("lies in the future")]
    DateFuture,
    /// Before 1900.
    #[error("lies before 1900")]
    DateTooEarly,
    /// Not a postal code.
    #[error("must be a Dutch postal code such as 1234 AB, or four digits")]
    PostalCode,
    /// Not a house number.
    #[error("must be a number from 1 to 99999; a letter or addition may follow")]
    HouseNumber,
    /// Not a suffix.
    #[error("must have at most ten letters, digits, hyphens or spaces")]
    HouseNumberSuffix,
    /// Longer than [`FIELD_MAX_CHARS`].
    #[error("is longer than {FIELD_MAX_CHARS} characters")]
    TooLong,
}

/// A field and why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", field.name())]
pub struct FieldError {
    /// Where.
    pub field: Field,
    /// What is wrong.
    pub problem: Problem,
}

/// A person whose every filled-in field is well formed. Stored as typed and checked again when read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPerson", into = "RawPerson")]
pub struct Person {
    typed: RawPerson,
    role: Role,
    bsn: Option<Bsn>,
    given_name: Option<GivenName>,
    family_name: FamilyName,
    birth_date: Option<BirthDate>,
    postal_code: Option<PostalCode>,
    house_number: Option<HouseNumber>,
}

impl Person {
    /// Checks what was typed. `today` bounds the birth date.
    ///
    /// # Errors
    /// All that is wrong with the person, at once.
    pub fn parse(raw: &RawPerson, today: Day) -> Result<Self, Vec<FieldError>> {
        let typed = raw.cleaned();
        let mut errors = Errors(Vec::new());
        for (field, text) in typed.fields() {
            if text.chars().count() > FIELD_MAX_CHARS {
                errors.0.push(FieldError { field, problem: Problem::TooLong });
            }
        }
        if !errors.0.is_empty() {
            return Err(errors.0);
        }
        let person = Self {
            role: errors.keep(Field::Role, typed.role.parse()).unwrap_or_default(),
            bsn: errors.optional(Field::Bsn, &typed.bsn, Bsn::from_str),
            given_name: errors.keep(Field::GivenNames, GivenName::parse(&typed.given_names)).flatten(),
            family_name: errors
                .keep(Field::FamilyName, FamilyName::parse(&typed.name_prefix, &typed.family_name))
                .unwrap_or_default(),
            birth_date: errors
                .optional(Field::BirthDate, &typed.birth_date, |text| BirthDate::parse(text, today)),
            postal_code: errors.optional(Field::PostalCode, &typed.postal_code, PostalCode::from_str),
            house_number: errors.keep(Field::HouseNumber, HouseNumber::parse(&typed.house_number)).flatten(),
            typed,
        };
        errors.keep(Field::HouseNumberSuffix, address::check_suffix(&person.typed.house_number_suffix));
        if errors.0.is_empty() { Ok(person) } else { Err(errors.0) }
    }

    /// What was typed, without surrounding blanks and fillers.
    #[must_use]
    pub const fn typed(&self) -> &RawPerson {
        &self.typed
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The BSN, where one was given.
    #[must_use]
    pub const fn bsn(&self) -> Option<&Bsn> {
        self.bsn.as_ref()
    }

    /// The same person without BSN, for a purpose or partner that may not use it.
    #[must_use]
    pub fn without_bsn(mut self) -> Self {
        self.bsn = None;
        self.typed.bsn.zeroize();
        self
    }

    /// The first given name or initial.
    #[must_use]
    pub const fn given_name(&self) -> Option<&GivenName> {
        self.given_name.as_ref()
    }

    /// The surname's parts.
    #[must_use]
    pub const fn family_name(&self) -> &FamilyName {
        &self.family_name
    }

    /// The birth date, as far as known.
    #[must_use]
    pub const fn birth_date(&self) -> Option<BirthDate> {
        self.birth_date
    }

    /// The postal code.
    #[must_use]
    pub const fn postal_code(&self) -> Option<&PostalCode> {
        self.postal_code.as_ref()
    }

    /// The house number.
    #[must_use]
    pub const fn house_number(&self) -> Option<HouseNumber> {
        self.house_number
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.typed.zeroize();
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({}, <redacted>)", self.role.as_str())
    }
}

impl From<Person> for RawPerson {
    fn from(person: Person) -> Self {
        person.typed.clone()
    }
}

impl TryFrom<RawPerson> for Person {
    type Error = FieldError;

    /// Reads a stored person back. What was a past birth date when it was stored still is, so no day is needed.
    fn try_from(raw: RawPerson) -> Result<Self, FieldError> {
        Self::parse(&raw, Day::from_days(u32::MAX)).map_err(|errors| errors[0])
    }
}

/// Gathers what is wrong, so that a person is told everything at once.
struct Errors(Vec<FieldError>);

impl Errors {
    fn keep<T>(&mut self, field: Field, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.0.push(FieldError { field, problem })).ok()
    }

    fn optional<T>(
        &mut self,
        field: Field,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if text.is_empty() { None } else { self.keep(field, parse(text)) }
    }
}

#[cfg(test)]
mod tests;

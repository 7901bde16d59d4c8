//! What a recipe can take from a person: the vocabulary in which recipes are written.

use std::collections::BTreeSet;

use super::Compared;
use crate::identifier::Person;

/// First year of the first generation of [`Part::Generation`].
const FIRST_YEAR: i16 = 1900;
/// Years of one generation: fewer than lie between a parent and a child, so that father and son never share one.
const GENERATION_YEARS: i16 = 14;
/// The generations that a person of unknown age may belong to: those up to 2039.
const GENERATIONS: i16 = 10;

/// First birth year of the second half of [`Part::Grown`].
const YOUNG_FROM: i16 = 2006;

/// What a recipe takes from a person: no, one or several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bsn,
    /// The full birth date, day and month in either order.
    Birth,
    /// The same, unless it is one that offices write when they know only the year: strangers share those.
    BirthCertain,
    /// The full birth date as written.
    Date,
    /// The same, unless it is such a date.
    DateCertain,
    /// The fourteen years that hold the birth year; each of them where no year is known.
    Generation,
    /// Whether born before 2006; both where no year is known. Keeps most parents and children apart.
    Grown,
    /// The given name as written: twins may be called Noa and Noah.
    Given,
    /// Code of a surname.
    Family,
    /// First letter of the given name, as written or of the name it stands for, and code of a surname.
    FamilyInitial,
    /// Codes of given name and surname, in either order.
    Names,
    /// Code of one of them and first letter of the other, in either order.
    NameInitial,
    /// Day and month of birth, in either order, unless they are ones that offices write.
    Birthday,
    /// First two letters of given name and surname, in either order.
    Starts2,
    /// First three letters of both.
    Starts3,
    /// First four letters of both.
    Starts4,
    /// First two letters of the given name or of a surname.
    AnyStart2,
    /// First three letters of the given name or of a surname.
    AnyStart3,
    Postcode,
    /// The postal code with its digits, and its letters, in any order.
    PostcodeNear,
    /// The digits of the postal code in any order.
    AreaNear,
    House,
}

impl Part {
    /// What of a person two values of this part have in common when they are equal.
    pub(super) const fn compared(self) -> &'static [Compared] {
        match self {
            Self::Bsn => &[Compared::Bsn],
            Self::Birth | Self::BirthCertain => &[Compared::BirthDateUnordered],
            Self::Date | Self::DateCertain => &[Compared::BirthDate],
            Self::Generation | Self::Grown => &[Compared::Generation],
            Self::Given => &[Compared::GivenName],
            Self::Family => &[Compared::FamilyName],
            Self::FamilyInitial => &[Compared::FamilyName, Compared::Initial],
            Self::Names => &[Compared::Names],
            Self::NameInitial => &[Compared::NameAndInitial],
            Self::Birthday => &[Compared::Birthday],
            Self::Starts2 => &[Compared::NameStarts(2)],
            Self::Starts3 => &[Compared::NameStarts(3)],
            Self::Starts4 => &[Compared::NameStarts(4)],
            Self::AnyStart2 => &[Compared::AnyNameStart(2)],
            Self::AnyStart3 => &[Compared::AnyNameStart(3)],
            Self::Postcode => &[Compared::PostalCode],
            Self::PostcodeNear => &[Compared::PostalCodeNearly],
            Self::AreaNear => &[Compared::PostalAreaNearly],
            Self::House => &[Compared::HouseNumber],
        }
    }

    pub(super) fn values(self, person: &Person) -> Vec<String> {
        let birth = person.birth_date();
        let certain = birth.filter(|date| !date.is_conventional());
        match self {
            Self::Bsn => person.bsn().map(|bsn| bsn.as_str().to_owned()).into_iter().collect(),
            Self::Birth => birth.and_then(|date| date.unordered()).into_iter().collect(),
            Self::BirthCertain => certain.and_then(|date| date.unordered()).into_iter().collect(),
            Self::Date => birth.and_then(|date| date.whole()).into_iter().collect(),
            Self::DateCertain => certain.and_then(|date| date.whole()).into_iter().collect(),
            Self::Generation => birth.map_or_else(
                || (0..GENERATIONS).map(|generation| generation.to_string()).collect(),
                |date| vec![((date.year() - FIRST_YEAR) / GENERATION_YEARS).to_string()],
            ),
            Self::Grown => birth.map_or_else(
                || vec!["1".to_owned(), "2".to_owned()],
                |date| vec![if date.year() < YOUNG_FROM { "1" } else { "2" }.to_owned()],
            ),
            Self::Given => {
                person.given_name().and_then(|name| name.written()).map(str::to_owned).into_iter().collect()
            }
            Self::Family => person.family_name().codes().collect(),
            Self::FamilyInitial => family_and_initial(person),
            Self::Names => names(person),
            Self::NameInitial => name_and_initial(person),
            Self::Birthday => certain
                .and_then(|date| date.unordered())
                .map(|date| date[4..].to_owned())
                .into_iter()
                .collect(),
            Self::Starts2 => starts_of_both(person, 2),
            Self::Starts3 => starts_of_both(person, 3),
            Self::Starts4 => starts_of_both(person, 4),
            Self::AnyStart2 => any_start(person, 2),
            Self::AnyStart3 => any_start(person, 3),
            Self::Postcode => person.postal_code().map(|code| code.as_str().to_owned()).into_iter().collect(),
            Self::PostcodeNear => person.postal_code().map(|code| code.unordered()).into_iter().collect(),
            Self::AreaNear => {
                person.postal_code().map(|code| code.unordered()[..4].to_owned()).into_iter().collect()
            }
            Self::House => {
                person.house_number().map(|house| house.number().to_string()).into_iter().collect()
            }
        }
    }
}

fn family_and_initial(person: &Person) -> Vec<String> {
    let initials = person.given_name().map_or_else(BTreeSet::new, |name| name.initials());
    let with = |family: String| {
        initials.iter().map(move |initial| format!("{initial}|{family}")).collect::<Vec<_>>()
    };
    person.family_name().codes().flat_map(with).collect()
}

fn names(person: &Person) -> Vec<String> {
    let given = person.given_name().and_then(|name| name.code());
    given.map_or_else(Vec::new, |given| {
        person.family_name().codes().map(|family| in_one_order(&given, &family)).collect()
    })
}

/// Where partners write an initial, or one of the two names wrong.
fn name_and_initial(person: &Person) -> Vec<String> {
    let given = person.given_name().and_then(|name| name.code());
    let by_given = given
        .iter()
        .flat_map(|given| person.family_name().starts(1).map(move |initial| in_one_order(given, initial)));
    let initials = person.given_name().map_or_else(BTreeSet::new, |name| name.initials());
    let by_family = person.family_name().codes().flat_map(|family| {
        initials.iter().map(move |initial| in_one_order(&family, initial)).collect::<Vec<_>>()
    });
    by_given.chain(by_family).collect::<BTreeSet<_>>().into_iter().collect()
}

fn starts_of_both(person: &Person, length: usize) -> Vec<String> {
    let given = person.given_name().and_then(|name| name.start(length));
    given.map_or_else(Vec::new, |given| {
        person.family_name().starts(length).map(|family| in_one_order(given, family)).collect()
    })
}

fn any_start(person: &Person, length: usize) -> Vec<String> {
    let given = person.given_name().and_then(|name| name.start(length));
    given.into_iter().chain(person.family_name().starts(length)).map(str::to_owned).collect()
}

/// Given name and surname end up in each other's column often enough.
fn in_one_order(one: &str, other: &str) -> String {
    if one <= other { format!("{one}|{other}") } else { format!("{other}|{one}") }
}

//! Match keys: what of a person two partners compare, and by which recipes (`docs/protocol.md` section 1).
//!
//! A recipe suffices alone: two persons who share one key are taken for one person. So every recipe other than
//! `bsn` joins at least two of birth date, name and place and always holds the full birth date or the given name;
//! a household or a street is never one. Two of several fields agreeing is written as recipes over joined fields.
//! Not here: how a key becomes a tag, which is the OPRF's work.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::field::join;
use crate::id::{NetworkId, RecipeId};
use crate::identifier::{NORMALISATION, Person};
use crate::label;
use crate::secret::Secret;

/// A recipe or a list of recipes that this software does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// The covenant names a recipe of a newer version, or misspells one.
    #[error("unknown recipe {0}")]
    Unknown(String),
    /// Not the name of a list.
    #[error("unknown recipe list {0}: it is default, precise or strict")]
    UnknownList(String),
    /// No recipe at all.
    #[error("a recipe list needs at least one recipe")]
    Empty,
}

/// A way to make match keys of a person. A change of what one takes in is a new recipe with a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipe {
    /// The BSN.
    Bsn,
    /// Full birth date and postal code.
    BirthPostcode,
    /// Full birth date and postal code with its signs in any order.
    BirthPostcodeNear,
    /// Full birth date and one surname.
    BirthFamily,
    /// Full birth date and the first two letters of given name and surname.
    BirthStarts,
    /// Full birth date, house number and the first letter of given name or surname.
    BirthHouse,
    /// Given name, surname and postal code.
    NamesPostcode,
    /// Given name, postal code and house number.
    GivenAddress,
    /// Given name, surname and full birth date.
    NamesBirth,
    /// Given name, full birth date and postal code.
    GivenBirthPostcode,
    /// Given name, full birth date and house number.
    GivenBirthHouse,
    /// Given name, surname, birth year and postal code.
    NamesYearPostcode,
    /// Given name, birth year, postal code and house number.
    GivenYearAddress,
}

/// What a recipe takes from a person: no, one or several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Bsn,
    /// The full birth date, day and month in either order.
    Birth,
    /// The same, unless it is one that offices write when they know only the year.
    BirthCertain,
    BirthYear,
    Given,
    Family,
    /// Given name and surname, in either order.
    Names,
    /// First two letters of given name and surname, in either order.
    Starts,
    /// First letter of the given name or of a surname.
    Initial,
    Postcode,
    /// The postal code with its digits, and its letters, in any order.
    PostcodeUnordered,
    House,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 13] = [
        Self::Bsn,
        Self::BirthPostcode,
        Self::BirthPostcodeNear,
        Self::BirthFamily,
        Self::BirthStarts,
        Self::BirthHouse,
        Self::NamesPostcode,
        Self::GivenAddress,
        Self::NamesBirth,
        Self::GivenBirthPostcode,
        Self::GivenBirthHouse,
        Self::NamesYearPostcode,
        Self::GivenYearAddress,
    ];

    /// Its id in covenants, keys and notices.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().0
    }

    /// The same as a checked id.
    #[must_use]
    pub fn id(self) -> RecipeId {
        self.name().parse().expect("every recipe's name is a slug, as a test shows")
    }

    /// What it compares, in words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.definition().1
    }

    /// What of a person it compares: two that share a key by it agree in all of these.
    #[must_use]
    pub fn fields(self) -> BTreeSet<Compared> {
        self.definition().2.iter().flat_map(|part| part.compared()).copied().collect()
    }

    const fn definition(self) -> (&'static str, &'static str, &'static [Part]) {
        use Part::{Birth, BirthCertain, BirthYear, Family, Given, House, Initial, Names, Postcode};
        match self {
            Self::Bsn => ("bsn", "same BSN", &[Part::Bsn]),
            Self::BirthPostcode => {
                ("birth-postcode", "same birth date and postal code", &[BirthCertain, Postcode])
            }
            Self::BirthPostcodeNear => (
                "birth-postcode-near",
                "same birth date and nearly the same postal code",
                &[BirthCertain, Part::PostcodeUnordered],
            ),
            Self::BirthFamily => ("birth-family", "same birth date and surname", &[Birth, Family]),
            Self::BirthStarts => {
                ("birth-starts", "same birth date, names that begin alike", &[Birth, Part::Starts])
            }
            Self::BirthHouse => {
                ("birth-house", "same birth date, house number and an initial", &[Birth, House, Initial])
            }
            Self::NamesPostcode => {
                ("names-postcode", "same names and postal code", &[Names, Part::PostcodeUnordered])
            }
            Self::GivenAddress => ("given-address", "same given name and address", &[Given, Postcode, House]),
            Self::NamesBirth => ("names-birth", "same names and birth date", &[Names, Birth]),
            Self::GivenBirthPostcode => (
                "given-birth-postcode",
                "same given name, birth date and postal code",
                &[Given, Birth, Postcode],
            ),
            Self::GivenBirthHouse => {
                ("given-birth-house", "same given name, birth date and house number", &[Given, Birth, House])
            }
            Self::NamesYearPostcode => (
                "names-year-postcode",
                "same names, birth year and postal code",
                &[Names, BirthYear, Postcode],
            ),
            Self::GivenYearAddress => (
                "given-year-address",
                "same given name, birth year and address",
                &[Given, BirthYear, Postcode, House],
            ),
        }
    }
}

impl FromStr for Recipe {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<Self, RecipeError> {
        let found = Self::ALL.into_iter().find(|recipe| recipe.name() == text);
        found.ok_or_else(|| RecipeError::Unknown(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The recipes of one purpose, sorted, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeList(Vec<Recipe>);

impl RecipeList {
    /// A named list:
    ///
    /// * `default`: finds most; a twin stands for its family, and so may father and son with one name at one address;
    /// * `precise`: every recipe holds the birth date or, with the given name and place, its year;
    /// * `strict`: every recipe holds the given name and the birth date or its year, so twins stay two.
    ///
    /// # Errors
    /// [`RecipeError::UnknownList`].
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        use Recipe::{
            BirthFamily, BirthHouse, BirthPostcode, BirthPostcodeNear, BirthStarts, Bsn, GivenAddress,
            GivenBirthHouse, GivenBirthPostcode, GivenYearAddress, NamesBirth, NamesPostcode,
            NamesYearPostcode,
        };
        let recipes = match name {
            "default" => {
                vec![
                    Bsn,
                    BirthPostcodeNear,
                    BirthFamily,
                    BirthStarts,
                    BirthHouse,
                    NamesPostcode,
                    GivenAddress,
                ]
            }
            "precise" => {
                vec![
                    Bsn,
                    BirthPostcode,
                    BirthStarts,
                    BirthHouse,
                    NamesBirth,
                    NamesYearPostcode,
                    GivenYearAddress,
                ]
            }
            "strict" => {
                vec![
                    Bsn,
                    NamesBirth,
                    GivenBirthPostcode,
                    GivenBirthHouse,
                    NamesYearPostcode,
                    GivenYearAddress,
                ]
            }
            _ => return Err(RecipeError::UnknownList(name.chars().take(64).collect())),
        };
        Self::new(recipes)
    }

    /// As a covenant's purpose states it: one named list, or the ids of recipes.
    ///
    /// # Errors
    /// [`RecipeError`], naming the list or recipe that this software does not know.
    pub fn from_terms(terms: &[String]) -> Result<Self, RecipeError> {
        if let [name] = terms
            && let Ok(list) = Self::named(name)
        {
            return Ok(list);
        }
        let known = |term: &String| Recipe::from_str(term);
        Self::new(terms.iter().map(known).collect::<Result<_, _>>()?)
    }

    /// A covenant's own list.
    ///
    /// # Errors
    /// [`RecipeError`]: no id, or one that this software does not know.
    pub fn from_ids(ids: &[RecipeId]) -> Result<Self, RecipeError> {
        Self::new(ids.iter().map(|id| id.as_str().parse()).collect::<Result<_, _>>()?)
    }

    fn new(mut recipes: Vec<Recipe>) -> Result<Self, RecipeError> {
        recipes.sort_unstable();
        recipes.dedup();
        if recipes.is_empty() { Err(RecipeError::Empty) } else { Ok(Self(recipes)) }
    }

    /// The same without the BSN, for a member that may not use it.
    #[must_use]
    pub fn without_bsn(&self) -> Self {
        Self(self.0.iter().copied().filter(|recipe| *recipe != Recipe::Bsn).collect())
    }

    /// The recipes.
    #[must_use]
    pub fn recipes(&self) -> &[Recipe] {
        &self.0
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = RecipeId> {
        self.0.iter().map(|recipe| recipe.id())
    }
}

/// One normalised value by one recipe. Whoever has it knows the person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey {
    recipe: RecipeId,
    value: Value,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Zeroize, ZeroizeOnDrop)]
struct Value(String);

impl MatchKey {
    /// By which recipe it was made.
    #[must_use]
    pub const fn recipe(&self) -> &RecipeId {
        &self.recipe
    }

    /// The normalised value: the version of the normalisation, a colon, and the recipe's parts joined by `|`.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value.0
    }

    /// What goes into the OPRF (section 4.1): label, network, pepper, recipe and value, joined.
    /// Personal data: the caller wipes it.
    #[must_use]
    pub fn oprf_input(&self, network: &NetworkId, pepper: &Secret<32>) -> Vec<u8> {
        join(&[
            label::SUBJECT,
            network.as_bytes(),
            pepper.expose(),
            self.recipe.as_bytes(),
            self.value.0.as_bytes(),
        ])
    }
}

impl fmt::Debug for MatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatchKey({}, <redacted>)", self.recipe)
    }
}

/// All match keys of a person, sorted, each once; none if nothing of the person can be recognised by these recipes.
#[must_use]
pub fn match_keys(person: &Person, recipes: &RecipeList) -> Vec<MatchKey> {
    let mut keys: Vec<MatchKey> = recipes.0.iter().flat_map(|recipe| keys_by(*recipe, person)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Every combination of the values of a recipe's parts.
fn keys_by(recipe: Recipe, person: &Person) -> impl Iterator<Item = MatchKey> {
    let mut values = vec![Value(format!("{NORMALISATION}:"))];
    for (position, part) in recipe.definition().2.iter().enumerate() {
        let separator = if position == 0 { "" } else { "|" };
        let found: Vec<Value> = part.values(person).into_iter().map(Value).collect();
        let extend = |so_far: &Value| -> Vec<Value> {
            found.iter().map(|value| Value(format!("{}{separator}{}", so_far.0, value.0))).collect()
        };
        values = values.iter().flat_map(extend).collect();
    }
    let id = recipe.id();
    values.into_iter().map(move |value| MatchKey { recipe: id.clone(), value })
}

/// A field, or as much of one as a recipe compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compared {
    /// The BSN.
    Bsn,
    /// The given name.
    GivenName,
    /// A surname.
    FamilyName,
    /// The first letters of given name and surname.
    NameStarts,
    /// The first letter of the given name or of a surname.
    Initial,
    /// The full birth date.
    BirthDate,
    /// The year of it.
    BirthYear,
    /// The postal code.
    PostalCode,
    /// The signs of the postal code, in any order.
    PostalCodeNearly,
    /// The house number.
    HouseNumber,
}

impl Part {
    const fn compared(self) -> &'static [Compared] {
        match self {
            Self::Bsn => &[Compared::Bsn],
            Self::Birth | Self::BirthCertain => &[Compared::BirthDate],
            Self::BirthYear => &[Compared::BirthYear],
            Self::Given => &[Compared::GivenName],
            Self::Family => &[Compared::FamilyName],
            Self::Names => &[Compared::GivenName, Compared::FamilyName],
            Self::Starts => &[Compared::NameStarts],
            Self::Initial => &[Compared::Initial],
            Self::Postcode => &[Compared::PostalCode],
            Self::PostcodeUnordered => &[Compared::PostalCodeNearly],
            Self::House => &[Compared::HouseNumber],
        }
    }

    fn values(self, person: &Person) -> Vec<String> {
        let birth = person.birth_date();
        let (given, family) = (person.given_name(), person.family_name());
        match self {
            Self::Bsn => person.bsn().map(|bsn| bsn.as_str().to_owned()).into_iter().collect(),
            Self::Birth => birth.and_then(|date| date.code()).into_iter().collect(),
            Self::BirthCertain => birth
                .filter(|date| !date.is_conventional())
                .and_then(|date| date.code())
                .into_iter()
                .collect(),
            Self::BirthYear => birth.map(|date| date.year().to_string()).into_iter().collect(),
            Self::Given => given.and_then(|name| name.code()).into_iter().collect(),
            Self::Family => family.parts().map(str::to_owned).collect(),
            Self::Names => given.and_then(|name| name.code()).map_or_else(Vec::new, |given| {
                family.codes().map(|family| in_one_order(&given, &family)).collect()
            }),
            Self::Starts => given.and_then(|name| name.start()).map_or_else(Vec::new, |given| {
                family.starts(2).map(|family| in_one_order(given, family)).collect()
            }),
            Self::Initial => {
                let given = given.map(|name| name.initial());
                given.into_iter().chain(family.starts(1)).map(str::to_owned).collect()
            }
            Self::Postcode => person.postal_code().map(|code| code.as_str().to_owned()).into_iter().collect(),
            Self::PostcodeUnordered => {
                person.postal_code().map(|code| code.unordered()).into_iter().collect()
            }
            Self::House => {
                person.house_number().map(|house| house.number().to_string()).into_iter().collect()
            }
        }
    }
}

/// Given name and surname end up in each other's column often enough.
fn in_one_order(one: &str, other: &str) -> String {
    if one <= other { format!("{one}|{other}") } else { format!("{other}|{one}") }
}

#[cfg(test)]
mod tests;

//! Match keys: what of a person two partners compare, and by which recipes (`docs/protocol.md` section 1).
//!
//! A recipe suffices alone: two persons who share one key are taken for one person. So every recipe other than
//! `bsn` joins at least two of birth date, name and place and always holds the full birth date or the given name, or
//! surname, initial and address; a household or a street is never one. Two of several fields agreeing is
//! written as recipes over joined fields.
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

mod part;

use part::Part;

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
    /// Birth date and postal code.
    BirthPostcode,
    /// Birth date, postal code and how one name begins.
    BirthStartPostcode,
    /// Birth date, house number and how one name begins.
    BirthStartHouse,
    /// Birth date, one name and the initial of the other.
    BirthNameInitial,
    /// Surname, initial, postal area and house number, of grown-ups or of the young.
    FamilyInitialAddress,
    /// How both names begin, and postal code.
    NamesPostcode,
    /// Names, and day and month of birth.
    NamesBirthday,
    /// Birth date as written and how both names begin.
    DateStarts,
    /// Names without their ends, generation and postal code.
    NamesAgePostcode,
    /// Names and birth date as written.
    NamesBirth,
    /// Given name, birth date as written and postal code.
    GivenBirthPostcode,
    /// Given name, birth date as written and house number.
    GivenBirthHouse,
}

/// Id, what is compared in words, and the parts that are joined.
type Definition = (&'static str, &'static str, &'static [Part]);

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 13] = [
        Self::Bsn,
        Self::BirthPostcode,
        Self::BirthStartPostcode,
        Self::BirthStartHouse,
        Self::BirthNameInitial,
        Self::FamilyInitialAddress,
        Self::NamesPostcode,
        Self::NamesBirthday,
        Self::DateStarts,
        Self::NamesAgePostcode,
        Self::NamesBirth,
        Self::GivenBirthPostcode,
        Self::GivenBirthHouse,
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

    /// All recipes as data: a new one is a line here and its name above.
    const fn definition(self) -> Definition {
        use Part::{
            AnyStart2, AnyStart3, AreaNear, Birth, BirthCertain, Birthday, Date, DateCertain, Family,
            FamilyInitial, Generation, Given, Grown, House, NameInitial, Names, Postcode, PostcodeNear,
            Starts2, Starts3, Starts4,
        };
        match self {
            Self::Bsn => ("bsn", "same BSN", &[Part::Bsn]),
            Self::BirthPostcode => {
                ("birth-postcode", "same birth date and postal code", &[DateCertain, PostcodeNear])
            }
            Self::BirthStartPostcode => (
                "birth-start-postcode",
                "same birth date and postal code, a name that begins alike",
                &[Birth, AnyStart2, PostcodeNear],
            ),
            Self::BirthStartHouse => (
                "birth-start-house",
                "same birth date and house number, a name that begins alike",
                &[Birth, AnyStart3, House],
            ),
            Self::BirthNameInitial => (
                "birth-name-initial",
                "same birth date, a name and the initial of the other",
                &[BirthCertain, NameInitial],
            ),
            Self::FamilyInitialAddress => (
                "family-initial-address",
                "same surname, initial, postal area and house number",
                &[FamilyInitial, Grown, AreaNear, House],
            ),
            Self::NamesPostcode => {
                ("names-postcode", "names that begin alike, same postal code", &[Starts3, Postcode])
            }
            Self::NamesBirthday => {
                ("names-birthday", "same names, same day and month of birth", &[Names, Birthday])
            }
            Self::DateStarts => {
                ("date-starts", "same birth date, names that begin alike", &[DateCertain, Starts2])
            }
            Self::NamesAgePostcode => (
                "names-age-postcode",
                "names that begin alike, same generation and postal code",
                &[Starts4, Generation, PostcodeNear],
            ),
            Self::NamesBirth => ("names-birth", "same names and birth date", &[Given, Family, DateCertain]),
            Self::GivenBirthPostcode => (
                "given-birth-postcode",
                "same given name, birth date and postal code",
                &[Given, Date, Postcode],
            ),
            Self::GivenBirthHouse => {
                ("given-birth-house", "same given name, birth date and house number", &[Given, Date, House])
            }
        }
    }
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
    /// Given name and surname.
    Names,
    /// So many first letters of given name and surname.
    NameStarts(u8),
    /// One of given name and surname, and the first letter of the other.
    NameAndInitial,
    /// So many first letters of the given name or of a surname.
    AnyNameStart(u8),
    /// The first letter of the given name.
    Initial,
    /// The full birth date.
    BirthDate,
    /// The full birth date, day and month in either order.
    BirthDateUnordered,
    /// Day and month of birth, in either order.
    Birthday,
    /// The years around the birth year, as far as it is known: a generation, or before 2006 and since.
    Generation,
    /// The postal code.
    PostalCode,
    /// The signs of the postal code, in any order.
    PostalCodeNearly,
    /// The digits of the postal code, in any order.
    PostalAreaNearly,
    /// The house number.
    HouseNumber,
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
    /// * `default`: finds most; a twin stands for its family, and so may father and son with one name, or children of one
    ///   initial, at one address;
    /// * `precise`: several of birth date, name and place agree in every recipe, the generation always; a twin still
    ///   stands for its family, and so would two of one name, generation and address;
    /// * `strict`: every recipe holds given name and birth date as written, so twins stay two.
    ///
    /// # Errors
    /// [`RecipeError::UnknownList`].
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        use Recipe::{
            BirthNameInitial, BirthPostcode, BirthStartHouse, BirthStartPostcode, Bsn, DateStarts,
            FamilyInitialAddress, GivenBirthHouse, GivenBirthPostcode, NamesAgePostcode, NamesBirth,
            NamesBirthday, NamesPostcode,
        };
        let recipes = match name {
            "default" => vec![
                Bsn,
                BirthPostcode,
                BirthStartHouse,
                BirthNameInitial,
                FamilyInitialAddress,
                NamesPostcode,
                NamesBirthday,
            ],
            "precise" => vec![Bsn, BirthStartPostcode, BirthStartHouse, DateStarts, NamesAgePostcode],
            "strict" => vec![Bsn, NamesBirth, GivenBirthPostcode, GivenBirthHouse],
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

#[cfg(test)]
mod tests;

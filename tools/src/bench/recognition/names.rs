//! Names of invented families, by background: common given names with their call names and other spellings, common
//! surnames, and surnames put together from parts for the long tail that every real register has.
//!
//! Facts only, a few hundred of them; sources and simplifications stand in `docs/recognition.md`. How a partner
//! misspells a name is not decided here.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

mod lists;

use lists::Lists;

/// Where a family's names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Background {
    Dutch,
    Turkish,
    Moroccan,
    Surinamese,
    EasternEuropean,
    Arabic,
    EastAfrican,
    EastAsian,
}

/// Backgrounds and how many of a hundred families have them (`docs/recognition.md`).
const SHARES: [(Background, u32); 8] = [
    (Background::Dutch, 68),
    (Background::Turkish, 5),
    (Background::Moroccan, 6),
    (Background::Surinamese, 5),
    (Background::EasternEuropean, 6),
    (Background::Arabic, 5),
    (Background::EastAfrican, 3),
    (Background::EastAsian, 2),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sex {
    Female,
    Male,
}

/// A given name: as registered, as called, and other spellings of it that occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) registered: String,
    pub(crate) called: Option<String>,
    pub(crate) spellings: Vec<String>,
}

impl Given {
    /// Reads `Registered:Called/Spelling/Spelling`.
    fn read(entry: &str) -> Self {
        let mut spellings = entry.split('/');
        let name = spellings.next().unwrap_or_default();
        let (registered, called) =
            name.split_once(':').map_or((name, None), |(registered, called)| (registered, Some(called)));
        Self {
            registered: registered.to_owned(),
            called: called.map(str::to_owned),
            spellings: spellings.map(str::to_owned).collect(),
        }
    }
}

/// A surname, its prefix, and other spellings of it that occur.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Surname {
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) spellings: Vec<String>,
}

impl Surname {
    /// Reads `prefix|Name/Spelling`, or `Name`.
    fn read(entry: &str) -> Self {
        let (prefix, names) = entry.split_once('|').unwrap_or(("", entry));
        let mut names = names.split('/');
        Self {
            prefix: prefix.to_owned(),
            name: names.next().unwrap_or_default().to_owned(),
            spellings: names.map(str::to_owned).collect(),
        }
    }
}

impl Background {
    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        SHARES.choose_weighted(rng, |(_, share)| *share).expect("the shares are not all zero").0
    }

    const fn lists(self) -> &'static Lists {
        match self {
            Self::Dutch => &lists::DUTCH,
            Self::Turkish => &lists::TURKISH,
            Self::Moroccan => &lists::MOROCCAN,
            Self::Surinamese => &lists::SURINAMESE,
            Self::EasternEuropean => &lists::EASTERN_EUROPEAN,
            Self::Arabic => &lists::ARABIC,
            Self::EastAfrican => &lists::EAST_AFRICAN,
            Self::EastAsian => &lists::EAST_ASIAN,
        }
    }

    /// A given name that people born as `adult` or later had. A second registered name follows in half of all cases.
    pub(crate) fn given(self, rng: &mut StdRng, sex: Sex, adult: bool) -> Given {
        let lists = self.lists();
        let list = match (sex, adult) {
            (Sex::Female, true) => lists.women,
            (Sex::Male, true) => lists.men,
            (Sex::Female, false) => lists.girls,
            (Sex::Male, false) => lists.boys,
        };
        let mut given = Given::read(by_rank(rng, list));
        if rng.gen_bool(lists.second_name) {
            let second = Given::read(by_rank(rng, if sex == Sex::Female { lists.women } else { lists.men }));
            if second.registered != given.registered {
                given.registered = format!("{} {}", given.registered, second.registered);
            }
        }
        given
    }

    /// A surname: one of the common ones, or one put together.
    pub(crate) fn surname(self, rng: &mut StdRng) -> Surname {
        let lists = self.lists();
        if rng.gen_bool(lists.common) {
            return Surname::read(by_rank(rng, lists.surnames));
        }
        let pick = |rng: &mut StdRng, list: &'static str| -> &'static str {
            let all: Vec<_> = list.split(' ').collect();
            all.choose(rng).expect("no list is empty")
        };
        let (stem, ending) = (pick(rng, lists.stems), pick(rng, lists.endings));
        let prefix = match ending.as_bytes() {
            _ if lists.prefixes.is_empty() => "",
            _ => lists.prefixes.choose(rng).expect("not empty"),
        };
        // A name for a place takes a prefix, one for a person does not.
        let takes_prefix = !lists.bare_endings.split(' ').any(|bare| bare == ending);
        Surname {
            prefix: if takes_prefix { prefix.to_owned() } else { String::new() },
            name: format!("{stem}{ending}"),
            spellings: Vec::new(),
        }
    }
}

/// An entry of a list in order of frequency: the `n`th is drawn in proportion to `1 / (n + 10)`.
fn by_rank(rng: &mut StdRng, list: &'static str) -> &'static str {
    let entries: Vec<(usize, &str)> = list.split([',', '\n']).map(str::trim).enumerate().collect();
    entries.choose_weighted(rng, |(rank, _)| 1.0 / (*rank as f64 + 10.0)).expect("no list is empty").1
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_background_has_names_of_its_own() {
        let mut rng = StdRng::seed_from_u64(1);
        for (background, _) in SHARES {
            for _ in 0..200 {
                let surname = background.surname(&mut rng);
                let given = background.given(&mut rng, Sex::Female, true);
                for name in [&surname.name, &given.registered] {
                    assert!(name.chars().next().is_some_and(char::is_uppercase), "{background:?} {name:?}");
                    assert!(!name.contains(['|', ':', '/', ',']), "{background:?} {name:?}");
                }
            }
        }
        assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<u32>(), 100);
    }

    #[test]
    fn entries_are_read() {
        let given = Given::read("Katarzyna:Kasia/Catarzyna");
        assert_eq!((given.registered.as_str(), given.called.as_deref()), ("Katarzyna", Some("Kasia")));
        assert_eq!(given.spellings, ["Catarzyna"]);
        let surname = Surname::read("van der|Berg/Bergh");
        assert_eq!((surname.prefix.as_str(), surname.name.as_str()), ("van der", "Berg"));
    }
}

//! Who is taken for whom: how two persons are related who were found as one, and generated cases of the four relations
//! that matter most.

use kring_protocol::identifier::RawPerson;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::date::{TODAY, YEAR};
use super::families::{Family, Person, Place, Region, normal, person};
use super::names::{Background, Given, Sex};
use super::views::{PARTNERS, write};

/// How two different persons are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Relation {
    Twins,
    NamesakeParent,
    Siblings,
    ParentAndChild,
    Parents,
    SharedAddress,
    Namesakes,
    SameBirthDate,
    Others,
}

impl Relation {
    /// What reports call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Twins => "twins",
            Self::NamesakeParent => "parent and child with one name",
            Self::Siblings => "siblings",
            Self::ParentAndChild => "parent and child",
            Self::Parents => "the parents",
            Self::SharedAddress => "strangers at one address",
            Self::Namesakes => "strangers with one name",
            Self::SameBirthDate => "strangers with one birth date",
            Self::Others => "other strangers",
        }
    }

    /// Of two persons who live at these addresses. The first that fits.
    pub(crate) fn of(one: &Person, other: &Person, same_address: bool) -> Self {
        let namesakes =
            one.given.registered == other.given.registered && one.surname.name == other.surname.name;
        let children = one.place == Place::Child && other.place == Place::Child;
        if one.family == other.family {
            match (children, one.place == other.place) {
                (true, _) if one.born == other.born => Self::Twins,
                (true, _) => Self::Siblings,
                (false, true) => Self::Parents,
                (false, false) if namesakes => Self::NamesakeParent,
                (false, false) => Self::ParentAndChild,
            }
        } else if same_address {
            Self::SharedAddress
        } else if namesakes {
            Self::Namesakes
        } else if one.born == other.born {
            Self::SameBirthDate
        } else {
            Self::Others
        }
    }
}

/// A relation of which cases are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    FatherAndSon,
    Namesakes,
    SharedAddress,
    Twins,
}

impl Class {
    pub(crate) const ALL: [Self; 4] = [Self::FatherAndSon, Self::Namesakes, Self::SharedAddress, Self::Twins];

    /// What reports call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FatherAndSon => "father and son with one name",
            Self::Namesakes => "same-name strangers",
            Self::SharedAddress => "strangers at one address",
            Self::Twins => "twins",
        }
    }

    /// `count` pairs of records of two different persons, each at another partner.
    pub(crate) fn generate(self, seed: u64, count: usize, noise: f64) -> Vec<[RawPerson; 2]> {
        let mut rng = StdRng::seed_from_u64(seed);
        let region = Region::new(&mut rng, 2_500);
        (0..count).map(|_| self.one(&mut rng, &region, noise)).collect()
    }

    fn one(self, rng: &mut StdRng, region: &Region, noise: f64) -> [RawPerson; 2] {
        let [one, other] = match self {
            Self::FatherAndSon => father_and_son(rng),
            Self::Namesakes => namesakes(rng),
            Self::SharedAddress => strangers(rng),
            Self::Twins => twins(rng),
        };
        let first = home(rng, region);
        let second = if self == Self::Namesakes {
            elsewhere(rng, region, &first)
        } else {
            Family { other_address: region.address(rng), ..first.clone() }
        };
        let partners: Vec<_> = PARTNERS.choose_multiple(rng, 2).collect();
        [write(rng, noise, partners[0], &one, &first).2, write(rng, noise, partners[1], &other, &second).2]
    }
}

fn home(rng: &mut StdRng, region: &Region) -> Family {
    let (address, other_address) = (region.address(rng), region.address(rng));
    Family { address, other_address, parents: Vec::new(), children: Vec::new() }
}

fn elsewhere(rng: &mut StdRng, region: &Region, than: &Family) -> Family {
    loop {
        let home = home(rng, region);
        if home.address.postal_code != than.address.postal_code {
            return home;
        }
    }
}

/// Someone of this age in years, of a random background.
fn someone(rng: &mut StdRng, ages: std::ops::Range<f64>) -> Person {
    let age = rng.gen_range(ages);
    let sex = if rng.gen_bool(0.5) { Sex::Female } else { Sex::Male };
    let place = if age < 22.0 { Place::Child } else { Place::Parent };
    let background = Background::draw(rng);
    person(rng, 0, sex, background, TODAY - (age * YEAR) as i32, place)
}

fn father_and_son(rng: &mut StdRng) -> [Person; 2] {
    let (age, older) = (rng.gen_range(0.1..18.0), normal(rng, (32.5, 5.5)).max(17.0));
    let background = Background::draw(rng);
    let born = |age: f64| TODAY - (age * YEAR) as i32;
    let father = person(rng, 0, Sex::Male, background, born(age + older), Place::Parent);
    let mut son = person(rng, 0, Sex::Male, background, born(age), Place::Child);
    (son.given, son.surname) = (father.given.clone(), father.surname.clone());
    [father, son]
}

/// Two birth dates, two addresses, one name.
fn namesakes(rng: &mut StdRng) -> [Person; 2] {
    let one = someone(rng, 0.1..55.0);
    loop {
        let other = someone(rng, 0.1..55.0);
        if other.born != one.born {
            let (given, surname) = (one.given.clone(), one.surname.clone());
            return [one, Person { given, surname, ..other }];
        }
    }
}

/// Two of one home for the young, student house, shelter or block of flats. Some have one given name.
fn strangers(rng: &mut StdRng) -> [Person; 2] {
    let ages = match rng.gen_range(0..4) {
        0 => 12.0..18.0,
        1 => 18.0..26.0,
        _ => 0.1..55.0,
    };
    let (one, mut other) = (someone(rng, ages.clone()), someone(rng, ages));
    if rng.gen_bool(0.02) {
        other.given = one.given.clone();
    }
    [one, other]
}

/// Names that parents of twins choose because they are alike.
const ALIKE: [(&str, &str); 16] = [
    ("Anna", "Anne"),
    ("Daan", "Dani"),
    ("Emma", "Emmy"),
    ("Julia", "Julie"),
    ("Noor", "Nora"),
    ("Sem", "Sam"),
    ("Tim", "Tom"),
    ("Lina", "Lena"),
    ("Mila", "Milou"),
    ("Sofie", "Sofia"),
    ("Hassan", "Hussein"),
    ("Jan", "Jana"),
    ("Lars", "Laura"),
    ("Marit", "Marijn"),
    ("Yusuf", "Yunus"),
    ("Amina", "Amira"),
];

/// One birth date, address and surname; two given names, for a quarter of them alike.
fn twins(rng: &mut StdRng) -> [Person; 2] {
    let one = someone(rng, 0.1..18.0);
    let mut other = Person { ..one.clone() };
    if rng.gen_bool(0.25) {
        let &(first, second) = ALIKE.choose(rng).expect("not empty");
        let named = |name: &str| Given { registered: name.to_owned(), called: None, spellings: Vec::new() };
        other.given = named(second);
        return [Person { given: named(first), ..one }, other];
    }
    let first = |given: &Given| given.registered.split(' ').next().unwrap_or_default().to_owned();
    while first(&other.given) == first(&one.given) {
        let sex = if rng.gen_bool(0.5) { Sex::Female } else { Sex::Male };
        other.given = other.background.given(rng, sex, false);
    }
    [one, other]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_are_what_they_are_called() {
        for class in Class::ALL {
            for [one, other] in class.generate(3, 500, 0.0) {
                let address = |raw: &RawPerson| (raw.postal_code.clone(), raw.house_number.clone());
                assert_eq!(address(&one) == address(&other), class != Class::Namesakes, "{class:?}");
                let same_date = {
                    let digits = |raw: &RawPerson| {
                        let mut digits: Vec<_> = raw.birth_date.split('-').map(str::to_owned).collect();
                        if digits[0].len() == 2 {
                            digits.reverse();
                        }
                        digits
                    };
                    digits(&one) == digits(&other)
                };
                match class {
                    Class::FatherAndSon | Class::Namesakes => assert!(!same_date, "{class:?}"),
                    Class::Twins => {
                        assert!(same_date);
                        assert_ne!(one.given_names.to_lowercase(), other.given_names.to_lowercase());
                    }
                    Class::SharedAddress => {}
                }
            }
        }
    }

    #[test]
    fn relations_are_told_apart() {
        let mut rng = StdRng::seed_from_u64(1);
        let [father, son] = father_and_son(&mut rng);
        assert_eq!(Relation::of(&father, &son, true), Relation::NamesakeParent);
        let [one, other] = twins(&mut rng);
        assert_eq!(Relation::of(&one, &other, true), Relation::Twins);
        let [one, other] = namesakes(&mut rng);
        let other = Person { family: 1, ..other };
        assert_eq!(Relation::of(&one, &other, false), Relation::Namesakes);
        assert_eq!(Relation::of(&one, &other, true), Relation::SharedAddress);
    }
}

//! Invented families of one Dutch region: who they are and where they live. What is drawn how often follows published
//! figures; `docs/recognition.md` cites each and says what was simplified.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::date::{Date, TODAY, YEAR};
use super::names::{Background, Given, Sex, Surname};

/// Families for which the region is as large as a hundred thousand inhabitants.
const FAMILIES_PER_REGION: f64 = 2_500.0;
/// Four-digit postal areas of so many inhabitants, and postal codes in each.
const AREAS_PER_REGION: f64 = 23.0;
const CODES_PER_AREA: usize = 113;
/// Addresses of one postal code.
const ADDRESSES_PER_CODE: u32 = 17;
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTVWXZ";
/// Share of postal codes that are one building, whose addresses differ in the suffix only.
const FLATS: f64 = 0.10;

/// Of a hundred families: with one parent, and of couples: married.
const ONE_PARENT: f64 = 0.233;
const MARRIED: f64 = 0.77;
/// Children living at home: 1, 2, 3, 4 or 5, of couples and of single parents.
const CHILDREN_OF_TWO: [(usize, f64); 5] = [(1, 38.4), (2, 44.2), (3, 12.2), (4, 3.9), (5, 1.3)];
const CHILDREN_OF_ONE: [(usize, f64); 5] = [(1, 61.8), (2, 28.7), (3, 6.6), (4, 2.2), (5, 0.7)];
/// Births of more than one child.
const TWINS: f64 = 0.015;
const MOTHER_AT_FIRST: (f64, f64) = (29.7, 5.0);
const FATHER_OLDER: (f64, f64) = (2.6, 4.0);
const SINGLE_MOTHERS: f64 = 0.83;
const MIXED_COUPLES: f64 = 0.10;
const SON_NAMED_AFTER_FATHER: f64 = 0.005;
/// Share of families that stand for a residence: a home, a shelter, lodgings. Its inhabitants are not related.
const RESIDENCES: f64 = 0.02;

/// What someone is in the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Parent,
    Child,
}

/// An invented person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) family: usize,
    pub(crate) place: Place,
    pub(crate) sex: Sex,
    pub(crate) background: Background,
    pub(crate) given: Given,
    pub(crate) surname: Surname,
    /// The husband's name, for a woman who may use it.
    pub(crate) husband: Option<Surname>,
    pub(crate) born: Date,
    /// Registered without a day or month: born before birth certificates, or without papers.
    pub(crate) day_unknown: bool,
}

/// Where a family lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) postal_code: String,
    pub(crate) house_number: u32,
    pub(crate) suffix: String,
}

/// A family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) address: Address,
    /// Where it lived before, or where the other parent lives.
    pub(crate) other_address: Address,
    /// Places in [`World::persons`].
    pub(crate) parents: Vec<usize>,
    pub(crate) children: Vec<usize>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) families: Vec<Family>,
    pub(crate) persons: Vec<Person>,
}

impl World {
    /// `count` families, those of residences included.
    pub(crate) fn new(rng: &mut StdRng, count: usize) -> Self {
        let region = Region::new(rng, count);
        let mut world = Self::default();
        while world.families.len() < count {
            if rng.gen_bool(RESIDENCES) {
                world.add_residence(rng, &region);
            } else {
                world.add_family(rng, &region);
            }
        }
        world
    }

    pub(crate) fn add_family(&mut self, rng: &mut StdRng, region: &Region) {
        let family = self.families.len();
        let one_parent = rng.gen_bool(ONE_PARENT);
        let counts = if one_parent { CHILDREN_OF_ONE } else { CHILDREN_OF_TWO };
        let count = counts.choose_weighted(rng, |(_, weight)| *weight).expect("weights").0;
        let births = births(rng, count);
        let oldest = births[0];
        let mother_age = normal(rng, MOTHER_AT_FIRST).clamp(17.0, 45.0);
        let mother_born = oldest - (mother_age * YEAR) as i32;
        let father_age = (mother_age + normal(rng, FATHER_OLDER)).max(17.5);
        let father_born = oldest - (father_age * YEAR) as i32;
        let background = Background::draw(rng);
        let other = if rng.gen_bool(MIXED_COUPLES) { Background::draw(rng) } else { background };
        let mut father = person(rng, family, Sex::Male, background, father_born, Place::Parent);
        let mut mother = person(rng, family, Sex::Female, other, mother_born, Place::Parent);
        let married = !one_parent && rng.gen_bool(MARRIED);
        mother.husband = married.then(|| father.surname.clone());
        let fathers_name = rng.gen_bool(if married {
            0.95
        } else if one_parent {
            0.5
        } else {
            0.75
        });
        let named_after = if fathers_name { &father } else { &mother }.clone();
        let mut children: Vec<Person> = Vec::new();
        for born in births {
            let sex = if rng.gen_bool(0.5) { Sex::Female } else { Sex::Male };
            let mut child = person(rng, family, sex, named_after.background, born, Place::Child);
            while children.iter().any(|one| one.given.registered == child.given.registered) {
                child.given = child.background.given(rng, sex, false);
            }
            child.surname = named_after.surname.clone();
            if sex == Sex::Male && fathers_name && children.is_empty() && rng.gen_bool(SON_NAMED_AFTER_FATHER)
            {
                child.given = father.given.clone();
            }
            children.push(child);
        }
        father.day_unknown = may_lack_day(rng, &father);
        mother.day_unknown = may_lack_day(rng, &mother);
        let parents = match (one_parent, rng.gen_bool(SINGLE_MOTHERS)) {
            (false, _) => vec![father, mother],
            (true, true) => vec![mother],
            (true, false) => vec![father],
        };
        let (address, other_address) = (region.address(rng), region.address(rng));
        let parents = parents.into_iter().map(|one| self.add(one)).collect();
        let children = children.into_iter().map(|one| self.add(one)).collect();
        self.families.push(Family { address, other_address, parents, children });
    }

    /// Four to eight unrelated young people at one address, each a family of its own.
    fn add_residence(&mut self, rng: &mut StdRng, region: &Region) {
        let address = region.address(rng);
        for _ in 0..rng.gen_range(4..=8) {
            let sex = if rng.gen_bool(0.5) { Sex::Female } else { Sex::Male };
            let age = rng.gen_range(12.0..24.0);
            let background = Background::draw(rng);
            let born = TODAY - (age * YEAR) as i32;
            let mut child = person(rng, self.families.len(), sex, background, born, Place::Child);
            child.day_unknown = may_lack_day(rng, &child);
            let child = self.add(child);
            let other_address = region.address(rng);
            let address = address.clone();
            self.families.push(Family { address, other_address, parents: Vec::new(), children: vec![child] });
        }
    }

    fn add(&mut self, person: Person) -> usize {
        self.persons.push(person);
        self.persons.len() - 1
    }
}

pub(crate) fn person(
    rng: &mut StdRng,
    family: usize,
    sex: Sex,
    background: Background,
    born: i32,
    place: Place,
) -> Person {
    Person {
        family,
        place,
        sex,
        background,
        given: background.given(rng, sex, place == Place::Parent),
        surname: background.surname(rng),
        husband: None,
        born: Date::from_days(born),
        day_unknown: false,
    }
}

/// Few people are registered without a full birth date, and nearly all of them were born abroad.
fn may_lack_day(rng: &mut StdRng, person: &Person) -> bool {
    rng.gen_bool(match person.background {
        Background::EastAfrican | Background::Arabic => 0.10,
        Background::Turkish | Background::Moroccan => 0.02,
        _ => 0.0,
    })
}

/// Birth days of `count` children, the oldest first; the youngest is under eighteen.
fn births(rng: &mut StdRng, count: usize) -> Vec<i32> {
    let mut births = vec![TODAY - rng.gen_range(1..(18.0 * YEAR) as i32)];
    while births.len() < count {
        let next = births[births.len() - 1];
        let twin = rng.gen_bool(TWINS);
        let apart = if twin { 0.0 } else { normal(rng, (2.7, 1.2)).clamp(0.85, 9.0) };
        births.push(next - (apart * YEAR) as i32);
    }
    births.reverse();
    births
}

/// A draw from the normal distribution, as the sum of twelve uniform ones.
pub(crate) fn normal(rng: &mut StdRng, (mean, deviation): (f64, f64)) -> f64 {
    let sum: f64 = (0..12).map(|_| rng.gen_range(0.0..1.0)).sum();
    (sum - 6.0).mul_add(deviation, mean)
}

/// Postal codes of a region: some areas have many more of the families than others.
#[derive(Debug)]
pub(crate) struct Region {
    codes: Vec<Code>,
}

#[derive(Clone, Debug)]
struct Code {
    code: String,
    first_house: u32,
    flat: bool,
    weight: f64,
}

impl Region {
    pub(crate) fn new(rng: &mut StdRng, families: usize) -> Self {
        let areas = (families as f64 / FAMILIES_PER_REGION * AREAS_PER_REGION).ceil().max(2.0) as usize;
        let first = rng.gen_range(1_000..9_000_u32);
        let mut codes = Vec::new();
        for area in 0..areas {
            // A quarter of the areas has about half of the families.
            let weight = if area % 4 == 0 { 3.0 } else { 1.0 };
            let digits = 1_000 + (first - 1_000 + area as u32) % 8_999;
            for code in 0..CODES_PER_AREA {
                let letter = |index: usize| char::from(LETTERS[index % LETTERS.len()]);
                codes.push(Code {
                    code: format!("{digits}{}{}", letter(code / LETTERS.len()), letter(code)),
                    first_house: 1 + (-45.0 * rng.gen_range(0.000_1..1.0_f64).ln()) as u32,
                    flat: rng.gen_bool(FLATS),
                    weight,
                });
            }
        }
        Self { codes }
    }

    pub(crate) fn address(&self, rng: &mut StdRng) -> Address {
        let code = self.codes.choose_weighted(rng, |code| code.weight).expect("weights");
        let place = rng.gen_range(0..ADDRESSES_PER_CODE);
        let (house_number, suffix) = if code.flat {
            (code.first_house, format!("{}", place + 1))
        } else {
            let suffixes = ["", "", "", "", "", "", "", "", "A", "B", "bis", "II", "1hg"];
            let suffix = suffixes.choose(rng).expect("not empty");
            (code.first_house + 2 * place, (*suffix).to_owned())
        };
        Address { postal_code: code.code.clone(), house_number, suffix }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn families_are_as_often_as_published() {
        let world = World::new(&mut StdRng::seed_from_u64(7), 5_000);
        let families: Vec<_> = world.families.iter().filter(|family| !family.parents.is_empty()).collect();
        let share = |count: usize| count as f64 / families.len() as f64;
        let one_parent = share(families.iter().filter(|family| family.parents.len() == 1).count());
        let one_child = share(families.iter().filter(|family| family.children.len() == 1).count());
        let three = share(families.iter().filter(|family| family.children.len() >= 3).count());
        // CBS 71487ned, 2024: 23.3 %, 43.8 % and 15.6 % of families.
        for (what, found, published) in
            [("one parent", one_parent, 0.233), ("one child", one_child, 0.438), ("three", three, 0.156)]
        {
            assert!((found - published).abs() < 0.02, "{what}: {found}");
        }
        let adult = |family: &&&Family| {
            let oldest = family.children.iter().map(|&child| world.persons[child].born).min().unwrap();
            family.parents.iter().all(|&parent| world.persons[parent].born.year + 16 < oldest.year)
        };
        assert_eq!(families.iter().filter(|family| !adult(family)).count(), 0, "every parent is an adult");
        assert!(world.persons.iter().all(|person| person.born.is_possible()));
    }
}

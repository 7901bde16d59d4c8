//! The invented families themselves: who lives where, before any partner has written anything down.
//!
//! No two persons share a birth date or an address unless a near miss is meant, nor a birthday and the first letter of
//! the given name; and within a household all given names begin with another letter. So whatever the partners' files
//! make equal is one person or an error of ours.

use std::collections::BTreeSet;

use kring_protocol::identifier::Bsn;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::names::{Given, ORIGINS, Origin, Surname};

/// A person, as he or she is.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) role: &'static str,
    pub(super) given: Given,
    pub(super) surname: Surname,
    /// The partner's surname, which a married person may also use.
    pub(super) married: Option<Surname>,
    pub(super) birth: Birth,
    pub(super) bsn: Option<String>,
    /// Someone wrote down only the year of birth.
    pub(super) vague: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Birth {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) postal_code: String,
    pub(super) house_number: usize,
    pub(super) suffix: &'static str,
}

/// Persons at one address, by their position in [`World::persons`].
#[derive(Clone, Debug)]
pub(super) struct Household {
    pub(super) parents: Vec<usize>,
    pub(super) children: Vec<usize>,
    pub(super) address: Address,
}

/// What someone has in common with a person that he or she is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NearMiss {
    /// Born in another year, living elsewhere.
    Name,
    /// Another name, living elsewhere.
    BirthDate,
    /// Another family at the same address.
    Address,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) persons: Vec<Person>,
    pub(super) households: Vec<Household>,
    births: BTreeSet<Birth>,
    birthdays: BTreeSet<(char, u8, u8)>,
    bsns: Vec<String>,
    addresses: usize,
}

/// Only the block that no living person has a number from.
const TEST_BSNS: std::ops::RangeInclusive<u32> = 999_990_000..=999_999_999;

impl World {
    pub(super) fn new(rng: &mut StdRng) -> Self {
        let valid = |number: u32| number.to_string().parse::<Bsn>().is_ok().then(|| number.to_string());
        let mut bsns: Vec<String> = TEST_BSNS.filter_map(valid).collect();
        bsns.shuffle(rng);
        Self {
            persons: Vec::new(),
            households: Vec::new(),
            births: BTreeSet::new(),
            birthdays: BTreeSet::new(),
            bsns,
            addresses: 0,
        }
    }

    /// One or two parents with one to four children.
    pub(super) fn add_family(&mut self, rng: &mut StdRng) -> usize {
        let origin = ORIGINS.choose(rng).expect("there are origins");
        let address = self.new_address();
        self.add_family_at(rng, origin, address, &BTreeSet::new())
    }

    /// The children's other household: their second parent, or a new one, alone at another address.
    pub(super) fn add_second_household(&mut self, rng: &mut StdRng, first: usize) -> usize {
        let address = self.new_address();
        let children = self.households[first].children.clone();
        let parents = &mut self.households[first].parents;
        let leaving = if parents.len() > 1 { parents.pop() } else { None };
        let parent = leaving.unwrap_or_else(|| {
            let (taken, surname) = (self.initials(&children), self.persons[children[0]].surname);
            self.add_person(rng, "parent", ORIGINS[0], surname, &taken)
        });
        for &child in &children {
            self.persons[child].vague = false; // a year and another address would not be enough
        }
        self.add_household(Household { parents: vec![parent], children, address })
    }

    /// Another family whose first child is easily taken for the first child of `household`, or that lives there too.
    pub(super) fn add_near_miss(&mut self, rng: &mut StdRng, household: usize, kind: NearMiss) -> usize {
        let like = self.households[household].clone();
        let child = self.persons[like.children[0]].clone();
        if kind == NearMiss::Address {
            let everyone: Vec<usize> = like.parents.into_iter().chain(like.children).collect();
            let taken = self.initials(&everyone);
            return self.add_family_at(rng, ORIGINS[0], like.address, &taken);
        }
        let address = self.new_address();
        let other = self.add_family_at(rng, ORIGINS[0], address, &BTreeSet::from([child.given.initial()]));
        let double = self.households[other].children[0];
        let (given, surname, birth) = if kind == NearMiss::Name {
            let birth = self.new_birth_besides(rng, child.birth, child.given.initial());
            (child.given, child.surname, birth)
        } else {
            let given = self.new_name_for(child.birth);
            (given, Surname { prefix: "", name: "Quist", spellings: &[] }, child.birth)
        };
        let double = &mut self.persons[double];
        (double.given, double.surname, double.birth) = (given, surname, birth);
        double.vague = false;
        other
    }

    fn add_family_at(
        &mut self,
        rng: &mut StdRng,
        origin: &Origin,
        address: Address,
        taken: &BTreeSet<char>,
    ) -> usize {
        let surname = *origin.surnames.choose(rng).expect("every origin has surnames");
        let mut taken = taken.clone();
        let (mut parents, mut children) = (Vec::new(), Vec::new());
        for _ in 0..rng.gen_range(1..=2) {
            let own = *origin.surnames.choose(rng).expect("every origin has surnames");
            parents.push(self.add_person(rng, "parent", origin, own, &taken));
            taken.extend(self.initials(&parents));
        }
        if rng.gen_bool(0.5) {
            self.persons[parents[0]].married = Some(surname);
        }
        for _ in 0..rng.gen_range(1..=4) {
            children.push(self.add_person(rng, "child", origin, surname, &taken));
            taken.extend(self.initials(&children));
        }
        self.add_household(Household { parents, children, address })
    }

    fn add_household(&mut self, household: Household) -> usize {
        self.households.push(household);
        self.households.len() - 1
    }

    fn add_person(
        &mut self,
        rng: &mut StdRng,
        role: &'static str,
        origin: &Origin,
        surname: Surname,
        taken: &BTreeSet<char>,
    ) -> usize {
        let free: Vec<&Given> =
            origin.given.iter().filter(|given| !taken.contains(&given.initial())).collect();
        let given = **free.choose(rng).expect("an origin has more names than a household has members");
        let bsn = if rng.gen_bool(0.75) { self.bsns.pop() } else { None };
        let years = if role == "child" { 2007..=2024 } else { 1966..=1998 };
        let birth = self.new_birth(rng, years, given.initial());
        let person = Person { role, given, surname, married: None, birth, bsn, vague: rng.gen_bool(0.06) };
        self.persons.push(person);
        self.persons.len() - 1
    }

    /// A name that begins like no other of this birthday.
    fn new_name_for(&mut self, birth: Birth) -> Given {
        let (month, day) = (birth.month.min(birth.day), birth.month.max(birth.day));
        let named = |name| Given { registered: name, called: name };
        let mut names = ["Xander", "Ubbo", "Wobbe", "Ypke", "Bauke", "Goffe"].map(named).into_iter();
        names
            .find(|given| self.birthdays.insert((given.initial(), month, day)))
            .expect("so many do not share a birthday")
    }

    /// A date that no one else has, and a birthday that no one else with this initial has, also not with day and
    /// month swapped.
    fn new_birth(&mut self, rng: &mut StdRng, years: std::ops::RangeInclusive<u16>, initial: char) -> Birth {
        loop {
            let (year, month, day) =
                (rng.gen_range(years.clone()), rng.gen_range(1..=12), rng.gen_range(1..=28));
            let unordered = Birth { year, month: month.min(day), day: month.max(day) };
            let birthday = (initial, unordered.month, unordered.day);
            // 1 January and 1 July often stand for an unknown day, also where 7 January is swapped.
            let is_certain = !matches!((unordered.month, unordered.day), (1, 1 | 7));
            if is_certain && !self.births.contains(&unordered) && self.birthdays.insert(birthday) {
                self.births.insert(unordered);
                return Birth { year, month, day };
            }
        }
    }

    /// The same for a child that was born in another year.
    fn new_birth_besides(&mut self, rng: &mut StdRng, besides: Birth, initial: char) -> Birth {
        loop {
            let birth = self.new_birth(rng, 2007..=2024, initial);
            if birth.year != besides.year {
                return birth;
            }
        }
    }

    /// An address that no one else has, its postal code different from all others in more than the order of its signs.
    pub(super) fn new_address(&mut self) -> Address {
        const LETTERS: [&str; 9] = ["AB", "CD", "EG", "HK", "LM", "NP", "RT", "VW", "XZ"];
        let number = self.addresses;
        self.addresses += 1;
        let ascending = |digits: &u32| digits.to_string().as_bytes().is_sorted();
        let digits = (1111..9999).filter(ascending).nth(number / LETTERS.len()).expect("far fewer addresses");
        Address {
            postal_code: format!("{digits}{}", LETTERS[number % LETTERS.len()]),
            house_number: 1 + number * 7 % 180,
            suffix: ["", "", "", "a", "bis", "2"][number % 6],
        }
    }

    fn initials(&self, persons: &[usize]) -> BTreeSet<char> {
        persons.iter().map(|&person| self.persons[person].given.initial()).collect()
    }
}

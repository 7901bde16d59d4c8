//! Generated pairs of different persons whom partners could take for one: 10,000 of each kind.

use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};

use super::{RawPerson, meet};
use crate::identifier::Person;
use crate::recipe::{RecipeList, match_keys};

const CASES: usize = 10_000;

const GIVEN: [&str; 40] = [
    "Sanne", "Daan", "Emma", "Sem", "Lieke", "Bram", "Fatima", "Mohamed", "Aicha", "Bilal", "Elif", "Emir",
    "Zeynep", "Yusuf", "Priya", "Ravi", "Shanaya", "Dylan", "Zofia", "Jakub", "Oliwia", "Ivan", "Amina",
    "Tesfay", "Noor", "Thijs", "Roos", "Gijs", "Lotte", "Ruben", "Hamza", "Iman", "Selin", "Kerem", "Maria",
    "Willem", "Johanna", "Cornelis", "Petra", "Hendrik",
];
const FAMILY: [(&str, &str); 40] = [
    ("de", "Jong"),
    ("", "Jansen"),
    ("de", "Vries"),
    ("van den", "Berg"),
    ("van", "Dijk"),
    ("", "Bakker"),
    ("", "Visser"),
    ("", "Smit"),
    ("", "Meijer"),
    ("de", "Boer"),
    ("", "Mulder"),
    ("", "Bos"),
    ("", "Vos"),
    ("", "Peters"),
    ("", "Hendriks"),
    ("van", "Leeuwen"),
    ("", "Dekker"),
    ("", "Brouwer"),
    ("", "Yılmaz"),
    ("", "Kaya"),
    ("", "Demir"),
    ("", "Şahin"),
    ("", "Çelik"),
    ("El", "Idrissi"),
    ("", "Bouzidi"),
    ("Ben", "Ali"),
    ("El", "Amrani"),
    ("", "Haddad"),
    ("", "Ramdin"),
    ("", "Soekhai"),
    ("", "Pinas"),
    ("", "Kowalski"),
    ("", "Nowak"),
    ("", "Petrović"),
    ("", "Ivanov"),
    ("", "Gebre"),
    ("", "Nguyen"),
    ("ter", "Horst"),
    ("van 't", "Hof"),
    ("", "Huisman-Post"),
];

struct Draw(ChaCha12Rng);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(u32::try_from(items.len()).unwrap()) as usize]
    }

    /// Someone born in one of `years` years from `first` on.
    fn person(&mut self, first: u32, years: u32) -> RawPerson {
        let (prefix, family) = self.of(&FAMILY);
        let date = (first + self.below(years), 1 + self.below(12), 1 + self.below(28));
        let letters = [self.of(b"ABCDEFGHJKLMNPRTVWXZ"), self.of(b"ABCDEFGHJKLMNPRTVWXZ")];
        RawPerson {
            given_names: self.of(&GIVEN).into(),
            name_prefix: prefix.into(),
            family_name: family.into(),
            birth_date: format!("{:04}-{:02}-{:02}", date.0, date.1, date.2),
            postal_code: format!("35{:02}{}", self.below(100), String::from_utf8_lossy(&letters)),
            house_number: (1 + self.below(200)).to_string(),
            ..RawPerson::default()
        }
    }
}

/// How many of the pairs a list takes for one person.
fn confused(list: &str, pair: fn(&mut Draw) -> [RawPerson; 2]) -> usize {
    let mut draw = Draw::new(7);
    (0..CASES)
        .filter(|_| {
            let [one, other] = pair(&mut draw);
            meet(&one, &other, list)
        })
        .count()
}

/// One name, one address, fifteen years or more between them.
fn father_and_son(draw: &mut Draw) -> [RawPerson; 2] {
    let father = draw.person(1960, 30);
    let year: u32 = father.birth_date[..4].parse().unwrap();
    let son = RawPerson { birth_date: draw.person(year + 15, 20).birth_date, ..father.clone() };
    [father, son]
}

/// One name, two birth dates, two addresses.
fn namesakes(draw: &mut Draw) -> [RawPerson; 2] {
    loop {
        let (one, other) = (draw.person(1950, 75), draw.person(1950, 75));
        if one.birth_date != other.birth_date && one.postal_code != other.postal_code {
            return [
                other.clone(),
                RawPerson {
                    birth_date: one.birth_date,
                    postal_code: one.postal_code,
                    house_number: one.house_number,
                    ..other
                },
            ];
        }
    }
}

/// One address, two names.
fn residents(draw: &mut Draw, first: u32, years: u32) -> [RawPerson; 2] {
    loop {
        let (one, other) = (draw.person(first, years), draw.person(first, years));
        if (&one.given_names, &one.family_name) != (&other.given_names, &other.family_name) {
            let (postal_code, house_number) = (one.postal_code.clone(), one.house_number.clone());
            return [one, RawPerson { postal_code, house_number, ..other }];
        }
    }
}

fn students(draw: &mut Draw) -> [RawPerson; 2] {
    residents(draw, 1999, 9)
}

fn institution(draw: &mut Draw) -> [RawPerson; 2] {
    residents(draw, 1930, 95)
}

/// One name, one address, one age, two birth dates: nothing but the date tells them apart.
fn namesake_students(draw: &mut Draw) -> [RawPerson; 2] {
    loop {
        let one = draw.person(1999, 9);
        let other = RawPerson { birth_date: draw.person(1999, 9).birth_date, ..one.clone() };
        if one.birth_date != other.birth_date {
            return [one, other];
        }
    }
}

fn twins(draw: &mut Draw) -> [RawPerson; 2] {
    if draw.below(4) == 0 {
        let (one, other) = draw.of(&[
            ("Noa", "Noah"),
            ("Fien", "Finn"),
            ("Sem", "Sam"),
            ("Sami", "Samia"),
            ("Thijs", "Ties"),
        ]);
        let person = draw.person(2008, 17);
        let named = |name: &str| RawPerson { given_names: name.into(), ..person.clone() };
        return [named(one), named(other)];
    }
    loop {
        let (one, other) = (draw.person(2008, 17), draw.person(2008, 17));
        if one.given_names != other.given_names {
            return [one.clone(), RawPerson { given_names: other.given_names, ..one }];
        }
    }
}

/// Draws two persons who must not be taken for one.
type Pair = fn(&mut Draw) -> [RawPerson; 2];

#[test]
fn precise_and_strict_confuse_nobody() {
    let kinds: [(&str, Pair); 4] = [
        ("father and son", father_and_son),
        ("namesakes", namesakes),
        ("student house", students),
        ("institution", institution),
    ];
    for (what, pair) in kinds {
        for list in ["precise", "strict"] {
            assert_eq!(confused(list, pair), 0, "{what} ({list})");
        }
    }
}

#[test]
fn strict_keeps_twins_and_namesakes_at_one_address_apart() {
    assert_eq!(confused("strict", twins), 0);
    assert_eq!(confused("strict", namesake_students), 0);
    assert_eq!(confused("default", twins), CASES, "with the default list a twin stands for its family");
}

/// Of a file as partners have it: some double names, no BSN, here and there no birth date or no address.
#[test]
fn a_person_costs_at_most_eight_keys_on_average() {
    let mut draw = Draw::new(11);
    for list in ["default", "precise", "strict"] {
        let recipes = RecipeList::named(list).unwrap();
        let keys: usize = (0..2_000)
            .map(|place| {
                let mut raw = draw.person(1950, 75);
                if place % 20 == 0 {
                    raw.birth_date = String::new();
                }
                if place % 10 == 1 {
                    (raw.postal_code, raw.house_number) = (String::new(), String::new());
                }
                match_keys(&Person::parse(&raw, super::TODAY).unwrap(), &recipes).len()
            })
            .sum();
        assert!(keys <= 8 * 2_000, "{list}: {keys} keys of 2000 persons");
    }
}

//! What people type in the fields of a person: it is refused or gives match keys, in bounded time, and the same ones
//! when it is stored and read again.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::{TODAY, seeds};
use kring_protocol::identifier::{Person, RawPerson};
use kring_protocol::recipe::{MatchKey, Recipe, RecipeList, match_keys};
use libfuzzer_sys::fuzz_target;

static RECIPES: LazyLock<RecipeList> = LazyLock::new(|| {
    let all: Vec<_> = Recipe::ALL.iter().map(|recipe| recipe.id()).collect();
    RecipeList::from_ids(&all).unwrap()
});

/// More keys than any person gives: three parts of a surname, two initials, ten generations.
const KEYS_MAX: usize = 100;

fn raw(text: &str) -> RawPerson {
    let mut fields = text.split('\n').map(str::to_owned);
    let mut next = || fields.next().unwrap_or_default();
    RawPerson {
        family_name: next(),
        given_names: next(),
        name_prefix: next(),
        birth_date: next(),
        postal_code: next(),
        house_number: next(),
        house_number_suffix: next(),
        bsn: next(),
        role: next(),
    }
}

fn keys(person: &Person) -> Vec<MatchKey> {
    match_keys(person, &RECIPES)
}

fn inputs() -> Vec<Vec<u8>> {
    let persons = [
        "Berg\nSanne Maria\nvan der\n2014-05-23\n3581 CD\n12\na\n999993653\nchild",
        "van den Berg-el Khattabi\nM'hamed (Mo)\n\n00-07-2013\n3581\n12\n\n\nparent",
        "Wo\u{17a}niak\u{301}\nOleksandr\n\n20140523\n\n\n\n\n",
        "Yoeldouz\nA.\nAbou el\n2014\n1011ab\n999-2\n-\n\n?",
        "Tsjaikovska\nAbdoel Ouinesjka\n\n1900-01-01\n\n0\n\n\nother",
    ];
    persons.map(|person| person.as_bytes().to_vec()).to_vec()
}

fn run(text: &str) {
    let Ok(person) = Person::parse(&raw(text), TODAY) else { return };
    let found = keys(&person);
    assert!(found.len() <= KEYS_MAX, "{}", found.len());
    assert!(found.is_sorted_by(|a, b| a < b));
    assert!(found.iter().all(|key| key.value().starts_with("2:")));
    let stored = Person::try_from(RawPerson::from(person.clone())).unwrap();
    assert!(stored == person && keys(&stored) == found);
    let without = person.without_bsn();
    assert!(keys(&without).iter().all(|key| found.contains(key)));
}

fuzz_target!(init: seeds(inputs), |text: &str| run(text));

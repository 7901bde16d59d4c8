use std::collections::BTreeSet;

use super::{MatchKey, Part, Recipe, RecipeError, RecipeList, match_keys};
use crate::id::{NetworkId, RecipeId};
use crate::identifier::{Person, RawPerson};
use crate::secret::Secret;
use crate::time::Day;

/// 2026-08-21.
const TODAY: Day = Day::from_days(20_686);

type Edit = fn(&mut RawPerson);

fn raw() -> RawPerson {
    RawPerson {
        role: "child".into(),
        given_names: "Sanne Maria".into(),
        name_prefix: "van der".into(),
        family_name: "Berg".into(),
        birth_date: "2014-05-23".into(),
        postal_code: "3581 CD".into(),
        house_number: "12".into(),
        house_number_suffix: "a".into(),
        ..RawPerson::default()
    }
}

fn edited(edit: impl FnOnce(&mut RawPerson)) -> RawPerson {
    let mut raw = raw();
    edit(&mut raw);
    raw
}

fn keys(raw: &RawPerson, list: &str) -> BTreeSet<MatchKey> {
    match_keys(&Person::parse(raw, TODAY).unwrap(), &RecipeList::named(list).unwrap()).into_iter().collect()
}

fn meet(one: &RawPerson, other: &RawPerson, list: &str) -> bool {
    !keys(one, list).is_disjoint(&keys(other, list))
}

#[test]
fn every_recipe_suffices_alone() {
    for recipe in Recipe::ALL.into_iter().filter(|recipe| *recipe != Recipe::Bsn) {
        let parts = recipe.definition().2;
        let any = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
        let birth = any(&[Part::Birth, Part::BirthCertain, Part::BirthYear]);
        let name = any(&[Part::Given, Part::Family, Part::Names, Part::Starts, Part::Initial]);
        let place = any(&[Part::Postcode, Part::PostcodeUnordered, Part::House]);
        assert!(u8::from(birth) + u8::from(name) + u8::from(place) >= 2, "{recipe}");
        assert!(any(&[Part::Birth, Part::BirthCertain, Part::Given, Part::Names]), "{recipe}");
    }
}

#[test]
fn strict_recipes_all_hold_the_given_name_and_a_year() {
    for recipe in
        RecipeList::named("strict").unwrap().recipes().iter().filter(|recipe| **recipe != Recipe::Bsn)
    {
        let parts = recipe.definition().2;
        assert!(parts.iter().any(|part| matches!(part, Part::Given | Part::Names)), "{recipe}");
        assert!(parts.iter().any(|part| matches!(part, Part::Birth | Part::BirthYear)), "{recipe}");
    }
}

#[test]
fn recipes_are_known_by_their_ids() {
    for recipe in Recipe::ALL {
        assert_eq!(recipe.id().as_str().parse(), Ok(recipe));
        assert!(!recipe.description().is_empty());
    }
    let id = |text: &str| text.parse::<RecipeId>().unwrap();
    let own = RecipeList::from_ids(&[id("names-birth"), id("bsn"), id("bsn")]).unwrap();
    assert_eq!(own.ids().collect::<Vec<_>>(), [id("bsn"), id("names-birth")]);
    let unknown = RecipeList::from_ids(&[id("bsn"), id("shoe-size")]).unwrap_err();
    assert_eq!(unknown, RecipeError::Unknown("shoe-size".into()));
    assert_eq!(unknown.to_string(), "unknown recipe shoe-size");
    assert_eq!(RecipeList::from_ids(&[]), Err(RecipeError::Empty));
    assert!(RecipeList::named("loose").is_err());
}

/// A change here is a new [`crate::identifier::NORMALISATION`]: partners that compute other values never meet.
#[test]
fn golden_values() {
    let values: Vec<(String, String)> = keys(&edited(|raw| raw.bsn = "999993653".into()), "default")
        .iter()
        .map(|key| (key.recipe().to_string(), key.value().to_owned()))
        .collect();
    let expected = [
        ("birth-family", "1:20140523|berg"),
        ("birth-house", "1:20140523|12|b"),
        ("birth-house", "1:20140523|12|s"),
        ("birth-postcode-near", "1:20140523|1358CD"),
        ("birth-starts", "1:20140523|be|sa"),
        ("bsn", "1:999993653"),
        ("given-address", "1:saen|3581CD|12"),
        ("names-postcode", "1:begr|saen|1358CD"),
    ];
    assert_eq!(values, expected.map(|(recipe, value)| (recipe.to_owned(), value.to_owned())));
}

#[test]
fn the_oprf_input_joins_label_network_pepper_recipe_and_value() {
    let key = keys(&edited(|raw| raw.bsn = "999993653".into()), "default")
        .into_iter()
        .find(|key| key.recipe().as_str() == "bsn")
        .unwrap();
    let input = key.oprf_input(&NetworkId::from_bytes([1; 32]), &Secret::new([2; 32]));
    let expected = [
        b"\x00\x10kring/subject/v1\x00\x20".as_slice(),
        &[1; 32],
        b"\x00\x20",
        &[2; 32],
        b"\x00\x03bsn\x00\x0b1:999993653",
    ];
    assert_eq!(input, expected.concat());
}

#[test]
fn spellings_of_one_person_meet() {
    let same: [(&str, Edit); 11] = [
        ("prefix in the surname", |raw| (raw.name_prefix, raw.family_name) = ("".into(), "v.d. Berg".into())),
        ("typing error in the given name", |raw| raw.given_names = "Snane".into()),
        ("typing error in the surname", |raw| raw.family_name = "Brg".into()),
        ("only initials", |raw| raw.given_names = "S.M.".into()),
        ("moved house", |raw| (raw.postal_code, raw.house_number) = ("9711 LM".into(), "3".into())),
        ("no address", |raw| (raw.postal_code, raw.house_number) = ("".into(), "".into())),
        ("married name", |raw| {
            (raw.family_name, raw.postal_code) = ("Jansen-van den Berg".into(), "".into())
        }),
        ("names in each other's column", |raw| {
            (raw.given_names, raw.family_name) = ("van der Berg".into(), "Sanne".into());
        }),
        ("unknown birth date", |raw| raw.birth_date = "2014-00-00".into()),
        ("no birth date and a swapped postal code", |raw| {
            (raw.birth_date, raw.postal_code) = ("".into(), "3518 CD".into());
        }),
        ("nothing but birth date and surname", |raw| {
            *raw = RawPerson {
                birth_date: "23-05-2014".into(),
                family_name: "Berg".into(),
                ..RawPerson::default()
            };
        }),
    ];
    for (what, edit) in same {
        assert!(meet(&raw(), &edited(edit), "default"), "{what}");
    }
    // Day and month swapped, and moved house.
    assert!(meet(
        &edited(|raw| raw.birth_date = "2014-05-06".into()),
        &edited(|raw| (raw.birth_date, raw.postal_code) = ("2014-06-05".into(), "9711LM".into())),
        "strict",
    ));
}

#[test]
fn a_bsn_partner_meets_one_without() {
    let with = edited(|raw| raw.bsn = "999993653".into());
    let without = match_keys(
        &Person::parse(&with, TODAY).unwrap().without_bsn(),
        &RecipeList::named("default").unwrap(),
    );
    assert!(without.iter().all(|key| key.recipe().as_str() != "bsn"));
    assert!(without.iter().any(|key| keys(&with, "default").contains(key)));
    let only_bsn = RawPerson { bsn: "999993653".into(), ..RawPerson::default() };
    assert!(meet(&with, &only_bsn, "default"));
}

#[test]
fn other_persons_do_not_meet() {
    let other: [(&str, Edit); 6] = [
        ("same surname, other person", |raw| {
            (raw.given_names, raw.birth_date) = ("Thomas".into(), "2009-02-11".into());
            (raw.postal_code, raw.house_number) = ("9711LM".into(), "3".into());
        }),
        ("same name and other birth date elsewhere", |raw| {
            (raw.birth_date, raw.postal_code, raw.house_number) =
                ("2009-02-11".into(), "9711LM".into(), "3".into());
        }),
        ("same birth date, other family", |raw| {
            (raw.given_names, raw.name_prefix, raw.family_name) = ("Emir".into(), "".into(), "Yilmaz".into());
            (raw.postal_code, raw.house_number) = ("9711LM".into(), "3".into());
        }),
        ("same address, other family", |raw| {
            (raw.given_names, raw.family_name, raw.birth_date) =
                ("Emir".into(), "Yilmaz".into(), "2009-02-11".into());
        }),
        ("sibling", |raw| (raw.given_names, raw.birth_date) = ("Daan".into(), "2016-02-11".into())),
        ("sibling without a birth date", |raw| {
            (raw.given_names, raw.birth_date) = ("Daan".into(), "".into())
        }),
    ];
    for (what, edit) in other {
        for list in ["default", "precise", "strict"] {
            assert!(!meet(&raw(), &edited(edit), list), "{what} ({list})");
        }
    }
}

#[test]
fn what_a_list_confuses_is_known() {
    let twin = edited(|raw| raw.given_names = "Daan".into());
    assert!(meet(&raw(), &twin, "default") && meet(&raw(), &twin, "precise"));
    assert!(!meet(&raw(), &twin, "strict"));
    let namesake_at_home = edited(|raw| raw.birth_date = "1984-02-11".into());
    assert!(meet(&raw(), &namesake_at_home, "default"));
    assert!(!meet(&raw(), &namesake_at_home, "precise") && !meet(&raw(), &namesake_at_home, "strict"));
    let stranger = |given: &str, family: &str| {
        edited(|raw| {
            (raw.given_names, raw.family_name) = (given.into(), family.into());
            (raw.birth_date, raw.house_number) = ("1990-01-01".into(), "".into());
        })
    };
    assert!(
        !meet(&stranger("Amina", "Haddad"), &stranger("Tesfay", "Gebre"), "default"),
        "shelter, 1 January"
    );
}

#[test]
fn who_cannot_be_recognised_has_no_keys() {
    let only_name =
        RawPerson { given_names: "Sanne".into(), family_name: "Berg".into(), ..RawPerson::default() };
    let only_address = RawPerson {
        family_name: "Berg".into(),
        postal_code: "3581CD".into(),
        house_number: "1".into(),
        ..only_name.clone()
    };
    let household = RawPerson { given_names: "".into(), ..only_address };
    for (what, raw) in
        [("nothing", RawPerson::default()), ("only a name", only_name), ("a household", household)]
    {
        assert!(keys(&raw, "default").is_empty(), "{what}");
    }
}

#[test]
fn a_person_costs_few_keys() {
    let with_bsn = edited(|raw| raw.bsn = "999993653".into());
    for (list, most) in [("default", 8), ("precise", 8), ("strict", 6)] {
        assert_eq!(keys(&with_bsn, list).len(), most, "{list}");
    }
}

#[test]
fn debug_and_errors_show_no_one() {
    let person = Person::parse(&raw(), TODAY).unwrap();
    let shown = format!("{:?} {:?} {:?}", person, raw(), keys(&raw(), "default"));
    for secret in ["Sanne", "sa", "Berg", "2014", "3581"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

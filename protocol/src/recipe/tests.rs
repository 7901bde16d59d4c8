use std::collections::BTreeSet;

use super::{MatchKey, Part, Recipe, RecipeError, RecipeList, match_keys};

use crate::id::{NetworkId, RecipeId};
use crate::identifier::{Person, RawPerson};
use crate::secret::Secret;
use crate::time::Day;

/// 2026-08-21.
const TODAY: Day = Day::from_days(20_686);

type Edit = fn(&mut RawPerson);

const LISTS: [&str; 3] = ["default", "precise", "strict"];

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

/// At least two of birth date, name and place; and always the full birth date, the given name, or surname, initial and
/// whole address together.
#[test]
fn every_recipe_suffices_alone() {
    for recipe in Recipe::ALL.into_iter().filter(|recipe| *recipe != Recipe::Bsn) {
        let has = |wanted: &[Part]| recipe.definition().2.iter().any(|part| wanted.contains(part));
        let whole_date = has(&[Part::Birth, Part::BirthCertain, Part::Date, Part::DateCertain]);
        let date = whole_date || has(&[Part::Generation, Part::Grown, Part::Birthday]);
        let starts = has(&[Part::NameInitial, Part::Starts2, Part::Starts3, Part::Starts4]);
        let given = starts || has(&[Part::Given, Part::Names]);
        let name = given || has(&[Part::Family, Part::FamilyInitial, Part::AnyStart2, Part::AnyStart3]);
        let place = has(&[Part::Postcode, Part::PostcodeNear, Part::AreaNear, Part::House]);
        assert!(u8::from(date) + u8::from(name) + u8::from(place) >= 2, "{recipe}");
        let postcode = has(&[Part::Postcode, Part::PostcodeNear, Part::AreaNear]);
        let initial_at_address = has(&[Part::FamilyInitial]) && postcode && has(&[Part::House]);
        assert!(whole_date || given || initial_at_address, "{recipe}");
        // A date that offices write for an unknown one is shared by strangers: it needs a place beside it.
        assert!(place || !has(&[Part::Birth, Part::Date]), "{recipe}");
    }
}

#[test]
fn the_lists_keep_what_they_promise() {
    let each = |list: &str| {
        let recipes = RecipeList::named(list).unwrap().recipes().to_vec();
        recipes
            .into_iter()
            .filter(|recipe| *recipe != Recipe::Bsn)
            .map(|recipe| (recipe, recipe.definition().2))
    };
    for (recipe, parts) in each("precise") {
        let age = |part: &Part| matches!(part, Part::Birth | Part::DateCertain | Part::Generation);
        assert!(parts.len() >= 2 && parts.iter().any(age), "{recipe}");
    }
    for (recipe, parts) in each("strict") {
        assert!(parts.contains(&Part::Given), "{recipe}");
        assert!(parts.iter().any(|part| matches!(part, Part::Date | Part::DateCertain)), "{recipe}");
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
    let recipes = Recipe::ALL.map(|recipe| recipe.id());
    let person = Person::parse(&edited(|raw| raw.bsn = "999993653".into()), TODAY).unwrap();
    let values: Vec<(String, String)> = match_keys(&person, &RecipeList::from_ids(&recipes).unwrap())
        .iter()
        .map(|key| (key.recipe().to_string(), key.value().to_owned()))
        .collect();
    let expected = [
        ("birth-name-initial", "2:20140523|begrg|s"),
        ("birth-name-initial", "2:20140523|b|saene"),
        ("birth-postcode", "2:20140523|1358CD"),
        ("birth-start-house", "2:20140523|ber|12"),
        ("birth-start-house", "2:20140523|san|12"),
        ("birth-start-postcode", "2:20140523|be|1358CD"),
        ("birth-start-postcode", "2:20140523|sa|1358CD"),
        ("bsn", "2:999993653"),
        ("date-starts", "2:20140523|be|sa"),
        ("family-initial-address", "2:s|begrg|2|1358|12"),
        ("given-birth-house", "2:sanne|20140523|12"),
        ("given-birth-postcode", "2:sanne|20140523|3581CD"),
        ("names-age-postcode", "2:berg|sane|8|1358CD"),
        ("names-birth", "2:sanne|begrg|20140523"),
        ("names-birthday", "2:begrg|saene|0523"),
        ("names-postcode", "2:ber|san|3581CD"),
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
        b"\x00\x03bsn\x00\x0b2:999993653",
    ];
    assert_eq!(input, expected.concat());
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
        for list in LISTS {
            assert!(!meet(&raw(), &edited(edit), list), "{what} ({list})");
        }
    }
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
    let dateless = edited(|raw| raw.birth_date = "".into());
    for (list, most, most_without_date) in [("default", 9, 3), ("precise", 7, 10), ("strict", 4, 0)] {
        assert_eq!(
            (keys(&with_bsn, list).len(), keys(&dateless, list).len()),
            (most, most_without_date),
            "{list}"
        );
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

mod confusion;
mod phenomena;

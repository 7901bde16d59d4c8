//! One test line for each way in which partners write one person differently: which lists still meet.

use super::{Edit, LISTS, RawPerson, edited, meet, raw};

/// What, the two records, and whether `default`, `precise` and `strict` meet.
type Line = (&'static str, Edit, Edit, [bool; 3]);

const ALL: [bool; 3] = [true, true, true];
const LOOSE: [bool; 3] = [true, true, false];
const DEFAULT: [bool; 3] = [true, false, false];
const NONE: [bool; 3] = [false; 3];

fn check(lines: &[Line]) {
    for (what, one, other, expected) in lines {
        for (list, expected) in LISTS.iter().zip(expected) {
            assert_eq!(meet(&edited(one), &edited(other), list), *expected, "{what} ({list})");
        }
    }
}

/// So that only the name, or only one other field, can make them meet.
fn moved(raw: &mut RawPerson) {
    (raw.postal_code, raw.house_number) = ("9711 LM".into(), "3".into());
}

fn named(raw: &mut RawPerson, given: &str, prefix: &str, family: &str) {
    (raw.given_names, raw.name_prefix, raw.family_name) = (given.into(), prefix.into(), family.into());
}

/// Spellings of one name, of someone who moved house: `default` and `precise` meet, and `strict` does where the given
/// name is written alike.
fn names_meet(spellings: &[(&str, &str, &str)]) {
    for (given, prefix, family) in spellings {
        let mut one = raw();
        named(&mut one, spellings[0].0, spellings[0].1, spellings[0].2);
        let mut other = raw();
        named(&mut other, given, prefix, family);
        moved(&mut other);
        let plain = |name: &str| deunicode::deunicode(name).to_lowercase().replace(' ', "");
        let alike = plain(given) == plain(spellings[0].0);
        for (list, expected) in LISTS.into_iter().zip([true, true, alike]) {
            assert_eq!(meet(&one, &other, list), expected, "{given} {prefix} {family} ({list})");
        }
    }
}

#[test]
fn prefixes_however_written() {
    names_meet(&[
        ("Sanne", "van der", "Berg"),
        ("Sanne", "", "van der Berg"),
        ("Sanne", "v.d.", "Berg"),
        ("Sanne", "v/d", "Berg"),
        ("Sanne", "vd", "Berg"),
        ("Sanne", "", "Berg, van der"),
        ("Sanne", "", "Berg v.d."),
        ("Sanne", "", "vdBerg"),
        ("Sanne", "", "Berg"),
    ]);
}

#[test]
fn dutch_spellings() {
    names_meet(&[
        ("Thijs", "van", "Dijk"),
        ("Tijs", "van", "Dyk"),
        ("Thys", "", "Dijck"),
        ("Matthijs", "van", "Dijk"),
    ]);
    names_meet(&[("Zoë", "", "Kuijpers"), ("Zoe", "", "Kuypers"), ("ZOË", "", "KUIPERS")]);
    names_meet(&[("André", "de", "Wit"), ("Andre", "De", "Wit"), ("ANDRE", "", "de Witt")]);
}

#[test]
fn double_and_married_names_in_either_order() {
    for list in LISTS {
        let mut double = raw();
        named(&mut double, "Sanne", "", "Jansen-van den Berg");
        for family in
            ["van den Berg-Jansen", "Jansen", "van den Berg", "Berg e/v Jansen", "Jansen geb. van den Berg"]
        {
            let mut other = raw();
            named(&mut other, "Sanne", "", family);
            moved(&mut other);
            assert!(meet(&double, &other, list), "{family} ({list})");
        }
    }
}

#[test]
fn call_names_and_transliterations() {
    names_meet(&[("Johannes", "", "Bakker"), ("Jan", "", "Bakker"), ("Hans", "", "Bakker")]);
    names_meet(&[("Petrus", "", "Bakker"), ("Piet", "", "Bakker"), ("Peter", "", "Bakker")]);
    names_meet(&[("Cornelis", "", "Bakker"), ("Kees", "", "Bakker"), ("Cees", "", "Bakker")]);
    names_meet(&[
        ("Mohamed", "El", "Idrissi"),
        ("Mohammed", "", "El Idrissi"),
        ("Muhammad", "", "Elidrissi"),
    ]);
    names_meet(&[("Yusuf", "", "Şahin"), ("Joesoef", "", "Sahin"), ("Youssef", "", "Shahin")]);
    names_meet(&[("Khadija", "Ben", "Ali"), ("Chadija", "", "Benali"), ("Khadidja", "", "Ben Ali")]);
    names_meet(&[("Rachid", "", "Bouzidi"), ("Rashid", "", "Bouzidi")]);
    names_meet(&[("Jamal", "", "Hamdaoui"), ("Djamal", "", "Hamdawi"), ("Cemal", "", "Hamdaoui")]);
    names_meet(&[("Marko", "", "Petrović"), ("Marko", "", "Petrovic"), ("Marko", "", "Petrovitsj")]);
    names_meet(&[("Zofia", "", "Kowalska"), ("Sofia", "", "Kowalski"), ("Sofija", "", "Kovalska")]);
    names_meet(&[("Radjesh", "", "Soekhai"), ("Rajesh", "", "Sukhai")]);
    names_meet(&[("Abdelkader", "", "Oulad"), ("Abdel Kader", "", "Oulad"), ("Abdoelkader", "", "Oulad")]);
}

#[test]
fn initials_and_missing_names() {
    check(&[
        ("only initials", |_| {}, |raw| raw.given_names = "S.M.".into(), LOOSE),
        (
            "only initials, no birth date",
            |_| {},
            |raw| (raw.given_names, raw.birth_date) = ("S.M.".into(), "".into()),
            DEFAULT,
        ),
        (
            "only initials, moved",
            |_| {},
            |raw| {
                raw.given_names = "S.M.".into();
                moved(raw);
            },
            DEFAULT,
        ),
        ("newborn without a name", |_| {}, |raw| raw.given_names = "".into(), LOOSE),
        ("newborn called Baby", |_| {}, |raw| raw.given_names = "Baby".into(), LOOSE),
        ("no surname", |_| {}, |raw| (raw.name_prefix, raw.family_name) = ("".into(), "".into()), ALL),
        ("both names mistyped", |_| {}, |raw| named(raw, "Smne", "van der", "Brg"), DEFAULT),
        (
            "names in each other's column",
            |_| {},
            |raw| {
                named(raw, "van der Berg", "", "Sanne");
                moved(raw);
            },
            LOOSE,
        ),
    ]);
}

#[test]
fn birth_dates() {
    check(&[
        (
            "day and month swapped",
            |raw| raw.birth_date = "2014-05-06".into(),
            |raw| raw.birth_date = "2014-06-05".into(),
            LOOSE,
        ),
        (
            "swapped, and moved",
            |raw| raw.birth_date = "2014-05-06".into(),
            |raw| {
                raw.birth_date = "2014-06-05".into();
                moved(raw);
            },
            DEFAULT,
        ),
        (
            "another month, moved",
            |_| {},
            |raw| {
                raw.birth_date = "2014-06-23".into();
                moved(raw);
            },
            NONE,
        ),
        (
            "another year, moved",
            |_| {},
            |raw| {
                raw.birth_date = "2013-05-23".into();
                moved(raw);
            },
            DEFAULT,
        ),
        ("only the year", |_| {}, |raw| raw.birth_date = "2014-00-00".into(), LOOSE),
        ("none", |_| {}, |raw| raw.birth_date = "".into(), LOOSE),
        ("none on either side", |raw| raw.birth_date = "".into(), |raw| raw.birth_date = "".into(), LOOSE),
        ("1 January for the day", |_| {}, |raw| raw.birth_date = "2014-01-01".into(), LOOSE),
        (
            "none, and moved",
            |_| {},
            |raw| {
                raw.birth_date = "".into();
                moved(raw);
            },
            NONE,
        ),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("moved house", |_| {}, moved, ALL),
        ("no address", |_| {}, |raw| (raw.postal_code, raw.house_number) = ("".into(), "".into()), ALL),
        (
            "suffix in the number",
            |_| {},
            |raw| {
                (raw.house_number, raw.house_number_suffix) = ("12-A".into(), "".into());
                raw.given_names = "".into();
            },
            LOOSE,
        ),
        (
            "postal code mistyped",
            |_| {},
            |raw| {
                raw.postal_code = "3518 CD".into();
                raw.birth_date = "".into();
            },
            LOOSE,
        ),
    ]);
}

/// Families meet through any shared person; a household, a street and an institution are never one.
#[test]
fn who_lives_together_stays_apart() {
    check(&[
        (
            "sibling",
            |_| {},
            |raw| (raw.given_names, raw.birth_date) = ("Daan".into(), "2016-02-11".into()),
            NONE,
        ),
        (
            "sibling with the same initial, which stands for the family",
            |_| {},
            |raw| (raw.given_names, raw.birth_date) = ("Sem".into(), "2016-02-11".into()),
            DEFAULT,
        ),
        (
            "parent",
            |_| {},
            |raw| (raw.given_names, raw.birth_date) = ("Karin".into(), "1985-02-11".into()),
            NONE,
        ),
        (
            "resident",
            |_| {},
            |raw| {
                named(raw, "Emir", "", "Yilmaz");
                raw.birth_date = "2014-05-24".into();
            },
            NONE,
        ),
        (
            "residents of one given name",
            |_| {},
            |raw| {
                named(raw, "Sanne", "", "Yilmaz");
                raw.birth_date = "2013-05-24".into();
            },
            NONE,
        ),
        (
            "residents born on 1 January",
            |raw| {
                named(raw, "Amina", "", "Haddad");
                raw.birth_date = "1990-01-01".into();
            },
            |raw| {
                named(raw, "Tesfay", "", "Gebre");
                (raw.birth_date, raw.house_number) = ("1990-01-01".into(), "".into());
            },
            NONE,
        ),
    ]);
}

#[test]
fn twins_and_namesakes_stay_apart_where_the_list_says_so() {
    check(&[
        ("twin", |_| {}, |raw| raw.given_names = "Daan".into(), LOOSE),
        ("father with the same name", |_| {}, |raw| raw.birth_date = "1984-02-11".into(), DEFAULT),
        ("namesakes of one age at one address", |_| {}, |raw| raw.birth_date = "2013-02-11".into(), LOOSE),
        (
            "namesakes elsewhere",
            |_| {},
            |raw| {
                raw.birth_date = "2013-02-11".into();
                moved(raw);
            },
            NONE,
        ),
        (
            "namesakes born on 1 January",
            |raw| raw.birth_date = "1990-01-01".into(),
            |raw| {
                raw.birth_date = "1990-01-01".into();
                moved(raw);
            },
            NONE,
        ),
    ]);
}

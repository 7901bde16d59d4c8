use super::{Field, FieldError, Person, Problem, RawPerson, Role};
use crate::codec::{self, Wire};
use crate::time::Day;

/// 2026-08-21.
const TODAY: Day = Day::from_days(20_686);

fn raw() -> RawPerson {
    RawPerson {
        role: " Child".into(),
        bsn: "999993653".into(),
        given_names: "Chloe\u{308} ".into(),
        name_prefix: "de".into(),
        family_name: "Wit".into(),
        birth_date: "01-02-2015".into(),
        postal_code: "3581 cd".into(),
        house_number: "12".into(),
        house_number_suffix: "a".into(),
    }
}

impl Wire for Person {
    const MAX_LEN: usize = 8192;
}

#[test]
fn a_person_gives_back_what_was_typed() {
    let person = Person::parse(&raw(), TODAY).unwrap();
    let typed = person.typed();
    assert_eq!((typed.role.as_str(), typed.given_names.as_str()), ("child", "Chloë"));
    assert_eq!((typed.birth_date.as_str(), typed.postal_code.as_str()), ("01-02-2015", "3581 cd"));
    assert_eq!(person.role(), Role::Child);
    assert_eq!(person.bsn().unwrap().as_str(), "999993653");
    let without = person.without_bsn();
    assert!(without.bsn().is_none() && without.typed().bsn.is_empty());
}

#[test]
fn empty_cells_and_fillers_are_no_problem() {
    let person = Person::parse(&RawPerson::default(), TODAY).unwrap();
    assert_eq!(person.role(), Role::Other);
    let fillers =
        RawPerson { bsn: "-".into(), birth_date: "onbekend".into(), house_number: "?".into(), ..raw() };
    let person = Person::parse(&fillers, TODAY).unwrap();
    assert!(person.bsn().is_none() && person.birth_date().is_none() && person.house_number().is_none());
}

#[test]
fn all_problems_are_told_at_once_and_without_the_values() {
    let wrong = RawPerson {
        role: "baas".into(),
        bsn: "999993654".into(),
        given_names: "404".into(),
        name_prefix: "de".into(),
        family_name: "911".into(),
        birth_date: "31-02-2015".into(),
        postal_code: "35811".into(),
        house_number: "twaalf".into(),
        house_number_suffix: "a!".into(),
    };
    let errors = Person::parse(&wrong, TODAY).unwrap_err();
    let expected = [
        (Field::Role, Problem::Role),
        (Field::Bsn, Problem::BsnTest),
        (Field::GivenNames, Problem::NoLetter),
        (Field::FamilyName, Problem::NoLetter),
        (Field::BirthDate, Problem::DateImpossible),
        (Field::PostalCode, Problem::PostalCode),
        (Field::HouseNumber, Problem::HouseNumber),
        (Field::HouseNumberSuffix, Problem::HouseNumberSuffix),
    ];
    assert_eq!(errors, expected.map(|(field, problem)| FieldError { field, problem }));
    let told: String = errors.iter().map(|error| format!("{error}; ")).collect();
    assert!(told.contains("birth_date does not exist in the calendar"), "{told}");
    for value in ["baas", "999993654", "404", "911", "2015", "35811", "twaalf", "a!"] {
        assert!(!told.contains(value), "{value} in {told}");
    }
    let long = RawPerson { given_names: "a".repeat(201), ..raw() };
    let error = FieldError { field: Field::GivenNames, problem: Problem::TooLong };
    assert_eq!(Person::parse(&long, TODAY), Err(vec![error]));
}

#[test]
fn golden_bytes_of_a_stored_person() {
    let raw = RawPerson { bsn: "999993653".into(), birth_date: "2015-02-01".into(), ..RawPerson::default() };
    let person = Person::parse(&raw, TODAY).unwrap();
    let mut expected = vec![1, 0xa9];
    for (name, value) in [
        ("role", ""),
        ("bsn", "999993653"),
        ("given_names", ""),
        ("name_prefix", ""),
        ("family_name", ""),
        ("birth_date", "2015-02-01"),
        ("postal_code", ""),
        ("house_number", ""),
        ("house_number_suffix", ""),
    ] {
        for text in [name, value] {
            expected.push(0x60 + u8::try_from(text.len()).unwrap());
            expected.extend_from_slice(text.as_bytes());
        }
    }
    assert_eq!(codec::encode(&person), expected);
    assert_eq!(codec::decode::<Person>(&expected), Ok(person));
}

#[test]
fn a_stored_person_is_checked_again() {
    let mut bytes = codec::encode(&Person::parse(&raw(), TODAY).unwrap());
    let at = bytes.windows(9).position(|window| window == b"999993653").unwrap();
    bytes[at + 8] = b'4';
    assert_eq!(codec::decode::<Person>(&bytes), Err(codec::CodecError::Value));
}

proptest::proptest! {
    #[test]
    fn what_was_accepted_is_stored_and_read_back(
        given_names in "\\PC{0,20}", family_name in "\\PC{0,20}", birth_date in "[0-9/-]{0,10}",
        postal_code in "[0-9A-Z ]{0,7}", house_number in "\\PC{0,6}", bsn in "[0-9. ]{0,11}",
    ) {
        let raw = RawPerson { given_names, family_name, birth_date, postal_code, house_number, bsn, ..raw() };
        if let Ok(person) = Person::parse(&raw, TODAY) {
            proptest::prop_assert_eq!(codec::decode::<Person>(&codec::encode(&person)), Ok(person));
        }
    }
}

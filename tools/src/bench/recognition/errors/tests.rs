use rand::SeedableRng;

use super::*;
use crate::bench::recognition::families::World;

fn some() -> (World, StdRng) {
    let mut rng = StdRng::seed_from_u64(3);
    (World::new(&mut rng, 300), rng)
}

#[test]
fn every_kind_occurs_and_changes_something() {
    let (world, mut rng) = some();
    for (kind, _, name) in Kind::ALL {
        let mut changed = 0;
        for person in &world.persons {
            let family = &world.families[person.family];
            let mut known = Known::of(&mut rng, person, family);
            let before = known.clone();
            apply(&mut rng, kind, &mut known, person, family);
            changed += usize::from(known != before);
        }
        assert!(changed > 10, "{name}: {changed}");
        assert_eq!(kind.name(), name);
    }
}

#[test]
fn noise_is_in_the_share_of_records_that_was_asked() {
    let (world, mut rng) = some();
    for noise in [0.0, 0.4, 1.0] {
        let mut with = 0;
        for person in &world.persons {
            let family = &world.families[person.family];
            let mut known = Known::of(&mut rng, person, family);
            with += usize::from(!make(&mut rng, noise, &mut known, person, family).is_empty());
        }
        let share = with as f64 / world.persons.len() as f64;
        assert!((share - noise).abs() < 0.05, "{noise}: {share}");
    }
}

#[test]
fn a_typing_error_is_one_step_away() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut forms = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let wrong = typed_wrong(&mut rng, "Fatima");
        assert!(wrong.chars().count().abs_diff(6) <= 1, "{wrong}");
        forms.insert(wrong);
    }
    assert!(forms.contains("Ftaima") && forms.contains("Faima") && forms.contains("Fattima"), "{forms:?}");
    assert_eq!(typed_wrong(&mut rng, "Bo"), "Bo");
}

#[test]
fn dates_stay_possible() {
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..1_000 {
        let (year, month, day) = wrong_digit(&mut rng, (2016, 2, 29));
        assert_ne!((year, month, day), (2016, 2, 29));
        assert!(Date { year, month, day }.is_possible());
    }
    assert_eq!(wrong_date(&mut rng, Kind::DaySwapped, (2016, 2, 29)), Some((2016, 2, 29)), "no month 29");
    assert_eq!(wrong_date(&mut rng, Kind::DaySwapped, (2016, 2, 9)), Some((2016, 9, 2)));
}

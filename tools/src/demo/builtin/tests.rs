use std::collections::{BTreeMap, BTreeSet};

use kring_node::caseload::{Caseload, read};
use kring_protocol::recipe::{MatchKey, RecipeList, match_keys};
use kring_protocol::time::Day;

use super::{BuiltIn, CaseAt, Pair, caseload, from_seed};

/// 2026-08-21.
const TODAY: Day = Day::from_days(20_686);

fn list(name: &str) -> RecipeList {
    RecipeList::named(name).unwrap()
}

fn read_all(built_in: &BuiltIn) -> Vec<(&'static str, Caseload)> {
    let read = |csv: &str| read(csv.as_bytes(), TODAY, &list("default")).unwrap();
    built_in.partners.iter().map(|partner| (partner.stem, read(&partner.csv))).collect()
}

/// Which cases of different partners share a match key, in the clear.
fn found(built_in: &BuiltIn, recipes: &RecipeList) -> BTreeSet<Pair> {
    let mut by_key: BTreeMap<MatchKey, BTreeSet<CaseAt>> = BTreeMap::new();
    for (stem, caseload) in read_all(built_in) {
        for case in &caseload.cases {
            for key in case.persons.iter().flat_map(|person| match_keys(person, recipes)) {
                let at = CaseAt { partner: stem.to_owned(), case: case.case_reference.clone() };
                by_key.entry(key).or_default().insert(at);
            }
        }
    }
    let mut pairs = BTreeSet::new();
    for cases in by_key.values() {
        for one in cases {
            let others = cases.iter().filter(|other| other.partner != one.partner);
            pairs.extend(others.map(|other| Pair::new(one.clone(), other.clone())));
        }
    }
    pairs
}

#[test]
fn the_default_recipes_find_the_truth_and_nothing_else() {
    let built_in = caseload();
    let comparison = built_in.truth.compare(&found(&built_in, &list("default")));
    assert_eq!((comparison.missing, comparison.unexpected), (vec![], vec![]));
    assert!(built_in.truth.len() >= 200, "{} true pairs", built_in.truth.len());
}

#[test]
fn the_comparison_can_fail() {
    let built_in = caseload();
    let strict = built_in.truth.compare(&found(&built_in, &list("strict")));
    assert!(!strict.missing.is_empty(), "the variants are too easy");
    assert!(strict.unexpected.is_empty());
    let invented = CaseAt { partner: "school".into(), case: "none".into() };
    let pair = Pair::new(invented.clone(), CaseAt { partner: "ggz".into(), ..invented });
    let comparison = built_in.truth.compare(&BTreeSet::from([pair.clone()]));
    assert_eq!((comparison.unexpected, comparison.missing.len()), (vec![pair], built_in.truth.len()));
}

#[test]
fn every_line_is_good_and_only_some_partners_have_test_bsns() {
    let built_in = caseload();
    let stems: Vec<&str> = built_in.partners.iter().map(|partner| partner.stem).collect();
    assert_eq!(stems, ["wijkteam", "school", "veilig-thuis", "politie", "ggz", "jeugdbescherming"]);
    let mut persons = 0;
    for ((stem, caseload), partner) in read_all(&built_in).into_iter().zip(&built_in.partners) {
        assert_eq!(caseload.problems, [], "{stem}");
        assert_eq!(caseload.cases.len(), partner.cases, "{stem}");
        assert!(partner.cases >= 50, "{stem}: {}", partner.cases);
        let all: Vec<_> = caseload.cases.iter().flat_map(|case| &case.persons).collect();
        let bsns: Vec<u32> = all.iter().filter_map(|person| person.bsn()?.as_str().parse().ok()).collect();
        assert!(bsns.iter().all(|bsn| (999_990_000..=999_999_999).contains(bsn)), "{stem}");
        let without = ["school", "politie", "ggz"].contains(&stem);
        assert!(
            if without { bsns.is_empty() } else { bsns.len() > all.len() / 2 && bsns.len() < all.len() },
            "{stem}"
        );
        persons += all.len();
    }
    assert!(persons >= 900, "{persons}");
}

#[test]
fn every_run_makes_the_same_caseload() {
    assert_eq!(caseload(), caseload());
}

#[test]
fn fewer_partners_have_the_truth_among_them() {
    let three = caseload().first(3);
    assert_eq!(three.partners.len(), 3);
    assert!(three.truth.len() > 20 && three.truth.len() < caseload().truth.len());
    let comparison = three.truth.compare(&found(&three, &list("default")));
    assert!(comparison.missing.is_empty() && comparison.unexpected.is_empty());
}

#[test]
fn it_is_no_luck_of_one_seed() {
    for seed in 0..10 {
        let built_in = from_seed(seed);
        let comparison = built_in.truth.compare(&found(&built_in, &list("default")));
        assert_eq!((comparison.missing, comparison.unexpected), (vec![], vec![]), "seed {seed}");
    }
}

#[test]
fn a_person_has_at_most_eight_keys_on_average_beside_the_bsn() {
    let all = read_all(&caseload());
    let persons: Vec<_> =
        all.iter().flat_map(|(_, read)| &read.cases).flat_map(|case| &case.persons).collect();
    // By names, birth date and address; who may use the BSN has one key more.
    let without_bsn = list("default").without_bsn();
    let keys: usize = persons.iter().map(|person| match_keys(person, &without_bsn).len()).sum();
    assert!(keys <= 8 * persons.len(), "{keys} keys of {} persons", persons.len());
}

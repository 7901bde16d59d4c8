//! The Dutch benchmark: what each recipe list finds of the truth, by recipe and by kind of error, and whom it
//! confuses.

use std::collections::{BTreeMap, HashSet};

use kring_protocol::identifier::RawPerson;
use kring_protocol::recipe::MatchKey;

use super::confusion::{Class, Relation};
use super::errors::Kind;
use super::febrl::{PEERS, compact};
use super::kring::keys_of;
use super::lists::List;
use super::peers::Fields;
use super::report::{Confused, ErrorRow, ListReport, Method, RecipeRow, RelationRow};
use super::score::{Pair, Score, Share, Subject, cases, equal, families, same_person, score_cases};
use super::views::{Benchmark, Record};

/// Cases generated of each class.
pub(crate) const CLASS_CASES: usize = 10_000;

/// Records as scoring sees them.
pub(crate) fn subjects(benchmark: &Benchmark) -> Vec<Subject> {
    let subject = |record: &Record| {
        let case = &benchmark.cases[record.case];
        Subject { partner: case.partner, case: record.case, person: record.person, family: case.family }
    };
    benchmark.records.iter().map(subject).collect()
}

/// Measures one list.
pub(crate) fn measure(benchmark: &Benchmark, list: &List) -> ListReport {
    let subjects = subjects(benchmark);
    let raws: Vec<&RawPerson> = benchmark.records.iter().map(|record| &record.raw).collect();
    let keys = keys_of(&raws, &list.recipes);
    let found = equal(&subjects, &keys);
    let total = Method::kring(list, score_cases(&subjects, &cases(&subjects, &found)), &keys);
    let persons = same_person(&subjects);
    ListReport {
        total,
        persons: Score::new(&persons, &found, |&(one, other)| subjects[one].family == subjects[other].family),
        without_keys: keys.iter().filter(|keys| keys.is_empty()).count(),
        recipes: by_recipe(&subjects, list, &keys),
        errors: by_error(benchmark, &persons, &found),
        relations: by_relation(benchmark, &subjects, &found),
        confused: Vec::new(),
    }
}

/// The peers on the same records.
pub(crate) fn peers(benchmark: &Benchmark) -> Vec<Method> {
    let subjects = subjects(benchmark);
    PEERS
        .into_iter()
        .map(|(name, key)| {
            let keys: Vec<Vec<String>> =
                benchmark.records.iter().map(|record| key(&fields(record)).into_iter().collect()).collect();
            Method::peer(name, score_cases(&subjects, &cases(&subjects, &equal(&subjects, &keys))))
        })
        .collect()
}

/// Before the partner's style, which only the peers would stumble over.
fn fields(record: &Record) -> Fields {
    let known = &record.known;
    let address = known.address.as_ref();
    Fields {
        given: known.given.clone(),
        family: format!("{} {}", known.prefix, known.family).trim().to_owned(),
        born: compact(known.born),
        postal_code: address.map_or_else(String::new, |at| at.postal_code.clone()),
        house: address.map_or_else(String::new, |at| at.house_number.to_string()),
    }
}

/// What each recipe finds alone, and what would be missed without it.
fn by_recipe(subjects: &[Subject], list: &List, keys: &[Vec<MatchKey>]) -> Vec<RecipeRow> {
    let only = |wanted: &dyn Fn(&MatchKey) -> bool| {
        let kept: Vec<Vec<&MatchKey>> =
            keys.iter().map(|keys| keys.iter().filter(|key| wanted(key)).collect()).collect();
        score_cases(subjects, &cases(subjects, &equal(subjects, &kept)))
    };
    let all = only(&|_| true);
    let row = |id: kring_protocol::id::RecipeId| {
        let without = only(&|key| *key.recipe() != id);
        RecipeRow {
            alone: only(&|key| *key.recipe() == id),
            only_by_it: all.recall.hits - without.recall.hits,
            wrong_only_by_it: wrong(&all) - wrong(&without),
            recipe: id.to_string(),
        }
    };
    list.recipes.ids().filter(|id| id.as_str() != "bsn").map(row).collect()
}

const fn wrong(score: &Score) -> usize {
    score.precision.of - score.precision.hits
}

/// Of the pairs of records of one person: how many are found where a kind of error is the only one in both, and where
/// it is among others.
fn by_error(benchmark: &Benchmark, persons: &HashSet<Pair>, found: &HashSet<Pair>) -> Vec<ErrorRow> {
    let mut counts: BTreeMap<Option<Kind>, [usize; 4]> = BTreeMap::new();
    for pair in persons {
        let hit = usize::from(found.contains(pair));
        let errors = [pair.0, pair.1].map(|record| benchmark.records[record].errors.as_slice()).concat();
        let mut kinds = errors.clone();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            add(&mut counts, None, [1, hit, 1, hit]);
        }
        for kind in kinds {
            let alone = usize::from(errors.len() == 1);
            add(&mut counts, Some(kind), [alone, alone * hit, 1, hit]);
        }
    }
    let row = |(kind, [alone, alone_hits, all, hits]): (Option<Kind>, [usize; 4])| ErrorRow {
        error: kind.map_or("none", Kind::name),
        alone: Share::new(alone_hits, alone),
        with_others: Share::new(hits, all),
    };
    counts.into_iter().map(row).collect()
}

fn add(counts: &mut BTreeMap<Option<Kind>, [usize; 4]>, kind: Option<Kind>, more: [usize; 4]) {
    let sums = counts.entry(kind).or_default();
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// Cases found that share nobody, by how the two persons are related by whom they were found.
fn by_relation(benchmark: &Benchmark, subjects: &[Subject], found: &HashSet<Pair>) -> Vec<RelationRow> {
    let truth = cases(subjects, &same_person(subjects));
    let families = families(subjects);
    let mut sorted: Vec<&Pair> = found.iter().collect();
    sorted.sort_unstable();
    let (mut seen, mut counts) = (HashSet::new(), BTreeMap::new());
    for &(one, other) in sorted {
        let case = super::score::pair(subjects[one].case, subjects[other].case);
        if truth.contains(&case) || !seen.insert(case) {
            continue;
        }
        let (a, b) = (benchmark.person(one), benchmark.person(other));
        let address = |family: usize| &benchmark.world.families[family].address;
        let relation = Relation::of(a, b, address(a.family) == address(b.family));
        *counts.entry((relation, families[&case.0] != families[&case.1])).or_default() += 1;
    }
    let row = |((relation, wrong), found): ((Relation, bool), usize)| RelationRow {
        relation: relation.name(),
        wrong,
        found,
    };
    counts.into_iter().map(row).collect()
}

/// How many of the generated cases of each class a list takes for one person, without and with noise.
pub(crate) fn confused(list: &List, seed: u64, noise: f64) -> Vec<Confused> {
    let count = |class: Class, noise: f64| {
        let pairs = class.generate(seed, CLASS_CASES, noise);
        let one = |pair: &&[RawPerson; 2]| {
            let keys = keys_of(&[&pair[0], &pair[1]], &list.recipes);
            keys[0].iter().any(|key| keys[1].contains(key))
        };
        Share::new(pairs.iter().filter(one).count(), pairs.len())
    };
    let row =
        |class: Class| Confused { class: class.name(), clean: count(class, 0.0), noisy: count(class, noise) };
    Class::ALL.map(row).into()
}

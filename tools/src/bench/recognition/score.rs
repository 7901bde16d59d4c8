//! Recall, precision and F1 of what equal keys find, with confidence bounds. Pure functions over numbers of records,
//! cases and persons: whose keys they are is the caller's business.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use serde::Serialize;

/// Two records or two cases, the smaller number first.
pub(crate) type Pair = (usize, usize);

/// What scoring knows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Records of one partner are not compared.
    pub(crate) partner: usize,
    pub(crate) case: usize,
    pub(crate) person: usize,
    pub(crate) family: usize,
}

/// A share of a number, with bounds that hold it in 95 of 100 cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) of: usize,
    pub(crate) hits: usize,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Share {
    /// `hits` of `of`, with Wilson's bounds; one for none of none.
    pub(crate) fn new(hits: usize, of: usize) -> Self {
        if of == 0 {
            return Self { of, hits, value: 1.0, low: 0.0, high: 1.0 };
        }
        const Z: f64 = 1.959_964; // two-sided 95 %
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let scale = 1.0 / (1.0 + Z * Z / n);
        let middle = (p + Z * Z / (2.0 * n)) * scale;
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() * scale;
        Self { of, hits, value: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }
}

/// How well the truth was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Score {
    /// Of the true pairs: those found.
    pub(crate) recall: Share,
    /// Of the pairs found that are true or wrong: the true ones.
    pub(crate) precision: Share,
    pub(crate) f1: f64,
    /// Pairs found of one family that share nobody: neither required nor wrong.
    pub(crate) neither: usize,
}

impl Score {
    /// Compares what was found with the truth; `neither` says of a pair that is not true whether it is not wrong
    /// either.
    pub(crate) fn new(truth: &HashSet<Pair>, found: &HashSet<Pair>, neither: impl Fn(&Pair) -> bool) -> Self {
        let hits = found.intersection(truth).count();
        let not_true: Vec<_> = found.difference(truth).collect();
        let neutral = not_true.iter().filter(|pair| neither(pair)).count();
        let recall = Share::new(hits, truth.len());
        let precision = Share::new(hits, hits + not_true.len() - neutral);
        let sum = recall.value + precision.value;
        let f1 = if hits == 0 { 0.0 } else { 2.0 * recall.value * precision.value / sum };
        Self { recall, precision, f1, neither: neutral }
    }
}

/// The records of different partners that have an equal key.
pub(crate) fn equal<K: Eq + Hash>(subjects: &[Subject], keys: &[Vec<K>]) -> HashSet<Pair> {
    let mut holders: HashMap<&K, Vec<usize>> = HashMap::new();
    for (record, keys) in keys.iter().enumerate() {
        for key in keys {
            holders.entry(key).or_default().push(record);
        }
    }
    let mut found = HashSet::new();
    for records in holders.values() {
        for (place, &one) in records.iter().enumerate() {
            let others = records[place + 1..]
                .iter()
                .filter(|other| subjects[**other].partner != subjects[one].partner);
            found.extend(others.map(|&other| pair(one, other)));
        }
    }
    found
}

/// The records of different partners that are one person's.
pub(crate) fn same_person(subjects: &[Subject]) -> HashSet<Pair> {
    equal(subjects, &subjects.iter().map(|subject| vec![subject.person]).collect::<Vec<_>>())
}

/// The cases of these records.
pub(crate) fn cases(subjects: &[Subject], records: &HashSet<Pair>) -> HashSet<Pair> {
    records.iter().map(|&(one, other)| pair(subjects[one].case, subjects[other].case)).collect()
}

/// The family of each case.
pub(crate) fn families(subjects: &[Subject]) -> BTreeMap<usize, usize> {
    subjects.iter().map(|subject| (subject.case, subject.family)).collect()
}

/// Scores pairs of cases.
pub(crate) fn score_cases(subjects: &[Subject], found: &HashSet<Pair>) -> Score {
    let families = families(subjects);
    let truth = cases(subjects, &same_person(subjects));
    Score::new(&truth, found, |(one, other)| families.get(one) == families.get(other))
}

/// In one order.
pub(crate) const fn pair(one: usize, other: usize) -> Pair {
    if one < other { (one, other) } else { (other, one) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partner, case, person, family.
    fn subjects(all: &[[usize; 4]]) -> Vec<Subject> {
        all.iter().map(|&[partner, case, person, family]| Subject { partner, case, person, family }).collect()
    }

    #[test]
    fn wilson_bounds_are_those_of_the_tables() {
        // Newcombe 1998, table I: 81 of 263, and 0 of 20.
        let share = Share::new(81, 263);
        assert!((share.low - 0.2553).abs() < 5e-5 && (share.high - 0.3662).abs() < 5e-5, "{share:?}");
        let none = Share::new(0, 20);
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 5e-5, "{none:?}");
        assert_eq!(Share::new(0, 0).value, 1.0);
    }

    #[test]
    fn a_true_pair_is_two_cases_that_share_a_person() {
        // Family 1: person 1 at partners 0 and 1 (cases 10, 20), person 2 at partner 2 only (case 30).
        // Family 2: person 3 at partners 0 and 1 (cases 11, 21).
        let all = subjects(&[
            [0, 10, 1, 1],
            [1, 20, 1, 1],
            [2, 30, 2, 1],
            [0, 11, 3, 2],
            [1, 21, 3, 2],
            [1, 21, 4, 2],
        ]);
        let truth = cases(&all, &same_person(&all));
        assert_eq!(truth, HashSet::from([(10, 20), (11, 21)]));
        let found = HashSet::from([(10, 20), (10, 30), (11, 20)]);
        let score = score_cases(&all, &found);
        assert_eq!((score.recall.hits, score.recall.of), (1, 2), "11 and 21 were missed");
        assert_eq!((score.precision.hits, score.precision.of), (1, 2), "11 and 20 are two families");
        assert_eq!(score.neither, 1, "10 and 30 are one family without a shared person");
        assert!((score.f1 - 0.5).abs() < 1e-9);
    }

    #[test]
    fn only_equal_keys_of_different_partners_are_found() {
        let all = subjects(&[[0, 0, 0, 0], [0, 1, 1, 1], [1, 2, 2, 2], [2, 3, 3, 3]]);
        let keys = [vec!["a", "b"], vec!["a"], vec!["a", "b"], vec![]];
        assert_eq!(equal(&all, &keys), HashSet::from([(0, 2), (1, 2)]));
        assert_eq!(score_cases(&all, &HashSet::new()).f1, 0.0);
    }
}

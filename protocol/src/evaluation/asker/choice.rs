//! Whom to ask: the set of holders with the fewest evaluations in all that gives every key enough answers.

use crate::evaluation::KeySpec;
use crate::id::MemberId;
use crate::oprf::MAX_HOLDERS;

/// `holders`, those in `preferred` first and in that order.
pub(super) fn by_preference(holders: &[MemberId], preferred: &[MemberId]) -> Vec<MemberId> {
    let mut ordered = holders.to_vec();
    let rank = |holder: &MemberId| preferred.iter().position(|other| other == holder).unwrap_or(usize::MAX);
    ordered.sort_by_key(rank);
    ordered
}

/// The holders to ask besides those already counted on: empty when none are needed, or when no set is enough.
///
/// `candidates` stand in order of preference. A covenant has at most [`MAX_HOLDERS`] key holders, so every set is
/// tried.
pub(super) fn cheapest(
    keys: &[&KeySpec],
    candidates: &[&MemberId],
    counts_on: impl Fn(&MemberId) -> bool,
) -> Vec<MemberId> {
    let candidates = &candidates[..candidates.len().min(usize::from(MAX_HOLDERS))];
    let members = |set: u32| {
        candidates
            .iter()
            .enumerate()
            .filter(move |(place, _)| set >> place & 1 == 1)
            .map(|(_, holder)| *holder)
    };
    let missing: Vec<(usize, &KeySpec)> = keys
        .iter()
        .map(|key| {
            let given = key.holders.iter().filter(|holder| counts_on(holder)).count();
            (usize::from(key.threshold).saturating_sub(given), *key)
        })
        .collect();
    let enough = |set: &u32| {
        let held = |key: &KeySpec| members(*set).filter(|holder| key.holders.contains(holder)).count();
        missing.iter().all(|(needed, key)| held(key) >= *needed)
    };
    let cost = |set: &u32| {
        let held = |holder: &MemberId| keys.iter().filter(|key| key.holders.contains(holder)).count();
        (members(*set).map(held).sum::<usize>(), *set)
    };
    let best = (0..1_u32 << candidates.len()).filter(enough).min_by_key(cost);
    best.map(|set| members(set).cloned().collect()).unwrap_or_default()
}

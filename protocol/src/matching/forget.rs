//! Forgetting an own case: its matches go, with everything that was said about them.
//!
//! One thing stays: which numbers messages took over a pair of mailboxes that other matches share, because an address is used
//! once. Not here: telling the other side, which the withdrawal of the submissions does.

use super::outbox::{Delivery, Pair};
use super::{Match, MatchKey, Matches};
use crate::id::Reference;

/// What came of [`Matches::forget`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Matches that are gone: their records are to be removed.
    pub removed: Vec<MatchKey>,
    /// Matches of other cases that changed: their records are to be stored.
    pub changed: Vec<MatchKey>,
}

impl Matches {
    /// Forgets all matches of the own case that the network knows by this reference.
    pub fn forget(&mut self, own: Reference) -> Forgotten {
        let of_case = |entry: &&Match| entry.own == own;
        let removed: Vec<_> = self.matches.values().filter(of_case).map(Match::key).collect();
        let gone: Vec<_> = removed.iter().filter_map(|key| self.matches.remove(key)).collect();
        for keys in self.by_mailbox.values_mut() {
            keys.retain(|key| !removed.contains(key));
        }
        self.by_mailbox.retain(|_, keys| !keys.is_empty());
        let mut changed = Vec::new();
        for (pair, next) in gone.iter().flat_map(numbers) {
            changed.extend(self.remember(&pair, next));
        }
        changed.sort();
        changed.dedup();
        Forgotten { removed, changed }
    }

    /// Another match that lives over this pair remembers its numbers.
    fn remember(&mut self, pair: &Pair, next: u32) -> Option<MatchKey> {
        let keys = self.by_mailbox.get(&pair.own)?;
        let shares = |key: &&MatchKey| self.matches.get(key).is_some_and(|entry| entry.has_met_over(pair));
        let key = keys.iter().find(shares)?.clone();
        let last = Delivery { pair: pair.clone(), n: next.checked_sub(1)?, receipted: true };
        self.matches.get_mut(&key)?.spend(last);
        Some(key)
    }
}

/// The pairs over which a match has spoken, each with the number after the last of its messages.
fn numbers(entry: &Match) -> Vec<(Pair, u32)> {
    let said = entry.said.iter().flat_map(|said| &said.deliveries);
    let said = said.map(|delivery| (delivery.pair.clone(), delivery.n + 1));
    said.chain(entry.spent.iter().map(|spent| (spent.pair.clone(), spent.next))).collect()
}

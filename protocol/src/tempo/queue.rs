//! What waits to be sent: each item once, each after its own random wait, in random order.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;

use rand_core::{CryptoRng, RngCore};

use crate::time::Timestamp;

/// A queue whose order tells nothing about when an item was added, beyond its longest wait.
///
/// With a longest wait of zero it is a plain queue: first in, first out.
pub struct Queue<T> {
    wait_secs: u32,
    known: HashSet<T>,
    /// Not due yet, by moment; the number tells equal moments apart.
    waiting: BTreeMap<(Timestamp, u64), T>,
    added: u64,
    /// Due, in the order in which they are taken.
    due: VecDeque<T>,
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({} waiting, {} due)", self.waiting.len(), self.due.len())
    }
}

impl<T: Clone + Eq + Hash> Queue<T> {
    /// An empty one. An item waits at most `wait_secs` seconds.
    #[must_use]
    pub fn new(wait_secs: u32) -> Self {
        let (waiting, due) = (BTreeMap::new(), VecDeque::new());
        Self { wait_secs, known: HashSet::new(), waiting, added: 0, due }
    }

    /// Adds an item with a wait of its own; one that is there already stays where it is.
    pub fn add(&mut self, item: T, now: Timestamp, rng: &mut (impl RngCore + CryptoRng)) {
        if !self.known.insert(item.clone()) {
            return;
        }
        if self.wait_secs == 0 {
            self.due.push_back(item);
            return;
        }
        let wait = rng.next_u64() % (u64::from(self.wait_secs) + 1);
        self.waiting.insert((now.plus_secs(wait), self.added), item);
        self.added += 1;
    }

    /// How many items are there, due or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes the next item that is due.
    pub fn take(&mut self, now: Timestamp, rng: &mut (impl RngCore + CryptoRng)) -> Option<T> {
        self.ripen(now, rng);
        let item = self.due.pop_front()?;
        self.known.remove(&item);
        Some(item)
    }

    /// Takes up to `max` items that are due, all of the group of the next one, in order.
    pub fn take_group<G: PartialEq>(
        &mut self,
        max: usize,
        group: impl Fn(&T) -> G,
        now: Timestamp,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Vec<T> {
        self.ripen(now, rng);
        let Some(first) = self.due.front().map(&group) else { return Vec::new() };
        let mut taken = Vec::new();
        while taken.len() < max && self.due.front().is_some_and(|item| group(item) == first) {
            taken.extend(self.due.pop_front());
        }
        taken.iter().for_each(|item| {
            self.known.remove(item);
        });
        taken
    }

    /// Takes up to `max` items that are due and wanted, in order; the others stay.
    pub fn take_wanted(
        &mut self,
        max: usize,
        wanted: impl Fn(&T) -> bool,
        now: Timestamp,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Vec<T> {
        self.ripen(now, rng);
        let (mut taken, mut rest) = (Vec::new(), VecDeque::with_capacity(self.due.len()));
        for item in self.due.drain(..) {
            if taken.len() < max && wanted(&item) {
                self.known.remove(&item);
                taken.push(item);
            } else {
                rest.push_back(item);
            }
        }
        self.due = rest;
        taken
    }

    /// Puts each item that has become due at a random place among those that are.
    fn ripen(&mut self, now: Timestamp, rng: &mut (impl RngCore + CryptoRng)) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            self.due.push_back(entry.remove());
            let (last, count) = (self.due.len() - 1, self.due.len() as u64);
            // Bias: below 2^-32 for any queue that fits in memory.
            let place = usize::try_from(rng.next_u64() % count).expect("below the length");
            self.due.swap(place, last);
        }
    }
}

//! A queue of work to be done once each, that counts what is waiting and what is being done.
//!
//! What is in it can always be found again from the store; the queue itself is memory only.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

/// Items waiting, each once, and the number of items taken and not yet done.
#[derive(Debug)]
pub struct Work<T> {
    state: Mutex<State<T>>,
    added: Notify,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    known: HashSet<T>,
    taken: usize,
}

impl<T> Default for Work<T> {
    fn default() -> Self {
        let state = State { waiting: VecDeque::new(), known: HashSet::new(), taken: 0 };
        Self { state: Mutex::new(state), added: Notify::new() }
    }
}

impl<T: Clone + Eq + Hash> Work<T> {
    /// Adds items that are not waiting already.
    pub fn add(&self, items: impl IntoIterator<Item = T>) {
        let mut state = self.lock();
        for item in items {
            if state.known.insert(item.clone()) {
                state.waiting.push_back(item);
            }
        }
        drop(state);
        self.added.notify_one();
    }

    /// Waits for items and takes up to `max`, the oldest first, all of the group of the first. They count as being
    /// done until [`Taken`] is dropped.
    pub async fn take<G: PartialEq>(&self, max: usize, group: impl Fn(&T) -> G) -> Taken<'_, T> {
        loop {
            if let Some(taken) = self.try_take(max, &group) {
                return taken;
            }
            self.added.notified().await;
        }
    }

    fn try_take<G: PartialEq>(&self, max: usize, group: impl Fn(&T) -> G) -> Option<Taken<'_, T>> {
        let mut state = self.lock();
        let first = group(state.waiting.front()?);
        let mut items = Vec::new();
        while items.len() < max && state.waiting.front().is_some_and(|item| group(item) == first) {
            let Some(item) = state.waiting.pop_front() else { break };
            state.known.remove(&item);
            items.push(item);
        }
        state.taken += items.len();
        Some(Taken { work: self, items })
    }

    /// How many items are waiting or being done.
    #[must_use]
    pub fn count(&self) -> usize {
        let state = self.lock();
        state.waiting.len() + state.taken
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("nobody panics while holding a queue")
    }
}

/// Items that are being done. Dropping it counts them as done; what failed is added again before that.
#[derive(Debug)]
pub struct Taken<'a, T: Clone + Eq + Hash> {
    work: &'a Work<T>,
    /// The items.
    pub items: Vec<T>,
}

impl<T: Clone + Eq + Hash> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.work.lock().taken -= self.items.len();
    }
}

#[cfg(test)]
mod tests {
    use super::Work;

    #[tokio::test]
    async fn counts_until_done_and_keeps_groups_together() {
        let work = Work::default();
        work.add([(1, 'a'), (1, 'b'), (2, 'c'), (1, 'a')]);
        assert_eq!(work.count(), 3);
        let taken = work.take(10, |item| item.0).await;
        assert_eq!(taken.items, [(1, 'a'), (1, 'b')]);
        assert_eq!(work.count(), 3);
        work.add([(1, 'a')]);
        assert_eq!(work.count(), 4, "asked for again while it is being done");
        drop(taken);
        assert_eq!(work.count(), 2);
    }
}

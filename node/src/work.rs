//! A queue of work to be done once each, that counts what is waiting and what is being done.
//!
//! What is in it can always be found again from the store; the queue itself is memory only.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use kring_protocol::tempo::Queue;
use rand::rngs::OsRng;
use tokio::sync::Notify;

use crate::clock::Time;

/// Items waiting, each once, and the number of items taken and not yet done.
#[derive(Debug)]
pub struct Work<T> {
    clock: Arc<dyn Time>,
    state: Mutex<State<T>>,
    added: Notify,
}

#[derive(Debug)]
struct State<T> {
    queue: Queue<T>,
    taken: usize,
}

impl<T: Clone + Eq + Hash> Work<T> {
    /// None yet. Each item waits a random time before it can be taken, at most `wait_secs` seconds.
    #[must_use]
    pub fn new(wait_secs: u32, clock: Arc<dyn Time>) -> Self {
        let state = State { queue: Queue::new(wait_secs), taken: 0 };
        Self { clock, state: Mutex::new(state), added: Notify::new() }
    }

    /// Adds items that are not waiting already.
    pub fn add(&self, items: impl IntoIterator<Item = T>) {
        let now = self.clock.now();
        let mut state = self.lock();
        items.into_iter().for_each(|item| state.queue.add(item, now, &mut OsRng));
        drop(state);
        self.added.notify_one();
    }

    /// Waits for items and takes up to `max`, the oldest first, all of the group of the first. They count as being
    /// done until [`Taken`] is dropped. For work whose items do not wait.
    pub async fn take<G: PartialEq>(&self, max: usize, group: impl Fn(&T) -> G) -> Taken<'_, T> {
        loop {
            let taken = self.taken(|queue| queue.take_group(max, &group, self.clock.now(), &mut OsRng));
            if !taken.items.is_empty() {
                return taken;
            }
            self.added.notified().await;
        }
    }

    /// Takes the next item that is due, if there is one.
    pub fn take_due(&self) -> Taken<'_, T> {
        self.taken(|queue| queue.take(self.clock.now(), &mut OsRng).into_iter().collect())
    }

    /// Takes up to `max` items that are due and wanted.
    pub fn take_wanted(&self, max: usize, wanted: impl Fn(&T) -> bool) -> Taken<'_, T> {
        self.taken(|queue| queue.take_wanted(max, wanted, self.clock.now(), &mut OsRng))
    }

    fn taken(&self, take: impl FnOnce(&mut Queue<T>) -> Vec<T>) -> Taken<'_, T> {
        let mut state = self.lock();
        let items = take(&mut state.queue);
        state.taken += items.len();
        drop(state);
        Taken { work: self, items }
    }

    /// How many items are waiting or being done.
    #[must_use]
    pub fn count(&self) -> usize {
        let state = self.lock();
        state.queue.len() + state.taken
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
    use std::sync::Arc;

    use super::Work;
    use crate::clock::Clock;

    #[tokio::test]
    async fn counts_until_done_and_keeps_groups_together() {
        let work = Work::new(0, Arc::new(Clock));
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

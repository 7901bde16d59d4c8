//! Failures slow down who fails: after a few, every further one doubles the wait. Nobody is ever locked out for good.
//!
//! Kept in memory, for names of accounts and for names that are none alike: otherwise the wait would tell which names
//! exist. A restart forgets; who can restart the node does not need to guess. An attempt counts when it begins, so that
//! a hundred at once are not a hundred for the price of one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kring_protocol::time::Timestamp;

/// Longest wait, in seconds.
pub(super) const LONGEST_WAIT: u64 = 15 * 60;
/// Failures are forgotten so many seconds after the last.
const MEMORY: u64 = 24 * 3_600;
/// Most entries; beyond it those go that were quiet longest.
const MOST: usize = 20_000;

/// Who tries: a hash of a name or an address.
pub(super) type Who = [u8; 16];

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: u64,
}

/// Attempts of one kind.
#[derive(Debug)]
pub(super) struct Attempts {
    /// So many failures cost nothing.
    free: u32,
    entries: Mutex<HashMap<Who, Failures>>,
}

impl Attempts {
    pub(super) fn new(free: u32) -> Self {
        Self { free, entries: Mutex::default() }
    }

    /// Begins an attempt, or says how many seconds it is too early.
    pub(super) fn begin(&self, who: Who, now: Timestamp) -> Result<(), u64> {
        let mut entries = self.lock();
        if entries.len() >= MOST && !entries.contains_key(&who) {
            make_room(&mut entries, now.secs());
        }
        let entry = entries.entry(who).or_default();
        if now.secs() >= entry.last.saturating_add(MEMORY) {
            *entry = Failures::default();
        }
        let ready = entry.last.saturating_add(self.wait(entry.count));
        if ready > now.secs() {
            return Err(ready - now.secs());
        }
        *entry = Failures { count: entry.count.saturating_add(1), last: now.secs() };
        Ok(())
    }

    /// The attempt was good: all failures are forgiven.
    pub(super) fn forgive(&self, who: &Who) {
        self.lock().remove(who);
    }

    /// The attempt was good, but says nothing of the others that `who` began.
    pub(super) fn take_back(&self, who: &Who) {
        if let Some(entry) = self.lock().get_mut(who) {
            entry.count = entry.count.saturating_sub(1);
        }
    }

    fn wait(&self, count: u32) -> u64 {
        match count.checked_sub(self.free) {
            None => 0,
            Some(beyond) => 1_u64.checked_shl(beyond).unwrap_or(LONGEST_WAIT).clamp(1, LONGEST_WAIT),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, Failures>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(entries: &mut HashMap<Who, Failures>, now: u64) {
    entries.retain(|_, entry| now < entry.last.saturating_add(MEMORY));
    let mut last: Vec<_> = entries.values().map(|entry| entry.last).collect();
    if last.len() < MOST {
        return;
    }
    let (_, middle, _) = last.select_nth_unstable(MOST / 10);
    let oldest = *middle;
    entries.retain(|_, entry| entry.last > oldest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn the_wait_doubles_and_has_an_end() {
        let attempts = Attempts::new(5);
        for _ in 0..5 {
            attempts.begin([1; 16], at(0)).unwrap();
        }
        let mut now = 0;
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_WAIT, LONGEST_WAIT] {
            assert_eq!(attempts.begin([1; 16], at(now)), Err(expected));
            now += expected;
            attempts.begin([1; 16], at(now)).unwrap();
        }
        attempts.begin([2; 16], at(now)).unwrap(); // somebody else does not wait
        assert!(attempts.begin([1; 16], at(now + LONGEST_WAIT)).is_ok()); // never for good
        attempts.forgive(&[1; 16]);
        attempts.begin([1; 16], at(now + LONGEST_WAIT)).unwrap();
    }

    #[test]
    fn a_day_later_all_is_forgotten() {
        let attempts = Attempts::new(0);
        for secs in [0, 10, 20] {
            attempts.begin([1; 16], at(secs)).unwrap();
        }
        assert!(attempts.begin([1; 16], at(21)).is_err());
        for _ in 0..1 {
            attempts.begin([1; 16], at(21 + MEMORY)).unwrap();
        }
        assert_eq!(attempts.begin([1; 16], at(21 + MEMORY)), Err(2));
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let attempts = Attempts::new(5);
        for number in 0..3 * MOST as u128 {
            attempts.begin(number.to_be_bytes(), at(number as u64 / 100)).unwrap();
        }
        assert!(attempts.lock().len() <= MOST);
    }
}

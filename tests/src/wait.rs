//! Waiting for other processes: for a condition and until a deadline, never for a time.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Asks until there is a value.
///
/// # Panics
/// When there is none after `within`; `what` says what was waited for.
pub fn until<T>(what: &str, within: Duration, attempt: impl FnMut() -> Option<T>) -> T {
    let found = within_time(within, attempt);
    found.unwrap_or_else(|| panic!("not within {} s: {what}", within.as_secs()))
}

/// Asks until there is a value or `within` is over.
pub fn within_time<T>(within: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(POLL);
    }
}

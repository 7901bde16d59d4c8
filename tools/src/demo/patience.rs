//! Waiting for other processes without waiting for ever.

use std::time::{Duration, Instant};

use crate::output::{Failure, note};

/// How long nothing at all may change before the demonstration says that it is stuck.
const STUCK: Duration = Duration::from_secs(180);
/// How often a wait says what it waits for.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Waits as long as something changes, and says now and then for what.
pub(super) struct Patience {
    seen: String,
    changed: Instant,
    said: Instant,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { seen: String::new(), changed: Instant::now(), said: Instant::now() }
    }

    /// # Errors
    /// When `state` has not changed for [`STUCK`].
    pub(super) fn on(
        &mut self,
        state: &impl std::fmt::Debug,
        what: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let now = format!("{state:?}");
        if now != self.seen {
            self.seen = now;
            self.changed = Instant::now();
        }
        if self.changed.elapsed() >= STUCK {
            return Err(Failure::Work(format!("nothing changed for {} s; {}", STUCK.as_secs(), what())));
        }
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            note(&what());
        }
        Ok(())
    }
}

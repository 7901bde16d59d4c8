//! The only place where the node reads the time.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;
use kring_protocol::time::Timestamp;
use rand::Rng;

/// What tells a node the time. The system's clock, but for a test program that brings its own.
pub trait Time: Debug + Send + Sync {
    /// Now, in whole seconds UTC.
    fn now(&self) -> Timestamp;

    /// Returns in the second `moment`, or at once when it has passed.
    fn until(&self, moment: Timestamp) -> BoxFuture<'_, ()>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

/// The clock is looked at again so often, because it may be set and machines sleep.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Clock {
    /// Now, in whole seconds UTC.
    #[must_use]
    pub fn now(self) -> Timestamp {
        Timestamp::from_secs(self.exactly().as_secs())
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    fn exactly(self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }
}

impl Time for Clock {
    fn now(&self) -> Timestamp {
        Self::now(*self)
    }

    /// At a random instant of that second: otherwise how far this machine's clock is off would tell its messages from
    /// those of others.
    fn until(&self, moment: Timestamp) -> BoxFuture<'_, ()> {
        let within = Duration::from_millis(rand::rngs::OsRng.gen_range(0..1_000));
        let instant = Duration::from_secs(moment.secs()) + within;
        Box::pin(async move {
            while let Some(left) = instant.checked_sub(self.exactly()).filter(|left| !left.is_zero()) {
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        })
    }
}

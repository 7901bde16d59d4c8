//! The system's clock: the only place where a node learns what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use kring_protocol::time::Timestamp;

/// Now. A clock set before 1970 counts as 1970; members refuse such a node's messages anyway.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the door through which time enters")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs(since.as_secs())
}

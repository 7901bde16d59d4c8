//! Counters of the network. Plain numbers; exporting them is `api`'s.

use std::sync::atomic::{AtomicU64, Ordering};

/// What went by since the start. Monotonic, readable at any time.
#[derive(Debug, Default)]
pub struct NetworkMetrics {
    /// Requests sent to members.
    pub requests_out: AtomicU64,
    /// Requests of ours that failed, for whatever reason.
    pub requests_out_failed: AtomicU64,
    /// Requests of members handed to the node.
    pub requests_in: AtomicU64,
    /// Requests of members closed unanswered because a limit or the queue was full.
    pub requests_in_refused: AtomicU64,
    /// Bytes of requests and responses sent, without framing and encryption.
    pub bytes_out: AtomicU64,
    /// Bytes of requests and responses received, without framing and encryption.
    pub bytes_in: AtomicU64,
    /// Connections of keys that are not in the covenant, closed after their handshake.
    pub strangers_refused: AtomicU64,
    /// Connections closed because their member or the address they came from had too many.
    pub connections_refused: AtomicU64,
    /// Dials started.
    pub dials: AtomicU64,
    /// Dials that reached no one.
    pub dials_failed: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    add(counter, 1);
}

pub(super) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

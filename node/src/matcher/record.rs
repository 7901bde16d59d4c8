//! What a matcher stores besides live submissions and announcements, which `kring_protocol::meeting` defines.

use kring_protocol::codec::{Bytes, Wire};
use kring_protocol::id::MemberId;
use kring_protocol::relay::Ticket;
use kring_protocol::secret::Secret;
use kring_protocol::sign::Signature;
use kring_protocol::submission::Sha256;
use kring_protocol::time::Day;
use serde::{Deserialize, Serialize};

/// What is kept of a submission for a trace: erased together with it, or a few days later if it had met somebody.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) plaintext: Bytes,
    pub(super) sealed: Sha256,
    pub(super) relay: MemberId,
    pub(super) signature: Signature,
    pub(super) ticket: Ticket,
    pub(super) day: Day,
}

impl Wire for Kept {
    const MAX_LEN: usize = 4_096;
}

/// What a withdrawn mailbox leaves behind until its expiry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    pub(super) until: Day,
    /// The last day on which what a trace needs of it is kept; none when nothing is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) kept: Option<Day>,
}

impl Wire for Ended {
    const MAX_LEN: usize = 64;
}

/// A sealed request that was taken in: its day and outcome, for the same receipt again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) day: Day,
    pub(super) held: bool,
}

impl From<Seen> for (Day, bool) {
    fn from(seen: Seen) -> Self {
        (seen.day, seen.held)
    }
}

impl Wire for Seen {
    const MAX_LEN: usize = 64;
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct StoredKey(#[serde(with = "kring_protocol::secret::stored")] pub(super) Secret<32>);

impl Wire for StoredKey {
    const MAX_LEN: usize = 64;
}

//! Requests that may come again: each is done once, however often it comes, and however many come at once.
//!
//! A caller marks a request with a key of its own (`Idempotency-Key`). What it changed and its mark are one commit, so
//! after a crash either both stand or neither. A caller's keys are its own: two callers may choose the same one.
//!
//! ```text
//! let first = match core.repeats.begin(core, &event, &["signals"], idempotency).await? {
//!     Once::First(first) => first,
//!     Once::Again(result) => return /* what stands recorded now of what `result` names */,
//! };
//! /* take other locks, check, fill the batch of the change */
//! first.note(core, &mut batch, id.as_bytes());
//! core.commit(batch, vec![event]).await?; // `first` lives until here
//! ```
//!
//! Not here: the header and the body ([`crate::api`]). The answer is not kept, as it may name somebody; only what is
//! needed to make it again.

use kring_protocol::codec::{self, Bytes, Wire};
use kring_protocol::field::join;
use kring_protocol::time::Day;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::api::{ApplicationError, Idempotency};
use crate::audit::Event;
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};

/// For so many days a request is recognised when it comes again.
pub const DAYS: u32 = 7;
/// Most bytes of [`First::note`]'s result.
pub const RESULT_MAX: usize = 64;
/// Requests with different keys seldom wait for each other.
const PLACES: usize = 64;

/// A request that was done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// Of its address and body, keyed: a body holds what can be guessed.
    hash: Bytes,
    /// When.
    day: Day,
    /// What the answer is made from.
    result: Bytes,
}

impl Wire for Answered {
    const MAX_LEN: usize = 192;
}

/// Keeps requests with one key apart.
#[derive(Debug)]
pub struct Repeats {
    places: [Mutex<()>; PLACES],
}

impl Default for Repeats {
    fn default() -> Self {
        Self { places: std::array::from_fn(|_| Mutex::new(())) }
    }
}

/// Whether a request came before.
#[derive(Debug)]
pub enum Once<'a> {
    /// It did not, or has no key: to be done.
    First(First<'a>),
    /// It was done; what was noted then.
    Again(Vec<u8>),
}

/// A request that is to be done now. Others with its key wait until this is dropped: after the commit, not before.
#[derive(Debug)]
#[must_use = "others with the key wait while it is held"]
pub struct First<'a> {
    mark: Option<Mark<'a>>,
}

#[derive(Debug)]
struct Mark<'a> {
    record: [u8; 16],
    hash: [u8; 16],
    _place: MutexGuard<'a, ()>,
}

impl Repeats {
    /// Whether this request of the event's actor, to this address (its operation and ids, without personal data), came
    /// before. To be called before any other lock is taken, and after it is known that the actor may.
    ///
    /// # Errors
    /// [`ApplicationError::IdempotencyKeyReused`]: the actor used the key for another request.
    pub async fn begin(
        &self,
        core: &Core,
        event: &Event,
        address: &[&str],
        idempotency: Option<Idempotency>,
    ) -> Result<Once<'_>, ApplicationError> {
        let Some(Idempotency { key, body_hash }) = idempotency else {
            return Ok(Once::First(First { mark: None }));
        };
        let actor = event.actor.map(|actor| *actor.as_bytes()).unwrap_or_default();
        let record = core.vault.index_key("answered").hash(&join(&[&actor, key.as_bytes()]));
        let address: Vec<_> = address.iter().map(|part| part.as_bytes()).collect();
        let asked = join(&[&join(&address), &body_hash]);
        let hash = core.vault.index_key("answered-request").hash(&asked);
        let place = self.places[usize::from(record[0]) % PLACES].lock().await;
        let known = core.store.get(Table::Answered, &record).map_err(|_| ApplicationError::Internal)?;
        // One that cannot be read is of an earlier version.
        match known.and_then(|bytes| codec::decode::<Answered>(&bytes).ok()) {
            Some(known) if known.hash.0 == hash => Ok(Once::Again(known.result.0)),
            Some(_) => Err(ApplicationError::IdempotencyKeyReused),
            None => Ok(Once::First(First { mark: Some(Mark { record, hash, _place: place }) })),
        }
    }

    /// Forgets the marks of old requests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(core: &Core) -> Result<(), StoreError> {
        let today = core.today();
        let mut batch = Batch::new();
        for (key, bytes) in core.store.scan_all(Table::Answered)? {
            let old = |answered: Answered| answered.day.plus(DAYS) < today;
            if codec::decode(&bytes).map_or(true, old) {
                batch.delete(Table::Answered, key);
            }
        }
        if batch.is_empty() { Ok(()) } else { core.commit(batch, Vec::new()).await }
    }
}

impl First<'_> {
    /// Puts the request's mark into the batch of what it changes, with what the answer can be made from again: an id or
    /// a count, never anybody's data.
    ///
    /// # Panics
    /// If `result` has more than [`RESULT_MAX`] bytes.
    pub fn note(&self, core: &Core, batch: &mut Batch, result: &[u8]) {
        assert!(result.len() <= RESULT_MAX, "an id or a few counts");
        let Some(Mark { record, hash, .. }) = &self.mark else { return };
        let answered =
            Answered { hash: Bytes(hash.to_vec()), day: core.today(), result: Bytes(result.to_vec()) };
        batch.put(Table::Answered, *record, codec::encode(&answered));
    }
}

#[cfg(test)]
mod tests;

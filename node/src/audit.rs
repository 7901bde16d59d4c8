//! The node's own audit log: an act and its entry are one commit.
//!
//! Records stand in the store, the tree is rebuilt in memory at start and checked against the newest checkpoint
//! given out. The tree that callers see holds durable entries only. Not here: what an entry may say
//! (`kring_protocol::log::entry`), other members' cosignatures, and export files.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kring_protocol::codec::{Wire, decode, encode};
use kring_protocol::log::checkpoint::Checkpoint;
use kring_protocol::log::entry::{Actor, Entry, Kind, Object, Outcome, QUARTER_SECS, Quarter, Record, Salt};
use kring_protocol::log::merkle::{Hash, Tree};
use kring_protocol::log::note::{Algorithm, KeyName, Note, NoteKey};
use kring_protocol::sign::SigningKey;
use kring_protocol::time::Timestamp;
use rand::RngCore as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::keystore::IndexKey;
use crate::store::{Batch, Store, StoreError, Table};

/// Under which the newest checkpoint given out is stored.
const CHECKPOINT_KEY: &[u8] = b"audit";
/// Most records that [`Audit::records`] reads at once.
pub const MAX_RECORDS: u64 = 1_000;

/// Why the log cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is missing or is not one.
    #[error("record {index} of the audit log is missing or damaged: restore a backup and tell the board")]
    Record {
        /// Its number.
        index: u64,
    },
    /// The records do not lead to the checkpoint that was given out, or it is not of this log.
    #[error("the audit log does not lead to its own checkpoint: restore a backup and tell the board")]
    Checkpoint,
}

/// An act to be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When; the log that others read holds the quarter-hour.
    pub time: Timestamp,
    /// What.
    pub kind: Kind,
    /// Who, see [`Audit::actor`]; none for the node itself.
    pub actor: Option<Actor>,
    /// On what.
    pub object: Option<Object>,
    /// How many.
    pub count: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// A record as it is stored: with the second, which stays inside and is not under the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalRecord {
    /// What is exported.
    pub record: Record,
    /// Second within the record's quarter-hour.
    second: u16,
}

impl Wire for LocalRecord {
    const MAX_LEN: usize = 256;
}

impl LocalRecord {
    fn new(event: &Event, salt: Salt) -> Self {
        let Event { time, kind, actor, object, count, outcome } = *event;
        let entry = Entry { time: Quarter::of(time), kind, actor, object, count, outcome };
        let second = u16::try_from(time.secs() % QUARTER_SECS).expect("a quarter has 900 seconds");
        Self { record: Record { salt, entry }, second }
    }

    /// When it happened, to the second.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.record.entry.time.start().plus_secs(self.second as u64)
    }
}

/// The node's audit log.
#[derive(Debug)]
pub struct Audit {
    store: Store,
    origin: KeyName,
    key: SigningKey,
    actors: IndexKey,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The durable entries.
    tree: Tree,
    /// Leaves that are numbered and on their way to the disk. The store commits in the order of numbering.
    coming: VecDeque<Hash>,
}

impl State {
    fn end(&self) -> u64 {
        self.tree.size() + self.coming.len() as u64
    }

    /// Everything before `end` is durable.
    fn advance(&mut self, end: u64) {
        while self.tree.size() < end {
            let Some(leaf) = self.coming.pop_front() else { return };
            self.tree.append(leaf);
        }
    }
}

impl Audit {
    /// Reads the log from `store` and checks it. `key` signs its checkpoints under the name `origin`; `actors` makes
    /// the pseudonyms.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn open(
        store: Store,
        origin: KeyName,
        key: SigningKey,
        actors: IndexKey,
    ) -> Result<Self, AuditError> {
        let mut tree = Tree::new();
        for row in store.scan(Table::Audit, &[]) {
            let (number, bytes) = row?;
            let index = tree.size();
            let damaged = AuditError::Record { index };
            if number != index.to_be_bytes() {
                return Err(damaged);
            }
            tree.append(decode::<LocalRecord>(&bytes).map_err(|_| damaged)?.record.leaf());
        }
        let audit =
            Self { store, origin, key, actors, state: Mutex::new(State { tree, ..State::default() }) };
        audit.check_against_checkpoint()?;
        Ok(audit)
    }

    fn check_against_checkpoint(&self) -> Result<(), AuditError> {
        let Some(text) = self.store.get(Table::Checkpoint, CHECKPOINT_KEY)? else { return Ok(()) };
        let note = String::from_utf8(text).ok().and_then(|text| text.parse::<Note>().ok());
        let note = note.ok_or(AuditError::Checkpoint)?;
        let verified = Checkpoint::verify(&note, &self.note_key()).map_err(|_| AuditError::Checkpoint)?;
        let Checkpoint { size, root, .. } = *verified.checkpoint();
        if self.lock().tree.root_at(size) == Some(root) { Ok(()) } else { Err(AuditError::Checkpoint) }
    }

    /// Commits `batch` and the entries for it together. When this returns, both are durable.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn commit(&self, mut batch: Batch, events: &[Event]) -> Result<(), StoreError> {
        batch.check()?;
        let turn = self.store.turn().await?;
        let (end, committed) = {
            let mut state = self.lock();
            for event in events {
                let row = LocalRecord::new(event, random_salt());
                batch.put(Table::Audit, state.end().to_be_bytes(), encode(&row));
                state.coming.push_back(row.record.leaf());
            }
            // Handed over under the lock: numbers and commits have one order.
            (state.end(), turn.commit(batch))
        };
        committed.await?;
        self.lock().advance(end);
        Ok(())
    }

    /// Signs the head of the log. It is stored before it is given out, so that a log cut back is noticed at start.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn checkpoint(&self) -> Result<Note, StoreError> {
        let turn = self.store.turn().await?;
        let (note, committed) = {
            let state = self.lock();
            let (origin, size, root) = (self.origin.clone(), state.tree.size(), state.tree.root());
            let note = Checkpoint { origin, size, root }.sign(&self.key);
            let mut batch = Batch::new();
            batch.put(Table::Checkpoint, CHECKPOINT_KEY, note.to_string());
            (note, turn.commit(batch))
        };
        committed.await?;
        Ok(note)
    }

    /// Number of durable entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.lock().tree.size()
    }

    /// The records numbered `from..to`, at most [`MAX_RECORDS`] of them and none beyond the end.
    ///
    /// # Errors
    /// [`AuditError::Record`] if one is damaged, [`AuditError::Store`].
    pub fn records(&self, from: u64, to: u64) -> Result<Vec<LocalRecord>, AuditError> {
        let to = to.min(self.size()).min(from.saturating_add(MAX_RECORDS));
        let read = |index: u64| {
            let bytes = self.store.get(Table::Audit, &index.to_be_bytes())?;
            bytes.and_then(|bytes| decode(&bytes).ok()).ok_or(AuditError::Record { index })
        };
        (from..to).map(read).collect()
    }

    /// Proof that entry `index` stands in the log of `size` entries; none if it does not.
    #[must_use]
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        self.lock().tree.inclusion_proof(index, size)
    }

    /// Proof that the log of `new` entries continues that of `old`; none if there never were so many.
    #[must_use]
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        self.lock().tree.consistency_proof(old, new)
    }

    /// The pseudonym in this log of the account with this id.
    #[must_use]
    pub fn actor(&self, account: &[u8]) -> Actor {
        Actor::from_bytes(self.actors.hash(account))
    }

    /// The public key that verifies this log's checkpoints.
    #[must_use]
    pub fn note_key(&self) -> NoteKey {
        NoteKey::new(self.origin.clone(), Algorithm::Ed25519, self.key.verifying_key())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_salt() -> Salt {
    let mut salt = [0; Salt::LEN];
    OsRng.fill_bytes(&mut salt);
    Salt::from_bytes(salt)
}

#[cfg(test)]
mod tests;

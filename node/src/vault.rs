//! The encrypted view of the store: which key seals which record, and where that key is kept.
//!
//! Every personal field and secret is sealed per record under a key from the slot file: one per case, one per matcher and
//! epoch, and one for each of the node's own tables. Erasing a slot makes its records noise.
//!
//! Not here: the files themselves ([`crate::keystore`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, RwLock};

use kring_protocol::codec::{self, Wire};
use kring_protocol::field::join;
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::secret::Secret;

use crate::cases::CaseId;
use crate::keystore::slots::{SlotFile, SlotId};
use crate::keystore::{IndexKey, KeyError, MasterKey, record};
use crate::store::{Batch, Store, StoreError, Table};

/// Names a key of the slot file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// A case's own key: erased with the case.
    Case(CaseId),
    /// What this member left at one matcher in one epoch: erased when the epoch ends.
    Left {
        /// The matcher.
        matcher: MemberId,
        /// The epoch.
        epoch: Epoch,
    },
    /// This member's matches.
    Matches,
    /// The matcher's own tables.
    Meeting,
    /// What leaves the node to people and systems.
    Outgoing,
    /// Complaints, and the answers of a holder of a trace key.
    Traces,
    /// The partner's people.
    People,
    /// Sessions, and how people of local accounts show who they are.
    SignIn,
    /// This node's key shares of one epoch, and what a ceremony keeps: erased when the epoch ends.
    Shares(Epoch),
}

impl KeyName {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Case(id) => join(&[b"case", id.0.as_bytes()]),
            Self::Left { matcher, epoch } => join(&[b"left", matcher.as_bytes(), &epoch.to_be_bytes()]),
            Self::Matches => join(&[b"matches"]),
            Self::Meeting => join(&[b"meeting"]),
            Self::Outgoing => join(&[b"outgoing"]),
            Self::Traces => join(&[b"traces"]),
            Self::People => join(&[b"people"]),
            Self::SignIn => join(&[b"sign-in"]),
            Self::Shares(epoch) => join(&[b"shares", &epoch.to_be_bytes()]),
        }
    }
}

/// Where a key stands, and the key once it has been read.
type Known = (SlotId, Option<Arc<Secret<32>>>);

/// The keys in use.
#[derive(Debug)]
pub struct Vault {
    master: MasterKey,
    slots: SlotFile,
    known: RwLock<BTreeMap<Vec<u8>, Known>>,
}

impl Vault {
    /// Opens the slot file at `path` and reads from `store` which slot is whose. Slots that belong to nobody, left by a
    /// crash between drawing a key and using it, are erased.
    ///
    /// # Errors
    /// [`StoreError`] or a damaged key file.
    pub fn open(store: &Store, path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let mut slots = SlotFile::open(path, &master)?;
        let mut known = BTreeMap::new();
        for (name, slot) in store.scan_all(Table::Slot)? {
            let slot: StoredSlot = codec::decode(&slot).map_err(|_| damaged(Table::Slot))?;
            known.insert(name, (slot.0, None));
        }
        let used: BTreeSet<_> = known.values().map(|(slot, _)| *slot).collect();
        slots.retain(&used)?;
        Ok(Self { master, slots, known: RwLock::new(known) })
    }

    /// The key for hashing identifiers of one kind.
    #[must_use]
    pub fn index_key(&self, domain: &str) -> IndexKey {
        self.master.index_key(domain)
    }

    /// Makes sure that these keys exist. They are durable at once; where they stand becomes so with `batch`, which the
    /// caller must commit before or together with anything sealed under them.
    ///
    /// # Errors
    /// A failing disk.
    pub fn prepare(&self, names: &[KeyName], batch: &mut Batch) -> Result<(), StoreError> {
        let mut known = self.known.write().expect("nobody panics while holding the keys");
        let missing: Vec<_> =
            names.iter().map(KeyName::to_bytes).filter(|name| !known.contains_key(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let fresh = self.slots.allocate(missing.len()).map_err(failed)?;
        for (name, (slot, key)) in missing.into_iter().zip(fresh) {
            batch.put(Table::Slot, name.clone(), codec::encode(&StoredSlot(slot)));
            known.insert(name, (slot, Some(Arc::new(key))));
        }
        Ok(())
    }

    /// Erases keys for good: when this returns, every record under them is noise.
    ///
    /// # Errors
    /// A failing disk.
    pub fn erase(&self, names: &[KeyName], batch: &mut Batch) -> Result<(), StoreError> {
        let mut known = self.known.write().expect("nobody panics while holding the keys");
        let mut slots = Vec::new();
        for name in names.iter().map(KeyName::to_bytes) {
            if let Some((slot, _)) = known.remove(&name) {
                batch.delete(Table::Slot, name);
                slots.push(slot);
            }
        }
        self.slots.erase(&slots).map_err(failed)
    }

    /// Takes keys out of use. They are destroyed by [`Self::destroy`] once the batch is durable; if the node stops before
    /// that, by the next start.
    pub fn forget(&self, names: &[KeyName], batch: &mut Batch) -> Forgotten {
        let mut known = self.known.write().expect("nobody panics while holding the keys");
        let mut slots = Vec::new();
        for name in names.iter().map(KeyName::to_bytes) {
            if let Some((slot, _)) = known.remove(&name) {
                batch.delete(Table::Slot, name);
                slots.push(slot);
            }
        }
        Forgotten(slots)
    }

    /// Destroys keys for good: when this returns, every record under them is noise.
    ///
    /// # Errors
    /// A failing disk.
    #[allow(clippy::needless_pass_by_value, reason = "they are gone")]
    pub fn destroy(&self, keys: Forgotten) -> Result<(), StoreError> {
        self.slots.erase(&keys.0).map_err(failed)
    }

    /// Seals a record's value.
    ///
    /// # Errors
    /// When the key was never prepared, or its slot is damaged.
    pub fn seal_record(
        &self,
        name: &KeyName,
        table: Table,
        record_key: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        Ok(record::seal(&*self.key(name)?, table, record_key, plaintext))
    }

    /// Opens and decodes a record's value.
    ///
    /// # Errors
    /// When it does not open with this node's keys, or does not decode.
    pub fn open_record<T: Wire>(
        &self,
        name: &KeyName,
        table: Table,
        record_key: &[u8],
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let bytes = record::open(&*self.key(name)?, table, record_key, sealed).map_err(|_| damaged(table))?;
        codec::decode(&bytes).map_err(|_| damaged(table))
    }

    fn key(&self, name: &KeyName) -> Result<Arc<Secret<32>>, StoreError> {
        let bytes = name.to_bytes();
        let found = self.known.read().expect("nobody panics while holding the keys").get(&bytes).cloned();
        let (slot, cached) =
            found.ok_or_else(|| StoreError::Damaged("the key of a record is gone".to_owned()))?;
        if let Some(key) = cached {
            return Ok(key);
        }
        let key = Arc::new(self.slots.get(slot).map_err(failed)?);
        // Keys of cases are many and each is used seldom; the others are few and used all the time.
        if !matches!(name, KeyName::Case(_)) {
            let mut known = self.known.write().expect("nobody panics while holding the keys");
            known.insert(bytes, (slot, Some(Arc::clone(&key))));
        }
        Ok(key)
    }
}

/// Keys that are in use no more.
#[derive(Debug)]
#[must_use = "the keys are still there"]
pub struct Forgotten(Vec<SlotId>);

/// Why the keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct StoredSlot(SlotId);

impl Wire for StoredSlot {
    const MAX_LEN: usize = 16;
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: KeyError) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// The error for a record that this node wrote and cannot read.
#[must_use]
pub fn damaged(table: Table) -> StoreError {
    StoreError::Damaged(format!("a {} record does not open or read", table.name()))
}

#[cfg(test)]
mod tests;

//! The slotted key file: keys that can be erased one by one.
//!
//! Fixed slots of 64 bytes, so that a key is overwritten in place: the file (and a slot) begins at a multiple of 64,
//! and a write never crosses a disk block. Layout: a header (magic 16, version u32 big-endian, key check 16, zeros), then slots:
//! nonce 12, wrapped key 48, state 4 (1 when used); a free slot is all zeros.
//!
//! Order of things, so that a crash leaves a stray slot at worst: allocate, then commit the records that name the
//! slot; commit the records' removal, then erase. [`SlotFile::retain`] clears stray slots at start.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kring_protocol::crypto::{AEAD_NONCE_LEN, hmac_sha256_16, open, seal};
use kring_protocol::field::join;
use kring_protocol::label;
use kring_protocol::secret::Secret;
use rand::RngCore as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyError, MasterKey};
use crate::files::write_atomically;

const SLOT_LEN: usize = 64;
const MAGIC: &[u8; 16] = b"kring key slots\n";
const VERSION: u32 = 1;
const FREE: [u8; SLOT_LEN] = [0; SLOT_LEN];
const STATE_USED: [u8; 4] = [0, 0, 0, 1];
const STATE_AT: usize = SLOT_LEN - STATE_USED.len();

/// Where a key stands. Stored next to the records that are sealed under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlotId(u32);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl SlotId {
    fn offset(self) -> u64 {
        (u64::from(self.0) + 1) * SLOT_LEN as u64
    }
}

/// An open slot file. Its calls read and write the disk: milliseconds, not for a tight loop in async code.
#[derive(Debug)]
pub struct SlotFile {
    path: PathBuf,
    file: File,
    wrap: Secret<32>,
    room: Mutex<Room>,
}

/// Which slots are in use.
#[derive(Debug)]
struct Room {
    /// Free slots before `end`.
    free: BTreeSet<SlotId>,
    /// The first slot beyond the file.
    end: u32,
    /// A write or sync failed: what is on disk is not known.
    failed: bool,
}

impl SlotFile {
    /// Opens the file at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Format`], [`KeyError::WrongKey`].
    pub fn open(path: &Path, master: &MasterKey) -> Result<Self, KeyError> {
        let wrap = master.derive(label::SLOT, "");
        let io = || KeyError::io(path);
        let header = header(&wrap);
        if !path.try_exists().map_err(io())? {
            write_atomically(path, &header).map_err(io())?;
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io())?;
        let mut found = FREE;
        file.read_exact_at(&mut found, 0).map_err(|_| KeyError::Format(path.to_owned()))?;
        if found[..20] != header[..20] {
            return Err(KeyError::Format(path.to_owned()));
        }
        if found != header {
            return Err(KeyError::WrongKey(path.to_owned()));
        }
        let room = Mutex::new(survey(&file).map_err(io())?);
        Ok(Self { path: path.to_owned(), file, wrap, room })
    }

    /// Draws `count` keys. When this returns, they are durable.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Failed`].
    pub fn allocate(&self, count: usize) -> Result<Vec<(SlotId, Secret<32>)>, KeyError> {
        let mut room = self.lock()?;
        let written = (0..count).map(|_| self.write_key(&mut room)).collect();
        self.sync(&mut room, written)
    }

    fn write_key(&self, room: &mut Room) -> io::Result<(SlotId, Secret<32>)> {
        let slot = room.take()?;
        let key = Secret::random(&mut OsRng);
        let mut nonce = [0; AEAD_NONCE_LEN];
        OsRng.fill_bytes(&mut nonce);
        self.file.write_all_at(&wrapped(&self.wrap, slot, nonce, &key), slot.offset())?;
        Ok((slot, key))
    }

    /// The key in `slot`.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] if it was erased or is damaged.
    pub fn get(&self, slot: SlotId) -> Result<Secret<32>, KeyError> {
        let no_key = || KeyError::NoKey(slot);
        let mut bytes = FREE;
        self.file.read_exact_at(&mut bytes, slot.offset()).map_err(|_| no_key())?;
        let (sealed, state) = bytes.split_at(STATE_AT);
        if state != STATE_USED {
            return Err(no_key());
        }
        let (nonce, sealed) = sealed.split_first_chunk().ok_or_else(no_key)?;
        let key = open(&self.wrap, *nonce, &place(slot), sealed).map(Zeroizing::new).map_err(|_| no_key())?;
        Secret::try_from(key.as_slice()).map_err(|_| no_key())
    }

    /// Erases keys. When this returns, every record under them is unreadable for good.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Failed`].
    pub fn erase(&self, slots: &[SlotId]) -> Result<(), KeyError> {
        let mut room = self.lock()?;
        let slots: Vec<_> = slots.iter().filter(|slot| slot.0 < room.end).collect();
        let written = slots.iter().try_for_each(|slot| self.file.write_all_at(&FREE, slot.offset()));
        self.sync(&mut room, written)?;
        room.free.extend(slots); // only now: a slot that is not surely erased must not be given out
        Ok(())
    }

    /// Erases every key that is not in `used` and says how many; for the start, before anything is allocated.
    ///
    /// # Errors
    /// As [`SlotFile::erase`].
    pub fn retain(&mut self, used: &BTreeSet<SlotId>) -> Result<usize, KeyError> {
        let room = self.room.get_mut().unwrap_or_else(PoisonError::into_inner);
        let all = (0..room.end).map(SlotId);
        let stray: Vec<_> = all.filter(|slot| !used.contains(slot) && !room.free.contains(slot)).collect();
        self.erase(&stray)?;
        Ok(stray.len())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Room>, KeyError> {
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if room.failed { Err(KeyError::Failed) } else { Ok(room) }
    }

    /// Makes durable what was written. After a failure nothing is written any more: the system may have dropped pages.
    fn sync<T>(&self, room: &mut Room, written: io::Result<T>) -> Result<T, KeyError> {
        let synced = written.and_then(|result| self.file.sync_all().map(|()| result));
        room.failed = synced.is_err();
        synced.map_err(KeyError::io(&self.path))
    }
}

impl Room {
    fn take(&mut self) -> io::Result<SlotId> {
        if let Some(slot) = self.free.pop_first() {
            return Ok(slot);
        }
        let slot = SlotId(self.end);
        self.end = self.end.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(slot)
    }
}

/// Finds the free slots. A last slot that a crash cut short is beyond the end and will be written anew.
fn survey(file: &File) -> io::Result<Room> {
    let count = (file.metadata()?.len() / SLOT_LEN as u64).saturating_sub(1);
    let end = u32::try_from(count).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut free = BTreeSet::new();
    let mut bytes = FREE;
    for slot in (0..end).map(SlotId) {
        file.read_exact_at(&mut bytes, slot.offset())?;
        if bytes == FREE {
            free.insert(slot);
        }
    }
    Ok(Room { free, end, failed: false })
}

fn header(wrap: &Secret<32>) -> [u8; SLOT_LEN] {
    let mut header = FREE;
    header[..16].copy_from_slice(MAGIC);
    header[16..20].copy_from_slice(&VERSION.to_be_bytes());
    header[20..36].copy_from_slice(&hmac_sha256_16(wrap.expose(), &join(&[label::SLOT, MAGIC])));
    header
}

fn wrapped(wrap: &Secret<32>, slot: SlotId, nonce: [u8; AEAD_NONCE_LEN], key: &Secret<32>) -> [u8; SLOT_LEN] {
    let mut bytes = FREE;
    bytes[..AEAD_NONCE_LEN].copy_from_slice(&nonce);
    bytes[AEAD_NONCE_LEN..STATE_AT].copy_from_slice(&seal(wrap, nonce, &place(slot), key.expose()));
    bytes[STATE_AT..].copy_from_slice(&STATE_USED);
    bytes
}

fn place(slot: SlotId) -> Vec<u8> {
    join(&[label::SLOT, &slot.0.to_be_bytes()])
}

#[cfg(test)]
mod tests;

//! Encryption at rest: the master key and what hangs from it.
//!
//! The master key lives in a file outside the data directory. It wraps the keys in [`slots`] (one per case, one per
//! matcher and epoch), seals the node's [`identity`], and gives the index keys. Records are sealed under slot keys,
//! see [`record`]; erasing a slot erases every record under it, also those that sled or a backup still hold.
//!
//! On file systems and disks that write a changed block elsewhere (copy on write, worn flash), overwriting a slot
//! leaves the old bytes until the disk reuses them; they are wrapped under the master key all the same.
//!
//! Not here: what is stored where ([`crate::store`]), and the keys that match or sign (`kring_protocol`).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kring_protocol::crypto::{hkdf, hmac_sha256_16};
use kring_protocol::field::join;
use kring_protocol::label;
use kring_protocol::secret::Secret;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::files::{parent, sync_dir};

pub mod identity;
pub mod record;
pub mod slots;

/// Why a key file or a sealed thing was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system refused to read or write.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Others than the node's own account may read the master key.
    #[error("{0} can be read by others: set its mode to 0600")]
    Readable(PathBuf),
    /// Not 64 hexadecimal digits.
    #[error("{0} is not a master key: expected 64 hexadecimal digits")]
    NotAKey(PathBuf),
    /// Made under another master key, or the part that says so is damaged.
    #[error("{0} does not belong to this master key, or is damaged")]
    WrongKey(PathBuf),
    /// A file of another kind, or of a version this software does not know.
    #[error("{0} is not a file of a kind and version this software knows")]
    Format(PathBuf),
    /// The slot is free, lies beyond the file, or does not open.
    #[error("no key in slot {0}: erased, or the file is damaged")]
    NoKey(slots::SlotId),
    /// An earlier write failed, so what is on disk is not known.
    #[error("the key file failed before; restart the node")]
    Failed,
}

impl KeyError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, reason: error.to_string() }
    }
}

/// The key above all others of one node.
#[derive(Debug)]
pub struct MasterKey(Secret<32>);

impl MasterKey {
    /// Draws a key and writes it to a new file that only the node's account may read.
    ///
    /// # Errors
    /// [`KeyError::Io`], also if the file exists: a master key is never replaced.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let key = Secret::random(&mut OsRng);
        let text = Zeroizing::new(hex::encode(key.expose()) + "\n");
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            sync_dir(parent(path))
        };
        write().map_err(KeyError::io(path))?;
        Ok(Self(key))
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Readable`], [`KeyError::NotAKey`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        const MAX_LEN: u64 = 80;
        let file = File::open(path).map_err(KeyError::io(path))?;
        let mode = file.metadata().map_err(KeyError::io(path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable(path.to_owned()));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(128));
        file.take(MAX_LEN).read_to_end(&mut text).map_err(KeyError::io(path))?;
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim_ascii(), key.as_mut_slice())
            .map_err(|_| KeyError::NotAKey(path.to_owned()))?;
        Ok(Self(Secret::new(*key)))
    }

    /// The key for hashing identifiers of one kind, so that the store's own keys name nobody.
    #[must_use]
    pub fn index_key(&self, domain: &str) -> IndexKey {
        IndexKey(self.derive(label::INDEX, domain))
    }

    fn derive(&self, label: &[u8], domain: &str) -> Secret<32> {
        hkdf(self.0.expose(), &join(&[label, domain.as_bytes()]))
    }
}

/// Turns identifiers of one kind into keys for the store.
#[derive(Clone, Debug)]
pub struct IndexKey(Secret<32>);

impl IndexKey {
    /// What stands in the store's key for `identifier`.
    #[must_use]
    pub fn hash(&self, identifier: &[u8]) -> [u8; 16] {
        hmac_sha256_16(self.0.expose(), identifier)
    }
}

#[cfg(test)]
mod tests;

//! Making the files of one sled database durable, which sled itself does not do.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::files::sync_dir;

/// sled's directory: `db` with all records, `conf`, `snap.*` written at opening, and `blobs/`, which stays empty.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    db: File,
    /// Files that are durable as directory entries.
    known: BTreeSet<PathBuf>,
}

impl Disk {
    /// Makes everything in `dir` durable, also what an earlier process left in the page cache.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let db = File::options().read(true).write(true).open(dir.join("db"))?;
        let mut disk = Self { dir: dir.to_owned(), db, known: BTreeSet::new() };
        disk.sync()?;
        Ok(disk)
    }

    /// Makes durable what was written since the last call. After an error the system may have dropped the written
    /// pages, so a later success would mean nothing: the caller must not try again.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.db.sync_all()?;
        let blobs = self.dir.join("blobs");
        let mut files = list(&self.dir)?;
        files.append(&mut list(&blobs)?);
        if files == self.known {
            return Ok(());
        }
        for file in files.difference(&self.known) {
            match File::open(file) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // sled has replaced it meanwhile
                Err(error) => return Err(error),
            }
        }
        sync_dir(&blobs)?;
        sync_dir(&self.dir)?;
        self.known = files;
        Ok(())
    }

    /// Size of the database file, in bytes.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.db.metadata()?.len())
    }

    /// A disk whose syncs fail, as `fsync` fails on a device that has none.
    #[cfg(test)]
    pub(super) fn failing(dir: &Path) -> Self {
        let db = File::open("/dev/null").unwrap();
        Self { dir: dir.to_owned(), db, known: BTreeSet::new() }
    }
}

fn list(dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

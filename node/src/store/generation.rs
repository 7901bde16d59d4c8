//! The directory of a store: one generation of sled's files at a time.
//!
//! `current` holds the number of the generation that counts and the size it had when it was complete; each generation
//! is a directory by its number; `lock` is held while the store is open. A generation becomes the current one when it
//! is complete and durable; other ones were left by a crash and are removed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::disk::Disk;
use crate::files::{make_dir, write_atomically};

/// sled moves a page larger than a quarter of a segment into a file of its own, which it neither syncs nor removes
/// safely. A leaf page holds up to 20 values, so this keeps even a leaf of values of [`super::MAX_VALUE_LEN`] in the
/// log.
const SEGMENT_LEN: usize = 8 * 1024 * 1024;
/// Records copied at a time.
const COPY_LEN: usize = 1_000;

/// One generation, open.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) db: sled::Db,
    pub(super) disk: Disk,
}

/// The store's directory, held by this process.
#[derive(Debug)]
pub(super) struct Generations {
    dir: PathBuf,
    current: u32,
    /// Size of the current generation's database file when it was complete, in bytes.
    complete_len: u64,
    cache_len: u64,
    _lock: File,
}

impl Generations {
    /// Takes the directory, which is made if it is not there, and removes what a crash left.
    pub(super) fn open(dir: &Path, cache_len: u64) -> io::Result<Self> {
        make_dir(dir)?;
        let lock = wait_for_lock(&dir.join("lock"))?;
        let text = match fs::read_to_string(dir.join("current")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read?),
        };
        let found =
            text.as_deref().map(|text| parse_current(text).ok_or(io::Error::other("`current` is damaged")));
        let (current, complete_len) = found.transpose()?.unwrap_or((1, 0));
        let mut generations = Self { dir: dir.to_owned(), current, complete_len, cache_len, _lock: lock };
        if text.is_none() {
            // Nothing is removed on a guess.
            if generations.all()?.next().is_some() {
                return Err(io::Error::other("`current` is missing"));
            }
            generations.write_current(current, complete_len)?;
        }
        generations.remove_others()?;
        Ok(generations)
    }

    pub(super) fn open_current(&self) -> Result<Generation, String> {
        self.open_generation(self.current)
    }

    /// The size above which most of the current generation must be dead, in bytes.
    pub(super) const fn wasteful_len(&self, compact_from: u64) -> u64 {
        compact_from + 4 * self.complete_len
    }

    /// Copies all records of `from` into a next generation and makes it durable. Nothing counts on it yet.
    pub(super) fn copy(&self, from: &sled::Db) -> Result<Generation, String> {
        self.remove_others().map_err(|error| error.to_string())?;
        let mut next = self.open_generation(self.current + 1)?;
        let copied = copy_records(from, &next.db).map_err(|error| error.to_string());
        match copied.and_then(|()| next.disk.sync().map_err(|error| error.to_string())) {
            Ok(()) => Ok(next),
            Err(reason) => {
                super::abandon(next.db);
                Err(reason)
            }
        }
    }

    /// Makes the generation that was copied the current one. After an error it is not known which one is.
    pub(super) fn switch(&mut self, next: &Disk) -> io::Result<()> {
        self.write_current(self.current + 1, next.len()?)
    }

    fn write_current(&mut self, current: u32, complete_len: u64) -> io::Result<()> {
        (self.current, self.complete_len) = (current, complete_len);
        write_atomically(&self.dir.join("current"), format!("{current} {complete_len}\n").as_bytes())
    }

    /// Removes all generations but the current one.
    pub(super) fn remove_others(&self) -> io::Result<()> {
        for number in self.all()?.filter(|number| *number != self.current) {
            fs::remove_dir_all(self.dir.join(number.to_string()))?;
        }
        Ok(())
    }

    fn all(&self) -> io::Result<impl Iterator<Item = u32> + use<>> {
        let names =
            fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        Ok(names.into_iter().filter_map(|name| name.to_str()?.parse().ok()))
    }

    fn open_generation(&self, number: u32) -> Result<Generation, String> {
        let dir = self.dir.join(number.to_string());
        make_dir(&dir).map_err(|error| error.to_string())?;
        let db = open_sled(&dir, self.cache_len)?;
        let disk = Disk::open(&dir).map_err(|error| error.to_string())?;
        Ok(Generation { db, disk })
    }
}

fn parse_current(text: &str) -> Option<(u32, u64)> {
    let (number, len) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((number.parse().ok()?, len.parse().ok()?))
}

fn copy_records(from: &sled::Db, to: &sled::Db) -> sled::Result<()> {
    let mut batch = sled::Batch::default();
    let mut records = 0;
    for record in from.iter() {
        let (key, value) = record?;
        batch.insert(key, value);
        records += 1;
        if records % COPY_LEN == 0 {
            to.apply_batch(std::mem::take(&mut batch))?;
        }
    }
    to.apply_batch(batch)?;
    to.flush().map(drop)
}

/// sled panics on some damage instead of saying so.
pub(super) fn open_sled(dir: &Path, cache_len: u64) -> Result<sled::Db, String> {
    if dir.join("db").exists() {
        wait_for_lock(&dir.join("db")).map_err(|error| error.to_string())?;
    }
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(cache_len)
        .segment_size(SEGMENT_LEN)
        .flush_every_ms(None);
    match std::panic::catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(opened) => opened.map_err(|error| error.to_string()),
        Err(_) => Err("the database is damaged (sled gave up on it)".to_owned()),
    }
}

/// Takes a lock that goes with the file returned. sled's helper threads may hold theirs for a moment after closing.
fn wait_for_lock(path: &Path) -> io::Result<File> {
    const ATTEMPTS: usize = 50;
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "it is in use"))
}

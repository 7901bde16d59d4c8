//! The store: the only user of sled, behind a surface small enough for a second backend.
//!
//! One promise: what [`Store::commit`] acknowledged survives a power cut, and a batch is there whole or not at all.
//! sled's own `flush` does not keep it (it ends in `sync_file_range`, which writes no file metadata), so the one
//! writer thread syncs sled's files itself before it acknowledges. Readers see nothing that is not yet durable:
//! otherwise a reader could tell a peer what the next power cut takes back.
//!
//! sled gives little space back and keeps deleted bytes, so the writer copies the live records into a new generation
//! of files when too much of the old one is dead, or when asked.
//!
//! Not here: encryption ([`crate::keystore`]); this module stores what it is given, keys included.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::{mpsc, oneshot};

mod batch;
mod disk;
mod generation;
mod writer;

pub use batch::{Batch, MAX_KEY_LEN, MAX_VALUE_LEN, Table};

use batch::full_key;
use generation::{Generation, Generations};
use writer::{Request, Writer};

/// The layout of records that this software writes and reads.
pub const SCHEMA: u32 = 1;
/// Memory for sled's page cache, in bytes, unless the configuration says otherwise.
pub const DEFAULT_CACHE_LEN: u64 = 8 * 1024 * 1024;
/// Commits that may wait for the writer; who comes after waits for a place.
const QUEUE_LEN: usize = 256;
/// Records that a scan reads at a time.
const PAGE_LEN: usize = 256;
/// Size of the database file up to which no space is reclaimed, in bytes.
const COMPACT_FROM: u64 = 256 * 1024 * 1024;
/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be opened. Nothing in it was removed.
    #[error("cannot open the store in {dir}: {reason}; if no other node runs on it, restore a backup")]
    Open {
        /// The directory.
        dir: PathBuf,
        /// What sled or the system said.
        reason: String,
    },
    /// Records without a schema version.
    #[error("the directory holds a sled database that is not a Kring store")]
    NotOurs,
    /// Written by other software than this.
    #[error("the store has schema {found}, this software knows {SCHEMA}: install the version that wrote it")]
    Schema {
        /// The version found.
        found: u32,
    },
    /// A key or value that callers must divide. A mistake in this software.
    #[error("a {what} of {found} bytes for table {table:?}, at most {allowed} are allowed")]
    TooLong {
        /// `key` or `value`.
        what: &'static str,
        /// For which table.
        table: Table,
        /// Bytes given.
        found: usize,
        /// Most bytes allowed.
        allowed: usize,
    },
    /// Writing or syncing failed, now or before. What is on disk is what was acknowledged; the node must restart.
    #[error("the store has stopped because the disk failed: {0}; see to the disk, then restart the node")]
    Failed(String),
    /// A record of this node's own that it cannot read or use: not the disk's refusal, but what came back from it.
    #[error("{0}; restore a backup, and look whether the data directory is this node's and its disk healthy")]
    Damaged(String),
    /// The live records could not be copied into new files. The store goes on with the old ones.
    #[error("cannot reclaim space: {0}; see to the disk, the node tries again after a restart")]
    Compaction(String),
    /// Closed by [`Store::close`].
    #[error("the store is closed")]
    Closed,
}

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Batches acknowledged.
    pub commits: u64,
    /// Syncs of the database file. Commits that wait at the same time share one.
    pub syncs: u64,
    /// Times that the live records were copied into new files.
    pub compactions: u64,
}

#[derive(Debug, Default)]
struct Meters {
    commits: AtomicU64,
    syncs: AtomicU64,
    compactions: AtomicU64,
}

/// What readers and the writer share. The writer holds the lock from applying a batch until it is durable.
enum State {
    Open(sled::Db),
    Stopped(StoreError),
}

impl State {
    fn db(&self) -> Result<&sled::Db, StoreError> {
        match self {
            Self::Open(db) => Ok(db),
            Self::Stopped(error) => Err(error.clone()),
        }
    }

    /// Stops for good, leaving sled alone: closing it would write once more, and on a failed disk wait for ever.
    fn fail(&mut self, reason: String) -> StoreError {
        let error = StoreError::Failed(reason);
        if let Self::Open(db) = std::mem::replace(self, Self::Stopped(error.clone())) {
            abandon(db);
        }
        error
    }
}

/// An open store. Clones share it; it closes with the last of them or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    state: Arc<SharedState>,
    queue: mpsc::Sender<Request>,
    meters: Arc<Meters>,
}

/// The state as the clones of a store hold it: the files close with the last of them, not when the writer notices.
struct SharedState(Arc<RwLock<State>>);

impl Drop for SharedState {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.write() {
            *state = State::Stopped(StoreError::Closed);
        }
    }
}

impl Store {
    /// Opens the store in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::NotOurs`], [`StoreError::Schema`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with_cache(dir, DEFAULT_CACHE_LEN)
    }

    /// Opens the store with `cache_len` bytes of page cache.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with_cache(dir: &Path, cache_len: u64) -> Result<Self, StoreError> {
        Self::open_with(dir, cache_len, COMPACT_FROM)
    }

    fn open_with(dir: &Path, cache_len: u64, compact_from: u64) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open { dir: dir.to_owned(), reason };
        let generations = Generations::open(dir, cache_len).map_err(|error| failed(error.to_string()))?;
        let mut generation = generations.open_current().map_err(failed)?;
        check_schema(&mut generation)?;
        Ok(Self::start(generations, generation, compact_from))
    }

    fn start(generations: Generations, generation: Generation, compact_from: u64) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE_LEN);
        let Generation { db, disk } = generation;
        let state = Arc::new(RwLock::new(State::Open(db)));
        let meters = Arc::new(Meters::default());
        let shared = (Arc::clone(&state), Arc::clone(&meters));
        let writer = Writer::new(shared, generations, disk, compact_from);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(requests))
            .expect("a thread can be started when the node starts");
        Self { state: Arc::new(SharedState(state)), queue, meters }
    }

    /// Writes `batch` as a whole. When this returns, the batch is durable; when it fails, or is dropped while
    /// waiting, the batch may or may not be found at the next start, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] before anything is done; [`StoreError::Failed`], after which every commit fails.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        self.turn().await?.commit(batch).await
    }

    /// As [`Store::commit`], for threads outside the async runtime.
    ///
    /// # Errors
    /// As [`Store::commit`].
    ///
    /// # Panics
    /// If called from async code.
    pub fn commit_blocking(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let (request, reply) = Request::commit(batch);
        self.queue.blocking_send(request).map_err(|_| self.stopped())?;
        reply.blocking_recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Copies the live records into new files and removes the old ones, with all that was deleted or overwritten.
    /// Commits wait meanwhile. The store does this by itself when most of its file is dead; this is for after
    /// erasures, and for threads outside the async runtime.
    ///
    /// # Errors
    /// [`StoreError::Compaction`], after which the store works on; [`StoreError::Failed`], [`StoreError::Closed`].
    ///
    /// # Panics
    /// If called from async code.
    pub fn compact(&self) -> Result<(), StoreError> {
        let (done, reply) = oneshot::channel();
        self.queue.blocking_send(Request::Compact(done)).map_err(|_| self.stopped())?;
        reply.blocking_recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    /// As [`Store::compact`], for async code; where the copy fails the store works on with the old files.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub async fn reclaim(&self) -> Result<(), StoreError> {
        let (done, reply) = oneshot::channel();
        self.queue.send(Request::Compact(done)).await.map_err(|_| self.stopped())?;
        match reply.await.unwrap_or_else(|_| Err(self.stopped())) {
            Err(error @ StoreError::Compaction(_)) => {
                tracing::error!(%error);
                Ok(())
            }
            reclaimed => reclaimed,
        }
    }

    /// Waits for a place in the queue. Batches are applied in the order in which [`Turn::commit`] was called, so
    /// that a caller can number records under its own lock without holding that lock while the disk works.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        let permit = self.queue.reserve().await.map_err(|_| self.stopped())?;
        Ok(Turn { store: self, permit })
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Closed`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|db| db.get(full_key(table, key))).map(|value| value.map(|value| value.to_vec()))
    }

    /// All records of `table` whose key starts with `prefix`, in the order of their keys. Records are read page by
    /// page: what is committed during the scan may or may not be in it.
    #[must_use]
    pub fn scan(&self, table: Table, prefix: &[u8]) -> Scan {
        let prefix = full_key(table, prefix);
        Scan { store: self.clone(), next: Some(prefix.clone()), prefix, page: VecDeque::new() }
    }

    /// All records of `table`, read at once; for the start.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn scan_all(&self, table: Table) -> Result<Vec<Row>, StoreError> {
        self.scan(table, &[]).collect()
    }

    /// What has been done since opening.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let read = |meter: &AtomicU64| meter.load(Ordering::Relaxed);
        let Meters { commits, syncs, compactions } = &*self.meters;
        Counters { commits: read(commits), syncs: read(syncs), compactions: read(compactions) }
    }

    /// Finishes the waiting commits and closes the files, also for all clones.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Request::Close(done)).await.is_ok() {
            let _ = closed.await; // an error means that the writer has stopped already
        }
    }

    fn read<T>(&self, read: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, StoreError> {
        let state = self.state.0.read().map_err(|_| writer_gone())?;
        read(state.db()?).map_err(|error| StoreError::Failed(error.to_string()))
    }

    /// Why the writer takes nothing any more.
    fn stopped(&self) -> StoreError {
        self.read(|_| Ok(())).err().unwrap_or_else(writer_gone)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("counters", &self.counters()).finish_non_exhaustive()
    }
}

/// A place in the writer's queue.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    store: &'a Store,
    permit: mpsc::Permit<'a, Request>,
}

impl Turn<'_> {
    /// Hands the batch over at once; the future resolves when it is durable. The batch must have passed its check.
    pub(crate) fn commit(self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (request, reply) = Request::commit(batch);
        self.permit.send(request);
        let store = self.store.clone();
        async move { reply.await.unwrap_or_else(|_| Err(store.stopped())) }
    }
}

/// A record: its key without the table, and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The records of a [`Store::scan`]: keys without their table, and values.
pub struct Scan {
    store: Store,
    prefix: Vec<u8>,
    /// Where the next page starts; none after the last one.
    next: Option<Vec<u8>>,
    page: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl Scan {
    fn read_page(&mut self, from: &[u8]) -> Result<(), StoreError> {
        let page = self.store.read(|db| {
            let rows = db.range(from..).take(PAGE_LEN).collect::<sled::Result<Vec<_>>>()?;
            let mine = rows.into_iter().take_while(|(key, _)| key.starts_with(&self.prefix));
            Ok(mine.map(|(key, value)| (key.to_vec(), value.to_vec())).collect::<VecDeque<_>>())
        })?;
        if page.len() == PAGE_LEN {
            self.next = page.back().map(|(key, _)| [key.as_slice(), &[0]].concat());
        }
        self.page = page;
        Ok(())
    }
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() {
            let from = self.next.take()?;
            if let Err(error) = self.read_page(&from) {
                return Some(Err(error));
            }
        }
        let (key, value) = self.page.pop_front()?;
        Some(Ok((key[1..].to_vec(), value)))
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scan({} records read ahead)", self.page.len())
    }
}

/// A new store gets its schema version before anything else.
fn check_schema(Generation { db, disk }: &mut Generation) -> Result<(), StoreError> {
    let failed = |error: sled::Error| StoreError::Failed(error.to_string());
    let key = full_key(Table::Meta, b"schema");
    if let Some(found) = db.get(&key).map_err(failed)? {
        let found = found.as_ref().try_into().map(u32::from_be_bytes).map_err(|_| StoreError::NotOurs)?;
        return if found == SCHEMA { Ok(()) } else { Err(StoreError::Schema { found }) };
    }
    if !db.is_empty() {
        return Err(StoreError::NotOurs);
    }
    db.insert(key, &SCHEMA.to_be_bytes()).and_then(|_| db.flush()).map_err(failed)?;
    disk.sync().map_err(|error| StoreError::Failed(error.to_string()))
}

/// Leaves a database alone after a failed write. Closing it would write once more, and on a failed disk sled waits
/// for that for ever.
fn abandon(db: sled::Db) {
    std::mem::forget(db);
}

fn writer_gone() -> StoreError {
    StoreError::Failed("the writer has stopped".to_owned())
}

#[cfg(test)]
mod tests;

//! The one thread that writes: takes the waiting commits together, makes them durable, acknowledges them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::disk::Disk;
use super::generation::Generations;
use super::{Batch, Meters, State, StoreError, abandon, writer_gone};

/// Most commits that share one sync, and most writes after which no further commit joins them.
const MAX_GROUP_COMMITS: usize = 256;
const MAX_GROUP_WRITES: usize = 16_384;

#[derive(Debug)]
pub(super) enum Request {
    Commit(Batch, Reply),
    Compact(Reply),
    Close(oneshot::Sender<()>),
}

type Reply = oneshot::Sender<Result<(), StoreError>>;

impl Request {
    pub(super) fn commit(batch: Batch) -> (Self, oneshot::Receiver<Result<(), StoreError>>) {
        let (done, reply) = oneshot::channel();
        (Self::Commit(batch, done), reply)
    }
}

pub(super) struct Writer {
    state: Arc<RwLock<State>>,
    meters: Arc<Meters>,
    generations: Generations,
    disk: Disk,
    compact_from: u64,
    /// Compaction failed and is not tried again by itself.
    compaction_failed: bool,
}

impl Writer {
    pub(super) fn new(
        (state, meters): (Arc<RwLock<State>>, Arc<Meters>),
        generations: Generations,
        disk: Disk,
        compact_from: u64,
    ) -> Self {
        Self { state, meters, generations, disk, compact_from, compaction_failed: false }
    }

    /// Works until the store is closed or nobody holds it any more.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut group = sled::Batch::default();
            let mut waiting = Vec::new();
            let mut writes = 0;
            let mut next = Some(first);
            while let Some(Request::Commit(batch, done)) = next {
                writes += batch.len();
                batch.write_to(&mut group);
                waiting.push(done);
                let full = waiting.len() >= MAX_GROUP_COMMITS || writes >= MAX_GROUP_WRITES;
                next = if full { None } else { requests.try_recv().ok() };
            }
            self.commit_group(group, waiting);
            match next {
                Some(Request::Compact(done)) => drop(done.send(self.compact())),
                Some(Request::Close(done)) => {
                    self.close();
                    let _ = done.send(());
                    return;
                }
                _ => self.compact_if_wasteful(),
            }
        }
    }

    fn commit_group(&mut self, group: sled::Batch, waiting: Vec<Reply>) {
        if waiting.is_empty() {
            return;
        }
        let result = self.make_durable(group);
        if result.is_ok() {
            self.meters.commits.fetch_add(waiting.len() as u64, Ordering::Relaxed);
        }
        for done in waiting {
            let _ = done.send(result.clone()); // who no longer waits does not need to know
        }
    }

    /// Readers wait from before the batch shows until it is durable. Any failure stops the store for good.
    fn make_durable(&mut self, group: sled::Batch) -> Result<(), StoreError> {
        let mut state = self.state.write().map_err(|_| writer_gone())?;
        let db = state.db()?;
        let written = db.apply_batch(group).and_then(|()| db.flush()).map_err(|error| error.to_string());
        match written.and_then(|_| self.disk.sync().map_err(|error| error.to_string())) {
            Ok(()) => {
                self.meters.syncs.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(reason) => Err(state.fail(reason)),
        }
    }

    fn compact_if_wasteful(&mut self) {
        let wasteful = || Some(self.disk.len().ok()? > self.generations.wasteful_len(self.compact_from));
        if !self.compaction_failed && wasteful().unwrap_or(false) {
            self.compaction_failed = self.compact().inspect_err(|error| tracing::error!(%error)).is_err();
        }
    }

    /// Readers read on in the old generation until the new one is complete and durable.
    fn compact(&mut self) -> Result<(), StoreError> {
        let old = self.state.read().map_err(|_| writer_gone())?.db()?.clone();
        let next = self.generations.copy(&old).map_err(StoreError::Compaction)?;
        {
            let mut state = self.state.write().map_err(|_| writer_gone())?;
            state.db()?; // it may have been closed meanwhile
            if let Err(error) = self.generations.switch(&next.disk) {
                abandon(next.db);
                return Err(state.fail(error.to_string()));
            }
            *state = State::Open(next.db);
        }
        self.disk = next.disk;
        drop(old);
        self.meters.compactions.fetch_add(1, Ordering::Relaxed);
        self.generations.remove_others().map_err(|error| StoreError::Compaction(error.to_string()))
    }

    fn close(&self) {
        if let Ok(mut state) = self.state.write()
            && state.db().is_ok()
        {
            *state = State::Stopped(StoreError::Closed);
        }
    }
}

//! The one thread that writes: takes the waiting commits together, makes them durable, acknowledges them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::disk::Disk;
use super::{Batch, Meters, State, StoreError, writer_gone};

/// Most commits that share one sync, and most writes after which no further commit joins them.
const MAX_GROUP_COMMITS: usize = 256;
const MAX_GROUP_WRITES: usize = 16_384;

type Reply = oneshot::Receiver<Result<(), StoreError>>;

#[derive(Debug)]
pub(super) enum Request {
    Commit(Batch, oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<()>),
}

impl Request {
    pub(super) fn commit(batch: Batch) -> (Self, Reply) {
        let (done, reply) = oneshot::channel();
        (Self::Commit(batch, done), reply)
    }
}

pub(super) struct Writer {
    state: Arc<RwLock<State>>,
    disk: Disk,
    meters: Arc<Meters>,
}

impl Writer {
    pub(super) const fn new(state: Arc<RwLock<State>>, disk: Disk, meters: Arc<Meters>) -> Self {
        Self { state, disk, meters }
    }

    /// Works until the store is closed or nobody holds it any more.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut group = sled::Batch::default();
            let mut waiting = Vec::new();
            let mut writes = 0;
            let mut next = Some(first);
            let closing = loop {
                match next {
                    Some(Request::Commit(batch, done)) => {
                        writes += batch.len();
                        batch.write_to(&mut group);
                        waiting.push(done);
                    }
                    Some(Request::Close(done)) => break Some(done),
                    None => break None,
                }
                let full = waiting.len() >= MAX_GROUP_COMMITS || writes >= MAX_GROUP_WRITES;
                next = if full { None } else { requests.try_recv().ok() };
            };
            self.commit_group(group, waiting);
            if let Some(done) = closing {
                self.stop(StoreError::Closed);
                let _ = done.send(());
                return;
            }
        }
    }

    fn commit_group(&mut self, group: sled::Batch, waiting: Vec<oneshot::Sender<Result<(), StoreError>>>) {
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
        let db = match &*state {
            State::Open(db) => db,
            State::Stopped(error) => return Err(error.clone()),
        };
        let written = db.apply_batch(group).and_then(|()| db.flush()).map_err(|error| error.to_string());
        let synced = written.and_then(|_| self.disk.sync().map_err(|error| error.to_string()));
        match synced {
            Ok(()) => {
                self.meters.syncs.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(reason) => {
                let error = StoreError::Failed(reason);
                // Closing sled would write once more, and on a failed disk wait for ever.
                std::mem::forget(std::mem::replace(&mut *state, State::Stopped(error.clone())));
                Err(error)
            }
        }
    }

    fn stop(&self, why: StoreError) {
        if let Ok(mut state) = self.state.write()
            && matches!(*state, State::Open(_))
        {
            *state = State::Stopped(why);
        }
    }
}

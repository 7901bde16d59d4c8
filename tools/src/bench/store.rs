//! Durable commits: one after the other, and many at once that share a sync.

use std::path::Path;
use std::time::Instant;

use kring_node::store::{Batch, Store, Table};

use super::{Measure, RUNS, quantile};
use crate::demo::Place;
use crate::output::Failure;

/// Commits of one writer in one run.
const COMMITS: u32 = 128;
/// Writers that commit at the same time.
const WRITERS: u32 = 64;
/// Size of a record, in bytes: about that of a sealed submission.
const RECORD_LEN: usize = 1024;

/// On the disk of `dir`, or of the system's temporary directory.
pub(super) fn measure(dir: Option<&Path>) -> Result<Vec<Measure>, Failure> {
    let place = Place::temporary_in(dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(place.path())?;
        let (mut alone, mut grouped) = (Vec::new(), Vec::new());
        for run in 0..u32::try_from(RUNS).expect("few runs") {
            alone.push(rate(&store, 2 * run, 1).await?);
            grouped.push(rate(&store, 2 * run + 1, WRITERS).await?);
        }
        store.close().await;
        Ok(vec![
            Measure::new("durable commits, one after the other", quantile(&alone, 0.5), "/s"),
            Measure::new("durable commits, 64 writers at once", quantile(&grouped, 0.5), "/s"),
        ])
    })
}

async fn rate(store: &Store, run: u32, writers: u32) -> Result<f64, Failure> {
    let commit = async |writer: u32| {
        for number in 0..COMMITS {
            let mut batch = Batch::default();
            let key = [run, writer, number].map(u32::to_be_bytes).concat();
            batch.put(Table::Live, key, vec![0x5a; RECORD_LEN]);
            store.commit(batch).await?;
        }
        Ok::<_, Failure>(())
    };
    let began = Instant::now();
    let all = (0..writers).map(commit).collect::<Vec<_>>();
    for done in futures::future::join_all(all).await {
        done?;
    }
    Ok(f64::from(COMMITS * writers) / began.elapsed().as_secs_f64())
}

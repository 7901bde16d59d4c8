use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;

use super::disk::Disk;
use super::generation::{Generations, open_sled};
use super::{
    Batch, COMPACT_FROM, DEFAULT_CACHE_LEN, MAX_KEY_LEN, MAX_VALUE_LEN, Store, StoreError, Table, Turn,
    full_key,
};
use crate::testing::TempDir;

fn one(key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.put(Table::Audit, key, value);
    batch
}

fn rows(store: &Store, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.scan(Table::Audit, prefix).collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_batch_is_read_back_also_after_reopening() {
    let dir = TempDir::new();
    let store = Store::open(&dir.path().join("new/store")).unwrap();
    let mut batch = one(b"a", b"1");
    batch.put(Table::Checkpoint, *b"a", *b"2");
    batch.put(Table::Audit, *b"b", *b"3");
    batch.delete(Table::Audit, *b"b");
    batch.merge(one(b"ab", b"4"));
    assert_eq!(batch.len(), 5);
    store.commit(batch).await.unwrap();
    let clone = store.clone();
    store.close().await;
    assert_eq!(clone.get(Table::Audit, b"a"), Err(StoreError::Closed));
    assert_eq!(clone.commit(one(b"c", b"5")).await, Err(StoreError::Closed));
    let store = Store::open(&dir.path().join("new/store")).unwrap();
    assert_eq!(store.get(Table::Audit, b"a").unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(store.get(Table::Checkpoint, b"a").unwrap().as_deref(), Some(b"2".as_slice()));
    assert_eq!(store.get(Table::Audit, b"b").unwrap(), None);
    assert_eq!(rows(&store, b"ab"), [(b"ab".to_vec(), b"4".to_vec())]);
}

#[test]
fn a_scan_goes_over_pages_and_stops_at_its_prefix() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = Batch::new();
    for n in 0..600_u32 {
        batch.put(Table::Audit, [b"x".as_slice(), &n.to_be_bytes()].concat(), n.to_be_bytes());
    }
    batch.put(Table::Audit, *b"y", *b"other prefix");
    batch.put(Table::Checkpoint, *b"x", *b"other table");
    store.commit_blocking(batch).unwrap();
    let found = rows(&store, b"x");
    let values: Vec<_> = (0..600_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    assert!(found.into_iter().map(|(_, value)| value).eq(values));
    assert_eq!(rows(&store, b"").len(), 601);
    assert_eq!(rows(&store, b"z"), []);
}

#[test]
fn what_is_too_long_is_refused_whole() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    let mut batch = one(b"fits", &[7; MAX_VALUE_LEN]);
    batch.put(Table::Audit, *b"long", [7; MAX_VALUE_LEN + 1]);
    let error = store.commit_blocking(batch).unwrap_err();
    let expected = |what, found, allowed| StoreError::TooLong { what, table: Table::Audit, found, allowed };
    assert_eq!(error, expected("value", MAX_VALUE_LEN + 1, MAX_VALUE_LEN));
    let error = store.commit_blocking(one(&[7; MAX_KEY_LEN + 1], b"")).unwrap_err();
    assert_eq!(error, expected("key", MAX_KEY_LEN + 1, MAX_KEY_LEN));
    assert_eq!(rows(&store, b""), []);
}

#[test]
fn the_longest_values_stay_in_the_log_file() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    for round in 0..3_u8 {
        for n in 0..60_u8 {
            store.commit_blocking(one(&[n], &[round; MAX_VALUE_LEN])).unwrap();
        }
    }
    assert_eq!(rows(&store, b"").len(), 60);
    assert_eq!(std::fs::read_dir(dir.path().join("1/blobs")).unwrap().count(), 0);
}

#[test]
fn each_acknowledgement_has_a_sync_before_it() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    let before = store.counters();
    for n in 0..10_u8 {
        store.commit_blocking(one(&[n], b"")).unwrap();
    }
    let after = store.counters();
    assert_eq!((after.commits - before.commits, after.syncs - before.syncs), (10, 10));
}

#[tokio::test]
async fn waiting_commits_share_syncs() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    let before = store.counters();
    let mut waiting = Vec::new();
    {
        // Nothing is written while a reader holds the lock: the writer waits with some, the others gather.
        let _reader = store.state.0.read().unwrap();
        for n in 0..20_u8 {
            let turn = Turn { store: &store, permit: store.queue.try_reserve().unwrap() };
            waiting.push(turn.commit(one(&[n], b"")));
        }
    }
    for commit in waiting {
        commit.await.unwrap();
    }
    let after = store.counters();
    assert_eq!(after.commits - before.commits, 20);
    assert!(after.syncs - before.syncs <= 2, "{after:?}");
}

#[tokio::test]
async fn a_failed_sync_is_never_taken_for_success() {
    let dir = TempDir::new();
    let generations = Generations::open(dir.path(), DEFAULT_CACHE_LEN).unwrap();
    let mut generation = generations.open_current().unwrap();
    generation.disk = Disk::failing(dir.path());
    let store = Store::start(generations, generation, COMPACT_FROM);
    let first = store.commit(one(b"a", b"")).await;
    assert!(matches!(first, Err(StoreError::Failed(_))), "{first:?}");
    assert_eq!(store.commit(one(b"b", b"")).await, first);
    assert_eq!(store.get(Table::Audit, b"a"), Err(first.unwrap_err()));
    assert_eq!(store.counters().commits, 0);
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let dir = TempDir::new();
    drop(Store::open(dir.path()).unwrap());
    let change = |change: &dyn Fn(&sled::Db)| {
        let db = open_sled(&dir.path().join("1"), DEFAULT_CACHE_LEN).unwrap();
        change(&db);
        db.flush().unwrap();
    };
    let schema = full_key(Table::Meta, b"schema");
    change(&|db| drop(db.insert(&schema, &2_u32.to_be_bytes()).unwrap()));
    assert_eq!(Store::open(dir.path()).unwrap_err(), StoreError::Schema { found: 2 });
    change(&|db| drop(db.insert(&schema, b"x").unwrap()));
    assert_eq!(Store::open(dir.path()).unwrap_err(), StoreError::NotOurs);
    change(&|db| drop((db.remove(&schema).unwrap(), db.insert(b"x", b"y").unwrap())));
    assert_eq!(Store::open(dir.path()).unwrap_err(), StoreError::NotOurs);
    for current in ["", "1", "1 0", "x 0\n", "1 0\n\n"] {
        std::fs::write(dir.path().join("current"), current).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Open { .. })), "{current:?}");
    }
    std::fs::remove_file(dir.path().join("current")).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Open { .. })));
    assert!(dir.path().join("1/db").exists());
}

#[test]
fn one_directory_has_one_node() {
    let dir = TempDir::new();
    let _store = Store::open(dir.path()).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Open { .. })));
}

#[test]
fn damage_is_an_error_and_nothing_is_removed() {
    let dir = TempDir::new();
    drop(Store::open(dir.path()).unwrap());
    std::fs::write(dir.path().join("1/conf"), [0xff; 64]).unwrap();
    std::fs::write(dir.path().join("1/db"), [0xff; 4096]).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Open { .. })));
    assert_eq!(std::fs::read(dir.path().join("1/db")).unwrap(), [0xff; 4096]);
}

#[test]
fn compaction_keeps_what_lives_and_removes_what_was_deleted() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    let gone = b"a text that must not stay on the disk";
    for n in 0..COPIED {
        store.commit_blocking(one(&n.to_be_bytes(), &n.to_be_bytes())).unwrap();
    }
    store.commit_blocking(one(b"gone", gone)).unwrap();
    let mut batch = Batch::new();
    batch.delete(Table::Audit, *b"gone");
    store.commit_blocking(batch).unwrap();
    let before = rows(&store, b"");
    assert!(holds(dir.path(), gone), "sled removes by itself what was deleted: compaction is not needed");
    store.compact().unwrap();
    assert_eq!(rows(&store, b""), before);
    assert!(!holds(dir.path(), gone));
    store.commit_blocking(one(b"after", b"")).unwrap();
    assert_eq!(store.counters().compactions, 1);
    drop(store);
    // What a crash in the middle of the next compaction would leave.
    std::fs::create_dir(dir.path().join("3")).unwrap();
    std::fs::write(dir.path().join("3/db"), b"half").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(rows(&store, b"").len(), before.len() + 1);
    store.compact().unwrap();
    assert_eq!(rows(&store, b"").len(), before.len() + 1);
}

/// More records than are copied at a time.
const COPIED: u32 = 1_100;

/// Whether any file below `dir` holds these bytes.
fn holds(dir: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { holds(&path, bytes) } else { contains(&std::fs::read(path).unwrap(), bytes) }
    })
}

fn contains(all: &[u8], bytes: &[u8]) -> bool {
    all.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn a_store_that_is_mostly_dead_compacts_by_itself() {
    const FROM: u64 = 20 * 1024 * 1024;
    let dir = TempDir::new();
    let store = Store::open_with(dir.path(), DEFAULT_CACHE_LEN, FROM).unwrap();
    let mut commits = 0_u32;
    while store.counters().compactions == 0 {
        // Large records that are overwritten among small ones that stay.
        let mut batch = one(&commits.to_be_bytes(), b"small");
        (0..16_u8).for_each(|n| batch.put(Table::Checkpoint, [n], [commits as u8; 20_000]));
        store.commit_blocking(batch).unwrap();
        commits += 1;
        assert!(commits < 1_000, "the store grows without end");
    }
    assert_eq!(rows(&store, b"").len(), commits as usize);
}

#[test]
fn a_failed_compaction_leaves_the_store_as_it_was() {
    let dir = TempDir::new();
    let store = Store::open(dir.path()).unwrap();
    store.commit_blocking(one(b"a", b"1")).unwrap();
    std::fs::write(dir.path().join("2"), b"in the way").unwrap();
    assert!(matches!(store.compact(), Err(StoreError::Compaction(_))));
    store.commit_blocking(one(b"b", b"2")).unwrap();
    assert_eq!(rows(&store, b"").len(), 2);
    std::fs::remove_file(dir.path().join("2")).unwrap();
    store.compact().unwrap();
    assert_eq!(rows(&store, b"").len(), 2);
}

const CHILD_DIR: &str = "KRING_STORE_TEST_DIR";
const CHILD_THREADS: u32 = 4;
const BATCH_ROWS: u32 = 5;

/// Not a test of its own: the process that `kill_9_loses_nothing_and_tears_nothing` kills.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let store = Store::open(dir.as_ref()).unwrap();
    let out = Arc::new(std::sync::Mutex::new(std::io::stdout()));
    for thread in 0..CHILD_THREADS {
        let (store, out) = (store.clone(), Arc::clone(&out));
        std::thread::spawn(move || {
            for n in next_batch(&store, thread).. {
                store.commit_blocking(numbered(thread, n)).unwrap();
                writeln!(out.lock().unwrap(), "acknowledged {thread} {n}").unwrap();
                if thread == 0 && n % 32 == 0 {
                    store.compact().unwrap();
                }
            }
        });
    }
    loop {
        std::thread::park();
    }
}

/// Five new rows and one that every batch of the thread overwrites.
fn numbered(thread: u32, n: u32) -> Batch {
    let mut batch = Batch::new();
    for row in 0..BATCH_ROWS {
        let key = [thread.to_be_bytes(), n.to_be_bytes(), row.to_be_bytes()].concat();
        batch.put(Table::Audit, key, vec![row as u8; 100 * row as usize]);
    }
    batch.put(Table::Checkpoint, thread.to_be_bytes(), n.to_be_bytes());
    batch
}

fn next_batch(store: &Store, thread: u32) -> u32 {
    let last = store.get(Table::Checkpoint, &thread.to_be_bytes()).unwrap();
    last.map_or(0, |last| u32::from_be_bytes(last.try_into().unwrap()) + 1)
}

#[test]
fn kill_9_loses_nothing_and_tears_nothing() {
    const KILLS: usize = 30;
    let dir = TempDir::new();
    let mut acknowledged: BTreeMap<u32, u32> = BTreeMap::new();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for (seen, line) in lines.by_ref().enumerate() {
            note_acknowledged(&line.unwrap(), &mut acknowledged);
            if seen == 20 + 7 * kill {
                break;
            }
        }
        child.kill().unwrap();
        // What it said before it died counts too.
        lines.map_while(Result::ok).for_each(|line| note_acknowledged(&line, &mut acknowledged));
        child.wait().unwrap();
        check_after_kill(dir.path(), &acknowledged);
    }
    assert_eq!(acknowledged.len(), CHILD_THREADS as usize);
    assert!(acknowledged.values().sum::<u32>() > 20 * KILLS as u32);
}

fn note_acknowledged(line: &str, acknowledged: &mut BTreeMap<u32, u32>) {
    // A line may be cut short by the kill: then its last number may be too, and it counts for nothing.
    let mut words = line.split(' ');
    if let (Some("acknowledged"), Some(thread), Some(n)) = (words.next(), words.next(), words.next()) {
        let (thread, n) = (thread.parse().unwrap(), n.parse::<u32>().unwrap_or(0));
        let last = acknowledged.entry(thread).or_insert(n);
        *last = n.max(*last);
    }
}

fn check_after_kill(dir: &std::path::Path, acknowledged: &BTreeMap<u32, u32>) {
    let store = Store::open(dir).unwrap();
    for (thread, last) in acknowledged {
        assert!(next_batch(&store, *thread) > *last, "batch {last} of thread {thread} was lost");
    }
    let mut expected = Vec::new();
    for thread in 0..CHILD_THREADS {
        for n in 0..next_batch(&store, thread) {
            for row in 0..BATCH_ROWS {
                expected.push([thread.to_be_bytes(), n.to_be_bytes(), row.to_be_bytes()].concat());
            }
        }
    }
    let found: Vec<_> = rows(&store, b"").into_iter().map(|(key, _)| key).collect();
    assert!(found == expected, "{} rows, expected {}", found.len(), expected.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_store_is_a_map(writes in prop::collection::vec((any::<[u8; 1]>(), prop::option::of(any::<[u8; 2]>())), 1..200)) {
        let dir = TempDir::new();
        let mut model = BTreeMap::new();
        {
            let store = Store::open(dir.path()).unwrap();
            for chunk in writes.chunks(20) {
                let mut batch = Batch::new();
                for (key, value) in chunk {
                    match value {
                        Some(value) => { batch.put(Table::Audit, *key, *value); model.insert(key.to_vec(), value.to_vec()); }
                        None => { batch.delete(Table::Audit, *key); model.remove(key.as_slice()); }
                    }
                }
                store.commit_blocking(batch).unwrap();
            }
            prop_assert_eq!(rows(&store, b""), model.clone().into_iter().collect::<Vec<_>>());
        }
        let found = rows(&Store::open(dir.path()).unwrap(), b"");
        prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
    }
}

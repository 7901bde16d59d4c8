//! What is written before a power cut, and how to tell afterwards that it is all there.
//!
//! Every thread counts its commits. Each adds small records and moves the thread's counter; every eighth overwrites large
//! records, so that sled reuses its segments; every sixteenth seals a record under a new slot of the key file. Now
//! and then the store is compacted, so that power also goes while it changes its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kring_node::keystore::slots::{SlotFile, SlotId};
use kring_node::keystore::{MasterKey, record};
use kring_node::store::{Batch, Store, Table};

const THREADS: u32 = 4;
const SMALL_ROWS: u32 = 3;
const LARGE_LEN: usize = 40_000;
const LARGE_KEYS: u64 = 8;

/// Opens what is there and writes until that fails. A thread says how many commits it has after each one.
pub(crate) fn run(dir: &Path) {
    let store = Store::open(&dir.join("store")).unwrap();
    let master_path = dir.join("master.key");
    let master = MasterKey::load(&master_path).or_else(|_| MasterKey::create(&master_path)).unwrap();
    let slots = SlotFile::open(&dir.join("keys.slots"), &master).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, slots) = (&store, &slots);
            scope.spawn(move || {
                for n in commits(store, thread).. {
                    store.commit_blocking(batch(thread, n, slots)).unwrap();
                    println!("acknowledged {thread} {}.", n + 1);
                    if thread == 0 && n.is_multiple_of(32) {
                        store.compact().unwrap();
                    }
                }
            });
        }
    });
}

fn batch(thread: u32, n: u64, slots: &SlotFile) -> Batch {
    let mut batch = Batch::new();
    for row in 0..SMALL_ROWS {
        batch.put(Table::Audit, small_key(thread, n, row), small(n, row));
    }
    if n.is_multiple_of(8) {
        for key in 0..LARGE_KEYS {
            batch.put(Table::Audit, large_key(thread, key), large(n));
        }
    }
    if n.is_multiple_of(16) {
        let (slot, key) = slots.allocate(1).unwrap().remove(0);
        let place = sealed_key(thread, n);
        let sealed = record::seal(&key, Table::Audit, &place, &small(n, 0));
        batch.put(Table::Audit, place, serde_json::to_vec(&(slot, sealed)).unwrap());
    }
    batch.put(Table::Checkpoint, thread.to_be_bytes(), (n + 1).to_be_bytes());
    batch
}

/// Checks that at least the acknowledged commits are there, and each that is there is there whole.
pub(crate) fn check(dir: &Path, acknowledged: &BTreeMap<u32, u64>) {
    let store = Store::open(&dir.join("store")).unwrap();
    let master = MasterKey::load(&dir.join("master.key")).unwrap();
    let mut slots = SlotFile::open(&dir.join("keys.slots"), &master).unwrap();
    let mut found: BTreeMap<_, _> = store.scan(Table::Audit, &[]).map(Result::unwrap).collect();
    let mut used = BTreeSet::new();
    for thread in 0..THREADS {
        let commits = commits(&store, thread);
        let promised = acknowledged.get(&thread).copied().unwrap_or(0);
        assert!(commits >= promised, "thread {thread}: {promised} commits acknowledged, {commits} found");
        for n in 0..commits {
            for row in 0..SMALL_ROWS {
                assert_eq!(
                    found.remove(&small_key(thread, n, row)),
                    Some(small(n, row)),
                    "{thread} {n} {row}"
                );
            }
        }
        for n in (0..commits).step_by(16) {
            let place = sealed_key(thread, n);
            let (slot, sealed): (SlotId, Vec<u8>) =
                serde_json::from_slice(&found.remove(&place).unwrap()).unwrap();
            let plain = record::open(&slots.get(slot).unwrap(), Table::Audit, &place, &sealed).unwrap();
            assert_eq!(*plain, small(n, 0));
            assert!(used.insert(slot), "slot {slot} was given out twice");
        }
        if let Some(last) = commits.checked_sub(1) {
            for key in 0..LARGE_KEYS {
                assert!(found.remove(&large_key(thread, key)) == Some(large(last / 8 * 8)), "{thread} {key}");
            }
        }
    }
    assert!(found.is_empty(), "{} records of commits that are not there", found.len());
    // At most one stray slot a thread: allocated when the power went, and not yet committed.
    assert!(slots.retain(&used).unwrap() <= THREADS as usize);
}

/// How many commits of the thread the store holds.
fn commits(store: &Store, thread: u32) -> u64 {
    let counter = store.get(Table::Checkpoint, &thread.to_be_bytes()).unwrap();
    counter.map_or(0, |counter| u64::from_be_bytes(counter.try_into().unwrap()))
}

fn small_key(thread: u32, n: u64, row: u32) -> Vec<u8> {
    format!("small {thread} {n} {row}").into_bytes()
}

fn small(n: u64, row: u32) -> Vec<u8> {
    format!("{n} {row}").repeat(20).into_bytes()
}

fn large_key(thread: u32, key: u64) -> Vec<u8> {
    format!("large {thread} {key}").into_bytes()
}

fn large(n: u64) -> Vec<u8> {
    vec![n as u8; LARGE_LEN]
}

fn sealed_key(thread: u32, n: u64) -> Vec<u8> {
    format!("sealed {thread} {n}").into_bytes()
}

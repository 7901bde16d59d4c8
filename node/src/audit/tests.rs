use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use kring_protocol::codec::{decode, encode};
use kring_protocol::log::checkpoint::Checkpoint;
use kring_protocol::log::entry::{Kind, Object, Outcome, Salt};
use kring_protocol::log::merkle::{verify_consistency, verify_inclusion};
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::time::Timestamp;

use super::{Audit, AuditError, CHECKPOINT_KEY, Event, LocalRecord, MAX_RECORDS};
use crate::keystore::MasterKey;
use crate::store::{Batch, Store, StoreError, Table};
use crate::testing::TempDir;

fn open(dir: &Path) -> Result<Audit, AuditError> {
    let master = dir.with_extension("master");
    let master = MasterKey::load(&master).or_else(|_| MasterKey::create(&master)).unwrap();
    let key = SigningKey::from_seed(&Secret::new([1; 32]));
    let origin = "kring.example/audit/a".parse().unwrap();
    Audit::open(Store::open(dir).unwrap(), origin, key, master.index_key("audit-actor"))
}

fn event(count: u32) -> Event {
    let time = Timestamp::from_secs(1_800_000_000 + u64::from(count));
    Event { time, kind: Kind::CaseRead, actor: None, object: None, count, outcome: Outcome::Done }
}

fn counts(audit: &Audit) -> Vec<u32> {
    audit.records(0, MAX_RECORDS).unwrap().iter().map(|row| row.record.entry.count).collect()
}

#[tokio::test]
async fn an_act_and_its_entries_are_one_commit_and_come_back() {
    let dir = TempDir::new();
    let store = dir.path().join("store");
    let audit = open(&store).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Meta, *b"act", *b"done");
    audit.commit(batch, &[event(1), event(2)]).await.unwrap();
    audit.commit(Batch::new(), &[event(3)]).await.unwrap();
    let root = audit.lock().tree.root();
    assert_eq!((audit.size(), counts(&audit)), (3, vec![1, 2, 3]));
    let actor = audit.actor(b"account");
    drop(audit);
    let audit = open(&store).unwrap();
    assert_eq!((audit.size(), audit.lock().tree.root()), (3, root));
    assert_eq!(audit.actor(b"account"), actor);
    assert_eq!(audit.store.get(Table::Meta, b"act").unwrap().as_deref(), Some(b"done".as_slice()));
    let row = audit.records(2, 3).unwrap()[0];
    assert_eq!(row.time(), event(3).time);
    assert_eq!(row.record.entry.time.start(), Timestamp::from_secs(1_800_000_000));
    assert_eq!(audit.records(3, 9), Ok(vec![]));
    assert_eq!(audit.records(u64::MAX, u64::MAX), Ok(vec![]));
}

#[tokio::test]
async fn a_batch_that_is_refused_leaves_no_entry() {
    let dir = TempDir::new();
    let audit = open(&dir.path().join("store")).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Meta, [0; 200], *b"");
    assert!(matches!(audit.commit(batch, &[event(1)]).await, Err(StoreError::TooLong { .. })));
    audit.commit(Batch::new(), &[event(2)]).await.unwrap();
    assert_eq!(counts(&audit), [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acts_at_the_same_time_get_their_own_numbers() {
    const ACTS: u32 = 100;
    let dir = TempDir::new();
    let store = dir.path().join("store");
    let audit = Arc::new(open(&store).unwrap());
    let acts = (0..ACTS).map(|n| {
        let audit = Arc::clone(&audit);
        tokio::spawn(async move {
            let mut batch = Batch::new();
            batch.put(Table::Meta, format!("act {n}"), n.to_be_bytes());
            audit.commit(batch, &[event(2 * n), event(2 * n + 1)]).await.unwrap();
            assert!(audit.size() >= 2, "an act is in the tree when its commit returns");
            audit.checkpoint().await.unwrap()
        })
    });
    let notes = join_all(acts).await;
    assert_eq!(audit.size(), u64::from(2 * ACTS));
    let mut found = counts(&audit);
    for pair in found.chunks(2) {
        assert_eq!((pair[0] % 2, pair[1]), (0, pair[0] + 1), "entries of one act stand together");
    }
    found.sort_unstable();
    assert_eq!(found, (0..2 * ACTS).collect::<Vec<_>>());
    for note in notes {
        let note = note.unwrap();
        let old = Checkpoint::verify(&note, &audit.note_key()).unwrap().checkpoint().clone();
        let proof = audit.consistency_proof(old.size, audit.size()).unwrap();
        let root = audit.lock().tree.root();
        assert_eq!(verify_consistency(old.size, audit.size(), &proof, &old.root, &root), Ok(()));
    }
    let root = audit.lock().tree.root();
    drop(audit);
    assert_eq!(open(&store).unwrap().lock().tree.root(), root);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_gap() {
    let dir = TempDir::new();
    let store = dir.path().join("store");
    let audit = open(&store).unwrap();
    {
        let events = [event(1)];
        let mut commit = Box::pin(audit.commit(Batch::new(), &events));
        // Polled once: numbered and handed to the writer; then its caller is gone.
        let _ = futures::poll!(commit.as_mut());
    }
    audit.commit(Batch::new(), &[event(2)]).await.unwrap();
    assert_eq!((audit.size(), counts(&audit)), (2, vec![1, 2]));
    drop(audit);
    assert_eq!(open(&store).unwrap().size(), 2);
}

#[tokio::test]
async fn a_checkpoint_and_its_proofs_verify_without_the_node() {
    let dir = TempDir::new();
    let audit = open(&dir.path().join("store")).unwrap();
    let empty = audit.checkpoint().await.unwrap();
    for n in 0..5 {
        audit.commit(Batch::new(), &[event(n)]).await.unwrap();
    }
    let key = audit.note_key().to_string().parse().unwrap();
    let text = audit.checkpoint().await.unwrap().to_string();
    let verified = Checkpoint::verify(&text.parse().unwrap(), &key).unwrap();
    let head = verified.checkpoint();
    assert_eq!((head.size, head.origin.as_str()), (5, "kring.example/audit/a"));
    for (index, row) in (0..).zip(audit.records(0, 5).unwrap()) {
        let proof = audit.inclusion_proof(index, 5).unwrap();
        assert_eq!(verify_inclusion(index, 5, &row.record.leaf(), &proof, &head.root), Ok(()));
    }
    assert_eq!(Checkpoint::verify(&empty, &key).unwrap().checkpoint().size, 0);
    assert_eq!(audit.inclusion_proof(5, 5), None);
    assert_eq!(audit.consistency_proof(0, 6), None);
}

/// Makes a log of three entries with a checkpoint, changes its rows, and opens it again.
async fn reopened_after(change: impl FnOnce(&mut Batch, Vec<u8>)) -> Result<u64, AuditError> {
    let dir = TempDir::new();
    let store = dir.path().join("store");
    let audit = open(&store).unwrap();
    for n in 0..3 {
        audit.commit(Batch::new(), &[event(n)]).await.unwrap();
    }
    audit.checkpoint().await.unwrap();
    let last = audit.store.get(Table::Audit, &2_u64.to_be_bytes()).unwrap().unwrap();
    let mut batch = Batch::new();
    change(&mut batch, last);
    audit.store.commit(batch).await.unwrap();
    drop(audit);
    open(&store).map(|audit| audit.size())
}

#[tokio::test]
async fn a_log_that_was_changed_is_not_opened() {
    let number = |n: u64| n.to_be_bytes();
    assert_eq!(reopened_after(|_, _| ()).await, Ok(3));
    let cut = reopened_after(|batch, _| batch.delete(Table::Audit, number(2))).await;
    assert_eq!(cut, Err(AuditError::Checkpoint));
    let gap = reopened_after(|batch, _| batch.delete(Table::Audit, number(1))).await;
    assert_eq!(gap, Err(AuditError::Record { index: 1 }));
    let garbage = reopened_after(|batch, _| batch.put(Table::Audit, number(0), *b"x")).await;
    assert_eq!(garbage, Err(AuditError::Record { index: 0 }));
    let rewritten = reopened_after(|batch, last| batch.put(Table::Audit, number(1), last)).await;
    assert_eq!(rewritten, Err(AuditError::Checkpoint));
    let head = reopened_after(|batch, _| batch.put(Table::Checkpoint, CHECKPOINT_KEY, *b"x")).await;
    assert_eq!(head, Err(AuditError::Checkpoint));
    let added = reopened_after(|batch, last| batch.put(Table::Audit, number(3), last)).await;
    assert_eq!(added, Ok(4), "entries after the checkpoint are the newest ones");
}

#[test]
fn the_bytes_of_a_stored_record() {
    let mut event = event(7);
    event.object = Some(Object::from_bytes([3; 16]));
    let row = LocalRecord::new(&event, Salt::from_bytes([2; 16]));
    let bytes = encode(&row);
    assert_eq!(decode::<LocalRecord>(&bytes), Ok(row));
    assert_eq!(
        hex::encode(bytes),
        concat!(
            "01a2667265636f7264a26473616c74500202020202020202020202020202020265656e747279a66474696d651a001e84",
            "80646b696e6469636173652d72656164656163746f72f6666f626a656374500303030303030303030303030303030365",
            "636f756e7407676f7574636f6d6564646f6e65667365636f6e6407"
        )
    );
}

//! What this node can prove against others: one record for each act, durable, and a copy as a file for boards
//! (`docs/protocol.md` section 7.5).
//!
//! Only what its own check finds proven is kept. Not here: where violations are noticed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use kring_protocol::codec::{decode, encode};
use kring_protocol::evidence::{Evidence, Subject, Verdict, Violation};
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::Kind;

use crate::core::Core;
use crate::store::{Batch, Store, StoreError, Table};

/// Directory of the files, in the data directory.
pub const DIR: &str = "evidence";
/// What their names end in.
pub const EXTENSION: &str = "evidence";
/// Most bytes of one record; a longer one is stored in pieces.
const PIECE_LEN: usize = 60_000;
/// Most records kept against one member for one kind of violation: enough to act on, and nobody can fill the disk by
/// misbehaving.
const KEPT_MAX: usize = 16;

/// Keeps what a violation proves, if it proves anything: stored, logged and written as a file. A violation that is known
/// changes nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(core: &Core, violation: Violation) -> Result<(), StoreError> {
    let evidence = Evidence { network: core.network_id(), violation };
    let verdict = match tokio::task::block_in_place(|| evidence.check(&core.covenant)) {
        Ok(verdict) => verdict,
        Err(reason) => {
            tracing::warn!(kind = evidence.violation.kind(), %reason, "something wrong was seen that proves nothing");
            return Ok(());
        }
    };
    let _one_at_a_time = core.evidence.lock.lock().await;
    let (kind, accused, subject) =
        (evidence.violation.kind(), evidence.violation.accused().clone(), evidence.subject());
    let known = subjects(&core.store, &accused, kind)?;
    if known.contains(&subject) || known.len() >= KEPT_MAX {
        return Ok(());
    }
    tracing::error!(%verdict, "evidence is kept");
    let bytes = encode(&evidence);
    let mut batch = Batch::new();
    for (number, piece) in (0_u32..).zip(bytes.chunks(PIECE_LEN)) {
        batch.put(Table::Evidence, key(&accused, kind, &subject, number), piece);
    }
    let events = vec![core.event(Kind::Evidence, Some(&accused), 1)];
    core.commit(batch, events).await?;
    write_file(&core.evidence.dir, &verdict, &evidence.subject(), &bytes);
    Ok(())
}

/// Writes every file that is not there: one that could not be written before, or was removed.
///
/// # Errors
/// [`StoreError`].
pub fn write_missing(core: &Core) -> Result<(), StoreError> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for row in core.store.scan_all(Table::Evidence)? {
        let (mut key, piece) = row;
        key.truncate(key.len().saturating_sub(4));
        match records.last_mut() {
            Some((last, bytes)) if *last == key => bytes.extend(piece),
            _ => records.push((key, piece)),
        }
    }
    for (_, bytes) in records {
        let Ok(evidence) = decode::<Evidence>(&bytes) else {
            tracing::warn!("a record of evidence was written by another version, or is damaged");
            continue;
        };
        if let Ok(verdict) = evidence.check(&core.covenant) {
            write_file(&core.evidence.dir, &verdict, &evidence.subject(), &bytes);
        }
    }
    Ok(())
}

/// The name of a record's file: who, what, and what tells it from others.
#[must_use]
pub fn file_name(verdict: &Verdict, subject: &Subject) -> String {
    let who: Vec<_> = verdict.members.iter().map(MemberId::as_str).collect();
    format!("{}-{}-{}.{EXTENSION}", who.join("+"), verdict.kind, &subject.to_string()[..12])
}

/// The store has it; a file that cannot be written is tried again at the next start.
fn write_file(dir: &Path, verdict: &Verdict, subject: &Subject, bytes: &[u8]) {
    let path = dir.join(file_name(verdict, subject));
    if path.exists() {
        return;
    }
    let new = path.with_extension("new");
    let write = || {
        fs::create_dir_all(dir)?;
        let mut file = fs::File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    if let Err(error) = write() {
        tracing::warn!(path = %path.display(), %error, "evidence is stored, its file could not be written");
    }
}

fn subjects(store: &Store, accused: &MemberId, kind: &str) -> Result<BTreeSet<Subject>, StoreError> {
    let prefix = prefix(accused, kind);
    let subject = |row: Result<(Vec<u8>, Vec<u8>), StoreError>| {
        let (key, _) = row?;
        let rest = key.get(prefix.len()..prefix.len() + Subject::LEN).unwrap_or_default();
        Subject::try_from(rest)
            .map_err(|_| StoreError::Damaged("a record of evidence has a strange key".to_owned()))
    };
    store.scan(Table::Evidence, &prefix).map(subject).collect()
}

fn prefix(accused: &MemberId, kind: &str) -> Vec<u8> {
    [accused.as_bytes(), b"/", kind.as_bytes(), b"/"].concat()
}

fn key(accused: &MemberId, kind: &str, subject: &Subject, piece: u32) -> Vec<u8> {
    [prefix(accused, kind).as_slice(), subject.as_bytes(), &piece.to_be_bytes()].concat()
}

/// Where evidence goes.
#[derive(Debug)]
pub struct Place {
    /// The directory of the files.
    dir: std::path::PathBuf,
    lock: tokio::sync::Mutex<()>,
}

impl Place {
    /// In a node's data directory.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { dir: data_dir.join(DIR), lock: tokio::sync::Mutex::default() }
    }
}

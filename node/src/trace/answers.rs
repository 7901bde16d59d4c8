//! The answers that a holder of a trace key keeps: who left which submission, and why that was asked. In the store, and a
//! copy as a file for the operator and governance (`kring audit trace`).

use std::path::{Path, PathBuf};

use kring_protocol::codec::{decode, encode};
use kring_protocol::evidence::Violation;
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::Kind;
use kring_protocol::submission::Sha256;
use kring_protocol::trace::{Answer, How};

use crate::core::Core;
use crate::files::{make_dir, write_atomically};
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

/// Directory of the files, in the data directory.
pub const DIR: &str = "trace";
/// What their names end in.
pub const EXTENSION: &str = "answer";

/// Keeps an answer, durably; one for each submission.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(core: &Core, answer: &Answer) -> Result<(), StoreError> {
    let sealed_hash = &answer.kept.passed.sealed;
    if is_kept(core, &answer.matcher, sealed_hash)? {
        return Ok(());
    }
    let key = key(&answer.matcher, sealed_hash);
    let sealed = core.vault.seal_record(&KeyName::Traces, Table::Traced, &key, &encode(answer))?;
    let mut batch = Batch::new();
    batch.put(Table::Traced, key, sealed);
    core.commit(batch, vec![core.event(Kind::Trace, Some(&answer.matcher), 1)]).await?;
    tracing::warn!(matcher = %answer.matcher, "a ticket was opened; see kring audit trace");
    write_file(&core.trace_dir, answer);
    Ok(())
}

/// Whether there is an answer about this submission.
///
/// # Errors
/// [`StoreError`].
pub fn is_kept(core: &Core, matcher: &MemberId, sealed: &Sha256) -> Result<bool, StoreError> {
    Ok(core.store.get(Table::Traced, &key(matcher, sealed))?.is_some())
}

/// The evidence against a relay that an answer is, if it is.
#[must_use]
pub fn false_ticket(core: &Core, answer: &Answer) -> Option<Violation> {
    let found = answer.check(&core.covenant).ok()?;
    if found.how == How::FalseTicket { answer.false_ticket() } else { None }
}

/// Writes every file that is not there: one that could not be written before, or was removed.
///
/// # Errors
/// [`StoreError`].
pub fn write_missing(core: &Core) -> Result<(), StoreError> {
    for (key, sealed) in core.store.scan_all(Table::Traced)? {
        let answer: Answer = core.vault.open_record(&KeyName::Traces, Table::Traced, &key, &sealed)?;
        write_file(&core.trace_dir, &answer);
    }
    Ok(())
}

/// The answers in a node's data directory, sorted.
///
/// # Errors
/// When the directory or a file cannot be read. A file that is no answer is none.
pub fn read(data_dir: &Path) -> Result<Vec<(PathBuf, Option<Answer>)>, std::io::Error> {
    let entries = match std::fs::read_dir(data_dir.join(DIR)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == EXTENSION));
    files.sort();
    files.into_iter().map(|file| Ok((file.clone(), decode(&std::fs::read(file)?).ok()))).collect()
}

/// The store has it; a file that cannot be written is tried again at the next start.
fn write_file(dir: &Path, answer: &Answer) {
    let sealed = answer.kept.passed.sealed.to_string();
    let path = dir.join(format!("{}-{}.{EXTENSION}", answer.matcher, &sealed[..12]));
    if path.exists() {
        return;
    }
    let written = make_dir(dir).and_then(|()| write_atomically(&path, &encode(answer)));
    if let Err(error) = written {
        tracing::warn!(path = %path.display(), %error, "an answer is stored, its file could not be written");
    }
}

fn key(matcher: &MemberId, sealed: &Sha256) -> Vec<u8> {
    [matcher.as_bytes(), b"/", sealed.as_bytes().as_slice()].concat()
}

//! Readers as witnesses: they cosign heads that continue what they have read, and compare heads with each other, so that
//! nobody can be shown another board than the rest (`docs/protocol.md` section 7.4).
//!
//! Whoever signs two heads of which neither continues the other is found by one exchange between any two readers that
//! were shown different ones, and both heads become evidence. Not here: when to ask whom.

use std::cmp::Ordering;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::merkle::{Tree, verify_consistency};
use super::note::{Algorithm, KeyName, Note, NoteError, NoteKey};
use crate::board::replication::board_name;
use crate::evidence::{Continues, Fork, LogOf};
use crate::id::{MemberId, NetworkId};
use crate::sign::{SigningKey, VerifyingKey};
use crate::time::Timestamp;

pub mod message;

/// Most signature lines that are kept with a head.
pub const LINES_MAX: usize = 64;

fn name(network: &NetworkId, kind: &str, member: &MemberId) -> KeyName {
    let network = hex::encode(&network.as_bytes()[..8]);
    format!("kring/{network}/{kind}/{member}").parse().expect("slugs and hex are a valid key name")
}

/// The key that signs heads of a matcher's board.
#[must_use]
pub fn board_key(network: &NetworkId, matcher: &MemberId, key: VerifyingKey) -> NoteKey {
    NoteKey::new(board_name(network, matcher), Algorithm::Ed25519, key)
}

/// The key that signs heads of a member's audit log.
#[must_use]
pub fn audit_key(network: &NetworkId, member: &MemberId, key: VerifyingKey) -> NoteKey {
    NoteKey::new(name(network, "audit", member), Algorithm::Ed25519, key)
}

/// The key by which a member cosigns.
#[must_use]
pub fn witness_key(network: &NetworkId, member: &MemberId, key: VerifyingKey) -> NoteKey {
    NoteKey::new(name(network, "witness", member), Algorithm::Cosignature, key)
}

/// A head that its log's key has signed, with its note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The note, with cosignatures.
    pub note: Note,
    /// What it says.
    pub checkpoint: Checkpoint,
}

impl Head {
    /// Checks the log's signature.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(note: Note, log: &NoteKey) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::verify(&note, log)?.checkpoint().clone();
        Ok(Self { note, checkpoint })
    }

    /// From its text.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn parse(text: &str, log: &NoteKey) -> Result<Self, CheckpointError> {
        Self::verify(text.parse().map_err(CheckpointError::Note)?, log)
    }

    /// The text with the log's own line alone, as evidence has it.
    fn alone(&self, log: &NoteKey) -> Option<String> {
        Some(self.note.with_lines_of(&[log]).ok()?.to_string())
    }
}

/// Why a head is not cosigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// It is not the head of what this witness has read.
    #[error("the head is not that of what this witness has read")]
    Other,
    /// The note cannot take another line.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Cosigns a head that is the head of `tree`, all of which the witness has read and checked.
///
/// # Errors
/// [`NotCosigned`].
pub fn cosign(
    head: &mut Head,
    tree: &Tree,
    now: Timestamp,
    (network, me): (&NetworkId, &MemberId),
    key: &SigningKey,
) -> Result<(), NotCosigned> {
    if tree.root_at(head.checkpoint.size) != Some(head.checkpoint.root) {
        return Err(NotCosigned::Other);
    }
    Ok(head.note.cosign(now, &name(network, "witness", me), key)?)
}

/// What another's head of a log means next to the own one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// One continues the other, and the other reader has no more.
    Agree,
    /// The other's is larger and continues the own one: there is more to read.
    Behind(u64),
    /// Neither continues the other.
    Fork(Box<Fork>),
    /// The other's is larger, and nothing shows what it continues. The fault lies with the other reader.
    Unproven,
}

/// What a reader with a larger tree shows of it: its root at the smaller size, and that its head continues that.
#[must_use]
pub fn continues(tree: &Tree, smaller: u64, larger: u64) -> Option<Continues> {
    Some(Continues { root: tree.root_at(smaller)?, proof: tree.consistency_proof(smaller, larger)? })
}

/// Compares two heads of one log. `tree` holds at least what `own` is the head of. `shown` is what the other reader shows
/// of its tree where that is larger; it need not be true.
#[must_use]
pub fn compare(
    (log, key): (&LogOf, &NoteKey),
    (tree, own): (&Tree, &Head),
    theirs: &Head,
    shown: Option<Continues>,
) -> Compared {
    let (mine, other) = (&own.checkpoint, &theirs.checkpoint);
    let fork = |first: &Head, second: &Head, continues| {
        let heads = first.alone(key).zip(second.alone(key));
        heads.map_or(Compared::Unproven, |(first, second)| {
            Compared::Fork(Box::new(Fork { log: log.clone(), first, second, continues }))
        })
    };
    match other.size.cmp(&mine.size) {
        Ordering::Equal if other.root == mine.root => Compared::Agree,
        Ordering::Equal => fork(own, theirs, None),
        Ordering::Less if tree.root_at(other.size) == Some(other.root) => Compared::Agree,
        Ordering::Less => fork(theirs, own, continues(tree, other.size, mine.size)),
        Ordering::Greater => {
            let holds = |shown: &Continues| {
                verify_consistency(mine.size, other.size, &shown.proof, &shown.root, &other.root).is_ok()
            };
            match shown.filter(holds) {
                None => Compared::Unproven,
                Some(shown) if shown.root == mine.root => Compared::Behind(other.size),
                Some(shown) => fork(own, theirs, Some(shown)),
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Readers as witnesses: they cosign heads that continue what they have read, and compare heads with each other, so that
//! nobody can be shown another board than the rest (`docs/protocol.md` section 7.4).
//!
//! Whoever signs two heads of which neither continues the other is found by one exchange between any two readers that
//! were shown different ones, and both heads become evidence. Not here: when to ask whom.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::merkle::{Hash, Tree, verify_consistency};
use super::note::{Algorithm, KeyName, Note, NoteError, NoteKey};
use crate::board::replication::board_name;
use crate::evidence::{Fork, LogOf, Place, PlacedLeaf};
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
    /// Neither continues the other, or nothing shows that the larger one does: search for the place.
    Conflict(Search),
}

/// Compares two heads of one log. `tree` holds at least what `own` is the head of; `proof` is the other reader's, that
/// its larger head continues the own one.
#[must_use]
pub fn compare(tree: &Tree, own: &Checkpoint, theirs: &Checkpoint, proof: &[Hash]) -> Compared {
    let continues = if theirs.size <= own.size {
        tree.root_at(theirs.size) == Some(theirs.root)
    } else {
        verify_consistency(own.size, theirs.size, proof, &own.root, &theirs.root).is_ok()
    };
    match continues {
        true if theirs.size > own.size => Compared::Behind(theirs.size),
        true => Compared::Agree,
        false => Compared::Conflict(Search { low: 0, high: own.size.min(theirs.size) }),
    }
}

/// Looks for the first place at which two trees differ, by asking the other reader for roots of its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// So many first leaves are equal.
    low: u64,
    /// So many first leaves are not.
    high: u64,
}

/// What to ask the other reader next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The root of its first leaves, so many.
    Root(u64),
    /// This leaf, with its proof under the other's head.
    Leaf(u64),
}

impl Search {
    /// What to ask next.
    #[must_use]
    pub const fn next(&self) -> Step {
        if self.high - self.low > 1 { Step::Root(self.middle()) } else { Step::Leaf(self.low) }
    }

    /// The other reader told the root that was asked for.
    pub fn told(&mut self, tree: &Tree, root: &Hash) {
        let middle = self.middle();
        if tree.root_at(middle).as_ref() == Some(root) {
            self.low = middle;
        } else {
            self.high = middle;
        }
    }

    const fn middle(&self) -> u64 {
        self.low + (self.high - self.low) / 2
    }
}

/// Both heads as evidence. `leaf` is the other reader's at the place found, and may be none for heads of one size. It
/// must be checked: the other reader may have lied.
#[must_use]
pub fn fork(
    log: LogOf,
    key: &NoteKey,
    (tree, own): (&Tree, &Head),
    theirs: &Head,
    found: Option<(u64, PlacedLeaf)>,
) -> Option<Fork> {
    let (own_size, their_size) = (own.checkpoint.size, theirs.checkpoint.size);
    let (own_text, their_text) = (own.alone(key)?, theirs.alone(key)?);
    if own_size == their_size {
        return Some(Fork { log, first: own_text, second: their_text, place: None });
    }
    let (index, leaf) = found?;
    let mine = PlacedLeaf { leaf: tree.leaf(index)?, proof: tree.inclusion_proof(index, own_size)? };
    let own_first = own_size < their_size;
    let (first, second) = if own_first { (mine, leaf) } else { (leaf, mine) };
    let place = Some(Place { index, first, second });
    let (first, second) = if own_first { (own_text, their_text) } else { (their_text, own_text) };
    Some(Fork { log, first, second, place })
}

/// What a reader that was asked shows of a leaf under its own head.
#[must_use]
pub fn placed_leaf(tree: &Tree, index: u64, size: u64) -> Option<PlacedLeaf> {
    Some(PlacedLeaf { leaf: tree.leaf(index)?, proof: tree.inclusion_proof(index, size)? })
}

#[cfg(test)]
mod tests;

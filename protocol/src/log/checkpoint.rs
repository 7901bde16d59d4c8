//! Checkpoints (c2sp.org/tlog-checkpoint): the signed head of a log (`docs/protocol.md` section 7.3).
//!
//! Extension lines are refused: our logs write none, and nobody would vouch for them. Not here: whether one
//! checkpoint continues another, see [`super::merkle::verify_consistency`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::{Hash, MAX_SIZE};
use super::note::{KeyName, Note, NoteError, NoteKey};
use crate::sign::SigningKey;

/// The head of a log: which log, how many leaves, which root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log, and of the key that signs for it.
    pub origin: KeyName,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree of those leaves.
    pub root: Hash,
}

/// Why a checkpoint was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is not valid, or not signed by the log's key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not an origin, a size and a root.
    #[error("not a checkpoint: expected three lines with origin, size and root")]
    Malformed,
    /// Signed by this log's key, under the name of another log.
    #[error("a checkpoint of {0}, not of the log whose key signed it")]
    Origin(KeyName),
}

/// A checkpoint that its log's key has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint(Checkpoint);

impl VerifiedCheckpoint {
    /// What was signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.0
    }
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Reads what [`Checkpoint::text`] writes. The result is not verified.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] for any other spelling, extension lines included.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Malformed);
        let (origin, size, root) = (next()?, next()?, next()?);
        let root = STANDARD.decode(root).map_err(|_| CheckpointError::Malformed)?;
        let checkpoint = Self {
            origin: origin.parse()?,
            size: size.parse().map_err(|_| CheckpointError::Malformed)?,
            root: Hash::try_from(root.as_slice()).map_err(|_| CheckpointError::Malformed)?,
        };
        let canonical = checkpoint.size <= MAX_SIZE && checkpoint.text() == text;
        if canonical { Ok(checkpoint) } else { Err(CheckpointError::Malformed) }
    }

    /// Signs with the log's own key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Note {
        Note::sign(self.text(), &self.origin, key).expect("a key name, a number and base64 are text")
    }

    /// Reads the checkpoint in `note` that `log`'s key has signed.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(note: &Note, log: &NoteKey) -> Result<VerifiedCheckpoint, CheckpointError> {
        let checkpoint = Self::parse(note.verify(log)?.text())?;
        if checkpoint.origin == *log.name() {
            Ok(VerifiedCheckpoint(checkpoint))
        } else {
            Err(CheckpointError::Origin(checkpoint.origin))
        }
    }
}

#[cfg(test)]
mod tests;

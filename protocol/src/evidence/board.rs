//! Two heads of one log of which neither continues the other (`docs/protocol.md` section 7.3).

use serde::{Deserialize, Serialize};

use super::{Court, Finding, NotProven};
use crate::id::MemberId;
use crate::log::checkpoint::Checkpoint;
use crate::log::merkle::{Hash, verify_inclusion};
use crate::log::note::{Note, NoteKey};
use crate::log::witness::{audit_key, board_key};

/// Which log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogOf {
    /// A matcher's board.
    Board(MemberId),
    /// A member's audit log.
    Audit(MemberId),
}

impl LogOf {
    /// Whose log it is.
    #[must_use]
    pub const fn member(&self) -> &MemberId {
        match self {
            Self::Board(member) | Self::Audit(member) => member,
        }
    }

    pub(super) const fn kind(&self) -> &'static [u8] {
        match self {
            Self::Board(_) => b"board",
            Self::Audit(_) => b"audit",
        }
    }

    fn key(&self, court: &Court<'_>) -> Result<NoteKey, NotProven> {
        match self {
            Self::Board(matcher) => {
                let (destination, key) = court.matcher(matcher)?;
                Ok(board_key(&destination.network, matcher, key))
            }
            Self::Audit(member) => Ok(audit_key(&court.network(), member, court.key(member)?)),
        }
    }
}

/// Two heads that its owner signed and that are not of one log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// Which log.
    pub log: LogOf,
    /// The head of the smaller size, as text, with the owner's signature line alone.
    pub first: String,
    /// The other head, likewise.
    pub second: String,
    /// For heads of different size: a place at which both trees have another leaf. None for heads of one size, whose
    /// roots differ.
    pub place: Option<Place>,
}

/// One place of two trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The leaf's number.
    pub index: u64,
    /// What stands there under the first head.
    pub first: PlacedLeaf,
    /// What stands there under the second head.
    pub second: PlacedLeaf,
}

/// A leaf with the proof that it stands at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedLeaf {
    /// The leaf's hash.
    pub leaf: Hash,
    /// Inclusion proof under the head.
    pub proof: Vec<Hash>,
}

impl PlacedLeaf {
    fn stands(&self, index: u64, head: &Checkpoint) -> bool {
        verify_inclusion(index, head.size, &self.leaf, &self.proof, &head.root).is_ok()
    }
}

impl Fork {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let key = self.log.key(court)?;
        let (first, second) = (head(&self.first, &[&key])?, head(&self.second, &[&key])?);
        let differ = match &self.place {
            None => first.size == second.size && first.root != second.root,
            Some(place) => {
                first.size < second.size
                    && place.first.leaf != place.second.leaf
                    && place.first.stands(place.index, &first)
                    && place.second.stands(place.index, &second)
            }
        };
        if !differ {
            return Err(NotProven::Allowed);
        }
        let (log, section) = match &self.log {
            LogOf::Board(_) => ("board", "6.1"),
            LogOf::Audit(_) => ("audit log", "7.2"),
        };
        let deed = format!(
            "signed two heads of its {log}, of {} and {} entries, of which neither continues the other",
            first.size, second.size
        );
        Ok((vec![self.log.member().clone()], section, None, deed))
    }
}

/// The checkpoint in `text`, which must be a note with exactly the lines of these keys, the first being the log's.
pub(super) fn head(text: &str, keys: &[&NoteKey]) -> Result<Checkpoint, NotProven> {
    let note: Note = text.parse().map_err(|_| NotProven::Unfitting)?;
    let [log, ..] = keys else { return Err(NotProven::Unfitting) };
    let checkpoint = Checkpoint::verify(&note, log).map_err(|_| NotProven::Signature)?.checkpoint().clone();
    let alone = note.with_lines_of(keys).map_err(|_| NotProven::Signature)?;
    // One spelling: no other lines, no other order.
    if alone.to_string() == text { Ok(checkpoint) } else { Err(NotProven::Unfitting) }
}

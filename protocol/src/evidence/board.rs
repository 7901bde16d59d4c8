//! Two heads of one log of which neither continues the other (`docs/protocol.md` section 7.3).

use serde::{Deserialize, Serialize};

use super::{Court, Finding, NotProven};
use crate::id::MemberId;
use crate::log::checkpoint::Checkpoint;
use crate::log::merkle::{Hash, verify_consistency};
use crate::log::note::{Note, NoteKey};
use crate::log::witness::{audit_key, board_key, witness_key};
use crate::time::Timestamp;

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
    /// For heads of different size: what the larger one continues instead. None for heads of one size, whose roots
    /// differ.
    pub continues: Option<Continues>,
}

/// The root that a larger tree had at the smaller size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continues {
    /// The root, which is not the smaller head's.
    pub root: Hash,
    /// Consistency proof from it to the larger head.
    pub proof: Vec<Hash>,
}

impl Fork {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let key = self.log.key(court)?;
        let (first, second) = (head(&self.first, &[&key])?, head(&self.second, &[&key])?);
        let contradict = match &self.continues {
            None => first.size == second.size && first.root != second.root,
            Some(Continues { root, proof }) => {
                first.size < second.size
                    && *root != first.root
                    && verify_consistency(first.size, second.size, proof, root, &second.root).is_ok()
            }
        };
        if !contradict {
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

/// The checkpoint in `text`, which must have the lines of board and matcher as witness, and when the matcher cosigned it.
pub(super) fn timed_head(
    text: &str,
    matcher: &MemberId,
    court: &Court<'_>,
) -> Result<(Checkpoint, Timestamp), NotProven> {
    let (destination, key) = court.matcher(matcher)?;
    let own = witness_key(&destination.network, matcher, key);
    let checkpoint = head(text, &[&board_key(&destination.network, matcher, key), &own])?;
    let note: Note = text.parse().map_err(|_| NotProven::Unfitting)?;
    let time = note.verify(&own).map_err(|_| NotProven::Signature)?.time().ok_or(NotProven::Signature)?;
    Ok((checkpoint, time))
}

//! How far a ceremony is, for people to read.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::MemberId;

/// How far a ceremony is and on whom it waits. Shown as `round 1: 4 of 6, waiting for a, b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Holders that have done their part of this stage, this node included.
    pub have: usize,
    /// Holders in all.
    pub of: usize,
    /// Those that have not.
    pub waiting_for: Vec<MemberId>,
    /// What is known of holders that do not go along.
    pub notes: BTreeMap<MemberId, Note>,
}

/// The stages of a ceremony, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All holders must enter.
    Nonces,
    /// Round 1.
    Commitments,
    /// Round 2.
    Shares,
    /// This node's own disk.
    Saving,
    /// Round 3.
    Confirmations,
    /// All keys are made.
    Finished,
    /// Given up; start again once the culprit is mended, or with another covenant.
    Aborted {
        /// Who caused it.
        culprit: MemberId,
    },
}

/// Why a holder does not go along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It works in another session; it will come along when it has heard the latest nonces.
    OtherSession,
    /// It is in no ceremony, or in that of another covenant or epoch.
    Elsewhere,
    /// It has given up.
    Aborted {
        /// Whom it blames.
        culprit: MemberId,
    },
    /// It has confirmed this session and came back without its state. If the ceremony does not finish: a new epoch.
    LostState,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nonces => f.write_str("entering"),
            Self::Commitments => f.write_str("round 1"),
            Self::Shares => f.write_str("round 2"),
            Self::Saving => f.write_str("saving"),
            Self::Confirmations => f.write_str("round 3"),
            Self::Finished => f.write_str("finished"),
            Self::Aborted { culprit } => write!(f, "stopped by {culprit}"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSession => f.write_str("is in another session"),
            Self::Elsewhere => f.write_str("is not in this ceremony"),
            Self::Aborted { culprit } => write!(f, "has stopped because of {culprit}"),
            Self::LostState => f.write_str("has lost its state"),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stage)?;
        if matches!(self.stage, Stage::Finished | Stage::Aborted { .. }) {
            return Ok(());
        }
        write!(f, ": {} of {}", self.have, self.of)?;
        for (index, member) in self.waiting_for.iter().enumerate() {
            write!(f, "{}{member}", if index == 0 { ", waiting for " } else { ", " })?;
        }
        for (member, note) in &self.notes {
            write!(f, "; {member} {note}")?;
        }
        Ok(())
    }
}

//! Who stopped a ceremony, and what shows it (`docs/protocol.md` section 3.4).
//!
//! Not here: when something is at fault; that is said where it is checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::{Commitment, Confirm, Share};
use crate::codec::Wire;
use crate::id::MemberId;

/// Who stopped a ceremony, why, and what it signed that shows so. To be kept for the governance board. It may hold
/// shares of the failed session, so it is stored as other secrets are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abort {
    /// Who is at fault.
    pub culprit: MemberId,
    /// What it did.
    pub fault: Fault,
    /// Packages signed by the culprit; empty where the fault is that something was not signed properly.
    pub evidence: Vec<Evidence>,
}

impl Wire for Abort {
    const MAX_LEN: usize = 1 << 15;
}

impl Abort {
    /// For a fault that lies in what was not signed, or not properly.
    pub(super) fn new(culprit: &MemberId, fault: Fault) -> Self {
        Self::proven(culprit, fault, Vec::new())
    }

    /// For a fault that what the culprit signed shows.
    pub(super) fn proven(culprit: &MemberId, fault: Fault, evidence: Vec<Evidence>) -> Self {
        Self { culprit: culprit.clone(), fault, evidence }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; the old keys stay in use", self.culprit, self.fault)
    }
}

/// Something the culprit signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Evidence {
    /// Of round 1.
    Commitment(Commitment),
    /// Of round 2.
    Share(Share),
    /// Of round 3.
    Confirm(Confirm),
}

/// What a holder did that stopped the ceremony. Completes the sentence "the culprit ...".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The package, its own or one it passed on, is not signed by its sender in this session.
    #[error("handed over something whose signature does not fit this session")]
    Signature,
    /// A package of another session, or for a key, sender or receiver that this session does not have.
    #[error("handed over something that does not belong in this session")]
    Unexpected,
    /// Not exactly as many elements as the key's threshold: more would raise it unseen.
    #[error("committed to another threshold than the covenant's")]
    CommitmentLength,
    /// Not canonical, or the identity.
    #[error("committed to something that is not a list of group elements with a proof")]
    CommitmentForm,
    /// The proof of knowledge does not hold.
    #[error("does not prove that it knows what it committed to")]
    Proof,
    /// Not a canonical scalar, or not the committed polynomial's value.
    #[error("sent a share that does not fit its commitment")]
    Share,
    /// Two different packages for the same place in one session.
    #[error("told different holders different things")]
    TwoFaced,
    /// Confirmed another transcript although all commitments are the same, or signed other key records.
    #[error("confirmed something else than what all had seen")]
    Transcript,
    /// Its confirmation completed a session, but it came back with another nonce: its state is lost. Start a new epoch.
    #[error("confirmed the keys and then lost its state, so a new epoch must be started")]
    LostState,
}

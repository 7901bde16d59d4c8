//! What a node keeps on disk of a ceremony, so that it can stop at any moment.
//!
//! Not here: storing and sealing it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::message::{Commitment, Finished, Nonce, STATE_MAX_LEN, Share};
use super::record::SignedKeyRecord;
use crate::codec::{self, Wire};
use crate::id::MemberId;
use crate::secret::Secret;

/// What a node keeps on disk of a ceremony, encoded. Secret until the ceremony is finished.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptBytes(Zeroizing<Vec<u8>>);

impl KeptBytes {
    pub(super) fn encode(kept: &Kept) -> Self {
        Self(Zeroizing::new(codec::encode(kept)))
    }

    /// The bytes, for sealing to disk.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeptBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptBytes({} bytes)", self.0.len())
    }
}

/// What a node keeps on disk of a ceremony.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Kept {
    /// From before the holder's confirmation is given out until the ceremony is finished.
    Signed(KeptSigned),
    /// Afterwards; nothing in it is secret.
    Finished(KeptFinished),
}

impl Wire for Kept {
    const MAX_LEN: usize = STATE_MAX_LEN;
}

/// All that a session was made of, so that going through it again gives the same shares and signatures.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptSigned {
    #[serde(with = "super::message::secret_bytes")]
    pub(super) seed: Secret<32>,
    pub(super) nonces: BTreeMap<MemberId, Nonce>,
    pub(super) commitments: Vec<Commitment>,
    pub(super) shares: Vec<Share>,
}

/// What lets the others finish, and the records for everyone.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptFinished {
    pub(super) finished: Finished,
    pub(super) records: Vec<SignedKeyRecord>,
}

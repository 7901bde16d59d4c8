//! What a message says: fixed fields about one pair of cases, never free text (`docs/protocol.md` section 10.3).
//!
//! Every message of the coordination speaks of one pair of cases and has an id; what it says is one variant of
//! [`Says`]. Not here: sealing and addresses ([`super::Channel`]).

use serde::{Deserialize, Serialize};

use crate::board::Body;
use crate::codec::{self, Wire};
use crate::coordination::{CardMessage, Position};
use crate::id::{MatchId, Reference, byte_id};
use crate::matching::match_id;
use crate::sealing;
use crate::time::Day;

byte_id! {
    /// Random; by it a receiver knows a message that came twice.
    MessageId, 16
}

/// Bytes of every message before sealing, whatever it says.
pub const PLAINTEXT_LEN: usize = Body::LEN - sealing::OVERHEAD;

/// One message about one pair of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The same wherever and however often it is posted.
    pub id: MessageId,
    /// The sender's reference.
    pub from: Reference,
    /// The receiver's reference.
    pub to: Reference,
    /// The day on which it was said, by the sender's clock.
    pub issued: Day,
    /// What is said.
    pub says: Says,
}

/// What can be said. A receiver that does not know a kind leaves the message alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// This is not right: the pair of cases is no match, for both sides from now on.
    Mistaken(MistakenReason),
    /// Where the sender stands in the cooperation over this match; the latest counts.
    Position(Box<Position>),
    /// How to reach the sender's professional; the latest counts.
    Card(Box<CardMessage>),
}

/// Why a match is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MistakenReason {
    /// The cases are about different people.
    OtherPerson,
    /// The sender is not involved with the family any more.
    NoLongerInvolved,
    /// The sender has the same case twice.
    Duplicate,
}

impl MistakenReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OtherPerson, Self::NoLongerInvolved, Self::Duplicate];
}

impl Wire for Message {
    const MAX_LEN: usize = PLAINTEXT_LEN - 2;
}

/// Why a plaintext is not a message. The fault lies with its sender, or it is of a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this version")]
pub struct BadMessage;

impl Message {
    /// The pair of cases it is about.
    #[must_use]
    pub fn match_id(&self) -> MatchId {
        match_id(self.from, self.to)
    }

    /// Length, encoding, zeros: [`PLAINTEXT_LEN`] bytes.
    #[must_use]
    pub fn to_plaintext(&self) -> Vec<u8> {
        let encoded = codec::encode(self);
        let length = u16::try_from(encoded.len()).expect("MAX_LEN is below 65,536");
        let mut plaintext = length.to_be_bytes().to_vec();
        plaintext.extend_from_slice(&encoded);
        plaintext.resize(PLAINTEXT_LEN, 0);
        plaintext
    }

    /// Reads what [`Self::to_plaintext`] gives, and nothing else.
    ///
    /// # Errors
    /// [`BadMessage`].
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, BadMessage> {
        let (length, rest) = plaintext.split_first_chunk::<2>().ok_or(BadMessage)?;
        let (encoded, zeros) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(BadMessage)?;
        if plaintext.len() != PLAINTEXT_LEN || zeros.iter().any(|&byte| byte != 0) {
            return Err(BadMessage);
        }
        codec::decode(encoded).map_err(|_| BadMessage)
    }
}

//! The messages of `/kring/witness/1` (`docs/protocol.md` section 7.4): members compare what they were shown.

use serde::{Deserialize, Serialize};

use crate::codec::Wire;
use crate::evaluation::{SignedHeader, Vouched};
use crate::evidence::Continues;
use crate::id::{Epoch, MemberId};

/// Most headers in one answer.
pub const CHAINS_MAX: usize = 24;

/// Asked of any member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Request {
    /// Between key holders: the highest header of every member's chain, of members after `after`, sorted by member.
    Chains {
        /// The epoch.
        epoch: Epoch,
        /// The last member of the answer before.
        after: Option<MemberId>,
    },
    /// Between key holders: one header.
    Header {
        /// The epoch.
        epoch: Epoch,
        /// Whose chain.
        member: MemberId,
        /// Its number.
        seq: u64,
    },
    /// Between key holders: the last request of `member` that was answered, with the acknowledgements that came with it.
    Vouched {
        /// The epoch.
        epoch: Epoch,
        /// Who asked.
        member: MemberId,
    },
    /// Between readers: the asker's newest head of a board, and the question for the other's.
    Board {
        /// Whose board.
        matcher: MemberId,
        /// The asker's head, with the lines of matcher and asker alone.
        checkpoint: String,
    },
}

impl Wire for Request {
    const MAX_LEN: usize = 8_192;
}

/// The reply to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Response {
    /// At most [`CHAINS_MAX`]; empty at the end.
    Chains(Vec<SignedHeader>),
    /// The header.
    Header(Box<SignedHeader>),
    /// What was vouched for.
    Vouched(Box<Vouched>),
    /// The head.
    Board {
        /// The answering reader's head, with the lines of matcher and reader alone.
        checkpoint: String,
        /// Where it is larger than the asker's: what it continues.
        continues: Option<Continues>,
    },
    /// There is no such thing here.
    Nothing,
    /// Not a request of this version.
    Malformed,
}

impl Wire for Response {
    const MAX_LEN: usize = 60_000;
}

#[cfg(test)]
mod tests {
    use super::{Request, Response};
    use crate::codec::{Wire, decode, encode};
    use crate::evidence::Continues;
    use crate::id::Epoch;
    use crate::log::merkle::Hash;

    fn bytes<T: Wire + PartialEq + std::fmt::Debug>(value: &T) -> String {
        let bytes = encode(value);
        assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
        hex::encode(bytes)
    }

    #[test]
    fn the_bytes_of_every_message() {
        let member: crate::id::MemberId = "p1".parse().unwrap();
        let (matcher, checkpoint) = (member.clone(), "text".to_owned());
        let root = Hash::from_bytes([1; 32]);
        let continues = Some(Continues { root, proof: vec![root] });
        let found = [
            bytes(&Request::Chains { epoch: Epoch(300), after: None }),
            bytes(&Request::Chains { epoch: Epoch(1), after: Some(member.clone()) }),
            bytes(&Request::Header { epoch: Epoch(1), member: member.clone(), seq: 2 }),
            bytes(&Request::Vouched { epoch: Epoch(1), member }),
            bytes(&Request::Board { matcher, checkpoint: checkpoint.clone() }),
            bytes(&Response::Chains(Vec::new())),
            bytes(&Response::Board { checkpoint: checkpoint.clone(), continues }),
            bytes(&Response::Board { checkpoint, continues: None }),
            bytes(&Response::Nothing),
            bytes(&Response::Malformed),
        ];
        assert_eq!(found.join("\n") + "\n", include_str!("golden.txt"), "\n{}", found.join("\n"));
    }
}

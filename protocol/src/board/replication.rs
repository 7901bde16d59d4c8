//! Reading a board to its head, from its matcher or from any member that has it (`docs/protocol.md` section 6.1).
//!
//! Every reader fetches everything and keeps a [`Replica`], which checks that the board only grew and that the matcher
//! signed for it. So nobody sees who reads what, and nothing once posted can be dropped or shown differently.

use serde::{Deserialize, Serialize};

use super::{ENTRY_LEN, Entry};
use crate::codec::{Bytes, Wire};
use crate::id::{MemberId, NetworkId};
use crate::log::checkpoint::{Checkpoint, CheckpointError};
use crate::log::merkle::{Frontier, Hash, Tree, leaf_hash, verify_consistency};
use crate::log::note::{Algorithm, KeyName, Note, NoteKey};
use crate::sign::{SigningKey, VerifyingKey};

/// Most entries in one answer.
pub const ENTRIES_MAX: usize = 512;
/// Longest time that a reader may ask to wait for something new, in milliseconds.
pub const WAIT_MAX_MS: u32 = 30_000;

/// Requests of `/kring/board/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Entries of a board from a number on.
    Read {
        /// Whose board.
        matcher: MemberId,
        /// Number of the first entry wanted.
        from: u64,
        /// How long to wait for something new, in milliseconds; at most [`WAIT_MAX_MS`].
        wait_ms: u32,
    },
}

impl Wire for Request {
    const MAX_LEN: usize = 256;
}

/// Answers of `/kring/board/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// What is there.
    Entries(Box<Page>),
    /// Nothing beyond `from` yet, or the board is not kept here.
    Nothing,
    /// The bytes are not a request of this version.
    Malformed,
}

impl Wire for Response {
    const MAX_LEN: usize = 1 << 20;
}

/// Entries with the proof that they stand on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Number of the first entry.
    pub from: u64,
    /// The entries, [`ENTRY_LEN`] bytes each.
    pub entries: Bytes,
    /// The matcher's signed checkpoint, at or beyond the last entry.
    pub checkpoint: String,
    /// That the checkpoint continues the board as it is after the last entry.
    pub proof: Vec<Hash>,
}

/// The log name of a matcher's board.
///
/// # Panics
/// Never: slugs and hex are a valid key name.
#[must_use]
pub fn board_name(network: &NetworkId, matcher: &MemberId) -> KeyName {
    let network = hex::encode(&network.as_bytes()[..8]);
    format!("kring/{network}/board/{matcher}").parse().expect("slugs and hex are a valid key name")
}

/// Signs the head of the matcher's own board.
#[must_use]
pub fn sign_head(tree: &Tree, name: &KeyName, key: &SigningKey) -> Note {
    Checkpoint { origin: name.clone(), size: tree.size(), root: tree.root() }.sign(key)
}

/// What is answered to a reader at `from`, given the board's tree, its signed head for `size` entries (the tree may be
/// ahead of it) and the entries from there on.
#[must_use]
pub fn page(tree: &Tree, head: &Note, size: u64, from: u64, entries: &[u8]) -> Option<Page> {
    let to = from + (entries.len() / ENTRY_LEN) as u64;
    let proof = tree.consistency_proof(to, size)?;
    Some(Page { from, entries: Bytes(entries.to_vec()), checkpoint: head.to_string(), proof })
}

/// A board as far as one reader has it.
#[derive(Clone, Debug)]
pub struct Replica {
    name: KeyName,
    key: VerifyingKey,
    frontier: Frontier,
}

/// Why a page was not accepted. Where the matcher signed it, that is evidence against the matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// It does not start where the reader is, or is not whole entries.
    #[error("the page does not start where this reader is; whoever sent it is at fault")]
    NotNext,
    /// The checkpoint is not this matcher's.
    #[error("the checkpoint is not the matcher's: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint does not continue what this reader has.
    #[error("the checkpoint does not continue what this reader has: the board was changed, or the page was")]
    NotContinued,
}

impl Replica {
    /// A replica at `frontier` of the board that `matcher_key` signs for.
    #[must_use]
    pub const fn new(name: KeyName, key: VerifyingKey, frontier: Frontier) -> Self {
        Self { name, key, frontier }
    }

    /// How far this reader is.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Checks a page and gives its entries with the replica after them. The caller stores both, then goes on with the
    /// new replica.
    ///
    /// # Errors
    /// [`BadPage`]; the replica is unchanged.
    pub fn accept(&self, page: &Page) -> Result<(Vec<Entry>, Self, Checkpoint), BadPage> {
        let (chunks, rest) = page.entries.0.as_chunks::<ENTRY_LEN>();
        if page.from != self.frontier.size() || !rest.is_empty() || chunks.is_empty() {
            return Err(BadPage::NotNext);
        }
        let note: Note = page.checkpoint.parse().map_err(CheckpointError::Note)?;
        let key = NoteKey::new(self.name.clone(), Algorithm::Ed25519, self.key);
        let checkpoint = Checkpoint::verify(&note, &key)?.checkpoint().clone();
        let mut frontier = self.frontier.clone();
        for chunk in chunks {
            frontier.append(leaf_hash(chunk));
        }
        let (old, new) = (frontier.size(), checkpoint.size);
        verify_consistency(old, new, &page.proof, &frontier.root(), &checkpoint.root)
            .map_err(|_| BadPage::NotContinued)?;
        let entries = chunks.iter().map(Entry::from_bytes).collect();
        Ok((entries, Self { frontier, ..self.clone() }, checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Body;
    use crate::id::Address;
    use crate::secret::Secret;

    fn entry(byte: u8) -> Entry {
        Entry { address: Address::from_bytes([byte; 16]), body: Body::from_bytes([byte; 640]) }
    }

    fn board(count: u8) -> (Tree, Vec<u8>) {
        let mut tree = Tree::default();
        let mut bytes = Vec::new();
        for byte in 0..count {
            tree.append(leaf_hash(&entry(byte).to_bytes()));
            bytes.extend(entry(byte).to_bytes());
        }
        (tree, bytes)
    }

    #[test]
    fn a_reader_accepts_what_continues_and_nothing_else() {
        let key = SigningKey::from_seed(&Secret::new([1; 32]));
        let name = board_name(&NetworkId::from_bytes([2; 32]), &"matcher".parse().unwrap());
        let (tree, bytes) = board(7);
        let head = sign_head(&tree, &name, &key);
        let replica = Replica::new(name.clone(), key.verifying_key(), Frontier::new());

        let first = page(&tree, &head, 7, 0, &bytes[..3 * ENTRY_LEN]).unwrap();
        let (entries, replica, checkpoint) = replica.accept(&first).unwrap();
        assert_eq!((entries, checkpoint.size), ((0..3).map(entry).collect(), 7));
        assert_eq!(replica.accept(&first).unwrap_err(), BadPage::NotNext);
        let second = page(&tree, &head, 7, 3, &bytes[3 * ENTRY_LEN..]).unwrap();
        let mut altered = second.clone();
        altered.entries.0[20] ^= 1;
        assert_eq!(replica.accept(&altered).unwrap_err(), BadPage::NotContinued);

        // Another board of the same matcher: signed, but not the one this reader has read.
        let (mut other, _) = board(2);
        for byte in 10..16 {
            other.append(leaf_hash(&entry(byte).to_bytes()));
        }
        let forked =
            page(&other, &sign_head(&other, &name, &key), 8, 3, &bytes[3 * ENTRY_LEN..4 * ENTRY_LEN])
                .unwrap();
        assert_eq!(replica.accept(&forked).unwrap_err(), BadPage::NotContinued);
        let stranger = SigningKey::from_seed(&Secret::new([9; 32]));
        let unsigned =
            page(&tree, &sign_head(&tree, &name, &stranger), 7, 3, &bytes[3 * ENTRY_LEN..]).unwrap();
        assert!(matches!(replica.accept(&unsigned).unwrap_err(), BadPage::Checkpoint(_)));
        let (_, replica, _) = replica.accept(&second).unwrap();
        assert_eq!(replica.frontier().root(), tree.root());
    }
}

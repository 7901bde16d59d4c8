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
/// Most leaf hashes of dropped entries in one answer.
pub const DROPPED_MAX: usize = 4_096;
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
    /// The leaf hashes of the first entries, [`Hash::LEN`] bytes each, where whoever answers has dropped those.
    pub dropped: Bytes,
    /// The entries after them, [`ENTRY_LEN`] bytes each.
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
    page_after_dropped(tree, head, size, (from, 0), entries)
}

/// As [`page`], where the first so many entries are dropped, and `entries` are those after them.
#[must_use]
pub fn page_after_dropped(
    tree: &Tree,
    head: &Note,
    size: u64,
    (from, dropped): (u64, u64),
    entries: &[u8],
) -> Option<Page> {
    let after = from.checked_add(dropped)?;
    let leaves = tree.leaves().get(usize::try_from(from).ok()?..usize::try_from(after).ok()?)?;
    let dropped = Bytes(leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect());
    let proof = tree.consistency_proof(after + (entries.len() / ENTRY_LEN) as u64, size)?;
    Some(Page { from, dropped, entries: Bytes(entries.to_vec()), checkpoint: head.to_string(), proof })
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
    /// It has hashes in the place of entries that this reader must be shown.
    #[error(
        "the page leaves out entries that are not over; whoever sent it is at fault, or its clock is wrong"
    )]
    Withheld,
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

    /// Checks a page and gives what is in it. The caller stores that, then goes on with the new replica.
    ///
    /// `over` says that all this reader may have missed since it last stood at the end is over
    /// ([`EpochTerms::over_from`](crate::covenant::EpochTerms::over_from)). Only then may entries be left out: a hash
    /// shows that the board only grew, and not what stands there.
    ///
    /// # Errors
    /// [`BadPage`]; the replica is unchanged.
    pub fn accept(&self, page: &Page, over: bool) -> Result<Accepted, BadPage> {
        let (chunks, rest) = page.entries.0.as_chunks::<ENTRY_LEN>();
        let (hashes, half) = page.dropped.0.as_chunks::<{ Hash::LEN }>();
        let whole = rest.is_empty() && half.is_empty();
        if page.from != self.frontier.size() || !whole || chunks.len() + hashes.len() == 0 {
            return Err(BadPage::NotNext);
        }
        if !over && !hashes.is_empty() {
            return Err(BadPage::Withheld);
        }
        let note: Note = page.checkpoint.parse().map_err(CheckpointError::Note)?;
        let key = NoteKey::new(self.name.clone(), Algorithm::Ed25519, self.key);
        let checkpoint = Checkpoint::verify(&note, &key)?.checkpoint().clone();
        let mut frontier = self.frontier.clone();
        let dropped: Vec<Hash> = hashes.iter().copied().map(Hash::from_bytes).collect();
        dropped.iter().for_each(|leaf| frontier.append(*leaf));
        chunks.iter().for_each(|chunk| frontier.append(leaf_hash(chunk)));
        let (old, new) = (frontier.size(), checkpoint.size);
        verify_consistency(old, new, &page.proof, &frontier.root(), &checkpoint.root)
            .map_err(|_| BadPage::NotContinued)?;
        let entries = chunks.iter().map(Entry::from_bytes).collect();
        Ok(Accepted { dropped, entries, replica: Self { frontier, ..self.clone() }, checkpoint })
    }
}

/// What a reader takes from a page.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The leaf hashes of entries that were dropped; they come first.
    pub dropped: Vec<Hash>,
    /// The entries after them.
    pub entries: Vec<Entry>,
    /// The board as far as the reader has it now.
    pub replica: Replica,
    /// What the matcher signed.
    pub checkpoint: Checkpoint,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::board::Body;
    use crate::codec::{decode, encode};
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
        let Accepted { dropped, entries, replica, checkpoint } = replica.accept(&first, false).unwrap();
        assert_eq!((entries, checkpoint.size, dropped), ((0..3).map(entry).collect(), 7, Vec::new()));
        assert_eq!(replica.accept(&first, true).unwrap_err(), BadPage::NotNext);
        let second = page(&tree, &head, 7, 3, &bytes[3 * ENTRY_LEN..]).unwrap();
        let mut altered = second.clone();
        altered.entries.0[20] ^= 1;
        assert_eq!(replica.accept(&altered, true).unwrap_err(), BadPage::NotContinued);

        // Another board of the same matcher: signed, but not the one this reader has read.
        let (mut other, _) = board(2);
        for byte in 10..16 {
            other.append(leaf_hash(&entry(byte).to_bytes()));
        }
        let forked =
            page(&other, &sign_head(&other, &name, &key), 8, 3, &bytes[3 * ENTRY_LEN..4 * ENTRY_LEN])
                .unwrap();
        assert_eq!(replica.accept(&forked, true).unwrap_err(), BadPage::NotContinued);
        let stranger = SigningKey::from_seed(&Secret::new([9; 32]));
        let unsigned =
            page(&tree, &sign_head(&tree, &name, &stranger), 7, 3, &bytes[3 * ENTRY_LEN..]).unwrap();
        assert!(matches!(replica.accept(&unsigned, true).unwrap_err(), BadPage::Checkpoint(_)));
        let replica = replica.accept(&second, false).unwrap().replica;
        assert_eq!(replica.frontier().root(), tree.root());
    }

    fn reader() -> (KeyName, SigningKey, Replica) {
        let key = SigningKey::from_seed(&Secret::new([1; 32]));
        let name = board_name(&NetworkId::from_bytes([2; 32]), &"matcher".parse().unwrap());
        let replica = Replica::new(name.clone(), key.verifying_key(), Frontier::new());
        (name, key, replica)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        /// Whoever answers, and however much of the beginning each of them has dropped.
        #[test]
        fn who_reads_hashes_ends_with_the_same_root(
            size in 1_u8..40, pages in prop::collection::vec((0_u64..40, 1_usize..9), 40),
            hostile in (0_usize..40, 0_usize..2_000, 1_u8..),
        ) {
            let (name, key, mut replica) = reader();
            let (tree, bytes) = board(size);
            let head = sign_head(&tree, &name, &key);
            let mut whole = Vec::new();
            for (number, (dropped, count)) in pages.into_iter().enumerate() {
                let from = replica.frontier().size();
                if from == tree.size() {
                    break;
                }
                let hashes = dropped.min(tree.size()).saturating_sub(from);
                let start = usize::try_from(from + hashes).unwrap() * ENTRY_LEN;
                let end = bytes.len().min(start + count * ENTRY_LEN);
                let page = page_after_dropped(&tree, &head, tree.size(), (from, hashes), &bytes[start..end]).unwrap();
                let page: Page = match decode(&encode(&Response::Entries(Box::new(page)))).unwrap() {
                    Response::Entries(page) => *page,
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(replica.accept(&page, false).is_ok(), hashes == 0);
                let (at, byte, bits) = hostile;
                if at == number {
                    let mut forged = page.clone();
                    let mut bytes = [forged.dropped.0, forged.entries.0].concat();
                    let place = byte % bytes.len();
                    bytes[place] ^= bits;
                    forged.entries.0 = bytes.split_off(page.dropped.0.len());
                    forged.dropped.0 = bytes;
                    prop_assert_eq!(replica.accept(&forged, true).unwrap_err(), BadPage::NotContinued);
                    let mut cut = page.clone();
                    prop_assert!(cut.dropped.0.pop().is_none() || replica.accept(&cut, true).is_err());
                }
                let accepted = replica.accept(&page, true).unwrap();
                whole.extend(accepted.dropped);
                whole.extend(accepted.entries.iter().map(|entry| leaf_hash(&entry.to_bytes())));
                replica = accepted.replica;
            }
            prop_assert_eq!(&whole, tree.leaves());
            prop_assert_eq!(replica.frontier().root(), tree.root());
        }
    }

    #[test]
    fn the_largest_page_fits() {
        let (name, key, _) = reader();
        let mut tree = Tree::new();
        (0..DROPPED_MAX + ENTRIES_MAX + 100).for_each(|_| tree.append(leaf_hash(&[])));
        let head = sign_head(&tree, &name, &key);
        let entries = vec![7; ENTRIES_MAX * ENTRY_LEN];
        let page = page_after_dropped(&tree, &head, tree.size(), (0, DROPPED_MAX as u64), &entries).unwrap();
        assert!(encode(&Response::Entries(Box::new(page))).len() < Response::MAX_LEN / 2);
    }
}

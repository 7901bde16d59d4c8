//! The Merkle tree of RFC 6962 section 2: hashes, proofs and their verification (`docs/protocol.md` section 7.1).
//!
//! Not here: signatures over a root, see [`super::checkpoint`].

use serde::{Deserialize, Serialize};

use crate::codec::Wire;
use crate::crypto::sha256;
use crate::id::byte_id;

byte_id! {
    /// The hash of a leaf, a node or a whole tree.
    Hash, 32
}

/// Most leaves of a tree, so that sizes never overflow and a proof never exceeds [`MAX_PROOF_LEN`].
pub const MAX_SIZE: u64 = (1 << 62) - 1;
/// Most hashes of an inclusion or consistency proof.
pub const MAX_PROOF_LEN: usize = 63;

/// The proof does not show what it is said to show. The fault lies with whoever gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// An index or size that no tree of that size can have a proof for.
    #[error("no proof can exist for position {position} in a tree of {size} leaves")]
    Range {
        /// Index of the leaf, or size of the older tree.
        position: u64,
        /// Size of the newer tree.
        size: u64,
    },
    /// More or fewer hashes than these sizes take.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Hash of a leaf: SHA-256 of 0x00 and the leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut bytes = Vec::with_capacity(1 + leaf.len());
    bytes.push(0);
    bytes.extend_from_slice(leaf);
    Hash::from_bytes(sha256(&bytes))
}

/// Hash of a node: SHA-256 of 0x01 and its two children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Hash::from_bytes(sha256(&bytes))
}

/// Root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::from_bytes(sha256(&[]))
}

/// A whole tree in memory, 64 bytes a leaf: every root and every proof from its first leaf on.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// `levels[k]` holds the hashes of the complete subtrees of `2^k` leaves, in order.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hashes of all leaves, in order.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Adds a leaf by its [`leaf_hash`].
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => break,
            }
        }
    }

    /// Root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.range(0, self.size())
    }

    /// Root when the tree had `size` leaves; none if it never had so many.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        (size <= self.size()).then(|| self.range(0, size))
    }

    /// Proof that leaf `index` stands in the tree of `size` leaves (RFC 6962 section 2.1.1); none if it does not.
    #[must_use]
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut from, mut to) = (0, size);
        let mut path = Vec::new();
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                path.push(self.range(middle, to));
                to = middle;
            } else {
                path.push(self.range(from, middle));
                from = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// Proof that the tree of `new` leaves continues that of `old` (RFC 6962 section 2.1.2); none if it does not.
    /// Empty when `old` is 0 or equal to `new`.
    #[must_use]
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        if old > new || new > self.size() {
            return None;
        }
        let mut path = Vec::new();
        if old == 0 || old == new {
            return Some(path);
        }
        let (mut from, mut to) = (0, new);
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                path.push(self.range(middle, to));
                to = middle;
            } else {
                path.push(self.range(from, middle));
                from = middle;
            }
        }
        if from != 0 {
            path.push(self.range(from, to));
        }
        path.reverse();
        Some(path)
    }

    /// Hash of leaves `from..to`, where `from` is a multiple of the power of two that holds `to - from`.
    fn range(&self, from: u64, to: u64) -> Hash {
        let count = to - from;
        if count == 0 {
            return empty_root();
        }
        if count.is_power_of_two() {
            let level = count.trailing_zeros() as usize;
            let position =
                usize::try_from(from / count).expect("a tree in memory has fewer leaves than addresses");
            return self.levels[level][position];
        }
        let middle = from + split(count);
        node_hash(&self.range(from, middle), &self.range(middle, to))
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        tree
    }
}

/// The largest power of two smaller than `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// The right edge of a tree: all that is needed to append and to know the root, in at most 62 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFrontier", deny_unknown_fields)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest first: one for each bit of `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its [`leaf_hash`].
    ///
    /// # Panics
    /// Beyond [`MAX_SIZE`] leaves, which no machine can append.
    pub fn append(&mut self, leaf: Hash) {
        assert!(self.size < MAX_SIZE, "a log holds at most {MAX_SIZE} leaves");
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("there is a peak for each bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl Wire for Frontier {
    const MAX_LEN: usize = 2_300;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFrontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// The number of peaks does not fit the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of peaks does not fit the size")]
struct BadFrontier;

impl TryFrom<RawFrontier> for Frontier {
    type Error = BadFrontier;

    fn try_from(raw: RawFrontier) -> Result<Self, BadFrontier> {
        let fits = raw.size <= MAX_SIZE && raw.peaks.len() == raw.size.count_ones() as usize;
        if fits { Ok(Self { size: raw.size, peaks: raw.peaks }) } else { Err(BadFrontier) }
    }
}

/// Checks that the leaf with hash `leaf` is number `index` in the tree of `size` leaves with `root`
/// (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size || size > MAX_SIZE {
        return Err(ProofError::Range { position: index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(step, &hash);
            skip_lone_nodes(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `new` leaves with `new_root` continues the tree of `old` leaves with `old_root`
/// (RFC 9162 section 2.1.4.2). Every tree continues the empty one, with an empty proof.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old > new || new > MAX_SIZE {
        return Err(ProofError::Range { position: old, size: new });
    }
    if old == 0 || old == new {
        let holds = if old == new { old_root == new_root } else { *old_root == empty_root() };
        return match (proof, holds) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    let lone = node.trailing_ones();
    node >>= lone;
    last >>= lone;
    let (first, rest) = match proof {
        // A complete old tree is its own first hash and is left out of the proof.
        steps if old.is_power_of_two() => (old_root, steps),
        [first, rest @ ..] => (first, rest),
        [] => return Err(ProofError::Length),
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for step in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            skip_lone_nodes(&mut node, &mut last);
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// A last node without a sibling rises unchanged to the level where it is a right child.
const fn skip_lone_nodes(node: &mut u64, last: &mut u64) {
    while node.is_multiple_of(2) && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

#[cfg(test)]
mod tests;

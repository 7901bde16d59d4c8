//! A matcher's board and its readers, driven by a list of operations: a reader has what one history of the board begins
//! with, and goes on with that history only, whatever pages are cut, altered, sent again or taken from another.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::{id, operations, seeds, signing};
use kring_protocol::board::replication::{Accepted, ENTRIES_MAX, Page, Replica, board_name, page, sign_head};
use kring_protocol::board::{Body, ENTRY_LEN, Entry};
use kring_protocol::codec::{decode, encode};
use kring_protocol::id::{Address, NetworkId};
use kring_protocol::log::merkle::{Frontier, Hash, Tree, leaf_hash, verify_consistency, verify_inclusion};
use kring_protocol::log::note::{KeyName, Note};
use kring_protocol::sign::SigningKey;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| signing(1));
static NAME: LazyLock<KeyName> = LazyLock::new(|| board_name(&NetworkId::from_bytes([2; 32]), &id("m")));

/// Most entries of a board here.
const SIZE_MAX: usize = 300;

#[derive(Debug, Arbitrary)]
enum Op {
    /// The matcher appends so many entries.
    Append(u8),
    /// A reader gets its next page, whole.
    Read { reader: bool, count: u8, ahead: u8 },
    /// A reader gets a page from anywhere, with something about it changed.
    Altered { reader: bool, from: u8, count: u8, change: Change },
    /// A reader gets a page of another board that the same matcher has signed, equal up to some entry.
    Forked { reader: bool, equal: u8, more: u8, count: u8 },
    /// A reader stops and starts with what it has stored.
    Restart { reader: bool },
    /// Proofs of the board's tree.
    Prove { index: u8, old: u8, size: u8, bit: u8 },
}

#[derive(Debug, Arbitrary)]
enum Change {
    Nothing,
    Entries { place: u16, bit: u8 },
    From(u64),
    Proof { place: u8, bit: u8 },
    ShorterProof,
    LongerProof,
    Cut(u16),
    Checkpoint { place: u8, byte: u8 },
    OtherHead(u8),
}

/// One history of a board.
#[derive(Clone, Default)]
struct Board {
    bytes: Vec<u8>,
    leaves: Vec<Hash>,
}

impl Board {
    fn size(&self) -> usize {
        self.leaves.len()
    }

    fn append(&mut self, count: usize, history: u8) {
        for number in self.size()..(self.size() + count).min(SIZE_MAX) {
            let mut address = [history; 16];
            address[..8].copy_from_slice(&(number as u64).to_be_bytes());
            let entry =
                Entry { address: Address::from_bytes(address), body: Body::from_bytes([history; 640]) };
            self.bytes.extend_from_slice(&entry.to_bytes());
            self.leaves.push(leaf_hash(&entry.to_bytes()));
        }
    }

    fn first(&self, size: usize) -> Self {
        Self { bytes: self.bytes[..size * ENTRY_LEN].to_vec(), leaves: self.leaves[..size].to_vec() }
    }

    fn tree(&self) -> Tree {
        self.leaves.iter().copied().collect()
    }

    fn head(&self, size: usize) -> Note {
        sign_head(&self.first(size).tree(), &NAME, &KEY)
    }

    /// What the matcher answers to a reader at `from`, its signed head being at `size`.
    fn page(&self, from: usize, count: usize, size: usize) -> Page {
        let to = (from + count).min(size);
        let entries = &self.bytes[from.min(to) * ENTRY_LEN..to * ENTRY_LEN];
        page(&self.tree(), &self.head(size), size as u64, from as u64, entries).unwrap()
    }
}

/// A reader with all that it has read.
struct Reader {
    replica: Replica,
    read: Board,
}

impl Reader {
    fn at(frontier: Frontier) -> Replica {
        Replica::new(NAME.clone(), KEY.verifying_key(), frontier)
    }

    /// Takes a page, which must be one of `board` to be accepted, through its bytes.
    fn take(&mut self, page: &Page, board: &Board) -> bool {
        let page: Page = match decode(&encode(&kring_protocol::board::replication::Response::Entries(
            Box::new(page.clone()),
        ))) {
            Ok(kring_protocol::board::replication::Response::Entries(page)) => *page,
            other => panic!("{other:?}"),
        };
        let Ok(accepted) = self.replica.accept(&page, false) else { return false };
        let Accepted { entries, replica, checkpoint, .. } = accepted;
        for entry in &entries {
            self.read.bytes.extend_from_slice(&entry.to_bytes());
            self.read.leaves.push(leaf_hash(&entry.to_bytes()));
        }
        assert!(!entries.is_empty() && board.bytes.starts_with(&self.read.bytes), "not what was posted");
        assert!(checkpoint.size >= self.read.size() as u64 && checkpoint.size <= board.size() as u64);
        assert_eq!(replica.frontier().root(), self.read.tree().root());
        assert_eq!(replica.frontier().size(), self.read.size() as u64);
        self.replica = replica;
        true
    }

    fn follows(&self, board: &Board) -> bool {
        board.bytes.starts_with(&self.read.bytes)
    }
}

fn flip(bytes: &mut [u8], place: usize, bit: u8) {
    if !bytes.is_empty() {
        bytes[place % bytes.len()] ^= 1 << (bit % 8);
    }
}

fn alter(page: &mut Page, change: &Change, board: &Board) {
    match change {
        Change::Nothing => {}
        Change::Entries { place, bit } => flip(&mut page.entries.0, usize::from(*place), *bit),
        Change::From(from) => page.from = *from,
        Change::Proof { place, bit } => {
            if let Some(hash) = page.proof.first_mut() {
                let mut bytes = *hash.as_bytes();
                flip(&mut bytes, usize::from(*place), *bit);
                *hash = Hash::from_bytes(bytes);
            }
        }
        Change::ShorterProof => drop(page.proof.pop()),
        Change::LongerProof => page.proof.push(Hash::from_bytes([0; 32])),
        Change::Cut(length) => page.entries.0.truncate(usize::from(*length)),
        Change::Checkpoint { place, byte } => {
            let mut text: Vec<char> = page.checkpoint.chars().collect();
            let place = usize::from(*place) % text.len();
            text[place] = char::from(*byte);
            page.checkpoint = text.into_iter().collect();
        }
        Change::OtherHead(size) => {
            page.checkpoint = board.head(usize::from(*size) % (board.size() + 1)).to_string();
        }
    }
}

fn prove(board: &Board, index: usize, old: usize, size: usize, bit: u8) {
    let (tree, size) = (board.tree(), size % (board.size() + 1));
    let root = tree.root_at(size as u64).unwrap();
    let old = old % (size + 1);
    let old_root = tree.root_at(old as u64).unwrap();
    let proof = tree.consistency_proof(old as u64, size as u64).unwrap();
    assert_eq!(verify_consistency(old as u64, size as u64, &proof, &old_root, &root), Ok(()));
    let mut wrong = *old_root.as_bytes();
    flip(&mut wrong, usize::from(bit), bit);
    let wrong = Hash::from_bytes(wrong);
    assert!(verify_consistency(old as u64, size as u64, &proof, &wrong, &root).is_err());
    // Every tree continues the empty one.
    assert_eq!(
        verify_consistency(old as u64, size as u64, &proof, &old_root, &wrong).is_ok(),
        old == 0 && size > 0
    );
    if size > 0 {
        let index = index % size;
        let proof = tree.inclusion_proof(index as u64, size as u64).unwrap();
        let leaf = board.leaves[index];
        assert_eq!(verify_inclusion(index as u64, size as u64, &leaf, &proof, &root), Ok(()));
        assert!(verify_inclusion(index as u64, size as u64, &wrong, &proof, &root).is_err());
        assert!(verify_inclusion((index + 1) as u64, size as u64, &leaf, &proof, &root).is_err());
    }
}

fn run(ops: &[Op]) {
    let mut board = Board::default();
    let new = || Reader { replica: Reader::at(Frontier::new()), read: Board::default() };
    let mut readers = [new(), new()];
    for op in ops.iter().take(60) {
        match *op {
            Op::Append(count) => board.append(usize::from(count % 32) + 1, 0),
            Op::Read { reader, count, ahead } => {
                let reader = &mut readers[usize::from(reader)];
                let (from, count) = (reader.read.size(), usize::from(count % 32) + 1);
                let size = (from + count + usize::from(ahead)).min(board.size());
                if from < size {
                    let (page, follows) =
                        (board.page(from, count.min(ENTRIES_MAX), size), reader.follows(&board));
                    assert_eq!(
                        reader.take(&page, &board),
                        follows,
                        "what continues is read, and nothing else"
                    );
                }
            }
            Op::Altered { reader, from, count, ref change } => {
                let from = usize::from(from) % (board.size() + 1);
                let mut page = board.page(from, usize::from(count % 32), board.size());
                alter(&mut page, change, &board);
                readers[usize::from(reader)].take(&page, &board);
            }
            Op::Forked { reader, equal, more, count } => {
                let mut fork = board.first(usize::from(equal) % (board.size() + 1));
                fork.append(usize::from(more % 32) + 1, 1);
                let reader = &mut readers[usize::from(reader)];
                let from = reader.read.size();
                if from < fork.size() {
                    let page = fork.page(from, usize::from(count % 32) + 1, fork.size());
                    let follows = reader.follows(&fork);
                    assert_eq!(reader.take(&page, &fork), follows);
                }
            }
            Op::Restart { reader } => {
                let reader = &mut readers[usize::from(reader)];
                let stored: Frontier = decode(&encode(reader.replica.frontier())).unwrap();
                reader.replica = Reader::at(stored);
            }
            Op::Prove { index, old, size, bit } => {
                prove(&board, index.into(), old.into(), size.into(), bit);
            }
        }
    }
}

fuzz_target!(init: seeds(operations), |ops: Vec<Op>| run(&ops));

use std::fs;

use super::{Checkpoint, CheckpointError};
use crate::log::merkle::{Hash, Tree, leaf_hash, verify_consistency, verify_inclusion};
use crate::log::note::{Note, NoteError, NoteKey};
use crate::secret::Secret;
use crate::sign::SigningKey;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
const TESSERA_KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

fn tessera(size: u64) -> Checkpoint {
    let note: Note =
        fs::read_to_string(format!("{VECTORS}/tessera-log/checkpoint.{size}")).unwrap().parse().unwrap();
    let key: NoteKey = TESSERA_KEY.parse().unwrap();
    Checkpoint::verify(&note, &key).unwrap().checkpoint().clone()
}

/// The entries of the bundle: each preceded by its length as u16 big-endian (c2sp.org/tlog-tiles).
fn tessera_entries() -> Vec<Vec<u8>> {
    let bundle = fs::read(format!("{VECTORS}/tessera-log/tile/entries/000.p/15")).unwrap();
    let mut rest = bundle.as_slice();
    let mut entries = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

#[test]
fn a_log_made_by_another_implementation_verifies() {
    let entries = tessera_entries();
    assert_eq!(entries.len(), 15);
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let tile = fs::read(format!("{VECTORS}/tessera-log/tile/0/000.p/15")).unwrap();
    let hashes: Vec<u8> = entries.iter().flat_map(|entry| *leaf_hash(entry).as_bytes()).collect();
    assert_eq!(hashes, tile);
    for size in 0..=15 {
        let new = tessera(size);
        assert_eq!((new.size, Some(new.root)), (size, tree.root_at(size)));
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            let leaf = leaf_hash(&entries[index as usize]);
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &new.root), Ok(()));
        }
        for old in 0..=size {
            let proof = tree.consistency_proof(old, size).unwrap();
            assert_eq!(verify_consistency(old, size, &proof, &tessera(old).root, &new.root), Ok(()));
        }
    }
}

#[test]
fn the_specifications_example_parses() {
    let text = fs::read_to_string(format!("{VECTORS}/cosignature-example-checkpoint.txt")).unwrap();
    let note: Note = text.parse().unwrap();
    assert_eq!((note.signatures(), note.to_string()), (2, text.clone()));
    let checkpoint = Checkpoint::parse(&text[..=text.find("\n\n").unwrap()]).unwrap();
    assert_eq!(checkpoint.origin.as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
}

#[test]
fn only_one_spelling_is_a_checkpoint() {
    let text = tessera(15).text();
    assert!(Checkpoint::parse(&text).is_ok());
    let root = text.lines().nth(2).unwrap();
    for bad in [
        String::new(),
        text[..text.len() - 1].to_owned(),
        format!("{text}extension\n"),
        text.replace("\n15\n", "\n015\n"),
        text.replace("\n15\n", "\n+15\n"),
        text.replace("\n15\n", "\n18446744073709551615\n"),
        text.replace(root, &root[4..]),
        text.replace(root, &root.replace('=', "")),
        text.replace("example.com", "example com"),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_key_speaks_only_for_its_own_log() {
    let key = SigningKey::from_seed(&Secret::new([1; 32]));
    let head = |origin: &str| Checkpoint {
        origin: origin.parse().unwrap(),
        size: 1,
        root: Hash::from_bytes([7; 32]),
    };
    let log = |name: &str| {
        NoteKey::new(name.parse().unwrap(), crate::log::note::Algorithm::Ed25519, key.verifying_key())
    };
    let note = head("a").sign(&key);
    assert_eq!(Checkpoint::verify(&note, &log("a")).unwrap().checkpoint(), &head("a"));
    assert!(matches!(
        Checkpoint::verify(&note, &log("b")),
        Err(CheckpointError::Note(NoteError::NotSigned(_)))
    ));
    let foreign = Note::sign(head("b").text(), &"a".parse().unwrap(), &key).unwrap();
    assert_eq!(Checkpoint::verify(&foreign, &log("a")), Err(CheckpointError::Origin("b".parse().unwrap())));
}

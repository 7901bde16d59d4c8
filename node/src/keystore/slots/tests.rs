use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use kring_protocol::secret::Secret;

use super::{SLOT_LEN, SlotFile, SlotId, header, wrapped};
use crate::keystore::{KeyError, MasterKey};
use crate::testing::TempDir;

fn master() -> MasterKey {
    MasterKey(Secret::new([1; 32]))
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("keys.slots")
}

fn open(path: &Path) -> SlotFile {
    SlotFile::open(path, &master()).unwrap()
}

#[test]
fn keys_come_back_also_after_reopening() {
    let dir = TempDir::new();
    let slots = open(&file(&dir));
    let mut keys = slots.allocate(3).unwrap();
    keys.extend(slots.allocate(1).unwrap());
    assert_eq!(keys.iter().map(|(slot, _)| slot.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    drop(slots);
    let slots = open(&file(&dir));
    for (slot, key) in &keys {
        assert_eq!(slots.get(*slot).as_ref(), Ok(key));
    }
    assert_eq!(slots.get(SlotId(4)), Err(KeyError::NoKey(SlotId(4))));
    assert_eq!(slots.get(SlotId(u32::MAX)), Err(KeyError::NoKey(SlotId(u32::MAX))));
}

#[test]
fn an_erased_key_leaves_no_byte_and_its_slot_is_used_again() {
    let dir = TempDir::new();
    let slots = open(&file(&dir));
    let keys = slots.allocate(3).unwrap();
    let before = fs::read(file(&dir)).unwrap();
    slots.erase(&[SlotId(1), SlotId(9)]).unwrap();
    let after = fs::read(file(&dir)).unwrap();
    assert_eq!(after[2 * SLOT_LEN..3 * SLOT_LEN], [0; SLOT_LEN]);
    assert_eq!(after[3 * SLOT_LEN..], before[3 * SLOT_LEN..]);
    assert_eq!(slots.get(SlotId(1)), Err(KeyError::NoKey(SlotId(1))));
    assert_eq!(slots.get(SlotId(2)).as_ref(), Ok(&keys[2].1));
    drop(slots);
    let again = open(&file(&dir)).allocate(2).unwrap();
    assert_eq!(again.iter().map(|(slot, _)| slot.0).collect::<Vec<_>>(), [1, 3]);
    assert_ne!(again[0].1, keys[1].1);
}

#[test]
fn stray_slots_are_cleared_at_start() {
    let dir = TempDir::new();
    let keys = open(&file(&dir)).allocate(4).unwrap();
    let mut slots = open(&file(&dir));
    slots.erase(&[SlotId(0)]).unwrap();
    assert_eq!(slots.retain(&BTreeSet::from([SlotId(2)])), Ok(2));
    assert_eq!(slots.retain(&BTreeSet::from([SlotId(2)])), Ok(0));
    assert_eq!(slots.get(SlotId(2)).as_ref(), Ok(&keys[2].1));
    assert_eq!(slots.get(SlotId(1)), Err(KeyError::NoKey(SlotId(1))));
    assert_eq!(slots.allocate(3).unwrap().last().unwrap().0, SlotId(3));
}

#[test]
fn a_key_opens_only_in_its_own_slot_and_unaltered() {
    let dir = TempDir::new();
    let path = file(&dir);
    open(&path).allocate(2).unwrap();
    let good = fs::read(&path).unwrap();
    let mut swapped = good.clone();
    swapped[SLOT_LEN..].rotate_left(SLOT_LEN);
    fs::write(&path, swapped).unwrap();
    for slot in [SlotId(0), SlotId(1)] {
        assert_eq!(open(&path).get(slot), Err(KeyError::NoKey(slot)));
    }
    for place in 0..SLOT_LEN {
        let mut flipped = good.clone();
        flipped[SLOT_LEN + place] ^= 1;
        fs::write(&path, flipped).unwrap();
        let slots = open(&path);
        assert_eq!(slots.get(SlotId(0)), Err(KeyError::NoKey(SlotId(0))));
        assert!(slots.get(SlotId(1)).is_ok());
    }
}

#[test]
fn a_file_cut_short_loses_only_the_keys_beyond() {
    let dir = TempDir::new();
    let path = file(&dir);
    let keys = open(&path).allocate(2).unwrap();
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        if length < SLOT_LEN {
            assert_eq!(SlotFile::open(&path, &master()).unwrap_err(), KeyError::Format(path.clone()));
            continue;
        }
        let slots = open(&path);
        let expected =
            if length < 2 * SLOT_LEN { Err(KeyError::NoKey(SlotId(0))) } else { Ok(keys[0].1.clone()) };
        assert_eq!(slots.get(SlotId(0)), expected);
        assert_eq!(slots.get(SlotId(1)), Err(KeyError::NoKey(SlotId(1))));
        // A new key goes where the file was cut and nowhere near a whole one.
        let new = slots.allocate(1).unwrap();
        assert_eq!(
            (new[0].0, slots.get(new[0].0).as_ref()),
            (SlotId((length / SLOT_LEN - 1) as u32), Ok(&new[0].1))
        );
    }
}

#[test]
fn another_master_key_and_other_files_are_refused() {
    let dir = TempDir::new();
    let path = file(&dir);
    open(&path).allocate(1).unwrap();
    let other = MasterKey(Secret::new([2; 32]));
    assert_eq!(SlotFile::open(&path, &other).unwrap_err(), KeyError::WrongKey(path.clone()));
    let mut newer = fs::read(&path).unwrap();
    newer[19] = 2;
    fs::write(&path, newer).unwrap();
    assert_eq!(SlotFile::open(&path, &master()).unwrap_err(), KeyError::Format(path));
}

#[test]
fn after_a_failed_sync_nothing_is_given_out() {
    let dir = TempDir::new();
    let mut slots = open(&file(&dir));
    slots.allocate(1).unwrap();
    slots.file = File::options().read(true).write(true).open("/dev/null").unwrap(); // takes writes, cannot sync
    assert!(matches!(slots.allocate(1), Err(KeyError::Io { .. })));
    assert_eq!(slots.allocate(1), Err(KeyError::Failed));
    assert_eq!(slots.erase(&[SlotId(0)]), Err(KeyError::Failed));
}

#[test]
fn the_bytes_of_a_slot_file() {
    let wrap = master().derive(kring_protocol::label::SLOT, "");
    assert_eq!(
        hex::encode(header(&wrap)),
        concat!(
            "6b72696e67206b657920736c6f74730a00000001306c4dfab771e19d913841d277ccd244",
            "00000000000000000000000000000000000000000000000000000000"
        )
    );
    let slot = wrapped(&wrap, SlotId(5), [7; 12], &Secret::new([9; 32]));
    assert_eq!(
        hex::encode(slot),
        concat!(
            "0707070707070707070707071adf634b7a753b50fda8e929e82a91f4c73f69e424ad1a380517de17c63197de502eff1ab5aecb9c",
            "9039334a2f32589200000001"
        )
    );
}

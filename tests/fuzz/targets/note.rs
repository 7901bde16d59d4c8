//! Signed notes, checkpoints and the keys that sign them: what is read as one is written back unchanged, and nothing
//! verifies but what the key has signed.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::{changed, chosen, seeds, signing};
use kring_protocol::log::checkpoint::Checkpoint;
use kring_protocol::log::note::{Algorithm, Note, NoteKey};
use kring_protocol::sign::SigningKey;
use kring_protocol::time::Timestamp;
use libfuzzer_sys::fuzz_target;

/// The one note of the matcher's key.
const HEAD: &str = include_str!("../../../protocol/tests/golden/board-head.note");
/// Another log's note, with a witness's cosignature.
const COSIGNED: &str = include_str!("../../../protocol/tests/vectors/cosignature-example-checkpoint.txt");

/// The key that signed [`HEAD`].
static KEY: LazyLock<NoteKey> = LazyLock::new(|| {
    let name = HEAD.lines().next().unwrap().parse().unwrap();
    let key = NoteKey::new(name, Algorithm::Ed25519, signing(4).verifying_key());
    assert!(Checkpoint::verify(&HEAD.parse().unwrap(), &key).is_ok());
    key
});
/// A witness.
static WITNESS: LazyLock<SigningKey> = LazyLock::new(|| signing(7));

fn note(text: &str) {
    let Ok(mut note) = text.parse::<Note>() else { return };
    assert_eq!(note.to_string(), text);
    if let Ok(verified) = Checkpoint::verify(&note, &KEY) {
        let head = HEAD.parse::<Note>().unwrap();
        assert_eq!(verified.checkpoint().text(), head.verify(&KEY).unwrap().text());
    }
    let (name, time) = ("witness".parse().unwrap(), Timestamp::from_secs(1_800_000_000));
    let cosigner = NoteKey::new(name, Algorithm::Cosignature, WITNESS.verifying_key());
    if note.cosign(time, cosigner.name(), &WITNESS).is_ok() {
        // A note at the limit cannot take a line more.
        if let Ok(again) = note.to_string().parse::<Note>() {
            assert_eq!(again.verify(&cosigner).unwrap().time(), Some(time));
            assert_eq!(again, note);
        }
    }
}

fn inputs() -> Vec<Vec<u8>> {
    let text = |note: &str| note.split("\n\n").next().unwrap().to_owned() + "\n";
    let mut seeds: Vec<_> = [HEAD, COSIGNED].iter().map(|note| chosen(0, note.as_bytes())).collect();
    seeds.extend([HEAD, COSIGNED].iter().map(|note| chosen(1, text(note).as_bytes())));
    seeds.push(chosen(3, &[0, 9, 1]));
    seeds.push(chosen(2, KEY.to_string().as_bytes()));
    seeds
}

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    if kind % 4 == 3 {
        return String::from_utf8(changed(HEAD.as_bytes(), bytes)).map_or((), |text| note(&text));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kind % 4 {
        0 => note(text),
        1 => {
            if let Ok(checkpoint) = Checkpoint::parse(text) {
                assert_eq!(checkpoint.text(), text);
            }
        }
        _ => {
            if let Ok(key) = text.parse::<NoteKey>() {
                assert_eq!(key.to_string(), text);
            }
        }
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

use proptest::prelude::*;

use super::{Algorithm, KeyName, MAX_NOTE_LEN, MAX_SIGNATURES, Note, NoteError, NoteKey};
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::time::Timestamp;

const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new([seed; 32]))
}

fn public(text: &str, algorithm: Algorithm, seed: u8) -> NoteKey {
    NoteKey::new(name(text), algorithm, key(seed).verifying_key())
}

fn signed() -> Note {
    Note::sign(TEXT.to_owned(), &name("log.example"), &key(1)).unwrap()
}

/// The example of golang.org/x/mod/sumdb/note, the format's origin, with the key that it publishes.
#[test]
fn the_reference_implementations_note_verifies() {
    let note = format!(
        "{TEXT}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let key: NoteKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let parsed: Note = note.parse().unwrap();
    assert_eq!(parsed.verify(&key).unwrap().text(), TEXT);
    assert_eq!(parsed.to_string(), note);
    assert_eq!(key.to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
}

#[test]
fn only_the_right_key_under_the_right_name_verifies() {
    let note = signed();
    let good = public("log.example", Algorithm::Ed25519, 1);
    assert_eq!(note.verify(&good).unwrap().text(), TEXT);
    for other in [
        public("other.example", Algorithm::Ed25519, 1),
        public("log.example", Algorithm::Ed25519, 2),
        public("log.example", Algorithm::Cosignature, 1),
    ] {
        assert_eq!(note.verify(&other), Err(NoteError::NotSigned(other.name().clone())));
    }
    let altered: Note = note.to_string().replace("answer", "Answer").parse().unwrap();
    assert_eq!(altered.verify(&good), Err(NoteError::BadSignature(name("log.example"))));
}

#[test]
fn a_second_bad_line_of_a_known_key_spoils_the_note() {
    let note = signed().to_string();
    let forged = Note::sign("x\n".to_owned(), &name("log.example"), &key(1)).unwrap().to_string();
    let both: Note = format!("{note}{}", forged.strip_prefix("x\n\n").unwrap()).parse().unwrap();
    let good = public("log.example", Algorithm::Ed25519, 1);
    assert_eq!(both.verify(&good), Err(NoteError::BadSignature(name("log.example"))));
}

#[test]
fn cosignatures_carry_a_time_and_replace_each_other() {
    let mut note = signed();
    let witness = public("witness.example", Algorithm::Cosignature, 2);
    for secs in [1_700_000_000, 1_800_000_000] {
        note.cosign(Timestamp::from_secs(secs), &name("witness.example"), &key(2)).unwrap();
    }
    assert_eq!(note.signatures(), 2);
    let note: Note = note.to_string().parse().unwrap();
    assert_eq!(note.verify(&witness).unwrap().time(), Some(Timestamp::from_secs(1_800_000_000)));
    let mut copy = signed();
    copy.take_signature(&note, &witness).unwrap();
    assert_eq!(copy, note);
    let mut other = Note::sign("x\n".to_owned(), &name("log.example"), &key(1)).unwrap();
    assert_eq!(other.take_signature(&note, &witness), Err(NoteError::Malformed));
}

#[test]
fn malformed_notes_are_refused() {
    let note = signed().to_string();
    let line = note.lines().last().unwrap();
    for bad in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{line}"),
        format!("{TEXT}{line}\n"),
        format!("a\tb\n\n{line}\n"),
        format!("{TEXT}\n{line}\nno line\n"),
        format!("{TEXT}\n\u{2014} log.example AAAA\n"),
        format!("{TEXT}\n\u{2014} log.example AAAAAA=\n"),
        format!("{TEXT}\n\u{2014}  AAAAAAAA\n"),
    ] {
        assert!(bad.parse::<Note>().is_err(), "{bad:?}");
    }
    let many = format!("{TEXT}\n{}", format!("{line}\n").repeat(MAX_SIGNATURES + 1));
    assert_eq!(many.parse::<Note>(), Err(NoteError::TooManySignatures));
    assert_eq!("a".repeat(MAX_NOTE_LEN + 1).parse::<Note>(), Err(NoteError::TooLong));
    assert!(Note::sign("no newline".to_owned(), &name("a"), &key(1)).is_err());
    for bad in ["", "a b", "a+b", "a\u{a0}b", &"a".repeat(256)] {
        assert_eq!(bad.parse::<KeyName>(), Err(NoteError::Name));
    }
    let good = public("log.example", Algorithm::Ed25519, 1).to_string();
    assert!(good.parse::<NoteKey>().is_ok());
    for bad in [&good[1..], &good[..good.len() - 1], "a", "a+b+c"] {
        assert!(bad.parse::<NoteKey>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn whatever_parses_prints_back_and_nothing_panics(text in "[a-z\n]{0,20}\n\n(\u{2014} [a-z+]{0,4} [A-Za-z0-9+/]{0,12}\n){0,3}") {
        if let Ok(note) = text.parse::<Note>() {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}

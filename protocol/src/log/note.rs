//! C2SP signed notes (c2sp.org/signed-note) and cosignatures (c2sp.org/tlog-cosignature): `docs/protocol.md` section 7.3.
//!
//! A [`Note`] is only parsed; what [`Note::verify`] returns is verified. Not here: what the text says, see
//! [`super::checkpoint`].

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::sha256;
use crate::sign::{Signature, SigningKey, VerifyingKey};
use crate::time::Timestamp;

/// Most bytes of a note with all its signatures.
pub const MAX_NOTE_LEN: usize = 65_536;
/// Most signature lines of a note.
pub const MAX_SIGNATURES: usize = 256;
/// Longest key name, in bytes.
pub const MAX_NAME_LEN: usize = 255;

/// Why a note or key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE_LEN`] bytes.
    #[error("the note has more than {MAX_NOTE_LEN} bytes")]
    TooLong,
    /// More than [`MAX_SIGNATURES`] signature lines.
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// Not text, a blank line and signature lines.
    #[error("not a signed note: expected text, a blank line, and signature lines")]
    Malformed,
    /// A key name that is empty, too long, or holds a space, plus or control character.
    #[error("not a key name: 1 to {MAX_NAME_LEN} bytes without space, plus or control characters")]
    Name,
    /// Not `name+id+key`, an unknown algorithm, or an id that does not fit the key.
    #[error("not a verifier key of a kind this software knows")]
    Key,
    /// No line bears this key's name and id.
    #[error("not signed by {0}")]
    NotSigned(KeyName),
    /// A line bears the key's name and id, and its signature does not fit.
    #[error("the signature of {0} does not fit: the note was altered or forged")]
    BadSignature(KeyName),
}

/// Name of a signing key; a log's key bears the log's origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        let good = (1..=MAX_NAME_LEN).contains(&text.len()) && !text.contains(bad);
        if good { Ok(Self(text.to_owned())) } else { Err(NoteError::Name) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({})", self.0)
    }
}

/// How a key signs: the algorithm byte of the note format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 over the text.
    Ed25519 = 1,
    /// Ed25519 over a time and the text, by a witness that saw the log grow consistently.
    Cosignature = 4,
}

/// The public half of a key that signs notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: KeyName,
    algorithm: Algorithm,
    public: VerifyingKey,
}

impl NoteKey {
    /// A key under its name. A witness must not share its key with another cosigner: the cosigned bytes do not
    /// hold the name.
    #[must_use]
    pub const fn new(name: KeyName, algorithm: Algorithm, public: VerifyingKey) -> Self {
        Self { name, algorithm, public }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The four bytes by which signature lines name the key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut bytes = self.name.0.as_bytes().to_vec();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.encoded());
        let [a, b, c, d, ..] = sha256(&bytes);
        [a, b, c, d]
    }

    fn encoded(&self) -> [u8; 33] {
        let mut bytes = [self.algorithm as u8; 33];
        bytes[1..].copy_from_slice(self.public.as_bytes());
        bytes
    }

    /// Checks one signature over `text`; gives its time if it is a cosignature.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Option<Timestamp>> {
        let (time, signature) = match self.algorithm {
            Algorithm::Ed25519 => (None, signature),
            Algorithm::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                (Some(Timestamp::from_secs(u64::from_be_bytes(*time))), signature)
            }
        };
        let signature = Signature::try_from(signature).ok()?;
        let message = time.map_or_else(|| text.to_owned(), |time| cosigned_text(text, time));
        self.public.verify_bytes(message.as_bytes(), &signature).ok().map(|()| time)
    }
}

/// `name+id+key`, the form in which verifier keys are published.
impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(self.encoded()))
    }
}

impl FromStr for NoteKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+'); // base64 may hold a plus, a name may not
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes: [u8; 33] =
            STANDARD.decode(key).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(NoteError::Key)?;
        let algorithm = match bytes[0] {
            1 => Algorithm::Ed25519,
            4 => Algorithm::Cosignature,
            _ => return Err(NoteError::Key),
        };
        let public: [u8; 32] = bytes[1..].try_into().expect("33 bytes less one");
        let public = VerifyingKey::from_bytes(public).map_err(|_| NoteError::Key)?;
        let key = Self { name: name.parse()?, algorithm, public };
        if hex::encode(key.id()) == id { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// One signature line, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: KeyName,
    id: [u8; 4],
    signature: Vec<u8>,
}

/// A text with signature lines, parsed and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<Line>,
}

/// A text that a known key has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    text: &'a str,
    time: Option<Timestamp>,
}

impl<'a> Verified<'a> {
    /// The signed text, with its last newline.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// When a witness cosigned, by its clock; none for a plain signature.
    #[must_use]
    pub const fn time(&self) -> Option<Timestamp> {
        self.time
    }
}

impl Note {
    /// Signs `text`.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if `text` does not end in a newline or holds other control characters.
    pub fn sign(text: String, name: &KeyName, key: &SigningKey) -> Result<Self, NoteError> {
        if !is_text(&text) {
            return Err(NoteError::Malformed);
        }
        let signature = key.sign_bytes(text.as_bytes());
        let public = NoteKey::new(name.clone(), Algorithm::Ed25519, key.verifying_key());
        let line = Line { name: name.clone(), id: public.id(), signature: signature.as_bytes().to_vec() };
        Ok(Self { text, lines: vec![line] })
    }

    /// Adds a witness's cosignature, replacing an older one of the same key.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`].
    pub fn cosign(&mut self, time: Timestamp, name: &KeyName, key: &SigningKey) -> Result<(), NoteError> {
        let signed = key.sign_bytes(cosigned_text(&self.text, time).as_bytes());
        let signature = [time.secs().to_be_bytes().as_slice(), signed.as_bytes()].concat();
        let public = NoteKey::new(name.clone(), Algorithm::Cosignature, key.verifying_key());
        self.add(Line { name: name.clone(), id: public.id(), signature })
    }

    /// Takes over the line of `key` from another copy of the same note, after verifying it there.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if the texts differ, else as [`Note::verify`] and [`Note::cosign`].
    pub fn take_signature(&mut self, from: &Self, key: &NoteKey) -> Result<(), NoteError> {
        if from.verify(key)?.text() != self.text {
            return Err(NoteError::Malformed);
        }
        let id = key.id();
        let line = from.lines.iter().find(|line| line.is_of(key, id)).expect("verifying found this line");
        self.add(line.clone())
    }

    fn add(&mut self, line: Line) -> Result<(), NoteError> {
        self.lines.retain(|other| other.name != line.name || other.id != line.id);
        if self.lines.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.lines.push(line);
        Ok(())
    }

    /// Finds the signature of `key` and verifies it. Lines of other keys say nothing and are ignored.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`], or [`NoteError::BadSignature`] if any line of this key does not fit.
    pub fn verify(&self, key: &NoteKey) -> Result<Verified<'_>, NoteError> {
        let id = key.id();
        let mut found = Err(NoteError::NotSigned(key.name.clone()));
        for line in self.lines.iter().filter(|line| line.is_of(key, id)) {
            let checked = key.check(&self.text, &line.signature);
            let time = checked.ok_or_else(|| NoteError::BadSignature(key.name.clone()))?;
            found = Ok(Verified { text: &self.text, time });
        }
        found
    }

    /// The same text with the lines of `keys` alone, each verified.
    ///
    /// # Errors
    /// As [`Note::verify`] for the first key whose line is missing or does not fit.
    pub fn with_lines_of(&self, keys: &[&NoteKey]) -> Result<Self, NoteError> {
        let mut note = Self { text: self.text.clone(), lines: Vec::new() };
        keys.iter().try_for_each(|key| note.take_signature(self, key))?;
        Ok(note)
    }

    /// Number of signature lines, known and unknown.
    #[must_use]
    pub fn signatures(&self) -> usize {
        self.lines.len()
    }
}

impl Line {
    fn is_of(&self, key: &NoteKey, id: [u8; 4]) -> bool {
        self.name == key.name && self.id == id
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.lines {
            let bytes = [line.id.as_slice(), &line.signature].concat();
            writeln!(f, "\u{2014} {} {}", line.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_LEN {
            return Err(NoteError::TooLong);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let lines = lines.split('\n').map(parse_line).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), lines })
    }
}

fn parse_line(line: &str) -> Result<Line, NoteError> {
    let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed)?;
    let (name, signature) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
    let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
    match bytes.split_first_chunk::<4>() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok(Line { name: name.parse()?, id: *id, signature: signature.to_vec() })
        }
        _ => Err(NoteError::Malformed),
    }
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.chars().any(|c| c < ' ' && c != '\n')
}

fn cosigned_text(text: &str, time: Timestamp) -> String {
    format!("cosignature/v1\ntime {}\n{text}", time.secs())
}

#[cfg(test)]
mod tests;

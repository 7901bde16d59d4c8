//! Searches what nodes left behind for canaries: values that must not be there, however they are encoded.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// Bytes by which a needle is found; no needle is shorter.
const HEAD: usize = 4;
/// One bit for each value of a head's first three bytes.
const FILTER_LEN: usize = 1 << 21;

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Scanner {
    needles: HashMap<[u8; HEAD], Vec<Needle>>,
    filter: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Needle {
    canary: String,
    encoding: &'static str,
    bytes: Vec<u8>,
}

/// A canary that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The value.
    pub canary: String,
    /// How it was written.
    pub encoding: &'static str,
    /// Where.
    pub place: String,
}

impl Scanner {
    /// For these values, as they are and in lower and upper case; each in UTF-8, UTF-16 of both kinds, hexadecimal and
    /// base64 at its three alignments.
    ///
    /// # Panics
    /// When a value has fewer than six bytes: it would be found by chance.
    #[must_use]
    pub fn new<'a>(canaries: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scanner = Self { needles: HashMap::new(), filter: vec![0; FILTER_LEN] };
        for canary in canaries {
            assert!(canary.len() >= 6, "{canary} is too short a canary");
            let forms = BTreeSet::from([canary.to_owned(), canary.to_lowercase(), canary.to_uppercase()]);
            for (form, (encoding, bytes)) in
                forms.iter().flat_map(|form| encodings(form).into_iter().map(move |one| (form, one)))
            {
                scanner.add(Needle { canary: form.clone(), encoding, bytes });
            }
        }
        scanner
    }

    fn add(&mut self, needle: Needle) {
        let head = *needle.bytes.first_chunk().expect("every encoding is longer than a head");
        let bit = bit(&head);
        self.filter[bit / 8] |= 1 << (bit % 8);
        self.needles.entry(head).or_default().push(needle);
    }

    /// What is found in `bytes`, which stand at `place`.
    #[must_use]
    pub fn bytes(&self, place: &str, bytes: &[u8]) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        for (at, head) in bytes.windows(HEAD).enumerate() {
            let head: &[u8; HEAD] = head.try_into().expect("windows have this length");
            let bit = bit(head);
            if self.filter[bit / 8] & (1 << (bit % 8)) == 0 {
                continue;
            }
            let needles = self.needles.get(head).into_iter().flatten();
            found.extend(needles.filter(|needle| bytes[at..].starts_with(&needle.bytes)).map(|needle| {
                Found { canary: needle.canary.clone(), encoding: needle.encoding, place: place.to_owned() }
            }));
        }
        found
    }

    /// What is found in the files of a directory, all the way down, and in their names.
    ///
    /// # Panics
    /// When a file cannot be read.
    #[must_use]
    pub fn dir(&self, dir: &Path) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(dir).expect("the directory can be read") {
            let path = entry.expect("the directory can be read").path();
            let place = path.display().to_string();
            found.extend(self.bytes(&place, place.as_bytes()));
            if path.is_dir() {
                found.append(&mut self.dir(&path));
            } else {
                found.append(&mut self.bytes(&place, &std::fs::read(&path).expect("the file can be read")));
            }
        }
        found
    }
}

fn bit(head: &[u8; HEAD]) -> usize {
    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])
}

/// A text in every encoding in which it is looked for.
#[must_use]
pub fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut all = vec![
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-16LE", utf16(u16::to_le_bytes)),
        ("UTF-16BE", utf16(u16::to_be_bytes)),
        ("hex", hex::encode(text).into_bytes()),
        ("HEX", hex::encode_upper(text).into_bytes()),
    ];
    if !text.is_ascii() {
        // Windows-1252 as far as it is Latin-1; other characters stand in it for nobody's canary.
        all.push(("Latin-1", text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()));
    }
    for before in 0..3 {
        let shifted = [&[0; 2][..before], text.as_bytes()].concat();
        for (encoding, engine) in
            [("base64", &BASE64_STANDARD_NO_PAD), ("base64url", &BASE64_URL_SAFE_NO_PAD)]
        {
            all.push((encoding, whole_characters(&engine.encode(&shifted), before, shifted.len())));
        }
    }
    all
}

/// The characters of a base64 text that depend on the canary only, not on what stands before and after it.
fn whole_characters(encoded: &str, before: usize, len: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(6);
    let end = len * 8 / 6;
    encoded.as_bytes()[first..end].to_vec()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn a_canary_is_found_in_every_encoding_wherever_it_stands() {
        let scanner = Scanner::new(["Zéphyrine-canary"]);
        let text = "Zéphyrine-canary";
        for (encoding, bytes) in encodings(text) {
            let hidden = [b"before".as_slice(), &bytes, b"after"].concat();
            let found = scanner.bytes("here", &hidden);
            assert!(found.iter().any(|one| one.encoding == encoding), "{encoding}: {found:?}");
        }
        for before in 0..9 {
            let whole = format!("{}{text}{}", "x".repeat(before), "y".repeat(7));
            assert!(!scanner.bytes("", BASE64_STANDARD.encode(whole).as_bytes()).is_empty(), "{before}");
        }
        for form in ["ZÉPHYRINE-CANARY", "zéphyrine-canary"] {
            assert_eq!(scanner.bytes("", form.as_bytes()).len(), 1, "{form}");
        }
        assert!(scanner.bytes("", "Zéphyrine-canarx and Zéphyrine".as_bytes()).is_empty());
    }

    #[test]
    fn directories_are_searched_all_the_way_down() {
        let place = crate::place::Place::new();
        std::fs::create_dir_all(place.path().join("a/b")).unwrap();
        std::fs::write(place.path().join("a/b/c"), "...canary-one...").unwrap();
        std::fs::write(place.path().join("a/canary-two"), "").unwrap();
        let found = Scanner::new(["canary-one", "canary-two"]).dir(place.path());
        let canaries: Vec<_> = found.iter().map(|one| one.canary.as_str()).collect();
        assert_eq!(canaries, ["canary-one", "canary-two"]);
    }
}

//! Names, folded so that the usual ways to write one name become equal.
//!
//! Folding joins spellings, not names: `Dijk`, `Dyk` and `Dijck` are one, `Robin` and `Ruben` stay two. It is tuned
//! to Dutch, Turkish, Moroccan, Surinamese and Polish names in Dutch files.

use std::collections::BTreeSet;
use std::fmt;

use deunicode::deunicode;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Problem;

/// Words of a surname that partners write, shorten or leave out, and words around a married name.
#[rustfmt::skip]
const PREFIXES: [&str; 49] = [
    "aan", "af", "am", "auf", "bij", "da", "dal", "dan", "das", "de", "del", "della", "den", "der", "des", "di", "do",
    "dos", "du", "ed", "ev", "geb", "geboren", "gehuwd", "het", "in", "la", "las", "le", "lo", "los", "onder", "op",
    "oude", "over", "te", "ten", "ter", "tot", "uit", "van", "vande", "vanden", "vander", "vd", "von", "voor", "wed",
    "zu",
];
/// Words that may be part of the name behind them (`Benali`, `Ben Ali`) or be left out (`Idrissi`, `El Idrissi`).
const PARTICLES: [&str; 8] = ["abou", "ait", "al", "ben", "bin", "bou", "el", "ould"];
/// Prefixes that are also written in one word with the name, longest first.
const GLUED: [&str; 5] = ["vanden", "vander", "vande", "van", "vd"];
/// Shortest rest of a name that a glued prefix may leave.
const GLUED_MIN_REST: usize = 3;
/// Stand where there is no name.
#[rustfmt::skip]
const NO_NAME: [&str; 12] = [
    "baby", "dochter", "kind", "meisje", "naamloos", "nn", "nnb", "onbekend", "onbekende", "ongeboren", "unknown",
    "zoon",
];
/// No further word of a surname is read when it has as many parts.
const MAX_PARTS: usize = 3;

/// A given name: the first one written, or only an initial.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GivenName {
    folded: String,
}

impl GivenName {
    /// Reads the first given name. Nothing, or a word such as `baby`, means that there is none.
    ///
    /// # Errors
    /// [`Problem::NoLetter`].
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        let words = words(text)?;
        let first = words.first().filter(|word| !NO_NAME.contains(&word.as_str()));
        let Some(first) = first else { return Ok(None) };
        let folded = if is_initials(first) { first[..1].to_owned() } else { fold(first) };
        Ok(Some(Self { folded }))
    }

    /// The name's code, unless only an initial is known.
    #[must_use]
    pub(crate) fn code(&self) -> Option<String> {
        (self.folded.len() > 1).then(|| letters_of(&self.folded))
    }

    /// Its first two letters, unless only an initial is known.
    #[must_use]
    pub(crate) fn start(&self) -> Option<&str> {
        self.folded.get(..2)
    }

    /// Its first letter.
    #[must_use]
    pub(crate) fn initial(&self) -> &str {
        &self.folded[..1]
    }
}

impl fmt::Debug for GivenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenName(<redacted>)")
    }
}

/// A surname: its parts without prefixes, in alphabetical order, so that a double or married name meets each of its
/// halves in either order.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct FamilyName {
    parts: Vec<String>,
}

impl FamilyName {
    /// Reads a surname with its prefix before it, behind it, in `prefix` or absent. Nothing means that there is none.
    ///
    /// # Errors
    /// [`Problem::NoLetter`] for a surname without one.
    pub fn parse(prefix: &str, text: &str) -> Result<Self, Problem> {
        let mut all = words(text)?;
        if all.is_empty() || all.iter().any(|word| NO_NAME.contains(&word.as_str())) {
            return Ok(Self::default());
        }
        let before = words(prefix).unwrap_or_default();
        all.splice(0..0, before.into_iter().filter(|word| PARTICLES.contains(&word.as_str())));
        let mut parts = parts_of(&all);
        if parts.is_empty() {
            parts.insert(fold(&all.concat())); // a surname such as `Le` or `Van`
        }
        Ok(Self { parts: parts.into_iter().collect() })
    }

    /// The folded parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// The code of each part.
    pub(crate) fn codes(&self) -> impl Iterator<Item = String> {
        self.parts().map(letters_of)
    }

    /// The first `length` letters of each part that has as many.
    pub(crate) fn starts(&self, length: usize) -> impl Iterator<Item = &str> {
        self.parts().filter_map(move |part| part.get(..length))
    }
}

impl fmt::Debug for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FamilyName(<redacted>)")
    }
}

/// The folded words that are not prefixes; one behind particles stands alone and together with them.
fn parts_of(words: &[String]) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    let mut particles = String::new();
    for word in words.iter().filter(|word| word.len() > 1 && !PREFIXES.contains(&word.as_str())) {
        if PARTICLES.contains(&word.as_str()) {
            particles.push_str(word);
        } else if parts.len() < MAX_PARTS {
            parts.insert(fold(unglued(word)));
            if !particles.is_empty() {
                parts.insert(fold(&format!("{}{word}", std::mem::take(&mut particles))));
            }
        }
    }
    parts
}

/// Lower-case Latin words. What stands in brackets is left out: a call name or a remark.
fn words(text: &str) -> Result<Vec<String>, Problem> {
    let plain = deunicode(text).to_ascii_lowercase();
    let (mut words, mut depth) = (vec![String::new()], 0usize);
    for c in plain.chars() {
        let word = words.last_mut().expect("starts with one word and only grows");
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            'a'..='z' => word.push(c),
            '\'' | '`' if !matches!(word.as_str(), "d" | "l") => {} // `O'Brien` is one word, `d'Hondt` two
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    if words.is_empty() && !text.is_empty() { Err(Problem::NoLetter) } else { Ok(words) }
}

/// A letter, or two without a vowel.
fn is_initials(word: &str) -> bool {
    word.len() == 1 || (word.len() == 2 && !word.contains(['a', 'e', 'i', 'o', 'u', 'y']))
}

/// Without a prefix written in one word with the name: `Vandenberg`, `vdBerg`.
fn unglued(word: &str) -> &str {
    let rest = GLUED.iter().find_map(|prefix| word.strip_prefix(prefix));
    rest.filter(|rest| rest.len() >= GLUED_MIN_REST).unwrap_or(word)
}

/// Spellings of one sound, in the order in which they are replaced.
#[rustfmt::skip]
const SOUNDS: [(&str, &str); 38] = [
    ("chm", "m"), ("chr", "kr"), ("cht", "gt"), ("sch", "s"), ("sh", "s"), ("sj", "s"), ("ch", "s"), ("sz", "s"),
    ("cz", "s"), ("ce", "se"), ("ci", "si"), ("cy", "si"), ("ck", "k"), ("c", "k"), ("q", "k"), ("x", "ks"),
    ("z", "s"), ("ph", "f"), ("ouw", "u"), ("auw", "u"), ("v", "f"), ("w", "f"), ("dj", "j"), ("d", "t"),
    ("ae", "a"), ("ue", "u"), ("oe", "u"), ("ou", "u"), ("au", "u"), ("ij", "i"), ("j", "i"), ("y", "i"),
    ("ie", "i"), ("ei", "i"), ("ai", "i"), ("eu", "u"), ("oi", "i"), ("o", "u"),
];

/// Folds the spellings of one word. Never empty for a word that is not.
fn fold(word: &str) -> String {
    let folded = SOUNDS.iter().fold(word.to_owned(), |word, (spelling, sound)| word.replace(spelling, sound));
    let mut letters: Vec<char> = folded.chars().collect();
    let vowel = |at: usize| letters.get(at).is_some_and(|letter| matches!(letter, 'a' | 'e' | 'i' | 'u'));
    // An h is heard at the beginning and between vowels; elsewhere it only softens.
    let heard = |at: &usize| letters[*at] != 'h' || *at == 0 || (vowel(at - 1) && vowel(at + 1));
    letters = (0..letters.len()).filter(heard).map(|at| letters[at]).collect();
    letters.dedup();
    letters.into_iter().collect()
}

/// First letter and which others follow, whatever their order: typing mistakes swap and double letters.
fn letters_of(folded: &str) -> String {
    let mut letters = folded.chars();
    let first = letters.next();
    let others: BTreeSet<char> = letters.collect();
    first.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests;

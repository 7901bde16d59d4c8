//! Names, folded so that the usual ways to write one name become equal.
//!
//! Here: what of a name is read, and the codes made of it. How one word is folded stands in [`spelling`]; which given
//! names stand for one another in [`alias`].

use std::collections::BTreeSet;
use std::fmt;

use deunicode::deunicode;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Problem;
use spelling::Kind;

mod alias;
mod spelling;

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

/// Beginnings of a given name that are also written apart from it (`Abdel Kader`, `El Hassan`).
const OPENINGS: [&str; 7] = ["abd", "abdel", "abdoel", "abdoul", "abdul", "al", "el"];

/// A given name: the first one written, or only an initial.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GivenName {
    /// First letter as written, folded by itself: what stays of the name where partners write initials.
    initial: String,
    /// As written, in lower-case Latin letters; absent where only an initial is known.
    written: Option<String>,
    /// Folded, and a call name brought to the name it stands for; absent where only an initial is known.
    folded: Option<String>,
}

impl GivenName {
    /// Reads the first given name. Nothing, or a word such as `baby`, means that there is none.
    ///
    /// # Errors
    /// [`Problem::NoLetter`].
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        let words = words(text)?;
        let no_name = words.first().is_none_or(|word| NO_NAME.contains(&word.as_str()));
        if no_name {
            return Ok(None);
        }
        let first = first_of(&words);
        let initial = spelling::fold(&first[..1], Kind::Given);
        let written = (!is_initials(&first)).then_some(first);
        let folded = written.as_deref().map(|name| alias::registered(spelling::fold(name, Kind::Given)));
        Ok(Some(Self { initial, written, folded }))
    }

    /// The name as written, in lower-case Latin letters, unless only an initial is known.
    #[must_use]
    pub(crate) fn written(&self) -> Option<&str> {
        self.written.as_deref()
    }

    /// Its first letter as written, and that of the name it stands for.
    pub(crate) fn initials(&self) -> BTreeSet<&str> {
        [Some(self.initial.as_str()), self.start(1)].into_iter().flatten().collect()
    }

    /// Its first `length` letters, or all if it has fewer; nothing if only an initial is known.
    #[must_use]
    pub(crate) fn start(&self, length: usize) -> Option<&str> {
        self.folded.as_deref().map(|name| start_of(name, length))
    }

    /// Its code; nothing if only an initial is known.
    pub(crate) fn code(&self) -> Option<String> {
        self.folded.as_deref().map(code_of)
    }

    /// Whether only an initial is known.
    #[must_use]
    pub const fn is_initial(&self) -> bool {
        self.folded.is_none()
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
            parts.insert(fold_family(&all.concat())); // a surname such as `Le` or `Van`
        }
        Ok(Self { parts: parts.into_iter().collect() })
    }

    /// The folded parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// The code of each part.
    pub(crate) fn codes(&self) -> impl Iterator<Item = String> {
        self.parts().map(code_of)
    }

    /// The first `length` letters of each part, or all of one that has fewer.
    pub(crate) fn starts(&self, length: usize) -> impl Iterator<Item = &str> {
        self.parts().map(move |part| start_of(part, length))
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
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
            parts.insert(fold_family(unglued(word)));
            if !particles.is_empty() {
                parts.insert(fold_family(&format!("{}{word}", std::mem::take(&mut particles))));
            }
        }
    }
    parts
}

fn fold_family(word: &str) -> String {
    spelling::fold(word, Kind::Family)
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

/// The first given name: with an opening written apart, and without a prefix, which stands there where the names are
/// in each other's column.
fn first_of(words: &[String]) -> String {
    let names = || words.iter().skip_while(|word| PREFIXES.contains(&word.as_str()));
    let openings = names().take_while(|word| OPENINGS.contains(&word.as_str())).count();
    let first: String = names().take(openings + 1).map(String::as_str).collect();
    if first.is_empty() { words[0].clone() } else { first }
}

fn start_of(folded: &str, length: usize) -> &str {
    folded.get(..length).unwrap_or(folded)
}

/// First letter, which others follow, whatever their order, and last letter: typing mistakes swap and double letters.
fn code_of(folded: &str) -> String {
    let mut letters = folded.chars();
    let first = letters.next();
    let last = folded.chars().next_back();
    let others: BTreeSet<char> = letters.collect();
    first.into_iter().chain(others).chain(last).collect()
}

#[cfg(test)]
mod tests;

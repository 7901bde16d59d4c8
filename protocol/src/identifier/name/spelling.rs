//! Folding one word of a name, so that the usual spellings of one sound become equal.
//!
//! Folding joins spellings, not names: `Dijk`, `Dyk` and `Dijck` are one, `Robin` and `Ruben` stay two. The rules are
//! for Dutch, Turkish, Moroccan, other Arabic, Eastern European and Surinamese names as they stand in Dutch files.
//! They are part of what partners must agree on (`docs/protocol.md` section 1.3).

/// Which name a word belongs to: some endings are written in several ways in only one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Given,
    Family,
}

/// Beginnings of a word.
const BEGINNINGS: [(&str, &str); 6] = [
    ("abdoul", "abdel"), // Arabic article: Abdoulkader, Abdoelkader, Abdulkader
    ("abdoel", "abdel"),
    ("abdul", "abdel"),
    ("abdal", "abdel"),
    ("oue", "we"), // French w: Ouerda
    ("oui", "wi"),
];

/// Endings of a given name: a mute French e (Yassine, Imane), French k, Arabic -eddine.
const GIVEN_ENDINGS: [(&str, &str); 5] =
    [("eddine", "din"), ("ane", "an"), ("ine", "in"), ("oune", "un"), ("ique", "ik")];

/// Endings of a surname: Slavic -ić, and what a woman's surname has and her son's has not.
const FAMILY_ENDINGS: [(&str, &str); 7] = [
    ("itsj", "is"),
    ("itch", "is"),
    ("ich", "is"),
    ("ic", "is"),
    ("ska", "ski"),
    ("ova", "ov"),
    ("eva", "ev"),
];
/// Shortest surname whose ending is changed.
const FAMILY_ENDING_MIN: usize = 6;

/// Spellings of one sound anywhere in a word, in the order in which they are replaced.
#[rustfmt::skip]
const SOUNDS: [(&str, &str); 56] = [
    // Ch: mute before m, k before r and l, g before t, otherwise s as in Rachid, Rashid.
    ("chm", "m"), ("chr", "kr"), ("chl", "kl"), ("cht", "gt"),
    // The many ways to write sj and tsj.
    ("tsch", "s"), ("tsj", "s"), ("tch", "s"), ("sch", "s"), ("sh", "s"), ("sj", "s"), ("ch", "s"), ("cz", "s"),
    ("sz", "s"), ("tj", "s"),
    // C, k, q, x.
    ("ce", "se"), ("ci", "si"), ("cy", "si"), ("ck", "k"), ("c", "k"), ("qu", "kw"), ("q", "k"), ("x", "ks"),
    ("z", "s"), ("ph", "f"),
    // French ou for w: Ouafae, Marouane, Hamdaoui.
    ("ouae", "ua"), ("oua", "wa"), ("aoui", "awi"), ("aouy", "awi"),
    ("ouw", "u"), ("auw", "u"), ("v", "f"), ("w", "f"),
    // Dj and j; d where t is heard.
    ("dzj", "j"), ("dsj", "j"), ("dj", "j"), ("dt", "t"),
    // Vowels.
    ("ae", "a"), ("ue", "u"), ("oe", "u"), ("ou", "u"), ("au", "u"), ("leigh", "le"), ("uij", "ui"), ("uy", "ui"),
    ("ij", "i"), ("j", "i"), ("y", "i"), ("ie", "i"), ("ei", "i"), ("oi", "i"), ("o", "u"),
    // Doubled by what went before.
    ("aa", "a"), ("ee", "e"), ("ii", "i"), ("uu", "u"), ("ue", "u"),
];

/// Folds one word of `a` to `z`. Never empty for a word that is not; folding again changes nothing.
pub(super) fn fold(word: &str, kind: Kind) -> String {
    let mut word = open_and_end(word, kind);
    loop {
        let next = once(&word);
        if next == word {
            return word;
        }
        word = next;
    }
}

fn open_and_end(word: &str, kind: Kind) -> String {
    let opened = BEGINNINGS.iter().find_map(|(from, to)| Some(format!("{to}{}", word.strip_prefix(from)?)));
    let word = opened.unwrap_or_else(|| word.to_owned());
    let endings = match kind {
        Kind::Given => GIVEN_ENDINGS.as_slice(),
        Kind::Family if word.len() >= FAMILY_ENDING_MIN => FAMILY_ENDINGS.as_slice(),
        Kind::Family => &[],
    };
    let ended = endings.iter().find_map(|(from, to)| Some(format!("{}{to}", word.strip_suffix(from)?)));
    ended.unwrap_or(word)
}

fn once(word: &str) -> String {
    let folded = SOUNDS.iter().fold(word.to_owned(), |word, (spelling, sound)| word.replace(spelling, sound));
    let mut letters: Vec<char> = folded.chars().collect();
    let vowel = |at: usize| letters.get(at).is_some_and(|letter| matches!(letter, 'a' | 'e' | 'i' | 'u'));
    // An h is heard at the beginning and between vowels; elsewhere it only softens.
    let heard = |at: &usize| letters[*at] != 'h' || *at == 0 || (vowel(at - 1) && vowel(at + 1));
    letters = (0..letters.len()).filter(heard).map(|at| letters[at]).collect();
    letters.dedup();
    // At the end d and b are heard as t and p.
    if let [_, .., last] = letters.as_mut_slice() {
        *last = match *last {
            'd' => 't',
            'b' => 'p',
            other => other,
        };
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests;

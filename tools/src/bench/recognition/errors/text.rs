//! Wrong and other spellings of one word.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Keys of a keyboard; who hits the wrong one mostly hits a neighbour in its row.
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
/// Seldom is the first letter the wrong one.
const FIRST_LETTER: f64 = 0.07;

/// With one letter inserted, left out, replaced, or two letters swapped: each as often. A word of two letters or fewer
/// stays as it is.
pub(super) fn typed_wrong(rng: &mut StdRng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 3 {
        return text.to_owned();
    }
    let at = if rng.gen_bool(FIRST_LETTER) { 0 } else { rng.gen_range(1..letters.len()) };
    let upper = letters[at].is_uppercase();
    let key = |key: char| if upper { key.to_ascii_uppercase() } else { key };
    match rng.gen_range(0..4) {
        0 => {
            let twice = rng.gen_bool(0.5);
            let new = if twice { letters[at] } else { neighbour(rng, letters[at]) };
            letters.insert(at + 1, new.to_lowercase().next().unwrap_or(new));
        }
        1 => {
            letters.remove(at);
        }
        2 => letters[at] = key(neighbour(rng, letters[at])),
        _ => {
            let at = at.min(letters.len() - 2);
            letters.swap(at, at + 1);
        }
    }
    letters.into_iter().collect()
}

fn neighbour(rng: &mut StdRng, letter: char) -> char {
    let low = letter.to_ascii_lowercase();
    for row in ROWS {
        if let Some(at) = row.find(low) {
            let row = row.as_bytes();
            let right = at == 0 || (at + 1 < row.len() && rng.gen_bool(0.5));
            return char::from(row[if right { at + 1 } else { at - 1 }]);
        }
    }
    'e'
}

/// Pairs of which one is heard as the other, in both directions.
const SOUNDS: [(&str, &str); 28] = [
    ("ij", "y"),
    ("ij", "ei"),
    ("ei", "ey"),
    ("ou", "au"),
    ("ouw", "auw"),
    ("c", "k"),
    ("ck", "k"),
    ("ks", "x"),
    ("ph", "f"),
    ("v", "f"),
    ("z", "s"),
    ("th", "t"),
    ("dt", "d"),
    ("t", "d"),
    ("oe", "u"),
    ("ie", "i"),
    ("ch", "g"),
    ("sch", "sg"),
    ("sj", "sh"),
    ("j", "y"),
    ("ss", "s"),
    ("nn", "n"),
    ("tt", "t"),
    ("ll", "l"),
    ("mm", "m"),
    ("aa", "a"),
    ("ee", "e"),
    ("oo", "o"),
];

/// As someone writes it who only heard it: one sound in another spelling, behind the first letter.
pub(super) fn respelled(rng: &mut StdRng, text: &str) -> String {
    let both = SOUNDS.iter().flat_map(|&(one, other)| [(one, other), (other, one)]);
    let start = text.chars().next().map_or(0, char::len_utf8);
    let mut fits: Vec<(usize, &str, &str)> = Vec::new();
    for (from, to) in both {
        fits.extend(text[start..].match_indices(from).map(|(at, _)| (start + at, from, to)));
    }
    fits.choose(rng).map_or_else(
        || text.to_owned(),
        |&(at, from, to)| format!("{}{to}{}", &text[..at], &text[at + from.len()..]),
    )
}

/// Without the signs on letters.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            'á' | 'à' | 'â' | 'ä' | 'ą' => 'a',
            'ç' | 'ć' => 'c',
            'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
            'ğ' => 'g',
            'ı' | 'í' | 'î' | 'ï' => 'i',
            'ł' => 'l',
            'ń' => 'n',
            'ó' | 'ö' | 'ô' => 'o',
            'ş' | 'ś' => 's',
            'ü' | 'ú' | 'û' => 'u',
            'ż' | 'ź' => 'z',
            'Ç' => 'C',
            'İ' => 'I',
            'Ł' => 'L',
            'Ö' => 'O',
            'Ş' | 'Ś' => 'S',
            'Ü' => 'U',
            'É' => 'E',
            other => other,
        })
        .collect()
}

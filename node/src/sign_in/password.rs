//! Passwords of local accounts: which are good enough, and how they are kept.
//!
//! Argon2id (RFC 9106) with the parameters that OWASP names first for little memory: 19 MiB, two passes, one lane.
//! Not here: who may try how often ([`super::attempts`]).

use argon2::{Algorithm, Argon2, Params, Version};
use kring_protocol::secret::Secret;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Fewest characters (NIST SP 800-63B: length is what counts).
pub(super) const MIN_CHARS: usize = 12;
/// Most characters that are read.
pub(super) const MAX_CHARS: usize = 256;
/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes computed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Passwords, and parts of them, that are tried first: long ones as they stand, short ones when only digits and signs
/// are around them.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password as it is stored; the record around it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordHash {
    #[serde(with = "kring_protocol::secret::stored")]
    salt: Secret<16>,
    #[serde(with = "kring_protocol::secret::stored")]
    hash: Secret<32>,
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weak {
    TooShort,
    TooLong,
    Common,
}

/// Computes hashes, a few at once.
#[derive(Debug)]
pub(super) struct Hasher {
    places: Semaphore,
    /// For names that are no account: the same work.
    nobody: PasswordHash,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let (salt, hash) = (Secret::random(&mut OsRng), Secret::random(&mut OsRng));
        Self { places: Semaphore::new(AT_ONCE), nobody: PasswordHash { salt, hash } }
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: &str) -> PasswordHash {
        let salt = Secret::random(&mut OsRng);
        let hash = self.compute(password, salt.clone()).await;
        PasswordHash { salt, hash }
    }

    /// Whether it is the password; takes as long where there is none.
    pub(super) async fn verify(&self, password: &str, stored: Option<&PasswordHash>) -> bool {
        let against = stored.unwrap_or(&self.nobody);
        let hash = self.compute(password, against.salt.clone()).await;
        (hash == against.hash) & stored.is_some()
    }

    async fn compute(&self, password: &str, salt: Secret<16>) -> Secret<32> {
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        // A keyboard of another make composes an accent differently.
        let password: Zeroizing<String> = Zeroizing::new(password.nfc().collect());
        let computing = tokio::task::spawn_blocking(move || argon2id(password.as_bytes(), &salt));
        computing.await.expect("hashing does not panic")
    }
}

fn argon2id(password: &[u8], salt: &Secret<16>) -> Secret<32> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(32)).expect("our own parameters are in range");
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt.expose(), out.as_mut_slice())
        .expect("lengths are in range");
    Secret::new(*out)
}

/// Whether a password may be chosen; `own` are words that are known of the account: its user name, the organisation.
pub(super) fn check_new(password: &str, own: &[&str]) -> Result<(), Weak> {
    let chars = password.chars().count();
    if chars < MIN_CHARS {
        return Err(Weak::TooShort);
    }
    if chars > MAX_CHARS {
        return Err(Weak::TooLong);
    }
    if is_common(&password.to_lowercase(), own) { Err(Weak::Common) } else { Ok(()) }
}

fn is_common(password: &str, own: &[&str]) -> bool {
    let typed: Vec<char> = password.chars().collect();
    let letters: usize = typed.iter().filter(|c| c.is_alphabetic()).count();
    let own = own.iter().map(|word| word.to_lowercase());
    let words = COMMON.lines().filter(|line| line.len() > 2).map(str::to_owned).chain(own);
    let known = words.into_iter().any(|word| word == password || is_made_of(&typed, &word));
    known || letters < 4 || repeats(password) || runs(password)
}

/// Letters for the signs that people put in their place.
const fn plain(c: char) -> char {
    match c {
        '@' => 'a',
        '0' => 'o',
        '$' => 's',
        '3' => 'e',
        '!' => 'i',
        _ => c,
    }
}

/// The word once or several times, and beside it no letter.
fn is_made_of(typed: &[char], word: &str) -> bool {
    let word: Vec<char> = word.chars().collect();
    let is_word =
        |rest: &[char]| rest.iter().zip(&word).all(|(c, letter)| c == letter || plain(*c) == *letter);
    let (mut rest, mut found) = (typed, false);
    while let Some((first, after)) = rest.split_first() {
        if rest.len() >= word.len() && word.len() > 2 && is_word(rest) {
            (rest, found) = (&rest[word.len()..], true);
        } else if first.is_alphabetic() {
            return false;
        } else {
            rest = after;
        }
    }
    found
}

/// One piece of at most four characters, again and again.
fn repeats(password: &str) -> bool {
    let chars: Vec<_> = password.chars().collect();
    (1..=4).any(|len| chars.iter().zip(chars.iter().skip(len)).all(|(one, next)| one == next))
}

/// Each character the neighbour of the one before, in the alphabet, the digits or on the keyboard.
fn runs(password: &str) -> bool {
    const ROWS: &str = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop[] asdfghjkl;' zxcvbnm,./ 1qaz2wsx3edc4rfv5tgb6yhn7ujm";
    let backwards: String = ROWS.chars().rev().collect();
    [ROWS, &backwards].iter().any(|rows| {
        let chars: Vec<_> = password.chars().collect();
        let near = chars.windows(2).filter(|pair| rows.contains(&pair.iter().collect::<String>())).count();
        near + 3 >= chars.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_verifies() {
        let hasher = Hasher::new();
        let stored = hasher.hash("een goed w\u{e9}\u{e9}twoord").await;
        assert!(hasher.verify("een goed w\u{e9}\u{e9}twoord", Some(&stored)).await);
        assert!(hasher.verify("een goed we\u{301}e\u{301}twoord", Some(&stored)).await, "composed otherwise");
        assert!(!hasher.verify("een goed weetwoord", Some(&stored)).await);
        assert!(!hasher.verify("een goed w\u{e9}\u{e9}twoord", None).await);
        assert_ne!(stored, hasher.hash("een goed w\u{e9}\u{e9}twoord").await, "salted");
        assert!(!format!("{stored:?}").contains(|c: char| c.is_ascii_digit()));
    }

    /// RFC 9106 section 5.3 has a key and associated data, which we do not use; this value is the reference program's
    /// (`echo -n password | argon2 somesaltsomesalt -id -t 2 -k 19456 -p 1 -l 32`).
    #[test]
    fn the_hash_is_that_of_other_programs() {
        let hash = argon2id(b"password", &Secret::new(*b"somesaltsomesalt"));
        assert_eq!(
            hex::encode(hash.expose()),
            "2b5dc4054886ec957ef59c73b661c54dd6fb274590b278f657c6d96aac8fa6d1"
        );
    }

    #[test]
    fn the_commonest_are_refused() {
        let own = ["j.jansen", "Wijkteam Noord"];
        for common in [
            "wachtwoord123",
            "Wachtwoord2026!",
            "W@chtwoord!!2026",
            "welkom123456",
            "Welkom01Welkom01",
            "password1234",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghijklm",
            "j.jansen2026",
            "zomer2026!!!!",
            "Wijkteam Noord1",
            "kringkringkring",
            "1qaz2wsx3edc",
            "iloveyou1234",
            "geheimgeheim1",
            "!!!!20262026",
        ] {
            assert_eq!(check_new(common, &own), Err(Weak::Common), "{common}");
        }
        for good in ["drie blauwe fietsen", "Xk7#mmPq29vLr", "mijn oma bakt taart", "welkom in de duinen 7"] {
            assert_eq!(check_new(good, &own), Ok(()), "{good}");
        }
        assert_eq!(check_new("kort genoeg", &own), Err(Weak::TooShort));
        assert_eq!(check_new(&"lang genoeg ".repeat(30), &own), Err(Weak::TooLong));
    }
}

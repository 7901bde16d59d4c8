//! The citizen service number.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Problem;

const LEN: usize = 9;
/// Pass the eleven-test, but stand in forms and examples everywhere.
const PLACEHOLDERS: [&[u8; LEN]; 2] = [b"123456782", b"111111110"];

/// A BSN: nine digits that pass the eleven-test and are not a placeholder.
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub struct Bsn([u8; LEN]);

impl Bsn {
    /// The nine digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("nine ASCII digits")
    }
}

impl FromStr for Bsn {
    type Err = Problem;

    /// Reads nine digits, or eight where the leading zero was lost; blanks, dots and hyphens between them are ignored.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let separator = |c: char| c.is_whitespace() || c == '.' || c == '-';
        let digits: String = text.chars().filter(|&c| !separator(c)).collect();
        if !(LEN - 1..=LEN).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::BsnDigits);
        }
        let digits: [u8; LEN] =
            format!("{digits:0>9}").into_bytes().try_into().map_err(|_| Problem::BsnDigits)?;
        if digits.iter().all(|&digit| digit == digits[0]) || PLACEHOLDERS.contains(&&digits) {
            return Err(Problem::BsnPlaceholder);
        }
        if passes_eleven_test(&digits) { Ok(Self(digits)) } else { Err(Problem::BsnTest) }
    }
}

/// `9a + 8b + 7c + 6d + 5e + 4f + 3g + 2h - i` is a multiple of eleven.
fn passes_eleven_test(digits: &[u8; LEN]) -> bool {
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = digits.iter().zip(weights).map(|(&digit, weight)| i32::from(digit - b'0') * weight).sum();
    sum % 11 == 0
}

impl fmt::Debug for Bsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bsn(<redacted>)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Bsn, Problem};

    #[test]
    fn a_number_is_read_in_every_usual_spelling() {
        for text in ["999993653", "9999 93 653", "9999.93.653", "9999-93-653"] {
            assert_eq!(text.parse::<Bsn>().unwrap().as_str(), "999993653", "{text}");
        }
        assert_eq!("10000008".parse::<Bsn>().unwrap().as_str(), "010000008", "a lost leading zero");
    }

    #[test]
    fn the_test_range_holds_909_numbers() {
        let valid = (999_990_000..=999_999_999u32).filter(|n| n.to_string().parse::<Bsn>().is_ok()).count();
        assert_eq!(valid, 909);
    }

    #[test]
    fn what_is_not_a_bsn_is_refused_with_its_reason() {
        for text in ["", "1", "9999936531", "99999365a", "９９９９９３６５３"] {
            assert_eq!(text.parse::<Bsn>(), Err(Problem::BsnDigits), "{text}");
        }
        assert_eq!("999993654".parse::<Bsn>(), Err(Problem::BsnTest));
        assert_eq!("999999999".parse::<Bsn>(), Err(Problem::BsnPlaceholder));
        assert_eq!("000000000".parse::<Bsn>(), Err(Problem::BsnPlaceholder));
        assert_eq!("00000000".parse::<Bsn>(), Err(Problem::BsnPlaceholder));
        assert_eq!("123456782".parse::<Bsn>(), Err(Problem::BsnPlaceholder));
    }
}

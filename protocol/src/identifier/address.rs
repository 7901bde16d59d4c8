//! Postal code and house number: where someone is registered, as far as it helps to tell persons apart.
//!
//! Street and town are not used: the postal code holds them.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Problem;

/// Letters that no Dutch postal code ends in.
const NEVER_ISSUED: [&str; 3] = ["SA", "SD", "SS"];
const SUFFIX_MAX_CHARS: usize = 10;
const HOUSE_NUMBER_MAX: u32 = 99_999;

/// A Dutch postal code (`1234AB`), or four digits only: foreign, or known no better.
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub struct PostalCode(String);

impl PostalCode {
    /// Digits and capital letters, without a blank.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A form that is the same when two digits, or the two letters, changed places.
    #[must_use]
    pub(crate) fn unordered(&self) -> String {
        let mut bytes = self.0.clone().into_bytes();
        let (digits, letters) = bytes.split_at_mut(4);
        digits.sort_unstable();
        letters.sort_unstable();
        bytes.into_iter().map(char::from).collect()
    }
}

impl FromStr for PostalCode {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let code: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
        let digits = code.bytes().take_while(u8::is_ascii_digit).count();
        let letters = &code[digits..];
        let dutch = letters.len() == 2
            && letters.bytes().all(|b| b.is_ascii_uppercase())
            && !code.starts_with('0')
            && !NEVER_ISSUED.contains(&letters);
        if digits == 4 && (letters.is_empty() || dutch) { Ok(Self(code)) } else { Err(Problem::PostalCode) }
    }
}

impl fmt::Debug for PostalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostalCode(<redacted>)")
    }
}

/// A house number without what stands behind it: partners write letters and additions in too many ways to compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Zeroize)]
pub struct HouseNumber(u32);

impl HouseNumber {
    /// Reads a number, with or without a suffix behind it; nothing, or zero, means that there is none.
    ///
    /// # Errors
    /// [`Problem`] when it does not begin with a number of at most five digits or the rest cannot be a suffix.
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        if text.is_empty() {
            return Ok(None);
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = text[..digits].parse().map_err(|_| Problem::HouseNumber)?;
        check_suffix(&text[digits..]).map_err(|_| Problem::HouseNumber)?;
        match number {
            0 => Ok(None),
            1..=HOUSE_NUMBER_MAX => Ok(Some(Self(number))),
            _ => Err(Problem::HouseNumber),
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for HouseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HouseNumber(<redacted>)")
    }
}

/// Checks a letter or addition behind a house number.
pub(super) fn check_suffix(text: &str) -> Result<(), Problem> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/');
    let fits = text.chars().count() <= SUFFIX_MAX_CHARS && text.chars().all(allowed);
    if fits { Ok(()) } else { Err(Problem::HouseNumberSuffix) }
}

#[cfg(test)]
mod tests {
    use super::{HouseNumber, PostalCode, Problem, check_suffix};

    #[test]
    fn postal_codes() {
        for text in ["3581 cd", "3581CD", " 3581\u{a0}Cd"] {
            assert_eq!(text.parse::<PostalCode>().unwrap().as_str(), "3581CD", "{text}");
        }
        assert_eq!("0812".parse::<PostalCode>().unwrap().as_str(), "0812");
        for text in ["", "0581CD", "3581SS", "3581SA", "3581C", "3581CDE", "358CD", "35811", "3581é", "٣٥٨١"]
        {
            assert_eq!(text.parse::<PostalCode>(), Err(Problem::PostalCode), "{text}");
        }
        let unordered = |text: &str| text.parse::<PostalCode>().unwrap().unordered();
        assert_eq!(unordered("3518DC"), unordered("3581CD"));
        assert_ne!(unordered("3581CD"), unordered("3582CD"));
    }

    #[test]
    fn house_numbers() {
        for text in ["12", "012", "12a", "12-2", "12 bis"] {
            assert_eq!(HouseNumber::parse(text).unwrap().unwrap().number(), 12, "{text}");
        }
        assert_eq!(HouseNumber::parse(""), Ok(None));
        assert_eq!(HouseNumber::parse("0"), Ok(None));
        for text in ["a", "-12", "100000", "99999999999", "12 hoog achter links", "12;"] {
            assert_eq!(HouseNumber::parse(text), Err(Problem::HouseNumber), "{text}");
        }
        assert_eq!(check_suffix("bis-2"), Ok(()));
        assert_eq!(check_suffix("a;b"), Err(Problem::HouseNumberSuffix));
    }
}

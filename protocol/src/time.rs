//! Time as a value. The protocol never reads a clock; the caller says what time it is.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// The UTC day this moment falls in.
    #[must_use]
    pub fn day(self) -> Day {
        Day(u32::try_from(self.0 / SECS_PER_DAY).unwrap_or(u32::MAX))
    }

    /// This moment plus `secs`, never overflowing.
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }

    /// Seconds between two moments, whichever comes first.
    #[must_use]
    pub const fn distance_secs(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
}

const SECS_PER_DAY: u64 = 86_400;

/// Days since 1970-01-01 UTC: the date form of everything that is signed or derived (`docs/protocol.md` section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(u32);

impl Day {
    /// From days since 1970-01-01.
    #[must_use]
    pub const fn from_days(days: u32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// The first second of this day, UTC.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 as u64 * SECS_PER_DAY)
    }

    /// This day plus `days`, never overflowing.
    #[must_use]
    pub const fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The last day of the calendar month this day falls in.
    #[must_use]
    pub fn last_of_month(self) -> Self {
        Self::from_civil(self.civil().last_of_month())
    }

    /// As year, month and day; far in the future the last day that the calendar knows.
    pub(crate) fn civil(self) -> jiff::civil::Date {
        epoch_date() + jiff::Span::new().days(i64::from(self.0.min(MAX_DAY)))
    }

    /// From a date of 1970 or later.
    pub(crate) fn from_civil(date: jiff::civil::Date) -> Self {
        let span = date.since((jiff::Unit::Day, epoch_date())).expect("both dates lie in jiff's range");
        Self(u32::try_from(span.get_days()).expect("a date after 1970 has a positive day number"))
    }

    /// The week this day falls in, counted from 1970-01-01 (which was a Thursday; weeks of seven days from there).
    #[must_use]
    pub const fn week(self) -> u32 {
        self.0 / 7
    }

    /// Big-endian bytes, the form in which a day is joined, signed and derived from.
    #[must_use]
    pub const fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

/// As people write it: 2026-01-31.
impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", epoch_date() + jiff::Span::new().days(i64::from(self.0.min(MAX_DAY))))
    }
}

/// 9999-12-01, so that calendar arithmetic stays in range for any input.
pub(crate) const MAX_DAY: u32 = 2_932_865;

fn epoch_date() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

#[cfg(test)]
mod tests {
    use super::{Day, Timestamp};

    #[test]
    fn last_of_month_knows_leap_years() {
        let first_of_february_2028 = Timestamp::from_secs(1_832_976_000).day();
        assert_eq!(first_of_february_2028.last_of_month().days() - first_of_february_2028.days(), 28);
        assert_eq!(Day::from_days(0).last_of_month(), Day::from_days(30));
        let last = Day::from_days(30);
        assert_eq!(last.last_of_month(), last);
        let _ = Day::from_days(u32::MAX).last_of_month();
        assert_eq!(first_of_february_2028.to_string(), "2028-02-01");
    }
}

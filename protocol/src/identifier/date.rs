//! The birth date, as far as it is known.

use jiff::civil;
use zeroize::Zeroize;

use super::Problem;
use crate::time::Day;

const FIRST_YEAR: i16 = 1900;

/// A year of birth, and the month and day where they are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Zeroize)]
pub struct BirthDate {
    year: i16,
    /// 0 where not known; then `day` is 0 too.
    month: i8,
    /// 0 where not known.
    day: i8,
}

impl BirthDate {
    /// Reads `YYYY-MM-DD`, `YYYYMMDD`, `DD-MM-YYYY` (one-digit day or month and `/` allowed), with 00 for what is
    /// not known, or only `YYYY` or `YYYY-MM`.
    ///
    /// # Errors
    /// [`Problem`]: another form, a day that does not exist, before 1900, or after `today`.
    pub fn parse(text: &str, today: Day) -> Result<Self, Problem> {
        let date = Self::read(text).ok_or(Problem::DateForm)?;
        if date.year < FIRST_YEAR {
            return Err(Problem::DateTooEarly);
        }
        if date.month == 0 && date.day != 0 {
            return Err(Problem::DateImpossible);
        }
        let first = civil::Date::new(date.year, date.month.max(1), date.day.max(1));
        let first = first.map_err(|_| Problem::DateImpossible)?;
        if first > calendar(today) { Err(Problem::DateFuture) } else { Ok(date) }
    }

    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(['-', '/']).collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let (year, month, day) = match (parts.as_slice(), lengths.as_slice()) {
            (&[year, month, day], [4, 2, 2]) | (&[day, month, year], [1 | 2, 1 | 2, 4]) => (year, month, day),
            (&[year, month], [4, 2]) => (year, month, "0"),
            (&[year], [4]) => (year, "0", "0"),
            (&[all], [8]) if all.is_ascii() => (&all[..4], &all[4..6], &all[6..]),
            _ => return None,
        };
        if !(year.bytes().chain(month.bytes()).chain(day.bytes())).all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? })
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The whole date in a form that is the same with day and month swapped, if the whole date is known.
    #[must_use]
    pub(crate) fn unordered(self) -> Option<String> {
        let (small, large) = (self.month.min(self.day), self.month.max(self.day));
        (small > 0).then(|| format!("{:04}{small:02}{large:02}", self.year))
    }

    /// The whole date, if it is known.
    #[must_use]
    pub(crate) fn whole(self) -> Option<String> {
        (self.day > 0).then(|| format!("{:04}{:02}{:02}", self.year, self.month, self.day))
    }

    /// Whether day and month are known.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.day > 0
    }

    /// Whether the day is one that offices write when they know only the year. Many strangers, above all refugees,
    /// share such a date, so it stands for a person only together with a place.
    #[must_use]
    pub const fn is_conventional(self) -> bool {
        self.day == 1 && (self.month == 1 || self.month == 7)
    }
}

impl std::fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BirthDate(<redacted>)")
    }
}

fn calendar(day: Day) -> civil::Date {
    let days = jiff::Span::new().try_days(i64::from(day.days()));
    days.and_then(|days| civil::date(1970, 1, 1).checked_add(days)).unwrap_or(civil::Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::{BirthDate, Problem};
    use crate::time::Day;

    /// 2026-08-21.
    const TODAY: Day = Day::from_days(20_686);

    fn parse(text: &str) -> Result<BirthDate, Problem> {
        BirthDate::parse(text, TODAY)
    }

    #[test]
    fn the_spellings_of_one_day_are_equal() {
        let date = parse("2011-03-14").unwrap();
        for text in ["14-03-2011", "14-3-2011", "14/03/2011", "20110314"] {
            assert_eq!(parse(text), Ok(date), "{text}");
        }
        assert_eq!(date.unordered().unwrap(), "20110314");
        assert_eq!(
            parse("2011-04-03").unwrap().unordered(),
            parse("2011-03-04").unwrap().unordered(),
            "swapped"
        );
    }

    #[test]
    fn an_unknown_day_or_month_leaves_the_year() {
        for text in ["2011-00-00", "00-00-2011", "2011", "2011-03", "2011-03-00", "00-03-2011"] {
            let date = parse(text).unwrap();
            assert_eq!((date.year(), date.unordered()), (2011, None), "{text}");
        }
    }

    #[test]
    fn wrong_dates_are_refused_with_their_reason() {
        for text in
            ["", "gisteren", "2011-3", "11-03-14", "2011.03.14", "2011-03-14-1", "+011-03-14", "é0110314"]
        {
            assert_eq!(parse(text), Err(Problem::DateForm), "{text}");
        }
        // Eight bytes with a letter of two where the year would end.
        assert_eq!(parse("201é031"), Err(Problem::DateForm));
        for text in ["2011-02-30", "31-04-2011", "2011-13-01", "2011-00-12", "2023-02-29"] {
            assert_eq!(parse(text), Err(Problem::DateImpossible), "{text}");
        }
        assert_eq!(parse("1899-12-31"), Err(Problem::DateTooEarly));
        assert_eq!(parse("2026-08-22"), Err(Problem::DateFuture));
        assert_eq!(parse("2026-09-00"), Err(Problem::DateFuture));
        assert!(parse("2026-08-21").is_ok(), "born today");
        assert!(BirthDate::parse("9999-12-31", Day::from_days(u32::MAX)).is_ok());
    }
}

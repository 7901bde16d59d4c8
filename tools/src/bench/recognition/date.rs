//! Days of the calendar, for invented birth dates.

/// 2026-08-21: the day on which everything here happens, so that a seed gives the same for ever.
pub(crate) const TODAY: i32 = 20_686;
/// Days of a year.
pub(crate) const YEAR: f64 = 365.2425;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Date {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Date {
    /// From days since 1970-01-01, by the usual arithmetic over eras of 400 years that begin in March.
    pub(crate) const fn from_days(days: i32) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = (if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 }) as u32;
        let year = year_of_era + era * 400 + (month <= 2) as i32;
        Self { year, month, day }
    }

    /// Whether such a day exists and is not after [`TODAY`].
    pub(crate) fn is_possible(self) -> bool {
        let leap = (self.year % 4 == 0 && self.year % 100 != 0) || self.year % 400 == 0;
        let length = match self.month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return false,
        };
        (1..=length).contains(&self.day) && self.year >= 1900 && self <= Self::from_days(TODAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        let date = |year, month, day| Date { year, month, day };
        for (days, expected) in [
            (0, date(1970, 1, 1)),
            (-1, date(1969, 12, 31)),
            (11_016, date(2000, 2, 29)),
            (TODAY, date(2026, 8, 21)),
            (-14_246, date(1930, 12, 31)),
        ] {
            assert_eq!(Date::from_days(days), expected);
            assert!(expected.is_possible());
        }
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2011, 4, 31), (2026, 8, 22), (1899, 1, 1)] {
            assert!(!date(year, month, day).is_possible(), "{year}-{month}-{day}");
        }
    }
}

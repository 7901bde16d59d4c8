//! Working days as people in the Netherlands count them (`docs/protocol.md` section 10.12): the date on their clock
//! (Europe/Amsterdam), weekends, and the holidays of the Algemene termijnenwet.
//!
//! Pure rules, good for any year from 1996. Not here: school holidays, days that a decree adds for some years (article 3
//! paragraph 3), what an organisation's own people have off. Everything that is signed or derived counts in UTC
//! ([`crate::time`]).

use crate::time::{Day, Timestamp};

/// Most days that [`waited`] looks back; what has waited longer has waited too long anyway.
const WAITED_MAX_DAYS: u32 = 1_000;

/// The date on a clock in Europe/Amsterdam, in days since 1970-01-01.
#[must_use]
pub fn local_day(at: Timestamp) -> Day {
    at.plus_secs(offset_secs(at)).day()
}

/// The moment at which a clock in Europe/Amsterdam shows this on a day: so many minutes after midnight. What it shows twice
/// is the first of both; what it never shows is an hour later.
#[must_use]
pub fn local_moment(day: Day, minutes: u32) -> Timestamp {
    let shown = day.start().secs() + u64::from(minutes) * 60;
    let summer = Timestamp::from_secs(shown.saturating_sub(2 * 3_600));
    if is_summer_time(summer) { summer } else { Timestamp::from_secs(shown.saturating_sub(3_600)) }
}

/// By how much that clock is ahead of UTC.
fn offset_secs(at: Timestamp) -> u64 {
    let hours = if is_summer_time(at) { 2 } else { 1 };
    hours * 3_600
}

/// Directive 2000/84/EC: from the last Sunday of March to the last Sunday of October, at 1 o'clock UTC.
fn is_summer_time(at: Timestamp) -> bool {
    let year = at.day().civil().year();
    let turn = |month| {
        let last = Day::from_civil(jiff::civil::date(year, month, 31));
        Day::from_days(last.days() - days_since_sunday(last)).start().plus_secs(3_600)
    };
    turn(3) <= at && at < turn(10)
}

/// Whether people are at work: Monday to Friday, and no public holiday.
#[must_use]
pub fn is_working_day(day: Day) -> bool {
    !matches!(days_since_sunday(day), 0 | 6) && !is_holiday(day)
}

/// The `count`-th working day after `start`, which does not count itself. With 0 it is `start`.
#[must_use]
pub fn working_days_after(start: Day, count: u32) -> Day {
    let mut day = start;
    for _ in 0..count {
        day = day.plus(1);
        while !is_working_day(day) && day < LAST_DAY {
            day = day.plus(1);
        }
    }
    day
}

/// The working days that have wholly passed since `start`: those after it and before `today`.
#[must_use]
pub fn waited(start: Day, today: Day) -> u32 {
    let first = start.days().saturating_add(1).max(today.days().saturating_sub(WAITED_MAX_DAYS));
    let passed = (first..today.days()).filter(|day| is_working_day(Day::from_days(*day)));
    u32::try_from(passed.count()).expect("at most WAITED_MAX_DAYS")
}

/// Beyond this no calendar is asked, so that counting ends for any input.
const LAST_DAY: Day = Day::from_days(crate::time::MAX_DAY);

/// 0 on Sundays. 1970-01-01 was a Thursday.
const fn days_since_sunday(day: Day) -> u32 {
    (day.days() % 7 + 4) % 7
}

/// Algemene termijnenwet, article 3: New Year's Day, Easter Monday, Whit Monday, both days of Christmas, Ascension Day,
/// the King's birthday and 5 May (every year); Good Friday is put on a level with them. Easter and Whit Sunday are Sundays.
fn is_holiday(day: Day) -> bool {
    let date = day.civil();
    let from_easter = i64::from(day.days()) - i64::from(easter(date.year()).days());
    match (date.month(), date.day()) {
        (1, 1) | (5, 5) | (12, 25 | 26) => true,
        // When 27 April is a Sunday the King's birthday is celebrated on the day before.
        (4, 27) => days_since_sunday(day) != 0,
        (4, 26) if days_since_sunday(day) == 6 => true,
        _ => matches!(from_easter, -2 | 1 | 39 | 50),
    }
}

/// Easter Sunday of the Gregorian calendar: the rule of Meeus, Jones and Butcher.
fn easter(year: i16) -> Day {
    let year = i32::from(year);
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let shift = (century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 19 * golden + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - shift - of_century % 4) % 7;
    let late = (golden + 11 * shift + 22 * weekday) / 451;
    let days = shift + weekday - 7 * late + 114;
    let part = |value: i32| i8::try_from(value).expect("a month or a day of one");
    let date =
        jiff::civil::date(i16::try_from(year).expect("it came as one"), part(days / 31), part(days % 31 + 1));
    Day::from_civil(date)
}

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Weekdays without work, 2024 to 2030: Good Friday, Easter Monday, the King's birthday, 5 May, Ascension Day, Whit
/// Monday, Christmas, New Year. From the Python package `holidays` 0.109 (categories public and optional of NL), which
/// takes them from the Algemene termijnenwet and published lists; those of 2026 compared by hand with the list at
/// alle-feestdagen.be/nederland/feestdagen-2026.html. Holidays on a Saturday or Sunday are left out.
const HOLIDAYS: [(i16, &[(i8, i8)]); 7] = [
    (2024, &[(1, 1), (3, 29), (4, 1), (5, 9), (5, 20), (12, 25), (12, 26)]),
    (2025, &[(1, 1), (4, 18), (4, 21), (5, 5), (5, 29), (6, 9), (12, 25), (12, 26)]),
    (2026, &[(1, 1), (4, 3), (4, 6), (4, 27), (5, 5), (5, 14), (5, 25), (12, 25)]),
    (2027, &[(1, 1), (3, 26), (3, 29), (4, 27), (5, 5), (5, 6), (5, 17)]),
    (2028, &[(4, 14), (4, 17), (4, 27), (5, 5), (5, 25), (6, 5), (12, 25), (12, 26)]),
    (2029, &[(1, 1), (3, 30), (4, 2), (4, 27), (5, 10), (5, 21), (12, 25), (12, 26)]),
    (2030, &[(1, 1), (4, 19), (4, 22), (5, 30), (6, 10), (12, 25), (12, 26)]),
];

/// Where the offset of Europe/Amsterdam changes, in seconds, from the tz database 2025b: the first of a year to UTC+2,
/// the second to UTC+1.
const TURNS: [(u64, u64); 7] = [
    (1_711_846_800, 1_729_990_800),
    (1_743_296_400, 1_761_440_400),
    (1_774_746_000, 1_792_890_000),
    (1_806_195_600, 1_824_944_400),
    (1_837_645_200, 1_856_394_000),
    (1_869_094_800, 1_887_843_600),
    (1_901_149_200, 1_919_293_200),
];

fn day(year: i16, month: i8, of_month: i8) -> Day {
    Day::from_civil(date(year, month, of_month))
}

/// All days of 2024 to 2030.
fn days() -> impl Iterator<Item = Day> {
    (day(2024, 1, 1).days()..=day(2030, 12, 31).days()).map(Day::from_days)
}

#[test]
fn working_days_are_those_of_seven_years() {
    let mut holidays = BTreeSet::new();
    for (year, dates) in HOLIDAYS {
        holidays.extend(dates.iter().map(|(month, of_month)| day(year, *month, *of_month)));
    }
    for each in days() {
        let weekday = each.civil().weekday().to_monday_zero_offset() < 5;
        assert_eq!(is_working_day(each), weekday && !holidays.contains(&each), "{}", each.civil());
    }
}

#[test]
fn the_kings_birthday_is_never_celebrated_on_a_sunday() {
    assert!(is_holiday(day(2025, 4, 26)) && !is_holiday(day(2025, 4, 27)), "27 April 2025 is a Sunday");
    assert!(!is_holiday(day(2026, 4, 26)) && is_holiday(day(2026, 4, 27)));
    assert!(!is_holiday(day(2030, 4, 26)) && is_holiday(day(2030, 4, 27)), "on a Saturday it stays");
}

#[test]
fn the_date_turns_at_midnight_in_amsterdam() {
    for (summer, winter) in TURNS {
        for (turn, before, after) in [(summer, 1, 2), (winter, 2, 1)] {
            for (at, hours) in [(turn - 1, before), (turn, after)] {
                let at = Timestamp::from_secs(at);
                assert_eq!(local_day(at), at.plus_secs(hours * 3_600).day());
                assert_eq!(is_summer_time(at), hours == 2, "{at:?}");
            }
        }
    }
    // Half an hour before midnight UTC it is the next day in Amsterdam, winter and summer; 22.30 only in summer.
    let at = |of: Day, minutes: u64| local_day(of.start().plus_secs(minutes * 60));
    for of in [day(2026, 1, 15), day(2026, 7, 15)] {
        assert_eq!(at(of, 23 * 60 + 30), of.plus(1));
    }
    assert_eq!(at(day(2026, 1, 15), 22 * 60 + 30), day(2026, 1, 15));
    assert_eq!(at(day(2026, 7, 15), 22 * 60 + 30), day(2026, 7, 16));
}

#[test]
fn deadlines_pass_over_weekends_and_holidays() {
    // Thursday before Easter 2026: Good Friday, the weekend and Easter Monday do not count.
    assert_eq!(working_days_after(day(2026, 4, 2), 1), day(2026, 4, 7));
    assert_eq!(working_days_after(day(2026, 4, 2), 5), day(2026, 4, 13));
    // From a Saturday it is counted as from the Friday before.
    assert_eq!(working_days_after(day(2026, 11, 21), 5), working_days_after(day(2026, 11, 20), 5));
    assert_eq!(working_days_after(day(2026, 11, 21), 5), day(2026, 11, 27));
    assert_eq!(working_days_after(day(2026, 11, 21), 0), day(2026, 11, 21));
    assert_eq!(waited(day(2026, 4, 2), day(2026, 4, 8)), 1);
    assert_eq!(waited(day(2026, 4, 2), day(2026, 4, 1)), 0);
    let far = Day::from_days(u32::MAX);
    assert!(waited(Day::from_days(0), far) <= WAITED_MAX_DAYS);
    let _ = (working_days_after(far, 3), local_day(Timestamp::from_secs(u64::MAX)));
}

proptest! {
    #[test]
    fn counting_forward_and_back_agree(start in 19_723_u32..22_000, count in 1_u32..60, over in 0_u32..10) {
        let start = Day::from_days(start);
        let end = working_days_after(start, count);
        prop_assert!(is_working_day(end) && end > start);
        prop_assert_eq!(waited(start, end), count - 1, "the day itself has not passed");
        prop_assert_eq!(waited(start, end.plus(1)), count);
        // One after the other is the same as all at once.
        prop_assert_eq!(working_days_after(end, over), working_days_after(start, count + over));
        // Never faster than the days themselves, never slower than a week and all its holidays can be.
        let passed = end.days() - start.days();
        prop_assert!(passed >= count && passed <= count * 7 / 5 + 12, "{} in {}", count, passed);
    }

    #[test]
    fn every_week_has_work_and_no_weekend_has(number in 0_u32..20_000) {
        let monday = Day::from_days(number * 7 + 4);
        prop_assert_eq!(monday.civil().weekday(), jiff::civil::Weekday::Monday);
        prop_assert!((0..5).any(|day| is_working_day(monday.plus(day))));
        prop_assert!(!is_working_day(monday.plus(5)) && !is_working_day(monday.plus(6)));
    }

    #[test]
    fn easter_is_a_sunday_of_spring(year in 1970_i16..4_000) {
        let easter = easter(year);
        prop_assert_eq!(days_since_sunday(easter), 0);
        prop_assert!((day(year, 3, 22)..=day(year, 4, 25)).contains(&easter));
    }
}

#[test]
fn a_clock_shows_what_it_shows_also_where_summer_begins_and_ends() {
    let on = |year, month, day| Day::from_civil(date(year, month, day));
    let at = |day, minutes| local_moment(day, minutes).secs() - on(2026, 1, 1).start().secs();
    let day = |month, day| on(2026, month, day).start().secs() - on(2026, 1, 1).start().secs();
    assert_eq!(at(on(2026, 1, 5), 8 * 60), day(1, 5) + 7 * 3_600);
    assert_eq!(at(on(2026, 7, 6), 8 * 60 + 30), day(7, 6) + 6 * 3_600 + 1_800);
    // 29 March: 02:00 to 03:00 is never shown. 25 October: it is shown twice.
    assert_eq!(at(on(2026, 3, 29), 60), day(3, 29));
    assert_eq!(at(on(2026, 3, 29), 150), day(3, 29) + 5_400);
    assert_eq!(at(on(2026, 3, 29), 180), day(3, 29) + 3_600);
    assert_eq!(at(on(2026, 10, 25), 150), day(10, 25) + 1_800);
    assert_eq!(at(on(2026, 10, 25), 180), day(10, 25) + 2 * 3_600);
    for days in 20_000..22_000 {
        let day = Day::from_days(days);
        assert_eq!(local_day(local_moment(day, 8 * 60)), day);
    }
}

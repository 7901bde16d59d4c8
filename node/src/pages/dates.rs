//! Dates as people write and read them.

use kring_protocol::calendar::local_day;
use kring_protocol::time::{Day, Timestamp};

use super::page::Page;

/// A date as somebody typed it, in three fields.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct DateText {
    /// What the names of the fields begin with.
    pub name: &'static str,
    /// The day.
    pub day: String,
    /// The month, as a number or a word.
    pub month: String,
    /// The year.
    pub year: String,
}

impl std::fmt::Debug for DateText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DateText(<redacted>)")
    }
}

/// How months begin, in both languages.
const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb"],
    &["mrt", "maa", "mar"],
    &["apr"],
    &["mei", "may"],
    &["jun"],
    &["jul"],
    &["aug"],
    &["sep"],
    &["okt", "oct"],
    &["nov"],
    &["dec"],
];

impl DateText {
    /// This day, ready to be changed.
    #[must_use]
    pub(super) fn of(name: &'static str, day: Day) -> Self {
        let text = day.to_string();
        let mut parts = text.split('-').map(|part| part.trim_start_matches('0').to_owned());
        let mut next = || parts.next().unwrap_or_default();
        let (year, month, day) = (next(), next(), next());
        Self { name, day, month, year }
    }

    /// Whether nothing was typed.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        [&self.day, &self.month, &self.year].iter().all(|part| part.trim().is_empty())
    }

    /// The day, if it is one.
    #[must_use]
    pub(super) fn day(&self) -> Option<Day> {
        let day = self.day.trim().parse().ok()?;
        let year = self.year.trim().parse().ok().filter(|year| (1900..=9999).contains(year))?;
        let date = jiff::civil::Date::new(year, i8::try_from(self.month_number()?).ok()?, day).ok()?;
        day_of(date)
    }

    fn month_number(&self) -> Option<usize> {
        let month = self.month.trim().to_lowercase();
        let named = |starts: &[&str]| starts.iter().any(|start| month.starts_with(start));
        month.parse().ok().or_else(|| MONTHS.iter().position(|starts| named(starts)).map(|index| index + 1))
    }

    /// As the node reads a birth date: also one of which only the year is known.
    #[must_use]
    pub(super) fn typed(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let part = |text: &str| if text.trim().is_empty() { "00".to_owned() } else { text.trim().to_owned() };
        let month = self.month_number().map_or_else(|| part(&self.month), |month| month.to_string());
        let two = |text: String| format!("{text:0>2}");
        format!("{}-{}-{}", two(part(&self.day)), two(month), part(&self.year))
    }
}

fn day_of(date: jiff::civil::Date) -> Option<Day> {
    let span = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?;
    u32::try_from(span.get_days()).ok().map(Day::from_days)
}

fn civil(iso: &str) -> Option<jiff::civil::Date> {
    iso.get(..10)?.parse().ok()
}

impl Page {
    /// `26 november 2026`, from a date as the API writes it.
    #[must_use]
    pub fn date(&self, iso: &str) -> String {
        let Some(date) = civil(iso) else { return String::new() };
        let month = self.t(&format!("month-{}", date.month()));
        let [day, year] = [date.day().to_string(), date.year().to_string()];
        crate::texts::t(self.language, "date-full", &[("day", &day), ("month", &month), ("year", &year)])
    }

    /// `donderdag 26 november`: for days that are near.
    #[must_use]
    pub fn weekday_date(&self, iso: &str) -> String {
        let Some(date) = civil(iso) else { return String::new() };
        let weekday = self.t(&format!("weekday-{}", date.weekday().to_monday_one_offset()));
        let (day, month) = (date.day().to_string(), self.t(&format!("month-{}", date.month())));
        let arguments = [("weekday", weekday.as_str()), ("day", &day), ("month", &month)];
        crate::texts::t(self.language, "date-weekday", &arguments)
    }

    /// The date on which a moment falls here, from a moment as the API writes it.
    #[must_use]
    pub fn moment(&self, moment: &str) -> String {
        let Some(day) = moment_day(moment) else { return String::new() };
        self.date(&day.to_string())
    }
}

/// The date in Amsterdam of a moment as the API writes it.
pub(super) fn moment_day(moment: &str) -> Option<Day> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    u64::try_from(moment.as_second()).ok().map(|secs| local_day(Timestamp::from_secs(secs)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn typed(day: &str, month: &str, year: &str) -> DateText {
        DateText { name: "on", day: day.to_owned(), month: month.to_owned(), year: year.to_owned() }
    }

    #[test]
    fn dates_are_understood_as_people_write_them() {
        for (day, month) in [("31", "3"), ("31", "03"), (" 31 ", "maart"), ("31", "mrt"), ("31", "March")] {
            let date = typed(day, month, "2014");
            assert_eq!(date.day().map(|day| day.to_string()).as_deref(), Some("2014-03-31"), "{day} {month}");
            assert_eq!(date.typed(), "31-03-2014");
        }
        for wrong in
            [("31", "2", "2014"), ("", "3", "2014"), ("1", "x", "2014"), ("1", "1", "14"), ("0", "1", "2014")]
        {
            assert_eq!(typed(wrong.0, wrong.1, wrong.2).day(), None, "{wrong:?}");
        }
        assert_eq!(typed("", "", "2014").typed(), "00-00-2014");
        assert_eq!(DateText::default().typed(), "");
        let day = typed("1", "2", "2026").day().unwrap();
        assert_eq!(DateText::of("on", day), typed("1", "2", "2026"));
    }

    #[test]
    fn dates_are_written_as_people_say_them() {
        let page = Page::default();
        assert_eq!(page.weekday_date("2026-11-26"), "donderdag 26 november");
        assert_eq!(page.moment("2026-11-26T23:30:00Z"), "27 november 2026");
        let english = Page { language: Language::English, ..Page::default() };
        assert_eq!(english.weekday_date("2026-11-26"), "Thursday 26 November");
    }
}

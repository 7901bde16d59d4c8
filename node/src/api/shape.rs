//! Checks the form of a JSON body and collects everything that is wrong with it. `null` counts as left out.

use kring_protocol::time::Day;
use serde_json::{Map, Value};

use super::{InvalidParam, Problem};

/// Longest text in a body, in characters.
const MAX_TEXT: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Shape {
    errors: Vec<InvalidParam>,
}

/// An object of the body and where it stands.
pub(super) struct Object<'v> {
    fields: &'v Map<String, Value>,
    at: String,
}

impl Object<'_> {
    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }
}

impl Shape {
    pub(super) fn wrong(&mut self, pointer: impl Into<String>, reason: &str) {
        self.errors.push(InvalidParam::body(pointer, reason));
    }

    /// The value as an object with these fields and no others.
    pub(super) fn object<'v>(&mut self, value: &'v Value, at: String, known: &[&str]) -> Option<Object<'v>> {
        let Some(fields) = value.as_object() else {
            self.wrong(at, "must be an object");
            return None;
        };
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            // The name is the caller's text: shown as pointer, escaped (RFC 6901), and not longer than ours are.
            let escaped: String =
                name.chars().take(40).collect::<String>().replace('~', "~0").replace('/', "~1");
            self.wrong(format!("{at}/{escaped}"), "is not a known field");
        }
        Some(Object { fields, at })
    }

    fn optional<'v, T>(
        &mut self,
        object: &Object<'v>,
        name: &str,
        expected: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Option<T> {
        let value = object.fields.get(name).filter(|value| !value.is_null())?;
        let found = read(value);
        if found.is_none() {
            self.wrong(object.pointer(name), expected);
        }
        found
    }

    /// Notes that a field that must be there is not.
    pub(super) fn require(&mut self, object: &Object<'_>, name: &str) {
        if object.fields.get(name).is_none_or(Value::is_null) {
            self.wrong(object.pointer(name), "is missing");
        }
    }

    /// Notes that a field that must be there, though it may be `null`, is not.
    pub(super) fn require_or_null(&mut self, object: &Object<'_>, name: &str) {
        if !object.fields.contains_key(name) {
            self.wrong(object.pointer(name), "is missing; it may be null");
        }
    }

    /// Notes that a field is there that must not be, here.
    pub(super) fn refuse(&mut self, object: &Object<'_>, name: &str, reason: &str) {
        if object.fields.get(name).is_some_and(|value| !value.is_null()) {
            self.wrong(object.pointer(name), reason);
        }
    }

    /// A date of 1970 or later, as ISO 8601 writes it.
    pub(super) fn date(&mut self, object: &Object<'_>, name: &str) -> Option<Day> {
        self.optional(object, name, "must be a date such as 2027-01-31", |value| day(value.as_str()?))
    }

    pub(super) fn text(&mut self, object: &Object<'_>, name: &str) -> Option<String> {
        self.optional(object, name, "must be a text of at most 256 characters", |value| text(value.as_str()?))
    }

    /// A text that systems often keep as a number.
    pub(super) fn text_or_number(&mut self, object: &Object<'_>, name: &str) -> Option<String> {
        self.optional(object, name, "must be a text of at most 256 characters or a whole number", |value| {
            value.as_u64().map(|number| number.to_string()).or_else(|| text(value.as_str()?))
        })
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(
        &mut self,
        object: &Object<'_>,
        name: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let listed: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let expected = format!("must be one of those that this version serves: {}", listed.join(", "));
        let known = |value: &Value| {
            let given = value.as_str()?;
            words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning)
        };
        self.optional(object, name, &expected, known)
    }

    pub(super) fn boolean(&mut self, object: &Object<'_>, name: &str) -> Option<bool> {
        self.optional(object, name, "must be true or false", Value::as_bool)
    }

    pub(super) fn number(&mut self, object: &Object<'_>, name: &str) -> Option<u32> {
        self.optional(object, name, "must be a whole number", |value| u32::try_from(value.as_u64()?).ok())
    }

    pub(super) fn list<'v>(&mut self, object: &Object<'v>, name: &str) -> Option<&'v [Value]> {
        self.optional(object, name, "must be a list", |value| value.as_array().map(Vec::as_slice))
    }

    pub(super) fn nested<'v>(
        &mut self,
        object: &Object<'v>,
        name: &str,
        known: &[&str],
    ) -> Option<Object<'v>> {
        let value = object.fields.get(name).filter(|value| !value.is_null())?;
        self.object(value, object.pointer(name), known)
    }

    /// The value, if nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.errors)),
        }
    }
}

fn day(text: &str) -> Option<Day> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let span = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?;
    let day = Day::from_days(u32::try_from(span.get_days()).ok()?);
    (day.to_string() == text).then_some(day)
}

fn text(text: &str) -> Option<String> {
    (text.chars().count() <= MAX_TEXT).then(|| text.to_owned())
}

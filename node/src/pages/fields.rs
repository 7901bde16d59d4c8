//! What somebody filled in: texts as they were typed, to be shown again when something is wrong.
//!
//! Not here: what is right (`crate::signals`, `crate::responses`, [`crate::people`]); only which field an error belongs to.

use std::fmt;

use kring_protocol::identifier::RawPerson;
use zeroize::Zeroize;

use super::dates::DateText;
use super::page::Page;
use crate::api::{InvalidParam, NewContact, NewPerson};

/// Most characters that are kept of one field.
const MAX_CHARS: usize = 300;

/// The fields of a form in their order; a name may stand several times.
pub(super) type Pairs = Vec<(String, String)>;

/// A form that was sent.
pub(super) struct Fields(pub(super) Pairs);

impl Fields {
    /// The field's text, empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.all(name).next().map(|text| text.chars().take(MAX_CHARS).collect()).unwrap_or_default()
    }

    /// All that were chosen under a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, text)| text.as_str())
    }

    pub(super) fn date(&self, name: &'static str) -> DateText {
        let part = |part: &str| self.text(&format!("{name}_{part}"));
        DateText { name, day: part("day"), month: part("month"), year: part("year") }
    }

    pub(super) fn contact(&self) -> ContactText {
        let text = |name: &str| self.text(name);
        ContactText {
            name: text("name"),
            function: text("function"),
            phone: text("phone"),
            email: text("email"),
        }
    }

    pub(super) fn person(&self) -> PersonText {
        let text = |name: &str| self.text(name);
        PersonText {
            role: text("role"),
            bsn: text("bsn"),
            given_names: text("given_names"),
            name_prefix: text("name_prefix"),
            family_name: text("family_name"),
            birth: self.date("birth_date"),
            postal_code: text("postal_code"),
            house_number: text("house_number"),
            house_number_suffix: text("house_number_suffix"),
        }
    }
}

/// Who can be reached, as typed.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of a contact card")]
pub(super) struct ContactText {
    pub name: String,
    pub function: String,
    pub phone: String,
    pub email: String,
}

impl ContactText {
    pub(super) fn to_contact(&self) -> NewContact {
        let text = |text: &String| Some(text.trim().to_owned());
        NewContact {
            name: text(&self.name),
            function: text(&self.function),
            phone: text(&self.phone),
            email: text(&self.email),
        }
    }
}

/// A person, as typed.
#[derive(Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of a person")]
pub(super) struct PersonText {
    pub role: String,
    pub bsn: String,
    pub given_names: String,
    pub name_prefix: String,
    pub family_name: String,
    pub birth: DateText,
    pub postal_code: String,
    pub house_number: String,
    pub house_number_suffix: String,
}

impl PersonText {
    /// Nobody yet.
    #[must_use]
    pub(super) fn nobody() -> Self {
        let mut person = Self::default();
        person.birth.name = "birth_date";
        person
    }

    /// The birth date, as typed.
    #[must_use]
    pub(super) const fn birth(&self) -> &DateText {
        &self.birth
    }

    /// Whether nothing but perhaps a role was filled in.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.bsn,
            &self.given_names,
            &self.name_prefix,
            &self.family_name,
            &self.postal_code,
            &self.house_number,
            &self.house_number_suffix,
        ];
        self.birth.is_empty() && texts.iter().all(|text| text.trim().is_empty())
    }

    /// The name as people say it.
    #[must_use]
    pub(super) fn called(&self) -> String {
        called(&self.given_names, &self.name_prefix, &self.family_name)
    }

    /// The key of what they are in the family.
    #[must_use]
    pub(super) fn role_text(&self) -> &'static str {
        role_text(&self.role)
    }

    /// What else was filled in.
    #[must_use]
    pub(super) fn lines(&self, page: &Page) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.bsn.trim().is_empty() {
            lines.push(format!("BSN {}", self.bsn.trim()));
        }
        if let Some(day) = self.birth.day() {
            lines.push(page.with("person-born", "date", page.date(&day.to_string())));
        } else if !self.birth.is_empty() {
            lines.push(page.with("person-born", "date", self.birth.typed()));
        }
        let address = [&self.postal_code, &self.house_number, &self.house_number_suffix];
        let address: Vec<_> =
            address.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        if !address.is_empty() {
            lines.push(address.join(" "));
        }
        lines
    }

    pub(super) fn to_person(&self) -> NewPerson {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        NewPerson {
            role: text(&self.role),
            bsn: text(&self.bsn),
            given_names: text(&self.given_names),
            name_prefix: text(&self.name_prefix),
            family_name: text(&self.family_name),
            birth_date: text(&self.birth.typed()),
            postal_code: text(&self.postal_code),
            house_number: text(&self.house_number),
            house_number_suffix: text(&self.house_number_suffix),
        }
    }
}

impl Drop for PersonText {
    fn drop(&mut self) {
        for text in [
            &mut self.bsn,
            &mut self.given_names,
            &mut self.name_prefix,
            &mut self.family_name,
            &mut self.birth.day,
            &mut self.birth.month,
            &mut self.birth.year,
            &mut self.postal_code,
            &mut self.house_number,
            &mut self.house_number_suffix,
        ] {
            text.zeroize();
        }
    }
}

macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }
    )+};
}
redacted!(Fields, ContactText, PersonText);

pub(super) fn called(given_names: &str, prefix: &str, family_name: &str) -> String {
    let parts = [given_names, prefix, family_name].map(str::trim);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(super) fn called_raw(person: &RawPerson, page: &Page) -> String {
    let name = called(&person.given_names, &person.name_prefix, &person.family_name);
    let end: String = person.bsn.chars().skip(6).collect();
    match (name.is_empty(), end.is_empty()) {
        (false, _) => name,
        (true, false) => page.with("person-has-bsn", "end", end),
        (true, true) => page.t("person-unnamed"),
    }
}

pub(super) fn role_text(role: &str) -> &'static str {
    match role {
        "child" => "role-child",
        "parent" => "role-parent",
        _ => "role-other",
    }
}

/// The field on a page and the text that belong to what the node says is wrong with a body.
fn place(pointer: &str) -> (&'static str, &'static str) {
    match pointer.rsplit('/').next().unwrap_or_default() {
        "caseReference" => ("reference", "wrong-reference"),
        "purpose" => ("purpose", "wrong-purpose"),
        "role" => ("role", "wrong-role"),
        "bsn" => ("bsn", "wrong-bsn"),
        "givenNames" => ("given_names", "wrong-name"),
        "namePrefix" => ("name_prefix", "wrong-name"),
        "familyName" => ("family_name", "wrong-name"),
        "birthDate" => ("birth_date", "wrong-birth-date"),
        "postalCode" => ("postal_code", "wrong-postal-code"),
        "houseNumber" => ("house_number", "wrong-house-number"),
        "houseNumberSuffix" => ("house_number_suffix", "wrong-suffix"),
        "name" => ("name", "wrong-contact-name"),
        "function" => ("function", "wrong-function"),
        "phone" => ("phone", "wrong-phone"),
        "email" => ("email", "wrong-email"),
        "reason" => ("reason", "wrong-reason"),
        "quietUntil" => ("quiet", "wrong-quiet"),
        "fromDate" => ("from", "wrong-date"),
        "untilDate" => ("until", "wrong-until"),
        "substitute" => ("substitute", "wrong-colleague"),
        "to" => ("colleague", "wrong-colleague"),
        "signIn" | "local" | "provider" => ("sign_in", "wrong-sign-in"),
        "roles" => ("role-professional", "wrong-roles"),
        "mail" => ("mail", "wrong-mail"),
        last if pointer.starts_with("/persons/") && last.bytes().all(|byte| byte.is_ascii_digit()) => {
            ("birth_date", "wrong-recognise")
        }
        _ => ("", "wrong-form"),
    }
}

impl Page {
    /// Notes what the node says is wrong, at the fields it belongs to.
    pub fn wrong_all(&mut self, errors: &[InvalidParam]) {
        for error in errors {
            let (field, text) = place(&error.name);
            if field.is_empty() || self.error(field).is_none() {
                self.wrong(field, text);
            }
        }
    }

    /// What a function is called.
    #[must_use]
    pub fn function(&self, id: &str) -> String {
        let key = format!("function-{id}");
        let text = self.t(&key);
        if text == key { id.to_owned() } else { text }
    }
}

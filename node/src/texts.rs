//! Texts for people, in Dutch and English. They stand in Fluent files (`texts/`), so that who writes them need not read
//! code.
//!
//! Not here: which text is shown when; the language of logs and of the command line, which is English.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use kring_protocol::basis::Basis;
use kring_protocol::identifier::Role;
use kring_protocol::recipe::Compared;
use unic_langid::LanguageIdentifier;

use crate::coordination::What;

/// A language in which there are texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    #[default]
    Dutch,
    /// English.
    English,
}

impl Language {
    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Dutch => "nl",
            Self::English => "en",
        }
    }

    /// What an `Accept-Language` header (RFC 9110 section 12.5.4) asks for most, of what there is.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let wanted = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next()?.to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), f32::from_str);
            let weight = weight.ok().filter(|weight| *weight > 0.0)?;
            let language = tag.split('-').next()?;
            let found = [Self::Dutch, Self::English].into_iter().find(|one| one.tag() == language);
            found.map(|language| (language, weight))
        };
        let ranges = header.split(',').take(32).filter_map(wanted);
        let best = ranges.fold(None, |best: Option<(Self, f32)>, (language, weight)| match best {
            Some((_, most)) if most >= weight => best,
            _ => Some((language, weight)),
        });
        best.map(|(language, _)| language).unwrap_or_default()
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static DUTCH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("nl", &FILES[0]));
        static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("en", &FILES[1]));
        match self {
            Self::Dutch => &DUTCH,
            Self::English => &ENGLISH,
        }
    }
}

/// The files of each language: of what the node tells, of its pages, and of signing in.
const FILES: [[&str; 4]; 2] = [
    [
        include_str!("../texts/nl.ftl"),
        include_str!("../texts/pages.nl.ftl"),
        include_str!("../texts/office.nl.ftl"),
        include_str!("../texts/sign_in.nl.ftl"),
    ],
    [
        include_str!("../texts/en.ftl"),
        include_str!("../texts/pages.en.ftl"),
        include_str!("../texts/office.en.ftl"),
        include_str!("../texts/sign_in.en.ftl"),
    ],
];

fn bundle(tag: &str, texts: &[&str]) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = tag.parse().expect("our own tags are language tags");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false); // one script only; the marks would show in plain text
    for text in texts {
        let resource = FluentResource::try_new((*text).to_owned());
        let resource = resource.expect("our own texts read, as a test shows");
        bundle.add_resource(resource).expect("no message stands twice, as a test shows");
    }
    bundle
}

/// A message with its arguments filled in.
fn text(language: Language, id: &str, arguments: &[(&str, &str)]) -> String {
    let bundle = language.bundle();
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    let pattern = pattern.expect("every message that is used stands in every language, as a test shows");
    let arguments: FluentArgs<'_> = arguments.iter().copied().collect();
    let mut errors = Vec::new();
    bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned()
}

/// A message for a page. One that does not exist, which a test rules out for every page, shows its id: a page with an odd
/// word helps more than none.
#[must_use]
pub fn t(language: Language, id: &str, arguments: &[(&str, &str)]) -> String {
    if language.bundle().has_message(id) { text(language, id, arguments) } else { id.to_owned() }
}

/// What somebody was to be told about a notice.
#[must_use]
pub fn alert(language: Language, what: What, arguments: &[(&str, &str)]) -> String {
    text(language, &format!("alert-{}", what.as_str()), arguments)
}

/// A line of a mail.
#[must_use]
pub fn mail(language: Language, id: &str, arguments: &[(&str, &str)]) -> String {
    text(language, id, arguments)
}

/// On what a match rests, in words: what each person who met shares with one of the other side.
#[must_use]
pub fn basis(language: Language, persons: &[(Role, Basis)]) -> String {
    match persons {
        [] => text(language, "basis-none", &[]),
        [(_, basis)] => one_basis(language, basis),
        several => {
            let one = |(role, basis): &(Role, Basis)| {
                let id = match role {
                    Role::Child => "basis-child",
                    Role::Parent => "basis-parent",
                    Role::Other => "basis-other",
                };
                text(language, id, &[("basis", &one_basis(language, basis))])
            };
            several.iter().map(one).collect::<Vec<_>>().join(". ")
        }
    }
}

fn one_basis(language: Language, basis: &Basis) -> String {
    let parts =
        [("basis-same", &basis.same), ("basis-different", &basis.different), ("basis-open", &basis.open)];
    let spoken = parts.into_iter().filter(|(_, fields)| !fields.is_empty());
    let part = |(id, fields): (&str, &BTreeSet<Compared>)| {
        text(language, id, &[("fields", &list(language, fields))])
    };
    spoken.map(part).collect::<Vec<_>>().join("; ")
}

/// `a, b and c`.
fn list(language: Language, fields: &BTreeSet<Compared>) -> String {
    let words: Vec<_> = words(fields).into_iter().map(|id| text(language, id, &[])).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => text(language, "list-and", &[("rest", &rest.join(", ")), ("last", last)]),
    }
}

/// What people call these fields: given name and surname are a name, postal code and house number an address. Of a
/// generation nothing is said: it agrees with whoever's age is not known.
fn words(fields: &BTreeSet<Compared>) -> Vec<&'static str> {
    use Compared::{
        AnyNameStart, BirthDate, BirthDateUnordered, Birthday, Bsn, FamilyName, GivenName, HouseNumber,
        Initial, NameAndInitial, NameStarts, Names, PostalAreaNearly, PostalCode, PostalCodeNearly,
    };
    let has = |field: Compared| fields.contains(&field);
    let names = has(Names) || (has(GivenName) && has(FamilyName));
    let starts = fields.iter().any(|field| matches!(field, NameStarts(_)));
    let any_start = fields.iter().any(|field| matches!(field, AnyNameStart(_)));
    let postal_code = has(PostalCode) || has(PostalCodeNearly) || has(PostalAreaNearly);
    let said = [
        (has(Bsn), "field-bsn"),
        (names, "field-name"),
        (has(GivenName) && !names, "field-given-name"),
        (has(FamilyName) && !names, "field-family-name"),
        (starts && has(FamilyName) && !names, "field-given-name-start"),
        (starts && !has(FamilyName) && !names, "field-name-starts"),
        (has(NameAndInitial) && !has(FamilyName) && !names && !starts, "field-name-and-initial"),
        (has(Initial) && !names && !starts, "field-initial"),
        (any_start && !has(FamilyName) && !names, "field-any-name-start"),
        (has(BirthDate) || has(BirthDateUnordered), "field-birth-date"),
        (has(Birthday), "field-birthday"),
        (postal_code && has(HouseNumber), "field-address"),
        (postal_code && !has(HouseNumber), "field-postal-code"),
        (has(HouseNumber) && !postal_code, "field-house-number"),
    ];
    said.into_iter().filter(|(said, _)| *said).map(|(_, word)| word).collect()
}

#[cfg(test)]
mod tests;

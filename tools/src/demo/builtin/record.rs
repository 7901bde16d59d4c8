//! How partners write a person down: each in its own style, and with the errors and differences of real files.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::names::Surname;
use super::world::{Address, Birth, Person};

/// How one partner's files look.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) separator: char,
    pub(super) byte_order_mark: bool,
    pub(super) line_end: &'static str,
    /// `DD-MM-YYYY` instead of ISO 8601.
    pub(super) dutch_dates: bool,
    pub(super) prefix: PrefixStyle,
    pub(super) capitals: bool,
    pub(super) uses_bsn: bool,
}

/// Where a surname's prefix stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum PrefixStyle {
    Column,
    Before,
    Behind,
    Short,
}

/// What one record has of its own. At most one of these at a time, so that every two records of one person still
/// share what the default recipes need.
#[derive(Clone, Debug)]
pub(super) enum Variation {
    None,
    Spelling,
    Initials,
    GivenTypo,
    CallName,
    SurnameTypo,
    MarriedName,
    SwappedDate,
    OldAddress(Address),
    NoAddress,
    OnlyYear,
}

impl Variation {
    /// Draws a variation; `old_address` is where the family may have lived before.
    pub(super) fn draw(rng: &mut StdRng, person: &Person, old_address: &Address) -> Self {
        let any = [
            Self::Spelling,
            Self::Initials,
            Self::GivenTypo,
            Self::CallName,
            Self::SurnameTypo,
            Self::MarriedName,
            Self::SwappedDate,
            Self::OldAddress(old_address.clone()),
            Self::NoAddress,
        ];
        let for_vague = [Self::OnlyYear, Self::Spelling];
        let choices = if person.vague { for_vague.as_slice() } else { any.as_slice() };
        if rng.gen_bool(0.45) { choices.choose(rng).expect("not empty").clone() } else { Self::None }
    }
}

/// The cells of a person behind `case` and `person`, in the order of the columns.
pub(super) fn cells(
    rng: &mut StdRng,
    style: &Style,
    person: &Person,
    address: &Address,
    variation: &Variation,
) -> [String; 9] {
    let given = match variation {
        Variation::Initials => person.given.registered.split(' ').map(initial).collect(),
        Variation::GivenTypo => with_typo(rng, person.given.registered),
        Variation::CallName => person.given.called.to_owned(),
        _ => person.given.registered.to_owned(),
    };
    let name = match variation {
        Variation::SurnameTypo => with_typo(rng, person.surname.name),
        Variation::Spelling => {
            (*person.surname.spellings.choose(rng).unwrap_or(&person.surname.name)).to_owned()
        }
        _ => person.surname.name.to_owned(),
    };
    let married = person
        .married
        .filter(|married| matches!(variation, Variation::MarriedName) && *married != person.surname);
    let (prefix, family) = family_name(style.prefix, &person.surname, &name, married);
    let bsn = person.bsn.clone().filter(|_| style.uses_bsn && rng.gen_bool(0.9));
    let address = match variation {
        Variation::OldAddress(old) => Some(old),
        Variation::NoAddress => None,
        _ => Some(address),
    };
    let (postal_code, house_number, suffix) = address.map_or_else(Default::default, |address| {
        (address.postal_code.clone(), address.house_number.to_string(), address.suffix.to_owned())
    });
    let in_case = |text: String| if style.capitals { text.to_uppercase() } else { text };
    [
        person.role.to_owned(),
        bsn.unwrap_or_default(),
        in_case(given),
        in_case(prefix),
        in_case(family),
        date(style, person.birth, variation),
        postal_code,
        house_number,
        suffix,
    ]
}

fn initial(name: &str) -> String {
    name.chars().next().map(|first| format!("{first}.")).unwrap_or_default()
}

/// Prefix and surname as their two cells. A particle such as `El` is never shortened.
fn family_name(
    style: PrefixStyle,
    surname: &Surname,
    name: &str,
    married: Option<Surname>,
) -> (String, String) {
    let behind = |prefix: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix} {name}") };
    if let Some(married) = married {
        let first = format!("{} {}", married.prefix, married.name);
        return (String::new(), format!("{}-{}", first.trim(), behind(surname.prefix)));
    }
    let prefix = surname.prefix;
    match style {
        _ if prefix.is_empty() => (String::new(), name.to_owned()),
        PrefixStyle::Column => (prefix.to_owned(), name.to_owned()),
        PrefixStyle::Behind => (String::new(), format!("{name}, {prefix}")),
        PrefixStyle::Short => match prefix {
            "van der" | "van den" => (String::new(), format!("v.d. {name}")),
            _ => (String::new(), behind(prefix)),
        },
        PrefixStyle::Before => (String::new(), behind(prefix)),
    }
}

fn date(style: &Style, birth: Birth, variation: &Variation) -> String {
    let Birth { year, month, day } = birth;
    let (month, day) = match variation {
        Variation::OnlyYear => (0, 0),
        Variation::SwappedDate if day <= 12 => (day, month),
        _ => (month, day),
    };
    if style.dutch_dates {
        format!("{day:02}-{month:02}-{year}")
    } else {
        format!("{year}-{month:02}-{day:02}")
    }
}

/// Two letters swapped or one lost, behind the third; short names are typed right.
fn with_typo(rng: &mut StdRng, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() < 5 {
        return name.to_owned();
    }
    let at = rng.gen_range(3..letters.len() - 1);
    if rng.gen_bool(0.5) {
        letters.swap(at, at + 1);
    } else {
        letters.remove(at);
    }
    letters.into_iter().collect()
}

//! Invented persons and the files that partners bring.

use std::path::Path;

use serde_json::{Value, json};

/// The header of every caseload file.
pub const HEADER: &str = "case,person,role,bsn,given_names,name_prefix,family_name,birth_date,postal_code,\
                          house_number,house_number_suffix";

/// An invented person. Empty fields are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// From the range 999990000 to 999999999 only.
    pub bsn: String,
    pub given: String,
    pub prefix: String,
    pub family: String,
    /// ISO 8601 or DD-MM-YYYY.
    pub born: String,
    pub postal_code: String,
    pub house: String,
}

impl Person {
    /// A person with names and birth date.
    #[must_use]
    pub fn new(given: &str, family: &str, born: &str) -> Self {
        Self { given: given.into(), family: family.into(), born: born.into(), ..Self::default() }
    }

    /// The same with an address.
    #[must_use]
    pub fn at(self, postal_code: &str, house: &str) -> Self {
        Self { postal_code: postal_code.into(), house: house.into(), ..self }
    }

    /// The same with a BSN.
    #[must_use]
    pub fn bsn(self, bsn: &str) -> Self {
        Self { bsn: bsn.into(), ..self }
    }

    /// The `number`th invented person. No two share anything by which they could be taken for one.
    #[must_use]
    pub fn invented(number: usize) -> Self {
        // No day up to 12: day and month in the other order would be another's date.
        let born =
            format!("{}-{:02}-{:02}", 1960 + number / 192 % 60, number / 16 % 12 + 1, number % 16 + 13);
        let letter = |place: u32| char::from(b'A' + (number / 16_usize.pow(place) % 16) as u8);
        let postal_code = format!("{}{}{}", 1000 + number % 9000, letter(0), letter(1));
        Self::new(&name(number, "ke"), &name(number, "stra"), &born)
            .at(&postal_code, &(number + 1).to_string())
    }

    /// The person as the API takes it.
    #[must_use]
    pub fn json(&self, role: &str) -> Value {
        let fields = [
            ("bsn", &self.bsn),
            ("givenNames", &self.given),
            ("namePrefix", &self.prefix),
            ("familyName", &self.family),
            ("birthDate", &self.born),
            ("postalCode", &self.postal_code),
            ("houseNumber", &self.house),
        ];
        let mut person = json!({ "role": role });
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            person[name] = value.as_str().into();
        }
        person
    }

    /// One line of a file, without its end.
    #[must_use]
    pub fn line(&self, case: &str, number: &str) -> String {
        let Self { bsn, given, prefix, family, born, postal_code, house } = self;
        [case, number, "child", bsn, given, prefix, family, born, postal_code, house, ""].join(",")
    }
}

/// A name that no other number has.
fn name(mut number: usize, end: &str) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "do", "fi", "gu", "ha", "jo", "ki", "lu", "ma", "no", "pi", "ru", "sa", "to", "vi", "wu"];
    let mut name = String::new();
    for _ in 0..4 {
        name.push_str(SYLLABLES[number % SYLLABLES.len()]);
        number /= SYLLABLES.len();
    }
    name[..1].to_uppercase() + &name[1..] + end
}

/// The `number`th valid BSN of the range that is nobody's.
///
/// # Panics
/// When there are not so many: 909.
#[must_use]
pub fn bsn(number: usize) -> String {
    let valid = |bsn: &u32| {
        let digits = format!("{bsn:09}").into_bytes();
        let sum: i32 = digits
            .iter()
            .zip([9, 8, 7, 6, 5, 4, 3, 2, -1])
            .map(|(&digit, weight)| i32::from(digit - b'0') * weight)
            .sum();
        sum % 11 == 0 && *bsn != 999_999_999
    };
    let bsn = (999_990_000..=999_999_999).filter(valid).nth(number);
    bsn.expect("the range has that many").to_string()
}

/// A file of cases, as text.
#[derive(Clone, Debug, Default)]
pub struct Cases(Vec<String>);

impl Cases {
    /// No case yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more case with these persons.
    #[must_use]
    pub fn case(mut self, case: &str, persons: &[&Person]) -> Self {
        self.0.extend(persons.iter().zip(1..).map(|(person, number)| person.line(case, &number.to_string())));
        self
    }

    /// One more line, whatever it is.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.0.push(line.to_owned());
        self
    }

    /// The file's text, with its header.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{HEADER}\n{}\n", self.0.join("\n"))
    }

    /// Writes it as `DIR/NAME.csv`.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn write(&self, dir: &Path, name: &str) {
        write(dir, name, self.text().as_bytes());
    }
}

/// Writes `DIR/NAME.csv`.
///
/// # Panics
/// When the system refuses.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(format!("{name}.csv")), bytes).expect("the directory can be written");
}

/// The body of `POST /signals`.
#[must_use]
pub fn signal(case: &str, persons: &[&Person]) -> Value {
    let persons: Vec<_> = persons.iter().map(|person| person.json("child")).collect();
    json!({ "caseReference": case, "persons": persons })
}

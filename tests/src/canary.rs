//! A family that exists nowhere, whose every field is found nowhere else: what may not be found where nobody should know it.

use crate::caseload::{Person, bsn};

/// The case reference of the partner that is searched for; others may not learn it either.
pub const REFERENCE: &str = "KANARIE-DOSSIER-0417";
/// What its professional adds by hand: name, function, telephone, e-mail.
pub const CONTACT: [&str; 4] =
    ["Roodborst-Tapuit", "vogelwachter-coach", "+31 6 9914 7703", "kanarie.roodborst@voorbeeld.example"];
/// Why the family was not informed.
pub const REASON: &str = "de familie vliegt uit bij aankondiging";

/// Persons whose every field is found nowhere else.
#[must_use]
pub fn family() -> [Person; 3] {
    let person = |given: &str, family: &str, born: &str, number: usize| {
        Person::new(given, family, born).at("7399 WX", "48173").bsn(&bsn(number))
    };
    [
        person("Zwaanhildegonde", "Kwikstaartsma", "2009-07-29", 700),
        person("Wielewaalbert", "Kwikstaartsma", "2012-02-27", 701),
        Person { prefix: "van der".into(), ..person("Nachtegaliëtte", "Ijsvogelzwaluw", "1983-11-16", 702) },
    ]
}

/// What may be found nowhere: all that is in [`family`], in the ways in which it may be written.
///
/// # Panics
/// Never: the dates are dates.
#[must_use]
pub fn canaries() -> Vec<String> {
    let mut all: Vec<String> = ["7399 WX", "7399WX"].map(str::to_owned).to_vec();
    for Person { bsn, given, family, born, .. } in family() {
        let [year, month, day] = born.split('-').collect::<Vec<_>>()[..] else { panic!("{born}") };
        all.push(format!("{day}-{month}-{year}"));
        all.push(format!("{year}{month}{day}"));
        all.extend([bsn, given, family, born]);
    }
    // As recipes write it: without accents, in one case.
    all.push("nachtegaliette".to_owned());
    all.extend(CONTACT.map(str::to_owned));
    all.push(REASON.to_owned());
    all
}

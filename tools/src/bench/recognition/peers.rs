//! What others do with plain text: all fields equal, and the statistical linkage key SLK-581 of the Australian Institute
//! of Health and Welfare (METEOR 750410), without the sex, which neither data set has.

/// The fields that all methods see.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) given: String,
    pub(crate) family: String,
    /// `YYYYMMDD`, or empty where not wholly known.
    pub(crate) born: String,
    pub(crate) postal_code: String,
    pub(crate) house: String,
}

/// All five fields, if all are known.
pub(crate) fn exact(fields: &Fields) -> Option<String> {
    let Fields { given, family, born, postal_code, house } = fields;
    let all = [given, family, born, postal_code, house];
    all.iter().all(|field| !field.is_empty()).then(|| all.map(|field| field.to_lowercase()).join("|"))
}

/// Second, third and fifth letter of the surname, second and third of the given name, full birth date. A missing
/// letter is 2, a missing name 999 or 99; without a birth date, or any name, there is no key.
pub(crate) fn slk_581(fields: &Fields) -> Option<String> {
    let Fields { given, family, born, .. } = fields;
    if born.is_empty() || (given.is_empty() && family.is_empty()) {
        return None;
    }
    let letters = |name: &str, places: &[usize]| -> String {
        if name.is_empty() {
            return "9".repeat(places.len());
        }
        let letters: Vec<char> = name.chars().filter(|sign| sign.is_alphabetic()).collect();
        let letter = |place: &usize| letters.get(place - 1).map_or('2', |letter| letter.to_ascii_uppercase());
        places.iter().map(letter).collect()
    };
    Some(format!("{}{}{born}", letters(family, &[2, 3, 5]), letters(given, &[2, 3])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(given: &str, family: &str) -> Fields {
        let (born, postal_code, house) = ("19700102".into(), "3581".into(), "1".into());
        Fields { given: given.into(), family: family.into(), born, postal_code, house }
    }

    #[test]
    fn the_institute_s_own_examples() {
        // METEOR 750410: Smith is MIH, Jones ONS, Farr AR2, Hua UA2.
        for (family, expected) in
            [("Smith", "MIH"), ("Jones", "ONS"), ("Farr", "AR2"), ("Hua", "UA2"), ("", "999")]
        {
            assert_eq!(slk_581(&fields("John", family)), Some(format!("{expected}OH19700102")), "{family}");
        }
        assert_eq!(slk_581(&fields("", "")), None);
        assert_eq!(slk_581(&Fields { born: String::new(), ..fields("John", "Smith") }), None);
    }

    #[test]
    fn exact_needs_every_field() {
        assert_eq!(exact(&fields("John", "Smith")).as_deref(), Some("john|smith|19700102|3581|1"));
        assert_eq!(exact(&fields("", "Smith")), None);
    }
}

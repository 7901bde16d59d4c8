use std::collections::BTreeSet;

use kring_protocol::recipe::Recipe;

use super::*;

/// Ids of messages and the arguments they take.
fn messages(file: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let message = |line: &str| {
        let (id, text) = line.split_once(" = ").unwrap_or_else(|| panic!("one line per message: {line}"));
        let arguments = text.split("{ $").skip(1).map(|rest| rest.split(' ').next().unwrap().to_owned());
        (id.to_owned(), arguments.collect())
    };
    lines.map(message).collect()
}

#[test]
fn every_message_stands_in_both_languages_with_the_same_arguments() {
    let [dutch, english] = FILES.map(|files| messages(&files.join("\n")));
    assert_eq!(dutch, english);
    assert!(dutch.len() > 15);
    for language in [Language::Dutch, Language::English] {
        for (id, _) in &dutch {
            assert!(language.bundle().has_message(id), "{id}");
        }
    }
}

/// The sentences of a file in words; an argument counts as one.
fn sentences(file: &str) -> Vec<Vec<&str>> {
    let texts = file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let sentences = texts.flat_map(|(_, text)| text.split_inclusive(['.', '?', '!', ':']));
    sentences.map(words).filter(|words| !words.is_empty()).collect()
}

fn words(sentence: &str) -> Vec<&str> {
    sentence.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).collect()
}

#[test]
fn dutch_is_short_and_plain() {
    for file in FILES[0] {
        let sentences = sentences(file);
        for sentence in &sentences {
            assert!(sentence.len() <= 20, "too long: {}", sentence.join(" "));
        }
        let words: usize = sentences.iter().map(Vec::len).sum();
        assert!(words <= 15 * sentences.len(), "on average {} words", words / sentences.len());
        let plain = file.to_lowercase();
        for word in ["middels", "dient te", "dienen te", "betreffende", "casus", "teneinde", "inzake"] {
            assert!(!plain.contains(word), "{word}");
        }
    }
}

fn basis_of(met: &[Recipe], live: &[Recipe]) -> Basis {
    Basis::new(&met.iter().copied().collect(), &live.iter().copied().collect())
}

#[test]
fn on_what_a_match_rests_is_said_in_words() {
    use Recipe::{BirthNameInitial, Bsn, GivenBirthHouse, GivenBirthPostcode, NamesBirth, NamesBirthday};
    let say =
        |language, met: &[Recipe], live: &[Recipe]| basis(language, &[(Role::Child, basis_of(met, live))]);
    let (met, live) = ([NamesBirth], [NamesBirth, GivenBirthPostcode, GivenBirthHouse]);
    assert_eq!(say(Language::Dutch, &met, &live), "zelfde naam en geboortedatum; adres anders of onbekend");
    assert_eq!(say(Language::English, &met, &live), "same name and birth date; address different or unknown");
    assert_eq!(say(Language::Dutch, &[NamesBirthday], &[NamesBirthday]), "zelfde naam en geboortedag");
    let (met, live) = ([Bsn], [Bsn, BirthNameInitial]);
    assert_eq!(
        say(Language::Dutch, &met, &live),
        "zelfde BSN; naam en geboortedatum misschien anders of onbekend"
    );
    let two =
        [(Role::Child, basis_of(&[NamesBirth], &[NamesBirth])), (Role::Parent, basis_of(&[Bsn], &[Bsn]))];
    assert_eq!(basis(Language::Dutch, &two), "Kind: zelfde naam en geboortedatum. Ouder: zelfde BSN");
    assert_eq!(basis(Language::Dutch, &[]), "waarop dit rust, is niet meer te zien");
}

#[test]
fn there_are_words_for_everything_that_can_meet() {
    for language in [Language::Dutch, Language::English] {
        for met in Recipe::ALL {
            for other in Recipe::ALL {
                let said = basis(language, &[(Role::Other, basis_of(&[met, other], &Recipe::ALL))]);
                assert!(!said.contains(['{', '$']) && said.len() > 10, "{met}, {other}: {said}");
            }
        }
    }
}

#[test]
fn the_language_asked_for_most_is_taken() {
    for (header, expected) in [
        ("", Language::Dutch),
        ("en", Language::English),
        ("EN-gb", Language::English),
        ("de, fr;q=0.9", Language::Dutch),
        ("nl-NL,nl;q=0.9,en;q=0.8", Language::Dutch),
        ("nl;q=0.5, en;q=0.8", Language::English),
        ("de, en;q=0.1", Language::English),
        ("en;q=0", Language::Dutch),
        ("en;q=x, *", Language::Dutch),
    ] {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }
}

use kring_protocol::recipe::RecipeList;
use kring_protocol::time::Day;

use super::{COLUMNS, Caseload, CaseloadError, read};

/// 2026-08-21.
const TODAY: Day = Day::from_days(20_686);
const HEADER: &str = "case,person,role,bsn,given_names,name_prefix,family_name,birth_date,postal_code,\
                      house_number,house_number_suffix";

fn read_bytes(bytes: &[u8]) -> Result<Caseload, CaseloadError> {
    read(bytes, TODAY, &RecipeList::named("default").unwrap())
}

fn read_lines(lines: &[&str]) -> Caseload {
    read_bytes(format!("{HEADER}\n{}\n", lines.join("\n")).as_bytes()).unwrap()
}

/// Cases with their number of persons.
fn shape(caseload: &Caseload) -> Vec<(&str, usize)> {
    caseload.cases.iter().map(|case| (case.case_reference.as_str(), case.persons.len())).collect()
}

fn told(caseload: &Caseload) -> Vec<String> {
    caseload.problems.iter().map(ToString::to_string).collect()
}

fn first_name(caseload: &Caseload) -> &str {
    &caseload.cases[0].persons[0].typed().given_names
}

const SANNE: &str = "A1,1,child,999993653,Sanne,van der,Berg,2014-05-23,3581 CD,12,a";
const DAAN: &str = "A1,2,child,,Daan,van der,Berg,11-02-2016,3581CD,12,";
const EMIR: &str = "B7,1,child,,Emir,,Yılmaz,2013-09-09,,,";

#[test]
fn lines_become_cases_in_their_order() {
    let caseload = read_lines(&[SANNE, EMIR, DAAN]);
    assert_eq!(shape(&caseload), [("A1", 2), ("B7", 1)]);
    assert_eq!((caseload.lines_read, caseload.persons(), caseload.lines_left_out()), (3, 3, 0));
    let typed = caseload.cases[0].persons[0].typed();
    assert_eq!((typed.name_prefix.as_str(), typed.house_number_suffix.as_str()), ("van der", "a"));
}

#[test]
fn every_usual_form_of_file_is_read() {
    let plain = read_lines(&[SANNE, EMIR]);
    let text = format!("{HEADER}\n{SANNE}\n{EMIR}\n");
    let quoted: String = text.lines().map(|line| format!("\"{}\"\n", line.replace(',', "\",\""))).collect();
    let reversed: String =
        text.lines().map(|line| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n").collect();
    for (what, variant) in [
        ("semicolons", text.replace(',', ";")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("CRLF", text.replace('\n', "\r\n")),
        ("only CR", text.replace('\n', "\r")),
        ("empty lines", text.replace('\n', "\n\n,,,,,,,,,,\n  \n")),
        ("no line end at the end", text.trim_end().to_owned()),
        ("header in capitals, with blanks", text.replace(HEADER, &HEADER.to_uppercase().replace(',', " , "))),
        ("quotes", quoted),
        ("columns in another order", reversed),
    ] {
        let caseload = read_bytes(variant.as_bytes()).unwrap();
        assert_eq!(caseload, plain, "{what}");
    }
}

#[test]
fn windows_1252_is_recognised() {
    let lines = format!("{HEADER}\nC1,1,child,,Ren\u{e9}e,,Zo\u{eb},2014-05-23,3581CD,1,\n");
    let bytes: Vec<u8> = lines.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert!(std::str::from_utf8(&bytes).is_err(), "the test's bytes are Windows-1252");
    let caseload = read_bytes(&bytes).unwrap();
    assert_eq!(first_name(&caseload), "Renée");
    assert_eq!(caseload.cases[0].persons[0].typed().family_name, "Zoë");
    assert_eq!(caseload, read_bytes(lines.as_bytes()).unwrap());
}

#[test]
fn a_separator_or_doubled_quote_inside_quotes_belongs_to_the_cell() {
    let caseload = read_lines(&[r#"A1,1,child,,"Sanne, ""Saar""",,Berg,2014-05-23,,,"#]);
    assert_eq!(first_name(&caseload), "Sanne, \"Saar\"");
}

#[test]
fn a_wrong_line_is_left_out_whole_and_the_rest_of_its_case_goes_in() {
    let caseload = read_lines(&[
        "A1,1,child,999993654,Sanne,,Berg,2014-02-30,3581 CD,12,a",
        DAAN,
        "C3,1,boss,,Thea,,Smit,2030-01-01,358,x,",
    ]);
    assert_eq!(shape(&caseload), [("A1", 1)]);
    assert_eq!(
        told(&caseload),
        [
            "line 2: bsn is not a BSN: it fails the eleven-test, so a digit must be wrong",
            "line 2: birth_date does not exist in the calendar",
            "line 4: role must be child, parent or other",
            "line 4: birth_date lies in the future",
            "line 4: postal_code must be a Dutch postal code such as 1234 AB, or four digits",
            "line 4: house_number must be a number from 1 to 99999; a letter or addition may follow",
        ]
    );
    assert_eq!((caseload.lines_read, caseload.lines_left_out()), (3, 2));
}

#[test]
fn line_numbers_count_empty_lines_and_the_header() {
    let caseload =
        read_bytes(format!("\r\n{HEADER}\r\n\r\n{DAAN}\r\n\r\n,,,,,,,,,,\r\nA1,3\r\n").as_bytes()).unwrap();
    assert_eq!(told(&caseload), ["line 7: has 2 cells where the header has 11"]);
    assert_eq!((caseload.persons(), caseload.lines_read), (1, 2));
}

#[test]
fn an_open_quotation_mark_spoils_one_line_only() {
    let caseload = read_lines(&[SANNE, r#"A1,9,child,,"Joris,,Berg,2014-05-23,,,"#, DAAN]);
    assert_eq!(told(&caseload), ["line 3: has a quotation mark that is not closed"]);
    assert_eq!(shape(&caseload), [("A1", 2)]);
}

fn warned(caseload: &Caseload) -> Vec<String> {
    caseload.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn who_cannot_be_recognised_is_taken_in_with_a_warning_that_says_what_is_missing() {
    let caseload = read_lines(&[
        "A1,,,999993653,,,,,,,",
        "A1,,,,Sanne,,Berg,2014-05-23,,,",
        "A1,3,child,,Sanne,van der,Berg,,,,",
        "A1,4,child,,S.,van der,Berg,2014,,12,",
        ",4,child,,Sanne,,Berg,2014-05-23,,,",
    ]);
    assert_eq!(shape(&caseload), [("A1", 4)]);
    assert_eq!(told(&caseload), ["line 6: case is empty"]);
    let nobody = "cannot be recognised by any recipe and will meet nobody; missing:";
    assert_eq!(
        warned(&caseload),
        [
            format!("line 4: {nobody} BSN, full birth date, postal code, house number"),
            "line 5: given_names has only initials: others recognise this person less often".to_owned(),
            format!("line 5: {nobody} BSN, full birth date, given name, postal code"),
        ]
    );
}

#[test]
fn what_recognises_weakly_or_too_widely_gets_a_warning() {
    let weak = [
        ("C,1,,,S.M.,,Berg,2014-05-23,3581CD,1,", "line 2: given_names has only initials"),
        ("C,1,,,Baby,,Berg,2014-05-23,3581CD,1,", "line 2: given_names is a placeholder"),
        ("C,1,,,NN,,Berg,2014-05-23,3581CD,1,", "line 2: given_names is a placeholder"),
        ("C,1,,,Sanne,,Onbekend,2014-05-23,3581CD,1,", "line 2: family_name is a placeholder"),
        ("C,1,,,Sanne,,Berg,1990-01-01,3581CD,1,", "line 2: birth_date is 1 January or 1 July"),
        ("C,1,,,Sanne,,Berg,01-01-1900,3581CD,1,", "line 2: birth_date lies more than 110 years ago"),
        ("C,1,,,Sanne,,Berg,2014-05-23,1234 AB,1,", "line 2: postal_code is probably a placeholder"),
        ("C,1,,,Sanne,,Berg,2014-05-23,3581CD,9999,", "line 2: house_number is probably a placeholder"),
    ];
    for (line, expected) in weak {
        let caseload = read_lines(&[line]);
        assert!(caseload.problems.is_empty() && caseload.persons() == 1, "{line}");
        let warned = warned(&caseload);
        assert!(warned.len() == 1 && warned[0].starts_with(expected), "{line}: {warned:?}");
    }
    assert!(read_lines(&[SANNE, DAAN, EMIR]).warnings.is_empty());
    let with_bsn = read_lines(&["C,1,,999993653,S.,,Berg,1990-01-01,1234AB,9999,"]);
    assert!(with_bsn.warnings.is_empty(), "the BSN is enough");
}

#[test]
fn an_address_of_many_families_is_named_once() {
    let line = |case: u32| format!("H{case},1,child,,Sanne,,Berg,2014-05-{:02},3581CD,12,", case + 1);
    let lines: Vec<String> = (0..5).map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let warned = warned(&read_lines(&lines));
    assert!(
        warned.len() == 1
            && warned[0].starts_with("line 2: postal_code and house number are those of 5 cases")
    );
    assert!(read_lines(&lines[..4]).warnings.is_empty());
}

#[test]
fn the_same_person_or_bsn_twice_in_a_case_makes_the_second_line_wrong() {
    let caseload = read_lines(&[
        SANNE,
        DAAN,
        "A1,1,parent,,Thea,,Smit,1984-05-23,3581CD,12,",
        "A1,3,child,9999 93 653,Sanne,,Berg,2014-05-23,,,",
        "B7,1,child,999993653,Sanne,,Berg,2014-05-23,,,",
        "A1,1,child,999993653,Sanne,,Berg,2014-05-23,,,",
    ]);
    assert_eq!(shape(&caseload), [("A1", 2), ("B7", 1)]);
    assert_eq!(
        told(&caseload),
        [
            "line 4: person is in this case already, on line 2",
            "line 5: bsn is in this case already, on line 2",
            "line 7: person is in this case already, on line 2",
            "line 7: bsn is in this case already, on line 2",
        ]
    );
}

#[test]
fn a_wrong_line_does_not_stand_in_the_way_of_its_correction() {
    let caseload = read_lines(&[&SANNE.replace("2014-05-23", "2014-05-32"), SANNE]);
    assert_eq!((shape(&caseload), caseload.lines_left_out()), (vec![("A1", 1)], 1));
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_its_reason() {
    for empty in ["", "\u{feff}", "\r\n \r\n", ",,,\n"] {
        assert_eq!(read_bytes(empty.as_bytes()), Err(CaseloadError::Empty), "{empty:?}");
    }
    assert_eq!(read_bytes(SANNE.as_bytes()), Err(CaseloadError::NoHeader));
    assert_eq!(read_bytes(b"just,some,\"text"), Err(CaseloadError::NoHeader));
    assert!(!CaseloadError::NoHeader.to_string().contains("Sanne"));
    for utf16 in [b"\xff\xfec\0a\0".as_slice(), b"c\0a\0s\0e\0", b"\xfe\xff\0c"] {
        assert_eq!(read_bytes(utf16), Err(CaseloadError::NotText));
    }
    let only_header = read_bytes(HEADER.as_bytes()).unwrap();
    assert_eq!(only_header, Caseload::default());
}

#[test]
fn a_header_must_have_exactly_our_columns() {
    let header = HEADER.replace("birth_date", "birthdate").replace("bsn,", "") + ",case,";
    let error = read_bytes(format!("{header}\n").as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the header lacks: bsn, birth_date; it has unknown: birthdate, (a column without a name); it has more than \
         once: case"
    );
    assert_eq!(HEADER.split(',').collect::<Vec<_>>(), COLUMNS);
}

#[test]
fn no_reason_shows_personal_data() {
    let wrong = "A1,1,chief,999993654,Xanthippe 1,,404,1898-11-12,99 ZZ,twaalf,;;";
    let caseload = read_lines(&[wrong]);
    let told = told(&caseload).join("\n");
    for cell in ["chief", "999993654", "Xanthippe", "404", "1898", "ZZ", "twaalf", ";;"] {
        assert!(!told.contains(cell), "{cell} in {told}");
    }
    assert_eq!(caseload.problems.iter().filter(|problem| problem.line == 2).count(), caseload.problems.len());
}

#[test]
fn thousands_of_lines_are_read_and_counted() {
    let lines: Vec<String> = (0..12_000)
        .map(|n| {
            let (day, month, year) = (n % 28 + 1, n % 12 + 1, 1990 + n % 30);
            let bad = if n % 1000 == 999 { "x" } else { "" };
            format!(
                "D{},{n},child,,Noor,,Meijer,{year}-{month:02}-{day:02}{bad},{}AB,{},",
                n / 3,
                1000 + n % 8999,
                n % 90 + 1
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let caseload = read_lines(&lines);
    assert_eq!((caseload.lines_read, caseload.persons(), caseload.lines_left_out()), (12_000, 11_988, 12));
    assert_eq!(caseload.cases.len(), 4_000);
    assert_eq!(caseload.problems[0].line, 1001);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = read_bytes(&bytes);
        bytes.splice(0..0, format!("{HEADER}\n").into_bytes());
        if let Ok(caseload) = read_bytes(&bytes) {
            let left_out = caseload.lines_left_out() as u64;
            proptest::prop_assert_eq!(caseload.lines_read, caseload.persons() as u64 + left_out);
        }
    }
}

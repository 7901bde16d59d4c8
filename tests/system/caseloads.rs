//! Caseloads that the software has never seen, with all that partners' files have in them.

use kring_tests::caseload::{Cases, HEADER, Person, bsn, write};
use kring_tests::command::run;
use kring_tests::demo::Demo;
use kring_tests::place::Place;
use kring_tests::report::pair;

/// Text as Windows-1252; only characters that Latin-1 has too.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// A file as one spreadsheet saves it: UTF-8 with BOM, semicolons, CRLF, other order of columns, dates as people write
/// them. Line 2 is the family that the other knows; the rest are near misses.
fn excel() -> Vec<u8> {
    let lines = [
        "person;case;family_name;given_names;name_prefix;birth_date;role;bsn;postal_code;house_number;house_number_suffix",
        "1;WT 1/2026;Crèvekoer;Noëlle;van der;14-03-2011;child;;7411 KT;12;B",
        "2;WT 1/2026;Crèvekoer;Joris;van der;02-11-1979;parent;;7411 KT;12;B",
        // The same birthday, another person in another place.
        "1;WT-2;Bakhuis;Teun;;21-05-2012;child;;8021 AB;3;",
        // The same address, other people.
        "1;WT-3;Oudkerk;Mirthe;;17-09-2008;child;;6512 ZZ;88;",
        // The same names and nothing else.
        "1;WT-4;Hofstra;Sem;;30-01-2010;child;;9711 CD;5;",
        ";;;;;;;;;;",
    ];
    format!("\u{feff}{}\r\n", lines.join("\r\n")).into_bytes()
}

/// As an older program saves it: Windows-1252, commas, quoted cells, empty cells.
fn older() -> Vec<u8> {
    let lines = [
        HEADER,
        "\"École, 7\",1,child,,\"Noëlle\",van der,\"Crèvekoer\",2011-03-14,,,",
        "É-2,1,child,,Lieke,,Zandstra,2012-05-21,3511 XX,41,",
        "É-3,1,parent,,Wouter,,Pelgrim,1981-12-24,6512 ZZ,88,",
        "É-4,1,child,,Sem,,Hofstra,2013-07-29,1011 EF,77,",
    ];
    windows_1252(&(lines.join("\n") + "\n"))
}

#[test]
fn two_partners_whose_files_are_as_different_as_files_are() {
    let place = Place::new();
    let files = place.dir("files");
    write(&files, "Wijkteam Zuid", &excel());
    write(&files, "École_2", &older());
    let report = Demo::once(place.path(), &files).finish().good();
    let expected = pair(("Wijkteam Zuid", "WT 1/2026"), ("École_2", "École, 7"));
    assert_eq!(report.pairs(), [expected].into());
    assert_eq!((report.cases("Wijkteam Zuid"), report.cases("École_2")), (4, 4));
    assert_eq!(report.0["partners"].as_array().unwrap().len(), 6, "partners without cases fill the roles");
    for unknown in ["expected", "missing", "unexpected"] {
        assert!(report.0[unknown].is_null(), "nobody told the truth about these caseloads");
    }
}

#[test]
fn twelve_partners_of_whom_each_shares_a_family_with_the_next() {
    let place = Place::new();
    let files = place.dir("files");
    let name = |number: usize| format!("partner nr {number}");
    let all = Person::invented(900);
    let mut expected = std::collections::BTreeSet::new();
    for number in 0..12 {
        let (mine, next) = (Person::invented(number), Person::invented((number + 1) % 12));
        let alone = Person::invented(100 + number);
        Cases::new()
            .case("mine", &[&mine])
            .case("next", &[&next])
            .case("alone", &[&alone])
            .case("all", &[&all])
            .write(&files, &name(number));
        let other = name((number + 1) % 12);
        expected.insert(pair((&name(number), "next"), (&other, "mine")));
        expected.extend((0..number).map(|other| pair((&name(number), "all"), (&name(other), "all"))));
    }
    let report = Demo::once(place.path(), &files).finish().good();
    assert_eq!(report.pairs(), expected);
    assert_eq!(report.0["partners"].as_array().unwrap().len(), 12);
}

#[test]
fn wrong_lines_are_named_by_file_line_and_reason_and_the_rest_goes_on() {
    let place = Place::new();
    let files = place.dir("files");
    let shared = Person::new("Fenna", "Oosterlaken", "2011-03-14").at("7411AB", "12");
    let (one, other) = (bsn(5), bsn(6));
    Cases::new()
        .case("A-1", &[&shared])
        .line("A-1,2,child,999999991,Mees,,Oosterlaken,2012-04-15,7411AB,12,") // 3: eleven-test
        .line("A-1,3,child,,Daan,,Oosterlaken,2011-02-30,7411AB,12,") // 4: no such day
        .line("A-1,1,child,,Fenna,,Oosterlaken,2011-03-14,7411AB,12,") // 5: the person of line 2
        .line(&format!("A-2,1,child,{one},Noor,,Lindeman,2009-06-18,,,"))
        .line(&format!("A-2,2,child,{one},Nora,,Lindeman,2009-06-19,,,")) // 7: the BSN of line 6
        .line(&format!("A-3,1,child,{one},Noor,,Lindeman,2009-06-18,,,")) // in another case it is none of it
        .line("A-4,1,child,,Guus") // 9: cells missing
        .line("A-5,1,neighbour,,Guus,,Vermaat,2010-01-20,,,") // 10: role
        .line(",1,child,,Guus,,Vermaat,2010-01-20,,,") // 11: case
        .line("A-6,1,child,,Guus,,,,,,") // 12: unrecognisable
        .line("A-7,1,child,,\"Guus,,Vermaat,2010-01-20,,,") // 13: quotation mark
        .line("A-8,1,child,,Guus,,Vermaat,2031-01-20,,,") // 14: not born yet
        .line(&format!("A-9,1,child,{other},,,,,,,"))
        .write(&files, "a");
    Cases::new().case("B-1", &[&shared]).case("B-2", &[&Person::default().bsn(&other)]).write(&files, "b");
    let finished = Demo::once(place.path(), &files).finish();
    let reported: [(u32, &[&str]); 10] = [
        (3, &["bsn", "eleven-test"]),
        (4, &["birth_date"]),
        (5, &["person", "line 2"]),
        (7, &["bsn", "line 6"]),
        (9, &["5 cells", "11"]),
        (10, &["role"]),
        (11, &["case"]),
        (12, &["warning", "cannot be recognised"]), // goes in all the same
        (13, &["quotation mark"]),
        (14, &["birth_date"]),
    ];
    for (line, words) in reported {
        let start = format!("a.csv:{line}: ");
        let said = finished.log.lines().find(|said| said.contains(&start));
        let said = said.unwrap_or_else(|| panic!("nothing about line {line}:\n{}", finished.log));
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        let named = ["Guus", "Vermaat", "Oosterlaken", "999999991", "2011-02-30", "2031", &one];
        assert!(!named.iter().any(|value| said.contains(value)), "no content of a cell: {said}");
    }
    assert_eq!(finished.log.matches("a.csv:").count(), reported.len(), "{}", finished.log);
    let report = finished.good();
    assert_eq!(report.cases("a"), 5);
    let expected = [pair(("a", "A-1"), ("b", "B-1")), pair(("a", "A-9"), ("b", "B-2"))];
    assert_eq!(report.pairs(), expected.into());
    assert_eq!(report.basis("a", "A-9", "b"), ["bsn".to_owned()].into());
}

#[test]
fn a_file_without_a_header_is_refused_and_the_others_go_on() {
    let place = Place::new();
    let files = place.dir("files");
    let shared = Person::invented(1);
    Cases::new().case("A-1", &[&shared]).write(&files, "a");
    Cases::new().case("B-1", &[&shared]).write(&files, "b");
    write(&files, "c", (Person::invented(2).line("C-1", "1") + "\n").as_bytes());
    let finished = Demo::once(place.path(), &files).finish();
    assert_eq!(finished.code, 1, "{}", finished.log);
    let said = finished.log.lines().find(|line| line.contains("c.csv: ")).unwrap();
    assert!(said.contains("no header") && said.contains("case,person,role"), "{said}");
    let report = finished.report.unwrap();
    assert_eq!(report.pairs(), [pair(("a", "A-1"), ("b", "B-1"))].into());
    assert_eq!(report.cases("c"), 0);
}

#[test]
fn directories_that_make_no_network_are_refused_before_anything_starts() {
    let place = Place::new();
    let refused = |dir: &str, names: &[&str]| {
        let files = place.dir(dir);
        names.iter().for_each(|name| Cases::new().write(&files, name));
        let (code, out, log) = run(&["demo", "--once", "--json", "--caseload", &files.to_string_lossy()]);
        assert_eq!(code, 2, "{log}");
        assert!(out.starts_with("{\"error\":"), "a program that reads stdout learns it too: {out}");
        log
    };
    let log = refused("equal", &["Wijkteam Zuid", "wijkteam-zuid"]);
    assert!(log.contains("Wijkteam Zuid.csv and wijkteam-zuid.csv both make the id wijkteam-zuid"), "{log}");
    assert!(refused("one", &["a"]).contains("2 to 12"));
    let many: Vec<_> = (0..13).map(|number| format!("p{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(refused("many", &many).contains("2 to 12"));
}

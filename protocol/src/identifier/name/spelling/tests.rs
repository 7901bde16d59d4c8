use super::{BEGINNINGS, FAMILY_ENDINGS, GIVEN_ENDINGS, Kind, SOUNDS, fold};

/// The phenomena, each with spellings of one name.
#[rustfmt::skip]
const SAME: [(&str, Kind, &[&str]); 28] = [
    ("ij, y, i", Kind::Family, &["dijk", "dyk", "dijck"]),
    ("uij, uy, ui", Kind::Family, &["kuijpers", "kuypers", "kuipers"]),
    ("eij, ey, ei", Kind::Family, &["heijden", "heyden", "heiden"]),
    ("sch, s", Kind::Family, &["visscher", "visser", "fischer"]),
    ("ou, ouw, au", Kind::Family, &["bouwman", "bouman", "bauman"]),
    ("cks, ks, x", Kind::Family, &["hendricks", "hendriks", "hendrix"]),
    ("dt, tt, th", Kind::Family, &["schmidt", "schmitt", "smit", "smith"]),
    ("gh, g", Kind::Family, &["bergh", "berg"]),
    ("ph, f", Kind::Given, &["stephanie", "stefanie"]),
    ("q, k, c", Kind::Given, &["tarik", "tariq", "taric"]),
    ("th, t, h", Kind::Given, &["thijs", "tijs", "ties"]),
    ("h at the end", Kind::Given, &["sarah", "sara"]),
    ("d, t at the end", Kind::Given, &["murad", "murat", "mourad"]),
    ("b, p at the end", Kind::Given, &["zeyneb", "zeynep", "zeineb"]),
    ("oe, ou, u", Kind::Given, &["yusuf", "yousuf", "joesoef", "jusuf"]),
    ("sh, ch, sj, s", Kind::Given, &["rashid", "rachid", "rasjid"]),
    ("chm, hm", Kind::Given, &["achmed", "ahmed", "ahmet"]),
    ("dj, j, y", Kind::Given, &["radjesh", "rajesh", "radjesj"]),
    ("oe, u and dj, j in Surinamese names", Kind::Family, &["soeradj", "suradj", "suraj"]),
    ("h after a consonant", Kind::Family, &["ramdhani", "ramdani"]),
    ("mute French e", Kind::Given, &["yassine", "yassin", "jassin"]),
    ("French ou for w", Kind::Given, &["marouane", "marwan", "marwane"]),
    ("French ou for w in a surname", Kind::Family, &["hamdaoui", "hamdawi", "hamdaouy"]),
    ("Slavic c with an accent", Kind::Family, &["petrovic", "petrovich", "petrovitsj", "petrovitch"]),
    ("tsj, ch, cz", Kind::Family, &["tsjernov", "chernov", "czernov"]),
    ("w, v", Kind::Family, &["kowalski", "kovalski", "kovalsky", "kowalskij"]),
    ("a woman's Slavic surname", Kind::Family, &["ivanov", "ivanova", "ivanoff"]),
    ("a woman's Polish surname", Kind::Family, &["kowalski", "kowalska"]),
];

#[test]
fn spellings_of_one_sound_are_equal() {
    for (what, kind, spellings) in SAME {
        for spelling in spellings {
            assert_eq!(fold(spelling, kind), fold(spellings[0], kind), "{what}: {spelling}");
        }
    }
}

#[test]
fn the_protocol_prints_the_rules() {
    let printed: String = include_str!("../../../../../docs/protocol.md").split_whitespace().collect();
    for rules in [BEGINNINGS.as_slice(), &GIVEN_ENDINGS, &FAMILY_ENDINGS, &SOUNDS] {
        let rules: Vec<String> = rules.iter().map(|(from, to)| format!("`{from}`→`{to}`")).collect();
        assert!(printed.contains(&rules.join(",")), "{rules:?}");
    }
}

#[test]
fn names_that_only_look_alike_stay_two() {
    for (one, other) in [
        ("daan", "dina"),
        ("dina", "tina"),
        ("sem", "sam"),
        ("tim", "tom"),
        ("anna", "anne"),
        ("noor", "nora"),
        ("sami", "samia"),
        ("robin", "ruben"),
        ("maya", "mia"),
        ("fleur", "floor"),
        ("lisa", "lies"),
    ] {
        assert_ne!(fold(one, Kind::Given), fold(other, Kind::Given), "{one} {other}");
    }
}

proptest::proptest! {
    #[test]
    fn folding_twice_changes_nothing(word in "[a-z]{1,16}") {
        for kind in [Kind::Given, Kind::Family] {
            let once = fold(&word, kind);
            proptest::prop_assert!(!once.is_empty());
            proptest::prop_assert_eq!(super::once(&once), once);
        }
    }
}

use std::collections::BTreeSet;

use kring_protocol::codec::encode;
use kring_protocol::id::MatchId;
use kring_protocol::time::{Day, Timestamp};

use super::told::TOLD_MAX;
use super::{Told, ToldList, What};
use crate::store::MAX_VALUE_LEN;
use crate::testing::golden;
use crate::texts::{Language, alert};

fn told(what: What) -> Told {
    let (about, deadline) = (Some(MatchId::from_bytes([9; 16])), Some(Day::from_days(30_000)));
    Told { at: Timestamp::from_secs(1_800_000_000), what, about, deadline, waited: Some(1_000) }
}

#[test]
fn the_oldest_makes_room_and_a_full_list_is_one_record() {
    let mut list = ToldList::default();
    list.add(told(What::Involved));
    (0..TOLD_MAX).for_each(|_| list.add(told(What::OtherCardLate)));
    assert_eq!(list.iter().count(), TOLD_MAX);
    assert!(list.iter().all(|told| told.what == What::OtherCardLate));
    assert!(encode(&list).len() < MAX_VALUE_LEN / 2);
}

#[test]
fn every_alert_has_a_word_of_its_own_and_a_text_in_both_languages() {
    let words: BTreeSet<_> = What::ALL.iter().map(|what| what.word()).collect();
    assert_eq!(words.len(), What::ALL.len());
    for what in What::ALL {
        for language in [Language::Dutch, Language::English] {
            let text = alert(language, *what, &[("date", "2027-01-31"), ("days", "10")]);
            assert!(text.ends_with(['.', '?']) && !text.contains('$'), "{text}");
        }
    }
}

#[test]
fn golden_bytes_of_what_was_told() {
    let list: ToldList = golden(&[
        "0182",
        "a56261741a6b49d200647768617468696e766f6c7665646561626f7574500909090909090909090909090909090968646561646c696e65f666776169746564f6",
        "a56261741a6b49d20064776861746872656d696e6465726561626f7574f668646561646c696e65197530667761697465641903e8",
    ]);
    let involved = Told { deadline: None, waited: None, ..told(What::Involved) };
    let reminder = Told { about: None, ..told(What::Reminder) };
    assert_eq!(list.iter().cloned().collect::<Vec<_>>(), [involved, reminder]);
}

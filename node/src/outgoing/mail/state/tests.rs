use super::*;
use crate::testing::golden;

/// 08:00 in Amsterdam.
const EIGHT: u32 = 8 * 60;
const DIGEST: Rhythm = Rhythm { wish: MailWish::Digest, minutes: EIGHT };
const AT_ONCE: Rhythm = Rhythm { wish: MailWish::AtOnce, minutes: EIGHT };

/// 2026-11-16, a Monday; in winter 08:00 in Amsterdam is 07:00 UTC.
fn monday(hour: u64, minute: u64) -> Timestamp {
    Day::from_days(20_773).start().plus_secs(hour * 3_600 + minute * 60)
}

fn later(at: Timestamp, hours: u64) -> Timestamp {
    at.plus_secs(hours * 3_600)
}

fn case(number: u8) -> CaseId {
    CaseId(Reference::from_bytes([number; 16]))
}

fn happening(of: u8, kind: What, at: Timestamp) -> Happening {
    let waited = matches!(kind, What::Overdue | What::Escalated).then_some(5 + u32::from(of));
    let (id, for_whom) = (Reference::from_bytes([9; 16]), ForWhom::of(kind));
    Happening { number: 1, id, at, kind, case: case(of), for_whom, waited }
}

fn told(news: &[(u8, What, Timestamp)]) -> MailState {
    let mut state = MailState::default();
    for (of, kind, at) in news {
        assert!(state.add(&happening(*of, *kind, *at)));
    }
    state
}

fn deadline() -> Day {
    Day::from_days(20_783)
}

/// Makes the mail that is due now, if one is, and takes it away as sent.
fn mail(state: &mut MailState, rhythm: Rhythm, now: Timestamp) -> Option<Says> {
    if state.due(rhythm).is_none_or(|due| due > now) {
        return None;
    }
    state.write(rhythm, now, Reference::from_bytes([1; 16]), |_| Some(Some(deadline())));
    state.letter.take().map(|letter| letter.says)
}

fn says(new: u32, reminders: u32) -> Says {
    Says { new, reminders, deadline: Some(deadline()), ..Says::default() }
}

#[test]
fn a_day_is_one_mail_at_its_hour_in_winter_and_in_summer() {
    let at = monday(9, 0);
    let mut state = told(&[
        (1, What::Involved, at),
        (1, What::Joined, later(at, 1)),
        (2, What::Involved, later(at, 2)),
        (3, What::Reminder, later(at, 15)), // Tuesday, an hour after midnight in Amsterdam
    ]);
    let tuesday = monday(24 + 7, 0);
    assert_eq!(state.due(DIGEST), Some(tuesday));
    assert_eq!(mail(&mut state, DIGEST, monday(24 + 6, 59)), None);
    assert_eq!(mail(&mut state, DIGEST, tuesday), Some(says(2, 1)), "two cases with news, one reminder");
    assert_eq!(state.due(DIGEST), None);
    assert!(state.add(&happening(1, What::Card, later(tuesday, 1))));
    assert_eq!(state.due(DIGEST), Some(monday(48 + 7, 0)), "not twice on one day");

    // 2026-03-28 is a Saturday; summer begins on Sunday, when the hour is at 06:00 UTC.
    let saturday = Day::from_days(20_540).start();
    let state = told(&[(1, What::Involved, later(saturday, 12))]);
    assert_eq!(state.due(DIGEST), Some(later(saturday, 24 + 6)));
    let state = told(&[(1, What::Involved, later(saturday, 6))]);
    assert_eq!(state.due(DIGEST), Some(later(saturday, 7)), "before the hour: the same day");
}

#[test]
fn at_once_is_at_once_but_not_one_mail_for_each_of_many() {
    let at = monday(9, 0);
    let mut state = told(&[(1, What::Involved, at), (2, What::Involved, at)]);
    assert_eq!(mail(&mut state, AT_ONCE, at), Some(says(2, 0)));
    for minute in 1..15 {
        assert!(state.add(&happening(3, What::Involved, monday(9, minute))));
        assert_eq!(mail(&mut state, AT_ONCE, monday(9, minute)), None);
    }
    assert_eq!(mail(&mut state, AT_ONCE, monday(9, 15)), Some(says(1, 0)));
}

#[test]
fn nobody_is_reminded_at_night_or_twice_a_day() {
    let night = monday(0, 30);
    for rhythm in [AT_ONCE, DIGEST] {
        let mut state = told(&[(1, What::Reminder, night)]);
        assert_eq!(mail(&mut state, rhythm, night), None);
        assert_eq!(mail(&mut state, rhythm, monday(7, 0)), Some(says(0, 1)));
        assert!(state.add(&happening(2, What::Reminder, monday(9, 0))));
        assert_eq!(mail(&mut state, rhythm, monday(22, 0)), None, "the same day");
        assert_eq!(mail(&mut state, rhythm, monday(24 + 7, 0)), Some(says(0, 1)));
    }
    // What happens is told all the same, and the reminder waits.
    let mut state = told(&[(1, What::Reminder, monday(7, 0))]);
    assert_eq!(mail(&mut state, AT_ONCE, monday(7, 0)), Some(says(0, 1)));
    assert!(state.add(&happening(2, What::Reminder, monday(9, 0))));
    assert!(state.add(&happening(3, What::Card, monday(9, 0))));
    assert_eq!(mail(&mut state, AT_ONCE, monday(9, 0)), Some(says(1, 0)));
    assert_eq!(mail(&mut state, AT_ONCE, monday(24 + 7, 0)), Some(says(0, 1)));
}

#[test]
fn what_has_waited_is_counted_with_the_days_that_all_of_it_has_waited() {
    let mut state = told(&[(1, What::Overdue, monday(1, 0)), (3, What::Overdue, monday(1, 0))]);
    let said = mail(&mut state, DIGEST, monday(7, 0)).unwrap();
    assert_eq!(said, Says { waiting: 2, waited: 6, ..Says::default() });
}

#[test]
fn a_notice_that_is_gone_is_not_mailed_about_and_what_one_did_oneself_neither() {
    let at = monday(9, 0);
    let mut state = told(&[(1, What::Involved, at), (2, What::Involved, at)]);
    let there = |id: &CaseId| (*id == case(2)).then_some(None);
    state.write(AT_ONCE, at, Reference::from_bytes([1; 16]), there);
    assert_eq!(state.letter.take().unwrap().says, Says { new: 1, ..Says::default() });
    let mut state = told(&[(1, What::Involved, at)]);
    state.write(AT_ONCE, at, Reference::from_bytes([1; 16]), |_| None);
    assert!(state.is_idle());
    assert!(!MailState::default().add(&happening(1, What::Closed, at)));
}

#[test]
fn a_mail_on_its_way_is_not_made_again() {
    let at = monday(9, 0);
    let mut state = told(&[(1, What::Involved, at)]);
    state.write(AT_ONCE, at, Reference::from_bytes([1; 16]), |_| Some(None));
    assert!(state.add(&happening(2, What::Involved, at)));
    assert_eq!(state.due(AT_ONCE), None, "the next waits until this one is sent");
    state.letter = None;
    assert_eq!(state.due(AT_ONCE), Some(later(at, 0).plus_secs(900)));
}

#[test]
fn even_with_a_whole_caseload_the_record_fits() {
    let mut state = MailState::default();
    for number in 0..1_000_u16 {
        let mut happening = happening(1, What::Overdue, monday(9, 0));
        let [high, low] = number.to_be_bytes();
        happening.case = CaseId(Reference::from_bytes([[high, low]; 8].concat().try_into().unwrap()));
        assert!(state.add(&happening));
    }
    let bytes = kring_protocol::codec::encode(&state).len();
    assert!((25_000..MailState::MAX_LEN).contains(&bytes), "{bytes}");
    assert_eq!(mail(&mut state, AT_ONCE, monday(9, 0)).unwrap().waiting, 500);
}

#[test]
fn golden_bytes_of_a_state() {
    let mut state = told(&[(2, What::Reminder, Timestamp::from_secs(1))]);
    let (made, says) = (Timestamp::from_secs(2), says(1, 0));
    state.letter = Some(Letter { id: Reference::from_bytes([3; 16]), says, made, attempts: 1, next: made });
    let rows = [
        "01a4646e65777381a5646361736550020202020202020202020202020202026573696e636501636e6577f4",
        "6872656d696e646572f566776169746564f6666c6574746572a56269645003030303030303030303030303030303",
        "6473617973a5636e6577016972656d696e64657273006777616974696e6700667761697465640068646561646c696e6519512f",
        "646d6164650268617474656d70747301646e65787402646d616465f66872656d696e646564f6",
    ];
    assert_eq!(golden::<MailState>(&rows), state);
}

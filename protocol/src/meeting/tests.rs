use proptest::prelude::*;

use super::*;
use crate::submission::tests::{Own, destination, own, subject_key};

const TODAY: Day = Day::from_days(20_000);

fn leave(meeting: &mut Meeting, own: &Own) -> Change {
    match meeting.leave(&own.leave, TODAY) {
        Ok(TakenIn::New { change, .. }) => change,
        other => panic!("{other:?}"),
    }
}

/// `(to, about)` of every introduction in a change, by seed.
fn met(change: &Change, owns: &[&Own]) -> Vec<(usize, usize)> {
    let index = |mailbox: &ExchangeKey| owns.iter().position(|own| own.leave.mailbox == *mailbox).unwrap();
    let mut met: Vec<_> = change
        .announcements
        .iter()
        .filter_map(|announcement| match &announcement.post {
            Post::Met(met) => Some((index(&announcement.to), index(&met.mailbox))),
            Post::Replaced(_) | Post::Withdrawn(_) | Post::Removed(_) => None,
        })
        .collect();
    met.sort_unstable();
    met
}

#[test]
fn both_sides_learn_in_one_change() {
    let mut meeting = Meeting::new(destination());
    let [a, b, c] = [1, 2, 3].map(|seed| own(seed, &subject_key(1), "x", seed, 2));
    let stranger = own(4, &subject_key(2), "x", 4, 2);
    let all = [&a, &b, &c, &stranger];
    assert_eq!(met(&leave(&mut meeting, &a), &all), []);
    assert_eq!(met(&leave(&mut meeting, &stranger), &all), []);
    assert_eq!(met(&leave(&mut meeting, &b), &all), [(0, 1), (1, 0)]);
    assert_eq!(met(&leave(&mut meeting, &c), &all), [(0, 2), (1, 2), (2, 0), (2, 1)]);
}

#[test]
fn the_same_again_changes_nothing_and_other_content_is_refused() {
    let mut meeting = Meeting::new(destination());
    let a = own(1, &subject_key(1), "x", 1, 2);
    leave(&mut meeting, &a);
    assert_eq!(meeting.leave(&a.leave, TODAY), Ok(TakenIn::Known));
    let mut altered = a.leave.clone();
    altered.expiry = altered.expiry.plus(1);
    assert_eq!(meeting.leave(&altered, TODAY), Err(Refusal::Mailbox));
    let mut late = own(2, &subject_key(1), "x", 2, 2).leave;
    late.expiry = Day::from_days(19_999);
    assert_eq!(meeting.leave(&late, TODAY), Err(Refusal::Day));
}

#[test]
fn withdrawal_needs_its_key_reaches_everyone_met_and_cannot_be_undone() {
    let mut meeting = Meeting::new(destination());
    let [a, b] = [1, 2].map(|seed| own(seed, &subject_key(1), "x", seed, 2));
    leave(&mut meeting, &a);
    leave(&mut meeting, &b);
    let forged = destination().withdraw(&b.withdraw, a.leave.mailbox);
    assert_eq!(meeting.withdraw(&forged), Err(Refusal::Signature));
    let withdraw = destination().withdraw(&a.withdraw, a.leave.mailbox);
    let Ok(TakenIn::New { change, held: true }) = meeting.withdraw(&withdraw) else { panic!("was held") };
    assert_eq!(change.announcements.len(), 1);
    assert_eq!(change.announcements[0].to, b.leave.mailbox);
    assert_eq!(change.announcements[0].n, 1);
    assert_eq!(change.announcements[0].post, Post::Withdrawn(withdraw.clone()));
    assert_eq!(meeting.leave(&a.leave, TODAY), Err(Refusal::Mailbox), "no revival");
    assert_eq!(meeting.withdraw(&withdraw), Ok(TakenIn::New { change: Change::default(), held: true }));
    let unknown = destination().withdraw(&a.withdraw, own(9, &subject_key(1), "x", 9, 2).leave.mailbox);
    assert_eq!(meeting.withdraw(&unknown), Ok(TakenIn::New { change: Change::default(), held: false }));
}

#[test]
fn a_swap_introduces_the_new_and_ends_the_old_in_one_change() {
    let mut meeting = Meeting::new(destination());
    let [a, b] = [1, 2].map(|seed| own(seed, &subject_key(1), "x", seed, 2));
    let mut renewed = own(3, &subject_key(1), "x", 1, 5);
    leave(&mut meeting, &a);
    leave(&mut meeting, &b);
    renewed.leave.replaces =
        Some(destination().replaces(&b.withdraw, a.leave.mailbox, &renewed.leave.mailbox));
    assert_eq!(meeting.leave(&renewed.leave, TODAY), Err(Refusal::Signature));
    renewed.leave.replaces =
        Some(destination().replaces(&a.withdraw, a.leave.mailbox, &renewed.leave.mailbox));
    let change = leave(&mut meeting, &renewed);
    assert_eq!(met(&change, &[&a, &b, &renewed]), [(1, 2), (2, 1)], "not quiet again");
    let last = change.announcements.last().unwrap();
    assert_eq!(last.to, b.leave.mailbox);
    assert!(matches!(&last.post, Post::Replaced(replaced) if replaced.new == renewed.leave.mailbox));
    assert_eq!(meeting.live(&b.leave.mailbox).unwrap().introduced, BTreeSet::from([renewed.leave.mailbox]));
    assert!(meeting.live(&a.leave.mailbox).is_none());
}

#[test]
fn quiet_submissions_wait_for_their_number() {
    let mut meeting = Meeting::new(destination());
    let key = subject_key(1);
    let owns: Vec<_> =
        [3, 3, 2, 2].iter().zip(1..).map(|(&min, seed)| own(seed, &key, "x", seed, min)).collect();
    let all: Vec<_> = owns.iter().collect();
    assert_eq!(met(&leave(&mut meeting, all[0]), &all), []);
    assert_eq!(met(&leave(&mut meeting, all[1]), &all), []);
    assert_eq!(met(&leave(&mut meeting, all[2]), &all).len(), 6, "three at once");
    meeting.withdraw(&destination().withdraw(&all[2].withdraw, all[2].leave.mailbox)).unwrap();
    assert_eq!(met(&leave(&mut meeting, all[3]), &all), [(0, 3), (1, 3), (3, 0), (3, 1)], "not quiet again");
}

#[test]
fn a_crowd_is_not_introduced_further() {
    let mut meeting = Meeting::new(destination());
    let owns: Vec<_> = (1..=18).map(|seed| own(seed, &subject_key(1), "x", seed, 2)).collect();
    let all: Vec<_> = owns.iter().collect();
    let counts: Vec<_> = all.iter().map(|own| met(&leave(&mut meeting, own), &all).len()).collect();
    assert_eq!(counts[15], 30);
    assert_eq!(counts[16..], [0, 0]);
}

/// The record of a submission that meets new ones month after month does not outgrow its limit.
#[test]
fn whoever_expired_is_not_kept_with_those_it_met() {
    let mut meeting = Meeting::new(destination());
    let long = own(1, &subject_key(1), "x", 1, 2);
    leave(&mut meeting, &long);
    for month in 0..10_u8 {
        let day = TODAY.plus(u32::from(month));
        for seed in 0..14 {
            let mut short = own(2 + 14 * month + seed, &subject_key(1), "x", 1, 2);
            short.leave.expiry = day;
            assert!(matches!(meeting.leave(&short.leave, day), Ok(TakenIn::New { .. })));
        }
        let live = meeting.live(&long.leave.mailbox).unwrap();
        assert_eq!((live.introduced.len(), live.posts), (14, 14 * (u32::from(month) + 1)));
        assert!(crate::codec::encode(live).len() <= <Live as Wire>::MAX_LEN);
        meeting.expire(day.plus(1));
    }
}

/// After a restart it is not known who of a crowd is oldest; still nobody meets more than a crowd.
#[test]
fn a_crowd_stays_one_after_a_restart() {
    let owns: Vec<_> = (1..=20).map(|seed| own(seed, &subject_key(1), "x", seed, 2)).collect();
    let mut meeting = Meeting::new(destination());
    owns[..18].iter().for_each(|own| drop(leave(&mut meeting, own)));
    let mut restored = Meeting::new(destination());
    for own in owns[..18].iter().rev() {
        restored.restore_live(own.leave.mailbox, meeting.live(&own.leave.mailbox).unwrap().clone());
    }
    owns[18..].iter().for_each(|own| drop(leave(&mut restored, own)));
    let met = owns.iter().map(|own| restored.live(&own.leave.mailbox).unwrap().introduced.len());
    assert_eq!(met.max(), Some(CROWD - 1));
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut meeting = Meeting::new(destination());
    let [a, b, c] = [1, 2, 3].map(|seed| own(seed, &subject_key(1), "x", seed, 2));
    leave(&mut meeting, &a);
    leave(&mut meeting, &b);
    let mut restored = Meeting::new(destination());
    for own in [&a, &b] {
        let bytes = crate::codec::encode(meeting.live(&own.leave.mailbox).unwrap());
        restored.restore_live(own.leave.mailbox, crate::codec::decode(&bytes).unwrap());
    }
    assert_eq!(restored.leave(&a.leave, TODAY), Ok(TakenIn::Known));
    assert_eq!(leave(&mut restored, &c), leave(&mut meeting, &c));
    assert_eq!(restored.expire(Day::from_days(20_101)).len(), 3);
    assert!(restored.is_empty());
}

proptest! {
    /// Whatever the order and the thresholds: introductions are mutual, made once, and nobody below its number meets.
    #[test]
    fn introductions_are_mutual_and_respect_thresholds(mins in prop::collection::vec(2_u8..6, 1..8)) {
        let mut meeting = Meeting::new(destination());
        let key = subject_key(1);
        let owns: Vec<_> = mins.iter().zip(1..).map(|(&min, seed)| own(seed, &key, "x", seed, min)).collect();
        let all: Vec<_> = owns.iter().collect();
        let mut pairs = BTreeSet::new();
        for (count, own) in all.iter().enumerate() {
            for pair in met(&leave(&mut meeting, own), &all) {
                prop_assert!(pairs.insert(pair), "introduced twice");
                prop_assert!(usize::from(mins[pair.0]) <= count + 1);
            }
        }
        for &(a, b) in &pairs {
            prop_assert!(pairs.contains(&(b, a)));
        }
        let largest = (2..=mins.len()).rev().find(|&k| mins.iter().filter(|&&min| usize::from(min) <= k).count() >= k);
        if let Some(k) = largest {
            let willing = mins.iter().filter(|&&min| usize::from(min) <= k).count();
            prop_assert!(pairs.len() >= willing * (willing - 1));
        }
    }
}

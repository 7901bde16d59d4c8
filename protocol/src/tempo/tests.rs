use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::covenant::Budget;
use crate::covenant::check::findings;
use crate::covenant::tests::{covenant, founders};

mod days;

const OWN: [u8; 16] = [3; 16];

/// Of p0 in a network of six that agreed on the production tempo, with so many persons and purposes.
fn network(persons: u32, purposes: u32) -> Covenant {
    let mut covenant = covenant(&founders(6));
    covenant.tempo = Tempo::Production;
    covenant.members[0].card.persons = persons;
    for number in 1..purposes {
        let mut purpose = covenant.purposes[0].clone();
        purpose.id = format!("doel-{number}").parse().unwrap();
        covenant.purposes.push(purpose);
    }
    for budget in &mut covenant.budgets {
        let persons =
            covenant.members.iter().find(|card| card.card.id == budget.member).unwrap().card.persons;
        *budget = Budget::for_caseload(budget.member.clone(), persons, purposes);
    }
    covenant
}

fn schedule(persons: u32, purposes: u32) -> Schedule {
    Schedule::of(&network(persons, purposes), &id("p0")).unwrap()
}

fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

#[test]
fn slots_leave_the_caseload_within_a_third_of_the_overlap() {
    let lengths = [0, 1, 120, 121, 1_000, 1_667, 5_000, 20_000, 72_000]
        .map(|persons| (persons, schedule(persons, 1).slot_secs()));
    let expected = [
        (0, 600),
        (1, 600),
        (120, 600),
        (121, 595),
        (1_000, 72),
        (1_667, 43), // 20,000 keys
        (5_000, 14),
        (20_000, 3),
        (72_000, 1),
    ];
    assert_eq!(lengths, expected);
    for persons in (0..72_000).step_by(97) {
        assert!(schedule(persons, 1).secs_to_leave(persons * 12) <= 864_000, "{persons}");
    }
    assert_eq!(schedule(1_667, 1).bytes_a_day(4) / 1_000_000, 11, "megabytes a day over four matchers");
}

#[test]
fn a_covenant_says_when_its_tempo_cannot_hold() {
    let texts = |covenant: &Covenant| {
        let own = |text: &String| text.contains("p0") && !text.contains("altered after signing");
        findings(covenant).iter().map(ToString::to_string).filter(own).collect::<Vec<_>>()
    };
    for persons in [0, 120, 1_667, 72_000] {
        for purposes in [1, 3] {
            assert_eq!(texts(&network(persons, purposes)), [""; 0], "{persons}");
        }
    }
    assert!(texts(&network(72_001, 1))[0].contains("not even a message a second"));

    let mut small = network(1_667, 2);
    let needed = 8 * 251 * 2;
    small.budgets[0].per_day = needed - 16;
    assert!(texts(&small)[0].contains(&format!("it needs {needed} a day")), "{:?}", texts(&small));
    small.budgets[0].per_day = needed;
    assert_eq!(texts(&small), [""; 0]);
    small.budgets[0].per_day = 8;
    assert_eq!(texts(&small).len(), 1, "a purpose without batches");
    small.tempo = Tempo::Immediate;
    assert_eq!(texts(&small), [""; 0], "without a tempo nothing follows from it");
}

#[test]
fn a_member_with_a_rate_of_its_own_is_warned() {
    use crate::covenant::tests::{Founder, covenant};
    let with = |persons: [u32; 6]| {
        let founders: Vec<_> = founders(6)
            .into_iter()
            .zip(persons)
            .map(|(founder, persons)| {
                let card = crate::covenant::MemberCard { persons, ..founder.card.card };
                Founder { card: card.sign(&founder.key), key: founder.key }
            })
            .collect();
        let mut covenant = covenant(&founders);
        covenant.tempo = Tempo::Production;
        covenant.budgets = founders
            .iter()
            .map(|f| Budget::for_caseload(f.card.card.id.clone(), f.card.card.persons, 1))
            .collect();
        findings(&covenant).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(with([1_000, 100, 100, 100, 100, 100]).contains("only p0 sends every 72 seconds"));
    assert_eq!(with([1_000, 1_000, 100, 100, 10, 0]), "");
}

#[test]
fn the_pace_of_immediate_has_no_times() {
    let covenant = covenant(&founders(6));
    let pace = Pace::of(&covenant, &id("p0")).unwrap();
    assert_eq!(pace, Pace::Immediate);
    let (now, when) = (at(5), Next::WhenWaiting);
    assert_eq!([pace.next_round(now), pace.next_append(now), pace.next_read(now)], [when; 3]);
    assert_eq!(pace.next_comparison(now), when);
    assert_eq!((pace.wait_secs(), pace.items_max()), (0, ITEMS_MAX));
    assert_eq!(Pace::of(&covenant, &id("stranger")), None);
    assert_eq!(Pace::of(&network(1, 1), &id("stranger")), None);
    let production = Pace::of(&network(1, 1), &id("p0")).unwrap();
    assert_eq!((production.wait_secs(), production.items_max()), (7_200, 1));
}

#[test]
fn a_canary_is_drawn_once_a_week_when_a_request_may_bring_a_persons_keys() {
    let schedule = schedule(1_000, 2);
    let requests = u64::try_from(schedule.requests().count()).unwrap();
    let mut moments = Vec::new();
    let mut last = at(20_000 * 86_400);
    for _ in 0..300 {
        last = schedule.canary_after(&OWN, last);
        moments.push(last);
    }
    let weeks: BTreeSet<_> = moments.iter().map(|moment| moment.secs() / 604_800).collect();
    assert_eq!(weeks.len(), moments.len(), "never two in a week, and none without");
    let (mut hours, mut late) = (BTreeSet::new(), BTreeSet::new());
    for moment in &moments {
        let round = schedule.round_after(at(moment.secs() - 10 * requests - 1));
        let after = moment.secs() - round.secs();
        assert!(after.is_multiple_of(10) && (10..=10 * requests).contains(&after), "{after}");
        hours.insert(round.secs() % 604_800 / 10_800);
        late.insert(after);
    }
    assert!(hours.len() > 50 && late.len() as u64 == requests, "any round and request: {hours:?} {late:?}");
    let others = schedule.canary_after(&[4; 16], at(20_000 * 86_400));
    assert_ne!(others, moments[0], "nobody else knows when");
    assert_eq!(schedule.canary_after(&OWN, at(moments[0].secs() - 1)), moments[0], "a start changes nothing");
}

#[test]
fn a_second_half_comes_in_any_round_within_hours_or_months_and_by_the_other_relay() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let drawn = at(20_000 * 86_400 + 12_345);
    let until = Day::from_days(20_170);
    let (mut times, mut days) = (BTreeSet::new(), Vec::new());
    for _ in 0..2_000 {
        let second = Schedule::canary_second(drawn, until, &mut rng);
        let apart = second.secs() - drawn.secs();
        assert_eq!(apart % 10_800, 0, "after a round of the same member");
        assert_ne!(relay_on(second.day()), relay_on(drawn.day()));
        assert!(second.plus_secs(5 * 86_400).day() < until);
        times.insert(second.secs() % 86_400);
        days.push(apart / 86_400);
    }
    assert_eq!(times.len(), 8, "every round of a day");
    let share = |from: u64, to: u64| days.iter().filter(|days| (from..to).contains(*days)).count();
    assert!(share(0, 2) > 400 && share(4, 16) > 200 && share(32, 170) > 200, "short and long");
    // Near the epoch's end.
    assert!(Schedule::canary_second(drawn, Day::from_days(20_001), &mut rng) > drawn);
}

#[test]
fn every_day_has_eight_rounds_that_count_on_it() {
    let mut offsets = BTreeSet::new();
    for number in 0..500 {
        let mut covenant = network(100, 1);
        let member = id(&format!("member-{number}"));
        covenant.members[0].card.id = member.clone();
        covenant.budgets[0].member = member.clone();
        let schedule = Schedule::of(&covenant, &member).unwrap();
        let day = Day::from_days(20_000);
        let mut rounds = Vec::new();
        let mut last = day.start();
        loop {
            last = schedule.round_after(last);
            if last.plus_secs(600).day() != day {
                break;
            }
            rounds.push(last.secs() - day.start().secs());
        }
        assert_eq!(rounds.len(), 8, "{member}");
        assert!(rounds.windows(2).all(|pair| pair[1] - pair[0] == 10_800));
        offsets.insert(rounds[0] / 60);
    }
    assert!(offsets.len() > 150, "holders are asked by all at {} different minutes", offsets.len());
}

#[test]
fn rounds_use_the_allowance_once_and_never_more_than_the_budget() {
    for (persons, purposes) in [(0, 1), (10, 1), (300, 1), (300, 3), (1_667, 1), (1_667, 2), (20_000, 1)] {
        let covenant = network(persons, purposes);
        let (schedule, budget) = (Schedule::of(&covenant, &id("p0")).unwrap(), &covenant.budgets[0]);
        let asked: usize = schedule.requests().sum();
        assert_eq!(asked as u32, schedule.batch());
        assert!(schedule.requests().all(|inputs| (1..=MAX_BATCH).contains(&inputs)));
        let per_batch = u64::from(schedule.batch() * purposes);
        let (mut total, mut allowance) = (0, u64::from(budget.allowance));
        let mut doubled = 0;
        for _day in 0..30 {
            let mut left = u64::from(budget.per_day);
            for _round in 0..8 {
                let batches = schedule.batches(total);
                let count = u64::from(batches) * per_batch;
                let from_day = count.min(left);
                left -= from_day;
                allowance = allowance.checked_sub(count - from_day).expect("over the budget");
                total += count;
                doubled += u64::from(batches - 1);
            }
        }
        assert_eq!(doubled, u64::from(budget.allowance) / per_batch, "{persons}");
        assert!(
            allowance < per_batch || persons == 0,
            "{persons}: {allowance} of the allowance is never used"
        );
    }
}

#[test]
fn ticks_and_fetches() {
    let schedule = schedule(100, 1);
    for second in 0..3_000_u64 {
        let now = at(86_400 * 20_000 + second);
        let tick = tick_after(now);
        assert!(tick > now && tick.secs() - now.secs() <= 900 && tick.secs().is_multiple_of(900));
        let read = schedule.read_after(now);
        assert!(read > now && read.secs() - now.secs() <= 900);
        assert!((60..660).contains(&(read.secs() % 900)), "{}", read.secs() % 900);
    }
}

#[test]
fn members_compare_once_an_hour_when_all_have_read_and_nothing_is_appended() {
    let mut seconds = BTreeSet::new();
    for number in 0..200 {
        let mut covenant = network(100, 1);
        let member = id(&format!("member-{number}"));
        covenant.members[0].card.id = member.clone();
        covenant.budgets[0].member = member.clone();
        let pace = Pace::of(&covenant, &member).unwrap();
        for hour in 480_000..480_048 {
            let start = at(hour * 3_600);
            let Next::At(moment) = pace.next_comparison(start) else { panic!("it is fixed") };
            let Next::At(read) = pace.next_read(at(moment.secs() - 900)) else { panic!("it is fixed") };
            assert_eq!(moment.secs() / 3_600, hour);
            assert_eq!(pace.next_comparison(moment), Next::At(moment.plus_secs(3_600)));
            assert_eq!(read.secs() / 900, moment.secs() / 900, "the last tick's");
            assert!(moment.secs() - read.secs() > 60);
            assert!(tick_after(moment).secs() - moment.secs() > 30);
            seconds.insert(moment.secs() % 3_600);
        }
    }
    assert!(seconds.len() > 90, "{} different seconds", seconds.len());
}

#[test]
fn each_slot_has_one_moment_that_nobody_else_can_tell() {
    for persons in [0, 1_000, 1_667, 20_000, 72_000] {
        let schedule = schedule(persons, 1);
        let length = u64::from(schedule.slot_secs());
        let (mut after, mut within) = (at(1_700_000_000), BTreeMap::<u64, u32>::new());
        let mut last = after.secs() / length;
        for _ in 0..2_000 {
            let slot = schedule.slot_after(&id("p5"), &OWN, after);
            assert_eq!(slot.begins.secs() % length, 0);
            assert_eq!(slot.ends.secs() - slot.begins.secs(), length);
            assert!(slot.begins <= slot.moment && slot.moment < slot.ends && slot.moment > after);
            let number = slot.begins.secs() / length;
            assert!(number == last + 1 || (after.secs() == 1_700_000_000 && number == last));
            *within.entry((slot.moment.secs() - slot.begins.secs()) * 4 / length).or_default() += 1;
            (after, last) = (slot.moment, number);
        }
        let quarters = within.into_values().collect::<Vec<_>>();
        let spread = length < 4 || quarters.iter().all(|count| (400..600).contains(count));
        assert!(spread, "{persons}: moments by quarter of the slot: {quarters:?}");
    }
    let schedule = schedule(0, 1);
    let moments = |matcher: &str, own: u8| {
        let mut after = at(0);
        let mut next = || {
            after = schedule.slot_after(&id(matcher), &[own; 16], after).moment;
            after
        };
        [(); 20].map(|()| next())
    };
    let same = |a: [Timestamp; 20], b: [Timestamp; 20]| a.iter().zip(b).filter(|(a, b)| **a == *b).count();
    assert_eq!(same(moments("p5", 1), moments("p5", 1)), 20);
    assert!(same(moments("p5", 1), moments("p5", 2)) < 3, "another node's own secret");
    assert!(same(moments("p5", 1), moments("p4", 1)) < 3, "another matcher");
}

#[test]
fn an_order_of_three_is_as_likely_as_any_other() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut seen = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..6_000 {
        let mut queue = Queue::new(WAIT_MAX_SECS);
        [0, 1, 2].into_iter().for_each(|item| queue.add(item, at(0), &mut rng));
        let order = std::iter::from_fn(|| queue.take(at(7_200), &mut rng)).collect();
        *seen.entry(order).or_default() += 1;
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.values().all(|count| (850..1_150).contains(count)), "{seen:?}");
}

#[test]
fn without_waits_the_queue_is_first_in_first_out() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut queue = Queue::new(0);
    for item in [(1, 'a'), (1, 'b'), (2, 'c'), (1, 'a'), (1, 'd')] {
        queue.add(item, at(9), &mut rng);
    }
    assert_eq!(queue.len(), 4);
    assert_eq!(queue.take_group(10, |item| item.0, at(9), &mut rng), [(1, 'a'), (1, 'b')]);
    assert_eq!(queue.take_wanted(1, |item| item.0 == 1, at(9), &mut rng), [(1, 'd')]);
    queue.add((2, 'c'), at(9), &mut rng);
    assert_eq!(queue.take(at(9), &mut rng), Some((2, 'c')));
    assert!(queue.is_empty() && queue.take(at(9), &mut rng).is_none());
}

proptest! {
    /// Whatever is added when: nothing is taken twice or lost, nothing waits longer than the longest wait before it is
    /// due, and as long as anything is due no slot goes by without it.
    #[test]
    fn everything_is_sent_in_time(
        seed: u64,
        slot in 1_u64..=600,
        mut adds in proptest::collection::vec((0_u64..20_000, 0_u16..2_000), 1..200),
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut queue = Queue::new(WAIT_MAX_SECS);
        adds.sort_unstable();
        let wanted: BTreeMap<u16, u64> = adds.iter().rev().map(|(time, item)| (*item, *time)).collect();
        let mut pending = adds.into_iter().peekable();
        let (mut now, mut sent) = (0, BTreeMap::new());
        let last = 20_000 + u64::from(WAIT_MAX_SECS) + slot * (wanted.len() as u64 + 1);
        while now <= last {
            while let Some((time, item)) = pending.next_if(|(time, _)| *time <= now) {
                if !sent.contains_key(&item) {
                    queue.add(item, at(time), &mut rng);
                }
            }
            if let Some(item) = queue.take(at(now), &mut rng) {
                prop_assert!(now >= wanted[&item]);
                prop_assert_eq!(sent.insert(item, now), None, "sent twice");
            }
            now += slot;
        }
        prop_assert!(queue.is_empty());
        for (item, added) in &wanted {
            // Its wait, then at most one slot for every other item.
            let latest = added + u64::from(WAIT_MAX_SECS) + slot * (wanted.len() as u64 + 1);
            prop_assert!(sent[item] <= latest, "{} sent at {}, at the latest {latest}", item, sent[item]);
        }
    }

    /// A node that stops and starts at any seconds sends in the same slots at the same moments as one that runs on,
    /// leaves out those it was down for, and never sends twice in one.
    #[test]
    fn a_restart_changes_nothing(
        persons in 0_u32..72_000,
        start in 1_700_000_000_u64..1_800_000_000,
        stops in proptest::collection::vec((1_u64..2_000, 0_u64..500), 1..20),
    ) {
        let schedule = schedule(persons, 1);
        let matcher = id("p4");
        let run = |from: u64, to: u64| {
            let mut moments = Vec::new();
            let mut after = at(from);
            loop {
                after = schedule.slot_after(&matcher, &OWN, after).moment;
                if after.secs() > to {
                    return moments;
                }
                moments.push(after.secs());
            }
        };
        let (mut from, mut sent, mut down) = (start, Vec::new(), Vec::new());
        for (up, pause) in stops {
            sent.extend(run(from, from + up));
            down.extend(run(from + up, from + up + pause));
            from += up + pause;
        }
        let slots: BTreeSet<u64> = sent.iter().map(|moment| moment / u64::from(schedule.slot_secs())).collect();
        prop_assert_eq!(slots.len(), sent.len(), "twice in one slot");
        let mut all = [sent, down].concat();
        all.sort_unstable();
        prop_assert_eq!(all, run(start, from));
    }
}

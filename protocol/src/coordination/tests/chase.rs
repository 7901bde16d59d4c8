//! Deadlines, on the calendar of real years.

use jiff::civil::date;

use super::super::*;
use super::world::{Told, World};
use crate::covenant::{Coordination, Disclosure};

/// 9 o'clock in the morning, winter time or summer time.
fn morning(year: i16, month: i8, day: i8) -> Timestamp {
    Day::from_civil(date(year, month, day)).start().plus_secs(8 * 3_600)
}

fn day(year: i16, month: i8, day: i8) -> Day {
    Day::from_civil(date(year, month, day))
}

fn found_on(now: Timestamp) -> World {
    let mut world = World::new(&[0, 1], vec![super::world::Edge([0, 1])], Disclosure::NameAtOnce);
    world.now = now;
    world.find(0);
    world
}

/// Every day from now to `until` passes for both; returns on which day what was told to those around a case.
fn pass(world: &mut World, until: Day, case: usize) -> Vec<(Day, String)> {
    let mut told = Vec::new();
    while world.now.day() <= until {
        let count = |told: &Told| {
            let reminders: usize = told.reminders.values().map(Vec::len).sum();
            [reminders, told.supervisor.len(), told.coordinator.len()]
        };
        let before = count(&world.cases[case].told);
        (0..2).for_each(|case| world.tick(case));
        let after = count(&world.cases[case].told);
        for (who, (before, after)) in
            ["reminder", "supervisor", "coordinator"].iter().zip(before.iter().zip(after))
        {
            if *before < after {
                told.push((world.now.day(), (*who).to_owned()));
            }
        }
        world.now = world.now.plus_secs(24 * 3_600);
        world.run();
    }
    told
}

#[test]
fn reminders_come_before_the_deadline_then_the_supervisor_then_the_coordinator() {
    // The Wednesday before Easter 2026: Good Friday and Easter Monday are no working days.
    let mut world = found_on(morning(2026, 4, 1));
    let deadline = world.seen(0, 0).unwrap().0.deadline;
    assert_eq!(deadline, Some(day(2026, 4, 10)));
    let told = pass(&mut world, day(2026, 6, 1), 0);
    let expected = [
        (day(2026, 4, 7), "reminder"),
        (day(2026, 4, 9), "reminder"),
        (day(2026, 4, 13), "supervisor"),
        (day(2026, 4, 20), "coordinator"),
    ];
    assert_eq!(told, expected.map(|(day, who)| (day, who.to_owned())));
    assert_eq!(world.cases[0].told.coordinator, [10], "that a match has waited 10 working days, and no more");
    let reminded = world.cases[0].told.reminders.values().next().unwrap();
    assert_eq!(*reminded, [3, 1]);
}

#[test]
fn a_day_begins_at_midnight_in_amsterdam() {
    // Half past eleven in the evening UTC is the next day already.
    let late = Timestamp::from_secs(morning(2026, 7, 1).secs() + 14 * 3_600 + 1_800);
    let mut world = found_on(late);
    assert_eq!(world.seen(0, 0).unwrap().0.deadline, Some(day(2026, 7, 9)));
    world.now = late;
    assert_eq!(found_on(morning(2026, 7, 1)).seen(0, 0).unwrap().0.deadline, Some(day(2026, 7, 8)));
}

#[test]
fn muting_silences_reminders_and_nothing_else() {
    let mut world = found_on(morning(2027, 1, 11));
    world.act(0, &Action::Mute(true)).unwrap();
    let told = pass(&mut world, day(2027, 3, 1), 0);
    let who: Vec<_> = told.iter().map(|(_, who)| who.as_str()).collect();
    assert_eq!(who, ["supervisor", "coordinator"]);
    assert!(world.seen(0, 0).unwrap().0.muted);
}

#[test]
fn who_has_answered_is_not_reminded_but_told_that_the_other_is_silent() {
    let mut world = found_on(morning(2027, 1, 11));
    world.act(0, &Action::Respond(world.key(0, 0), Response::Coordinate)).unwrap();
    world.run();
    assert_eq!(world.seen(0, 0).unwrap().0.deadline, None);
    assert_eq!(pass(&mut world, day(2027, 1, 18), 0), []);
    let silent = Alert::Silent(world.key(0, 0));
    assert!(!world.cases[0].told.alerts.contains(&silent), "the last day is in time");
    assert_eq!(pass(&mut world, day(2027, 1, 19), 0), []);
    assert!(world.cases[0].told.alerts.contains(&silent), "on the day after the deadline");
    assert_eq!(world.cases[0].told.flags, [], "its name is known");
    assert_eq!(pass(&mut world, day(2027, 3, 1), 0), []);
    assert_eq!(world.cases[1].told.coordinator, [10], "the side for which it waits tells the coordinator");
}

#[test]
fn who_hides_and_is_silent_can_be_traced() {
    let mut world = World::new(&[0, 1], vec![super::world::Edge([0, 1])], Disclosure::NameWhenBothAgree);
    world.now = morning(2027, 1, 11);
    world.find(0);
    world.act(0, &Action::Respond(world.key(0, 0), Response::Coordinate)).unwrap();
    world.run();
    pass(&mut world, day(2027, 1, 18), 0);
    assert_eq!(world.cases[0].told.flags, []);
    pass(&mut world, day(2027, 1, 19), 0);
    assert_eq!(world.cases[0].told.flags, [Flag::Traceable(world.key(0, 0))]);
    assert_eq!(world.cases[1].told.flags, [], "not by who has not answered itself");
}

#[test]
fn what_waits_for_both_is_told_to_the_coordinator_by_one() {
    let mut world = found_on(morning(2027, 1, 11));
    for side in 0..2 {
        world.act(side, &Action::Respond(world.key(0, side), Response::Coordinate)).unwrap();
    }
    world.run();
    assert_eq!(world.seen(0, 0).unwrap().0.deadline, Some(day(2027, 1, 18)), "contact");
    let told = pass(&mut world, day(2027, 3, 1), 0);
    assert_eq!(told.iter().filter(|(_, who)| who == "reminder").count(), 2);
    let coordinators: Vec<_> = world.cases.iter().map(|case| case.told.coordinator.len()).collect();
    let first = usize::from(world.cases[1].reference < world.cases[0].reference);
    assert_eq!((coordinators[first], coordinators[1 - first]), (1, 0));
    assert!(world.cases.iter().all(|case| case.told.supervisor.len() == 1), "each has its own supervisor");
}

#[test]
fn contact_and_an_agreed_lead_end_the_waiting() {
    let mut world = found_on(morning(2027, 1, 11));
    for side in 0..2 {
        world.act(side, &Action::Respond(world.key(0, side), Response::Coordinate)).unwrap();
    }
    world.run();
    let today = world.now.day();
    world.act(0, &Action::Contact(world.key(0, 0), Some(today))).unwrap();
    world.run();
    let by = day(2027, 2, 8);
    assert_eq!(
        [0, 1].map(|side| world.seen(0, side).unwrap().0.deadline),
        [Some(by); 2],
        "a lead, or an end"
    );
    // Going back to a step gives no new time for it, and coming again to the next no new reminders.
    world.now = morning(2027, 1, 15);
    world.act(0, &Action::Contact(world.key(0, 0), None)).unwrap();
    world.run();
    assert_eq!(world.seen(0, 0).unwrap().0.deadline, Some(day(2027, 1, 18)));
    world.act(0, &Action::Contact(world.key(0, 0), Some(today))).unwrap();
    world.act(0, &Action::Claim).unwrap();
    world.run();
    assert_eq!(world.seen(0, 1).unwrap().0.deadline, Some(by));
    let id = world.cases[0].cooperation.claim.unwrap();
    world.act(1, &Action::Confirm(id)).unwrap();
    world.run();
    assert_eq!([0, 1].map(|side| world.seen(0, side).unwrap().0.deadline), [None; 2]);
    assert_eq!(pass(&mut world, day(2027, 6, 1), 0), []);
}

#[test]
fn who_is_done_is_left_alone() {
    let mut world = found_on(morning(2027, 1, 11));
    world.act(0, &Action::Respond(world.key(0, 0), Response::Coordinate)).unwrap();
    world.act(0, &Action::Close(world.key(0, 0), Outcome::NoFollowUp)).unwrap();
    assert_eq!(pass(&mut world, day(2027, 6, 1), 0), []);
    assert!(!world.cases[0].told.alerts.contains(&Alert::Silent(world.key(0, 0))));
}

#[test]
fn a_node_that_was_off_catches_up_without_a_storm() {
    let mut world = found_on(morning(2027, 1, 11));
    world.now = morning(2027, 3, 6);
    world.tick(0);
    assert!(world.cases[0].told.coordinator.is_empty(), "a Saturday");
    world.now = morning(2027, 3, 8);
    world.tick(0);
    let told = &world.cases[0].told;
    assert_eq!((told.reminders.len(), told.supervisor.len(), told.coordinator.clone()), (0, 1, vec![39]));
    world.tick(0);
    assert_eq!(world.cases[0].told.coordinator.len(), 1);
}

#[test]
fn short_terms_have_no_reminder_before_they_begin() {
    let mut world = found_on(morning(2027, 1, 11));
    let terms = Coordination { respond_days: 1, coordinator_days: 1, ..Coordination::default() };
    let purpose = Purpose { coordination: Some(terms), ..world.purpose() };
    let mut told = Vec::new();
    for day in 11..16 {
        let at = At { now: morning(2027, 1, day), purpose: &purpose, restored: None };
        let effects = world.cases[0].cooperation.tick(at, &mut world.rng);
        told.extend(effects.into_iter().map(|effect| match effect {
            Effect::TellSupervisor { waited, .. } => (day, "supervisor", waited),
            Effect::TellCoordinator { waited } => (day, "coordinator", waited),
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(told, [(13, "supervisor", 1), (14, "coordinator", 2)]);
}

#[test]
fn several_matches_of_a_case_are_one_reminder() {
    let edges = [[0, 1], [0, 2]].map(super::world::Edge).to_vec();
    let mut world = World::new(&[0, 1, 2], edges, Disclosure::NameAtOnce);
    world.now = morning(2027, 1, 11);
    (0..2).for_each(|edge| world.find(edge));
    let purpose = world.purpose();
    let at = At { now: morning(2027, 1, 13), purpose: &purpose, restored: None };
    let effects = world.cases[0].cooperation.tick(at, &mut world.rng);
    let about = (0..2).map(|edge| (world.key(edge, 0), Step::Respond)).collect();
    assert_eq!(effects, [Effect::Remind { deadline: day(2027, 1, 18), days_left: 3, about }]);
}

//! One rule after the other, without chance.

use super::super::*;
use super::world::{Edge, Fate, World};
use crate::conversation::MistakenReason;
use crate::covenant::Disclosure;
use crate::matching::match_id;

fn two() -> World {
    World::around_one_family(2, Disclosure::NameAtOnce)
}

fn coordinate(world: &mut World, edge: usize) {
    for side in 0..2 {
        let action = Action::Respond(world.key(edge, side), Response::Coordinate);
        world.act(world.edges[edge].0[side], &action).unwrap();
    }
    world.run();
}

fn states(world: &World) -> [Progress; 2] {
    [0, 1].map(|side| world.seen(0, side).unwrap().0.state)
}

#[test]
fn both_sides_go_from_open_to_closed() {
    let mut world = two();
    let [ours, theirs] = [0, 1].map(|side| world.key(0, side));
    assert_eq!(states(&world), [Progress::Open; 2]);
    world.act(0, &Action::Respond(ours.clone(), Response::Coordinate)).unwrap();
    assert_eq!(states(&world), [Progress::Responded, Progress::Open], "the other has not heard yet");
    world.run();
    assert_eq!(states(&world), [Progress::Responded; 2]);
    coordinate(&mut world, 0);
    let today = crate::calendar::local_day(world.now);
    world.act(1, &Action::Contact(theirs.clone(), Some(today))).unwrap();
    world.run();
    assert_eq!(states(&world), [Progress::InContact; 2], "what one records is a fact for both");
    world.act(0, &Action::Claim).unwrap();
    world.run();
    assert_eq!(states(&world), [Progress::InContact; 2], "claimed and not confirmed");
    let claim = world.seen(0, 1).unwrap().0.claims[0].clone();
    assert_eq!((claim.who, claim.confirmed), (Who::Partner(theirs.clone()), false));
    world.act(1, &Action::Confirm(claim.id)).unwrap();
    world.run();
    assert_eq!(states(&world), [Progress::LeadAgreed; 2]);
    world.act(0, &Action::Close(ours, Outcome::LeadAgreed)).unwrap();
    world.run();
    assert_eq!(states(&world), [Progress::Closed, Progress::LeadAgreed], "each is done for itself");
    assert!(world.cases[0].told.closed && !world.cases[1].told.closed);
    assert!(world.cases[1].told.alerts.contains(&Alert::OtherClosed(theirs.clone())));
    world.act(1, &Action::Close(theirs, Outcome::PlanMade)).unwrap();
    assert_eq!(states(&world), [Progress::Closed; 2]);
    let (view, index) = world.seen(0, 1).unwrap();
    let seen = &view.matches[index];
    assert_eq!((seen.outcome, seen.their_outcome), (Some(Outcome::PlanMade), Some(Outcome::LeadAgreed)));
}

#[test]
fn who_works_together_already_is_in_contact() {
    let mut world = two();
    for side in 0..2 {
        let action = Action::Respond(world.key(0, side), Response::AlreadyTogether);
        world.act(side, &action).unwrap();
    }
    world.run();
    assert_eq!(states(&world), [Progress::InContact; 2]);
    assert!(world.seen(0, 0).unwrap().0.matches[0].card.is_none(), "cards are for who wants to coordinate");
    // An answer may change.
    coordinate(&mut world, 0);
    assert_eq!(states(&world), [Progress::Responded; 2]);
    assert!(world.seen(0, 0).unwrap().0.matches[0].card.is_some());
}

#[test]
fn a_case_that_meets_several_is_one_notice_that_grows() {
    let mut world =
        World::new(&[0, 1, 2, 3], vec![Edge([0, 1]), Edge([0, 2]), Edge([0, 3])], Disclosure::NameAtOnce);
    world.find(0);
    world.find(1);
    let involved = |joined: MatchKey, first| Alert::Involved { first, joined };
    assert_eq!(
        world.cases[0].told.alerts,
        [involved(world.key(0, 0), true)],
        "one alert until somebody looks"
    );
    world.act(0, &Action::Mute(true)).unwrap();
    for edge in 0..2 {
        let key = world.key(edge, 0);
        world.act(0, &Action::Respond(key.clone(), Response::Coordinate)).unwrap();
        world.act(0, &Action::Close(key, Outcome::NoFollowUp)).unwrap();
    }
    assert!(world.cases[0].told.closed);
    assert_eq!(world.seen(0, 0).unwrap().0.state, Progress::Closed);
    world.find(2);
    let view = world.seen(2, 0).unwrap().0;
    assert_eq!((view.matches.len(), view.state, view.muted), (3, Progress::Open, false), "open again");
    assert!(!world.cases[0].told.closed);
    let told = &world.cases[0].told.alerts;
    assert_eq!(told[1..], [involved(world.key(2, 0), false)], "and that is news");
    // Ended and found again it is the same match: nobody is told.
    world.withdraw(3);
    world.run();
    world.cases[3].withdrawn = false;
    world.act(0, &Action::Look).unwrap();
    world.find(2);
    assert_eq!(world.cases[0].told.alerts[2..], [Alert::Ended(world.key(2, 0))]);
}

#[test]
fn the_name_comes_when_both_agree_where_the_purpose_says_so() {
    let mut world = World::around_one_family(2, Disclosure::NameWhenBothAgree);
    let [ours, theirs] = [0, 1].map(|side| world.key(0, side));
    let named = |world: &World| [0, 1].map(|side| world.seen(0, side).unwrap().0.matches[0].partner.cloned());
    let together = Action::Respond(ours.clone(), Response::AlreadyTogether);
    assert_eq!(world.act(0, &together), Err(Refused::NotNamed), "nobody knows whom they mean");
    world.act(0, &Action::Respond(ours.clone(), Response::Coordinate)).unwrap();
    world.act(1, &Action::Claim).unwrap();
    world.run();
    assert_eq!(named(&world), [None, None], "neither an answer nor a claim names anybody");
    world.act(1, &Action::Respond(theirs, Response::Coordinate)).unwrap();
    world.run();
    let ids = [1, 0].map(|case: usize| Some(world.founders[case].card.card.id.clone()));
    assert_eq!(named(&world), ids);
    // When one is gone, so is its name.
    world.withdraw(1);
    world.run();
    assert!(world.seen(0, 0).is_none());
    world.cases[1].withdrawn = false;
    world.find(0);
    assert_eq!(named(&world)[0], None);
}

#[test]
fn a_match_that_is_not_right_is_out_for_both() {
    let mut world = World::around_one_family(3, Disclosure::NameAtOnce);
    let key = world.key(0, 0);
    world.act(0, &Action::NotRight(key.clone(), MistakenReason::OtherPerson)).unwrap();
    assert!(world.seen(0, 0).is_none());
    world.run();
    assert!(world.seen(0, 1).is_none());
    let not_right = Alert::NotRight(world.key(0, 1));
    assert!(world.cases[1].told.alerts.contains(&not_right), "who did not say it is told");
    assert!(!world.cases[0].told.alerts.iter().any(|alert| matches!(alert, Alert::NotRight(_))));
    assert!(world.seen(1, 0).is_some() && world.seen(2, 0).is_some(), "other matches stay");
    assert_eq!(world.act(0, &Action::Respond(key, Response::Coordinate)), Err(Refused::NoMatch));
}

#[test]
fn what_cannot_be_done_is_refused() {
    let mut world = two();
    let key = world.key(0, 0);
    let other = ClaimId::from_bytes([9; 16]);
    let today = crate::calendar::local_day(world.now);
    let unknown =
        MatchKey { id: match_id(world.cases[0].reference, world.cases[0].reference), partner: None };
    let refused = [
        (Action::Respond(unknown, Response::Coordinate), Refused::NoMatch),
        (Action::Contact(key.clone(), Some(today)), Refused::AnswerFirst),
        (Action::Contact(key.clone(), Some(today.plus(1))), Refused::InFuture),
        (Action::Close(key.clone(), Outcome::NoFollowUp), Refused::AnswerFirst),
        (Action::Release, Refused::NotLead),
        (Action::OfferLead(key.clone()), Refused::NotLead),
        (Action::Confirm(other), Refused::NoClaim),
    ];
    for (action, error) in refused {
        assert_eq!(world.act(0, &action), Err(error), "{action:?}");
    }
    world.act(0, &Action::Respond(key.clone(), Response::Coordinate)).unwrap();
    for (outcome, error) in [
        (Outcome::ContactMade, Refused::NoContact),
        (Outcome::PlanMade, Refused::NoContact),
        (Outcome::LeadAgreed, Refused::NoLead),
    ] {
        assert_eq!(world.act(0, &Action::Close(key.clone(), outcome)), Err(error), "{outcome:?}");
    }
    world.act(0, &Action::Contact(key.clone(), Some(today))).unwrap();
    world.act(0, &Action::Close(key.clone(), Outcome::ContactMade)).unwrap();
    world.act(0, &Action::Reopen(key.clone())).unwrap();
    world.act(0, &Action::Contact(key.clone(), None)).unwrap();
    assert_eq!(world.act(0, &Action::Close(key, Outcome::ContactMade)), Err(Refused::NoContact));
}

#[test]
fn the_latest_position_counts_in_whatever_order_it_comes() {
    let mut world = two();
    let (ours, theirs) = (world.key(0, 0), world.key(0, 1));
    for response in [Response::Coordinate, Response::AlreadyTogether] {
        world.act(0, &Action::Respond(ours.clone(), response)).unwrap();
        world.send(0, 0, Fate::Arrives);
    }
    let their_view = |world: &World| {
        let tie = world.cases[1].cooperation.tie(&theirs).unwrap();
        tie.theirs().map(|position| (position.seq, position.response.unwrap()))
    };
    world.deliver(1);
    assert_eq!(their_view(&world), Some((2, Response::AlreadyTogether)));
    for which in [0, 1, 0] {
        let before = world.cases[1].cooperation.clone();
        world.deliver(which);
        assert_eq!(world.cases[1].cooperation, before, "later ones stand, and the same again is nothing");
    }
    assert_eq!(their_view(&world), Some((2, Response::AlreadyTogether)));
}

#[test]
fn of_two_positions_with_one_counter_both_sides_keep_the_same() {
    let mut tie =
        tie::Tie::new(two().key(0, 0), crate::id::Reference::from_bytes([1; 16]), Day::from_days(1));
    let said = |response| Position { seq: 3, response: Some(response), ..Position::default() };
    let [low, high] = [1, 2].map(|byte| MessageId::from_bytes([byte; 16]));
    let (first, second) = (said(Response::Coordinate), said(Response::AlreadyTogether));
    let mut turned = tie.clone();
    tie.hear(low, &first);
    tie.hear(high, &second);
    turned.hear(high, &second);
    turned.hear(low, &first);
    assert_eq!((&tie, tie.theirs()), (&turned, Some(&second)));
}

#[test]
fn a_restored_node_is_believed_again() {
    let mut world = two();
    let [ours, theirs] = [0, 1].map(|side| world.key(0, side));
    let say = |world: &mut World, response| {
        world.act(0, &Action::Respond(ours.clone(), response)).unwrap();
        world.run();
    };
    let heard = |world: &World| world.seen(0, 1).unwrap().0.matches[0].their_response;
    world.back_up(0);
    for response in [Response::AlreadyTogether, Response::Coordinate, Response::AlreadyTogether] {
        say(&mut world, response);
    }
    for _ in 0..2 {
        world.restore(0);
        world.find(0);
        world.run();
        assert_eq!(heard(&world), None, "what it says now counts, also that it says nothing");
        say(&mut world, Response::Coordinate);
        assert_eq!(heard(&world), Some(Response::Coordinate));
        let seq = world.cases[1].cooperation.tie(&theirs).unwrap().theirs().unwrap().seq;
        assert_eq!(seq >> 20, world.now.secs());
    }
}

#[test]
fn a_restored_node_speaks_up_to_whom_it_does_not_remember() {
    let mut world = World::new(&[0, 1], vec![Edge([0, 1])], Disclosure::NameAtOnce);
    world.back_up(0);
    world.find(0);
    world.act(0, &Action::Claim).unwrap();
    world.run();
    assert_eq!(world.cases[1].cooperation.claims().len(), 1);
    world.restore(0);
    world.find(0);
    world.run();
    assert_eq!(world.cases[1].cooperation.claims().len(), 0);
}

#[test]
fn a_crowd_is_flagged_once_and_goes_no_further() {
    let around = MATCHES_MAX + 2;
    let partners: Vec<_> = (0..=around).map(|case| if case == 0 { 0 } else { 1 + case % 5 }).collect();
    let edges = (1..=around).map(|case| Edge([0, case])).collect();
    let mut world = World::new(&partners, edges, Disclosure::NameAtOnce);
    (0..around).for_each(|edge| world.find(edge));
    assert_eq!(world.cases[0].told.flags, [Flag::Crowded]);
    assert_eq!(world.seen(0, 0).unwrap().0.matches.len(), MATCHES_MAX);
    world.act(around, &Action::Claim).unwrap();
    world.run();
    assert_eq!(world.cases[0].cooperation.claims().len(), 0, "who came last is not part of it");
    world.restart(0);
}

//! Claims to be the lead: who hears of them, conflicts, hand-over.

use super::super::*;
use super::world::{Edge, Fate, World};
use crate::conversation::Says;
use crate::coordination::position::HOPS_MAX;
use crate::covenant::Disclosure;

/// Cases in a row: each knows the one before and the one after.
fn chain(cases: usize) -> World {
    let partners: Vec<_> = (0..cases).map(|case| case % 6).collect();
    let edges = (1..cases).map(|case| Edge([case - 1, case])).collect();
    let mut world = World::new(&partners, edges, Disclosure::NameAtOnce);
    (1..cases).for_each(|edge| world.find(edge - 1));
    world
}

fn claims(world: &World, case: usize) -> Vec<ClaimView> {
    world.cases[case].cooperation.view(&world.purpose()).unwrap().claims
}

fn claim(world: &mut World, case: usize) -> ClaimId {
    world.act(case, &Action::Claim).unwrap();
    world.run();
    world.cases[case].cooperation.claim.unwrap()
}

fn contested(world: &World, case: usize) -> usize {
    let is = |alert: &&Alert| matches!(alert, Alert::LeadContested(_));
    world.cases[case].told.alerts.iter().filter(is).count()
}

fn next_day(world: &mut World) {
    world.now = world.now.plus_secs(24 * 3_600);
    (0..world.cases.len()).for_each(|case| world.tick(case));
    world.run();
}

#[test]
fn who_has_not_met_the_lead_is_told_through_whom_to_reach_it() {
    let mut world = chain(3);
    let id = claim(&mut world, 2);
    let seen = [0, 1, 2].map(|case| claims(&world, case));
    assert_eq!(seen[2], [ClaimView { id, who: Who::Us, confirmed: true }]);
    assert_eq!(seen[1], [ClaimView { id, who: Who::Partner(world.key(1, 0)), confirmed: false }]);
    assert_eq!(seen[0], [ClaimView { id, who: Who::Through(vec![world.key(0, 0)]), confirmed: false }]);
    let told = |case: usize| &world.cases[case].cooperation.ties[0].told;
    assert_eq!(told(1).claims, [Claim { hops: 1, id }].into());
    assert_eq!(*told(0), Position::default(), "nobody tells a claim back to where it is known from");
    for case in 0..2 {
        assert!(world.cases[case].told.alerts.contains(&Alert::LeadClaimed(id)));
        world.act(case, &Action::Confirm(id)).unwrap();
    }
    world.run();
    let states = [0, 1, 2].map(|case| world.cases[case].cooperation.view(&world.purpose()).unwrap().state);
    assert_eq!(states, [Progress::LeadAgreed; 3], "they agree on somebody whom one of them does not know");
}

#[test]
fn who_has_met_the_lead_hears_it_once_however_many_say_it() {
    let mut world = World::around_one_family(4, Disclosure::NameAtOnce);
    let id = claim(&mut world, 3);
    for case in 0..3 {
        let (edge, side) =
            *world.edges_of(case).iter().find(|(edge, _)| world.edges[*edge].0.contains(&3)).unwrap();
        let who = Who::Partner(world.key(edge, side));
        assert_eq!(claims(&world, case), [ClaimView { id, who, confirmed: false }]);
    }
}

#[test]
fn conflicts_are_judged_over_all_matches_and_settled_by_people() {
    let mut world = chain(3);
    let [first, last] = [0, 2].map(|case| claim(&mut world, case));
    for case in 0..3 {
        world.tick(case);
        assert_eq!(claims(&world, case).len(), 2, "shown as such, also to who has not met the other");
        assert_eq!(contested(&world, case), 0, "not at once");
    }
    world.act(1, &Action::Confirm(last)).unwrap();
    world.run();
    let state = |world: &World| world.seen(1, 0).unwrap().0.matches[1].state;
    assert_eq!(state(&world), Progress::Open, "no lead is agreed on while there are two");
    next_day(&mut world);
    next_day(&mut world);
    assert_eq!([0, 1, 2].map(|case| contested(&world, case)), [1; 3], "told once");
    // People settle it: the first gives way.
    world.act(0, &Action::Confirm(last)).unwrap();
    world.run();
    assert_eq!(state(&world), Progress::LeadAgreed);
    assert_eq!(claims(&world, 0).len(), 1);
    // A further claim is a new conflict; the old one is not told of again.
    let third = claim(&mut world, 0);
    assert_ne!(third, first);
    next_day(&mut world);
    assert_eq!([0, 1, 2].map(|case| contested(&world, case)), [2; 3]);
}

#[test]
fn the_lead_is_handed_over_without_a_conflict() {
    let mut world = World::around_one_family(3, Disclosure::NameAtOnce);
    let old = claim(&mut world, 0);
    for case in 1..3 {
        world.act(case, &Action::Confirm(old)).unwrap();
    }
    let to = world.key(0, 0);
    world.act(0, &Action::OfferLead(to.clone())).unwrap();
    world.run();
    let offered = Alert::LeadOffered(world.key(0, 1), old);
    assert!(world.cases[1].told.alerts.contains(&offered));
    assert!(!world.cases[2].told.alerts.iter().any(|alert| matches!(alert, Alert::LeadOffered(..))));
    assert_eq!(claims(&world, 2)[0].id, old, "still the lead");
    let new = claim(&mut world, 1);
    for case in 0..3 {
        let seen = claims(&world, case);
        assert_eq!(seen.iter().map(|claim| claim.id).collect::<Vec<_>>(), [new]);
        assert_eq!(seen[0].confirmed, case < 2, "the old lead and the new one agree; others confirm anew");
    }
    next_day(&mut world);
    assert_eq!([0, 1, 2].map(|case| contested(&world, case)), [0; 3]);
    assert_eq!(world.act(0, &Action::OfferLead(to)), Err(Refused::NotLead));
}

#[test]
fn an_offer_taken_back_hands_nothing_over() {
    let mut world = World::around_one_family(2, Disclosure::NameAtOnce);
    claim(&mut world, 0);
    world.act(0, &Action::OfferLead(world.key(0, 0))).unwrap();
    world.act(0, &Action::KeepLead).unwrap();
    world.run();
    claim(&mut world, 1);
    assert_eq!(claims(&world, 0).len(), 2, "two who claim it");
}

#[test]
fn a_claim_goes_with_the_case_and_with_its_release() {
    // Everybody has met everybody: nobody keeps a claim alive that its maker gave up.
    let mut world = World::around_one_family(5, Disclosure::NameAtOnce);
    claim(&mut world, 4);
    let before = world.posts();
    world.act(4, &Action::Release).unwrap();
    world.run();
    assert!((0..5).all(|case| claims(&world, case).is_empty()));
    let posts = world.posts() - before;
    let said = 4 + 4 * 3; // by the maker to each, and by each to each of the others
    assert!(posts <= said * 2, "at two matchers: {posts}");
    claim(&mut world, 4);
    world.withdraw(4);
    world.run();
    assert!((0..4).all(|case| claims(&world, case).is_empty()));
    // The same case signals again: it claims nothing.
    world.cases[4].withdrawn = false;
    (0..world.edges.len()).for_each(|edge| world.find(edge));
    world.run();
    assert!((0..5).all(|case| claims(&world, case).is_empty()));
}

#[test]
fn a_ring_that_never_met_the_lead_forgets_it() {
    // 0 claims; 1 met it; 2, 3 and 4 form a ring with 1.
    let edges = [[0, 1], [1, 2], [2, 3], [3, 4], [1, 4], [2, 4]].map(Edge).to_vec();
    let mut world = World::new(&[0, 1, 2, 3, 4], edges, Disclosure::NameAtOnce);
    (0..6).for_each(|edge| world.find(edge));
    claim(&mut world, 0);
    assert!((0..5).all(|case| claims(&world, case).len() == 1));
    world.withdraw(0);
    world.run();
    assert!((1..5).all(|case| claims(&world, case).is_empty()), "nobody keeps it alive for another");
}

#[test]
fn a_claim_goes_so_far_and_no_further() {
    let reach = usize::from(HOPS_MAX) + 1;
    let mut world = chain(reach + 3);
    claim(&mut world, 0);
    assert_eq!(claims(&world, reach).len(), 1);
    assert_eq!(claims(&world, reach + 1).len(), 0);
}

#[test]
fn one_claim_of_two_makers_is_a_conflict() {
    let mut world = World::around_one_family(3, Disclosure::NameAtOnce);
    let id = claim(&mut world, 0);
    // 1 says that the claim of 0 is its own.
    world.cases[1].cooperation.claim = Some(id);
    world.act(1, &Action::Look).unwrap();
    world.run();
    let seen = claims(&world, 2);
    assert_eq!(seen.len(), 2, "both are shown");
    assert!(world.cases[2].cooperation.is_contested(&world.cases[2].cooperation.claims()));
}

#[test]
fn nobody_is_told_of_an_own_claim_that_was_given_up() {
    let mut world = chain(3);
    let id = claim(&mut world, 1);
    // 0 and 2 pass it on to nobody but its maker; a claim comes back late.
    world.act(1, &Action::Release).unwrap();
    let tie = world.cases[1].cooperation.ties.iter_mut().next().unwrap();
    let echo = Position { seq: 99, claims: [Claim { hops: 1, id }].into(), ..Position::default() };
    tie.hear(MessageId::from_bytes([1; 16]), &echo);
    assert!(claims(&world, 1).is_empty());
}

#[test]
fn no_message_names_an_organisation_but_its_sender_on_a_card() {
    let mut world = chain(3);
    claim(&mut world, 2);
    for case in 0..3 {
        for (edge, side) in world.edges_of(case) {
            world.act(case, &Action::Respond(world.key(edge, side), Response::Coordinate)).unwrap();
        }
    }
    world.run();
    world.send(1, 0, Fate::Arrives);
    let said = world.cases.iter().flat_map(|case| case.matches.iter().map(move |entry| (case, entry)));
    let mut cards = 0;
    for (case, said) in said.flat_map(|(case, entry)| entry.said.iter().map(move |said| (case, said))) {
        if let Says::Card(card) = &said.message.says {
            cards += 1;
            assert_eq!(card.member, world.founders[case.partner].card.card.id);
        }
    }
    assert_eq!(cards, 4);
}

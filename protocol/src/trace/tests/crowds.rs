//! A crowd is told, ruled on, and those who kept the rules are introduced.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{Form, Passed, TODAY, World, id, subject_key};
use crate::board::Post;
use crate::meeting::{CROWD, Meeting, TakenIn};
use crate::trace::crowd::{BadCrowd, Verdict};
use crate::trace::*;

/// Submissions of these members under one tag, as the matcher reports them.
fn crowd(world: &World, senders: &[&str]) -> (Crowd, Vec<Leave>) {
    let leaves: Vec<_> = (100..)
        .zip(senders)
        .map(|(seed, sender)| world.leave(sender, seed, &subject_key(7), Form::Good))
        .collect();
    let records =
        senders.iter().zip(&leaves).map(|(sender, leave)| world.disclosed(sender, leave, Passed::Well));
    (report(world, records.collect()), leaves)
}

fn report(world: &World, records: Vec<Disclosed>) -> Crowd {
    Crowd::sign(records, &world.destination(), TODAY, world.key("p14"))
}

fn ruled(world: &World, crowd: &Crowd) -> (Vec<Half>, Verdict, Ruling) {
    let halves = crowd.half_open(&world.covenant, &World::trace_secret(1), world.key("p1"), TODAY);
    let verdict = crowd.rule(&halves, &world.covenant, &World::trace_secret(0), world.key("p0")).unwrap();
    let ruling = crowd.accept(&verdict, &halves, &world.covenant, world.key("p1")).unwrap();
    (halves, verdict, ruling)
}

/// Thirteen members with one each, and p5 with four more.
fn senders() -> Vec<&'static str> {
    let others = ["p0", "p1", "p2", "p3", "p4", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13"];
    others.into_iter().chain(["p5"; 4]).collect()
}

#[test]
fn several_of_one_member_are_removed_and_the_rest_is_introduced() {
    let world = World::new();
    let (crowd, leaves) = crowd(&world, &senders());
    let mut meeting = Meeting::new(world.destination());
    for leave in &leaves {
        meeting.leave(leave, TODAY).unwrap();
    }
    let crowds = meeting.crowds(TODAY);
    assert_eq!(crowds.iter().map(Vec::len).collect::<Vec<_>>(), [17]);
    let (_, verdict, ruling) = ruled(&world, &crowd);
    let named: Vec<_> =
        verdict.answers.iter().map(|answer| answer.check(&world.covenant).unwrap().sender).collect();
    assert_eq!(named, vec![id("p5"); 4]);
    assert_eq!(ruling.cleared.len(), 13);
    let verified = ruling.verify(&world.destination(), &world.covenant).unwrap();
    let change = meeting.rule(&verified, TODAY);
    assert_eq!((meeting.len(), change.ended.len()), (13, 4));
    // Three of the four were among the first sixteen, and the others are told.
    let removals = change.announcements.iter().filter(|it| matches!(it.post, Post::Removed(_))).count();
    assert_eq!(removals, 3 * 13);
    for leave in &leaves[..13] {
        assert_eq!(meeting.live(&leave.mailbox).unwrap().introduced.len(), 12);
        assert!(change.live.contains(&leave.mailbox));
    }
    assert!(meeting.crowds(TODAY).is_empty());
    assert_eq!(
        meeting.rule(&verified, TODAY),
        crate::meeting::Change::default(),
        "the same again changes nothing"
    );
    assert_eq!(meeting.leave(&leaves[16], TODAY), Err(crate::relay::Refusal::Mailbox), "no revival");
}

#[test]
fn a_crowd_of_cleared_ones_is_introduced_whole_and_the_next_is_reported_again() {
    let world = World::new();
    let key = subject_key(7);
    let leaves: Vec<_> = (100..119).map(|seed| world.leave("p5", seed, &key, Form::Good)).collect();
    let mut meeting = Meeting::new(world.destination());
    for leave in &leaves[..18] {
        meeting.leave(leave, TODAY).unwrap();
    }
    let cleared = leaves[..18].iter().map(|leave| leave.mailbox).collect();
    let change = meeting.rule(&VerifiedRuling { removed: Vec::new(), cleared }, TODAY);
    assert_eq!(change.announcements.len(), 2 * (16 + 17), "the two beyond the limit meet all");
    assert!(meeting.crowds(TODAY).is_empty());
    let TakenIn::New { change, .. } = meeting.leave(&leaves[18], TODAY).unwrap() else { panic!() };
    assert!(change.announcements.is_empty());
    let crowds = meeting.crowds(TODAY);
    assert_eq!((crowds[0].len(), crowds[0][0]), (19, leaves[18].mailbox), "who is not cleared comes first");
    assert!(meeting.crowds(leaves[0].expiry.plus(1)).is_empty());
}

#[test]
fn a_false_ticket_is_removed_in_the_relays_name() {
    let world = World::new();
    let (_, leaves) = crowd(&world, &senders()[..13]);
    let mut records: Vec<_> = senders()
        .iter()
        .zip(&leaves)
        .map(|(sender, leave)| world.disclosed(sender, leave, Passed::Well))
        .collect();
    let seeds = (200_u8..).zip([Passed::False, Passed::False, Passed::NoTicket, Passed::NoInner]);
    records.extend(seeds.map(|(seed, passed)| {
        world.disclosed("p5", &world.leave("p5", seed, &subject_key(7), Form::Good), passed)
    }));
    let (_, verdict, ruling) = ruled(&world, &report(&world, records));
    assert_eq!((ruling.removed.len(), ruling.cleared.len()), (4, 13));
    for answer in &verdict.answers {
        assert_eq!(answer.check(&world.covenant).unwrap().sender, id("p3"));
    }
}

#[test]
fn no_crowd_opens_nothing() {
    let world = World::new();
    let unfounded = |crowd: &Crowd| {
        assert_eq!(crowd.check(&world.covenant), Err(BadCrowd::Refused(Refusal::Unfounded)));
        let halves = crowd.half_open(&world.covenant, &World::trace_secret(1), world.key("p1"), TODAY);
        let ruled = crowd.rule(&halves, &world.covenant, &World::trace_secret(0), world.key("p0"));
        assert!(ruled.is_err(), "the first holder checks too");
    };
    let (whole, leaves) = crowd(&world, &senders());
    assert!(whole.check(&world.covenant).is_ok());
    unfounded(&report(&world, whole.records[..CROWD].to_vec()));
    let with = |record: Disclosed| {
        let mut records = whole.records.clone();
        records[16] = record;
        report(&world, records)
    };
    unfounded(&with(whole.records[0].clone()));
    let other_tag = world.leave("p5", 200, &subject_key(8), Form::Good);
    unfounded(&with(world.disclosed("p5", &other_tag, Passed::Well)));
    // What took the place of another is not a second one.
    let mut renewed = world.leave("p13", 201, &subject_key(7), Form::Good);
    renewed.replaces =
        Some(world.destination().replaces(&World::withdraw(112), leaves[12].mailbox, &renewed.mailbox));
    unfounded(&with(world.disclosed("p13", &renewed, Passed::Well)));
    // What says so without the owner's consent does not hide anything.
    renewed.replaces =
        Some(world.destination().replaces(&World::withdraw(1), leaves[12].mailbox, &renewed.mailbox));
    assert!(with(world.disclosed("p13", &renewed, Passed::Well)).check(&world.covenant).is_ok());
    let late =
        Crowd::sign(whole.records.clone(), &world.destination(), leaves[0].expiry.plus(1), world.key("p14"));
    unfounded(&late);
    let stranger = Crowd::sign(whole.records.clone(), &world.destination(), TODAY, world.key("p13"));
    assert_eq!(stranger.check(&world.covenant), Err(BadCrowd::Refused(Refusal::Signature)));
    let invented = world.disclosed("p5", &world.leave("p5", 202, &subject_key(7), Form::Good), Passed::Never);
    let Err(BadCrowd::Proven(violation)) = with(invented).check(&world.covenant) else { panic!() };
    let evidence = Evidence { network: world.covenant.network(), violation };
    assert_eq!(evidence.check(&world.covenant).unwrap().members, [id("p14")]);
}

#[test]
fn neither_holder_can_remove_alone() {
    let world = World::new();
    let (crowd, _) = crowd(&world, &senders());
    let (halves, verdict, ruling) = ruled(&world, &crowd);
    let refused = |verdict: &Verdict| {
        assert!(crowd.accept(verdict, &halves, &world.covenant, world.key("p1")).is_err());
    };
    // The first holder removes somebody with one, with its true answer.
    let mut changed = verdict.clone();
    changed.removed.push(changed.cleared.remove(0));
    let (record, half) = crowd
        .records
        .iter()
        .zip(&halves)
        .find(|(record, _)| {
            record.check(&world.destination(), &world.covenant).unwrap().mailbox == changed.removed[4]
        })
        .unwrap();
    let why = crowd.why();
    let trial = Trial { covenant: &world.covenant, matcher: &id("p14"), kept: &record.kept, why: &why };
    changed.answers.push(trial.open(half, &World::trace_secret(0), world.key("p0")).unwrap());
    let signing = world.key("p0");
    changed.by = HolderSignatures::new(&changed.removed, &changed.cleared, &world.destination(), signing);
    refused(&changed);
    // Or leaves somebody out.
    let mut changed = verdict.clone();
    changed.cleared.pop();
    changed.by = HolderSignatures::new(&changed.removed, &changed.cleared, &world.destination(), signing);
    refused(&changed);
    // The second alone cannot sign for the first.
    for broken in [
        Ruling { by: [ruling.by[1].clone(), ruling.by[1].clone()], ..ruling.clone() },
        Ruling { removed: ruling.removed[1..].to_vec(), ..ruling.clone() },
        Ruling { cleared: ruling.cleared[1..].to_vec(), ..ruling.clone() },
    ] {
        assert_eq!(broken.verify(&world.destination(), &world.covenant), Err(Refusal::Signature));
    }
    let elsewhere = Destination { matcher: id("p13"), ..world.destination() };
    assert_eq!(ruling.verify(&elsewhere, &world.covenant), Err(Refusal::Signature));
    let removal = ruling.verify(&world.destination(), &world.covenant).unwrap().removed.remove(0);
    assert!(removal.verify(&elsewhere, &world.covenant).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whoever left one is never named, whoever left several always is.
    #[test]
    fn exactly_those_with_several_are_named(choices in prop::collection::vec(0..14_usize, 17..22)) {
        let world = World::new();
        let senders: Vec<_> = choices.iter().map(|n| format!("p{n}")).collect();
        let senders: Vec<_> = senders.iter().map(String::as_str).collect();
        let (crowd, _) = crowd(&world, &senders);
        let (_, verdict, ruling) = ruled(&world, &crowd);
        let several: BTreeSet<_> = senders
            .iter()
            .filter(|sender| senders.iter().filter(|other| other == sender).count() > 1)
            .map(|sender| id(sender))
            .collect();
        let named: BTreeSet<_> =
            verdict.answers.iter().map(|answer| answer.check(&world.covenant).unwrap().sender).collect();
        prop_assert_eq!(&named, &several);
        let count = senders.iter().filter(|sender| several.contains(&id(sender))).count();
        prop_assert_eq!((ruling.removed.len(), ruling.cleared.len()), (count, senders.len() - count));
    }
}

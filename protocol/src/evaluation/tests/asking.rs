//! Both sides together: what comes out, and what becomes of it when holders are down, lie, or lag.

use super::world::{ALL, reason};
use super::*;
use crate::id::MemberId;

#[test]
fn every_member_gets_what_the_whole_keys_give() {
    let mut world = World::new();
    for member in ALL {
        let mut asker = Asker::new(id(member), None);
        assert_eq!(ask(&mut world, &mut asker, &["x", "y"], &[]), Progress::Complete);
        let result = asker.finish().unwrap();
        assert_eq!(result, expected(&world, member, &["x", "y"]), "{member}");
        assert!(result.iter().all(|key| key.matcher != id(member)), "no key of its own");
        assert_eq!(asker.progress(), Progress::Idle);
    }
    let mut all: Vec<_> =
        expected(&world, "a", &["x", "y"]).into_iter().flat_map(|key| key.subject_keys).collect();
    all.dedup();
    assert_eq!(all.len(), 8, "one subject key per input and matcher");
}

#[test]
fn it_succeeds_exactly_when_a_majority_and_enough_shares_are_there() {
    for member in ["a", "f"] {
        for set in 0_u32..64 {
            let down = subset(&ALL, set);
            let mut world = World::new();
            let mut asker = Asker::new(id(member), None);
            let progress = ask(&mut world, &mut asker, &["x"], &down);
            let up = |holder: &&MemberId| !down.contains(&holder.as_str());
            let me = id(member);
            let majority = world.terms.witnesses(&me).filter(up).count() >= world.terms.majority(&me);
            let keys = world.terms.keys_for(&me, &world.purpose).unwrap();
            let shares =
                keys.iter().all(|key| key.holders.iter().filter(up).count() >= usize::from(key.threshold));
            if majority && shares {
                assert_eq!(progress, Progress::Complete, "{member} without {down:?}");
                assert_eq!(asker.finish().unwrap(), expected(&world, member, &["x"]));
            } else {
                assert_eq!(progress, Progress::Stuck, "{member} without {down:?}");
                assert_eq!(asker.finish(), Err(FinishError::NotComplete));
            }
            assert!(world.refusals.is_empty(), "an honest asker never asks too early: {:?}", world.refusals);
            if !majority {
                assert!(
                    count_evaluations(&world).values().all(|count| *count == 0),
                    "nobody answers a minority"
                );
            }
        }
    }
}

#[test]
fn with_three_holders_a_member_uses_its_own_share() {
    let mut world = World::with(&["a", "b", "c"], &["c"]);
    let mut asker = Asker::new(id("a"), None);
    assert_eq!(ask(&mut world, &mut asker, &["x"], &[]), Progress::Complete);
    assert_eq!(asker.finish().unwrap(), expected(&world, "a", &["x"]));
    assert_eq!(
        ask(&mut world, &mut asker, &["y"], &["b"]),
        Progress::Stuck,
        "a majority of the others is both"
    );
}

#[test]
fn a_liar_is_named_with_evidence_and_a_spare_is_asked() {
    for liar in ["a", "b", "d"] {
        let mut world = World::new();
        world.liars.insert(id(liar));
        let mut asker = Asker::new(id("f"), None);
        world.begin_preferring(&mut asker, &["x"], &[liar]);
        world.run(&mut asker, &[]);
        assert_eq!(asker.finish().unwrap(), expected(&world, "f", &["x"]));
        let [AnswerFault::Wrong(culprit)] = world.faults.as_slice() else { panic!("{:?}", world.faults) };
        assert_eq!(culprit.answer.holder, id(liar));
        assert!(culprit.proves(&world.terms));

        let honest =
            &world.holders.iter().find(|(name, holder)| holder.evaluations > 0 && **name != id(liar));
        let answer = honest.unwrap().1.stored[&id("f")].clone();
        assert!(
            !Culprit { answer, ..(**culprit).clone() }.proves(&world.terms),
            "an honest answer is no evidence"
        );
        let mut forged = (**culprit).clone();
        forged.answer.keys[0].proof = [0; 64];
        assert!(!forged.proves(&world.terms), "what the holder did not sign is no evidence");
        let (_, elements) = oprf::blind(&[vec![1]], &mut world.rng(5)).unwrap();
        let other = Culprit { elements, ..(**culprit).clone() };
        assert!(!other.proves(&world.terms), "other elements than the header's are no evidence");
    }
}

/// Carries all messages except the elements to `silent`, which neither answers nor fails.
fn run_with_a_silent_holder(world: &mut World, asker: &mut Asker, silent: &str) {
    loop {
        let mut outgoing = asker.outgoing();
        outgoing.retain(|(holder, message)| *holder != id(silent) || *message != Outgoing::Evaluate);
        if outgoing.is_empty() {
            return;
        }
        outgoing.iter().for_each(|(holder, message)| world.carry(asker, holder, message));
    }
}

#[test]
fn a_silent_holder_is_waited_for_a_moment_and_a_late_answer_counts() {
    for answers_late in [false, true] {
        let mut world = World::new();
        let mut asker = Asker::new(id("f"), None);
        world.begin_preferring(&mut asker, &["x"], &["a"]);
        run_with_a_silent_holder(&mut world, &mut asker, "a");
        assert_eq!(asker.progress(), Progress::Working, "spares are not asked at once");
        asker.overdue();
        if answers_late {
            asker.outgoing(); // the spares are asked, and are silent too
            world.carry(&mut asker, &id("a"), &Outgoing::Evaluate);
        } else {
            run_with_a_silent_holder(&mut world, &mut asker, "a");
        }
        assert_eq!(asker.progress(), Progress::Complete, "late: {answers_late}");
        assert_eq!(asker.finish().unwrap(), expected(&world, "f", &["x"]));
        assert!(world.faults.is_empty());
    }
}

#[test]
fn who_was_away_is_asked_again_while_another_is_silent() {
    let mut world = World::new();
    let mut asker = Asker::new(id("f"), None);
    world.begin(&mut asker, &["x"]);
    for (holder, message) in asker.outgoing() {
        match holder.as_str() {
            "a" => {} // silent for as long as its connection allows
            "c" | "d" | "e" => asker.failed(&holder),
            _ => world.carry(&mut asker, &holder, &message),
        }
    }
    assert!(asker.outgoing().is_empty(), "two of five are no majority");
    assert_eq!(asker.progress(), Progress::Working, "`a` may still answer");
    asker.overdue();
    run_with_a_silent_holder(&mut world, &mut asker, "a");
    assert_eq!(asker.progress(), Progress::Complete);
    assert_eq!(asker.finish().unwrap(), expected(&world, "f", &["x"]));
}

#[test]
fn too_many_liars_give_nothing() {
    let mut world = World::new();
    world.liars.extend(["a", "b", "c"].map(id));
    let mut asker = Asker::new(id("f"), None);
    assert_eq!(ask(&mut world, &mut asker, &["x"], &[]), Progress::Stuck);
    assert_eq!(asker.finish(), Err(FinishError::NotComplete));
    assert_eq!(world.faults.len(), 3);
}

#[test]
fn an_answer_that_nobody_signed_accuses_nobody() {
    let mut world = World::new();
    let mut asker = Asker::new(id("f"), None);
    world.begin(&mut asker, &["x"]);
    world.run(&mut asker, &["a"]);
    let mut answer = world.holders[&id("b")].stored[&id("f")].clone();
    assert_eq!(asker.answered(&id("b"), answer.clone()), Err(AnswerFault::NotAnAnswer), "not asked again");
    answer.holder = id("c");
    assert!(answer.verify_signature(&world.key("b").verifying_key()).is_err(), "the holder is signed");
}

#[test]
fn the_fewest_evaluations_are_asked() {
    let mut world = World::new();
    let mut asker = Asker::new(id("b"), None);
    assert_eq!(ask(&mut world, &mut asker, &["x"], &[]), Progress::Complete);
    // a and b hold all four keys, c to f three of them each: three answers a key are at least twelve evaluations.
    let total: usize = count_evaluations(&world).values().sum();
    assert!((12..=13).contains(&total), "{:?}", count_evaluations(&world));

    let mut preferring = World::new();
    let mut asker = Asker::new(id("b"), None);
    preferring.begin_preferring(&mut asker, &["x"], &["f", "e", "d", "c"]);
    preferring.run(&mut asker, &[]);
    let asked = count_evaluations(&preferring);
    assert_eq!((asked["c"], asked["d"], asked["e"], asked["f"]), (3, 3, 3, 3), "{asked:?}");
}

#[test]
fn a_holder_that_was_away_is_brought_up_to_date() {
    let mut world = World::new();
    world.change(|terms| terms.parties.get_mut(&id("f")).unwrap().budget.per_day = 1_000);
    let mut asker = Asker::new(id("f"), None);
    for _ in 0..MAX_HEADERS * 2 + 3 {
        assert_eq!(ask(&mut world, &mut asker, &["x"], &["b"]), Progress::Complete);
        asker.abandon();
    }
    assert!(world.holders[&id("b")].headers.is_empty());
    assert_eq!(ask(&mut world, &mut asker, &["x"], &["a", "c"]), Progress::Complete);
    assert_eq!(world.holders[&id("b")].headers.len(), MAX_HEADERS * 2 + 4);
    assert!(world.refusals.is_empty(), "the asker knew what b lacked");
    asker.finish().unwrap();

    // After a restart it does not know; the holder says so.
    world.holders.get_mut(&id("c")).unwrap().chains.clear();
    world.holders.get_mut(&id("c")).unwrap().headers.clear();
    let last = world.headers.values().last().cloned().map(VerifiedHeader::trusted);
    let mut restarted = Asker::new(id("f"), last);
    assert_eq!(ask(&mut world, &mut restarted, &["x"], &["a", "b"]), Progress::Complete);
    assert!(world.refusals.iter().all(|refusal| *refusal == (id("c"), Reason::Gap)), "{:?}", world.refusals);
    assert_eq!(restarted.finish().unwrap(), expected(&world, "f", &["x"]));
}

#[test]
fn an_abandoned_header_stays_and_the_next_number_goes_on() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let first = world.begin(&mut asker, &["x", "y"]);
    assert_eq!((first.header.seq, first.header.total), (1, 2));
    // The node stops before anything was sent, and starts again.
    let mut asker = Asker::new(id("a"), Some(VerifiedHeader::trusted(first.clone())));
    assert_eq!(asker.progress(), Progress::Idle);
    let second = world.begin(&mut asker, &["z"]);
    assert_eq!((second.header.seq, second.header.total), (2, 3));
    assert_eq!(second.header.prev, first.header.hash());
    world.run(&mut asker, &[]);
    assert_eq!(asker.finish().unwrap(), expected(&world, "a", &["z"]));
    assert!(world.holders.values().all(|holder| holder.headers.len() == 2 && holder.frauds.is_empty()));
}

#[test]
fn one_request_at_a_time() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    world.begin(&mut asker, &["x"]);
    let terms = std::sync::Arc::clone(&world.terms);
    let request = NewRequest { terms: &terms, purpose: &world.purpose, inputs: &[vec![1]], preferred: &[] };
    let begin = |asker: &mut Asker, request| {
        asker.begin(request, world.key("a"), now(), &mut world.rng(1)).cloned().unwrap_err()
    };
    assert_eq!(begin(&mut asker, request), BeginError::Outstanding);
    asker.abandon();
    let other = "other".parse().unwrap();
    assert_eq!(begin(&mut asker, NewRequest { purpose: &other, ..request }), BeginError::NoKeys);
    let none = BeginError::Blind(oprf::BlindError::Count(0));
    assert_eq!(begin(&mut asker, NewRequest { inputs: &[], ..request }), none);
    assert_eq!(asker.progress(), Progress::Idle);
}

/// The largest number is no number after which anything comes: its refusal is a failure like others.
#[test]
fn a_holder_that_claims_the_last_number_can_be_tried_again() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let mut highest = world.begin(&mut asker, &["x"]);
    let announced = asker.outgoing();
    highest.header.seq = u64::MAX;
    asker.refused(&id("b"), &Refused { reason: Reason::Gap, highest: Some(highest) });
    assert!(asker.outgoing().is_empty());
    asker.retry(&id("b"));
    assert_eq!(asker.outgoing(), announced[1..2]);
}

#[test]
fn failed_holders_can_be_tried_again() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let down = ["c", "d", "e", "f"];
    assert_eq!(ask(&mut world, &mut asker, &["x"], &down), Progress::Stuck);
    for holder in down {
        asker.retry(&id(holder));
    }
    assert_eq!(asker.progress(), Progress::Working);
    world.run(&mut asker, &[]);
    assert_eq!(asker.finish().unwrap(), expected(&world, "a", &["x"]));
}

#[test]
fn the_same_request_again_gets_the_stored_answer_uncounted() {
    let mut world = World::new();
    let mut asker = Asker::new(id("f"), None);
    let inputs = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]; // the whole day
    let header = world.begin(&mut asker, &inputs);
    world.run(&mut asker, &[]);
    let request = Request::Evaluate(asker.evaluate_message().unwrap());
    let before = count_evaluations(&world).values().sum::<usize>();
    let holder = world.holders.iter().find(|(_, holder)| holder.evaluations > 0).unwrap().0.clone();
    let stored = world.holders[&holder].stored[&id("f")].clone();
    for _ in 0..20 {
        assert_eq!(world.request("f", holder.as_str(), &request), Response::Answered(stored.clone()));
        let again = world.send_headers("f", holder.as_str(), &[&header]);
        assert!(matches!(again, Response::Acknowledged(_)), "{again:?}");
    }
    assert_eq!(count_evaluations(&world).values().sum::<usize>(), before);

    // Another member cannot fetch it.
    assert_eq!(reason(world.request("e", holder.as_str(), &request)), Reason::NotEntered);
}

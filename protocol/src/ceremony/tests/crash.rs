//! Holders that stop at any moment and come back with what was on their disk.

use super::{Crash, Net, id, specs};
use crate::ceremony::fault::{Evidence, Fault};
use crate::ceremony::progress::{Note, Stage};
use crate::ceremony::{Ceremony, Nonce, Response, SessionId, SetupError};
use crate::id::CovenantHash;

/// Small enough to try every moment: four holders, two keys with different holders.
fn small(seed: u64) -> Net {
    Net::new(specs(&["a", "b", "c", "d"], &["d", "m"], 1), seed)
}

fn ticks_of_a_run() -> usize {
    let mut net = small(1);
    net.run();
    net.check();
    net.tick
}

#[test]
fn any_holder_may_crash_at_any_moment() {
    for at in 1..=ticks_of_a_run() {
        for node in 0..4 {
            let mut net = small(1);
            net.crash = Some(Crash { at, node: Some(node) });
            net.run();
            net.check();
        }
    }
}

#[test]
fn all_holders_may_crash_together_at_any_moment() {
    for at in 1..=ticks_of_a_run() {
        let mut net = small(1);
        net.crash = Some(Crash { at, node: None });
        net.run();
        net.check();
    }
}

/// Any order of polls, many crashes, and answers that arrive late or again.
#[test]
fn disorder_and_many_crashes_end_well() {
    for seed in 0..60 {
        let mut net = small(seed);
        let mut late = Vec::new();
        for _ in 0..150 {
            let (from, to) = (net.random(4), net.random(4));
            match net.random(20) {
                0 => net.restart(from),
                1..4 if from != to => late.push((from, to, net.ask(from, to))),
                4..7 if !late.is_empty() => {
                    let index = net.random(late.len());
                    let (from, to, response) = late[index].clone();
                    net.hear(from, to, response);
                }
                _ if from != to => net.poll(from, to),
                _ => {}
            }
        }
        assert!(net.aborts.iter().all(Option::is_none), "seed {seed}: {:?}", net.aborts);
        net.run();
        net.check();
    }
}

fn nonce_and_session(net: &Net) -> (Nonce, Option<SessionId>) {
    match net.ask(1, 0) {
        Response::Working(working) => (working.nonce, working.session),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_crash_before_saving_makes_a_new_session_and_one_after_it_does_not() {
    let mut net = small(1);
    net.poll(0, 1);
    let before = nonce_and_session(&net);
    net.restart(0);
    assert_ne!(nonce_and_session(&net).0, before.0);
    save_all(&mut net);
    let saved = nonce_and_session(&net);
    net.restart(0);
    assert_eq!(nonce_and_session(&net), saved);
}

/// Goes on until every holder has saved. None has another's confirmation then.
fn save_all(net: &mut Net) {
    while net.disks.iter().any(Option::is_none) {
        for from in 0..net.len() {
            for to in (0..net.len()).filter(|to| *to != from) {
                if net.disks[from].is_none() {
                    net.poll(from, to);
                }
            }
        }
    }
}

/// Lets all but `slow` finish.
fn finish_without(net: &mut Net, slow: usize) {
    for _ in 0..3 {
        for from in (0..net.len()).filter(|from| *from != slow) {
            for to in (0..net.len()).filter(|to| *to != from) {
                net.poll(from, to);
            }
        }
    }
    assert!((0..net.len()).all(|node| net.outcomes[node].is_some() == (node != slow)));
}

#[test]
fn one_that_crashed_after_saving_finishes_with_what_the_others_kept() {
    for slow in 0..4 {
        let mut net = small(1);
        save_all(&mut net);
        finish_without(&mut net, slow);
        // Those that have finished restart from what they keep of it.
        for node in 0..4 {
            net.restart(node);
        }
        net.run();
        net.check();
    }
}

#[test]
fn one_that_lost_its_disk_after_the_others_finished_is_named() {
    let mut net = small(1);
    save_all(&mut net);
    finish_without(&mut net, 2);
    net.disks[2] = None;
    net.restart(2);
    net.poll(2, 0);
    let abort = net.aborts[2].clone().unwrap();
    assert_eq!((&abort.culprit, abort.fault), (&id("c"), Fault::LostState));
    let [Evidence::Confirm(confirm)] = abort.evidence.as_slice() else { panic!("{abort:?}") };
    assert_eq!(confirm.member, id("c"));
    assert_eq!(
        abort.to_string(),
        "c confirmed the keys and then lost its state, so a new epoch must be started; the old keys stay in use"
    );
    assert_eq!(net.nodes[2].state().to_string(), "stopped by c");
    assert_eq!(net.ask(0, 2), Response::Aborted { culprit: id("c") });
}

#[test]
fn of_two_that_lost_their_disks_each_names_itself() {
    let mut net = small(1);
    save_all(&mut net);
    net.run();
    for node in [0, 2] {
        net.disks[node] = None;
        net.restart(node);
    }
    net.poll(2, 0);
    net.poll(0, 2);
    for (node, name) in [(0, "a"), (2, "c")] {
        net.poll(node, 1);
        assert_eq!(net.aborts[node].as_ref().map(|abort| &abort.culprit), Some(&id(name)));
    }
}

/// Its confirmation is out, so the others stay in the session it signed, finish it, and can say who is missing.
#[test]
fn one_that_lost_its_disk_after_confirming_does_not_stop_the_others() {
    let mut net = small(1);
    save_all(&mut net);
    net.poll(0, 3);
    net.disks[3] = None;
    net.restart(3);
    net.poll(0, 3);
    assert_eq!(net.nodes[0].state().to_string(), "round 3: 2 of 4, waiting for b, c; d has lost its state");
    // b hears of the new nonce first and leaves, then of the confirmation and comes back.
    net.poll(1, 3);
    assert_eq!(net.nodes[1].state().stage, Stage::Commitments);
    net.poll(1, 0);
    assert_eq!(net.nodes[1].state().notes.get(&id("d")), Some(&Note::LostState));
    finish_without(&mut net, 3);
    net.poll(3, 0);
    assert_eq!(net.aborts[3].as_ref().map(|abort| abort.fault), Some(Fault::LostState));
}

/// b hears d's confirmation late, after d has come back with another nonce and after a has signed the session of that
/// nonce: b finishes the first session, and a learns that d is to blame, not b and not itself.
#[test]
fn one_that_confirms_a_session_and_joins_another_is_named_by_who_is_left_behind() {
    let mut net = small(1);
    save_all(&mut net);
    net.poll(1, 0);
    net.poll(1, 2);
    let late = net.ask(1, 3);
    net.disks[3] = None;
    net.restart(3);
    let first = net.disks[0].clone();
    let everyone_hears_d = [(0, 3), (1, 3), (2, 3)];
    let d_hears_everyone = [(3, 0), (3, 1), (3, 2), (3, 0), (3, 1)];
    let a_hears_everyone = [(0, 1), (0, 2)];
    for (from, to) in
        [&everyone_hears_d[..], &d_hears_everyone, &everyone_hears_d, &a_hears_everyone].concat()
    {
        net.poll(from, to);
    }
    assert!(net.disks[0] != first);
    net.hear(1, 3, late);
    assert!(net.outcomes[1].is_some());
    net.poll(0, 1);
    let abort = net.aborts[0].clone().unwrap();
    assert_eq!((&abort.culprit, abort.fault), (&id("d"), Fault::LostState));
    assert!(matches!(&abort.evidence[..], [Evidence::Confirm(confirm)] if confirm.member == id("d")));
}

#[test]
fn kept_state_that_is_not_ours_or_damaged_is_refused() {
    let mut net = small(1);
    save_all(&mut net);
    let saved = net.disks[0].clone().unwrap();
    net.run();
    let finished = net.disks[0].clone().unwrap();
    let mut start = |change: &dyn Fn(&mut super::Setup), kept: &[u8]| {
        let mut setup = super::setup(&net.specs, &net.members[0]);
        change(&mut setup);
        Ceremony::new(setup, Some(kept), &mut net.rng).map(|_| ()).unwrap_err()
    };
    for kept in [&saved, &finished] {
        let other = start(&|setup| setup.covenant = CovenantHash::from_bytes([9; 32]), kept);
        assert_eq!(other, SetupError::OtherCeremony);
        assert_eq!(start(&|_| (), &kept[..kept.len() - 1]), SetupError::Damaged);
    }
    // The last byte belongs to the last share's signature.
    let mut flipped = saved.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(start(&|_| (), &flipped), SetupError::Damaged);
    let mut other_seed = saved;
    let at = other_seed.windows(4).position(|window| window == b"seed").unwrap() + 4 + 2;
    other_seed[at] ^= 1;
    assert_eq!(start(&|_| (), &other_seed), SetupError::Damaged);
}

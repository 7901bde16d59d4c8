//! Holders that send something wrong, and are named.

use super::{Net, id, signing_key, specs, verifying_key};
use crate::ceremony::message::{Commitment, Confirm, Share, Working};
use crate::ceremony::spec::KeySpec;
use crate::ceremony::{Abort, Effect, Evidence, Fault, Finished, Nonce, Response, SessionId, Stage};
use crate::secret::Secret;
use crate::sign::Signature;

/// Holders a, b, c (and d for the second key), two keys. In the tests a meets what b, or another, has made wrong.
fn net() -> Net {
    Net::new(specs(&["a", "b", "c", "d"], &["d", "m"], 1), 1)
}

/// a and b know all nonces; b has committed, and a has heard no commitments.
fn before_round_1() -> Net {
    let mut net = net();
    for (from, to) in [(1, 2), (1, 3), (1, 0), (0, 2), (0, 3)] {
        net.poll(from, to);
    }
    net
}

/// All have all commitments; a has nobody's shares.
fn before_round_2() -> Net {
    let mut net = before_round_1();
    let others_hear_each_other = [(2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2), (1, 3)];
    let a_hears_b_and_all_hear_a = [(0, 1), (1, 0), (2, 0), (3, 0)];
    for (from, to) in [&others_hear_each_other[..], &a_hears_b_and_all_hear_a].concat() {
        net.poll(from, to);
    }
    assert_eq!(net.nodes[0].state().to_string(), "round 2: 1 of 4, waiting for b, c, d");
    assert!((1..4).all(|from| !working(&net, 0, from).shares.is_empty()));
    net
}

/// All have saved; nobody has another's confirmation.
fn before_round_3() -> Net {
    let mut net = net();
    while net.disks.iter().any(Option::is_none) {
        for from in 0..4 {
            for to in (0..4).filter(|to| *to != from) {
                if net.disks[from].is_none() {
                    net.poll(from, to);
                }
            }
        }
    }
    net
}

fn working(net: &Net, from: usize, to: usize) -> Working {
    match net.ask(from, to) {
        Response::Working(working) => working,
        other => panic!("{other:?}"),
    }
}

/// a hears `said` from `from`, which must stop it.
fn stops(net: &mut Net, from: &str, said: Working) -> Abort {
    let effects = net.nodes[0].handle_response(&id(from), Response::Working(said));
    let [Effect::Abort(abort)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(net.nodes[0].state().stage, Stage::Aborted { culprit: abort.culprit.clone() });
    assert!(net.disks[0].is_none() || net.outcomes[0].is_none());
    check_evidence(net, abort);
    abort.clone()
}

/// All evidence is signed by the culprit.
fn check_evidence(net: &Net, abort: &Abort) {
    let key = verifying_key(&abort.culprit);
    let spec = |key| net.specs.iter().find(|spec| spec.key() == key).unwrap();
    for evidence in &abort.evidence {
        let (sender, signed) = match evidence {
            Evidence::Commitment(it) => (&it.sender, it.verify(spec(&it.key), &key)),
            Evidence::Share(it) => (&it.sender, it.verify(spec(&it.key), &key)),
            Evidence::Confirm(it) => (&it.member, it.verify(&key)),
        };
        assert_eq!((sender, signed), (&abort.culprit, Ok(())));
    }
}

fn b_signs(spec: &KeySpec, session: SessionId, body: Vec<u8>) -> Commitment {
    Commitment::new(session, spec, &id("b"), body, &signing_key(&id("b")))
}

/// A commitment that b has made in another session of the same holders, so a valid one.
fn other_commitment(index: usize) -> Commitment {
    let mut net = net();
    net.restart(1);
    for to in [2, 3, 0] {
        net.poll(1, to);
    }
    working(&net, 0, 1).commitments.into_iter().filter(|it| it.sender == id("b")).nth(index).unwrap()
}

#[test]
fn a_nonce_that_is_not_signed_for_this_ceremony() {
    let mut net = net();
    let mut said = working(&net, 0, 1);
    said.nonce = Nonce::from_bytes([9; 32]);
    let abort = stops(&mut net, "b", said);
    assert_eq!(abort, Abort::new(&id("b"), Fault::Signature));
}

/// Changes b's own, properly signed commitments. Each case: what a must say b did.
#[test]
fn wrong_commitments_name_their_sender_with_what_it_signed() {
    type Change = fn(Vec<u8>) -> Vec<u8>;
    let cases: [(&str, Change, Fault); 5] = [
        ("one element more", |body| [&body[..32], &body[..]].concat(), Fault::CommitmentLength),
        ("one element fewer", |body| body[32..].to_vec(), Fault::CommitmentLength),
        ("empty", |_| Vec::new(), Fault::CommitmentLength),
        ("the identity", |body| [&[0; 32], &body[32..]].concat(), Fault::CommitmentForm),
        ("no element", |body| [&[0xff; 32], &body[32..]].concat(), Fault::CommitmentForm),
    ];
    for (defect, change, fault) in cases {
        let mut net = before_round_1();
        let mut said = working(&net, 0, 1);
        let spec = net.specs[1].clone();
        let at =
            said.commitments.iter().position(|it| it.sender == id("b") && it.key == *spec.key()).unwrap();
        let body = change(said.commitments[at].body.0.clone());
        said.commitments[at] = b_signs(&spec, said.session.unwrap(), body);
        let evidence = vec![Evidence::Commitment(said.commitments[at].clone())];
        assert_eq!(stops(&mut net, "b", said), Abort::proven(&id("b"), fault, evidence), "{defect}");
    }
}

#[test]
fn a_commitment_copied_from_another_holder_lacks_its_proof() {
    let net = before_round_2();
    let mut said = working(&net, 0, 1);
    said.shares.clear();
    // c's own words with b's name and signature: only the proof of knowledge can tell.
    let body = said.commitments.iter().find(|it| it.sender == id("c")).unwrap().body.0.clone();
    let (spec, session) = (&net.specs[0], said.session.unwrap());
    for commitment in said.commitments.iter_mut().filter(|it| it.sender == id("b") && it.key == *spec.key()) {
        *commitment = b_signs(spec, session, body.clone());
    }
    let mut net = before_round_1();
    assert_eq!(working(&net, 0, 1).session, Some(session));
    let abort = stops(&mut net, "b", said);
    assert_eq!((&abort.culprit, abort.fault, abort.evidence.len()), (&id("b"), Fault::Proof, 1));
}

#[test]
fn a_package_of_another_session_is_refused_whatever_session_it_claims() {
    let mut net = before_round_1();
    let mut said = working(&net, 0, 1);
    let other = other_commitment(0);
    assert_ne!(Some(other.session), said.session);
    said.commitments = vec![other.clone()];
    assert_eq!(stops(&mut net, "b", said.clone()), Abort::new(&id("b"), Fault::Unexpected));
    let mut net = before_round_1();
    said.commitments = vec![Commitment { session: said.session.unwrap(), ..other }];
    assert_eq!(stops(&mut net, "b", said), Abort::new(&id("b"), Fault::Signature));
}

#[test]
fn a_holder_that_alters_what_another_said_is_named_itself() {
    let mut net = before_round_2();
    let mut said = working(&net, 0, 3);
    let altered = said.commitments.iter_mut().find(|it| it.sender == id("c")).unwrap();
    altered.body.0[0] ^= 1;
    assert_eq!(stops(&mut net, "d", said), Abort::new(&id("d"), Fault::Signature));
}

#[test]
fn packages_that_have_no_place_in_the_session_are_refused() {
    let base = before_round_2();
    type Change = fn(&mut Working, &[KeySpec]);
    let cases: [(&str, Change); 4] = [
        ("for an unknown key", |said, _| said.commitments[0].key.matcher = id("x")),
        ("from who does not hold the key", |said, _| {
            said.commitments[0].sender = id("d");
        }),
        ("from a stranger", |said, _| said.commitments[0].sender = id("x")),
        ("a share for another receiver", |said, specs| {
            let (session, from, to) = (said.session.unwrap(), id("b"), id("c"));
            let share =
                Share::new(session, &specs[0], (&from, &to), Secret::new([1; 32]), &signing_key(&from));
            said.shares = vec![share];
        }),
    ];
    for (defect, change) in cases {
        let mut net = before_round_2();
        let mut said = working(&net, 0, 1);
        change(&mut said, &base.specs);
        assert_eq!(stops(&mut net, "b", said), Abort::new(&id("b"), Fault::Unexpected), "{defect}");
    }
}

/// b tells c one thing and a another: a sees both once it hears what c has.
#[test]
fn two_faces_are_seen_because_everyone_shows_what_it_heard() {
    let mut net = before_round_1();
    let (spec, mut said) = (net.specs[0].clone(), working(&net, 2, 1));
    let session = said.session.unwrap();
    let at = said.commitments.iter().position(|it| it.sender == id("b") && it.key == *spec.key()).unwrap();
    said.commitments[at] = b_signs(&spec, session, other_commitment(0).body.0);
    for (from, to) in [(2, 0), (2, 3)] {
        net.poll(from, to);
    }
    net.hear(2, 1, Response::Working(said));
    net.poll(0, 1);
    let said = working(&net, 0, 2);
    let abort = stops(&mut net, "c", said);
    assert_eq!((&abort.culprit, abort.fault, abort.evidence.len()), (&id("b"), Fault::TwoFaced, 2));
    assert_ne!(abort.evidence[0], abort.evidence[1]);
}

fn b_shares(said: &mut Working, spec: &KeySpec, body: [u8; 32]) {
    let share = said.shares.iter_mut().find(|share| share.key == *spec.key()).unwrap();
    let (from, to) = (share.sender.clone(), share.receiver.clone());
    *share = Share::new(share.session, spec, (&from, &to), Secret::new(body), &signing_key(&from));
}

#[test]
fn a_share_that_does_not_fit_names_its_sender_with_both_packages() {
    let mut net = before_round_2();
    let mut said = working(&net, 0, 1);
    let spec = net.specs[1].clone();
    let mut body = [0; 32];
    body[0] = 5;
    b_shares(&mut said, &spec, body);
    assert!(net.nodes[0].handle_response(&id("b"), Response::Working(said)).is_empty());
    net.poll(0, 2);
    net.poll(0, 3);
    let abort = net.aborts[0].clone().unwrap();
    check_evidence(&net, &abort);
    assert_eq!((&abort.culprit, abort.fault), (&id("b"), Fault::Share));
    assert!(matches!(&abort.evidence[..], [Evidence::Commitment(_), Evidence::Share(_)]));
    assert!(net.disks[0].is_none());
}

#[test]
fn shares_that_are_no_scalar_or_not_signed_or_two_are_refused() {
    let spec = net().specs[1].clone();
    let mut net = before_round_2();
    let mut said = working(&net, 0, 1);
    b_shares(&mut said, &spec, [0xff; 32]);
    let abort = stops(&mut net, "b", said);
    assert_eq!((abort.fault, abort.evidence.len()), (Fault::Share, 1));

    let mut net = before_round_2();
    let mut said = working(&net, 0, 1);
    said.shares[0].body = Secret::new([1; 32]);
    assert_eq!(stops(&mut net, "b", said), Abort::new(&id("b"), Fault::Signature));

    let mut net = before_round_2();
    net.poll(0, 1);
    let mut said = working(&net, 0, 1);
    b_shares(&mut said, &spec, [1; 32]);
    let abort = stops(&mut net, "b", said);
    assert_eq!((abort.fault, abort.evidence.len()), (Fault::TwoFaced, 2));
}

/// b's confirmation with its transcript and its first record signature changed, properly signed.
fn b_confirms(said: &mut Working, transcript: Option<[u8; 32]>, record: Option<Signature>) {
    let confirm = said.confirms.iter_mut().find(|confirm| confirm.member == id("b")).unwrap();
    let mut records = confirm.records.clone();
    records[0] = record.unwrap_or(records[0]);
    let transcript = transcript.unwrap_or(confirm.transcript);
    *confirm = Confirm::new(confirm.session, &id("b"), transcript, records, &signing_key(&id("b")));
}

#[test]
fn a_confirmation_of_something_else_names_its_sender() {
    let changes = [(Some([0; 32]), None), (None, Some(Signature::from_bytes([1; 64])))];
    for (transcript, record) in changes {
        let mut net = before_round_3();
        let mut said = working(&net, 0, 1);
        b_confirms(&mut said, transcript, record);
        let evidence = vec![Evidence::Confirm(said.confirms[0].clone())];
        let abort = stops(&mut net, "b", said);
        assert_eq!(abort, Abort::proven(&id("b"), Fault::Transcript, evidence));
        assert!(net.outcomes[0].is_none());
    }
}

#[test]
fn a_confirmation_lacking_a_record_or_its_signature_is_refused() {
    let mut net = before_round_3();
    let mut said = working(&net, 0, 1);
    said.confirms[0].signature = Signature::from_bytes([1; 64]);
    assert_eq!(stops(&mut net, "b", said), Abort::new(&id("b"), Fault::Signature));

    let mut net = before_round_3();
    let mut said = working(&net, 0, 1);
    let it = &said.confirms[0];
    let short = it.records[..1].to_vec();
    said.confirms[0] = Confirm::new(it.session, &id("b"), it.transcript, short, &signing_key(&id("b")));
    assert_eq!(stops(&mut net, "b", said).fault, Fault::Transcript);
}

/// What a third passes on proves nothing against either, and a holder that has left the session does not show what it
/// saw there: both are left aside until the holder itself says it, with the commitments it has seen.
#[test]
fn a_confirmation_that_does_not_fit_is_left_aside_unless_its_sender_shows_what_it_saw() {
    let mut net = before_round_3();
    net.poll(2, 1);
    let mut said = working(&net, 0, 2);
    b_confirms(&mut said, Some([0; 32]), None);
    assert!(net.nodes[0].handle_response(&id("c"), Response::Working(said)).is_empty());
    let mut said = working(&net, 0, 1);
    b_confirms(&mut said, Some([0; 32]), None);
    (said.session, said.commitments) = (None, Vec::new());
    assert!(net.nodes[0].handle_response(&id("b"), Response::Working(said)).is_empty());
    net.run();
    net.check();
}

#[test]
fn two_faces_are_seen_even_after_saving() {
    let mut net = before_round_3();
    let mut said = working(&net, 0, 2);
    let spec = net.specs[0].clone();
    let other = b_signs(&spec, said.session.unwrap(), other_commitment(0).body.0);
    let at = said.commitments.iter().position(|it| it.sender == id("b") && it.key == *spec.key()).unwrap();
    said.commitments[at] = other;
    // c believed it and signed accordingly; still b is named and not c.
    let c = said.confirms.iter().position(|confirm| confirm.member == id("c")).unwrap();
    let it = &said.confirms[c];
    said.confirms[c] =
        Confirm::new(it.session, &id("c"), [7; 32], it.records.clone(), &signing_key(&id("c")));
    let abort = stops(&mut net, "c", said);
    assert_eq!((&abort.culprit, abort.fault, abort.evidence.len()), (&id("b"), Fault::TwoFaced, 2));
}

#[test]
fn a_false_end_names_who_told_it() {
    type Change = fn(&mut Finished);
    let lacking: Change = |finished| drop(finished.nonces.pop_first());
    let cases: [(&str, Change, Fault); 4] = [
        ("a nonce too few", lacking, Fault::Unexpected),
        (
            "another session",
            |it| *it.nonces.get_mut(&id("d")).unwrap() = Nonce::from_bytes([0; 32]),
            Fault::Signature,
        ),
        ("a confirmation too few", |it| drop(it.confirms.pop()), Fault::Unexpected),
        (
            "a wrong signature",
            |it| it.confirms[1].signature = Signature::from_bytes([0; 64]),
            Fault::Signature,
        ),
    ];
    let mut done = net();
    done.run();
    let Response::Finished(finished) = done.ask(0, 1) else { panic!() };
    for (defect, change, fault) in cases {
        let mut net = net();
        let mut told = finished.clone();
        change(&mut told);
        let effects = net.nodes[0].handle_response(&id("b"), Response::Finished(told));
        assert_eq!(effects, [Effect::Abort(Abort::new(&id("b"), fault))], "{defect}");
    }
}

#[test]
fn what_is_not_part_of_the_ceremony_is_not_heard() {
    let mut net = net();
    let said = net.ask(0, 1);
    for stranger in ["a", "x"] {
        assert!(net.nodes[0].handle_response(&id(stranger), said.clone()).is_empty());
    }
    assert_eq!(net.nodes[0].state().have, 1);
    let elsewhere = net.nodes[1].handle_request(&id("x"), &net.nodes[0].poll_request());
    assert!(net.nodes[0].handle_response(&id("b"), elsewhere).is_empty());
    let stopped = Response::Aborted { culprit: id("d") };
    assert!(net.nodes[0].handle_response(&id("c"), stopped).is_empty());
    let state = net.nodes[0].state().to_string();
    assert_eq!(
        state,
        "entering: 1 of 4, waiting for b, c, d; b is not in this ceremony; c has stopped because of d"
    );
    net.run();
    net.check();
}

/// Nothing that is shown to people or written to logs holds a share.
#[test]
fn debug_output_holds_no_secrets() {
    let mut net = before_round_2();
    let said = working(&net, 0, 1);
    let secret = said.shares[0].body.clone();
    let text = format!("{said:?}");
    assert!(text.contains("<redacted>"));
    assert!(
        !text.contains(&format!("{:?}", secret.expose())) && !text.contains(&hex::encode(secret.expose()))
    );
    let mut effects = Vec::new();
    for from in 1..4 {
        let said = net.ask(0, from);
        effects.extend(net.nodes[0].handle_response(&net.members[from], said));
    }
    assert!(matches!(effects[..], [Effect::Persist { .. }]));
    assert!(format!("{effects:?}").contains("KeptBytes("));
}

//! Ceremonies in which nothing goes wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

use super::{Net, id, setup, signing_key, specs, verifying_key};
use crate::ceremony::session::session_id;
use crate::ceremony::spec::{KeyId, KeySpec};
use crate::ceremony::{Ceremony, Effect, Nonce, Request, Response, SessionId, Setup, SetupError};
use crate::codec::Bytes;
use crate::id::{CovenantHash, Epoch, NetworkId};

const SIX: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[test]
fn six_holders_four_matchers_two_purposes() {
    let mut net = Net::new(specs(&SIX, &["c", "d", "e", "f"], 2), 1);
    assert_eq!(net.specs.len(), 8);
    net.run();
    net.check();
}

/// Matcher g is no key holder, so its key has six holders; that of b has five; h holds one key, with one other.
#[test]
fn keys_with_different_holders_in_one_session() {
    let mut specs = specs(&SIX, &["b", "g"], 1);
    let key = KeyId { purpose: "p1".parse().unwrap(), matcher: id("g") };
    specs.push(KeySpec::new(key, vec![id("h"), id("a")]).unwrap());
    let mut net = Net::new(specs, 2);
    assert_eq!(net.members.len(), 7);
    net.run();
    net.check();
    let outcome = net.outcomes[6].as_ref().unwrap();
    assert_eq!((outcome.shares.len(), outcome.records.len()), (1, 3));
}

#[test]
fn exactly_t_shares_make_the_key() {
    let mut net = Net::new(specs(&SIX, &["f", "g"], 1), 3);
    net.run();
    for (index, spec) in net.specs.iter().enumerate() {
        let record = &net.outcomes[0].as_ref().unwrap().records[index].record;
        let share = |position: usize| -> Scalar {
            let holder = net.members.binary_search(&spec.holders()[position - 1]).unwrap();
            let shares = &net.outcomes[holder].as_ref().unwrap().shares;
            let (_, share) = shares.iter().find(|(key, _)| key == spec.key()).unwrap();
            Scalar::from_canonical_bytes(*share.expose()).unwrap()
        };
        let n = spec.holders().len();
        for set in 1..1_usize << n {
            let set: Vec<usize> = (1..=n).filter(|position| set >> (position - 1) & 1 == 1).collect();
            let secret: Scalar = set.iter().map(|i| share(*i) * lagrange_at_zero(&set, *i)).sum();
            let public = RistrettoPoint::mul_base(&secret).compress().to_bytes();
            let enough = set.len() >= usize::from(spec.threshold());
            assert_eq!(public == *record.public.as_bytes(), enough, "{set:?} of {n}");
        }
    }
}

fn lagrange_at_zero(set: &[usize], i: usize) -> Scalar {
    let scalar = |n: usize| Scalar::from(n as u64);
    let others = || set.iter().filter(|j| **j != i);
    let above: Scalar = others().map(|j| scalar(*j)).product();
    let below: Scalar = others().map(|j| scalar(*j) - scalar(i)).product();
    above * below.invert()
}

/// One seed serves a holder through all sessions and keys, so it must give each another polynomial, and the same again.
#[test]
fn every_key_of_every_session_has_its_own_polynomial() {
    let mut net = Net::new(specs(&["a", "b"], &["m", "n"], 2), 8);
    let commitments = |net: &mut Net| -> Vec<Bytes> {
        net.poll(0, 1);
        let Response::Working(working) = net.ask(1, 0) else { panic!() };
        working.commitments.into_iter().map(|commitment| commitment.body).collect()
    };
    let mut all = commitments(&mut net);
    assert_eq!(all.len(), 4);
    let again = commitments(&mut net);
    assert_eq!(again, all);
    // The other's nonce changes and this one's seed does not.
    net.restart(1);
    all.extend(commitments(&mut net));
    let first_elements: BTreeSet<_> = all.iter().map(|body| body.0[..32].to_vec()).collect();
    assert_eq!(first_elements.len(), 8);
    net.run();
    let records = &net.outcomes[0].as_ref().unwrap().records;
    let keys: BTreeSet<_> = records.iter().map(|signed| signed.record.public.as_bytes()).collect();
    assert_eq!(keys.len(), 4);
}

#[test]
fn nothing_is_signed_before_it_is_on_disk() {
    let mut net = Net::new(specs(&["a", "b"], &["m"], 1), 4);
    net.poll(0, 1);
    net.poll(1, 0);
    assert_eq!(net.nodes[1].state().to_string(), "round 2: 1 of 2, waiting for a");
    let response = net.ask(0, 1);
    let effects = net.nodes[0].handle_response(&id("b"), response);
    let [Effect::Persist { session, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(net.nodes[0].state().to_string(), "saving: 1 of 2, waiting for a");
    let confirms = |net: &Net| match net.ask(1, 0) {
        Response::Working(working) => {
            working.confirms.into_iter().map(|confirm| confirm.member).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert!(!confirms(&net).contains(&id("a")));
    assert!(net.nodes[0].persisted(SessionId::from_bytes([9; 32])).is_empty());
    assert!(!confirms(&net).contains(&id("a")));
    let _ = net.nodes[0].persisted(*session);
    assert!(confirms(&net).contains(&id("a")));
}

#[test]
fn the_stages_are_told() {
    let mut net = Net::new(specs(&["a", "b", "c"], &["m"], 1), 5);
    let state = |net: &Net| net.nodes[0].state().to_string();
    assert_eq!(state(&net), "entering: 1 of 3, waiting for b, c");
    net.poll(0, 1);
    assert_eq!(state(&net), "entering: 2 of 3, waiting for c");
    net.poll(0, 2);
    assert_eq!(state(&net), "round 1: 1 of 3, waiting for b, c");
    net.run();
    assert_eq!(state(&net), "finished");
    assert_eq!(format!("{:?}", net.nodes[0]), "Ceremony(a, finished)");
}

#[test]
fn members_get_the_records_and_strangers_nothing_else() {
    let mut net = Net::new(specs(&["a", "b", "c"], &["m"], 1), 6);
    let ask = |net: &Net, request: &Request| net.nodes[0].handle_request(&id("m"), request);
    let records = Request::Records { epoch: Epoch(7) };
    assert_eq!(ask(&net, &records), Response::Records(Vec::new()));
    assert_eq!(ask(&net, &net.nodes[0].poll_request()), Response::Elsewhere);
    net.run();
    let made = net.outcomes[0].as_ref().unwrap().records.clone();
    assert_eq!(ask(&net, &records), Response::Records(made));
    assert_eq!(ask(&net, &Request::Records { epoch: Epoch(8) }), Response::Elsewhere);
    assert_eq!(ask(&net, &net.nodes[0].poll_request()), Response::Elsewhere);
    let other = Request::Poll { covenant: CovenantHash::from_bytes([3; 32]), epoch: Epoch(7) };
    assert_eq!(net.nodes[0].handle_request(&id("b"), &other), Response::Elsewhere);
}

#[test]
fn a_setup_that_does_not_hold_together_is_refused() {
    type Change = fn(&mut Setup);
    let stranger: Change = |setup| setup.holders.extend([(id("x"), verifying_key(&id("x")))]);
    let cases: [(Change, SetupError); 6] = [
        (|setup| setup.me = id("x"), SetupError::NotAHolder(id("x"))),
        (|setup| setup.signing_key = Arc::new(signing_key(&id("b"))), SetupError::SigningKey),
        (|setup| setup.specs.clear(), SetupError::Keys),
        (|setup| setup.specs.push(setup.specs[0].clone()), SetupError::Keys),
        (stranger, SetupError::Holders),
        (|setup| setup.holders.retain(|member, _| *member != id("b")), SetupError::Holders),
    ];
    let specs = specs(&["a", "b", "c"], &["m"], 1);
    let mut net = Net::new(specs.clone(), 7);
    for (change, error) in cases {
        let mut setup = setup(&specs, &id("a"));
        change(&mut setup);
        assert_eq!(Ceremony::new(setup, None, &mut net.rng).map(|_| ()), Err(error));
    }
}

#[test]
fn the_session_id_covers_the_whole_setup_and_every_nonce() {
    type Change = fn(&mut Setup);
    let base = specs(&["a", "b", "c"], &["m"], 1);
    let changes: [Change; 5] = [
        |_| (),
        |setup| setup.network = NetworkId::from_bytes([9; 32]),
        |setup| setup.covenant = CovenantHash::from_bytes([9; 32]),
        |setup| setup.epoch = Epoch(8),
        |setup| setup.specs = specs(&["a", "b", "c"], &["n"], 1),
    ];
    let mut nonces =
        [("a", 1), ("b", 2), ("c", 3)].map(|(name, byte)| (id(name), Nonce::from_bytes([byte; 32])));
    let mut ids = BTreeSet::new();
    for change in changes {
        let mut setup = setup(&base, &id("a"));
        change(&mut setup);
        ids.insert(session_id(&setup, &nonces.clone().into()));
    }
    nonces[2].1 = Nonce::from_bytes([4; 32]);
    ids.insert(session_id(&setup(&base, &id("a")), &nonces.into()));
    assert_eq!(ids.len(), 6);
}

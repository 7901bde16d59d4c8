//! Every kind proves what it says; nothing that was altered proves anything.

use proptest::prelude::*;

use super::world::{EXPIRY, TODAY, World, id};
use crate::ceremony::{Evidence as Package, Fault};
use crate::codec::{decode, encode};
use crate::evaluation::{Acknowledgement, Culprit, Fraud, Header, SignedHeader, WrongAnswer};
use crate::evidence::*;
use crate::log::merkle::{Tree, leaf_hash};
use crate::log::witness::{Compared, Head, board_key, compare, continues};
use crate::sign::Signature;

fn headers(world: &World) -> [Violation; 2] {
    let (one, other) = (world.elements(1, 2), world.elements(2, 2));
    let first = world.header("p1", None, &one).sign(world.key("p1"));
    let twice = world.header("p1", None, &other).sign(world.key("p1"));
    let astray = world.header("p1", Some(&twice), &one).sign(world.key("p1"));
    let fraud = |other: &SignedHeader| {
        Violation::Headers(Box::new(Fraud { known: first.signed().clone(), other: other.clone() }))
    };
    [fraud(twice.signed()), fraud(astray.signed())]
}

fn served_twice(world: &World) -> [Violation; 2] {
    let (one, other) = (world.elements(1, 2), world.elements(2, 2));
    let first = world.header("p1", None, &one);
    let second = world.header("p1", None, &other);
    let acknowledged = Acknowledgement::sign(id("p0"), first.hash(), world.key("p0"));
    let answered = world.answer("p0", &second, &other, false);
    // Two steps on from the first.
    let sign = |header: &Header| header.clone().sign(world.key("p1"));
    let next = world.header("p1", Some(&sign(&first)), &one);
    let last = world.header("p1", Some(&sign(&next)), &one);
    let later = Acknowledgement::sign(id("p0"), last.hash(), world.key("p0"));
    let second = Statement::answered(second, &answered);
    let of = |first, between| {
        let second = second.clone();
        Violation::ServedTwice(Box::new(ServedTwice { holder: id("p0"), first, second, between }))
    };
    [
        of(Statement::acknowledged(first.clone(), &acknowledged), Vec::new()),
        of(Statement::acknowledged(last, &later), vec![first, next]),
    ]
}

fn evaluations(world: &World) -> [Violation; 2] {
    let blinded = world.elements(1, 2);
    let header = world.header("p1", None, &blinded).sign(world.key("p1"));
    let of = |answer, fault| {
        let culprit = Culprit { answer, header: header.signed().clone(), elements: blinded.clone(), fault };
        let wrong = WrongEvaluation::new(&culprit, &world.records).unwrap();
        Violation::Evaluation(Box::new(wrong))
    };
    let swapped = world.answer("p0", header.header(), &blinded, true);
    let mut fewer = header.header().clone();
    fewer.keys.pop();
    let mut lacking = world.answer("p0", &fewer, &blinded, false);
    lacking.header = header.hash();
    let resigned = lacking.signed_again(world.key("p0"));
    [of(swapped, WrongAnswer::Evaluation(id("p3"))), of(resigned, WrongAnswer::Keys)]
}

fn forks(world: &World) -> [Violation; 2] {
    let board = |bytes: &[u8]| -> Tree { bytes.iter().map(|byte| leaf_hash(&[*byte])).collect() };
    let (one, same_size, larger) = (board(b"abcde"), board(b"abxde"), board(b"abxdefg"));
    let log = LogOf::Board(id("p5"));
    let key = board_key(&world.covenant.network(), &id("p5"), world.key("p5").verifying_key());
    let head = |tree: &Tree| Head::verify(world.head("p5", tree, None), &key).unwrap();
    let own = head(&one);
    [(&same_size, None), (&larger, continues(&larger, 5, 7))].map(|(tree, shown)| {
        match compare((&log, &key), (&one, &own), &head(tree), shown) {
            Compared::Fork(fork) => Violation::Fork(fork),
            other => panic!("{other:?}"),
        }
    })
}

fn ceremonies(world: &World) -> Vec<Violation> {
    let of_p0 = |package: &&Package| match package {
        Package::Commitment(it) => it.sender == id("p0") && it.key == *world.spec("p5").key(),
        _ => false,
    };
    let Some(Package::Commitment(honest)) = world.packages.iter().find(of_p0) else { panic!() };
    let Some(Package::Commitment(other)) = world.packages.iter().find(|package| match package {
        Package::Commitment(it) => it.sender == id("p1") && it.key == honest.key,
        _ => false,
    }) else {
        panic!()
    };
    let commitment = |body: Vec<u8>| Package::Commitment(world.commitment(body));
    let (honest, copied) = (honest.body.0.clone(), other.body.0.clone());
    let share = |body| Package::Share(world.share(body));
    let one = {
        let mut one = [0; 32];
        one[0] = 1;
        one
    };
    vec![
        world.abort(Fault::TwoFaced, vec![commitment(honest.clone()), commitment(copied.clone())]),
        world.abort(Fault::TwoFaced, vec![share(one), share([0; 32])]),
        world.abort(Fault::CommitmentLength, vec![commitment(honest[32..].to_vec())]),
        world.abort(Fault::CommitmentForm, vec![commitment([&[0; 32], &honest[32..]].concat())]),
        world.abort(Fault::Proof, vec![commitment(copied)]),
        world.abort(Fault::Share, vec![share([0xff; 32])]),
        world.abort(Fault::Share, vec![commitment(honest), share(one)]),
    ]
}

fn invented(world: &World) -> Violation {
    let ticket = world.passed_on("p0", false);
    let mut kept = Kept { relay: ticket.relay, passed: ticket.passed };
    kept.passed.signature = Signature::from_bytes([1; 64]);
    Violation::Invented(Box::new(Invented::sign(kept, &world.destination("p5"), world.key("p5"))))
}

fn references(world: &World) -> Violation {
    let (_, first) = world.leave("p0", 1, 5, EXPIRY);
    let (_, second) = world.leave("p1", 2, 5, EXPIRY);
    Violation::References(Box::new(SharedReference { first, second }))
}

/// One record and more of every kind, with whom it convicts of breaking which section.
pub(super) fn samples(world: &World) -> Vec<(Evidence, &'static [&'static str], &'static str)> {
    let (left, _) = world.leave("p0", 1, 1, EXPIRY);
    let (other, _) = world.leave("p0", 2, 2, EXPIRY);
    let posted = crate::submission::Leave { mailbox: left.mailbox, ..other.clone() };
    let shorter = crate::submission::Leave { expiry: TODAY.plus(40), ..left.clone() };
    let mut all = Vec::new();
    let mut add = |violation, members: &'static [&'static str], section| {
        all.push((world.evidence(violation), members, section));
    };
    headers(world).into_iter().for_each(|it| add(it, &["p1"], "4.2"));
    served_twice(world).into_iter().for_each(|it| add(it, &["p0"], "4.2"));
    evaluations(world).into_iter().for_each(|it| add(it, &["p0"], "4.3"));
    ceremonies(world).into_iter().for_each(|it| add(it, &["p0"], "3.4"));
    forks(world).into_iter().for_each(|it| add(it, &["p5"], "6.1"));
    add(world.promise(1, &[2, 3], 3_600), &["p5"], "5.6");
    add(world.misposted(&left, TODAY, &posted), &["p5"], "6.2");
    add(world.misposted(&left, TODAY, &shorter), &["p5"], "6.2");
    add(invented(world), &["p5"], "5.6");
    add(Violation::Ticket(Box::new(world.passed_on("p0", true))), &["p1"], "5.5");
    add(references(world), &["p0", "p1"], "6.4");
    add(super::withheld::sample(world), &["p5"], "12.4");
    add(super::revived::sample(world), &["p5"], "12.6");
    all
}

#[test]
fn every_kind_proves_what_it_says() {
    let world = World::new(1);
    let samples = samples(&world);
    let kinds: std::collections::BTreeSet<_> =
        samples.iter().map(|(evidence, ..)| evidence.violation.kind()).collect();
    assert_eq!(kinds.len(), 12, "a kind without a sample");
    for (evidence, members, section) in &samples {
        let read: Evidence = decode(&encode(evidence)).unwrap();
        let verdict = read.check(&world.covenant).unwrap_or_else(|error| panic!("{evidence:?}: {error}"));
        let names: Vec<_> = verdict.members.iter().map(MemberId::as_str).collect();
        assert_eq!((names.as_slice(), verdict.section), (*members, *section), "{verdict}");
        assert_eq!(verdict.kind, evidence.violation.kind());
    }
    let subjects: std::collections::BTreeSet<_> =
        samples.iter().map(|(evidence, ..)| evidence.subject()).collect();
    assert!(subjects.len() >= kinds.len());
}

#[test]
fn another_networks_covenant_convicts_nobody() {
    let world = World::new(1);
    let founders = crate::covenant::tests::founders(6);
    let mut other = crate::covenant::tests::covenant(&founders);
    other.title = "Another".into();
    let other = crate::covenant::tests::signed(&founders, &other).verify().unwrap();
    for (evidence, ..) in samples(&world) {
        assert_eq!(evidence.check(&other), Err(NotProven::Network));
        let renamed = Evidence { network: other.network(), ..evidence.clone() };
        // A ceremony's packages name their network only through the session, whose hash nobody can open here.
        if evidence.violation.kind() != "ceremony" {
            assert!(renamed.check(&other).is_err(), "{evidence:?}");
        }
    }
}

/// Whether altered bytes still convict anyone.
fn convicts(world: &World, bytes: &[u8]) -> Option<Verdict> {
    decode::<Evidence>(bytes).ok()?.check(&world.covenant).ok()
}

/// One bit of every byte.
#[test]
fn an_altered_byte_proves_nothing() {
    let world = World::new(1);
    for (evidence, ..) in samples(&world) {
        let bytes = encode(&evidence);
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            let verdict = convicts(&world, &altered);
            assert_eq!(verdict, None, "{}: byte {at} of {}", evidence.violation.kind(), bytes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any bits, cuts and splices.
    #[test]
    fn altered_bytes_prove_nothing(
        at in 0.0..1.0_f64, bits in 1_u8.., noise in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        thread_local! { static WORLD: World = World::new(1); }
        WORLD.with(|world| {
            for (evidence, ..) in samples(world) {
                let bytes = encode(&evidence);
                let at = (bytes.len() as f64 * at) as usize;
                let mut flipped = bytes.clone();
                flipped[at] ^= bits;
                prop_assert_eq!(convicts(world, &flipped), None);
                prop_assert_eq!(convicts(world, &bytes[..at]), None);
                let spliced = [&bytes[..at], &noise, bytes.get(at + noise.len()..).unwrap_or_default()].concat();
                prop_assert!(spliced == bytes || convicts(world, &spliced).is_none());
                prop_assert_eq!(convicts(world, &noise), None);
            }
            Ok(())
        })?;
    }
}

/// The bytes of one record of every kind, and of the covenant under which they convict.
#[test]
fn the_bytes_of_every_kind() {
    let world = World::new(1);
    let founders = crate::covenant::tests::founders(6);
    let covenant = crate::covenant::tests::signed(&founders, &crate::covenant::tests::covenant(&founders));
    assert_eq!(covenant.verify().unwrap().network(), world.covenant.network());
    let mut found: Vec<(&str, String)> = vec![("covenant", hex::encode(encode(&covenant)))];
    for (evidence, ..) in samples(&world) {
        let kind = evidence.violation.kind();
        if found.iter().all(|(known, _)| *known != kind) {
            found.push((kind, hex::encode(encode(&evidence))));
        }
    }
    let found: String = found.iter().map(|(name, bytes)| format!("{name}: {bytes}\n")).collect();
    assert_eq!(found, include_str!("golden.txt"), "\n{found}");
}

//! Whatever honest members sign, put together in any way, convicts none of them.

use proptest::prelude::*;

use super::world::{EXPIRY, TODAY, World, id};
use crate::board::Entry;
use crate::ceremony::{Abort, Evidence as Package, Fault};
use crate::codec::Bytes;
use crate::evaluation::{Acknowledgement, Fraud, Header, KeyAnswer, SignedAnswer, VerifiedHeader};
use crate::evidence::*;
use crate::log::merkle::{Tree, leaf_hash};
use crate::log::witness::{Compared, Head, board_key, compare, continues};
use crate::submission::{Content, Leave, MatcherDay, PostRequest};
use crate::time::Timestamp;

fn innocent(world: &World, violation: Violation) {
    let evidence = world.evidence(violation);
    let verdict = evidence.check(&world.covenant);
    assert!(verdict.is_err(), "{}\n{evidence:?}", verdict.unwrap());
}

/// Three requests of two members, all headers, acknowledgements and answers, in every combination.
#[test]
fn honest_evaluations() {
    let world = World::new(1);
    let mut served: Vec<(Header, Elements, Acknowledgement, SignedAnswer)> = Vec::new();
    let mut headers: Vec<VerifiedHeader> = Vec::new();
    for member in ["p1", "p3"] {
        let mut last: Option<VerifiedHeader> = None;
        for seed in 0..3 {
            let blinded = world.elements(seed, 2);
            let header = world.header(member, last.as_ref(), &blinded).sign(world.key(member));
            for holder in ["p0", "p4"] {
                let acknowledged = Acknowledgement::sign(id(holder), header.hash(), world.key(holder));
                let answer = world.answer(holder, header.header(), &blinded, false);
                served.push((header.header().clone(), blinded.clone(), acknowledged, answer));
            }
            headers.push(header.clone());
            last = Some(header);
        }
    }
    for (known, other) in headers.iter().flat_map(|a| headers.iter().map(move |b| (a, b))) {
        let fraud = Fraud { known: known.signed().clone(), other: other.signed().clone() };
        innocent(&world, Violation::Headers(Box::new(fraud)));
    }
    let part = |from: usize, to: usize| headers[from..to].iter().map(|it| it.header().clone()).collect();
    let between: Vec<Vec<Header>> =
        (0..=headers.len()).flat_map(|to| (0..=to).map(move |from| part(from, to))).collect();
    for (a, b) in served.iter().flat_map(|a| served.iter().map(move |b| (a, b))) {
        let statements = |(header, _, acknowledged, answer): &(Header, Elements, _, _)| {
            [
                Statement::acknowledged(header.clone(), acknowledged),
                Statement::answered(header.clone(), answer),
            ]
        };
        for (first, second) in statements(a).into_iter().zip(statements(b)) {
            for holder in ["p0", "p4"].map(id) {
                for between in &between {
                    let (holder, first, second) = (holder.clone(), first.clone(), second.clone());
                    let between = between.clone();
                    let twice = ServedTwice { holder, first, second, between };
                    innocent(&world, Violation::ServedTwice(Box::new(twice)));
                }
            }
        }
        evaluated(&world, &a.0, &a.1, &b.3);
    }
}

type Elements = crate::oprf::Elements;

/// An answer, next to whatever header and elements, each part said to be wrong under each key.
fn evaluated(world: &World, header: &Header, blinded: &Elements, answer: &SignedAnswer) {
    let of = |wrong| {
        Violation::Evaluation(Box::new(WrongEvaluation {
            holder: answer.holder.clone(),
            header: header.clone(),
            blinded: Bytes(blinded.to_bytes()),
            parts: answer.keys.iter().map(KeyAnswer::hashed).collect(),
            signature: answer.signature,
            wrong,
        }))
    };
    innocent(world, of(None));
    for (part, record) in answer.keys.iter().flat_map(|part| world.records.iter().map(move |it| (part, it))) {
        let (elements, record) = (part.elements.clone(), record.clone());
        innocent(world, of(Some(WrongPart { elements, record })));
    }
}

/// Every package of an honest ceremony, alone and in pairs, under every fault.
#[test]
fn honest_ceremonies() {
    let world = World::new(2);
    let mut packages: Vec<Package> = Vec::new();
    for package in &world.packages {
        let key_of_p5 = match package {
            Package::Commitment(it) => it.key.matcher == id("p5"),
            Package::Share(it) => it.key.matcher == id("p5"),
            Package::Confirm(_) => true,
        };
        if key_of_p5 && !packages.contains(package) {
            packages.push(package.clone());
        }
    }
    assert!(packages.len() >= 5 + 20 + 6, "{}", packages.len());
    let faults = [
        Fault::CommitmentLength,
        Fault::CommitmentForm,
        Fault::Proof,
        Fault::Share,
        Fault::TwoFaced,
        Fault::Transcript,
        Fault::LostState,
        Fault::Signature,
        Fault::Unexpected,
    ];
    for fault in faults {
        innocent(&world, world.abort(fault, Vec::new()));
        for one in &packages {
            let sender = |package: &Package| match package {
                Package::Commitment(it) => it.sender.clone(),
                Package::Share(it) => it.sender.clone(),
                Package::Confirm(it) => it.member.clone(),
            };
            let accuse = |evidence| {
                let abort = Abort { culprit: sender(one), fault, evidence };
                innocent(&world, Violation::Ceremony(Box::new(abort)));
            };
            accuse(vec![one.clone()]);
            packages.iter().filter(|other| sender(other) == sender(one)).for_each(|other| {
                accuse(vec![one.clone(), other.clone()]);
            });
        }
    }
}

#[test]
fn honest_boards() {
    let world = World::new(1);
    let whole: Vec<_> = (0..9_u8).map(|byte| leaf_hash(&[byte])).collect();
    let key = board_key(&world.covenant.network(), &id("p5"), world.key("p5").verifying_key());
    let trees: Vec<Tree> = (0..=9).map(|size| whole[..size].iter().copied().collect()).collect();
    let heads: Vec<_> =
        trees.iter().map(|tree| Head::verify(world.head("p5", tree, None), &key).unwrap()).collect();
    let alone = |size: usize| heads[size].note.to_string();
    for (a, b) in (0..=9_usize).flat_map(|a| (0..=9).map(move |b| (a, b))) {
        let shown = continues(&trees[9], a.min(b) as u64, b as u64);
        for log in [LogOf::Board(id("p5")), LogOf::Board(id("p4")), LogOf::Audit(id("p5"))] {
            let compared = compare((&log, &key), (&trees[a], &heads[a]), &heads[b], shown.clone());
            assert!(matches!(compared, Compared::Agree | Compared::Behind(_)), "{compared:?}");
            // Any root of the log, said to be what the larger head continues.
            for continues in (0..=9_u64).map(|size| continues(&trees[9], size, 9)).chain([None]) {
                let (first, second, log) = (alone(a), alone(b), log.clone());
                let fork = Fork { log, first, second, continues };
                innocent(&world, Violation::Fork(Box::new(fork)));
            }
        }
    }
    for (promised, posted, after) in [(1, &[2, 1, 3][..], 9_999_999), (1, &[2, 3], 3_599), (1, &[], 0)] {
        innocent(&world, world.promise(promised, posted, after));
    }
}

/// A mailbox used again after its last day is no other post of the first use, whichever of the two is shown.
#[test]
fn honest_posts() {
    let world = World::new(1);
    let (first, _) = world.leave("p0", 1, 1, TODAY.plus(20));
    let (again, _) = world.leave("p0", 2, 2, EXPIRY);
    let again = Leave { mailbox: first.mailbox, ..again };
    let later = first.expiry.plus(1);
    innocent(&world, world.misposted(&first, TODAY, &first));
    innocent(&world, world.misposted(&again, later, &first));
    innocent(&world, world.misposted(&first, TODAY, &again));
    let (other, _) = world.leave("p1", 3, 3, EXPIRY);
    innocent(&world, world.misposted(&first, TODAY, &other));
}

#[test]
fn honest_relays_and_traces() {
    let world = World::new(1);
    for sender in ["p0", "p2", "p3", "p4"] {
        let ticket = world.passed_on(sender, false);
        innocent(&world, Violation::Ticket(Box::new(ticket.clone())));
        for keys in
            [(ticket.outer, None), (SealKey([0; 32]), ticket.inner), (ticket.outer, Some(ticket.outer))]
        {
            let (outer, inner) = keys;
            innocent(&world, Violation::Ticket(Box::new(FalseTicket { outer, inner, ..ticket.clone() })));
        }
        let kept = Kept { relay: ticket.relay, passed: ticket.passed };
        let told = Invented::sign(kept, &world.destination("p5"), world.key("p5"));
        innocent(&world, Violation::Invented(Box::new(told)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Members that draw their references never share one; one member's two hellos may.
    #[test]
    fn honest_hellos(a in 0_u8..100, b in 100_u8.., seed in 1_u8..60) {
        thread_local! { static WORLD: World = World::new(1); }
        WORLD.with(|world| {
            let hellos = [("p0", 0, a), ("p0", 1, a), ("p1", 2, b)]
                .map(|(member, n, reference)| world.leave(member, seed + n, reference, EXPIRY).1);
            for (first, second) in hellos.iter().flat_map(|one| hellos.iter().map(move |two| (one, two))) {
                let (first, second) = (first.clone(), second.clone());
                innocent(world, Violation::References(Box::new(SharedReference { first, second })));
            }
        });
    }
}

/// Receipts for messages, and heads that the matcher timed when nothing was due, by a clock that goes wrong and is put right.
#[derive(Clone, Copy, Debug)]
enum Hour {
    Receipt,
    Append,
    Time,
    Clock(i64),
}

fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = prop_oneof![
        3 => Just(Hour::Receipt),
        3 => Just(Hour::Append),
        3 => Just(Hour::Time),
        2 => (-60_i64..60).prop_map(Hour::Clock),
    ];
    prop::collection::vec(hour, 0..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_matcher_whose_clock_was_wrong(hours in hours()) {
        WORLD.with(|world| {
            let mut now = TODAY.start().plus_secs(12 * 3_600);
            let mut day = MatcherDay::first(now.day());
            let (mut due, mut tree, mut promises, mut heads) = (Vec::new(), Tree::new(), Vec::new(), Vec::new());
            for (number, hour) in (0..).zip(hours) {
                match hour {
                    Hour::Receipt => {
                        day.advance(now.day());
                        let content = Content::Post(Box::new(World::message(number)));
                        let (_, opened, promise) = world.submit(content, day.day());
                        promises.push((opened.plaintext, promise));
                        let PostRequest { address, body } = World::message(number);
                        due.push(leaf_hash(&Entry { address, body }.to_bytes()));
                    }
                    Hour::Append => due.drain(..).for_each(|leaf| tree.append(leaf)),
                    Hour::Time if due.is_empty() => {
                        day.advance(now.day());
                        let leaves = tree.leaves().iter().flat_map(|leaf| *leaf.as_bytes()).collect();
                        heads.push((world.head("p5", &tree, Some(now)).to_string(), Bytes(leaves)));
                    }
                    Hour::Time => {}
                    Hour::Clock(hours) => {
                        let moved = now.secs().saturating_add_signed(hours * 3_600);
                        now = Timestamp::from_secs(moved.max(TODAY.start().secs()));
                    }
                }
            }
            for (plaintext, promise) in &promises {
                for (checkpoint, leaves) in &heads {
                    innocent(world, Violation::Promise(Box::new(BrokenPromise {
                        matcher: id("p5"),
                        plaintext: Bytes(plaintext.clone()),
                        promise: promise.clone(),
                        checkpoint: checkpoint.clone(),
                        leaves: leaves.clone(),
                    })));
                }
            }
        });
    }
}

thread_local! { static WORLD: World = World::new(1); }

//! The bytes of every message and stored record, and of what is hashed and signed.

use std::fmt;

use super::*;
use crate::codec::{Wire, decode, encode};
use crate::crypto::sha256;
use crate::id::MemberId;

fn round_trip<T: Wire + PartialEq + fmt::Debug>(value: &T) -> String {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    hex::encode(bytes)
}

#[test]
fn golden_bytes() {
    let mut world = World::with(&["a", "b", "c"], &["c"]);
    let mut asker = Asker::new(id("a"), None);
    let header = world.begin(&mut asker, &["x"]);
    let other = world.key("a");
    let other = Header { count: 2, total: 2, ..header.header.clone() }.sign(other).signed().clone();
    world.run(&mut asker, &[]);
    let evaluate = asker.evaluate_message().unwrap();
    let result = asker.finish().unwrap();
    let holder = &world.holders[&id("b")];
    let answer = holder.stored[&id("a")].clone();
    let acknowledgement = evaluate.acknowledgements[0].clone();
    let (epoch, member) = (header.header.epoch, id("a"));
    let refused = Refused { reason: Reason::OwnMatcher, highest: None };
    let found = [
        ("header hash", hex::encode(header.header.hash().as_bytes())),
        ("subject key", hex::encode(result[0].subject_keys[0].secret().expose())),
        ("signed header", round_trip(&header)),
        ("announce", round_trip(&Request::Announce(Announce { headers: vec![header.clone()] }))),
        ("evaluate", round_trip(&Request::Evaluate(evaluate))),
        ("ask head", round_trip(&Request::Head { epoch, member: member.clone() })),
        ("ask headers", round_trip(&Request::Headers { epoch, member, from: 7 })),
        ("acknowledged", round_trip(&Response::Acknowledged(acknowledgement))),
        ("answered", round_trip(&Response::Answered(answer.clone()))),
        ("no head", round_trip(&Response::Head(None))),
        ("head", round_trip(&Response::Head(Some(header.clone())))),
        ("headers", round_trip(&Response::Headers(vec![header.clone()]))),
        ("refused", round_trip(&Response::Refused(refused))),
        ("stored answer", round_trip(&answer)),
        ("chain", round_trip(&holder.chains[&id("a")])),
        ("vouched", round_trip(&holder.vouched[&id("a")])),
        ("fraud", round_trip(&Fraud { known: header, other })),
    ];
    let found: String = found.iter().map(|(name, bytes)| format!("{name}: {bytes}\n")).collect();
    assert_eq!(found, include_str!("golden.txt"), "\n{found}");
}

#[test]
fn the_largest_messages_fit() {
    let mut world = World::with(&["a", "b", "c"], &["c"]);
    let mut asker = Asker::new(id("a"), None);
    let inputs: Vec<String> = (0..oprf::MAX_BATCH).map(|number| number.to_string()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    world.change(|terms| terms.parties.get_mut(&id("a")).unwrap().budget.per_day = 256);
    let small = world.begin(&mut asker, &inputs);
    world.run(&mut asker, &[]);
    let long: MemberId = "m".repeat(32).parse().unwrap();

    let mut header = small;
    header.header.member = long.clone();
    header.header.purpose = "p".repeat(32).parse().unwrap();
    (header.header.seq, header.header.total, header.header.count) = (u64::MAX, u64::MAX, 256);
    header.header.time = crate::time::Timestamp::from_secs(u64::MAX);
    header.header.keys = vec![long.clone(); MAX_KEYS];
    assert!(encode(&header).len() <= SignedHeader::MAX_LEN);
    round_trip(&Request::Announce(Announce { headers: vec![header.clone(); MAX_HEADERS] }));
    round_trip(&Response::Headers(vec![header.clone(); MAX_HEADERS]));
    round_trip(&Fraud { known: header.clone(), other: header.clone() });
    // No covenant has more than seven key holders.
    let given = Acknowledgement::sign(long.clone(), header.header.hash(), world.key("a"));
    round_trip(&Vouched { header, acknowledgements: vec![given; 7] });

    let mut answer = world.holders[&id("b")].stored[&id("a")].clone();
    answer.holder = long.clone();
    answer.keys[0].matcher = long;
    answer.keys = vec![answer.keys[0].clone(); MAX_KEYS];
    round_trip(&answer);
    round_trip(&Response::Answered(answer));
    assert_eq!(sha256(&[]).len(), HeaderHash::LEN);
}

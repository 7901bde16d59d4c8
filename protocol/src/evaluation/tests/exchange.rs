//! The hourly exchange of heads: a number that was used twice is seen, also where no holder received both headers.

use super::world::{World, id};
use crate::evaluation::*;
use crate::id::MemberId;

/// f signs two requests with one number and shows each to a part of the holders, whatever part that is. One hour later
/// every holder asks every other for its head of f's chain.
#[test]
fn a_number_used_twice_is_seen_within_the_hour() {
    const HOLDERS: [&str; 5] = ["a", "b", "c", "d", "e"];
    for part in 1..(1_u8 << HOLDERS.len()) - 1 {
        let mut world = World::new();
        let key = &world.signing[&id("f")];
        let inputs = |byte: u8| crate::oprf::blind(&[vec![byte]], &mut rng(byte)).unwrap().1;
        let first = header(&world, &inputs(1)).sign(key);
        let other = header(&world, &inputs(2)).sign(key);
        for (place, holder) in (0..).zip(HOLDERS) {
            let shown = if part >> place & 1 == 1 { &first } else { &other };
            let reply = world.send_headers("f", holder, &[shown.signed()]);
            assert!(matches!(reply, Response::Acknowledged(_)), "{reply:?}");
        }
        assert!(HOLDERS.iter().all(|holder| world.holders[&id(holder)].frauds.is_empty()));
        world.now = world.now.plus_secs(3_600);
        let seen = HOLDERS.map(|me| HOLDERS.map(|other| exchange(&world, me, other)));
        for (me, row) in seen.iter().enumerate() {
            for (other, seen) in row.iter().enumerate() {
                assert_eq!(*seen, (part >> me & 1) != (part >> other & 1), "{part:b}: {me} asks {other}");
            }
            assert!(row.contains(&true));
        }
    }
}

/// Whether `me` learns from `other`'s head that f used a number twice.
fn exchange(world: &World, me: &str, other: &str) -> bool {
    let f: MemberId = id("f");
    let head = world.holders[&id(other)].chains[&f].last().unwrap().clone();
    let key = world.signing[&f].verifying_key();
    let known = |seq| world.holders[&id(me)].headers.get(&(f.clone(), seq)).cloned();
    match compare(&head.verify(&key).unwrap(), known) {
        Comparison::Fraud(fraud) => fraud.proves(&key),
        Comparison::Same | Comparison::Ahead => false,
    }
}

fn rng(seed: u8) -> rand_chacha::ChaCha20Rng {
    rand_core::SeedableRng::from_seed([seed; 32])
}

fn header(world: &World, elements: &crate::oprf::Elements) -> Header {
    let keys = world.terms.keys_for(&id("f"), &world.purpose).unwrap();
    Header {
        network: world.terms.network,
        covenant: world.terms.covenant,
        epoch: world.terms.epoch,
        purpose: world.purpose.clone(),
        member: id("f"),
        seq: 1,
        total: 1,
        time: world.now,
        count: 1,
        elements: elements.sha256(),
        keys: keys.iter().map(|key| key.matcher.clone()).collect(),
        prev: HeaderHash::NONE,
    }
}

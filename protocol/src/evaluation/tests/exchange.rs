//! The hourly exchange of heads: a number that was used twice is seen, also where no holder received both headers.

use proptest::prelude::*;

use super::world::{World, id};
use crate::codec::Bytes;
use crate::evaluation::*;
use crate::evidence::ServedTwice;
use crate::id::MemberId;
use crate::oprf::Elements;

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

/// f with one chain, forked after some requests: what the holders of each side were shown.
struct Forked {
    world: World,
    /// Holders that put their name under whatever f shows them.
    helpers: Vec<MemberId>,
    /// Of each side the other holders that were shown it.
    sides: [Vec<MemberId>; 2],
    last: [Option<VerifiedHeader>; 2],
    asked: u8,
}

impl Forked {
    /// The next request on these sides, which so far must be one where there are several; who answers it.
    fn ask(&mut self, sides: &[usize]) -> Vec<MemberId> {
        self.asked += 1;
        let elements = crate::oprf::blind(&[vec![self.asked]], &mut rng(self.asked)).unwrap().1;
        let last = self.last[sides[0]].clone();
        let mut next = header(&self.world, &elements);
        if let Some(last) = &last {
            (next.seq, next.total) = (last.header().seq + 1, last.header().total + 1);
            next.prev = last.hash();
        }
        let next = next.sign(self.world.key("f"));
        sides.iter().for_each(|side| self.last[*side] = Some(next.clone()));
        let honest: Vec<MemberId> = sides.iter().flat_map(|side| self.sides[*side].clone()).collect();
        let mut given: Vec<Acknowledgement> = Vec::new();
        for holder in &honest {
            match self.world.send_headers("f", holder.as_str(), &[next.signed()]) {
                Response::Acknowledged(it) => given.push(it),
                other => panic!("{other:?}"),
            }
        }
        let sign = |holder: &MemberId| {
            Acknowledgement::sign(holder.clone(), next.hash(), &self.world.signing[holder])
        };
        given.extend(self.helpers.iter().map(sign));
        self.evaluate(&next, given, &elements, &honest)
    }

    fn evaluate(
        &mut self,
        header: &VerifiedHeader,
        acknowledgements: Vec<Acknowledgement>,
        elements: &Elements,
        holders: &[MemberId],
    ) -> Vec<MemberId> {
        let (epoch, elements) = (header.header().epoch, Bytes(elements.to_bytes()));
        let request =
            Request::Evaluate(Evaluate { epoch, header: header.hash(), acknowledgements, elements });
        let mut answers = |holder: &&MemberId| {
            matches!(self.world.request("f", holder.as_str(), &request), Response::Answered(_))
        };
        holders.iter().filter(|holder| answers(holder)).cloned().collect()
    }

    /// Whom `me` names, with what `other` shows.
    fn named(&self, me: &MemberId, other: &MemberId) -> Vec<MemberId> {
        let (f, holders) = (id("f"), &self.world.holders);
        let Some((own, theirs)) = holders[me].vouched.get(&f).zip(holders[other].vouched.get(&f)) else {
            return Vec::new();
        };
        let known = |seq| holders[me].headers.get(&(f.clone(), seq)).cloned();
        let key =
            |holder: &MemberId| self.world.signing.get(holder).map(crate::sign::SigningKey::verifying_key);
        ServedTwice::helpers(own, theirs, known, key).into_iter().map(|it| it.holder).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whoever helps, however the others are divided, and however far f goes on with either side.
    #[test]
    fn who_helps_a_member_to_fork_is_named_and_nobody_else(
        parts in prop::array::uniform5(0_u8..3), before in 0_u8..3, after in prop::array::uniform2(0_u8..4),
    ) {
        let of = |part: u8| {
            let holders = ["a", "b", "c", "d", "e"].into_iter().zip(parts);
            holders.filter(|(_, its)| *its == part).map(|(holder, _)| id(holder)).collect::<Vec<_>>()
        };
        let (world, sides) = (World::new(), [of(0), of(1)]);
        let mut forked = Forked { world, helpers: of(2), sides, last: [None, None], asked: 0 };
        for _ in 0..before {
            forked.ask(&[0, 1]);
        }
        // Both sides in turns; with too few helpers neither is answered.
        let mut answered = [Vec::new(), Vec::new()];
        for turn in 0..4 {
            for side in [0, 1] {
                if turn < after[side] {
                    answered[side] = forked.ask(&[side]);
                }
            }
        }
        let honest: Vec<_> = forked.sides.concat();
        for (me, other) in honest.iter().flat_map(|me| honest.iter().map(move |other| (me, other))) {
            let named = forked.named(me, other);
            prop_assert!(named.iter().all(|named| forked.helpers.contains(named)), "{me} names {named:?}");
        }
        for (me, other) in answered[0].iter().flat_map(|me| answered[1].iter().map(move |other| (me, other))) {
            let named = [forked.named(me, other), forked.named(other, me)];
            prop_assert!(!named.concat().is_empty(), "{me} and {other} answered both sides");
        }
    }
}

fn rng(seed: u8) -> rand_chacha::ChaCha20Rng {
    rand_core::SeedableRng::from_seed([seed; 32])
}

fn header(world: &World, elements: &Elements) -> Header {
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

use proptest::prelude::*;

use super::*;
use crate::covenant::VerifiedCovenant;
use crate::covenant::tests::{covenant, founders, signed};
use crate::evidence::{Evidence, Violation};
use crate::log::merkle::leaf_hash;

/// A matcher, p5, that signs whatever it likes, and the covenant that readers go by.
struct World {
    covenant: VerifiedCovenant,
    key: SigningKey,
    log: NoteKey,
}

impl World {
    fn new() -> Self {
        let mut founders = founders(6);
        let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
        let key = founders.pop().unwrap().key;
        let log = board_key(&covenant.network(), &"p5".parse().unwrap(), key.verifying_key());
        Self { covenant, key, log }
    }

    fn head(&self, tree: &Tree) -> Head {
        let checkpoint = Checkpoint { origin: self.log.name().clone(), size: tree.size(), root: tree.root() };
        Head::verify(checkpoint.sign(&self.key), &self.log).unwrap()
    }
}

fn tree(leaves: &[u8]) -> Tree {
    leaves.iter().map(|leaf| leaf_hash(&[*leaf])).collect()
}

/// One reader, with `mine`, asks another, with `theirs`, once. What it can then prove.
fn exchange(world: &World, mine: &Tree, theirs: &Tree, shown: Option<Continues>) -> Option<Evidence> {
    let (own, other) = (world.head(mine), world.head(theirs));
    let log = LogOf::Board("p5".parse().unwrap());
    match compare((&log, &world.log), (mine, &own), &other, shown) {
        Compared::Agree | Compared::Behind(_) | Compared::Unproven => None,
        Compared::Fork(fork) => {
            Some(Evidence { network: world.covenant.network(), violation: Violation::Fork(fork) })
        }
    }
}

fn honest(mine: &Tree, theirs: &Tree) -> Option<Continues> {
    continues(theirs, mine.size(), theirs.size())
}

/// All boards of up to five entries of two kinds, every two of them shown to two readers: whoever asks first has proof,
/// exactly when neither board continues the other.
#[test]
fn two_readers_of_different_boards_know_after_one_exchange() {
    let world = World::new();
    let boards: Vec<Vec<u8>> = (1..=5)
        .flat_map(|size| (0..1_u8 << size).map(move |bits| (0..size).map(|at| bits >> at & 1).collect()))
        .collect();
    let mut forked = 0;
    for (a, b) in boards.iter().flat_map(|a| boards.iter().map(move |b| (a, b))) {
        let (mine, theirs) = (tree(a), tree(b));
        let evidence = exchange(&world, &mine, &theirs, honest(&mine, &theirs));
        let one_board = a.starts_with(b) || b.starts_with(a);
        match evidence {
            None => assert!(one_board, "{a:?} and {b:?}"),
            Some(evidence) => {
                assert!(!one_board, "{a:?} and {b:?}");
                let verdict = evidence.check(&world.covenant).unwrap();
                assert_eq!(verdict.members, ["p5".parse().unwrap()]);
                forked += 1;
            }
        }
    }
    assert!(forked > 3_000, "{forked}");
}

#[test]
fn a_reader_that_shows_something_false_convicts_nobody() {
    let world = World::new();
    let (mine, theirs) = (tree(b"abc"), tree(b"abcde"));
    let honest = honest(&mine, &theirs).unwrap();
    let other_root = Continues { root: tree(b"abd").root(), ..honest.clone() };
    let other_proof = Continues { proof: Vec::new(), ..honest };
    for shown in [None, Some(other_root), Some(other_proof)] {
        assert_eq!(exchange(&world, &mine, &theirs, shown), None);
    }
}

#[test]
fn a_witness_cosigns_its_own_head_alone() {
    let world = World::new();
    let (network, me) = (world.covenant.network(), "p0".parse::<MemberId>().unwrap());
    let key = SigningKey::from_seed(&crate::secret::Secret::new([16; 32]));
    let (read, now) = (tree(b"abc"), Timestamp::from_secs(1_800_000_000));
    let own = witness_key(&network, &me, key.verifying_key());
    let mut head = world.head(&read);
    cosign(&mut head, &read, now, (&network, &me), &key).unwrap();
    assert_eq!(head.note.verify(&own).unwrap().time(), Some(now));
    assert_eq!(head.note.signatures(), 2);
    for other in [b"abd".as_slice(), b"abcd"] {
        let mut head = world.head(&tree(other));
        let refused = cosign(&mut head, &read, now, (&network, &me), &key);
        assert_eq!((refused, head.note.signatures()), (Err(NotCosigned::Other), 1));
    }
}

proptest! {
    /// Large boards with a common beginning, in either order.
    #[test]
    fn any_fork_is_found(common in 0_usize..150, a in 0_usize..60, b in 0_usize..60) {
        thread_local! { static WORLD: World = World::new(); }
        let board = |own: u8, more: usize| {
            tree(&[(0..common).map(|at| at as u8).collect(), vec![own; more]].concat())
        };
        let (mine, theirs) = (board(251, a), board(252, b));
        prop_assume!(mine.size() > 0 && theirs.size() > 0);
        let proven = WORLD.with(|world| {
            let evidence = exchange(world, &mine, &theirs, honest(&mine, &theirs));
            evidence.map(|evidence| evidence.check(&world.covenant))
        });
        prop_assert_eq!(proven.as_ref().map(Result::is_ok), (a > 0 && b > 0).then_some(true));
    }
}

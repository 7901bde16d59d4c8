use proptest::prelude::*;

use super::{
    Frontier, Hash, MAX_SIZE, ProofError, Tree, empty_root, leaf_hash, node_hash, split, verify_consistency,
    verify_inclusion,
};
use crate::codec::{decode, encode};

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// RFC 6962 section 2.1, word for word, as the oracle.
fn definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        more => {
            let (left, right) = more.split_at(split(more.len() as u64) as usize);
            node_hash(&definition(left), &definition(right))
        }
    }
}

#[test]
fn roots_follow_the_definition() {
    let all = leaves(70);
    let tree: Tree = all.iter().copied().collect();
    let mut frontier = Frontier::new();
    for size in 0..=70 {
        let root = definition(&all[..size]);
        assert_eq!(tree.root_at(size as u64), Some(root));
        assert_eq!(frontier.root(), root);
        if size < 70 {
            frontier.append(all[size]);
        }
    }
    assert_eq!(tree.root(), frontier.root());
    assert_eq!(tree.root_at(71), None);
}

#[test]
fn every_proof_of_a_small_tree_verifies_and_no_altered_one() {
    let all = leaves(18);
    let tree: Tree = all.iter().copied().collect();
    for new in 0..=18 {
        let new_root = tree.root_at(new).unwrap();
        for index in 0..new {
            let proof = tree.inclusion_proof(index, new).unwrap();
            let leaf = &all[index as usize];
            assert_eq!(verify_inclusion(index, new, leaf, &proof, &new_root), Ok(()));
            let other = all[(index as usize + 1) % 18];
            assert!(verify_inclusion(index, new, &other, &proof, &new_root).is_err());
            for altered in altered(&proof) {
                assert!(verify_inclusion(index, new, leaf, &altered, &new_root).is_err());
            }
        }
        for old in 0..=new {
            let old_root = tree.root_at(old).unwrap();
            let proof = tree.consistency_proof(old, new).unwrap();
            assert_eq!(verify_consistency(old, new, &proof, &old_root, &new_root), Ok(()), "{old} {new}");
            let wrong = leaf_hash(b"another");
            assert!(verify_consistency(old, new, &proof, &wrong, &new_root).is_err());
            assert!(verify_consistency(old, new, &proof, &old_root, &wrong).is_err() || old == 0);
            for altered in altered(&proof) {
                assert!(verify_consistency(old, new, &altered, &old_root, &new_root).is_err(), "{old} {new}");
            }
        }
    }
}

/// One hash too many, each hash missing, each hash changed.
fn altered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[empty_root()]].concat()];
    for index in 0..proof.len() {
        let (mut without, mut changed) = (proof.to_vec(), proof.to_vec());
        without.remove(index);
        changed[index] = empty_root();
        all.extend([without, changed]);
    }
    all
}

#[test]
fn impossible_positions_have_no_proof() {
    let tree: Tree = leaves(5).into_iter().collect();
    assert_eq!(tree.inclusion_proof(5, 5), None);
    assert_eq!(tree.inclusion_proof(0, 6), None);
    assert_eq!(tree.consistency_proof(4, 6), None);
    assert_eq!(tree.consistency_proof(3, 2), None);
    let root = tree.root();
    let range = |position, size| Err(ProofError::Range { position, size });
    assert_eq!(verify_inclusion(5, 5, &root, &[], &root), range(5, 5));
    assert_eq!(verify_inclusion(0, 0, &root, &[], &root), range(0, 0));
    assert_eq!(verify_inclusion(0, u64::MAX, &root, &[], &root), range(0, u64::MAX));
    assert_eq!(verify_consistency(3, 2, &[], &root, &root), range(3, 2));
    assert_eq!(verify_consistency(2, MAX_SIZE + 1, &[], &root, &root), range(2, MAX_SIZE + 1));
}

#[test]
fn a_frontier_has_one_encoding_and_only_a_fitting_one() {
    let mut frontier = Frontier::new();
    leaves(3).into_iter().for_each(|leaf| frontier.append(leaf));
    let bytes = encode(&frontier);
    // Computed by hand from the definition: {"size": 3, "peaks": [node(0, 1), leaf 2]}.
    let golden = concat!(
        "01a26473697a6503657065616b73",
        "825820a7d91894b61fbf46378d88e3e1b1f7aef39532c504b484bd31551d15e0a09d",
        "ff5820d81f51781eeb8f46a0e112e86ca335896ccc12cee00e6cfcf58a3501129dfc24",
    );
    assert_eq!(hex::encode(&bytes), golden);
    assert_eq!(decode::<Frontier>(&bytes), Ok(frontier));
    let mut wrong_size = bytes;
    assert_eq!(wrong_size[7], 3);
    wrong_size[7] = 4;
    assert!(decode::<Frontier>(&wrong_size).is_err());
}

proptest! {
    #[test]
    fn foreign_proofs_never_panic(
        position in any::<u64>(), size in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash::from_bytes).collect();
        let root = empty_root();
        prop_assert!(verify_inclusion(position, size, &root, &proof, &root).is_err() || size == 1);
        let _ = verify_consistency(position, size, &proof, &root, &root);
    }

    #[test]
    fn proofs_of_larger_trees_verify(new in 1_u64..600, a in any::<u64>(), b in any::<u64>()) {
        let tree: Tree = leaves(new).into_iter().collect();
        let (index, old) = (a % new, b % (new + 1));
        let leaf = leaf_hash(&index.to_be_bytes());
        let inclusion = tree.inclusion_proof(index, new).unwrap();
        prop_assert_eq!(verify_inclusion(index, new, &leaf, &inclusion, &tree.root()), Ok(()));
        let consistency = tree.consistency_proof(old, new).unwrap();
        let old_root = tree.root_at(old).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &consistency, &old_root, &tree.root()), Ok(()));
    }
}

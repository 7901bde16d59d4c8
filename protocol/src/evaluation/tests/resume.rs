//! From which header a member goes on.

use std::collections::BTreeMap;

use super::world::{World, id};
use crate::evaluation::*;

#[test]
fn a_majority_is_enough_unless_something_was_lost() {
    let world = World::new();
    let me = id("f");
    let all: Vec<_> = world.terms.witnesses(&me).cloned().collect();
    let most = world.terms.majority(&me);
    let say = |number: u64, count: usize| -> BTreeMap<_, _> {
        all.iter().take(count).map(|holder| (holder.clone(), number)).collect()
    };
    let waits = |count: usize| Resume::WaitFor(all[count..].to_vec());
    let after = |own, answers| resume(own, &answers, &world.terms, &me);
    assert_eq!((all.len(), most), (5, 3));
    assert_eq!(after(4, say(4, 0)), waits(0));
    assert_eq!(after(4, say(4, most - 1)), waits(most - 1));
    assert_eq!(after(4, say(4, most)), Resume::After(4));
    assert_eq!(after(4, say(3, most)), Resume::After(4));
    assert_eq!(after(4, say(5, most)), waits(most));
    assert_eq!(after(0, say(5, all.len() - 1)), waits(all.len() - 1));
    assert_eq!(after(0, say(5, all.len())), Resume::After(5));
}

use kring_protocol::time::Day;
use kring_protocol::trace::{COMPLAINTS_A_DAY, Refusal};

use super::{Brought, Done};
use crate::testing::golden;

#[test]
fn golden_bytes_of_what_came_of_a_complaint() {
    let done: Done = golden(&["01a3666d656d6265726161", "63646179194e20", "677265667573616cf6"]);
    assert_eq!((done.member.as_str(), done.day, done.refusal), ("a", Day::from_days(20_000), None));
    let done: Done =
        golden(&["01a3666d656d6265726161", "63646179194e20", "677265667573616c", "69756e666f756e646564"]);
    assert_eq!(done.refusal, Some(Refusal::Unfounded));
}

#[test]
fn a_member_has_so_many_complaints_a_day_each_counted_once() {
    let mut brought = Brought::default();
    let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
    let today = Day::from_days(20_000);
    let id = |n: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        id
    };
    for n in 0..COMPLAINTS_A_DAY {
        assert!(brought.take(&a, id(n), today));
        assert!(brought.take(&a, id(0), today), "the same again is not counted");
    }
    assert!(!brought.take(&a, id(COMPLAINTS_A_DAY), today));
    assert!(brought.take(&a, id(1), today));
    assert!(brought.take(&b, id(COMPLAINTS_A_DAY), today));
    assert!(brought.take(&a, id(COMPLAINTS_A_DAY), today.plus(1)));
}

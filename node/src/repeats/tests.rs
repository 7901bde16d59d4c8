use kring_protocol::time::Day;

use super::Answered;
use crate::testing::golden;

#[test]
fn golden_bytes_of_an_answered_request() {
    let answered: Answered =
        golden(&["01a36468617368500505050505050505050505050505050563646179194e2066726573756c74420102"]);
    assert_eq!((answered.hash.0.as_slice(), answered.day), (&[5; 16][..], Day::from_days(20_000)));
    assert_eq!(answered.result.0, [1, 2]);
}

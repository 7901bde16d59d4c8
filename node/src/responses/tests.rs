use kring_protocol::time::Day;

use super::Answered;
use crate::testing::golden;

#[test]
fn golden_bytes_of_an_answered_request() {
    let answered: Answered = golden(&[
        "01a264686173685820050505050505050505050505050505050505050505050505050505050505050563646179194e20",
    ]);
    assert_eq!((answered.hash.as_bytes(), answered.day), (&[5; 32], Day::from_days(20_000)));
}

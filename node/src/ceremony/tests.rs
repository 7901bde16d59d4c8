use super::{StoredKept, StoredShares};
use crate::testing::golden;

#[test]
fn golden_bytes_of_an_epochs_shares() {
    let stored: StoredShares = golden(&STORED_SHARES);
    let [stored] = stored.shares.as_slice() else { panic!("{} shares", stored.shares.len()) };
    assert_eq!((stored.key.purpose.as_str(), stored.key.matcher.as_str()), ("jeugd", "m"));
    assert_eq!(stored.share.expose(), &[6; 32]);
}

#[test]
fn golden_bytes_of_a_piece_of_a_ceremony() {
    let StoredKept(piece) = golden(&["0143070707"]);
    assert_eq!(piece.0, [7; 3]);
}

const STORED_SHARES: [&str; 2] = [
    "01a16673686172657381a2636b6579a267707572706f7365656a65756764676d617463686572616d6573686172655820",
    "0606060606060606060606060606060606060606060606060606060606060606",
];

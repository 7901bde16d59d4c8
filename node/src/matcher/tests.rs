use kring_protocol::crypto::sha256;
use kring_protocol::time::Day;

use super::{Ended, Kept, Seen, StoredKey};
use crate::testing::golden;

#[test]
fn golden_bytes_of_what_a_trace_needs() {
    let kept: Kept = golden(&KEPT);
    assert_eq!(kept.plaintext.0, [1, 2, 3]);
    assert_eq!(kept.sealed.as_bytes(), &[2; 32]);
    assert_eq!(kept.relay.as_str(), "relay");
    assert_eq!(kept.signature.as_bytes(), &[3; 64]);
    assert_eq!(kept.ticket.hash(), sha256(&[4; 5]));
    assert_eq!(kept.day, Day::from_days(20_000));
}

#[test]
fn golden_bytes_of_an_ended_mailbox() {
    let ended: Ended = golden(&["01a165756e74696c194e78"]);
    assert_eq!((ended.until, ended.kept), (Day::from_days(20_088), None));
    let met: Ended = golden(&["01a265756e74696c194e78646b657074194e23"]);
    assert_eq!((met.until, met.kept), (Day::from_days(20_088), Some(Day::from_days(20_003))));
}

#[test]
fn golden_bytes_of_a_seen_request() {
    let seen: Seen = golden(&["01a263646179194e206468656c64f5"]);
    assert_eq!((seen.day, seen.held), (Day::from_days(20_000), true));
}

#[test]
fn golden_bytes_of_a_weekly_key() {
    let StoredKey(key) = golden(&["0158200505050505050505050505050505050505050505050505050505050505050505"]);
    assert_eq!(key.expose(), &[5; 32]);
}

const KEPT: [&str; 4] = [
    "01a669706c61696e7465787443010203667365616c656458200202020202020202020202020202020202020202020202",
    "0202020202020202026572656c61796572656c6179697369676e61747572655840030303030303030303030303030303",
    "030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303",
    "03667469636b657445040404040463646179194e20",
];

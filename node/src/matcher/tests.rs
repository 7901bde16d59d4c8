use kring_protocol::board::{Body, Entry, Post};
use kring_protocol::crypto::sha256;
use kring_protocol::id::Address;
use kring_protocol::meeting::Announcement;
use kring_protocol::sealing::{ExchangeKey, ExchangeSecret};
use kring_protocol::secret::Secret;
use kring_protocol::sign::Signature;
use kring_protocol::submission::{Inbox, Withdraw};
use kring_protocol::time::Day;

use super::due::{Posting, mixed};
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

/// Two posts to each of forty mailboxes, pair by pair, and ten messages.
#[test]
fn an_append_is_mixed_and_each_mailbox_keeps_its_order() {
    let mailbox = |number: u8| ExchangeSecret::from_bytes(Secret::new([number + 1; 32])).public();
    let post = |to: ExchangeKey, n: u32| {
        let withdraw = Withdraw { mailbox: to, signature: Signature::from_bytes([0; 64]) };
        let inbox = Inbox::from_bytes([0; 16]);
        Posting::Announcement(Announcement { to, inbox, n, post: Post::Withdrawn(withdraw) })
    };
    let message = |byte: u8| {
        let (address, body) = (Address::from_bytes([byte; 16]), Body::from_bytes([0; 640]));
        Posting::Message(Box::new(Entry { address, body }))
    };
    let posts = (0..2).flat_map(|n| (0..40).map(move |number| (number, n)));
    let all = posts.map(|(number, n)| post(mailbox(number), n)).chain((0..10).map(message));
    let group: Vec<_> = (0..).zip(all).collect();
    let order = |group: Vec<(u64, Posting)>| group.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    let one = order(mixed(group.clone()));
    let place = |number: u64| one.iter().position(|other| *other == number).unwrap();
    assert_eq!(one.len(), group.len());
    assert!((0..40).all(|number| place(number) < place(number + 40)), "{one:?}");
    assert!((80..89).all(|number| place(number) < place(number + 1)), "{one:?}");
    let side_by_side = one.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
    assert!(side_by_side < 15, "one in ninety stays where it was: {one:?}");
    assert_ne!(one, order(mixed(group)), "another order each time");
}

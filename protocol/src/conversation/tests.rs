use super::*;
use crate::crypto::{hkdf_salted, hmac_sha256};
use crate::id::{Epoch, Reference};
use crate::submission::tests::{scope, subject_key};
use crate::time::Day;

fn mailbox(byte: u8) -> ExchangeSecret {
    ExchangeSecret::from_bytes(Secret::new([byte; 32]))
}

fn message() -> Message {
    Message {
        id: MessageId::from_bytes([9; 16]),
        from: Reference::from_bytes([1; 16]),
        to: Reference::from_bytes([2; 16]),
        issued: Day::from_days(20_000),
        says: Says::Mistaken(MistakenReason::OtherPerson),
    }
}

fn channel(own: u8, other: u8) -> Channel {
    Channel::new(&subject_key(1), &scope(), mailbox(own), mailbox(other).public())
}

#[test]
fn both_sides_compute_the_same_addresses_and_read_each_other() {
    let (a, b) = (channel(3, 4), channel(4, 3));
    for n in [0, 1, 63, u32::MAX] {
        assert_eq!(a.address_to(n), b.address_from(n));
        assert_eq!(b.address_to(n), a.address_from(n));
        assert_ne!(a.address_to(n), a.address_from(n), "the directions have addresses of their own");
    }
    let posted = a.seal(&message(), 5);
    assert_eq!(posted.address, b.address_from(5));
    assert_eq!(b.open(&posted.body), Ok(message()));
    assert_eq!(a.seal(&message(), 5), posted, "sealing again gives the same bytes");
    assert_ne!(a.seal(&message(), 6).body, posted.body);
}

#[test]
fn opens_only_for_the_pair_the_direction_the_scope_and_the_subject_key() {
    let (a, b) = (channel(3, 4), channel(4, 3));
    let body = a.seal(&message(), 0).body;
    assert_eq!(b.open(&body), Ok(message()));
    assert_eq!(a.open(&body), Err(Unopenable), "the sender's own direction");
    assert_eq!(channel(4, 5).open(&body), Err(Unopenable), "another sender");
    assert_eq!(channel(5, 3).open(&body), Err(Unopenable), "another receiver");
    let other =
        |key: u8, scope: &Scope| Channel::new(&subject_key(key), scope, mailbox(4), mailbox(3).public());
    assert_eq!(other(1, &scope()).open(&body), Ok(message()));
    assert_eq!(other(2, &scope()).open(&body), Err(Unopenable), "another subject key");
    let scopes = [
        Scope { network: crate::id::NetworkId::from_bytes([2; 32]), ..scope() },
        Scope { epoch: Epoch(2), ..scope() },
        Scope { purpose: "other".parse().unwrap(), ..scope() },
        Scope { matcher: "other".parse().unwrap(), ..scope() },
    ];
    for scope in scopes {
        assert_eq!(other(1, &scope).open(&body), Err(Unopenable), "{scope:?}");
    }
    for index in [0, 31, 32, 300, 639] {
        let mut altered = *body.as_bytes();
        altered[index] ^= 1;
        assert_eq!(b.open(&Body::from_bytes(altered)), Err(Unopenable), "byte {index}");
    }
}

/// A third partner that has the same family knows the subject key and both mailboxes (it met both).
#[test]
fn who_knows_the_family_can_neither_speak_for_a_side_nor_find_their_messages() {
    let (key, scope) = (subject_key(1), scope());
    let (a, b) = (mailbox(3).public(), mailbox(4).public());
    let psk = key.psk(&a, &b);
    let info = message_info(&scope, &a, &b);
    let third = mailbox(5);
    // With its own key as sender, and with a base-mode seal: everything it has.
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let psk = Psk { key: &psk, id: label::PSK };
    let plaintext = message().to_plaintext();
    let forged = [
        sealing::seal_authenticated(&third, &b, psk, &info, &plaintext, &mut rng),
        sealing::seal(&b, &info, &plaintext, &mut rng),
    ];
    for body in forged {
        assert_eq!(channel(4, 3).open(&Body::try_from(body.as_slice()).unwrap()), Err(Unopenable));
    }
    // Every secret that it has in the place of the one between the two.
    let between: Vec<_> = (0..64).map(|n| channel(3, 4).address_to(n)).collect();
    for shared in [third.exchange(&a), third.exchange(&b), Secret::new([0; 32])] {
        for (from, to) in [(&a, &b), (&b, &a)] {
            let info = join(&[label::ADDRESS, from.as_bytes(), to.as_bytes()]);
            let addresses = hkdf_salted(psk.key.expose(), shared.expose(), &info);
            let guessed = Direction { info: Vec::new(), addresses };
            assert!((0..64).all(|n| !between.contains(&guessed.address(n))));
        }
    }
}

#[test]
fn derivations_are_the_designs_to_the_byte() {
    let (own, other) = (mailbox(3), mailbox(4).public());
    let (a, b) = (own.public(), other);
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let both = |x: &ExchangeKey, y: &ExchangeKey| {
        [&[0, 32], x.as_bytes().as_slice(), &[0, 32], y.as_bytes()].concat()
    };
    let psk = hkdf_salted(b"kring/psk/v1", subject_key(1).secret().expose(), &both(&low, &high));
    assert_eq!(subject_key(1).psk(&a, &b), psk);
    assert_eq!(subject_key(1).psk(&b, &a), psk);
    let shared = x25519_dalek::x25519([3; 32], *other.as_bytes());
    let info = [b"\x00\x10kring/address/v1".as_slice(), &both(&a, &b)].concat();
    let addresses = hkdf_salted(psk.expose(), &shared, &info);
    let first = hmac_sha256(addresses.expose(), &[0, 0, 0, 7]);
    assert_eq!(channel(3, 4).address_to(7).as_bytes()[..], first[..16]);
    let info = [
        b"\x00\x10kring/message/v1\x00\x20".as_slice(),
        &[1; 32],
        b"\x00\x04\x00\x00\x00\x01\x00\x07matcher\x00\x05jeugd",
        &both(&a, &b),
    ]
    .concat();
    assert_eq!(message_info(&scope(), &a, &b), info);
}

#[test]
fn golden_bytes_of_a_message() {
    let plaintext = message().to_plaintext();
    let (encoded, zeros) = plaintext.split_at(2 + usize::from(plaintext[1]));
    assert_eq!(hex::encode(encoded), GOLDEN_PLAINTEXT);
    assert!(zeros.iter().all(|&byte| byte == 0) && plaintext.len() == 592);
    let posted = channel(3, 4).seal(&message(), 7);
    assert_eq!(posted.address.to_string(), GOLDEN_ADDRESS);
    assert_eq!(hex::encode(crate::crypto::sha256(posted.body.as_bytes())), GOLDEN_BODY_HASH);
}

#[test]
fn only_one_form_of_a_message_is_read() {
    let plaintext = message().to_plaintext();
    assert_eq!(Message::from_plaintext(&plaintext), Ok(message()));
    let mut padded = plaintext.clone();
    *padded.last_mut().unwrap() = 1;
    let mut longer = plaintext.clone();
    longer.push(0);
    for bad in [&padded, &longer, &plaintext[..591].to_vec(), &Vec::new(), &vec![0xff; 592]] {
        assert_eq!(Message::from_plaintext(bad), Err(message::BadMessage));
    }
    for reason in MistakenReason::ALL {
        let message = Message { says: Says::Mistaken(reason), ..message() };
        assert_eq!(Message::from_plaintext(&message.to_plaintext()), Ok(message));
    }
}

const GOLDEN_PLAINTEXT: &str = "006601a562696450090909090909090909090909090909096466726f6d50010101010101010101010101010101\
     0162746f500202020202020202020202020202020266697373756564194e206473617973a1686d697374616b65\
     6e6c6f746865722d706572736f6e";
const GOLDEN_ADDRESS: &str = "5fce5b8686f8c71fe031d98e29c38d3f";
const GOLDEN_BODY_HASH: &str = "8e2419d644d06718bb82414dd209ed2dfe342ebd287c8df91790eca855cb86c4";

/// What a conversation costs, for `docs/decisions/`; measures, proves nothing. Run alone, with `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn cost() {
    let median = |mut work: Box<dyn FnMut() + '_>| {
        let mut times: Vec<_> = (0..501)
            .map(|_| {
                let start = std::time::Instant::now();
                work();
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[250]
    };
    let (key, scope, own, other) = (subject_key(1), scope(), mailbox(3), mailbox(4).public());
    let opened = median(Box::new(move || {
        std::hint::black_box(Channel::new(&key, &scope, own.clone(), other));
    }));
    let (a, b) = (channel(3, 4), channel(4, 3));
    let body = a.seal(&message(), 0).body;
    let window = median(Box::new(|| {
        (0..64).for_each(|n| {
            std::hint::black_box(b.address_from(n));
        });
    }));
    println!("channel {opened:.1} us, its window of 64 addresses {window:.1} us");
    let seal = median(Box::new(|| {
        std::hint::black_box(a.seal(&message(), 0));
    }));
    let open = median(Box::new(|| {
        std::hint::black_box(b.open(&body).unwrap());
    }));
    println!("seal {seal:.1} us, open {open:.1} us");
}

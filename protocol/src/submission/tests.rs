use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::board::{Met, Post, open_post, post_address, seal_post};
use crate::id::{Epoch, PurposeId, Reference};
use crate::relay::{Forwarded, Relay, TicketMaker, TraceKeys, forward, verify_relayed};
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::hello::Envelope;

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn destination() -> Destination {
    Destination { network: NetworkId::from_bytes([1; 32]), matcher: "matcher".parse().unwrap() }
}

pub(crate) fn scope() -> Scope {
    let purpose: PurposeId = "jeugd".parse().unwrap();
    Scope { network: destination().network, epoch: Epoch(1), purpose, matcher: destination().matcher }
}

/// What one member keeps of a submission of its own.
pub(crate) struct Own {
    pub(crate) mailbox: ExchangeSecret,
    pub(crate) withdraw: SigningKey,
    pub(crate) leave: Leave,
}

pub(crate) fn own(seed: u8, key: &SubjectKey, member: &str, reference: u8, min: u8) -> Own {
    let mut rng = rng(seed);
    let mailbox = ExchangeSecret::from_bytes(Secret::random(&mut rng));
    let withdraw = SigningKey::from_seed(&Secret::random(&mut rng));
    let signing = SigningKey::from_seed(&Secret::new([seed; 32]));
    let (scope, expiry, public) = (scope(), Day::from_days(20_100), mailbox.public());
    let withdraw_key = withdraw.verifying_key();
    let envelope = Envelope { scope: &scope, mailbox: &public, withdraw_key: &withdraw_key, expiry };
    let member = member.parse().unwrap();
    let hello =
        Hello::new(vec![Reference::from_bytes([reference; 16])], key, envelope, Some((&member, &signing)));
    let leave = Leave {
        tag: key.tag(),
        mailbox: public,
        withdraw_key,
        min,
        expiry,
        hello: hello.seal(key, envelope),
        inbox: Inbox::from_bytes([seed; 16]),
        replaces: None,
    };
    Own { mailbox, withdraw, leave }
}

pub(crate) fn subject_key(byte: u8) -> SubjectKey {
    SubjectKey::derive(&Secret::new([byte; 64]), &scope())
}

fn leave_submission(own: &Own) -> Submission {
    Submission { day: Day::from_days(20_000), content: Content::Leave(Box::new(own.leave.clone())) }
}

#[test]
fn derivations_are_the_designs_to_the_byte() {
    let key = subject_key(7);
    let salt = [
        b"\x00\x14kring/subject-key/v1\x00\x20".as_slice(),
        &[1; 32],
        b"\x00\x04\x00\x00\x00\x01\x00\x05jeugd\x00\x07matcher",
    ]
    .concat();
    let expected = crate::crypto::hkdf_salted(&salt, &[7; 64], b"");
    assert_eq!(key.secret(), &expected);
    assert_eq!(
        key.tag().as_bytes()[..],
        crate::crypto::hmac_sha256(expected.expose(), b"kring/tag/v1")[..16]
    );
    assert_eq!(hex::encode(key.tag().as_bytes()), "92cbab9a39c8722d9935d2fd27ed7b60");
}

#[test]
fn every_kind_has_one_size_and_reads_back() {
    let own = own(1, &subject_key(1), "a", 1, 2);
    let withdraw = destination().withdraw(&own.withdraw, own.mailbox.public());
    let mut replacing = own.leave.clone();
    replacing.replaces =
        Some(destination().replaces(&own.withdraw, own.mailbox.public(), &own.leave.mailbox));
    let post = PostRequest { address: Address::from_bytes([1; 16]), body: Body::from_bytes([2; 640]) };
    let contents = [
        Content::Leave(Box::new(own.leave)),
        Content::Leave(Box::new(replacing)),
        Content::Withdraw(withdraw),
        Content::Post(Box::new(post)),
        Content::Dummy(Inbox::from_bytes([3; 16])),
    ];
    let key = ExchangeSecret::from_bytes(Secret::new([8; 32]));
    for content in contents {
        let submission = Submission { day: Day::from_days(20_000), content };
        assert_eq!(Submission::from_plaintext(&submission.to_plaintext()), Ok(submission.clone()));
        let sealed = seal(&submission, &destination(), &key.public(), &mut rng(2));
        assert_eq!(sealed.sealed.len(), SEALED_LEN);
        let opened = open(&sealed.sealed, &destination(), &key).unwrap();
        assert_eq!(opened.submission, submission);
        assert_eq!((opened.sealed_hash, opened.plaintext_hash), (sealed.sealed_hash, sealed.plaintext_hash));
        let mut padded = submission.to_plaintext();
        *padded.last_mut().unwrap() = 1;
        assert_eq!(Submission::from_plaintext(&padded), Err(BadSubmission));
    }
}

#[test]
fn only_the_subject_key_opens_a_hello_and_only_where_it_was_left() {
    let (key, scope) = (subject_key(1), scope());
    let own = own(1, &key, "a", 5, 2);
    let envelope =
        |mailbox, expiry| Envelope { scope: &scope, mailbox, withdraw_key: &own.leave.withdraw_key, expiry };
    let left = envelope(&own.leave.mailbox, own.leave.expiry);
    let hello = Hello::open(&own.leave.hello, &key, left).unwrap();
    assert_eq!(hello.references, [Reference::from_bytes([5; 16])]);
    let member_key = SigningKey::from_seed(&Secret::new([1; 32])).verifying_key();
    assert!(hello.verify_name(&key, left, &member_key).is_ok());
    let other_member = SigningKey::from_seed(&Secret::new([2; 32])).verifying_key();
    assert!(hello.verify_name(&key, left, &other_member).is_err());
    assert!(Hello::open(&own.leave.hello, &subject_key(2), left).is_err());
    let other_mailbox = ExchangeSecret::from_bytes(Secret::new([6; 32])).public();
    assert!(Hello::open(&own.leave.hello, &key, envelope(&other_mailbox, own.leave.expiry)).is_err());
    let later = own.leave.expiry.plus(31);
    assert!(Hello::open(&own.leave.hello, &key, envelope(&own.leave.mailbox, later)).is_err());
}

#[test]
fn receipts_fit_one_submission_and_one_matcher() {
    let matcher = SigningKey::from_seed(&Secret::new([4; 32]));
    let weekly = ExchangeSecret::from_bytes(Secret::new([8; 32]));
    let submission = leave_submission(&own(1, &subject_key(1), "a", 1, 2));
    let sealed = seal(&submission, &destination(), &weekly.public(), &mut rng(1));
    let again = seal(&submission, &destination(), &weekly.public(), &mut rng(2));
    let opened = open(&sealed.sealed, &destination(), &weekly).unwrap();
    let receipt = opened.receipt(Day::from_days(20_001), true, &destination(), &matcher);
    let read = sealed.verify_receipt(&receipt, &destination(), &matcher.verifying_key()).unwrap();
    assert_eq!((read.day, read.held), (Day::from_days(20_001), true));
    assert!(again.verify_receipt(&receipt, &destination(), &matcher.verifying_key()).is_err());
    let other = SigningKey::from_seed(&Secret::new([5; 32])).verifying_key();
    assert!(sealed.verify_receipt(&receipt, &destination(), &other).is_err());
}

#[test]
fn a_ticket_opens_to_the_sender_with_both_trace_keys() {
    let traces = [10, 11].map(|seed| ExchangeSecret::from_bytes(Secret::new([seed; 32])));
    let ids: [MemberId; 2] = ["trace-a".parse().unwrap(), "trace-b".parse().unwrap()];
    let keys = TraceKeys { holders: [0, 1].map(|index| (ids[index].clone(), traces[index].public())) };
    let (destination, day) = (destination(), Day::from_days(20_000));
    let (sender, relay_id): (MemberId, MemberId) = ("sender".parse().unwrap(), "relay".parse().unwrap());
    let [sender_key, relay_key] = [1, 2].map(|seed| SigningKey::from_seed(&Secret::new([seed; 32])));
    let weekly = ExchangeSecret::from_bytes(Secret::new([8; 32]));
    let sealed = seal(
        &leave_submission(&own(1, &subject_key(1), "a", 1, 2)),
        &destination,
        &weekly.public(),
        &mut rng(1),
    );
    let item = forward(&sealed, &destination, &relay_id, day, &sender_key);

    let tickets = TicketMaker::new(&destination.network, &keys, &mut rng(3));
    let relay = Relay { destination: &destination, me: &relay_id, key: &relay_key, day };
    let wrong_key = relay_key.verifying_key();
    assert!(relay.pass_on(item.clone(), &sender, &wrong_key, &tickets, &mut rng(4)).is_err());
    let relayed = relay.pass_on(item, &sender, &sender_key.verifying_key(), &tickets, &mut rng(4)).unwrap();
    assert!(
        verify_relayed(&relayed, &sealed.sealed_hash, &destination, day, &relay_key.verifying_key()).is_ok()
    );
    assert!(
        verify_relayed(&relayed, &sealed.sealed_hash, &destination, day.plus(1), &relay_key.verifying_key())
            .is_err()
    );

    let half = relayed.ticket.open_outer(&destination.network, &ids[1], &traces[1]).unwrap();
    let trace = half.open_inner(&destination.network, &ids[0], &traces[0]).unwrap();
    assert_eq!(trace.member, sender);
    let forwarded = Forwarded {
        network: &destination.network,
        relay: &relay_id,
        matcher: &destination.matcher,
        sealed: &sealed.sealed_hash,
        plaintext: &sealed.plaintext_hash,
        day,
    };
    assert!(trace.verify(forwarded, &sender_key.verifying_key()).is_ok());
    assert!(trace.verify(forwarded, &relay_key.verifying_key()).is_err());
    assert!(relayed.ticket.open_outer(&destination.network, &ids[0], &traces[0]).is_err());
    assert!(half.open_inner(&destination.network, &ids[1], &traces[1]).is_err());
}

#[test]
fn posts_open_for_their_mailbox_alone() {
    let matcher = SigningKey::from_seed(&Secret::new([4; 32]));
    let [a, b] = [1, 2].map(|seed| own(seed, &subject_key(1), "a", seed, 2));
    let met = Met {
        mailbox: b.leave.mailbox,
        withdraw_key: b.leave.withdraw_key,
        expiry: b.leave.expiry,
        hello: b.leave.hello,
    };
    let post = Post::Met(Box::new(met));
    let body = seal_post(post.clone(), &a.leave.mailbox, &destination(), &matcher, &mut rng(5));
    let verifying = matcher.verifying_key();
    assert_eq!(open_post(&body, &a.mailbox, &destination(), &verifying), Ok(post));
    assert!(open_post(&body, &b.mailbox, &destination(), &verifying).is_err());
    let other = SigningKey::from_seed(&Secret::new([5; 32])).verifying_key();
    assert!(open_post(&body, &a.mailbox, &destination(), &other).is_err());
    assert_ne!(post_address(&a.leave.inbox, 0), post_address(&a.leave.inbox, 1));
}

//! The bytes of messages and of the stored record, by fixed values, and that the largest fit.

use std::collections::BTreeSet;

use super::super::position::{CLAIMS_MAX, HEARD_OVER_MAX};
use super::super::tie::{Held, SeenClaim, Sent, Tie};
use super::super::*;
use super::world::World;
use crate::codec::{Wire, decode, encode};
use crate::conversation::Says;
use crate::covenant::{Coordination, Disclosure};
use crate::id::{MatchId, MemberId, Reference};
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::Signature;
use crate::time::Timestamp;

fn position() -> Position {
    let claim = |hops| Claim { hops, id: ClaimId::from_bytes([hops; 16]) };
    Position {
        seq: 7,
        response: Some(Response::Coordinate),
        contact: Some(Day::from_days(20_001)),
        heard_over: BTreeSet::from([PairMark::from_bytes([4; 8])]),
        card_read: 3,
        claims: BTreeSet::from([claim(0), claim(2)]),
        supports: Some(ClaimId::from_bytes([0; 16])),
        offers_lead: true,
        outcome: Some(Outcome::PlanMade),
    }
}

fn card() -> CardMessage {
    let card = ContactCard {
        name: "Anne de Vries".parse().unwrap(),
        function: "social-worker".parse().unwrap(),
        telephone: "06-12345678".parse().unwrap(),
        email: "a.devries@example.nl".parse().unwrap(),
    };
    CardMessage { seq: 8, member: "p1".parse().unwrap(), card, signature: Signature::from_bytes([6; 64]) }
}

fn message(says: Says) -> Message {
    let reference = |byte| Reference::from_bytes([byte; 16]);
    let id = MessageId::from_bytes([9; 16]);
    Message { id, from: reference(1), to: reference(2), issued: Day::from_days(20_000), says }
}

/// Compares with `golden.txt`: a name and hex per line.
fn golden<T: Wire + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    let bytes = encode(value);
    let line = format!("{name}: {}", hex::encode(&bytes));
    assert!(include_str!("golden.txt").lines().any(|golden| golden == line), "now it is\n{line}");
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
}

#[test]
fn golden_bytes_of_a_position() {
    golden("position", &message(Says::Position(Box::new(position()))));
    golden("position that says nothing", &message(Says::Position(Box::default())));
}

#[test]
fn golden_bytes_of_a_card() {
    golden("card", &message(Says::Card(Box::new(card()))));
}

#[test]
fn golden_bytes_of_a_cooperation() {
    golden("cooperation with nobody", &Cooperation::new(Reference::from_bytes([1; 16])));
    golden("cooperation", &cooperation(1));
}

#[test]
fn the_mark_of_a_pair_is_the_same_from_both_sides() {
    let mailbox = |byte| ExchangeSecret::from_bytes(Secret::new([byte; 32])).public();
    let pair = |own, other| Pair { matcher: "m".parse().unwrap(), own: mailbox(own), other: mailbox(other) };
    assert_eq!(pair_mark(&pair(3, 4)), pair_mark(&pair(4, 3)));
    assert_eq!(pair_mark(&pair(3, 4)).to_string(), "3131e46e967c27b5");
}

#[test]
fn default_terms_are_those_of_the_text() {
    let Coordination { respond_days, contact_days, lead_days, coordinator_days, functions } =
        Coordination::default();
    assert_eq!([respond_days, contact_days, lead_days, coordinator_days], [5, 5, 20, 5]);
    let functions: Vec<_> = functions.iter().map(ToString::to_string).collect();
    let expected = "attention-officer care-coordinator case-manager doctor family-guardian nurse other \
                    police-officer psychologist social-worker teacher team-lead therapist";
    assert_eq!(functions.join(" "), expected);
}

#[test]
fn the_largest_messages_fit() {
    let marks = (0..HEARD_OVER_MAX).map(|byte| PairMark::from_bytes([u8::try_from(byte).unwrap(); 8]));
    let claims = (0..CLAIMS_MAX)
        .map(|byte| Claim { hops: 7, id: ClaimId::from_bytes([u8::try_from(byte).unwrap(); 16]) });
    let largest = Position {
        seq: u64::MAX,
        response: Some(Response::AlreadyTogether),
        contact: Some(Day::from_days(u32::MAX)),
        heard_over: marks.collect(),
        card_read: u64::MAX,
        claims: claims.collect(),
        outcome: Some(Outcome::ContactMade),
        ..position()
    };
    let far = |says| Message { issued: Day::from_days(u32::MAX), ..message(says) };
    let card = CardMessage {
        seq: u64::MAX,
        member: "m".repeat(32).parse().unwrap(),
        card: ContactCard {
            name: "N".repeat(100).parse().unwrap(),
            function: "f".repeat(32).parse().unwrap(),
            telephone: "+123456789012345".parse().unwrap(),
            email: format!("{}@{}.{}.nl", "a".repeat(64), "b".repeat(63), "c".repeat(28)).parse().unwrap(),
        },
        ..card()
    };
    assert_eq!(card.card.email.as_str().len(), 160);
    for message in [far(Says::Position(Box::new(largest))), far(Says::Card(Box::new(card)))] {
        let length = encode(&message).len();
        println!("{length} bytes");
        assert!(length <= Message::MAX_LEN, "{length} of {}", Message::MAX_LEN);
        assert_eq!(Message::from_plaintext(&message.to_plaintext()), Ok(message));
    }
}

/// A cooperation with everything in it.
fn cooperation(ties: usize) -> Cooperation {
    let own = Reference::from_bytes([1; 16]);
    let id = ClaimId::from_bytes([3; 16]);
    let tie = |index: usize| {
        let byte = u8::try_from(index).unwrap() + 10;
        let key = MatchKey { id: MatchId::from_bytes([byte; 16]), partner: Some("p1".parse().unwrap()) };
        let mut tie = Tie::new(key, Reference::from_bytes([byte; 16]), Day::from_days(20_000));
        tie.heard_over.insert(PairMark::from_bytes([4; 8]));
        tie.counter = 8;
        tie.decided.response = Some(Response::Coordinate);
        tie.told = position();
        tie.hear(MessageId::from_bytes([9; 16]), &position());
        tie.card = Some(Sent { seq: 8, over: PairMark::from_bytes([4; 8]), changed: false });
        tie.card_read = Some(Timestamp::from_secs(5));
        let CardMessage { seq, member, card, .. } = card();
        let read = Timestamp::from_secs(6);
        tie.their_card = Some(Held { seq, message: MessageId::from_bytes([8; 16]), member, card, read });
        tie.contact_from = Some(Day::from_days(20_001));
        tie.lead_from = Some(Day::from_days(20_002));
        tie.chased = [4, 0, 1];
        tie.once(tie::Once::Responded);
        tie
    };
    let ties = (0..ties).map(tie).collect();
    let mut cooperation = Cooperation::new(own);
    cooperation.claim = Some(id);
    cooperation.past_claims = vec![ClaimId::from_bytes([2; 16])];
    cooperation.contested_since = Some(Day::from_days(20_003));
    cooperation.contested_own = Some(id);
    cooperation.unseen = true;
    cooperation.ties = ties;
    cooperation
}

#[test]
fn the_largest_record_fits() {
    let mut largest = cooperation(MATCHES_MAX);
    let id = |byte: usize| ClaimId::from_bytes([u8::try_from(byte).unwrap(); 16]);
    largest.past_claims = (0..32).map(id).collect();
    let partner: MemberId = "m".repeat(32).parse().unwrap();
    for tie in &mut largest.ties {
        tie.key.partner = Some(partner.clone());
        tie.heard_over =
            (0..HEARD_OVER_MAX).map(|byte| PairMark::from_bytes([u8::try_from(byte).unwrap(); 8])).collect();
        let told = Position {
            heard_over: tie.heard_over.clone(),
            claims: (0..CLAIMS_MAX).map(|byte| Claim { hops: 1, id: id(byte) }).collect(),
            seq: u64::MAX - 1,
            card_read: u64::MAX,
            ..position()
        };
        // What others say is as large as a message can be.
        let theirs = Position {
            seq: u64::MAX,
            claims: (0..11).map(|byte| Claim { hops: 1, id: id(byte) }).collect(),
            ..told.clone()
        };
        let said = message(Says::Position(Box::new(theirs.clone())));
        assert!(encode(&said).len() + 30 > Message::MAX_LEN, "{}", encode(&said).len());
        tie.told = told;
        tie.hear(MessageId::from_bytes([9; 16]), &theirs);
        let held = tie.their_card.as_mut().unwrap();
        held.member = partner.clone();
        held.card.name = "N".repeat(100).parse().unwrap();
        held.card.email =
            format!("{}@{}.{}.nl", "a".repeat(64), "b".repeat(63), "c".repeat(28)).parse().unwrap();
        let seen = |byte| SeenClaim {
            id: id(byte),
            direct: false,
            announced: false,
            contested: false,
            offered: false,
        };
        tie.claims_seen = (0..16).map(seen).collect();
        for once in [
            tie::Once::Card,
            tie::Once::OtherClosed,
            tie::Once::Ended,
            tie::Once::NotRight,
            tie::Once::Silent,
            tie::Once::OwnCardLate,
            tie::Once::TheirCardLate,
        ] {
            tie.once(once);
        }
    }
    let length = encode(&largest).len();
    println!("{length} bytes");
    assert!(length <= Cooperation::MAX_LEN, "{length}");
}

#[test]
fn a_record_of_another_version_is_refused() {
    let mut bytes = encode(&World::around_one_family(2, Disclosure::NameAtOnce).cases[0].cooperation);
    assert!(decode::<Cooperation>(&bytes).is_ok());
    bytes[0] = 2;
    assert!(decode::<Cooperation>(&bytes).is_err());
}

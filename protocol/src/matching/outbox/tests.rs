//! What is said arrives: the latest of each kind, whatever is lost, and no address is used twice.

use proptest::prelude::*;

use super::*;
use crate::conversation::{MistakenReason, Says};
use crate::coordination::{Position, Response};
use crate::id::Reference;
use crate::matching::Encounter;
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::time::Day;

const TODAY: Day = Day::from_days(20_010);

fn mailbox(byte: u8) -> ExchangeKey {
    ExchangeSecret::from_bytes(Secret::new([byte; 32])).public()
}

fn matcher(number: u8) -> MemberId {
    format!("m{number}").parse().unwrap()
}

/// A further ground of the one match.
fn meet(matches: &mut Matches, at: u8, own: u8, other: u8) -> MatchKey {
    let point = MeetingPoint {
        matcher: matcher(at),
        own: mailbox(own),
        other: mailbox(other),
        withdraw_key: SigningKey::from_seed(&Secret::new([1; 32])).verifying_key(),
        expiry: TODAY,
        recipe: "bsn".parse().unwrap(),
    };
    let references = [1, 2].map(|byte| Reference::from_bytes([byte; 16]));
    matches.meet(&Encounter::of(None, references, point), TODAY);
    matches.iter().next().unwrap().key()
}

fn message(id: u8, says: Says) -> Message {
    let [from, to] = [1, 2].map(|byte| Reference::from_bytes([byte; 16]));
    Message { id: MessageId::from_bytes([id; 16]), from, to, issued: TODAY, says }
}

fn position(seq: u8) -> Message {
    let position = Position { seq: seq.into(), response: Some(Response::Coordinate), ..Position::default() };
    message(seq, Says::Position(Box::new(position)))
}

fn ids(sayings: &[Saying]) -> Vec<(u8, u32)> {
    sayings.iter().map(|saying| (saying.message.id.as_bytes()[0], saying.n)).collect()
}

#[test]
fn the_latest_of_a_kind_takes_the_place_of_the_one_before() {
    let mut matches = Matches::default();
    let key = meet(&mut matches, 0, 10, 20);
    assert!(matches.tell(&key, position(1), None));
    assert!(matches.tell(&key, position(2), None));
    let mark = message(9, Says::Mistaken(MistakenReason::Duplicate));
    assert!(matches.tell(&key, mark, None));
    assert_eq!(ids(&matches.say(&key, &matcher(0))), [(2, 0), (9, 1)], "what nobody has seen is not said");
    // Given a number it must be posted, or the reader would look for it in vain.
    matches.tell(&key, position(3), None);
    let sayings = matches.say(&key, &matcher(0));
    assert_eq!(ids(&sayings), [(2, 0), (9, 1), (3, 2)]);
    for saying in &sayings {
        assert!(matches.receipted(&key, &saying.message.id, &saying.pair));
        assert!(!matches.receipted(&key, &saying.message.id, &saying.pair), "once");
    }
    let entry = matches.get(&key).unwrap();
    assert_eq!(entry.said.len(), 2, "the old one is forgotten, its number is not");
    assert!(entry.unsaid_at().is_empty());
    matches.tell(&key, position(4), None);
    assert_eq!(ids(&matches.say(&key, &matcher(0))), [(4, 3)]);
    let unknown = MatchKey { id: crate::id::MatchId::from_bytes([0; 16]), partner: None };
    assert!(!matches.tell(&unknown, position(5), None));
}

#[test]
fn what_is_bound_to_a_pair_goes_over_that_one_alone() {
    let mut matches = Matches::default();
    let key = meet(&mut matches, 0, 10, 20);
    meet(&mut matches, 0, 11, 21);
    meet(&mut matches, 1, 12, 22);
    let pair = Pair { matcher: matcher(0), own: mailbox(11), other: mailbox(21) };
    matches.tell(&key, position(1), Some(pair.clone()));
    assert_eq!(matches.get(&key).unwrap().unsaid_at().into_iter().collect::<Vec<_>>(), [&matcher(0)]);
    assert_eq!(matches.say(&key, &matcher(1)), []);
    let sayings = matches.say(&key, &matcher(0));
    assert_eq!(sayings.iter().map(|saying| &saying.pair).collect::<Vec<_>>(), [&pair]);
    matches.own_ended(&pair.own);
    assert_eq!(matches.get(&key).unwrap().said, [], "over no other");
}

#[test]
fn an_answer_goes_over_the_pair_by_which_the_other_spoke() {
    let mut matches = Matches::default();
    let key = meet(&mut matches, 0, 10, 20);
    meet(&mut matches, 0, 11, 21);
    matches.tell(&key, position(1), None);
    let first = matches.say(&key, &matcher(0)).remove(0).pair;
    let points: Vec<_> = matches.get(&key).unwrap().points.iter().map(Pair::from).collect();
    let other = points.into_iter().find(|pair| *pair != first).unwrap();
    let [from, to] = [2, 1].map(|byte| Reference::from_bytes([byte; 16]));
    let theirs = Message { from, to, ..position(7) };
    assert_eq!(matches.hear(&theirs, &other), Ok(Some(key.clone())));
    assert_eq!(matches.hear(&theirs, &other), Ok(None));
    assert_eq!(matches.about(&theirs, &other).unwrap().heard_over, [other.clone()].into());
    matches.tell(&key, position(2), None);
    let pairs: Vec<_> = matches.say(&key, &matcher(0)).into_iter().map(|saying| saying.pair).collect();
    assert_eq!(pairs, [first, other.clone()], "what is on its way stays there");
    matches.own_ended(&other.own);
    assert!(matches.get(&key).unwrap().heard_over.is_empty());
}

#[test]
fn a_matcher_that_does_not_answer_does_not_run_a_reader_out_of_its_window() {
    let mut matches = Matches::default();
    let key = meet(&mut matches, 0, 10, 20);
    for seq in 1..=200 {
        matches.tell(&key, position(seq), None);
        let sayings = matches.say(&key, &matcher(0));
        assert!(sayings.iter().all(|saying| saying.n < u32::try_from(ON_THE_WAY_MAX).unwrap()));
    }
    for saying in matches.say(&key, &matcher(0)) {
        matches.receipted(&key, &saying.message.id, &saying.pair);
    }
    assert_eq!(ids(&matches.say(&key, &matcher(0))), [(200, 8)], "the latest still comes");
    assert!(crate::codec::encode(matches.get(&key).unwrap()).len() < 1_000);
}

#[derive(Clone, Debug)]
enum Act {
    Tell,
    Send { at: u8, receipts: bool },
    Meet { at: u8 },
    End { which: usize },
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Tell),
        6 => (0..2_u8, any::<bool>()).prop_map(|(at, receipts)| Act::Send { at, receipts }),
        3 => (0..2_u8).prop_map(|at| Act::Meet { at }),
        1 => (0..8_usize).prop_map(|which| Act::End { which }),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    /// The numbers of a pair follow each other without a gap once everything sent has its receipt, each is one message's,
    /// and the latest message stands at every matcher over a pair that lives.
    #[test]
    fn the_latest_message_arrives_and_no_number_is_lost(acts in proptest::collection::vec(act(), 1..80)) {
        let mut matches = Matches::default();
        let key = meet(&mut matches, 0, 1, 101);
        let (mut drawn, mut seq) = (1, 0);
        let mut posted: std::collections::BTreeMap<(Pair, u32), MessageId> = Default::default();
        let mut send = |matches: &mut Matches, at: u8, receipts: bool| {
            for saying in matches.say(&key, &matcher(at)) {
                let place = (saying.pair.clone(), saying.n);
                let taken = posted.entry(place).or_insert(saying.message.id);
                assert_eq!(*taken, saying.message.id, "an address is used once");
                if receipts {
                    assert!(matches.receipted(&key, &saying.message.id, &saying.pair));
                }
            }
            posted.clone()
        };
        for act in acts {
            match act {
                Act::Tell => {
                    seq += 1;
                    matches.tell(&key, position(seq), None);
                }
                Act::Send { at, receipts } => drop(send(&mut matches, at, receipts)),
                Act::Meet { at } => {
                    drawn += 1;
                    meet(&mut matches, at, drawn, drawn + 100);
                }
                Act::End { which } => {
                    let points = matches.get(&key).unwrap().points.iter();
                    let pairs: Vec<_> = points.map(|point| point.own).collect();
                    if pairs.len() > 1 {
                        matches.own_ended(&pairs[which % pairs.len()]);
                    }
                }
                Act::Restart => {
                    let stored = crate::codec::encode(matches.get(&key).unwrap());
                    matches = Matches::default();
                    matches.restore(crate::codec::decode(&stored).unwrap());
                }
            }
        }
        for at in 0..2 {
            while matches.get(&key).unwrap().unsaid_at().contains(&matcher(at)) {
                send(&mut matches, at, true);
            }
        }
        let posted = send(&mut matches, 0, true);
        let entry = matches.get(&key).unwrap();
        prop_assert!(entry.said.len() <= 1 && entry.unsaid_at().is_empty());
        for point in &entry.points {
            let pair = Pair::from(point);
            let numbers: Vec<_> = posted.keys().filter(|(over, _)| *over == pair).map(|(_, n)| *n).collect();
            prop_assert_eq!(&numbers, &(0..u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
        }
        let latest = MessageId::from_bytes([seq; 16]);
        let matchers: BTreeSet<_> = entry.points.iter().map(|point| &point.matcher).collect();
        for at in matchers.into_iter().filter(|_| seq > 0) {
            let stands = |((pair, _), id): (&(Pair, u32), &MessageId)| {
                pair.matcher == *at && entry.has_met_over(pair) && *id == latest
            };
            prop_assert!(posted.iter().any(stands), "the latest at {}", at);
        }
    }
}

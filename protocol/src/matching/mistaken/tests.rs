use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::id::{MemberId, Reference};
use crate::matching::{Encounter, MeetingPoint};
use crate::sealing::{ExchangeKey, ExchangeSecret};
use crate::secret::Secret;
use crate::sign::SigningKey;

const TODAY: Day = Day::from_days(20_010);
const MATCHERS: usize = 3;
const KEYS: usize = 2;
/// Cases of the sides that share the person: four pairs of cases over the same mailboxes.
const CASES: [[u8; 2]; 2] = [[1, 2], [3, 4]];

/// What happens, in any order and any number of times.
#[derive(Clone, Debug)]
enum Act {
    /// A side leaves a key at a matcher, or renews it.
    Leave {
        side: usize,
        matcher: usize,
        key: usize,
    },
    Withdraw {
        side: usize,
        matcher: usize,
        key: usize,
    },
    /// A side reads so many entries of a board.
    Read {
        side: usize,
        matcher: usize,
        entries: usize,
    },
    /// A side sends what it has to say; with `lost` the receipts do not reach it.
    Send {
        side: usize,
        matcher: usize,
        lost: bool,
    },
    /// A side marks one of its matches.
    Mark {
        side: usize,
        which: usize,
    },
    /// A side starts again with what it has stored.
    Restart {
        side: usize,
    },
    /// A matcher is gone for good. The last one stays.
    Gone {
        matcher: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let place = || (0..2_usize, 0..MATCHERS, 0..KEYS);
    prop_oneof![
        6 => place().prop_map(|(side, matcher, key)| Act::Leave { side, matcher, key }),
        2 => place().prop_map(|(side, matcher, key)| Act::Withdraw { side, matcher, key }),
        8 => (0..2_usize, 0..MATCHERS, 1..5_usize)
            .prop_map(|(side, matcher, entries)| Act::Read { side, matcher, entries }),
        6 => (0..2_usize, 0..MATCHERS, any::<bool>())
            .prop_map(|(side, matcher, lost)| Act::Send { side, matcher, lost }),
        2 => (0..2_usize, 0..4_usize).prop_map(|(side, which)| Act::Mark { side, which }),
        1 => (0..2_usize).prop_map(|side| Act::Restart { side }),
        1 => (0..MATCHERS).prop_map(|matcher| Act::Gone { matcher }),
    ]
}

#[derive(Clone)]
enum Entry {
    Met { key: usize, mailboxes: [ExchangeKey; 2] },
    Ended { mailbox: ExchangeKey, of: usize },
    Said { by: usize, message: Message, pair: [ExchangeKey; 2] },
}

#[derive(Default)]
struct Board {
    entries: Vec<Entry>,
    gone: bool,
    live: [[Option<ExchangeKey>; 2]; KEYS],
    /// How far each side has read.
    read: [usize; 2],
}

#[derive(Default)]
struct World {
    sides: [Matches; 2],
    boards: [Board; MATCHERS],
    drawn: u8,
    messages: u8,
    marked: BTreeSet<MatchId>,
    /// Which message took an address.
    addresses: HashMap<(usize, Pair, u32), MessageId>,
}

fn matcher(number: usize) -> MemberId {
    format!("m{number}").parse().unwrap()
}

fn references(side: usize) -> Vec<Reference> {
    CASES[side].map(|byte| Reference::from_bytes([byte; 16])).to_vec()
}

impl World {
    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Leave { side, matcher, key } => self.leave(side, matcher, key),
            Act::Withdraw { side, matcher, key } => self.end(side, matcher, key, None),
            Act::Read { side, matcher, entries } => (0..entries).for_each(|_| self.read(side, matcher)),
            Act::Send { side, matcher, lost } => self.send(side, matcher, lost),
            Act::Mark { side, which } => self.mark(side, which),
            Act::Restart { side } => {
                let mut again = Matches::default();
                for entry in self.sides[side].iter() {
                    again.restore(crate::codec::decode(&crate::codec::encode(entry)).unwrap());
                }
                self.sides[side] = again;
            }
            Act::Gone { matcher } => {
                let left = self.boards.iter().filter(|board| !board.gone).count();
                self.boards[matcher].gone |= left > 1;
            }
        }
    }

    fn leave(&mut self, side: usize, matcher: usize, key: usize) {
        if self.boards[matcher].gone {
            return;
        }
        self.drawn += 1;
        let mailbox = ExchangeSecret::from_bytes(Secret::new([self.drawn; 32])).public();
        if let Some(other) = self.boards[matcher].live[key][1 - side] {
            let mailboxes = if side == 0 { [mailbox, other] } else { [other, mailbox] };
            self.boards[matcher].entries.push(Entry::Met { key, mailboxes });
        }
        self.end(side, matcher, key, Some(mailbox));
    }

    /// What was left ends; the receipt comes at once, so the own side knows.
    fn end(&mut self, side: usize, matcher: usize, key: usize, new: Option<ExchangeKey>) {
        let board = &mut self.boards[matcher];
        if board.gone {
            return;
        }
        if let Some(mailbox) = std::mem::replace(&mut board.live[key][side], new) {
            board.entries.push(Entry::Ended { mailbox, of: side });
            self.sides[side].own_ended(&mailbox);
        }
    }

    fn read(&mut self, side: usize, number: usize) {
        let board = &mut self.boards[number];
        let Some(entry) = board.entries.get(board.read[side]).cloned().filter(|_| !board.gone) else {
            return;
        };
        board.read[side] += 1;
        let live = board.live;
        let matches = &mut self.sides[side];
        match entry {
            Entry::Met { key, mailboxes } => {
                let (own, other) = (mailboxes[side], mailboxes[1 - side]);
                if live[key][side] != Some(own) {
                    return; // a node does not recognise what stands under an address of a mailbox that it gave up
                }
                let point = MeetingPoint {
                    matcher: matcher(number),
                    own,
                    other,
                    withdraw_key: SigningKey::from_seed(&Secret::new([1; 32])).verifying_key(),
                    expiry: TODAY.plus(100),
                    recipe: format!("r{key}").parse().unwrap(),
                };
                let partner = Some(format!("p{}", 1 - side).parse().unwrap());
                let (own, references) = (references(side), references(1 - side));
                matches.meet(&Encounter { partner, references, own, point }, TODAY);
            }
            Entry::Ended { mailbox, of } if of != side => {
                matches.end(&mailbox, |_| true);
            }
            Entry::Said { by, message, pair } if by != side => {
                let over = Pair { matcher: matcher(number), own: pair[side], other: pair[1 - side] };
                let _ = matches.hear(&message, &over); // that it is not believed is the matter of another test
            }
            Entry::Ended { .. } | Entry::Said { .. } => {}
        }
    }

    fn send(&mut self, side: usize, number: usize, lost: bool) {
        if self.boards[number].gone {
            return;
        }
        let keys: Vec<_> = self.sides[side].matches.keys().cloned().collect();
        for key in keys {
            for saying in self.sides[side].say(&key, &matcher(number)) {
                let address = (side, saying.pair.clone(), saying.n);
                let taken = self.addresses.insert(address, saying.message.id);
                assert!(taken.is_none_or(|first| first == saying.message.id), "an address is used once");
                let Pair { own, other, .. } = saying.pair;
                let pair = if side == 0 { [own, other] } else { [other, own] };
                let entry = Entry::Said { by: side, message: saying.message.clone(), pair };
                self.boards[number].entries.push(entry);
                if !lost {
                    assert!(self.sides[side].receipted(&key, &saying.message.id, &saying.pair));
                }
            }
        }
    }

    fn mark(&mut self, side: usize, which: usize) {
        let own = references(side)[which / 2];
        let other = references(1 - side)[which % 2];
        let id = crate::matching::match_id(own, other);
        self.messages += 1;
        let message = MessageId::from_bytes([self.messages; 16]);
        if !self.sides[side].mark_mistaken(id, message, MistakenReason::OtherPerson, TODAY).is_empty() {
            self.marked.insert(id);
        }
    }

    /// Everything that can still happen by itself happens.
    fn settle(&mut self) {
        loop {
            let before: Vec<_> = self.boards.iter().map(|board| board.entries.len()).collect();
            for number in 0..MATCHERS {
                for side in 0..2 {
                    (0..self.boards[number].entries.len()).for_each(|_| self.read(side, number));
                    self.send(side, number, false);
                }
            }
            let unread =
                |board: &Board| !board.gone && board.read.iter().any(|read| *read < board.entries.len());
            let grown = self.boards.iter().map(|board| board.entries.len()).ne(before);
            if !grown && !self.boards.iter().any(unread) {
                return;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn both_sides_end_equal_and_a_mark_is_never_undone(acts in proptest::collection::vec(act(), 1..60)) {
        let mut world = World::default();
        let mut out: [BTreeSet<MatchKey>; 2] = Default::default();
        for act in &acts {
            world.perform(act);
            for (side, out) in out.iter_mut().enumerate() {
                let mistaken = world.sides[side].matches.iter().filter(|(_, entry)| entry.is_mistaken());
                out.extend(mistaken.map(|(key, _)| key.clone()));
                for key in out.iter() {
                    prop_assert!(!world.sides[side].get(key).unwrap().is_shown(), "{key:?} came back");
                }
            }
        }
        // The same family is found once more, by a matcher that is left.
        let left = world.boards.iter().position(|board| !board.gone).unwrap();
        world.perform(&Act::Leave { side: 0, matcher: left, key: 0 });
        world.perform(&Act::Leave { side: 1, matcher: left, key: 0 });
        world.settle();
        for side in &world.sides {
            prop_assert_eq!(side.iter().count(), 4);
            for entry in side.iter() {
                prop_assert!(entry.is_live());
                prop_assert_eq!(entry.is_shown(), !world.marked.contains(&entry.id));
                prop_assert!(entry.unsaid_at().iter().all(|at| world.boards.iter().enumerate()
                    .any(|(number, board)| board.gone && matcher(number) == **at)));
            }
        }
    }
}

fn met(own: &[u8], other: &[u8], partner: &str, mailboxes: [u8; 2]) -> Encounter {
    let mailbox = |byte: u8| ExchangeSecret::from_bytes(Secret::new([byte; 32])).public();
    let cases = |bytes: &[u8]| bytes.iter().map(|byte| Reference::from_bytes([*byte; 16])).collect();
    let point = MeetingPoint {
        matcher: matcher(0),
        own: mailbox(mailboxes[0]),
        other: mailbox(mailboxes[1]),
        withdraw_key: SigningKey::from_seed(&Secret::new([1; 32])).verifying_key(),
        expiry: TODAY,
        recipe: "bsn".parse().unwrap(),
    };
    Encounter { partner: Some(partner.parse().unwrap()), references: cases(other), own: cases(own), point }
}

#[test]
fn nobody_speaks_for_another_pair_of_cases() {
    let mut matches = Matches::default();
    let ours = met(&[1], &[2], "p1", [10, 20]);
    let third = met(&[1], &[3], "p2", [10, 30]);
    let [ours_key, third_key] = [&ours, &third].map(|one| matches.meet(one, TODAY).remove(0));
    let reference = |byte| Reference::from_bytes([byte; 16]);
    let message = |from, to| Message {
        id: MessageId::from_bytes([7; 16]),
        from: reference(from),
        to: reference(to),
        issued: TODAY,
        says: Says::Mistaken(MistakenReason::Duplicate),
    };
    let [over, over_third] = [&ours, &third].map(|one| Pair::from(&one.point));
    assert_eq!(matches.hear(&message(2, 1), &over_third), Err(NotTheirs), "another partner's match");
    assert_eq!(matches.hear(&message(1, 2), &over), Err(NotTheirs), "the wrong way round");
    assert_eq!(matches.hear(&message(9, 1), &over), Err(NotTheirs), "a case that did not meet");
    let elsewhere = Pair { matcher: matcher(1), ..over.clone() };
    assert_eq!(matches.hear(&message(2, 1), &elsewhere), Err(NotTheirs), "another matcher");
    assert!(matches.get(&ours_key).unwrap().is_shown());
    assert_eq!(matches.hear(&message(2, 1), &over), Ok(Some(ours_key.clone())));
    assert_eq!(matches.hear(&message(2, 1), &over), Ok(None), "a second time changes nothing");
    let again = Message { id: MessageId::from_bytes([8; 16]), ..message(2, 1) };
    assert_eq!(matches.hear(&again, &over), Ok(None), "nor does saying it again");
    assert!(!matches.get(&ours_key).unwrap().is_shown());
    assert!(matches.get(&third_key).unwrap().is_shown(), "only that pair is out");
}

#[test]
fn a_mark_holds_under_another_name_too() {
    let mut matches = Matches::default();
    matches.meet(&met(&[1], &[2], "p1", [10, 20]), TODAY);
    let id = matches.iter().next().unwrap().id;
    let message = MessageId::from_bytes([7; 16]);
    assert_eq!(matches.mark_mistaken(id, message, MistakenReason::OtherPerson, TODAY).len(), 1);
    assert_eq!(matches.mark_mistaken(id, message, MistakenReason::OtherPerson, TODAY), []);
    let renamed = matches.meet(&met(&[1], &[2], "p2", [10, 21]), TODAY);
    let entry = matches.get(&renamed[0]).unwrap();
    assert!(entry.is_live() && entry.is_mistaken_here());
    assert_eq!(entry.unsaid_at().into_iter().collect::<Vec<_>>(), [&matcher(0)], "and is said there as well");
}

//! A partner's matches, driven by a list of operations: a match lives on exactly the meeting points that have not ended, is
//! never new twice, is out for good once either side says so, and no address is used for two messages.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kring_fuzz::network::{covenant, member, scope};
use kring_fuzz::{TODAY, operations, rng, seeds, signing};
use kring_protocol::board::{Met, Replaced};
use kring_protocol::codec::{decode, encode};
use kring_protocol::conversation::{Message, MessageId, MistakenReason, Says};
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::id::{MemberId, Reference};
use kring_protocol::matching::outbox::{Pair, Saying};
use kring_protocol::matching::{Encounter, Match, MatchKey, Matches, Reading, match_id, read_met};
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use kring_protocol::recipe::Recipe;
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::SubjectKey;
use kring_protocol::submission::{Destination, Withdraw};
use kring_protocol::time::Day;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Op {
    /// A post says that one of the meetings has come about.
    Meet(u8),
    /// One after another, so many of those that are all about one pair of cases.
    Flood(u8),
    /// The other side of a meeting has withdrawn or renewed its submission, or somebody claims so.
    Withdrawn {
        which: u8,
        forged: bool,
    },
    Replaced {
        which: u8,
        forged: bool,
    },
    /// An own submission has ended.
    OwnEnded(u8),
    /// Days pass.
    Days(u8),
    /// The partner stops and starts with what it has stored.
    Restart,
    /// The own side says that a match is not right.
    Mark {
        which: u8,
        message: u8,
        reason: u8,
    },
    /// It says so of every match, each in a message of its own, and chooses its ways.
    MarkAll {
        matcher: bool,
    },
    /// The other side says so, over the mailboxes of some meeting.
    Hear {
        which: u8,
        over: u8,
        message: u8,
    },
    /// What is to be said over a matcher is chosen, and some of it gets its receipt.
    Say {
        which: u8,
        matcher: bool,
        receipts: u8,
    },
}

/// An own submission and another's that can meet.
struct Meeting {
    encounter: Encounter,
    pair: Pair,
    own: Vec<Reference>,
    theirs: Vec<Reference>,
    partner: MemberId,
    expiry: Day,
    withdraw: Withdraw,
    replaced: Replaced,
}

struct Pool {
    meetings: Vec<Meeting>,
    /// From here on all meetings are about one pair of cases.
    flood: usize,
    covenant: VerifiedCovenant,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let covenant = covenant();
    let owns = [&[1, 2][..], &[2], &[3]];
    let others = [(1, &[11][..], 0), (1, &[11, 12], 40), (2, &[11], 80), (2, &[13], 20), (3, &[14, 11], 120)];
    let mut meetings = Vec::new();
    for matcher in [4, 5] {
        for (number, own) in (0..).zip(owns) {
            for (index, (partner, theirs, days)) in (0..).zip(others) {
                let seeds = (number + 10 * u64::from(matcher), 100 + index + 10 * u64::from(matcher));
                meetings.push(meeting(&covenant, matcher, (own, theirs), partner, days, seeds));
            }
        }
    }
    let flood = meetings.len();
    meetings.extend((0..270).map(|seed| meeting(&covenant, 4, (&[1], &[11]), 1, 100, (99, 1_000 + seed))));
    Pool { meetings, flood, covenant }
});

fn references(bytes: &[u8]) -> Vec<Reference> {
    bytes.iter().map(|byte| Reference::from_bytes([*byte; 16])).collect()
}

fn meeting(
    covenant: &VerifiedCovenant,
    matcher: u8,
    (own, theirs): (&[u8], &[u8]),
    partner: u8,
    days: u32,
    seeds: (u64, u64),
) -> Meeting {
    let scope = scope(covenant, matcher);
    let key = SubjectKey::derive(&Secret::new([3; 64]), &scope);
    let expiry = TODAY.plus(days);
    let draw = |references: &[u8], seed: u64| {
        let number = WithdrawNumber { generation: 0, counter: seed };
        OwnSubmission::draw(self::references(references), 2, expiry, number, &mut rng(seed))
    };
    let (mine, other, renewed) = (draw(own, seeds.0), draw(theirs, seeds.1), draw(theirs, seeds.1 + 500_000));
    let root = WithdrawRoot(Secret::new([partner; 32]));
    let name = member(partner);
    let signing = signing(partner + 1);
    let leaver = Leaver { name: Some((&name, &signing)), root: &root };
    let leave = other.leave(&key, &scope, leaver, None);
    let replaces = renewed.leave(&key, &scope, leaver, Some(&other)).replaces.unwrap();
    let destination = Destination { network: covenant.network(), matcher: scope.matcher.clone() };
    let met = Met {
        mailbox: leave.mailbox,
        withdraw_key: leave.withdraw_key,
        expiry: leave.expiry,
        hello: leave.hello,
    };
    let (me, recipe, mailbox) = (member(0), Recipe::BirthNameInitial.id(), mine.mailbox().public());
    let reading =
        Reading { me: &me, scope: &scope, key: &key, mailbox, recipe: &recipe, references: &mine.references };
    Meeting {
        encounter: read_met(&met, reading, covenant).unwrap(),
        pair: Pair { matcher: scope.matcher.clone(), own: mailbox, other: leave.mailbox },
        own: mine.references,
        theirs: other.references.clone(),
        partner: name,
        expiry,
        withdraw: other.withdraw(&destination, &root),
        replaced: Replaced { replaces, new: renewed.mailbox().public() },
    }
}

/// Most points of a match.
const POINTS_MAX: usize = 200;

#[derive(Default)]
struct World {
    matches: Matches,
    today: u32,
    /// The meetings on which each match lives.
    points: BTreeMap<MatchKey, BTreeSet<Pair>>,
    since: BTreeMap<MatchKey, Day>,
    /// Pairs that ended do not meet again.
    ended: BTreeSet<Pair>,
    /// What each address has been used for.
    addresses: BTreeMap<(Pair, u32), (MatchKey, MessageId)>,
}

impl World {
    fn today(&self) -> Day {
        TODAY.plus(self.today)
    }

    fn meet(&mut self, meeting: &Meeting) {
        if self.ended.contains(&meeting.pair) || meeting.expiry < self.today() {
            return;
        }
        let today = self.today();
        let changed = self.matches.meet(&meeting.encounter, today);
        for own in &meeting.own {
            for other in &meeting.theirs {
                let key = MatchKey { id: match_id(*own, *other), partner: Some(meeting.partner.clone()) };
                let points = self.points.entry(key.clone()).or_default();
                let new = points.len() < POINTS_MAX && points.insert(meeting.pair.clone());
                assert_eq!(changed.contains(&key), new);
                self.since.entry(key).or_insert(today);
            }
        }
    }

    /// Takes away what ended, and checks that exactly what lived on it is said to have changed.
    fn end(&mut self, changed: &[MatchKey], ends: impl Fn(&Pair) -> bool) {
        for key in self.take_away(changed, ends) {
            assert!(!changed.contains(&key));
        }
    }

    /// Takes away what ended, and checks that what lived on it is said to have changed. Gives the matches that did not.
    fn take_away(&mut self, changed: &[MatchKey], ends: impl Fn(&Pair) -> bool) -> Vec<MatchKey> {
        let mut same = Vec::new();
        for (key, points) in &mut self.points {
            let before = points.len();
            points.retain(|pair| !ends(pair));
            if points.len() < before {
                assert!(changed.contains(key));
            } else {
                same.push(key.clone());
            }
        }
        self.ended
            .extend(POOL.meetings.iter().map(|meeting| &meeting.pair).filter(|pair| ends(pair)).cloned());
        same
    }

    fn withdrawn(&mut self, meeting: &Meeting, forged: bool) {
        let mut withdraw = meeting.withdraw.clone();
        if forged {
            withdraw.signature = meeting.replaced.replaces.signature;
        }
        let changed = self.matches.withdrawn(&withdraw, &destination(&meeting.pair));
        let pair = &meeting.pair;
        self.end(&changed, |ended| !forged && ended.other == pair.other && ended.matcher == pair.matcher);
    }

    fn replaced(&mut self, meeting: &Meeting, forged: bool) {
        let mut replaced = meeting.replaced.clone();
        if forged {
            replaced.new = meeting.pair.own;
        }
        let changed = self.matches.replaced(&replaced, &destination(&meeting.pair));
        let pair = &meeting.pair;
        self.end(&changed, |ended| !forged && ended.other == pair.other && ended.matcher == pair.matcher);
    }

    fn days(&mut self, count: u8) {
        self.today += u32::from(count);
        let today = self.today();
        let changed = self.matches.expire(today);
        let expired: BTreeSet<_> = POOL
            .meetings
            .iter()
            .filter(|meeting| meeting.expiry < today)
            .map(|meeting| &meeting.pair)
            .collect();
        // A match also changes when it forgets what had ended earlier and would have expired now.
        self.take_away(&changed, |pair| expired.contains(pair));
    }

    fn restart(&mut self) {
        let mut restored = Matches::default();
        self.matches.iter().for_each(|stored| restored.restore(decode(&encode(stored)).unwrap()));
        assert!(restored.iter().eq(self.matches.iter()));
        self.matches = restored;
    }

    fn pick(&self, which: u8) -> Option<(MatchKey, Match)> {
        let count = self.points.len().max(1);
        self.matches.iter().nth(usize::from(which) % count).map(|found| (found.key(), found.clone()))
    }

    fn mark(&mut self, which: u8, message: u8, reason: u8) {
        let Some((key, _)) = self.pick(which) else { return };
        let unmarked: Vec<_> =
            self.matches.with_id(key.id).filter(|(_, entry)| !entry.is_mistaken_here()).collect();
        let unmarked: Vec<_> = unmarked.into_iter().map(|(key, _)| key.clone()).collect();
        let reason = MistakenReason::ALL[usize::from(reason) % 3];
        let today = self.today();
        assert_eq!(
            self.matches.mark_mistaken(key.id, MessageId::from_bytes([message; 16]), reason, today),
            unmarked
        );
        assert!(self.matches.with_id(key.id).all(|(_, entry)| entry.is_mistaken_here() && !entry.is_shown()));
    }

    fn hear(&mut self, which: u8, over: &Pair, message: u8) {
        let Some((key, entry)) = self.pick(which) else { return };
        let says = Says::Mistaken(MistakenReason::OtherPerson);
        let (from, to) = (entry.other, entry.own);
        let message =
            Message { id: MessageId::from_bytes([message; 16]), from, to, issued: self.today(), says };
        let met: Vec<_> = self
            .matches
            .with_id(key.id)
            .filter(|(_, entry)| entry.has_met_over(over))
            .map(|(key, _)| key.clone())
            .collect();
        let other_way = Message { from: to, to: from, ..message.clone() };
        assert!(self.matches.hear(&other_way, over).is_err(), "it speaks of whose case is whose");
        match self.matches.hear(&message, over) {
            Err(_) => assert!(met.is_empty()),
            Ok(changed) => {
                assert!(changed.is_none_or(|changed| met.contains(&changed)));
                assert!(met.iter().any(|key| self.matches.get(key).unwrap().is_mistaken()));
                assert_eq!(self.matches.hear(&message, over), Ok(None), "once");
            }
        }
    }

    fn say(&mut self, which: u8, matcher: &MemberId, receipts: u8) {
        let Some((key, _)) = self.pick(which) else { return };
        let sayings = self.matches.say(&key, matcher);
        assert_eq!(self.matches.say(&key, matcher), sayings, "asked again, the choice is the same");
        for (number, Saying { message, pair, n }) in sayings.iter().enumerate() {
            assert!(pair.matcher == *matcher && self.points[&key].contains(pair));
            let used = self.addresses.entry((pair.clone(), *n)).or_insert((key.clone(), message.id));
            assert_eq!(*used, (key.clone(), message.id), "an address is used once");
            if receipts >> (number % 8) & 1 == 1 {
                assert!(self.matches.receipted(&key, &message.id, pair));
                assert!(!self.matches.receipted(&key, &message.id, pair), "once");
            }
        }
        let all = sayings.iter().enumerate().all(|(number, _)| receipts >> (number % 8) & 1 == 1);
        assert_eq!(self.matches.get(&key).unwrap().unsaid_at().contains(matcher), !all);
    }

    /// What holds after every operation.
    fn check(&self) {
        assert_eq!(self.matches.iter().count(), self.points.len());
        for found in self.matches.iter() {
            let points = &self.points[&found.key()];
            assert!(found.points.iter().map(Pair::from).eq(points.iter().cloned()));
            assert_eq!(found.is_live(), !points.is_empty());
            assert_eq!(found.since, self.since[&found.key()]);
            assert_eq!(found.id, match_id(found.own, found.other));
            assert!(found.said.len() <= 1 && found.heard.len() <= 1, "no record grows");
            let _ = encode(found);
        }
    }
}

fn destination(pair: &Pair) -> Destination {
    Destination { network: POOL.covenant.network(), matcher: pair.matcher.clone() }
}

fn run(ops: &[Op]) {
    let mut world = World::default();
    let pick = |which: u8| &POOL.meetings[usize::from(which) % POOL.flood];
    for op in ops.iter().take(60) {
        match *op {
            Op::Meet(which) => world.meet(pick(which)),
            Op::Flood(count) => {
                POOL.meetings[POOL.flood..]
                    .iter()
                    .take(usize::from(count) + 14)
                    .for_each(|meeting| world.meet(meeting));
            }
            Op::Withdrawn { which, forged } => world.withdrawn(pick(which), forged),
            Op::Replaced { which, forged } => world.replaced(pick(which), forged),
            Op::OwnEnded(which) => {
                let own = pick(which).pair.own;
                let changed = world.matches.own_ended(&own);
                world.end(&changed, |pair| pair.own == own);
            }
            Op::Days(count) => world.days(count),
            Op::Restart => world.restart(),
            Op::Mark { which, message, reason } => world.mark(which, message, reason),
            Op::MarkAll { matcher } => {
                for which in 0..u8::try_from(world.points.len()).unwrap() {
                    world.mark(which, which, which);
                    world.say(which, &member(4 + u8::from(matcher)), 0);
                }
            }
            Op::Hear { which, over, message } => world.hear(which, &pick(over).pair, message),
            Op::Say { which, matcher, receipts } => {
                world.say(which, &member(4 + u8::from(matcher)), receipts);
            }
        }
        world.check();
    }
}

fuzz_target!(init: seeds(operations), |ops: Vec<Op>| run(&ops));

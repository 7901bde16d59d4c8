//! Canaries at the matcher `p5`: an honest one is never accused, whatever is lost, late or down, and whatever is done to
//! accuse it; one that withholds always is.

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;

use super::world::{EPOCH, EXPIRY, TODAY, World, id, rng};
use crate::board::{Body, Entry, Met, Post, SignedPost, open_signed_post, post_address, seal_post};
use crate::canary::{Canary, Receipted, Side, Stage, Step, Told};
use crate::codec::{decode, encode};
use crate::evidence::*;
use crate::id::Address;
use crate::log::merkle::{Frontier, Tree, leaf_hash};
use crate::meeting::{Announcement, CROWD, Meeting, TakenIn};
use crate::relay::Refusal;
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::submission::{Content, Leave, MatcherDay};
use crate::time::Timestamp;

const HOUR: u64 = 3_600;

/// What a matcher does with what follows from submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    Honest,
    /// Introduces nobody.
    Withholds,
    /// Tells one of two only.
    TellsOne,
    /// Puts noise where the posts should be.
    Noise,
    /// Tells of a submission that it made itself, and of no other.
    Invents,
    /// Posts three days late.
    Delays,
    /// Introduces also what has ended.
    Revives,
}

const DISHONEST: [Conduct; 5] =
    [Conduct::Withholds, Conduct::TellsOne, Conduct::Noise, Conduct::Invents, Conduct::Delays];

/// The matcher, by the product's own rules as far as it keeps them.
pub(super) struct Matcher<'a> {
    world: &'a World,
    conduct: Conduct,
    meeting: Meeting,
    /// What was left, for [`Conduct::Revives`].
    taken: Vec<Leave>,
    day: MatcherDay,
    due: Vec<(Timestamp, Announcement)>,
    tree: Tree,
    entries: Vec<u8>,
    rng: ChaCha20Rng,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(world: &'a World, conduct: Conduct) -> Self {
        let meeting = Meeting::new(world.destination("p5"));
        let (taken, due, tree, entries) = (Vec::new(), Vec::new(), Tree::new(), Vec::new());
        let day = MatcherDay::first(TODAY);
        let mut matcher = Self { world, conduct, meeting, taken, day, due, tree, entries, rng: rng(4) };
        (0..7).for_each(|_| matcher.other_post());
        matcher
    }

    fn append(&mut self, entry: &Entry) {
        self.tree.append(leaf_hash(&entry.to_bytes()));
        self.entries.extend_from_slice(&entry.to_bytes());
    }

    /// Introduces what was left to all that has ended, and the other way round.
    fn revive(&mut self, leave: &Leave, now: Timestamp) {
        let met = |of: &Leave| {
            let Leave { mailbox, withdraw_key, expiry, hello, .. } = of.clone();
            Post::Met(Box::new(Met { mailbox, withdraw_key, expiry, hello }))
        };
        for old in self.taken.iter().filter(|old| old.tag == leave.tag && old.mailbox != leave.mailbox) {
            if self.meeting.live(&old.mailbox).is_none() {
                for (to, post) in [(leave, met(old)), (old, met(leave))] {
                    self.due.push((now, Announcement { to: to.mailbox, inbox: to.inbox, n: 0, post }));
                }
            }
        }
        self.taken.push(leave.clone());
    }

    /// Something that concerns others.
    fn other_post(&mut self) {
        let mut bytes = [0; 656];
        self.rng.fill_bytes(&mut bytes);
        self.append(&Entry::from_bytes(&bytes));
    }

    pub(super) fn entries(&self) -> &[u8] {
        &self.entries
    }

    pub(super) fn owes_nothing(&self) -> bool {
        self.due.is_empty()
    }

    pub(super) fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::new();
        self.entries.as_chunks::<656>().0.iter().for_each(|entry| frontier.append(leaf_hash(entry)));
        frontier
    }

    /// Takes in, and gives the receipt's signature.
    pub(super) fn take(&mut self, content: &Content, now: Timestamp) -> Result<Receipted, Refusal> {
        self.day.advance(now.day());
        let today = self.day.day();
        let taken = match content {
            Content::Leave(leave) => self.meeting.leave(leave, today)?,
            Content::Withdraw(withdraw) => self.meeting.withdraw(withdraw)?,
            _ => panic!("a canary leaves and withdraws"),
        };
        if let TakenIn::New { change, .. } = taken {
            self.due.extend(change.announcements.into_iter().map(|announcement| (now, announcement)));
            if let (Conduct::Revives, Content::Leave(leave)) = (self.conduct, content) {
                self.revive(leave, now);
            }
        }
        let (_, _, promise) = self.world.submit(content.clone(), today);
        Ok(Receipted { day: today, promise })
    }

    /// A tick: everything due is appended, as it ought to be or not.
    pub(super) fn tick(&mut self, now: Timestamp) {
        let due = std::mem::take(&mut self.due);
        for (number, (since, announcement)) in due.into_iter().enumerate() {
            let Announcement { to, inbox, n, post } = announcement.clone();
            let address = post_address(&inbox, n);
            let made_up = ExchangeSecret::from_bytes(Secret::new([3; 32])).public();
            let post = match (self.conduct, post) {
                (Conduct::Honest | Conduct::Revives, post) => post,
                (Conduct::TellsOne, post) if number % 2 == 0 => post,
                (Conduct::Withholds | Conduct::TellsOne, _) => continue,
                (Conduct::Noise, _) => {
                    self.append(&Entry { address, body: Body::from_bytes([9; 640]) });
                    continue;
                }
                (Conduct::Invents, Post::Met(met)) => Post::Met(Box::new(Met { mailbox: made_up, ..*met })),
                (Conduct::Invents, post) => post,
                (Conduct::Delays, _) if now < since.plus_secs(72 * HOUR) => {
                    self.due.push((since, announcement));
                    continue;
                }
                (Conduct::Delays, post) => post,
            };
            let destination = self.world.destination("p5");
            let body = seal_post(post, &to, &destination, self.world.key("p5"), &mut self.rng);
            self.append(&Entry { address, body });
        }
    }

    /// A head that it cosigned now.
    pub(super) fn time_head(&mut self, now: Timestamp) -> String {
        self.day.advance(now.day());
        self.head(now)
    }

    pub(super) fn head(&self, now: Timestamp) -> String {
        self.world.head("p5", &self.tree, Some(now)).to_string()
    }
}

/// The canary's owner.
pub(super) struct Owner<'a> {
    world: &'a World,
    pub(super) canary: Canary,
    read: usize,
    withheld: u32,
    pub(super) odd: Vec<Told>,
}

impl<'a> Owner<'a> {
    fn new(matcher: &Matcher<'a>) -> Self {
        let before = matcher.frontier();
        let read = matcher.entries.len();
        let canary = Canary::draw(id("p5"), EPOCH, (before, EXPIRY), at(3), &mut rng(6));
        Self { world: matcher.world, canary, read, withheld: 0, odd: Vec::new() }
    }

    /// With a canary whose first half ends.
    fn with_an_end(matcher: &Matcher<'a>) -> Self {
        let moments = (at(2), at(5));
        let before = (matcher.frontier(), EXPIRY);
        let canary = Canary::draw_ending(id("p5"), EPOCH, before, moments, &mut rng(6));
        Self { canary, ..Self::new(matcher) }
    }

    /// Sends what one half has to send; the receipt may be lost.
    fn send(&mut self, matcher: &mut Matcher<'_>, side: Side, now: Timestamp, lost: bool) {
        let step = self.canary.step(side, now);
        let destination = self.world.destination("p5");
        let Some(content) = self.canary.content(side, step, &destination) else { return };
        match matcher.take(&content, now) {
            _ if lost => {}
            Ok(receipted) => self.canary.receipted(side, step, receipted),
            Err(refusal) => {
                self.canary.refused(side, step, refusal);
            }
        }
    }

    /// Reads to the end and judges by the head, if there is one.
    fn read(&mut self, matcher: &Matcher<'_>, timed: Option<Timestamp>) {
        let destination = self.world.destination("p5");
        let key = self.world.key("p5").verifying_key();
        for entry in matcher.entries[self.read..].as_chunks::<656>().0 {
            let entry = Entry::from_bytes(entry);
            for side in Side::BOTH {
                let inbox = self.canary.plan.inbox(side);
                if !(0..64).any(|n| post_address(&inbox, n) == entry.address) {
                    continue;
                }
                let mailbox = self.canary.plan.mailbox(side);
                if let Ok(SignedPost { post, signature }) =
                    open_signed_post(&entry.body, &mailbox, &destination, &key)
                {
                    match self.canary.read(side, &post, signature, &destination) {
                        Told::Other => {}
                        told => self.odd.push(told),
                    }
                }
            }
        }
        self.read = matcher.entries.len();
        if let Some(timed) = timed {
            self.withheld += u32::from(self.canary.judge(timed, &matcher.head(timed)));
        }
    }

    fn evidence(&self, matcher: &Matcher<'_>) -> Option<Evidence> {
        if let Some(revived) = self.canary.revived() {
            return Some(self.world.evidence(Violation::Revived(Box::new(revived))));
        }
        let head = self.canary.convicting_head()?;
        let size: usize = head.lines().nth(1).unwrap().parse().unwrap();
        let from = usize::try_from(self.canary.plan.before.size()).unwrap();
        let entries = matcher.entries[from * 656..size * 656].to_vec();
        Some(self.world.evidence(Violation::Withheld(Box::new(self.canary.evidence(entries).unwrap()))))
    }

    fn restart(&mut self) {
        self.canary = decode(&encode(&self.canary)).unwrap();
    }
}

pub(super) fn at(hours: u64) -> Timestamp {
    TODAY.start().plus_secs(hours * HOUR + 100)
}

/// One hour, in which these things go well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hour {
    matcher_up: bool,
    first_sent: bool,
    second_sent: bool,
    receipt_lost: bool,
    read: bool,
    timed: bool,
    restart: bool,
    /// What comes in is appended in the next hour only.
    appended_late: bool,
    others: u8,
}

pub(super) fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = (any::<[bool; 8]>(), 0..2_u8).prop_map(|(flags, others)| {
        let [matcher_up, first_sent, second_sent, receipt_lost, read, timed, restart, appended_late] = flags;
        Hour {
            matcher_up,
            first_sent,
            second_sent,
            receipt_lost,
            read,
            timed,
            restart,
            appended_late,
            others,
        }
    });
    prop::collection::vec(hour, 0..80)
}

const GOOD: Hour = Hour {
    matcher_up: true,
    first_sent: true,
    second_sent: true,
    receipt_lost: false,
    read: true,
    timed: true,
    restart: false,
    appended_late: false,
    others: 0,
};

/// Lets these hours pass, then six good days; the canary's owner, and the evidence at any time.
fn play<'a>(world: &'a World, conduct: Conduct, hours: &[Hour]) -> (Owner<'a>, Option<Evidence>) {
    let matcher = Matcher::new(world, conduct);
    let owner = Owner::new(&matcher);
    play_with(matcher, owner, hours)
}

/// The same with a canary whose first half ends.
pub(super) fn play_ending<'a>(
    world: &'a World,
    conduct: Conduct,
    hours: &[Hour],
) -> (Owner<'a>, Option<Evidence>) {
    let matcher = Matcher::new(world, conduct);
    let owner = Owner::with_an_end(&matcher);
    play_with(matcher, owner, hours)
}

fn play_with<'a>(
    mut matcher: Matcher<'a>,
    mut owner: Owner<'a>,
    hours: &[Hour],
) -> (Owner<'a>, Option<Evidence>) {
    let mut proven = None;
    for (number, hour) in (0..).zip(hours.iter().copied().chain([GOOD; 144])) {
        let now = at(number);
        if hour.matcher_up {
            matcher.tick(now);
            for (side, sent) in [(Side::First, hour.first_sent), (Side::Second, hour.second_sent)] {
                if sent {
                    owner.send(&mut matcher, side, now, hour.receipt_lost);
                }
            }
            (0..hour.others).for_each(|_| matcher.other_post());
            if !hour.appended_late {
                matcher.tick(now);
            }
        }
        if hour.read {
            // It times a head only when nothing is due.
            let nothing_due = matcher.conduct != Conduct::Honest || matcher.due.is_empty();
            owner.read(&matcher, Some(now).filter(|_| hour.matcher_up && hour.timed && nothing_due));
        }
        if hour.restart {
            owner.restart();
        }
        proven = proven.or_else(|| owner.evidence(&matcher));
    }
    (owner, proven)
}

thread_local! { static WORLD: World = World::new(1); }

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_matcher_is_never_accused(hours in hours()) {
        WORLD.with(|world| {
            let (owner, proven) = play(world, Conduct::Honest, &hours);
            prop_assert_eq!((owner.withheld, &owner.odd, proven), (0, &Vec::new(), None));
            prop_assert_eq!(owner.canary.stage(), Stage::Met);
            prop_assert!(owner.canary.is_over(TODAY), "both halves are withdrawn");
            Ok(())
        })?;
    }

    #[test]
    fn one_that_withholds_always_is(hours in hours(), conduct in prop::sample::select(&DISHONEST)) {
        WORLD.with(|world| {
            let (owner, proven) = play(world, conduct, &hours);
            prop_assert_eq!(owner.withheld, 1, "{:?}", conduct);
            let proven = proven.expect("it goes on to give receipts");
            let verdict = proven.check(&world.covenant).unwrap();
            prop_assert_eq!((verdict.kind, verdict.members), ("withheld", vec![id("p5")]));
            prop_assert_eq!(owner.odd.contains(&Told::Stranger), conduct == Conduct::Invents);
            prop_assert!(owner.canary.is_over(TODAY), "both halves are withdrawn");
            Ok(())
        })?;
    }
}

/// A record against a matcher that withholds; the matcher's board has nothing else after the canary was drawn.
pub(super) fn sample(world: &World) -> Violation {
    play(world, Conduct::Withholds, &[]).1.unwrap().violation
}

fn withheld(violation: Violation) -> Withheld {
    match violation {
        Violation::Withheld(withheld) => *withheld,
        other => panic!("{other:?}"),
    }
}

fn check(world: &World, withheld: Withheld) -> Result<Verdict, NotProven> {
    world.evidence(Violation::Withheld(Box::new(withheld))).check(&world.covenant)
}

/// An honest matcher's receipts for one half, on these days.
fn receipts(matcher: &mut Matcher<'_>, leave: &Leave, hours: [u64; 2]) -> Result<ReceiptedTwice, Refusal> {
    let content = Content::Leave(Box::new(leave.clone()));
    let [left, again] = hours.map(|hour| matcher.take(&content, at(hour)));
    Ok(ReceiptedTwice { left: left?, again: again? })
}

/// Everything that makes an honest matcher introduce nobody, with whatever it signs meanwhile.
struct Accuser<'a> {
    matcher: Matcher<'a>,
    canary: Canary,
    leaves: [Leave; 2],
}

impl<'a> Accuser<'a> {
    fn new(world: &'a World) -> Self {
        let matcher = Matcher::new(world, Conduct::Honest);
        let canary = Canary::draw(id("p5"), EPOCH, (matcher.frontier(), EXPIRY), at(3), &mut rng(6));
        let leaves = Side::BOTH.map(|side| canary.plan.leave(side, &world.destination("p5")));
        Self { matcher, canary, leaves }
    }

    fn accuse(&mut self, first: ReceiptedTwice, second: ReceiptedTwice, from: u64, hour: u64) -> Withheld {
        self.matcher.tick(at(hour));
        let from = usize::try_from(from).unwrap() * 656;
        Withheld {
            matcher: id("p5"),
            plan: self.canary.plan.clone(),
            first,
            second,
            checkpoint: self.matcher.head(at(hour)),
            entries: crate::codec::Bytes(self.matcher.entries[from..].to_vec()),
        }
    }
}

#[test]
fn what_was_withdrawn_meanwhile_accuses_nobody() {
    let world = World::new(1);
    let mut accuser = Accuser::new(&world);
    let [one, other] = accuser.leaves.clone();
    let destination = world.destination("p5");
    let withdraw = accuser.canary.content(Side::First, Step::Withdraw, &destination).unwrap();
    let left = accuser.matcher.take(&Content::Leave(Box::new(one.clone())), at(0)).unwrap();
    accuser.matcher.take(&withdraw, at(1)).unwrap();
    let second = receipts(&mut accuser.matcher, &other, [2, 30]).unwrap();
    let again = accuser.matcher.take(&Content::Leave(Box::new(one)), at(30));
    assert_eq!(again, Err(Refusal::Mailbox));
    // The best that the accuser has.
    let first = ReceiptedTwice { again: left.clone(), left };
    let record = accuser.accuse(first, second, 7, 60);
    assert_eq!(check(&world, record), Err(NotProven::Allowed));
}

#[test]
fn what_was_left_quiet_accuses_nobody() {
    let world = World::new(1);
    let mut accuser = Accuser::new(&world);
    let [one, _] = accuser.leaves.clone();
    let quiet = Leave { min: 16, ..one.clone() };
    accuser.matcher.take(&Content::Leave(Box::new(quiet.clone())), at(0)).unwrap();
    assert_eq!(receipts(&mut accuser.matcher, &one, [1, 30]), Err(Refusal::Mailbox));
    assert!(receipts(&mut accuser.matcher, &quiet, [1, 30]).is_ok(), "the same again is known");
}

#[test]
fn a_crowd_accuses_nobody() {
    let world = World::new(1);
    let mut accuser = Accuser::new(&world);
    let [one, other] = accuser.leaves.clone();
    for seed in 0..u8::try_from(CROWD).unwrap() {
        let (decoy, _) = world.leave("p0", 100 + seed, 1, EXPIRY);
        let decoy = Leave { tag: one.tag, ..decoy };
        accuser.matcher.take(&Content::Leave(Box::new(decoy)), at(0)).unwrap();
    }
    let first = receipts(&mut accuser.matcher, &one, [1, 30]).unwrap();
    let second = receipts(&mut accuser.matcher, &other, [1, 30]).unwrap();
    let record = accuser.accuse(first, second, 7, 60);
    let told = Side::BOTH.into_iter().any(|side| {
        let address = post_address(&record.plan.inbox(side), 0);
        record.entries.0.as_chunks::<656>().0.iter().any(|entry| Entry::from_bytes(entry).address == address)
    });
    assert!(!told, "neither half was introduced");
    assert_eq!(check(&world, record), Err(NotProven::Allowed));
}

/// The posts stood on the board before what the record shows of it.
#[test]
fn a_later_beginning_accuses_nobody() {
    let world = World::new(1);
    let mut accuser = Accuser::new(&world);
    let [one, other] = accuser.leaves.clone();
    let first = receipts(&mut accuser.matcher, &one, [1, 30]).unwrap();
    let second = receipts(&mut accuser.matcher, &other, [1, 30]).unwrap();
    accuser.matcher.tick(at(2));
    let honest = accuser.accuse(first.clone(), second.clone(), 7, 60);
    assert_eq!(check(&world, honest), Err(NotProven::Allowed), "both were told");
    accuser.canary.plan.before = accuser.matcher.frontier();
    let record = accuser.accuse(first, second, 9, 60);
    assert_eq!(check(&world, record), Err(NotProven::Signature), "the tag is of another beginning");
}

#[test]
fn a_record_needs_all_its_times() {
    let world = World::new(1);
    let good = withheld(sample(&world));
    assert!(check(&world, good.clone()).is_ok());
    let matcher = Matcher::new(&world, Conduct::Withholds);
    let head = |hour| matcher.head(at(hour));
    assert_eq!(good.entries.0.len(), 0, "the head is that of the beginning");
    // Left on the first day: an hour after its end is at hour 25, less the 100 seconds of this test's clock.
    let early = Withheld { checkpoint: head(24), ..good.clone() };
    assert_eq!(check(&world, early), Err(NotProven::Allowed));
    let in_time = Withheld { checkpoint: head(25), ..good.clone() };
    assert!(check(&world, in_time).is_ok());
    let only_left = ReceiptedTwice { again: good.first.left.clone(), left: good.first.left.clone() };
    let same_day = Withheld { first: only_left, ..good.clone() };
    assert_eq!(check(&world, same_day), Err(NotProven::Allowed));
    let mut fewer = good;
    fewer.entries = crate::codec::Bytes(
        Entry { address: Address::from_bytes([1; 16]), body: Body::from_bytes([1; 640]) }.to_bytes().to_vec(),
    );
    assert_eq!(check(&world, fewer), Err(NotProven::Unfitting));
}

//! Canaries: tags that a member leaves twice, to see whether a matcher introduces what it was left (`docs/protocol.md`
//! section 12).
//!
//! A [`Canary`] is one tag at one matcher, left by two halves that look like two partners' submissions. All that a matcher
//! gets of it follows from one random seed and from the board as it was when the seed was drawn. So who has the seed can
//! check that both halves were a canary's, and that nobody could have known the tag before.
//!
//! Most have to meet; of some the first half ends before the second is left, and they must not ([`ending`]).
//!
//! Not here: when to draw one ([`crate::tempo`]), sending, and reading the board.

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::board::Post;
use crate::codec::{Bytes, Wire};
use crate::crypto::{hkdf, sha256};
use crate::evidence::{Misposted, ReceiptedTwice, Withheld};
use crate::field::join;
use crate::id::{Epoch, MemberId, Tag, byte_id};
use crate::label;
use crate::log::merkle::{Frontier, Hash};
use crate::relay::Refusal;
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey};
use crate::submission::{
    Content, Destination, Inbox, Leave, Promise, SealedHello, Submission, Withdraw, due,
};
use crate::time::{Day, Timestamp};

pub mod ending;

use ending::Ending;

byte_id! {
    /// From which all of a canary follows. Secret until it becomes evidence.
    Seed, 32
}

/// Which half of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The half that is left first.
    First,
    /// The half that is left later, once the first has its receipt.
    Second,
}

impl Side {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other half.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// What a matcher gets of a canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Drawn for it.
    pub seed: Seed,
    /// The matcher's board as its owner had read it then. The tag depends on it: so nothing about it stands there.
    pub before: Frontier,
    /// Last live day of both halves.
    pub expiry: Day,
    /// Where the first half ended before the second was left: the root of a board under which that end stood. The second
    /// half depends on it: so the matcher signed nothing about it before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Hash>,
}

impl Plan {
    /// The tag of both halves.
    #[must_use]
    pub fn tag(&self, destination: &Destination) -> Tag {
        let hash = sha256(&join(&[
            label::CANARY,
            destination.network.as_bytes(),
            destination.matcher.as_bytes(),
            self.seed.as_bytes(),
            &self.before.size().to_be_bytes(),
            self.before.root().as_bytes(),
        ]));
        Tag::try_from(&hash[..Tag::LEN]).expect("16 of 32 bytes")
    }

    fn derive(&self, side: Side, part: &[u8]) -> Secret<32> {
        let number = [side.number()];
        let info = match (side, &self.ended) {
            (Side::Second, Some(root)) => join(&[label::CANARY, &number, part, root.as_bytes()]),
            _ => join(&[label::CANARY, &number, part]),
        };
        hkdf(self.seed.as_bytes(), &info)
    }

    /// One half's mailbox.
    #[must_use]
    pub fn mailbox(&self, side: Side) -> ExchangeSecret {
        ExchangeSecret::from_bytes(self.derive(side, b"mailbox"))
    }

    /// One half's inbox.
    #[must_use]
    pub fn inbox(&self, side: Side) -> Inbox {
        let inbox = self.derive(side, b"inbox");
        Inbox::try_from(&inbox.expose()[..Inbox::LEN]).expect("16 of 32 bytes")
    }

    fn withdraw_key(&self, side: Side) -> SigningKey {
        SigningKey::from_seed(&self.derive(side, b"withdraw"))
    }

    /// As random as one that nobody can open, and of its size.
    fn hello(&self, side: Side) -> SealedHello {
        let part = |n: u8| *self.derive(side, &[b"hello".as_slice(), &[n]].concat()).expose();
        let bytes: Vec<u8> = (0..=u8::MAX).flat_map(part).take(SealedHello::LEN).collect();
        SealedHello::try_from(bytes.as_slice()).expect("so many bytes were taken")
    }

    /// What one half leaves. The same each time.
    #[must_use]
    pub fn leave(&self, side: Side, destination: &Destination) -> Leave {
        Leave {
            tag: self.tag(destination),
            mailbox: self.mailbox(side).public(),
            withdraw_key: self.withdraw_key(side).verifying_key(),
            min: 2,
            expiry: self.expiry,
            hello: self.hello(side),
            inbox: self.inbox(side),
            replaces: None,
        }
    }

    /// One half's withdrawal.
    #[must_use]
    pub fn withdraw(&self, side: Side, destination: &Destination) -> Withdraw {
        destination.withdraw(&self.withdraw_key(side), self.mailbox(side).public())
    }

    /// The plaintext of one half's submission on a day.
    #[must_use]
    pub fn plaintext(&self, side: Side, destination: &Destination, day: Day) -> Vec<u8> {
        let content = Content::Leave(Box::new(self.leave(side, destination)));
        Submission { day, content }.to_plaintext()
    }

    /// Whether a post to one half introduces the other, as it was left.
    #[must_use]
    pub fn introduces(&self, to: Side, post: &Post, destination: &Destination) -> bool {
        let Post::Met(met) = post else { return false };
        let other = self.leave(to.other(), destination);
        met.mailbox == other.mailbox
            && met.withdraw_key == other.withdraw_key
            && met.expiry == other.expiry
            && met.hello == other.hello
    }
}

/// A receipt with the day that stands in its submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipted {
    /// The submission's own day.
    pub day: Day,
    /// The matcher's.
    pub promise: Promise,
}

/// What is known of one half.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Half {
    /// The first receipt.
    left: Option<Receipted>,
    /// A receipt of a later day for the same: it was live all the time.
    again: Option<Receipted>,
    /// The matcher would not take the same again.
    refused: bool,
    /// It was told of the other half.
    met: bool,
    /// Its withdrawal has a receipt.
    withdrawn: bool,
}

/// What a half has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Nothing now.
    Nothing,
    /// It, as any submission is left.
    Leave,
    /// The same once more on a later day, which shows that it was not withdrawn: something was withheld.
    Again,
    /// Its withdrawal.
    Withdraw,
}

/// What a post told a half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of the other half, or of its end.
    Other,
    /// Of the other half, although the first had ended before the second was left.
    Revived,
    /// Of the other half, otherwise than it was left: this proves it, once the other has its receipt.
    Altered(Option<Box<Misposted>>),
    /// Of a submission that nobody but the matcher can have made: no one else knows the tag.
    Stranger,
}

/// How a canary stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has not been judged.
    Open,
    /// Both halves were told of each other in time, or before the matcher said otherwise; or neither was, where the first
    /// had ended.
    Met,
    /// The matcher signed, after the merge delay, a board on which a half was not told.
    Withheld,
    /// The matcher introduced a half that had ended.
    Revived,
}

/// One tag left twice at one matcher. Sealed at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Where.
    pub matcher: MemberId,
    /// In which epoch.
    pub epoch: Epoch,
    /// What the matcher gets of it.
    pub plan: Plan,
    /// From when the second half may be left.
    pub second_from: Timestamp,
    first: Half,
    second: Half,
    /// The head that convicts, as evidence has it.
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ending: Option<Ending>,
}

impl Wire for Canary {
    const MAX_LEN: usize = 8_192;
}

impl Canary {
    /// A fresh one whose first half ends before the second is left, from `withdraw_from` on; else as [`Canary::draw`].
    pub fn draw_ending(
        matcher: MemberId,
        epoch: Epoch,
        before: (Frontier, Day),
        (withdraw_from, second_from): (Timestamp, Timestamp),
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let ending = Some(Ending::from(withdraw_from));
        Self { ending, ..Self::draw(matcher, epoch, before, second_from, rng) }
    }

    /// A fresh one. `before` is the matcher's board as far as it was read.
    pub fn draw(
        matcher: MemberId,
        epoch: Epoch,
        (before, expiry): (Frontier, Day),
        second_from: Timestamp,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let mut seed = [0; Seed::LEN];
        rng.fill_bytes(&mut seed);
        let plan = Plan { seed: Seed::from_bytes(seed), before, expiry, ended: None };
        let (first, second) = (Half::default(), Half::default());
        Self { matcher, epoch, plan, second_from, first, second, head: None, ending: None }
    }

    const fn half(&self, side: Side) -> &Half {
        match side {
            Side::First => &self.first,
            Side::Second => &self.second,
        }
    }

    const fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    /// The later of both receipts' days, when both are there.
    fn left_by(&self) -> Option<Day> {
        let day = |half: &Half| half.left.as_ref().map(|receipted| receipted.promise.day);
        Some(day(&self.first)?.max(day(&self.second)?))
    }

    /// How it stands.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        if let Some(ending) = &self.ending {
            return ending.stage();
        }
        match (&self.head, self.first.met && self.second.met) {
            (Some(_), _) => Stage::Withheld,
            (None, true) => Stage::Met,
            (None, false) => Stage::Open,
        }
    }

    /// What one half has to send now.
    #[must_use]
    pub fn step(&self, side: Side, now: Timestamp) -> Step {
        if let Some(ending) = &self.ending {
            return ending.step(side, (&self.first, &self.second), self.second_from, now);
        }
        let half = self.half(side);
        if half.withdrawn {
            return Step::Nothing;
        }
        let Some(left_by) = self.left_by() else {
            let is_next = side == Side::First || (self.first.left.is_some() && now >= self.second_from);
            return if half.left.is_none() && is_next { Step::Leave } else { Step::Nothing };
        };
        match self.stage() {
            Stage::Open => Step::Nothing,
            Stage::Met | Stage::Revived => Step::Withdraw,
            Stage::Withheld if self.is_judged() => Step::Withdraw,
            Stage::Withheld if half.again.is_some() || now.day() <= left_by => Step::Nothing,
            Stage::Withheld => Step::Again,
        }
    }

    /// Whether nothing more can be proven than is.
    const fn is_judged(&self) -> bool {
        self.first.refused
            || self.second.refused
            || (self.first.again.is_some() && self.second.again.is_some())
    }

    /// What one half sends for a step. None for [`Step::Nothing`].
    #[must_use]
    pub fn content(&self, side: Side, step: Step, destination: &Destination) -> Option<Content> {
        match step {
            Step::Nothing => None,
            Step::Leave | Step::Again => Some(Content::Leave(Box::new(self.plan.leave(side, destination)))),
            Step::Withdraw => Some(Content::Withdraw(self.plan.withdraw(side, destination))),
        }
    }

    /// A step of one half has a receipt. It only starts the clock.
    pub fn receipted(&mut self, side: Side, step: Step, receipted: Receipted) {
        let left_by = self.left_by();
        let half = self.half_mut(side);
        match step {
            Step::Nothing => {}
            Step::Leave if half.left.is_none() => half.left = Some(receipted),
            Step::Leave => {}
            // A matcher whose clock is behind ours is asked once more.
            Step::Again if left_by.is_none_or(|left_by| receipted.promise.day <= left_by) => {}
            Step::Again => half.again = Some(receipted),
            Step::Withdraw => {
                half.withdrawn = true;
                if let (Side::First, Some(ending)) = (side, &mut self.ending) {
                    ending.withdrawn(self.first.left.as_ref(), receipted, self.plan.expiry);
                }
            }
        }
    }

    /// The matcher refused a step of one half. True when that changes something: it will not show that this half is live.
    pub const fn refused(&mut self, side: Side, step: Step, refusal: Refusal) -> bool {
        let says_no = matches!(step, Step::Again) && matches!(refusal, Refusal::Mailbox);
        if says_no {
            self.half_mut(side).refused = true;
        }
        says_no
    }

    /// One half reads a post at one of its addresses.
    pub fn read(&mut self, to: Side, post: &Post, signature: Signature, destination: &Destination) -> Told {
        let other = self.plan.mailbox(to.other()).public();
        let met = match post {
            Post::Withdrawn(withdraw) if withdraw.mailbox == other => return Told::Other,
            Post::Met(met) if met.mailbox == other => met,
            Post::Met(_) | Post::Withdrawn(_) | Post::Replaced(_) | Post::Removed(_) => {
                return Told::Stranger;
            }
        };
        if self.plan.introduces(to, post, destination) {
            return match &mut self.ending {
                None => {
                    self.half_mut(to).met = true;
                    Told::Other
                }
                Some(ending) => {
                    ending.told.get_or_insert((to, signature));
                    Told::Revived
                }
            };
        }
        let left = self.half(to.other()).left.as_ref();
        Told::Altered(left.map(|Receipted { day, promise }| {
            Box::new(Misposted {
                matcher: self.matcher.clone(),
                plaintext: Bytes(self.plan.plaintext(to.other(), destination, *day)),
                promise: promise.clone(),
                to: self.plan.mailbox(to).public(),
                met: (**met).clone(),
                signature,
            })
        }))
    }

    /// Judges by a head of the board: its text with the lines of board and matcher, and when the matcher cosigned it. All
    /// that stands under it must have been read. True when the matcher has withheld something, and this is new.
    pub fn judge(&mut self, timed: Timestamp, head: &str) -> bool {
        if let Some(ending) = &mut self.ending {
            ending.judge(&mut self.plan, &self.second, timed, head);
            return false;
        }
        let Some(left_by) = self.left_by() else { return false };
        let is_due = timed >= due(left_by);
        let withheld = is_due && self.stage() == Stage::Open;
        if withheld {
            self.head = Some(head.to_owned());
        }
        withheld
    }

    /// The head by which it was judged, once all is there that proves it.
    #[must_use]
    pub fn convicting_head(&self) -> Option<&str> {
        let proven = self.first.again.is_some() && self.second.again.is_some();
        self.head.as_deref().filter(|_| proven)
    }

    /// The evidence. `entries` are those of the board from the end of `plan.before` up to the head.
    #[must_use]
    pub fn evidence(&self, entries: Vec<u8>) -> Option<Withheld> {
        let checkpoint = self.convicting_head()?.to_owned();
        let half =
            |half: &Half| Some(ReceiptedTwice { left: half.left.clone()?, again: half.again.clone()? });
        Some(Withheld {
            matcher: self.matcher.clone(),
            plan: self.plan.clone(),
            first: half(&self.first)?,
            second: half(&self.second)?,
            checkpoint,
            entries: Bytes(entries),
        })
    }

    /// Whether it can be forgotten: withdrawn, or past its last day.
    #[must_use]
    pub fn is_over(&self, today: Day) -> bool {
        let withdrawn = match &self.ending {
            None => self.first.withdrawn && self.second.withdrawn,
            Some(ending) => ending.is_over(&self.first, &self.second),
        };
        withdrawn || self.plan.expiry < today
    }
}

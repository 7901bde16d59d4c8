//! A matcher's rules: what it takes in, who is introduced to whom, what it posts (`docs/protocol.md` sections 5.6, 5.7
//! and 6.3).
//!
//! [`Meeting`] holds what is live. The caller opens submissions ([`crate::submission::open`]), feeds them to
//! [`Meeting::leave`], [`Meeting::withdraw`] and [`Meeting::rule`], stores the returned [`Change`]s durably, and only then answers with
//! receipts. Announcements are part of the changes, so that a meeting that was once possible is posted even if one side
//! withdraws; the caller turns them into board entries in its next append.
//!
//! Not here: sealing posts ([`crate::board`]), and the log they stand in ([`crate::log`]).

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::board::{Met, Post, Replaced};
use crate::codec::Wire;
use crate::id::Tag;
use crate::relay::Refusal;
use crate::sealing::ExchangeKey;
use crate::sign::VerifyingKey;
use crate::submission::{Destination, Inbox, Leave, SealedHello, Withdraw};
use crate::time::Day;
use crate::trace::VerifiedRuling;

/// A tag with more live submissions than this is crowded: further ones are kept, and introduced when the holders of trace
/// keys have cleared them (sections 6.3 and 13.4).
pub const CROWD: usize = 16;
/// No ruling makes more submissions than this meet: all members of the largest network that the protocol is made for.
const CLEARED_MAX: usize = 256;

/// A live submission as the matcher keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// What is compared.
    pub tag: Tag,
    /// Who may withdraw it.
    pub withdraw_key: VerifyingKey,
    /// Fewest live submissions before it is introduced. Once introduced it is 2.
    pub min: u8,
    /// Last live day.
    pub expiry: Day,
    /// Passed on as it was left.
    pub hello: SealedHello,
    /// Gives the addresses of posts to it.
    pub inbox: Inbox,
    /// Posts made to it so far.
    pub posts: u32,
    /// Mailboxes it has been introduced to and that were live when it last met anyone: fewer than [`CROWD`], or than
    /// 256 once it is cleared.
    pub introduced: BTreeSet<ExchangeKey>,
    /// Whether a ruling found nothing wrong with it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub cleared: bool,
}

impl Wire for Live {
    const MAX_LEN: usize = 16_384;
}

/// One post to be made: what, to which mailbox, and the number of the post to that mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The mailbox it is sealed to.
    pub to: ExchangeKey,
    /// Gives the address together with `n`.
    pub inbox: Inbox,
    /// The how-manieth post to this mailbox, from 0.
    pub n: u32,
    /// What it says.
    pub post: Post,
}

impl Wire for Announcement {
    const MAX_LEN: usize = 1024;
}

/// What a submission changed; to be stored in one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Mailboxes whose record changed, now live.
    pub live: Vec<ExchangeKey>,
    /// Mailboxes that ended, with the day until which they are remembered.
    pub ended: Vec<(ExchangeKey, Day)>,
    /// Those of them that had met somebody, who may still complain.
    pub met: Vec<ExchangeKey>,
    /// What must be posted in one append.
    pub announcements: Vec<Announcement>,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// New: store the change, then give the receipt. `held` is what the receipt says.
    New {
        /// To be stored.
        change: Change,
        /// Whether the mailbox that this withdraws or replaces was there.
        held: bool,
    },
    /// The same mailbox with the same content as before: give a receipt, nothing changes.
    Known,
}

/// A matcher's live submissions.
#[derive(Debug)]
pub struct Meeting {
    destination: Destination,
    live: HashMap<ExchangeKey, Live>,
    tags: HashMap<Tag, Vec<ExchangeKey>>,
    ended: HashMap<ExchangeKey, Day>,
    /// Tags that once had more than [`CROWD`]; some may have fewer now.
    crowded: BTreeSet<Tag>,
}

impl Meeting {
    /// Nothing live yet.
    #[must_use]
    pub fn new(destination: Destination) -> Self {
        let (live, tags, ended, crowded) = Default::default();
        Self { destination, live, tags, ended, crowded }
    }

    /// Puts back a stored submission at start.
    pub fn restore_live(&mut self, mailbox: ExchangeKey, live: Live) {
        let mailboxes = self.tags.entry(live.tag).or_default();
        mailboxes.push(mailbox);
        if mailboxes.len() > CROWD {
            self.crowded.insert(live.tag);
        }
        self.live.insert(mailbox, live);
    }

    /// Puts back a mailbox that ended and may not be used again.
    pub fn restore_ended(&mut self, mailbox: ExchangeKey, until: Day) {
        self.ended.insert(mailbox, until);
    }

    /// The record of a live submission.
    #[must_use]
    pub fn live(&self, mailbox: &ExchangeKey) -> Option<&Live> {
        self.live.get(mailbox)
    }

    /// How many submissions are live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether nothing is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Takes in a leave.
    ///
    /// # Errors
    /// [`Refusal`]: the mailbox was used before with other content, the submission has expired, or it replaces one
    /// without its owner's signature.
    pub fn leave(&mut self, leave: &Leave, today: Day) -> Result<TakenIn, Refusal> {
        if let Some(known) = self.live.get(&leave.mailbox) {
            return if is_same(known, leave) { Ok(TakenIn::Known) } else { Err(Refusal::Mailbox) };
        }
        if self.ended.contains_key(&leave.mailbox) {
            return Err(Refusal::Mailbox);
        }
        if leave.expiry < today {
            return Err(Refusal::Day);
        }
        let mut change = Change::default();
        let old = self.replaced(leave)?;
        self.insert(leave);
        change.live.push(leave.mailbox);
        let replaces = leave.replaces.as_ref();
        self.introduce(leave.tag, old.as_ref(), today, &mut change);
        if let (Some(replaces), Some(old)) = (replaces, &old) {
            let replaced = Replaced { replaces: replaces.clone(), new: leave.mailbox };
            self.end(replaces.mailbox, old, &Post::Replaced(replaced), &mut change);
        }
        Ok(TakenIn::New { change, held: replaces.is_none() || old.is_some() })
    }

    /// Takes in a withdrawal.
    ///
    /// # Errors
    /// [`Refusal::Signature`] when it is not signed by the mailbox's withdraw key.
    pub fn withdraw(&mut self, withdraw: &Withdraw) -> Result<TakenIn, Refusal> {
        let mut change = Change::default();
        let Some(live) = self.live.get(&withdraw.mailbox) else {
            return Ok(TakenIn::New { change, held: self.ended.contains_key(&withdraw.mailbox) });
        };
        self.destination.verify_withdraw(&live.withdraw_key, withdraw).map_err(|_| Refusal::Signature)?;
        let live = self.remove(&withdraw.mailbox).expect("it was live a moment ago");
        self.end(withdraw.mailbox, &live, &Post::Withdrawn(withdraw.clone()), &mut change);
        Ok(TakenIn::New { change, held: true })
    }

    /// The live submissions of each tag that has more than [`CROWD`] and some that no ruling has cleared; those first.
    pub fn crowds(&mut self, today: Day) -> Vec<Vec<ExchangeKey>> {
        let (mut crowds, mut over) = (Vec::new(), Vec::new());
        for tag in &self.crowded {
            let mailboxes = self.tags.get(tag).map(Vec::as_slice).unwrap_or_default();
            let lives = |mailbox: &&ExchangeKey| self.live.get(*mailbox).is_some_and(|it| it.expiry >= today);
            let mut crowd: Vec<_> = mailboxes.iter().filter(lives).copied().collect();
            let cleared = |mailbox: &ExchangeKey| self.live.get(mailbox).is_some_and(|it| it.cleared);
            if crowd.len() <= CROWD {
                over.push(*tag);
            } else if !crowd.iter().all(cleared) {
                crowd.sort_by_key(cleared);
                crowds.push(crowd);
            }
        }
        for tag in over {
            self.crowded.remove(&tag);
        }
        crowds
    }

    /// Does what the holders of trace keys decided about a crowd. Doing it again changes nothing.
    pub fn rule(&mut self, ruling: &VerifiedRuling, today: Day) -> Change {
        let mut change = Change::default();
        let mut tags = BTreeSet::new();
        for removal in &ruling.removed {
            if let Some(live) = self.remove(&removal.mailbox) {
                tags.insert(live.tag);
                self.end(removal.mailbox, &live, &Post::Removed(Box::new(removal.clone())), &mut change);
            }
        }
        for mailbox in &ruling.cleared {
            if let Some(live) = self.live.get_mut(mailbox)
                && !live.cleared
            {
                live.cleared = true;
                tags.insert(live.tag);
                change.live.push(*mailbox);
            }
        }
        for tag in tags {
            self.introduce(tag, None, today, &mut change);
        }
        // What ended after it had changed has no record any more, and nobody reads what is posted to it.
        change.live.retain(|mailbox| self.live.contains_key(mailbox));
        change.announcements.retain(|announcement| self.live.contains_key(&announcement.to));
        change
    }

    /// Drops what has expired; returns the mailboxes that are forgotten. Their partners know the day themselves.
    pub fn expire(&mut self, today: Day) -> Vec<ExchangeKey> {
        let live = self.live.iter().filter(|(_, live)| live.expiry < today).map(|(mailbox, _)| *mailbox);
        let ended = self.ended.iter().filter(|(_, until)| **until < today).map(|(mailbox, _)| *mailbox);
        let expired: Vec<_> = live.chain(ended).collect();
        for mailbox in &expired {
            self.remove(mailbox);
            self.ended.remove(mailbox);
        }
        expired
    }

    /// Takes out the submission that `leave` replaces, if it is there and its owner consents.
    fn replaced(&mut self, leave: &Leave) -> Result<Option<Live>, Refusal> {
        let Some(replaces) = &leave.replaces else { return Ok(None) };
        let Some(old) = self.live.get(&replaces.mailbox) else { return Ok(None) };
        self.destination
            .verify_replaces(&old.withdraw_key, replaces, &leave.mailbox)
            .map_err(|_| Refusal::Signature)?;
        Ok(self.remove(&replaces.mailbox))
    }

    fn insert(&mut self, leave: &Leave) {
        let live = Live {
            tag: leave.tag,
            withdraw_key: leave.withdraw_key,
            min: leave.min,
            expiry: leave.expiry,
            hello: leave.hello,
            inbox: leave.inbox,
            posts: 0,
            introduced: BTreeSet::new(),
            cleared: false,
        };
        self.restore_live(leave.mailbox, live);
    }

    fn remove(&mut self, mailbox: &ExchangeKey) -> Option<Live> {
        let live = self.live.remove(mailbox)?;
        if let Some(mailboxes) = self.tags.get_mut(&live.tag) {
            mailboxes.retain(|other| other != mailbox);
            if mailboxes.is_empty() {
                self.tags.remove(&live.tag);
            }
        }
        Some(live)
    }

    /// Introduces whoever may be introduced under `tag` and has not been. A submission that takes the place of one
    /// already introduced is not quiet either.
    fn introduce(&mut self, tag: Tag, replaced: Option<&Live>, today: Day, change: &mut Change) {
        let mailboxes = self.tags.get(&tag).cloned().unwrap_or_default();
        if let (Some(old), Some(newest)) = (replaced, mailboxes.last())
            && !old.introduced.is_empty()
            && let Some(live) = self.live.get_mut(newest)
        {
            live.min = live.min.min(old.min);
        }
        let open = self.open(&mailboxes, today);
        for (index, a) in open.iter().enumerate() {
            for b in &open[index + 1..] {
                if self.may_meet(a, b, today) {
                    self.announce_met(a, b, today, change);
                    self.announce_met(b, a, today, change);
                }
            }
        }
        // Once posted, a departure does not make it quiet again.
        for mailbox in &open {
            if let Some(live) = self.live.get_mut(mailbox)
                && !live.introduced.is_empty()
            {
                live.min = 2;
            }
        }
    }

    /// Who may meet: for the largest k of which at least k live submissions have `min <= k`, exactly those, as far as
    /// the crowd limit goes: who was cleared, and the oldest of the others up to the limit.
    fn open(&self, mailboxes: &[ExchangeKey], today: Day) -> Vec<ExchangeKey> {
        let lives = |mailbox: &&ExchangeKey| self.live.get(*mailbox).is_some_and(|live| live.expiry >= today);
        let mailboxes: Vec<_> = mailboxes.iter().filter(lives).collect();
        let min = |mailbox: &ExchangeKey| self.live.get(mailbox).map_or(u8::MAX, |live| live.min);
        let most = u8::try_from(mailboxes.len().min(CROWD)).expect("the crowd limit fits");
        let willing = |k: u8| mailboxes.iter().copied().filter(move |mailbox| min(mailbox) <= k);
        let largest = (2..=most).rev().find(|&k| willing(k).count() >= usize::from(k));
        let Some(k) = largest else { return Vec::new() };
        let is = |mailbox: &ExchangeKey, what: fn(&Live) -> bool| self.live.get(mailbox).is_some_and(what);
        let cleared = willing(k).filter(|mailbox| is(mailbox, |live| live.cleared)).take(CLEARED_MAX);
        let mut admitted: Vec<_> = cleared.copied().collect();
        // Who has met somebody keeps its place, also after a restart, which does not keep their order.
        let met =
            willing(k).filter(|mailbox| is(mailbox, |live| !live.cleared && !live.introduced.is_empty()));
        let fresh =
            willing(k).filter(|mailbox| is(mailbox, |live| !live.cleared && live.introduced.is_empty()));
        let places = CROWD.saturating_sub(admitted.len());
        admitted.extend(met.chain(fresh).take(places));
        admitted
    }

    /// Whether two that are open have not met, and neither has met a whole crowd, or as many as may be cleared. The latter
    /// follows from who is open until the matcher stops; afterwards it is not known who is oldest.
    fn may_meet(&self, a: &ExchangeKey, b: &ExchangeKey, today: Day) -> bool {
        let has_met = self.live.get(a).is_some_and(|live| live.introduced.contains(b));
        let most = |mailbox| {
            if self.live.get(mailbox).is_some_and(|live| live.cleared) { CLEARED_MAX } else { CROWD }
        };
        !has_met && [a, b].iter().all(|mailbox| self.still_met(mailbox, today).len() < most(mailbox) - 1)
    }

    /// Whom of those it was introduced to are live yet.
    fn still_met(&self, mailbox: &ExchangeKey, today: Day) -> BTreeSet<ExchangeKey> {
        let lives = |other: &&ExchangeKey| self.live.get(*other).is_some_and(|live| live.expiry >= today);
        let introduced = self.live.get(mailbox).map(|live| &live.introduced);
        introduced.into_iter().flatten().filter(lives).copied().collect()
    }

    fn announce_met(&mut self, to: &ExchangeKey, other: &ExchangeKey, today: Day, change: &mut Change) {
        let Some(live) = self.live.get(other) else { return };
        let met =
            Met { mailbox: *other, withdraw_key: live.withdraw_key, expiry: live.expiry, hello: live.hello };
        // Those that have expired need not hear of any end. Without them a record has one size, however long it lives.
        let mut introduced = self.still_met(to, today);
        introduced.insert(*other);
        if let Some(live) = self.live.get_mut(to) {
            live.introduced = introduced;
            announce(*to, live, Post::Met(Box::new(met)), change);
        }
    }

    /// Remembers an ended mailbox and tells everyone it was introduced to.
    fn end(&mut self, mailbox: ExchangeKey, live: &Live, post: &Post, change: &mut Change) {
        self.ended.insert(mailbox, live.expiry);
        change.ended.push((mailbox, live.expiry));
        if live.posts > 0 {
            change.met.push(mailbox);
        }
        for other in &live.introduced {
            if let Some(other_live) = self.live.get_mut(other) {
                other_live.introduced.remove(&mailbox);
                announce(*other, other_live, post.clone(), change);
            }
        }
    }
}

fn announce(to: ExchangeKey, live: &mut Live, post: Post, change: &mut Change) {
    change.announcements.push(Announcement { to, inbox: live.inbox, n: live.posts, post });
    live.posts += 1;
    if !change.live.contains(&to) {
        change.live.push(to);
    }
}

/// A threshold may have become lower since, by a meeting. It is never higher than was left: else whoever left it could show
/// a receipt for a lower one that was never there.
fn is_same(live: &Live, leave: &Leave) -> bool {
    live.tag == leave.tag
        && live.min <= leave.min
        && live.withdraw_key == leave.withdraw_key
        && live.expiry == leave.expiry
        && live.hello == leave.hello
        && live.inbox == leave.inbox
}

#[cfg(test)]
mod tests;

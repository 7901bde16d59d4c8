//! What a side has said about a match, and over which pair of mailboxes at which matcher it says it (`docs/protocol.md`
//! section 10.4).
//!
//! Every message goes over one pair at *every* matcher at which the match lives, so that one of them that is gone for good
//! does not lose it. When that pair ends, the message goes over another; who has it already knows it by its id. The latest
//! message of a kind takes the place of the one before it. A message that is bound to one pair goes over that one alone.
//!
//! Not here: sealing ([`crate::conversation`]) and sending.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Match, MatchKey, Matches, MeetingPoint};
use crate::conversation::{Message, MessageId};
use crate::coordination::position::HEARD_OVER_MAX;
use crate::id::MemberId;
use crate::sealing::ExchangeKey;

/// A message of the own side, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What was said.
    pub message: Message,
    /// The only pair over which it may go; none when any will do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub only: Option<Pair>,
    /// At most one per matcher.
    pub deliveries: Vec<Delivery>,
}

impl Said {
    /// Said and not yet on its way.
    #[must_use]
    pub const fn new(message: Message) -> Self {
        Self { message, only: None, deliveries: Vec::new() }
    }
}

/// One message's way over one matcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Which pair of mailboxes.
    pub pair: Pair,
    /// It is the how-manieth message from the own mailbox to the other, from 0.
    pub n: u32,
    /// Whether the matcher has given its receipt.
    pub receipted: bool,
}

/// Numbers that messages of a pair have taken and that nothing else remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// The pair.
    pub pair: Pair,
    /// The number after the last of them.
    pub next: u32,
}

/// Two mailboxes that met at a matcher.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Where.
    pub matcher: MemberId,
    /// The own one.
    pub own: ExchangeKey,
    /// The other side's.
    pub other: ExchangeKey,
}

impl From<&MeetingPoint> for Pair {
    fn from(point: &MeetingPoint) -> Self {
        Self { matcher: point.matcher.clone(), own: point.own, other: point.other }
    }
}

/// A message to be posted now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What is said.
    pub message: Message,
    /// Over which pair.
    pub pair: Pair,
    /// Which number of the pair's addresses it takes.
    pub n: u32,
}

/// At a matcher that does not answer, no more messages of one match than this wait for their receipts. So a reader, who looks
/// so far ahead, does not lose the next one.
const ON_THE_WAY_MAX: usize = 8;

impl Match {
    /// The matchers at which something said has not been posted over a pair that still lives.
    #[must_use]
    pub fn unsaid_at(&self) -> BTreeSet<&MemberId> {
        if self.said.is_empty() {
            return BTreeSet::new();
        }
        let matchers: BTreeSet<_> = self.points.iter().map(|point| &point.matcher).collect();
        let unsaid = |matcher: &&MemberId| {
            (0..self.said.len()).any(|index| match self.delivery(&self.said[index], matcher) {
                Some(known) => !known.receipted,
                None => self.can_go(index, matcher),
            })
        };
        matchers.into_iter().filter(unsaid).collect()
    }

    /// A message's way over `matcher`, as long as its pair lives.
    fn delivery<'a>(&self, said: &'a Said, matcher: &MemberId) -> Option<&'a Delivery> {
        said.deliveries.iter().find(|found| found.pair.matcher == *matcher && self.has_met_over(&found.pair))
    }

    /// Whether something said may set out over `matcher`: nothing later of its kind was said, and its pair lives there.
    fn can_go(&self, index: usize, matcher: &MemberId) -> bool {
        let there = |pair: &Pair| pair.matcher == *matcher && self.has_met_over(pair);
        self.is_latest(index) && self.said[index].only.as_ref().is_none_or(there)
    }

    fn is_latest(&self, index: usize) -> bool {
        let kind = |said: &Said| std::mem::discriminant(&said.message.says);
        self.said[index + 1..].iter().all(|later| kind(later) != kind(&self.said[index]))
    }

    /// The pair that the next message takes at `matcher`: one over which the other side has spoken, so that both have
    /// spoken over it; otherwise the first.
    fn way(&self, matcher: &MemberId) -> Option<Pair> {
        let heard = self.heard_over.iter().find(|pair| pair.matcher == *matcher).cloned();
        let points = || self.points.iter().filter(|point| point.matcher == *matcher).map(Pair::from).min();
        heard.or_else(points)
    }

    /// Whether the match lives over this pair of mailboxes.
    #[must_use]
    pub fn has_met_over(&self, pair: &Pair) -> bool {
        self.points
            .iter()
            .any(|point| point.own == pair.own && point.other == pair.other && point.matcher == pair.matcher)
    }

    /// A message of the other side has opened over this pair. True when it is the first.
    pub(super) fn opens_over(&mut self, pair: &Pair) -> bool {
        self.heard_over.len() < HEARD_OVER_MAX && self.heard_over.insert(pair.clone())
    }

    /// Some grounds have ended: what was kept about their pairs goes.
    pub(super) fn forget_dead_pairs(&mut self) {
        let live: BTreeSet<_> = self.points.iter().map(Pair::from).collect();
        self.heard_over.retain(|pair| live.contains(pair));
        self.spent.retain(|spent| live.contains(&spent.pair));
        self.tidy();
    }

    /// Lets go of what a later message has replaced, and of what was bound to a pair that ended, as soon as nothing of it
    /// is on its way: a number that was given out is used, so that a reader never looks for it in vain.
    fn tidy(&mut self) {
        let done = |index: usize| {
            let said = &self.said[index];
            let over =
                !self.is_latest(index) || said.only.as_ref().is_some_and(|pair| !self.has_met_over(pair));
            let waits = |delivery: &Delivery| !delivery.receipted && self.has_met_over(&delivery.pair);
            over && !said.deliveries.iter().any(waits)
        };
        let done: Vec<_> = (0..self.said.len()).map(done).collect();
        let mut kept = Vec::new();
        for (said, done) in std::mem::take(&mut self.said).into_iter().zip(done) {
            if done {
                said.deliveries.into_iter().for_each(|delivery| self.spend(delivery));
            } else {
                kept.push(said);
            }
        }
        self.said = kept;
    }

    pub(super) fn spend(&mut self, Delivery { pair, n, .. }: Delivery) {
        if !self.has_met_over(&pair) {
            return;
        }
        match self.spent.iter_mut().find(|spent| spent.pair == pair) {
            Some(spent) => spent.next = spent.next.max(n + 1),
            None => self.spent.push(Spent { pair, next: n + 1 }),
        }
    }
}

impl Matches {
    /// Says something about a match: from now on it is what stands, in the place of an earlier message of its kind.
    /// `only` binds it to one pair. The caller stores the match. True unless there is no such match.
    pub fn tell(&mut self, key: &MatchKey, message: Message, only: Option<Pair>) -> bool {
        let Some(entry) = self.matches.get_mut(key) else { return false };
        entry.said.push(Said { message, only, deliveries: Vec::new() });
        entry.tidy();
        true
    }

    /// Chooses pair and number for everything that this match still has to say at `matcher`. The caller stores the match
    /// before it sends; asked again, the choice is the same.
    pub fn say(&mut self, key: &MatchKey, matcher: &MemberId) -> Vec<Saying> {
        let Some(way) = self.matches.get(key).and_then(|entry| entry.way(matcher)) else { return Vec::new() };
        let mut sayings = Vec::new();
        for index in 0..self.matches.get(key).map_or(0, |entry| entry.said.len()) {
            let Some(entry) = self.matches.get(key) else { break };
            let said = &entry.said[index];
            let delivery = match entry.delivery(said, matcher) {
                Some(known) => known.clone(),
                None if entry.can_go(index, matcher) && sayings.len() < ON_THE_WAY_MAX => {
                    let pair = said.only.clone().unwrap_or_else(|| way.clone());
                    Delivery { n: self.next_number(&pair), pair, receipted: false }
                }
                None => continue,
            };
            if !delivery.receipted {
                let (message, pair) = (said.message.clone(), delivery.pair.clone());
                sayings.push(Saying { message, pair, n: delivery.n });
            }
            if let Some(entry) = self.matches.get_mut(key) {
                let deliveries = &mut entry.said[index].deliveries;
                deliveries.retain(|other| other.pair.matcher != *matcher);
                deliveries.push(delivery);
            }
        }
        sayings
    }

    /// The matcher has given its receipt for a message. True when this changed the match.
    pub fn receipted(&mut self, key: &MatchKey, message: &MessageId, pair: &Pair) -> bool {
        let Some(entry) = self.matches.get_mut(key) else { return false };
        let said = entry.said.iter_mut().filter(|said| said.message.id == *message);
        let mut deliveries = said.flat_map(|said| &mut said.deliveries);
        match deliveries.find(|delivery| delivery.pair == *pair && !delivery.receipted) {
            Some(delivery) => {
                delivery.receipted = true;
                entry.tidy();
                true
            }
            None => false,
        }
    }

    /// The first number that no message over this pair has, whichever match it is about: an address is used once.
    fn next_number(&self, pair: &Pair) -> u32 {
        let keys = self.by_mailbox.get(&pair.own).into_iter().flatten();
        let entries = keys.filter_map(|key| self.matches.get(key)).collect::<Vec<_>>();
        let said = entries.iter().flat_map(|entry| &entry.said).flat_map(|said| &said.deliveries);
        let used = said.filter(|delivery| delivery.pair == *pair).map(|delivery| delivery.n + 1);
        let spent = entries.iter().flat_map(|entry| &entry.spent);
        let spent = spent.filter(|spent| spent.pair == *pair).map(|spent| spent.next);
        used.chain(spent).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;

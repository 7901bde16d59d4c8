//! What a side has said about a match, and over which pair of mailboxes at which matcher it says it (`docs/protocol.md`
//! section 10.4).
//!
//! Every message goes over one pair at *every* matcher at which the match lives, so that one of them that is gone for good
//! does not lose it. When that pair ends, the message goes over another; who has it already knows it by its id.
//!
//! Not here: sealing ([`crate::conversation`]) and sending.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Match, MatchKey, Matches, MeetingPoint};
use crate::conversation::{Message, MessageId};
use crate::id::MemberId;
use crate::sealing::ExchangeKey;

/// A message of the own side, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What was said.
    pub message: Message,
    /// At most one per matcher.
    pub deliveries: Vec<Delivery>,
}

impl Said {
    /// Said and not yet on its way.
    #[must_use]
    pub const fn new(message: Message) -> Self {
        Self { message, deliveries: Vec::new() }
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

impl Match {
    /// The matchers at which something said has not been posted over a pair that still lives.
    #[must_use]
    pub fn unsaid_at(&self) -> BTreeSet<&MemberId> {
        if self.said.is_empty() {
            return BTreeSet::new();
        }
        let matchers: BTreeSet<_> = self.points.iter().map(|point| &point.matcher).collect();
        let unsaid = |matcher: &&MemberId| {
            let stands = |said: &Said| self.delivery(said, matcher).is_some_and(|found| found.receipted);
            !self.said.iter().all(stands)
        };
        matchers.into_iter().filter(unsaid).collect()
    }

    /// A message's way over `matcher`, as long as its pair lives.
    fn delivery<'a>(&self, said: &'a Said, matcher: &MemberId) -> Option<&'a Delivery> {
        said.deliveries.iter().find(|found| found.pair.matcher == *matcher && self.has_met_over(&found.pair))
    }

    /// Whether the match lives over this pair of mailboxes.
    #[must_use]
    pub fn has_met_over(&self, pair: &Pair) -> bool {
        self.points
            .iter()
            .any(|point| point.own == pair.own && point.other == pair.other && point.matcher == pair.matcher)
    }
}

impl Matches {
    /// Chooses pair and number for everything that this match still has to say at `matcher`. The caller stores the match
    /// before it sends; asked again, the choice is the same.
    pub fn say(&mut self, key: &MatchKey, matcher: &MemberId) -> Vec<Saying> {
        let Some(entry) = self.matches.get(key) else { return Vec::new() };
        let Some(first) = entry.points.iter().filter(|point| point.matcher == *matcher).map(Pair::from).min()
        else {
            return Vec::new();
        };
        let mut sayings = Vec::new();
        for index in 0..entry.said.len() {
            let Some(entry) = self.matches.get(key) else { break };
            let said = &entry.said[index];
            let (message, known) = (said.message, entry.delivery(said, matcher).cloned());
            let delivery = known.unwrap_or_else(|| {
                let n = self.next_number(&first);
                Delivery { pair: first.clone(), n, receipted: false }
            });
            if !delivery.receipted {
                sayings.push(Saying { message, pair: delivery.pair.clone(), n: delivery.n });
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
        let said = self.matches.get_mut(key).map(|entry| entry.said.iter_mut());
        let mut deliveries = said
            .into_iter()
            .flatten()
            .filter(|said| said.message.id == *message)
            .flat_map(|said| &mut said.deliveries);
        match deliveries.find(|delivery| delivery.pair == *pair && !delivery.receipted) {
            Some(delivery) => {
                delivery.receipted = true;
                true
            }
            None => false,
        }
    }

    /// The first number that no message over this pair has, whichever match it is about: an address is used once.
    fn next_number(&self, pair: &Pair) -> u32 {
        let keys = self.by_mailbox.get(&pair.own).into_iter().flatten();
        let said = keys.filter_map(|key| self.matches.get(key)).flat_map(|entry| &entry.said);
        let used = said.flat_map(|said| &said.deliveries).filter(|delivery| delivery.pair == *pair);
        used.map(|delivery| delivery.n + 1).max().unwrap_or(0)
    }
}

//! The pairs of mailboxes over which others may speak to this member: where their next messages stand, and how many have
//! been read.
//!
//! Holds one window of addresses in memory per pair of a live match ([`LOOK_AHEAD`]); only a pair over which something was
//! said has a record. Not here: reading boards ([`crate::reader`]), sending ([`crate::sender`]), and what messages mean
//! (`kring_protocol::matching`).

use std::collections::{BTreeMap, HashMap};

use kring_protocol::board::LOOK_AHEAD;
use kring_protocol::conversation::Channel;
use kring_protocol::id::{Address, NetworkId};
use kring_protocol::matching::Matches;
use kring_protocol::matching::outbox::Pair;
use kring_protocol::sealing::{ExchangeKey, ExchangeSecret};
use kring_protocol::subject_key::Scope;

use crate::keystore::IndexKey;
use crate::leaves::{LeaveKey, Leaves, Left};
use crate::store::{Batch, Store, StoreError, Table};
use crate::vault::damaged;

/// One pair.
#[derive(Clone, Debug)]
struct Heard {
    pair: Pair,
    /// For which submission the own mailbox was drawn.
    leave: LeaveKey,
    /// The number after the last message that was read.
    heard: u32,
}

/// All pairs.
#[derive(Debug)]
pub struct Conversations {
    network: NetworkId,
    index_key: IndexKey,
    pairs: HashMap<u32, Heard>,
    by_pair: HashMap<Pair, u32>,
    next_number: u32,
    /// First eight bytes of an expected address, and whose it is; a candidate is checked by opening.
    expected: BTreeMap<u64, (u32, u32)>,
}

impl Conversations {
    /// Those of all matches, with what the store says has been read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(
        store: &Store,
        index_key: IndexKey,
        network: NetworkId,
        leaves: &Leaves,
        matches: &Matches,
    ) -> Result<Self, StoreError> {
        let mut heard = HashMap::new();
        for (key, bytes) in store.scan_all(Table::Heard)? {
            let count = bytes.as_slice().try_into().map(u32::from_be_bytes);
            heard.insert(key, count.map_err(|_| damaged(Table::Heard))?);
        }
        let mut conversations = Self {
            network,
            index_key,
            pairs: HashMap::new(),
            by_pair: HashMap::new(),
            next_number: 0,
            expected: BTreeMap::new(),
        };
        let owners = owners(leaves);
        for pair in matches.iter().flat_map(|entry| &entry.points).map(Pair::from) {
            let Some((key, left)) = owners.get(&pair.own).and_then(|key| Some((*key, leaves.get(key)?)))
            else {
                continue;
            };
            let read = heard.get(&conversations.record_key(&pair)[..]).copied().unwrap_or(0);
            conversations.watch(pair, key, left, read);
        }
        Ok(conversations)
    }

    /// Listens on a pair from now on.
    pub fn add(&mut self, pair: Pair, key: &LeaveKey, left: &Left) {
        self.watch(pair, key, left, 0);
    }

    fn watch(&mut self, pair: Pair, key: &LeaveKey, left: &Left, heard: u32) {
        if self.by_pair.contains_key(&pair) {
            return;
        }
        let Some(channel) = channel(self.network, &pair, key, left) else { return };
        let number = self.next_number;
        self.next_number += 1;
        self.expect(&channel, number, heard..heard.saturating_add(LOOK_AHEAD));
        self.by_pair.insert(pair.clone(), number);
        self.pairs.insert(number, Heard { pair, leave: key.clone(), heard });
    }

    fn expect(&mut self, channel: &Channel, number: u32, window: std::ops::Range<u32>) {
        self.expected.extend(window.map(|n| (prefix(&channel.address_from(n)), (number, n))));
    }

    /// Whether somebody may be speaking to us here: over which pair, for which submission, the how-manieth message.
    #[must_use]
    pub fn expects(&self, address: &Address) -> Option<(Pair, LeaveKey, u32)> {
        let (number, n) = self.expected.get(&prefix(address))?;
        self.pairs.get(number).map(|heard| (heard.pair.clone(), heard.leave.clone(), *n))
    }

    /// The `n`-th message of this pair has been read: the window moves on.
    pub fn read(&mut self, pair: &Pair, n: u32, channel: &Channel, batch: &mut Batch) {
        let Some(number) = self.by_pair.get(pair).copied() else { return };
        let Some(entry) = self.pairs.get_mut(&number).filter(|entry| n >= entry.heard) else { return };
        let reach = entry.heard.saturating_add(LOOK_AHEAD);
        entry.heard = n.saturating_add(1);
        let heard = entry.heard;
        batch.put(Table::Heard, self.record_key(pair), heard.to_be_bytes());
        self.expect(channel, number, reach..heard.saturating_add(LOOK_AHEAD));
    }

    /// For which submission the own mailbox of a pair was drawn.
    #[must_use]
    pub fn leave_of(&self, pair: &Pair) -> Option<&LeaveKey> {
        let number = self.by_pair.get(pair)?;
        self.pairs.get(number).map(|heard| &heard.leave)
    }

    /// How many pairs are listened on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether nobody can speak to us.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Stops listening on pairs over which no match lives any more.
    pub fn retain_met(&mut self, matches: &Matches, batch: &mut Batch) {
        let live: std::collections::HashSet<Pair> =
            matches.iter().flat_map(|entry| &entry.points).map(Pair::from).collect();
        let ended: Vec<_> = self.by_pair.keys().filter(|pair| !live.contains(pair)).cloned().collect();
        if ended.is_empty() {
            return;
        }
        for pair in &ended {
            if let Some(number) = self.by_pair.remove(pair)
                && self.pairs.remove(&number).is_some_and(|gone| gone.heard > 0)
            {
                batch.delete(Table::Heard, self.record_key(pair));
            }
        }
        self.expected.retain(|_, (number, _)| self.pairs.contains_key(number));
    }

    fn record_key(&self, pair: &Pair) -> [u8; 16] {
        let both = [pair.matcher.as_bytes(), pair.own.as_bytes(), pair.other.as_bytes()];
        self.index_key.hash(&kring_protocol::field::join(&both))
    }
}

/// The own mailboxes that may have met another, with their submissions. Computing a mailbox from its secret costs some
/// microseconds, and a submission to which nothing was ever posted has met nobody.
fn owners(leaves: &Leaves) -> HashMap<ExchangeKey, &LeaveKey> {
    let met = leaves.iter().filter(|(_, left)| left.read > 0 || left.replaces.is_some());
    met.flat_map(|(key, left)| {
        std::iter::once(&left.own).chain(&left.replaces).map(move |own| (own.mailbox().public(), key))
    })
    .collect()
}

/// The channel of a pair, if the own mailbox is this submission's.
#[must_use]
pub fn channel(network: NetworkId, pair: &Pair, key: &LeaveKey, left: &Left) -> Option<Channel> {
    let mailbox = mailbox(left, &pair.own)?;
    let scope =
        Scope { network, epoch: key.epoch, purpose: left.purpose.clone(), matcher: key.matcher.clone() };
    Some(Channel::new(&left.subject_key(), &scope, mailbox, pair.other))
}

fn mailbox(left: &Left, public: &ExchangeKey) -> Option<ExchangeSecret> {
    let own = std::iter::once(&left.own).chain(&left.replaces);
    own.map(kring_protocol::own_submission::OwnSubmission::mailbox)
        .find(|mailbox| mailbox.public() == *public)
}

fn prefix(address: &Address) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *address.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;

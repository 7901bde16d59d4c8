//! What this node watches matchers by: canaries, and messages of its own whose receipt is there (`docs/protocol.md`
//! section 12).
//!
//! Holds the records in memory, sealed copies in the store, and the index by which a reader knows a canary's addresses:
//! a canary is never taken for a submission of a case. Drawing and judging is [`watch`].

use std::collections::{BTreeMap, HashMap};

use kring_protocol::board::{LOOK_AHEAD, post_address};
use kring_protocol::canary::{Canary, Receipted, Side, Stage, Step};
use kring_protocol::codec::{Bytes, Wire, encode};
use kring_protocol::id::{Address, Epoch, MemberId};
use kring_protocol::relay::Refusal;
use kring_protocol::submission::Promise;
use kring_protocol::time::{Day, Timestamp};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::partner::Errand;
use crate::store::{Batch, StoreError, Table};
use crate::vault::{KeyName, damaged};

pub mod watch;

/// Names a canary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanaryKey {
    /// Its epoch.
    pub epoch: Epoch,
    number: [u8; 16],
    /// Where it is left.
    pub matcher: MemberId,
}

impl CanaryKey {
    fn fresh(epoch: Epoch, matcher: MemberId) -> Self {
        let mut number = [0; 16];
        OsRng.fill_bytes(&mut number);
        Self { epoch, number, matcher }
    }

    fn to_bytes(&self) -> Vec<u8> {
        [self.epoch.to_be_bytes().as_slice(), &self.number, self.matcher.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (epoch, rest) = bytes.split_first_chunk::<4>()?;
        let (number, matcher) = rest.split_first_chunk::<16>()?;
        let matcher = std::str::from_utf8(matcher).ok()?.parse().ok()?;
        Some(Self { epoch: Epoch(u32::from_be_bytes(*epoch)), number: *number, matcher })
    }

    fn vault_key(&self) -> KeyName {
        KeyName::Left { matcher: self.matcher.clone(), epoch: self.epoch }
    }
}

/// What is being sent for one half of a canary.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The canary.
    pub key: CanaryKey,
    /// The half.
    pub side: Side,
    /// What it is.
    pub step: Step,
    /// The day in the submission.
    pub day: Day,
}

/// A message that a matcher promised to post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promised {
    /// The matcher.
    pub matcher: MemberId,
    /// The submission.
    pub plaintext: Bytes,
    /// What the matcher signed.
    pub promise: Promise,
}

impl Wire for Promised {
    const MAX_LEN: usize = 2_048;
}

impl Promised {
    fn key(&self) -> Vec<u8> {
        [self.promise.sealed.as_bytes().as_slice(), self.matcher.as_bytes()].concat()
    }
}

/// All that is watched.
#[derive(Debug, Default)]
pub struct Canaries {
    kept: BTreeMap<CanaryKey, Canary>,
    expected: HashMap<Address, (CanaryKey, Side)>,
    promised: BTreeMap<Vec<u8>, Promised>,
    met: u64,
    withheld: u64,
    revived: u64,
}

impl Canaries {
    /// Those in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(core: &Core) -> Result<Self, StoreError> {
        let mut canaries = Self::default();
        for (bytes, sealed) in core.store.scan_all(Table::Canary)? {
            let key = CanaryKey::from_bytes(&bytes).ok_or_else(|| damaged(Table::Canary))?;
            let canary = core.vault.open_record(&key.vault_key(), Table::Canary, &bytes, &sealed)?;
            canaries.insert(key, canary);
        }
        for (bytes, sealed) in core.store.scan_all(Table::Promised)? {
            let promised = core.vault.open_record(&KeyName::Matches, Table::Promised, &bytes, &sealed)?;
            canaries.promised.insert(bytes, promised);
        }
        Ok(canaries)
    }

    /// A canary.
    #[must_use]
    pub fn get(&self, key: &CanaryKey) -> Option<&Canary> {
        self.kept.get(key)
    }

    /// How many there are, and how many were met, withheld and revived since the node started.
    #[must_use]
    pub fn counts(&self) -> [u64; 4] {
        [self.kept.len() as u64, self.met, self.withheld, self.revived]
    }

    /// Whether nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.promised.is_empty()
    }

    /// Whose address this is, if it is a canary's.
    #[must_use]
    pub fn expects(&self, address: &Address) -> Option<(CanaryKey, Side)> {
        self.expected.get(address).cloned()
    }

    /// What there is to send, by matcher.
    #[must_use]
    pub fn errands(&self, now: Timestamp) -> BTreeMap<MemberId, Vec<Errand>> {
        let mut errands: BTreeMap<MemberId, Vec<Errand>> = BTreeMap::new();
        for (key, canary) in &self.kept {
            for side in Side::BOTH {
                if canary.step(side, now) != Step::Nothing {
                    let errand = Errand::Canary { key: key.clone(), side };
                    errands.entry(key.matcher.clone()).or_default().push(errand);
                }
            }
        }
        errands
    }

    /// Changes a canary, and puts it into the batch when it did change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn change<T>(
        &mut self,
        core: &Core,
        key: &CanaryKey,
        batch: &mut Batch,
        change: impl FnOnce(&mut Canary) -> T,
    ) -> Result<Option<T>, StoreError> {
        let Some(canary) = self.kept.get_mut(key) else { return Ok(None) };
        let before = canary.clone();
        let result = change(canary);
        if *canary != before {
            put(core, key, canary, batch)?;
            match (before.stage(), canary.stage()) {
                (Stage::Open, Stage::Met) => self.met += 1,
                (Stage::Open, Stage::Withheld) => self.withheld += 1,
                (Stage::Open | Stage::Met, Stage::Revived) => self.revived += 1,
                _ => {}
            }
            if before.plan != canary.plan {
                self.expected.extend(addresses(key, canary));
            }
        }
        Ok(Some(result))
    }

    /// A half has its receipt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn receipted(
        &mut self,
        core: &Core,
        sending: &Sending,
        promise: Promise,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let Sending { key, side, step, day } = sending;
        let receipted = Receipted { day: *day, promise };
        self.change(core, key, batch, |canary| canary.receipted(*side, *step, receipted))?;
        Ok(())
    }

    /// A half was refused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn refused(
        &mut self,
        core: &Core,
        sending: &Sending,
        refusal: Refusal,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let Sending { key, side, step, .. } = sending;
        self.change(core, key, batch, |canary| canary.refused(*side, *step, refusal))?;
        Ok(())
    }

    /// Watches for a message that has its receipt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn watch(&mut self, core: &Core, promised: Promised, batch: &mut Batch) -> Result<(), StoreError> {
        let key = promised.key();
        let bytes = encode(&promised);
        let sealed = core.vault.seal_record(&KeyName::Matches, Table::Promised, &key, &bytes)?;
        batch.put(Table::Promised, key.clone(), sealed);
        self.promised.insert(key, promised);
        Ok(())
    }

    /// The next moment after `after` from which a second half may be left, or a first one withdrawn.
    fn next_step(&self, after: Timestamp) -> Option<Timestamp> {
        let ends = self.kept.values().filter_map(Canary::ending).map(|ending| ending.withdraw_from);
        let moments = self.kept.values().map(|canary| canary.second_from).chain(ends);
        moments.filter(|moment| *moment > after).min()
    }

    /// The canaries at a matcher.
    fn at(&self, matcher: &MemberId) -> Vec<CanaryKey> {
        self.kept.keys().filter(|key| key.matcher == *matcher).cloned().collect()
    }

    /// Messages that a matcher should have posted before it timed a head.
    fn due(&self, matcher: &MemberId, timed: Timestamp) -> Vec<Promised> {
        let is_due = |promised: &&Promised| promised.matcher == *matcher && promised.promise.due() <= timed;
        self.promised.values().filter(is_due).cloned().collect()
    }

    /// A message was found, or is proven to be missing.
    fn unwatch(&mut self, promised: &Promised, batch: &mut Batch) {
        let key = promised.key();
        self.promised.remove(&key);
        batch.delete(Table::Promised, key);
    }

    fn insert(&mut self, key: CanaryKey, canary: Canary) {
        self.expected.extend(addresses(&key, &canary));
        self.kept.insert(key, canary);
    }

    fn remove(&mut self, key: &CanaryKey, batch: &mut Batch) {
        self.kept.remove(key);
        self.expected.retain(|_, (other, _)| other != key);
        batch.delete(Table::Canary, key.to_bytes());
    }

    /// What was left in an epoch that has ended is gone, and what a matcher received in it.
    pub fn forget_epoch(&mut self, epoch: Epoch, batch: &mut Batch) {
        let keys: Vec<_> = self.kept.keys().filter(|key| key.epoch == epoch).cloned().collect();
        keys.iter().for_each(|key| self.remove(key, batch));
    }
}

/// The addresses of posts to either half.
fn addresses(key: &CanaryKey, canary: &Canary) -> Vec<(Address, (CanaryKey, Side))> {
    let of = |side| {
        let inbox = canary.plan.inbox(side);
        (0..LOOK_AHEAD).map(move |n| (post_address(&inbox, n), side))
    };
    let all = Side::BOTH.into_iter().flat_map(of);
    all.map(|(address, side)| (address, (key.clone(), side))).collect()
}

fn put(core: &Core, key: &CanaryKey, canary: &Canary, batch: &mut Batch) -> Result<(), StoreError> {
    let bytes = key.to_bytes();
    let sealed = core.vault.seal_record(&key.vault_key(), Table::Canary, &bytes, &encode(canary))?;
    batch.put(Table::Canary, bytes, sealed);
    Ok(())
}

//! What this member has left at matchers: one submission per match key, matcher and epoch, with its subject key.
//!
//! Holds the records in memory, sealed copies in the store, and the index by which a reader recognises addresses.
//!
//! Not here: sending ([`crate::sender`]) and reading ([`crate::reader`]).

use std::collections::{BTreeMap, HashMap};

use kring_protocol::board::{LOOK_AHEAD, post_address};
use kring_protocol::codec::Wire;
use kring_protocol::id::{Address, Epoch, MemberId, PurposeId, RecipeId};
use kring_protocol::own_submission::OwnSubmission;
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::SubjectKey;
use serde::{Deserialize, Serialize};

use crate::cases::{Desired, MatchKeyId};

/// Which submission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaveKey {
    /// The match key.
    pub key: MatchKeyId,
    /// The key epoch.
    pub epoch: Epoch,
    /// Where it is left.
    pub matcher: MemberId,
}

impl LeaveKey {
    /// The key of its record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.key.as_bytes().as_slice(), &self.epoch.to_be_bytes(), self.matcher.as_bytes()].concat()
    }

    /// Reads what [`Self::to_bytes`] gives.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_at_checked(16)?;
        let (epoch, matcher) = rest.split_first_chunk::<4>()?;
        Some(Self {
            key: MatchKeyId::from_slice(key)?,
            epoch: Epoch(u32::from_be_bytes(*epoch)),
            matcher: std::str::from_utf8(matcher).ok()?.parse().ok()?,
        })
    }
}

/// One submission of this member. Sealed at rest under the key of its matcher and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// The purpose of its match key.
    pub purpose: PurposeId,
    /// The recipe of its match key.
    pub recipe: RecipeId,
    #[serde(with = "kring_protocol::secret::stored")]
    subject_key: Secret<32>,
    /// What is left, or being left.
    pub own: OwnSubmission,
    /// Whether the matcher has given a receipt for `own`.
    pub receipted: bool,
    /// What `own` takes the place of, until its receipt is there.
    pub replaces: Option<OwnSubmission>,
    /// How many of the matcher's posts to `own` have been read.
    pub read: u32,
}

impl Wire for Left {
    const MAX_LEN: usize = 2_048;
}

/// What must be done for a submission to be as desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Leave `own`, and wait for its receipt.
    Leave,
    /// Draw a new submission in the place of `own`, then leave it.
    Replace,
    /// Withdraw it; nothing should be there.
    Withdraw,
}

impl Left {
    /// A submission that has just been drawn.
    #[must_use]
    pub fn new(purpose: PurposeId, recipe: RecipeId, key: &SubjectKey, own: OwnSubmission) -> Self {
        let subject_key = key.secret().clone();
        Self { purpose, recipe, subject_key, own, receipted: false, replaces: None, read: 0 }
    }

    /// The same with a new submission in the place of its own.
    #[must_use]
    pub fn replaced_by(&self, own: OwnSubmission) -> Self {
        Self { replaces: Some(self.own.clone()), own, receipted: false, read: 0, ..self.clone() }
    }

    /// Its subject key.
    #[must_use]
    pub fn subject_key(&self) -> SubjectKey {
        SubjectKey::from_secret(self.subject_key.clone())
    }

    /// What to do next, given what the cases ask for.
    #[must_use]
    pub fn step(&self, desired: Option<&Desired>) -> Step {
        let Some(desired) = desired else { return Step::Withdraw };
        let as_desired = self.own.references == desired.references
            && self.own.min == desired.min
            && self.own.expiry >= desired.expiry;
        match (self.receipted, as_desired) {
            // Something is under way; what has changed since follows after its receipt.
            (false, _) => Step::Leave,
            (true, true) => Step::Nothing,
            (true, false) => Step::Replace,
        }
    }
}

/// All submissions of this member.
#[derive(Debug, Default)]
pub struct Leaves {
    left: HashMap<LeaveKey, Left>,
    /// Which keys are named by the numbers in `expected`.
    numbers: BTreeMap<u32, LeaveKey>,
    by_key: HashMap<LeaveKey, u32>,
    next_number: u32,
    /// First eight bytes of an expected address; addresses are random, and a candidate is checked in full.
    expected: BTreeMap<u64, u32>,
}

impl Leaves {
    /// A submission.
    #[must_use]
    pub fn get(&self, key: &LeaveKey) -> Option<&Left> {
        self.left.get(key)
    }

    /// All submissions.
    pub fn iter(&self) -> impl Iterator<Item = (&LeaveKey, &Left)> {
        self.left.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Puts in a submission or its new state. From now on its addresses are recognised.
    pub fn put(&mut self, key: LeaveKey, left: Left) {
        let number = self.number(&key);
        if let Some(old) = self.left.get(&key)
            && old.own.inbox != left.own.inbox
        {
            let (inbox, read) = (old.own.inbox, old.read);
            // While a replacement has no receipt, posts may still come to the old mailbox.
            if left.replaces.as_ref().map(|old| old.inbox) != Some(inbox) {
                self.forget(&inbox, read);
            }
        }
        if let Some(replaced) = self.left.get(&key).and_then(|old| old.replaces.as_ref())
            && left.replaces.is_none()
        {
            let inbox = replaced.inbox;
            self.forget(&inbox, 0);
        }
        // What is recognised already need not be computed again: most changes are a receipt or one more post read.
        let known = self.left.get(&key).filter(|old| old.own.inbox == left.own.inbox);
        let first = known.map_or(left.read, |old| old.read.saturating_add(LOOK_AHEAD).max(left.read));
        for n in first..left.read.saturating_add(LOOK_AHEAD) {
            self.expected.insert(prefix(&post_address(&left.own.inbox, n)), number);
        }
        self.left.insert(key, left);
    }

    /// Takes out a submission that is no more.
    pub fn remove(&mut self, key: &LeaveKey) -> Option<Left> {
        let left = self.left.remove(key)?;
        self.forget(&left.own.inbox, left.read);
        if let Some(replaced) = &left.replaces {
            self.forget(&replaced.inbox, 0);
        }
        if let Some(number) = self.by_key.remove(key) {
            self.numbers.remove(&number);
        }
        Some(left)
    }

    /// Whose address this is, if it is one of ours.
    #[must_use]
    pub fn expects(&self, address: &Address) -> Option<(&LeaveKey, &Left)> {
        let number = self.expected.get(&prefix(address))?;
        let key = self.numbers.get(number)?;
        self.left.get(key).map(|left| (key, left))
    }

    fn number(&mut self, key: &LeaveKey) -> u32 {
        if let Some(number) = self.by_key.get(key) {
            return *number;
        }
        self.next_number += 1;
        self.numbers.insert(self.next_number, key.clone());
        self.by_key.insert(key.clone(), self.next_number);
        self.next_number
    }

    fn forget(&mut self, inbox: &kring_protocol::submission::Inbox, read: u32) {
        for n in read..read.saturating_add(LOOK_AHEAD) {
            self.expected.remove(&prefix(&post_address(inbox, n)));
        }
    }
}

fn prefix(address: &Address) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *address.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Which of a submission's mailboxes an address belongs to, and the number of the post there.
#[must_use]
pub fn locate(left: &Left, address: &Address) -> Option<(OwnSubmission, u32)> {
    let reach = left.read.saturating_add(LOOK_AHEAD);
    let candidates = std::iter::once(&left.own).chain(&left.replaces);
    candidates
        .flat_map(|own| (0..reach).map(move |n| (own, n)))
        .find(|(own, n)| post_address(&own.inbox, *n) == *address)
        .map(|(own, n)| (own.clone(), n))
}

#[cfg(test)]
mod tests;

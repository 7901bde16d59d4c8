//! Signals that are being filled in: kept in memory, so that nothing of them stands in an address, in the browser or on disk.
//! They outlive a session that ended, not a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kring_protocol::time::Timestamp;
use rand::RngCore;
use rand::rngs::OsRng;

use super::dates::DateText;
use super::fields::{ContactText, PersonText};
use crate::people::AccountId;

/// Kept so long after the last change.
const TERM_SECS: u64 = 12 * 3_600;
/// Of one account at once; the oldest goes.
const MOST: usize = 5;

/// A signal that is being filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// Names it in addresses: random.
    pub id: String,
    /// The partner's own reference.
    pub reference: String,
    /// The purpose's id.
    pub purpose: String,
    /// Who is named so far.
    pub persons: Vec<PersonText>,
    /// Who can be reached.
    pub contact: ContactText,
    /// Whether the family knows: `yes`, `later` or `unsafe`.
    pub informed: String,
    /// When it will.
    pub later: DateText,
    /// Why not.
    pub reason: String,
    /// The signal that it became.
    pub given: Option<String>,
    pub(super) touched: u64,
}

impl Draft {
    /// Where one of its pages is.
    #[must_use]
    pub(super) fn path(&self, step: &str) -> String {
        format!("/signals/new/{}/{step}", self.id)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<BTreeMap<(AccountId, String), Draft>>);

impl Drafts {
    /// A new one.
    pub(super) fn begin(&self, account: AccountId, draft: Draft, now: Timestamp) -> String {
        let mut bytes = [0; 16];
        OsRng.fill_bytes(&mut bytes);
        let id = hex::encode(bytes);
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.retain(|_, draft| draft.touched + TERM_SECS > now.secs());
        let mut own: Vec<_> = drafts.iter().filter(|((owner, _), _)| *owner == account).collect();
        own.sort_by_key(|(_, draft)| draft.touched);
        let surplus: Vec<_> = own.iter().rev().skip(MOST - 1).map(|(key, _)| (*key).clone()).collect();
        surplus.iter().for_each(|key| drop(drafts.remove(key)));
        drafts.insert((account, id.clone()), Draft { id: id.clone(), touched: now.secs(), ..draft });
        id
    }

    /// One of this account's.
    pub(super) fn get(&self, account: AccountId, id: &str) -> Option<Draft> {
        let drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.get(&(account, id.to_owned())).cloned()
    }

    /// Keeps what was filled in.
    pub(super) fn put(&self, account: AccountId, draft: Draft, now: Timestamp) {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = drafts.get_mut(&(account, draft.id.clone())) {
            *kept = Draft { touched: now.secs(), ..draft };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_their_makers_few_and_end() {
        let (drafts, [me, other]) = (Drafts::default(), [AccountId::random(), AccountId::random()]);
        let at = Timestamp::from_secs;
        let id = drafts.begin(me, Draft::default(), at(1));
        assert!(drafts.get(me, &id).is_some());
        assert!(drafts.get(other, &id).is_none());
        for second in 2..=MOST as u64 + 1 {
            drafts.begin(me, Draft::default(), at(second));
        }
        assert!(drafts.get(me, &id).is_none(), "the oldest has gone");
        let last = drafts.begin(other, Draft::default(), at(10));
        drafts.begin(me, Draft::default(), at(10 + TERM_SECS));
        assert!(drafts.get(other, &last).is_none(), "it has ended");
    }
}

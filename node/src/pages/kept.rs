//! What somebody typed when their session had ended: kept in memory for a short while, and filled in again where it was
//! typed once the same person is signed in. Nothing of it stands in an address, in the browser or on disk, and nothing is
//! done with it before it is sent again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kring_protocol::time::Timestamp;
use zeroize::Zeroize as _;

use super::fields::Pairs;
use crate::people::AccountId;

/// Kept so long.
const TERM_SECS: u64 = 3_600;

/// The fields of one form.
struct Form {
    path: String,
    pairs: Pairs,
    since: Timestamp,
}

impl Drop for Form {
    fn drop(&mut self) {
        self.pairs.iter_mut().for_each(|(_, text)| text.zeroize());
    }
}

/// The last such form of each account.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<AccountId, Form>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(<redacted>)")
    }
}

impl Kept {
    /// Keeps what this account typed at `path`, in place of what was kept before.
    pub(crate) fn put(&self, account: AccountId, path: &str, pairs: Pairs, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, form| is_fresh(form, now));
        kept.insert(account, Form { path: path.to_owned(), pairs, since: now });
    }

    /// What this account typed at `path`. It stays: a page may be loaded twice.
    pub(super) fn get(&self, account: AccountId, path: &str, now: Timestamp) -> Option<Pairs> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, form| is_fresh(form, now));
        let form = kept.get(&account).filter(|form| form.path == path)?;
        Some(form.pairs.clone())
    }

    /// The form was sent, so that there is nothing to be kept any more.
    pub(super) fn forget(&self, account: AccountId, path: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&account).is_some_and(|form| form.path == path) {
            kept.remove(&account);
        }
    }
}

fn is_fresh(form: &Form, now: Timestamp) -> bool {
    now.secs().saturating_sub(form.since.secs()) < TERM_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_its_authors_at_its_place_and_for_an_hour() {
        let (kept, [me, other]) = (Kept::default(), [AccountId::random(), AccountId::random()]);
        let at = Timestamp::from_secs;
        let typed = vec![("reference".to_owned(), "A-1".to_owned())];
        kept.put(me, "/here", typed.clone(), at(100));
        assert_eq!(kept.get(me, "/here", at(100 + TERM_SECS - 1)), Some(typed.clone()));
        assert_eq!(kept.get(other, "/here", at(100)), None);
        assert_eq!(kept.get(me, "/there", at(100)), None);
        assert_eq!(kept.get(me, "/here", at(100 + TERM_SECS)), None, "it has ended");
        kept.put(me, "/here", typed, at(100));
        kept.forget(me, "/there");
        assert!(kept.get(me, "/here", at(100)).is_some());
        kept.forget(me, "/here");
        assert_eq!(kept.get(me, "/here", at(100)), None);
    }
}

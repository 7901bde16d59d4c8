//! What is said once on the next page, after something was done: it travels neither in an address nor in a cookie.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::people::AccountId;

/// Texts' keys that wait to be shown, one an account.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<HashMap<AccountId, &'static str>>);

impl Said {
    pub(super) fn put(&self, account: AccountId, text: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account, text);
    }

    pub(super) fn take(&self, account: AccountId) -> Option<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&account)
    }
}

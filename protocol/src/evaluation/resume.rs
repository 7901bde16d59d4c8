//! From which of its headers a member goes on after a start (`docs/protocol.md` section 4.2).
//!
//! A member that was put back to an older state must not sign a number again that it has used. Its own store cannot tell;
//! the holders can.

use std::collections::BTreeMap;

use super::Terms;
use crate::id::MemberId;

/// What a member does after a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// It goes on after this number, 0 for the first: the highest that it or a holder has.
    After(u64),
    /// It waits for answers of these holders.
    WaitFor(Vec<MemberId>),
}

/// Decides by what holders answered: the highest number that each has of this member, 0 for none. `own` is the highest of the
/// member's own store.
///
/// Where a holder has more than the store, something was lost, and then any other holder may have more still: all are waited
/// for. Else a majority is enough, as for every request.
#[must_use]
pub fn resume(own: u64, answers: &BTreeMap<MemberId, u64>, terms: &Terms, me: &MemberId) -> Resume {
    let missing: Vec<_> =
        terms.witnesses(me).filter(|holder| !answers.contains_key(*holder)).cloned().collect();
    let highest = answers.values().copied().max().unwrap_or(0);
    let was_put_back = highest > own;
    let enough = if was_put_back { missing.is_empty() } else { answers.len() >= terms.majority(me) };
    if enough { Resume::After(highest.max(own)) } else { Resume::WaitFor(missing) }
}

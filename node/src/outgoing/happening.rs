//! Happenings: what was told about a notice, numbered and durable, for whom it is.
//!
//! Kinds and opaque ids only: whose family it is, the partner's own reference and other partners' names stand in the records
//! of cases, and never here. A happening is stored in the commit of what it is about, so that it is lost or doubled with it.

use kring_protocol::codec::{Wire, encode};
use kring_protocol::id::Reference;
use kring_protocol::time::Timestamp;
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::cases::CaseId;
use crate::coordination::{Told, What};
use crate::core::Core;
use crate::store::{Batch, Store, StoreError, Table};
use crate::vault::{KeyName, damaged};

/// So many are kept; the oldest goes first.
pub const KEPT_MAX: u64 = 10_000;
/// For so long they are kept, in seconds.
pub(super) const KEPT_SECS: u64 = 30 * 86_400;

/// For whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForWhom {
    /// The case's owner, and who stands in for them today.
    Owner,
    /// The owner's supervisor.
    Supervisor,
    /// The covenant's process coordinator: learns that something has waited so long, and nothing else.
    Coordinator,
}

impl ForWhom {
    /// Whom what is told is for.
    #[must_use]
    pub const fn of(what: What) -> Self {
        match what {
            What::Overdue => Self::Supervisor,
            What::Escalated => Self::Coordinator,
            _ => Self::Owner,
        }
    }
}

/// One thing that was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// Counts up by one, over all cases.
    pub number: u64,
    /// Drawn at random; by it receivers recognise what they have had.
    pub id: Reference,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: What,
    /// About which case's notice.
    pub case: CaseId,
    /// For whom.
    pub for_whom: ForWhom,
    /// How many working days it has waited, where that is what is told.
    pub waited: Option<u32>,
}

impl Wire for Happening {
    const MAX_LEN: usize = 512;
}

impl Happening {
    /// Its id as a UUID of version 4 (RFC 9562), which is what receivers expect.
    #[must_use]
    pub fn uuid(&self) -> String {
        let mut bytes = *self.id.as_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(bytes);
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
    }
}

/// Which numbers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happenings {
    /// The number of the next.
    next: u64,
    /// The smallest that may be kept.
    oldest: u64,
}

impl Happenings {
    /// Those in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        let rows = store.scan_all(Table::Happening)?;
        let numbers = rows.iter().map(|(key, _)| number(key)).collect::<Result<Vec<_>, _>>()?;
        let next = numbers.last().map_or(1, |last| last.saturating_add(1));
        Ok(Self { next, oldest: numbers.first().copied().unwrap_or(next) })
    }

    /// The number of the next.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The smallest that may be kept.
    #[must_use]
    pub const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Adds one to a batch, and removes what is one too many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add(
        &mut self,
        core: &Core,
        batch: &mut Batch,
        case: CaseId,
        told: &Told,
    ) -> Result<(), StoreError> {
        let mut id = [0; 16];
        OsRng.fill_bytes(&mut id);
        let happening = Happening {
            number: self.next,
            id: Reference::from_bytes(id),
            at: told.at,
            kind: told.what,
            case,
            for_whom: ForWhom::of(told.what),
            waited: told.waited,
        };
        let key = key(self.next);
        let sealed =
            core.vault.seal_record(&KeyName::Outgoing, Table::Happening, &key, &encode(&happening))?;
        batch.put(Table::Happening, key, sealed);
        self.next += 1;
        while self.next - self.oldest > KEPT_MAX {
            batch.delete(Table::Happening, self::key(self.oldest));
            self.oldest += 1;
        }
        Ok(())
    }

    /// Removes what is older than it may be; never the newest, from which the next gets its number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn expire(&mut self, core: &Core, batch: &mut Batch) -> Result<(), StoreError> {
        while self.oldest + 1 < self.next {
            let old = get(core, self.oldest)?.is_none_or(|found| found.at.plus_secs(KEPT_SECS) < core.now());
            if !old {
                break;
            }
            batch.delete(Table::Happening, key(self.oldest));
            self.oldest += 1;
        }
        Ok(())
    }
}

/// The happening with a number, once it is durable; none when it is no longer kept.
///
/// # Errors
/// [`StoreError`].
pub fn get(core: &Core, number: u64) -> Result<Option<Happening>, StoreError> {
    let key = key(number);
    let Some(sealed) = core.store.get(Table::Happening, &key)? else { return Ok(None) };
    core.vault.open_record(&KeyName::Outgoing, Table::Happening, &key, &sealed).map(Some)
}

fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn number(key: &[u8]) -> Result<u64, StoreError> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| damaged(Table::Happening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden;

    #[test]
    fn a_happening_holds_kinds_and_opaque_ids_only() {
        let happening = Happening {
            number: 7,
            id: Reference::from_bytes([0xff; 16]),
            at: Timestamp::from_secs(1_800_000_000),
            kind: What::Overdue,
            case: CaseId(Reference::from_bytes([2; 16])),
            for_whom: ForWhom::of(What::Overdue),
            waited: Some(5),
        };
        assert_eq!(happening.uuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let rows = [
            "01a7",
            "666e756d62657207",
            "62696450ffffffffffffffffffffffffffffffff",
            "6261741a6b49d200",
            "646b696e64676f766572647565",
            "64636173655002020202020202020202020202020202",
            "68666f725f77686f6d6a73757065727669736f72",
            "6677616974656405",
        ];
        assert_eq!(golden::<Happening>(&rows), happening);
    }

    #[test]
    fn the_supervisor_and_the_coordinator_get_what_is_theirs_alone() {
        for what in What::ALL {
            let expected = match what.as_str() {
                "overdue" => ForWhom::Supervisor,
                "escalated" => ForWhom::Coordinator,
                _ => ForWhom::Owner,
            };
            assert_eq!(ForWhom::of(*what), expected);
        }
    }
}

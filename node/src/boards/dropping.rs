//! Drops entries of boards that concern nobody any more: their hashes stay (`docs/protocol.md` section 6.1).
//!
//! Dropped entries are the first ones of a board. A bundle that is dropped in part has zeros in their place, so that every
//! other entry stands where it stood.

use kring_protocol::board::ENTRY_LEN;
use kring_protocol::id::MemberId;
use kring_protocol::time::Day;

use super::{BUNDLE, BUNDLE_LEN, Board, bundle_key, bundle_prefix};
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};

/// Bundles that are dropped in one commit.
const DROPPED_AT_ONCE: u64 = 256;

impl Board {
    /// So many entries are here today; `batch` remembers it, and how many there are by the word of the matcher itself
    /// (`said`). What others show may be older than today.
    pub(super) fn read_today(&self, core: &Core, said: Option<u64>, batch: &mut Batch) {
        let (today, mut state) = (core.today(), self.lock());
        // The first word of a day counts: what comes after it was appended on that day or later.
        if let Some(said) = said {
            state.said.entry(today).or_insert(said);
        }
        let row = row(state.tree.size(), state.said.get(&today));
        batch.put(Table::BoardDay, day_key(&self.matcher, today), row);
    }

    /// The matcher itself says that it has no more than is here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn nothing_new(&self, core: &Core) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        if self.known_size() > self.size() || self.lock().said.contains_key(&core.today()) {
            return Ok(());
        }
        let mut batch = Batch::new();
        self.read_today(core, Some(self.size()), &mut batch);
        core.commit(batch, Vec::new()).await
    }

    /// Whether this reader may be shown a hash in the place of the entries before `to`: what the matcher has appended since it
    /// last said that there were fewer is over.
    pub(super) fn may_be_dropped(&self, core: &Core, to: u64) -> bool {
        let epochs = &core.covenant.epochs;
        let state = self.lock();
        let before = state.said.iter().rev().find(|(_, said)| **said < to);
        epochs.over_from(before.map_or(epochs.first_day, |(day, _)| *day)) <= core.today()
    }

    /// Drops the entries that concern nobody any more, and says how many: those of days whose epochs have all ended, and those of
    /// the day after too, more than a day ago, because clocks differ.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn drop_over(&self, core: &Core) -> Result<u64, StoreError> {
        let _writing = self.writing.lock().await;
        let is_over = |day: Day| core.covenant.epochs.over_from(day.plus(1)) < core.today();
        let mut rows = days(core, &self.matcher)?;
        rows.retain(|row| is_over(row.day));
        let Some(end) = rows.iter().map(|row| row.here).max() else { return Ok(0) };
        let dropped = self.drop_entries(core, end).await?;
        let mut batch = Batch::new();
        // The last word of the matcher is what tells how far others may have dropped.
        let newest = rows.iter().filter(|row| row.said.is_some()).map(|row| row.day).max();
        for row in rows.iter().filter(|row| Some(row.day) != newest) {
            batch.delete(Table::BoardDay, day_key(&self.matcher, row.day));
            self.lock().said.remove(&row.day);
        }
        if !batch.is_empty() {
            core.commit(batch, Vec::new()).await?;
        }
        Ok(dropped)
    }

    /// Drops all entries before `end`, in several commits, and says how many. Each leaves the board whole; the caller holds
    /// `writing`.
    pub(super) async fn drop_entries(&self, core: &Core, end: u64) -> Result<u64, StoreError> {
        let (first, end) = (self.lock().dropped, end.min(self.size()));
        loop {
            let from = self.lock().dropped;
            if from >= end {
                break;
            }
            let to = end.min((from / BUNDLE + DROPPED_AT_ONCE) * BUNDLE);
            let mut batch = Batch::new();
            // Readers are told of hashes from here on, whether the bundles are gone yet or not.
            self.lock().put_dropped(&self.matcher, from, to, &mut batch);
            if !to.is_multiple_of(BUNDLE) {
                let key = bundle_key(&self.matcher, to / BUNDLE);
                let mut bundle = core.store.get(Table::Bundle, &key)?.unwrap_or_default();
                let over = usize::try_from(to % BUNDLE).unwrap_or_default() * ENTRY_LEN;
                bundle.iter_mut().take(over).for_each(|byte| *byte = 0);
                if bundle.len() < BUNDLE_LEN {
                    self.lock().open.clone_from(&bundle);
                }
                batch.put(Table::Bundle, key, bundle);
            }
            core.commit(batch, Vec::new()).await?;
        }
        if first < end {
            tracing::info!(matcher = %self.matcher, count = end - first, "entries of a board are over and were dropped");
        }
        Ok(end.saturating_sub(first))
    }
}

/// A day on which something was read of a board, or the matcher said that there is nothing.
pub(super) struct ReadOn {
    pub(super) day: Day,
    /// Entries that were here then.
    here: u64,
    /// Entries that there were by the matcher's own word.
    pub(super) said: Option<u64>,
}

/// All such days, the oldest first.
pub(super) fn days(core: &Core, matcher: &MemberId) -> Result<Vec<ReadOn>, StoreError> {
    let number = |bytes: &[u8]| bytes.first_chunk().map(|number| u64::from_be_bytes(*number));
    let day = |row: Result<(Vec<u8>, Vec<u8>), StoreError>| {
        let (key, value) = row?;
        let day = key.last_chunk().map(|day| Day::from_days(u32::from_be_bytes(*day)));
        let said = value.get(8..).and_then(number);
        let row = day.zip(number(&value)).map(|(day, here)| ReadOn { day, here, said });
        row.ok_or_else(|| StoreError::Damaged("a board-day record does not read".to_owned()))
    };
    core.store.scan(Table::BoardDay, &bundle_prefix(matcher)).map(day).collect()
}

fn day_key(matcher: &MemberId, day: Day) -> Vec<u8> {
    [bundle_prefix(matcher).as_slice(), &day.to_be_bytes()].concat()
}

fn row(here: u64, said: Option<&u64>) -> Vec<u8> {
    let said = said.map(|said| said.to_be_bytes());
    [here.to_be_bytes().as_slice(), said.as_ref().map_or(&[], |said| said.as_slice())].concat()
}

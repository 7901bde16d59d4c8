//! Runs the rules of coordination on the partner's cases: one record per case, changed in the same commit as the matches,
//! messages and alerts that follow from it (`docs/protocol.md` sections 10.6 to 10.11).
//!
//! Holds no rule of its own: `kring_protocol::coordination` decides what follows, [`Change`] carries it out. Not here: what
//! people ask for ([`crate::responses`]) and see (`crate::notices`), and how alerts reach them.

use std::collections::BTreeMap;
use std::sync::Arc;

use kring_protocol::coordination::{ContactCard, Cooperation};
use kring_protocol::covenant::Purpose;
use kring_protocol::id::Reference;

use crate::cases::{Case, CaseId, Contact};
use crate::core::Core;
use crate::partner::Partner;
use crate::store::{Batch, StoreError, Table};
use crate::vault::{KeyName, damaged};

mod change;
mod told;

pub use change::{Change, Changed};
pub use told::{Told, ToldList, What};

/// Between two looks at what is due. Days are what counts; a late card is flagged an hour late at most.
const TICK_SECS: u64 = 3_600;

/// One case's cooperation, and what was to be told about it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The state of the rules.
    pub cooperation: Cooperation,
    /// What was to be told, the latest last.
    pub told: ToldList,
}

/// The cooperations of all cases that have met somebody.
#[derive(Debug, Default)]
pub struct Cooperations {
    kept: BTreeMap<CaseId, Kept>,
}

impl Cooperations {
    /// Those in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(core: &Core) -> Result<Self, StoreError> {
        let mut kept = BTreeMap::new();
        for (key, sealed) in core.store.scan_all(Table::Cooperation)? {
            let case = case_id(&key, Table::Cooperation)?;
            let name = KeyName::Case(case);
            let cooperation = core.vault.open_record(&name, Table::Cooperation, &key, &sealed)?;
            let told = match core.store.get(Table::Told, &key)? {
                Some(sealed) => core.vault.open_record(&name, Table::Told, &key, &sealed)?,
                None => ToldList::default(),
            };
            kept.insert(case, Kept { cooperation, told });
        }
        Ok(Self { kept })
    }

    /// One case's.
    #[must_use]
    pub fn get(&self, case: &CaseId) -> Option<&Kept> {
        self.kept.get(case)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&CaseId, &Kept)> {
        self.kept.iter()
    }

    /// Forgets a case's.
    pub fn remove(&mut self, case: &CaseId) {
        self.kept.remove(case);
    }

    /// Puts in a cooperation's new state.
    fn put(&mut self, case: CaseId, cooperation: Cooperation) {
        match self.kept.get_mut(&case) {
            Some(kept) => kept.cooperation = cooperation,
            None => {
                self.kept.insert(case, Kept { cooperation, told: ToldList::default() });
            }
        }
    }
}

fn case_id(key: &[u8], table: Table) -> Result<CaseId, StoreError> {
    Reference::try_from(key).map(CaseId).map_err(|_| damaged(table))
}

/// Of which case: what the rules and a card need to know of it.
#[derive(Clone, Debug)]
pub struct Of {
    case: CaseId,
    reference: Reference,
    purpose: Purpose,
    contact: Option<Contact>,
}

impl Of {
    /// Of this case; none when the covenant does not know its purpose.
    #[must_use]
    pub fn new(core: &Core, case: &Case) -> Option<Self> {
        let purpose = core.covenant.purpose(&case.purpose)?.clone();
        Some(Self { case: case.id, reference: case.reference, purpose, contact: case.contact.clone() })
    }

    /// The case's purpose.
    #[must_use]
    pub const fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The card that goes to others, if the case's contact makes one.
    #[must_use]
    pub fn card(&self) -> Option<ContactCard> {
        self.contact.as_ref().and_then(|contact| card(contact, &self.purpose))
    }
}

/// A contact as a card; none when a field does not have the form that others accept.
#[must_use]
pub fn card(contact: &Contact, purpose: &Purpose) -> Option<ContactCard> {
    let card = ContactCard {
        name: contact.name.parse().ok()?,
        function: contact.function.parse().ok()?,
        telephone: contact.phone.parse().ok()?,
        email: contact.email.parse().ok()?,
    };
    purpose.coordination().functions.contains(&card.function).then_some(card)
}

impl Partner {
    /// Feeds every match to the rules: those that there are since before a crash, or before this node knew the rules.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _changing = self.changing_matches.lock().await;
        let all: Vec<_> = self.matches().iter().map(kring_protocol::matching::Match::key).collect();
        let mut change = Change::new(self);
        change.update(&all);
        self.commit_change(change).await
    }

    /// Time passes: deadlines, and signals that have expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tick(&self) -> Result<(), StoreError> {
        let _changing = self.changing_matches.lock().await;
        let cases: Vec<CaseId> = self.cooperations().iter().map(|(case, _)| *case).collect();
        let mut change = Change::new(self);
        for case in cases {
            let case = self.cases().get(&case).cloned();
            if let Some(case) = case {
                change.time_passed(&case);
            }
        }
        self.commit_change(change).await
    }

    async fn commit_change(&self, change: Change<'_>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        let Changed { matches, events } = change.finish(&mut batch)?;
        if !batch.is_empty() || !events.is_empty() {
            self.core().commit(batch, events).await?;
        }
        self.touch_matches(&matches);
        Ok(())
    }
}

/// Lets time pass, at start and every hour by the node's clock, until the node stops.
pub async fn run(core: Arc<Core>, partner: Arc<Partner>) {
    loop {
        if let Err(error) = partner.tick().await {
            core.fail(error.to_string());
            return;
        }
        if !core.until(core.now().plus_secs(TICK_SECS)).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests;

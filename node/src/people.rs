//! The people of one partner: accounts and teams, in memory and stored sealed.
//!
//! Not here: who may do what ([`access`]: the rules), what is asked over the API ([`crate::api`]), and signing in.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use kring_protocol::codec::{self, Wire};
use kring_protocol::time::Day;

use crate::audit::Event;
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

pub mod access;
pub mod account;
pub mod form;

pub use access::{AccountAct, Act, CaseAct, Colleagues, Ownership, Viewer, may, may_with, may_with_account};
pub use account::{Absence, Account, AccountId, MailWish, Role, SignInName, Team, TeamId};

/// Who is to be told of something about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// Its owner, and who stands in for them; without an owner its supervisors.
    Owner,
    /// Its supervisors.
    Supervisor,
}

/// All accounts and teams.
#[derive(Debug)]
pub struct People {
    core: Arc<Core>,
    known: RwLock<Known>,
    /// Held from looking at the accounts to the commit that changes them, so that two changes are one after the other.
    pub changing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    accounts: BTreeMap<AccountId, Account>,
    teams: BTreeMap<TeamId, Team>,
}

impl People {
    /// Reads them from the store. The vault must hold [`KeyName::People`].
    ///
    /// # Errors
    /// [`StoreError`], also for a record that does not open with this node's keys.
    pub fn load(core: Arc<Core>) -> Result<Self, StoreError> {
        let accounts: Vec<Account> = read(&core, Table::Account)?;
        let teams: Vec<Team> = read(&core, Table::Team)?;
        let known = Known {
            accounts: accounts.into_iter().map(|account| (account.id, account)).collect(),
            teams: teams.into_iter().map(|team| (team.id, team)).collect(),
        };
        Ok(Self { core, known: RwLock::new(known), changing: tokio::sync::Mutex::default() })
    }

    /// An account, active or not.
    #[must_use]
    pub fn get(&self, id: &AccountId) -> Option<Account> {
        self.known().accounts.get(id).cloned()
    }

    /// The account with which somebody signs in, active or not.
    #[must_use]
    pub fn find(&self, name: &SignInName) -> Option<Account> {
        self.known().accounts.values().find(|account| account.sign_in == *name).cloned()
    }

    /// All accounts, in the order of their ids.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.known().accounts.values().cloned().collect()
    }

    /// All teams, in the order of their ids.
    #[must_use]
    pub fn teams(&self) -> Vec<Team> {
        self.known().teams.values().cloned().collect()
    }

    /// Stores an account, new or changed. Durable when it returns; seen by others only then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, account: Account, event: Event) -> Result<(), StoreError> {
        self.put_with(account, Batch::new(), event).await
    }

    /// The same, in one commit with what is in the batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_with(&self, account: Account, batch: Batch, event: Event) -> Result<(), StoreError> {
        self.store(Table::Account, account.id.0.as_bytes(), &account, (batch, event)).await?;
        self.change(|known| known.accounts.insert(account.id, account));
        Ok(())
    }

    /// Stores a team, likewise.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_team(&self, team: Team, event: Event) -> Result<(), StoreError> {
        self.put_team_with(team, Batch::new(), event).await
    }

    /// The same, in one commit with what is in the batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_team_with(&self, team: Team, batch: Batch, event: Event) -> Result<(), StoreError> {
        self.store(Table::Team, team.id.0.as_bytes(), &team, (batch, event)).await?;
        self.change(|known| known.teams.insert(team.id, team));
        Ok(())
    }

    /// Who is to be told of something about a case on this day.
    #[must_use]
    pub fn recipients(&self, of: &Ownership, who: Recipient, today: Day) -> Vec<Account> {
        let owner = access::owner(of, self).filter(|_| who == Recipient::Owner);
        let Some(owner) = owner else { return access::supervisors(of, self) };
        let substitute = owner.substitute(today).and_then(|id| self.get(&id));
        let substitute = substitute.filter(|account| account.acts_as(Role::Professional));
        std::iter::once(owner).chain(substitute).collect()
    }

    async fn store<T: Wire>(
        &self,
        table: Table,
        key: &[u8],
        value: &T,
        (mut batch, event): (Batch, Event),
    ) -> Result<(), StoreError> {
        let sealed = self.core.vault.seal_record(&KeyName::People, table, key, &codec::encode(value))?;
        batch.put(table, key, sealed);
        self.core.commit(batch, vec![event]).await
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Colleagues for People {
    fn account(&self, id: &AccountId) -> Option<Account> {
        self.get(id)
    }

    fn supervisors(&self, team: Option<&TeamId>) -> Vec<Account> {
        let known = self.known();
        let here = |account: &&Account| {
            account.acts_as(Role::Supervisor) && team.is_none_or(|team| account.teams.contains(team))
        };
        known.accounts.values().filter(here).cloned().collect()
    }
}

fn read<T: Wire>(core: &Core, table: Table) -> Result<Vec<T>, StoreError> {
    let open =
        |(key, sealed): (Vec<u8>, Vec<u8>)| core.vault.open_record(&KeyName::People, table, &key, &sealed);
    core.store.scan_all(table)?.into_iter().map(open).collect()
}

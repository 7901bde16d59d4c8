//! What a matcher shows for a trace, and what it does about crowds (`docs/protocol.md` section 13). Who may ask, and whom
//! it tells, is decided in [`crate::trace`].

use kring_protocol::codec::Bytes;
use kring_protocol::crypto::sha256;
use kring_protocol::evidence;
use kring_protocol::log::entry::Kind;
use kring_protocol::relay::PassedOn;
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::submission::Sha256;
use kring_protocol::trace::crowd::REPORT_MAX;
use kring_protocol::trace::{Crowd, Disclosed, VerifiedRuling};

use super::due::Group;
use super::record::Kept;
use super::{Matcher, Taking};
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

impl Matcher {
    /// What is kept of a submission, for the holders of trace keys; none when nothing is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn disclosed(&self, mailbox: &ExchangeKey) -> Result<Option<Disclosed>, StoreError> {
        let key = mailbox.as_bytes();
        let Some(stored) = self.core.store.get(Table::Kept, key)? else { return Ok(None) };
        let kept: Kept = self.core.vault.open_record(&KeyName::Meeting, Table::Kept, key, &stored)?;
        let Kept { plaintext: Bytes(bytes), sealed, relay, signature, ticket, day } = kept;
        let plaintext = Sha256::from_bytes(sha256(&bytes));
        let kept = evidence::Kept { relay, passed: PassedOn { sealed, plaintext, ticket, day, signature } };
        let signing = &self.core.identity.signing;
        Ok(Some(Disclosed::sign(Bytes(bytes), kept, &self.destination, signing)))
    }

    /// A report of every crowd that is not ruled on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn crowds(&self) -> Result<Vec<Crowd>, StoreError> {
        let today = self.core.today();
        let crowds = self.intake.lock().await.meeting.crowds(today);
        let report = |crowd: Vec<ExchangeKey>| {
            let records = crowd.iter().take(REPORT_MAX).map(|mailbox| self.disclosed(mailbox));
            let records = records.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            Ok(Crowd::sign(records, &self.destination, today, &self.core.identity.signing))
        };
        tokio::task::block_in_place(|| crowds.into_iter().map(report).collect())
    }

    /// Waits until a tag has become crowded.
    pub async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Does what the holders of trace keys decided: one commit, as an intake.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rule(&self, ruling: &VerifiedRuling) -> Result<(), StoreError> {
        let mut intake = self.intake.lock().await;
        let mut batch = Batch::new();
        let today = intake.today(self.core.now(), &mut batch);
        let change = intake.meeting.rule(ruling, today);
        let removed = change.ended.len() as u64;
        let relay = &self.core.me;
        let mut taking = Taking { relay, today, batch, group: Group::new() };
        self.put_change(&mut intake, change, &mut taking)?;
        let Taking { batch, group, .. } = taking;
        self.commit(batch, group, vec![self.core.event(Kind::Crowd, None, removed)]).await
    }
}

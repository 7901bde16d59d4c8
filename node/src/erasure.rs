//! Erasing a case: its signal is withdrawn first, then its records go, and then the key under which they were sealed.
//!
//! In that order: what matchers and met partners are to be told stands durably before anything is gone, and no start finds a
//! record whose key is gone. A crash in between leaves a withdrawn case to be erased again, or a key that belongs to
//! nobody, which the next start destroys. Not here: who may do this ([`crate::people::access`]).

use crate::api::{ApplicationError, Idempotency};
use crate::audit::Event;
use crate::cases::CaseId;
use crate::coordination::{Change, Changed};
use crate::core::Core;
use crate::partner::Partner;
use crate::repeats::Once;
use crate::signals;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

/// Erases a case. When this returns, nothing of it can be read any more.
///
/// # Errors
/// [`ApplicationError`].
pub async fn erase(
    core: &Core,
    partner: &Partner,
    id: CaseId,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<(), ApplicationError> {
    let address = ["signals", &id.0.to_string(), "erase"];
    let first = match core.repeats.begin(core, &event, &address, idempotency).await? {
        Once::First(first) => first,
        Once::Again(_) => return Ok(()),
    };
    signals::withdraw(core, partner, id, None, event).await?;
    let mut batch = Batch::new();
    first.note(core, &mut batch, id.0.as_bytes());
    destroy(core, partner, id, batch, event).await.map_err(|_| ApplicationError::Internal)
}

async fn destroy(
    core: &Core,
    partner: &Partner,
    id: CaseId,
    mut batch: Batch,
    event: Event,
) -> Result<(), StoreError> {
    let _cases = partner.changing_cases.lock().await;
    let _matches = partner.changing_matches.lock().await;
    let Some(case) = partner.cases().get(&id).cloned() else { return Ok(()) };
    let touched = partner.cases().remove(&id);
    partner.cooperations().remove(&id);
    let key = case.id.0.as_bytes();
    for table in [Table::Case, Table::Cooperation, Table::Told] {
        batch.delete(table, key.to_vec());
    }
    let gone = partner.matches().forget(case.reference);
    partner.delete_matches(&mut batch, &gone.removed);
    let mut change = Change::new(partner);
    change.update(&gone.changed);
    let Changed { mut events, .. } = change.finish(&mut batch)?;
    events.insert(0, event);
    let forgotten = core.vault.forget(&[KeyName::Case(id)], &mut batch);
    core.commit(batch, events).await?;
    core.vault.destroy(forgotten)?;
    partner.touch(&touched);
    Ok(())
}

//! Sending by slots: one message a slot, a dummy when nothing is due (`docs/protocol.md` section 11.2).
//!
//! Which relay carries it, and when, must never follow from what it is.

use std::time::Duration;

use kring_protocol::id::MemberId;
use kring_protocol::submission::{self, Content, Inbox, Submission};
use kring_protocol::tempo::{Schedule, relay_on};
use rand::RngCore;
use rand::rngs::OsRng;

use super::{Item, Sender, Sent};
use crate::partner::Errand;
use crate::store::StoreError;
use crate::work::{Taken, Work};

/// A relay that says nothing for so long has brought no receipt: the next slot takes the other one.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// What one slot's message is, and who carries it.
struct Message<'a> {
    relay: Option<MemberId>,
    item: Item,
    /// What it carries counts as being done until its outcome is stored. None for a dummy.
    _taken: Option<Taken<'a, Errand>>,
}

impl Sender {
    /// One message a slot until the node stops.
    pub(super) async fn run_by_slots(mut self, schedule: &Schedule, work: &Work<Errand>) {
        let matcher = self.destination.matcher.clone();
        let own = self.core.vault.index_key("slot-moments").hash(matcher.as_bytes());
        let mut after = self.core.now();
        // After a message that brought no receipt the next one takes the other relay, whatever either carries.
        let mut turn = 0;
        loop {
            let slot = schedule.slot_after(&matcher, &own, after);
            // Made before its moment, so that what it took to make it does not show.
            if !self.core.until(slot.begins).await {
                return;
            }
            let message = self.compose(work, turn).await;
            if !self.core.until(slot.moment).await {
                return;
            }
            let in_time = self.core.now() < slot.ends;
            let sent = match message {
                Ok(Some(message)) => self.deliver(message, in_time, work).await,
                Ok(None) => Ok(true),
                Err(error) => Err(error),
            };
            match sent {
                Ok(true) => {}
                Ok(false) => turn += 1,
                Err(error) => self.core.fail(error.to_string()),
            }
            // Slots that passed meanwhile are left out: never two messages in one.
            after = slot.moment.max(self.core.now());
        }
    }

    /// The next message. None as long as there is no epoch, or no key to seal to.
    async fn compose<'a>(
        &mut self,
        work: &'a Work<Errand>,
        turn: usize,
    ) -> Result<Option<Message<'a>>, StoreError> {
        // The newest epoch's relays carry what is left in an older one too, or they would tell the two apart.
        let Some(epoch) = self.core.covenant.epochs_on(self.core.today()).last().copied() else {
            return Ok(None);
        };
        let relays = self.relays(epoch).await?;
        // Both take turns day by day, so that a canary's halves come by two relays as two partners' submissions do, and no
        // message goes another way than the rest of its day.
        let turn = turn + relay_on(self.core.today());
        let relay = relays.get(turn % relays.len().max(1)).cloned();
        let Some(weekly) = self.weekly_key().await else { return Ok(None) };
        loop {
            let taken = work.take_due();
            let Some(epoch) = taken.items.first().map(Errand::epoch) else { break };
            let mut items = self.items(epoch, &taken.items, &weekly).await?.into_iter();
            let first = items.next();
            // If it is more than one message, the others wait for slots of their own.
            work.add(items.filter_map(|item| item.errand));
            if let Some(item) = first {
                return Ok(Some(Message { relay, item, _taken: Some(taken) }));
            }
        }
        let mut random = [0; 16];
        OsRng.fill_bytes(&mut random);
        let dummy = Submission { day: self.core.today(), content: Content::Dummy(Inbox::from_bytes(random)) };
        let sealed = submission::seal(&dummy, &self.destination, &weekly, &mut OsRng);
        Ok(Some(Message { relay, item: Item { errand: None, sent: Sent::Dummy, sealed }, _taken: None }))
    }

    /// Sends a message and stores what its receipt says; a message that comes too late for its slot is not sent. What it
    /// carries waits for another slot then. False when there was no good receipt.
    async fn deliver(
        &mut self,
        message: Message<'_>,
        in_time: bool,
        work: &Work<Errand>,
    ) -> Result<bool, StoreError> {
        let Message { relay, item, _taken } = message;
        let outcomes = match relay.as_ref().filter(|_| in_time) {
            Some(relay) => {
                let answer = self.through(relay.clone(), std::slice::from_ref(&item));
                tokio::time::timeout(SILENT_AFTER, answer).await.ok()
            }
            None => None,
        };
        let again = match outcomes {
            Some((relay, Some(outcomes))) => self.settle(&relay, vec![item], outcomes).await?,
            _ => vec![item],
        };
        let good = again.is_empty() || !in_time;
        work.add(again.into_iter().filter_map(|item| item.errand));
        Ok(good)
    }
}

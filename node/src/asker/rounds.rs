//! Asking by rounds: full batches at fixed times, dummies where nothing waits (`docs/protocol.md` section 11.1).

use std::sync::Arc;

use kring_protocol::evaluation::Asker as Rules;
use kring_protocol::tempo::{Pace, Schedule};
use kring_protocol::time::Timestamp;

use super::Asker;
use crate::partner::{Evaluation, Partner};
use crate::store::StoreError;

impl Asker {
    /// One round: full batches for each epoch and purpose, whatever waits. It ends when a request fails; what was in it
    /// is in the next round.
    pub(super) async fn round(&mut self, partner: &Partner, moment: Timestamp) -> Result<(), StoreError> {
        let core = Arc::clone(&self.core);
        let Pace::Production(schedule) = &core.pace else { return Ok(()) };
        let mut start = (0..).map(|number| Schedule::request_start(moment, number));
        for keys in self.keyring.all() {
            let epoch = keys.terms.epoch;
            if !self.knows_chain(&keys).await? {
                return Ok(());
            }
            let total = self.rules.get(&epoch).map_or(0, Rules::total);
            for _batch in 0..schedule.batches(total) {
                for purpose in core.covenant.purposes_of(&core.me) {
                    for size in schedule.requests() {
                        if !core.until(start.next().unwrap_or(moment)).await {
                            return Ok(());
                        }
                        let wanted = |evaluation: &Evaluation| {
                            evaluation.epoch == epoch
                                && partner.purpose_of(&evaluation.key).as_ref() == Some(&purpose.id)
                        };
                        let taken = partner.evaluations.take_wanted(size, wanted);
                        let ids: Vec<_> = taken.items.iter().map(|evaluation| evaluation.key).collect();
                        if !self.evaluate(epoch, &purpose.id, &ids, size).await? {
                            partner.evaluations.add(taken.items.iter().cloned());
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

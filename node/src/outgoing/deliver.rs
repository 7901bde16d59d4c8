//! Webhooks on their way: what waits for each is stored, tried until it is taken, and given up after three days.
//!
//! At least once, and by the same id each time; in no order. Each webhook has a task and a queue of its own, so that one that
//! does not answer holds up nobody, and what waits for it is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kring_protocol::codec::{Wire, encode};
use kring_protocol::time::Timestamp;
use rand::Rng;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::connect::Caller;
use super::event::cloud_event;
use super::happening::{self, Happening};
use super::metrics::{Meters, count};
use super::webhooks::Webhook;
use crate::core::Core;
use crate::notices;
use crate::store::{Batch, StoreError, Table};
use crate::vault::{KeyName, damaged};

/// So many wait for one webhook; the oldest goes first.
const QUEUE_MAX: usize = 1_000;
/// What happened longer ago is not tried again, in seconds.
const GIVE_UP_SECS: u64 = 3 * 86_400;
/// Seconds between one attempt and the next; the last stands for all that follow.
const DELAYS: [u64; 10] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200];
/// Happenings that one commit takes in.
const PAGE: usize = 200;

/// One that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    /// So often it was tried.
    attempts: u32,
    /// Not before this.
    next: Timestamp,
}

impl Wire for Waiting {
    const MAX_LEN: usize = 64;
}

/// Happenings up to this number have been taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Through(u64);

impl Wire for Through {
    const MAX_LEN: usize = 9;
}

/// The task of one webhook.
#[derive(Debug)]
pub struct Deliverer {
    core: Arc<Core>,
    webhook: Webhook,
    caller: Arc<Caller>,
    meters: Arc<Meters>,
    published: watch::Receiver<u64>,
    through: u64,
    waiting: BTreeMap<u64, Waiting>,
}

impl Deliverer {
    /// With what waited when the node stopped. A webhook that is new begins with what happens from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(
        core: Arc<Core>,
        webhook: Webhook,
        caller: Arc<Caller>,
        meters: Arc<Meters>,
        published: watch::Receiver<u64>,
    ) -> Result<Self, StoreError> {
        let name = webhook.name.as_bytes();
        let through = match core.store.get(Table::Delivery, name)? {
            Some(sealed) => open::<Through>(&core, name, &sealed)?.0,
            None => *published.borrow(),
        };
        let mut waiting = BTreeMap::new();
        for row in core.store.scan(Table::Delivery, &[name, &[0]].concat()) {
            let (key, sealed) = row?;
            let number = key[name.len() + 1..].try_into().map_err(|_| damaged(Table::Delivery))?;
            waiting.insert(u64::from_be_bytes(number), open(&core, &key, &sealed)?);
        }
        meters.webhooks.waiting.fetch_add(waiting.len() as u64, Ordering::Relaxed);
        Ok(Self { core, webhook, caller, meters, published, through, waiting })
    }

    /// Delivers until the node stops.
    pub async fn run(mut self) {
        while !self.core.is_stopping() {
            if let Err(error) = self.step().await {
                self.core.fail(error.to_string());
                return;
            }
        }
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        self.take_in().await?;
        let first = self.waiting.iter().min_by_key(|(number, waiting)| (waiting.next, **number));
        let first = first.map(|(number, waiting)| (*number, waiting.next));
        match first {
            Some((number, next)) if next <= self.core.now() => self.attempt(number).await,
            first => {
                let core = Arc::clone(&self.core);
                let due = async {
                    match first {
                        Some((_, next)) => {
                            core.until(next).await;
                        }
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    _ = self.published.changed() => {}
                    () = due => {}
                    () = core.stopped() => {}
                }
                Ok(())
            }
        }
    }

    /// Queues what has happened since.
    async fn take_in(&mut self) -> Result<(), StoreError> {
        let published = *self.published.borrow_and_update();
        while self.through < published {
            let mut batch = Batch::new();
            let before = self.waiting.len();
            for number in (self.through + 1..=published).take(PAGE) {
                self.through = number;
                let found = happening::get(&self.core, number)?;
                if found.is_some_and(|found| self.webhook.kinds.contains(&found.kind)) {
                    self.put(number, Waiting { attempts: 0, next: self.core.now() }, &mut batch)?;
                }
            }
            self.meters.webhooks.waiting.fetch_add((self.waiting.len() - before) as u64, Ordering::Relaxed);
            while self.waiting.len() > QUEUE_MAX {
                let oldest = self.waiting.keys().next().copied().unwrap_or_default();
                self.drop_one(oldest, &mut batch);
            }
            let name = self.webhook.name.as_bytes();
            batch.put(Table::Delivery, name, seal(&self.core, name, &Through(self.through))?);
            self.core.commit(batch, Vec::new()).await?;
        }
        Ok(())
    }

    async fn attempt(&mut self, number: u64) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        let Some(found) = happening::get(&self.core, number)? else {
            self.drop_one(number, &mut batch);
            return self.core.commit(batch, Vec::new()).await;
        };
        let core = Arc::clone(&self.core);
        let called = tokio::select! {
            called = self.call(&found) => called,
            () = core.stopped() => return Ok(()), // tried again after the start
        };
        match called {
            Ok(()) => {
                count(&self.meters.webhooks.delivered);
                self.remove(number, &mut batch);
            }
            Err(reason) => {
                count(&self.meters.webhooks.failed);
                let waiting = self.waiting.get(&number).copied();
                let attempts = waiting.map_or(0, |waiting| waiting.attempts).saturating_add(1);
                let now = self.core.now();
                tracing::warn!(webhook = self.webhook.name, attempts, reason, "a webhook was not taken");
                if found.at.plus_secs(GIVE_UP_SECS) < now {
                    self.drop_one(number, &mut batch);
                } else {
                    let next = now.plus_secs(jittered(delay(attempts)));
                    self.put(number, Waiting { attempts, next }, &mut batch)?;
                }
            }
        }
        self.core.commit(batch, Vec::new()).await
    }

    async fn call(&self, found: &Happening) -> Result<(), String> {
        let card =
            self.core.covenant.member(&self.core.me).ok_or("the covenant does not name this member")?;
        let event = cloud_event(found, &card.oin, &notices::id_of(&self.core, found.case));
        let (id, now, body) = (found.uuid(), self.core.now(), event.to_string().into_bytes());
        let signature = self.webhook.secret.sign(&id, now, &body);
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", now.secs().to_string()),
            ("webhook-signature", signature),
        ];
        let Webhook { url, reach, tls, .. } = &self.webhook;
        match self.caller.post(url, reach, Arc::clone(tls), &headers, body).await {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(format!("it answered {}", status.as_u16())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn key(&self, number: u64) -> Vec<u8> {
        [self.webhook.name.as_bytes(), &[0], &number.to_be_bytes()].concat()
    }

    fn put(&mut self, number: u64, waiting: Waiting, batch: &mut Batch) -> Result<(), StoreError> {
        let key = self.key(number);
        let sealed = seal(&self.core, &key, &waiting)?;
        batch.put(Table::Delivery, key, sealed);
        self.waiting.insert(number, waiting);
        Ok(())
    }

    fn remove(&mut self, number: u64, batch: &mut Batch) {
        batch.delete(Table::Delivery, self.key(number));
        if self.waiting.remove(&number).is_some() {
            self.meters.webhooks.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn drop_one(&mut self, number: u64, batch: &mut Batch) {
        tracing::error!(webhook = self.webhook.name, "a webhook was given up: too old, or too many wait");
        count(&self.meters.webhooks.dropped);
        self.remove(number, batch);
    }
}

/// Removes what waits for webhooks that there are no longer.
///
/// # Errors
/// [`StoreError`].
pub fn forget_others(core: &Core, names: &[&str], batch: &mut Batch) -> Result<(), StoreError> {
    for (key, _) in core.store.scan_all(Table::Delivery)? {
        let name = key.split(|byte| *byte == 0).next().unwrap_or_default();
        if !names.iter().any(|known| known.as_bytes() == name) {
            batch.delete(Table::Delivery, key);
        }
    }
    Ok(())
}

fn delay(attempts: u32) -> u64 {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    DELAYS.get(nth).copied().unwrap_or(DELAYS[DELAYS.len() - 1])
}

/// A tenth more or less, so that many do not come back in one second.
fn jittered(secs: u64) -> u64 {
    rand::rngs::OsRng.gen_range(secs - secs / 10..=secs + secs / 10)
}

fn open<T: Wire>(core: &Core, key: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
    core.vault.open_record(&KeyName::Outgoing, Table::Delivery, key, sealed)
}

fn seal<T: Wire>(core: &Core, key: &[u8], value: &T) -> Result<Vec<u8>, StoreError> {
    core.vault.seal_record(&KeyName::Outgoing, Table::Delivery, key, &encode(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::golden;

    #[test]
    fn attempts_come_ever_less_often_and_more_than_a_dozen_fit_in_three_days() {
        let all: Vec<_> = (1..=16).map(delay).collect();
        assert!(all.windows(2).all(|two| two[0] <= two[1]), "{all:?}");
        let attempts = all.iter().scan(0, |sum, delay| {
            *sum += delay;
            (*sum <= GIVE_UP_SECS).then_some(())
        });
        assert_eq!(attempts.count(), 13);
        assert!((0..100).all(|_| (45..=55).contains(&jittered(50))));
    }

    #[test]
    fn golden_bytes_of_what_waits() {
        let waiting: Waiting = golden(&["01a2", "68617474656d70747303", "646e6578741a6b49d200"]);
        assert_eq!(waiting, Waiting { attempts: 3, next: Timestamp::from_secs(1_800_000_000) });
        assert_eq!(golden::<Through>(&["011903e8"]), Through(1_000));
    }
}

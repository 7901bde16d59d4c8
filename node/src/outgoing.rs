//! What leaves the node to people and systems of the partner: happenings, and how they are told of them.
//!
//! # In scope
//! Every alert of [`crate::coordination`] becomes a durable, numbered [`Happening`]; from there server-sent events
//! ([`Outgoing::subscribe`]), webhooks ([`deliver`]) and mail ([`mail`]). Nothing that leaves this way says more than that
//! there is something to look at: kinds and opaque ids.
//!
//! # Out of scope
//! What is told, and when (`kring_protocol::coordination`); who the people are ([`crate::people`]); what other members are
//! sent ([`crate::sender`]).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::Stream;
use futures::stream::unfold;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub mod address;
pub mod connect;
pub mod deliver;
pub mod event;
mod feed;
pub mod happening;
pub mod mail;
pub mod metrics;
pub mod signature;
pub mod trust;
mod ways;
pub mod webhooks;

pub use happening::{ForWhom, Happening, Happenings};
pub use ways::Ways;

use crate::core::Core;
use crate::partner::Partner;
use crate::people::People;
use crate::store::{Batch, StoreError};
use connect::{Caller, SystemResolver};
use deliver::Deliverer;
use mail::Mailer;
use metrics::Meters;

/// Between two looks at what has become too old.
const TICK_SECS: u64 = 3_600;
/// Streams of events at once, for API and pages together.
const STREAMS_MAX: u64 = 128;

/// Too many streams are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many streams of events are open; close some, or ask again later")]
pub struct TooMany;

/// What leaves the node.
#[derive(Debug)]
pub struct Outgoing {
    core: Arc<Core>,
    partner: Arc<Partner>,
    /// The number of the newest happening that is durable.
    published: watch::Sender<u64>,
    meters: Arc<Meters>,
}

impl Outgoing {
    /// Begins with what was durable when the node started.
    #[must_use]
    pub fn new(core: Arc<Core>, partner: Arc<Partner>) -> Self {
        let newest = partner.happenings().next() - 1;
        Self { core, partner, published: watch::Sender::new(newest), meters: Arc::default() }
    }

    /// Counts of what has left.
    #[must_use]
    pub const fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// The number of the newest happening.
    #[must_use]
    pub fn newest(&self) -> u64 {
        *self.published.borrow()
    }

    /// Happenings as they come, and before them those after a number, as far as they are kept. A number that this node has
    /// not given out, as after a restore, gives all that are kept. Ends when the node stops.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn subscribe(
        &self,
        after: Option<u64>,
    ) -> Result<impl Stream<Item = Happening> + Send + use<>, TooMany> {
        let place = StreamPlace::take(Arc::clone(&self.meters))?;
        let published = self.published.subscribe();
        let newest = *published.borrow();
        let oldest = self.partner.happenings().oldest();
        let from = match after {
            None => newest,
            Some(after) if after > newest => oldest.saturating_sub(1),
            Some(after) => after.max(oldest.saturating_sub(1)),
        };
        let reader = Reader { core: Arc::clone(&self.core), published, at: from, _place: place };
        Ok(unfold(reader, async |mut reader| reader.next().await.map(|found| (found, reader))))
    }

    /// Starts everything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spawn(
        self: &Arc<Self>,
        people: Arc<People>,
        ways: Ways,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), StoreError> {
        let Ways { webhooks, mail } = ways;
        let names: Vec<_> = webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
        let mut batch = Batch::new();
        deliver::forget_others(&self.core, &names, &mut batch)?;
        if !batch.is_empty() {
            self.core.commit(batch, Vec::new()).await?;
        }
        let caller = Arc::new(Caller::new(Arc::new(SystemResolver)));
        for webhook in webhooks {
            let (core, meters) = (Arc::clone(&self.core), Arc::clone(&self.meters));
            let published = self.published.subscribe();
            let deliverer = Deliverer::load(core, webhook, Arc::clone(&caller), meters, published)?;
            tasks.spawn(deliverer.run());
        }
        match mail {
            Some(settings) => {
                let (core, partner) = (Arc::clone(&self.core), Arc::clone(&self.partner));
                let (meters, published) = (Arc::clone(&self.meters), self.published.subscribe());
                let mailer = Mailer::load(core, partner, people, settings, meters, published)?;
                tasks.spawn(mailer.run());
            }
            None => tracing::info!("no mail server is configured (smtp_server): nobody is mailed"),
        }
        tasks.spawn(Arc::clone(self).publish());
        Ok(())
    }

    /// Makes known what has become durable, and removes what is too old.
    async fn publish(self: Arc<Self>) {
        while !self.core.is_stopping() {
            if let Err(error) = self.publish_new().await {
                self.core.fail(error.to_string());
                return;
            }
            tokio::select! {
                () = self.core.happened.notified() => {}
                _ = self.core.until(self.core.now().plus_secs(TICK_SECS)) => {}
            }
        }
    }

    async fn publish_new(&self) -> Result<(), StoreError> {
        let (from, next) = (self.newest() + 1, self.partner.happenings().next());
        let mut newest = None;
        for number in from..next {
            // One that is numbered may not be durable yet; one after it cannot be before it is.
            if happening::get(&self.core, number)?.is_some() {
                newest = Some(number);
            }
        }
        if let Some(newest) = newest {
            self.published.send_replace(newest);
        }
        let mut batch = Batch::new();
        self.partner.happenings().expire(&self.core, &mut batch)?;
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, Vec::new()).await }
    }
}

/// One of the streams that may be open at once.
#[derive(Debug)]
struct StreamPlace(Arc<Meters>);

impl StreamPlace {
    fn take(meters: Arc<Meters>) -> Result<Self, TooMany> {
        let place = |open: u64| (open < STREAMS_MAX).then_some(open + 1);
        let taken = meters.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, place);
        taken.map(|_| Self(meters)).map_err(|_| TooMany)
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where one reader of happenings is.
#[derive(Debug)]
struct Reader {
    core: Arc<Core>,
    published: watch::Receiver<u64>,
    at: u64,
    _place: StreamPlace,
}

impl Reader {
    async fn next(&mut self) -> Option<Happening> {
        loop {
            let newest = *self.published.borrow_and_update();
            while self.at < newest {
                self.at += 1;
                if let Some(found) = happening::get(&self.core, self.at).ok()? {
                    return Some(found);
                }
            }
            let ended = tokio::select! {
                changed = self.published.changed() => changed.is_err(),
                () = self.core.stopped() => true,
            };
            if ended {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_counted_and_bounded() {
        let meters = Arc::new(Meters::default());
        let take = || StreamPlace::take(Arc::clone(&meters));
        let mut places: Vec<_> = (0..STREAMS_MAX).map(|_| take().unwrap()).collect();
        assert_eq!(take().map(drop), Err(TooMany));
        places.pop();
        let _place = take().unwrap();
        assert_eq!(meters.streams.load(Ordering::Relaxed), STREAMS_MAX);
        drop(places);
        assert_eq!(meters.streams.load(Ordering::Relaxed), 1);
    }
}

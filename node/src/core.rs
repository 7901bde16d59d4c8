//! What every role of a running node shares: who it is, what was agreed, where it stores, how it reaches others.
//!
//! Not here: anything that one role alone knows.

use std::sync::Arc;

use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::id::{MemberId, NetworkId};
use kring_protocol::own_submission::WithdrawRoot;
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::sign::{SigningKey, VerifyingKey};
use kring_protocol::submission::Destination;
use kring_protocol::tempo::Pace;
use kring_protocol::time::{Day, Timestamp};
use tokio::sync::{Notify, watch};

use kring_protocol::log::entry::{Kind, Outcome};

use crate::audit::{Audit, Event};
use crate::clock::Time;
use crate::network::Network;
use crate::repeats::Repeats;
use crate::store::{Batch, Store, StoreError, Table};
use crate::vault::Vault;

/// The node's own keys.
#[derive(Debug)]
pub struct Identity {
    /// Signs everything the member says.
    pub signing: Arc<SigningKey>,
    /// From which withdraw keys are derived.
    pub withdraw_root: WithdrawRoot,
    /// Opens this member's half of tickets, where the covenant names it for that.
    pub trace: ExchangeSecret,
}

/// Shared by all roles.
#[derive(Debug)]
pub struct Core {
    /// This member.
    pub me: MemberId,
    /// The covenant in force.
    pub covenant: Arc<VerifiedCovenant>,
    /// The covenant's pepper.
    pub pepper: Secret<32>,
    /// The node's own keys.
    pub identity: Identity,
    /// Where everything is kept.
    pub store: Store,
    /// How it is encrypted there.
    pub vault: Vault,
    /// The node's own audit log.
    pub audit: Audit,
    /// Where proofs of misbehaviour go.
    pub evidence: crate::evidence::Place,
    /// Where answers of a holder of a trace key go as files.
    pub trace_dir: std::path::PathBuf,
    /// Keeps requests that come again apart.
    pub repeats: Repeats,
    /// The other members.
    pub network: Network,
    /// The time.
    pub clock: Arc<dyn Time>,
    /// At which pace this node works.
    pub pace: Pace,
    /// Turns true once, when the node stops.
    pub stopping: watch::Receiver<bool>,
    /// Notified when happenings have become durable; for [`crate::outgoing`] alone.
    pub happened: Notify,
    /// Set by a role that cannot go on; the node stops with this reason.
    pub failure: watch::Sender<Option<String>>,
}

impl Core {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The UTC day.
    #[must_use]
    pub fn today(&self) -> Day {
        self.now().day()
    }

    /// The network.
    #[must_use]
    pub fn network_id(&self) -> NetworkId {
        self.covenant.network()
    }

    /// A matcher as a destination.
    #[must_use]
    pub fn destination(&self, matcher: &MemberId) -> Destination {
        Destination { network: self.network_id(), matcher: matcher.clone() }
    }

    /// The key that a member signs with.
    #[must_use]
    pub fn verifying_key(&self, member: &MemberId) -> Option<VerifyingKey> {
        self.covenant.member(member).map(|card| card.signing_key)
    }

    /// An audit event of now: what was done, with which member, how many times.
    #[must_use]
    pub fn event(&self, kind: Kind, member: Option<&MemberId>, count: u64) -> Event {
        Event {
            time: self.now(),
            kind,
            actor: member.map(|member| self.audit.actor(member.as_bytes())),
            object: None,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            outcome: if count == 0 { Outcome::Nothing } else { Outcome::Done },
        }
    }

    /// Writes a batch with its audit events in one commit. Returns once it is durable. A failing disk stops the node:
    /// what memory holds by then may be ahead of the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commit(&self, batch: Batch, events: Vec<Event>) -> Result<(), StoreError> {
        let news = batch.touches(Table::Happening);
        let committed = self.audit.commit(batch, &events).await;
        match &committed {
            Ok(()) if news => self.happened.notify_one(),
            Ok(()) => {}
            Err(error) => self.fail(error.to_string()),
        }
        committed
    }

    /// Stops the node: a role cannot go on.
    pub fn fail(&self, reason: String) {
        tracing::error!(%reason, "the node stops");
        self.failure.send_replace(Some(reason));
    }

    /// Whether the node is stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the node is stopping.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        let _ = stopping.wait_for(|stopping| *stopping).await; // an error means that the node is gone
    }

    /// Waits for a moment. False when the node is stopping.
    pub async fn until(&self, moment: Timestamp) -> bool {
        tokio::select! {
            () = self.clock.until(moment) => !self.is_stopping(),
            () = self.stopped() => false,
        }
    }

    /// Sleeps, or returns early when the node is stopping.
    pub async fn pause(&self, duration: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.stopped() => {}
        }
    }
}

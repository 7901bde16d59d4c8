//! What callers and the event loop both look at: who the members are, who is connected, who has a free place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use kring_protocol::id::MemberId;
use libp2p::PeerId;
use tokio::sync::Semaphore;

use super::Peer;
use super::family::Family;

#[derive(Debug, Default)]
pub(super) struct Members(RwLock<BTreeMap<MemberId, Arc<Entry>>>);

#[derive(Debug)]
struct Entry {
    peer_id: PeerId,
    connected: AtomicBool,
    slots: [Arc<Semaphore>; Family::ALL.len()],
}

impl Members {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<MemberId, Arc<Entry>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The member's transport name and its places for requests of this family.
    pub(super) fn find(&self, member: &MemberId, family: Family) -> Option<(PeerId, Arc<Semaphore>)> {
        let members = self.read();
        let entry = members.get(member)?;
        Some((entry.peer_id, Arc::clone(&entry.slots[family.index()])))
    }

    pub(super) fn reachable(&self) -> Vec<(MemberId, bool)> {
        let members = self.read();
        members.iter().map(|(id, entry)| (id.clone(), entry.connected.load(Ordering::Relaxed))).collect()
    }

    pub(super) fn set_connected(&self, member: &MemberId, connected: bool) {
        if let Some(entry) = self.read().get(member) {
            entry.connected.store(connected, Ordering::Relaxed);
        }
    }

    /// Takes over the list. A member that stays with the same key keeps its places and its connection.
    pub(super) fn set(&self, peers: &[Peer]) {
        let mut members = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = peers.iter().map(|peer| {
            let kept = members.get(&peer.member).filter(|entry| entry.peer_id == peer.peer_id);
            (peer.member.clone(), kept.map_or_else(|| Arc::new(Entry::new(peer.peer_id)), Arc::clone))
        });
        *members = next.collect();
    }
}

impl Entry {
    fn new(peer_id: PeerId) -> Self {
        let slots = Family::ALL.map(|family| Arc::new(Semaphore::new(family.concurrent())));
        Self { peer_id, connected: AtomicBool::new(false), slots }
    }
}

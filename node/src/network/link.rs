//! What the event loop knows about the way to one member: connections, dialling, who waits.

use std::time::Duration;

use kring_protocol::id::MemberId;
use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;
use tokio::time::Instant;

use super::event_loop::Outgoing;
use super::family::Family;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Link {
    pub(super) member: MemberId,
    pub(super) addresses: Vec<Multiaddr>,
    pub(super) connections: Vec<Connection>,
    pub(super) dialling: Dialling,
    pub(super) backoff: Backoff,
    /// Requests waiting for the dial; bounded by the member's places.
    pub(super) waiting: Vec<Outgoing>,
    /// Requests of this member that we have not answered yet, by family.
    pub(super) unanswered: [usize; Family::ALL.len()],
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dialling {
    No,
    /// Names in the addresses are being looked up.
    Resolving,
    Started(ConnectionId),
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) since: Instant,
    /// When a request or a response last came in over it.
    pub(super) heard: Option<Instant>,
}

impl Link {
    pub(super) fn new(member: MemberId, addresses: Vec<Multiaddr>) -> Self {
        Self {
            member,
            addresses,
            connections: Vec::new(),
            dialling: Dialling::No,
            backoff: Backoff::default(),
            waiting: Vec::new(),
            unanswered: Default::default(),
        }
    }

    /// Something came in: the member is there.
    pub(super) fn heard(&mut self, connection: ConnectionId, now: Instant) {
        self.backoff = Backoff::default();
        if let Some(found) = self.connections.iter_mut().find(|known| known.id == connection) {
            found.heard = Some(now);
        }
    }

    /// Nothing came in over the connection since `moment`.
    pub(super) fn silent_since(&self, connection: ConnectionId, moment: Instant) -> bool {
        let found = self.connections.iter().find(|known| known.id == connection);
        found.is_some_and(|known| known.heard.is_none_or(|heard| heard < moment))
    }
}

/// How long to leave a member alone after failures.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    pub(super) fn failed(&mut self, now: Instant) {
        let delay = FIRST_DELAY.saturating_mul(1 << self.failures.min(10)).min(LONGEST_DELAY);
        self.failures += 1;
        self.until = Some(now + delay);
    }

    pub(super) fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_from_50_ms_to_5_s() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        assert!(!backoff.holds(now));
        for expected in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            backoff.failed(now);
            assert!(backoff.holds(now + Duration::from_millis(expected - 1)), "{expected}");
            assert!(!backoff.holds(now + Duration::from_millis(expected)), "{expected}");
        }
    }
    #[test]
    fn a_connection_is_silent_since_the_last_thing_heard_on_it() {
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        let (quiet, busy) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        let mut link = Link::new("b".parse().unwrap(), Vec::new());
        link.connections = [quiet, busy].map(|id| Connection { id, since: early, heard: None }).into();
        link.backoff.failed(early);
        link.heard(busy, late);
        assert!(link.silent_since(quiet, early));
        assert!(!link.silent_since(busy, early), "something came after the request went out");
        assert!(!link.silent_since(ConnectionId::new_unchecked(3), early), "it is closed already");
        assert!(!link.backoff.holds(early), "who is heard may be dialled at once");
    }
}

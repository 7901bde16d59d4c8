//! Who may connect: members of the covenant, a few connections each. Everyone else is refused when the connection's
//! key is known and before any byte of ours is parsed; until then a bounded number of handshakes may be under way.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::NetworkMetrics;
use super::metrics::count;

/// Incoming handshakes under way, from everywhere.
pub(super) const MAX_PENDING: usize = 128;
/// Incoming handshakes under way from one IP address.
pub(super) const MAX_PENDING_PER_IP: usize = 32;
/// Connections with one member, both directions: a dial from each side over both transports, and some that died
/// and were not noticed yet.
pub(super) const MAX_CONNECTIONS_PER_MEMBER: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("not a member of the covenant in force")]
    Stranger,
    #[error("the member has too many connections")]
    TooManyConnections,
    #[error("too many handshakes are under way")]
    TooManyPending,
}

/// The rule as a libp2p behaviour. It stands first in [`super::behaviour::Behaviour`], so that no other is asked.
#[derive(Debug)]
pub(super) struct Admission {
    members: HashSet<PeerId>,
    pending: HashMap<ConnectionId, Option<IpAddr>>,
    connections: HashMap<PeerId, usize>,
    metrics: Arc<NetworkMetrics>,
}

impl Admission {
    pub(super) fn new(metrics: Arc<NetworkMetrics>) -> Self {
        Self { members: HashSet::new(), pending: HashMap::new(), connections: HashMap::new(), metrics }
    }

    pub(super) fn set_members(&mut self, members: HashSet<PeerId>) {
        self.members = members;
    }

    fn admit_pending(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), Refusal> {
        let ip = ip_of(remote);
        let from_there = self.pending.values().filter(|known| **known == ip).count();
        if self.pending.len() >= MAX_PENDING || from_there >= MAX_PENDING_PER_IP {
            count(&self.metrics.connections_refused);
            return Err(Refusal::TooManyPending);
        }
        self.pending.insert(connection, ip);
        Ok(())
    }

    fn admit(&mut self, peer: &PeerId) -> Result<dummy::ConnectionHandler, Refusal> {
        if !self.members.contains(peer) {
            count(&self.metrics.strangers_refused);
            return Err(Refusal::Stranger);
        }
        if self.connections.get(peer).is_some_and(|n| *n >= MAX_CONNECTIONS_PER_MEMBER) {
            count(&self.metrics.connections_refused);
            return Err(Refusal::TooManyConnections);
        }
        Ok(dummy::ConnectionHandler)
    }

    fn closed(&mut self, peer: PeerId, remaining: usize) {
        if remaining == 0 {
            self.connections.remove(&peer);
        } else {
            self.connections.insert(peer, remaining);
        }
    }
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    })
}

impl NetworkBehaviour for Admission {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.admit_pending(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&connection);
        self.admit(&peer).map_err(ConnectionDenied::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer).map_err(ConnectionDenied::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(new) => {
                self.connections.insert(new.peer_id, new.other_established + 1);
            }
            FromSwarm::ConnectionClosed(old) => self.closed(old.peer_id, old.remaining_established),
            FromSwarm::ListenFailure(failed) => {
                self.pending.remove(&failed.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission::new(Arc::new(NetworkMetrics::default()))
    }

    fn from(ip: &str) -> Multiaddr {
        format!("/ip4/{ip}/tcp/4001").parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_all_handshakes() {
        let mut admission = admission();
        let mut id = 0;
        let mut dial = |ip: &str| {
            id += 1;
            admission.admit_pending(ConnectionId::new_unchecked(id), &from(ip))
        };
        for _ in 0..MAX_PENDING_PER_IP {
            dial("192.0.2.1").unwrap();
        }
        assert_eq!(dial("192.0.2.1"), Err(Refusal::TooManyPending));
        for n in 0..MAX_PENDING - MAX_PENDING_PER_IP {
            dial(&format!("198.51.100.{n}")).unwrap();
        }
        assert_eq!(dial("203.0.113.1"), Err(Refusal::TooManyPending));
    }

    #[test]
    fn members_are_admitted_up_to_their_number_of_connections() {
        let mut admission = admission();
        let (member, stranger) = (PeerId::random(), PeerId::random());
        admission.set_members([member].into());
        assert_eq!(admission.admit(&stranger).err(), Some(Refusal::Stranger));
        assert!(admission.admit(&member).is_ok());
        admission.connections.insert(member, MAX_CONNECTIONS_PER_MEMBER);
        assert_eq!(admission.admit(&member).err(), Some(Refusal::TooManyConnections));
        admission.closed(member, MAX_CONNECTIONS_PER_MEMBER - 1);
        assert!(admission.admit(&member).is_ok());
    }
}

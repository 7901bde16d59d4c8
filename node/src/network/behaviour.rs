//! The swarm: transports, one request-response behaviour per family, and every limit that libp2p has, set here.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, quic, tcp, yamux};

use super::admission::Admission;
use super::codec::Codec;
use super::family::Family;
use super::{NetworkMetrics, StartError};

/// A dial or an incoming handshake ends after this.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection without any open request is kept this long: members stay connected.
const IDLE_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// Streams per connection, both directions: more than the places of all families, which are the limit that counts.
const MAX_STREAMS: u32 = 192;
/// Incoming streams of a connection whose protocol is being negotiated.
const MAX_NEGOTIATING: usize = 128;
/// Bytes under way on one QUIC stream, and on one QUIC connection, before the sender must wait. Yamux starts at
/// 256 KiB a stream and grows with what is read; a stream ends at its family's limit, and so does its window.
const QUIC_STREAM_WINDOW: u32 = 1024 * 1024;
const QUIC_CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// A QUIC connection on which nothing arrives, kept-alive or not, is dead after this. Short, because a node that was killed
/// says nothing, and requests to it wait for this.
const QUIC_IDLE_MS: u32 = 4_000;
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(1);

pub(super) type FamilyBehaviour = request_response::Behaviour<Codec>;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) admission: Admission,
    evaluate: FamilyBehaviour,
    forward: FamilyBehaviour,
    board: FamilyBehaviour,
    covenant: FamilyBehaviour,
    ceremony: FamilyBehaviour,
    witness: FamilyBehaviour,
    trace: FamilyBehaviour,
}

impl Behaviour {
    fn new(metrics: Arc<NetworkMetrics>) -> Self {
        Self {
            admission: Admission::new(metrics),
            evaluate: family(Family::Evaluate),
            forward: family(Family::Forward),
            board: family(Family::Board),
            covenant: family(Family::Covenant),
            ceremony: family(Family::Ceremony),
            witness: family(Family::Witness),
            trace: family(Family::Trace),
        }
    }

    pub(super) fn family(&mut self, family: Family) -> &mut FamilyBehaviour {
        match family {
            Family::Evaluate => &mut self.evaluate,
            Family::Forward => &mut self.forward,
            Family::Board => &mut self.board,
            Family::Covenant => &mut self.covenant,
            Family::Ceremony => &mut self.ceremony,
            Family::Witness => &mut self.witness,
            Family::Trace => &mut self.trace,
        }
    }
}

pub(super) type FamilyEvent = request_response::Event<Vec<u8>, Vec<u8>>;

impl BehaviourEvent {
    pub(super) fn into_family(self) -> (Family, FamilyEvent) {
        match self {
            Self::Evaluate(event) => (Family::Evaluate, event),
            Self::Forward(event) => (Family::Forward, event),
            Self::Board(event) => (Family::Board, event),
            Self::Covenant(event) => (Family::Covenant, event),
            Self::Ceremony(event) => (Family::Ceremony, event),
            Self::Witness(event) => (Family::Witness, event),
            Self::Trace(event) => (Family::Trace, event),
            Self::Admission(never) => match never {},
        }
    }
}

fn family(family: Family) -> FamilyBehaviour {
    // Both sides' requests, and as many again: a stream outlives its answer for a moment.
    let config = request_response::Config::default()
        .with_request_timeout(family.timeout())
        .with_max_concurrent_streams(3 * family.concurrent());
    request_response::Behaviour::with_codec(
        Codec(family),
        [(family.protocol(), ProtocolSupport::Full)],
        config,
    )
}

fn quic(mut config: quic::Config) -> quic::Config {
    config.handshake_timeout = HANDSHAKE_TIMEOUT;
    config.max_idle_timeout = QUIC_IDLE_MS;
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    config.max_concurrent_stream_limit = MAX_STREAMS;
    config.max_stream_data = QUIC_STREAM_WINDOW;
    config.max_connection_data = QUIC_CONNECTION_WINDOW;
    config
}

fn yamux() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS as usize);
    config
}

pub(super) fn swarm(keypair: Keypair, metrics: Arc<NetworkMetrics>) -> Result<Swarm<Behaviour>, StartError> {
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux)
        .map_err(|error| StartError::Transport(error.to_string()))?
        .with_quic_config(quic)
        .with_behaviour(|_| Behaviour::new(metrics))
        .expect("making the behaviour cannot fail")
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
                // Each behaviour offers one protocol, so the dialler need not wait for the listener's nod.
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .with_connection_timeout(HANDSHAKE_TIMEOUT)
        .build();
    Ok(swarm)
}

/// Listens on all of `addresses`; the result holds the ports that were assigned.
pub(super) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
) -> Result<Vec<Multiaddr>, StartError> {
    let mut listening = Vec::with_capacity(addresses.len());
    for address in addresses {
        let refused = |reason: String| StartError::Listen { address: address.clone(), reason };
        let listener = swarm.listen_on(address.clone()).map_err(|error| refused(error.to_string()))?;
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, address } if listener_id == listener => {
                    listening.push(address);
                    break;
                }
                SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == listener => {
                    return Err(refused(reason.map_or_else(|error| error.to_string(), |()| "closed".into())));
                }
                // Nobody is a member yet, so nobody can be connected.
                _ => {}
            }
        }
    }
    Ok(listening)
}

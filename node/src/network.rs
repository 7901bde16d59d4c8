//! Bytes between members: libp2p over TCP and QUIC, request and response, nothing else.
//!
//! # In scope
//! Who may connect, how much one member may ask of us at once, dialling, time limits (`docs/protocol.md` section 8).
//!
//! # Out of scope
//! What the bytes mean. Each message family encodes and checks its own messages; a caller that needs an answer in
//! the end repeats its request.

mod address;
mod admission;
mod behaviour;
mod codec;
mod event_loop;
mod family;
mod link;
mod members;
mod metrics;
mod tap;

use std::fmt;
use std::sync::Arc;

use kring_protocol::id::MemberId;
use kring_protocol::secret::Secret;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use tokio::sync::{mpsc, oneshot};

use event_loop::{Command, EventLoop, Outgoing};
pub use family::Family;
pub use libp2p::{Multiaddr, PeerId};
use members::Members;
pub use metrics::NetworkMetrics;
pub use tap::{Passing, Tap, Way};

/// Commands waiting for the event loop. Requests are bounded per member and family; this only evens out bursts.
const COMMAND_QUEUE: usize = 256;

/// A member as the covenant names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub member: MemberId,
    /// From the transport key in the covenant: [`peer_id`].
    pub peer_id: PeerId,
    /// Where it may be dialled. Empty for a member that only dials others.
    pub addresses: Vec<Multiaddr>,
}

/// A public key in the covenant is not one of libp2p's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the transport key is not an Ed25519 public key")]
pub struct NotATransportKey;

/// The name under which libp2p knows the holder of a transport key.
pub fn peer_id(public: &[u8; 32]) -> Result<PeerId, NotATransportKey> {
    let key = ed25519::PublicKey::try_from_bytes(public).map_err(|_| NotATransportKey)?;
    Ok(PublicKey::from(key).to_peer_id())
}

/// Why the network did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {reason}; is the port taken, is the address this machine's?")]
    Listen { address: Multiaddr, reason: String },
    #[error("the transport could not be set up: {0}")]
    Transport(String),
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("a node does not ask itself; the caller must answer this one at home")]
    Myself,
    #[error("{0} is not a member of the covenant in force")]
    NotAMember(MemberId),
    #[error("the request has {len} bytes and {family} takes at most {max}; the caller must divide it")]
    TooLarge { family: Family, len: usize, max: usize },
    #[error("{0} cannot be reached now; try again later")]
    Unreachable(MemberId),
    #[error("{0} did not answer in time; it may have received the request")]
    Timeout(MemberId),
    #[error("{0} closed the request unanswered: too busy, or its answer broke the limits")]
    Refused(MemberId),
    #[error("the connection to {0} ended before the answer; it may have received the request")]
    Closed(MemberId),
    #[error("this node is stopping")]
    Stopped,
}

/// A request from a member.
#[derive(Debug)]
pub struct Inbound {
    pub from: MemberId,
    pub family: Family,
    pub bytes: Vec<u8>,
    pub respond: Responder,
}

/// The way back to who asked. Dropped: the request is closed unanswered.
pub struct Responder(oneshot::Sender<Vec<u8>>);

impl Responder {
    /// Sends the answer. Silently nothing if the asker has gone or the family's time is over.
    pub fn respond(self, bytes: Vec<u8>) {
        let _ = self.0.send(bytes);
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}

/// A handle to the running network. Clones speak for the same one; when the last is dropped, it ends.
#[derive(Clone)]
pub struct Network {
    me: MemberId,
    members: Arc<Members>,
    metrics: Arc<NetworkMetrics>,
    commands: mpsc::Sender<Command>,
    listening: Arc<[Multiaddr]>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Network {
    /// Listens, and hands every request of a member to `inbound`. Returns once all addresses are listened on.
    ///
    /// `inbound` is bounded by the caller; while it is full, requests are closed unanswered. `peers` may hold `me`,
    /// which is left out. Every message passes `tap`, if there is one.
    pub async fn start(
        transport_seed: &Secret<32>,
        me: MemberId,
        listen: Vec<Multiaddr>,
        peers: Vec<Peer>,
        inbound: mpsc::Sender<Inbound>,
        tap: Option<Arc<dyn Tap>>,
    ) -> Result<Self, StartError> {
        let mut seed = zeroize::Zeroizing::new(*transport_seed.expose());
        let keypair = Keypair::ed25519_from_bytes(seed.as_mut_slice())
            .map_err(|error| StartError::Transport(error.to_string()))?;
        let metrics = Arc::new(NetworkMetrics::default());
        let members = Arc::new(Members::default());
        let mut swarm = behaviour::swarm(keypair, Arc::clone(&metrics))?;
        let listening = behaviour::listen(&mut swarm, &listen).await?;
        let (commands, queue) = mpsc::channel(COMMAND_QUEUE);
        let mut event_loop = EventLoop::new(swarm, inbound, Arc::clone(&members), Arc::clone(&metrics), tap);
        event_loop.set_peers(without(&me, peers));
        tokio::spawn(event_loop.run(queue));
        Ok(Self { me, members, metrics, commands, listening: listening.into() })
    }

    /// Asks a member and waits for its answer, dialling if there is no connection.
    ///
    /// After a failed dial a member is left alone for 50 ms, doubling to 5 s; requests in that time are answered
    /// [`RequestError::Unreachable`] at once, unless the member itself connects.
    pub async fn request(
        &self,
        to: &MemberId,
        family: Family,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, RequestError> {
        if *to == self.me {
            return Err(RequestError::Myself);
        }
        if bytes.len() > family.max_request() {
            return Err(RequestError::TooLarge { family, len: bytes.len(), max: family.max_request() });
        }
        let (peer, slots) =
            self.members.find(to, family).ok_or_else(|| RequestError::NotAMember(to.clone()))?;
        let asked = async {
            let slot = slots.acquire_owned().await.map_err(|_| RequestError::NotAMember(to.clone()))?;
            let (reply, answer) = oneshot::channel();
            let outgoing = Outgoing { peer, member: to.clone(), family, bytes, reply, _slot: slot };
            self.commands.send(Command::Request(outgoing)).await.map_err(|_| RequestError::Stopped)?;
            answer.await.map_err(|_| RequestError::Stopped)?
        };
        let answered = tokio::time::timeout(family.timeout(), asked).await;
        answered.unwrap_or_else(|_| Err(RequestError::Timeout(to.clone())))
    }

    /// Every other member, and whether a connection to it stands now.
    #[must_use]
    pub fn reachable(&self) -> Vec<(MemberId, bool)> {
        self.members.reachable()
    }

    /// The covenant changed: who is no longer in `peers` is disconnected and refused from now on.
    pub async fn set_peers(&self, peers: Vec<Peer>) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::SetPeers(without(&self.me, peers), done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// The addresses that are listened on, with the ports that were assigned.
    #[must_use]
    pub fn listening(&self) -> &[Multiaddr] {
        &self.listening
    }

    /// What went by so far.
    #[must_use]
    pub fn metrics(&self) -> &Arc<NetworkMetrics> {
        &self.metrics
    }

    /// Closes all connections and listeners; open requests end with [`RequestError::Stopped`].
    pub async fn shutdown(self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Shutdown(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

fn without(me: &MemberId, mut peers: Vec<Peer>) -> Vec<Peer> {
    peers.retain(|peer| peer.member != *me);
    peers
}

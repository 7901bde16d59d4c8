//! Bytes to a node as no honest node sends them: the stream of a request is exactly what the test says, frame or not.

use std::io::Result;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use kring_node::network::{Family, peer_id};
use kring_protocol::id::MemberId;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, Event, Message, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{PeerId, Swarm, SwarmBuilder, noise, tcp, yamux};

use crate::impostor::Member;

/// Longer than a node takes to refuse, shorter than anyone may wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than any answer has.
const ANSWER_MAX: u64 = 8 << 20;

#[derive(Clone, Copy, Debug)]
struct Verbatim;

impl request_response::Codec for Verbatim {
    type Protocol = &'static str;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        _: &mut T,
    ) -> Result<Vec<u8>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
    ) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        io.take(ANSWER_MAX).read_to_end(&mut answer).await?;
        Ok(answer)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> Result<()> {
        // Whoever refuses at the length reads no further; that is its right.
        let _ = io.write_all(&bytes).await;
        let _ = io.flush().await;
        Ok(())
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        _: &mut T,
        _: Vec<u8>,
    ) -> Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// A connection that speaks one family.
pub struct Raw {
    swarm: Swarm<request_response::Behaviour<Verbatim>>,
    peer: PeerId,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raw({})", self.peer)
    }
}

impl Raw {
    /// Connects as `member` to the node of `to`.
    ///
    /// # Panics
    /// When it is not let in.
    pub async fn connect(member: &Member, to: &MemberId, family: Family) -> Self {
        let mut seed = *member.transport().expose();
        let key = Keypair::ed25519_from_bytes(&mut seed).expect("a seed is a key");
        let mut swarm = SwarmBuilder::with_existing_identity(key)
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
            .expect("the transport can be set up")
            .with_behaviour(|_| {
                let protocol = [(family.protocol(), ProtocolSupport::Outbound)];
                let config = request_response::Config::default().with_request_timeout(PATIENCE);
                request_response::Behaviour::with_codec(Verbatim, protocol, config)
            })
            .expect("making the behaviour cannot fail")
            .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
            .build();
        let card = &member.covenant().member(to).expect("it is a member");
        let peer = peer_id(card.transport_key.as_bytes()).expect("the covenant was checked");
        let addresses =
            card.addresses.iter().map(|address| address.parse().expect("the covenant was checked"));
        let dial = DialOpts::peer_id(peer).addresses(addresses.collect()).build();
        swarm.dial(dial).expect("there is an address");
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => return Self { swarm, peer },
                SwarmEvent::OutgoingConnectionError { error, .. } => {
                    panic!("{to} cannot be reached: {error}")
                }
                _ => {}
            }
        }
    }

    /// Sends these bytes as a whole request. What came back, without its frame; none when the request was closed.
    ///
    /// # Panics
    /// When neither happens in time, or the whole connection is closed.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.swarm.behaviour_mut().send_request(&self.peer, bytes);
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Response { response, .. }, ..
                }) => return response.get(4..).map(<[u8]>::to_vec),
                SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => match error {
                    request_response::OutboundFailure::Io(_) => return None,
                    other => panic!("not closed: {other}"),
                },
                SwarmEvent::ConnectionClosed { cause, .. } => panic!("the connection was closed: {cause:?}"),
                _ => {}
            }
        }
    }
}

/// A message in its frame.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("messages are limited").to_be_bytes();
    [&length, message].concat()
}

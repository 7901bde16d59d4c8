//! The task that owns the swarm. It turns commands into libp2p calls and libp2p events into answers; it decides
//! nothing about the content of messages and never waits on the node.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kring_protocol::id::MemberId;
use libp2p::request_response::{Message, OutboundFailure, OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use super::behaviour::{Behaviour, BehaviourEvent, FamilyEvent, HANDSHAKE_TIMEOUT};
use super::family::Family;
use super::link::{Connection, Dialling, Link};
use super::members::Members;
use super::metrics::{add, count};
use super::{Inbound, NetworkMetrics, Passing, Peer, RequestError, Responder, Tap, Way, address};

#[derive(Debug)]
pub(super) enum Command {
    Request(Outgoing),
    SetPeers(Vec<Peer>, oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

/// A request of ours on its way. It keeps its place among the member's requests until it is settled.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) peer: PeerId,
    pub(super) member: MemberId,
    pub(super) family: Family,
    pub(super) bytes: Vec<u8>,
    pub(super) reply: oneshot::Sender<Result<Vec<u8>, RequestError>>,
    pub(super) _slot: OwnedSemaphorePermit,
}

/// A request of ours that was sent.
struct Sent {
    outgoing: Outgoing,
    at: Instant,
}

/// What the node made of a member's request: `None` if it dropped the responder or took too long.
struct Answered {
    peer: PeerId,
    family: Family,
    channel: ResponseChannel<Vec<u8>>,
    bytes: Option<Vec<u8>>,
}

pub(super) struct EventLoop {
    swarm: Swarm<Behaviour>,
    inbound: mpsc::Sender<Inbound>,
    members: Arc<Members>,
    metrics: Arc<NetworkMetrics>,
    links: HashMap<PeerId, Link>,
    sent: HashMap<(Family, OutboundRequestId), Sent>,
    answers: FuturesUnordered<BoxFuture<'static, Answered>>,
    resolved: FuturesUnordered<BoxFuture<'static, (PeerId, Vec<Multiaddr>)>>,
    tap: Option<Arc<dyn Tap>>,
}

impl EventLoop {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        inbound: mpsc::Sender<Inbound>,
        members: Arc<Members>,
        metrics: Arc<NetworkMetrics>,
        tap: Option<Arc<dyn Tap>>,
    ) -> Self {
        let (links, sent) = (HashMap::new(), HashMap::new());
        let (answers, resolved) = (FuturesUnordered::new(), FuturesUnordered::new());
        Self { swarm, inbound, members, metrics, links, sent, answers, resolved, tap }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Request(outgoing)) => self.request(outgoing),
                    Some(Command::SetPeers(peers, done)) => {
                        self.set_peers(peers);
                        let _ = done.send(());
                    }
                    Some(Command::Shutdown(done)) => {
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(answered) = self.answers.next() => self.answer(answered),
                Some((peer, addresses)) = self.resolved.next() => self.dial(peer, addresses),
            }
        }
    }

    pub(super) fn set_peers(&mut self, peers: Vec<Peer>) {
        self.members.set(&peers);
        let ids: HashSet<PeerId> = peers.iter().map(|peer| peer.peer_id).collect();
        let gone: Vec<PeerId> = self.links.keys().filter(|id| !ids.contains(*id)).copied().collect();
        for peer in gone {
            let link = self.links.remove(&peer).expect("was just seen among the keys");
            for outgoing in link.waiting {
                let member = outgoing.member.clone();
                self.settle(outgoing, Err(RequestError::NotAMember(member)));
            }
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        for Peer { member, peer_id, addresses } in peers {
            let link = self.links.entry(peer_id).or_insert_with(|| Link::new(member.clone(), Vec::new()));
            link.member = member;
            link.addresses = addresses;
        }
        self.swarm.behaviour_mut().admission.set_members(ids);
    }

    // Requests of ours.

    fn request(&mut self, outgoing: Outgoing) {
        let peer = outgoing.peer;
        if self.swarm.is_connected(&peer) {
            return self.send(outgoing);
        }
        let member = outgoing.member.clone();
        let Some(link) = self.links.get_mut(&peer) else {
            return self.settle(outgoing, Err(RequestError::NotAMember(member)));
        };
        if link.dialling != Dialling::No {
            link.waiting.push(outgoing);
        } else if link.addresses.is_empty() || link.backoff.holds(Instant::now()) {
            self.settle(outgoing, Err(RequestError::Unreachable(member)));
        } else {
            link.waiting.push(outgoing);
            link.dialling = Dialling::Resolving;
            let addresses = link.addresses.clone();
            if addresses.iter().any(address::is_name) {
                self.resolved.push(Box::pin(async move { (peer, address::resolve(addresses).await) }));
            } else {
                self.dial(peer, address::tcp_first(addresses));
            }
        }
    }

    fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        // All addresses at once, the first that answers wins. A port of its own, because with the listening port
        // two members that dial each other at the same time would meet in one TCP connection with two diallers.
        let opts = DialOpts::peer_id(peer)
            .addresses(addresses)
            .condition(PeerCondition::Always)
            .allocate_new_port()
            .build();
        link.dialling = Dialling::Started(opts.connection_id());
        count(&self.metrics.dials);
        let id = opts.connection_id();
        if self.swarm.dial(opts).is_err() {
            self.on_dial_failed(peer, id);
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(link) = self.links.get_mut(&peer).filter(|link| link.dialling == Dialling::Started(id))
        else {
            return;
        };
        link.dialling = Dialling::No;
        link.backoff.failed(Instant::now());
        count(&self.metrics.dials_failed);
        for outgoing in std::mem::take(&mut link.waiting) {
            let member = outgoing.member.clone();
            self.settle(outgoing, Err(RequestError::Unreachable(member)));
        }
    }

    fn send(&mut self, mut outgoing: Outgoing) {
        let family = outgoing.family;
        let bytes = std::mem::take(&mut outgoing.bytes);
        let Some(bytes) = self.tapped(Way::RequestOut, &outgoing.peer, family, bytes) else {
            let member = outgoing.member.clone();
            return self.settle(outgoing, Err(RequestError::Closed(member)));
        };
        count(&self.metrics.requests_out);
        add(&self.metrics.bytes_out, bytes.len());
        let id = self.swarm.behaviour_mut().family(family).send_request(&outgoing.peer, bytes);
        self.sent.insert((family, id), Sent { outgoing, at: Instant::now() });
    }

    /// What goes on of a message: all of it, unless a test program's tap says otherwise.
    fn tapped(&self, way: Way, peer: &PeerId, family: Family, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let Some(tap) = &self.tap else { return Some(bytes) };
        let peer = &self.links.get(peer)?.member;
        tap.pass(Passing { way, peer, family }, bytes)
    }

    fn settle(&self, outgoing: Outgoing, result: Result<Vec<u8>, RequestError>) {
        if result.is_err() {
            count(&self.metrics.requests_out_failed);
        }
        // The asker may have gone.
        let _ = outgoing.reply.send(result);
    }

    // Requests of members.

    fn deliver(&mut self, peer: PeerId, family: Family, bytes: Vec<u8>, channel: ResponseChannel<Vec<u8>>) {
        add(&self.metrics.bytes_in, bytes.len());
        let Some(bytes) = self.tapped(Way::RequestIn, &peer, family, bytes) else { return };
        let Some(link) = self.links.get_mut(&peer) else { return };
        let held = Passing { way: Way::RequestIn, peer: &link.member, family };
        let held = self.tap.as_ref().is_some_and(|tap| tap.holds(held, &bytes));
        let unanswered = &mut link.unanswered[family.index()];
        let (respond, answer) = oneshot::channel();
        if held {
            *unanswered += 1;
            return self.answers.push(Box::pin(async move {
                tokio::time::sleep(family.timeout()).await;
                drop(respond);
                Answered { peer, family, channel, bytes: None }
            }));
        }
        let inbound = Inbound { from: link.member.clone(), family, bytes, respond: Responder(respond) };
        // Refused by dropping the channel: the asker sees its request closed unanswered.
        if *unanswered >= family.concurrent() || self.inbound.try_send(inbound).is_err() {
            return count(&self.metrics.requests_in_refused);
        }
        *unanswered += 1;
        count(&self.metrics.requests_in);
        self.answers.push(Box::pin(async move {
            let in_time = tokio::time::timeout(family.timeout(), answer).await;
            Answered { peer, family, channel, bytes: in_time.ok().and_then(Result::ok) }
        }));
    }

    fn answer(&mut self, Answered { peer, family, channel, bytes }: Answered) {
        if let Some(link) = self.links.get_mut(&peer) {
            let unanswered = &mut link.unanswered[family.index()];
            *unanswered = unanswered.saturating_sub(1);
        }
        let Some(bytes) = bytes.and_then(|bytes| self.tapped(Way::AnswerOut, &peer, family, bytes)) else {
            return;
        };
        if bytes.len() > family.max_response() {
            tracing::error!(%family, len = bytes.len(), "answer over the family's limit is not sent");
            return;
        }
        let len = bytes.len();
        if self.swarm.behaviour_mut().family(family).send_response(channel, bytes).is_ok() {
            add(&self.metrics.bytes_out, len);
        }
    }

    // What libp2p reports.

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => {
                let (family, event) = event.into_family();
                self.on_family_event(family, event);
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, endpoint.is_listener());
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                self.on_disconnected(peer_id, connection_id, num_established == 0);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id: Some(peer), error } => {
                tracing::debug!(%peer, %error, "dial failed");
                self.on_dial_failed(peer, connection_id);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(from = %send_back_addr, %error, "incoming connection refused");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            SwarmEvent::ListenerClosed { addresses, .. } => tracing::error!(?addresses, "listener closed"),
            _ => {}
        }
    }

    fn on_family_event(&mut self, family: Family, event: FamilyEvent) {
        match event {
            FamilyEvent::Message { peer, connection_id, message } => {
                if let Some(link) = self.links.get_mut(&peer) {
                    link.heard(connection_id, Instant::now());
                }
                match message {
                    Message::Request { request, channel, .. } => self.deliver(peer, family, request, channel),
                    Message::Response { request_id, response } => {
                        add(&self.metrics.bytes_in, response.len());
                        if let Some(sent) = self.sent.remove(&(family, request_id)) {
                            let answer = self.tapped(Way::AnswerIn, &peer, family, response);
                            let member = sent.outgoing.member.clone();
                            self.settle(sent.outgoing, answer.ok_or(RequestError::Closed(member)));
                        }
                    }
                }
            }
            FamilyEvent::OutboundFailure { peer, connection_id, request_id, error } => {
                if let Some(sent) = self.sent.remove(&(family, request_id)) {
                    self.on_request_failed(sent, peer, connection_id, &error);
                }
            }
            FamilyEvent::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %family, %error, "request of a member not answered");
            }
            FamilyEvent::ResponseSent { .. } => {}
        }
    }

    fn on_request_failed(
        &mut self,
        sent: Sent,
        peer: PeerId,
        connection: ConnectionId,
        error: &OutboundFailure,
    ) {
        let member = sent.outgoing.member.clone();
        tracing::debug!(%member, family = %sent.outgoing.family, %error, "request failed");
        let silent = self.links.get(&peer).is_some_and(|link| link.silent_since(connection, sent.at));
        if matches!(error, OutboundFailure::Timeout) && silent {
            // A connection to a machine that lost power says nothing: the next request must dial.
            self.swarm.close_connection(connection);
        }
        let result = match error {
            OutboundFailure::DialFailure => RequestError::Unreachable(member),
            OutboundFailure::Timeout => RequestError::Timeout(member),
            OutboundFailure::ConnectionClosed => RequestError::Closed(member),
            OutboundFailure::UnsupportedProtocols | OutboundFailure::Io(_) => RequestError::Refused(member),
        };
        self.settle(sent.outgoing, Err(result));
    }

    fn on_connected(&mut self, peer: PeerId, id: ConnectionId, incoming: bool) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let now = Instant::now();
        if incoming {
            // A member dials when it has no connection, so what is older than a dial takes is dead at its end.
            for old in link.connections.iter().filter(|old| now - old.since > 2 * HANDSHAKE_TIMEOUT) {
                self.swarm.close_connection(old.id);
            }
        }
        link.connections.push(Connection { id, since: now, heard: None });
        if link.dialling == Dialling::Started(id) {
            link.dialling = Dialling::No;
        }
        self.members.set_connected(&link.member, true);
        for outgoing in std::mem::take(&mut link.waiting) {
            self.send(outgoing);
        }
    }

    fn on_disconnected(&mut self, peer: PeerId, id: ConnectionId, was_last: bool) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let silent = link.connections.iter().any(|known| known.id == id && known.heard.is_none());
        link.connections.retain(|known| known.id != id);
        if was_last {
            self.members.set_connected(&link.member, false);
            if silent {
                // Connected and dropped without a word, as by a member that does not know us yet.
                link.backoff.failed(Instant::now());
            }
        }
    }
}

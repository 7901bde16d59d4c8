//! The network over real sockets on this machine: what members get, and what everyone else does not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use kring_node::network::{Family, Inbound, Multiaddr, Network, NetworkMetrics, Peer, RequestError, peer_id};
use kring_protocol::id::MemberId;
use kring_protocol::secret::Secret;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc;

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

fn seed(name: &str) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    seed
}

fn id(name: &str) -> MemberId {
    name.parse().unwrap()
}

fn peer(name: &str, addresses: &[Multiaddr]) -> Peer {
    let public = Keypair::ed25519_from_bytes(seed(name)).unwrap().public().try_into_ed25519().unwrap();
    let peer_id = peer_id(&public.to_bytes()).unwrap();
    Peer { member: id(name), peer_id, addresses: addresses.to_vec() }
}

async fn start(
    name: &str,
    listen: &[&str],
    peers: &[Peer],
    queue: usize,
) -> (Network, mpsc::Receiver<Inbound>) {
    let listen = listen.iter().map(|text| text.parse().unwrap()).collect();
    let (inbound, received) = mpsc::channel(queue);
    let network = Network::start(&Secret::new(seed(name)), id(name), listen, peers.to_vec(), inbound, None)
        .await
        .unwrap();
    (network, received)
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Answers every request with its bytes reversed.
fn serve(mut received: mpsc::Receiver<Inbound>) {
    tokio::spawn(async move {
        while let Some(inbound) = received.recv().await {
            let answer = reversed(&inbound.bytes);
            inbound.respond.respond(answer);
        }
    });
}

/// Repeats `attempt` until it gives a value; fails after 15 seconds.
async fn until<T, F: Future<Output = Option<T>>>(mut attempt: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not within 15 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn read(metrics: &NetworkMetrics, counter: impl Fn(&NetworkMetrics) -> &std::sync::atomic::AtomicU64) -> u64 {
    counter(metrics).load(Ordering::Relaxed)
}

async fn members_exchange_on_each_family(transport: &str) {
    let (b, received) = start("b", &[transport], &[peer("a", &[])], 64).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    serve(received);
    for family in Family::ALL {
        let request: Vec<u8> = (0..family.max_request()).map(|n| (n % 251) as u8).collect();
        assert_eq!(
            a.request(&id("b"), family, request.clone()).await.unwrap(),
            reversed(&request),
            "{family}"
        );
    }
    assert_eq!(a.reachable(), [(id("b"), true)]);
    assert_eq!(read(b.metrics(), |m| &m.requests_in), Family::ALL.len() as u64);
    assert_eq!(read(a.metrics(), |m| &m.bytes_out), read(b.metrics(), |m| &m.bytes_in));
}

#[tokio::test]
async fn members_exchange_over_tcp() {
    members_exchange_on_each_family(TCP).await;
}

#[tokio::test]
async fn members_exchange_over_quic() {
    members_exchange_on_each_family(QUIC).await;
}

#[tokio::test]
async fn the_asker_is_known_by_its_member_id_and_an_empty_message_passes() {
    let (b, mut received) = start("b", &[TCP, QUIC], &[peer("a", &[]), peer("c", &[])], 64).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    let asked = tokio::spawn(async move { a.request(&id("b"), Family::Witness, Vec::new()).await });
    let inbound = received.recv().await.unwrap();
    assert_eq!((inbound.from, inbound.family, inbound.bytes), (id("a"), Family::Witness, Vec::new()));
    inbound.respond.respond(Vec::new());
    assert_eq!(asked.await.unwrap(), Ok(Vec::new()));
}

#[tokio::test]
async fn a_node_with_outgoing_connections_only_is_asked_over_them() {
    let (b, _b_inbox) = start("b", &[TCP], &[peer("a", &[])], 64).await;
    assert_eq!(
        b.request(&id("a"), Family::Board, vec![1]).await,
        Err(RequestError::Unreachable(id("a"))),
        "nobody can dial a"
    );
    let (a, received) = start("a", &[], &[peer("b", b.listening())], 64).await;
    serve(received);
    let to_b = id("b");
    let connects = a.request(&to_b, Family::Witness, vec![1]);
    let asked = until(|| async { b.request(&id("a"), Family::Board, vec![1, 2]).await.ok() });
    tokio::select! {
        answer = asked => assert_eq!(answer, [2, 1]),
        _ = connects => panic!("b answers nothing in this test"),
    }
}

async fn strangers_are_refused(transport: &str) {
    let (a, mut received) = start("a", &[transport], &[peer("b", &[])], 64).await;
    let (stranger, _inbox) = start("s", &[], &[peer("a", a.listening())], 64).await;
    let error = stranger.request(&id("a"), Family::Covenant, vec![1]).await.unwrap_err();
    let expected =
        [RequestError::Closed(id("a")), RequestError::Unreachable(id("a")), RequestError::Refused(id("a"))];
    assert!(expected.contains(&error), "{error:?}");
    until(|| async { (read(a.metrics(), |m| &m.strangers_refused) >= 1).then_some(()) }).await;
    assert!(received.try_recv().is_err(), "nothing was delivered");
    assert_eq!(read(a.metrics(), |m| &m.bytes_in), 0);
    assert_eq!(a.reachable(), [(id("b"), false)]);
}

#[tokio::test]
async fn strangers_are_refused_over_tcp() {
    strangers_are_refused(TCP).await;
}

#[tokio::test]
async fn strangers_are_refused_over_quic() {
    strangers_are_refused(QUIC).await;
}

#[tokio::test]
async fn a_member_that_leaves_the_covenant_is_cut_off_and_one_that_returns_is_let_in() {
    let (b, received) = start("b", &[TCP], &[peer("a", &[])], 64).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    serve(received);
    a.request(&id("b"), Family::Board, vec![1]).await.unwrap();
    b.set_peers(Vec::new()).await;
    until(|| async { a.request(&id("b"), Family::Board, vec![1]).await.err() }).await;
    until(|| async {
        let _ = a.request(&id("b"), Family::Board, vec![1]).await;
        (read(b.metrics(), |m| &m.strangers_refused) >= 1).then_some(())
    })
    .await;
    assert_eq!(b.request(&id("a"), Family::Board, vec![1]).await, Err(RequestError::NotAMember(id("a"))));
    b.set_peers(vec![peer("a", &[])]).await;
    until(|| async { a.request(&id("b"), Family::Board, vec![1]).await.ok() }).await;
}

#[tokio::test]
async fn the_caller_is_told_what_cannot_be_asked() {
    let (a, _inbox) = start("a", &[], &[peer("a", &[]), peer("b", &[])], 64).await;
    assert_eq!(a.reachable(), [(id("b"), false)], "a node is not its own peer");
    assert_eq!(a.request(&id("a"), Family::Board, vec![]).await, Err(RequestError::Myself));
    assert_eq!(a.request(&id("c"), Family::Board, vec![]).await, Err(RequestError::NotAMember(id("c"))));
    let max = Family::Board.max_request();
    let too_large = RequestError::TooLarge { family: Family::Board, len: max + 1, max };
    assert_eq!(a.request(&id("b"), Family::Board, vec![0; max + 1]).await, Err(too_large));
}

#[tokio::test]
async fn a_request_that_the_node_drops_or_answers_too_long_is_closed_at_once() {
    let (b, mut received) = start("b", &[TCP], &[peer("a", &[])], 64).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    tokio::spawn(async move {
        drop(received.recv().await.unwrap().respond);
        received.recv().await.unwrap().respond.respond(vec![0; Family::Witness.max_response() + 1]);
    });
    for _ in 0..2 {
        let asked = a.request(&id("b"), Family::Witness, vec![1]).await;
        assert_eq!(asked, Err(RequestError::Refused(id("b"))));
    }
}

async fn a_member_that_is_down_is_unreachable_quickly_and_works_again(transport: &str) {
    let (b, received) = start("b", &[transport], &[peer("a", &[])], 64).await;
    let address = b.listening()[0].clone();
    let (a, _inbox) = start("a", &[], &[peer("b", std::slice::from_ref(&address))], 64).await;
    serve(received);
    a.request(&id("b"), Family::Board, vec![1]).await.unwrap();
    b.shutdown().await;
    let down = until(|| async { a.request(&id("b"), Family::Board, vec![1]).await.err() }).await;
    assert_ne!(down, RequestError::Timeout(id("b")));
    until(|| async {
        let error = a.request(&id("b"), Family::Board, vec![1]).await.unwrap_err();
        (error == RequestError::Unreachable(id("b"))).then_some(())
    })
    .await;
    let asked = Instant::now();
    assert_eq!(a.request(&id("b"), Family::Board, vec![1]).await, Err(RequestError::Unreachable(id("b"))));
    assert!(asked.elapsed() < Duration::from_secs(1), "a member known to be down costs no time");
    assert_eq!(a.reachable(), [(id("b"), false)]);
    let (_b, received) = start("b", &[&address.to_string()], &[peer("a", &[])], 64).await;
    serve(received);
    assert_eq!(until(|| async { a.request(&id("b"), Family::Board, vec![1, 2]).await.ok() }).await, [2, 1]);
}

#[tokio::test]
async fn down_and_up_over_tcp() {
    a_member_that_is_down_is_unreachable_quickly_and_works_again(TCP).await;
}

#[tokio::test]
async fn down_and_up_over_quic() {
    a_member_that_is_down_is_unreachable_quickly_and_works_again(QUIC).await;
}

#[tokio::test]
async fn one_address_that_works_is_enough() {
    let (b, received) = start("b", &[QUIC], &[peer("a", &[])], 64).await;
    serve(received);
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let addresses = [
        format!("/ip4/127.0.0.1/tcp/{dead}").parse().unwrap(),
        "/dns4/no-such-host.invalid/tcp/4001".parse().unwrap(),
        b.listening()[0].clone(),
    ];
    let (a, _inbox) = start("a", &[], &[peer("b", &addresses)], 64).await;
    assert_eq!(a.request(&id("b"), Family::Board, vec![1, 2]).await, Ok(vec![2, 1]));
}

#[tokio::test]
async fn another_key_at_a_members_address_is_not_the_member() {
    let (c, received) = start("c", &[TCP], &[peer("a", &[])], 64).await;
    serve(received);
    let (a, _inbox) = start("a", &[], &[peer("b", c.listening())], 64).await;
    assert_eq!(a.request(&id("b"), Family::Board, vec![1]).await, Err(RequestError::Unreachable(id("b"))));
}

#[tokio::test]
async fn two_hundred_requests_at_once_in_both_directions() {
    // Both dial each other at the same moment, over whichever transport wins.
    let (a, a_inbox) = start("a", &[TCP, QUIC], &[], 64).await;
    let (b, b_inbox) = start("b", &[TCP, QUIC], &[peer("a", a.listening())], 64).await;
    a.set_peers(vec![peer("b", b.listening())]).await;
    serve(a_inbox);
    serve(b_inbox);
    let ask = |from: &Network, to: &str, n: u16| {
        let (from, to) = (from.clone(), id(to));
        async move {
            (
                n,
                from.request(&to, Family::ALL[usize::from(n) % Family::ALL.len()], n.to_be_bytes().to_vec())
                    .await,
            )
        }
    };
    let both = (0..200).flat_map(|n| [tokio::spawn(ask(&a, "b", n)), tokio::spawn(ask(&b, "a", n))]);
    for done in futures::future::join_all(both.collect::<Vec<_>>()).await {
        let (n, answer) = done.unwrap();
        assert_eq!(answer.unwrap(), reversed(&n.to_be_bytes()));
    }
    assert_eq!(
        read(a.metrics(), |m| &m.requests_in_refused) + read(b.metrics(), |m| &m.requests_in_refused),
        0
    );
}

#[tokio::test]
async fn a_full_inbound_queue_closes_requests() {
    let (b, mut received) = start("b", &[TCP], &[peer("a", &[])], 1).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    let first = tokio::spawn({
        let a = a.clone();
        async move { a.request(&id("b"), Family::Board, vec![1]).await }
    });
    until(|| async { (read(b.metrics(), |m| &m.requests_in) == 1).then_some(()) }).await;
    assert_eq!(a.request(&id("b"), Family::Evaluate, vec![2]).await, Err(RequestError::Refused(id("b"))));
    assert_eq!(read(b.metrics(), |m| &m.requests_in_refused), 1);
    received.recv().await.unwrap().respond.respond(vec![3]);
    assert_eq!(first.await.unwrap(), Ok(vec![3]));
}

#[tokio::test]
async fn a_stopped_network_ends_its_requests() {
    let (b, _received) = start("b", &[TCP], &[peer("a", &[])], 64).await;
    let (a, _inbox) = start("a", &[], &[peer("b", b.listening())], 64).await;
    let open = tokio::spawn({
        let a = a.clone();
        async move { a.request(&id("b"), Family::Board, vec![1]).await }
    });
    until(|| async { (read(b.metrics(), |m| &m.requests_in) == 1).then_some(()) }).await;
    a.clone().shutdown().await;
    assert_eq!(open.await.unwrap(), Err(RequestError::Stopped));
    assert_eq!(a.request(&id("b"), Family::Board, vec![1]).await, Err(RequestError::Stopped));
}

#[tokio::test]
async fn an_address_that_is_not_ours_stops_the_start() {
    let (inbound, _received) = mpsc::channel(1);
    let listen = vec!["/ip4/192.0.2.1/tcp/0".parse().unwrap()];
    let error =
        Network::start(&Secret::new(seed("a")), id("a"), listen, vec![], inbound, None).await.unwrap_err();
    assert!(error.to_string().contains("/ip4/192.0.2.1/tcp/0"), "{error}");
}

/// A member that keeps no rule but libp2p's: it writes what it is told to, as often as it is told to.
#[derive(Clone)]
struct Lawless;

impl request_response::Codec for Lawless {
    type Protocol = &'static str;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await?;
        Ok(answer)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&request).await?;
        io.flush().await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        _: &mut T,
        _: Vec<u8>,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Sends `frames` to `to` at once and returns how many came back with an answer, empty or not, or an error.
async fn lawless(to: &Network, frames: Vec<Vec<u8>>) -> Vec<Result<Vec<u8>, String>> {
    let config = request_response::Config::default().with_max_concurrent_streams(1000);
    let protocol = [(Family::Witness.protocol(), ProtocolSupport::Outbound)];
    let mut swarm = SwarmBuilder::with_existing_identity(Keypair::ed25519_from_bytes(seed("a")).unwrap())
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| request_response::Behaviour::with_codec(Lawless, protocol, config))
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    let node = peer("b", &[]).peer_id;
    swarm.add_peer_address(node, to.listening()[0].clone());
    let mut open = frames.len();
    for frame in frames {
        swarm.behaviour_mut().send_request(&node, frame);
    }
    let mut answers = Vec::new();
    while open > 0 {
        let SwarmEvent::Behaviour(event) = swarm.select_next_some().await else { continue };
        match event {
            request_response::Event::Message {
                message: request_response::Message::Response { response, .. },
                ..
            } => answers.push(Ok(response)),
            request_response::Event::OutboundFailure { error, .. } => answers.push(Err(error.to_string())),
            _ => continue,
        }
        open -= 1;
    }
    answers
}

#[tokio::test]
async fn an_oversized_frame_is_refused_at_its_length_and_the_node_goes_on() {
    let (b, mut received) = start("b", &[TCP], &[peer("a", &[])], 64).await;
    let over = u32::try_from(Family::Witness.max_request() + 1).unwrap();
    let frames = [u32::MAX, over].map(|length| [&length.to_be_bytes()[..], &[0; 100]].concat());
    for answer in lawless(&b, frames.to_vec()).await {
        assert!(answer.is_err() || answer == Ok(vec![]), "{answer:?}");
    }
    assert!(received.try_recv().is_err());
    assert_eq!(read(b.metrics(), |m| &m.requests_in), 0);
    serve(received);
    assert_eq!(lawless(&b, vec![b"\0\0\0\x02ab".to_vec()]).await, [Ok(b"\0\0\0\x02ba".to_vec())]);
}

#[tokio::test]
async fn one_member_holds_a_bounded_number_of_open_requests() {
    let (b, received) = start("b", &[TCP], &[peer("a", &[])], 1000).await;
    let limit = Family::Witness.concurrent();
    let delivered = tokio::spawn(hold_until_quiet(received, limit));
    let answers = lawless(&b, vec![b"\0\0\0\x01a".to_vec(); 3 * limit]).await;
    let answered = answers.iter().filter(|answer| **answer == Ok(b"\0\0\0\x01z".to_vec())).count();
    assert_eq!(answered, limit);
    assert_eq!(delivered.await.unwrap(), limit);
    assert_eq!(read(b.metrics(), |m| &m.requests_in), limit as u64);
}

/// Takes in requests without answering until there are `limit` and no more come, then answers them all.
async fn hold_until_quiet(mut received: mpsc::Receiver<Inbound>, limit: usize) -> usize {
    let mut held = Vec::new();
    while let Ok(Some(inbound)) = tokio::time::timeout(Duration::from_secs(1), received.recv()).await {
        held.push(inbound);
    }
    let count = held.len();
    assert!(count <= limit, "{count} are open at once");
    held.into_iter().for_each(|inbound| inbound.respond.respond(b"z".to_vec()));
    count
}

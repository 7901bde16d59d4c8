//! What one member is shown is compared with what others are shown, and what does not fit is kept as evidence that a
//! board can check.
//!
//! `f` is a key holder and a matcher whose own node is stopped; this test speaks for it, with its keys.

use std::path::PathBuf;
use std::time::Duration;

use kring_node::clock::Clock;
use kring_node::network::{Family, Inbound, Network, Peer, peer_id};
use kring_protocol::board::replication::{Request as Read, Response as Shown, board_name, page, sign_head};
use kring_protocol::board::{Body, Entry};
use kring_protocol::codec::{Bytes, decode, encode};
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::crypto::sha256;
use kring_protocol::evaluation::{
    Acknowledgement, Announce, Evaluate, Header, HeaderHash, Request, Response, SignedHeader,
};
use kring_protocol::id::{Address, MemberId};
use kring_protocol::log::merkle::{Tree, leaf_hash};
use kring_protocol::oprf::blind;
use kring_protocol::sign::SigningKey;
use kring_tests::command::run;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::rngs::OsRng;
use tokio::sync::mpsc;

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const HONEST: [&str; 5] = ["a", "b", "c", "d", "e"];
const TIMEOUT: Duration = Duration::from_secs(60);

struct Hostile {
    network: Network,
    inbound: Option<mpsc::Receiver<Inbound>>,
    signing: SigningKey,
    covenant: VerifiedCovenant,
}

fn id(name: &str) -> MemberId {
    name.parse().unwrap()
}

impl Hostile {
    async fn new(founded: &Founded) -> Self {
        let node = founded.node("f");
        let member = Member::of(&node);
        let covenant = member.covenant().clone();
        let peer = |card: &kring_protocol::covenant::SignedCard| Peer {
            member: card.card.id.clone(),
            peer_id: peer_id(card.card.transport_key.as_bytes()).unwrap(),
            addresses: card.card.addresses.iter().map(|address| address.parse().unwrap()).collect(),
        };
        let peers = covenant.members.iter().map(peer).collect();
        let (sender, inbound) = mpsc::channel(64);
        let listen = node.config().listen;
        let network = Network::start(member.transport(), id("f"), listen, peers, sender, None).await.unwrap();
        Self { network, inbound: Some(inbound), signing: member.signing_key(), covenant }
    }

    fn header(&self, byte: u8) -> SignedHeader {
        let elements = blind(&[vec![byte]], &mut OsRng).unwrap().1;
        let header = Header {
            network: self.covenant.network(),
            covenant: self.covenant.hash(),
            epoch: self.covenant.epochs_on(Clock.now().day())[0],
            purpose: "first".parse().unwrap(),
            member: id("f"),
            seq: 1,
            total: 1,
            time: Clock.now(),
            count: 1,
            elements: sha256(elements.as_bytes()),
            keys: self.covenant.matchers_for(&id("f")),
            prev: HeaderHash::NONE,
        };
        header.sign(&self.signing).signed().clone()
    }

    async fn ask(&self, holder: &str, request: &Request) -> Response {
        let request = encode(request);
        loop {
            match self.network.request(&id(holder), Family::Evaluate, request.clone()).await {
                Ok(answer) => return decode(&answer).unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn announce(&self, to: &str, header: &SignedHeader) -> Acknowledgement {
        match self.ask(to, &Request::Announce(Announce { headers: vec![header.clone()] })).await {
            Response::Acknowledged(given) => given,
            other => panic!("{other:?}"),
        }
    }

    /// Goes on with one side of a chain: shows it to two holders, takes a helper's word as the third, and has the first
    /// holder answer.
    async fn go_on(
        &self,
        last: Option<&SignedHeader>,
        holders: [&str; 2],
        (helper, key): (&str, &SigningKey),
    ) -> SignedHeader {
        let elements = blind(&[vec![1]], &mut OsRng).unwrap().1;
        let mut header = self.header(1).header;
        header.elements = sha256(elements.as_bytes());
        if let Some(SignedHeader { header: last, .. }) = last {
            (header.seq, header.total, header.prev) = (last.seq + 1, last.total + 1, last.hash());
        }
        let signed = header.sign(&self.signing);
        let (epoch, hash) = (signed.header().epoch, signed.hash());
        let mut acknowledgements = vec![Acknowledgement::sign(id(helper), hash, key)];
        for holder in holders {
            acknowledgements.push(self.announce(holder, signed.signed()).await);
        }
        let elements = Bytes(elements.to_bytes());
        let evaluate = Request::Evaluate(Evaluate { epoch, header: hash, acknowledgements, elements });
        let answer = self.ask(holders[0], &evaluate).await;
        assert!(matches!(answer, Response::Answered(_)), "{answer:?}");
        signed.signed().clone()
    }

    /// Shows one board to `a`, and another to everyone else, one entry longer.
    async fn show_two_boards(mut self) {
        let name = board_name(&self.covenant.network(), &id("f"));
        let entry = |byte: u8| {
            Entry { address: Address::from_bytes([byte; 16]), body: Body::from_bytes([byte; 640]) }.to_bytes()
        };
        let board = |bytes: &[u8]| -> (Tree, Vec<u8>) {
            let leaves = bytes.iter().map(|byte| leaf_hash(&entry(*byte))).collect();
            (leaves, bytes.iter().flat_map(|byte| entry(*byte)).collect())
        };
        let (for_a, for_others) = (board(&[1, 2, 3]), board(&[1, 2, 4, 5]));
        let mut inbound = self.inbound.take().unwrap();
        while let Some(Inbound { from, family, bytes, respond }) = inbound.recv().await {
            let Ok(Read::Read { from: at, .. }) = decode(&bytes) else { continue };
            if family != Family::Board {
                continue;
            }
            let (tree, entries) = if from == id("a") { &for_a } else { &for_others };
            let rest = entries.get(usize::try_from(at).unwrap() * 656..).unwrap_or_default();
            let shown = if rest.is_empty() {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Shown::Nothing
            } else {
                let head = sign_head(tree, &name, &self.signing);
                Shown::Entries(Box::new(page(tree, &head, tree.size(), at, rest).unwrap()))
            };
            respond.respond(encode(&shown));
        }
    }
}

/// The records of one kind that a node has written.
fn kept(founded: &Founded, node: &str, kind: &str) -> Vec<PathBuf> {
    let dir = founded.node(node).dir().join("data/evidence");
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.to_string_lossy().ends_with(".evidence") && file.to_string_lossy().contains(kind))
        .collect()
}

/// f signs two requests with one number, shows one to a, b and c and the other to d and e, and shows a another board than
/// the rest. Nobody received both; all have proof, and it convicts f for whoever has the covenant.
#[tokio::test(flavor = "multi_thread")]
async fn two_tales_become_evidence() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    founded.start(&MEMBERS);
    founded.kill("f");
    let hostile = Hostile::new(&founded).await;
    let (one, other) = (hostile.header(1), hostile.header(2));
    for node in HONEST {
        hostile.announce(node, if ["a", "b", "c"].contains(&node) { &one } else { &other }).await;
    }
    let boards = tokio::spawn(hostile.show_two_boards());
    tokio::task::block_in_place(|| {
        for node in HONEST {
            until("a number used twice is proven", TIMEOUT, || {
                (kept(&founded, node, "-headers-").len() == 1).then_some(())
            });
        }
        // Everyone disagrees with a about the board, and a with everyone.
        for node in HONEST {
            until("two boards are proven", TIMEOUT, || {
                (kept(&founded, node, "-fork-").len() == 1).then_some(())
            });
        }
    });
    boards.abort();
    board_checks(&founded, &place);
}

/// A board checks the records with the covenant and nothing else.
fn board_checks(founded: &Founded, place: &Place) {
    let covenant = founded.node("a").config().covenant_file.to_string_lossy().into_owned();
    let out = place.path().join("for-the-board").to_string_lossy().into_owned();
    for node in HONEST {
        let dir = founded.node(node).dir().to_string_lossy().into_owned();
        let (code, stdout, log) = run(&["audit", "evidence", "--dir", &dir, "--out", &out, "--json"]);
        assert_eq!(code, 0, "{log}");
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        let rows = report["evidence"].as_array().unwrap();
        let convicted: Vec<_> = rows.iter().map(|row| (row["kind"].as_str(), &row["members"])).collect();
        let f = serde_json::json!(["f"]);
        assert_eq!(convicted, [(Some("fork"), &f), (Some("headers"), &f)]);
    }
    let files: Vec<_> = std::fs::read_dir(&out).unwrap().map(|file| file.unwrap().path()).collect();
    let names: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let (code, stdout, _) =
        run(&[&["audit", "evidence", "--covenant", &covenant], names.as_slice()].concat());
    assert_eq!(code, 0);
    assert!(stdout.contains("f signed two different requests with number 1"), "{stdout}");
    assert!(stdout.contains("(protocol section 6.1)"), "{stdout}");

    let mut altered = std::fs::read(&files[0]).unwrap();
    let end = altered.len() - 1;
    altered[end] ^= 1;
    std::fs::write(&files[0], altered).unwrap();
    let (code, stdout, _) = run(&["audit", "evidence", "--covenant", &covenant, names[0]]);
    assert_eq!((code, stdout.starts_with("unproven")), (1, true), "{stdout}");
    std::fs::write(&files[0], [9, 0]).unwrap();
    let (code, stdout, _) = run(&["audit", "evidence", "--covenant", &covenant, names[0]]);
    assert_eq!((code, stdout.contains("version 9")), (1, true), "{stdout}");
    let (code, ..) = run(&["audit", "evidence", names[0]]);
    assert_eq!(code, 2, "files need a covenant");
}

/// f carries on with two chains, each before two honest holders. The third signature under either is e's. What came with
/// the requests they answered convicts e, and nobody else, also where one holder was down in between and where the two
/// sides have come to different numbers.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_holder_that_helps_to_fork_is_convicted() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    founded.start(&MEMBERS);
    founded.kill("f");
    founded.kill("e");
    let helper = Member::of(&founded.node("e")).signing_key();
    let hostile = Hostile::new(&founded).await;
    let mut one = None;
    for _ in 0..3 {
        one = Some(hostile.go_on(one.as_ref(), ["a", "b"], ("e", &helper)).await);
    }
    founded.kill("a");
    hostile.go_on(None, ["c", "d"], ("e", &helper)).await;
    tokio::task::block_in_place(|| {
        founded.start(&["a"]);
        until("the helper is convicted", TIMEOUT, || {
            (kept(&founded, "a", "e-served-twice-").len() == 1).then_some(())
        });
    });
    let covenant = founded.node("a").config().covenant_file.to_string_lossy().into_owned();
    let record = kept(&founded, "a", "-served-twice-");
    let (code, stdout, log) =
        run(&["audit", "evidence", "--covenant", &covenant, record[0].to_str().unwrap()]);
    assert_eq!((code, record.len()), (0, 1), "{log}");
    assert!(stdout.contains("e served two different requests of f with number 1 of epoch"), "{stdout}");
    for node in ["a", "b", "c", "d"] {
        let names = kept(&founded, node, "");
        let accused = names.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
        let others: Vec<_> =
            accused.filter(|name| !name.starts_with("e-served") && !name.starts_with("f-")).collect();
        assert_eq!(others, [] as [String; 0], "{node} accuses somebody else");
    }
}

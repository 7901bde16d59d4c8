//! A matcher that gives receipts and does not keep what they promise. It speaks for a member whose own node is stopped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kring_node::network::{Family, Inbound, Network, Peer, peer_id};
use kring_protocol::board::replication::{Request as Read, Response as Shown, board_name, page, sign_head};
use kring_protocol::board::{Body, ENTRY_LEN, Entry, Met, Post, post_address, seal_post};
use kring_protocol::codec::{decode, encode};
use kring_protocol::id::Address;
use kring_protocol::log::merkle::{Tree, leaf_hash};
use kring_protocol::log::witness::{Head, board_key, cosign};
use kring_protocol::meeting::{Announcement, Meeting, TakenIn};
use kring_protocol::relay::{Outcome, Refusal, Relayed, Request, Response};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::submission::{self, Content, Destination, Leave, WeeklyKey};
use kring_protocol::time::Timestamp;
use rand::RngCore as _;
use rand::rngs::OsRng;
use tokio::sync::mpsc;

use crate::impostor::Member;
use crate::node::Node;

/// What it does with what follows from submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Posts all of it.
    Honest,
    /// Posts nothing.
    Withholds,
    /// Tells of submissions that it made itself, and of no others.
    Invents,
    /// Posts what follows three days later.
    Delays,
    /// Posts all of it, and introduces what was withdrawn once more.
    Revives,
    /// Posts all of it, and introduces what was withdrawn to whoever comes later.
    RevivesLater,
    /// Posts all of it twice.
    Repeats,
}

/// How late [`Conduct::Delays`] is, in seconds.
const DELAY_SECS: u64 = 3 * 86_400;

/// The matcher.
#[derive(Debug)]
pub struct Rogue {
    member: Member,
    destination: Destination,
    weekly: ExchangeSecret,
    clock: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    conduct: Conduct,
    meeting: Meeting,
    late: Vec<(Timestamp, Announcement)>,
    introduced: Vec<Announcement>,
    left: Vec<Leave>,
    tree: Tree,
    entries: Vec<u8>,
}

impl Rogue {
    /// In place of a stopped node; `clock` shows seconds since 1970.
    #[must_use]
    pub fn new(node: &Node, clock: Arc<AtomicU64>) -> Arc<Self> {
        let member = Member::of(node);
        let destination = Destination { network: member.covenant().network(), matcher: member.id().clone() };
        let meeting = Meeting::new(destination.clone());
        let (late, introduced, left) = (Vec::new(), Vec::new(), Vec::new());
        let (conduct, tree, entries) = (Conduct::Honest, Tree::new(), Vec::new());
        let state = State { conduct, meeting, late, introduced, left, tree, entries };
        let state = Mutex::new(state);
        let weekly = ExchangeSecret::from_bytes(Secret::random(&mut OsRng));
        Arc::new(Self { member, destination, weekly, clock, state })
    }

    /// What it does from now on.
    pub fn behave(&self, conduct: Conduct) {
        self.state().conduct = conduct;
    }

    /// Posts something for nobody here, so that readers see a new head.
    pub fn post_anything(&self) {
        let mut bytes = [0; ENTRY_LEN];
        OsRng.fill_bytes(&mut bytes);
        self.state().append(&Entry::from_bytes(&bytes));
    }

    /// How many submissions were left here, and how many of them have ended.
    #[must_use]
    pub fn left(&self) -> (usize, usize) {
        let state = self.state();
        (state.left.len(), state.left.len() - state.meeting.len())
    }

    /// Appends all that stands on its board once more.
    pub fn repeat_all(&self) {
        let mut state = self.state();
        let all = state.entries.clone();
        let (entries, _) = all.as_chunks::<ENTRY_LEN>();
        entries.iter().for_each(|bytes| state.append(&Entry::from_bytes(bytes)));
    }

    /// Entries of its board.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.state().tree.size()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.clock.load(Ordering::Relaxed))
    }

    /// Answers other members for as long as it is polled.
    ///
    /// # Panics
    /// When the system refuses the member's address.
    pub async fn serve(self: Arc<Self>, node: Node) {
        let peer = |card: &kring_protocol::covenant::SignedCard| Peer {
            member: card.card.id.clone(),
            peer_id: peer_id(card.card.transport_key.as_bytes()).expect("the covenant was checked"),
            addresses: card.card.addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        };
        let peers = self.member.covenant().members.iter().map(peer).collect();
        let (sender, mut inbound) = mpsc::channel(64);
        let (transport, id) = (self.member.transport(), self.member.id().clone());
        let network = Network::start(transport, id, node.config().listen, peers, sender, None).await;
        let _network = network.expect("its node is stopped");
        while let Some(Inbound { family, bytes, respond, .. }) = inbound.recv().await {
            let answer = match family {
                Family::Forward => self.forward(&bytes),
                Family::Board => self.board(&bytes),
                _ => continue,
            };
            if let Some(answer) = answer {
                respond.respond(answer);
            }
        }
    }

    fn forward(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let signing = self.member.signing_key();
        let response = match decode(bytes).ok()? {
            Request::WeeklyKey => {
                let week = self.now().day().week();
                let sign = |week| WeeklyKey::sign(&self.destination, week, self.weekly.public(), &signing);
                Response::WeeklyKeys([week, week + 1].map(sign).to_vec())
            }
            Request::Relayed { items, .. } => {
                Response::Outcomes(items.iter().map(|item| self.take(item)).collect())
            }
            Request::Forward { .. } => Response::Refused(Refusal::Path),
        };
        Some(encode(&response))
    }

    fn take(&self, item: &Relayed) -> Outcome {
        let Ok(opened) = submission::open(item.sealed.as_ref(), &self.destination, &self.weekly) else {
            return Outcome::Refused(Refusal::Unopenable);
        };
        let today = self.now().day();
        let mut state = self.state();
        let taken = match &opened.submission.content {
            Content::Leave(leave) => state.meeting.leave(leave, today),
            Content::Withdraw(withdraw) => state.meeting.withdraw(withdraw),
            Content::Post(post) => {
                if !matches!(state.conduct, Conduct::Withholds | Conduct::Invents | Conduct::Delays) {
                    state.append(&Entry::from(&**post));
                }
                Ok(TakenIn::Known)
            }
            Content::Dummy(_) => Ok(TakenIn::Known),
        };
        match taken {
            Err(refusal) => return Outcome::Refused(refusal),
            Ok(TakenIn::Known) => {}
            Ok(TakenIn::New { change, .. }) => {
                change.announcements.into_iter().for_each(|it| self.announce(&mut state, it));
                if let Content::Leave(leave) = &opened.submission.content {
                    self.revive_for(&mut state, leave);
                }
            }
        }
        Outcome::Receipt(opened.receipt(today, true, &self.destination, &self.member.signing_key()))
    }

    fn revive_for(&self, state: &mut State, leave: &Leave) {
        let ended = |old: &&Leave| old.tag == leave.tag && state.meeting.live(&old.mailbox).is_none();
        let ended: Vec<_> = state.left.iter().filter(ended).cloned().collect();
        for Leave { mailbox, withdraw_key, expiry, hello, .. } in ended {
            if state.conduct == Conduct::RevivesLater {
                let met = Post::Met(Box::new(Met { mailbox, withdraw_key, expiry, hello }));
                let (to, inbox) = (leave.mailbox, leave.inbox);
                let announcement = Announcement { to, inbox, n: 0, post: met.clone() };
                self.post(state, &announcement, met);
            }
        }
        state.left.push(leave.clone());
    }

    fn announce(&self, state: &mut State, announcement: Announcement) {
        let post = match (state.conduct, announcement.post.clone()) {
            (Conduct::Withholds, _) => return,
            (Conduct::Delays, _) => {
                state.late.push((self.now(), announcement));
                return;
            }
            (Conduct::Invents, Post::Met(met)) => {
                let mailbox = ExchangeSecret::from_bytes(Secret::random(&mut OsRng)).public();
                Post::Met(Box::new(Met { mailbox, ..*met }))
            }
            (_, post) => post,
        };
        let withdrawn = match &post {
            Post::Withdrawn(withdraw) if state.conduct == Conduct::Revives => Some(withdraw.mailbox),
            _ => None,
        };
        if state.conduct == Conduct::Repeats {
            self.post(state, &announcement, post.clone());
        }
        self.post(state, &announcement, post);
        let of = |it: &&Announcement| {
            it.to == announcement.to && matches!(&it.post, Post::Met(met) if Some(met.mailbox) == withdrawn)
        };
        if let Some(old) = state.introduced.iter().find(of).cloned() {
            let again = Announcement { n: announcement.n + 1, ..announcement.clone() };
            self.post(state, &again, old.post);
        }
        if matches!(announcement.post, Post::Met(_)) {
            state.introduced.push(announcement);
        }
    }

    fn post(&self, state: &mut State, announcement: &Announcement, post: Post) {
        let Announcement { to, inbox, n, .. } = announcement;
        let body: Body = seal_post(post, to, &self.destination, &self.member.signing_key(), &mut OsRng);
        let address: Address = post_address(inbox, *n);
        state.append(&Entry { address, body });
    }

    fn board(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Read::Read { matcher, from, .. } = decode(bytes).ok()?;
        let now = self.now();
        let mut state = self.state();
        let late = std::mem::take(&mut state.late);
        for (since, announcement) in late {
            if since.plus_secs(DELAY_SECS) > now {
                state.late.push((since, announcement));
            } else {
                self.post(&mut state, &announcement, announcement.post.clone());
            }
        }
        let start = usize::try_from(from).ok()?.checked_mul(ENTRY_LEN)?;
        let rest = state.entries.get(start..).unwrap_or_default();
        if matcher != *self.member.id() || rest.is_empty() {
            return Some(encode(&Shown::Nothing));
        }
        let signing = self.member.signing_key();
        let network = self.destination.network;
        let note = sign_head(&state.tree, &board_name(&network, &matcher), &signing);
        let mut head = Head::verify(note, &board_key(&network, &matcher, signing.verifying_key())).ok()?;
        cosign(&mut head, &state.tree, now, (&network, &matcher), &signing).ok()?;
        let page = page(&state.tree, &head.note, state.tree.size(), from, rest)?;
        Some(encode(&Shown::Entries(Box::new(page))))
    }
}

impl State {
    fn append(&mut self, entry: &Entry) {
        let bytes = entry.to_bytes();
        self.tree.append(leaf_hash(&bytes));
        self.entries.extend_from_slice(&bytes);
    }
}

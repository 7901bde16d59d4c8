//! Signals of honest members, from evaluation to board, with everything that each member sees on the way.
//!
//! Nothing here looks at what was seen. What a member sees is kept as the bytes that went over the wire or into its
//! store; hellos are kept apart too, because they are tried one by one.

use std::collections::BTreeMap;

use kring_protocol::board::{Entry, post_address, seal_post};
use kring_protocol::codec::encode;
use kring_protocol::evaluation::{
    Acknowledgement, Announce, Asker, Chain, Decision, KeyResult, NewRequest, Outcome, Outgoing, Progress,
    Reason, Refused, Request, Response, SignedHeader, VerifiedHeader, answer,
};
use kring_protocol::id::Reference;
use kring_protocol::meeting::{Meeting, TakenIn};
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use kring_protocol::relay::{self, Relay, TicketMaker, forward, verify_relayed};
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::SubjectKey;
use kring_protocol::submission::{self, Content, Leave, Submission};
use kring_protocol::time::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, Error, RngCore, SeedableRng};
use sha2::{Digest, Sha512};

use crate::network::{EPOCH, Guard, Network, TODAY, id, index, purpose, trace_secret, weekly_secret};

fn now() -> Timestamp {
    TODAY.start().plus_secs(43_200)
}

/// What one member has seen.
#[derive(Default)]
pub(super) struct View {
    /// Messages and records, one after the other.
    pub(super) bytes: Vec<u8>,
    /// As matcher.
    pub(super) leaves: Vec<Leave>,
    /// As relay: who gave what to be passed on (SHA-256 of what was sealed).
    pub(super) carried: Vec<(usize, submission::Sha256)>,
    /// As matcher: which tag came sealed in what.
    pub(super) opened: Vec<(submission::Sha256, kring_protocol::id::Tag)>,
}

/// One network at work.
pub(super) struct Play<'a> {
    pub(super) network: &'a Network,
    pub(super) views: Vec<View>,
    /// What every member has: covenant, pepper, public shares, boards.
    pub(super) public: Vec<u8>,
    /// What the two trace keys open of what matchers keep: seen by who has both.
    pub(super) traces: Vec<u8>,
    /// By holder and asker.
    pub(super) chains: BTreeMap<(usize, usize), Chain>,
    headers: BTreeMap<usize, Vec<SignedHeader>>,
    meetings: BTreeMap<usize, Meeting>,
    tickets: BTreeMap<usize, TicketMaker>,
    rng: ChaCha20Rng,
}

impl<'a> Play<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let mut views: Vec<View> = network.covenant.members.iter().map(|_| View::default()).collect();
        for ((holder, _), share) in &network.shares {
            views[*holder].bytes.extend_from_slice(share.to_bytes().expose());
        }
        Self {
            network,
            views,
            public: network.common.clone(),
            traces: Vec::new(),
            chains: BTreeMap::new(),
            headers: BTreeMap::new(),
            meetings: BTreeMap::new(),
            tickets: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(7),
        }
    }

    /// Evaluates by every rule. None when too few holders answer.
    pub(super) fn evaluate(&mut self, asker: &mut Asker, inputs: &[Vec<u8>]) -> Option<Vec<KeyResult>> {
        let (terms, me) = (&self.network.terms, index(asker.member()));
        let request = NewRequest { terms, purpose: &purpose(), inputs, preferred: &[] };
        let key = self.network.key(me);
        let header = if self.network.missing == Some(Guard::Blinds) {
            asker.begin(request, key, now(), &mut Ones)
        } else {
            asker.begin(request, key, now(), &mut self.rng)
        };
        self.headers.entry(me).or_default().push(header.unwrap().clone());
        loop {
            let outgoing = asker.outgoing();
            if outgoing.is_empty() {
                break;
            }
            for (holder, message) in outgoing {
                self.carry(asker, index(&holder), &message);
            }
        }
        if asker.progress() == Progress::Complete {
            return Some(asker.finish().unwrap());
        }
        asker.abandon();
        None
    }

    /// One message to a holder and its reply back; both ends see both.
    fn carry(&mut self, asker: &mut Asker, holder: usize, message: &Outgoing) {
        let me = index(asker.member());
        let request = match message {
            Outgoing::Announce(range) => {
                let range =
                    usize::try_from(range.start() - 1).unwrap()..usize::try_from(*range.end()).unwrap();
                Request::Announce(Announce { headers: self.headers[&me][range].to_vec() })
            }
            Outgoing::Evaluate => Request::Evaluate(asker.evaluate_message().unwrap()),
        };
        let response = self.serve(holder, me, &request);
        for member in [holder, me] {
            self.views[member].bytes.extend(encode(&request));
            self.views[member].bytes.extend(encode(&response));
        }
        match response {
            Response::Acknowledged(given) => asker.acknowledged(&id(holder), given),
            Response::Answered(answer) => asker.answered(&id(holder), answer).unwrap(),
            Response::Refused(refused) => asker.refused(&id(holder), &refused),
            other => panic!("{other:?}"),
        }
    }

    /// A key holder that keeps the rules.
    fn serve(&mut self, holder: usize, peer: usize, request: &Request) -> Response {
        let terms = &self.network.terms;
        let chain = self.chains.entry((holder, peer)).or_insert_with(|| Chain::new(id(peer)));
        let refuse = |reason: Reason, chain: &Chain| {
            Response::Refused(Refused { reason, highest: chain.last().cloned() })
        };
        match request {
            Request::Announce(Announce { headers }) => {
                let key = self.network.key(peer).verifying_key();
                let verified: Vec<VerifiedHeader> =
                    headers.iter().map(|header| header.clone().verify(&key).unwrap()).collect();
                let entered = chain.enter(&verified, |_| None, terms, now());
                *chain = entered.chain;
                match entered.outcome {
                    Outcome::Acknowledge(hash) => Response::Acknowledged(Acknowledgement::sign(
                        id(holder),
                        hash,
                        self.network.key(holder),
                    )),
                    Outcome::Refuse(reason) => refuse(reason, chain),
                    Outcome::Fraud(_) => panic!("nobody uses a number twice here"),
                }
            }
            Request::Evaluate(evaluate) => match chain.decide(evaluate, terms, &id(holder), now()) {
                Decision::Refuse(reason) => refuse(reason, chain),
                Decision::Stored => panic!("nobody asks twice here"),
                Decision::Answer { chain: next, elements, keys, .. } => {
                    *chain = *next;
                    let share = |matcher| &self.network.shares[&(holder, index(matcher))];
                    let shares: Vec<_> = keys.iter().map(|key| (&key.matcher, share(&key.matcher))).collect();
                    let signing = self.network.key(holder);
                    let hash = evaluate.header;
                    Response::Answered(answer(id(holder), signing, hash, &elements, &shares, &mut self.rng))
                }
            },
            other => panic!("{other:?}"),
        }
    }

    /// Evaluates inputs and leaves each at every matcher.
    pub(super) fn signal(&mut self, sender: usize, inputs: &[Vec<u8>]) {
        let mut results = self.evaluate(&mut Asker::new(id(sender), None), inputs).unwrap();
        for result in &mut results {
            let matcher = index(&result.matcher);
            if self.network.missing == Some(Guard::Oprf) {
                let hashed = |input: &Vec<u8>| hashed_key(self.network, matcher, input);
                result.subject_keys = inputs.iter().map(hashed).collect();
            }
            for (counter, key) in (0..).zip(&result.subject_keys) {
                self.leave(sender, matcher, key, counter);
            }
        }
    }

    fn leave(&mut self, sender: usize, matcher: usize, key: &SubjectKey, counter: u64) {
        let network = self.network;
        let root = WithdrawRoot(Secret::random(&mut self.rng));
        let number = WithdrawNumber { generation: 0, counter };
        let mut reference = [0; 16];
        self.rng.fill_bytes(&mut reference);
        let references = vec![Reference::from_bytes(reference)];
        let expiry = network.covenant.epochs.last_day(EPOCH);
        let own = OwnSubmission::draw(references, 2, expiry, number, &mut self.rng);
        let name = Some((&id(sender), network.key(sender)));
        let leave = own.leave(key, &network.scope(matcher), Leaver { name, root: &root }, None);
        let content = Content::Leave(Box::new(leave));
        let destination = network.destination(matcher);
        let submission = Submission { day: TODAY, content };
        let sealed =
            submission::seal(&submission, &destination, &weekly_secret(matcher).public(), &mut self.rng);
        // Through a relay and, as when its receipt does not come, through the spare.
        let relays = network.covenant.relays_for(&id(sender), &id(matcher));
        let first = usize::try_from(self.rng.next_u32()).unwrap();
        for place in [first, first.wrapping_add(1)].iter().take(relays.len()) {
            let relay = index(&relays[place % relays.len()]);
            self.pass_on(sender, relay, matcher, &sealed);
            if network.missing == Some(Guard::Seals) {
                self.views[relay].bytes.extend(submission.to_plaintext());
            }
        }
        let opened = submission::open(&sealed.sealed, &destination, &weekly_secret(matcher)).unwrap();
        self.take_in(matcher, &opened);
    }

    fn pass_on(
        &mut self,
        sender: usize,
        relay: usize,
        matcher: usize,
        sealed: &submission::SealedSubmission,
    ) {
        let network = self.network;
        let destination = network.destination(matcher);
        let item = forward(sealed, &destination, &id(relay), TODAY, network.key(sender));
        let items = vec![item.clone()];
        let forwarded = relay::Request::Forward { matcher: id(matcher), day: TODAY, items };
        let rng = &mut self.rng;
        let new_day = || TicketMaker::new(&destination.network, &network.trace_keys(), rng);
        let tickets = self.tickets.entry(relay).or_insert_with(new_day);
        let rules = Relay { destination: &destination, me: &id(relay), key: network.key(relay), day: TODAY };
        let sender_key = network.key(sender).verifying_key();
        let relayed = rules.pass_on(item, &id(sender), &sender_key, tickets, &mut self.rng).unwrap();
        let relay_key = network.key(relay).verifying_key();
        verify_relayed(&relayed, &sealed.sealed_hash, &destination, TODAY, &relay_key).unwrap();
        let [first, second] = &network.covenant.trace_keys;
        let outer = relayed.ticket.open_outer(&destination.network, second, &trace_secret(index(second)));
        let trace =
            outer.unwrap().open_inner(&destination.network, first, &trace_secret(index(first))).unwrap();
        assert_eq!(trace.member, id(sender));
        self.traces.extend_from_slice(trace.signature.as_bytes());

        self.views[relay].carried.push((sender, sealed.sealed_hash));
        self.views[relay].bytes.extend(encode(&forwarded));
        let relayed = encode(&relay::Request::Relayed { day: TODAY, items: vec![relayed] });
        self.views[relay].bytes.extend_from_slice(&relayed);
        self.views[matcher].bytes.extend(relayed);
    }

    fn take_in(&mut self, matcher: usize, opened: &submission::OpenedSubmission) {
        let Content::Leave(leave) = &opened.submission.content else { panic!("only leaves are sent") };
        let destination = self.network.destination(matcher);
        let view = &mut self.views[matcher];
        view.bytes.extend_from_slice(&opened.plaintext);
        view.opened.push((opened.sealed_hash, leave.tag));
        view.leaves.push((**leave).clone());
        let meeting = self.meetings.entry(matcher).or_insert_with(|| Meeting::new(destination.clone()));
        let TakenIn::New { change, .. } = meeting.leave(leave, TODAY).unwrap() else { panic!("it is new") };
        for post in change.announcements {
            let key = self.network.key(matcher);
            let body = seal_post(post.post, &post.to, &destination, key, &mut self.rng);
            let entry = Entry { address: post_address(&post.inbox, post.n), body };
            self.public.extend_from_slice(&entry.to_bytes());
        }
    }
}

/// What a subject key would be if it were a hash that everybody can compute.
pub(super) fn hashed_key(network: &Network, matcher: usize, input: &[u8]) -> SubjectKey {
    SubjectKey::derive(&Secret::new(Sha512::digest(input).into()), &network.scope(matcher))
}

/// Draws the scalar one, so that a blind does nothing.
pub(super) struct Ones;

impl CryptoRng for Ones {}

impl RngCore for Ones {
    fn next_u32(&mut self) -> u32 {
        1
    }

    fn next_u64(&mut self) -> u64 {
        1
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        to.fill(0);
        to[0] = 1;
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

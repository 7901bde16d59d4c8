//! A network in memory: a covenant of six, their keys, and whatever its members sign, honestly or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::board::{Body, Met, Post, SignedPost, open_signed_post, seal_post};
use crate::ceremony::message::{Commitment, Share};
use crate::ceremony::{
    Abort, Ceremony, Effect, Evidence as Package, Fault, KeyId, KeySpec, SessionId, Setup, SignedKeyRecord,
};
use crate::codec::Bytes;
use crate::covenant::VerifiedCovenant;
use crate::covenant::tests::{Founder, covenant, founders, signed};
use crate::evaluation::{Header, HeaderHash, SignedAnswer, VerifiedHeader, answer};
use crate::evidence::*;
use crate::id::{Address, Epoch, Reference};
use crate::log::checkpoint::Checkpoint;
use crate::log::merkle::{Hash, Tree, leaf_hash};
use crate::log::note::Note;
use crate::log::witness::{board_key, witness_key};
use crate::oprf::{Elements, KeyShare, blind};
use crate::relay::{Forward, PassedOn, Relay, TicketMaker, TraceKeys, forward};
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::hello::Envelope;
use crate::submission::{
    self, Content, Hello, Inbox, Leave, OpenedSubmission, PostRequest, Promise, SealedSubmission, Submission,
};
use crate::time::Timestamp;

/// The day on which everything happens here.
pub(super) const TODAY: Day = Day::from_days(20_010);
pub(super) const EXPIRY: Day = Day::from_days(20_088);
pub(super) const EPOCH: Epoch = Epoch(1);

pub(super) fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) struct World {
    founders: Vec<Founder>,
    pub covenant: VerifiedCovenant,
    pub records: Vec<SignedKeyRecord>,
    shares: BTreeMap<(MemberId, MemberId), KeyShare>,
    /// What holders said in the ceremony that made the keys.
    pub packages: Vec<Package>,
    weekly: ExchangeSecret,
}

impl World {
    /// p0 to p5 hold keys, p2 to p5 are matchers, p0 and p1 hold trace keys. Their keys are made by a whole ceremony.
    pub(super) fn new(seed: u64) -> Self {
        let founders = founders(6);
        let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
        let weekly = ExchangeSecret::from_bytes(Secret::random(&mut rng(seed)));
        let (records, shares, packages) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut world = Self { founders, covenant, records, shares, packages, weekly };
        world.make_keys(seed);
        world
    }

    pub(super) fn key(&self, member: &str) -> &SigningKey {
        &self.founders.iter().find(|founder| founder.card.card.id.as_str() == member).unwrap().key
    }

    pub(super) fn evidence(&self, violation: Violation) -> Evidence {
        Evidence { network: self.covenant.network(), violation }
    }

    pub(super) fn destination(&self, matcher: &str) -> Destination {
        Destination { network: self.covenant.network(), matcher: id(matcher) }
    }

    pub(super) fn spec(&self, matcher: &str) -> KeySpec {
        let key = KeyId { purpose: "jeugd".parse().unwrap(), matcher: id(matcher) };
        KeySpec::new(key, self.covenant.holders_of(&id(matcher))).unwrap()
    }

    fn make_keys(&mut self, seed: u64) {
        let members: Vec<MemberId> = self.covenant.key_holders.clone();
        let holders: BTreeMap<_, _> = members
            .iter()
            .map(|member| (member.clone(), self.key(member.as_str()).verifying_key()))
            .collect();
        let mut rng = rng(seed);
        let mut nodes: Vec<Ceremony> = Vec::new();
        for (place, me) in (0..).zip(&members) {
            let key: u8 = place;
            let setup = Setup {
                network: self.covenant.network(),
                covenant: self.covenant.hash(),
                epoch: EPOCH,
                specs: ["p2", "p3", "p4", "p5"].map(|matcher| self.spec(matcher)).to_vec(),
                holders: holders.clone(),
                me: me.clone(),
                signing_key: Arc::new(SigningKey::from_seed(&Secret::new([16 + key; 32]))),
            };
            nodes.push(Ceremony::new(setup, None, &mut rng).unwrap());
        }
        let mut done = 0;
        while done < nodes.len() {
            // A holder that is done completes no second time.
            for (from, to) in (0..6).flat_map(|from| (0..6).map(move |to| (from, to))) {
                if from != to {
                    done += self.poll(&mut nodes, &members, (from, to));
                }
            }
        }
    }

    fn poll(&mut self, nodes: &mut [Ceremony], members: &[MemberId], (from, to): (usize, usize)) -> usize {
        let response = nodes[to].handle_request(&members[from], &nodes[from].poll_request());
        if let crate::ceremony::Response::Working(working) = &response {
            self.packages.extend(working.commitments.iter().cloned().map(Package::Commitment));
            self.packages.extend(working.shares.iter().cloned().map(Package::Share));
            self.packages.extend(working.confirms.iter().cloned().map(Package::Confirm));
        }
        let mut effects = nodes[from].handle_response(&members[to], response);
        let mut done = 0;
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Persist { session, .. } => effects.extend(nodes[from].persisted(session)),
                Effect::Complete(outcome) => {
                    done += 1;
                    self.records = outcome.records;
                    for (key, share) in outcome.shares {
                        let share = KeyShare::from_bytes(&share).unwrap();
                        self.shares.insert((members[from].clone(), key.matcher), share);
                    }
                }
                Effect::Abort(abort) => panic!("{abort}"),
            }
        }
        done
    }

    /// The header that `member` would sign after `last`, for some elements.
    pub(super) fn header(&self, member: &str, last: Option<&VerifiedHeader>, elements: &Elements) -> Header {
        let count = u32::try_from(elements.count()).unwrap();
        Header {
            network: self.covenant.network(),
            covenant: self.covenant.hash(),
            epoch: EPOCH,
            purpose: "jeugd".parse().unwrap(),
            member: id(member),
            seq: last.map_or(0, |last| last.header().seq) + 1,
            total: last.map_or(0, |last| last.header().total) + u64::from(count),
            time: TODAY.start().plus_secs(500),
            count,
            elements: elements.sha256(),
            keys: self.covenant.matchers_for(&id(member)),
            prev: last.map_or(HeaderHash::NONE, VerifiedHeader::hash),
        }
    }

    pub(super) fn elements(&self, seed: u64, count: u8) -> Elements {
        let inputs: Vec<_> = (0..count).map(|n| vec![n, 7]).collect();
        blind(&inputs, &mut rng(seed)).unwrap().1
    }

    /// What `holder` answers; with `swap` under the share of another key than it says.
    pub(super) fn answer(
        &self,
        holder: &str,
        header: &Header,
        blinded: &Elements,
        swap: bool,
    ) -> SignedAnswer {
        let held: Vec<_> = header
            .keys
            .iter()
            .filter(|matcher| self.covenant.holders_of(matcher).contains(&id(holder)))
            .collect();
        let place = |place: usize| if swap { (place + 1) % held.len() } else { place };
        let share = |n: usize| (held[n], &self.shares[&(id(holder), held[place(n)].clone())]);
        let shares: Vec<_> = (0..held.len()).map(share).collect();
        answer(id(holder), self.key(holder), header.hash(), blinded, &shares, &mut rng(3))
    }

    /// A head of a board, timed by the matcher itself if a time is given.
    pub(super) fn head(&self, matcher: &str, tree: &Tree, time: Option<Timestamp>) -> Note {
        let (network, key) = (self.covenant.network(), self.key(matcher));
        let origin = board_key(&network, &id(matcher), key.verifying_key()).name().clone();
        let mut note = Checkpoint { origin, size: tree.size(), root: tree.root() }.sign(key);
        if let Some(time) = time {
            let name = witness_key(&network, &id(matcher), key.verifying_key()).name().clone();
            note.cosign(time, &name, key).unwrap();
        }
        note
    }

    /// A submission as its sender seals it, as it reaches `p5`, and the receipt's signature.
    pub(super) fn submit(&self, content: Content, day: Day) -> (SealedSubmission, OpenedSubmission, Promise) {
        let (destination, submission) = (self.destination("p5"), Submission { day, content });
        let sealed = submission::seal(&submission, &destination, &self.weekly.public(), &mut rng(5));
        let opened = submission::open(&sealed.sealed, &destination, &self.weekly).unwrap();
        let receipt = opened.receipt(day, true, &destination, self.key("p5"));
        let receipt = sealed.verify_receipt(&receipt, &destination, &self.key("p5").verifying_key()).unwrap();
        let promise = Promise { sealed: sealed.sealed_hash, day, signature: receipt.signature };
        (sealed, opened, promise)
    }

    pub(super) fn scope(&self) -> Scope {
        let destination = self.destination("p5");
        Scope {
            network: destination.network,
            epoch: EPOCH,
            purpose: "jeugd".parse().unwrap(),
            matcher: destination.matcher,
        }
    }

    /// What `member` leaves for the one subject of these tests, with a mailbox of its own choice.
    pub(super) fn leave(&self, member: &str, seed: u8, reference: u8, expiry: Day) -> (Leave, SignedHello) {
        let scope = self.scope();
        let key = SubjectKey::derive(&Secret::new([7; 64]), &scope);
        let mailbox = ExchangeSecret::from_bytes(Secret::new([seed; 32])).public();
        let withdraw_key = SigningKey::from_seed(&Secret::new([seed; 32])).verifying_key();
        let envelope = Envelope { scope: &scope, mailbox: &mailbox, withdraw_key: &withdraw_key, expiry };
        let references = vec![Reference::from_bytes([reference; 16])];
        let hello = Hello::new(references.clone(), &key, envelope, Some((&id(member), self.key(member))));
        let (_, signature) = hello.name.clone().unwrap();
        let signed = SignedHello {
            member: id(member),
            epoch: EPOCH,
            purpose: scope.purpose.clone(),
            matcher: scope.matcher.clone(),
            tag: key.tag(),
            mailbox,
            withdraw_key,
            expiry,
            references,
            signature,
        };
        let leave = Leave {
            tag: key.tag(),
            mailbox,
            withdraw_key,
            min: 2,
            expiry,
            hello: hello.seal(&key, envelope),
            inbox: Inbox::from_bytes([seed; 16]),
            replaces: None,
        };
        (leave, signed)
    }

    /// What `p5` posts to some mailbox about a submission.
    pub(super) fn met(&self, leave: &Leave) -> (ExchangeSecret, SignedPost) {
        let mailbox = ExchangeSecret::from_bytes(Secret::new([77; 32]));
        let post = Post::Met(Box::new(Met {
            mailbox: leave.mailbox,
            withdraw_key: leave.withdraw_key,
            expiry: leave.expiry,
            hello: leave.hello,
        }));
        let destination = self.destination("p5");
        let body = seal_post(post, &mailbox.public(), &destination, self.key("p5"), &mut rng(9));
        let key = self.key("p5").verifying_key();
        let signed = open_signed_post(&body, &mailbox, &destination, &key).unwrap();
        (mailbox, signed)
    }

    pub(super) fn misposted(&self, left: &Leave, day: Day, posted: &Leave) -> Violation {
        let (_, opened, promise) = self.submit(Content::Leave(Box::new(left.clone())), day);
        let (mailbox, SignedPost { post, signature }) = self.met(posted);
        let Post::Met(met) = post else { panic!() };
        let (matcher, to) = (id("p5"), mailbox.public());
        let plaintext = Bytes(opened.plaintext);
        Violation::Misposted(Box::new(Misposted { matcher, plaintext, promise, to, met: *met, signature }))
    }

    pub(super) fn message(byte: u8) -> PostRequest {
        PostRequest { address: Address::from_bytes([byte; 16]), body: Body::from_bytes([byte; 640]) }
    }

    /// A receipt for message `promised`, and a board of the messages `posted`, timed so many seconds after that day.
    pub(super) fn promise(&self, promised: u8, posted: &[u8], after: u64) -> Violation {
        let (_, opened, promise) = self.submit(Content::Post(Box::new(Self::message(promised))), TODAY);
        let entry = |byte: &u8| {
            let PostRequest { address, body } = Self::message(*byte);
            leaf_hash(&crate::board::Entry { address, body }.to_bytes())
        };
        let leaves: Vec<Hash> = posted.iter().map(entry).collect();
        let time = TODAY.plus(1).start().plus_secs(after);
        let checkpoint = self.head("p5", &leaves.iter().copied().collect(), Some(time)).to_string();
        Violation::Promise(Box::new(BrokenPromise {
            matcher: id("p5"),
            plaintext: Bytes(opened.plaintext),
            promise,
            checkpoint,
            leaves: Bytes(leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect()),
        }))
    }

    fn trace_secret(holder: u8) -> ExchangeSecret {
        ExchangeSecret::from_bytes(Secret::new([48 + holder; 32]))
    }

    /// What relay `p1` passes on of a submission of `sender`, and the keys of its ticket's seals. With `forge` the
    /// ticket holds another signature than the sender's on this.
    pub(super) fn passed_on(&self, sender: &str, forge: bool) -> FalseTicket {
        let (leave, _) = self.leave("p0", 1, 1, EXPIRY);
        let (sealed, _, _) = self.submit(Content::Leave(Box::new(leave)), TODAY);
        let (destination, relay) = (self.destination("p5"), id("p1"));
        let trace_keys =
            TraceKeys { holders: [0, 1].map(|n| (id(&format!("p{n}")), Self::trace_secret(n).public())) };
        let network = destination.network;
        let tickets = TicketMaker::new(&network, &trace_keys, &mut rng(1));
        let mut item: Forward = forward(&sealed, &destination, &relay, TODAY, self.key(sender));
        let key = self.key("p1");
        let rules = Relay { destination: &destination, me: &relay, key, day: TODAY };
        let passed = if forge {
            item.signature =
                forward(&sealed, &destination, &relay, TODAY.plus(1), self.key(sender)).signature;
            let ticket = tickets.make(&id(sender), &item.signature, &mut rng(2));
            let hashes = (sealed.sealed_hash, sealed.plaintext_hash);
            PassedOn::sign(hashes, ticket, TODAY, &destination, key)
        } else {
            let sender_key = self.key(sender).verifying_key();
            let relayed = rules.pass_on(item, &id(sender), &sender_key, &tickets, &mut rng(2)).unwrap();
            relayed.passed_on(TODAY)
        };
        let [first, second] = [0, 1].map(Self::trace_secret);
        let outer = passed.ticket.outer_key(&network, &id("p1"), &second).unwrap();
        let half = passed.ticket.open_outer_with(&outer).unwrap();
        let inner = half.inner_key(&network, &id("p0"), &first).unwrap();
        let (outer, inner) = (SealKey(*outer.expose()), Some(SealKey(*inner.expose())));
        FalseTicket { relay, matcher: id("p5"), passed, outer, inner }
    }

    /// A session's packages by `p0` for the key of `p5`, made by nobody's ceremony.
    pub(super) fn commitment(&self, body: Vec<u8>) -> Commitment {
        Commitment::new(SessionId::from_bytes([6; 32]), &self.spec("p5"), &id("p0"), body, self.key("p0"))
    }

    pub(super) fn share(&self, body: [u8; 32]) -> Share {
        let session = SessionId::from_bytes([6; 32]);
        let (from, to) = (id("p0"), id("p1"));
        Share::new(session, &self.spec("p5"), (&from, &to), Secret::new(body), self.key("p0"))
    }

    pub(super) fn abort(&self, fault: Fault, evidence: Vec<Package>) -> Violation {
        Violation::Ceremony(Box::new(Abort { culprit: id("p0"), fault, evidence }))
    }
}

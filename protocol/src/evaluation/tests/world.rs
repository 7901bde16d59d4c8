//! A network in memory: every request and reply goes through its bytes, every holder keeps what it must.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::codec::{decode, encode};
use crate::evaluation::*;
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId};
use crate::oprf::KeyShare;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::time::{Day, Timestamp};

pub(super) const ALL: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
pub(super) const MATCHERS: [&str; 4] = ["c", "d", "e", "f"];
pub(super) const BUDGET: Budget = Budget { per_day: 10, allowance: 5 };

pub(super) fn id(name: &str) -> MemberId {
    name.parse().unwrap()
}

/// Noon of some day.
pub(super) fn now() -> Timestamp {
    Day::from_days(20_000).start().plus_secs(43_200)
}

pub(super) struct World {
    pub terms: Arc<Terms>,
    pub purpose: PurposeId,
    pub signing: BTreeMap<MemberId, SigningKey>,
    pub whole: BTreeMap<MemberId, KeyShare>,
    pub holders: BTreeMap<MemberId, Holder>,
    pub headers: BTreeMap<(MemberId, u64), SignedHeader>,
    pub now: Timestamp,
    /// Holders whose answers are signed and wrong.
    pub liars: BTreeSet<MemberId>,
    pub faults: Vec<AnswerFault>,
    pub refusals: Vec<(MemberId, Reason)>,
    draws: u64,
}

#[derive(Default)]
pub(super) struct Holder {
    pub shares: BTreeMap<MemberId, KeyShare>,
    pub chains: BTreeMap<MemberId, Chain>,
    pub headers: BTreeMap<(MemberId, u64), SignedHeader>,
    pub stored: BTreeMap<MemberId, SignedAnswer>,
    pub vouched: BTreeMap<MemberId, Vouched>,
    pub frauds: Vec<Fraud>,
    pub evaluations: usize,
}

fn share(scalar: Scalar) -> KeyShare {
    KeyShare::from_bytes(&Secret::new(scalar.to_bytes())).unwrap()
}

impl World {
    /// Six members that all hold keys, the last four matchers; everybody takes part.
    pub(super) fn new() -> Self {
        Self::with(&ALL, &MATCHERS)
    }

    pub(super) fn with(key_holders: &[&str], matchers: &[&str]) -> Self {
        let signing: BTreeMap<_, _> = (1..)
            .zip(ALL)
            .map(|(seed, name)| (id(name), SigningKey::from_seed(&Secret::new([seed; 32]))))
            .collect();
        let party = |name: &str| Party {
            controller: format!("controller of {name}"),
            operator: format!("operator of {name}"),
            key: signing[&id(name)].verifying_key(),
            budget: BUDGET,
        };
        let purpose: PurposeId = "safety".parse().unwrap();
        let mut world = Self {
            terms: Arc::new(Terms {
                network: NetworkId::from_bytes([1; 32]),
                covenant: CovenantHash::from_bytes([2; 32]),
                epoch: Epoch(3),
                parties: ALL.iter().map(|name| (id(name), party(name))).collect(),
                key_holders: key_holders.iter().map(|name| id(name)).collect(),
                purposes: BTreeMap::new(),
            }),
            purpose,
            holders: key_holders.iter().map(|name| (id(name), Holder::default())).collect(),
            whole: BTreeMap::new(),
            headers: BTreeMap::new(),
            now: now(),
            liars: BTreeSet::new(),
            faults: Vec::new(),
            refusals: Vec::new(),
            draws: 0,
            signing,
        };
        let keys = (0..).zip(matchers).map(|(seed, matcher)| world.make_key(seed, &id(matcher))).collect();
        let members = ALL.iter().map(|name| id(name)).collect();
        let name = world.purpose.clone();
        world.change(|terms| {
            terms.purposes.insert(name, PurposeTerms { members, keys });
        });
        world
    }

    /// Shamir's sharing over all key holders but the matcher.
    fn make_key(&mut self, seed: u64, matcher: &MemberId) -> KeySpec {
        let holders: Vec<MemberId> =
            self.terms.key_holders.iter().filter(|other| *other != matcher).cloned().collect();
        let threshold = u16::try_from(holders.len() / 2 + 1).unwrap();
        let mut rng = self.rng(100 + seed);
        let coefficients: Vec<Scalar> = (0..threshold).map(|_| Scalar::random(&mut rng)).collect();
        let mut public = Vec::new();
        for (x, holder) in (1_u64..).map(Scalar::from).zip(&holders) {
            let value = coefficients.iter().rev().fold(Scalar::ZERO, |sum, term| sum * x + term);
            public.push(*share(value).public());
            self.holders.get_mut(holder).unwrap().shares.insert(matcher.clone(), share(value));
        }
        self.whole.insert(matcher.clone(), share(coefficients[0]));
        KeySpec { matcher: matcher.clone(), threshold, holders, public }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Terms)) {
        change(Arc::make_mut(&mut self.terms));
    }

    pub(super) fn rng(&self, seed: u64) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(seed)
    }

    pub(super) fn key(&self, member: &str) -> &SigningKey {
        &self.signing[&id(member)]
    }

    /// Begins a request of the asker's member and stores its header.
    pub(super) fn begin(&mut self, asker: &mut Asker, inputs: &[&str]) -> SignedHeader {
        self.begin_preferring(asker, inputs, &[])
    }

    pub(super) fn begin_preferring(
        &mut self,
        asker: &mut Asker,
        inputs: &[&str],
        preferred: &[&str],
    ) -> SignedHeader {
        self.draws += 1;
        let inputs: Vec<Vec<u8>> = inputs.iter().map(|input| input.as_bytes().to_vec()).collect();
        let preferred: Vec<MemberId> = preferred.iter().map(|name| id(name)).collect();
        let request =
            NewRequest { terms: &self.terms, purpose: &self.purpose, inputs: &inputs, preferred: &preferred };
        let key = &self.signing[asker.member()];
        let header = asker.begin(request, key, self.now, &mut self.rng(1_000 + self.draws)).unwrap().clone();
        self.headers.insert((header.header.member.clone(), header.header.seq), header.clone());
        header
    }

    /// Carries messages until the asker has nothing left to send.
    pub(super) fn run(&mut self, asker: &mut Asker, down: &[&str]) {
        loop {
            let outgoing = asker.outgoing();
            if outgoing.is_empty() {
                return;
            }
            for (holder, message) in outgoing {
                if down.contains(&holder.as_str()) {
                    asker.failed(&holder);
                } else {
                    self.carry(asker, &holder, &message);
                }
            }
        }
    }

    /// Carries one message to a holder, and its reply back.
    pub(super) fn carry(&mut self, asker: &mut Asker, holder: &MemberId, message: &Outgoing) {
        let member = asker.member().clone();
        let request = match message {
            Outgoing::Announce(range) => {
                let headers = range.clone().map(|seq| self.headers[&(member.clone(), seq)].clone()).collect();
                Request::Announce(Announce { headers })
            }
            Outgoing::Evaluate => Request::Evaluate(asker.evaluate_message().unwrap()),
        };
        match self.request(member.as_str(), holder.as_str(), &request) {
            Response::Acknowledged(given) => asker.acknowledged(holder, given),
            Response::Answered(answer) => {
                let result = asker.answered(holder, answer);
                self.faults.extend(result.err());
            }
            Response::Refused(refused) => {
                self.refusals.push((holder.clone(), refused.reason));
                asker.refused(holder, &refused);
            }
            other => panic!("{other:?}"),
        }
    }

    /// One request of `peer` to one holder, both ways through bytes.
    pub(super) fn request(&mut self, peer: &str, holder: &str, request: &Request) -> Response {
        let request = decode(&encode(request)).unwrap();
        let response = match request {
            Request::Announce(announce) => self.announce(&id(peer), &id(holder), &announce),
            Request::Evaluate(evaluate) => self.evaluate(&id(peer), &id(holder), &evaluate),
            other => panic!("{other:?}"),
        };
        decode(&encode(&response)).unwrap()
    }

    /// Announces headers as they are, for tests that forge.
    pub(super) fn send_headers(&mut self, peer: &str, holder: &str, headers: &[&SignedHeader]) -> Response {
        let headers = headers.iter().map(|header| (*header).clone()).collect();
        self.request(peer, holder, &Request::Announce(Announce { headers }))
    }

    fn announce(&mut self, peer: &MemberId, me: &MemberId, announce: &Announce) -> Response {
        let terms = Arc::clone(&self.terms);
        let holder = self.holders.get_mut(me).unwrap();
        let chain = holder.chains.entry(peer.clone()).or_insert_with(|| Chain::new(peer.clone()));
        let key = self.signing[peer].verifying_key();
        let verified: Result<Vec<_>, _> =
            announce.headers.iter().map(|header| header.clone().verify(&key)).collect();
        let Ok(verified) = verified else { return refused(Reason::Malformed, chain) };
        let known = |seq| holder.headers.get(&(peer.clone(), seq)).cloned();
        let entered = chain.enter(&verified, known, &terms, self.now);
        for header in entered.new {
            holder.headers.insert((peer.clone(), header.header.seq), header);
        }
        *chain = decode(&encode(&entered.chain)).unwrap();
        match entered.outcome {
            Outcome::Acknowledge(hash) => {
                Response::Acknowledged(Acknowledgement::sign(me.clone(), hash, &self.signing[me]))
            }
            Outcome::Refuse(reason) => refused(reason, chain),
            Outcome::Fraud(fraud) => {
                holder.frauds.push(*fraud);
                refused(Reason::UsedNumber, chain)
            }
        }
    }

    fn evaluate(&mut self, peer: &MemberId, me: &MemberId, evaluate: &Evaluate) -> Response {
        let terms = Arc::clone(&self.terms);
        let holder = self.holders.get_mut(me).unwrap();
        let Some(chain) = holder.chains.get_mut(peer) else {
            return refused(Reason::NotEntered, &Chain::new(peer.clone()));
        };
        match chain.decide(evaluate, &terms, me, self.now) {
            Decision::Stored => Response::Answered(holder.stored[peer].clone()),
            Decision::Refuse(reason) => refused(reason, chain),
            Decision::Answer { chain: next, elements, keys, vouched } => {
                let lies = self.liars.contains(me);
                // A liar swaps its shares of two keys.
                let place = |place: usize| if lies { (place + 1) % keys.len() } else { place };
                let shares: Vec<_> = keys
                    .iter()
                    .enumerate()
                    .map(|(index, key)| (&key.matcher, &holder.shares[&keys[place(index)].matcher]))
                    .collect();
                let mut rng = ChaCha20Rng::seed_from_u64(9);
                let answer =
                    answer(me.clone(), &self.signing[me], evaluate.header, &elements, &shares, &mut rng);
                holder.evaluations += keys.len();
                *chain = *next;
                holder.stored.insert(peer.clone(), answer.clone());
                holder.vouched.insert(peer.clone(), decode(&encode(&*vouched)).unwrap());
                Response::Answered(answer)
            }
        }
    }
}

fn refused(reason: Reason, chain: &Chain) -> Response {
    Response::Refused(Refused { reason, highest: chain.last().cloned() })
}

/// The reason of a refusal.
pub(super) fn reason(response: Response) -> Reason {
    match response {
        Response::Refused(refused) => refused.reason,
        other => panic!("not refused: {other:?}"),
    }
}

//! The key holder's role: enters headers, evaluates within the rules, stores before it speaks (`docs/protocol.md`
//! section 4.2). The rules themselves are `kring_protocol::evaluation`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use kring_protocol::codec::{self, Wire};
use kring_protocol::evaluation::{
    Acknowledgement, Announce, Chain, Decision, Evaluate, Fraud, MAX_HEADERS, Outcome, Reason, Refused,
    Request, Response, SignedHeader, VerifiedHeader, Vouched, answer,
};
use kring_protocol::evidence::Violation;
use kring_protocol::id::{Epoch, MemberId};
use rand::rngs::OsRng;
use tokio::sync::Mutex;

use kring_protocol::log::entry::{self, Kind};

use crate::audit::Event;
use crate::core::Core;
use crate::evidence::keep;
use crate::keys::{EpochKeys, Keyring};
use crate::store::{Batch, StoreError, Table};

/// One member's chain in one epoch: locked while a request of that member is handled.
type SharedChain = Arc<Mutex<Chain>>;

/// The key holder's role of this node.
#[derive(Debug)]
pub struct Holder {
    core: Arc<Core>,
    keyring: Arc<Keyring>,
    chains: StdMutex<HashMap<(Epoch, MemberId), SharedChain>>,
    /// Headers entered since the start.
    entered: AtomicU64,
}

impl Holder {
    /// The role; chains are read from the store when they are asked for.
    #[must_use]
    pub fn new(core: Arc<Core>, keyring: Arc<Keyring>) -> Self {
        Self { core, keyring, chains: StdMutex::default(), entered: AtomicU64::new(0) }
    }

    /// Answers one request of `from`.
    pub async fn handle(&self, from: &MemberId, bytes: &[u8]) -> Vec<u8> {
        let response = match codec::decode::<Request>(bytes) {
            Err(_) => refused(Reason::Malformed, None),
            Ok(request) => self.respond(from, request).await,
        };
        codec::encode(&response)
    }

    /// As [`Self::handle`], for this node's own requests too: a member that holds keys asks itself by the same rules.
    pub async fn respond(&self, from: &MemberId, request: Request) -> Response {
        match request {
            Request::Announce(announce) => self.announce(from, announce).await,
            Request::Evaluate(evaluate) => self.evaluate(from, evaluate).await,
            Request::Head { epoch, member } => match self.chain(epoch, &member) {
                Ok(chain) => Response::Head(chain.lock().await.last().cloned()),
                Err(_) => refused(Reason::CatchingUp, None),
            },
            Request::Headers { epoch, member, from } => {
                let numbers = from..from.saturating_add(MAX_HEADERS as u64);
                Response::Headers(numbers.map_while(|seq| self.header(epoch, &member, seq)).collect())
            }
        }
    }

    async fn announce(&self, from: &MemberId, announce: Announce) -> Response {
        let Some(epoch) = announce.headers.first().map(|signed| signed.header.epoch) else {
            return refused(Reason::Malformed, None);
        };
        let Some((keys, key)) = self.keyring.get(epoch).zip(self.core.verifying_key(from)) else {
            return refused(Reason::Stranger, None);
        };
        let Ok(shared) = self.chain(epoch, from) else { return refused(Reason::CatchingUp, None) };
        let mut chain = shared.lock().await;
        let verified: Result<Vec<_>, _> =
            announce.headers.into_iter().map(|header| header.verify(&key)).collect();
        let Ok(headers) = verified else { return refused(Reason::Malformed, chain.last().cloned()) };
        let known = |seq| self.header(epoch, from, seq);
        let entered = chain.enter(&headers, known, &keys.terms, self.core.now());
        let mut batch = Batch::new();
        for header in &entered.new {
            batch.put(Table::Header, header_key(epoch, from, header.header.seq), codec::encode(header));
        }
        let mut entries = Vec::new();
        if matches!(entered.outcome, Outcome::Fraud(_)) {
            let event = self.core.event(Kind::EvaluationAnswered, Some(from), 1);
            entries.push(Event { outcome: entry::Outcome::Refused, ..event });
        }
        if !entered.new.is_empty() {
            batch.put(Table::Chain, chain_key(epoch, from), codec::encode(&entered.chain));
        }
        if self.core.commit(batch, entries).await.is_err() {
            return refused(Reason::CatchingUp, None);
        }
        *chain = entered.chain;
        self.entered.fetch_add(entered.new.len() as u64, Ordering::Relaxed);
        let fraud = fraud(&entered.outcome, chain.last(), &headers);
        if let Some(fraud) = fraud
            && keep(&self.core, Violation::Headers(fraud)).await.is_err()
        {
            return refused(Reason::CatchingUp, None);
        }
        match entered.outcome {
            Outcome::Acknowledge(hash) => {
                let signing = &self.core.identity.signing;
                Response::Acknowledged(Acknowledgement::sign(self.core.me.clone(), hash, signing))
            }
            Outcome::Refuse(reason) => refused(reason, chain.last().cloned()),
            Outcome::Fraud(_) => refused(Reason::UsedNumber, chain.last().cloned()),
        }
    }

    async fn evaluate(&self, from: &MemberId, request: Evaluate) -> Response {
        let epoch = request.epoch;
        let Some(keys) = self.keyring.get(epoch) else { return refused(Reason::Stranger, None) };
        let Ok(shared) = self.chain(epoch, from) else { return refused(Reason::CatchingUp, None) };
        let mut chain = shared.lock().await;
        match chain.decide(&request, &keys.terms, &self.core.me, self.core.now()) {
            Decision::Refuse(reason) => refused(reason, chain.last().cloned()),
            Decision::Stored => match self.stored_answer(epoch, from) {
                Some(answer) => answer,
                None => refused(Reason::CatchingUp, None),
            },
            Decision::Answer { chain: next, elements, keys: specs, vouched } => {
                let count = elements.count();
                let matchers: Vec<_> = specs.iter().map(|spec| &spec.matcher).collect();
                let Some(shares) = shares(&keys, chain.last(), &matchers) else {
                    return refused(Reason::NoShare, None);
                };
                let (me, signing) = (self.core.me.clone(), &self.core.identity.signing);
                let evaluated = tokio::task::block_in_place(|| {
                    answer(me, signing, request.header, &elements, &shares, &mut OsRng)
                });
                let response = Response::Answered(evaluated);
                let mut batch = Batch::new();
                batch.put(Table::Chain, chain_key(epoch, from), codec::encode(&*next));
                batch.put(Table::Answer, chain_key(epoch, from), codec::encode(&response));
                batch.put(Table::Vouched, chain_key(epoch, from), codec::encode(&*vouched));
                let entries = vec![self.core.event(Kind::EvaluationAnswered, Some(from), count as u64)];
                if self.core.commit(batch, entries).await.is_err() {
                    return refused(Reason::CatchingUp, None);
                }
                *chain = *next;
                response
            }
        }
    }

    fn chain(&self, epoch: Epoch, member: &MemberId) -> Result<SharedChain, StoreError> {
        let mut chains = self.chains.lock().expect("nobody panics while holding the chains");
        let id = (epoch, member.clone());
        if let Some(chain) = chains.get(&id) {
            return Ok(Arc::clone(chain));
        }
        let chain = match load(&self.core, Table::Chain, &chain_key(epoch, member))? {
            Some(chain) => chain,
            // Nothing is kept for whoever is not a member, however often it asks.
            None if self.core.covenant.member(member).is_none() => {
                return Ok(Arc::new(Mutex::new(Chain::new(member.clone()))));
            }
            None => Chain::new(member.clone()),
        };
        Ok(Arc::clone(chains.entry(id).or_insert_with(|| Arc::new(Mutex::new(chain)))))
    }

    /// The highest header of a member's chain.
    pub async fn last(&self, epoch: Epoch, member: &MemberId) -> Option<SignedHeader> {
        self.chain(epoch, member).ok()?.lock().await.last().cloned()
    }

    /// The highest headers of the chains of members after `after`, sorted by member, at most `max`.
    pub async fn heads(&self, epoch: Epoch, after: Option<&MemberId>, max: usize) -> Vec<SignedHeader> {
        let members = self.core.covenant.members.iter().map(|card| &card.card.id);
        let mut members: Vec<_> =
            members.filter(|member| after.is_none_or(|after| *member > after)).collect();
        members.sort();
        let mut heads = Vec::new();
        for member in members {
            if heads.len() < max {
                heads.extend(self.last(epoch, member).await);
            }
        }
        heads
    }

    /// How many headers were entered since the start.
    #[must_use]
    pub fn entered(&self) -> u64 {
        self.entered.load(Ordering::Relaxed)
    }

    /// One header that was entered.
    #[must_use]
    pub fn header(&self, epoch: Epoch, member: &MemberId, seq: u64) -> Option<SignedHeader> {
        load(&self.core, Table::Header, &header_key(epoch, member, seq)).ok().flatten()
    }

    /// The last request of a member that was answered, with the acknowledgements that came with it.
    #[must_use]
    pub fn vouched(&self, epoch: Epoch, member: &MemberId) -> Option<Vouched> {
        load(&self.core, Table::Vouched, &chain_key(epoch, member)).ok().flatten()
    }

    fn stored_answer(&self, epoch: Epoch, member: &MemberId) -> Option<Response> {
        load(&self.core, Table::Answer, &chain_key(epoch, member)).ok().flatten()
    }
}

/// What refused headers prove against their member: a number used twice, or one that does not continue the chain.
fn fraud(outcome: &Outcome, last: Option<&SignedHeader>, announced: &[VerifiedHeader]) -> Option<Box<Fraud>> {
    match outcome {
        Outcome::Fraud(fraud) => Some(fraud.clone()),
        Outcome::Refuse(Reason::DoesNotContinue) => {
            let known = last?.clone();
            let astray = |header: &&VerifiedHeader| header.header().seq == known.header.seq + 1;
            let other = announced.iter().find(astray)?.signed().clone();
            Some(Box::new(Fraud { known, other }))
        }
        Outcome::Refuse(_) | Outcome::Acknowledge(_) => None,
    }
}

/// This node's shares of the keys of `matchers`, for the purpose of the last header entered.
fn shares<'a>(
    keys: &'a EpochKeys,
    last: Option<&SignedHeader>,
    matchers: &[&'a MemberId],
) -> Option<Vec<(&'a MemberId, &'a kring_protocol::oprf::KeyShare)>> {
    let purpose = &last?.header.purpose;
    let share = |matcher: &&'a MemberId| {
        keys.shares.get(&(purpose.clone(), (*matcher).clone())).map(|share| (*matcher, share))
    };
    matchers.iter().map(share).collect()
}

fn refused(reason: Reason, highest: Option<SignedHeader>) -> Response {
    Response::Refused(Refused { reason, highest })
}

/// A record that this node wrote itself; one that does not decode is treated as a failing disk.
fn load<T: Wire>(core: &Core, table: Table, key: &[u8]) -> Result<Option<T>, StoreError> {
    let Some(bytes) = core.store.get(table, key)? else { return Ok(None) };
    let damaged =
        |error: codec::CodecError| StoreError::Damaged(format!("a {} record: {error}", table.name()));
    codec::decode(&bytes).map(Some).map_err(damaged)
}

fn chain_key(epoch: Epoch, member: &MemberId) -> Vec<u8> {
    [epoch.to_be_bytes().as_slice(), member.as_bytes()].concat()
}

fn header_key(epoch: Epoch, member: &MemberId, seq: u64) -> Vec<u8> {
    [chain_key(epoch, member).as_slice(), b"/", &seq.to_be_bytes()].concat()
}

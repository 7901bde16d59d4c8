//! Asks the key holders to evaluate what is waiting, one request at a time (`docs/protocol.md` sections 4.2 and 11.1).
//! The rules themselves are `kring_protocol::evaluation` and `kring_protocol::tempo`.
//!
//! A batch ends in one commit: subject keys and freshly drawn submissions together, so that nothing is left twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kring_protocol::ceremony::SignedKeyRecord;
use kring_protocol::codec;
use kring_protocol::evaluation::{
    Announce, AnswerFault, Asker as Rules, BeginError, KeyResult, NewRequest, Outgoing, Progress, Request,
    Response, Resume, SignedHeader, VerifiedHeader, resume,
};
use kring_protocol::evidence::{Violation, WrongEvaluation};
use kring_protocol::id::{Epoch, MemberId, PurposeId, RecipeId};
use kring_protocol::oprf::MAX_BATCH;
use kring_protocol::own_submission::{OwnSubmission, WithdrawNumber};
use kring_protocol::secret::Secret;
use kring_protocol::tempo::Next;
use rand::rngs::OsRng;

use kring_protocol::log::entry::{Kind, Outcome};

use crate::audit::Event;
use crate::cases::{Desired, MatchKeyId};
use crate::core::Core;
use crate::evidence::keep;
use crate::holder::Holder;
use crate::keys::{EpochKeys, Keyring};
use crate::leaves::{LeaveKey, Left};
use crate::network::Family;
use crate::partner::{Evaluation, Partner};
use crate::sender::Counter;
use crate::store::{Batch, StoreError, Table};

mod rounds;

/// Between two tries when too few holders answer.
const RETRY: Duration = Duration::from_millis(500);
/// When nothing comes for so long, spares are asked besides the holders that owe an answer.
const SPARE_AFTER: Duration = Duration::from_secs(1);
/// A request that has not been answered for so long is given up; its header would soon be too old.
const GIVE_UP_SECS: u64 = 480;

/// What is evaluated in one request.
struct Input {
    id: MatchKeyId,
    recipe: RecipeId,
    oprf_input: Vec<u8>,
    desired: Desired,
}

/// The asking side of this node.
#[derive(Debug)]
pub struct Asker {
    core: Arc<Core>,
    keyring: Arc<Keyring>,
    partner: Arc<Partner>,
    /// This node's own holder role, asked by the same rules as the others.
    holder: Arc<Holder>,
    rules: HashMap<Epoch, Rules>,
    counter: Arc<Counter>,
}

impl Asker {
    /// The asking side; `counter` numbers withdraw keys.
    #[must_use]
    pub fn new(
        core: Arc<Core>,
        keyring: Arc<Keyring>,
        partner: Arc<Partner>,
        holder: Arc<Holder>,
        counter: Arc<Counter>,
    ) -> Self {
        Self { core, keyring, partner, holder, rules: HashMap::new(), counter }
    }

    /// The first number of a withdraw key that has not been used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stored_counter(core: &Core) -> Result<u64, StoreError> {
        let stored = core.store.get(Table::Meta, COUNTER_KEY)?;
        Ok(stored.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// Works until the node stops.
    pub async fn run(mut self) {
        let partner = Arc::clone(&self.partner);
        let mut after = self.core.now();
        while !self.core.is_stopping() {
            let done = match self.core.pace.next_round(after) {
                Next::WhenWaiting => self.what_waits(&partner).await,
                Next::At(moment) => {
                    if !self.core.until(moment).await {
                        return;
                    }
                    let done = self.round(&partner, moment).await;
                    // Rounds that passed meanwhile are left out; what waits is in the next one.
                    after = moment.max(self.core.now());
                    done
                }
            };
            if let Err(error) = done {
                self.core.fail(error.to_string());
            }
        }
    }

    /// Waits until something is to be evaluated, and does so.
    async fn what_waits(&mut self, partner: &Partner) -> Result<(), StoreError> {
        let group = |evaluation: &Evaluation| (evaluation.epoch, partner.purpose_of(&evaluation.key));
        let taken = tokio::select! {
            taken = partner.evaluations.take(MAX_BATCH, group) => taken,
            () = self.core.stopped() => return Ok(()),
        };
        let Some(Evaluation { epoch, key }) = taken.items.first().cloned() else { return Ok(()) };
        let Some(purpose) = partner.purpose_of(&key) else { return Ok(()) };
        let ids: Vec<_> = taken.items.iter().map(|evaluation| evaluation.key).collect();
        if !self.evaluate(epoch, &purpose, &ids, 0).await? {
            partner.evaluations.add(taken.items.iter().cloned());
            self.core.pause(RETRY).await;
        }
        Ok(())
    }

    /// Whether this member's chain of an epoch is known to its end.
    async fn knows_chain(&mut self, keys: &EpochKeys) -> Result<bool, StoreError> {
        let epoch = keys.terms.epoch;
        if !self.rules.contains_key(&epoch) {
            let Some(last) = self.catch_up(keys).await? else { return Ok(false) };
            self.rules.insert(epoch, Rules::new(self.core.me.clone(), last));
        }
        Ok(true)
    }

    /// Evaluates one batch, filled with dummies to `size`. False when it must be tried again.
    async fn evaluate(
        &mut self,
        epoch: Epoch,
        purpose: &PurposeId,
        ids: &[MatchKeyId],
        size: usize,
    ) -> Result<bool, StoreError> {
        let Some(keys) = self.keyring.get(epoch) else { return Ok(true) };
        let inputs = self.inputs(ids);
        if inputs.is_empty() && size == 0 {
            return Ok(true);
        }
        if !self.knows_chain(&keys).await? {
            return Ok(false);
        }
        let Some(header) = self.begin(&keys, purpose, &inputs, size)? else { return Ok(true) };
        let mut batch = Batch::new();
        batch.put(Table::OwnHeader, header_key(epoch, header.header.seq), codec::encode(&header));
        let entries = vec![self.core.event(Kind::EvaluationAsked, None, header.header.count.into())];
        self.core.commit(batch, entries).await?;
        let Some(results) = self.ask(epoch, &header).await else { return Ok(false) };
        self.finish(&keys, purpose, &inputs, &results).await?;
        Ok(true)
    }

    /// What is still wanted of `ids`.
    fn inputs(&self, ids: &[MatchKeyId]) -> Vec<Input> {
        let (today, network) = (self.core.today(), self.core.network_id());
        let cases = self.partner.cases();
        let input = |id: &MatchKeyId| {
            let (entry, desired) = (cases.key(id)?, cases.desired(id, today)?);
            let oprf_input = entry.key.oprf_input(&network, &self.core.pepper);
            Some(Input { id: *id, recipe: entry.key.recipe().clone(), oprf_input, desired })
        };
        ids.iter().filter_map(input).collect()
    }

    fn begin(
        &mut self,
        keys: &EpochKeys,
        purpose: &PurposeId,
        inputs: &[Input],
        size: usize,
    ) -> Result<Option<SignedHeader>, StoreError> {
        let epoch = keys.terms.epoch;
        let Some(rules) = self.rules.get_mut(&epoch) else { return Ok(None) };
        let mut oprf_inputs: Vec<_> = inputs.iter().map(|input| input.oprf_input.clone()).collect();
        // Dummies: nobody can tell them apart once they are blinded, and their results are dropped.
        let dummy = || Secret::<32>::random(&mut OsRng).expose().to_vec();
        oprf_inputs.extend(std::iter::repeat_with(dummy).take(size.saturating_sub(inputs.len())));
        let preferred = [self.core.me.clone()];
        let request = NewRequest { terms: &keys.terms, purpose, inputs: &oprf_inputs, preferred: &preferred };
        let (signing, now) = (&self.core.identity.signing, self.core.now());
        match tokio::task::block_in_place(|| rules.begin(request, signing, now, &mut OsRng).cloned()) {
            Ok(header) => Ok(Some(header)),
            Err(error @ (BeginError::NoKeys | BeginError::Blind(_) | BeginError::Outstanding)) => {
                tracing::warn!(%purpose, %error, "a batch was left out");
                Ok(None)
            }
        }
    }

    /// Drives one request to its end. None when it was given up.
    async fn ask(&mut self, epoch: Epoch, header: &SignedHeader) -> Option<Vec<KeyResult>> {
        let keys = self.keyring.get(epoch)?;
        let rules = self.rules.get_mut(&epoch)?;
        let mut open = FuturesUnordered::new();
        loop {
            for (holder, outgoing) in rules.outgoing() {
                let request = match outgoing {
                    Outgoing::Announce(range) => {
                        let headers = range.filter_map(|seq| own_header(&self.core, epoch, seq)).collect();
                        Some(Request::Announce(Announce { headers }))
                    }
                    Outgoing::Evaluate => rules.evaluate_message().map(Request::Evaluate),
                };
                let Some(request) = request else { continue };
                open.push(send(&self.core, &self.holder, holder, request));
            }
            match rules.progress() {
                Progress::Complete => return tokio::task::block_in_place(|| rules.finish()).ok(),
                Progress::Idle => return None,
                Progress::Working => {}
                Progress::Stuck => {
                    let too_old = self.core.now().distance_secs(header.header.time) > GIVE_UP_SECS;
                    if too_old || self.core.is_stopping() {
                        rules.abandon();
                        return None;
                    }
                    self.core.pause(RETRY).await;
                    self.core.covenant.key_holders.iter().for_each(|holder| rules.retry(holder));
                    continue;
                }
            }
            match tokio::time::timeout(SPARE_AFTER, open.next()).await {
                Err(_) => rules.overdue(),
                Ok(None) => {}
                Ok(Some((holder, response))) => {
                    hear(&self.core, rules, &keys.records, &holder, response).await;
                }
            }
        }
    }

    /// Stores subject keys with fresh submissions and queues these for sending.
    async fn finish(
        &mut self,
        keys: &EpochKeys,
        purpose: &PurposeId,
        inputs: &[Input],
        results: &[KeyResult],
    ) -> Result<(), StoreError> {
        let epoch = keys.terms.epoch;
        let last_day = self.partner.last_day(epoch);
        let mut fresh: Vec<(LeaveKey, Left)> = Vec::new();
        let mut counter = self.counter.lock().await;
        for result in results {
            for (input, subject_key) in inputs.iter().zip(&result.subject_keys) {
                let key = LeaveKey { key: input.id, epoch, matcher: result.matcher.clone() };
                if self.partner.leaves().get(&key).is_some() {
                    continue;
                }
                let number = WithdrawNumber { generation: 0, counter: *counter };
                *counter += 1;
                let Desired { references, min, expiry } = input.desired.clone().until(last_day);
                let own = OwnSubmission::draw(references, min, expiry, number, &mut OsRng);
                fresh.push((key, Left::new(purpose.clone(), input.recipe.clone(), subject_key, own)));
            }
        }
        let mut batch = Batch::new();
        batch.put(Table::Meta, COUNTER_KEY, counter.to_be_bytes());
        for (key, left) in &fresh {
            self.partner.put_left(&mut batch, key, left)?;
        }
        self.core.commit(batch, Vec::new()).await?;
        drop(counter);
        {
            let mut leaves = self.partner.leaves();
            fresh.iter().for_each(|(key, left)| leaves.put(key.clone(), left.clone()));
        }
        let touched = inputs.iter().map(|input| input.id).collect();
        self.partner.touch(&touched);
        Ok(())
    }

    /// Finds the highest header that bears this member's name, here or at a holder: a node restored from a backup must
    /// not sign a used number again. None until a majority of the other holders has answered.
    async fn catch_up(&self, keys: &EpochKeys) -> Result<Option<Option<VerifiedHeader>>, StoreError> {
        let (epoch, terms) = (keys.terms.epoch, &keys.terms);
        let mut last = self.last_header(epoch)?;
        let head = |holder: MemberId| {
            let request = Request::Head { epoch, member: self.core.me.clone() };
            send(&self.core, &self.holder, holder, request)
        };
        let holders: Vec<_> = terms.witnesses(&self.core.me).cloned().collect();
        let replies = futures::future::join_all(holders.into_iter().map(head)).await;
        let heads: Vec<_> = replies
            .into_iter()
            .filter_map(|(holder, response)| match response {
                Some(Response::Head(head)) => Some((holder, head)),
                _ => None,
            })
            .collect();
        let own_key = self.core.identity.signing.verifying_key();
        let verified = |head: SignedHeader| head.verify(&own_key).ok();
        let heads: BTreeMap<_, _> =
            heads.into_iter().map(|(holder, head)| (holder, head.and_then(verified))).collect();
        let number = |header: &Option<VerifiedHeader>| header.as_ref().map_or(0, |it| it.header().seq);
        let answers = heads.iter().map(|(holder, head)| (holder.clone(), number(head))).collect();
        if let Resume::WaitFor(holders) = resume(number(&last), &answers, terms, &self.core.me) {
            let holders: Vec<_> = holders.iter().map(MemberId::as_str).collect();
            let holders = holders.join(", ");
            tracing::warn!(
                epoch = epoch.0,
                holders,
                "not evaluating before these key holders have said what they know of this node"
            );
            return Ok(None);
        }
        for (holder, head) in heads {
            let Some(head) = head else { continue };
            let mut from = last.as_ref().map_or(0, |last| last.header().seq) + 1;
            while from <= head.header().seq {
                let request = Request::Headers { epoch, member: self.core.me.clone(), from };
                let Some(Response::Headers(headers)) =
                    send(&self.core, &self.holder, holder.clone(), request).await.1
                else {
                    return Ok(None);
                };
                let missed: Vec<_> =
                    headers.into_iter().filter_map(|header| header.verify(&own_key).ok()).collect();
                let Some(newest) = missed.last().cloned() else { return Ok(None) };
                self.store_missed(epoch, &missed).await?;
                from = newest.header().seq + 1;
                last = Some(newest);
            }
        }
        Ok(Some(last))
    }

    async fn store_missed(&self, epoch: Epoch, missed: &[VerifiedHeader]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for header in missed {
            batch.put(
                Table::OwnHeader,
                header_key(epoch, header.header().seq),
                codec::encode(header.signed()),
            );
        }
        self.core.commit(batch, Vec::new()).await
    }

    fn last_header(&self, epoch: Epoch) -> Result<Option<VerifiedHeader>, StoreError> {
        let last = self.core.store.scan(Table::OwnHeader, &epoch.to_be_bytes()).last().transpose()?;
        let Some((_, bytes)) = last else { return Ok(None) };
        let damaged = |error: codec::CodecError| StoreError::Damaged(format!("an own header: {error}"));
        let signed = codec::decode::<SignedHeader>(&bytes).map_err(damaged)?;
        Ok(Some(VerifiedHeader::trusted(signed)))
    }
}

/// Tells the rules what a holder replied, or that it did not.
async fn hear(
    core: &Core,
    rules: &mut Rules,
    records: &[SignedKeyRecord],
    holder: &MemberId,
    response: Option<Response>,
) {
    match response {
        None | Some(Response::Head(_) | Response::Headers(_)) => rules.failed(holder),
        Some(Response::Acknowledged(acknowledgement)) => rules.acknowledged(holder, acknowledgement),
        Some(Response::Refused(refused)) => {
            tracing::warn!(%holder, reason = %refused.reason, "a key holder refused");
            rules.refused(holder, &refused);
        }
        Some(Response::Answered(answer)) => {
            let fault = tokio::task::block_in_place(|| rules.answered(holder, answer).err());
            if let Some(fault) = fault {
                tracing::error!(%holder, %fault, "a key holder answered wrongly");
                keep_evidence(core, fault, records).await;
            }
        }
    }
}

/// Keeps what proves that a holder signed a wrong answer.
async fn keep_evidence(core: &Core, fault: AnswerFault, records: &[SignedKeyRecord]) {
    let AnswerFault::Wrong(culprit) = fault else { return };
    let event = core.event(Kind::EvaluationAsked, Some(&culprit.answer.holder), 1);
    let events = vec![Event { outcome: Outcome::Failed, ..event }];
    // A failing disk stops the node by itself.
    let _ = core.commit(Batch::new(), events).await;
    if let Some(wrong) = WrongEvaluation::new(&culprit, records) {
        let _ = keep(core, Violation::Evaluation(Box::new(wrong))).await;
    }
}

/// Where the counter of withdraw keys stands.
pub const COUNTER_KEY: &[u8] = b"withdraw-counter";

async fn send(
    core: &Arc<Core>,
    own: &Arc<Holder>,
    holder: MemberId,
    request: Request,
) -> (MemberId, Option<Response>) {
    if holder == core.me {
        // To its end, also when enough others answer first: half done, its memory would lack what its disk has.
        let (own, me) = (Arc::clone(own), core.me.clone());
        let response = tokio::spawn(async move { own.respond(&me, request).await }).await.ok();
        return (holder, response);
    }
    let answered = core.network.request(&holder, Family::Evaluate, codec::encode(&request)).await;
    let response = answered.ok().and_then(|bytes| codec::decode(&bytes).ok());
    (holder, response)
}

fn own_header(core: &Core, epoch: Epoch, seq: u64) -> Option<SignedHeader> {
    let bytes = core.store.get(Table::OwnHeader, &header_key(epoch, seq)).ok().flatten()?;
    codec::decode(&bytes).ok()
}

fn header_key(epoch: Epoch, seq: u64) -> Vec<u8> {
    [epoch.to_be_bytes().as_slice(), &seq.to_be_bytes()].concat()
}

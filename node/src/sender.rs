//! Leaves, renews and withdraws submissions at one matcher, and posts messages there, through the relay drawn for it
//! (`docs/protocol.md` sections 5.3 to 5.7, 10.4 and 11.2).
//!
//! Submission or message, it is stored before it is sent, and is a pure function of its record: after a crash the same is
//! sent again and the matcher recognises it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kring_protocol::canary::Side;
use kring_protocol::codec::{self, Bytes};
use kring_protocol::covenant::Disclosure;
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::matching::MatchKey;
use kring_protocol::matching::outbox::Saying;
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber};
use kring_protocol::relay::{self, ITEMS_MAX, Outcome, Refusal, Request, Response};
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::{self, Content, Destination, Receipt, SealedSubmission, Submission};
use kring_protocol::tempo::Pace;
use rand::rngs::OsRng;
use rand::seq::SliceRandom;
use tokio::sync::Mutex;
use tokio::time::Instant;

use kring_protocol::log::entry::Kind;

use crate::canary::{CanaryKey, Promised, Sending};
use crate::cases::Desired;
use crate::conversations::channel;
use crate::coordination::{Change, Changed};
use crate::core::Core;
use crate::leaves::{LeaveKey, Left, Step};
use crate::network::Family;
use crate::partner::{Errand, Partner};
use crate::store::{Batch, StoreError, Table};

mod slots;

/// Between two tries when neither relay answers, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// A relay that says nothing for so long gets a spare beside it; its answer counts too if it still comes.
const SPARE_AFTER: Duration = Duration::from_secs(2);

/// For so long a relay that was silent comes after the other one. Longer than a request can stay open.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// The counter of withdraw keys, shared with the asker. Stored with every batch that draws from it.
pub type Counter = Mutex<u64>;

/// One sealed item on its way, with what its receipt will change.
struct Item {
    /// What is done again if there is no receipt. None for a dummy.
    errand: Option<Errand>,
    sent: Sent,
    sealed: SealedSubmission,
}

/// The state that was sent; what has changed since follows after the receipt.
enum Sent {
    Leave(LeaveKey, Box<Left>),
    Withdraw(LeaveKey),
    Message(MatchKey, Saying, Vec<u8>),
    Canary(Sending),
    Dummy,
}

impl Sent {
    /// Whether its receipt may change matches.
    const fn changes_matches(&self) -> bool {
        match self {
            Self::Leave(_, left) => left.replaces.is_some(),
            Self::Withdraw(_) | Self::Message(..) => true,
            Self::Canary(_) | Self::Dummy => false,
        }
    }
}

/// Sends to one matcher.
#[derive(Debug)]
pub struct Sender {
    core: Arc<Core>,
    partner: Arc<Partner>,
    destination: Destination,
    counter: Arc<Counter>,
    weekly: Option<(u32, ExchangeKey)>,
    /// When relays were silent last.
    silent: HashMap<MemberId, Instant>,
}

impl Sender {
    /// For one matcher.
    #[must_use]
    pub fn new(core: Arc<Core>, partner: Arc<Partner>, matcher: &MemberId, counter: Arc<Counter>) -> Self {
        let destination = core.destination(matcher);
        Self { core, partner, destination, counter, weekly: None, silent: HashMap::new() }
    }

    /// Works until the node stops.
    pub async fn run(mut self) {
        let (core, partner) = (Arc::clone(&self.core), Arc::clone(&self.partner));
        let Some(work) = partner.submissions.get(&self.destination.matcher) else { return };
        if let Pace::Production(schedule) = &core.pace {
            return self.run_by_slots(schedule, work).await;
        }
        let mut retry = RETRY.0;
        loop {
            let taken = tokio::select! {
                taken = work.take(ITEMS_MAX, Errand::group) => taken,
                () = self.core.stopped() => return,
            };
            match self.send(&taken.items).await {
                Ok(again) if again.is_empty() => retry = RETRY.0,
                Ok(again) => {
                    work.add(again);
                    self.core.pause(retry).await;
                    retry = (retry * 2).min(RETRY.1);
                }
                Err(error) => self.core.fail(error.to_string()),
            }
            if self.core.is_stopping() {
                return;
            }
        }
    }

    /// Sends one batch; returns what must be sent again.
    async fn send(&mut self, errands: &[Errand]) -> Result<Vec<Errand>, StoreError> {
        let Some(epoch) = errands.first().map(Errand::epoch) else { return Ok(Vec::new()) };
        let Some(weekly) = self.weekly_key().await else { return Ok(errands.to_vec()) };
        let mut items = self.items(epoch, errands, &weekly).await?;
        let mut relays = self.relays(epoch).await?;
        if let Some((_, true)) = errands.first().map(Errand::group) {
            relays.reverse();
        }
        let silent = |relay: &MemberId| self.silent.get(relay).is_some_and(|at| at.elapsed() < SILENT_FOR);
        relays.sort_by_key(silent);
        let mut relays = relays.into_iter();
        let (mut open, mut asked) = (FuturesUnordered::new(), None);
        // What the drawn relay brings no good receipt for goes to the spare: the relay may have lost or altered it.
        while !items.is_empty() {
            if open.is_empty() {
                let Some(relay) = relays.next() else { break };
                asked = Some(relay.clone());
                open.push(self.through(relay, &items));
            }
            match tokio::time::timeout(SPARE_AFTER, open.next()).await {
                // It may keep the request open, or the matcher may; whose answer comes first counts.
                Err(_) => {
                    if let Some(relay) = asked.take() {
                        tracing::warn!(%relay, matcher = %self.destination.matcher, "a relay is silent");
                        self.silent.insert(relay, Instant::now());
                    }
                    if let Some(relay) = relays.next() {
                        open.push(self.through(relay, &items));
                    }
                }
                Ok(Some((relay, Some(outcomes)))) => {
                    self.silent.remove(&relay);
                    items = self.settle(&relay, items, outcomes).await?;
                    // What is still open was about more than is left.
                    open = FuturesUnordered::new();
                }
                Ok(_) => tracing::debug!(matcher = %self.destination.matcher, "a relay could not pass on"),
            }
        }
        Ok(items.into_iter().filter_map(|item| item.errand).collect())
    }

    /// What must be sent now for errands of one epoch; stored before anything is sent.
    async fn items(
        &self,
        epoch: Epoch,
        errands: &[Errand],
        weekly: &ExchangeKey,
    ) -> Result<Vec<Item>, StoreError> {
        let (mut keys, mut matches, mut canaries) = (Vec::new(), Vec::new(), Vec::new());
        for errand in errands {
            match errand {
                Errand::Submission(key) => keys.push(key.clone()),
                Errand::Message { key, .. } => matches.push(key.clone()),
                Errand::Canary { key, side } => canaries.push((key.clone(), *side)),
            }
        }
        self.redraw(epoch, &keys).await?;
        let sayings = self.number(&matches).await?;
        Ok(tokio::task::block_in_place(|| {
            let mut items = self.prepare(epoch, &keys, weekly);
            items.extend(self.prepare_messages(epoch, sayings, weekly));
            items.extend(self.prepare_canaries(&canaries, weekly));
            items
        }))
    }

    /// Chooses pair and number for what these matches have to say here, and stores it before anything is sent.
    async fn number(&self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, Saying)>, StoreError> {
        let mut all = Vec::new();
        if keys.is_empty() {
            return Ok(all);
        }
        let _changing = self.partner.changing_matches.lock().await;
        {
            let mut matches = self.partner.matches();
            for key in keys {
                let sayings = matches.say(key, &self.destination.matcher);
                all.extend(sayings.into_iter().map(|saying| (key.clone(), saying)));
            }
        }
        if !all.is_empty() {
            let mut batch = Batch::new();
            self.partner.put_matches(&mut batch, keys)?;
            self.core.commit(batch, Vec::new()).await?;
        }
        Ok(all)
    }

    /// Seals messages. One whose own mailbox is gone meanwhile is left out; it goes over another pair when one is met.
    fn prepare_messages(
        &self,
        epoch: Epoch,
        sayings: Vec<(MatchKey, Saying)>,
        weekly: &ExchangeKey,
    ) -> Vec<Item> {
        let (today, network) = (self.core.today(), self.core.network_id());
        let item = |(key, saying): (MatchKey, Saying)| {
            let leave = self.partner.conversations().leave_of(&saying.pair).cloned()?;
            let left = self.partner.leaves().get(&leave).cloned()?;
            let channel = channel(network, &saying.pair, &leave, &left)?;
            let content = Content::Post(Box::new(channel.seal(&saying.message, saying.n)));
            let submission = Submission { day: today, content };
            let sealed = submission::seal(&submission, &self.destination, weekly, &mut OsRng);
            let errand = Some(Errand::Message { epoch, key: key.clone() });
            Some(Item { errand, sent: Sent::Message(key, saying, submission.to_plaintext()), sealed })
        };
        sayings.into_iter().filter_map(item).collect()
    }

    /// Seals what canaries have to send.
    fn prepare_canaries(&self, halves: &[(CanaryKey, Side)], weekly: &ExchangeKey) -> Vec<Item> {
        let now = self.core.now();
        let day = now.day();
        let item = |(key, side): &(CanaryKey, Side)| {
            let canary = self.partner.canaries().get(key).cloned()?;
            let step = canary.step(*side, now);
            let content = canary.content(*side, step, &self.destination)?;
            let sealed =
                submission::seal(&Submission { day, content }, &self.destination, weekly, &mut OsRng);
            let errand = Some(Errand::Canary { key: key.clone(), side: *side });
            let sent = Sent::Canary(Sending { key: key.clone(), side: *side, step, day });
            Some(Item { errand, sent, sealed })
        };
        halves.iter().filter_map(item).collect()
    }

    /// Draws a new submission for every one that must be replaced, and stores it before anything is sent.
    async fn redraw(&self, epoch: Epoch, keys: &[LeaveKey]) -> Result<(), StoreError> {
        let (today, last_day) = (self.core.today(), self.partner.last_day(epoch));
        let mut fresh = Vec::new();
        let mut counter = self.counter.lock().await;
        {
            let (cases, leaves) = (self.partner.cases(), self.partner.leaves());
            for key in keys {
                let Some(left) = leaves.get(key) else { continue };
                let desired = cases.desired(&key.key, today).map(|desired| desired.until(last_day));
                let (Step::Replace, Some(desired)) = (left.step(desired.as_ref()), desired) else { continue };
                let number = WithdrawNumber { generation: left.own.number.generation, counter: *counter };
                *counter += 1;
                let Desired { references, min, expiry } = desired;
                let own = OwnSubmission::draw(references, min, expiry, number, &mut OsRng);
                fresh.push((key.clone(), left.replaced_by(own)));
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.put(Table::Meta, crate::asker::COUNTER_KEY, counter.to_be_bytes());
        for (key, left) in &fresh {
            self.partner.put_left(&mut batch, key, left)?;
        }
        self.core.commit(batch, Vec::new()).await?;
        drop(counter);
        let mut leaves = self.partner.leaves();
        fresh.into_iter().for_each(|(key, left)| leaves.put(key, left));
        Ok(())
    }

    /// Builds and seals what must be sent now.
    fn prepare(&self, epoch: Epoch, keys: &[LeaveKey], weekly: &ExchangeKey) -> Vec<Item> {
        let (today, last_day) = (self.core.today(), self.partner.last_day(epoch));
        let steps: Vec<_> = {
            let (cases, leaves) = (self.partner.cases(), self.partner.leaves());
            let step = |key: &LeaveKey| {
                let left = leaves.get(key)?.clone();
                let desired = cases.desired(&key.key, today).map(|desired| desired.until(last_day));
                let step = left.step(desired.as_ref());
                Some((key.clone(), left, step))
            };
            keys.iter().filter_map(step).collect()
        };
        let item = |(key, sent, step): (LeaveKey, Left, Step)| {
            let errand = Some(Errand::Submission(key.clone()));
            let (sent, content) = match step {
                Step::Nothing | Step::Replace => return None,
                Step::Leave => {
                    let content = self.leave(&key, &sent);
                    (Sent::Leave(key, Box::new(sent)), content)
                }
                Step::Withdraw => {
                    let root = &self.core.identity.withdraw_root;
                    let content = Content::Withdraw(sent.own.withdraw(&self.destination, root));
                    (Sent::Withdraw(key), content)
                }
            };
            let submission = Submission { day: today, content };
            let sealed = submission::seal(&submission, &self.destination, weekly, &mut OsRng);
            Some(Item { errand, sent, sealed })
        };
        steps.into_iter().filter_map(item).collect()
    }

    fn leave(&self, key: &LeaveKey, left: &Left) -> Content {
        let core = &self.core;
        let scope = Scope {
            network: core.network_id(),
            epoch: key.epoch,
            purpose: left.purpose.clone(),
            matcher: key.matcher.clone(),
        };
        let named = core.covenant.purpose(&left.purpose).map(|purpose| purpose.disclosure)
            == Some(Disclosure::NameAtOnce);
        let name = named.then_some((&core.me, &*core.identity.signing));
        let leaver = Leaver { name, root: &core.identity.withdraw_root };
        let leave = left.own.leave(&left.subject_key(), &scope, leaver, left.replaces.as_ref());
        Content::Leave(Box::new(leave))
    }

    /// Hands the items to a relay. Nothing comes of it when it, or the matcher behind it, cannot be reached.
    fn through(
        &self,
        relay: MemberId,
        items: &[Item],
    ) -> impl Future<Output = (MemberId, Option<Vec<Outcome>>)> + Send + use<> {
        let (day, matcher) = (self.core.today(), self.destination.matcher.clone());
        let signing = &self.core.identity.signing;
        let forward = |item: &Item| relay::forward(&item.sealed, &self.destination, &relay, day, signing);
        let forwards = tokio::task::block_in_place(|| items.iter().map(forward).collect::<Vec<_>>());
        let request = codec::encode(&Request::Forward { matcher, day, items: forwards });
        let (core, count) = (Arc::clone(&self.core), items.len());
        async move {
            let answer = core.network.request(&relay, Family::Forward, request).await.ok();
            let outcomes = match answer.and_then(|answer| codec::decode(&answer).ok()) {
                Some(Response::Outcomes(outcomes)) if outcomes.len() == count => Some(outcomes),
                Some(Response::Refused(refusal)) => {
                    tracing::warn!(%relay, %refusal, "a relay refused");
                    None
                }
                _ => None,
            };
            (relay, outcomes)
        }
    }

    /// Stores what the receipts say. Returns what must be sent again.
    async fn settle(
        &mut self,
        relay: &MemberId,
        items: Vec<Item>,
        outcomes: Vec<Outcome>,
    ) -> Result<Vec<Item>, StoreError> {
        let Some(matcher_key) = self.core.verifying_key(&self.destination.matcher) else {
            return Ok(Vec::new());
        };
        let (mut done, mut again) = (Vec::new(), Vec::new());
        let mut canaries_changed = false;
        for (item, outcome) in items.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Receipt(receipt) => {
                    match item.sealed.verify_receipt(&receipt, &self.destination, &matcher_key) {
                        Ok(receipt) => done.push((item, receipt)),
                        Err(error) => {
                            let matcher = &self.destination.matcher;
                            tracing::error!(%relay, %matcher, %error, "a bad receipt; one of the two is at fault");
                            again.push(item);
                        }
                    }
                }
                Outcome::Refused(refusal) => {
                    let matcher = &self.destination.matcher;
                    tracing::warn!(%relay, %matcher, %refusal, "a submission was refused");
                    if refusal == Refusal::Unopenable {
                        self.weekly = None;
                    }
                    if let Sent::Canary(sending) = &item.sent
                        && self.canary_refused(sending, refusal).await?
                    {
                        canaries_changed = true;
                        continue;
                    }
                    again.push(item);
                }
            }
        }
        let changed = self.store(&done).await?;
        canaries_changed |= done.iter().any(|(item, _)| matches!(item.sent, Sent::Canary(_)));
        let keys = done.iter().filter_map(|(item, _)| match &item.sent {
            Sent::Leave(key, _) | Sent::Withdraw(key) => Some(key.key),
            Sent::Message(..) | Sent::Canary(_) | Sent::Dummy => None,
        });
        self.partner.touch(&keys.collect());
        self.partner.touch_matches(&changed);
        if canaries_changed {
            self.partner.touch_canaries();
        }
        Ok(again)
    }

    /// A half of a canary was refused. True when it is not sent again.
    async fn canary_refused(&self, sending: &Sending, refusal: Refusal) -> Result<bool, StoreError> {
        let mut batch = Batch::new();
        self.partner.canaries().refused(&self.core, sending, refusal, &mut batch)?;
        let changed = !batch.is_empty();
        if changed {
            self.core.commit(batch, Vec::new()).await?;
        }
        Ok(changed)
    }

    /// Returns the matches that lost a ground.
    async fn store(&self, done: &[(Item, Receipt)]) -> Result<Vec<MatchKey>, StoreError> {
        let changes = done.iter().any(|(item, _)| item.sent.changes_matches());
        let _changing = match changes {
            true => Some(self.partner.changing_matches.lock().await),
            false => None,
        };
        let mut batch = Batch::new();
        let mut change = Change::new(&self.partner);
        for (item, receipt) in done {
            let mut ended = None;
            let promise = item.sealed.promise(receipt);
            match &item.sent {
                Sent::Dummy => {}
                Sent::Canary(sending) => {
                    self.partner.canaries().receipted(&self.core, sending, promise, &mut batch)?;
                }
                Sent::Leave(key, sent) => {
                    // The reader may have counted posts since.
                    let mut leaves = self.partner.leaves();
                    let Some(mut left) = leaves.get(key).cloned() else { continue };
                    if left.own == sent.own {
                        ended = left.replaces.take();
                        left.receipted = true;
                        self.partner.put_left(&mut batch, key, &left)?;
                        leaves.put(key.clone(), left);
                    }
                }
                Sent::Withdraw(key) => {
                    let mut leaves = self.partner.leaves();
                    if let Some(left) = leaves.remove(key) {
                        batch.delete(Table::Left, key.to_bytes());
                        ended = Some(left.own);
                    }
                }
                Sent::Message(key, saying, plaintext) => {
                    let matcher = self.destination.matcher.clone();
                    let watched = Promised { matcher, plaintext: Bytes(plaintext.clone()), promise };
                    self.partner.canaries().watch(&self.core, watched, &mut batch)?;
                    let message = &saying.message.id;
                    if self.partner.matches().receipted(key, message, &saying.pair) {
                        self.partner.put_matches(&mut batch, std::slice::from_ref(key))?;
                    }
                }
            }
            if let Some(own) = ended {
                self.partner.own_ended(&mut change, &own.mailbox().public());
            }
        }
        let Changed { matches: changed, events } = change.finish(&mut batch)?;
        let sent = self.core.event(Kind::SubmissionSent, Some(&self.destination.matcher), done.len() as u64);
        self.core.commit(batch, std::iter::once(sent).chain(events).collect()).await?;
        Ok(changed)
    }

    /// The key to seal to this week, asked of the matcher and kept for the week.
    async fn weekly_key(&mut self) -> Option<ExchangeKey> {
        let week = self.core.today().week();
        if let Some((known, key)) = self.weekly
            && known == week
        {
            return Some(key);
        }
        let matcher = &self.destination.matcher;
        let request = codec::encode(&Request::WeeklyKey);
        let answer = self.core.network.request(matcher, Family::Forward, request).await.ok()?;
        let Ok(Response::WeeklyKeys(keys)) = codec::decode(&answer) else { return None };
        let matcher_key = self.core.verifying_key(matcher)?;
        let key = keys.into_iter().find(|key| key.week == week)?;
        key.verify(&self.destination, &matcher_key).ok()?;
        self.weekly = Some((week, key.key));
        Some(key.key)
    }

    /// The relay drawn for this matcher and epoch, and its spare. Drawn once and kept.
    async fn relays(&self, epoch: Epoch) -> Result<Vec<MemberId>, StoreError> {
        let matcher = &self.destination.matcher;
        let key = [epoch.to_be_bytes().as_slice(), matcher.as_bytes()].concat();
        if let Some(stored) = self.core.store.get(Table::RelayChoice, &key)? {
            let names = String::from_utf8_lossy(&stored);
            return Ok(names.split(' ').filter_map(|name| name.parse().ok()).collect());
        }
        let possible = self.core.covenant.relays_for(&self.core.me, matcher);
        let drawn: Vec<_> = possible.choose_multiple(&mut OsRng, 2).cloned().collect();
        let names: Vec<_> = drawn.iter().map(MemberId::as_str).collect();
        let mut batch = Batch::new();
        batch.put(Table::RelayChoice, key, names.join(" ").into_bytes());
        self.core.commit(batch, Vec::new()).await?;
        Ok(drawn)
    }
}

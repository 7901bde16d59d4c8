//! Tracing: this node's complaints, a matcher's crowds, and the work of a holder of a trace key (`docs/protocol.md`
//! section 13). The rules are `kring_protocol::trace`.
//!
//! A complaint is stored with the page that gave rise to it and sent until it is handled. Every request may come again:
//! the same gets the same. Not here: what a matcher keeps ([`crate::matcher`]) and where answers go ([`answers`]).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kring_protocol::codec::{self, Wire};
use kring_protocol::evidence::Violation;
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::{Kind, Outcome};
use kring_protocol::own_submission::WithdrawNumber;
use kring_protocol::relay::is_recent;
use kring_protocol::time::Day;
use kring_protocol::trace::crowd::BadCrowd;
use kring_protocol::trace::message::{OpenComplaint, OpenCrowd};
use kring_protocol::trace::{
    Answer, COMPLAINTS_A_DAY, Complainant, Crowd, Disclosed, Grounds, Judged, Refusal, Request, Response,
    SignedComplaint, Trial, Why,
};
use rand::Rng as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::audit::Event;
use crate::core::Core;
use crate::evidence::keep;
use crate::matcher::Matcher;
use crate::network::Family;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

pub mod answers;

/// Between two tries of a matcher to have a crowd ruled on.
const RETRY: Duration = Duration::from_secs(5);
/// What came of a complaint is remembered so long, in days: longer than an epoch lasts.
const JUDGED_DAYS: u32 = 400;

/// Adds a complaint to the batch of the page that gave rise to it. The same again takes its own place.
///
/// # Errors
/// [`StoreError`].
pub fn put_complaint(
    core: &Core,
    grounds: Grounds<'_>,
    number: WithdrawNumber,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let withdraw = core.identity.withdraw_root.key(&grounds.scope.matcher, number);
    let complainant = Complainant { member: &core.me, signing: &core.identity.signing, withdraw: &withdraw };
    let complaint = SignedComplaint::new(grounds, complainant, &core.covenant, &mut OsRng);
    let key = complaint.complaint.id();
    let bytes = codec::encode(&complaint);
    let sealed = core.vault.seal_record(&KeyName::Traces, Table::Complaint, key.as_bytes(), &bytes)?;
    batch.put(Table::Complaint, key.as_bytes().as_slice(), sealed);
    Ok(())
}

/// What came of a complaint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    member: MemberId,
    day: Day,
    refusal: Option<Refusal>,
}

impl Wire for Done {
    const MAX_LEN: usize = 128;
}

/// What each member brought today, each once however often it comes.
#[derive(Debug, Default)]
struct Brought {
    day: Option<Day>,
    ids: HashMap<MemberId, BTreeSet<[u8; 16]>>,
}

impl Brought {
    /// False when it is one more than a day's.
    fn take(&mut self, member: &MemberId, id: [u8; 16], today: Day) -> bool {
        if self.day != Some(today) {
            *self = Self { day: Some(today), ids: HashMap::new() };
        }
        let ids = self.ids.entry(member.clone()).or_default();
        ids.contains(&id) || (ids.len() < COMPLAINTS_A_DAY as usize && ids.insert(id))
    }
}

/// Complaints, crowds and openings of this node.
#[derive(Debug)]
pub struct Trace {
    core: Arc<Core>,
    matcher: Option<Arc<Matcher>>,
    brought: Mutex<Brought>,
}

impl Trace {
    /// With what is in the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(core: Arc<Core>, matcher: Option<Arc<Matcher>>) -> Result<Self, StoreError> {
        let (today, mut brought) = (core.today(), Brought::default());
        for (id, bytes) in core.store.scan_all(Table::Judged)? {
            let done: Done = codec::decode(&bytes)
                .map_err(|_| StoreError::Damaged("a judged record does not read".to_owned()))?;
            if let (true, Ok(id)) = (done.day == today, id.as_slice().try_into()) {
                let _ = brought.take(&done.member, id, today);
            }
        }
        answers::write_missing(&core)?;
        Ok(Self { core, matcher, brought: Mutex::new(brought) })
    }

    /// Sends complaints until the node stops, after a random wait at tempo production.
    pub async fn complain(self: Arc<Self>) {
        loop {
            let wait = 1 + OsRng.gen_range(0..=u64::from(self.core.pace.wait_secs()));
            if !self.core.until(self.core.now().plus_secs(wait)).await {
                return;
            }
            if let Err(error) = self.send_complaints().await {
                self.core.fail(error.to_string());
            }
        }
    }

    async fn send_complaints(&self) -> Result<(), StoreError> {
        for (key, sealed) in self.core.store.scan_all(Table::Complaint)? {
            let complaint: SignedComplaint =
                self.core.vault.open_record(&KeyName::Traces, Table::Complaint, &key, &sealed)?;
            let [_, holder] = &self.core.covenant.trace_keys;
            let matcher = complaint.complaint.matcher.clone();
            let outcome = if complaint.complaint.met.expiry < self.core.today() {
                Some(Outcome::Failed)
            } else {
                match self.ask(holder, Request::Complain(Box::new(complaint))).await {
                    Response::Handled => Some(Outcome::Done),
                    Response::Refused(refusal) if refusal.is_final() => {
                        tracing::warn!(%matcher, %refusal, "a complaint was refused");
                        Some(Outcome::Refused)
                    }
                    _ => None,
                }
            };
            if let Some(outcome) = outcome {
                let mut batch = Batch::new();
                batch.delete(Table::Complaint, key);
                self.core.commit(batch, vec![self.event(Kind::Complaint, None, outcome)]).await?;
            }
        }
        Ok(())
    }

    /// Tells of crowds until the node stops, and does what is decided about them.
    pub async fn tell(self: Arc<Self>) {
        let Some(matcher) = &self.matcher else { return };
        while !self.core.is_stopping() {
            if let Err(error) = self.tell_crowds(matcher).await {
                self.core.fail(error.to_string());
            }
            tokio::select! {
                () = matcher.crowded() => {}
                () = self.core.pause(RETRY) => {}
            }
        }
    }

    async fn tell_crowds(&self, matcher: &Matcher) -> Result<(), StoreError> {
        for crowd in matcher.crowds().await? {
            let [_, holder] = &self.core.covenant.trace_keys;
            let Response::Ruling(ruling) = self.ask(holder, Request::Crowd(Box::new(crowd))).await else {
                tracing::warn!(%holder, "a crowd is not ruled on yet");
                continue;
            };
            let destination = self.core.destination(&self.core.me);
            match tokio::task::block_in_place(|| ruling.verify(&destination, &self.core.covenant)) {
                Ok(ruling) => matcher.rule(&ruling).await?,
                Err(refusal) => tracing::error!(%holder, %refusal, "a ruling that is none"),
            }
        }
        Ok(())
    }

    /// Asks a member, or this node itself where that is who is asked. No answer is a refusal for now.
    async fn ask(&self, member: &MemberId, request: Request) -> Response {
        if *member == self.core.me {
            return Box::pin(self.respond(member, request)).await;
        }
        let asked = self.core.network.request(member, Family::Trace, codec::encode(&request)).await;
        let answer = asked.ok().and_then(|bytes| codec::decode(&bytes).ok());
        answer.unwrap_or(Response::Refused(Refusal::Unreachable))
    }

    // Serving.

    /// Answers one request of `/kring/trace/1`.
    pub async fn handle(&self, from: &MemberId, bytes: &[u8]) -> Vec<u8> {
        let response = match codec::decode(bytes) {
            Err(_) => Response::Refused(Refusal::Malformed),
            Ok(request) => self.respond(from, request).await,
        };
        codec::encode(&response)
    }

    async fn respond(&self, from: &MemberId, request: Request) -> Response {
        let answered = match request {
            Request::Complain(complaint) => self.complained(from, *complaint).await,
            Request::Kept(complaint) => self.kept(from, &complaint).await,
            Request::Open(open) => self.open(from, *open).await,
            Request::Crowd(crowd) => self.crowd(from, *crowd).await,
            Request::Rule(rule) => self.rule(from, *rule).await,
        };
        answered.unwrap_or_else(Response::Refused)
    }

    /// As the second holder: a complaint of a member. What comes of it is stored before it is said.
    async fn complained(&self, from: &MemberId, complaint: SignedComplaint) -> Result<Response, Refusal> {
        self.must_be(1, from == &complaint.complaint.member)?;
        complaint.verify(&self.core.covenant)?;
        let (id, today) = (complaint.complaint.id(), self.core.today());
        if let Some(done) = self.core.store.get(Table::Judged, id.as_bytes()).map_err(failed)? {
            let done: Done = codec::decode(&done).map_err(|_| Refusal::Unreachable)?;
            return done.refusal.map_or(Ok(Response::Handled), Err);
        }
        if !self.brought().take(from, *id.as_bytes(), today) {
            return Err(Refusal::TooMany);
        }
        let judged = self.judge(complaint).await;
        let refusal = judged.err();
        if refusal.is_none_or(Refusal::is_final) {
            let outcome = if refusal.is_none() { Outcome::Done } else { Outcome::Refused };
            tracing::info!(%from, ?refusal, "a complaint was judged");
            let mut batch = Batch::new();
            let done = Done { member: from.clone(), day: today, refusal };
            batch.put(Table::Judged, id.as_bytes().as_slice(), codec::encode(&done));
            self.commit(batch, self.event(Kind::Complaint, Some(from), outcome)).await?;
        }
        judged.map(|()| Response::Handled)
    }

    async fn judge(&self, complaint: SignedComplaint) -> Result<(), Refusal> {
        let it = &complaint.complaint;
        let records = match self.ask(&it.matcher, Request::Kept(Box::new(complaint.clone()))).await {
            Response::Kept(records) => *records,
            Response::Refused(Refusal::Gone) => return Err(Refusal::Gone),
            _ => return Err(Refusal::Unreachable),
        };
        match self.judged(&complaint, &records)? {
            Judged::Proven(violation) => self.prove(violation).await,
            Judged::Founded => self.open_with_first(complaint, records).await,
        }
    }

    /// This holder's own judgement, by its own key.
    fn judged(&self, complaint: &SignedComplaint, records: &[Disclosed; 2]) -> Result<Judged, Refusal> {
        tokio::task::block_in_place(|| {
            let (core, secret) = (&self.core, &self.core.identity.trace);
            let key = complaint.key(&core.me, secret, &core.covenant)?;
            complaint.judge(records.each_ref(), &key, &core.covenant, core.today())
        })
    }

    /// Takes off the outer seal, and has the first holder take off the inner one.
    async fn open_with_first(
        &self,
        complaint: SignedComplaint,
        records: [Disclosed; 2],
    ) -> Result<(), Refusal> {
        let (core, [_, other]) = (&self.core, &records);
        let matcher = complaint.complaint.matcher.clone();
        if answers::is_kept(core, &matcher, &other.kept.passed.sealed).map_err(failed)? {
            return Ok(());
        }
        let (why, kept) = (why(&complaint), other.kept.clone());
        let trial = Trial { covenant: &core.covenant, matcher: &matcher, kept: &kept, why: &why };
        let half = trial.half_open(&core.identity.trace, &core.identity.signing, core.today());
        let open = OpenComplaint { complaint, records, half: half.clone() };
        let [first, _] = &core.covenant.trace_keys;
        match self.ask(first, Request::Open(Box::new(open))).await {
            Response::Answer(answer) => {
                if trial.accept(&half, &answer).is_err() {
                    tracing::error!(%first, "the first holder of trace keys gave an answer that is none");
                    return Err(Refusal::Unreachable);
                }
                self.keep_answers(&[*answer]).await
            }
            Response::Refused(refusal) => Err(refusal),
            _ => Err(Refusal::Unreachable),
        }
    }

    /// As a matcher: what it kept of both submissions of a complaint that the second holder shows.
    async fn kept(&self, from: &MemberId, complaint: &SignedComplaint) -> Result<Response, Refusal> {
        let it = &complaint.complaint;
        let [_, holder] = &self.core.covenant.trace_keys;
        let matcher = self.matcher.as_ref().filter(|_| from == holder && it.matcher == self.core.me);
        let matcher = matcher.ok_or(Refusal::Role)?;
        complaint.verify(&self.core.covenant)?;
        let disclosed = |mailbox| {
            tokio::task::block_in_place(|| matcher.disclosed(mailbox)).map_err(failed)?.ok_or(Refusal::Gone)
        };
        let records = [disclosed(&it.mailbox)?, disclosed(&it.met.mailbox)?];
        self.commit(Batch::new(), self.event(Kind::Complaint, Some(from), Outcome::Done)).await?;
        Ok(Response::Kept(Box::new(records)))
    }

    /// As the first holder: checks again, and takes off the inner seal.
    async fn open(&self, from: &MemberId, open: OpenComplaint) -> Result<Response, Refusal> {
        let core = &self.core;
        self.must_be(0, *from == core.covenant.trace_keys[1])?;
        let OpenComplaint { complaint, records, half } = open;
        let judged = self.judged(&complaint, &records);
        if judged != Ok(Judged::Founded) {
            self.commit(Batch::new(), self.event(Kind::Complaint, Some(from), Outcome::Refused)).await?;
            return Err(judged.err().unwrap_or(Refusal::Unfounded));
        }
        let (why, matcher) = (why(&complaint), &complaint.complaint.matcher);
        let trial = Trial { covenant: &core.covenant, matcher, kept: &records[1].kept, why: &why };
        let answer = trial.open(&half, &core.identity.trace, &core.identity.signing)?;
        self.keep_answers(std::slice::from_ref(&answer)).await?;
        Ok(Response::Answer(Box::new(answer)))
    }

    /// As the second holder: a matcher's report of a crowd.
    async fn crowd(&self, from: &MemberId, crowd: Crowd) -> Result<Response, Refusal> {
        let core = &self.core;
        self.must_be(1, *from == crowd.matcher)?;
        let Why::Crowd { id, .. } = crowd.why() else { return Err(Refusal::Malformed) };
        if !self.brought().take(from, *id.as_bytes(), core.today()) {
            return Err(Refusal::TooMany);
        }
        let (secret, signing) = (&core.identity.trace, &core.identity.signing);
        let halves = tokio::task::block_in_place(|| {
            recent(core, &crowd)?;
            crowd.check(&core.covenant)?;
            Ok(crowd.half_open(&core.covenant, secret, signing, core.today()))
        });
        let halves = self.settle(from, halves).await?;
        let [first, _] = &core.covenant.trace_keys;
        let rule = OpenCrowd { crowd: crowd.clone(), halves: halves.clone() };
        let verdict = match self.ask(first, Request::Rule(Box::new(rule))).await {
            Response::Verdict(verdict) => *verdict,
            Response::Refused(refusal) => return Err(refusal),
            _ => return Err(Refusal::Unreachable),
        };
        let ruling = tokio::task::block_in_place(|| crowd.accept(&verdict, &halves, &core.covenant, signing));
        let ruling = self.settle(from, ruling).await?;
        self.keep_answers(&verdict.answers).await?;
        tracing::warn!(matcher = %from, removed = ruling.removed.len(), cleared = ruling.cleared.len(), "a crowd was ruled on");
        self.commit(Batch::new(), self.event(Kind::Crowd, Some(from), Outcome::Done)).await?;
        Ok(Response::Ruling(Box::new(ruling)))
    }

    /// As the first holder: opens all tickets of a crowd, and keeps who left several.
    async fn rule(&self, from: &MemberId, rule: OpenCrowd) -> Result<Response, Refusal> {
        let core = &self.core;
        self.must_be(0, *from == core.covenant.trace_keys[1])?;
        let OpenCrowd { crowd, halves } = rule;
        let (secret, signing) = (&core.identity.trace, &core.identity.signing);
        let verdict = tokio::task::block_in_place(|| {
            recent(core, &crowd)?;
            crowd.rule(&halves, &core.covenant, secret, signing)
        });
        let verdict = self.settle(from, verdict).await?;
        self.keep_answers(&verdict.answers).await?;
        self.commit(Batch::new(), self.event(Kind::Crowd, Some(from), Outcome::Done)).await?;
        Ok(Response::Verdict(Box::new(verdict)))
    }

    /// A report that leads to no ruling is logged; what it proves is kept.
    async fn settle<T>(&self, from: &MemberId, result: Result<T, BadCrowd>) -> Result<T, Refusal> {
        let refusal = match result {
            Ok(good) => return Ok(good),
            Err(BadCrowd::Refused(refusal)) => refusal,
            Err(BadCrowd::Proven(violation)) => {
                self.prove(violation).await?;
                Refusal::Unfounded
            }
        };
        self.commit(Batch::new(), self.event(Kind::Crowd, Some(from), Outcome::Refused)).await?;
        Err(refusal)
    }

    /// Answers stay with the two holders; what proves something against a relay is evidence too.
    async fn keep_answers(&self, all: &[Answer]) -> Result<(), Refusal> {
        for answer in all {
            answers::keep(&self.core, answer).await.map_err(failed)?;
            if let Some(violation) = answers::false_ticket(&self.core, answer) {
                self.prove(violation).await?;
            }
        }
        Ok(())
    }

    async fn prove(&self, violation: Violation) -> Result<(), Refusal> {
        keep(&self.core, violation).await.map_err(failed)
    }

    /// Whether this node is the holder at `place`, and the asker who it must be.
    fn must_be(&self, place: usize, asker: bool) -> Result<(), Refusal> {
        let holder = self.core.covenant.trace_keys.get(place) == Some(&self.core.me);
        if holder && asker { Ok(()) } else { Err(Refusal::Role) }
    }

    fn brought(&self) -> std::sync::MutexGuard<'_, Brought> {
        self.brought.lock().expect("nobody panics while holding what was brought")
    }

    fn event(&self, kind: Kind, member: Option<&MemberId>, outcome: Outcome) -> Event {
        Event { outcome, ..self.core.event(kind, member, 1) }
    }

    async fn commit(&self, batch: Batch, event: Event) -> Result<(), Refusal> {
        self.core.commit(batch, vec![event]).await.map_err(failed)
    }

    /// Forgets what came of complaints long ago; once a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(&self) -> Result<(), StoreError> {
        let (today, mut batch) = (self.core.today(), Batch::new());
        for (id, bytes) in self.core.store.scan_all(Table::Judged)? {
            if codec::decode::<Done>(&bytes).is_ok_and(|done| done.day.plus(JUDGED_DAYS) < today) {
                batch.delete(Table::Judged, id);
            }
        }
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, Vec::new()).await }
    }
}

/// Whether the crowd is one of today, by this node's clock as far as clocks agree.
fn recent(core: &Core, crowd: &Crowd) -> Result<(), BadCrowd> {
    if is_recent(crowd.day, core.today()) { Ok(()) } else { Err(Refusal::Unfounded.into()) }
}

fn why(complaint: &SignedComplaint) -> Why {
    let it = &complaint.complaint;
    Why::Complaint { member: it.member.clone(), id: it.id() }
}

/// A failing store stops the node; the asker tries again.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: StoreError) -> Refusal {
    tracing::error!(%error, "a trace could not be stored or read");
    Refusal::Unreachable
}

#[cfg(test)]
mod tests;

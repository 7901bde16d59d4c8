//! The matcher's role: takes in submissions, keeps what a trace would need, appends what follows to its board
//! (`docs/protocol.md` sections 5.6, 6.2, 6.3 and 10.2). The rules themselves are `kring_protocol::meeting`.
//!
//! Intake and append are two commits. What must be posted is stored with the intake that made it due, so that a crash
//! between the two loses nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex};

use kring_protocol::board::Entry as BoardEntry;
use kring_protocol::codec::{self, Bytes, Wire};
use kring_protocol::id::MemberId;
use kring_protocol::meeting::{Change, Live, Meeting, TakenIn};
use kring_protocol::relay::{ITEMS_MAX, Outcome, Refusal, Relayed, Response, is_recent, verify_relayed};
use kring_protocol::sealing::{ExchangeKey, ExchangeSecret};
use kring_protocol::submission::{
    self, Content, Destination, MatcherDay, OpenedSubmission, PostRequest, Sha256,
};
use kring_protocol::tempo::Next;
use kring_protocol::time::{Day, Timestamp};
use kring_protocol::trace::LINGER_DAYS;
use tokio::sync::{Mutex, Notify};

use kring_protocol::log::entry::Kind;

use crate::audit::Event;
use crate::boards::Boards;
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

mod due;
mod record;
mod trace;
mod weekly;

use due::{Brought, Due, Group, Posting, mixed};
use record::{Ended, Kept, Seen, StoredKey};

const DAY_KEY: &[u8] = b"";
/// Request hashes are kept so long: a day more than submissions are taken (section 5.6).
const SEEN_DAYS: u32 = 3;
/// What became of a good submission.
#[derive(Clone, Copy, Debug)]
struct Applied {
    /// The day of its first intake.
    day: Day,
    /// Whether the mailbox that it withdraws or replaces was there.
    held: bool,
    /// Whether it changed anything now.
    new: bool,
}

/// What one request of a relay changes, as far as it has been gone through.
struct Taking<'a> {
    relay: &'a MemberId,
    today: Day,
    batch: Batch,
    group: Group,
}

#[derive(Debug)]
struct Intake {
    meeting: Meeting,
    /// Ended submissions of which a trace may still need something, and the last day of that.
    lingering: HashMap<ExchangeKey, Day>,
    /// Day and outcome of sealed requests seen lately.
    seen: HashMap<Sha256, (Day, bool)>,
    next_posting: u64,
    brought: Brought,
    day: MatcherDay,
}

impl Intake {
    /// The matcher's day now; a new one goes into the batch.
    fn today(&mut self, now: Timestamp, batch: &mut Batch) -> Day {
        if self.day.advance(now.day()) {
            batch.put(Table::MatcherDay, DAY_KEY, codec::encode(&self.day));
        }
        self.day.day()
    }

    fn push(&mut self, group: &mut Group, posting: Posting) {
        group.push((self.next_posting, posting));
        self.next_posting += 1;
    }

    /// So that the same request, or the same message in another one, changes nothing.
    fn remember(&mut self, hash: Sha256, day: Day, held: bool, batch: &mut Batch) {
        self.seen.insert(hash, (day, held));
        batch.put(Table::Seen, hash.as_bytes().as_slice(), codec::encode(&Seen { day, held }));
    }
}

/// The matcher's role of this node.
#[derive(Debug)]
pub struct Matcher {
    core: Arc<Core>,
    boards: Arc<Boards>,
    destination: Destination,
    intake: Mutex<Intake>,
    due: StdMutex<Due>,
    became_due: Notify,
    crowded: Notify,
    weekly: Mutex<HashMap<u32, ExchangeSecret>>,
}

impl Matcher {
    /// With what is in the store.
    ///
    /// # Errors
    /// [`StoreError`], also for a record that does not open with this node's keys.
    pub fn load(core: Arc<Core>, boards: Arc<Boards>) -> Result<Self, StoreError> {
        let destination = core.destination(&core.me);
        let mut meeting = Meeting::new(destination.clone());
        for (key, sealed) in core.store.scan_all(Table::Live)? {
            let live: Live = core.vault.open_record(&KeyName::Meeting, Table::Live, &key, &sealed)?;
            meeting.restore_live(mailbox(&key)?, live);
        }
        let mut lingering = HashMap::new();
        for (key, bytes) in core.store.scan_all(Table::Ended)? {
            let Ended { until, kept } = decode(Table::Ended, &bytes)?;
            meeting.restore_ended(mailbox(&key)?, until);
            if let Some(day) = kept {
                lingering.insert(mailbox(&key)?, day);
            }
        }
        let mut seen = HashMap::new();
        for (key, bytes) in core.store.scan_all(Table::Seen)? {
            let hash = Sha256::try_from(key.as_slice()).map_err(|_| damaged(Table::Seen))?;
            seen.insert(hash, decode::<Seen>(Table::Seen, &bytes)?.into());
        }
        let group = due::load(&core)?;
        let next_posting = group.last().map_or(0, |(number, _)| number + 1);
        let mut due = Due::default();
        due.add(group);
        let day = match core.store.get(Table::MatcherDay, DAY_KEY)? {
            Some(bytes) => decode(Table::MatcherDay, &bytes)?,
            None => MatcherDay::first(Day::from_days(0)),
        };
        let mut weekly = HashMap::new();
        for (key, sealed) in core.store.scan_all(Table::WeeklyKey)? {
            let week =
                key.as_slice().try_into().map(u32::from_be_bytes).map_err(|_| damaged(Table::WeeklyKey))?;
            let secret: StoredKey =
                core.vault.open_record(&KeyName::Meeting, Table::WeeklyKey, &key, &sealed)?;
            weekly.insert(week, ExchangeSecret::from_bytes(secret.0));
        }
        Ok(Self {
            core,
            boards,
            destination,
            intake: Mutex::new(Intake {
                meeting,
                lingering,
                seen,
                next_posting,
                brought: Brought::default(),
                day,
            }),
            due: StdMutex::new(due),
            became_due: Notify::new(),
            crowded: Notify::new(),
            weekly: Mutex::new(weekly),
        })
    }

    /// Posts that wait for an append.
    #[must_use]
    pub fn appends_waiting(&self) -> usize {
        self.due().count()
    }

    /// Live submissions.
    pub async fn live(&self) -> usize {
        self.intake.lock().await.meeting.len()
    }

    /// Takes in what a relay passes on.
    pub async fn take_in(&self, relay: &MemberId, day: Day, items: Vec<Relayed>) -> Response {
        let independent = self.core.covenant.independent(relay, &self.core.me);
        let Some(relay_key) = self.core.verifying_key(relay).filter(|_| independent) else {
            return Response::Refused(Refusal::Path);
        };
        if items.len() > ITEMS_MAX || items.is_empty() {
            return Response::Refused(Refusal::Malformed);
        }
        let today = self.core.today();
        if !is_recent(day, today) {
            return Response::Refused(Refusal::Day);
        }
        let mut secrets = Vec::new();
        for week in [today.week(), today.week().saturating_sub(1)] {
            secrets.extend(self.weekly.lock().await.get(&week).cloned());
        }
        let opened: Vec<_> = tokio::task::block_in_place(|| {
            let open = |item: Relayed| {
                let sealed_hash = Sha256::from_bytes(kring_protocol::crypto::sha256(&item.sealed.0));
                verify_relayed(&item, &sealed_hash, &self.destination, day, &relay_key)
                    .map_err(|_| Refusal::Signature)?;
                let opened = secrets
                    .iter()
                    .find_map(|secret| submission::open(&item.sealed.0, &self.destination, secret).ok())
                    .filter(|opened| opened.plaintext_hash == item.plaintext)
                    .ok_or(Refusal::Unopenable)?;
                if is_recent(opened.submission.day, today) { Ok((item, opened)) } else { Err(Refusal::Day) }
            };
            items.into_iter().map(open).collect()
        });
        match self.store(relay, day, &opened).await {
            Ok(receipts) => Response::Outcomes(self.outcomes(&opened, receipts)),
            Err(_) => Response::Refused(Refusal::Unreachable),
        }
    }

    /// Applies the rules and stores what they change, in one commit. For each good item: day and outcome for its receipt.
    async fn store(
        &self,
        relay: &MemberId,
        day: Day,
        opened: &[Result<(Relayed, OpenedSubmission), Refusal>],
    ) -> Result<Vec<Result<(Day, bool), Refusal>>, StoreError> {
        let mut intake = self.intake.lock().await;
        let mut batch = Batch::new();
        let today = intake.today(self.core.now(), &mut batch);
        let mut taking = Taking { relay, today, batch, group: Group::new() };
        let mut receipts = Vec::new();
        for item in opened {
            let (relayed, opened) = match item {
                Ok(item) => item,
                Err(refusal) => {
                    receipts.push(Err(*refusal));
                    continue;
                }
            };
            let outcome = self.apply(&mut intake, opened, &mut taking)?;
            if let Ok(Applied { new: true, .. }) = outcome {
                self.keep(&mut taking.batch, relay, day, relayed, opened)?;
            }
            receipts.push(outcome.map(|applied| (applied.day, applied.held)));
        }
        let Taking { batch, group, .. } = taking;
        let taken = receipts.iter().filter(|receipt| receipt.is_ok()).count() as u64;
        let mut entries = vec![self.core.event(Kind::SubmissionReceived, Some(relay), taken)];
        let announced =
            group.iter().filter(|(_, posting)| matches!(posting, Posting::Announcement(_))).count();
        if announced > 0 {
            entries.push(self.core.event(Kind::Meeting, None, announced as u64));
        }
        self.commit(batch, group, entries).await?;
        if !intake.meeting.crowds(today).is_empty() {
            self.crowded.notify_one();
        }
        Ok(receipts)
    }

    /// Stores what changed with what must be posted of it, which then is due.
    async fn commit(&self, mut batch: Batch, group: Group, entries: Vec<Event>) -> Result<(), StoreError> {
        for (number, posting) in &group {
            posting.put(*number, &self.core, &mut batch)?;
        }
        self.core.commit(batch, entries).await?;
        if !group.is_empty() {
            self.due().add(group);
            self.became_due.notify_one();
        }
        Ok(())
    }

    /// One submission: what it changes goes into the batch.
    fn apply(
        &self,
        intake: &mut Intake,
        opened: &OpenedSubmission,
        taking: &mut Taking<'_>,
    ) -> Result<Result<Applied, Refusal>, StoreError> {
        let today = taking.today;
        if let Some((day, held)) = intake.seen.get(&opened.sealed_hash).copied() {
            return Ok(Ok(Applied { day, held, new: false }));
        }
        let taken = match &opened.submission.content {
            Content::Leave(leave) if !self.may_expire_on(leave.expiry, today) => Err(Refusal::Day),
            Content::Leave(leave) => intake.meeting.leave(leave, today),
            Content::Withdraw(withdraw) => intake.meeting.withdraw(withdraw),
            Content::Dummy(_) => Ok(TakenIn::New { change: Change::default(), held: true }),
            Content::Post(post) => self.take_post(intake, post, taking),
        };
        let (change, held) = match taken {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(TakenIn::Known) => return Ok(Ok(Applied { day: today, held: true, new: false })),
            Ok(TakenIn::New { change, held }) => (change, held),
        };
        self.put_change(intake, change, taking)?;
        intake.remember(opened.sealed_hash, today, held, &mut taking.batch);
        Ok(Ok(Applied { day: today, held, new: true }))
    }

    /// What follows from a submission or a ruling goes into the batch.
    fn put_change(
        &self,
        intake: &mut Intake,
        change: Change,
        taking: &mut Taking<'_>,
    ) -> Result<(), StoreError> {
        for mailbox in &change.live {
            if let Some(live) = intake.meeting.live(mailbox) {
                let key = mailbox.as_bytes();
                let bytes = codec::encode(live);
                let sealed = self.core.vault.seal_record(&KeyName::Meeting, Table::Live, key, &bytes)?;
                taking.batch.put(Table::Live, key.as_slice(), sealed);
            }
        }
        for (mailbox, until) in change.ended {
            let key = mailbox.as_bytes().as_slice();
            taking.batch.delete(Table::Live, key);
            let kept = change.met.contains(&mailbox).then(|| taking.today.plus(LINGER_DAYS));
            match kept {
                Some(day) => {
                    intake.lingering.insert(mailbox, day);
                }
                None => taking.batch.delete(Table::Kept, key),
            }
            taking.batch.put(Table::Ended, key, codec::encode(&Ended { until, kept }));
        }
        for announcement in change.announcements {
            intake.push(&mut taking.group, Posting::Announcement(announcement));
        }
        Ok(())
    }

    /// A message between mailboxes: it stands in the next append. The same one again, whoever brings it, changes nothing.
    fn take_post(
        &self,
        intake: &mut Intake,
        post: &PostRequest,
        taking: &mut Taking<'_>,
    ) -> Result<TakenIn, Refusal> {
        let entry = BoardEntry::from(post);
        let hash = Sha256::from_bytes(kring_protocol::crypto::sha256(&entry.to_bytes()));
        if intake.seen.contains_key(&hash) {
            return Ok(TakenIn::Known);
        }
        // As many as all members together may evaluate on a usual day: far more than matches can need.
        let most = self.core.covenant.budgets.iter().map(|budget| u64::from(budget.per_day)).sum();
        if !intake.brought.one_more(taking.relay, taking.today, most) {
            return Err(Refusal::Quota);
        }
        intake.remember(hash, taking.today, true, &mut taking.batch);
        intake.push(&mut taking.group, Posting::Message(Box::new(entry)));
        Ok(TakenIn::New { change: Change::default(), held: true })
    }

    /// A submission ends with a month or with its epoch, so that its last day tells little (section 5.3).
    fn may_expire_on(&self, expiry: Day, today: Day) -> bool {
        let epochs = &self.core.covenant.epochs;
        let mut ends = epochs.on(today).into_iter().map(|epoch| epochs.last_day(epoch));
        expiry == expiry.last_of_month() || ends.any(|end| end == expiry)
    }

    fn keep(
        &self,
        batch: &mut Batch,
        relay: &MemberId,
        day: Day,
        relayed: &Relayed,
        opened: &OpenedSubmission,
    ) -> Result<(), StoreError> {
        let Content::Leave(leave) = &opened.submission.content else { return Ok(()) };
        let kept = Kept {
            plaintext: Bytes(opened.plaintext.clone()),
            sealed: opened.sealed_hash,
            relay: relay.clone(),
            signature: relayed.signature,
            ticket: relayed.ticket.clone(),
            day,
        };
        let key = leave.mailbox.as_bytes();
        let sealed =
            self.core.vault.seal_record(&KeyName::Meeting, Table::Kept, key, &codec::encode(&kept))?;
        batch.put(Table::Kept, key.as_slice(), sealed);
        Ok(())
    }

    fn outcomes(
        &self,
        opened: &[Result<(Relayed, OpenedSubmission), Refusal>],
        receipts: Vec<Result<(Day, bool), Refusal>>,
    ) -> Vec<Outcome> {
        let signing = &self.core.identity.signing;
        type Opened = Result<(Relayed, OpenedSubmission), Refusal>;
        let outcome = |(item, receipt): (&Opened, Result<(Day, bool), Refusal>)| match (item, receipt) {
            (Ok((_, opened)), Ok((day, held))) => {
                Outcome::Receipt(opened.receipt(day, held, &self.destination, signing))
            }
            (_, Err(refusal)) => Outcome::Refused(refusal),
            (Err(refusal), Ok(_)) => Outcome::Refused(*refusal),
        };
        tokio::task::block_in_place(|| opened.iter().zip(receipts).map(outcome).collect())
    }

    /// Appends what is due until the node stops: at ticks, or as soon as the last append is durable. Where nothing is
    /// due, nothing is appended (section 11.3).
    pub async fn run(self: Arc<Self>) {
        loop {
            let next = self.core.pace.next_append(self.core.now());
            match next {
                Next::At(tick) => {
                    if !self.core.until(tick).await {
                        return;
                    }
                }
                Next::WhenWaiting if self.appends_waiting() == 0 => tokio::select! {
                    () = self.became_due.notified() => {}
                    () = self.core.stopped() => return,
                },
                Next::WhenWaiting => {}
            }
            while self.appends_waiting() > 0 {
                if let Err(error) = self.append().await {
                    self.core.fail(error.to_string());
                    return;
                }
            }
            // Nothing is due now. Later in the hour something nearly always is, and the head would never be timed.
            if let (Next::At(_), Err(error)) = (next, self.time_head().await) {
                self.core.fail(error.to_string());
                return;
            }
        }
    }

    /// Cosigns the own board's head, which tells the time, where nothing is due. No receipt given after it is of an earlier
    /// day. False when something is due, or nothing was ever posted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn time_head(&self) -> Result<bool, StoreError> {
        let mut intake = self.intake.lock().await;
        let Some(board) = self.boards.get(&self.core.me).filter(|_| self.appends_waiting() == 0) else {
            return Ok(false);
        };
        let (now, mut batch) = (self.core.now(), Batch::new());
        intake.today(now, &mut batch);
        if !batch.is_empty() {
            self.core.commit(batch, Vec::new()).await?;
        }
        Ok(board.cosign(&self.core, now))
    }

    async fn append(&self) -> Result<(), StoreError> {
        let due = mixed(self.due().take());
        if due.is_empty() {
            return Ok(());
        }
        let Some(board) = self.boards.get(&self.core.me) else { return Ok(()) };
        let signing = &self.core.identity.signing;
        let entries: Vec<_> = tokio::task::block_in_place(|| {
            due.iter().map(|(_, posting)| posting.entry(&self.destination, signing)).collect()
        });
        let mut batch = Batch::new();
        due.iter().for_each(|(number, posting)| posting.delete(*number, &mut batch));
        let audit = vec![self.core.event(Kind::BoardPosted, None, entries.len() as u64)];
        board.append(&self.core, &entries, batch, |batch| self.core.commit(batch, audit)).await?;
        self.due().appended();
        Ok(())
    }

    fn due(&self) -> std::sync::MutexGuard<'_, Due> {
        self.due.lock().expect("nobody panics while holding what is due")
    }

    /// Forgets what has expired; once a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(&self) -> Result<(), StoreError> {
        let mut intake = self.intake.lock().await;
        let mut batch = Batch::new();
        let today = intake.today(self.core.now(), &mut batch);
        let over: Vec<_> =
            intake.lingering.iter().filter(|(_, day)| **day < today).map(|(mailbox, _)| *mailbox).collect();
        for mailbox in over {
            intake.lingering.remove(&mailbox);
            batch.delete(Table::Kept, mailbox.as_bytes().as_slice());
        }
        for mailbox in intake.meeting.expire(today) {
            intake.lingering.remove(&mailbox);
            for table in [Table::Live, Table::Kept, Table::Ended] {
                batch.delete(table, mailbox.as_bytes().as_slice());
            }
        }
        let old: Vec<_> = intake
            .seen
            .iter()
            .filter(|(_, (day, _))| day.plus(SEEN_DAYS) < today)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in old {
            intake.seen.remove(&hash);
            batch.delete(Table::Seen, hash.as_bytes().as_slice());
        }
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, Vec::new()).await }
    }
}

fn mailbox(key: &[u8]) -> Result<ExchangeKey, StoreError> {
    let bytes = key.try_into().map_err(|_| damaged(Table::Live))?;
    ExchangeKey::from_bytes(bytes).map_err(|_| damaged(Table::Live))
}

fn decode<T: Wire>(table: Table, bytes: &[u8]) -> Result<T, StoreError> {
    codec::decode(bytes).map_err(|_| damaged(table))
}

fn damaged(table: Table) -> StoreError {
    StoreError::Damaged(format!("a {} record does not read", table.name()))
}

#[cfg(test)]
mod tests;

//! The matcher's role: takes in submissions, keeps what a trace would need, appends what follows to its board
//! (`docs/protocol.md` sections 5.6, 6.2 and 6.3). The rules themselves are `kring_protocol::meeting`.
//!
//! Intake and append are two commits. What must be posted is stored with the intake that made it due, so that a crash
//! between the two loses nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex as StdMutex};

use kring_protocol::board::{Entry as BoardEntry, post_address, seal_post};
use kring_protocol::codec::{self, Bytes, Wire};
use kring_protocol::id::MemberId;
use kring_protocol::meeting::{Announcement, Change, Live, Meeting, TakenIn};
use kring_protocol::relay::{ITEMS_MAX, Outcome, Refusal, Relayed, Response, is_recent, verify_relayed};
use kring_protocol::sealing::{ExchangeKey, ExchangeSecret};
use kring_protocol::secret::Secret;
use kring_protocol::submission::{self, Content, Destination, OpenedSubmission, Sha256, WeeklyKey};
use kring_protocol::tempo::Next;
use kring_protocol::time::Day;
use rand::rngs::OsRng;
use tokio::sync::{Mutex, Notify};

use kring_protocol::log::entry::Kind;

use crate::boards::Boards;
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

mod record;

use record::{Ended, Kept, Seen, StoredKey};

/// Request hashes are kept so long: a day more than submissions are taken (section 5.6).
const SEEN_DAYS: u32 = 3;
/// Most posts of one append, unless one meeting alone has more.
const APPEND_MAX: usize = 1_024;

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

/// Announcements that must stand in one append, with the numbers of their records.
type Group = Vec<(u64, Announcement)>;

#[derive(Debug)]
struct Intake {
    meeting: Meeting,
    /// Day and outcome of sealed requests seen lately.
    seen: HashMap<Sha256, (Day, bool)>,
    next_announcement: u64,
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
    weekly: Mutex<HashMap<u32, ExchangeSecret>>,
}

#[derive(Debug, Default)]
struct Due {
    groups: VecDeque<Group>,
    /// Posts taken out and not yet durable on the board.
    appending: usize,
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
        for (key, bytes) in core.store.scan_all(Table::Ended)? {
            meeting.restore_ended(mailbox(&key)?, decode::<Ended>(Table::Ended, &bytes)?.until);
        }
        let mut seen = HashMap::new();
        for (key, bytes) in core.store.scan_all(Table::Seen)? {
            let hash = Sha256::try_from(key.as_slice()).map_err(|_| damaged(Table::Seen))?;
            seen.insert(hash, decode::<Seen>(Table::Seen, &bytes)?.into());
        }
        let mut group = Group::new();
        for (key, sealed) in core.store.scan_all(Table::Announcement)? {
            let number = key
                .as_slice()
                .try_into()
                .map(u64::from_be_bytes)
                .map_err(|_| damaged(Table::Announcement))?;
            group.push((
                number,
                core.vault.open_record(&KeyName::Meeting, Table::Announcement, &key, &sealed)?,
            ));
        }
        let next_announcement = group.last().map_or(0, |(number, _)| number + 1);
        let groups = if group.is_empty() { VecDeque::new() } else { VecDeque::from([group]) };
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
            intake: Mutex::new(Intake { meeting, seen, next_announcement }),
            due: StdMutex::new(Due { groups, appending: 0 }),
            became_due: Notify::new(),
            weekly: Mutex::new(weekly),
        })
    }

    /// Posts that wait for an append.
    #[must_use]
    pub fn appends_waiting(&self) -> usize {
        let due = self.due();
        due.groups.iter().map(Vec::len).sum::<usize>() + due.appending
    }

    /// Live submissions.
    pub async fn live(&self) -> usize {
        self.intake.lock().await.meeting.len()
    }

    /// The keys to seal to: this week's, and next week's in good time.
    pub async fn weekly_keys(&self) -> Response {
        let week = self.core.today().week();
        let mut keys = Vec::new();
        for week in [week, week + 1] {
            match self.weekly_key(week).await {
                Ok(secret) => {
                    let signing = &self.core.identity.signing;
                    keys.push(WeeklyKey::sign(&self.destination, week, secret.public(), signing));
                }
                Err(_) => return Response::Refused(Refusal::Unreachable),
            }
        }
        Response::WeeklyKeys(keys)
    }

    /// A week's key; made durable before anyone hears of it.
    async fn weekly_key(&self, week: u32) -> Result<ExchangeSecret, StoreError> {
        let mut weekly = self.weekly.lock().await;
        if let Some(secret) = weekly.get(&week) {
            return Ok(secret.clone());
        }
        let stored = StoredKey(Secret::random(&mut OsRng));
        let key = week.to_be_bytes();
        let mut batch = Batch::new();
        let bytes = codec::encode(&stored);
        let sealed = self.core.vault.seal_record(&KeyName::Meeting, Table::WeeklyKey, &key, &bytes)?;
        batch.put(Table::WeeklyKey, key, sealed);
        // Two weeks back nothing sealed to a key is taken any more.
        let old: Vec<_> = weekly.keys().copied().filter(|known| known + 2 <= week).collect();
        for week in old {
            weekly.remove(&week);
            batch.delete(Table::WeeklyKey, week.to_be_bytes());
        }
        self.core.commit(batch, Vec::new()).await?;
        let secret = ExchangeSecret::from_bytes(stored.0);
        weekly.insert(week, secret.clone());
        Ok(secret)
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
        let today = self.core.today();
        let mut batch = Batch::new();
        let mut group = Group::new();
        let mut receipts = Vec::new();
        for item in opened {
            let (relayed, opened) = match item {
                Ok(item) => item,
                Err(refusal) => {
                    receipts.push(Err(*refusal));
                    continue;
                }
            };
            let outcome = self.apply(&mut intake, opened, today, &mut batch, &mut group)?;
            if let Ok(Applied { new: true, .. }) = outcome {
                self.keep(&mut batch, relay, day, relayed, opened)?;
            }
            receipts.push(outcome.map(|applied| (applied.day, applied.held)));
        }
        let taken = receipts.iter().filter(|receipt| receipt.is_ok()).count() as u64;
        let mut entries = vec![self.core.event(Kind::SubmissionReceived, Some(relay), taken)];
        if !group.is_empty() {
            entries.push(self.core.event(Kind::Meeting, None, group.len() as u64));
        }
        for (number, announcement) in &group {
            let key = number.to_be_bytes();
            let bytes = codec::encode(announcement);
            let sealed = self.core.vault.seal_record(&KeyName::Meeting, Table::Announcement, &key, &bytes)?;
            batch.put(Table::Announcement, key, sealed);
        }
        self.core.commit(batch, entries).await?;
        if !group.is_empty() {
            self.due().groups.push_back(group);
            self.became_due.notify_one();
        }
        Ok(receipts)
    }

    /// One submission: what it changes goes into the batch.
    fn apply(
        &self,
        intake: &mut Intake,
        opened: &OpenedSubmission,
        today: Day,
        batch: &mut Batch,
        group: &mut Group,
    ) -> Result<Result<Applied, Refusal>, StoreError> {
        if let Some((day, held)) = intake.seen.get(&opened.sealed_hash).copied() {
            return Ok(Ok(Applied { day, held, new: false }));
        }
        let taken = match &opened.submission.content {
            Content::Leave(leave) if !self.may_expire_on(leave.expiry, today) => Err(Refusal::Day),
            Content::Leave(leave) => intake.meeting.leave(leave, today),
            Content::Withdraw(withdraw) => intake.meeting.withdraw(withdraw),
            Content::Dummy(_) => Ok(TakenIn::New { change: Change::default(), held: true }),
            // A receipt is a promise to post it; messages between mailboxes come with the conversation.
            Content::Post(_) => Err(Refusal::Unserved),
        };
        let (change, held) = match taken {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(TakenIn::Known) => return Ok(Ok(Applied { day: today, held: true, new: false })),
            Ok(TakenIn::New { change, held }) => (change, held),
        };
        for mailbox in &change.live {
            if let Some(live) = intake.meeting.live(mailbox) {
                let key = mailbox.as_bytes();
                let bytes = codec::encode(live);
                let sealed = self.core.vault.seal_record(&KeyName::Meeting, Table::Live, key, &bytes)?;
                batch.put(Table::Live, key.as_slice(), sealed);
            }
        }
        for (mailbox, until) in &change.ended {
            batch.delete(Table::Live, mailbox.as_bytes().as_slice());
            batch.delete(Table::Kept, mailbox.as_bytes().as_slice());
            batch.put(Table::Ended, mailbox.as_bytes().as_slice(), codec::encode(&Ended { until: *until }));
        }
        for announcement in change.announcements {
            group.push((intake.next_announcement, announcement));
            intake.next_announcement += 1;
        }
        intake.seen.insert(opened.sealed_hash, (today, held));
        batch.put(
            Table::Seen,
            opened.sealed_hash.as_bytes().as_slice(),
            codec::encode(&Seen { day: today, held }),
        );
        Ok(Ok(Applied { day: today, held, new: true }))
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
    /// due, nothing is appended (section 10.3).
    pub async fn run(self: Arc<Self>) {
        loop {
            match self.core.pace.next_append(self.core.now()) {
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
        }
    }

    async fn append(&self) -> Result<(), StoreError> {
        let due = self.take_due();
        if due.is_empty() {
            return Ok(());
        }
        let Some(board) = self.boards.get(&self.core.me) else { return Ok(()) };
        let signing = &self.core.identity.signing;
        let entries: Vec<_> = tokio::task::block_in_place(|| {
            let entry = |(_, announcement): &(u64, Announcement)| {
                let Announcement { to, inbox, n, post } = announcement;
                let body = seal_post(post.clone(), to, &self.destination, signing, &mut OsRng);
                BoardEntry { address: post_address(inbox, *n), body }
            };
            due.iter().map(entry).collect()
        });
        let mut batch = Batch::new();
        for (number, _) in &due {
            batch.delete(Table::Announcement, number.to_be_bytes());
        }
        let audit = vec![self.core.event(Kind::BoardPosted, None, entries.len() as u64)];
        board.append(&self.core, &entries, batch, |batch| self.core.commit(batch, audit)).await?;
        self.due().appending = 0;
        Ok(())
    }

    /// Takes whole groups, so that both sides of a meeting stand in one append.
    fn take_due(&self) -> Group {
        let mut due = self.due();
        let mut taken = Group::new();
        while taken.len() < APPEND_MAX {
            match due.groups.pop_front() {
                Some(group) => taken.extend(group),
                None => break,
            }
        }
        due.appending = taken.len();
        taken
    }

    fn due(&self) -> std::sync::MutexGuard<'_, Due> {
        self.due.lock().expect("nobody panics while holding what is due")
    }

    /// Forgets what has expired; once a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(&self) -> Result<(), StoreError> {
        let today = self.core.today();
        let mut intake = self.intake.lock().await;
        let mut batch = Batch::new();
        for mailbox in intake.meeting.expire(today) {
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

//! The partner's own side of the node: cases, what was left for them, and the matches that came of it.
//!
//! Holds the state that asker, sender and reader share and decides what work a change makes. Locks are taken in the
//! order cases, leaves, matches, cooperations, conversations, canaries, happenings, and never across an await.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use kring_protocol::canary::Side;
use kring_protocol::codec;
use kring_protocol::id::{Epoch, MemberId, PurposeId};
use kring_protocol::matching::{Match, MatchKey, Matches};
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::time::Day;

use crate::audit::Event;
use crate::canary::{Canaries, CanaryKey};
use crate::cases::{Case, CaseId, Cases, MatchKeyId};
use crate::conversations::Conversations;
use crate::coordination::{Change, Changed, Cooperations};
use crate::core::Core;
use crate::keys::Keyring;
use crate::leaves::{LeaveKey, Leaves, Left, Step};
use crate::outgoing::Happenings;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;
use crate::work::Work;

/// A match key to be evaluated in an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evaluation {
    /// The epoch.
    pub epoch: Epoch,
    /// The match key.
    pub key: MatchKeyId,
}

/// Something to be sent to a matcher.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    /// What a match key should carry there.
    Submission(LeaveKey),
    /// What was said about a match and does not stand there yet.
    Message {
        /// Whose relays carry it.
        epoch: Epoch,
        /// The match.
        key: MatchKey,
    },
    /// What one half of a canary has to send.
    Canary {
        /// The canary.
        key: CanaryKey,
        /// The half.
        side: Side,
    },
}

impl Errand {
    /// The epoch by whose relays it goes.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        match self {
            Self::Submission(key) => key.epoch,
            Self::Message { epoch, .. } => *epoch,
            Self::Canary { key, .. } => key.epoch,
        }
    }

    /// What may go in one request: of one epoch, and through the same relay first; a canary's halves come by two.
    #[must_use]
    pub const fn group(&self) -> (Epoch, bool) {
        (self.epoch(), matches!(self, Self::Canary { side: Side::Second, .. }))
    }
}

/// The partner's own state.
#[derive(Debug)]
pub struct Partner {
    core: Arc<Core>,
    keyring: Arc<Keyring>,
    cases: Mutex<Cases>,
    leaves: Mutex<Leaves>,
    matches: Mutex<Matches>,
    cooperations: Mutex<Cooperations>,
    conversations: Mutex<Conversations>,
    canaries: Mutex<Canaries>,
    happenings: Mutex<Happenings>,
    /// Held from looking at the cases to the commit that changes them, so that two requests at once are one after the
    /// other: the same idempotency key, the same case.
    pub changing_cases: tokio::sync::Mutex<()>,
    /// Held from changing matches or cooperations to the end of the commit, so that no older record is written over a
    /// newer one, and what one of them remembers to have said is never lost from the other. Taken after
    /// [`Self::changing_cases`].
    pub changing_matches: tokio::sync::Mutex<()>,
    /// Match keys without subject keys.
    pub evaluations: Work<Evaluation>,
    /// Submissions and messages to be sent, by matcher.
    pub submissions: BTreeMap<MemberId, Work<Errand>>,
}

impl Partner {
    /// Reads cases, submissions and matches from the store. Rebuilds all indexes and finds the work left to do.
    ///
    /// # Errors
    /// [`StoreError`], also for a record that does not open with this node's keys.
    pub fn load(core: Arc<Core>, keyring: Arc<Keyring>) -> Result<Self, StoreError> {
        let mut cases = Cases::new(&core.me, &core.covenant, core.vault.index_key("match-key"));
        let today = core.today();
        for (key, sealed) in core.store.scan_all(Table::Case)? {
            let case: Case = core.vault.open_record(&case_key_name(&key)?, Table::Case, &key, &sealed)?;
            cases.put(case, today);
        }
        let mut leaves = Leaves::default();
        for (bytes, sealed) in core.store.scan_all(Table::Left)? {
            let key = LeaveKey::from_bytes(&bytes).ok_or_else(|| damaged(Table::Left))?;
            let left = core.vault.open_record(&left_key_name(&key), Table::Left, &bytes, &sealed)?;
            leaves.put(key, left);
        }
        let mut matches = Matches::default();
        for (key, sealed) in core.store.scan_all(Table::Match)? {
            matches.restore(core.vault.open_record(&KeyName::Matches, Table::Match, &key, &sealed)?);
        }
        // These are done at fixed times by themselves.
        let evaluations = Work::new(0, Arc::clone(&core.clock));
        let pairs = core.vault.index_key("pair");
        let conversations = Conversations::load(&core.store, pairs, core.network_id(), &leaves, &matches)?;
        let canaries = Canaries::load(&core)?;
        let cooperations = Cooperations::load(&core)?;
        let happenings = Happenings::load(&core.store)?;
        let submissions = core
            .covenant
            .matchers_for(&core.me)
            .into_iter()
            .map(|matcher| (matcher, Work::new(core.pace.wait_secs(), Arc::clone(&core.clock))))
            .collect();
        Ok(Self {
            core,
            keyring,
            cases: Mutex::new(cases),
            leaves: Mutex::new(leaves),
            matches: Mutex::new(matches),
            cooperations: Mutex::new(cooperations),
            conversations: Mutex::new(conversations),
            canaries: Mutex::new(canaries),
            happenings: Mutex::new(happenings),
            changing_cases: tokio::sync::Mutex::default(),
            changing_matches: tokio::sync::Mutex::default(),
            evaluations,
            submissions,
        })
    }

    /// What all roles share.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The cases.
    pub fn cases(&self) -> MutexGuard<'_, Cases> {
        self.cases.lock().expect("nobody panics while holding the cases")
    }

    /// What was left.
    pub fn leaves(&self) -> MutexGuard<'_, Leaves> {
        self.leaves.lock().expect("nobody panics while holding the leaves")
    }

    /// The matches.
    pub fn matches(&self) -> MutexGuard<'_, Matches> {
        self.matches.lock().expect("nobody panics while holding the matches")
    }

    /// The cooperations.
    pub fn cooperations(&self) -> MutexGuard<'_, Cooperations> {
        self.cooperations.lock().expect("nobody panics while holding the cooperations")
    }

    /// Who may be speaking to this member.
    pub fn conversations(&self) -> MutexGuard<'_, Conversations> {
        self.conversations.lock().expect("nobody panics while holding the conversations")
    }

    /// The canaries, and messages that are watched.
    pub fn canaries(&self) -> MutexGuard<'_, Canaries> {
        self.canaries.lock().expect("nobody panics while holding the canaries")
    }

    /// Which happenings there are.
    pub fn happenings(&self) -> MutexGuard<'_, Happenings> {
        self.happenings.lock().expect("nobody panics while holding the happenings")
    }

    /// Queues what canaries have to send.
    pub fn touch_canaries(&self) {
        let errands = self.canaries().errands(self.core.now());
        for (matcher, errands) in errands {
            if let Some(work) = self.submissions.get(&matcher) {
                work.add(errands);
            }
        }
    }

    /// The purpose of a match key that is in use.
    #[must_use]
    pub fn purpose_of(&self, key: &MatchKeyId) -> Option<PurposeId> {
        self.cases().key(key).map(|entry| entry.purpose.clone())
    }

    /// Finds all work there is: at start, when keys arrive, and once a day.
    pub fn find_work(&self) {
        let mut keys: BTreeSet<_> = self.cases().keys().map(|(id, _)| *id).collect();
        keys.extend(self.leaves().iter().map(|(key, _)| key.key));
        self.touch(&keys);
        let all =
            self.matches().iter().filter(|entry| !entry.said.is_empty()).map(Match::key).collect::<Vec<_>>();
        self.touch_matches(&all);
        self.touch_canaries();
    }

    /// Queues what these matches have said and does not stand where it should.
    pub fn touch_matches(&self, keys: &[MatchKey]) {
        let Some(epoch) = self.keyring.all().iter().map(|keys| keys.terms.epoch).max() else { return };
        let matches = self.matches();
        let mut errands: BTreeMap<MemberId, Vec<Errand>> = BTreeMap::new();
        for key in keys {
            for matcher in matches.get(key).map(Match::unsaid_at).unwrap_or_default() {
                let errand = Errand::Message { epoch, key: key.clone() };
                errands.entry(matcher.clone()).or_default().push(errand);
            }
        }
        drop(matches);
        for (matcher, errands) in errands {
            if let Some(work) = self.submissions.get(&matcher) {
                work.add(errands);
            }
        }
    }

    /// Queues what must be done for these match keys.
    pub fn touch(&self, keys: &BTreeSet<MatchKeyId>) {
        let today = self.core.today();
        let epochs: Vec<_> = self.keyring.all().iter().map(|keys| keys.terms.epoch).collect();
        let mut evaluations = Vec::new();
        let mut submissions: BTreeMap<&MemberId, Vec<Errand>> = BTreeMap::new();
        let (cases, leaves) = (self.cases(), self.leaves());
        for key in keys {
            let desired = cases.desired(key, today);
            for epoch in &epochs {
                let mut missing = false;
                let in_epoch = desired.clone().map(|desired| desired.until(self.last_day(*epoch)));
                for matcher in self.submissions.keys() {
                    let leave = LeaveKey { key: *key, epoch: *epoch, matcher: matcher.clone() };
                    match leaves.get(&leave).map(|left| left.step(in_epoch.as_ref())) {
                        None => missing = true,
                        Some(Step::Nothing) => {}
                        Some(_) => submissions.entry(matcher).or_default().push(Errand::Submission(leave)),
                    }
                }
                if missing && desired.is_some() {
                    evaluations.push(Evaluation { epoch: *epoch, key: *key });
                }
            }
        }
        drop((cases, leaves));
        for (matcher, keys) in submissions {
            if let Some(work) = self.submissions.get(matcher) {
                work.add(keys);
            }
        }
        self.evaluations.add(evaluations);
    }

    /// The last day on which anything left in `epoch` may live.
    #[must_use]
    pub fn last_day(&self, epoch: Epoch) -> Day {
        self.core.covenant.epochs.last_day(epoch)
    }

    /// Adds a submission's record to a batch, sealed.
    pub fn put_left(&self, batch: &mut Batch, key: &LeaveKey, left: &Left) -> Result<(), StoreError> {
        let bytes = key.to_bytes();
        let sealed =
            self.core.vault.seal_record(&left_key_name(key), Table::Left, &bytes, &codec::encode(left))?;
        batch.put(Table::Left, bytes, sealed);
        Ok(())
    }

    /// Adds a case's record to a batch, sealed under its own key, which must have been made.
    pub fn put_case(&self, batch: &mut Batch, case: &Case) -> Result<(), StoreError> {
        let key = case.id.0.as_bytes().to_vec();
        let sealed =
            self.core.vault.seal_record(&KeyName::Case(case.id), Table::Case, &key, &codec::encode(case))?;
        batch.put(Table::Case, key, sealed);
        Ok(())
    }

    /// Adds the records of changed matches to a batch.
    pub fn put_matches(&self, batch: &mut Batch, changed: &[MatchKey]) -> Result<(), StoreError> {
        let matches = self.matches();
        for key in changed.iter().collect::<BTreeSet<_>>() {
            if let Some(entry) = matches.get(key) {
                self.put_match(batch, entry)?;
            }
        }
        Ok(())
    }

    /// Takes the records of matches that are gone out of the store.
    pub fn delete_matches(&self, batch: &mut Batch, gone: &[MatchKey]) {
        for key in gone {
            batch.delete(Table::Match, match_record(key));
        }
        self.conversations_retain(batch);
    }

    fn put_match(&self, batch: &mut Batch, entry: &Match) -> Result<(), StoreError> {
        let key = match_record(&entry.key());
        let sealed =
            self.core.vault.seal_record(&KeyName::Matches, Table::Match, &key, &codec::encode(entry))?;
        batch.put(Table::Match, key, sealed);
        Ok(())
    }

    /// Ends the matches whose other side has expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire(&self) -> Result<(), StoreError> {
        let _changing = self.changing_matches.lock().await;
        let mut batch = Batch::new();
        let expired = self.matches().expire(self.core.today());
        let mut change = Change::new(self);
        change.update(&expired);
        let Changed { matches, events } = change.finish(&mut batch)?;
        self.conversations_retain(&mut batch);
        if !batch.is_empty() {
            self.core.commit(batch, events).await?;
        }
        self.touch_matches(&matches);
        Ok(())
    }

    /// Stops listening where nobody can speak any more.
    fn conversations_retain(&self, batch: &mut Batch) {
        let matches = self.matches();
        self.conversations().retain_met(&matches, batch);
    }

    /// Forgets what was left in an epoch that has ended; matches that rest on nothing else end. The caller holds
    /// [`Self::changing_matches`]. Returns what goes into the audit log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_epoch(&self, epoch: Epoch, batch: &mut Batch) -> Result<Vec<Event>, StoreError> {
        let mut mailboxes = Vec::new();
        {
            let mut leaves = self.leaves();
            let keys: Vec<_> =
                leaves.iter().map(|(key, _)| key).filter(|key| key.epoch == epoch).cloned().collect();
            for key in keys {
                batch.delete(Table::Left, key.to_bytes());
                mailboxes.extend(leaves.remove(&key).map(|left| left.own.mailbox().public()));
            }
        }
        let mut change = Change::new(self);
        for mailbox in &mailboxes {
            self.own_ended(&mut change, mailbox);
        }
        let Changed { events, .. } = change.finish(batch)?;
        self.conversations_retain(batch);
        self.canaries().forget_epoch(epoch, batch);
        Ok(events)
    }

    /// An own submission has ended at its matcher.
    pub fn own_ended(&self, change: &mut Change<'_>, mailbox: &ExchangeKey) {
        let ended = self.matches().own_ended(mailbox);
        change.update(&ended);
    }
}

fn match_record(key: &MatchKey) -> Vec<u8> {
    let partner = key.partner.as_ref().map_or(b"".as_slice(), MemberId::as_bytes);
    [key.id.as_bytes().as_slice(), partner].concat()
}

/// The key under which a submission's record is sealed: one per matcher and epoch.
pub fn left_key_name(key: &LeaveKey) -> KeyName {
    KeyName::Left { matcher: key.matcher.clone(), epoch: key.epoch }
}

fn case_key_name(key: &[u8]) -> Result<KeyName, StoreError> {
    let id = kring_protocol::id::Reference::try_from(key).map_err(|_| damaged(Table::Case))?;
    Ok(KeyName::Case(CaseId(id)))
}

fn damaged(table: Table) -> StoreError {
    StoreError::Damaged(format!("a {} record does not read", table.name()))
}

//! Mail for the partner's people: that there is something to look at.
//!
//! What is to be mailed to whom is stored with how far the happenings have been gone through, a mail before it is sent. So
//! nothing is lost when the node is killed; a mail that the server took just before may come twice, with the same
//! `Message-ID`. Not here: when a mail is due ([`state`]), and its words ([`letter`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kring_protocol::calendar::local_day;
use kring_protocol::codec::{Wire, encode};
use kring_protocol::id::Reference;
use kring_protocol::time::{Day, Timestamp};
use lettre::AsyncTransport;
use lettre::message::Mailbox;
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub mod letter;
pub mod settings;
pub mod state;

pub use settings::Settings;

use super::happening::{self, ForWhom, Happening};
use super::metrics::{Meters, count};
use crate::cases::CaseId;
use crate::core::Core;
use crate::partner::Partner;
use crate::people::{AccountId, MailWish, People, Recipient};
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;
use letter::Reader;
use state::{MailState, Rhythm};

/// Under this key stands how far the happenings have been gone through.
const THROUGH: &[u8] = b"through";
/// Under this key stands what is to be mailed to the process coordinator.
const COORDINATOR: &[u8] = b"coordinator";
/// A mail that nobody took for so long is given up, in seconds.
const GIVE_UP_SECS: u64 = 3 * 86_400;
/// Seconds between one attempt and the next; the last stands for all that follow.
const DELAYS: [u64; 6] = [30, 120, 600, 1_800, 3_600, 7_200];
/// Happenings that one commit goes through.
const PAGE: usize = 200;

/// Happenings up to this number have been gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Through(u64);

impl Wire for Through {
    const MAX_LEN: usize = 9;
}

/// Somebody's key in the store: an account's id, or [`COORDINATOR`].
type Who = Vec<u8>;

/// The task that mails.
#[derive(Debug)]
pub struct Mailer {
    core: Arc<Core>,
    partner: Arc<Partner>,
    people: Arc<People>,
    settings: Settings,
    meters: Arc<Meters>,
    published: watch::Receiver<u64>,
    through: u64,
    states: BTreeMap<Who, MailState>,
    /// The mail server did not answer: not before this.
    paused: Option<Timestamp>,
    failures: u32,
}

/// What became of a mail.
enum Sent {
    Taken,
    /// This one mail was not.
    Refused,
    /// Nobody could be asked.
    Unreachable,
}

impl Mailer {
    /// With what waited when the node stopped. A node that mails for the first time begins with what happens from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(
        core: Arc<Core>,
        partner: Arc<Partner>,
        people: Arc<People>,
        settings: Settings,
        meters: Arc<Meters>,
        published: watch::Receiver<u64>,
    ) -> Result<Self, StoreError> {
        let mut through = *published.borrow();
        let mut states = BTreeMap::new();
        for (key, sealed) in core.store.scan_all(Table::MailState)? {
            if key == THROUGH {
                through = open::<Through>(&core, &key, &sealed)?.0;
            } else {
                let state: MailState = open(&core, &key, &sealed)?;
                states.insert(key, state);
            }
        }
        let (paused, failures) = (None, 0);
        Ok(Self { core, partner, people, settings, meters, published, through, states, paused, failures })
    }

    /// Mails until the node stops.
    pub async fn run(mut self) {
        while !self.core.is_stopping() {
            if let Err(error) = self.step().await {
                self.core.fail(error.to_string());
                return;
            }
        }
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        self.take_in().await?;
        self.write_due().await?;
        while let Some(who) = self.to_send() {
            self.send(&who).await?;
            if self.core.is_stopping() {
                return Ok(());
            }
        }
        let waiting = self.states.values().filter(|state| state.letter.is_some()).count();
        self.meters.mail.waiting.store(waiting as u64, Ordering::Relaxed);
        let (core, next) = (Arc::clone(&self.core), self.next());
        let due = async {
            match next {
                Some(next) => {
                    core.until(next).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.published.changed() => {}
            () = due => {}
            () = core.stopped() => {}
        }
        Ok(())
    }

    /// Goes through what has happened since.
    async fn take_in(&mut self) -> Result<(), StoreError> {
        let published = *self.published.borrow_and_update();
        while self.through < published {
            let mut batch = Batch::new();
            for number in (self.through + 1..=published).take(PAGE) {
                self.through = number;
                if let Some(found) = happening::get(&self.core, number)? {
                    self.tell(&found, &mut batch)?;
                }
            }
            batch.put(Table::MailState, THROUGH, seal(&self.core, THROUGH, &Through(self.through))?);
            self.core.commit(batch, Vec::new()).await?;
        }
        Ok(())
    }

    /// Notes for everyone whom it is for that it is to be mailed.
    fn tell(&mut self, found: &Happening, batch: &mut Batch) -> Result<(), StoreError> {
        let everyone = self.everyone(found);
        if everyone.is_empty() {
            count(&self.meters.nobody);
        }
        for who in everyone {
            if self.states.entry(who.clone()).or_default().add(found) {
                self.put(&who, batch)?;
            }
        }
        Ok(())
    }

    fn everyone(&self, found: &Happening) -> Vec<Who> {
        let who = match found.for_whom {
            ForWhom::Coordinator => {
                return self.settings.coordinator.iter().map(|_| COORDINATOR.to_vec()).collect();
            }
            ForWhom::Owner => Recipient::Owner,
            ForWhom::Supervisor => Recipient::Supervisor,
        };
        let ownership = self.partner.cases().get(&found.case).map(crate::cases::Case::ownership);
        let Some(ownership) = ownership else { return Vec::new() };
        let accounts = self.people.recipients(&ownership, who, local_day(self.core.now()));
        accounts.iter().map(|account| account.id.0.as_bytes().to_vec()).collect()
    }

    /// Makes the mails that are due, each stored before it is sent.
    async fn write_due(&mut self) -> Result<(), StoreError> {
        let now = self.core.now();
        let mut batch = Batch::new();
        let everyone: Vec<_> = self.states.keys().cloned().collect();
        for who in everyone {
            let Some((rhythm, _)) = self.reader(&who) else {
                self.forget(&who, &mut batch)?;
                continue;
            };
            let Some(state) = self.states.get(&who) else { continue };
            if state.due(rhythm).is_none_or(|due| due > now) {
                continue;
            }
            let mut id = [0; 16];
            OsRng.fill_bytes(&mut id);
            let mut state = state.clone();
            state.write(rhythm, now, Reference::from_bytes(id), |case| self.deadline(case));
            self.states.insert(who.clone(), state);
            self.put(&who, &mut batch)?;
        }
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, Vec::new()).await }
    }

    /// How somebody is mailed, and where; none when they are not any more.
    fn reader(&self, who: &[u8]) -> Option<(Rhythm, Mailbox)> {
        let minutes = self.settings.digest_minutes;
        if who == COORDINATOR {
            let rhythm = Rhythm { wish: MailWish::AtOnce, minutes };
            return Some((rhythm, self.settings.coordinator.clone()?));
        }
        let id = AccountId(Reference::try_from(who).ok()?);
        let account = self.people.get(&id).filter(|account| account.active)?;
        Some((Rhythm { wish: account.mail, minutes }, settings::mailbox(&account.email)?))
    }

    /// The last day of a case's notice, if there is a notice, and if it has one.
    fn deadline(&self, case: &CaseId) -> Option<Option<Day>> {
        let case = self.partner.cases().get(case).cloned().filter(|case| case.is_live(self.core.today()))?;
        let cooperations = self.partner.cooperations();
        let purpose = self.core.covenant.purpose(&case.purpose)?;
        let view = cooperations.get(&case.id)?.cooperation.view(purpose)?;
        Some(view.deadline)
    }

    /// Somebody to whom a mail is to go now.
    fn to_send(&self) -> Option<Who> {
        let now = self.core.now();
        if self.paused.is_some_and(|until| until > now) {
            return None;
        }
        let mut due = self.states.iter();
        let is_due = |state: &MailState| state.letter.as_ref().is_some_and(|letter| letter.next <= now);
        due.find(|(_, state)| is_due(state)).map(|(who, _)| who.clone())
    }

    async fn send(&mut self, who: &Who) -> Result<(), StoreError> {
        let letter = self.states.get(who).and_then(|state| state.letter.clone());
        let (Some((_, to)), Some(mut letter)) = (self.reader(who), letter) else {
            let mut batch = Batch::new();
            self.forget(who, &mut batch)?;
            return self.core.commit(batch, Vec::new()).await;
        };
        let reader = if who == COORDINATOR { Reader::Coordinator } else { Reader::Colleague };
        let sent = match letter::message(&self.settings.sender, to, reader, &letter) {
            None => Sent::Refused,
            Some(message) => match self.settings.transport.send(message).await {
                Ok(_) => Sent::Taken,
                // What the server says may name somebody: only what kind of answer it is may be logged.
                Err(error) => {
                    let (permanent, tls) = (error.is_permanent(), error.is_tls());
                    tracing::warn!(permanent, tls, "a mail was not taken by the mail server");
                    if permanent || error.is_transient() { Sent::Refused } else { Sent::Unreachable }
                }
            },
        };
        let now = self.core.now();
        letter.attempts = letter.attempts.saturating_add(1);
        letter.next = now.plus_secs(delay(letter.attempts));
        let letter = match sent {
            Sent::Taken => None,
            _ if letter.made.plus_secs(GIVE_UP_SECS) < now => {
                tracing::error!("a mail was given up");
                count(&self.meters.mail.dropped);
                None
            }
            _ => Some(letter),
        };
        self.meter(&sent, now);
        if let Some(state) = self.states.get_mut(who) {
            state.letter = letter;
        }
        let mut batch = Batch::new();
        self.put(who, &mut batch)?;
        self.core.commit(batch, Vec::new()).await
    }

    fn meter(&mut self, sent: &Sent, now: Timestamp) {
        match sent {
            Sent::Taken => count(&self.meters.mail.delivered),
            Sent::Refused | Sent::Unreachable => count(&self.meters.mail.failed),
        }
        if let Sent::Unreachable = sent {
            self.failures = self.failures.saturating_add(1);
            self.paused = Some(now.plus_secs(delay(self.failures)));
        } else {
            (self.paused, self.failures) = (None, 0);
        }
    }

    /// When there is something to do next.
    fn next(&self) -> Option<Timestamp> {
        let of = |(who, state): (&Who, &MailState)| match &state.letter {
            Some(letter) => Some(self.paused.map_or(letter.next, |until| until.max(letter.next))),
            None => state.due(self.reader(who)?.0),
        };
        self.states.iter().filter_map(of).min()
    }

    /// Nobody is there to be mailed.
    fn forget(&mut self, who: &Who, batch: &mut Batch) -> Result<(), StoreError> {
        if let Some(state) = self.states.get_mut(who)
            && !state.is_idle()
        {
            tracing::warn!(
                "somebody who was to be mailed is not there any more, or has no address that takes mail"
            );
            count(&self.meters.nobody);
            state.clear();
            self.put(who, batch)?;
        }
        Ok(())
    }

    fn put(&self, who: &Who, batch: &mut Batch) -> Result<(), StoreError> {
        if let Some(state) = self.states.get(who) {
            batch.put(Table::MailState, who.clone(), seal(&self.core, who, state)?);
        }
        Ok(())
    }
}

fn delay(attempts: u32) -> u64 {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    DELAYS.get(nth).copied().unwrap_or(DELAYS[DELAYS.len() - 1])
}

fn open<T: Wire>(core: &Core, key: &[u8], sealed: &[u8]) -> Result<T, StoreError> {
    core.vault.open_record(&KeyName::Outgoing, Table::MailState, key, sealed)
}

fn seal<T: Wire>(core: &Core, key: &[u8], value: &T) -> Result<Vec<u8>, StoreError> {
    core.vault.seal_record(&KeyName::Outgoing, Table::MailState, key, &encode(value))
}

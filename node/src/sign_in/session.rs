//! Sessions of people who are signed in: random ids that the node knows as hashes only, with limits of idleness and age.
//!
//! Kept sealed, so that a restart signs nobody out; when somebody was last seen is written at most once a minute. Not
//! here: who comes before sign-in ([`super::visitor`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kring_protocol::codec::{self, Wire};
use kring_protocol::crypto;
use kring_protocol::secret::Secret;
use kring_protocol::time::Timestamp;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::audit::Event;
use crate::core::Core;
use crate::people::AccountId;
use crate::store::{Batch, StoreError, Table};
use crate::texts::Language;
use crate::vault::KeyName;

/// When somebody was last seen is written when it is so many seconds old.
const WRITE_AFTER: u64 = 60;
/// What has ended is remembered so many seconds: a form may stay open on a desk for a working day.
const REMEMBERED: u64 = 12 * 3_600;
/// Sessions of one account at once; a further one ends the oldest.
const MOST: usize = 10;

/// 256 random bits, which only the browser has.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionId(Secret<32>);

/// What the node knows of an id. Enough at 256 random bits: there is nothing to guess.
pub(super) type IdHash = [u8; 32];

impl SessionId {
    pub(super) fn random() -> Self {
        Self(Secret::random(&mut OsRng))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        Secret::try_from(bytes.as_slice()).ok().map(Self)
    }

    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    pub(super) fn hash(&self) -> IdHash {
        crypto::sha256(self.0.expose())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(<redacted>)")
    }
}

/// A random word that forms carry, to show that they come from a page of ours.
pub(super) fn random_word() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Secret::<32>::random(&mut OsRng).expose())
}

/// Whether two words are the same; in constant time.
pub(super) fn same(one: &str, other: &str) -> bool {
    let hash = |text: &str| Secret::new(crypto::sha256(text.as_bytes()));
    hash(one) == hash(other)
}

/// Somebody's session, as pages see it.
#[derive(Clone)]
pub struct Session {
    /// Whose it is.
    pub account: AccountId,
    /// What its forms carry.
    pub csrf: String,
    /// In which language its pages are.
    pub language: Language,
    pub(super) id: IdHash,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}

/// As it is stored, under the hash of its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    account: AccountId,
    csrf: String,
    english: bool,
    created: Timestamp,
    seen: Timestamp,
}

impl Wire for Stored {
    const MAX_LEN: usize = 512;
}

impl Stored {
    fn seen_as(&self, id: IdHash) -> Session {
        let language = if self.english { Language::English } else { Language::Dutch };
        Session { account: self.account, csrf: self.csrf.clone(), language, id }
    }
}

fn is_recent(ended: Timestamp, now: Timestamp) -> bool {
    now.secs().saturating_sub(ended.secs()) < REMEMBERED
}

#[derive(Debug)]
struct Live {
    stored: Stored,
    /// When [`Stored::seen`] was last written.
    written: Timestamp,
}

/// What a session's id leads to.
#[derive(Debug)]
pub(super) enum Found {
    Session(Session),
    /// It has ended: nobody used it, it was too old, or its person signed out elsewhere.
    Ended(Session),
    Nothing,
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    core: Arc<Core>,
    limits: Limits,
    live: Mutex<BTreeMap<IdHash, Live>>,
    /// What has ended not long ago, so that what somebody was typing can be kept for them. In memory only.
    ended: Mutex<BTreeMap<IdHash, (Session, Timestamp)>>,
    /// Held from a change in memory to its commit: otherwise a late write could bring back on disk what has ended.
    writing: tokio::sync::Mutex<()>,
}

/// In seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Since its last request.
    pub idle: u64,
    /// Since sign-in.
    pub age: u64,
}

impl Limits {
    fn allow(self, stored: &Stored, now: Timestamp) -> bool {
        let since = |moment: Timestamp| now.secs().saturating_sub(moment.secs());
        since(stored.seen) < self.idle && since(stored.created) < self.age
    }
}

impl Sessions {
    pub(super) fn load(core: Arc<Core>, limits: Limits) -> Result<Self, StoreError> {
        let mut live = BTreeMap::new();
        for (key, sealed) in core.store.scan_all(Table::Session)? {
            let stored: Stored = core.vault.open_record(&KeyName::SignIn, Table::Session, &key, &sealed)?;
            let id = IdHash::try_from(key.as_slice()).map_err(|_| crate::vault::damaged(Table::Session))?;
            live.insert(id, Live { written: stored.seen, stored });
        }
        let ended = Mutex::default();
        Ok(Self { core, limits, live: Mutex::new(live), ended, writing: tokio::sync::Mutex::default() })
    }

    /// Begins a session, under an id that nobody had before. Durable when it returns, with what is entered about it.
    pub(super) async fn begin(
        &self,
        account: AccountId,
        language: Language,
        event: Event,
    ) -> Result<SessionId, StoreError> {
        let now = self.core.now();
        let english = language == Language::English;
        let stored = Stored { account, csrf: random_word(), english, created: now, seen: now };
        let id = SessionId::random();
        let _writing = self.writing.lock().await;
        let mut batch = Batch::new();
        for surplus in self.surplus(account) {
            batch.delete(Table::Session, surplus);
        }
        self.put(&mut batch, &id.hash(), &stored)?;
        self.core.commit(batch, vec![event]).await?;
        let mut live = self.lock();
        live.insert(id.hash(), Live { written: now, stored });
        Ok(id)
    }

    /// Takes the oldest sessions of an account out, so that there is room for one more.
    fn surplus(&self, account: AccountId) -> Vec<IdHash> {
        let mut live = self.lock();
        let mut own: Vec<_> = live
            .iter()
            .filter(|(_, session)| session.stored.account == account)
            .map(|(id, session)| (session.stored.created, *id))
            .collect();
        own.sort_unstable();
        let surplus = (own.len() + 1).saturating_sub(MOST);
        let surplus: Vec<_> = own.into_iter().take(surplus).map(|(_, id)| id).collect();
        surplus.iter().for_each(|id| drop(live.remove(id)));
        surplus
    }

    /// The session with this id. `acts`: its person does something, so that it has now been seen.
    pub(super) fn find(&self, id: &SessionId, acts: bool) -> Found {
        let (now, id) = (self.core.now(), id.hash());
        let mut live = self.lock();
        let Some(session) = live.get_mut(&id) else {
            let ended = self.ended().get(&id).filter(|(_, at)| is_recent(*at, now)).cloned();
            return ended.map_or(Found::Nothing, |(session, _)| Found::Ended(session));
        };
        if !self.limits.allow(&session.stored, now) {
            return Found::Ended(session.stored.seen_as(id)); // the record goes with the next tidying
        }
        if acts {
            session.stored.seen = session.stored.seen.max(now);
        }
        Found::Session(session.stored.seen_as(id))
    }

    /// Whether a session of this account that ended not long ago had this word in its forms.
    pub(super) fn had_word(&self, account: AccountId, word: &str) -> bool {
        let now = self.core.now();
        let has = |of: AccountId, csrf: &str| of == account && same(csrf, word);
        let ended =
            |(session, at): &(Session, Timestamp)| is_recent(*at, now) && has(session.account, &session.csrf);
        // What has ended is among the others until the next tidying.
        let untidied =
            |Live { stored, .. }: &Live| !self.limits.allow(stored, now) && has(stored.account, &stored.csrf);
        self.ended().values().any(ended) || self.lock().values().any(untidied)
    }

    fn note_ended(&self, id: IdHash, stored: &Stored) {
        self.ended().insert(id, (stored.seen_as(id), self.core.now()));
    }

    fn ended(&self) -> MutexGuard<'_, BTreeMap<IdHash, (Session, Timestamp)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all sessions of an account, everywhere. Durable when it returns; they are gone for everybody at once.
    pub(super) async fn end_all(&self, account: AccountId, events: Vec<Event>) -> Result<usize, StoreError> {
        let _writing = self.writing.lock().await;
        let mut batch = Batch::new();
        self.lock().retain(|id, session| {
            let ends = session.stored.account == account;
            if ends {
                self.note_ended(*id, &session.stored);
                batch.delete(Table::Session, *id);
            }
            !ends
        });
        let ended = batch.len();
        if ended > 0 || !events.is_empty() {
            self.core.commit(batch, events).await?;
        }
        Ok(ended)
    }

    pub(super) async fn set_language(&self, id: &IdHash, language: Language) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let mut batch = Batch::new();
        let stored = self.lock().get_mut(id).map(|session| {
            session.stored.english = language == Language::English;
            session.stored.clone()
        });
        let Some(stored) = stored else { return Ok(()) };
        self.put(&mut batch, id, &stored)?;
        self.core.commit(batch, Vec::new()).await
    }

    /// Removes what has ended and writes when the others were last seen, all in one commit.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let now = self.core.now();
        let (mut batch, mut due) = (Batch::new(), Vec::new());
        self.ended().retain(|_, (_, at)| is_recent(*at, now));
        self.lock().retain(|id, session| {
            let stays = self.limits.allow(&session.stored, now);
            if !stays {
                self.note_ended(*id, &session.stored);
                batch.delete(Table::Session, *id);
            } else if session.stored.seen.secs() >= session.written.secs().saturating_add(WRITE_AFTER) {
                session.written = session.stored.seen;
                due.push((*id, session.stored.clone()));
            }
            stays
        });
        for (id, stored) in due {
            self.put(&mut batch, &id, &stored)?;
        }
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, Vec::new()).await }
    }

    fn put(&self, batch: &mut Batch, id: &IdHash, stored: &Stored) -> Result<(), StoreError> {
        let sealed =
            self.core.vault.seal_record(&KeyName::SignIn, Table::Session, id, &codec::encode(stored))?;
        batch.put(Table::Session, *id, sealed);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IdHash, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

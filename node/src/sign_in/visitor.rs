//! Browsers that are not signed in yet: where they wanted to go, and how far signing in has come.
//!
//! In memory only: strangers make the node write nothing. A restart makes people begin again. Not here: sessions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kring_protocol::time::Timestamp;

use super::password::PasswordHash;
use super::provider::Asked;
use super::session::{IdHash, SessionId, random_word};
use super::totp::TotpSecret;
use crate::people::AccountId;
use crate::texts::Language;

/// Signing in takes at most so many seconds.
const TERM: u64 = 20 * 60;
/// Most visitors; beyond it the oldest go.
const MOST: usize = 10_000;
/// Longest path that is remembered.
const MAX_PATH: usize = 200;

/// How far signing in has come.
#[derive(Clone, Debug, Default)]
pub(super) enum Stage {
    #[default]
    Nothing,
    /// The password was right; the second factor is to come.
    Password(AccountId),
    /// The code was right and a password was chosen; the second factor is being set up.
    Activating(Box<Activating>),
    /// The browser was sent to the provider.
    Provider(Box<Asked>),
}

/// What becomes a credential once the first code is right.
#[derive(Clone, Debug)]
pub(super) struct Activating {
    pub(super) account: AccountId,
    pub(super) password: PasswordHash,
    pub(super) totp: TotpSecret,
    /// Hash of the code by which it began; used up at the end.
    pub(super) code: [u8; 32],
}

/// One browser.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) csrf: String,
    pub(super) language: Language,
    /// The path that was asked for before sign-in.
    pub(super) wanted: Option<String>,
    pub(super) stage: Stage,
    /// The key of a text to show once.
    pub(super) note: Option<&'static str>,
    pub(super) created: Timestamp,
}

impl Visitor {
    pub(super) fn new(language: Language, now: Timestamp) -> Self {
        let csrf = random_word();
        Self { csrf, language, wanted: None, stage: Stage::Nothing, note: None, created: now }
    }

    /// Remembers a path of ours; nothing that a browser could take for another host.
    pub(super) fn want(&mut self, path: &str) {
        let ours = path.starts_with('/')
            && path.len() <= MAX_PATH
            && !path.contains("//")
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
            && !["/sign-in", "/sign-out", "/activate", "/language"].iter().any(|own| path.starts_with(own));
        self.wanted = ours.then(|| path.to_owned());
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Visitors(Mutex<HashMap<IdHash, Visitor>>);

impl Visitors {
    /// Lets a browser in, under an id that nobody had before.
    pub(super) fn add(&self, visitor: Visitor, now: Timestamp) -> SessionId {
        let id = SessionId::random();
        let mut visitors = self.lock();
        if visitors.len() >= MOST {
            make_room(&mut visitors, now);
        }
        visitors.insert(id.hash(), visitor);
        id
    }

    pub(super) fn get(&self, id: &SessionId, now: Timestamp) -> Option<Visitor> {
        self.lock().get(&id.hash()).filter(|visitor| is_fresh(visitor, now)).cloned()
    }

    /// Changes one that is still there; false when it is not.
    pub(super) fn change(&self, id: &SessionId, change: impl FnOnce(&mut Visitor)) -> bool {
        self.lock().get_mut(&id.hash()).map(change).is_some()
    }

    /// Takes one out: what it had begun can be gone on with once.
    pub(super) fn take(&self, id: &SessionId, now: Timestamp) -> Option<Visitor> {
        self.lock().remove(&id.hash()).filter(|visitor| is_fresh(visitor, now))
    }

    pub(super) fn tidy(&self, now: Timestamp) {
        self.lock().retain(|_, visitor| is_fresh(visitor, now));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IdHash, Visitor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(visitor: &Visitor, now: Timestamp) -> bool {
    now.secs().saturating_sub(visitor.created.secs()) < TERM
}

fn make_room(visitors: &mut HashMap<IdHash, Visitor>, now: Timestamp) {
    visitors.retain(|_, visitor| is_fresh(visitor, now));
    if visitors.len() < MOST {
        return;
    }
    let mut created: Vec<_> = visitors.values().map(|visitor| visitor.created).collect();
    let (_, oldest, _) = created.select_nth_unstable(MOST / 10);
    let oldest = *oldest;
    visitors.retain(|_, visitor| visitor.created > oldest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn only_paths_of_ours_are_remembered() {
        let mut visitor = Visitor::new(Language::Dutch, at(0));
        for path in ["/", "/signals/new", "/notices/0123abcd"] {
            visitor.want(path);
            assert_eq!(visitor.wanted.as_deref(), Some(path));
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for path in
            ["", "//evil.example", "/a//b", "/\\evil.example", "evil", "/a?b=c", "/a%2f", "/sign-out", &long]
        {
            visitor.want(path);
            assert_eq!(visitor.wanted, None, "{path}");
        }
    }

    #[test]
    fn visitors_come_and_go_once() {
        let visitors = Visitors::default();
        let id = visitors.add(Visitor::new(Language::Dutch, at(0)), at(0));
        assert!(visitors.get(&id, at(TERM - 1)).is_some());
        assert!(visitors.get(&id, at(TERM)).is_none());
        assert!(visitors.take(&id, at(1)).is_some());
        assert!(visitors.take(&id, at(1)).is_none());
        for number in 0..2 * MOST as u64 {
            visitors.add(Visitor::new(Language::Dutch, at(number / 1_000)), at(number / 1_000));
        }
        assert!(visitors.lock().len() <= MOST);
    }
}

//! Reads one matcher's board to its head and opens what stands under the own addresses (`docs/protocol.md` sections 6.1,
//! 6.2 and 6.4).
//!
//! A page, the matches it leads to and the place reached are one commit: a crash repeats a page or has it whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kring_protocol::board::replication::{Page, Request, Response, WAIT_MAX_MS};
use kring_protocol::board::{Entry, Post, open_post};
use kring_protocol::codec;
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::Kind;
use kring_protocol::matching::{MatchKey, NoEncounter, Reading, read_met};
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::Destination;

use crate::boards::Boards;
use crate::core::Core;
use crate::leaves::{LeaveKey, Left, locate};
use crate::network::Family;
use crate::partner::Partner;
use crate::store::{Batch, StoreError};

/// Between two tries when nobody has anything new or can be reached.
const RETRY: Duration = Duration::from_millis(500);

/// Reads one board.
#[derive(Debug)]
pub struct Reader {
    core: Arc<Core>,
    partner: Arc<Partner>,
    boards: Arc<Boards>,
    destination: Destination,
}

impl Reader {
    /// For one matcher's board.
    #[must_use]
    pub fn new(core: Arc<Core>, partner: Arc<Partner>, boards: Arc<Boards>, matcher: &MemberId) -> Self {
        let destination = core.destination(matcher);
        Self { core, partner, boards, destination }
    }

    /// Reads until the node stops. A node asks the matcher first, then any member that may have the board.
    pub async fn run(self) {
        while !self.core.is_stopping() {
            let page = match self.ask(&self.destination.matcher, WAIT_MAX_MS).await {
                Asked::Page(page) => Some(page),
                // Others show that there is more: the matcher withholds it, or is behind its own past.
                Asked::Nothing if self.is_behind() => self.ask_others().await,
                Asked::Nothing => continue,
                Asked::Unreachable => self.ask_others().await,
            };
            let taken = match page {
                Some(page) => self.take(&page).await,
                None => Ok(false),
            };
            match taken {
                Ok(true) => {}
                Ok(false) => self.core.pause(RETRY).await,
                Err(error) => self.core.fail(error.to_string()),
            }
        }
    }

    fn is_behind(&self) -> bool {
        let board = self.boards.get(&self.destination.matcher);
        !self.core.is_stopping() && board.is_some_and(|board| board.known_size() > board.size())
    }

    async fn ask(&self, member: &MemberId, wait_ms: u32) -> Asked {
        let Some(board) = self.boards.get(&self.destination.matcher) else { return Asked::Unreachable };
        let request =
            Request::Read { matcher: self.destination.matcher.clone(), from: board.size(), wait_ms };
        let answer = tokio::select! {
            answer = self.core.network.request(member, Family::Board, codec::encode(&request)) => answer,
            () = self.core.stopped() => return Asked::Nothing,
        };
        match answer.ok().and_then(|bytes| codec::decode(&bytes).ok()) {
            Some(Response::Entries(page)) => Asked::Page(page),
            Some(Response::Nothing) => Asked::Nothing,
            Some(Response::Malformed) | None => Asked::Unreachable,
        }
    }

    async fn ask_others(&self) -> Option<Box<Page>> {
        for (member, connected) in self.core.network.reachable() {
            if connected
                && member != self.destination.matcher
                && let Asked::Page(page) = self.ask(&member, 0).await
            {
                return Some(page);
            }
        }
        None
    }

    /// Checks a page, acts on what is for us, and stores all of it. False when the page was not accepted.
    async fn take(&self, page: &Page) -> Result<bool, StoreError> {
        let Some(board) = self.boards.get(&self.destination.matcher) else { return Ok(false) };
        let checked = match tokio::task::block_in_place(|| board.check(&self.core, page)) {
            Ok(checked) => checked,
            Err(error) => {
                tracing::error!(matcher = %self.destination.matcher, %error, "a board page was not accepted");
                return Ok(false);
            }
        };
        let mut batch = Batch::new();
        let changes = tokio::task::block_in_place(|| self.act(&checked.entries, &mut batch))?;
        let mut events = vec![self.core.event(
            Kind::BoardRead,
            Some(&self.destination.matcher),
            checked.entries.len() as u64,
        )];
        if changes > 0 {
            events.push(self.core.event(Kind::Disclosure, None, changes));
        }
        board.take(checked, batch, |batch| self.core.commit(batch, events)).await?;
        Ok(true)
    }

    /// Opens the posts to our own submissions. Returns how many matches changed.
    fn act(&self, entries: &[Entry], batch: &mut Batch) -> Result<u64, StoreError> {
        let mut changed: Vec<MatchKey> = Vec::new();
        let mut read: BTreeMap<LeaveKey, Left> = BTreeMap::new();
        for entry in entries {
            let found = {
                let leaves = self.partner.leaves();
                leaves.expects(&entry.address).map(|(key, left)| (key.clone(), left.clone()))
            };
            let Some((key, left)) = found else { continue };
            let Some((own, n)) = locate(&left, &entry.address) else { continue };
            let matcher_key = self.core.verifying_key(&self.destination.matcher);
            let mailbox = own.mailbox();
            let post =
                matcher_key.and_then(|key| open_post(&entry.body, &mailbox, &self.destination, &key).ok());
            match post {
                Some(post) => {
                    changed.extend(self.post(&key, &left, &mailbox.public(), &own.references, post))
                }
                None => {
                    tracing::warn!(matcher = %self.destination.matcher, "a post at our address does not open")
                }
            }
            if own == left.own && n >= left.read {
                let mut leaves = self.partner.leaves();
                // The sender may have changed it meanwhile; only the count is ours.
                if let Some(mut current) = leaves.get(&key).cloned().filter(|current| current.own == own) {
                    current.read = n + 1;
                    leaves.put(key.clone(), current.clone());
                    read.insert(key, current);
                }
            }
        }
        for (key, left) in &read {
            self.partner.put_left(batch, key, left)?;
        }
        self.partner.put_matches(batch, &changed)?;
        Ok(changed.len() as u64)
    }

    /// What one post changes.
    fn post(
        &self,
        key: &LeaveKey,
        left: &Left,
        mailbox: &kring_protocol::sealing::ExchangeKey,
        references: &[kring_protocol::id::Reference],
        post: Post,
    ) -> Vec<MatchKey> {
        let subject_key = left.subject_key();
        let scope = Scope {
            network: self.core.network_id(),
            epoch: key.epoch,
            purpose: left.purpose.clone(),
            matcher: key.matcher.clone(),
        };
        match post {
            Post::Met(met) => {
                let reading = Reading {
                    me: &self.core.me,
                    scope: &scope,
                    key: &subject_key,
                    mailbox: *mailbox,
                    recipe: &left.recipe,
                    references,
                };
                match read_met(&met, reading, &self.core.covenant) {
                    Ok(encounter) => self.partner.matches().meet(&encounter, self.core.today()),
                    Err(NoEncounter::SameParty) => Vec::new(),
                    Err(error) => {
                        tracing::warn!(matcher = %key.matcher, %error, "a meeting without a valid partner");
                        Vec::new()
                    }
                }
            }
            Post::Withdrawn(withdraw) => self.partner.matches().withdrawn(&withdraw, &self.destination),
            Post::Replaced(replaced) => self.partner.matches().replaced(&replaced, &self.destination),
        }
    }
}

enum Asked {
    Page(Box<Page>),
    Nothing,
    Unreachable,
}

//! Reads one matcher's board to its head and opens what stands under the own addresses (`docs/protocol.md` sections 6.1,
//! 6.2, 6.4 and 10).
//!
//! A page, the matches it leads to, what others say about them with all that follows, and the place reached are one commit:
//! a crash repeats a page or has it whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kring_protocol::board::replication::{BadPage, Page, Request, Response, WAIT_MAX_MS};
use kring_protocol::board::{Entry, Post, SignedPost, open_signed_post};
use kring_protocol::canary::{Canary, Told};
use kring_protocol::codec;
use kring_protocol::evidence::Violation;
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::Kind;
use kring_protocol::matching::outbox::Pair;
use kring_protocol::matching::{Match, MatchKey, NoEncounter, Reading, read_met};
use kring_protocol::own_submission::OwnSubmission;
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::Destination;
use kring_protocol::tempo::Next;
use kring_protocol::trace::Grounds;
use tokio::time::Instant;

use crate::boards::Boards;
use crate::conversations::channel;
use crate::coordination::{Change, Changed};
use crate::core::Core;
use crate::evidence::keep;
use crate::leaves::{LeaveKey, Left, locate};
use crate::network::Family;
use crate::partner::Partner;
use crate::store::{Batch, StoreError};
use crate::trace;

/// Between two tries when nobody has anything new or can be reached.
const RETRY: Duration = Duration::from_millis(500);

/// Who says nothing for so long, after the time it may wait for something new, is passed over for others.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Reads one board.
#[derive(Debug)]
pub struct Reader {
    core: Arc<Core>,
    partner: Arc<Partner>,
    boards: Arc<Boards>,
    destination: Destination,
    /// Whose page was refused last, and why, until one is accepted: said once, however often it comes.
    refused: Option<(MemberId, BadPage)>,
}

impl Reader {
    /// For one matcher's board.
    #[must_use]
    pub fn new(core: Arc<Core>, partner: Arc<Partner>, boards: Arc<Boards>, matcher: &MemberId) -> Self {
        let destination = core.destination(matcher);
        Self { core, partner, boards, destination, refused: None }
    }

    /// Reads until the node stops. A node asks the matcher first, then any member that may have the board.
    pub async fn run(mut self) {
        while let Next::At(moment) = self.core.pace.next_read(self.core.now()) {
            if !self.core.until(moment).await {
                return;
            }
            if let Err(error) = self.read_to_the_head().await {
                self.core.fail(error.to_string());
            }
        }
        self.follow().await;
    }

    /// Reads until there is nothing new, once.
    async fn read_to_the_head(&mut self) -> Result<(), StoreError> {
        while !self.core.is_stopping() && self.read(0).await? {}
        Ok(())
    }

    /// Reads whatever comes as soon as it is there, with a long poll.
    async fn follow(&mut self) {
        while !self.core.is_stopping() {
            let asked = Instant::now();
            match self.read(WAIT_MAX_MS).await {
                // A matcher that says so at once, instead of waiting, is not asked again at once.
                Ok(false) if asked.elapsed() < RETRY => self.core.pause(RETRY).await,
                Ok(_) => {}
                Err(error) => self.core.fail(error.to_string()),
            }
        }
    }

    /// Takes the next page, from the matcher or else from another member. False when there is none.
    async fn read(&mut self, wait_ms: u32) -> Result<bool, StoreError> {
        let matcher = self.destination.matcher.clone();
        match self.ask(&matcher, wait_ms).await {
            // Others show that there is more: the matcher withholds it, or is behind its own past.
            Asked::Nothing => {
                if let Some(board) = self.boards.get(&matcher) {
                    board.nothing_new(&self.core).await?;
                }
                Ok(self.is_behind() && self.read_from_others().await?)
            }
            Asked::Page(page) => Ok(self.take(&matcher, &page).await? || self.read_from_others().await?),
            Asked::Unreachable => self.read_from_others().await,
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
        let asked = self.core.network.request(member, Family::Board, codec::encode(&request));
        let within = Duration::from_millis(wait_ms.into()) + SILENT_AFTER;
        let answer = tokio::select! {
            answer = tokio::time::timeout(within, asked) => answer.ok().and_then(Result::ok),
            () = self.core.stopped() => return Asked::Unreachable,
        };
        match answer.and_then(|bytes| codec::decode(&bytes).ok()) {
            Some(Response::Entries(page)) => Asked::Page(page),
            Some(Response::Nothing) => Asked::Nothing,
            Some(Response::Malformed) | None => Asked::Unreachable,
        }
    }

    /// Takes the next page from the first member that has a good one. False when nobody has.
    async fn read_from_others(&mut self) -> Result<bool, StoreError> {
        for (member, connected) in self.core.network.reachable() {
            if connected
                && member != self.destination.matcher
                && let Asked::Page(page) = self.ask(&member, 0).await
                && self.take(&member, &page).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Checks a page that `from` sent, acts on what is for us, and stores all of it. False when the page was not accepted.
    async fn take(&mut self, from: &MemberId, page: &Page) -> Result<bool, StoreError> {
        let Some(board) = self.boards.get(&self.destination.matcher) else { return Ok(false) };
        let checked = match tokio::task::block_in_place(|| board.check(&self.core, page)) {
            Ok(checked) => checked,
            Err(error) => {
                let refused = Some((from.clone(), error));
                if let (Some((from, error)), true) = (&refused, refused != self.refused) {
                    let matcher = &self.destination.matcher;
                    tracing::error!(%matcher, %from, %error, "a board page was not accepted");
                }
                self.refused = refused;
                board.suspect(&self.core, &page.checkpoint);
                return Ok(false);
            }
        };
        self.refused = None;
        let _changing = match self.is_for_us(&checked.entries) {
            true => Some(self.partner.changing_matches.lock().await),
            false => None,
        };
        let mut batch = Batch::new();
        let canaries = tokio::task::block_in_place(|| self.canaries(&checked.entries, &mut batch))?;
        let (met, change) = tokio::task::block_in_place(|| self.act(&checked.entries, &mut batch))?;
        let Changed { matches: changed, events: follow } = change.finish(&mut batch)?;
        let mut events = vec![self.core.event(
            Kind::BoardRead,
            Some(&self.destination.matcher),
            (checked.dropped.len() + checked.entries.len()) as u64,
        )];
        let disclosed = {
            let matches = self.partner.matches();
            let out = |key: &&MatchKey| matches.get(key).is_none_or(Match::is_mistaken);
            met.iter().filter(|key| !out(key)).count() as u64
        };
        if disclosed > 0 {
            events.push(self.core.event(Kind::Disclosure, None, disclosed));
        }
        events.extend(follow);
        let by_matcher = *from == self.destination.matcher;
        board.take(&self.core, (checked, by_matcher), batch, |batch| self.core.commit(batch, events)).await?;
        // What was found by another pair, or lost the pair it went over, is said there too.
        self.partner.touch_matches(&changed);
        if canaries.told {
            self.partner.touch_canaries();
        }
        for proof in canaries.proofs {
            keep(&self.core, proof).await?;
        }
        Ok(true)
    }

    /// Opens what is for canaries. Nothing of it is for a case.
    fn canaries(&self, entries: &[Entry], batch: &mut Batch) -> Result<ForCanaries, StoreError> {
        let mut found = ForCanaries::default();
        let matcher = &self.destination.matcher;
        let Some(matcher_key) = self.core.verifying_key(matcher) else { return Ok(found) };
        for entry in entries {
            let mut canaries = self.partner.canaries();
            let Some((key, side)) = canaries.expects(&entry.address) else { continue };
            let mailbox = canaries.get(&key).map(|canary| canary.plan.mailbox(side));
            let opened = mailbox.filter(|_| key.matcher == *matcher).and_then(|mailbox| {
                open_signed_post(&entry.body, &mailbox, &self.destination, &matcher_key).ok()
            });
            let Some(SignedPost { post, signature }) = opened else {
                tracing::error!(%matcher, "a post at a canary's address does not open");
                continue;
            };
            let read = |canary: &mut Canary| canary.read(side, &post, signature, &self.destination);
            found.told = true;
            match canaries.change(&self.core, &key, batch, read)? {
                None | Some(Told::Other) => {}
                Some(Told::Altered(proof)) => {
                    tracing::error!(%matcher, "a matcher posted a canary otherwise than it was left");
                    found.proofs.extend(proof.map(Violation::Misposted));
                }
                Some(Told::Revived) => {
                    tracing::error!(%matcher, "a matcher introduces a canary's half that had been withdrawn");
                    let revived = canaries.get(&key).and_then(Canary::revived);
                    found.proofs.extend(revived.map(Box::new).map(Violation::Revived));
                }
                Some(Told::Stranger) => {
                    tracing::error!(%matcher, "a matcher tells a canary of somebody, and nobody knows its tag");
                }
            }
        }
        Ok(found)
    }

    /// Whether an entry stands where posts or messages for cases of this member stand.
    fn is_for_us(&self, entries: &[Entry]) -> bool {
        let (leaves, conversations) = (self.partner.leaves(), self.partner.conversations());
        let ours = |entry: &Entry| {
            leaves.expects(&entry.address).is_some() || conversations.expects(&entry.address).is_some()
        };
        entries.iter().any(ours)
    }

    /// Opens what is for us. Returns the matches whose grounds changed, and everything that changed.
    fn act(&self, entries: &[Entry], batch: &mut Batch) -> Result<(Vec<MatchKey>, Change<'_>), StoreError> {
        let mut changed: Vec<MatchKey> = Vec::new();
        let mut change = Change::new(&self.partner);
        let mut read: BTreeMap<LeaveKey, Left> = BTreeMap::new();
        for entry in entries {
            let found = {
                let leaves = self.partner.leaves();
                leaves.expects(&entry.address).map(|(key, left)| (key.clone(), left.clone()))
            };
            let Some((key, left)) = found else {
                self.message(entry, &mut change, batch);
                continue;
            };
            let Some((own, n)) = locate(&left, &entry.address) else { continue };
            let matcher_key = self.core.verifying_key(&self.destination.matcher);
            let mailbox = own.mailbox();
            let post = matcher_key
                .and_then(|key| open_signed_post(&entry.body, &mailbox, &self.destination, &key).ok());
            match post {
                Some(SignedPost { post: Post::Met(met), .. })
                    if self.partner.matches().has_ended(&met.mailbox) =>
                {
                    // Both posts are the matcher's, but not under which number: nothing of it can be proven to others.
                    let matcher = &self.destination.matcher;
                    tracing::error!(%matcher, "a matcher introduces what had ended; it is left out");
                    change.notice_revival();
                }
                Some(post) => {
                    let met = self.post(&key, &left, &own, post, batch)?;
                    change.update(&met);
                    changed.extend(met);
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
        Ok((changed, change))
    }

    /// What another partner says, if this entry is a message to us.
    fn message(&self, entry: &Entry, change: &mut Change<'_>, batch: &mut Batch) {
        let Some((pair, key, n)) = self.partner.conversations().expects(&entry.address) else { return };
        let Some(left) = self.partner.leaves().get(&key).cloned() else { return };
        let Some(channel) = channel(self.core.network_id(), &pair, &key, &left) else { return };
        if pair.matcher != self.destination.matcher || channel.address_from(n) != entry.address {
            return;
        }
        let Ok(message) = channel.open(&entry.body) else {
            // Others may stand at the same address; only the two of us know it, so this one is the other side's fault.
            tracing::warn!(matcher = %pair.matcher, "a message at one of our addresses does not open");
            return;
        };
        change.hear(&message, &pair, &self.scope(&key, &left));
        self.partner.conversations().read(&pair, n, &channel, batch);
    }

    /// Where a submission was left.
    fn scope(&self, key: &LeaveKey, left: &Left) -> Scope {
        Scope {
            network: self.core.network_id(),
            epoch: key.epoch,
            purpose: left.purpose.clone(),
            matcher: key.matcher.clone(),
        }
    }

    /// What one post changes.
    fn post(
        &self,
        key: &LeaveKey,
        left: &Left,
        own: &OwnSubmission,
        SignedPost { post, signature }: SignedPost,
        batch: &mut Batch,
    ) -> Result<Vec<MatchKey>, StoreError> {
        let mailbox = own.mailbox().public();
        let subject_key = left.subject_key();
        let scope = self.scope(key, left);
        Ok(match post {
            Post::Met(met) => {
                let reading = Reading {
                    me: &self.core.me,
                    scope: &scope,
                    key: &subject_key,
                    mailbox,
                    recipe: &left.recipe,
                    references: &own.references,
                };
                match read_met(&met, reading, &self.core.covenant) {
                    Ok(encounter) => {
                        let pair = Pair { matcher: key.matcher.clone(), own: mailbox, other: met.mailbox };
                        let changed = self.partner.matches().meet(&encounter, self.core.today());
                        self.partner.conversations().add(pair, key, left);
                        changed
                    }
                    Err(NoEncounter::SameParty) => Vec::new(),
                    Err(error) => {
                        tracing::warn!(matcher = %key.matcher, %error, "a meeting without a valid partner");
                        let (key, met, posted, day) = (&subject_key, *met, signature, self.core.today());
                        let grounds = Grounds { scope: &scope, key, mailbox, met, posted, day };
                        trace::put_complaint(&self.core, grounds, own.number, batch)?;
                        Vec::new()
                    }
                }
            }
            Post::Withdrawn(withdraw) => self.partner.matches().withdrawn(&withdraw, &self.destination),
            Post::Replaced(replaced) => self.partner.matches().replaced(&replaced, &self.destination),
            Post::Removed(removal) => {
                self.partner.matches().removed(&removal, &self.destination, &self.core.covenant)
            }
        })
    }
}

/// What a page has for canaries.
#[derive(Default)]
struct ForCanaries {
    /// Whether it has anything.
    told: bool,
    /// What it proves.
    proofs: Vec<Violation>,
}

enum Asked {
    Page(Box<Page>),
    Nothing,
    Unreachable,
}

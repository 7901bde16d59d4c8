//! Draws canaries and judges matchers by what they posted (`docs/protocol.md` sections 12.2 to 12.5).
//!
//! A matcher is judged by nothing but a head that it timed itself and up to which this node has read. So one that is down,
//! unreachable or behind is never judged.

use std::sync::Arc;
use std::time::Duration;

use kring_protocol::board::{ENTRY_LEN, Entry};
use kring_protocol::canary::{Canary, Stage};
use kring_protocol::codec::Bytes;
use kring_protocol::covenant::KEYS_PER_PERSON;
use kring_protocol::evidence::{BrokenPromise, EVIDENCE_MAX, Violation};
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::{Kind, Outcome};
use kring_protocol::log::merkle::{Hash, leaf_hash};
use kring_protocol::submission::{Content, Submission};
use kring_protocol::tempo::Next;
use kring_protocol::time::Timestamp;
use rand::Rng;
use rand::rngs::OsRng;
use tokio::sync::Notify;

use super::{CanaryKey, Promised, put};
use crate::audit::Event;
use crate::boards::{Board, Boards};
use crate::core::Core;
use crate::evidence::keep;
use crate::keys::Keyring;
use crate::partner::Partner;
use crate::store::{Batch, StoreError};

/// Between two looks at the immediate tempo.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Watches all matchers.
#[derive(Debug)]
pub struct Watch {
    /// The node.
    pub core: Arc<Core>,
    /// Which epochs have keys.
    pub keyring: Arc<Keyring>,
    /// Holds the canaries.
    pub partner: Arc<Partner>,
    /// What was read.
    pub boards: Arc<Boards>,
    /// Asks for canaries out of turn; test programs alone do.
    pub asked: Option<Asked>,
}

/// By what a test program asks for canaries.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// For such whose halves must meet.
    pub meeting: Arc<Notify>,
    /// For such whose first half ends before the second is left.
    pub ending: Arc<Notify>,
}

/// One round of canaries in so many is of those whose first half ends.
const ENDING_ROUNDS: u32 = 4;

/// Whether a canary's halves have to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drawn {
    Meeting,
    Ending,
}

enum Due {
    Draw(Drawn),
    Judge,
    /// Second halves may be left, or first ones withdrawn.
    Leave,
    Stop,
}

impl Watch {
    /// Watches until the node stops.
    pub async fn run(self) {
        let own = self.core.vault.index_key("canary-round").hash(self.core.me.as_bytes());
        let mut after = self.core.now();
        loop {
            let due = self.wait(&own, &mut after).await;
            let done = match due {
                Due::Stop => return,
                Due::Draw(drawn) => self.draw(drawn).await,
                Due::Judge => self.judge_all().await,
                Due::Leave => {
                    self.partner.touch_canaries();
                    Ok(())
                }
            };
            if let Err(error) = done {
                self.core.fail(error.to_string());
            }
        }
    }

    /// What is due next, and when; at the immediate tempo soon.
    fn next(&self, own: &[u8; 16], after: Timestamp) -> (Option<Timestamp>, Due) {
        let pace = &self.core.pace;
        let (Some(draw), Next::At(compared)) = (pace.next_canary(own, after), pace.next_comparison(after))
        else {
            return (None, Due::Judge);
        };
        let step = self.partner.canaries().next_step(after);
        let drawn = if OsRng.gen_ratio(1, ENDING_ROUNDS) { Drawn::Ending } else { Drawn::Meeting };
        let all = [(Some(draw), Due::Draw(drawn)), (Some(compared), Due::Judge), (step, Due::Leave)];
        let timed = all.into_iter().filter(|(moment, _)| moment.is_some());
        timed.min_by_key(|(moment, _)| *moment).expect("comparisons always follow")
    }

    async fn wait(&self, own: &[u8; 16], after: &mut Timestamp) -> Due {
        let (moment, due) = self.next(own, *after);
        let asked = async {
            let Some(Asked { meeting, ending }) = &self.asked else { return std::future::pending().await };
            tokio::select! {
                () = meeting.notified() => Drawn::Meeting,
                () = ending.notified() => Drawn::Ending,
            }
        };
        let waited = async {
            match moment {
                Some(moment) => self.core.until(moment).await,
                None => {
                    self.core.pause(AT_ONCE).await;
                    !self.core.is_stopping()
                }
            }
        };
        tokio::select! {
            drawn = asked => Due::Draw(drawn),
            goes_on = waited => {
                // Moments that passed meanwhile are left out.
                *after = moment.unwrap_or(*after).max(self.core.now());
                if goes_on { due } else { Due::Stop }
            }
        }
    }

    /// As many tags as a person has match keys, at every matcher. They are durable before anything is sent.
    async fn draw(&self, drawn: Drawn) -> Result<(), StoreError> {
        let in_use = self.core.covenant.epochs_on(self.core.today());
        let Some(epoch) = in_use.into_iter().rev().find(|epoch| self.keyring.get(*epoch).is_some()) else {
            return Ok(());
        };
        let expiry = self.partner.last_day(epoch);
        let pace = &self.core.pace;
        let first = pace.canary_second(self.core.now(), expiry, &mut OsRng);
        let second = pace.canary_second(first, expiry, &mut OsRng);
        let (mut batch, mut fresh) = (Batch::new(), Vec::new());
        for matcher in self.partner.submissions.keys() {
            let Some(board) = self.boards.get(matcher) else { continue };
            for _ in 0..KEYS_PER_PERSON {
                let key = CanaryKey::fresh(epoch, matcher.clone());
                let (matcher, before) = (matcher.clone(), (board.frontier(), expiry));
                let canary = match drawn {
                    Drawn::Meeting => Canary::draw(matcher, epoch, before, first, &mut OsRng),
                    Drawn::Ending => Canary::draw_ending(matcher, epoch, before, (first, second), &mut OsRng),
                };
                put(&self.core, &key, &canary, &mut batch)?;
                fresh.push((key, canary));
            }
        }
        self.core.commit(batch, Vec::new()).await?;
        {
            let mut canaries = self.partner.canaries();
            fresh.into_iter().for_each(|(key, canary)| canaries.insert(key, canary));
        }
        self.partner.touch_canaries();
        Ok(())
    }

    async fn judge_all(&self) -> Result<(), StoreError> {
        if self.partner.canaries().is_empty() {
            return Ok(());
        }
        for (matcher, board) in self.boards.iter() {
            let over = self.over(matcher);
            if let Some((timed, size, head)) = board.timed_head(&self.core) {
                self.judge_canaries(matcher, (timed, &head)).await?;
                self.judge_messages(matcher, board, (timed, size, &head)).await?;
            }
            self.prove(matcher, board).await?;
            self.forget(&over).await?;
        }
        self.partner.touch_canaries();
        Ok(())
    }

    /// Canaries that are withdrawn or have expired.
    fn over(&self, matcher: &MemberId) -> Vec<CanaryKey> {
        let (canaries, today) = (self.partner.canaries(), self.core.today());
        let is_over = |key: &CanaryKey| canaries.get(key).is_some_and(|canary| canary.is_over(today));
        canaries.at(matcher).into_iter().filter(is_over).collect()
    }

    /// Lets go of canaries of which all that can be proven is kept.
    async fn forget(&self, over: &[CanaryKey]) -> Result<(), StoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        over.iter().for_each(|key| self.partner.canaries().remove(key, &mut batch));
        self.core.commit(batch, Vec::new()).await
    }

    async fn judge_canaries(
        &self,
        matcher: &MemberId,
        (timed, head): (Timestamp, &str),
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        let mut withheld = 0;
        {
            let mut canaries = self.partner.canaries();
            for key in canaries.at(matcher) {
                let judged =
                    canaries.change(&self.core, &key, &mut batch, |canary| canary.judge(timed, head))?;
                withheld += u64::from(judged == Some(true));
            }
        }
        let mut noticed = Vec::new();
        if withheld > 0 {
            tracing::error!(%matcher, withheld, "a matcher did not introduce what it gave receipts for");
            noticed.push(self.noticed(matcher, withheld));
        }
        if batch.is_empty() { Ok(()) } else { self.core.commit(batch, noticed).await }
    }

    /// Something wrong that is not proven, or not yet.
    fn noticed(&self, matcher: &MemberId, count: u64) -> Event {
        Event { outcome: Outcome::Failed, ..self.core.event(Kind::Evidence, Some(matcher), count) }
    }

    /// Keeps what has been proven.
    async fn prove(&self, matcher: &MemberId, board: &Board) -> Result<(), StoreError> {
        let proven: Vec<_> = {
            let canaries = self.partner.canaries();
            let keys = canaries.at(matcher);
            keys.iter()
                .filter_map(|key| canaries.get(key))
                .filter(|it| matches!(it.stage(), Stage::Withheld | Stage::Revived))
                .cloned()
                .collect()
        };
        for canary in proven {
            // The reader keeps it at once; here it is kept also when the node died in between.
            if let Some(revived) = canary.revived() {
                keep(&self.core, Violation::Revived(Box::new(revived))).await?;
            }
            let Some(size) = canary.convicting_head().and_then(size_of) else { continue };
            let from = canary.plan.before.size();
            if size.saturating_sub(from) * ENTRY_LEN as u64 > EVIDENCE_MAX as u64 / 2 {
                continue;
            }
            let entries = board.entries_between(&self.core, from, size)?;
            if let Some(withheld) = canary.evidence(entries) {
                keep(&self.core, Violation::Withheld(Box::new(withheld))).await?;
            }
        }
        Ok(())
    }

    /// Looks for messages of this node on a board that should have them.
    async fn judge_messages(
        &self,
        matcher: &MemberId,
        board: &Board,
        (timed, size, head): (Timestamp, u64, &str),
    ) -> Result<(), StoreError> {
        let due = self.partner.canaries().due(matcher, timed);
        if due.is_empty() {
            return Ok(());
        }
        let leaves: Vec<Hash> = board.with_tree(|tree| {
            tree.leaves().iter().take(usize::try_from(size).unwrap_or(usize::MAX)).copied().collect()
        });
        let mut batch = Batch::new();
        for promised in due {
            if !stands(&promised, &leaves) {
                self.missing(&promised, &leaves, head).await?;
            }
            self.partner.canaries().unwatch(&promised, &mut batch);
        }
        self.core.commit(batch, Vec::new()).await
    }

    async fn missing(&self, promised: &Promised, leaves: &[Hash], head: &str) -> Result<(), StoreError> {
        let Promised { matcher, plaintext, promise } = promised.clone();
        tracing::error!(%matcher, "a matcher did not post a message that it gave a receipt for");
        self.core.commit(Batch::new(), vec![self.noticed(&matcher, 1)]).await?;
        if leaves.len() * Hash::LEN > EVIDENCE_MAX / 2 {
            tracing::warn!(%matcher, "its board is too long for a record that proves it");
            return Ok(());
        }
        let leaves = Bytes(leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect());
        let broken = BrokenPromise { matcher, plaintext, promise, checkpoint: head.to_owned(), leaves };
        keep(&self.core, Violation::Promise(Box::new(broken))).await
    }
}

/// Whether a message is among these leaves.
fn stands(promised: &Promised, leaves: &[Hash]) -> bool {
    match Submission::from_plaintext(promised.plaintext.as_ref()).map(|submission| submission.content) {
        Ok(Content::Post(post)) => leaves.contains(&leaf_hash(&Entry::from(&*post).to_bytes())),
        // Nothing else is watched.
        _ => true,
    }
}

/// The second line of a checkpoint.
fn size_of(head: &str) -> Option<u64> {
    head.lines().nth(1)?.parse().ok()
}

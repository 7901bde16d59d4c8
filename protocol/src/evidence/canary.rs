//! A matcher that did not introduce two submissions it had given receipts for, or introduced one that had ended
//! (`docs/protocol.md` sections 12.4 and 12.6).

use serde::{Deserialize, Serialize};

use super::board::timed_head;
use super::{Court, Finding, NotProven};
use crate::board::{ENTRY_LEN, Entry, Met, Post, SignedPost, open_post, post_address};
use crate::canary::{Plan, Receipted, Side};
use crate::codec::Bytes;
use crate::crypto::sha256;
use crate::id::MemberId;
use crate::log::merkle::leaf_hash;
use crate::meeting::CROWD;
use crate::sign::{Signature, VerifyingKey};
use crate::submission::{Content, Destination, Leave, Sha256, Submission, due};

/// As many posts as a crowd's first members get of each other. Where fewer stand on a board there was no crowd, and
/// nobody was left out because of one.
const POSTS_OF_A_CROWD: usize = CROWD * (CROWD - 1);

/// Two receipts for one half of a canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptedTwice {
    /// When it was left.
    pub left: Receipted,
    /// For the same, on a day later than both were left: it was live in between, or would have been refused.
    pub again: Receipted,
}

/// Both halves of a canary were live at once, and a board that the matcher timed after the merge delay does not introduce
/// them to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The matcher.
    pub matcher: MemberId,
    /// What was left there.
    pub plan: Plan,
    /// The receipts of one half.
    pub first: ReceiptedTwice,
    /// Those of the other.
    pub second: ReceiptedTwice,
    /// A head of the board with the matcher's signature and its own cosignature, which has the time.
    pub checkpoint: String,
    /// All entries of the board from the end of `plan.before` up to that head.
    pub entries: Bytes,
}

impl Withheld {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let (destination, key) = court.matcher(&self.matcher)?;
        if self.plan.ended.is_some() {
            return Err(NotProven::Unfitting);
        }
        let halves = [(Side::First, &self.first), (Side::Second, &self.second)];
        for (side, ReceiptedTwice { left, again }) in halves {
            for Receipted { day, promise } in [left, again] {
                let plaintext = Sha256::from_bytes(sha256(&self.plan.plaintext(side, &destination, *day)));
                promise.verify(&plaintext, &destination, &key).map_err(|_| NotProven::Signature)?;
            }
        }
        let left_by = self.first.left.promise.day.max(self.second.left.promise.day);
        let (checkpoint, time) = timed_head(&self.checkpoint, &self.matcher, court)?;
        let entries = self.entries(&checkpoint)?;
        let live_at_once = halves.iter().all(|(_, half)| half.again.promise.day > left_by);
        let introduced = Side::BOTH.into_iter().all(|to| self.introduced(to, &entries, &destination, &key));
        if !live_at_once || time < due(left_by) || introduced || entries.len() >= POSTS_OF_A_CROWD {
            return Err(NotProven::Allowed);
        }
        let deed = "gave receipts for two submissions with one tag and did not introduce them".to_owned();
        Ok((vec![self.matcher.clone()], "12.4", Some(left_by), deed))
    }

    /// The entries, if with what was before they are all that stands under the head.
    fn entries(&self, checkpoint: &crate::log::checkpoint::Checkpoint) -> Result<Vec<Entry>, NotProven> {
        let (entries, rest) = self.entries.as_ref().as_chunks::<ENTRY_LEN>();
        let mut tree = self.plan.before.clone();
        entries.iter().for_each(|entry| tree.append(leaf_hash(entry)));
        if !rest.is_empty() || tree.size() != checkpoint.size || tree.root() != checkpoint.root {
            return Err(NotProven::Unfitting);
        }
        Ok(entries.iter().map(Entry::from_bytes).collect())
    }

    /// Whether one half was told of the other. A matcher numbers its posts to a mailbox, so the first number that is not
    /// there ends them.
    fn introduced(&self, to: Side, entries: &[Entry], destination: &Destination, key: &VerifyingKey) -> bool {
        let (mailbox, inbox) = (self.plan.mailbox(to), self.plan.inbox(to));
        for n in 0.. {
            let address = post_address(&inbox, n);
            let mut here = entries.iter().filter(|entry| entry.address == address).peekable();
            if here.peek().is_none() {
                break;
            }
            let tells = |entry: &Entry| {
                open_post(&entry.body, &mailbox, destination, key)
                    .is_ok_and(|post| self.plan.introduces(to, &post, destination))
            };
            if here.any(tells) {
                return true;
            }
        }
        false
    }
}

/// A matcher introduced a half of a canary that had been withdrawn, to one that could be left only after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revived {
    /// The matcher.
    pub matcher: MemberId,
    /// What was left there, with the root of the board under which the first half's end stood.
    pub plan: Plan,
    /// The receipt of the first half.
    pub left: Receipted,
    /// The receipt of its withdrawal, on a later day: from then on it could not be live again.
    pub withdrawn: Receipted,
    /// A head of the board with that root, with the matcher's signature and its own cosignature, which has the time.
    pub checkpoint: String,
    /// The half that was told of the other.
    pub to: Side,
    /// The matcher's signature on the post.
    pub signature: Signature,
}

impl Revived {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let (destination, key) = court.matcher(&self.matcher)?;
        let withdraw = self.plan.withdraw(Side::First, &destination);
        let withdraw = Submission { day: self.withdrawn.day, content: Content::Withdraw(withdraw) };
        let leave = self.plan.plaintext(Side::First, &destination, self.left.day);
        let signed = [(&self.left, leave), (&self.withdrawn, withdraw.to_plaintext())];
        for (Receipted { promise, .. }, plaintext) in signed {
            let plaintext = Sha256::from_bytes(sha256(&plaintext));
            promise.verify(&plaintext, &destination, &key).map_err(|_| NotProven::Signature)?;
        }
        let (checkpoint, time) = timed_head(&self.checkpoint, &self.matcher, court)?;
        if self.plan.ended != Some(checkpoint.root) {
            return Err(NotProven::Unfitting);
        }
        let Leave { mailbox, withdraw_key, expiry, hello, .. } =
            self.plan.leave(self.to.other(), &destination);
        let met = Post::Met(Box::new(Met { mailbox, withdraw_key, expiry, hello }));
        let to = self.plan.mailbox(self.to).public();
        SignedPost { post: met, signature: self.signature }
            .verify(&to, &destination, &key)
            .map_err(|_| NotProven::Signature)?;
        let ended = self.withdrawn.promise.day;
        if self.left.promise.day >= ended || ended > self.plan.expiry || time < due(ended) {
            return Err(NotProven::Allowed);
        }
        let deed = "introduced a submission after its withdrawal".to_owned();
        Ok((vec![self.matcher.clone()], "12.6", Some(ended), deed))
    }
}

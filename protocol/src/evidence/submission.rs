//! What matchers, relays and senders sign about submissions (`docs/protocol.md` sections 5.5, 5.6, 6.2 and 6.4).

use serde::{Deserialize, Serialize};

use super::board::timed_head;
use super::{Court, Finding, NotProven};
use crate::board::{Entry, Met, Post, SignedPost};
use crate::codec::{self, Bytes, Wire, array};
use crate::crypto::sha256;
use crate::id::{Epoch, MemberId, PurposeId, Reference, Tag};
use crate::label;
use crate::log::merkle::{Frontier, Hash, leaf_hash};
use crate::relay::{Forwarded, PassedOn};
use crate::sealing::ExchangeKey;
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey, VerifyingKey};
use crate::subject_key::Scope;
use crate::submission::hello::{Envelope, statement_bytes};
use crate::submission::{Content, Destination, Leave, Promise, Sha256, Submission};
use crate::time::Day;

/// A receipt for a message that is not on the board although the matcher itself timed a head after the merge delay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenPromise {
    /// The matcher.
    pub matcher: MemberId,
    /// The submission, as it was sealed: a `post`.
    pub plaintext: Bytes,
    /// The matcher's signature on the receipt.
    pub promise: Promise,
    /// A head of the board with the matcher's signature and its own cosignature, which has the time.
    pub checkpoint: String,
    /// The hashes of all leaves under that head, 32 bytes each.
    pub leaves: Bytes,
}

impl BrokenPromise {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let (destination, key) = court.matcher(&self.matcher)?;
        let submission = promised(&self.plaintext, &self.promise, &destination, &key)?;
        let Content::Post(post) = submission.content else { return Err(NotProven::Unfitting) };
        let (checkpoint, time) = timed_head(&self.checkpoint, &self.matcher, court)?;
        let (leaves, rest) = self.leaves.as_ref().as_chunks::<{ Hash::LEN }>();
        let leaves: Vec<_> = leaves.iter().map(|leaf| Hash::from_bytes(*leaf)).collect();
        let mut tree = Frontier::new();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        if !rest.is_empty() || tree.size() != checkpoint.size || tree.root() != checkpoint.root {
            return Err(NotProven::Unfitting);
        }
        let promised = leaf_hash(&Entry { address: post.address, body: post.body }.to_bytes());
        if time < self.promise.due() || leaves.contains(&promised) {
            return Err(NotProven::Allowed);
        }
        let deed = "gave a receipt for a message and left it off its board".to_owned();
        Ok((vec![self.matcher.clone()], "5.6", Some(self.promise.day), deed))
    }
}

/// The submission that the matcher gave a receipt for.
fn promised(
    plaintext: &Bytes,
    promise: &Promise,
    destination: &Destination,
    key: &VerifyingKey,
) -> Result<Submission, NotProven> {
    let hash = Sha256::from_bytes(sha256(plaintext.as_ref()));
    promise.verify(&hash, destination, key).map_err(|_| NotProven::Signature)?;
    Submission::from_plaintext(plaintext.as_ref()).map_err(|_| NotProven::Unfitting)
}

/// A post that shows a mailbox otherwise than it was left there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misposted {
    /// The matcher.
    pub matcher: MemberId,
    /// What was left, as it was sealed: a `leave`.
    pub plaintext: Bytes,
    /// The matcher's signature on the receipt for it.
    pub promise: Promise,
    /// The mailbox that the post went to.
    pub to: ExchangeKey,
    /// What the post said.
    pub met: Met,
    /// The matcher's signature on the post.
    pub signature: Signature,
}

impl Misposted {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let (destination, key) = court.matcher(&self.matcher)?;
        let submission = promised(&self.plaintext, &self.promise, &destination, &key)?;
        let Content::Leave(left) = submission.content else { return Err(NotProven::Unfitting) };
        let post = SignedPost { post: Post::Met(Box::new(self.met.clone())), signature: self.signature };
        post.verify(&self.to, &destination, &key).map_err(|_| NotProven::Signature)?;
        if left.mailbox != self.met.mailbox {
            return Err(NotProven::Unfitting);
        }
        if !self.could_only_be(&left) {
            return Err(NotProven::Allowed);
        }
        let deed = "posted a submission otherwise than it was left".to_owned();
        Ok((vec![self.matcher.clone()], "6.2", Some(self.promise.day), deed))
    }

    /// Whether the post differs, and is not of an earlier or later use of the mailbox. A mailbox may be used again after
    /// its last day; then what was left later was taken in later, and lives longer.
    fn could_only_be(&self, left: &Leave) -> bool {
        let met = &self.met;
        let of_this_use =
            met.expiry == left.expiry || (met.expiry < left.expiry && self.promise.day <= met.expiry);
        let same =
            met.withdraw_key == left.withdraw_key && met.expiry == left.expiry && met.hello == left.hello;
        of_this_use && !same
    }
}

/// What a matcher kept of a submission: what it answers when a trace asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The relay that it says passed the submission on.
    pub relay: MemberId,
    /// What that relay is said to have signed.
    pub passed: PassedOn,
}

impl Wire for Kept {
    const MAX_LEN: usize = 1_024;
}

/// A matcher's word on a submission that its relay did not sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invented {
    /// The matcher.
    pub matcher: MemberId,
    /// What it says.
    pub kept: Kept,
    /// Its signature on that.
    pub signature: Signature,
}

impl Invented {
    /// A matcher's signed answer to a trace. It is evidence only when it is not true.
    #[must_use]
    pub fn sign(kept: Kept, destination: &Destination, key: &SigningKey) -> Self {
        let hash = sha256(&codec::encode(&kept));
        let fields = [destination.network.as_bytes().as_slice(), destination.matcher.as_bytes(), &hash];
        let signature = key.sign(label::KEPT, &fields);
        Self { matcher: destination.matcher.clone(), kept, signature }
    }

    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let (destination, key) = court.matcher(&self.matcher)?;
        let hash = sha256(&codec::encode(&self.kept));
        let fields = [destination.network.as_bytes().as_slice(), destination.matcher.as_bytes(), &hash];
        key.verify(label::KEPT, &fields, &self.signature).map_err(|_| NotProven::Signature)?;
        let Kept { relay, passed } = &self.kept;
        let passed_on = court.covenant.independent(relay, &self.matcher)
            && court.key(relay).is_ok_and(|relay_key| passed.verify(&destination, &relay_key).is_ok());
        if passed_on {
            return Err(NotProven::Allowed);
        }
        let deed = format!("says that it has a submission from {relay}, which did not pass it on");
        Ok((vec![self.matcher.clone()], "5.6", Some(passed.day), deed))
    }
}

/// A ticket that opens, and does not name a member that handed the submission over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalseTicket {
    /// The relay that made it.
    pub relay: MemberId,
    /// The matcher it passed the submission on to.
    pub matcher: MemberId,
    /// What it signed.
    pub passed: PassedOn,
    /// The key of this ticket's outer seal, from the second holder of trace keys.
    pub outer: SealKey,
    /// The key of this ticket's inner seal, from the first. None where the outer seal holds no inner one.
    pub inner: Option<SealKey>,
}

/// The key of one seal of one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealKey(#[serde(with = "array")] pub [u8; 32]);

impl FalseTicket {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let Self { relay, matcher, passed, outer, inner } = self;
        let (destination, _) = court.matcher(matcher)?;
        let key = court.key(relay)?;
        passed.verify(&destination, &key).map_err(|_| NotProven::Signature)?;
        // A seal that opens with a key was made with it: no other key fits its tag.
        let half = passed.ticket.open_outer_with(&Secret::new(outer.0)).map_err(|_| NotProven::Unfitting)?;
        let trace = match inner {
            None if half.has_inner() => return Err(NotProven::Unfitting),
            None => None,
            Some(inner) => half.open_inner_with(&Secret::new(inner.0)).map_err(|_| NotProven::Unfitting)?,
        };
        let forwarded = Forwarded {
            network: &destination.network,
            relay,
            matcher,
            sealed: &passed.sealed,
            plaintext: &passed.plaintext,
            day: passed.day,
        };
        let handed_over = trace.is_some_and(|trace| {
            court.key(&trace.member).is_ok_and(|sender| trace.verify(forwarded, &sender).is_ok())
        });
        if handed_over {
            return Err(NotProven::Allowed);
        }
        let deed = "passed on a submission that nobody handed to it, and counts as its sender".to_owned();
        Ok((vec![relay.clone()], "5.5", Some(passed.day), deed))
    }
}

/// One reference in the signed hellos of two members. One of them took it from the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedReference {
    /// One hello.
    pub first: SignedHello,
    /// The other.
    pub second: SignedHello,
}

/// What a member signs in a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHello {
    /// Who signed.
    pub member: MemberId,
    /// The epoch of the subject key.
    pub epoch: Epoch,
    /// Its purpose.
    pub purpose: PurposeId,
    /// Its matcher.
    pub matcher: MemberId,
    /// Its tag.
    pub tag: Tag,
    /// The submission's mailbox.
    pub mailbox: ExchangeKey,
    /// The submission's withdraw key.
    pub withdraw_key: VerifyingKey,
    /// The submission's last day.
    pub expiry: Day,
    /// The references of the member's cases.
    pub references: Vec<Reference>,
    /// The member's.
    pub signature: Signature,
}

impl SignedHello {
    fn verify(&self, court: &Court<'_>) -> Result<(), NotProven> {
        let (epoch, purpose, matcher) = (self.epoch, self.purpose.clone(), self.matcher.clone());
        let scope = Scope { network: court.network(), epoch, purpose, matcher };
        let envelope = Envelope {
            scope: &scope,
            mailbox: &self.mailbox,
            withdraw_key: &self.withdraw_key,
            expiry: self.expiry,
        };
        let message = statement_bytes(&self.tag, &self.references, envelope);
        let key = court.key(&self.member)?;
        key.verify_bytes(&message, &self.signature).map_err(|_| NotProven::Signature)
    }
}

impl SharedReference {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let Self { first, second } = self;
        first.verify(court)?;
        second.verify(court)?;
        let shared = first.references.iter().any(|reference| second.references.contains(reference));
        if first.member == second.member || !shared {
            return Err(NotProven::Allowed);
        }
        let deed = "uses a reference of the other's case as its own".to_owned();
        Ok((vec![first.member.clone(), second.member.clone()], "6.4", None, deed))
    }
}

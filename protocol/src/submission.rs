//! What a member leaves at a matcher: a tag with an anonymous mailbox and a sealed hello, or its withdrawal
//! (`docs/protocol.md` section 5). One size for all kinds, sealed to the matcher's weekly key.
//!
//! How it gets there is [`crate::relay`]; what the matcher does with it is [`crate::meeting`].

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::board::Body;
use crate::codec::{self, Wire};
use crate::crypto::{Unopenable, sha256};
use crate::field::join;
use crate::id::{Address, MemberId, NetworkId, Tag, byte_id};
use crate::label;
use crate::sealing::{self, ExchangeKey, ExchangeSecret};
use crate::secret::Secret;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::time::Day;

pub mod hello;
pub mod receipt;
pub mod weekly_key;

pub use hello::{Hello, SealedHello};
pub use receipt::{MatcherDay, Promise, Receipt, SealedReceipt, due};
pub use weekly_key::WeeklyKey;

/// Bytes of every submission before sealing, whatever its kind.
pub const PLAINTEXT_LEN: usize = 768;
/// Bytes of every sealed submission.
pub const SEALED_LEN: usize = PLAINTEXT_LEN + sealing::OVERHEAD;

byte_id! {
    /// Random bytes from which a matcher derives the addresses of its posts to one submission.
    Inbox, 16
}
byte_id! {
    /// SHA-256 of a sealed submission or of its plaintext.
    Sha256, 32
}

/// One submission, before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The day it was made; a matcher refuses old ones.
    pub day: Day,
    /// What it is.
    pub content: Content,
}

/// The kinds of submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// Nothing: sent so that an idle node looks like a busy one. Random bytes make its hash tell nothing.
    Dummy(Inbox),
    /// A tag is left, or left anew with other contents.
    Leave(Box<Leave>),
    /// A message between two mailboxes is posted on the board.
    Post(Box<PostRequest>),
    /// What was left is taken back.
    Withdraw(Withdraw),
}

/// A tag with its mailbox and hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// What the matcher compares.
    pub tag: Tag,
    /// Fresh and random; what others write to it only its owner reads.
    pub mailbox: ExchangeKey,
    /// Whoever holds its private half may withdraw or replace this submission.
    pub withdraw_key: VerifyingKey,
    /// At least this many submissions must be live before any is introduced; 2 unless quiet.
    pub min: u8,
    /// Last day on which it is live: the last day of a month, at most the epoch's end.
    pub expiry: Day,
    /// For whoever knows the same subject key.
    pub hello: SealedHello,
    /// Where the matcher's posts to it will stand.
    pub inbox: Inbox,
    /// The submission that this one takes the place of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<Replaces>,
}

/// The old mailbox, with its owner's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaces {
    /// The mailbox that ends.
    pub mailbox: ExchangeKey,
    /// By its withdraw key, over the new mailbox.
    pub signature: Signature,
}

/// The end of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The mailbox that ends.
    pub mailbox: ExchangeKey,
    /// By its withdraw key.
    pub signature: Signature,
}

/// A sealed message for the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostRequest {
    /// A one-time address that only the receiver recognises.
    pub address: Address,
    /// The sealed message.
    pub body: Body,
}

impl Wire for Submission {
    const MAX_LEN: usize = PLAINTEXT_LEN - 2;
}

/// Quiet thresholds end here; more organisations than this around one family is not a threshold but a mistake.
pub const MIN_MAX: u8 = 16;

/// Why a plaintext is not a submission. The fault lies with its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a submission")]
pub struct BadSubmission;

impl Submission {
    /// Length, encoding, zeros: [`PLAINTEXT_LEN`] bytes.
    #[must_use]
    pub fn to_plaintext(&self) -> Vec<u8> {
        let mut plaintext = Vec::with_capacity(PLAINTEXT_LEN);
        let encoded = codec::encode(self);
        let length = u16::try_from(encoded.len()).expect("MAX_LEN is below 65,536");
        plaintext.extend_from_slice(&length.to_be_bytes());
        plaintext.extend_from_slice(&encoded);
        plaintext.resize(PLAINTEXT_LEN, 0);
        plaintext
    }

    /// Reads what [`Self::to_plaintext`] gives, and nothing else.
    ///
    /// # Errors
    /// [`BadSubmission`].
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, BadSubmission> {
        let (length, rest) = plaintext.split_first_chunk::<2>().ok_or(BadSubmission)?;
        let (encoded, zeros) =
            rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(BadSubmission)?;
        if plaintext.len() != PLAINTEXT_LEN || zeros.iter().any(|&byte| byte != 0) {
            return Err(BadSubmission);
        }
        let submission: Self = codec::decode(encoded).map_err(|_| BadSubmission)?;
        let min_in_range = match &submission.content {
            Content::Leave(leave) => (2..=MIN_MAX).contains(&leave.min),
            Content::Dummy(_) | Content::Post(_) | Content::Withdraw(_) => true,
        };
        if min_in_range { Ok(submission) } else { Err(BadSubmission) }
    }
}

/// Where submissions are going: part of everything sealed or signed about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The network.
    pub network: NetworkId,
    /// The matcher.
    pub matcher: MemberId,
}

impl Destination {
    fn info(&self) -> Vec<u8> {
        join(&[label::SUBMISSION, self.network.as_bytes(), self.matcher.as_bytes()])
    }

    fn sign_withdraw(&self, key: &SigningKey, mailbox: &ExchangeKey) -> Signature {
        key.sign(label::WITHDRAW, &[self.network.as_bytes(), self.matcher.as_bytes(), mailbox.as_bytes()])
    }

    /// Checks a withdrawal's signature against the withdraw key left with the mailbox.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify_withdraw(&self, key: &VerifyingKey, withdraw: &Withdraw) -> Result<(), BadSignature> {
        let fields: [&[u8]; 3] =
            [self.network.as_bytes(), self.matcher.as_bytes(), withdraw.mailbox.as_bytes()];
        key.verify(label::WITHDRAW, &fields, &withdraw.signature)
    }

    /// Checks that the owner of the old mailbox consents to `new` taking its place.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify_replaces(
        &self,
        key: &VerifyingKey,
        replaces: &Replaces,
        new: &ExchangeKey,
    ) -> Result<(), BadSignature> {
        let [network, matcher] = [self.network.as_bytes().as_slice(), self.matcher.as_bytes()];
        let fields = [network, matcher, replaces.mailbox.as_bytes(), new.as_bytes()];
        key.verify(label::REPLACE, &fields, &replaces.signature)
    }

    /// A withdrawal of `mailbox`.
    #[must_use]
    pub fn withdraw(&self, key: &SigningKey, mailbox: ExchangeKey) -> Withdraw {
        Withdraw { mailbox, signature: self.sign_withdraw(key, &mailbox) }
    }

    /// Consent to `new` taking the place of `old`.
    #[must_use]
    pub fn replaces(&self, key: &SigningKey, old: ExchangeKey, new: &ExchangeKey) -> Replaces {
        let [network, matcher] = [self.network.as_bytes().as_slice(), self.matcher.as_bytes()];
        let signature = key.sign(label::REPLACE, &[network, matcher, old.as_bytes(), new.as_bytes()]);
        Replaces { mailbox: old, signature }
    }
}

/// A submission sealed to a matcher's weekly key, with what its sender keeps to read the receipt.
#[derive(Debug)]
pub struct SealedSubmission {
    /// What travels; [`SEALED_LEN`] bytes.
    pub sealed: Vec<u8>,
    /// SHA-256 of the sealed bytes.
    pub sealed_hash: Sha256,
    /// SHA-256 of the plaintext.
    pub plaintext_hash: Sha256,
    receipt_key: Secret<32>,
}

/// Seals a submission.
pub fn seal(
    submission: &Submission,
    destination: &Destination,
    key: &ExchangeKey,
    rng: &mut (impl RngCore + CryptoRng),
) -> SealedSubmission {
    let plaintext = submission.to_plaintext();
    let mut sender = sealing::Sender::new(key, &destination.info(), rng);
    let sealed = sender.seal(&plaintext);
    SealedSubmission {
        sealed_hash: Sha256::from_bytes(sha256(&sealed)),
        plaintext_hash: Sha256::from_bytes(sha256(&plaintext)),
        receipt_key: sender.export(label::RECEIPT_KEY),
        sealed,
    }
}

/// A submission as its matcher opened it.
#[derive(Debug)]
pub struct OpenedSubmission {
    /// Its content.
    pub submission: Submission,
    /// The bytes that were hashed, kept so that a trace can start from them.
    pub plaintext: Vec<u8>,
    /// SHA-256 of the sealed bytes.
    pub sealed_hash: Sha256,
    /// SHA-256 of the plaintext.
    pub plaintext_hash: Sha256,
    receipt_key: Secret<32>,
}

/// Opens a sealed submission with the weekly key it was sealed to.
///
/// # Errors
/// [`Unopenable`] for another key or matcher, altered bytes, or a plaintext that is not a submission.
pub fn open(
    sealed: &[u8],
    destination: &Destination,
    key: &ExchangeSecret,
) -> Result<OpenedSubmission, Unopenable> {
    let (plaintext, receiver) = sealing::open(key, &destination.info(), sealed)?;
    let submission = Submission::from_plaintext(&plaintext).map_err(|_| Unopenable)?;
    Ok(OpenedSubmission {
        submission,
        sealed_hash: Sha256::from_bytes(sha256(sealed)),
        plaintext_hash: Sha256::from_bytes(sha256(&plaintext)),
        receipt_key: receiver.export(label::RECEIPT_KEY),
        plaintext,
    })
}

#[cfg(test)]
pub(crate) mod tests;

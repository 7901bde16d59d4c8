//! The matcher's receipt: a signed promise that what follows from a submission is on the board within the merge delay
//! (section 5.6). It is the same whether or not the tag was known.

use serde::{Deserialize, Serialize};

use super::{Destination, OpenedSubmission, SealedSubmission, Sha256};
use crate::codec::{self, Bytes, Wire};
use crate::crypto::{AEAD_NONCE_LEN, AEAD_TAG_LEN, open, seal};
use crate::evidence::MERGE_DELAY_SECS;
use crate::label;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::time::{Day, Timestamp};

/// One receipt key seals one receipt, so its nonce is fixed; a repeated answer is the same bytes.
const NONCE: [u8; AEAD_NONCE_LEN] = [0; AEAD_NONCE_LEN];

/// A receipt as it travels back through the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedReceipt(Bytes);

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The day of the submission's first intake.
    pub day: Day,
    /// For a withdrawal or replacement: whether the old mailbox was there. True for everything else.
    pub held: bool,
    /// The matcher's, over network, matcher, both hashes and day.
    pub signature: Signature,
}

impl Wire for Receipt {
    const MAX_LEN: usize = 128;
}

/// The receipt does not open, or is not the matcher's over this submission: ask again, or take it as a fault of the matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt of this matcher for this submission")]
pub struct BadReceipt;

impl OpenedSubmission {
    /// The matcher's receipt for this submission.
    #[must_use]
    pub fn receipt(
        &self,
        day: Day,
        held: bool,
        destination: &Destination,
        key: &SigningKey,
    ) -> SealedReceipt {
        let Promise { signature, .. } =
            Promise::sign((self.sealed_hash, self.plaintext_hash), day, destination, key);
        let receipt = Receipt { day, held, signature };
        SealedReceipt(Bytes(seal(&self.receipt_key, NONCE, &[], &padded(&receipt))))
    }
}

impl SealedSubmission {
    /// Opens and checks the receipt that came back for this submission.
    ///
    /// # Errors
    /// [`BadReceipt`].
    pub fn verify_receipt(
        &self,
        sealed: &SealedReceipt,
        destination: &Destination,
        matcher_key: &VerifyingKey,
    ) -> Result<Receipt, BadReceipt> {
        let plaintext = open(&self.receipt_key, NONCE, &[], &sealed.0.0).map_err(|_| BadReceipt)?;
        let end = plaintext.iter().rposition(|&byte| byte == END).ok_or(BadReceipt)?;
        let receipt: Receipt = codec::decode(&plaintext[..end]).map_err(|_| BadReceipt)?;
        let promise = self.promise(&receipt);
        promise.verify(&self.plaintext_hash, destination, matcher_key).map_err(|_| BadReceipt)?;
        Ok(receipt)
    }

    /// What others can be shown of a receipt for this.
    #[must_use]
    pub const fn promise(&self, receipt: &Receipt) -> Promise {
        Promise { sealed: self.sealed_hash, day: receipt.day, signature: receipt.signature }
    }
}

/// What a receipt's signature says, apart from its seal: that the matcher took in a submission on a day. What its sender
/// can show others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// SHA-256 of the sealed submission.
    pub sealed: Sha256,
    /// The day of its first intake, by the matcher's clock.
    pub day: Day,
    /// The matcher's.
    pub signature: Signature,
}

impl Promise {
    /// By when what follows must stand on the board, whenever in its day it was given.
    #[must_use]
    pub const fn due(&self) -> Timestamp {
        due(self.day)
    }

    /// The matcher's signature on what it took in: SHA-256 of the sealed submission and of its plaintext.
    #[must_use]
    pub fn sign(
        (sealed, plaintext): (Sha256, Sha256),
        day: Day,
        destination: &Destination,
        key: &SigningKey,
    ) -> Self {
        let [network, matcher, sealed_bytes, plaintext] = fields(destination, &sealed, &plaintext);
        let fields = [network, matcher, sealed_bytes, plaintext, &day.to_be_bytes()];
        Self { sealed, day, signature: key.sign(label::RECEIPT, &fields) }
    }

    /// Checks that the matcher signed it for the submission whose plaintext has this hash.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        plaintext: &Sha256,
        destination: &Destination,
        matcher_key: &VerifyingKey,
    ) -> Result<(), BadSignature> {
        let [network, matcher, sealed, plaintext] = fields(destination, &self.sealed, plaintext);
        let day = self.day.to_be_bytes();
        matcher_key.verify(label::RECEIPT, &[network, matcher, sealed, plaintext, &day], &self.signature)
    }
}

/// The day that a matcher goes by. It never goes back, as a clock does that is put right: else what it signs would seem to be
/// from before what it had signed already, and a promise kept would look broken (`docs/protocol.md` section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MatcherDay(Day);

impl Wire for MatcherDay {
    const MAX_LEN: usize = 8;
}

impl MatcherDay {
    /// The first one, of a matcher that has signed nothing yet.
    #[must_use]
    pub const fn first(today: Day) -> Self {
        Self(today)
    }

    /// It is `today` by the clock. True when the matcher's day went on; then it must be durable before anything is signed.
    pub fn advance(&mut self, today: Day) -> bool {
        let later = today > self.0;
        self.0 = self.0.max(today);
        later
    }

    /// The day itself.
    #[must_use]
    pub const fn day(self) -> Day {
        self.0
    }
}

/// By when what follows from a submission that was taken in on a day must stand on the board.
#[must_use]
pub const fn due(day: Day) -> Timestamp {
    day.plus(1).start().plus_secs(MERGE_DELAY_SECS)
}

/// Marks the end of the encoding, before the zeros that give every receipt one size.
const END: u8 = 0x80;
const PADDED_LEN: usize = Receipt::MAX_LEN;
/// Bytes of every sealed receipt.
pub const SEALED_RECEIPT_LEN: usize = PADDED_LEN + AEAD_TAG_LEN;

fn padded(receipt: &Receipt) -> Vec<u8> {
    let mut bytes = codec::encode(receipt);
    bytes.push(END);
    bytes.resize(PADDED_LEN, 0);
    bytes
}

fn fields<'a>(destination: &'a Destination, sealed: &'a Sha256, plaintext: &'a Sha256) -> [&'a [u8]; 4] {
    [destination.network.as_bytes(), destination.matcher.as_bytes(), sealed.as_bytes(), plaintext.as_bytes()]
}

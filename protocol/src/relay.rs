//! What a relay does: checks who sends, seals that into a ticket which only governance opens, and passes on
//! (`docs/protocol.md` sections 5.4 and 5.5). It cannot read what it carries and keeps nothing but daily counts.

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::codec::{Bytes, Wire};
use crate::field::join;
use crate::id::{MemberId, NetworkId};
use crate::label;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::submission::{Destination, SEALED_LEN, SealedReceipt, SealedSubmission, Sha256, WeeklyKey};
use crate::time::Day;

pub mod ticket;

pub use ticket::{Ticket, TicketMaker, TraceKeys};

/// Most sealed submissions in one request.
pub const ITEMS_MAX: usize = 256;

/// One sealed submission as its sender hands it to a relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The sealed submission.
    pub sealed: Bytes,
    /// SHA-256 of its plaintext.
    pub plaintext: Sha256,
    /// The sender's signature, naming relay, matcher and day.
    pub signature: Signature,
}

/// One sealed submission as the relay passes it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relayed {
    /// The sealed submission.
    pub sealed: Bytes,
    /// SHA-256 of its plaintext.
    pub plaintext: Sha256,
    /// Who sent it, for the two holders of trace keys together.
    pub ticket: Ticket,
    /// The relay's signature.
    pub signature: Signature,
}

/// Requests of `/kring/forward/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// To a relay.
    Forward {
        /// Where to.
        matcher: MemberId,
        /// Named in every signature.
        day: Day,
        /// At most [`ITEMS_MAX`].
        items: Vec<Forward>,
    },
    /// To a matcher, from a relay.
    Relayed {
        /// Named in every signature.
        day: Day,
        /// At most [`ITEMS_MAX`].
        items: Vec<Relayed>,
    },
    /// To a matcher: which key to seal to.
    WeeklyKey,
}

impl Wire for Request {
    const MAX_LEN: usize = 1 << 20;
}

/// Answers of `/kring/forward/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// One outcome per item, in order.
    Outcomes(Vec<Outcome>),
    /// This week's key, and next week's once it exists.
    WeeklyKeys(Vec<WeeklyKey>),
    /// The whole request is refused.
    Refused(Refusal),
}

impl Wire for Response {
    const MAX_LEN: usize = 1 << 20;
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is durably with the matcher.
    Receipt(SealedReceipt),
    /// It was refused and sending it again will not help.
    Refused(Refusal),
}

/// Why a relay or matcher refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The bytes are not a request of this version.
    #[error("not a request this node can read")]
    Malformed,
    /// The receiver is no matcher, or no relay may stand between these two.
    #[error("the covenant does not allow this path")]
    Path,
    /// A signature does not fit.
    #[error("a signature does not fit")]
    Signature,
    /// Older than 48 hours, or from tomorrow.
    #[error("too old, or from the future: check the clock")]
    Day,
    /// It does not open, or its hash does not fit.
    #[error("does not open with this week's key")]
    Unopenable,
    /// This mailbox has been used before with other content.
    #[error("the mailbox is not fresh")]
    Mailbox,
    /// More than the sender's slots for a day.
    #[error("more than a day's slots")]
    Quota,
    /// This version does not serve this kind of submission.
    #[error("this matcher does not serve this kind of submission yet")]
    Unserved,
    /// The matcher could not be reached; try again.
    #[error("the matcher cannot be reached now")]
    Unreachable,
}

/// Signs a sealed submission for one relay, matcher and day.
#[must_use]
pub fn forward(
    submission: &SealedSubmission,
    destination: &Destination,
    relay: &MemberId,
    day: Day,
    key: &SigningKey,
) -> Forward {
    let forwarded = Forwarded {
        network: &destination.network,
        relay,
        matcher: &destination.matcher,
        sealed: &submission.sealed_hash,
        plaintext: &submission.plaintext_hash,
        day,
    };
    let signature = key.sign_bytes(&forwarded.signed_bytes());
    Forward { sealed: Bytes(submission.sealed.clone()), plaintext: submission.plaintext_hash, signature }
}

/// A relay at work for one matcher on one day.
#[derive(Debug)]
pub struct Relay<'a> {
    /// The network.
    pub destination: &'a Destination,
    /// The relay itself.
    pub me: &'a MemberId,
    /// Its signing key.
    pub key: &'a SigningKey,
    /// The day that all signatures name.
    pub day: Day,
}

impl Relay<'_> {
    /// Checks one item of `sender` and makes what is passed on.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] or [`Refusal::Signature`]; both are the sender's fault.
    pub fn pass_on(
        &self,
        item: Forward,
        sender: &MemberId,
        sender_key: &VerifyingKey,
        tickets: &TicketMaker,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Relayed, Refusal> {
        if item.sealed.0.len() != SEALED_LEN {
            return Err(Refusal::Malformed);
        }
        let sealed_hash = Sha256::from_bytes(crate::crypto::sha256(&item.sealed.0));
        self.verify(&item, &sealed_hash, sender_key).map_err(|_| Refusal::Signature)?;
        let ticket = tickets.make(sender, &item.signature, rng);
        let fields = relay_fields(self.destination, &sealed_hash, &item.plaintext, &ticket, self.day);
        let signature = self.key.sign_bytes(&fields);
        Ok(Relayed { sealed: item.sealed, plaintext: item.plaintext, ticket, signature })
    }

    fn verify(&self, item: &Forward, sealed: &Sha256, sender_key: &VerifyingKey) -> Result<(), BadSignature> {
        let forwarded = Forwarded {
            network: &self.destination.network,
            relay: self.me,
            matcher: &self.destination.matcher,
            sealed,
            plaintext: &item.plaintext,
            day: self.day,
        };
        sender_key.verify_bytes(&forwarded.signed_bytes(), &item.signature)
    }
}

/// The matcher's check of what a relay passed on: its signature over both hashes, ticket, matcher and day.
///
/// # Errors
/// [`BadSignature`].
pub fn verify_relayed(
    item: &Relayed,
    sealed: &Sha256,
    destination: &Destination,
    day: Day,
    relay_key: &VerifyingKey,
) -> Result<(), BadSignature> {
    let fields = relay_fields(destination, sealed, &item.plaintext, &item.ticket, day);
    relay_key.verify_bytes(&fields, &item.signature)
}

/// What a relay said of a submission, without the submission: what a matcher keeps for a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassedOn {
    /// SHA-256 of the sealed submission.
    pub sealed: Sha256,
    /// SHA-256 of its plaintext.
    pub plaintext: Sha256,
    /// Who sent it, for the two holders of trace keys together.
    pub ticket: Ticket,
    /// The day in the relay's signature.
    pub day: Day,
    /// The relay's.
    pub signature: Signature,
}

impl Relayed {
    /// What the relay said of it on `day`.
    #[must_use]
    pub fn passed_on(&self, day: Day) -> PassedOn {
        let sealed = Sha256::from_bytes(crate::crypto::sha256(&self.sealed.0));
        let Self { plaintext, ticket, signature, .. } = self;
        PassedOn { sealed, plaintext: *plaintext, ticket: ticket.clone(), day, signature: *signature }
    }
}

impl PassedOn {
    #[cfg(test)]
    pub(crate) fn sign(
        (sealed, plaintext): (Sha256, Sha256),
        ticket: Ticket,
        day: Day,
        destination: &Destination,
        key: &SigningKey,
    ) -> Self {
        let fields = relay_fields(destination, &sealed, &plaintext, &ticket, day);
        Self { sealed, plaintext, ticket, day, signature: key.sign_bytes(&fields) }
    }

    /// Checks the relay's signature.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, destination: &Destination, relay_key: &VerifyingKey) -> Result<(), BadSignature> {
        let fields = relay_fields(destination, &self.sealed, &self.plaintext, &self.ticket, self.day);
        relay_key.verify_bytes(&fields, &self.signature)
    }
}

/// `"kring/relay/v1" || network || SHA-256(sealed) || SHA-256(plaintext) || SHA-256(ticket) || matcher || day`
fn relay_fields(
    destination: &Destination,
    sealed: &Sha256,
    plaintext: &Sha256,
    ticket: &Ticket,
    day: Day,
) -> Vec<u8> {
    join(&[
        label::RELAY,
        destination.network.as_bytes(),
        sealed.as_bytes(),
        plaintext.as_bytes(),
        &ticket.hash(),
        destination.matcher.as_bytes(),
        &day.to_be_bytes(),
    ])
}

/// Whether a matcher still takes a submission or forward of `day` (section 5.6): not older than 48 hours, and a day of
/// grace for clocks that run ahead.
#[must_use]
pub fn is_recent(day: Day, today: Day) -> bool {
    day <= today.plus(1) && today <= day.plus(2)
}

/// The trace of a ticket: who a relay says left a submission, with that member's own signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The member that the relay named.
    pub member: MemberId,
    /// Its signature on the forward.
    pub signature: Signature,
}

/// One handing over of a sealed submission to a relay: what its sender signs and a trace is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// The network.
    pub network: &'a NetworkId,
    /// The relay whose ticket it is.
    pub relay: &'a MemberId,
    /// The matcher.
    pub matcher: &'a MemberId,
    /// SHA-256 of the sealed submission.
    pub sealed: &'a Sha256,
    /// SHA-256 of its plaintext.
    pub plaintext: &'a Sha256,
    /// The day in the signatures.
    pub day: Day,
}

impl Forwarded<'_> {
    /// `"kring/forward/v1" || network || SHA-256(sealed) || SHA-256(plaintext) || relay || matcher || day`
    fn signed_bytes(&self) -> Vec<u8> {
        join(&[
            label::FORWARD,
            self.network.as_bytes(),
            self.sealed.as_bytes(),
            self.plaintext.as_bytes(),
            self.relay.as_bytes(),
            self.matcher.as_bytes(),
            &self.day.to_be_bytes(),
        ])
    }
}

impl Trace {
    /// Whether the named member signed this very submission. Where it did not, the relay counts as the sender.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, forwarded: Forwarded<'_>, member_key: &VerifyingKey) -> Result<(), BadSignature> {
        member_key.verify_bytes(&forwarded.signed_bytes(), &self.signature)
    }
}

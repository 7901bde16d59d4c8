//! Evaluation: who may ask the key holders what, how often, and what both sides do (`docs/protocol.md` section 4).
//!
//! Every request is a signed [`Header`] in one chain per member and epoch. A majority of the other key holders enters
//! it before anyone answers, so that a number used twice always shows. [`Chain`] holds a holder's rules, [`Asker`] the
//! asking member's; both decide, and the caller stores and sends.
//!
//! Not here: the function itself ([`crate::oprf`]), the covenant that [`Terms`] are taken from, and what becomes of a
//! [`SubjectKey`].

use std::fmt;

use crate::crypto::hkdf_salted;
use crate::field::join;
use crate::id::{Epoch, MemberId, NetworkId, PurposeId};
use crate::label;
use crate::oprf::OUTPUT_LEN;
use crate::secret::Secret;

mod answer;
mod asker;
mod header;
mod holder;
mod message;
mod terms;

pub use answer::{Acknowledgement, KeyAnswer, SignedAnswer, WrongAnswer, answer};
pub use asker::{
    AnswerFault, Asker, BeginError, Culprit, FinishError, KeyResult, NewRequest, Outgoing, Progress,
};
pub use header::{Fraud, Header, HeaderError, HeaderHash, MAX_KEYS, SignedHeader, VerifiedHeader};
pub use holder::{Chain, Comparison, Decision, Entered, Outcome, compare};
pub use message::{Announce, Evaluate, MAX_HEADERS, Reason, Refused, Request, Response};
pub use terms::{Budget, KeySpec, Party, PurposeTerms, Terms};

/// Most seconds that a header's time and a holder's clock may lie apart for an answer.
pub const CLOCK_TOLERANCE_SECS: u64 = 600;

/// What one match key becomes under one matcher's key: secret, 32 bytes, gone at the end of the epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey(Secret<32>);

impl SubjectKey {
    /// Derives it from the output of the OPRF (section 4.4).
    #[must_use]
    pub fn derive(
        network: &NetworkId,
        epoch: Epoch,
        purpose: &PurposeId,
        matcher: &MemberId,
        output: &Secret<OUTPUT_LEN>,
    ) -> Self {
        let epoch = epoch.to_be_bytes();
        let fields = [label::SUBJECT_KEY, network.as_bytes(), &epoch, purpose.as_bytes(), matcher.as_bytes()];
        Self(hkdf_salted(&join(&fields), output.expose(), &[]))
    }

    /// From storage.
    #[must_use]
    pub const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for deriving and for sealing to disk.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(<redacted>)")
    }
}

#[cfg(test)]
mod tests;

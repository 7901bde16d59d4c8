//! Evaluation: who may ask the key holders what, how often, and what both sides do (`docs/protocol.md` section 4).
//!
//! Every request is a signed [`Header`] in one chain per member and epoch. A majority of the other key holders enters
//! it before anyone answers, so that a number used twice always shows. [`Chain`] holds a holder's rules, [`Asker`] the
//! asking member's; both decide, and the caller stores and sends.
//!
//! Not here: the function itself ([`crate::oprf`]), the covenant that [`Terms`] are taken from, and what becomes of a
//! [`crate::subject_key::SubjectKey`].

mod answer;
mod asker;
mod header;
mod holder;
mod message;
mod resume;
mod terms;

pub use answer::{Acknowledgement, KeyAnswer, PartHash, SignedAnswer, WrongAnswer, answer};
pub(crate) use answer::{hash_part_hashes, verify_parts};
pub use asker::{
    AnswerFault, Asker, BeginError, Culprit, FinishError, KeyResult, NewRequest, Outgoing, Progress,
};
pub use header::{Fraud, Header, HeaderError, HeaderHash, MAX_KEYS, SignedHeader, VerifiedHeader};
pub use holder::{Chain, Comparison, Decision, Entered, Outcome, Vouched, compare};
pub use message::{Announce, Evaluate, MAX_HEADERS, Reason, Refused, Request, Response};
pub use resume::{Resume, resume};
pub use terms::{Budget, KeySpec, Party, PurposeTerms, Terms};

/// Most seconds that a header's time and a holder's clock may lie apart for an answer.
pub const CLOCK_TOLERANCE_SECS: u64 = 600;

#[cfg(test)]
mod tests;

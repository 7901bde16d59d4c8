//! What a matcher shows of a submission when a trace asks for it (section 13.2).

use serde::{Deserialize, Serialize};

use crate::codec::Bytes;
use crate::covenant::VerifiedCovenant;
use crate::crypto::sha256;
use crate::evidence::{Evidence, Invented, Kept, NotProven, Violation};
use crate::sign::{Signature, SigningKey};
use crate::submission::{Content, Destination, Leave, Promise, Sha256, Submission};

/// One submission with all that its matcher kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// What was sealed.
    pub plaintext: Bytes,
    /// Through whom it came, and what that relay signed.
    pub kept: Kept,
    /// The matcher's receipt for it, so that what it posted can be held against what was left.
    pub promise: Promise,
    /// The matcher's signature on `kept`.
    pub signature: Signature,
}

/// Why a record is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRecord {
    /// The relay did not sign it: the matcher made it up, and this proves it.
    Invented(Box<Invented>),
    /// Its parts do not belong together, or it is not the matcher's.
    Unfitting,
}

impl Disclosed {
    /// The matcher's answer.
    #[must_use]
    pub fn sign(plaintext: Bytes, kept: Kept, destination: &Destination, key: &SigningKey) -> Self {
        let passed = &kept.passed;
        let promise = Promise::sign((passed.sealed, passed.plaintext), passed.day, destination, key);
        let Invented { kept, signature, .. } = Invented::sign(kept, destination, key);
        Self { plaintext, kept, promise, signature }
    }

    /// Checks that matcher and relay both signed for it, and reads what was left.
    ///
    /// # Errors
    /// [`BadRecord`].
    pub fn check(&self, destination: &Destination, covenant: &VerifiedCovenant) -> Result<Leave, BadRecord> {
        let (matcher, kept) = (destination.matcher.clone(), self.kept.clone());
        let invented = Box::new(Invented { matcher, kept, signature: self.signature });
        let violation = Violation::Invented(invented.clone());
        match (Evidence { network: destination.network, violation }).check(covenant) {
            Ok(_) => return Err(BadRecord::Invented(invented)),
            Err(NotProven::Allowed) => {}
            Err(_) => return Err(BadRecord::Unfitting),
        }
        let (passed, promise) = (&self.kept.passed, &self.promise);
        let hash = Sha256::from_bytes(sha256(self.plaintext.as_ref()));
        let card = covenant.member(&destination.matcher).ok_or(BadRecord::Unfitting)?;
        let promised = promise.verify(&hash, destination, &card.signing_key).is_ok();
        if hash != passed.plaintext || promise.sealed != passed.sealed || !promised {
            return Err(BadRecord::Unfitting);
        }
        match Submission::from_plaintext(self.plaintext.as_ref()) {
            Ok(Submission { content: Content::Leave(leave), .. }) => Ok(*leave),
            _ => Err(BadRecord::Unfitting),
        }
    }
}

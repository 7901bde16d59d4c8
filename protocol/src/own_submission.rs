//! A member's side of its own submissions: what it must remember to leave, renew, read and withdraw one
//! (`docs/protocol.md` sections 5.1 and 5.7).
//!
//! A record is stored before anything is sent, and the submission is a pure function of it: sending again after a
//! crash gives the same mailbox with the same content, which the matcher recognises.

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::crypto::hkdf;
use crate::field::join;
use crate::id::{MemberId, Reference};
use crate::label;
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::hello::{Envelope, REFERENCES_MAX};
use crate::submission::{Destination, Hello, Inbox, Leave, Withdraw};
use crate::time::Day;

/// From which a node's withdraw keys are derived; lives with the node's identity, not with its data.
#[derive(Clone, Debug)]
pub struct WithdrawRoot(pub Secret<32>);

/// Which withdraw key: a restored node begins a new generation, so that numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawNumber {
    /// Raised by a restore.
    pub generation: u32,
    /// Raised by every submission.
    pub counter: u64,
}

impl WithdrawRoot {
    /// The withdraw key with this number at this matcher.
    #[must_use]
    pub fn key(&self, matcher: &MemberId, number: WithdrawNumber) -> SigningKey {
        let (generation, counter) = (number.generation.to_be_bytes(), number.counter.to_be_bytes());
        let info = join(&[label::WITHDRAW_KEY, matcher.as_bytes(), &generation, &counter]);
        SigningKey::from_seed(&hkdf(self.0.expose(), &info))
    }
}

/// One submission of the node's own. Sealed at rest under the key of its matcher and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSubmission {
    /// Private half of the mailbox.
    #[serde(with = "crate::secret::stored")]
    mailbox: Secret<32>,
    /// Its withdraw key's number.
    pub number: WithdrawNumber,
    /// Gives the addresses of posts to it.
    pub inbox: Inbox,
    /// What the hello says; at most [`REFERENCES_MAX`], sorted.
    pub references: Vec<Reference>,
    /// Quiet threshold; 2 when not quiet.
    pub min: u8,
    /// Last live day.
    pub expiry: Day,
}

/// Who leaves submissions: what every one of them needs.
#[derive(Clone, Copy, Debug)]
pub struct Leaver<'a> {
    /// The member and the key that signs its name into hellos, where the purpose discloses names at once.
    pub name: Option<(&'a MemberId, &'a SigningKey)>,
    /// Its withdraw keys.
    pub root: &'a WithdrawRoot,
}

impl OwnSubmission {
    /// Draws a fresh mailbox and inbox for `references`, of which the first [`REFERENCES_MAX`] in order are left.
    pub fn draw(
        mut references: Vec<Reference>,
        min: u8,
        expiry: Day,
        number: WithdrawNumber,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        references.sort_unstable();
        references.dedup();
        references.truncate(REFERENCES_MAX);
        let mut inbox = [0; Inbox::LEN];
        rng.fill_bytes(&mut inbox);
        Self {
            mailbox: Secret::random(rng),
            number,
            inbox: Inbox::from_bytes(inbox),
            references,
            min,
            expiry,
        }
    }

    /// The mailbox.
    #[must_use]
    pub fn mailbox(&self) -> ExchangeSecret {
        ExchangeSecret::from_bytes(self.mailbox.clone())
    }

    /// What is left at the matcher, in the place of `old` if there is one. The same each time.
    #[must_use]
    pub fn leave(&self, key: &SubjectKey, scope: &Scope, leaver: Leaver<'_>, old: Option<&Self>) -> Leave {
        let destination = Destination { network: scope.network, matcher: scope.matcher.clone() };
        let mailbox = self.mailbox().public();
        let withdraw_key = leaver.root.key(&scope.matcher, self.number).verifying_key();
        let envelope =
            Envelope { scope, mailbox: &mailbox, withdraw_key: &withdraw_key, expiry: self.expiry };
        let hello = Hello::new(self.references.clone(), key, envelope, leaver.name);
        let replaces = old.map(|old| {
            let old_key = leaver.root.key(&scope.matcher, old.number);
            destination.replaces(&old_key, old.mailbox().public(), &mailbox)
        });
        Leave {
            tag: key.tag(),
            mailbox,
            withdraw_key,
            min: self.min,
            expiry: self.expiry,
            hello: hello.seal(key, envelope),
            inbox: self.inbox,
            replaces,
        }
    }

    /// Its withdrawal.
    #[must_use]
    pub fn withdraw(&self, destination: &Destination, root: &WithdrawRoot) -> Withdraw {
        destination.withdraw(&root.key(&destination.matcher, self.number), self.mailbox().public())
    }
}

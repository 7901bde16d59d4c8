//! The subject key of one match key at one matcher, and what is derived from it (sections 4.4 and 5).

use crate::crypto::{hkdf, hkdf_salted, hmac_sha256_16};
use crate::field::join;
use crate::id::{Epoch, MemberId, NetworkId, PurposeId, Tag};
use crate::label;
use crate::sealing::ExchangeKey;
use crate::secret::Secret;

/// 32 secret bytes that only those who evaluated the same match key in the same epoch, purpose and matcher hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKey(Secret<32>);

/// Where a subject key belongs: nothing derived from it means anything elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The network.
    pub network: NetworkId,
    /// The key epoch.
    pub epoch: Epoch,
    /// The purpose.
    pub purpose: PurposeId,
    /// The matcher.
    pub matcher: MemberId,
}

impl SubjectKey {
    /// From the OPRF's output (RFC 9497, 64 bytes) in `scope` (section 4.4).
    #[must_use]
    pub fn derive(output: &Secret<64>, scope: &Scope) -> Self {
        let salt = join(&[
            label::SUBJECT_KEY,
            scope.network.as_bytes(),
            &scope.epoch.to_be_bytes(),
            scope.purpose.as_bytes(),
            scope.matcher.as_bytes(),
        ]);
        Self(hkdf_salted(&salt, output.expose(), b""))
    }

    /// From stored bytes.
    #[must_use]
    pub const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes, for sealing to disk.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// The tag: all that is ever shared before there is a match (section 5.1).
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::from_bytes(hmac_sha256_16(self.0.expose(), label::TAG))
    }

    /// The key of the hello left with `mailbox` (section 5.2).
    #[must_use]
    pub(crate) fn hello_key(&self, mailbox: &ExchangeKey) -> Secret<32> {
        hkdf(self.0.expose(), &join(&[label::HELLO, mailbox.as_bytes()]))
    }

    /// What the owners of these two mailboxes share, whichever of them asks (section 10.1).
    #[must_use]
    pub(crate) fn psk(&self, a: &ExchangeKey, b: &ExchangeKey) -> Secret<32> {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        hkdf_salted(label::PSK, self.0.expose(), &join(&[low.as_bytes(), high.as_bytes()]))
    }
}

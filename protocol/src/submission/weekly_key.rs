//! A matcher's weekly key: what submissions are sealed to, signed by the matcher and destroyed after use (section 5.3).

use serde::{Deserialize, Serialize};

use super::Destination;
use crate::label;
use crate::sealing::ExchangeKey;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};

/// The public half with the matcher's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyKey {
    /// Number of the week, see [`crate::time::Day::week`].
    pub week: u32,
    /// The key.
    pub key: ExchangeKey,
    /// By the matcher's signing key.
    pub signature: Signature,
}

impl WeeklyKey {
    /// Signs `key` as this matcher's key of `week`.
    #[must_use]
    pub fn sign(destination: &Destination, week: u32, key: ExchangeKey, signing: &SigningKey) -> Self {
        let signature = signing.sign(label::WEEKLY_KEY, &fields(destination, &week.to_be_bytes(), &key));
        Self { week, key, signature }
    }

    /// Checks the matcher's signature.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, destination: &Destination, matcher_key: &VerifyingKey) -> Result<(), BadSignature> {
        let week = self.week.to_be_bytes();
        matcher_key.verify(label::WEEKLY_KEY, &fields(destination, &week, &self.key), &self.signature)
    }
}

fn fields<'a>(destination: &'a Destination, week: &'a [u8], key: &'a ExchangeKey) -> [&'a [u8]; 4] {
    [destination.network.as_bytes(), destination.matcher.as_bytes(), week, key.as_bytes()]
}

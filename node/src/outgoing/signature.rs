//! Signatures of webhooks after Standard Webhooks 1.0: HMAC-SHA256 under a secret that both sides know.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kring_protocol::time::Timestamp;
use ring::hmac;
use zeroize::Zeroizing;

/// How every secret begins.
const PREFIX: &str = "whsec_";
/// Bytes of a secret that the standard allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// What both sides know.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(<redacted>)")
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// What is expected instead; never the secret.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or("must begin with whsec_")?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| "must be base64 after whsec_")?;
        let bytes = Zeroizing::new(bytes);
        if LENGTHS.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err("must hold 24 to 64 random bytes; make one with: echo whsec_$(openssl rand -base64 32)")
        }
    }

    /// The value of `webhook-signature` for a message.
    #[must_use]
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let head = format!("{id}.{}.", at.secs());
        let tag = hmac::sign(&key, &[head.as_bytes(), body].concat());
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks specification and its reference libraries.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let at = Timestamp::from_secs(1_614_265_330);
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_ne!(secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJej", at, body), signed);
        assert_ne!(secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at.plus_secs(1), body), signed);
    }

    #[test]
    fn only_secrets_of_the_standards_form_are_taken_and_none_is_shown() {
        for wrong in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_AAAA", "whsec_*", "WHSEC_AAAA"]
        {
            assert!(WebhookSecret::parse(wrong).is_err(), "{wrong}");
        }
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(<redacted>)");
    }
}

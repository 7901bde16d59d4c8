//! The second factor: one-time codes by the clock (RFC 6238), as every authenticator app makes them: SHA-1, six digits,
//! a new one every thirty seconds.
//!
//! SHA-1 is what those apps know; HMAC does not need its collision resistance. Not here: that a code counts once
//! ([`super::credential`] stores the last step).

use kring_protocol::secret::Secret;
use kring_protocol::time::Timestamp;
use rand::{CryptoRng, RngCore};
use ring::hmac;
use serde::{Deserialize, Serialize};

/// Seconds that a code is shown.
const STEP_SECS: u64 = 30;
/// Digits of a code.
const DIGITS: usize = 6;
/// How many steps a telephone's clock may be off, each way (RFC 6238 section 5.2 advises one).
const STEPS_OFF: u64 = 1;

/// What an authenticator app and the node share: as long as the hash, as RFC 4226 section 4 advises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TotpSecret(#[serde(with = "kring_protocol::secret::stored")] Secret<20>);

impl TotpSecret {
    pub(super) fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(Secret::random(rng))
    }

    /// As people type it into an app: base32 (RFC 4648), which apps take with or without the blanks.
    pub(super) fn text(&self) -> String {
        let digits = base32(self.0.expose());
        let groups: Vec<_> = digits.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        groups.join(" ")
    }

    /// What the picture holds (the key URI that Google Authenticator began and all apps read).
    pub(super) fn uri(&self, issuer: &str, user: &str) -> String {
        let (issuer, user) = (percent(issuer), percent(user));
        format!("otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}", base32(self.0.expose()))
    }

    /// The step to which `code` belongs, if it does and is later than `last`: an earlier one was used already, or could
    /// have been seen.
    pub(super) fn accept(&self, code: &str, now: Timestamp, last: u64) -> Option<u64> {
        let mut given = [0; DIGITS];
        let digits: Vec<u8> =
            code.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(DIGITS + 1).collect();
        given.copy_from_slice(digits.get(..).filter(|digits| digits.len() == DIGITS)?);
        let given = Secret::new(given);
        let step = now.secs() / STEP_SECS;
        let window = step.saturating_sub(STEPS_OFF)..=step + STEPS_OFF;
        window.filter(|step| *step > last).find(|step| self.digits(*step) == given)
    }

    fn digits(&self, step: u64) -> Secret<DIGITS> {
        let code = truncated(self.0.expose(), step) % 1_000_000;
        let mut digits = [0; DIGITS];
        digits.copy_from_slice(format!("{code:06}").as_bytes());
        Secret::new(digits)
    }

    /// The code of a moment; for tests, which have no telephone.
    #[cfg(test)]
    pub(super) fn code(&self, now: Timestamp) -> String {
        String::from_utf8(self.digits(now.secs() / STEP_SECS).expose().to_vec()).expect("digits")
    }
}

/// RFC 4226 section 5.3.
fn truncated(key: &[u8], counter: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[bytes.len() - 1] & 0xf);
    let four = bytes[offset..].first_chunk().expect("the offset is at most 15 of 20 bytes");
    u32::from_be_bytes(*four) & 0x7fff_ffff
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let five = |chunk: &[u8]| {
        let mut bits = [0; 8];
        bits[3..3 + chunk.len()].copy_from_slice(chunk);
        u64::from_be_bytes(bits)
    };
    let digit = |bits: u64, place: u32| char::from(ALPHABET[(bits >> (35 - 5 * place)) as usize & 31]);
    bytes.chunks_exact(5).flat_map(|chunk| (0..8).map(move |place| digit(five(chunk), place))).collect()
}

fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// RFC 6238 appendix B, SHA-1.
    #[test]
    fn the_vectors_of_the_standard() {
        let key = b"12345678901234567890";
        let vectors = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ];
        for (secs, code) in vectors {
            assert_eq!(truncated(key, secs / STEP_SECS) % 100_000_000, code, "{secs}");
        }
        let secret = TotpSecret(Secret::new(*key));
        assert_eq!(secret.code(Timestamp::from_secs(59)), "287082");
        assert_eq!(secret.text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            secret.uri("Wijkteam Noord", "j.jansen"),
            "otpauth://totp/Wijkteam%20Noord:j.jansen?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Wijkteam%20Noord"
        );
    }

    #[test]
    fn a_code_counts_once_and_only_around_its_time() {
        let secret = TotpSecret::random(&mut StdRng::seed_from_u64(1));
        let at = |step: u64| Timestamp::from_secs(step * STEP_SECS + 7);
        let code = secret.code(at(1_000));
        for (now, accepted) in [(998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)] {
            assert_eq!(secret.accept(&code, at(now), 0).is_some(), accepted, "{now}");
        }
        assert_eq!(secret.accept(&code, at(1_000), 999), Some(1_000));
        assert_eq!(secret.accept(&code, at(1_000), 1_000), None);
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert_eq!(secret.accept(&spaced, at(1_000), 0), Some(1_000));
        for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(secret.accept(wrong, at(1_000), 0), None, "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "TotpSecret(<redacted>)");
    }
}

//! What an ID token must say before somebody is believed to be signed in (OpenID Connect Core 1.0 section 3.1.3.7), and who
//! it says they are.
//!
//! Not here: signatures ([`super::jose`]); what a role may do ([`crate::people::access`]).

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kring_protocol::coordination::card::{Email, Name};
use kring_protocol::time::Timestamp;
use ring::digest;
use serde_json::{Map, Value};

use super::{ProviderError, RoleMap};
use crate::people::Role;
use crate::sign_in::session::same;

/// Seconds that two clocks may differ.
const CLOCKS_DIFFER: u64 = 60;
/// Seconds since a token was made, at most: it was asked for just now.
const MAX_AGE: u64 = 5 * 60;
/// Longest `sub` (OpenID Connect Core section 2).
const MAX_SUBJECT: usize = 255;

/// What is expected of a token.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

impl Expected<'_> {
    /// Checks the claims of a token whose signature was right, and gives its subject.
    pub(super) fn check(&self, claims: &Value) -> Result<String, ProviderError> {
        if text(claims, "iss") != Some(self.issuer) {
            return Err(ProviderError::OtherIssuer("the ID token"));
        }
        self.check_audience(claims)?;
        self.check_times(claims)?;
        let nonce = text(claims, "nonce").unwrap_or_default();
        if !same(nonce, self.nonce) {
            return Err(ProviderError::Token("its nonce is not that of this sign-in"));
        }
        subject(claims)
    }

    fn check_audience(&self, claims: &Value) -> Result<(), ProviderError> {
        let several = match &claims["aud"] {
            Value::String(one) if one == self.client => false,
            Value::Array(all) if all.iter().any(|one| one == self.client) => all.len() > 1,
            _ => return Err(ProviderError::Token("it is for another client")),
        };
        match &claims["azp"] {
            Value::Null if several => {
                Err(ProviderError::Token("it is for several clients and does not say which asked"))
            }
            Value::Null => Ok(()),
            party if party == self.client => Ok(()),
            _ => Err(ProviderError::Token("another client asked for it")),
        }
    }

    fn check_times(&self, claims: &Value) -> Result<(), ProviderError> {
        let moment = |name: &str| claims[name].as_f64().filter(|secs| *secs >= 0.0).map(|secs| secs as u64);
        let (Some(expires), Some(issued)) = (moment("exp"), moment("iat")) else {
            return Err(ProviderError::Token("it does not say when it was made and when it ends"));
        };
        let (now, latest) = (self.now.secs(), self.now.secs().saturating_add(CLOCKS_DIFFER));
        if expires.saturating_add(CLOCKS_DIFFER) <= now {
            return Err(ProviderError::Token("it has expired"));
        }
        if issued > latest || issued.saturating_add(MAX_AGE + CLOCKS_DIFFER) < now {
            return Err(ProviderError::Token("it was not made now; are both clocks right?"));
        }
        let begins = if claims["nbf"].is_null() { Some(0) } else { moment("nbf") };
        if begins.is_none_or(|begins| begins > latest) {
            return Err(ProviderError::Token("it is not valid yet"));
        }
        Ok(())
    }
}

/// Whether an access token is the one that came with the ID token (`at_hash`, OpenID Connect Core section 3.1.3.6).
pub(super) fn check_access_token(
    claims: &Value,
    algorithm: &str,
    access_token: &str,
) -> Result<(), ProviderError> {
    let Some(expected) = claims.get("at_hash") else { return Ok(()) };
    let hash = match algorithm {
        _ if algorithm.ends_with("256") => &digest::SHA256,
        _ if algorithm.ends_with("384") => &digest::SHA384,
        _ => &digest::SHA512,
    };
    let hash = digest::digest(hash, access_token.as_bytes());
    let half = BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2]);
    if expected == &half { Ok(()) } else { Err(ProviderError::Token("it came with another access token")) }
}

fn subject(claims: &Value) -> Result<String, ProviderError> {
    let subject = text(claims, "sub").unwrap_or_default();
    if subject.is_empty()
        || subject.len() > MAX_SUBJECT
        || !subject.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(ProviderError::Token("it does not say who signed in"));
    }
    if is_like_bsn(subject) {
        return Err(ProviderError::NumberAsSubject);
    }
    Ok(subject.to_owned())
}

/// Whether a `sub` could be a citizen service number: the NL GOV profile forbids it, and we would store it.
fn is_like_bsn(subject: &str) -> bool {
    let last = subject.rsplit([':', '/', '|', '=']).next().unwrap_or(subject);
    let digits: Vec<i32> =
        last.bytes().filter_map(|byte| char::from(byte).to_digit(10)).map(|d| d as i32).collect();
    if digits.len() != last.len() || !(8..=9).contains(&digits.len()) {
        return false;
    }
    let weights = (2..=digits.len() as i32).rev().chain([-1]);
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<i32>() % 11 == 0
}

/// Somebody whom the provider signed in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The provider's name for them.
    pub(crate) subject: String,
    /// In the forms of a contact card, where what the provider says can be brought into them.
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// Roles that the partner gave to what the provider says; empty is no access.
    pub(crate) roles: BTreeSet<Role>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl Identity {
    /// From the claims of an ID token, and what the provider's userinfo adds.
    pub(super) fn new(
        subject: String,
        claims: &Value,
        more: &Map<String, Value>,
        roles: &RoleMap,
    ) -> Result<Self, ProviderError> {
        let mut all = claims.clone();
        if let Value::Object(all) = &mut all {
            for (name, value) in more {
                all.entry(name).or_insert_with(|| value.clone());
            }
        }
        let names = ["name", "preferred_username"].into_iter().filter_map(|claim| name(text(&all, claim)?));
        let email = text(&all, "email").and_then(|email| email.parse::<Email>().ok());
        Ok(Self {
            subject,
            name: names.into_iter().next(),
            email: email.map(|email| email.as_str().to_owned()),
            roles: roles.of(&all)?,
        })
    }
}

/// A name as a contact card holds it: signs that have no place in one become blanks.
fn name(text: &str) -> Option<String> {
    let letters = text.chars().map(|c| if c.is_alphabetic() || "-'’.".contains(c) { c } else { ' ' });
    let plain = letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    plain.parse::<Name>().ok().map(|name| name.as_str().to_owned())
}

pub(super) fn text<'a>(claims: &'a Value, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn good() -> Value {
        json!({"iss": "https://a.example", "aud": "kring", "exp": NOW + 300, "iat": NOW, "nonce": "n", "sub": "u-1"})
    }

    fn check(claims: &Value) -> Result<String, ProviderError> {
        let now = Timestamp::from_secs(NOW);
        Expected { issuer: "https://a.example", client: "kring", nonce: "n", now }.check(claims)
    }

    #[test]
    fn a_good_token_names_its_subject() {
        assert_eq!(check(&good()).unwrap(), "u-1");
        for (name, value) in [
            ("aud", json!(["kring"])),
            ("azp", json!("kring")),
            ("nbf", json!(NOW)),
            ("exp", json!(NOW - 59)),
            ("iat", json!(NOW + 60)),
            ("iat", json!(NOW - 300)),
            ("exp", json!(1.8e9 + 0.5)),
        ] {
            let mut claims = good();
            claims[name] = value;
            assert!(check(&claims).is_ok(), "{claims}");
        }
        let mut both = good();
        (both["aud"], both["azp"]) = (json!(["other", "kring"]), json!("kring"));
        assert!(check(&both).is_ok());
    }

    #[test]
    fn every_claim_is_looked_at() {
        let bsn = json!("999990019");
        for (name, value) in [
            ("iss", json!("https://b.example")),
            ("iss", Value::Null),
            ("iss", json!("https://a.example/")),
            ("aud", json!("other")),
            ("aud", json!([])),
            ("aud", json!(["other"])),
            ("aud", json!(["kring", "other"])),
            ("aud", Value::Null),
            ("azp", json!("other")),
            ("azp", json!(7)),
            ("exp", json!(NOW - 60)),
            ("exp", Value::Null),
            ("exp", json!("2099")),
            ("exp", json!(-1)),
            ("iat", json!(NOW + 61)),
            ("iat", json!(NOW - 361)),
            ("iat", Value::Null),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("x")),
            ("nonce", json!("m")),
            ("nonce", Value::Null),
            ("nonce", json!("")),
            ("sub", Value::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!("a b")),
            ("sub", json!("a".repeat(256))),
            ("sub", bsn),
        ] {
            let mut claims = good();
            claims[name] = value;
            assert!(check(&claims).is_err(), "{claims}");
        }
    }

    #[test]
    fn a_number_of_a_citizen_is_no_subject() {
        for bsn in ["999990019", "urn:nl:bsn:999990019"] {
            assert!(is_like_bsn(bsn), "{bsn}");
        }
        for other in [
            "999990018",
            "1234567",
            "u999990019",
            "9999900190",
            "5f1c-aa",
            "b7c1d2e3-0001-4a4a-8888-1234567890ab",
        ] {
            assert!(!is_like_bsn(other), "{other}");
        }
    }

    #[test]
    fn names_take_the_form_of_a_card() {
        assert_eq!(name("J. Jansen (Wijkteam 4)").as_deref(), Some("J. Jansen Wijkteam"));
        assert_eq!(name("<b>Zoë d'Hont-Öz</b>").as_deref(), Some("b Zoë d'Hont-Öz b"));
        assert_eq!(name("007"), None);
    }

    /// OpenID Connect Core 1.0 appendix A.3 (the example of `code id_token token`).
    #[test]
    fn an_access_token_fits_its_id_token() {
        let claims = json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"});
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(check_access_token(&claims, "RS256", token), Ok(()));
        assert!(check_access_token(&claims, "RS256", "another").is_err());
        assert_eq!(check_access_token(&json!({}), "RS256", token), Ok(()));
    }
}

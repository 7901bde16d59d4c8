//! Signed tokens (RFC 7515, 7517, 7518, 8037): whether a text was signed by one of a provider's keys. ring does the checking.
//!
//! Asymmetric signatures only: no `none`, and no HMAC, with which a public key could pass for a secret. The token's header
//! chooses among the provider's keys and decides nothing else. Not here: what the claims mean ([`super::claims`]).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::ProviderError;

/// Longest token that is read.
const MAX_TOKEN: usize = 64 * 1024;
/// Most keys of a set that are looked at.
const MAX_KEYS: usize = 100;

/// How a signature is checked.
enum Check {
    Rsa(&'static signature::RsaParameters),
    /// The curve's name, and the bytes of a coordinate.
    Ec(&'static signature::EcdsaVerificationAlgorithm, &'static str, usize),
    Ed25519,
}

fn check_of(algorithm: &str) -> Option<Check> {
    Some(match algorithm {
        "RS256" => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        "ES256" => Check::Ec(&signature::ECDSA_P256_SHA256_FIXED, "P-256", 32),
        "ES384" => Check::Ec(&signature::ECDSA_P384_SHA384_FIXED, "P-384", 48),
        "EdDSA" | "Ed25519" => Check::Ed25519,
        _ => return None,
    })
}

/// A key of the provider's set. Members that are not there are empty.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

/// The provider's keys.
#[derive(Clone, Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a set (RFC 7517 section 5). Keys of other kinds than ours are passed over, as the RFC says.
    pub(super) fn read(document: &Value) -> Result<Self, ProviderError> {
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(ProviderError::Metadata("the provider's key set has no keys"))?;
        let read = |key: &Value| serde_json::from_value(key.clone()).ok();
        Ok(Self(keys.iter().take(MAX_KEYS).filter_map(read).collect()))
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
    cty: Option<String>,
}

/// A token taken apart; nothing of it is true yet.
pub(super) struct Token<'a> {
    header: Header,
    signed: &'a [u8],
    signature: Vec<u8>,
    claims: Value,
}

/// Why a token's signature counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// No key of that name: the provider may have a new one.
    UnknownKey,
    Wrong,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, ProviderError> {
        let malformed = || ProviderError::Token("it is not a signed token");
        if text.len() > MAX_TOKEN {
            return Err(malformed());
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| malformed())?;
        let plain_type = header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if header.crit.is_some() || header.cty.is_some() || !plain_type || !claims.is_object() {
            return Err(ProviderError::Token("its header asks for what we do not know"));
        }
        Ok(Self { header, signed: signed.as_bytes(), signature: decode(signature)?, claims })
    }

    pub(super) fn algorithm(&self) -> &str {
        &self.header.alg
    }

    /// Checks the signature and gives the claims.
    pub(super) fn verify(&self, keys: &KeySet) -> Result<&Value, Unsigned> {
        let check = check_of(&self.header.alg).ok_or(Unsigned::Wrong)?;
        let named = |key: &&Key| self.header.kid.is_none() || key.kid == self.header.kid;
        let for_this = |key: &&Key| {
            key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
                && key.alg.as_deref().is_none_or(|algorithm| algorithm == self.header.alg)
        };
        let mut candidates = keys.0.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(Unsigned::UnknownKey);
        }
        let signed = candidates.filter(for_this).any(|key| self.is_signed_by(key, &check));
        if signed { Ok(&self.claims) } else { Err(Unsigned::Wrong) }
    }

    fn is_signed_by(&self, key: &Key, check: &Check) -> bool {
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let verified = || match check {
            Check::Rsa(parameters) if key.kty == "RSA" => {
                let components = RsaPublicKeyComponents { n: decode(&key.n)?, e: decode(&key.e)? };
                components.verify(parameters, self.signed, &self.signature).ok()
            }
            Check::Ec(algorithm, curve, len) if key.kty == "EC" && key.crv == *curve => {
                let (x, y) = (decode(&key.x)?, decode(&key.y)?);
                let right = x.len() == *len && y.len() == *len;
                let point = [&[4][..], &x, &y].concat();
                let key = right.then(|| UnparsedPublicKey::new(*algorithm, point))?;
                key.verify(self.signed, &self.signature).ok()
            }
            Check::Ed25519 if key.kty == "OKP" && key.crv == "Ed25519" => {
                let key = UnparsedPublicKey::new(&signature::ED25519, decode(&key.x)?);
                key.verify(self.signed, &self.signature).ok()
            }
            _ => None,
        };
        verified().is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7515 appendix A.2 (RS256) and A.3 (ES256).
    const RS256: (&str, &str) = (
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn rsa() -> Value {
        json!({"kty": "RSA", "n": RS256.1, "e": "AQAB"})
    }

    fn ec() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
               "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn verify(token: &str, keys: &[Value]) -> Result<(), Unsigned> {
        let set = KeySet::read(&json!({ "keys": keys })).unwrap();
        Token::read(token).unwrap().verify(&set).map(|_| ())
    }

    #[test]
    fn the_vectors_of_the_standard() {
        assert_eq!(verify(RS256.0, &[rsa()]), Ok(()));
        assert_eq!(verify(ES256, &[rsa(), ec()]), Ok(()));
        assert_eq!(verify(ES256, &[rsa()]), Err(Unsigned::Wrong));
        assert_eq!(verify(RS256.0, &[]), Err(Unsigned::UnknownKey));
        // RFC 8037 appendix A.4.
        let eddsa = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert!(Token::read(eddsa).is_err(), "its payload is no object");
    }

    #[test]
    fn a_key_for_something_else_does_not_sign() {
        for (name, value) in [("use", "enc"), ("alg", "RS512"), ("kty", "EC")] {
            let mut key = rsa();
            key[name] = json!(value);
            assert_eq!(verify(RS256.0, &[key]), Err(Unsigned::Wrong), "{name}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_a_signature() {
        let claims = RS256.0.split('.').nth(1).unwrap();
        for header in
            [json!({"alg": "none"}), json!({"alg": "HS256"}), json!({"alg": ""}), json!({"alg": "RS256 "})]
        {
            let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
            assert_eq!(verify(&format!("{header}.{claims}."), &[rsa()]), Err(Unsigned::Wrong));
        }
        for header in [
            json!({"alg": "RS256", "crit": ["exp"]}),
            json!({"alg": "RS256", "typ": "at+jwt"}),
            json!({}),
            json!([]),
        ] {
            let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
            assert!(Token::read(&format!("{header}.{claims}.")).is_err(), "{header}");
        }
        for text in ["", ".", "..", "a.b.c", RS256.0.rsplit_once('.').unwrap().0, &"a".repeat(MAX_TOKEN + 1)]
        {
            assert!(Token::read(text).is_err());
        }
        let mut changed = RS256.0.to_owned();
        changed.replace_range(30..31, "X");
        assert_ne!(
            Token::read(&changed).map_err(|_| Unsigned::Wrong).and_then(|token| {
                token.verify(&KeySet::read(&json!({"keys": [rsa()]})).unwrap()).map(|_| ())
            }),
            Ok(())
        );
    }
}

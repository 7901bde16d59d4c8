//! How the node shows the provider that it is the client it says: a secret, or a signed assertion (RFC 7523).
//!
//! Both come from files that only the node's account may read.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use kring_protocol::time::Timestamp;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::sign_in::session::random_word;

/// Seconds that an assertion can be used.
const ASSERTION_TERM: u64 = 60;
/// Longest file, in bytes.
const MAX_FILE: u64 = 16 * 1024;

/// How a secret is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientMethod {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// What the node has.
pub(crate) enum Client {
    Secret(Zeroizing<String>),
    /// `private_key_jwt`.
    Key(Box<Key>),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client(<redacted>)")
    }
}

/// A signing key of the client.
pub(crate) enum Key {
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Who asks, where, and when.
pub(super) struct Request<'a> {
    pub(super) client_id: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) method: ClientMethod,
    pub(super) now: Timestamp,
}

impl Client {
    /// Reads a secret.
    pub(crate) fn secret(file: &Path) -> Result<Self, String> {
        let text = read(file)?;
        let secret = text.trim();
        if secret.is_empty() {
            return Err("is empty".to_owned());
        }
        Ok(Self::Secret(Zeroizing::new(secret.to_owned())))
    }

    /// Reads a private key: PEM, PKCS #8; P-256, RSA of 2048 bits or more, or Ed25519.
    pub(crate) fn key(file: &Path) -> Result<Self, String> {
        let text = read(file)?;
        let wrong = || "is not a PEM file with a PKCS #8 key (P-256, RSA or Ed25519)".to_owned();
        let lines = text.lines().map(str::trim);
        let body: Zeroizing<String> =
            Zeroizing::new(lines.filter(|line| !line.starts_with("-----")).collect());
        if !text.contains("-----BEGIN PRIVATE KEY-----") {
            return Err(wrong());
        }
        let der = Zeroizing::new(BASE64_STANDARD.decode(body.as_bytes()).map_err(|_| wrong())?);
        let p256 = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let ec = EcdsaKeyPair::from_pkcs8(p256, &der, &SystemRandom::new()).map(Key::Es256);
        let key = ec
            .or_else(|_| RsaKeyPair::from_pkcs8(&der).map(Box::new).map(Key::Rs256))
            .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Key::Ed25519));
        key.map(Box::new).map(Self::Key).map_err(|_| wrong())
    }

    /// Adds to the form what shows who asks, and gives the header `Authorization` where that is the way.
    pub(super) fn show(&self, request: &Request<'_>, form: &mut Vec<(&str, String)>) -> Option<String> {
        match (self, request.method) {
            (Self::Secret(secret), ClientMethod::Basic) => {
                let escape = |text: &str| {
                    let pair = Zeroizing::new(serde_urlencoded::to_string([("", text)]).unwrap_or_default());
                    Zeroizing::new(pair[1..].to_owned())
                };
                let pair = Zeroizing::new(format!("{}:{}", *escape(request.client_id), *escape(secret)));
                return Some(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())));
            }
            (Self::Secret(secret), ClientMethod::Post) => {
                form.push(("client_secret", secret.to_string()));
            }
            (Self::Key(key), _) => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", key.assertion(request)));
            }
        }
        form.push(("client_id", request.client_id.to_owned()));
        None
    }

    /// The public key to be registered at the provider (a JWK), if there is one.
    pub(crate) fn public_key(&self) -> Option<Value> {
        match self {
            Self::Secret(_) => None,
            Self::Key(key) => Some(key.public()),
        }
    }
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// Without what only describes it: what its thumbprint is made of (RFC 7638).
    fn bare(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref(); // 4, then x and y
                json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Self::Rs256(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": encode(&n), "e": encode(&e)})
            }
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        }
    }

    fn id(&self) -> String {
        // serde_json writes the members in the order of their names, as the thumbprint wants them.
        BASE64_URL_SAFE_NO_PAD.encode(kring_protocol::crypto::sha256(self.bare().to_string().as_bytes()))
    }

    fn public(&self) -> Value {
        let mut key = self.bare();
        key["kid"] = json!(self.id());
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm());
        key
    }

    fn assertion(&self, request: &Request<'_>) -> String {
        let header = json!({"alg": self.algorithm(), "typ": "JWT", "kid": self.id()});
        let now = request.now.secs();
        let claims = json!({
            "iss": request.client_id, "sub": request.client_id, "aud": request.endpoint,
            "jti": random_word(), "iat": now, "exp": now + ASSERTION_TERM,
        });
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => {
                pair.sign(&random, message).expect("the system gives randomness").as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("the signature has the modulus's length, and the system gives randomness");
                signature
            }
        }
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    let mut open = File::open(file).map_err(|error| error.to_string())?;
    let mode = open.metadata().map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err("can be read by others: set its mode to 0600".to_owned());
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
    (&mut open).take(MAX_FILE).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use ring::signature::UnparsedPublicKey;

    use super::*;
    use crate::testing::TempDir;

    fn written(text: &str, mode: u32) -> (TempDir, std::path::PathBuf) {
        let dir = TempDir::new();
        let file = dir.path().join("file");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, file)
    }

    fn request(method: ClientMethod) -> Request<'static> {
        Request {
            client_id: "kring node",
            endpoint: "https://a.example/token",
            method,
            now: Timestamp::from_secs(1_800_000_000),
        }
    }

    #[test]
    fn a_secret_goes_where_the_provider_reads_it() {
        let (_dir, file) = written("s%c r:t\n", 0o600);
        let client = Client::secret(&file).unwrap();
        let mut form = Vec::new();
        // RFC 6749 section 2.3.1: each part form-encoded, then together in base64.
        let header = client.show(&request(ClientMethod::Basic), &mut form).unwrap();
        assert_eq!(header, format!("Basic {}", BASE64_STANDARD.encode("kring+node:s%25c+r%3At")));
        assert_eq!(form, []);
        assert_eq!(client.show(&request(ClientMethod::Post), &mut form), None);
        assert_eq!(form, [("client_secret", "s%c r:t".to_owned()), ("client_id", "kring node".to_owned())]);
        assert_eq!(format!("{client:?}"), "Client(<redacted>)");
        for (text, mode) in [("s", 0o640), ("s", 0o604), (" \n", 0o600)] {
            assert!(Client::secret(&written(text, mode).1).is_err());
        }
    }

    #[test]
    fn an_assertion_is_signed_by_the_key_that_is_registered() {
        let p256 = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(p256, &SystemRandom::new()).unwrap();
        let body = BASE64_STANDARD.encode(der.as_ref());
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----\n",
            &body[..64],
            &body[64..]
        );
        let (_dir, file) = written(&pem, 0o600);
        let client = Client::key(&file).unwrap();
        let mut form = Vec::new();
        assert_eq!(client.show(&request(ClientMethod::Basic), &mut form), None);
        let (name, assertion) = &form[1];
        assert_eq!(*name, "client_assertion");
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = client.public_key().unwrap();
        let point =
            [vec![4], decode(key["x"].as_str().unwrap()), decode(key["y"].as_str().unwrap())].concat();
        UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decode(signature))
            .unwrap();
        let claims: Value = serde_json::from_slice(&decode(signed.split('.').nth(1).unwrap())).unwrap();
        assert_eq!(claims["aud"], "https://a.example/token");
        assert_eq!(claims["exp"], 1_800_000_060_u64);
        assert!(Client::key(&written("no key", 0o600).1).is_err());
    }
}

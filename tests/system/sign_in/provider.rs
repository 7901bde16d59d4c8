//! An OpenID provider that signs whatever a test tells it to. Without being told it is an honest one: codes count once, and
//! only for the client, the redirect address and the PKCE verifier that they were asked for.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use kring_protocol::crypto::sha256;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{CLIENT, SECRET};

/// With which key it signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Signs {
    #[default]
    Own,
    Foreign,
    /// `alg` none.
    Not,
    /// HS256 with the text of its public key.
    WithThePublicKey,
    /// A key that is in its set, with an algorithm that it does not announce.
    Unannounced,
}

/// What it does otherwise than an honest provider.
pub(super) type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

#[derive(Clone, Default)]
pub(super) struct Lie {
    pub(super) signs: Signs,
    pub(super) metadata: Option<Change>,
    pub(super) header: Option<Change>,
    pub(super) claims: Option<Change>,
    pub(super) tokens: Option<Change>,
    pub(super) userinfo: Option<Change>,
}

struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
}

struct State {
    issuer: String,
    key: EcdsaKeyPair,
    foreign: EcdsaKeyPair,
    other: Ed25519KeyPair,
    now: u64,
    subject: String,
    roles: Value,
    lie: Lie,
    codes: HashMap<String, Asked>,
}

/// The provider; its thread ends with the test.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) issuer: String,
    state: Arc<Mutex<State>>,
}

fn p256() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Provider {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let other = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let state = State {
            issuer: issuer.clone(),
            key: p256(),
            foreign: p256(),
            other: Ed25519KeyPair::from_pkcs8(other.as_ref()).unwrap(),
            now: 0,
            subject: "u-1".to_owned(),
            roles: json!(["zorg"]),
            lie: Lie::default(),
            codes: HashMap::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let provider = Self { issuer, state };
        let serving = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serving.serve(stream);
            }
        });
        provider
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, now: u64, lie: Lie) {
        self.with(|state| (state.now, state.lie) = (now, lie));
    }

    pub(super) fn is(&self, subject: &str, roles: Value) {
        self.with(|state| (state.subject, state.roles) = (subject.to_owned(), roles));
    }

    /// What the person's browser does there: signs in. Gives the query that the browser brings back.
    pub(super) fn authorize(&self, url: &str) -> Vec<(String, String)> {
        let query = url.split_once('?').unwrap().1;
        let asked: HashMap<String, String> = query.split('&').map(pair).collect();
        for (name, value) in
            [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")]
        {
            assert_eq!(asked[name], value);
        }
        let code = format!("code-{:016x}", rand::random::<u64>());
        let take = |name: &str| asked[name].clone();
        let known =
            Asked { nonce: take("nonce"), challenge: take("code_challenge"), redirect: take("redirect_uri") };
        self.with(|state| state.codes.insert(code.clone(), known));
        let answer = [("code", code), ("state", take("state")), ("iss", self.issuer.clone())];
        answer.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut len, mut authorization) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => len = value.trim().parse().unwrap_or(0),
                "authorization" => value.trim().clone_into(&mut authorization),
                _ => {}
            }
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body)?;
        let form: HashMap<String, String> = String::from_utf8_lossy(&body).split('&').map(pair).collect();
        let (status, answer) = self.with(|state| state.answer(&path, &form, &authorization));
        let answer = answer.to_string();
        write!(
            stream,
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        )
    }
}

fn changed(mut value: Value, change: Option<&Change>) -> Value {
    if let Some(change) = change {
        change(&mut value);
    }
    value
}

impl State {
    fn answer(&mut self, path: &str, form: &HashMap<String, String>, authorization: &str) -> (u16, Value) {
        match path {
            "/.well-known/openid-configuration" => {
                (200, changed(self.metadata(), self.lie.metadata.as_ref()))
            }
            "/jwks" => (200, json!({"keys": [self.public(), self.other_public()]})),
            "/token" => self.token(form, authorization),
            "/userinfo" => {
                let known =
                    json!({"sub": self.subject, "name": "Anna Bakker", "email": "a.bakker@example.nl"});
                (200, changed(known, self.lie.userinfo.as_ref()))
            }
            _ => (404, Value::Null),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn public(&self) -> Value {
        let point = self.key.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    fn other_public(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k2", "x": encode(self.other.public_key())})
    }

    fn token(&mut self, form: &HashMap<String, String>, authorization: &str) -> (u16, Value) {
        let refused = |error: &str| (400, json!({ "error": error }));
        if authorization != format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}"))) {
            return (401, json!({"error": "invalid_client"}));
        }
        let take = |name: &str| form.get(name).cloned().unwrap_or_default();
        let Some(asked) = self.codes.remove(&take("code")) else { return refused("invalid_grant") };
        let verified = encode(sha256(take("code_verifier").as_bytes())) == asked.challenge;
        if !verified || take("redirect_uri") != asked.redirect || take("grant_type") != "authorization_code" {
            return refused("invalid_grant");
        }
        let token = self.sign(&asked.nonce);
        let tokens =
            json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": token});
        (200, changed(tokens, self.lie.tokens.as_ref()))
    }

    fn sign(&self, nonce: &str) -> String {
        let (algorithm, kid) = match self.lie.signs {
            Signs::Own | Signs::Foreign => ("ES256", "k1"),
            Signs::Not => ("none", "k1"),
            Signs::WithThePublicKey => ("HS256", "k1"),
            Signs::Unannounced => ("EdDSA", "k2"),
        };
        let header = changed(json!({"alg": algorithm, "kid": kid}), self.lie.header.as_ref());
        let claims = json!({
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": self.now, "exp": self.now + 300,
            "nonce": nonce, "roles": self.roles,
        });
        let claims = changed(claims, self.lie.claims.as_ref());
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let ecdsa =
            |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec();
        let signature = match self.lie.signs {
            Signs::Own => ecdsa(&self.key),
            Signs::Foreign => ecdsa(&self.foreign),
            Signs::Not => Vec::new(),
            Signs::WithThePublicKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.public().to_string().as_bytes());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Signs::Unannounced => self.other.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encode(signature))
    }
}

/// A name and value of a query or form.
pub(super) fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decode(name), decode(value))
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                bytes.extend(hex::decode(digits).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The other way.
pub(super) fn query(pairs: &[(String, String)]) -> String {
    let escape = |text: &str| {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(escape).collect::<String>()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

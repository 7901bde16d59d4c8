//! A real OpenID provider, certified and not of our making (npm `oidc-provider`), signs a professional in: by secret in a header,
//! by secret in the form, and by signed assertion.
//!
//! Needs Node.js and the modules of `tests/identity` in the directory that `TEST_IDENTITY_MODULES` names; says so without.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use kring_tests::place::Place;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::browser::Browser;
use super::{House, SECRET, secret_file};

/// The provider's process; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(modules: &str, port: u16, redirect: &str, method: &str, secret: &str) -> Running {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("identity/provider.mjs");
    let mut command = Command::new("node");
    command.arg(script).args([modules, &port.to_string(), redirect, method, secret]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("Node.js starts");
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    assert!(out.by_ref().map_while(Result::ok).any(|line| line == "ready"), "the provider listens");
    std::thread::spawn(move || out.for_each(drop)); // it talks on, and would end if nobody listened
    running
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A key for assertions: as PEM, and the public half as a JWK.
fn key() -> (String, String) {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    // As the node logs it: named by its thumbprint (RFC 7638), which is made of these members in this order.
    let mut jwk = json!({"crv": "P-256", "kty": "EC", "x": encode(&point[1..33]), "y": encode(&point[33..])});
    jwk["kid"] = json!(encode(&kring_protocol::crypto::sha256(jwk.to_string().as_bytes())));
    let body = BASE64_STANDARD.encode(der.as_ref());
    (format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"), jwk.to_string())
}

#[test]
fn a_real_provider_signs_a_professional_in() {
    let Ok(modules) = std::env::var("TEST_IDENTITY_MODULES") else {
        eprintln!(
            "SKIPPED: no OpenID provider of others' making; see tests/identity and TEST_IDENTITY_MODULES"
        );
        return;
    };
    let place = Place::new();
    let (pem, jwk) = key();
    let (secret, key) = (secret_file(place.path(), "secret", SECRET), secret_file(place.path(), "key", &pem));
    let port = free_port();
    let base = format!(
        "\noidc_issuer = \"http://127.0.0.1:{port}\"\noidc_client_id = \"kring-node\"\n\
         oidc_roles_claim = \"/realm_access/roles\"\noidc_role_map = [\"zorg=professional\"]\n"
    );
    let mut house = House::new(place.path(), "");
    let config = house.node.dir().join("node.toml");
    let plain = std::fs::read_to_string(&config).unwrap();
    let secret = format!("oidc_client_secret_file = \"{}\"\n", secret.display());
    let key = format!("oidc_client_key_file = \"{}\"\n", key.display());
    for (method, line, shared) in
        [("client_secret_basic", &secret, SECRET), ("private_key_jwt", &key, jwk.as_str())]
    {
        house.founded.stop("a");
        std::fs::write(&config, format!("{plain}{base}{line}")).unwrap();
        let redirect = format!("http://{}/sign-in/callback", house.node.config().api_listen);
        let _provider = start(&modules, port, &redirect, method, shared);
        house.start();
        signs_in(&house, &redirect);
    }
    let people = house.node.get("/people");
    assert_eq!(people.as_array().unwrap().len(), 1, "one account for one person: {people}");
    assert_eq!(people[0]["roles"], json!(["professional"]));
    assert_eq!(people[0]["name"], "Anna Bakker");
    assert_eq!(people[0]["email"], "a.bakker@example.nl");
}

fn signs_in(house: &House, redirect: &str) {
    let browser = Browser::at(&house.node);
    let start = browser.get("/sign-in/start");
    assert_eq!(start.status, 303, "{} {}", start.body, house.node.log());
    let issuer = start.location.split("/auth").next().unwrap().to_owned();
    let provider = Browser::to(&issuer);
    let back = provider.follow(&start.location, redirect);
    assert!(back.location.starts_with(redirect), "{back:?}");
    let answer = browser.get(&back.location);
    assert_eq!((answer.status, answer.location.as_str()), (303, "/"), "{} {}", answer.body, house.node.log());
    assert!(browser.is_signed_in());
    // The same answer again, from the same browser's history and from elsewhere.
    assert_ne!(Browser::at(&house.node).get(&back.location).location, "/");
}

//! Wycheproof vectors against the primitives as we use them (`tests/vectors/README.md` says where they come from).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use kring_protocol::crypto::{hkdf_salted, hmac_sha256, open, seal};
use kring_protocol::secret::Secret;
use kring_protocol::sign::{Signature, VerifyingKey};
use serde_json::Value;

/// The vectors of one file, of which there must be `count`.
fn vectors(json: &str, count: usize) -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
    assert_eq!(vectors.len(), count);
    vectors
}

fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    hex::decode(vector[field].as_str().unwrap()).unwrap()
}

fn array<const N: usize>(vector: &Value, field: &str) -> [u8; N] {
    bytes(vector, field).try_into().unwrap()
}

fn is_valid(vector: &Value) -> bool {
    vector["result"] == "valid"
}

struct Length(usize);

impl ring::hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// ring's HKDF at any length; ours is the same at 32 bytes.
fn ring_hkdf(salt: &[u8], ikm: &[u8], info: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut okm = vec![0; size];
    let prk = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, salt).extract(ikm);
    prk.expand(&[info], Length(size)).ok()?.fill(&mut okm).ok()?;
    Some(okm)
}

#[test]
fn hkdf_sha256() {
    for vector in vectors(include_str!("vectors/wycheproof-hkdf-sha256.json"), 86) {
        let (salt, ikm, info) = (bytes(&vector, "salt"), bytes(&vector, "ikm"), bytes(&vector, "info"));
        let size = usize::try_from(vector["size"].as_u64().unwrap()).unwrap();
        let expected = is_valid(&vector).then(|| bytes(&vector, "okm"));
        assert_eq!(ring_hkdf(&salt, &ikm, &info, size), expected, "{}", vector["tcId"]);
        let first = ring_hkdf(&salt, &ikm, &info, 32).unwrap();
        assert_eq!(hkdf_salted(&salt, &ikm, &info).expose().as_slice(), first, "{}", vector["tcId"]);
    }
}

#[test]
fn hmac_sha256_and_its_truncation() {
    for vector in vectors(include_str!("vectors/wycheproof-hmac-sha256.json"), 174) {
        let tag = bytes(&vector, "tag");
        let ours = hmac_sha256(&bytes(&vector, "key"), &bytes(&vector, "msg"));
        assert_eq!(ours[..tag.len()] == tag, is_valid(&vector), "{}", vector["tcId"]);
    }
}

#[test]
fn aes_256_gcm() {
    for vector in vectors(include_str!("vectors/wycheproof-aes-gcm.json"), 66) {
        let (key, nonce) = (Secret::new(array(&vector, "key")), array(&vector, "iv"));
        let (aad, message) = (bytes(&vector, "aad"), bytes(&vector, "msg"));
        let sealed = [bytes(&vector, "ct"), bytes(&vector, "tag")].concat();
        let expected = is_valid(&vector).then(|| message.clone());
        assert_eq!(open(&key, nonce, &aad, &sealed).ok(), expected, "{}", vector["tcId"]);
        assert_eq!(seal(&key, nonce, &aad, &message) == sealed, is_valid(&vector), "{}", vector["tcId"]);
    }
}

#[test]
fn ed25519() {
    for vector in vectors(include_str!("vectors/wycheproof-ed25519.json"), 151) {
        let public = VerifyingKey::from_bytes(array(&vector, "pk")).unwrap();
        let verified = Signature::try_from(bytes(&vector, "sig").as_slice())
            .is_ok_and(|signature| public.verify_bytes(&bytes(&vector, "msg"), &signature).is_ok());
        assert_eq!(verified, is_valid(&vector), "{}", vector["tcId"]);
    }
}

/// "Acceptable" results are those of points that we refuse at intake; the arithmetic must agree all the same.
#[test]
fn x25519() {
    for vector in vectors(include_str!("vectors/wycheproof-x25519.json"), 518) {
        let private = x25519_dalek::StaticSecret::from(array::<32>(&vector, "private"));
        let public = x25519_dalek::PublicKey::from(array::<32>(&vector, "public"));
        let shared = private.diffie_hellman(&public);
        assert_eq!(shared.to_bytes(), array::<32>(&vector, "shared"), "{}", vector["tcId"]);
    }
}

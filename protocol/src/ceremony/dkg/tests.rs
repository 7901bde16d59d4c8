use std::collections::BTreeMap;

use curve25519_dalek::scalar::Scalar;
use frost_ristretto255::keys::dkg::{part2, part3, round1, round2};
use frost_ristretto255::keys::{PublicKeyPackage, SigningShare};
use serde_json::Value;

use super::{encode, identifier, parse, scalar};
use crate::ceremony::fault::Fault;
use crate::ceremony::spec::{KeyId, KeySpec};

/// `frost-ristretto255/tests/helpers/vectors_dkg.json` of ZcashFoundation/frost, commit 0966bd15 (MIT or Apache-2.0).
/// Its `config` names Ed25519, an upstream slip: all values are ristretto255, as this test shows.
fn vectors() -> Value {
    let json = include_str!("../../../tests/vectors/frost_ristretto255_dkg.json");
    serde_json::from_str::<Value>(json).unwrap()["inputs"].clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn scalar_of(value: &Value) -> Scalar {
    Scalar::from_canonical_bytes(bytes(value).try_into().unwrap()).unwrap()
}

/// A commitment as it travels in our messages.
fn body(holder: &Value) -> Vec<u8> {
    let elements = holder["vss_commitments"].as_array().unwrap().iter().flat_map(bytes);
    elements.chain(bytes(&holder["proof_of_knowledge"])).collect()
}

fn spec() -> KeySpec {
    let key = KeyId { purpose: "p".parse().unwrap(), matcher: "m".parse().unwrap() };
    KeySpec::new(key, ["1", "2", "3"].map(|id| id.parse().unwrap()).to_vec()).unwrap()
}

#[test]
fn frost_dkg_vectors() {
    let inputs = vectors();
    for me in 1..=3_u16 {
        let holder = &inputs[me.to_string()];
        let packages = |of: &dyn Fn(u16) -> round1::Package| -> BTreeMap<_, _> {
            (1..=3).filter(|other| *other != me).map(|other| (identifier(other), of(other))).collect()
        };
        let round1 = packages(&|other| parse(&spec(), &body(&inputs[other.to_string()])).unwrap());
        let own = parse(&spec(), &body(holder)).unwrap();
        assert_eq!(encode(&own), body(holder));

        let coefficients = vec![scalar_of(&holder["signing_key"]), scalar_of(&holder["coefficient"])];
        let polynomial =
            round1::SecretPackage::new(identifier(me), coefficients, own.commitment().clone(), 2, 3);
        let (secret, sent) = part2(polynomial, &round1).unwrap();
        for other in (1..=3).filter(|other| *other != me) {
            let share = scalar(sent[&identifier(other)].signing_share());
            // The vectors list a holder's received shares by sender.
            assert_eq!(
                share.expose().to_vec(),
                bytes(&inputs[other.to_string()]["signing_shares"][me.to_string()])
            );
        }
        let shares = holder["signing_shares"].as_object().unwrap();
        let round2 = shares.iter().map(|(sender, share)| {
            let share = SigningShare::deserialize(&bytes(share)).unwrap();
            (identifier(sender.parse().unwrap()), round2::Package::new(share))
        });
        let (key, public) = part3(&secret, &round1, &round2.collect()).unwrap();
        assert_eq!(scalar(key.signing_share()).expose().to_vec(), bytes(&holder["signing_share"]));
        assert_eq!(key.verifying_share().serialize().unwrap(), bytes(&holder["verifying_share"]));
        assert_eq!(public.verifying_key().serialize().unwrap(), bytes(&inputs["verifying_key"]));
    }
}

/// The way in which we make records: from all commitments, without any secret.
#[test]
fn the_public_key_follows_from_the_commitments() {
    let inputs = vectors();
    let packages: Vec<_> =
        (1..=3_u16).map(|n| parse(&spec(), &body(&inputs[n.to_string()])).unwrap()).collect();
    let commitments = (1..=3).map(identifier).zip(packages.iter().map(round1::Package::commitment));
    let public = PublicKeyPackage::from_dkg_commitments(&commitments.collect()).unwrap();
    assert_eq!(public.verifying_key().serialize().unwrap(), bytes(&inputs["verifying_key"]));
    for (n, share) in (1..).zip(public.verifying_shares().values()) {
        assert_eq!(share.serialize().unwrap(), bytes(&inputs[format!("{n}")]["verifying_share"]));
    }
}

#[test]
fn other_forms_of_a_commitment_are_refused() {
    let good = body(&vectors()["1"]);
    let element = &good[..32];
    let longer = [element, good.as_slice()].concat();
    let identity_first = [&[0; 32], &good[32..]].concat();
    let no_scalar = [&good[..good.len() - 32], &[0xff; 32]].concat();
    let cases = [
        (good[32..].to_vec(), Fault::CommitmentLength),
        (longer, Fault::CommitmentLength),
        (good[1..].to_vec(), Fault::CommitmentLength),
        (Vec::new(), Fault::CommitmentLength),
        (identity_first, Fault::CommitmentForm),
        (no_scalar, Fault::CommitmentForm),
    ];
    for (body, fault) in cases {
        assert_eq!(parse(&spec(), &body).map(|_| ()), Err(fault));
    }
    assert!(parse(&spec(), &good).is_ok());
}

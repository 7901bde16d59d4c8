//! RFC 9497's own vectors: with the whole key, and with the key split over five holders of whom any three answer.

#![allow(clippy::unwrap_used, reason = "tests")]

use curve25519_dalek::scalar::Scalar;
use kring_protocol::oprf::{
    Blinded, Elements, Evaluation, KeyShare, OUTPUT_LEN, Proof, blind, evaluate, finalise, verify,
};
use kring_protocol::secret::Secret;
use rand_core::{CryptoRng, RngCore};
use serde_json::Value;

/// Yields the given scalars: a scalar is drawn as 64 bytes and reduced.
struct Scalars(Vec<Vec<u8>>);

impl RngCore for Scalars {
    fn next_u32(&mut self) -> u32 {
        unreachable!("scalars are drawn with fill_bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("scalars are drawn with fill_bytes")
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        assert_eq!(dest.len(), 64);
        dest.fill(0);
        dest[..32].copy_from_slice(&self.0.remove(0));
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Scalars {}

struct Vector {
    key: Scalar,
    public: Vec<u8>,
    inputs: Vec<Vec<u8>>,
    blinds: Vec<Vec<u8>>,
    blinded: Vec<u8>,
    evaluated: Vec<u8>,
    nonce: Vec<u8>,
    proof: Vec<u8>,
    outputs: Vec<Vec<u8>>,
}

fn list(value: &Value) -> Vec<Vec<u8>> {
    value.as_str().unwrap().split(',').map(|part| hex::decode(part).unwrap()).collect()
}

fn vectors() -> Vec<Vector> {
    let file: Value = serde_json::from_str(include_str!("vectors/rfc9497-ristretto255-voprf.json")).unwrap();
    let secret: [u8; 32] = list(&file["skSm"]).remove(0).try_into().unwrap();
    let vector = |vector: &Value| Vector {
        key: Scalar::from_canonical_bytes(secret).unwrap(),
        public: list(&file["pkSm"]).concat(),
        inputs: list(&vector["Input"]),
        blinds: list(&vector["Blind"]),
        blinded: list(&vector["BlindedElement"]).concat(),
        evaluated: list(&vector["EvaluationElement"]).concat(),
        nonce: list(&vector["Proof"]["r"]).concat(),
        proof: list(&vector["Proof"]["proof"]).concat(),
        outputs: list(&vector["Output"]),
    };
    file["vectors"].as_array().unwrap().iter().map(vector).collect()
}

fn share(scalar: Scalar) -> KeyShare {
    KeyShare::from_bytes(&Secret::new(scalar.to_bytes())).unwrap()
}

fn blind_as(vector: &Vector) -> (Blinded, Elements) {
    blind(&vector.inputs, &mut Scalars(vector.blinds.clone())).unwrap()
}

fn bytes(outputs: &[Secret<OUTPUT_LEN>]) -> Vec<Vec<u8>> {
    outputs.iter().map(|output| output.expose().to_vec()).collect()
}

#[test]
fn the_whole_key_gives_the_vectors_bytes() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 3);
    for vector in &vectors {
        let (blinded, elements) = blind_as(vector);
        assert_eq!(elements.as_bytes(), vector.blinded);
        let share = share(vector.key);
        assert_eq!(share.public().as_bytes().as_slice(), vector.public);

        let evaluation = evaluate(&share, &elements, &mut Scalars(vec![vector.nonce.clone()]));
        assert_eq!(evaluation.elements.as_bytes(), vector.evaluated);
        assert_eq!(evaluation.proof.to_bytes().as_slice(), vector.proof);
        assert_eq!(verify(share.public(), &elements, &evaluation), Ok(()));
        assert_eq!(bytes(&finalise(&blinded, &[(1, &evaluation)]).unwrap()), vector.outputs);

        let parsed = Proof::from_bytes(vector.proof.clone().try_into().unwrap()).unwrap();
        let parsed = Evaluation { elements: Elements::from_bytes(&vector.evaluated).unwrap(), proof: parsed };
        assert_eq!(verify(share.public(), &Elements::from_bytes(&vector.blinded).unwrap(), &parsed), Ok(()));
    }
}

/// Shamir's sharing, threshold three: the key at zero, share `i` at `i`.
fn split(key: Scalar) -> Vec<KeyShare> {
    let (a, b) = (Scalar::from(0x1234_5678_9abc_u64).invert(), Scalar::from(77_u64).invert());
    (1..=5_u64).map(Scalar::from).map(|x| share(key + a * x + b * x * x)).collect()
}

fn partials<'a>(evaluations: &'a [Evaluation], members: &[usize]) -> Vec<(u16, &'a Evaluation)> {
    members.iter().map(|&member| (u16::try_from(member).unwrap() + 1, &evaluations[member])).collect()
}

#[test]
fn any_three_of_five_give_the_vectors_output_and_fewer_do_not() {
    for vector in &vectors() {
        let (blinded, elements) = blind_as(vector);
        let shares = split(vector.key);
        let evaluations: Vec<_> = shares
            .iter()
            .map(|share| {
                let evaluation = evaluate(share, &elements, &mut Scalars(vec![vector.nonce.clone()]));
                assert_eq!(verify(share.public(), &elements, &evaluation), Ok(()));
                evaluation
            })
            .collect();

        let mut subsets = 0;
        for set in 0_u32..32 {
            let members: Vec<usize> = (0..5).filter(|bit| set >> bit & 1 == 1).collect();
            let Ok(output) = finalise(&blinded, &partials(&evaluations, &members)) else {
                assert_eq!(set, 0);
                continue;
            };
            assert_eq!(bytes(&output) == vector.outputs, members.len() >= 3, "{members:?}");
            subsets += u32::from(members.len() == 3);
        }
        assert_eq!(subsets, 10);
        let backwards = finalise(&blinded, &partials(&evaluations, &[4, 2, 0])).unwrap();
        assert_eq!(bytes(&backwards), vector.outputs, "the order of holders does not matter");
    }
}

#[test]
fn a_partial_under_another_holders_index_gives_other_output() {
    let vector = &vectors()[0];
    let (blinded, elements) = blind_as(vector);
    let evaluate = |share| evaluate(share, &elements, &mut Scalars(vec![vector.nonce.clone()]));
    let evaluations: Vec<_> = split(vector.key).iter().map(evaluate).collect();
    let wrong = [(1, &evaluations[0]), (2, &evaluations[1]), (4, &evaluations[2])];
    assert_ne!(bytes(&finalise(&blinded, &wrong).unwrap()), vector.outputs);
}

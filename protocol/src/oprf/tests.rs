use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use voprf::{BlindedElement, EvaluationElement, Ristretto255, VoprfClient, VoprfServer};

use super::*;
use crate::secret::Secret;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn share(seed: u64) -> KeyShare {
    KeyShare::from_bytes(&Secret::new(random_scalar(&mut rng(seed)).to_bytes())).unwrap()
}

fn inputs(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("input {number}").into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Our asker against the voprf crate's server: same blinded elements, same proof, same output.
    #[test]
    fn the_same_bytes_as_the_voprf_crate(
        inputs in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..9),
        seed: u64,
    ) {
        let share = share(seed);
        let (blinded, elements) = blind(&inputs, &mut rng(seed ^ 1)).unwrap();
        let ours = evaluate(&share, &elements, &mut rng(seed ^ 2));
        verify(share.public(), &elements, &ours).unwrap();
        let output = finalise(&blinded, &[(1, &ours)]).unwrap();

        let mut their_rng = rng(seed ^ 1);
        let (clients, messages): (Vec<_>, Vec<_>) = inputs
            .iter()
            .map(|input| {
                let blinded = VoprfClient::<Ristretto255>::blind(input, &mut their_rng).unwrap();
                (blinded.state, blinded.message)
            })
            .unzip();
        let their_elements: Vec<u8> = messages.iter().flat_map(|message| message.serialize()).collect();
        prop_assert_eq!(elements.as_bytes(), &their_elements);

        let server = VoprfServer::<Ristretto255>::new_with_key(share.to_bytes().expose()).unwrap();
        let theirs = server.batch_blind_evaluate(&mut rng(seed ^ 2), &messages).unwrap();
        let their_messages: Vec<u8> = theirs.messages.iter().flat_map(EvaluationElement::serialize).collect();
        prop_assert_eq!(ours.elements.as_bytes(), &their_messages);
        prop_assert_eq!(ours.proof.to_bytes().to_vec(), theirs.proof.serialize().to_vec());

        let their_input: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let outputs = VoprfClient::batch_finalize(
            &their_input, &clients, &theirs.messages, &theirs.proof, server.get_public_key(),
        ).unwrap();
        for (ours, theirs) in output.iter().zip(outputs) {
            prop_assert_eq!(ours.expose().to_vec(), theirs.unwrap().to_vec());
        }
    }

    /// The crate's client accepts our holder's answer, and our verifier the crate's.
    #[test]
    fn each_side_accepts_the_other(count in 1_usize..6, seed: u64) {
        let share = share(seed);
        let (_, elements) = blind(&inputs(count), &mut rng(seed)).unwrap();
        let messages: Vec<_> = elements
            .encodings()
            .iter()
            .map(|bytes| BlindedElement::<Ristretto255>::deserialize(bytes).unwrap())
            .collect();
        let server = VoprfServer::<Ristretto255>::new_with_key(share.to_bytes().expose()).unwrap();
        let theirs = server.batch_blind_evaluate(&mut rng(!seed), &messages).unwrap();
        let elements_back: Vec<u8> = theirs.messages.iter().flat_map(EvaluationElement::serialize).collect();
        let evaluation = Evaluation {
            elements: Elements::from_bytes(&elements_back).unwrap(),
            proof: Proof::from_bytes(theirs.proof.serialize().as_slice().try_into().unwrap()).unwrap(),
        };
        prop_assert_eq!(verify(share.public(), &elements, &evaluation), Ok(()));
    }
}

#[test]
fn a_full_batch_verifies() {
    let share = share(1);
    let (blinded, elements) = blind(&inputs(MAX_BATCH), &mut rng(2)).unwrap();
    assert_eq!(Elements::from_bytes(elements.as_bytes()).unwrap().points(), elements.points());
    let evaluation = evaluate(&share, &elements, &mut rng(3));
    assert_eq!(verify(share.public(), &elements, &evaluation), Ok(()));
    assert_eq!(finalise(&blinded, &[(1, &evaluation)]).unwrap().len(), MAX_BATCH);
}

#[test]
fn wrong_evaluations_are_detected() {
    let (own, other) = (share(1), share(2));
    let (_, elements) = blind(&inputs(3), &mut rng(1)).unwrap();
    let good = evaluate(&own, &elements, &mut rng(2));
    assert_eq!(verify(own.public(), &elements, &good), Ok(()));

    assert_eq!(verify(other.public(), &elements, &good), Err(WrongProof), "another holder's share");
    let (_, others) = blind(&inputs(3), &mut rng(9)).unwrap();
    assert_eq!(verify(own.public(), &others, &good), Err(WrongProof), "other blinded elements");

    let mut swapped = good.elements.to_bytes();
    swapped[..64].rotate_left(32);
    let swapped = Evaluation { elements: Elements::from_bytes(&swapped).unwrap(), ..good.clone() };
    assert_eq!(verify(own.public(), &elements, &swapped), Err(WrongProof), "one result in another's place");

    let short = Evaluation {
        elements: Elements::from_bytes(&good.elements.as_bytes()[..64]).unwrap(),
        ..good.clone()
    };
    assert_eq!(verify(own.public(), &elements, &short), Err(WrongProof), "fewer results than elements");

    for place in [0, 32] {
        let mut proof = good.proof.to_bytes();
        proof[place] ^= 1;
        let altered = Evaluation { proof: Proof::from_bytes(proof).unwrap(), ..good.clone() };
        assert_eq!(verify(own.public(), &elements, &altered), Err(WrongProof), "altered proof byte {place}");
    }
}

#[test]
fn unusable_encodings_are_refused() {
    let (_, good) = blind(&inputs(2), &mut rng(1)).unwrap();
    let with = |second: [u8; 32]| Elements::from_bytes(&[&good.as_bytes()[..32], &second].concat());
    let identity = BadElements::Element { index: 1, defect: BadPoint::Identity };
    let not_canonical = BadElements::Element { index: 1, defect: BadPoint::NotCanonical };
    assert_eq!(with([0; 32]), Err(identity));
    assert_eq!(with([0xff; 32]), Err(not_canonical), "field element above p");
    let mut negative = [0; 32];
    negative[0] = 1;
    assert_eq!(with(negative), Err(not_canonical), "negative field element (RFC 9496 appendix A.3)");
    assert_eq!(Elements::from_bytes(&[]), Err(BadElements::Length(0)));
    assert_eq!(Elements::from_bytes(&good.as_bytes()[..63]), Err(BadElements::Length(63)));
    let many = good.as_bytes()[..32].repeat(MAX_BATCH + 1);
    assert_eq!(Elements::from_bytes(&many), Err(BadElements::Length(many.len())));

    assert_eq!(PublicShare::from_bytes([0; 32]), Err(BadPoint::Identity));
    assert_eq!(PublicKey::from_bytes([0xff; 32]), Err(BadPoint::NotCanonical));
    assert_eq!(Proof::from_bytes([0xff; 64]), Err(NotAProof));
    assert!(KeyShare::from_bytes(&Secret::new([0; 32])).is_err());
    assert!(KeyShare::from_bytes(&Secret::new([0xff; 32])).is_err());
}

#[test]
fn unusable_inputs_are_refused() {
    let mut rng = rng(1);
    assert_eq!(blind(&[], &mut rng).unwrap_err(), BlindError::Count(0));
    assert_eq!(blind(&inputs(MAX_BATCH + 1), &mut rng).unwrap_err(), BlindError::Count(MAX_BATCH + 1));
    assert_eq!(blind(&[vec![1], vec![]], &mut rng).unwrap_err(), BlindError::Length(1));
    assert_eq!(blind(&[vec![0; 65_536]], &mut rng).unwrap_err(), BlindError::Length(0));
}

#[test]
fn partials_that_do_not_belong_together_are_refused() {
    let (blinded, elements) = blind(&inputs(2), &mut rng(1)).unwrap();
    let (_, fewer) = blind(&inputs(1), &mut rng(1)).unwrap();
    let good = evaluate(&share(1), &elements, &mut rng(2));
    let short = evaluate(&share(1), &fewer, &mut rng(2));
    assert_eq!(finalise(&blinded, &[]), Err(CombineError::Indices));
    assert_eq!(finalise(&blinded, &[(0, &good)]), Err(CombineError::Indices));
    assert_eq!(finalise(&blinded, &[(MAX_HOLDERS + 1, &good)]), Err(CombineError::Indices));
    assert_eq!(finalise(&blinded, &[(2, &good), (2, &good)]), Err(CombineError::Indices));
    assert_eq!(finalise(&blinded, &[(1, &good), (2, &short)]), Err(CombineError::Count));
}

#[test]
fn nonces_depend_on_share_randomness_and_header() {
    let first =
        |share: &KeyShare, os: u8, header: u8| hedged_nonce_rng(share, &[os; 32], &[header; 32]).next_u64();
    let (one, two) = (share(1), share(2));
    let all = [first(&one, 1, 1), first(&two, 1, 1), first(&one, 2, 1), first(&one, 1, 2)];
    assert!(all.iter().enumerate().all(|(place, value)| !all[..place].contains(value)));
    assert_eq!(first(&one, 1, 1), first(&one, 1, 1));
}

#[test]
fn secrets_do_not_show() {
    let (blinded, _) = blind(&inputs(1), &mut rng(1)).unwrap();
    let share = share(1);
    let shown = format!("{blinded:?} {share:?}");
    assert!(shown.contains("<redacted>"));
    assert!(!shown.contains(&hex::encode(share.to_bytes().expose())[..8]));
}

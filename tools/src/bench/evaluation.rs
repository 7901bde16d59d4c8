//! Evaluations and tags, on one core.

use kring_protocol::id::{Epoch, NetworkId};
use kring_protocol::oprf::{self, Evaluation, KeyShare, MAX_BATCH};
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::{Scope, SubjectKey};
use rand::RngCore;
use rand::rngs::OsRng;

use super::{Measure, Target, seconds};

/// Holders whose partial evaluations are combined.
const HOLDERS: usize = 3;
/// Matchers at which every match key is evaluated.
const MATCHERS: usize = 4;

pub(super) fn measure() -> Vec<Measure> {
    let batch = MAX_BATCH as f64;
    let inputs = inputs();
    let shares: Vec<_> = (0..HOLDERS).map(|_| share()).collect();
    let (_, elements) = oprf::blind(&inputs, &mut OsRng).expect("a full batch of short inputs");
    let holder = seconds(|| {
        let mut nonces = oprf::hedged_nonce_rng(&shares[0], &[0; 32], &[0; 32]);
        std::hint::black_box(oprf::evaluate(&shares[0], &elements, &mut nonces));
    });
    let asker = asker_seconds(&inputs, &shares);
    let key = SubjectKey::from_secret(Secret::random(&mut OsRng));
    let tag = seconds(|| {
        for _ in 0..MAX_BATCH {
            std::hint::black_box(key.tag());
        }
    });
    vec![
        Measure::new("holder: evaluations per core", batch / holder, "/s").target(Target::AtLeast(25_000.0)),
        Measure::new("asker: match keys per core", batch / asker, "/s").target(Target::AtLeast(2_500.0)),
        Measure::new("tags per core", batch / tag, "/s"),
    ]
}

/// Seconds for a batch from match keys to subject keys at all matchers, every proof checked.
fn asker_seconds(inputs: &[Vec<u8>], shares: &[KeyShare]) -> f64 {
    // What holders would answer differs from batch to batch only in its values, so one set serves all runs.
    let (blinded, elements) = oprf::blind(inputs, &mut OsRng).expect("a full batch of short inputs");
    let answers: Vec<Evaluation> = shares
        .iter()
        .map(|share| oprf::evaluate(share, &elements, &mut oprf::hedged_nonce_rng(share, &[0; 32], &[0; 32])))
        .collect();
    let partials: Vec<_> = (1..).zip(&answers).collect();
    let scope = Scope {
        network: NetworkId::from_bytes([1; 32]),
        epoch: Epoch(1),
        purpose: "jeugd".parse().expect("a slug"),
        matcher: "m".parse().expect("a slug"),
    };
    seconds(|| {
        std::hint::black_box(oprf::blind(inputs, &mut OsRng).expect("a full batch of short inputs"));
        for _ in 0..MATCHERS {
            for (share, answer) in shares.iter().zip(&answers) {
                oprf::verify(share.public(), &elements, answer).expect("the proof is right");
            }
            let outputs = oprf::finalise(&blinded, &partials).expect("the partials fit the batch");
            for output in &outputs {
                std::hint::black_box(SubjectKey::derive(output, &scope));
            }
        }
    })
}

fn inputs() -> Vec<Vec<u8>> {
    (0..MAX_BATCH)
        .map(|_| {
            let mut input = vec![0; 120];
            OsRng.fill_bytes(&mut input);
            input
        })
        .collect()
}

/// A share of no key in particular: combining costs the same whether or not the shares belong together.
fn share() -> KeyShare {
    let mut bytes = *Secret::<32>::random(&mut OsRng).expose();
    bytes[31] &= 0x0f; // below the group's order
    KeyShare::from_bytes(&Secret::new(bytes))
        .expect("a scalar below the order, and not zero but once in 2^252")
}

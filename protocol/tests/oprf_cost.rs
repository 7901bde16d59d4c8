//! What the OPRF costs, for `docs/` and for comparing changes; measures, proves nothing.
//!
//! `cargo test --release -p kring-protocol --test oprf_cost -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Instant;

use curve25519_dalek::scalar::Scalar;
use kring_protocol::oprf::{Elements, KeyShare, blind, evaluate, finalise, verify};
use kring_protocol::secret::Secret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Median microseconds per input over `runs`.
fn per_input<T>(count: usize, runs: usize, mut work: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

#[test]
#[ignore = "measures"]
fn cost() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let [key, a, b] = std::array::from_fn(|_| Scalar::random(&mut rng));
    let share = |x: u64| key + a * Scalar::from(x) + b * Scalar::from(x * x);
    let shares = [1, 3, 4].map(|x| KeyShare::from_bytes(&Secret::new(share(x).to_bytes())).unwrap());
    for (count, runs) in [(8, 301), (256, 41)] {
        let inputs: Vec<Vec<u8>> = (0..count).map(|number| format!("{number:0100}").into_bytes()).collect();
        let (blinded, elements) = blind(&inputs, &mut rng).unwrap();
        let all: Vec<_> = shares.iter().map(|share| evaluate(share, &elements, &mut rng)).collect();
        let partials = [(1, &all[0]), (3, &all[1]), (4, &all[2])];
        let blinding = per_input(count, runs, || blind(&inputs, &mut rng));
        let parsing = per_input(count, runs, || Elements::from_bytes(elements.as_bytes()));
        let evaluating = per_input(count, runs, || evaluate(&shares[0], &elements, &mut rng));
        let verifying = per_input(count, runs, || verify(shares[0].public(), &elements, &all[0]));
        let finalising = per_input(count, runs, || finalise(&blinded, &partials));
        let holder = parsing + 4.0 * evaluating;
        let asker = blinding + 12.0 * (parsing + verifying) + 4.0 * finalising;
        println!("batch {count}, microseconds per input:");
        println!(
            "  asker blinds {blinding:.1}, parses {parsing:.1}, verifies {verifying:.1} per key and holder"
        );
        println!("  asker combines, unblinds and finalises {finalising:.1} per key");
        println!("  holder parses {parsing:.1}, evaluates and proves {evaluating:.1} per key");
        println!("  4 keys of 3 answers: one holder {holder:.0}, asker whole {asker:.0}");
    }
}

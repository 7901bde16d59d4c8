//! A second, independent implementation agrees: `ristretto255_oprf` of npm's @noble/curves 2.4.0.
//!
//! Runs when `TEST_NOBLE_MODULES` names a `node_modules` directory with that package; says so when it does not.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::process::{Command, Stdio};

use curve25519_dalek::scalar::Scalar;
use kring_protocol::oprf::{Evaluation, KeyShare, blind, evaluate, finalise};
use kring_protocol::secret::Secret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

fn elements(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(32).map(hex::encode).collect()
}

/// A key in shares (3 of 5), eight inputs; the lines to check and what must come back.
fn lines() -> Vec<(Value, bool)> {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let [key, a, b] = std::array::from_fn(|_| Scalar::random(&mut rng));
    let shares: Vec<KeyShare> = (1..=5_u64)
        .map(Scalar::from)
        .map(|x| KeyShare::from_bytes(&Secret::new((key + a * x + b * x * x).to_bytes())).unwrap())
        .collect();
    let inputs: Vec<Vec<u8>> = (0..8_u8).map(|number| vec![number; usize::from(number) * 20 + 1]).collect();
    let (blinded, asked) = blind(&inputs, &mut rng).unwrap();
    let evaluations: Vec<Evaluation> = shares.iter().map(|share| evaluate(share, &asked, &mut rng)).collect();
    let chosen = [(5, &evaluations[4]), (1, &evaluations[0]), (4, &evaluations[3])];
    let outputs = finalise(&blinded, &chosen).unwrap();

    let inputs: Vec<String> = inputs.iter().map(hex::encode).collect();
    let outputs: Vec<String> = outputs.iter().map(|output| hex::encode(output.expose())).collect();
    let mut lines = vec![
        (json!({"key": hex::encode(key.as_bytes()), "inputs": inputs, "outputs": outputs}), true),
        (json!({"key": hex::encode(a.as_bytes()), "inputs": inputs, "outputs": outputs}), false),
    ];
    for (place, evaluation) in evaluations.iter().enumerate() {
        let line = |share: &KeyShare| {
            json!({
                "public": hex::encode(share.public().as_bytes()),
                "blinded": elements(asked.as_bytes()),
                "evaluated": elements(evaluation.elements.as_bytes()),
                "proof": hex::encode(evaluation.proof.to_bytes()),
            })
        };
        lines.push((line(&shares[place]), true));
        lines.push((line(&shares[(place + 1) % 5]), false));
    }
    lines
}

#[test]
fn noble_agrees() {
    let Some(modules) = std::env::var_os("TEST_NOBLE_MODULES") else {
        eprintln!(
            "SKIPPED: TEST_NOBLE_MODULES does not name a node_modules directory with @noble/curves 2.4.0"
        );
        return;
    };
    let lines = lines();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/noble/check.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .arg(modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed when TEST_NOBLE_MODULES is set");
    let text: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    node.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let found = String::from_utf8(output.stdout).unwrap();
    let expected: String = lines.iter().map(|(_, expected)| format!("{expected}\n")).collect();
    assert_eq!(found, expected);
}

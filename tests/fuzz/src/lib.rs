//! What the fuzz targets share: their seeds, and people and clocks that stay the same.
//!
//! Not here: how targets are built and run (`run`), and what each looks for, which its own file says.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

pub mod keys;
pub mod network;

use kring_protocol::id::MemberId;
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::time::Day;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

/// The directory into which a target writes its seeds, instead of running.
pub const SEEDS: &str = "TEST_FUZZ_SEEDS";

/// For a target's `init`: with [`SEEDS`] set, writes the inputs to start from and stops.
pub fn seeds(inputs: impl FnOnce() -> Vec<Vec<u8>>) {
    if let Some(dir) = std::env::var_os(SEEDS) {
        for (number, input) in inputs().into_iter().enumerate() {
            std::fs::write(std::path::Path::new(&dir).join(format!("seed-{number}")), input).unwrap();
        }
        std::process::exit(0);
    }
}

/// Seeds for a list of operations: what bytes at random make of it, so that a run does not begin with short lists.
#[must_use]
pub fn operations() -> Vec<Vec<u8>> {
    let draw = |number: u16| {
        let mut bytes = vec![0; 20 + 8 * usize::from(number)];
        rng(number.into()).fill_bytes(&mut bytes);
        bytes
    };
    (0..100).map(draw).collect()
}

/// The values of a golden file's lines, by their names.
pub fn golden(file: &str) -> impl Iterator<Item = (&str, Vec<u8>)> {
    file.lines().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name, hex::decode(value).unwrap())
    })
}

/// An input that is read as one of several things, by its first byte.
#[must_use]
pub fn chosen(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

/// An original with a few bytes changed: two bytes say where and one how, for each change. So a target looks close around
/// what is valid, where bytes at random hardly come.
#[must_use]
pub fn changed(original: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for change in changes.as_chunks::<3>().0.iter().take(4) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[place] ^= change[2];
    }
    bytes
}

/// 2026-08-21.
pub const TODAY: Day = Day::from_days(20_686);

/// A member's id.
#[must_use]
pub fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

/// A signing key for every number.
#[must_use]
pub fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new([seed; 32]))
}

/// A mailbox for every number, whose private half nobody has.
#[must_use]
pub fn mailbox(number: u16) -> ExchangeKey {
    let mut bytes = [9; 32];
    // In another order than by number, as random ones are.
    bytes[..2].copy_from_slice(&number.reverse_bits().to_be_bytes());
    ExchangeKey::from_bytes(bytes).unwrap()
}

/// Randomness that is the same every time.
#[must_use]
pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

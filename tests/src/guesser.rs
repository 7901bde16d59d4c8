//! What can be learned from bytes alone: whoever is told of half of them what they are guesses the rest.
//!
//! Guesses by the few bits that differ most between the kinds it was told (naive Bayes over those). That finds a length, a
//! kind, a counter, a key that comes again, a moment; it breaks no cipher. How good guesses are is said in standard deviations,
//! so that a test has one bound for all numbers of cases.

use std::collections::BTreeMap;

/// How far guesses about what cannot be known may be from chance. One of a million honest runs is further.
pub const CHANCE: f64 = 5.0;

/// By so many bits it guesses.
const BITS: usize = 8;

/// What has been learned: which bits tell most, and how often each was set in how many of each kind.
struct Learned<'a, K> {
    bits: Vec<usize>,
    kinds: BTreeMap<&'a K, (f64, Vec<f64>)>,
}

fn is_set(bytes: &[u8], bit: usize) -> bool {
    bytes[bit / 8] >> (bit % 8) & 1 == 1
}

impl<'a, K: Ord> Learned<'a, K> {
    fn from(known: impl Iterator<Item = &'a (K, Vec<u8>)>, len: usize) -> Self {
        let mut kinds = BTreeMap::new();
        for (kind, bytes) in known {
            let (total, set): &mut (f64, Vec<f64>) =
                kinds.entry(kind).or_insert_with(|| (0.0, vec![0.0; len * 8]));
            *total += 1.0;
            (0..len * 8).filter(|bit| is_set(bytes, *bit)).for_each(|bit| set[bit] += 1.0);
        }
        let mut learned = Self { bits: (0..len * 8).collect(), kinds };
        let tells: Vec<f64> = learned.bits.iter().map(|bit| learned.tells(*bit)).collect();
        learned.bits.sort_by(|one, other| tells[*other].total_cmp(&tells[*one]));
        learned.bits.truncate(BITS);
        learned
    }

    /// By how many standard deviations a bit is set more or less often in some kind than in all.
    fn tells(&self, bit: usize) -> f64 {
        let total: f64 = self.kinds.values().map(|(total, _)| total).sum();
        let share = (self.kinds.values().map(|(_, set)| set[bit]).sum::<f64>() + 0.5) / (total + 1.0);
        let differs = |(total, set): &(f64, Vec<f64>)| {
            (set[bit] - total * share).powi(2) / (total * share * (1.0 - share))
        };
        self.kinds.values().map(differs).sum()
    }

    fn guess(&self, bytes: &[u8]) -> &'a K {
        let score = |(total, set): &(f64, Vec<f64>)| -> f64 {
            let likely = |bit: &usize| {
                let share = (set[*bit] + 0.5) / (total + 1.0);
                if is_set(bytes, *bit) { share.ln() } else { (1.0 - share).ln() }
            };
            self.bits.iter().map(likely).sum()
        };
        let best = self.kinds.iter().max_by(|(_, one), (_, other)| score(one).total_cmp(&score(other)));
        best.expect("something is known").0
    }
}

/// How much better than chance every second case is guessed by who is told of the others what they are, in standard
/// deviations; and which share of the guesses is right. Chance is the same guesses, dealt out at random.
///
/// # Panics
/// When cases are not of one length, or there are none.
#[must_use]
pub fn skill<K: Ord>(cases: &[(K, Vec<u8>)]) -> (f64, f64) {
    let len = cases[0].1.len();
    assert!(cases.iter().all(|(_, bytes)| bytes.len() == len), "one length, or that tells");
    let learned = Learned::from(cases.iter().step_by(2), len);
    let asked = cases.iter().skip(1).step_by(2);
    let guesses: Vec<(&K, &K)> = asked.map(|(kind, bytes)| (kind, learned.guess(bytes))).collect();
    let total = guesses.len() as f64;
    let right = guesses.iter().filter(|(kind, guess)| kind == guess).count() as f64;
    (deviations(&guesses, right), right / total)
}

/// By the mean and variance of how many agree when the guesses are dealt out in random order.
fn deviations<K: Ord>(guesses: &[(&K, &K)], right: f64) -> f64 {
    let total = guesses.len() as f64;
    let (mut kinds, mut guessed) = (BTreeMap::<&K, f64>::new(), BTreeMap::<&K, f64>::new());
    for (kind, guess) in guesses {
        *kinds.entry(kind).or_default() += 1.0;
        *guessed.entry(guess).or_default() += 1.0;
    }
    let of = |counts: &BTreeMap<&K, f64>, kind: &K| counts.get(kind).copied().unwrap_or(0.0);
    let mean = kinds.iter().map(|(kind, count)| count * of(&guessed, kind)).sum::<f64>() / total;
    let spread: f64 = kinds
        .iter()
        .flat_map(|kind| guessed.iter().map(move |guess| (kind, guess)))
        .map(|((kind, times), (guess, guesses))| {
            let equal = if kind == guess { 1.0 } else { 0.0 };
            let row = of(&guessed, kind) / total;
            let column = of(&kinds, guess) / total;
            times * guesses * (equal - row - column + mean / total).powi(2)
        })
        .sum();
    let deviation = (spread / (total - 1.0)).sqrt();
    if deviation == 0.0 { 0.0 } else { (right - mean) / deviation }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, RngCore, SeedableRng};

    use super::*;

    fn noise(count: usize, change: impl Fn(&mut [u8], bool)) -> Vec<(bool, Vec<u8>)> {
        let mut random = StdRng::seed_from_u64(11);
        let one = |_| {
            let (mut bytes, kind) = (vec![0; 200], random.gen_bool(0.3));
            random.fill_bytes(&mut bytes);
            change(&mut bytes, kind);
            (kind, bytes)
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn noise_is_guessed_at_chance() {
        for count in [20, 100, 1_000] {
            let (deviations, _) = skill(&noise(count, |_, _| {}));
            assert!(deviations.abs() < CHANCE, "{deviations}");
        }
    }

    #[test]
    fn one_byte_that_tells_is_found() {
        let (deviations, right) = skill(&noise(400, |bytes, kind| bytes[77] = u8::from(kind)));
        assert!(deviations > CHANCE && right == 1.0, "{deviations}, {right}");
    }

    /// Also when it says so only now and then.
    #[test]
    fn a_bias_of_one_byte_is_found() {
        let bias = |bytes: &mut [u8], kind: bool| {
            if kind {
                bytes[3] &= 0x0f;
            }
        };
        assert!(skill(&noise(2_000, bias)).0 > CHANCE);
    }
}

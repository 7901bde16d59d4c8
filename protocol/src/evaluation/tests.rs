use std::collections::BTreeMap;

use super::*;
use crate::oprf;
use world::{World, id, now};

mod asking;
mod exchange;
mod golden;
mod honest;
mod resume;
mod rules;
mod world;

/// Asks `inputs` for `member` while the holders in `down` are silent, and returns how it ended.
fn ask(world: &mut World, asker: &mut Asker, inputs: &[&str], down: &[&str]) -> Progress {
    world.begin(asker, inputs);
    world.run(asker, down);
    asker.progress()
}

/// The result as the whole keys give it, without shares.
fn expected(world: &World, member: &str, inputs: &[&str]) -> Vec<KeyResult> {
    let inputs: Vec<Vec<u8>> = inputs.iter().map(|input| input.as_bytes().to_vec()).collect();
    let terms = &world.terms;
    let keys = terms.keys_for(&id(member), &world.purpose).unwrap();
    let result = |key: &&KeySpec| {
        let (blinded, elements) = oprf::blind(&inputs, &mut world.rng(1)).unwrap();
        let evaluation = oprf::evaluate(&world.whole[&key.matcher], &elements, &mut world.rng(2));
        let outputs = oprf::finalise(&blinded, &[(1, &evaluation)]).unwrap();
        let scope = crate::subject_key::Scope {
            network: terms.network,
            epoch: terms.epoch,
            purpose: world.purpose.clone(),
            matcher: key.matcher.clone(),
        };
        let derive = |output| crate::subject_key::SubjectKey::derive(output, &scope);
        KeyResult { matcher: key.matcher.clone(), subject_keys: outputs.iter().map(derive).collect() }
    };
    keys.iter().map(result).collect()
}

/// Names of a set of `names`, by bits.
fn subset<'a>(names: &[&'a str], set: u32) -> Vec<&'a str> {
    names.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1).map(|(_, name)| *name).collect()
}

fn count_evaluations(world: &World) -> BTreeMap<&str, usize> {
    world.holders.iter().map(|(name, holder)| (name.as_str(), holder.evaluations)).collect()
}

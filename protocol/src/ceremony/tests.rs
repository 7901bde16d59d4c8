use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

use super::spec::{KeySpec, Party, derive_specs};
use super::{Abort, Ceremony, Effect, Outcome, Request, Response, Setup, message};
use crate::codec::{decode, encode};
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId};
use crate::secret::Secret;
use crate::sign::{SigningKey, VerifyingKey};

mod crash;
mod fault;
mod whole;

/// Which nodes lose their memory, and at which of the moments that [`Net::tick`] counts.
#[derive(Clone, Copy, Debug)]
struct Crash {
    at: usize,
    /// `None`: all of them.
    node: Option<usize>,
}

/// Holders in one process, each with a disk that survives a crash.
struct Net {
    members: Vec<MemberId>,
    specs: Vec<KeySpec>,
    nodes: Vec<Ceremony>,
    disks: Vec<Option<Vec<u8>>>,
    outcomes: Vec<Option<Outcome>>,
    aborts: Vec<Option<Abort>>,
    rng: ChaCha20Rng,
    tick: usize,
    crash: Option<Crash>,
}

fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

fn signing_key(member: &MemberId) -> SigningKey {
    let mut seed = [0; 32];
    seed[..member.as_bytes().len()].copy_from_slice(member.as_bytes());
    SigningKey::from_seed(&Secret::new(seed))
}

fn verifying_key(member: &MemberId) -> VerifyingKey {
    signing_key(member).verifying_key()
}

/// Keys held by `holders`, each its own controller and operator, for `matchers` and the purposes p0, p1, ...
fn specs(holders: &[&str], matchers: &[&str], purposes: usize) -> Vec<KeySpec> {
    let ids = |names: &[&str]| -> Vec<MemberId> { names.iter().map(|name| id(name)).collect() };
    let (holders, matchers) = (ids(holders), ids(matchers));
    fn party(member: &MemberId) -> Party<'_> {
        Party { member, controller: member.as_str(), operator: member.as_str() }
    }
    let holders: Vec<_> = holders.iter().map(party).collect();
    let matchers: Vec<_> = matchers.iter().map(party).collect();
    let purposes: Vec<PurposeId> = (0..purposes).map(|n| format!("p{n}").parse().unwrap()).collect();
    derive_specs(&holders, &matchers, &purposes).unwrap()
}

fn setup(specs: &[KeySpec], me: &MemberId) -> Setup {
    let holders =
        specs.iter().flat_map(KeySpec::holders).map(|member| (member.clone(), verifying_key(member)));
    Setup {
        network: NetworkId::from_bytes([1; 32]),
        covenant: CovenantHash::from_bytes([2; 32]),
        epoch: Epoch(7),
        specs: specs.to_vec(),
        holders: holders.collect::<BTreeMap<_, _>>(),
        me: me.clone(),
        signing_key: Arc::new(signing_key(me)),
    }
}

impl Net {
    fn new(specs: Vec<KeySpec>, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let holders: BTreeMap<_, _> =
            specs.iter().flat_map(KeySpec::holders).map(|member| (member, ())).collect();
        let members: Vec<_> = holders.into_keys().cloned().collect();
        let start = |member| Ceremony::new(setup(&specs, member), None, &mut rng).unwrap();
        let nodes = members.iter().map(start).collect();
        let n = members.len();
        Self {
            members,
            specs,
            nodes,
            disks: vec![None; n],
            outcomes: vec![None; n],
            aborts: vec![None; n],
            rng,
            tick: 0,
            crash: None,
        }
    }

    fn len(&self) -> usize {
        self.members.len()
    }

    fn setup(&self, node: usize) -> Setup {
        setup(&self.specs, &self.members[node])
    }

    /// Loses all that is not on disk.
    fn restart(&mut self, node: usize) {
        self.nodes[node] =
            Ceremony::new(self.setup(node), self.disks[node].as_deref(), &mut self.rng).unwrap();
    }

    /// A moment at which a crash may fall. Says whether `node` is the one that crashed.
    fn tick(&mut self, node: usize) -> bool {
        self.tick += 1;
        let Some(crash) = self.crash.filter(|crash| crash.at == self.tick) else { return false };
        for victim in (0..self.len()).filter(|victim| crash.node.is_none_or(|node| node == *victim)) {
            self.restart(victim);
        }
        crash.node.is_none_or(|victim| victim == node)
    }

    /// What `to` answers `from`, through the encoding.
    fn ask(&self, from: usize, to: usize) -> Response {
        let request: Request = decode(&encode(&self.nodes[from].poll_request())).unwrap();
        let response = self.nodes[to].handle_request(&self.members[from], &request);
        decode(&encode(&response)).unwrap()
    }

    fn hear(&mut self, node: usize, from: usize, response: Response) {
        let from = self.members[from].clone();
        let effects = self.nodes[node].handle_response(&from, response);
        self.carry_out(node, effects);
    }

    /// One poll and what follows from it.
    fn poll(&mut self, from: usize, to: usize) {
        let response = self.ask(from, to);
        if !self.tick(from) {
            self.hear(from, to, response);
        }
    }

    fn carry_out(&mut self, node: usize, effects: Vec<Effect>) {
        for effect in effects {
            if self.tick(node) {
                return;
            }
            match effect {
                Effect::Persist { session, kept } => {
                    self.check_not_confirmed(node);
                    self.disks[node] = Some(kept.expose().to_vec());
                    if self.tick(node) {
                        return;
                    }
                    let effects = self.nodes[node].persisted(session);
                    self.carry_out(node, effects);
                }
                Effect::Complete(outcome) => {
                    self.disks[node] = Some(outcome.kept.expose().to_vec());
                    self.outcomes[node] = Some(outcome);
                }
                Effect::Abort(abort) => self.aborts[node] = Some(abort),
            }
        }
    }

    /// What a node has not stored it has not confirmed: nobody is shown it, neither as news nor as an end.
    fn check_not_confirmed(&self, node: usize) {
        for asker in (0..self.len()).filter(|asker| *asker != node) {
            let Response::Working(said) = self.ask(asker, node) else { panic!("it has finished") };
            let session = said.session.expect("it works in the session that it is about to store");
            let early = |confirm: &message::Confirm| {
                confirm.member == self.members[node] && confirm.session == session
            };
            assert!(!said.confirms.iter().any(early), "{} confirms before it has stored", self.members[node]);
        }
    }

    /// Everyone polls everyone once.
    fn round(&mut self) {
        for from in 0..self.len() {
            for to in (0..self.len()).filter(|to| *to != from) {
                self.poll(from, to);
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.outcomes.iter().all(Option::is_some)
    }

    /// Polls until all have finished.
    fn run(&mut self) {
        for _ in 0..12 {
            if self.is_complete() {
                return;
            }
            self.round();
        }
        let states: Vec<_> = self.nodes.iter().map(|node| format!("{node:?}")).collect();
        panic!("not finished: {states:#?} {:?} {:?}", self.aborts, self.crash);
    }

    /// All have the same records, which verify, and shares that fit them.
    fn check(&self) {
        let outcomes: Vec<_> = self.outcomes.iter().map(|outcome| outcome.as_ref().unwrap()).collect();
        for (member, outcome) in self.members.iter().zip(&outcomes) {
            assert_eq!(outcome.records, outcomes[0].records);
            assert_eq!(outcome.records.len(), self.specs.len());
            let held = self.specs.iter().filter(|spec| spec.holders().contains(member));
            assert!(held.map(KeySpec::key).eq(outcome.shares.iter().map(|(key, _)| key)));
            for (spec, signed) in self.specs.iter().zip(&outcome.records) {
                let verified = signed.verify(|member| Some(verifying_key(member))).unwrap();
                assert_eq!(verified.record().key(), *spec.key());
                assert_eq!(verified.record().holders, spec.holders());
                for (_, share) in outcome.shares.iter().filter(|(key, _)| key == spec.key()) {
                    assert!(verified.fits(member, share));
                }
            }
        }
    }

    fn random(&mut self, below: usize) -> usize {
        self.rng.next_u32() as usize % below
    }
}

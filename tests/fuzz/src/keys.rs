//! Three holders that make one key together, each with a disk that survives its stops.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kring_protocol::ceremony::{
    Abort, Ceremony, Effect, Outcome, Party, Request, Response, Setup, derive_specs,
};
use kring_protocol::codec::{decode, encode};
use kring_protocol::id::{CovenantHash, Epoch, MemberId, NetworkId};
use kring_protocol::sign::VerifyingKey;
use rand_chacha::ChaCha20Rng;

use crate::{id, rng, signing};

/// The holders.
pub const HOLDERS: [&str; 3] = ["a", "b", "c"];

/// A holder's key.
#[must_use]
pub fn verifying_key(holder: &MemberId) -> Option<VerifyingKey> {
    let place = HOLDERS.iter().position(|name| *name == holder.as_str())?;
    Some(signing(u8::try_from(place).unwrap()).verifying_key())
}

/// What the ceremony is about, for one holder.
#[must_use]
pub fn setup(me: usize) -> Setup {
    let (ids, matcher) = (HOLDERS.map(id), id("m"));
    fn party(member: &MemberId) -> Party<'_> {
        Party { member, controller: member.as_str(), operator: member.as_str() }
    }
    let holders = ids.each_ref().map(party);
    Setup {
        network: NetworkId::from_bytes([1; 32]),
        covenant: CovenantHash::from_bytes([2; 32]),
        epoch: Epoch(7),
        specs: derive_specs(&holders, &[party(&matcher)], &["p".parse().unwrap()]).unwrap(),
        holders: ids.iter().map(|id| (id.clone(), verifying_key(id).unwrap())).collect::<BTreeMap<_, _>>(),
        me: ids[me].clone(),
        signing_key: Arc::new(signing(u8::try_from(me).unwrap())),
    }
}

/// All holders at work.
#[derive(Debug)]
pub struct Net {
    /// What each is doing.
    pub nodes: Vec<Ceremony>,
    /// What each has stored.
    pub disks: Vec<Option<Vec<u8>>>,
    /// What each had stored before that.
    pub before: Vec<Option<Vec<u8>>>,
    /// What each has yet to carry out. Until then it answers others and hears nothing itself.
    pub pending: Vec<Vec<Effect>>,
    /// What came out for each.
    pub outcomes: Vec<Option<Outcome>>,
    /// Who has stopped.
    pub aborts: Vec<Option<Abort>>,
    rng: ChaCha20Rng,
}

impl Net {
    /// Everyone has just entered.
    #[must_use]
    pub fn new() -> Self {
        let mut rng = rng(1);
        let nodes = (0..HOLDERS.len()).map(|me| Ceremony::new(setup(me), None, &mut rng).unwrap()).collect();
        let none = || vec![None; HOLDERS.len()];
        Self {
            nodes,
            disks: none(),
            before: none(),
            pending: vec![Vec::new(); HOLDERS.len()],
            outcomes: vec![None; HOLDERS.len()],
            aborts: vec![None; HOLDERS.len()],
            rng,
        }
    }

    /// Loses all that is not on disk.
    pub fn restart(&mut self, node: usize) {
        self.nodes[node] = Ceremony::new(setup(node), self.disks[node].as_deref(), &mut self.rng).unwrap();
        self.pending[node].clear();
    }

    /// What `to` answers `from`, as bytes.
    #[must_use]
    pub fn ask(&self, from: usize, to: usize) -> Vec<u8> {
        let request: Request = decode(&encode(&self.nodes[from].poll_request())).unwrap();
        encode(&self.nodes[to].handle_request(&id(HOLDERS[from]), &request))
    }

    /// Takes in what `from` answered, unless what follows from an earlier answer is still to be done.
    pub fn hear(&mut self, node: usize, from: usize, response: Response) {
        if self.pending[node].is_empty() {
            self.pending[node] = self.nodes[node].handle_response(&id(HOLDERS[from]), response);
        }
    }

    /// Carries out what is pending.
    pub fn carry_out(&mut self, node: usize) {
        let mut effects = VecDeque::from(std::mem::take(&mut self.pending[node]));
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Persist { session, kept } => {
                    self.store(node, kept.expose());
                    effects.extend(self.nodes[node].persisted(session));
                }
                Effect::Complete(outcome) => {
                    self.store(node, outcome.kept.expose());
                    self.outcomes[node] = Some(outcome);
                }
                Effect::Abort(abort) => self.aborts[node] = Some(abort),
            }
        }
    }

    fn store(&mut self, node: usize, kept: &[u8]) {
        self.before[node] = self.disks[node].replace(kept.to_vec());
    }

    /// Everyone asks everyone once, and does what follows at once or not yet.
    pub fn round(&mut self, at_once: bool) {
        for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let response = decode(&self.ask(from, to)).unwrap();
            self.hear(from, to, response);
            if at_once {
                self.carry_out(from);
            }
        }
    }

    /// As many rounds as a ceremony can need, whatever was before.
    pub fn run(&mut self) {
        (0..HOLDERS.len()).for_each(|node| self.carry_out(node));
        for _ in 0..12 {
            if self.outcomes.iter().any(Option::is_none) {
                self.round(true);
            }
        }
    }

    /// Whoever has finished has the same records, which verify, and a share that fits them.
    pub fn check(&self) {
        let finished =
            self.outcomes.iter().enumerate().filter_map(|(node, outcome)| Some((node, outcome.as_ref()?)));
        let mut first = None;
        for (node, outcome) in finished {
            assert_eq!(*first.get_or_insert(&outcome.records), &outcome.records);
            let ([record], [(_, share)]) = (outcome.records.as_slice(), outcome.shares.as_slice()) else {
                panic!("one key")
            };
            assert!(record.verify(verifying_key).unwrap().fits(&id(HOLDERS[node]), share));
        }
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

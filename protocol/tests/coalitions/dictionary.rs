//! The dictionary attack: everything that shares and inputs give for each person who could be meant, looked for in
//! everything that was seen.
//!
//! A finding is kept with whom it takes: the holders of the shares that it was derived with, and who saw where it
//! stands. What a coalition finds is what takes nobody else. So one search answers for every coalition at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kring_protocol::crypto::sha256;
use kring_protocol::oprf::{Blinded, Evaluation, blind, evaluate, finalise};
use kring_protocol::subject_key::SubjectKey;
use kring_protocol::submission::Hello;
use kring_protocol::submission::hello::Envelope;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::network::{Network, index};
use crate::play::{Ones, Play, hashed_key};

/// Members as bits.
pub(super) type Members = u8;

pub(super) fn members(list: &[usize]) -> Members {
    list.iter().fold(0, |members, member| members | 1 << member)
}

/// Bytes of what is looked for: as many as a tag has.
const NEEDLE: usize = 16;
/// No coalition here is larger.
pub(super) const MOST: u32 = 3;

struct Guess {
    person: usize,
    matcher: usize,
    takes: Members,
    key: SubjectKey,
}

/// What is derived for each person.
pub(super) struct Dictionary<'a> {
    pub(super) network: &'a Network,
    guesses: Vec<Guess>,
    needles: HashMap<[u8; NEEDLE], Vec<(usize, Members)>>,
    /// Whether a needle begins with these two bytes.
    begins: Vec<bool>,
}

/// A person found, and whom it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) person: usize,
    pub(super) takes: Members,
}

/// Whom a coalition finds.
pub(super) fn found_by(coalition: Members, findings: &BTreeSet<Finding>) -> BTreeSet<usize> {
    findings.iter().filter(|finding| finding.takes & !coalition == 0).map(|finding| finding.person).collect()
}

impl<'a> Dictionary<'a> {
    /// Derived from the inputs alone, and with any one, two or three shares of a key as if they were enough.
    pub(super) fn new(network: &'a Network) -> Self {
        let (guesses, needles, begins) = (Vec::new(), HashMap::new(), vec![false; 1 << 16]);
        let mut dictionary = Self { network, guesses, needles, begins };
        let inputs = network.inputs();
        let (blinded, elements) = blind(&inputs, &mut Ones).unwrap();
        let points: Vec<_> = elements.as_bytes().chunks(32).map(<[u8]>::to_vec).collect();
        for (person, input) in inputs.iter().enumerate() {
            dictionary.look_for(person, 0, &input[input.len() - NEEDLE..]);
            dictionary.look_for(person, 0, &sha256(input));
            dictionary.look_for(person, 0, &points[person]);
        }
        for key in network.keys() {
            let matcher = index(&key.matcher);
            for (person, input) in inputs.iter().enumerate() {
                dictionary.guess(person, matcher, 0, hashed_key(network, matcher, input));
            }
            let share = |holder: usize| &network.shares[&(holder, matcher)];
            let partials: BTreeMap<u16, (usize, Evaluation)> = (1..)
                .zip(&key.holders)
                .map(|(place, holder)| {
                    let mut rng = ChaCha20Rng::seed_from_u64(3);
                    (place, (index(holder), evaluate(share(index(holder)), &elements, &mut rng)))
                })
                .collect();
            dictionary.evaluate(matcher, &blinded, &partials);
        }
        dictionary
    }

    fn evaluate(&mut self, matcher: usize, blinded: &Blinded, partials: &BTreeMap<u16, (usize, Evaluation)>) {
        for (holder, partial) in partials.values() {
            for (person, point) in partial.elements.as_bytes().chunks(32).enumerate() {
                self.look_for(person, members(&[*holder]), point);
            }
        }
        let scope = self.network.scope(matcher);
        for chosen in (1_u8..1 << partials.len()).filter(|chosen| chosen.count_ones() <= MOST) {
            let chosen: Vec<_> =
                partials.iter().filter(|(place, _)| chosen >> (*place - 1) & 1 == 1).collect();
            let holders: Vec<usize> = chosen.iter().map(|(_, (holder, _))| *holder).collect();
            let chosen: Vec<_> = chosen.iter().map(|(place, (_, partial))| (**place, partial)).collect();
            for (person, output) in finalise(blinded, &chosen).unwrap().iter().enumerate() {
                self.look_for(person, members(&holders), output.expose());
                self.guess(person, matcher, members(&holders), SubjectKey::derive(output, &scope));
            }
        }
    }

    /// A subject key for a person, whoever knows it and however.
    pub(super) fn guess(&mut self, person: usize, matcher: usize, takes: Members, key: SubjectKey) {
        self.look_for(person, takes, key.tag().as_bytes());
        self.look_for(person, takes, key.secret().expose());
        self.guesses.push(Guess { person, matcher, takes, key });
    }

    fn look_for(&mut self, person: usize, takes: Members, bytes: &[u8]) {
        let needle: [u8; NEEDLE] = bytes[..NEEDLE].try_into().unwrap();
        self.begins[usize::from(u16::from_be_bytes([needle[0], needle[1]]))] = true;
        self.needles.entry(needle).or_default().push((person, takes));
    }

    /// Everything that anyone finds in what was seen.
    pub(super) fn search(&self, play: &Play<'_>) -> BTreeSet<Finding> {
        let mut findings = BTreeSet::new();
        self.scan(&play.public, 0, &mut findings);
        let trace = self.network.covenant.trace_keys.each_ref().map(index);
        self.scan(&play.traces, members(&trace), &mut findings);
        for (member, view) in play.views.iter().enumerate() {
            self.scan(&view.bytes, members(&[member]), &mut findings);
            self.open_hellos(play, member, &mut findings);
        }
        findings
    }

    fn scan(&self, bytes: &[u8], seen_by: Members, findings: &mut BTreeSet<Finding>) {
        for window in bytes.windows(NEEDLE) {
            if !self.begins[usize::from(u16::from_be_bytes([window[0], window[1]]))] {
                continue;
            }
            for (person, takes) in self.needles.get(window).into_iter().flatten() {
                findings.insert(Finding { person: *person, takes: takes | seen_by });
            }
        }
    }

    fn open_hellos(&self, play: &Play<'_>, matcher: usize, findings: &mut BTreeSet<Finding>) {
        let scope = self.network.scope(matcher);
        for leave in &play.views[matcher].leaves {
            let (mailbox, withdraw_key) = (&leave.mailbox, &leave.withdraw_key);
            let envelope = Envelope { scope: &scope, mailbox, withdraw_key, expiry: leave.expiry };
            for guess in self.guesses.iter().filter(|guess| guess.matcher == matcher) {
                let opens = Hello::open(&leave.hello, &guess.key, envelope).is_ok();
                // Two ways to test a guess that must agree: an equal tag, and a hello that opens.
                assert_eq!(opens, guess.key.tag() == leave.tag);
                if opens {
                    let takes = guess.takes | members(&[matcher]);
                    findings.insert(Finding { person: guess.person, takes });
                }
            }
        }
    }
}

//! Both holders of trace keys and the matcher, together, learn who left a submission whose ticket they opened, and not about
//! whom it was: a dictionary finds nothing in all that they have (`docs/threat-model.md`, "Roles, and what each can do").

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kring_node::clock::Clock;
use kring_node::keystore::MasterKey;
use kring_node::keystore::identity::Identity;
use kring_node::network::{Family, Way};
use kring_node::store::Table;
use kring_node::vault::KeyName;
use kring_protocol::ceremony::KeyId;
use kring_protocol::codec::{self, Wire};
use kring_protocol::crypto::sha256;
use kring_protocol::id::MemberId;
use kring_protocol::meeting::Live;
use kring_protocol::oprf::{Evaluation, KeyShare, blind, evaluate, finalise};
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::{Scope, SubjectKey};
use kring_protocol::trace::{Request, SignedComplaint};
use kring_tests::changed::recorded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::hostile::MEMBERS;
use crate::roles::{One, inputs, left};
use crate::signals::{SOON, add, matches};
use crate::trace::{self, Hostile};
use crate::wire::{Kept, Records, record, recording};

/// Persons who could be meant. It is the one with this number.
const PERSONS: usize = 250;
const MEANT: usize = 77;
/// Bytes of what is looked for: as many as a tag has.
const NEEDLE: usize = 16;

#[test]
fn trace_keys_and_a_matcher_show_who_left_a_submission_and_not_about_whom() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["f"]);
    let [a, b, c, d, _, f] = &nodes;
    founded.stop("e");
    let meant = trace::person(MEANT);
    add(c, "case", &[&meant]);
    until("it is left", SOON, || (f.metric("kring_meeting_submissions") == Some(1)).then_some(()));
    let known = trace::stop(&mut founded, "c");
    let subject_key = known.1.subject_key();
    founded.start(&["c"]);
    let hostile = Hostile::new(&founded, known);
    hostile.send("d", vec![hostile.closed()]);
    for holder in [a, b] {
        assert_eq!(trace::until_answers(holder, 1)[0]["sender"], "e", "who it was is known to them");
    }
    MEMBERS[..4].iter().chain(&["f"]).for_each(|member| founded.stop(member));

    // All that the three have, and the key that the complaint gave them.
    let complaint = complaint(&place, b);
    let given = opened(&complaint, b);
    assert_eq!(given.secret().expose(), subject_key.secret().expose());
    let held = [held(&place, &[a, b, f]), given.secret().expose().to_vec()].concat();
    let dictionary = Dictionary::new(b, &complaint);
    assert_eq!(dictionary.found(&held, &[a, b]), BTreeSet::new());

    // With one holder more the same search finds the person.
    assert_eq!(dictionary.found(&held, &[a, b, d]), BTreeSet::from([MEANT]));
    // So does a holder of a trace key that has had the same person evaluated for itself.
    founded.start(&["a", "b", "c", "d", "f"]);
    add(a, "own", &[&meant]);
    assert_eq!(matches(a, "own", 1), matches(c, "case", 1));
    founded.stop("a");
    assert!(left(a).iter().any(|own| own.subject_key().tag() == given.tag()));
}

/// What `b` was asked to look into.
fn complaint(place: &Place, b: &Node) -> SignedComplaint {
    let name = b.dir().file_name().unwrap().to_str().unwrap();
    let requests = recorded(&record(place, name), Family::Trace, Way::RequestIn);
    let complaint = |bytes: &Vec<u8>| match codec::decode(bytes) {
        Ok(Request::Complain(complaint)) => Some(*complaint),
        _ => None,
    };
    requests.iter().find_map(complaint).expect("c complained")
}

/// The subject key in it.
fn opened(complaint: &SignedComplaint, node: &Node) -> SubjectKey {
    let (member, config) = (Member::of(node), node.config());
    let master = MasterKey::load(&config.master_key_file).unwrap();
    let identity = Identity::load(&config.data_dir.join("identity.sealed"), &master).unwrap();
    complaint.key(member.id(), &identity.trace_key(), member.covenant()).unwrap()
}

/// Every message that they received or sent, and what they keep, decrypted.
fn held(place: &Place, nodes: &[&Node]) -> Vec<u8> {
    let mut held = Vec::new();
    for node in nodes {
        let dir = record(place, node.dir().file_name().unwrap().to_str().unwrap());
        for file in std::fs::read_dir(dir).unwrap() {
            held.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        held.extend(shares(node).values().flat_map(|share| share.to_bytes().expose().to_vec()));
        let records = Records::open(node);
        held.extend(records.decrypted::<Kept>((KeyName::Meeting, Table::Kept)));
        held.extend(records.decrypted::<Live>((KeyName::Meeting, Table::Live)));
    }
    assert!(held.len() > 20_000, "they have seen something: {}", held.len());
    held
}

/// A node's shares, as `node/src/ceremony.rs` writes them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredShares {
    shares: Vec<StoredShare>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredShare {
    key: KeyId,
    #[serde(with = "kring_protocol::secret::stored")]
    share: Secret<32>,
}

impl Wire for StoredShares {
    const MAX_LEN: usize = 32_768;
}

/// By purpose and matcher.
fn shares(node: &Node) -> BTreeMap<KeyId, KeyShare> {
    let epoch = Member::of(node).covenant().epochs_on(Clock.now().day())[0];
    let stored: Vec<StoredShares> = Records::open(node).all(Table::KeyShare, |_| KeyName::Shares(epoch));
    let shares = stored.into_iter().flat_map(|stored| stored.shares);
    shares.map(|stored| (stored.key, KeyShare::from_bytes(&stored.share).unwrap())).collect()
}

/// What is evaluated of each person who could be meant.
struct Dictionary {
    inputs: Vec<Vec<u8>>,
    scope: Scope,
    holders: Vec<MemberId>,
}

impl Dictionary {
    fn new(node: &Node, SignedComplaint { complaint, .. }: &SignedComplaint) -> Self {
        let member = Member::of(node);
        let one = |number| inputs(&member, &trace::person(number)).remove(0);
        let (network, epoch) = (complaint.network, complaint.epoch);
        let (purpose, matcher) = (complaint.purpose.clone(), complaint.matcher.clone());
        let holders = member.covenant().holders_of(&matcher);
        Self {
            inputs: (0..PERSONS).map(one).collect(),
            scope: Scope { network, epoch, purpose, matcher },
            holders,
        }
    }

    /// Whom these nodes find in what is held: by the inputs, by what any of their shares makes of them, and by what any
    /// set of their shares makes of them as if it were enough.
    fn found(&self, held: &[u8], nodes: &[&Node]) -> BTreeSet<usize> {
        let key = KeyId { purpose: self.scope.purpose.clone(), matcher: self.scope.matcher.clone() };
        let (blinded, elements) = blind(&self.inputs, &mut One).unwrap();
        let mut needles = Needles::default();
        self.inputs.iter().enumerate().for_each(|(person, input)| {
            needles.add(person, &input[input.len() - NEEDLE..]);
            needles.add(person, &sha256(input));
        });
        needles.add_points(elements.as_bytes());
        let partials: Vec<(u16, Evaluation)> = nodes
            .iter()
            .map(|node| {
                let id = Member::of(node).id().clone();
                let place = (1..).zip(&self.holders).find(|(_, holder)| **holder == id).unwrap().0;
                (place, evaluate(&shares(node)[&key], &elements, &mut OsRng))
            })
            .collect();
        partials.iter().for_each(|(_, partial)| needles.add_points(partial.elements.as_bytes()));
        for chosen in 1_u8..1 << partials.len() {
            let chosen = partials.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
            let mut chosen: Vec<_> = chosen.map(|(_, (place, partial))| (*place, partial)).collect();
            chosen.sort_by_key(|(place, _)| *place);
            for (person, output) in finalise(&blinded, &chosen).unwrap().iter().enumerate() {
                let key = SubjectKey::derive(output, &self.scope);
                [output.expose().as_slice(), key.secret().expose(), key.tag().as_bytes()]
                    .into_iter()
                    .for_each(|bytes| needles.add(person, bytes));
            }
        }
        needles.found(held)
    }
}

/// What is looked for, and for whom it stands.
#[derive(Default)]
struct Needles(HashMap<[u8; NEEDLE], usize>);

impl Needles {
    fn add(&mut self, person: usize, bytes: &[u8]) {
        self.0.insert(bytes[..NEEDLE].try_into().unwrap(), person);
    }

    fn add_points(&mut self, points: &[u8]) {
        points.chunks(32).enumerate().for_each(|(person, point)| self.add(person, point));
    }

    fn found(&self, held: &[u8]) -> BTreeSet<usize> {
        held.windows(NEEDLE).filter_map(|window| self.0.get(window).copied()).collect()
    }
}

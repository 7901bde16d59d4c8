//! A member that reads the whole board, knows everything public and is told of half of the entries what they are, cannot tell
//! of the others whose they are or which belong together (`docs/threat-model.md`, "Roles, and what each can do").

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kring_node::clock::Clock;
use kring_node::leaves::Left;
use kring_node::network::{Family, Way};
use kring_protocol::board::replication::Response as Shown;
use kring_protocol::board::{ENTRY_LEN, Entry, LOOK_AHEAD, post_address};
use kring_protocol::codec;
use kring_protocol::conversation::Channel;
use kring_protocol::id::{Address, Tag};
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::Inbox;
use kring_tests::caseload::Person;
use kring_tests::changed::{RECORD, recorded};
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::guesser::{CHANCE, skill};
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::hostile::{MEMBERS, found};
use crate::roles::left;
use crate::signals::{SOON, add, match_ids, matches, until_quiet};
use crate::wire::record;

/// Persons that a and b have in common, and as many others that c and d have.
const SHARED: usize = 14;
/// About so many of them a and b talk.
const TALKS: usize = 8;

#[test]
fn a_board_reader_cannot_see_whose_a_message_is_or_which_belong_together() {
    let place = Place::new();
    let (mut founded, nodes) = read_by_e(&place);
    let entries = until_all_is_read(&place, &mut founded, &nodes);
    let truth = Truth::of(&nodes, &entries);
    let known = entries.iter().filter(|placed| truth.about(placed).is_some()).count();
    assert!(known * 20 > entries.len() * 19, "{known} of {}: a canary may be among them", entries.len());
    let messages = truth.0.values().filter(|about| about.message).count();
    assert!(messages > 20 && known - messages > 4 * SHARED, "{messages} messages of {known}");

    // What it holds itself, and every mailbox that anybody ever drew, as if they were public.
    let mailboxes: Vec<_> = nodes.iter().flat_map(left).map(|left| left.own.mailbox().public()).collect();
    let own = left(&nodes[4]);
    assert!(!own.is_empty());
    assert_eq!(truth.attributed(&addresses(&nodes[4], &own, &mailboxes)), 0);
    let public = public_values(&nodes[4], &mailboxes, &entries);
    assert_eq!(truth.attributed(&public.iter().flat_map(posts_to).collect::<Vec<_>>()), 0);
    assert_eq!(repeats(&entries), 0, "no eight bytes stand in two entries");
    let learned = truth.learned(&entries);
    assert!(learned.iter().all(|(_, deviations)| deviations.abs() < CHANCE), "{learned:?}");
    let nearness = truth.nearness(&entries);
    assert!(nearness.abs() < CHANCE, "those that belong together stand together: {nearness}");

    // The guard is what only the two of a conversation have. With a's mailboxes, all that is for it and with it is found.
    let theirs = truth.attributed(&addresses(&nodes[0], &left(&nodes[0]), &mailboxes));
    let of_a = |about: &&About| about.to == 0 || about.from == Some(0);
    assert_eq!(theirs, truth.0.values().filter(of_a).count());
    // With addresses that are used again, and without mixing, the same looks succeed.
    let reused = truth.with_one_address_each(&entries);
    assert!(repeats(&reused) > SHARED && truth.learned(&reused).iter().any(|(_, sure)| *sure > CHANCE));
    assert!(truth.nearness(&truth.one_after_the_other(&entries)) > CHANCE);
}

/// A network in which `e` records the pages of the board that it reads, and has a case that nobody else has.
fn read_by_e(place: &Place) -> (Founded, [Node; 6]) {
    let mut founded = found(place.path(), &["f"]);
    founded.start_changed("e", &[(RECORD, record(place, "e").to_str().unwrap())]);
    founded.start(&["a", "b", "c", "d", "f"]);
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    (founded, nodes)
}

/// Many meet at once, and some talk. Then all are stopped: the board as e read it, page by page.
fn until_all_is_read(place: &Place, founded: &mut Founded, nodes: &[Node; 6]) -> Vec<Placed> {
    let [a, b, c, d, e, _] = nodes;
    add(e, "own", &[&Person::invented(2 * SHARED)]);
    // The matcher is away until all have everything ready, so that many meetings come in one append.
    founded.stop("f");
    for number in 0..SHARED {
        for (nodes, number) in [([a, b], number), ([c, d], SHARED + number)] {
            nodes
                .iter()
                .for_each(|node| drop(add(node, &format!("case {number}"), &[&Person::invented(number)])));
        }
    }
    for node in &nodes[..5] {
        until("all have their subject keys", SOON, || {
            (node.get("/network")["waiting"]["evaluations"] == 0).then_some(())
        });
    }
    founded.start(&["f"]);
    for (number, node) in [(0, a), (0, b), (SHARED, c), (SHARED, d)] {
        (number..number + SHARED).for_each(|number| drop(matches(node, &format!("case {number}"), 1)));
    }
    (0..TALKS).for_each(|number| talk(a, b, &format!("case {number}"), true));
    until_quiet(nodes);
    MEMBERS.iter().for_each(|member| founded.stop(member));
    pages(&record(place, "e"))
}

/// Both answer with a card; where there is time for an answer, they contact each other, and one leads.
pub(crate) fn talk(a: &Node, b: &Node, case: &str, at_once: bool) {
    let does = |node: &Node, step: &str, mut body: serde_json::Value| {
        let notice = node.notice(case).unwrap();
        if step != "lead" {
            body["matchId"] = json!(match_ids(&notice)[0]);
        }
        let path = format!("/notices/{}/{step}", notice["id"].as_str().unwrap());
        let (status, answer) = node.post(&path, &body);
        assert_eq!(status, 200, "{answer}");
    };
    for (node, name) in [(a, "Anna Appel"), (b, "Bea Blom")] {
        let contact = json!({ "name": name, "function": "teacher", "phone": "010 123 45 67", "email": "kaart@example.nl" });
        does(node, "respond", json!({ "response": "coordinate", "contact": contact }));
    }
    if !at_once {
        return;
    }
    for node in [a, b] {
        let card = || node.notice(case).filter(|notice| notice["matches"][0]["card"].is_object());
        until("the other's card", SOON, || card().map(drop));
    }
    does(a, "contact", json!({ "on": "2025-01-06" }));
    does(b, "lead", json!({ "action": "claim" }));
}

/// An entry, and in which append it stood.
#[derive(Clone)]
struct Placed {
    append: u64,
    entry: Entry,
}

fn pages(record: &std::path::Path) -> Vec<Placed> {
    let mut pages = BTreeMap::new();
    for bytes in recorded(record, Family::Board, Way::AnswerIn) {
        if let Ok(Shown::Entries(page)) = codec::decode(&bytes) {
            pages.insert(page.from, page.entries.0);
        }
    }
    let entries = |(append, bytes): (u64, Vec<u8>)| {
        let (entries, _) = bytes.as_chunks::<ENTRY_LEN>();
        entries.iter().map(|bytes| Placed { append, entry: Entry::from_bytes(bytes) }).collect::<Vec<_>>()
    };
    pages.into_iter().flat_map(entries).collect()
}

/// What a reader must not find out about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    to: usize,
    /// None: the matcher.
    from: Option<usize>,
    /// Which two it concerns, over which match key.
    together: (Tag, BTreeSet<usize>),
    message: bool,
}

/// By address.
struct Truth(HashMap<Address, About>);

/// Addresses at which a member's posts, and messages between it and any of these mailboxes, may stand.
fn addresses(node: &Node, own: &[Left], mailboxes: &[ExchangeKey]) -> Vec<Address> {
    let mut all: Vec<_> = own.iter().flat_map(|left| posts_to(&left.own.inbox)).collect();
    let scope = scope(node, &own[0]);
    for left in own {
        let others = mailboxes.iter().filter(|other| **other != left.own.mailbox().public());
        for other in others {
            let channel = Channel::new(&left.subject_key(), &scope, left.own.mailbox(), *other);
            all.extend((0..8).flat_map(|n| [channel.address_to(n), channel.address_from(n)]));
        }
    }
    all
}

fn scope(node: &Node, left: &Left) -> Scope {
    let covenant = Member::of(node).covenant().clone();
    let (epoch, matcher) = (covenant.epochs_on(Clock.now().day())[0], "f".parse().unwrap());
    Scope { network: covenant.network(), epoch, purpose: left.purpose.clone(), matcher }
}

fn posts_to(inbox: &Inbox) -> Vec<Address> {
    (0..LOOK_AHEAD).map(|n| post_address(inbox, n)).collect()
}

/// Everything of the right length that every member knows, as if an inbox had been made of it.
fn public_values(node: &Node, mailboxes: &[ExchangeKey], entries: &[Placed]) -> Vec<Inbox> {
    let covenant = Member::of(node).covenant().clone();
    let mut bytes = vec![covenant.network().as_bytes().to_vec(), covenant.hash().as_bytes().to_vec()];
    bytes.push(covenant.annex().unwrap().pepper.expose().to_vec());
    for card in &covenant.members {
        bytes.push(card.card.signing_key.as_bytes().to_vec());
        bytes.push(card.card.transport_key.as_bytes().to_vec());
    }
    bytes.extend(mailboxes.iter().map(|mailbox| mailbox.as_bytes().to_vec()));
    // An entry's address, and how its body begins.
    bytes.extend(entries.iter().map(|placed| placed.entry.to_bytes()[..48].to_vec()));
    let halves = bytes.iter().flat_map(|bytes| bytes.chunks_exact(16));
    halves.map(|half| Inbox::from_bytes(half.try_into().unwrap())).collect()
}

/// How many entries share eight bytes in a row with another one, wherever they stand.
fn repeats(entries: &[Placed]) -> usize {
    let mut first: HashMap<[u8; 8], usize> = HashMap::new();
    let mut sharing = BTreeSet::new();
    for (number, placed) in entries.iter().enumerate() {
        for window in placed.entry.to_bytes().windows(8) {
            let other = *first.entry(window.try_into().unwrap()).or_insert(number);
            if other != number {
                sharing.extend([other, number]);
            }
        }
    }
    sharing.len()
}

impl Truth {
    /// From what the members have in their stores.
    fn of(nodes: &[Node; 6], entries: &[Placed]) -> Self {
        let stand: BTreeSet<_> = entries.iter().map(|placed| placed.entry.address).collect();
        let mut truth = HashMap::new();
        let lefts = nodes.each_ref().map(left);
        let scopes = scope(&nodes[0], &lefts[0][0]);
        for (to, own) in lefts.iter().enumerate().flat_map(|(to, all)| all.iter().map(move |own| (to, own))) {
            let (key, tag) = (own.subject_key(), own.subject_key().tag());
            let met: Vec<_> = (0..).zip(&lefts).filter(|(from, _)| *from != to).collect();
            let others = met.iter().flat_map(|(from, all)| all.iter().map(|other| (*from, other)));
            let others: Vec<_> = others.filter(|(_, other)| other.subject_key().tag() == tag).collect();
            let pair = |from: usize| (tag, BTreeSet::from([from, to]));
            for (from, other) in &others {
                let channel = Channel::new(&key, &scopes, own.own.mailbox(), other.own.mailbox().public());
                let about = About { to, from: Some(*from), together: pair(*from), message: true };
                truth.extend((0..LOOK_AHEAD).map(|n| (channel.address_from(n), about.clone())));
            }
            if let [(from, _)] = others[..] {
                let about = About { to, from: None, together: pair(from), message: false };
                truth.extend(posts_to(&own.own.inbox).into_iter().map(|address| (address, about.clone())));
            }
        }
        truth.retain(|address, _| stand.contains(address));
        Self(truth)
    }

    fn about(&self, placed: &Placed) -> Option<&About> {
        self.0.get(&placed.entry.address)
    }

    /// How many entries stand at these addresses.
    fn attributed(&self, addresses: &[Address]) -> usize {
        let all: BTreeSet<_> = addresses.iter().collect();
        all.into_iter().filter(|address| self.0.contains_key(address)).count()
    }

    /// What can be learned of three questions, in standard deviations.
    fn learned(&self, entries: &[Placed]) -> [(&'static str, f64); 3] {
        let known: Vec<(&About, [u8; ENTRY_LEN])> = entries
            .iter()
            .filter_map(|placed| Some((self.about(placed)?, placed.entry.to_bytes())))
            .collect();
        let cases = |of: fn(&About) -> usize| {
            known.iter().map(|(about, bytes)| (of(about), bytes.to_vec())).collect::<Vec<_>>()
        };
        let whose = skill(&cases(|about| about.to)).0;
        let kind = skill(&cases(|about| about.message.into())).0;
        [("whose", whose), ("whether the matcher's", kind), ("together", skill(&pairs(&known)).0)]
    }

    /// How much nearer to each other than chance two posts of one append stand that introduce two to each other, in
    /// standard deviations.
    fn nearness(&self, entries: &[Placed]) -> f64 {
        let mut appends: BTreeMap<u64, Vec<&Placed>> = BTreeMap::new();
        entries.iter().for_each(|placed| appends.entry(placed.append).or_default().push(placed));
        let (mut nearer, mut variance) = (0.0, 0.0);
        for placed in appends.values() {
            let size = placed.len() as f64;
            let mut first: BTreeMap<_, usize> = BTreeMap::new();
            for (at, about) in placed.iter().enumerate().filter_map(|(at, it)| Some((at, self.about(it)?))) {
                if about.message {
                    continue;
                }
                let before = *first.entry(&about.together).or_insert(at);
                if before != at {
                    // Mean and variance of the distance of two of so many places.
                    nearer += (size + 1.0) / 3.0 - (at - before) as f64;
                    variance += (size + 1.0) * (size - 2.0) / 18.0;
                }
            }
        }
        assert!(variance > 1_000.0, "many met in one append");
        nearer / variance.sqrt()
    }

    /// As it would be if each of two had one address for the other.
    fn with_one_address_each(&self, entries: &[Placed]) -> Vec<Placed> {
        let mut one: HashMap<_, Address> = HashMap::new();
        let mut entries = entries.to_vec();
        for placed in &mut entries {
            if let Some(about) = self.0.get(&placed.entry.address) {
                let key = (about.to, about.together.clone());
                placed.entry.address = *one.entry(key).or_insert(placed.entry.address);
            }
        }
        entries
    }

    /// As it would be if an append kept the order in which two were introduced.
    fn one_after_the_other(&self, entries: &[Placed]) -> Vec<Placed> {
        let mut entries = entries.to_vec();
        entries.sort_by_key(|placed| (placed.append, self.about(placed).map(|about| about.together.clone())));
        entries
    }
}

/// Pairs of entries that belong together, and as many that do not: where they differ.
fn pairs(known: &[(&About, [u8; ENTRY_LEN])]) -> Vec<(bool, Vec<u8>)> {
    let differ =
        |one: &[u8], other: &[u8]| one.iter().zip(other).map(|(one, other)| one ^ other).collect::<Vec<u8>>();
    let mut random = StdRng::seed_from_u64(5);
    let mut pairs = Vec::new();
    for (at, (about, bytes)) in known.iter().enumerate() {
        let fits = |other: &About| other.together == about.together && other.to == about.to;
        if let Some((_, other)) = known[at + 1..].iter().find(|(other, _)| fits(other)) {
            pairs.push((true, differ(bytes, other)));
            let apart: Vec<_> = known.iter().filter(|(other, _)| !fits(other)).collect();
            let (_, other) = apart[random.gen_range(0..apart.len())];
            pairs.push((false, differ(bytes, other)));
        }
    }
    // Not always one after the other: every second one is known.
    pairs.sort_by(|(_, one), (_, other)| one[100..].cmp(&other[100..]));
    pairs
}

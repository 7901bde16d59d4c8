//! A relay sees who gives it a message, for which matcher, when, and its bytes. Told of half of them what they are, it cannot
//! tell of the others: a withdrawal, a post and a dummy look like a leave (`docs/threat-model.md`, "Roles, and what each can do").

use std::collections::{BTreeMap, BTreeSet};

use kring_node::network::{Family, Way};
use kring_node::store::Table;
use kring_node::vault::KeyName;
use kring_protocol::codec::{self, Wire};
use kring_protocol::id::MemberId;
use kring_protocol::relay::{Request, Response};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::submission::{self, Content, Destination};
use kring_tests::caseload::Person;
use kring_tests::changed::recorded;
use kring_tests::guesser::{CHANCE, skill};
use kring_tests::impostor::Member;
use kring_tests::place::Place;
use kring_tests::traffic::seen;
use serde::{Deserialize, Serialize};

use crate::board_reader::talk;
use crate::signals::{add, match_ids};
use crate::tempo::{HOUR, MATCHERS, MEMBERS, SLOT, Watched};
use crate::wire::Records;

/// Persons that two have in common.
const SHARED: usize = 6;

#[test]
fn a_relay_cannot_tell_a_withdrawal_from_a_leave() {
    let place = Place::new();
    let mut network = Watched::start_with(place.path(), |draft| {
        draft
            .replace(r#"tempo = "immediate""#, r#"tempo = "production""#)
            .replace("per_day = 4096", "per_day = 1024")
    });
    let [a, c] = ["a", "c"].map(|member| network.node(member));
    let case = |number: usize| format!("case {number}");
    let signals: Vec<String> = (0..SHARED)
        .map(|number| {
            add(&c, &case(number), &[&Person::invented(number)]);
            add(&a, &case(number), &[&Person::invented(number)])
        })
        .collect();
    network.pass(9 * HOUR);
    for number in 0..SHARED {
        assert_eq!(
            match_ids(&c.notice(&case(number)).unwrap()),
            match_ids(&a.notice(&case(number)).unwrap())
        );
    }
    (0..SHARED).for_each(|number| talk(&a, &c, &case(number), false));
    network.pass(3 * HOUR);
    // a withdraws everything, and c swaps everything: the same persons, in another case too.
    for (number, signal) in signals.iter().enumerate() {
        assert_eq!(a.post(&format!("/signals/{signal}/withdraw"), &serde_json::json!({})).0, 200);
        add(&c, &format!("again {number}"), &[&Person::invented(number)]);
    }
    network.pass(8 * HOUR);
    MEMBERS.iter().for_each(|member| network.founded.stop(member));

    let passed_on = passed_on(&network);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    passed_on.iter().for_each(|message| *kinds.entry(message.kind).or_default() += 1);
    eprintln!("{kinds:?}");
    for (kind, at_least) in [("leave", 60), ("withdrawal", 40), ("swap", 30), ("post", 10), ("dummy", 300)] {
        assert!(kinds[kind] >= at_least, "{kinds:?}");
    }
    let seen = cases(&passed_on, |message| &message.seen);
    let only = |kinds: &[&str], cases: &[(&'static str, Vec<u8>)]| -> Vec<(&'static str, Vec<u8>)> {
        cases.iter().filter(|(kind, _)| kinds.contains(kind)).cloned().collect()
    };
    let two = ["leave", "withdrawal"];
    for (what, cases) in [("all kinds", seen.clone()), ("those two", only(&two, &seen))] {
        let (deviations, right) = skill(&cases);
        eprintln!("{what}: {right:.2} are right, {deviations:.1} from chance");
        assert!(deviations.abs() < CHANCE, "{what}: {deviations}");
    }
    assert!(answer_lengths(&network).len() == 1, "an answer's length tells nothing either");

    // The guard is the seal. Who opens it tells them apart by the same look.
    let opened = cases(&passed_on, |message| &message.opened);
    for cases in [opened.clone(), only(&two, &opened)] {
        let (deviations, right) = skill(&cases);
        assert!(deviations > CHANCE && right > 0.8, "{right}, {deviations}");
    }
}

/// A message as its relay sees it, and what is under the seal.
struct PassedOn {
    kind: &'static str,
    seen: Vec<u8>,
    opened: Vec<u8>,
}

fn cases(all: &[PassedOn], bytes: impl Fn(&PassedOn) -> &Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    all.iter().map(|message| (message.kind, bytes(message).clone())).collect()
}

/// Everything that any relay was given, in the order of time.
fn passed_on(network: &Watched) -> Vec<PassedOn> {
    let secrets: BTreeMap<MemberId, Vec<ExchangeSecret>> =
        MATCHERS.iter().map(|matcher| (matcher.parse().unwrap(), weekly(network, matcher))).collect();
    let (mut all, mut lengths) = (Vec::new(), BTreeSet::new());
    for relay in MEMBERS {
        let came = seen(&network.traffic_file(relay));
        let came = came.iter().filter(|seen| seen.way == "RequestIn" && seen.kind.contains("forward"));
        let requests = recorded(&network.record(relay), Family::Forward, Way::RequestIn);
        assert_eq!(came.clone().count(), requests.len());
        for (seen, bytes) in came.zip(requests) {
            let Ok(Request::Forward { matcher, items, .. }) = codec::decode(&bytes) else { continue };
            let [item] = &items[..] else { panic!("one message a slot") };
            let destination =
                Destination { network: Member::of(&network.node("a")).covenant().network(), matcher };
            let open = |secret| submission::open(item.sealed.as_ref(), &destination, secret).ok();
            let opened = secrets[&destination.matcher].iter().find_map(open).expect("sealed to this matcher");
            // Who sends, to whom and on which day tells when this story did what, and not what a message is: left out.
            let in_slot = u16::try_from(seen.at % SLOT).unwrap().to_be_bytes();
            let hash = item.plaintext.as_bytes();
            let observed =
                [&in_slot[..], item.sealed.as_ref(), hash, item.signature.as_bytes().as_slice()].concat();
            lengths.insert(seen.len);
            let kind = kind(&opened.submission.content);
            all.push((seen.at, PassedOn { kind, seen: observed, opened: opened.plaintext }));
        }
    }
    assert_eq!(lengths.len(), 1, "all are of one length");
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, message)| message).collect()
}

fn kind(content: &Content) -> &'static str {
    match content {
        Content::Dummy(_) => "dummy",
        Content::Leave(leave) if leave.replaces.is_some() => "swap",
        Content::Leave(_) => "leave",
        Content::Post(_) => "post",
        Content::Withdraw(_) => "withdrawal",
    }
}

/// How long the answers were that relays gave to what they passed on.
fn answer_lengths(network: &Watched) -> BTreeMap<usize, usize> {
    let mut lengths = BTreeMap::new();
    for relay in MEMBERS {
        for bytes in recorded(&network.record(relay), Family::Forward, Way::AnswerOut) {
            // A matcher's answers to other relays too: all are answers to one message.
            if matches!(codec::decode(&bytes), Ok(Response::Outcomes(_))) {
                *lengths.entry(bytes.len()).or_default() += 1;
            }
        }
    }
    lengths
}

/// A week's key, as `node/src/matcher/record.rs` writes it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredKey(#[serde(with = "kring_protocol::secret::stored")] Secret<32>);

impl Wire for StoredKey {
    const MAX_LEN: usize = 64;
}

fn weekly(network: &Watched, matcher: &str) -> Vec<ExchangeSecret> {
    let keys: Vec<StoredKey> =
        Records::open(&network.node(matcher)).all(Table::WeeklyKey, |_| KeyName::Meeting);
    keys.into_iter().map(|key| ExchangeSecret::from_bytes(key.0)).collect()
}

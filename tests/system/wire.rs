//! What is on the wire, as nodes get to see it: nothing that identifies a family, and bytes that no node may choke on.

use std::path::Path;

use kring_node::keystore::MasterKey;
use kring_node::network::{Family, Way};
use kring_node::store::{Store, Table};
use kring_node::vault::{KeyName, Vault};
use kring_protocol::board::replication;
use kring_protocol::codec::{self, Bytes, Wire};
use kring_protocol::id::{MemberId, Reference};
use kring_protocol::log::witness::message as witness;
use kring_protocol::matching::Match;
use kring_protocol::meeting::{Announcement, Live};
use kring_protocol::relay::Ticket;
use kring_protocol::sign::Signature;
use kring_protocol::submission::Sha256;
use kring_protocol::time::Day;
use kring_protocol::{ceremony, evaluation, relay, trace};
use kring_tests::canary::{CONTACT, REASON, REFERENCE, canaries, family};
use kring_tests::caseload::{Cases, Person, signal};
use kring_tests::changed::{CHANGE, LEAK, RECORD, recorded};
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::raw::{Raw, framed};
use kring_tests::scan::Scanner;
use kring_tests::wait::until;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::hostile::found;
use crate::signals::{SOON, add, matches, until_quiet};

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// The families that this version uses when all keep the rules.
const USED: [Family; 5] =
    [Family::Evaluate, Family::Forward, Family::Board, Family::Ceremony, Family::Witness];

/// A network in which every node records what it sends and receives, each in a directory of its own.
pub(crate) fn recording(place: &Place, matchers: &[&str]) -> (Founded, [Node; 6]) {
    let mut founded = found(place.path(), matchers);
    for member in MEMBERS {
        founded.start_changed(member, &[(RECORD, record(place, member).to_str().unwrap())]);
    }
    let nodes = MEMBERS.map(|member| founded.node(member));
    until_ready(&nodes);
    (founded, nodes)
}

pub(crate) fn record(place: &Place, member: &str) -> std::path::PathBuf {
    place.dir("recorded").join(member)
}

/// All that any node has received in a family.
pub(crate) fn received(place: &Place, family: Family, way: Way) -> Vec<Vec<u8>> {
    MEMBERS.iter().flat_map(|member| recorded(&record(place, member), family, way)).collect()
}

#[test]
fn no_canary_is_in_anything_that_any_node_receives() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["d", "e", "f"]);
    let [a, b, c, ..] = &nodes;
    use_network(a, b, c);
    until_quiet(&nodes);
    for family in USED {
        for way in [Way::RequestIn, Way::AnswerIn] {
            // Heads are compared a little later than they change.
            until(&format!("{family}: {way:?} is recorded"), SOON, || {
                (!received(&place, family, way).is_empty()).then_some(())
            });
        }
    }
    let canaries = canaries();
    let scanner = Scanner::new(canaries.iter().map(String::as_str).chain(["KANARIE-DOSSIER"]));
    assert_eq!(scanner.dir(&place.dir("recorded")), [].into());

    // The same search finds what one member does send in clear.
    let [child, ..] = family();
    founded.stop("a");
    let record_a = record(&place, "a");
    let leak = [(CHANGE, "Leak"), (LEAK, child.given.as_str()), (RECORD, record_a.to_str().unwrap())];
    founded.start_changed("a", &leak);
    until_ready(&nodes);
    add(a, "KANARIE-DOSSIER-0421", &[&Person::invented(1)]);
    let found = until("the leak is recorded", SOON, || {
        let found = scanner.dir(&place.dir("recorded"));
        found.into_iter().find(|found| found.place.ends_with("/forward.RequestIn"))
    });
    assert_eq!((found.canary.as_str(), found.encoding), (child.given.as_str(), "UTF-8"));

    for member in MEMBERS {
        founded.stop(member);
    }
    for node in &nodes[1..] {
        let opened = opened(node);
        assert_eq!(scanner.bytes(&node.dir().display().to_string(), &opened), [].into());
    }
    let all = nodes.iter().map(|node| opened(node).len()).collect::<Vec<_>>();
    assert!(
        all[1] > 0 && all[2] > 0 && all[3] > 0 && all[4] > 0 && all[5] > 0,
        "partners and matchers opened something: {all:?}"
    );
    let own = scanner.bytes("a", &cases_opened(a));
    assert!(own.iter().any(|found| found.canary == child.given), "what was opened was searched");
}

/// A signal of the canaries' family meets others', is renewed and withdrawn.
fn use_network(a: &Node, b: &Node, c: &Node) {
    let [child, brother, mother] = family();
    let cases = Cases::new().case(REFERENCE, &[&child, &mother]).case("KANARIE-DOSSIER-0418", &[&brother]);
    assert_eq!(a.post_with("/imports", "text/csv", cases.text().as_bytes(), &[]).0, 200);
    let [name, function, phone, email] = CONTACT;
    let mut late = signal("KANARIE-DOSSIER-0419", &[&child]);
    late["contact"] = json!({"name": name, "function": function, "phone": phone, "email": email});
    late["familyInformed"] = json!({"informed": false, "reason": REASON});
    let (status, late) = a.post("/signals", &late);
    assert_eq!(status, 201, "{late}");
    let other = add(b, "b-1", &[&mother.bsn("")]);
    add(c, "c-1", &[&Person::default().bsn(&child.bsn)]);
    assert_eq!((matches(b, "b-1", 1).len(), matches(c, "c-1", 2).len()), (1, 2));
    let late = late["id"].as_str().unwrap();
    for (node, id) in [(a, late), (b, other.as_str())] {
        assert_eq!(node.post(&format!("/signals/{id}/renew"), &json!({})).0, 200);
    }
    assert_eq!(a.post(&format!("/signals/{late}/withdraw"), &json!({})).0, 200);
    matches(c, "c-1", 1);
}

/// What a matcher keeps of a submission, as `node/src/matcher/record.rs` writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    plaintext: Bytes,
    sealed: Sha256,
    relay: MemberId,
    signature: Signature,
    ticket: Ticket,
    day: Day,
}

impl Wire for Kept {
    const MAX_LEN: usize = 4_096;
}

/// All that a stopped node has opened of what others sealed to it, decrypted with its own keys.
fn opened(node: &Node) -> Vec<u8> {
    let records = Records::open(node);
    let matcher = |table| (KeyName::Meeting, table);
    [
        records.decrypted::<Kept>(matcher(Table::Kept)),
        records.decrypted::<Live>(matcher(Table::Live)),
        records.decrypted::<Announcement>(matcher(Table::Announcement)),
        records.decrypted::<Match>((KeyName::Matches, Table::Match)),
    ]
    .concat()
}

/// A stopped node's own cases, decrypted.
fn cases_opened(node: &Node) -> Vec<u8> {
    let Records { store, vault } = Records::open(node);
    let case = |(key, sealed): (Vec<u8>, Vec<u8>)| {
        let id = kring_node::cases::CaseId(Reference::try_from(key.as_slice()).unwrap());
        let case =
            vault.open_record::<kring_node::cases::Case>(&KeyName::Case(id), Table::Case, &key, &sealed);
        codec::encode(&case.unwrap())
    };
    store.scan_all(Table::Case).unwrap().into_iter().flat_map(case).collect()
}

/// A stopped node's records, and what opens them.
pub(crate) struct Records {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
}

impl Records {
    pub(crate) fn open(node: &Node) -> Self {
        let config = node.config();
        let store = Store::open(&config.data_dir.join("store")).unwrap();
        let master = MasterKey::load(&config.master_key_file).unwrap();
        let vault = Vault::open(&store, &config.data_dir.join("slots"), master).unwrap();
        Self { store, vault }
    }

    pub(crate) fn decrypted<T: Wire>(&self, (name, table): (KeyName, Table)) -> Vec<u8> {
        self.all::<T>(table, |_| name.clone()).iter().flat_map(codec::encode).collect()
    }

    /// All records of a table; `name` says from a record's key by which key it is sealed.
    pub(crate) fn all<T: Wire>(&self, table: Table, name: impl Fn(&[u8]) -> KeyName) -> Vec<T> {
        let rows = self.store.scan_all(table).unwrap().into_iter();
        rows.map(|(key, sealed)| self.vault.open_record(&name(&key), table, &key, &sealed).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bytes_of_a_member_stop_a_node_or_make_it_say_anything_else_than_no() {
    let place = Place::new();
    let (mut founded, nodes) = recording(&place, &["f"]);
    let [a, b, _, _, e, f] = &nodes;
    let known = Person::invented(0);
    for node in [a, e] {
        add(node, "before", &[&known]);
    }
    assert_eq!(matches(a, "before", 1), matches(e, "before", 1));
    until_quiet(&nodes);
    founded.stop("e");
    let hostile = Member::of(e);
    let mut random = StdRng::seed_from_u64(7);
    until("heads are compared", SOON, || {
        (!received(&place, Family::Witness, Way::RequestIn).is_empty()).then_some(())
    });
    // Before anything else is received.
    let samples = Family::ALL.map(|family| match family {
        Family::Trace => complaints(),
        _ => samples(received(&place, family, Way::RequestIn), family),
    });
    for target in ["a", "f"] {
        for (family, samples) in Family::ALL.into_iter().zip(&samples) {
            let served = family != Family::Covenant;
            assert_eq!(served, !samples.is_empty(), "{family}");
            let mut answered = 0;
            let mut raw = Raw::connect(&hostile, &target.parse().unwrap(), family).await;
            for bytes in hostile_bytes(samples, family, &mut random) {
                if let Some(answer) = raw.send(bytes).await {
                    assert!(is_an_answer(family, &answer), "{target}, {family}: {}", hex::encode(answer));
                    answered += 1;
                }
            }
            assert_eq!(served, answered > 0, "{target}, {family}");
            let honest = samples.last().map(|sample| framed(sample));
            if let Some(honest) = honest {
                assert!(raw.send(honest).await.is_some(), "{target} still serves {family}");
            }
        }
        assert!(founded.is_running(target));
    }
    for node in [a, f] {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
    let late = Person::invented(1);
    for node in [a, b] {
        add(node, "after", &[&late]);
    }
    assert_eq!(matches(a, "after", 1), matches(b, "after", 1));
}

/// Up to eight messages of different sizes, that are answered at once.
fn samples(mut messages: Vec<Vec<u8>>, family: Family) -> Vec<Vec<u8>> {
    if family == Family::Board {
        for message in &mut messages {
            let replication::Request::Read { matcher, .. } = codec::decode(message).unwrap();
            *message = codec::encode(&replication::Request::Read { matcher, from: 0, wait_ms: 0 });
        }
    }
    messages.sort_by_key(Vec::len);
    messages.dedup_by_key(|message| message.len());
    let apart = messages.len().div_ceil(8).max(1);
    messages.into_iter().step_by(apart).collect()
}

/// Requests of a family that is quiet while all keep the rules: those of the golden file, of another network.
fn complaints() -> Vec<Vec<u8>> {
    let golden = include_str!("../../protocol/src/trace/tests/golden.txt");
    let lines = golden.lines().filter_map(|line| line.strip_prefix("request ")?.split_once(": "));
    lines.filter_map(|(_, hex)| hex::decode(hex).ok()).collect()
}

/// Requests as no honest node sends them, with their frames or what stands in place of them.
fn hostile_bytes(samples: &[Vec<u8>], family: Family, random: &mut StdRng) -> Vec<Vec<u8>> {
    let max = family.max_request();
    let length = |announced: usize| u32::try_from(announced).unwrap().to_be_bytes().to_vec();
    let mut all = vec![
        Vec::new(),
        vec![0],
        length(5),
        length(max),
        length(max + 1),
        vec![0xff; 4],
        [length(max + 1), vec![0; max + 1]].concat(),
        framed(&[]),
        framed(&vec![0; max]),
    ];
    // CBOR that announces much or is deep.
    for (byte, count) in [(0x81, 1), (0x81, 100_000), (0xa1, 50_000), (0x9f, 1_000), (0xd8, 1_000), (0xff, 1)]
    {
        all.push(framed(&vec![byte; count.min(max)]));
    }
    for head in [0x5b, 0x7b, 0x9b, 0xbb] {
        all.push(framed(&[&[head], &[0xff; 8][..]].concat()));
        all.push(framed(&[&[head], &[0x7f; 8][..]].concat()));
    }
    for len in [1, 2, 16, 300, 5_000] {
        let mut bytes = vec![0; len];
        random.fill_bytes(&mut bytes);
        all.push(framed(&bytes));
    }
    for sample in samples {
        let whole = framed(sample);
        all.push(whole.clone());
        for _ in 0..6 {
            let cut = random.gen_range(0..sample.len());
            all.push(framed(&sample[..cut]));
            all.push(whole[..4 + cut].to_vec());
        }
        all.push(framed(&[sample.as_slice(), &[0]].concat()));
        for _ in 0..30 {
            let mut flipped = sample.clone();
            // Half of them where the structure is.
            let near = if random.r#gen() { sample.len().min(64) } else { sample.len() };
            flipped[random.gen_range(0..near)] ^= 1 << random.gen_range(0..8);
            all.push(framed(&flipped));
        }
    }
    all
}

fn is_an_answer(family: Family, bytes: &[u8]) -> bool {
    match family {
        Family::Evaluate => codec::decode::<evaluation::Response>(bytes).is_ok(),
        Family::Forward => codec::decode::<relay::Response>(bytes).is_ok(),
        Family::Board => codec::decode::<replication::Response>(bytes).is_ok(),
        Family::Ceremony => codec::decode::<ceremony::Response>(bytes).is_ok(),
        Family::Witness => codec::decode::<witness::Response>(bytes).is_ok(),
        Family::Trace => codec::decode::<trace::Response>(bytes).is_ok(),
        Family::Covenant => false,
    }
}

/// The seam by which these tests change a node's software is not in the program that people install.
#[test]
fn the_kring_command_has_no_tap() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tools/src");
    let mut searched = 0;
    let mut dirs = vec![tools];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("run_with") && !text.contains("Tap"), "{}", path.display());
            searched += usize::from(text.contains("kring_node::run("));
        }
    }
    assert_eq!(searched, 1, "one place runs a node");
}

//! Covenants and cards as text and as bytes: they are refused or written back unchanged, and one that keeps the rules
//! answers every question of a node.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::{TODAY, changed, chosen, golden, network, seeds};
use kring_protocol::codec::{decode, encode};
use kring_protocol::covenant::check::findings;
use kring_protocol::covenant::{Covenant, Severity, SignedCard, SignedCovenant, Tempo};
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::tempo::{Next, Pace, Schedule};
use kring_protocol::time::{Day, Timestamp};
use libfuzzer_sys::fuzz_target;

const GOLDEN: &str = include_str!("../../../protocol/tests/golden/covenant.txt");
const CARD: &str = include_str!("../../../protocol/tests/golden/member.toml");

/// What the members of the golden covenant have signed.
static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| named("signed covenant"));
/// A covenant that keeps the rules.
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| encode(&*network::covenant()));
/// The same for real data.
static PRODUCTION: LazyLock<Vec<u8>> =
    LazyLock::new(|| encode(&Covenant { tempo: Tempo::Production, ..Covenant::clone(&network::covenant()) }));

fn named(name: &str) -> Vec<u8> {
    golden(GOLDEN).find(|(found, _)| *found == name).unwrap().1
}

/// A covenant by the rules of `check`: everything that a node asks of one has an answer.
fn ask(covenant: &Covenant) {
    let members: Vec<&MemberId> = covenant.members.iter().map(|member| &member.card.id).collect();
    for member in &members {
        let matchers = covenant.matchers_for(member);
        assert!(!matchers.contains(member));
        for matcher in &matchers {
            assert!(!covenant.relays_for(member, matcher).is_empty());
            assert!(covenant.holders_of(matcher).len() >= 2);
        }
        assert!(covenant.purposes_of(member).count() <= covenant.purposes.len());
    }
    let first = covenant.epochs.first_day;
    let days = (0..covenant.epochs.days).step_by(7).map(|days| first.plus(days));
    for day in days.chain([TODAY, Day::from_days(0), Day::from_days(1 << 31)]) {
        let epochs = covenant.epochs_on(day);
        assert!(epochs.len() <= 2 && (day < first || !epochs.is_empty()));
        if let (Some(oldest), Some(newest)) = (epochs.first(), epochs.last()) {
            assert!(covenant.epochs.start(Epoch(newest.0 + 1)) > day, "all that are in use are named");
            assert!(oldest.0 == 1 || covenant.epochs.end(Epoch(oldest.0 - 1)) <= day);
        }
        for epoch in epochs {
            assert!(covenant.epochs.start(epoch) <= day && day <= covenant.epochs.last_day(epoch));
        }
    }
    for (member, matcher) in members.iter().zip(members.iter().rev()) {
        ask_times(covenant, member, matcher);
    }
}

/// Moments come after what they are asked after, and slots follow one another without a gap.
fn ask_times(covenant: &Covenant, member: &MemberId, matcher: &MemberId) {
    let pace = Pace::of(covenant, member).expect("who keeps the rules has a pace");
    let schedule = Schedule::of(covenant, member).unwrap();
    assert!(schedule.requests().sum::<usize>() == usize::try_from(schedule.batch()).unwrap());
    for after in [TODAY, Day::from_days(0), Day::from_days(1 << 31)].map(|day| day.start().plus_secs(86_399))
    {
        for next in [pace.next_round(after), pace.next_append(after), pace.next_read(after)] {
            assert!(matches!(next, Next::WhenWaiting) || matches!(next, Next::At(at) if at > after));
        }
        let mut last: Option<Timestamp> = None;
        for _ in 0..3 {
            let slot = schedule.slot_after(matcher, &[7; 16], last.unwrap_or(after));
            assert!(slot.begins <= slot.moment && slot.moment < slot.ends);
            assert!(last.is_none_or(|last| last < slot.moment && last.plus_secs(1_200) > slot.moment));
            last = Some(slot.moment);
        }
    }
}

fn check(covenant: &Covenant) {
    let found = findings(covenant);
    assert!(found.is_sorted_by_key(|finding| finding.severity));
    if found.iter().all(|finding| finding.severity == Severity::Warning) {
        ask(covenant);
    }
}

fn read(bytes: &[u8]) {
    if let Ok(covenant) = decode::<Covenant>(bytes) {
        check(&covenant);
    }
}

fn read_text(text: &str) {
    if let Ok(covenant) = toml::from_str::<Covenant>(text) {
        let again = toml::to_string(&covenant).unwrap();
        assert_eq!(toml::from_str::<Covenant>(&again).unwrap(), covenant);
        assert_eq!(decode::<Covenant>(&encode(&covenant)).unwrap(), covenant);
        check(&covenant);
    }
}

fn read_card(text: &str) {
    if let Ok(card) = toml::from_str::<SignedCard>(text) {
        let again = toml::to_string(&card).unwrap();
        assert_eq!(toml::from_str::<SignedCard>(&again).unwrap(), card);
        if card.verify().is_ok() {
            assert_eq!(card, toml::from_str(CARD).unwrap(), "nobody else has signed one here");
        }
    }
}

fn read_signed(bytes: &[u8]) {
    if let Ok(signed) = decode::<SignedCovenant>(bytes) {
        assert_eq!(encode(&signed), bytes);
        if let Ok(verified) = signed.verify() {
            let whole: SignedCovenant = decode(&SIGNED).unwrap();
            assert_eq!(signed.covenant, whole.covenant, "the members have signed nothing else");
            assert!(verified.annex().is_err() || signed.pepper == whole.pepper);
        }
    }
}

fn inputs() -> Vec<Vec<u8>> {
    let mut covenants = ["covenant", "covenant with a predecessor"].map(named).to_vec();
    covenants.extend([VALID.clone(), PRODUCTION.clone()]);
    let text = |bytes: &Vec<u8>| toml::to_string(&decode::<Covenant>(bytes).unwrap()).unwrap();
    let mut seeds: Vec<_> = covenants.iter().map(|bytes| chosen(0, text(bytes).as_bytes())).collect();
    seeds.push(chosen(1, CARD.as_bytes()));
    seeds.extend(["signed covenant", "signed covenant for others"].map(|name| chosen(2, &named(name))));
    seeds.extend(covenants.iter().map(|bytes| chosen(3, bytes)));
    seeds.extend([4, 5, 6].map(|kind| chosen(kind, &[0, 9, 1])));
    seeds
}

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match (kind % 7, std::str::from_utf8(bytes)) {
        (0, Ok(text)) => read_text(text),
        (1, Ok(text)) => read_card(text),
        (2, _) => read_signed(bytes),
        (3, _) => read(bytes),
        (4, _) => read_signed(&changed(&SIGNED, bytes)),
        (5, _) => read(&changed(&VALID, bytes)),
        (6, _) => read(&changed(&PRODUCTION, bytes)),
        _ => {}
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

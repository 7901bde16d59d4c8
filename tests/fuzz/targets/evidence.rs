//! Records of evidence: they are refused or written back unchanged, and however records that convict somebody are altered
//! and mixed, nobody else is convicted.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kring_fuzz::{changed, chosen, golden, seeds};
use kring_protocol::codec::{decode, encode};
use kring_protocol::covenant::{SignedCovenant, VerifiedCovenant};
use kring_protocol::evidence::{Evidence, Verdict, Violation};
use kring_protocol::id::MemberId;
use libfuzzer_sys::fuzz_target;

const GOLDEN: &str = include_str!("../../../protocol/src/evidence/tests/golden.txt");

/// What the members of [`GOLDEN`] have agreed.
static COVENANT: LazyLock<VerifiedCovenant> = LazyLock::new(|| {
    let (_, bytes) = golden(GOLDEN).find(|(name, _)| *name == "covenant").unwrap();
    decode::<SignedCovenant>(&bytes).unwrap().verify().unwrap()
});
/// One record of every kind.
static RECORDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    golden(GOLDEN).filter(|(name, _)| *name != "covenant").map(|(_, bytes)| bytes).collect()
});
/// Who has done what, by its kind: in these records no member has done more.
static GUILTY: LazyLock<BTreeMap<&str, Vec<MemberId>>> = LazyLock::new(|| {
    let verdicts = RECORDS.iter().map(|bytes| decode::<Evidence>(bytes).unwrap().check(&COVENANT).unwrap());
    verdicts.map(|verdict| (verdict.kind, verdict.members)).collect()
});

fn judge(record: &Evidence) -> Option<Verdict> {
    let verdict = record.check(&COVENANT).ok()?;
    assert_eq!(verdict.kind, record.violation.kind());
    assert_eq!(verdict.members, GUILTY[verdict.kind], "{verdict}");
    Some(verdict)
}

fn read(bytes: &[u8]) {
    let Ok(mut record) = decode::<Evidence>(bytes) else { return };
    assert_eq!(encode(&record), bytes);
    let network = COVENANT.network();
    let elsewhere = record.network != network;
    assert!(judge(&record).is_none() || !elsewhere);
    if elsewhere && !matches!(record.violation, Violation::Ceremony(_)) {
        // Whoever accuses writes the network.
        record.network = network;
        judge(&record);
    }
    let _ = record.subject();
}

fn inputs() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = RECORDS.iter().map(|bytes| chosen(0, bytes)).collect();
    seeds.extend((1..=u8::try_from(RECORDS.len()).unwrap()).map(|number| chosen(number, &[0, 90, 1])));
    seeds
}

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match usize::from(*kind) % (RECORDS.len() + 1) {
        0 => read(bytes),
        number => read(&changed(&RECORDS[number - 1], bytes)),
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

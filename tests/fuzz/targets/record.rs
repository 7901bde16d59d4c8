//! Stored keys: records that all holders signed, what a node keeps of a ceremony, and sealed records. What is altered is
//! refused, and nothing that is read makes a node stop.

#![no_main]

use std::sync::LazyLock;

use kring_fuzz::keys::{HOLDERS, Net, setup, verifying_key};
use kring_fuzz::{changed, chosen, id, rng, seeds};
use kring_protocol::ceremony::{Ceremony, Request, SignedKeyRecord};
use kring_protocol::codec::{decode, encode};
use kring_protocol::id::Epoch;
use kring_protocol::secret::Secret;
use libfuzzer_sys::fuzz_target;

/// The file of the node that seals records, alone: the node itself takes many minutes to build.
#[path = "../../../node/src/keystore"]
#[allow(dead_code, unreachable_pub, reason = "part of another package")]
mod keystore {
    pub(crate) mod record;
}

/// What that file takes from its package.
mod store {
    pub(crate) const SCHEMA: u32 = 1;

    #[derive(Clone, Copy)]
    pub(crate) enum Table {
        Audit,
    }

    impl Table {
        pub(crate) const fn name(self) -> &'static str {
            "audit"
        }
    }
}

/// A ceremony that came to its end.
static NET: LazyLock<Net> = LazyLock::new(|| {
    let mut net = Net::new();
    net.run();
    net.check();
    net
});

fn real() -> &'static SignedKeyRecord {
    &NET.outcomes[0].as_ref().unwrap().records[0]
}

fn read_record(bytes: &[u8]) {
    if let Ok(record) = decode::<SignedKeyRecord>(bytes)
        && record.verify(verifying_key).is_ok()
    {
        assert_eq!(record, *real(), "the holders have signed nothing else");
    }
}

fn read_kept(bytes: &[u8]) {
    if let Ok(mut ceremony) = Ceremony::new(setup(0), Some(bytes), &mut rng(1)) {
        let _ = ceremony.state().to_string();
        for (other, name) in HOLDERS.iter().enumerate().skip(1) {
            let poll = ceremony.poll_request();
            for request in [poll, Request::Records { epoch: Epoch(7) }] {
                let _ = encode(&ceremony.handle_request(&id(name), &request));
            }
            let response = decode(&NET.ask(0, other)).unwrap();
            let _ = ceremony.handle_response(&id(name), response);
        }
    }
}

/// The first byte of what is sealed says where.
fn open(bytes: &[u8]) {
    let key = Secret::new([5; 32]);
    let sealed = keystore::record::seal(&key, store::Table::Audit, b"key", bytes);
    let opened = keystore::record::open(&key, store::Table::Audit, b"key", &sealed);
    assert_eq!(opened.unwrap().as_slice(), bytes);
    assert!(keystore::record::open(&key, store::Table::Audit, b"key", bytes).is_err());
    let (place, flip) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0) | 1);
    let mut altered = sealed.clone();
    altered[usize::from(place) % sealed.len()] ^= flip;
    assert!(keystore::record::open(&key, store::Table::Audit, b"key", &altered).is_err());
}

fn inputs() -> Vec<Vec<u8>> {
    let kept = [&NET.before[0], &NET.disks[0]].map(|kept| chosen(1, kept.as_ref().unwrap()));
    let mut seeds = vec![chosen(0, &encode(real())), chosen(2, &[0, 9, 1]), chosen(3, b"plain")];
    seeds.extend(kept);
    seeds
}

fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 4 {
        0 => read_record(bytes),
        1 => read_kept(bytes),
        2 => read_record(&changed(&encode(real()), bytes)),
        _ => open(bytes),
    }
}

fuzz_target!(init: seeds(inputs), |data: &[u8]| run(data));

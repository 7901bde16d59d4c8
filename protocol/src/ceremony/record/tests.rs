use std::collections::BTreeMap;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

use super::{BadPoint, KeyRecord, Point, RecordError, SignedKeyRecord};
use crate::codec::{decode, encode};
use crate::id::{Epoch, MemberId, NetworkId};
use crate::secret::Secret;
use crate::sign::{SigningKey, VerifyingKey};

/// f(x) = 7 + 5 x + 3 x^2
fn share(x: u64) -> Scalar {
    Scalar::from(7 + 5 * x + 3 * x * x)
}

fn point(scalar: Scalar) -> Point {
    Point::from_bytes((RISTRETTO_BASEPOINT_POINT * scalar).compress().to_bytes()).unwrap()
}

fn holder(n: usize) -> (MemberId, SigningKey) {
    let seed = u8::try_from(n).unwrap();
    (format!("h{n}").parse().unwrap(), SigningKey::from_seed(&Secret::new([seed; 32])))
}

fn keys() -> BTreeMap<MemberId, VerifyingKey> {
    (1..=5).map(holder).map(|(id, key)| (id, key.verifying_key())).collect()
}

fn record() -> KeyRecord {
    KeyRecord {
        network: NetworkId::from_bytes([9; 32]),
        epoch: Epoch(3),
        purpose: "care".parse().unwrap(),
        matcher: "m".parse().unwrap(),
        t: 3,
        holders: keys().into_keys().collect(),
        public: point(share(0)),
        shares: (1..=5).map(share).map(point).collect(),
    }
}

fn signed(record: KeyRecord) -> SignedKeyRecord {
    let signatures = (1..=record.holders.len()).map(|n| record.sign(&holder(n).1)).collect();
    SignedKeyRecord { record, signatures }
}

fn verify(signed: &SignedKeyRecord) -> Result<(), RecordError> {
    signed.verify(|member| keys().get(member).copied()).map(|_| ())
}

#[test]
fn a_record_that_all_holders_signed_holds() {
    let signed = signed(record());
    let verified = signed.verify(|member| keys().get(member).copied()).unwrap();
    assert_eq!(verified.record(), &record());
    for (index, member) in record().holders.iter().enumerate() {
        let fits = |scalar: Scalar| verified.fits(member, &Secret::new(scalar.to_bytes()));
        let x = index as u64 + 1;
        assert!(fits(share(x)));
        assert!(!fits(share(x + 1)));
    }
    assert!(!verified.fits(&"stranger".parse().unwrap(), &Secret::new(share(1).to_bytes())));
    assert!(!verified.fits(&record().holders[0], &Secret::new([0xff; 32])));
}

#[test]
fn a_missing_or_wrong_signature_names_its_holder() {
    let lacking = |n: usize| Err(RecordError::Signature(holder(n).0));
    let mut missing = signed(record());
    missing.signatures.pop();
    assert_eq!(verify(&missing), lacking(5));
    let mut wrong = signed(record());
    wrong.signatures[2] = wrong.record.sign(&holder(1).1);
    assert_eq!(verify(&wrong), lacking(3));
    let mut swapped = signed(record());
    swapped.signatures.swap(0, 1);
    assert_eq!(verify(&swapped), lacking(1));
    let mut surplus = signed(record());
    surplus.signatures.push(surplus.signatures[0]);
    assert_eq!(verify(&surplus), Err(RecordError::Shape));
    let stranger =
        signed(record()).verify(|member| keys().get(member).copied().filter(|_| *member != holder(4).0));
    assert_eq!(stranger, Err(RecordError::UnknownHolder(holder(4).0)));
}

/// A record of a later epoch is held to the same.
#[test]
fn an_epoch_far_away_needs_its_signatures_too() {
    for epoch in [1, 8, 400, u32::MAX] {
        let mut later = signed(KeyRecord { epoch: Epoch(epoch), ..record() });
        assert_eq!(verify(&later).err(), None, "{epoch}");
        later.signatures = signed(record()).signatures;
        let fails = Err(RecordError::Signature(holder(1).0));
        assert_eq!(verify(&later), if epoch == record().epoch.0 { Ok(()) } else { fails }, "{epoch}");
    }
}

#[test]
fn every_field_is_signed() {
    type Change = fn(&mut KeyRecord);
    let changes: [Change; 4] = [
        |record| record.network = NetworkId::from_bytes([8; 32]),
        |record| record.epoch = Epoch(4),
        |record| record.purpose = "cars".parse().unwrap(),
        |record| record.matcher = "n".parse().unwrap(),
    ];
    for change in changes {
        let mut changed = signed(record());
        change(&mut changed.record);
        assert_eq!(verify(&changed), Err(RecordError::Signature(holder(1).0)));
    }
}

#[test]
fn records_that_no_honest_ceremony_makes_are_refused_even_when_signed() {
    type Change = fn(&mut KeyRecord);
    let cases: [(&str, Change, RecordError); 9] = [
        ("threshold lowered", |r| r.t = 2, RecordError::Shape),
        ("threshold raised", |r| r.t = 4, RecordError::Shape),
        ("holders out of order", |r| r.holders.swap(0, 1), RecordError::Shape),
        ("a holder twice", |r| r.holders[1] = r.holders[0].clone(), RecordError::Shape),
        ("matcher among the holders", |r| r.matcher = r.holders[0].clone(), RecordError::Shape),
        ("a share too few", |r| r.shares.truncate(4), RecordError::Shape),
        ("another public key", |r| r.public = point(share(6)), RecordError::Points),
        ("a share among the first t replaced", |r| r.shares[1] = point(share(9)), RecordError::Points),
        ("a share after the first t replaced", |r| r.shares[4] = point(share(9)), RecordError::Points),
    ];
    for (defect, change, error) in cases {
        let mut changed = record();
        change(&mut changed);
        assert_eq!(verify(&signed(changed)), Err(error), "{defect}");
    }
    let mut alone = record();
    alone.holders.truncate(1);
    (alone.shares, alone.t) = (vec![point(share(0))], 1);
    assert_eq!(verify(&signed(alone)), Err(RecordError::Shape), "one holder");
}

/// A polynomial of higher degree gives shares of which t do not determine the key: the threshold-raising attack.
#[test]
fn a_raised_threshold_is_refused() {
    let cubic = |x: u64| share(x) + Scalar::from(2 * x * x * x);
    let mut raised = record();
    raised.shares = (1..=5).map(cubic).map(point).collect();
    assert_eq!(verify(&signed(raised)), Err(RecordError::Points));
}

#[test]
fn points_are_checked_at_the_border() {
    let mut not_canonical = [0xff; 32];
    not_canonical[0] = 0xee;
    not_canonical[31] = 0x7f;
    let negative = (-RistrettoPoint::mul_base(&Scalar::ONE)).compress().to_bytes();
    assert!(Point::from_bytes(negative).is_ok());
    for bad in [[0; 32], not_canonical, [0xff; 32], [1; 32]] {
        assert_eq!(Point::from_bytes(bad), Err(BadPoint));
    }
    let mut bytes = encode(&signed(record()));
    let public = record().public;
    let at = bytes.windows(32).position(|window| window == public.as_bytes()).unwrap();
    bytes[at..at + 32].fill(0);
    assert!(decode::<SignedKeyRecord>(&bytes).is_err());
}

#[test]
fn golden_bytes() {
    let mut small = record();
    small.holders.truncate(2);
    small.shares = (1..=2_u64).map(|x| point(Scalar::from(7 + 5 * x))).collect();
    (small.public, small.t) = (point(Scalar::from(7_u64)), 2);
    let small = signed(small);
    assert_eq!(verify(&small), Ok(()));
    let bytes = encode(&small);
    assert_eq!(hex::encode(&bytes), GOLDEN.concat());
    assert_eq!(decode::<SignedKeyRecord>(&bytes).unwrap(), small);
}

const GOLDEN: [&str; 8] = [
    "01a2667265636f7264a8676e6574776f726b5820090909090909090909090909090909090909090909090909090909090909",
    "09096565706f63680367707572706f73656463617265676d617463686572616d61740267686f6c6465727382626831626832",
    "667075626c6963582044f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d667368617265738258",
    "20e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff844605820682802b3c90112e0f4e7d985e423cd",
    "2b16c5bfa63d9c967c52bb6cb7fea7ea7e6a7369676e617475726573825840648d550db74b6c5c8416191bd0219d5c4db789",
    "c875c88ae40bd3ed60812a885ee80765a9a0711515e73948d89e7cfcbfc7fc9c5a8fb39616eef4d286082f9f0e5840c758ff",
    "c1d138d296a1f0fac8c70b455384b181c40a2336957faae6230248c40cc2020ce44e08006d7ec4184017fd2ae46fb60f0d03",
    "3bed06249325cf711a550c",
];

use std::collections::BTreeMap;

use super::{
    Commitment, Confirm, Finished, KEYS_MAX, Nonce, NonceStatement, Request, Response, STATE_MAX_LEN,
    SessionId, Share, Working,
};
use crate::ceremony::fault::{Abort, Evidence, Fault};
use crate::ceremony::kept::{Kept, KeptBytes, KeptFinished, KeptSigned};
use crate::ceremony::record::{KeyRecord, Point, SignedKeyRecord};
use crate::ceremony::spec::{KeyId, KeySpec};
use crate::codec::tests::has_one_spelling;
use crate::codec::{Bytes, Wire, decode, encode};
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId};
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey};

fn key() -> KeyId {
    KeyId { purpose: "p".parse().unwrap(), matcher: "m".parse().unwrap() }
}

fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

fn commitment() -> Commitment {
    Commitment {
        session: SessionId::from_bytes([1; 32]),
        key: key(),
        sender: id("a"),
        body: Bytes(vec![2; 3]),
        signature: Signature::from_bytes([3; 64]),
    }
}

fn share() -> Share {
    Share {
        session: SessionId::from_bytes([1; 32]),
        key: key(),
        sender: id("a"),
        receiver: id("b"),
        body: Secret::new([4; 32]),
        signature: Signature::from_bytes([5; 64]),
    }
}

fn confirm() -> Confirm {
    Confirm {
        session: SessionId::from_bytes([1; 32]),
        member: id("a"),
        transcript: [6; 32],
        records: vec![Signature::from_bytes([7; 64])],
        signature: Signature::from_bytes([8; 64]),
    }
}

fn nonces() -> BTreeMap<MemberId, Nonce> {
    BTreeMap::from([(id("a"), Nonce::from_bytes([9; 32])), (id("b"), Nonce::from_bytes([10; 32]))])
}

fn working() -> Working {
    Working {
        nonce: Nonce::from_bytes([9; 32]),
        signature: Signature::from_bytes([11; 64]),
        session: Some(SessionId::from_bytes([1; 32])),
        commitments: vec![commitment()],
        shares: vec![share()],
        confirms: vec![confirm()],
    }
}

/// The canonical encoding of the ristretto255 generator (RFC 9496 appendix A.1).
const GENERATOR: &str = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";

fn record() -> SignedKeyRecord {
    let generator = Point::from_bytes(hex::decode(GENERATOR).unwrap().try_into().unwrap()).unwrap();
    let record = KeyRecord {
        network: NetworkId::from_bytes([12; 32]),
        epoch: Epoch(1),
        purpose: "p".parse().unwrap(),
        matcher: id("m"),
        t: 2,
        holders: vec![id("a"), id("b")],
        public: generator,
        shares: vec![generator; 2],
    };
    SignedKeyRecord { record, signatures: vec![Signature::from_bytes([13; 64]); 2] }
}

fn check<T: Wire + PartialEq + std::fmt::Debug>(value: &T, golden: &[&str]) {
    let bytes = encode(value);
    assert_eq!(hex::encode(&bytes), golden.concat());
    assert_eq!(&decode::<T>(&bytes).unwrap(), value);
    has_one_spelling::<T>(&bytes);
}

const COMMITMENT: &str = concat!(
    "a56773657373696f6e58200101010101010101010101010101010101010101010101010101010101010101636b6579a26770",
    "7572706f73656170676d617463686572616d6673656e646572616164626f647943020202697369676e617475726558400303",
    "0303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303",
    "030303030303030303030303"
);
const SHARE: &str = concat!(
    "a66773657373696f6e58200101010101010101010101010101010101010101010101010101010101010101636b6579a26770",
    "7572706f73656170676d617463686572616d6673656e6465726161687265636569766572616264626f647958200404040404",
    "040404040404040404040404040404040404040404040404040404697369676e617475726558400505050505050505050505",
    "0505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505050505",
    "050505"
);
const CONFIRM: &str = concat!(
    "a56773657373696f6e58200101010101010101010101010101010101010101010101010101010101010101666d656d626572",
    "61616a7472616e73637269707458200606060606060606060606060606060606060606060606060606060606060606677265",
    "636f726473815840070707070707070707070707070707070707070707070707070707070707070707070707070707070707",
    "07070707070707070707070707070707070707070707697369676e6174757265584008080808080808080808080808080808",
    "080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808080808"
);
const RECORD: &str = concat!(
    "a2667265636f7264a8676e6574776f726b58200c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    "0c6565706f63680167707572706f73656170676d617463686572616d61740267686f6c646572738261616162667075626c69",
    "635820e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d7666736861726573825820e2f2ae0a6a",
    "bc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d765820e2f2ae0a6abc4e71a884a961c500515f58e30b6aa5",
    "82dd8db6a65945e08d2d766a7369676e6174757265738258400d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d",
    "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d58400d0d0d0d0d0d0d0d0d",
    "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d",
    "0d0d0d0d0d"
);
const NONCES: &str = concat!(
    "a2616158200909090909090909090909090909090909090909090909090909090909090909616258200a0a0a0a0a0a0a0a0a",
    "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
);

/// Each message by the parts above, so that the whole can be read.
#[test]
fn golden_requests() {
    let covenant = CovenantHash::from_bytes([14; 32]);
    check(
        &Request::Poll { covenant, epoch: Epoch(5) },
        &[
            "01a164706f6c6ca268636f76656e616e7458200e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e",
            "0e6565706f636805",
        ],
    );
    check(&Request::Records { epoch: Epoch(5) }, &["01a1677265636f726473a16565706f636805"]);
}

#[test]
fn golden_responses() {
    check(
        &Response::Working(working()),
        &[
            "01a167776f726b696e67a6656e6f6e6365582009090909090909090909090909090909090909090909090909090909090909",
            "09697369676e617475726558400b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b6773657373696f6e582001010101010101010101010101",
            "010101010101010101010101010101010101016b636f6d6d69746d656e747381",
            COMMITMENT,
            "6673686172657381",
            SHARE,
            "68636f6e6669726d7381",
            CONFIRM,
        ],
    );
    let empty = Working { session: None, commitments: vec![], shares: vec![], confirms: vec![], ..working() };
    check(
        &Response::Working(empty),
        &[
            "01a167776f726b696e67a6656e6f6e6365582009090909090909090909090909090909090909090909090909090909090909",
            "09697369676e617475726558400b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b6773657373696f6ef66b636f6d6d69746d656e74738066",
            "7368617265738068636f6e6669726d7380",
        ],
    );
    let finished = Finished { nonces: nonces(), confirms: vec![confirm()] };
    check(
        &Response::Finished(finished),
        &["01a16866696e6973686564a2666e6f6e636573", NONCES, "68636f6e6669726d7381", CONFIRM],
    );
    check(&Response::Aborted { culprit: id("b") }, &["01a16761626f72746564a16763756c707269746162"]);
    check(&Response::Elsewhere, &["0169656c73657768657265"]);
    check(&Response::Records(vec![record()]), &["01a1677265636f72647381", RECORD]);
}

#[test]
fn golden_kept_state() {
    let signed = KeptSigned {
        seed: Secret::new([15; 32]),
        nonces: nonces(),
        commitments: vec![commitment()],
        shares: vec![share()],
    };
    check(
        &Kept::Signed(signed),
        &[
            "01a1667369676e6564a4647365656458200f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f66",
            "6e6f6e636573",
            NONCES,
            "6b636f6d6d69746d656e747381",
            COMMITMENT,
            "6673686172657381",
            SHARE,
        ],
    );
    let finished = Finished { nonces: nonces(), confirms: vec![confirm()] };
    let finished = KeptFinished { finished, records: vec![record()] };
    check(
        &Kept::Finished(finished),
        &[
            "01a16866696e6973686564a26866696e6973686564a2666e6f6e636573",
            NONCES,
            "68636f6e6669726d7381",
            CONFIRM,
            "677265636f72647381",
            RECORD,
        ],
    );
}

#[test]
fn golden_abort() {
    let evidence =
        vec![Evidence::Commitment(commitment()), Evidence::Share(share()), Evidence::Confirm(confirm())];
    let abort = Abort { culprit: id("b"), fault: Fault::TwoFaced, evidence };
    check(
        &abort,
        &[
            "01a36763756c707269746162656661756c746974776f5f66616365646865766964656e636583a16a636f6d6d69746d656e74",
            COMMITMENT,
            "a1657368617265",
            SHARE,
            "a167636f6e6669726d",
            CONFIRM,
        ],
    );
}

/// What the signatures cover, by one signature of each kind: a change of any field or of the order would show here.
#[test]
fn golden_signatures() {
    let signing_key = SigningKey::from_seed(&Secret::new([16; 32]));
    let key = key();
    let spec = KeySpec::new(key, vec![id("a"), id("b")]).unwrap();
    let session = SessionId::from_bytes([1; 32]);
    let (network, covenant) = (NetworkId::from_bytes([12; 32]), CovenantHash::from_bytes([14; 32]));
    let (member, nonce) = (id("a"), Nonce::from_bytes([9; 32]));
    let statement = NonceStatement {
        network: &network,
        covenant: &covenant,
        epoch: Epoch(5),
        member: &member,
        nonce: &nonce,
    };
    let commitment = Commitment::new(session, &spec, &member, vec![2; 3], &signing_key);
    let share = Share::new(session, &spec, (&member, &id("b")), Secret::new([4; 32]), &signing_key);
    let confirm = Confirm::new(session, &member, [6; 32], confirm().records, &signing_key);
    let signatures = [statement.sign(&signing_key), commitment.signature, share.signature, confirm.signature];
    assert_eq!(signatures.map(|signature| signature.to_string()), SIGNATURES);
}

const SIGNATURES: [&str; 4] = [
    concat!(
        "f73414351adfbb155e0454b73db966143bdfaa14b973870837ba7f2f0734435e",
        "36b60e2ac4ea67f2bcaf3b9e9406a009d2c01d39dc07f09db86d7facd345eb0a"
    ),
    concat!(
        "880d9a9151071380892a8d82821a0375b0d82b61eb4c43cb14d17436b344067e",
        "844c106f45f52fbad5292b12aacc52990c6e8be10b1002ab05dbaa6c70e0910e"
    ),
    concat!(
        "2b88402cd9c0509c8743c5e572fdba2fdf9e47d39e610c456d4f059872b3f6cd",
        "d900f7ba70f04608ae5db197f20b89209baa9dc291e6d9e997e6948f357d2d02"
    ),
    concat!(
        "71945c2b47f5cb82f4a3eafa406624e43cb09244d6fe6312be1b822c8379ee3d",
        "3078307b19a399c377fcb7439730795ff55d3623abf89c9089ae0186f8b9870c"
    ),
];

/// 128 keys, each held by seven holders with the longest of names.
#[test]
fn the_largest_ceremony_fits() {
    let id: MemberId = "m".repeat(32).parse().unwrap();
    let key = KeyId { purpose: "p".repeat(32).parse().unwrap(), matcher: id.clone() };
    let body = Bytes(vec![0; 4 * 32 + 64]);
    let commitment = Commitment { key: key.clone(), sender: id.clone(), body, ..commitment() };
    let share = Share { key, sender: id.clone(), receiver: id.clone(), ..share() };
    let confirm =
        Confirm { member: id, records: vec![Signature::from_bytes([0; 64]); KEYS_MAX], ..confirm() };
    let working = Working {
        commitments: vec![commitment.clone(); 7 * KEYS_MAX],
        shares: vec![share.clone(); KEYS_MAX],
        confirms: vec![confirm; 7],
        ..working()
    };
    assert!(encode(&Response::Working(working)).len() < STATE_MAX_LEN);
    let signed = KeptSigned {
        seed: Secret::new([15; 32]),
        nonces: nonces(),
        commitments: vec![commitment; 7 * KEYS_MAX],
        shares: vec![share; 6 * KEYS_MAX],
    };
    let kept = KeptBytes::encode(&Kept::Signed(signed));
    assert!((600_000..STATE_MAX_LEN).contains(&kept.expose().len()), "{}", kept.expose().len());
}

proptest::proptest! {
    /// Flipped and truncated messages never panic, and whatever decodes encodes back to the same bytes.
    #[test]
    fn decoding_never_panics(at in 0_usize..700, bit in 0_u8..8, cut in 0_usize..700) {
        let mut bytes = encode(&Response::Working(working()));
        let index = at % bytes.len();
        bytes[index] ^= 1 << bit;
        bytes.truncate(bytes.len().saturating_sub(cut.saturating_sub(350)));
        if let Ok(value) = decode::<Response>(&bytes) {
            assert_eq!(encode(&value), bytes);
        }
    }
}

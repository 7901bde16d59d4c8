use kring_protocol::id::{Epoch, Reference};
use kring_protocol::time::Day;

use super::{LeaveKey, Left};
use crate::cases::MatchKeyId;
use crate::testing::golden;

#[test]
fn golden_bytes_of_a_submission_of_ours() {
    let left: Left = golden(&LEFT);
    assert_eq!((left.purpose.as_str(), left.recipe.as_str()), ("jeugd", "bsn"));
    assert_eq!(left.subject_key().secret().expose(), &[4; 32]);
    assert_eq!((left.receipted, left.read), (false, 6));
    let old = left.replaces.as_ref().unwrap();
    for (own, byte, counter) in [(&left.own, 5, 300), (old, 7, 299)] {
        assert_eq!(own.mailbox().secret().expose(), &[byte; 32]);
        assert_eq!((own.number.generation, own.number.counter), (1, counter));
        assert_eq!(own.inbox.as_bytes(), &[byte + 1; 16]);
        assert_eq!(own.references, [Reference::from_bytes([2; 16])]);
        assert_eq!((own.min, own.expiry), (2, Day::from_days(20_088)));
    }
}

#[test]
fn golden_bytes_of_a_submission_that_replaces_none() {
    let left: Left = golden(&LEFT_FRESH);
    assert!(left.receipted && left.replaces.is_none());
}

#[test]
fn golden_bytes_of_its_key() {
    let key = MatchKeyId::from_slice(&[9; 16]).unwrap();
    let key = LeaveKey { key, epoch: Epoch(2), matcher: "m".parse().unwrap() };
    assert_eq!(hex::encode(key.to_bytes()), "09090909090909090909090909090909000000026d");
    assert_eq!(LeaveKey::from_bytes(&key.to_bytes()), Some(key));
}

const LEFT: [&str; 9] = [
    "01a767707572706f7365656a65756764667265636970656362736e6b7375626a6563745f6b6579582004040404040404",
    "04040404040404040404040404040404040404040404040404636f776ea6676d61696c626f7858200505050505050505",
    "050505050505050505050505050505050505050505050505666e756d626572a26a67656e65726174696f6e0167636f75",
    "6e74657219012c65696e626f7850060606060606060606060606060606066a7265666572656e63657381500202020202",
    "0202020202020202020202636d696e0266657870697279194e7869726563656970746564f4687265706c61636573a667",
    "6d61696c626f7858200707070707070707070707070707070707070707070707070707070707070707666e756d626572",
    "a26a67656e65726174696f6e0167636f756e74657219012b65696e626f7850080808080808080808080808080808086a",
    "7265666572656e636573815002020202020202020202020202020202636d696e0266657870697279194e786472656164",
    "06",
];
const LEFT_FRESH: [&str; 6] = [
    "01a767707572706f7365656a65756764667265636970656362736e6b7375626a6563745f6b6579582004040404040404",
    "04040404040404040404040404040404040404040404040404636f776ea6676d61696c626f7858200505050505050505",
    "050505050505050505050505050505050505050505050505666e756d626572a26a67656e65726174696f6e0167636f75",
    "6e74657219012c65696e626f7850060606060606060606060606060606066a7265666572656e63657381500202020202",
    "0202020202020202020202636d696e0266657870697279194e7869726563656970746564f5687265706c61636573f664",
    "7265616406",
];

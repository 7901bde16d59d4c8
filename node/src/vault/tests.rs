use kring_protocol::id::{Epoch, Reference};

use super::{KeyName, StoredSlot};
use crate::cases::CaseId;
use crate::testing::golden;

#[test]
fn golden_bytes_of_a_slot_number() {
    let StoredSlot(slot) = golden(&["0119012c"]);
    assert_eq!(slot.to_string(), "300");
}

#[test]
fn golden_bytes_of_key_names() {
    let matcher = "m".parse().unwrap();
    let names = [
        (
            KeyName::Case(CaseId(Reference::from_bytes([1; 16]))),
            "000463617365001001010101010101010101010101010101",
        ),
        (KeyName::Left { matcher, epoch: Epoch(2) }, "00046c65667400016d000400000002"),
        (KeyName::Matches, "00076d617463686573"),
        (KeyName::People, "000670656f706c65"),
        (KeyName::Outgoing, "00086f7574676f696e67"),
        (KeyName::Meeting, "00076d656574696e67"),
        (KeyName::Shares(Epoch(2)), "0006736861726573000400000002"),
    ];
    for (name, expected) in names {
        assert_eq!(hex::encode(name.to_bytes()), expected, "{name:?}");
    }
}

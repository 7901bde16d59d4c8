//! A case that is forgotten takes its matches with it.

use crate::conversation::{Message, MessageId, MistakenReason, Says};
use crate::id::Reference;
use crate::matching::forget::Forgotten;
use crate::matching::{Encounter, MeetingPoint};
use crate::matching::{MatchKey, Matches};
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::time::Day;

const TODAY: Day = Day::from_days(20_010);

fn reference(byte: u8) -> Reference {
    Reference::from_bytes([byte; 16])
}

/// The own case meets another's over these mailboxes.
fn meet(matches: &mut Matches, own: u8, mailboxes: [u8; 2]) -> MatchKey {
    let [mine, theirs] = mailboxes.map(|byte| ExchangeSecret::from_bytes(Secret::new([byte; 32])).public());
    let point = MeetingPoint {
        matcher: "m".parse().unwrap(),
        own: mine,
        other: theirs,
        withdraw_key: SigningKey::from_seed(&Secret::new([1; 32])).verifying_key(),
        expiry: TODAY,
        recipe: "bsn".parse().unwrap(),
    };
    matches.meet(&Encounter::of(None, [reference(own), reference(99)], point), TODAY).remove(0)
}

/// Says something, and gives the numbers it took.
fn say(matches: &mut Matches, key: &MatchKey, own: u8, id: u8) -> Vec<u32> {
    let says = Says::Mistaken(MistakenReason::Duplicate);
    let (from, to, id) = (reference(own), reference(99), MessageId::from_bytes([id; 16]));
    assert!(matches.tell(key, Message { id, from, to, issued: TODAY, says }, None));
    matches.say(key, &"m".parse().unwrap()).iter().map(|saying| saying.n).collect()
}

#[test]
fn the_matches_of_one_case_go_and_no_address_comes_again() {
    let mut matches = Matches::default();
    let shared = [meet(&mut matches, 1, [10, 20]), meet(&mut matches, 2, [10, 20])];
    assert_eq!(say(&mut matches, &shared[0], 1, 7), [0]);
    let alone = meet(&mut matches, 1, [11, 21]);
    assert_eq!(alone, shared[0], "the same pair of cases");
    let gone = matches.forget(reference(1));
    let kept = shared[1].clone();
    assert_eq!(gone, Forgotten { removed: vec![shared[0].clone()], changed: vec![kept.clone()] });
    assert!(matches.get(&shared[0]).is_none() && matches.iter().all(|entry| entry.own == reference(2)));
    assert_eq!(say(&mut matches, &kept, 2, 8), [1], "number 0 is used");
    assert_eq!(matches.forget(reference(1)), Forgotten::default(), "once");
    assert_eq!(matches.forget(reference(2)), Forgotten { removed: vec![kept], changed: Vec::new() });
    assert!(matches.by_mailbox.is_empty());
}

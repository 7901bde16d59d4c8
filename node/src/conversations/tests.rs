use kring_protocol::board::LOOK_AHEAD;
use kring_protocol::conversation::Channel;
use kring_protocol::id::{Epoch, NetworkId, Reference};
use kring_protocol::matching::Matches;
use kring_protocol::matching::outbox::Pair;
use kring_protocol::own_submission::{OwnSubmission, WithdrawNumber};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::{Scope, SubjectKey};
use kring_protocol::time::Day;
use rand::rngs::OsRng;

use super::Conversations;
use crate::cases::MatchKeyId;
use crate::keystore::MasterKey;
use crate::leaves::{LeaveKey, Leaves, Left};
use crate::store::{Batch, Store, Table};
use crate::testing::TempDir;

const NETWORK: NetworkId = NetworkId::from_bytes([1; 32]);

struct Met {
    key: LeaveKey,
    left: Left,
    pair: Pair,
    /// The other side's end.
    theirs: Channel,
}

fn met() -> Met {
    let key = LeaveKey {
        key: MatchKeyId::from_slice(&[9; 16]).unwrap(),
        epoch: Epoch(2),
        matcher: "m".parse().unwrap(),
    };
    let number = WithdrawNumber { generation: 0, counter: 1 };
    let references = vec![Reference::from_bytes([2; 16])];
    let own = OwnSubmission::draw(references, 2, Day::from_days(20_100), number, &mut OsRng);
    let subject_key = SubjectKey::from_secret(Secret::new([4; 32]));
    let left = Left::new("jeugd".parse().unwrap(), "bsn".parse().unwrap(), &subject_key, own);
    let other = ExchangeSecret::from_bytes(Secret::random(&mut OsRng));
    let mailbox = left.own.mailbox().public();
    let scope = Scope {
        network: NETWORK,
        epoch: key.epoch,
        purpose: left.purpose.clone(),
        matcher: key.matcher.clone(),
    };
    let pair = Pair { matcher: key.matcher.clone(), own: mailbox, other: other.public() };
    Met { theirs: Channel::new(&subject_key, &scope, other, mailbox), key, left, pair }
}

fn conversations(dir: &TempDir, store: &Store) -> Conversations {
    let index_key = MasterKey::create(&dir.path().join("master")).unwrap().index_key("pair");
    Conversations::load(store, index_key, NETWORK, &Leaves::default(), &Matches::default()).unwrap()
}

#[tokio::test]
async fn a_window_of_addresses_is_known_and_moves_on() {
    let dir = TempDir::new();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let mut conversations = conversations(&dir, &store);
    let Met { key, left, pair, theirs } = met();
    conversations.add(pair.clone(), &key, &left);
    conversations.add(pair.clone(), &key, &left);
    assert_eq!(conversations.len(), 1);
    let expected = |conversations: &Conversations, n| {
        conversations.expects(&theirs.address_to(n)).map(|(found, leave, number)| {
            assert_eq!((&found, &leave), (&pair, &key));
            number
        })
    };
    for n in [0, 1, LOOK_AHEAD - 1] {
        assert_eq!(expected(&conversations, n), Some(n));
    }
    assert_eq!(expected(&conversations, LOOK_AHEAD), None);
    assert_eq!(conversations.expects(&theirs.address_from(0)), None, "our own messages are not to us");

    let own = super::channel(NETWORK, &pair, &key, &left).unwrap();
    let mut batch = Batch::new();
    conversations.read(&pair, 10, &own, &mut batch);
    assert_eq!(expected(&conversations, 10 + LOOK_AHEAD), Some(10 + LOOK_AHEAD));
    assert_eq!(expected(&conversations, 11 + LOOK_AHEAD), None);
    assert_eq!(expected(&conversations, 3), Some(3), "several messages at one address are all tried");
    conversations.read(&pair, 3, &own, &mut batch);
    assert_eq!(batch.len(), 1, "an older one moves nothing");
    store.commit(batch).await.unwrap();
    assert_eq!(store.scan_all(Table::Heard).unwrap().len(), 1);

    let mut batch = Batch::new();
    conversations.retain_met(&Matches::default(), &mut batch);
    assert_eq!((conversations.len(), batch.len()), (0, 1), "with its match its record goes");
    assert_eq!(expected(&conversations, 11), None);
}

#[test]
fn a_pair_of_another_mailbox_is_not_ours() {
    let (Met { key, left, .. }, Met { pair, .. }) = (met(), met());
    assert!(super::channel(NETWORK, &pair, &key, &left).is_none());
}

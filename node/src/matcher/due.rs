//! What waits for an append: the matcher's own posts, and messages between mailboxes. Stored with the intake that made
//! them due.
//!
//! Not here: when an append happens, and the board itself ([`crate::boards`]).

use std::collections::{HashMap, VecDeque};

use kring_protocol::board::{Entry, post_address, seal_post};
use kring_protocol::codec;
use kring_protocol::id::MemberId;
use kring_protocol::meeting::Announcement;
use kring_protocol::sign::SigningKey;
use kring_protocol::submission::Destination;
use kring_protocol::time::Day;
use rand::rngs::OsRng;
use rand::seq::SliceRandom as _;

use super::damaged;
use crate::core::Core;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

/// Most posts of one append, unless one meeting alone has more.
const APPEND_MAX: usize = 1_024;

/// One entry to be appended.
#[derive(Clone, Debug)]
pub(super) enum Posting {
    /// The matcher's own word to a mailbox; sealed when it is appended.
    Announcement(Announcement),
    /// What a member had sealed itself.
    Message(Box<Entry>),
}

/// Postings that must stand in one append, with the numbers of their records.
pub(super) type Group = Vec<(u64, Posting)>;

impl Posting {
    pub(super) fn put(&self, number: u64, core: &Core, batch: &mut Batch) -> Result<(), StoreError> {
        let key = number.to_be_bytes();
        match self {
            Self::Announcement(announcement) => {
                let bytes = codec::encode(announcement);
                let sealed = core.vault.seal_record(&KeyName::Meeting, Table::Announcement, &key, &bytes)?;
                batch.put(Table::Announcement, key, sealed);
            }
            // As it will stand on the board, where everyone sees it.
            Self::Message(entry) => batch.put(Table::Posting, key, entry.to_bytes()),
        }
        Ok(())
    }

    pub(super) fn delete(&self, number: u64, batch: &mut Batch) {
        let table = match self {
            Self::Announcement(_) => Table::Announcement,
            Self::Message(_) => Table::Posting,
        };
        batch.delete(table, number.to_be_bytes());
    }

    pub(super) fn entry(&self, destination: &Destination, signing: &SigningKey) -> Entry {
        match self {
            Self::Announcement(Announcement { to, inbox, n, post }) => {
                let body = seal_post(post.clone(), to, destination, signing, &mut OsRng);
                Entry { address: post_address(inbox, *n), body }
            }
            Self::Message(entry) => (**entry).clone(),
        }
    }
}

/// Reads what was due when the node stopped, in order.
pub(super) fn load(core: &Core) -> Result<Group, StoreError> {
    let mut group = Group::new();
    for (key, sealed) in core.store.scan_all(Table::Announcement)? {
        let announcement = core.vault.open_record(&KeyName::Meeting, Table::Announcement, &key, &sealed)?;
        group.push((number(&key, Table::Announcement)?, Posting::Announcement(announcement)));
    }
    for (key, bytes) in core.store.scan_all(Table::Posting)? {
        let entry = bytes.as_slice().try_into().map_err(|_| damaged(Table::Posting))?;
        group.push((number(&key, Table::Posting)?, Posting::Message(Box::new(Entry::from_bytes(entry)))));
    }
    group.sort_by_key(|(number, _)| *number);
    Ok(group)
}

fn number(key: &[u8], table: Table) -> Result<u64, StoreError> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| damaged(table))
}

/// Groups in the order in which they became due.
#[derive(Debug, Default)]
pub(super) struct Due {
    groups: VecDeque<Group>,
    /// Taken out and not yet durable on the board.
    appending: usize,
}

impl Due {
    pub(super) fn add(&mut self, group: Group) {
        self.groups.push_back(group);
    }

    pub(super) fn count(&self) -> usize {
        self.groups.iter().map(Vec::len).sum::<usize>() + self.appending
    }

    /// Takes whole groups, so that both sides of a meeting stand in one append.
    pub(super) fn take(&mut self) -> Group {
        let mut taken = Group::new();
        while taken.len() < APPEND_MAX {
            match self.groups.pop_front() {
                Some(group) => taken.extend(group),
                None => break,
            }
        }
        self.appending = taken.len();
        taken
    }

    pub(super) const fn appended(&mut self) {
        self.appending = 0;
    }
}

/// The order in which an append shows them: a random one, or posts that introduce two to each other would stand side by side,
/// and every member reads the board (section 6.2). Posts to one mailbox keep their order, because what they tell follows on
/// each other; so do messages, of which only those who speak know which belong together.
pub(super) fn mixed(group: Group) -> Group {
    let lane = |posting: &Posting| match posting {
        Posting::Announcement(announcement) => Some(announcement.to),
        Posting::Message(_) => None,
    };
    let mut order: Vec<_> = group.iter().map(|(_, posting)| lane(posting)).collect();
    order.shuffle(&mut OsRng);
    let mut lanes: HashMap<_, VecDeque<_>> = HashMap::new();
    for (number, posting) in group {
        lanes.entry(lane(&posting)).or_default().push_back((number, posting));
    }
    order.iter().filter_map(|lane| lanes.get_mut(lane)?.pop_front()).collect()
}

/// How many messages each relay has brought today.
#[derive(Debug, Default)]
pub(super) struct Brought {
    day: Option<Day>,
    counts: HashMap<MemberId, u64>,
}

impl Brought {
    /// Counts one more message of this relay; false when there are more than `most`. Messages stay on a board that
    /// everyone keeps, so nobody may fill it.
    pub(super) fn one_more(&mut self, relay: &MemberId, today: Day, most: u64) -> bool {
        if self.day != Some(today) {
            *self = Self { day: Some(today), counts: HashMap::new() };
        }
        let count = self.counts.entry(relay.clone()).or_default();
        *count += 1;
        *count <= most
    }
}

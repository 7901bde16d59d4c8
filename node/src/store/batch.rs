//! Tables and batches: what one commit writes.

use super::StoreError;

/// Longest key, in bytes.
pub const MAX_KEY_LEN: usize = 128;
/// Longest value, in bytes. Larger things are stored in pieces.
pub const MAX_VALUE_LEN: usize = 65_536;

/// A family of records. All live in one sled tree, told apart by their first byte, so that one batch over several
/// of them is atomic. A number is never given a second meaning; changing what a table holds is a new [`super::SCHEMA`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// The store's own: its schema version.
    Meta = 0,
    /// Entries of the node's audit log, by number.
    Audit = 1,
    /// The newest checkpoint given out of each of the node's own logs.
    Checkpoint = 2,
    /// Which slot of the key file holds which key.
    Slot = 3,
    /// Cases with their signals, by case id; sealed per case.
    Case = 4,
    /// What this member has left at matchers; sealed per matcher and epoch.
    Left = 5,
    /// Matches, by match id and partner; sealed.
    Match = 6,
    /// Headers of this member's own evaluation requests, by epoch and number.
    OwnHeader = 7,
    /// Headers of members, by epoch, member and number.
    Header = 8,
    /// State of each member's chain, by epoch and member.
    Chain = 9,
    /// The last answer given to each member, by epoch and member.
    Answer = 10,
    /// Proofs of misbehaviour, by a hash of what they prove.
    Evidence = 11,
    /// Signed key records, by epoch and number.
    KeyRecord = 12,
    /// This node's key shares, by epoch; sealed.
    KeyShare = 13,
    /// What a key ceremony keeps, by epoch; sealed.
    Ceremony = 14,
    /// The relays drawn, by epoch and matcher.
    RelayChoice = 15,
    /// The matcher's weekly keys, by week; sealed.
    WeeklyKey = 16,
    /// A matcher's live submissions, by mailbox; sealed.
    Live = 17,
    /// What a trace of a submission would need, by mailbox; sealed.
    Kept = 18,
    /// Mailboxes that ended and may not come back, by mailbox.
    Ended = 19,
    /// Hashes of sealed requests taken in lately.
    Seen = 20,
    /// Posts that are due, by number; sealed.
    Announcement = 21,
    /// Entries of boards, by matcher and bundle number; zeros in the place of those that are dropped.
    Bundle = 22,
    /// The newest checkpoint of each board, by matcher.
    Head = 23,
    /// Messages between mailboxes that are due on this matcher's board, by number, as they will stand there.
    Posting = 24,
    /// How many messages have been read over a pair of mailboxes, by a hash of the pair.
    Heard = 25,
    /// Requests of the API that were answered and must not be done twice, by a hash of the caller's mark on them.
    Answered = 26,
    /// Canaries, by epoch, a random number and matcher; sealed per matcher and epoch.
    Canary = 27,
    /// Messages whose receipt is there and that were not seen on their board yet, by matcher and request; sealed.
    Promised = 28,
    /// The day that the matcher's role goes by, under the empty key.
    MatcherDay = 29,
    /// Own complaints that have not been handled, by id; sealed.
    Complaint = 32,
    /// What came of others' complaints, by id.
    Judged = 33,
    /// Answers of both holders of trace keys, by matcher and submission; sealed.
    Traced = 34,
    /// The acknowledgements that came with the request answered last, by epoch and member.
    Vouched = 35,
    /// How many entries a board had at the end of a day on which it was read to its head, by matcher and day.
    BoardDay = 36,
    /// Leaf hashes of entries that are dropped, by matcher and bundle number.
    Dropped = 37,
    /// How far the coordination of each case is, by case id; sealed per case.
    Cooperation = 40,
    /// What was to be told about each case, by case id; sealed per case.
    Told = 41,
    /// What was told, over all cases, by number; sealed.
    Happening = 46,
    /// What waits for a webhook and how far it has come, by its name and the number of what happened; sealed.
    Delivery = 47,
    /// What waits to be mailed to somebody, by account; sealed.
    MailState = 48,
    /// Accounts of the partner's people, by id; sealed.
    Account = 42,
    /// Teams, by id; sealed.
    Team = 43,
    /// Sessions of people, by a hash of their id; sealed.
    Session = 44,
    /// How people of local accounts show who they are, by account; sealed.
    Credential = 45,
}

impl Table {
    /// The name that records are sealed under; never changed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Audit => "audit",
            Self::Checkpoint => "checkpoint",
            Self::Slot => "slot",
            Self::Case => "case",
            Self::Left => "left",
            Self::Match => "match",
            Self::OwnHeader => "own-header",
            Self::Header => "header",
            Self::Chain => "chain",
            Self::Answer => "answer",
            Self::Evidence => "evidence",
            Self::KeyRecord => "key-record",
            Self::KeyShare => "key-share",
            Self::Ceremony => "ceremony",
            Self::RelayChoice => "relay-choice",
            Self::WeeklyKey => "weekly-key",
            Self::Live => "live",
            Self::Kept => "kept",
            Self::Ended => "ended",
            Self::Seen => "seen",
            Self::Announcement => "announcement",
            Self::Bundle => "bundle",
            Self::Head => "head",
            Self::Posting => "posting",
            Self::Heard => "heard",
            Self::Answered => "answered",
            Self::Canary => "canary",
            Self::Promised => "promised",
            Self::Complaint => "complaint",
            Self::Judged => "judged",
            Self::Traced => "traced",
            Self::Vouched => "vouched",
            Self::BoardDay => "board-day",
            Self::Dropped => "dropped",
            Self::Cooperation => "cooperation",
            Self::Told => "told",
            Self::Happening => "happening",
            Self::Delivery => "delivery",
            Self::MailState => "mail-state",
            Self::MatcherDay => "matcher-day",
            Self::Account => "account",
            Self::Team => "team",
            Self::Session => "session",
            Self::Credential => "credential",
        }
    }
}

pub(super) fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(table as u8);
    full.extend_from_slice(key);
    full
}

/// Writes that happen together or not at all. The last write to a key counts.
#[derive(Default)]
pub struct Batch {
    writes: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// A batch without writes.
    #[must_use]
    pub const fn new() -> Self {
        Self { writes: Vec::new() }
    }

    /// Writes `value` under `key`, replacing what stood there.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push((table, key.into(), Some(value.into())));
    }

    /// Removes what stands under `key`, if anything.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.writes.push((table, key.into(), None));
    }

    /// Adds the writes of `other` after its own.
    pub fn merge(&mut self, other: Self) {
        self.writes.extend(other.writes);
    }

    /// Whether it writes to or removes from a table.
    #[must_use]
    pub fn touches(&self, table: Table) -> bool {
        self.writes.iter().any(|(touched, _, _)| *touched == table)
    }

    /// Number of writes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether it writes nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Checks that every key and value has a size the store takes.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for (table, key, value) in &self.writes {
            let value_len = value.as_ref().map_or(0, Vec::len);
            let sizes = [("key", key.len(), MAX_KEY_LEN), ("value", value_len, MAX_VALUE_LEN)];
            for (what, found, allowed) in sizes {
                if found > allowed {
                    return Err(StoreError::TooLong { what, table: *table, found, allowed });
                }
            }
        }
        Ok(())
    }

    /// Moves the writes into sled's batch.
    pub(super) fn write_to(self, batch: &mut sled::Batch) {
        for (table, key, value) in self.writes {
            match value {
                Some(value) => batch.insert(full_key(table, &key), value),
                None => batch.remove(full_key(table, &key)),
            }
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} writes)", self.writes.len())
    }
}

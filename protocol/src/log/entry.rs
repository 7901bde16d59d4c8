//! Entries of an audit log: what boards and witnesses may see (`docs/protocol.md` section 7.2).
//!
//! An entry holds no identifier of a person, no tag, mailbox, match id or request hash, and no text. Its leaf is a
//! salted commitment, so that a leaf says nothing to who does not hold the record. Not here: where records are kept.

use serde::{Deserialize, Serialize};

use super::merkle::{Hash, leaf_hash};
use crate::codec::{Wire, encode};
use crate::crypto::sha256;
use crate::field::join;
use crate::id::byte_id;
use crate::label;
use crate::time::Timestamp;

byte_id! {
    /// Who acted, by a pseudonym that means something within one log only.
    Actor, 16
}
byte_id! {
    /// What was acted on, by a random reference that means something within one log only.
    Object, 16
}
byte_id! {
    /// What makes a leaf tell nothing about its entry.
    Salt, 16
}

/// A quarter of an hour, counted from 1970-01-01 UTC. Finer times in a log that others read would show them which
/// entries of several logs belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quarter(u64);

/// Seconds in a [`Quarter`].
pub const QUARTER_SECS: u64 = 900;

impl Quarter {
    /// The quarter in which `time` falls.
    #[must_use]
    pub const fn of(time: Timestamp) -> Self {
        Self(time.secs() / QUARTER_SECS)
    }

    /// Its first second.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp::from_secs(self.0.saturating_mul(QUARTER_SECS))
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The node started or stopped.
    Service,
    /// Someone signed in or out.
    SignIn,
    /// Someone asked for what they may not have.
    AccessRefused,
    /// Case data was read.
    CaseRead,
    /// Case data was entered, changed, withdrawn or erased.
    CaseChanged,
    /// An answer to a person who asked what is held about them.
    AccessRequest,
    /// Inputs were given to the key holders.
    EvaluationAsked,
    /// Inputs of a member were evaluated.
    EvaluationAnswered,
    /// A submission went out.
    SubmissionSent,
    /// A member's sealed request was passed on.
    SubmissionRelayed,
    /// A submission came in.
    SubmissionReceived,
    /// Submissions met.
    Meeting,
    /// Messages were appended to the board.
    BoardPosted,
    /// A board was read up to its head.
    BoardRead,
    /// Another partner learned something.
    Disclosure,
    /// A step of the coordination.
    Coordination,
    /// A ticket was opened.
    Trace,
    /// A covenant was proposed, signed or came into force.
    Covenant,
    /// Keys were made, used up or destroyed.
    Key,
    /// A checkpoint of another log was cosigned.
    Witness,
    /// Data left the node for a board or an operator.
    Export,
    /// The configuration changed.
    Configuration,
    /// A backup was made or restored.
    Backup,
    /// Proof of a member's violation was kept; with outcome failed, one was noticed and is not proven, or not yet.
    Evidence,
    /// A complaint about a submission was made, or judged.
    Complaint,
    /// A crowd was reported, or ruled on.
    Crowd,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As asked.
    Done,
    /// As asked, and nothing was found.
    Nothing,
    /// Not allowed.
    Refused,
    /// Tried in vain.
    Failed,
}

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub time: Quarter,
    /// What.
    pub kind: Kind,
    /// Who; none for the node itself.
    pub actor: Option<Actor>,
    /// On what, where there is one thing.
    pub object: Option<Object>,
    /// How many of whatever the kind counts.
    pub count: u32,
    /// How it ended.
    pub outcome: Outcome,
}

impl Wire for Entry {
    const MAX_LEN: usize = 160;
}

/// An entry with the salt that opens its leaf: what is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Drawn for this entry alone.
    pub salt: Salt,
    /// What happened.
    pub entry: Entry,
}

impl Wire for Record {
    const MAX_LEN: usize = 200;
}

impl Record {
    /// The leaf by which the log holds this record.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(&sha256(&join(&[label::AUDIT, self.salt.as_bytes(), &encode(&self.entry)])))
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Entry, Kind, Object, Outcome, Quarter, Record, Salt};
    use crate::codec::{Wire, decode, encode};
    use crate::time::Timestamp;

    fn record() -> Record {
        let entry = Entry {
            time: Quarter::of(Timestamp::from_secs(1_800_000_899)),
            kind: Kind::EvaluationAnswered,
            actor: Some(Actor::from_bytes([1; 16])),
            object: None,
            count: 256,
            outcome: Outcome::Done,
        };
        Record { salt: Salt::from_bytes([2; 16]), entry }
    }

    #[test]
    fn the_bytes_and_leaf_of_a_record() {
        let bytes = encode(&record());
        assert_eq!(
            hex::encode(&bytes),
            concat!(
                "01a26473616c74500202020202020202020202020202020265656e747279",
                "a66474696d651a001e8480646b696e64736576616c756174696f6e2d616e737765726564656163746f725001010101010101010101010101010101666f626a656374f665636f756e74190100676f7574636f6d6564646f6e65"
            )
        );
        assert_eq!(
            record().leaf().to_string(),
            "96a5d58cdfa2efec3314cee4bed0f68f075b8fdc03475169f224f4a8914b488b"
        );
        assert_eq!(decode::<Record>(&bytes), Ok(record()));
    }

    #[test]
    fn the_longest_record_fits_and_every_field_counts() {
        let mut longest = record();
        longest.entry.object = Some(Object::from_bytes([3; 16]));
        longest.entry.time = Quarter(u64::MAX);
        longest.entry.count = u32::MAX;
        longest.entry.outcome = Outcome::Nothing;
        assert!(encode(&longest).len() <= Record::MAX_LEN && encode(&longest.entry).len() <= Entry::MAX_LEN);
        let mut leaves = vec![record().leaf()];
        for change in [
            |r: &mut Record| r.salt = Salt::from_bytes([9; 16]),
            |r: &mut Record| r.entry.time = Quarter(1),
            |r: &mut Record| r.entry.kind = Kind::Meeting,
            |r: &mut Record| r.entry.actor = None,
            |r: &mut Record| r.entry.object = Some(Object::from_bytes([1; 16])),
            |r: &mut Record| r.entry.count = 1,
            |r: &mut Record| r.entry.outcome = Outcome::Refused,
        ] {
            let mut changed = record();
            change(&mut changed);
            assert!(!leaves.contains(&changed.leaf()));
            leaves.push(changed.leaf());
        }
    }

    #[test]
    fn times_are_quarters() {
        assert_eq!(record().entry.time.start(), Timestamp::from_secs(1_800_000_000));
        let _ = Quarter(u64::MAX).start();
    }
}

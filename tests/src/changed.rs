//! Changed software: what the program `changed-node` does to the messages of a node, and what it keeps of them.
//!
//! Everything else in such a node is the product's own code, so that what it changes is all that is wrong with it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use kring_node::config::Config;
use kring_node::network::{Family, Passing, Tap, Way};
use rustix::process::{Signal, getpid, kill_process};

use crate::impostor::Member;

mod board;
mod ceremony;
mod evaluation;
mod forward;

/// Names a [`Change`].
pub const CHANGE: &str = "TEST_CHANGE";
/// Names the one member that is treated so; all are if it is not set.
pub const ONLY_TO: &str = "TEST_CHANGE_ONLY_TO";
/// The number of the message, both ways counted from the start, at which the node kills itself as a power cut would.
pub const DIES_AT: &str = "TEST_DIES_AT";
/// Names a directory in which all messages are recorded.
pub const RECORD: &str = "TEST_RECORD";
/// What [`Change::Leak`] leaks.
pub const LEAK: &str = "TEST_LEAK";
/// Stands in the log of a node that has done what it should not.
pub const DID: &str = "changed a message";

/// What the software does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// A member that sends a text in clear, once, to its relay.
    Leak,
    /// A member that leaves nothing: it has its subject keys made, and does not show that it looks.
    LeavesNothing,
    /// A key holder that evaluates to another element, and signs.
    WrongElement,
    /// A key holder that proves something else, and signs.
    WrongProof,
    /// A key holder that gives a share which does not fit its commitment, and signs it.
    WrongShare,
    /// A key holder that commits to something else towards some, and signs it.
    TwoFaced,
    /// A key holder that confirms a ceremony before it can know what comes of it.
    EarlyConfirmation,
    /// A relay that loses what it should pass on.
    RelayDrops,
    /// A relay that keeps open what it should pass on.
    RelayHolds,
    /// A matcher that keeps open what relays bring.
    MatcherHolds,
    /// A relay that alters what is sealed, and signs.
    RelayAlters,
    /// A relay that answers with what the matcher said to an earlier submission.
    RelayReplays,
    /// A relay whose tickets hold nobody's signature.
    FalseTickets,
    /// A matcher whose receipts do not open.
    GarbageReceipts,
    /// A matcher that signs for a smaller board than it has shown.
    ShrunkBoard,
    /// A matcher that signs for a board with another past than it has shown.
    ForkedBoard,
    /// A matcher whose board somebody else has signed for.
    ForeignCheckpoint,
    /// A member that shows hashes in the place of entries that others still need.
    EarlyHashes,
    /// A matcher that says that there is nothing new, without waiting for it.
    NothingAtOnce,
    /// A matcher that says that there is nothing new when there is.
    HiddenBoard,
}

impl Change {
    const ALL: [Self; 21] = [
        Self::Nothing,
        Self::Leak,
        Self::LeavesNothing,
        Self::WrongElement,
        Self::WrongProof,
        Self::WrongShare,
        Self::TwoFaced,
        Self::EarlyConfirmation,
        Self::RelayDrops,
        Self::RelayHolds,
        Self::MatcherHolds,
        Self::RelayAlters,
        Self::RelayReplays,
        Self::FalseTickets,
        Self::GarbageReceipts,
        Self::ShrunkBoard,
        Self::ForkedBoard,
        Self::ForeignCheckpoint,
        Self::EarlyHashes,
        Self::NothingAtOnce,
        Self::HiddenBoard,
    ];
}

/// What becomes of a message.
enum Fate {
    Unchanged,
    Changed(Vec<u8>),
    Lost,
}

/// The tap of a changed node.
#[derive(Debug)]
pub struct ChangedNode {
    member: Member,
    change: Change,
    only_to: Option<String>,
    record: Option<PathBuf>,
    /// Messages until it dies.
    left: Option<AtomicU64>,
    memory: Mutex<Memory>,
}

/// What it remembers of earlier messages.
#[derive(Debug, Default)]
struct Memory {
    leaked: bool,
    outcomes: Option<Vec<u8>>,
    board: Vec<u8>,
}

impl ChangedNode {
    /// As the environment says.
    ///
    /// # Errors
    /// When it names no change, or the node's keys cannot be read.
    pub fn from_environment(config: &Config) -> Result<Self, Box<dyn std::error::Error>> {
        let name = std::env::var(CHANGE).unwrap_or_else(|_| format!("{:?}", Change::Nothing));
        let change = Change::ALL.into_iter().find(|change| format!("{change:?}") == name);
        let record = std::env::var_os(RECORD).map(PathBuf::from);
        if let Some(dir) = &record {
            fs::create_dir_all(dir)?;
        }
        Ok(Self {
            member: Member::from_config(config),
            change: change.ok_or_else(|| format!("{CHANGE}: there is no {name}"))?,
            only_to: std::env::var(ONLY_TO).ok(),
            record,
            left: std::env::var(DIES_AT).ok().map(|at| at.parse().map(AtomicU64::new)).transpose()?,
            memory: Mutex::default(),
        })
    }

    fn fate(&self, passing: Passing<'_>, bytes: &[u8]) -> Fate {
        if self.only_to.as_ref().is_some_and(|only| only != passing.peer.as_str()) {
            return Fate::Unchanged;
        }
        let memory = &mut *self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match (self.change, passing.family, passing.way) {
            (Change::Leak, Family::Forward, Way::RequestOut) if !memory.leaked => {
                memory.leaked = true;
                std::env::var(LEAK).ok().map(String::into_bytes)
            }
            (Change::LeavesNothing, Family::Forward, Way::RequestOut) if forward::is_for_a_relay(bytes) => {
                return Fate::Lost;
            }
            (Change::WrongElement | Change::WrongProof, Family::Evaluate, Way::AnswerOut) => {
                evaluation::wrong(self.change, &self.member, bytes)
            }
            (
                Change::WrongShare | Change::TwoFaced | Change::EarlyConfirmation,
                Family::Ceremony,
                Way::AnswerOut,
            ) => ceremony::wrong(self.change, &self.member, bytes),
            (Change::EarlyConfirmation, Family::Ceremony, Way::AnswerIn) => {
                ceremony::without_confirmations(bytes)
            }
            (Change::RelayDrops, Family::Forward, Way::RequestIn) if forward::is_for_a_relay(bytes) => {
                return Fate::Lost;
            }
            (Change::RelayAlters, Family::Forward, Way::RequestOut) => {
                forward::altered(&self.member, passing.peer, bytes)
            }
            (Change::FalseTickets, Family::Forward, Way::RequestOut) => {
                forward::with_false_tickets(&self.member, passing.peer, bytes)
            }
            (Change::RelayReplays, Family::Forward, Way::AnswerOut) => {
                forward::replayed(&mut memory.outcomes, bytes)
            }
            (Change::GarbageReceipts, Family::Forward, Way::AnswerOut) => forward::garbage(bytes),
            (
                Change::ShrunkBoard | Change::ForkedBoard | Change::ForeignCheckpoint,
                Family::Board,
                Way::AnswerOut,
            ) => board::wrong(self.change, &self.member, &mut memory.board, bytes),
            (Change::EarlyHashes, Family::Board, Way::AnswerOut) => board::hashes(bytes),
            (Change::HiddenBoard, Family::Board, Way::AnswerOut) => board::hidden(&self.member, bytes),
            (Change::NothingAtOnce, Family::Board, Way::RequestIn) => board::without_waiting(bytes),
            _ => None,
        };
        changed.map_or(Fate::Unchanged, Fate::Changed)
    }

    /// Dies before the message goes on: what came before it has been done, this one has not.
    fn count(&self) {
        let Some(left) = &self.left else { return };
        if left.fetch_sub(1, Ordering::Relaxed) <= 1 {
            kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        }
    }

    fn record(&self, passing: Passing<'_>, bytes: &[u8]) {
        let Some(dir) = &self.record else { return };
        // One call at a time: the network's event loop is one task.
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(dir.join(file_name(passing.family, passing.way)))
            .expect("the directory of the recording can be written");
        let length = u32::try_from(bytes.len()).expect("messages are limited").to_be_bytes();
        file.write_all(&[&length, bytes].concat()).expect("the recording can be written");
    }
}

impl Tap for ChangedNode {
    fn pass(&self, passing: Passing<'_>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.count();
        let comes_in = matches!(passing.way, Way::RequestIn | Way::AnswerIn);
        if comes_in {
            self.record(passing, &bytes);
        }
        let bytes = match self.fate(passing, &bytes) {
            Fate::Unchanged => Some(bytes),
            fate => {
                tracing::info!(change = ?self.change, peer = %passing.peer, way = ?passing.way, "{DID}");
                match fate {
                    Fate::Changed(bytes) => Some(bytes),
                    _ => None,
                }
            }
        };
        if let (false, Some(bytes)) = (comes_in, &bytes) {
            self.record(passing, bytes);
        }
        bytes
    }

    fn holds(&self, passing: Passing<'_>, request: &[u8]) -> bool {
        let holds = passing.family == Family::Forward
            && match self.change {
                Change::RelayHolds => forward::is_for_a_relay(request),
                Change::MatcherHolds => !forward::is_for_a_relay(request),
                _ => false,
            };
        if holds {
            tracing::info!(change = ?self.change, peer = %passing.peer, "{DID}");
        }
        holds
    }
}

fn file_name(family: Family, way: Way) -> String {
    let family = family.protocol().split('/').nth(2).expect("/kring/NAME/VERSION");
    format!("{family}.{way:?}")
}

/// The messages that a node recorded in `dir`.
///
/// # Panics
/// When the recording is damaged.
#[must_use]
pub fn recorded(dir: &Path, family: Family, way: Way) -> Vec<Vec<u8>> {
    let bytes = fs::read(dir.join(file_name(family, way))).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut messages = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (message, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(message.to_vec());
        rest = after;
    }
    messages
}

//! Messages of `/kring/trace/1` (section 13.5).

use serde::{Deserialize, Serialize};

use super::crowd::{Crowd, Ruling, Verdict};
use super::opening::{Answer, Half};
use super::record::Disclosed;
use super::{Refusal, SignedComplaint};
use crate::codec::Wire;

/// Requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A member to the second holder of trace keys.
    Complain(Box<SignedComplaint>),
    /// The second holder to the matcher: what it kept of both submissions of this complaint.
    Kept(Box<SignedComplaint>),
    /// The second holder to the first: a founded complaint.
    Open(Box<OpenComplaint>),
    /// A matcher to the second holder.
    Crowd(Box<Crowd>),
    /// The second holder to the first: a crowd.
    Rule(Box<OpenCrowd>),
}

/// A complaint with all that the first holder needs to judge it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenComplaint {
    /// What is complained.
    pub complaint: SignedComplaint,
    /// What the matcher kept: of the complainant's own submission, and of the other.
    pub records: [Disclosed; 2],
    /// The second holder's part.
    pub half: Half,
}

/// A crowd with the second holder's part of every ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCrowd {
    /// The report.
    pub crowd: Crowd,
    /// One for each of its records.
    pub halves: Vec<Half>,
}

impl Wire for Request {
    const MAX_LEN: usize = 704 << 10;
}

/// Answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// The complaint was handled; nobody but the holders learns how.
    Handled,
    /// What the matcher kept of the complainant's own submission, and of the other.
    Kept(Box<[Disclosed; 2]>),
    /// Who left it.
    Answer(Box<Answer>),
    /// The first holder's ruling.
    Verdict(Box<Verdict>),
    /// Both holders' ruling.
    Ruling(Box<Ruling>),
    /// It is not done.
    Refused(Refusal),
}

impl Wire for Response {
    const MAX_LEN: usize = 704 << 10;
}

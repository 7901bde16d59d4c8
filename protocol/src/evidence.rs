//! Evidence: who did what against which rule, for anyone to check with the covenant alone (`docs/protocol.md` section
//! 7.5).
//!
//! Every record holds what the accused signed, and nothing that somebody else merely says. So an honest member cannot be
//! convicted, whoever makes the record. It holds nothing about persons: no identifier, no case, no name of anyone but
//! members.
//!
//! Not here: where violations are noticed, and what a board makes of a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ceremony::Abort;
use crate::codec::Wire;
use crate::covenant::VerifiedCovenant;
use crate::crypto::sha256;
use crate::evaluation::Fraud;
use crate::field::join;
use crate::id::{MemberId, NetworkId, byte_id};
use crate::label;
use crate::sign::VerifyingKey;
use crate::submission::Destination;
use crate::time::Day;

mod board;
mod canary;
mod evaluation;
mod submission;

pub use board::{Continues, Fork, LogOf};
pub use canary::{ReceiptedTwice, Revived, Withheld};
pub use evaluation::{PartsHash, ServedTwice, Statement, WrongEvaluation, WrongPart};
pub use submission::{
    BrokenPromise, FalseTicket, Invented, Kept, Misposted, SealKey, SharedReference, SignedHello,
};

/// How long after a receipt's day what it promised may be missing from a head that the matcher itself timed, in seconds:
/// the merge delay.
pub const MERGE_DELAY_SECS: u64 = 3_600;

/// Most bytes of a record.
pub const EVIDENCE_MAX: usize = 1 << 20;

/// One violation, with the network whose covenant it is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The network.
    pub network: NetworkId,
    /// What was done.
    pub violation: Violation,
}

impl Wire for Evidence {
    const MAX_LEN: usize = EVIDENCE_MAX;
}

/// What a member did. One kind for every rule whose breach can be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// A member signed two headers that cannot stand in one chain.
    Headers(Box<Fraud>),
    /// A key holder served two headers that cannot stand in one chain.
    ServedTwice(Box<ServedTwice>),
    /// A key holder signed a wrong evaluation.
    Evaluation(Box<WrongEvaluation>),
    /// A key holder stopped a ceremony by what it signed.
    Ceremony(Box<Abort>),
    /// A member signed two heads of one log of which neither continues the other.
    Fork(Box<Fork>),
    /// A matcher did not post what it had given a receipt for.
    Promise(Box<BrokenPromise>),
    /// A matcher posted another hello than was left.
    Misposted(Box<Misposted>),
    /// A matcher says that it has a submission from a relay that did not sign it.
    Invented(Box<Invented>),
    /// A relay's ticket does not name who left a submission.
    Ticket(Box<FalseTicket>),
    /// Two members signed hellos with one reference.
    References(Box<SharedReference>),
    /// A matcher did not introduce two live submissions with one tag.
    Withheld(Box<Withheld>),
    /// A matcher introduced a submission that had been withdrawn.
    Revived(Box<Revived>),
}

byte_id! {
    /// What a record of evidence is about: two records about the same act of the same members have the same.
    Subject, 16
}

/// What a record proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The kind of violation, as in the record.
    pub kind: &'static str,
    /// Who did it. Where there are two, one of them did, and the record does not say which.
    pub members: Vec<MemberId>,
    /// The section of `docs/protocol.md` that has the rule.
    pub section: &'static str,
    /// When, as far as what was signed says so.
    pub day: Option<Day>,
    /// What was done, in words, to stand after "who".
    pub deed: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.members.iter().map(MemberId::as_str).collect();
        write!(f, "{} {}", members.join(" or "), self.deed)?;
        if let Some(day) = self.day {
            write!(f, ", on {day}")?;
        }
        write!(f, " (protocol section {})", self.section)
    }
}

/// Why a record proves nothing under this covenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// It is about another network than the covenant's.
    #[error("it is about another network; check it against that network's covenant")]
    Network,
    /// It names someone who is no member, or not in the role that it is about.
    #[error("{0} has no such role in this covenant")]
    Role(MemberId),
    /// Something in it is not signed by whom it accuses.
    #[error("what it shows is not signed by whom it accuses")]
    Signature,
    /// What it shows is against no rule, or could have come about honestly.
    #[error("what it shows is against no rule")]
    Allowed,
    /// Its parts do not belong together.
    #[error("its parts do not belong together")]
    Unfitting,
}

impl Violation {
    /// The kind, as the record's bytes name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Headers(_) => "headers",
            Self::ServedTwice(_) => "served-twice",
            Self::Evaluation(_) => "evaluation",
            Self::Ceremony(_) => "ceremony",
            Self::Fork(_) => "fork",
            Self::Promise(_) => "promise",
            Self::Misposted(_) => "misposted",
            Self::Invented(_) => "invented",
            Self::Ticket(_) => "ticket",
            Self::References(_) => "references",
            Self::Withheld(_) => "withheld",
            Self::Revived(_) => "revived",
        }
    }

    /// Whom it accuses; says nothing of its being proven.
    #[must_use]
    pub fn accused(&self) -> &MemberId {
        match self {
            Self::Headers(it) => &it.known.header.member,
            Self::ServedTwice(it) => &it.holder,
            Self::Evaluation(it) => &it.holder,
            Self::Ceremony(it) => &it.culprit,
            Self::Fork(it) => it.log.member(),
            Self::Promise(it) => &it.matcher,
            Self::Misposted(it) => &it.matcher,
            Self::Invented(it) => &it.matcher,
            Self::Ticket(it) => &it.relay,
            Self::References(it) => &it.first.member,
            Self::Withheld(it) => &it.matcher,
            Self::Revived(it) => &it.matcher,
        }
    }

    /// What tells this act from others of the same member and kind.
    fn act(&self) -> Vec<u8> {
        match self {
            Self::Headers(it) => place(&it.known.header),
            // However often it helped to carry on with both sides of a fork.
            Self::ServedTwice(it) => {
                let header = &it.second.header;
                join(&[header.member.as_bytes(), &header.epoch.to_be_bytes()])
            }
            Self::Evaluation(it) => it.header.hash().as_bytes().to_vec(),
            Self::Ceremony(it) => it.session().map_or_else(Vec::new, |session| session.as_bytes().to_vec()),
            Self::Fork(it) => it.log.kind().to_vec(),
            Self::Promise(it) => it.promise.sealed.as_bytes().to_vec(),
            Self::Misposted(it) => it.promise.sealed.as_bytes().to_vec(),
            Self::Invented(it) => it.kept.passed.sealed.as_bytes().to_vec(),
            Self::Ticket(it) => it.passed.sealed.as_bytes().to_vec(),
            Self::References(it) => it.second.member.as_bytes().to_vec(),
            Self::Withheld(it) => it.plan.seed.as_bytes().to_vec(),
            Self::Revived(it) => it.plan.seed.as_bytes().to_vec(),
        }
    }
}

/// Where a header stands: member, epoch, number.
fn place(header: &crate::evaluation::Header) -> Vec<u8> {
    join(&[header.member.as_bytes(), &header.epoch.to_be_bytes(), &header.seq.to_be_bytes()])
}

impl Evidence {
    /// What it is about, so that one act is kept once.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let Self { network, violation } = self;
        let (kind, accused, act) = (violation.kind().as_bytes(), violation.accused(), violation.act());
        let hash = sha256(&join(&[label::EVIDENCE, network.as_bytes(), kind, accused.as_bytes(), &act]));
        Subject::try_from(&hash[..Subject::LEN]).expect("16 of 32 bytes")
    }

    /// Checks it against the covenant alone.
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn check(&self, covenant: &VerifiedCovenant) -> Result<Verdict, NotProven> {
        if self.network != covenant.network() {
            return Err(NotProven::Network);
        }
        let court = Court { covenant };
        let (members, section, day, deed) = match &self.violation {
            Violation::Headers(it) => evaluation::headers(it, &court)?,
            Violation::ServedTwice(it) => it.check(&court)?,
            Violation::Evaluation(it) => it.check(&court)?,
            Violation::Ceremony(it) => {
                if !it.proves(covenant) {
                    return Err(NotProven::Unfitting);
                }
                (vec![it.culprit.clone()], "3.4", None, format!("{} and stopped a key ceremony", it.fault))
            }
            Violation::Fork(it) => it.check(&court)?,
            Violation::Promise(it) => it.check(&court)?,
            Violation::Misposted(it) => it.check(&court)?,
            Violation::Invented(it) => it.check(&court)?,
            Violation::Ticket(it) => it.check(&court)?,
            Violation::References(it) => it.check(&court)?,
            Violation::Withheld(it) => it.check(&court)?,
            Violation::Revived(it) => it.check(&court)?,
        };
        Ok(Verdict { kind: self.violation.kind(), members, section, day, deed })
    }
}

/// Who, against which section, when, what.
type Finding = (Vec<MemberId>, &'static str, Option<Day>, String);

/// What records are checked against.
struct Court<'a> {
    covenant: &'a VerifiedCovenant,
}

impl Court<'_> {
    fn network(&self) -> NetworkId {
        self.covenant.network()
    }

    fn key(&self, member: &MemberId) -> Result<VerifyingKey, NotProven> {
        let card = self.covenant.member(member).ok_or_else(|| NotProven::Role(member.clone()))?;
        Ok(card.signing_key)
    }

    fn key_holder(&self, member: &MemberId) -> Result<VerifyingKey, NotProven> {
        self.in_role(member, &self.covenant.key_holders)
    }

    fn matcher(&self, member: &MemberId) -> Result<(Destination, VerifyingKey), NotProven> {
        let key = self.in_role(member, &self.covenant.matchers)?;
        Ok((Destination { network: self.network(), matcher: member.clone() }, key))
    }

    fn in_role(&self, member: &MemberId, role: &[MemberId]) -> Result<VerifyingKey, NotProven> {
        if role.contains(member) { self.key(member) } else { Err(NotProven::Role(member.clone())) }
    }
}

#[cfg(test)]
mod tests;

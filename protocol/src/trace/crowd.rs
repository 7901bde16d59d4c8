//! Crowds: a matcher's report of a tag with too many submissions, and the ruling of both holders of trace keys on it
//! (section 13.4).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::opening::{Answer, CrowdId, Finding, Half, How, Trial, Why};
use super::record::{BadRecord, Disclosed};
use crate::codec::Wire;
use crate::covenant::{Covenant, VerifiedCovenant};
use crate::crypto::sha256;
use crate::evidence::Violation;
use crate::field::join;
use crate::id::{MemberId, NetworkId};
use crate::label;
use crate::meeting::CROWD;
use crate::sealing::{ExchangeKey, ExchangeSecret};
use crate::sign::{BadSignature, Signature, SigningKey};
use crate::submission::{Destination, Leave};
use crate::time::Day;

/// Most submissions of one report.
pub const REPORT_MAX: usize = 256;

/// All live submissions of one tag, with what the matcher kept of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// The network.
    pub network: NetworkId,
    /// Whose crowd.
    pub matcher: MemberId,
    /// When all of them were live.
    pub day: Day,
    /// 17 to [`REPORT_MAX`].
    pub records: Vec<Disclosed>,
    /// The matcher's, over the hashes of all, in order.
    pub signature: Signature,
}

impl Wire for Crowd {
    const MAX_LEN: usize = 640 << 10;
}

impl Crowd {
    /// The matcher's report.
    #[must_use]
    pub fn sign(records: Vec<Disclosed>, destination: &Destination, day: Day, key: &SigningKey) -> Self {
        let Destination { network, matcher } = destination.clone();
        let signature = Signature::from_bytes([0; 64]);
        let mut crowd = Self { network, matcher, day, records, signature };
        crowd.signature = key.sign_bytes(&crowd.signed_bytes());
        crowd
    }

    /// `"kring/crowd/v1" || network || matcher || day || join(SHA-256(sealed) of each)`
    fn signed_bytes(&self) -> Vec<u8> {
        let hashes: Vec<&[u8]> =
            self.records.iter().map(|record| record.kept.passed.sealed.as_bytes().as_slice()).collect();
        let (day, hashes) = (self.day.to_be_bytes(), sha256(&join(&hashes)));
        join(&[label::CROWD, self.network.as_bytes(), self.matcher.as_bytes(), &day, &hashes])
    }

    /// Why the tickets of this report are opened.
    #[must_use]
    pub fn why(&self) -> Why {
        let id = CrowdId::try_from(&sha256(&self.signed_bytes())[..CrowdId::LEN]).expect("16 of 32 bytes");
        Why::Crowd { id, submissions: u32::try_from(self.records.len()).unwrap_or(u32::MAX) }
    }

    /// Checks that there is a crowd: enough submissions, all of one tag, each signed for by its relay, none ended or in
    /// the place of another.
    ///
    /// # Errors
    /// The refusal, with proof where the matcher invented one.
    pub fn check(&self, covenant: &VerifiedCovenant) -> Result<Vec<Leave>, BadCrowd> {
        let is_matcher = covenant.matchers.contains(&self.matcher) && self.network == covenant.network();
        let card = covenant.member(&self.matcher).filter(|_| is_matcher).ok_or(Refusal::Role)?;
        let signed = card.signing_key.verify_bytes(&self.signed_bytes(), &self.signature);
        signed.map_err(|_| Refusal::Signature)?;
        if self.records.len() <= CROWD || self.records.len() > REPORT_MAX {
            return Err(Refusal::Unfounded.into());
        }
        let destination = Destination { network: self.network, matcher: self.matcher.clone() };
        let mut leaves: Vec<Leave> = Vec::new();
        for record in &self.records {
            match record.check(&destination, covenant) {
                Ok(leave) => leaves.push(leave),
                Err(BadRecord::Invented(invented)) => {
                    return Err(BadCrowd::Proven(Violation::Invented(invented)));
                }
                Err(BadRecord::Unfitting) => return Err(Refusal::Malformed.into()),
            }
        }
        let mailboxes: BTreeSet<_> = leaves.iter().map(|leave| leave.mailbox).collect();
        let one_tag = leaves.iter().all(|leave| leave.tag == leaves[0].tag);
        let live =
            leaves.iter().all(|leave| leave.expiry >= self.day && !is_replaced(leave, &leaves, &destination));
        if mailboxes.len() == leaves.len() && one_tag && live {
            Ok(leaves)
        } else {
            Err(Refusal::Unfounded.into())
        }
    }

    fn trial<'a>(&'a self, covenant: &'a VerifiedCovenant, place: usize, why: &'a Why) -> Trial<'a> {
        Trial { covenant, matcher: &self.matcher, kept: &self.records[place].kept, why }
    }

    /// The second holder's part of every ticket.
    #[must_use]
    pub fn half_open(
        &self,
        covenant: &VerifiedCovenant,
        secret: &ExchangeSecret,
        signing: &SigningKey,
        day: Day,
    ) -> Vec<Half> {
        let why = self.why();
        (0..self.records.len())
            .map(|place| self.trial(covenant, place, &why).half_open(secret, signing, day))
            .collect()
    }

    /// The first holder's part: opens all, and rules. Only what names a breach leaves this function.
    ///
    /// # Errors
    /// [`BadCrowd`], also when the second holder's part does not belong to the report.
    pub fn rule(
        &self,
        halves: &[Half],
        covenant: &VerifiedCovenant,
        secret: &ExchangeSecret,
        signing: &SigningKey,
    ) -> Result<Verdict, BadCrowd> {
        let leaves = self.check(covenant)?;
        if halves.len() != leaves.len() {
            return Err(Refusal::Malformed.into());
        }
        let why = self.why();
        let mut by_sender: BTreeMap<MemberId, Vec<(ExchangeKey, Answer, How)>> = BTreeMap::new();
        for (place, (half, leave)) in halves.iter().zip(&leaves).enumerate() {
            let answer = self.trial(covenant, place, &why).open(half, secret, signing)?;
            let Finding { sender, how } = answer.check(covenant).map_err(|_| Refusal::Signature)?;
            by_sender.entry(sender).or_default().push((leave.mailbox, answer, how));
        }
        let (mut answers, mut removed, mut cleared) = (Vec::new(), Vec::new(), Vec::new());
        for found in by_sender.into_values() {
            let signed = found.iter().filter(|(_, _, how)| *how == How::Signed).count();
            for (mailbox, answer, how) in found {
                if signed > 1 || how != How::Signed {
                    removed.push(mailbox);
                    answers.push(answer);
                } else {
                    cleared.push(mailbox);
                }
            }
        }
        cleared.sort_unstable();
        let by = HolderSignatures::new(&removed, &cleared, &self.destination(), signing);
        Ok(Verdict { removed, answers, cleared, by })
    }

    fn destination(&self) -> Destination {
        Destination { network: self.network, matcher: self.matcher.clone() }
    }

    /// The second holder's check of a verdict, before it signs too: every submission is ruled on once, and each that is
    /// removed has an answer that names a breach.
    ///
    /// # Errors
    /// [`Refusal::Signature`].
    pub fn accept(
        &self,
        verdict: &Verdict,
        halves: &[Half],
        covenant: &VerifiedCovenant,
        signing: &SigningKey,
    ) -> Result<Ruling, BadCrowd> {
        let leaves = self.check(covenant)?;
        let Verdict { removed, answers, cleared, by } = verdict;
        let all: BTreeSet<_> = leaves.iter().map(|leave| leave.mailbox).collect();
        let ruled: BTreeSet<_> = removed.iter().chain(cleared).copied().collect();
        if all != ruled || removed.len() + cleared.len() != all.len() || answers.len() != removed.len() {
            return Err(Refusal::Signature.into());
        }
        let why = self.why();
        let mut signed: BTreeMap<MemberId, u32> = BTreeMap::new();
        for (mailbox, answer) in removed.iter().zip(answers) {
            let place =
                leaves.iter().position(|leave| leave.mailbox == *mailbox).ok_or(Refusal::Signature)?;
            let half = halves.get(place).ok_or(Refusal::Malformed)?;
            let found = self.trial(covenant, place, &why).accept(half, answer);
            let found = found.map_err(|_| Refusal::Signature)?;
            if found.how == How::Signed {
                *signed.entry(found.sender).or_default() += 1;
            }
        }
        if signed.values().any(|&count| count < 2) {
            return Err(Refusal::Signature.into());
        }
        let second = HolderSignatures::new(removed, cleared, &self.destination(), signing);
        let ruling = Ruling { removed: removed.clone(), cleared: cleared.clone(), by: [by.clone(), second] };
        ruling.verify(&self.destination(), covenant)?;
        Ok(ruling)
    }
}

/// Why a report leads to no ruling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadCrowd {
    /// It is refused.
    Refused(Refusal),
    /// The matcher invented a submission, and this proves it.
    Proven(Violation),
}

impl From<Refusal> for BadCrowd {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Whether another of them took its place, with its owner's consent: then both are not live at once.
fn is_replaced(leave: &Leave, all: &[Leave], destination: &Destination) -> bool {
    all.iter().filter_map(|other| other.replaces.as_ref().map(|replaces| (other, replaces))).any(
        |(other, replaces)| {
            replaces.mailbox == leave.mailbox
                && destination.verify_replaces(&leave.withdraw_key, replaces, &other.mailbox).is_ok()
        },
    )
}

/// The first holder's ruling, with the answers that name a breach: one for each that is removed, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Mailboxes of members with several, and of relays with false tickets.
    pub removed: Vec<ExchangeKey>,
    /// Who left each of those.
    pub answers: Vec<Answer>,
    /// The rest.
    pub cleared: Vec<ExchangeKey>,
    /// The first holder's.
    pub by: HolderSignatures,
}

/// One holder's signatures on a ruling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderSignatures {
    /// One for each removal, so that it can be shown to who met the removed one.
    pub removals: Vec<Signature>,
    /// On all of it.
    pub ruling: Signature,
}

impl HolderSignatures {
    pub(super) fn new(
        removed: &[ExchangeKey],
        cleared: &[ExchangeKey],
        destination: &Destination,
        key: &SigningKey,
    ) -> Self {
        let removals = removed.iter().map(|mailbox| key.sign_bytes(&removal_bytes(destination, mailbox)));
        Self {
            removals: removals.collect(),
            ruling: key.sign_bytes(&ruling_bytes(destination, removed, cleared)),
        }
    }
}

/// `"kring/removal/v1" || network || matcher || mailbox`
fn removal_bytes(destination: &Destination, mailbox: &ExchangeKey) -> Vec<u8> {
    let Destination { network, matcher } = destination;
    join(&[label::REMOVAL, network.as_bytes(), matcher.as_bytes(), mailbox.as_bytes()])
}

/// `"kring/ruling/v1" || network || matcher || SHA-256(join(removed)) || SHA-256(join(cleared))`
fn ruling_bytes(destination: &Destination, removed: &[ExchangeKey], cleared: &[ExchangeKey]) -> Vec<u8> {
    let hash = |mailboxes: &[ExchangeKey]| {
        sha256(&join(&mailboxes.iter().map(|mailbox| mailbox.as_bytes().as_slice()).collect::<Vec<_>>()))
    };
    let Destination { network, matcher } = destination;
    join(&[label::RULING, network.as_bytes(), matcher.as_bytes(), &hash(removed), &hash(cleared)])
}

/// What both holders decided about a crowd: all that its matcher learns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// These end.
    pub removed: Vec<ExchangeKey>,
    /// These are introduced.
    pub cleared: Vec<ExchangeKey>,
    /// The first and the second holder's.
    pub by: [HolderSignatures; 2],
}

/// A ruling that both holders signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRuling {
    /// What ends, with what shows that to others.
    pub removed: Vec<Removal>,
    /// What is introduced.
    pub cleared: Vec<ExchangeKey>,
}

/// The end of a submission by a ruling, as it is posted to who met it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// The mailbox that ends.
    pub mailbox: ExchangeKey,
    /// The first and the second holder's.
    pub signatures: [Signature; 2],
}

impl Removal {
    /// Checks that both holders of trace keys signed it.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, destination: &Destination, covenant: &Covenant) -> Result<(), BadSignature> {
        let bytes = removal_bytes(destination, &self.mailbox);
        covenant.trace_keys.iter().zip(&self.signatures).try_for_each(|(holder, signature)| {
            covenant.member(holder).ok_or(BadSignature)?.signing_key.verify_bytes(&bytes, signature)
        })
    }
}

impl Ruling {
    /// Checks that both holders signed all of it.
    ///
    /// # Errors
    /// [`Refusal::Signature`].
    pub fn verify(&self, destination: &Destination, covenant: &Covenant) -> Result<VerifiedRuling, Refusal> {
        let bytes = ruling_bytes(destination, &self.removed, &self.cleared);
        for (holder, by) in covenant.trace_keys.iter().zip(&self.by) {
            let card = covenant.member(holder).ok_or(Refusal::Role)?;
            card.signing_key.verify_bytes(&bytes, &by.ruling).map_err(|_| Refusal::Signature)?;
            if by.removals.len() != self.removed.len() {
                return Err(Refusal::Signature);
            }
        }
        let [first, second] = &self.by;
        let signatures = first.removals.iter().zip(&second.removals);
        let removal = |(mailbox, (first, second)): (&ExchangeKey, (&Signature, &Signature))| Removal {
            mailbox: *mailbox,
            signatures: [*first, *second],
        };
        let removed: Vec<_> = self.removed.iter().zip(signatures).map(removal).collect();
        for removal in &removed {
            removal.verify(destination, covenant).map_err(|_| Refusal::Signature)?;
        }
        Ok(VerifiedRuling { removed, cleared: self.cleared.clone() })
    }
}

//! Opening one ticket by both holders in turn, and the answer: a record that anyone with the covenant can check for
//! themselves (section 13.3).

use serde::{Deserialize, Serialize};

use super::{ComplaintId, Refusal};
use crate::codec::{self, Wire};
use crate::covenant::VerifiedCovenant;
use crate::crypto::sha256;
use crate::evidence::{FalseTicket, Kept, SealKey, Violation};
use crate::field::join;
use crate::id::{MemberId, NetworkId, byte_id};
use crate::label;
use crate::relay::Forwarded;
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey, VerifyingKey};
use crate::time::Day;

byte_id! {
    /// One report of a crowd.
    CrowdId, 16
}

/// Why a ticket was opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A member complained, and it was founded.
    Complaint {
        /// Who complained.
        member: MemberId,
        /// Its complaint.
        id: ComplaintId,
    },
    /// It is one of a crowd under one tag.
    Crowd {
        /// The report.
        id: CrowdId,
        /// How many submissions the matcher reported.
        submissions: u32,
    },
}

impl Wire for Why {
    const MAX_LEN: usize = 128;
}

/// One ticket to be opened.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The covenant.
    pub covenant: &'a VerifiedCovenant,
    /// Where the submission was left.
    pub matcher: &'a MemberId,
    /// What its relay signed.
    pub kept: &'a Kept,
    /// Why it is opened.
    pub why: &'a Why,
}

/// The second holder's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Half {
    /// When.
    pub day: Day,
    /// The key of this ticket's outer seal; none when it does not open, which is the second holder's word.
    pub outer: Option<SealKey>,
    /// The second holder's.
    pub signature: Signature,
}

/// Who left a submission, and why that was asked. It stays with the two holders of trace keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The network.
    pub network: NetworkId,
    /// Where it was left.
    pub matcher: MemberId,
    /// Which submission, by its hashes, and what its relay signed.
    pub kept: Kept,
    /// Why its ticket was opened.
    pub why: Why,
    /// When.
    pub day: Day,
    /// The key of the ticket's outer seal.
    pub outer: Option<SealKey>,
    /// The key of its inner seal.
    pub inner: Option<SealKey>,
    /// The first and the second holder's.
    pub signatures: [Signature; 2],
}

impl Wire for Answer {
    const MAX_LEN: usize = 2_048;
}

/// What an answer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Who counts as the sender.
    pub sender: MemberId,
    /// How that is known.
    pub how: How,
}

/// How a sender is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It signed for this very submission.
    Signed,
    /// It is the relay, and its ticket opens to nobody's signature: evidence exists.
    FalseTicket,
    /// It is the relay, and its ticket does not open, by the word of this holder.
    Unopenable(MemberId),
}

/// The record is not an answer of both holders about this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an answer of both holders of trace keys under this covenant")]
pub struct BadAnswer;

impl Trial<'_> {
    /// The second holder's part: takes off the outer seal and signs.
    #[must_use]
    pub fn half_open(&self, secret: &ExchangeSecret, signing: &SigningKey, day: Day) -> Half {
        let [_, holder] = &self.covenant.trace_keys;
        let ticket = &self.kept.passed.ticket;
        let key = ticket.outer_key(&self.covenant.network(), holder, secret).ok();
        let key = key.filter(|key| ticket.open_outer_with(key).is_ok());
        let outer = key.map(|key| SealKey(*key.expose()));
        let signature = signing.sign_bytes(&self.statement(day, outer, None));
        Half { day, outer, signature }
    }

    /// The first holder's part: checks the second's, takes off the inner seal and signs.
    ///
    /// # Errors
    /// [`Refusal::Signature`] when the second holder did not sign its part, or shows a key that does not open.
    pub fn open(
        &self,
        half: &Half,
        secret: &ExchangeSecret,
        signing: &SigningKey,
    ) -> Result<Answer, Refusal> {
        let [holder, _] = &self.covenant.trace_keys;
        let inner = match half.outer {
            None => None,
            Some(outer) => {
                let opened = self.kept.passed.ticket.open_outer_with(&Secret::new(outer.0));
                let opened = opened.map_err(|_| Refusal::Signature)?;
                let key = opened.inner_key(&self.covenant.network(), holder, secret).ok();
                key.filter(|key| opened.open_inner_with(key).is_ok()).map(|key| SealKey(*key.expose()))
            }
        };
        let first = signing.sign_bytes(&self.statement(half.day, half.outer, inner));
        let answer = Answer {
            network: self.covenant.network(),
            matcher: self.matcher.clone(),
            kept: self.kept.clone(),
            why: self.why.clone(),
            day: half.day,
            outer: half.outer,
            inner,
            signatures: [first, half.signature],
        };
        answer.check(self.covenant).map_err(|_| Refusal::Signature)?;
        Ok(answer)
    }

    /// Checks that an answer of the first holder is about this ticket and goes on from this part.
    ///
    /// # Errors
    /// [`BadAnswer`].
    pub fn accept(&self, half: &Half, answer: &Answer) -> Result<Finding, BadAnswer> {
        let ours = answer.kept == *self.kept
            && answer.why == *self.why
            && answer.matcher == *self.matcher
            && answer.outer == half.outer
            && answer.day == half.day;
        if ours { answer.check(self.covenant) } else { Err(BadAnswer) }
    }

    /// `"kring/trace/v1" || network || matcher || SHA-256(kept) || SHA-256(why) || day || outer key || inner key`, a key
    /// being empty when there is none, and the inner one always for the second holder.
    fn statement(&self, day: Day, outer: Option<SealKey>, inner: Option<SealKey>) -> Vec<u8> {
        let key = |key: &Option<SealKey>| key.map(|key| key.0.to_vec()).unwrap_or_default();
        join(&[
            label::TRACE,
            self.covenant.network().as_bytes(),
            self.matcher.as_bytes(),
            &sha256(&codec::encode(self.kept)),
            &sha256(&codec::encode(self.why)),
            &day.to_be_bytes(),
            &key(&outer),
            &key(&inner),
        ])
    }
}

impl Answer {
    /// Checks it with the covenant alone: both holders signed, and the ticket opens with these keys as it says.
    ///
    /// # Errors
    /// [`BadAnswer`].
    pub fn check(&self, covenant: &VerifiedCovenant) -> Result<Finding, BadAnswer> {
        if self.network != covenant.network() || !covenant.matchers.contains(&self.matcher) {
            return Err(BadAnswer);
        }
        let Self { matcher, kept, why, day, outer, inner, .. } = self;
        let trial = Trial { covenant, matcher, kept, why };
        let statements = [trial.statement(*day, *outer, *inner), trial.statement(*day, *outer, None)];
        for ((holder, statement), signature) in
            covenant.trace_keys.iter().zip(statements).zip(&self.signatures)
        {
            key(covenant, holder)?.verify_bytes(&statement, signature).map_err(|_| BadAnswer)?;
        }
        self.finding(covenant)
    }

    fn finding(&self, covenant: &VerifiedCovenant) -> Result<Finding, BadAnswer> {
        let Kept { relay, passed } = &self.kept;
        let destination =
            crate::submission::Destination { network: self.network, matcher: self.matcher.clone() };
        passed.verify(&destination, &key(covenant, relay)?).map_err(|_| BadAnswer)?;
        let [first, second] = &covenant.trace_keys;
        let by_word =
            |holder: &MemberId| Finding { sender: relay.clone(), how: How::Unopenable(holder.clone()) };
        let Some(outer) = self.outer else { return Ok(by_word(second)) };
        let half = passed.ticket.open_outer_with(&Secret::new(outer.0)).map_err(|_| BadAnswer)?;
        let trace = match self.inner {
            None if half.has_inner() => return Ok(by_word(first)),
            None => None,
            Some(inner) => half.open_inner_with(&Secret::new(inner.0)).map_err(|_| BadAnswer)?,
        };
        let forwarded = Forwarded {
            network: &self.network,
            relay,
            matcher: &self.matcher,
            sealed: &passed.sealed,
            plaintext: &passed.plaintext,
            day: passed.day,
        };
        let signed = trace.filter(|trace| {
            key(covenant, &trace.member).is_ok_and(|key| trace.verify(forwarded, &key).is_ok())
        });
        Ok(match signed {
            Some(trace) => Finding { sender: trace.member, how: How::Signed },
            None => Finding { sender: relay.clone(), how: How::FalseTicket },
        })
    }

    /// The evidence against the relay, where its ticket is false.
    #[must_use]
    pub fn false_ticket(&self) -> Option<Violation> {
        let Kept { relay, passed } = self.kept.clone();
        let (matcher, inner) = (self.matcher.clone(), self.inner);
        let outer = self.outer?;
        Some(Violation::Ticket(Box::new(FalseTicket { relay, matcher, passed, outer, inner })))
    }
}

fn key(covenant: &VerifiedCovenant, member: &MemberId) -> Result<VerifyingKey, BadAnswer> {
    covenant.member(member).map(|card| card.signing_key).ok_or(BadAnswer)
}

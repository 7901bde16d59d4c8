//! What members and key holders sign about evaluations (`docs/protocol.md` sections 4.2 and 4.3).

use serde::{Deserialize, Serialize};

use super::{Court, EVIDENCE_MAX, Finding, NotProven};
use crate::ceremony::SignedKeyRecord;
use crate::codec::{Bytes, array, encode};
use crate::crypto::sha256;
use crate::evaluation::{
    Acknowledgement, Culprit, Fraud, Header, PartHash, SignedAnswer, SignedHeader, Vouched, WrongAnswer,
    hash_part_hashes, verify_parts,
};
use crate::id::MemberId;
use crate::oprf::{self, Elements, Evaluation, Proof, PublicShare};
use crate::sign::{Signature, VerifyingKey};

pub(super) fn headers(fraud: &Fraud, court: &Court<'_>) -> Result<Finding, NotProven> {
    let header = &fraud.known.header;
    let key = court.key(&header.member)?;
    if header.network != court.network() {
        return Err(NotProven::Network);
    }
    if !fraud.proves(&key) {
        return Err(NotProven::Unfitting);
    }
    let (epoch, seq) = (header.epoch.0, header.seq);
    let deed = if fraud.other.header.seq == seq {
        format!("signed two different requests with number {seq} of epoch {epoch}")
    } else {
        format!("signed a request that does not continue its request {seq} of epoch {epoch}")
    };
    Ok((vec![header.member.clone()], "4.2", Some(header.time.day()), deed))
}

/// Most bytes of the headers in [`ServedTwice::between`], so that the record keeps to [`EVIDENCE_MAX`]: some 2,500 headers
/// of a usual covenant, and never fewer than 500.
const BETWEEN_MAX: usize = EVIDENCE_MAX - (16 << 10);

/// A key holder that put its name under two headers that cannot stand in one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServedTwice {
    /// The key holder.
    pub holder: MemberId,
    /// What it signed of one header, whose number is not lower than the other's.
    pub first: Statement,
    /// What it signed of the other.
    pub second: Statement,
    /// The headers before `first` in its chain, from the number of `second` on; none where both have one number. Each
    /// names the one before it, so whoever vouches for `first` vouches for these.
    pub between: Vec<Header>,
}

/// A key holder's word on a header: that it stands in its chain, or an answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The header. Its member's signature is not needed: the holder vouches for it.
    pub header: Header,
    /// For an answer: the hash of its parts. None for an acknowledgement.
    pub parts: Option<PartsHash>,
    /// The holder's.
    pub signature: Signature,
}

/// What an answer's signature covers of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartsHash(#[serde(with = "array")] pub [u8; 32]);

impl Statement {
    /// An acknowledgement of `header`.
    #[must_use]
    pub const fn acknowledged(header: Header, given: &Acknowledgement) -> Self {
        Self { header, parts: None, signature: given.signature }
    }

    /// An answer to `header`.
    #[must_use]
    pub fn answered(header: Header, answer: &SignedAnswer) -> Self {
        Self { header, parts: Some(PartsHash(answer.parts_hash())), signature: answer.signature }
    }

    fn is_signed_by(&self, holder: &MemberId, key: &VerifyingKey) -> bool {
        let header = self.header.hash();
        let signature = self.signature;
        match &self.parts {
            None => Acknowledgement { holder: holder.clone(), header, signature }.verify(key).is_ok(),
            Some(parts) => verify_parts(holder, &header, &parts.0, &signature, key).is_ok(),
        }
    }
}

impl ServedTwice {
    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let Self { holder, first, second, .. } = self;
        let key = court.key_holder(holder)?;
        if first.header.network != court.network() {
            return Err(NotProven::Unfitting);
        }
        self.prove(&key)?;
        let Header { member, epoch, seq, .. } = &second.header;
        let deed =
            format!("served two different requests of {member} with number {seq} of epoch {}", epoch.0);
        Ok((vec![holder.clone()], "4.2", Some(first.header.time.day()), deed))
    }

    /// Whether the holder with this key signed both, and whoever enters one cannot enter the other.
    fn prove(&self, key: &VerifyingKey) -> Result<(), NotProven> {
        let Self { holder, first, second, between } = self;
        let place = |header: &Header| (header.network, header.epoch, header.member.clone(), header.seq);
        // What stands in the chain of `first` where `second` claims to stand.
        let mut instead = &first.header;
        for before in between.iter().rev() {
            if instead.prev != before.hash() || before.seq.checked_add(1) != Some(instead.seq) {
                return Err(NotProven::Unfitting);
            }
            instead = before;
        }
        if place(instead) != place(&second.header) {
            return Err(NotProven::Unfitting);
        }
        if !first.is_signed_by(holder, key) || !second.is_signed_by(holder, key) {
            return Err(NotProven::Signature);
        }
        if *instead == second.header { Err(NotProven::Allowed) } else { Ok(()) }
    }

    /// The holders that helped a member to fork its chain, given what two holders keep of the last requests of it that
    /// they answered: those that vouched for both. Any two majorities of a member's witnesses share one, so somebody is
    /// named whenever both answered after the fork and `own` is not the shorter side; from there the other one names it.
    ///
    /// `known` gives the headers of the own chain by number, `key` the key of a key holder. Nothing of `theirs` needs to
    /// be true.
    #[must_use]
    pub fn helpers(
        own: &Vouched,
        theirs: &Vouched,
        known: impl Fn(u64) -> Option<SignedHeader>,
        key: impl Fn(&MemberId) -> Option<VerifyingKey>,
    ) -> Vec<Self> {
        let (mine, other) = (&own.header.header, &theirs.header.header);
        if mine.seq < other.seq {
            return Vec::new();
        }
        let (mut between, mut room) = (Vec::new(), BETWEEN_MAX);
        for seq in (other.seq..mine.seq).rev() {
            let Some(signed) = known(seq) else { return Vec::new() };
            let Some(rest) = room.checked_sub(encode(&signed).len()) else { return Vec::new() };
            room = rest;
            between.push(signed.header);
        }
        between.reverse();
        let twice = |first: &Acknowledgement| {
            let second = theirs.acknowledgements.iter().find(|given| given.holder == first.holder)?;
            let it = Self {
                holder: first.holder.clone(),
                first: Statement::acknowledged(mine.clone(), first),
                second: Statement::acknowledged(other.clone(), second),
                between: between.clone(),
            };
            it.prove(&key(&it.holder)?).is_ok().then_some(it)
        };
        own.acknowledgements.iter().filter_map(twice).collect()
    }
}

/// A key holder's answer that is not what the header asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongEvaluation {
    /// The key holder.
    pub holder: MemberId,
    /// The header it answered.
    pub header: Header,
    /// The blinded elements of that header.
    pub blinded: Bytes,
    /// All parts of its answer.
    pub parts: Vec<PartHash>,
    /// Its signature on them.
    pub signature: Signature,
    /// The part that is wrong; none where the parts are not for the keys that were asked of it.
    pub wrong: Option<WrongPart>,
}

/// One wrong part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongPart {
    /// The elements that the part's hash stands for.
    pub elements: Bytes,
    /// The key it is for.
    pub record: SignedKeyRecord,
}

impl WrongEvaluation {
    /// From what the asker found; `records` are those of the epoch. None when the key's record is not among them.
    #[must_use]
    pub fn new(culprit: &Culprit, records: &[SignedKeyRecord]) -> Option<Self> {
        let Culprit { answer, header, elements, fault } = culprit;
        let wrong = match fault {
            WrongAnswer::Keys => None,
            WrongAnswer::Evaluation(matcher) => {
                let part = answer.keys.iter().find(|part| part.matcher == *matcher)?;
                let of_key = |signed: &&SignedKeyRecord| {
                    signed.record.matcher == *matcher && signed.record.purpose == header.header.purpose
                };
                let record = records.iter().find(of_key)?.clone();
                Some(WrongPart { elements: part.elements.clone(), record })
            }
        };
        Some(Self {
            holder: answer.holder.clone(),
            header: header.header.clone(),
            blinded: Bytes(elements.to_bytes()),
            parts: answer.keys.iter().map(crate::evaluation::KeyAnswer::hashed).collect(),
            signature: answer.signature,
            wrong,
        })
    }

    pub(super) fn check(&self, court: &Court<'_>) -> Result<Finding, NotProven> {
        let Self { holder, header, blinded, parts, signature, wrong } = self;
        let key = court.key_holder(holder)?;
        verify_parts(holder, &header.hash(), &hash_part_hashes(parts), signature, &key)
            .map_err(|_| NotProven::Signature)?;
        // A holder answers only headers of the covenant in force, and only with elements that fit them.
        let elements = Elements::from_bytes(blinded.as_ref()).map_err(|_| NotProven::Unfitting)?;
        let same_covenant = header.network == court.network() && header.covenant == court.covenant.hash();
        if !same_covenant || elements.sha256() != header.elements {
            return Err(NotProven::Unfitting);
        }
        let held = |matcher: &&MemberId| court.covenant.holders_of(matcher).contains(holder);
        let as_asked = header.keys.iter().filter(held).eq(parts.iter().map(|part| &part.matcher));
        let what = match wrong {
            None if as_asked => return Err(NotProven::Allowed),
            None => "other keys than it was asked for".to_owned(),
            Some(wrong) => {
                self.check_part(wrong, &elements, court)?;
                format!("a wrong evaluation under the key of {}", wrong.record.record.matcher)
            }
        };
        let Header { member, epoch, seq, .. } = header;
        let deed = format!("answered request {seq} of {member} in epoch {} with {what}", epoch.0);
        Ok((vec![holder.clone()], "4.3", Some(header.time.day()), deed))
    }

    /// Whether the part is wrong under a key that all its holders have signed.
    fn check_part(&self, wrong: &WrongPart, blinded: &Elements, court: &Court<'_>) -> Result<(), NotProven> {
        let record = &wrong.record.record;
        let of_header = record.network == self.header.network
            && record.epoch == self.header.epoch
            && record.purpose == self.header.purpose
            && record.holders == court.covenant.holders_of(&record.matcher);
        let hash = sha256(wrong.elements.as_ref());
        let part = self.parts.iter().find(|part| part.matcher == record.matcher);
        let part = part.filter(|part| of_header && part.elements == hash).ok_or(NotProven::Unfitting)?;
        wrong.record.verify(|holder| court.key(holder).ok()).map_err(|_| NotProven::Signature)?;
        let place = record.holders.iter().position(|other| *other == self.holder);
        let share = place.and_then(|place| record.shares.get(place));
        let share = share.ok_or_else(|| NotProven::Role(self.holder.clone()))?;
        let share = PublicShare::from_bytes(*share.as_bytes()).map_err(|_| NotProven::Unfitting)?;
        let holds = || {
            let elements = Elements::from_bytes(wrong.elements.as_ref()).ok()?;
            let evaluation = Evaluation { elements, proof: Proof::from_bytes(part.proof).ok()? };
            oprf::verify(&share, blinded, &evaluation).ok()
        };
        if holds().is_some() { Err(NotProven::Allowed) } else { Ok(()) }
    }
}

//! A key holder's rules: which headers it enters, and which it answers (`docs/protocol.md` section 4.2).
//!
//! Decisions only. The caller stores what [`Chain::enter`] returns before it acknowledges, and the answer together
//! with the chain of [`Decision::Answer`] before it answers; both are whole replacements of what it had.

use serde::{Deserialize, Serialize};

use super::{
    Acknowledgement, Budget, CLOCK_TOLERANCE_SECS, Evaluate, Fraud, Header, HeaderHash, KeySpec, Reason,
    SignedHeader, Terms, VerifiedHeader,
};
use crate::codec::Wire;
use crate::id::MemberId;
use crate::oprf::Elements;
use crate::time::{Day, Timestamp};

/// What a holder remembers of one member in one epoch, besides the entered headers and the last answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    member: MemberId,
    last: Option<SignedHeader>,
    /// Whether the last header has been counted against the budget.
    charged: bool,
    /// The UTC day by our clock that `spent_today` is about.
    day: Day,
    /// Inputs counted on that day.
    spent_today: u64,
    /// Inputs taken from the allowance in this epoch.
    allowance_spent: u64,
    /// The header whose answer is stored: the last one answered.
    answered: Option<HeaderHash>,
}

impl Wire for Chain {
    const MAX_LEN: usize = 4_096;
}

/// The last request of a member that a holder answered, with the acknowledgements that came with it: proof against
/// whoever acknowledges another header in its place, should it turn out that the member forked its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// The header.
    pub header: SignedHeader,
    /// Those that counted, one per holder.
    pub acknowledgements: Vec<Acknowledgement>,
}

impl Wire for Vouched {
    const MAX_LEN: usize = 8_192;
}

/// What became of announced headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The chain from now on.
    pub chain: Chain,
    /// The headers to store with it, by their number. May be some also when the rest is refused.
    pub new: Vec<SignedHeader>,
    /// What to reply once chain and headers are stored.
    pub outcome: Outcome,
}

/// The reply to an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything announced stands in the chain; acknowledge the last of it.
    Acknowledge(HeaderHash),
    /// Refuse, naming the highest header known.
    Refuse(Reason),
    /// Refuse with [`Reason::UsedNumber`] and keep the proof.
    Fraud(Box<Fraud>),
}

/// The reply to a request for evaluation.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Evaluate `elements` under our shares of `keys`; store the answer together with `chain`, then send it.
    Answer {
        /// The chain from now on.
        chain: Box<Chain>,
        /// The elements, checked.
        elements: Elements,
        /// The keys to answer for, in the order of the header.
        keys: Vec<&'a KeySpec>,
        /// To be stored with the answer, in the place of what was stored for the answer before.
        vouched: Box<Vouched>,
    },
    /// Send the stored answer again.
    Stored,
    /// Refuse.
    Refuse(Reason),
}

impl Chain {
    /// A member's chain before its first header of an epoch.
    #[must_use]
    pub const fn new(member: MemberId) -> Self {
        let day = Day::from_days(0);
        Self { member, last: None, charged: false, day, spent_today: 0, allowance_spent: 0, answered: None }
    }

    /// The highest header entered.
    #[must_use]
    pub const fn last(&self) -> Option<&SignedHeader> {
        self.last.as_ref()
    }

    /// The header whose answer must be kept.
    #[must_use]
    pub const fn answered(&self) -> Option<HeaderHash> {
        self.answered
    }

    /// Enters announced headers, ascending, as far as they continue the chain: also those that will not be answered.
    ///
    /// `known` gives an entered header by its number, from the caller's store.
    #[must_use]
    pub fn enter(
        &self,
        headers: &[VerifiedHeader],
        known: impl Fn(u64) -> Option<SignedHeader>,
        terms: &Terms,
        now: Timestamp,
    ) -> Entered {
        let mut chain = self.clone();
        let mut new = Vec::new();
        let mut outcome = Outcome::Refuse(Reason::Malformed);
        for header in headers {
            outcome = chain.enter_one(header, &known, terms, now, &mut new);
            if !matches!(outcome, Outcome::Acknowledge(_)) {
                break;
            }
        }
        Entered { chain, new, outcome }
    }

    fn enter_one(
        &mut self,
        announced: &VerifiedHeader,
        known: impl Fn(u64) -> Option<SignedHeader>,
        terms: &Terms,
        now: Timestamp,
        new: &mut Vec<SignedHeader>,
    ) -> Outcome {
        let header = announced.header();
        let Some(party) = terms.parties.get(&self.member) else { return Outcome::Refuse(Reason::Stranger) };
        if header.member != self.member || header.network != terms.network || header.epoch != terms.epoch {
            return Outcome::Refuse(Reason::OtherChain);
        }
        let last = self.last.clone().map(VerifiedHeader::trusted);
        let last_seq = last.as_ref().map_or(0, |last| last.header().seq);
        if header.seq <= last_seq {
            let newly = new.iter().find(|entered| entered.header.seq == header.seq).cloned();
            return match newly.or_else(|| known(header.seq)) {
                Some(entered) if entered.header == *header => Outcome::Acknowledge(announced.hash()),
                Some(known) => Outcome::Fraud(Box::new(Fraud { known, other: announced.signed().clone() })),
                // Numbers start at 1; a gap in our own store cannot be told from that, and is refused alike.
                None => Outcome::Refuse(Reason::Malformed),
            };
        }
        if header.seq - last_seq > 1 {
            return Outcome::Refuse(Reason::Gap);
        }
        if !header.continues(last.as_ref()) {
            return Outcome::Refuse(Reason::DoesNotContinue);
        }
        self.last = Some(announced.signed().clone());
        // Counted on entry, on the day it is meant for, so that asking different holders gains nothing; an old header
        // that reaches us late is not counted against today.
        self.charged =
            header.time.day() == now.day() && self.charge(u64::from(header.count), &party.budget, now.day());
        new.push(announced.signed().clone());
        Outcome::Acknowledge(announced.hash())
    }

    /// Decides whether a header's elements are evaluated. `me` is this holder.
    #[must_use]
    pub fn decide<'a>(
        &self,
        request: &Evaluate,
        terms: &'a Terms,
        me: &MemberId,
        now: Timestamp,
    ) -> Decision<'a> {
        if self.answered == Some(request.header) {
            return Decision::Stored;
        }
        self.check(request, terms, me, now).unwrap_or_else(Decision::Refuse)
    }

    fn check<'a>(
        &self,
        request: &Evaluate,
        terms: &'a Terms,
        me: &MemberId,
        now: Timestamp,
    ) -> Result<Decision<'a>, Reason> {
        let entered = self.last.as_ref().filter(|last| last.header.hash() == request.header);
        let signed = entered.ok_or(Reason::NotEntered)?;
        let header = &signed.header;
        let party = terms.parties.get(&self.member).ok_or(Reason::Stranger)?;
        if header.covenant != terms.covenant {
            return Err(Reason::Covenant);
        }
        if header.time.distance_secs(now) > CLOCK_TOLERANCE_SECS {
            return Err(Reason::Clock);
        }
        let keys = permitted_keys(header, terms)?;
        let acknowledgements = counted_acknowledgements(request, header, terms);
        if acknowledgements.len() < terms.majority(&header.member) {
            return Err(Reason::Acknowledgements);
        }
        let keys: Vec<_> = keys.into_iter().filter(|key| key.holders.contains(me)).collect();
        if keys.is_empty() {
            return Err(Reason::NoShare);
        }
        let elements = Elements::from_bytes(request.elements.as_ref()).map_err(|_| Reason::Elements)?;
        if elements.sha256() != header.elements || u32::try_from(elements.count()) != Ok(header.count) {
            return Err(Reason::Elements);
        }
        let mut chain = Box::new(self.clone());
        if !chain.charged && !chain.charge(u64::from(header.count), &party.budget, now.day()) {
            return Err(Reason::Budget);
        }
        chain.charged = true;
        chain.answered = Some(request.header);
        let vouched = Box::new(Vouched { header: signed.clone(), acknowledgements });
        Ok(Decision::Answer { chain, elements, keys, vouched })
    }

    /// Takes `count` from what is left of the day and then of the allowance, or takes nothing.
    fn charge(&mut self, count: u64, budget: &Budget, today: Day) -> bool {
        let spent = if today == self.day { self.spent_today } else { 0 };
        let from_day = count.min(budget.per_day.saturating_sub(spent));
        let from_allowance = count - from_day;
        if from_allowance > budget.allowance.saturating_sub(self.allowance_spent) {
            return false;
        }
        self.day = today;
        self.spent_today = spent.saturating_add(from_day);
        self.allowance_spent = self.allowance_spent.saturating_add(from_allowance);
        true
    }
}

/// The header's keys, when they are those it must name.
fn permitted_keys<'a>(header: &Header, terms: &'a Terms) -> Result<Vec<&'a KeySpec>, Reason> {
    let keys = terms.keys_for(&header.member, &header.purpose).ok_or(Reason::Purpose)?;
    if header.keys.iter().any(|matcher| terms.related(matcher, &header.member)) {
        return Err(Reason::OwnMatcher);
    }
    if keys.iter().map(|key| &key.matcher).eq(&header.keys) { Ok(keys) } else { Err(Reason::Keys) }
}

/// Those of different holders whose word counts and whose signature fits. One signature is checked per holder.
fn counted_acknowledgements(request: &Evaluate, header: &Header, terms: &Terms) -> Vec<Acknowledgement> {
    let acknowledged = |holder: &MemberId| {
        let given = request.acknowledgements.iter().find(|given| given.holder == *holder)?;
        let party = terms.parties.get(holder)?;
        let fits = given.header == request.header && given.verify(&party.key).is_ok();
        fits.then(|| given.clone())
    };
    terms.witnesses(&header.member).filter_map(acknowledged).collect()
}

/// What another holder's head of a member's chain means next to ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// We have the same.
    Same,
    /// It is ahead of us.
    Ahead,
    /// The member signed two headers with that number.
    Fraud(Box<Fraud>),
}

/// Compares a head that another holder showed with our own store: the hourly exchange.
#[must_use]
pub fn compare(theirs: &VerifiedHeader, known: impl Fn(u64) -> Option<SignedHeader>) -> Comparison {
    match known(theirs.header().seq) {
        None => Comparison::Ahead,
        Some(ours) if ours.header == *theirs.header() => Comparison::Same,
        Some(known) => Comparison::Fraud(Box::new(Fraud { known, other: theirs.signed().clone() })),
    }
}

//! What a partner makes of the posts it reads: matches between its own cases and others' (`docs/protocol.md`
//! section 6.4).
//!
//! A match is one own reference and one of theirs under an equal key. It lives while at some matcher a live submission
//! of each side carries its reference; found again by another key, person or matcher it is the same match.
//!
//! What a side says about a match is kept with it: [`mistaken`] has the rules of marks, [`outbox`] the ways that messages
//! take. Not here: how cooperation goes on after a match ([`crate::coordination`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::board::{Met, Replaced};
use crate::codec::Wire;
use crate::conversation::Message;
use crate::covenant::{Disclosure, VerifiedCovenant};
use crate::crypto::sha256;
use crate::field::join;
use crate::id::{MatchId, MemberId, RecipeId, Reference};
use crate::label;
use crate::sealing::ExchangeKey;
use crate::sign::VerifyingKey;
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::hello::Envelope;
use crate::submission::{Destination, Hello, Withdraw};
use crate::time::Day;
use crate::trace::Removal;

pub mod forget;
pub mod mistaken;
pub mod outbox;

use outbox::{Pair, Said, Spent};

/// The match id of two references: the same on both sides.
#[must_use]
pub fn match_id(a: Reference, b: Reference) -> MatchId {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let hash = sha256(&join(&[label::MATCH, low.as_bytes(), high.as_bytes()]));
    MatchId::try_from(&hash[..MatchId::LEN]).expect("16 of 32 bytes")
}

/// An own submission as far as reading needs it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// This member.
    pub me: &'a MemberId,
    /// Where the submission was left.
    pub scope: &'a Scope,
    /// Its subject key.
    pub key: &'a SubjectKey,
    /// Its mailbox.
    pub mailbox: ExchangeKey,
    /// The recipe of its match key.
    pub recipe: &'a RecipeId,
    /// The references it carries.
    pub references: &'a [Reference],
}

/// A post whose hello opened and whose name, where the purpose requires one, is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encounter {
    partner: Option<MemberId>,
    references: Vec<Reference>,
    own: Vec<Reference>,
    point: MeetingPoint,
}

#[cfg(test)]
impl Encounter {
    /// Of two cases, without the work of leaving and reading submissions.
    pub(crate) fn of(partner: Option<MemberId>, [own, other]: [Reference; 2], point: MeetingPoint) -> Self {
        Self { partner, references: vec![other], own: vec![own], point }
    }
}

/// A post that is no reason for a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEncounter {
    /// The hello does not open: whoever left it does not know the key. To be reported and traced.
    #[error("a hello does not open")]
    DoesNotOpen,
    /// No valid name where the purpose requires one. To be reported and traced.
    #[error("a hello shows no valid name")]
    NoValidName,
    /// The other is this member itself, or has its controller: never a match, and nothing wrong.
    #[error("one party on both sides")]
    SameParty,
}

/// Opens the hello of a post and checks who speaks.
///
/// # Errors
/// [`NoEncounter`].
pub fn read_met(
    met: &Met,
    reading: Reading<'_>,
    covenant: &VerifiedCovenant,
) -> Result<Encounter, NoEncounter> {
    let envelope = Envelope {
        scope: reading.scope,
        mailbox: &met.mailbox,
        withdraw_key: &met.withdraw_key,
        expiry: met.expiry,
    };
    let hello = Hello::open(&met.hello, reading.key, envelope).map_err(|_| NoEncounter::DoesNotOpen)?;
    let purpose = covenant.purpose(&reading.scope.purpose).ok_or(NoEncounter::NoValidName)?;
    let partner = match purpose.disclosure {
        Disclosure::NameWhenBothAgree => None,
        Disclosure::NameAtOnce => {
            let (member, _) = hello.name.as_ref().ok_or(NoEncounter::NoValidName)?;
            let takes_part = purpose.members.contains(member);
            let card = covenant.member(member).filter(|_| takes_part).ok_or(NoEncounter::NoValidName)?;
            hello
                .verify_name(reading.key, envelope, &card.signing_key)
                .map_err(|_| NoEncounter::NoValidName)?;
            Some(member.clone())
        }
    };
    if partner.as_ref().is_some_and(|partner| same_controller(covenant, partner, reading.me)) {
        return Err(NoEncounter::SameParty);
    }
    Ok(Encounter {
        partner,
        references: hello.references,
        own: reading.references.to_vec(),
        point: MeetingPoint {
            matcher: reading.scope.matcher.clone(),
            own: reading.mailbox,
            other: met.mailbox,
            withdraw_key: met.withdraw_key,
            expiry: met.expiry,
            recipe: reading.recipe.clone(),
        },
    })
}

fn same_controller(covenant: &VerifiedCovenant, a: &MemberId, b: &MemberId) -> bool {
    match (covenant.member(a), covenant.member(b)) {
        (Some(a), Some(b)) => a.controller == b.controller,
        _ => true,
    }
}

/// Where two submissions met: one of the grounds on which a match lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeetingPoint {
    /// At which matcher.
    pub matcher: MemberId,
    /// The own mailbox.
    pub own: ExchangeKey,
    /// The other's mailbox.
    pub other: ExchangeKey,
    /// Who may end the other submission.
    pub withdraw_key: VerifyingKey,
    /// The other's last day.
    pub expiry: Day,
    /// By which recipe they have an equal key.
    pub recipe: RecipeId,
}

/// A pair of cases of two partners. Sealed at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The same on both sides.
    pub id: MatchId,
    /// The own case's reference.
    pub own: Reference,
    /// The other's reference.
    pub other: Reference,
    /// The other partner, where the purpose says so at once.
    pub partner: Option<MemberId>,
    /// When it was first seen; never changes, so that nobody is told twice.
    pub since: Day,
    /// The grounds on which it lives; empty when it has ended.
    pub points: BTreeSet<MeetingPoint>,
    /// What this side says about it: the latest of each kind, and what an earlier one still has on its way.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub said: Vec<Said>,
    /// The marks of the other side. What else it says is kept by the coordination.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub heard: Vec<Message>,
    /// The pairs of its grounds over which a message of the other side has opened.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub heard_over: BTreeSet<Pair>,
    /// Which numbers messages took that are kept no longer.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub spent: Vec<Spent>,
    /// The other side's submissions that have ended before their last day: nobody may introduce them again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub ended: BTreeSet<Ended>,
}

/// A submission of the other side that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Its last day, if it had not ended; kept until then.
    pub expiry: Day,
    /// Its mailbox.
    pub mailbox: ExchangeKey,
}

impl Wire for Match {
    const MAX_LEN: usize = 64_000;
}

impl Match {
    /// Whether a live submission of each side still carries its references somewhere.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.points.is_empty()
    }

    /// What names it.
    #[must_use]
    pub fn key(&self) -> MatchKey {
        MatchKey { id: self.id, partner: self.partner.clone() }
    }

    /// By which recipes the two cases have an equal key.
    #[must_use]
    pub fn basis(&self) -> BTreeSet<&RecipeId> {
        self.points.iter().map(|point| &point.recipe).collect()
    }
}

/// Names a match: a reference that comes with two members' names is split by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchKey {
    /// The match id.
    pub id: MatchId,
    /// The other partner, where known.
    pub partner: Option<MemberId>,
}

/// Most meeting points kept for one match; more than its persons, recipes and matchers can give is not needed to
/// keep it alive.
const POINTS_MAX: usize = 200;

/// Most ended submissions remembered for one match; of more, those whose last day comes first are forgotten.
const ENDED_MAX: usize = 200;

/// All matches of one member.
#[derive(Debug, Default)]
pub struct Matches {
    matches: BTreeMap<MatchKey, Match>,
    by_mailbox: HashMap<ExchangeKey, BTreeSet<MatchKey>>,
    /// The mailboxes of all that have ended on the other side, with their last days.
    ended: HashMap<ExchangeKey, Day>,
}

impl Matches {
    /// Puts back a stored match at start.
    pub fn restore(&mut self, stored: Match) {
        let key = stored.key();
        for point in &stored.points {
            self.index(point, &key);
        }
        self.ended.extend(stored.ended.iter().map(|ended| (ended.mailbox, ended.expiry)));
        self.matches.insert(key, stored);
    }

    /// Whether the submission with this mailbox has ended on the other side, by its owner's signature or that of both holders
    /// of trace keys. Who introduces it now breaks the rules, and must not be believed.
    #[must_use]
    pub fn has_ended(&self, mailbox: &ExchangeKey) -> bool {
        self.ended.contains_key(mailbox)
    }

    /// Every match, live or ended, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Match> {
        self.matches.values()
    }

    /// One match.
    #[must_use]
    pub fn get(&self, key: &MatchKey) -> Option<&Match> {
        self.matches.get(key)
    }

    /// Takes in an encounter: all pairs of own and other references. Returns the matches that changed; a match that is
    /// in the list and was not known before is new.
    pub fn meet(&mut self, encounter: &Encounter, today: Day) -> Vec<MatchKey> {
        let mut changed = Vec::new();
        if self.has_ended(&encounter.point.other) {
            return changed;
        }
        for own in &encounter.own {
            for other in &encounter.references {
                let key = MatchKey { id: match_id(*own, *other), partner: encounter.partner.clone() };
                if !self.matches.contains_key(&key) {
                    let fresh = self.fresh(&key, *own, *other, today);
                    self.matches.insert(key.clone(), fresh);
                }
                let Some(entry) = self.matches.get_mut(&key) else { continue };
                if entry.points.len() < POINTS_MAX && entry.points.insert(encounter.point.clone()) {
                    self.index(&encounter.point, &key);
                    changed.push(key);
                }
            }
        }
        changed
    }

    /// A match not seen before. What was said about this pair of cases under another name holds for it too.
    fn fresh(&self, key: &MatchKey, own: Reference, other: Reference, since: Day) -> Match {
        Match {
            id: key.id,
            own,
            other,
            partner: key.partner.clone(),
            since,
            points: BTreeSet::new(),
            said: self.said_before(key.id),
            heard: Vec::new(),
            heard_over: BTreeSet::new(),
            spent: Vec::new(),
            ended: BTreeSet::new(),
        }
    }

    /// The other side has withdrawn, proven by its withdraw key. Returns the matches that changed.
    pub fn withdrawn(&mut self, withdraw: &Withdraw, destination: &Destination) -> Vec<MatchKey> {
        self.end(&withdraw.mailbox, |point| {
            point.matcher == destination.matcher
                && destination.verify_withdraw(&point.withdraw_key, withdraw).is_ok()
        })
    }

    /// The other side has left a new mailbox in the place of one that was met. The new one comes with its own post.
    pub fn replaced(&mut self, replaced: &Replaced, destination: &Destination) -> Vec<MatchKey> {
        self.end(&replaced.replaces.mailbox, |point| {
            let consent = destination.verify_replaces(&point.withdraw_key, &replaced.replaces, &replaced.new);
            point.matcher == destination.matcher && consent.is_ok()
        })
    }

    /// The other side has been removed by both holders of trace keys (section 13.4).
    pub fn removed(
        &mut self,
        removal: &Removal,
        destination: &Destination,
        covenant: &VerifiedCovenant,
    ) -> Vec<MatchKey> {
        if removal.verify(destination, covenant).is_err() {
            return Vec::new();
        }
        self.end(&removal.mailbox, |point| {
            point.matcher == destination.matcher && point.other == removal.mailbox
        })
    }

    /// An own submission has ended. Returns the matches that changed.
    pub fn own_ended(&mut self, mailbox: &ExchangeKey) -> Vec<MatchKey> {
        self.end(mailbox, |_| true)
    }

    /// Drops what has expired on the other side. Returns the matches that changed.
    pub fn expire(&mut self, today: Day) -> Vec<MatchKey> {
        let expired = |point: &MeetingPoint| point.expiry < today;
        let points = self.matches.values().flat_map(|entry| &entry.points).filter(|point| expired(point));
        let mailboxes: BTreeSet<_> = points.map(|point| point.other).collect();
        let mut changed: Vec<_> = mailboxes.iter().flat_map(|mailbox| self.end(mailbox, expired)).collect();
        self.ended.retain(|_, expiry| *expiry >= today);
        for entry in self.matches.values_mut() {
            let before = entry.ended.len();
            entry.ended.retain(|ended| ended.expiry >= today);
            if entry.ended.len() < before && !changed.contains(&entry.key()) {
                changed.push(entry.key());
            }
        }
        changed
    }

    /// Takes away the points that name `mailbox` on either side and for which `ends` holds.
    fn end(&mut self, mailbox: &ExchangeKey, ends: impl Fn(&MeetingPoint) -> bool) -> Vec<MatchKey> {
        let mut changed = Vec::new();
        for key in self.by_mailbox.get(mailbox).cloned().unwrap_or_default() {
            let Some(entry) = self.matches.get_mut(&key) else { continue };
            let before = entry.points.len();
            let ended =
                |point: &MeetingPoint| (point.own == *mailbox || point.other == *mailbox) && ends(point);
            let theirs = entry.points.iter().filter(|point| point.other == *mailbox && ended(point));
            entry.ended.extend(theirs.map(|point| Ended { expiry: point.expiry, mailbox: *mailbox }));
            while entry.ended.len() > ENDED_MAX {
                entry.ended.pop_first();
            }
            self.ended.extend(entry.ended.iter().map(|ended| (ended.mailbox, ended.expiry)));
            entry.points.retain(|point| !ended(point));
            if entry.points.len() < before {
                entry.forget_dead_pairs();
                changed.push(key);
            }
        }
        changed
    }

    fn index(&mut self, point: &MeetingPoint, key: &MatchKey) {
        for mailbox in [point.own, point.other] {
            self.by_mailbox.entry(mailbox).or_default().insert(key.clone());
        }
    }
}

#[cfg(test)]
mod tests;

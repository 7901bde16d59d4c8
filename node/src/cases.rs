//! The partner's own cases and signals: who is in them, which match keys they give, what must be left where.
//!
//! # In scope
//! The records of cases, sealed per case; the indexes over them, rebuilt in memory at start; what each match key
//! should carry ([`Desired`]).
//!
//! # Out of scope
//! Leaving it there ([`crate::sender`]), and what comes of it (`kring_protocol::matching`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kring_protocol::codec::Wire;
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::field::join;
use kring_protocol::id::{MemberId, PurposeId, Reference};
use kring_protocol::identifier::Person;
use kring_protocol::recipe::{MatchKey, Recipe, RecipeList, match_keys};
use kring_protocol::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keystore::IndexKey;
use crate::people::{AccountId, Ownership, TeamId};

/// A case's id in this node: random, and the id of its signal in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub Reference);

/// Names a match key in this node: keyed, so that it tells nothing without the node's master key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatchKeyId([u8; 16]);

impl MatchKeyId {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From stored bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// One case and its signal, as stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// By which the network speaks of it; kept through renewal, epoch and restore.
    pub reference: Reference,
    /// The partner's own reference.
    pub case_reference: String,
    /// The signal's purpose.
    pub purpose: PurposeId,
    /// Who is in it.
    pub persons: Vec<Person>,
    /// Who can be reached about it.
    pub contact: Option<Contact>,
    /// Whether the family knows.
    pub family_informed: Option<Informed>,
    /// Quiet until this many organisations are involved; 2 when not quiet.
    pub min: u8,
    /// When the signal was made.
    pub created: Timestamp,
    /// Its last day.
    pub expiry: Day,
    /// When it was withdrawn.
    pub withdrawn: Option<Timestamp>,
    /// The key and body hash of the request that made it, for answering the same request again.
    pub request: Option<(String, Reference)>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// In which team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// To whom the owner wants to hand it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<AccountId>,
    /// Who would not take it over, until the owner has read that or asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined_by: Option<AccountId>,
}

impl Wire for Case {
    const MAX_LEN: usize = 60_000;
}

/// Most bytes that the persons of one case may take, so that a case is one record: what is typed, and what surrounds it.
pub const PERSONS_MAX_LEN: usize = 40_000;

/// How much of [`PERSONS_MAX_LEN`] persons take.
pub fn persons_len<'a>(persons: impl IntoIterator<Item = &'a Person>) -> usize {
    /// Names of fields and lengths, as encoded.
    const AROUND: usize = 160;
    persons.into_iter().map(|person| person.typed().len() + AROUND).sum()
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case({:?}, <redacted>)", self.id)
    }
}

/// Who can be reached about a case. No free text: checked formats only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Function.
    pub function: String,
    /// Telephone.
    pub phone: String,
    /// E-mail.
    pub email: String,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(<redacted>)")
    }
}

/// Whether the family was told of the signal, and if not, why; never leaves the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Informed {
    /// Whether it was.
    pub informed: bool,
    /// Why not.
    pub reason: Option<String>,
}

impl Case {
    /// Whether its signal is live on `today`.
    #[must_use]
    pub fn is_live(&self, today: Day) -> bool {
        self.withdrawn.is_none() && self.expiry >= today
    }

    /// Whose it is.
    #[must_use]
    pub const fn ownership(&self) -> Ownership {
        Ownership { owner: self.owner, team: self.team, offered_to: self.offered_to }
    }
}

/// What a match key should carry at every matcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The references of the live cases that hold it, sorted.
    pub references: Vec<Reference>,
    /// The smallest quiet threshold among them.
    pub min: u8,
    /// The latest expiry among them.
    pub expiry: Day,
}

impl Desired {
    /// The same within an epoch whose keys end after `last_day`.
    #[must_use]
    pub fn until(self, last_day: Day) -> Self {
        Self { expiry: self.expiry.min(last_day), ..self }
    }
}

/// A match key in use.
#[derive(Debug)]
pub struct KeyEntry {
    /// The purpose it is for.
    pub purpose: PurposeId,
    /// The key.
    pub key: MatchKey,
    /// The live cases that hold it.
    pub cases: BTreeSet<CaseId>,
}

/// The cases with their indexes.
#[derive(Debug)]
pub struct Cases {
    me: MemberId,
    index_key: IndexKey,
    /// The recipes that this member may use, by purpose.
    recipes: BTreeMap<PurposeId, RecipeList>,
    cases: BTreeMap<CaseId, Case>,
    by_case_reference: HashMap<(PurposeId, String), CaseId>,
    by_reference: HashMap<Reference, CaseId>,
    keys: HashMap<MatchKeyId, KeyEntry>,
}

impl Cases {
    /// Without cases. `index_key` names match keys; `me` decides which recipes may be used.
    #[must_use]
    pub fn new(me: &MemberId, covenant: &VerifiedCovenant, index_key: IndexKey) -> Self {
        let recipes = covenant
            .purposes_of(me)
            .filter_map(|purpose| {
                let all = RecipeList::from_terms(&purpose.recipes).ok()?;
                let list = if purpose.bsn_members.contains(me) { all } else { all.without_bsn() };
                Some((purpose.id.clone(), list))
            })
            .collect();
        Self {
            me: me.clone(),
            index_key,
            recipes,
            cases: BTreeMap::new(),
            by_case_reference: HashMap::new(),
            by_reference: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// The recipes that this member may use for `purpose`.
    #[must_use]
    pub fn recipes(&self, purpose: &PurposeId) -> Option<RecipeList> {
        self.recipes.get(purpose).cloned()
    }

    /// The match keys of one person for `purpose`.
    #[must_use]
    pub fn keys_of(&self, purpose: &PurposeId, person: &Person) -> Vec<MatchKey> {
        self.recipes.get(purpose).map(|recipes| match_keys(person, recipes)).unwrap_or_default()
    }

    /// How one person's match keys are named here, with their recipes.
    #[must_use]
    pub fn keys_by_recipe(&self, purpose: &PurposeId, person: &Person) -> BTreeMap<MatchKeyId, Recipe> {
        let keys = self.keys_of(purpose, person);
        let named = keys
            .iter()
            .filter_map(|key| Some((self.key_id(purpose, key), key.recipe().as_str().parse().ok()?)));
        named.collect()
    }

    /// Puts in a case, or its new state. Returns the match keys whose [`Desired`] state may have changed.
    pub fn put(&mut self, case: Case, today: Day) -> BTreeSet<MatchKeyId> {
        let mut touched = self.unlink(&case.id);
        if case.is_live(today) {
            let keys: Vec<_> =
                case.persons.iter().flat_map(|person| self.keys_of(&case.purpose, person)).collect();
            for key in keys {
                let id = self.key_id(&case.purpose, &key);
                let fresh = || KeyEntry { purpose: case.purpose.clone(), key, cases: BTreeSet::new() };
                self.keys.entry(id).or_insert_with(fresh).cases.insert(case.id);
                touched.insert(id);
            }
        }
        // A live signal is never hidden by an ended one under the same reference.
        let takes = |known: Option<&CaseId>| {
            let other = known.filter(|id| **id != case.id).and_then(|id| self.cases.get(id));
            case.is_live(today) || other.is_none_or(|other| !other.is_live(today))
        };
        let name = (case.purpose.clone(), case.case_reference.clone());
        if takes(self.by_case_reference.get(&name)) {
            self.by_case_reference.insert(name, case.id);
        }
        if takes(self.by_reference.get(&case.reference)) {
            self.by_reference.insert(case.reference, case.id);
        }
        self.cases.insert(case.id, case);
        touched
    }

    /// Takes a case out. Returns the match keys whose [`Desired`] state may have changed.
    pub fn remove(&mut self, id: &CaseId) -> BTreeSet<MatchKeyId> {
        let touched = self.unlink(id);
        if let Some(case) = self.cases.remove(id)
            && self.by_reference.get(&case.reference) == Some(id)
        {
            self.by_reference.remove(&case.reference);
        }
        touched
    }

    /// Takes a case's match keys away.
    fn unlink(&mut self, id: &CaseId) -> BTreeSet<MatchKeyId> {
        let Some(old) = self.cases.get(id) else { return BTreeSet::new() };
        let keys: Vec<_> = old.persons.iter().flat_map(|person| self.keys_of(&old.purpose, person)).collect();
        let ids: BTreeSet<_> = keys.iter().map(|key| self.key_id(&old.purpose, key)).collect();
        let name = (old.purpose.clone(), old.case_reference.clone());
        if self.by_case_reference.get(&name) == Some(id) {
            self.by_case_reference.remove(&name);
        }
        for key in &ids {
            if let Some(entry) = self.keys.get_mut(key) {
                entry.cases.remove(id);
                if entry.cases.is_empty() {
                    self.keys.remove(key);
                }
            }
        }
        ids
    }

    fn key_id(&self, purpose: &PurposeId, key: &MatchKey) -> MatchKeyId {
        let fields = join(&[purpose.as_bytes(), key.recipe().as_bytes(), key.value().as_bytes()]);
        MatchKeyId(self.index_key.hash(&fields))
    }

    /// A case.
    #[must_use]
    pub fn get(&self, id: &CaseId) -> Option<&Case> {
        self.cases.get(id)
    }

    /// The case under the partner's own reference, whether its signal is live or has ended.
    #[must_use]
    pub fn find(&self, purpose: &PurposeId, case_reference: &str) -> Option<&Case> {
        let id = self.by_case_reference.get(&(purpose.clone(), case_reference.to_owned()))?;
        self.cases.get(id)
    }

    /// The case that the network speaks of by `reference`.
    #[must_use]
    pub fn by_reference(&self, reference: &Reference) -> Option<&Case> {
        self.by_reference.get(reference).and_then(|id| self.cases.get(id))
    }

    /// All cases, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// A match key in use.
    #[must_use]
    pub fn key(&self, id: &MatchKeyId) -> Option<&KeyEntry> {
        self.keys.get(id)
    }

    /// All match keys in use.
    pub fn keys(&self) -> impl Iterator<Item = (&MatchKeyId, &KeyEntry)> {
        self.keys.iter()
    }

    /// What a match key should carry; none when no live case holds it.
    #[must_use]
    pub fn desired(&self, id: &MatchKeyId, today: Day) -> Option<Desired> {
        let entry = self.keys.get(id)?;
        let live: Vec<_> = entry
            .cases
            .iter()
            .filter_map(|case| self.cases.get(case))
            .filter(|case| case.is_live(today))
            .collect();
        let expiry = live.iter().map(|case| case.expiry).max()?;
        let mut references: Vec<_> = live.iter().map(|case| case.reference).collect();
        references.sort_unstable();
        references.dedup();
        references.truncate(kring_protocol::submission::hello::REFERENCES_MAX);
        let min = live.iter().map(|case| case.min).min()?;
        Some(Desired { references, min, expiry })
    }

    /// The member whose cases these are.
    #[must_use]
    pub const fn member(&self) -> &MemberId {
        &self.me
    }
}

#[cfg(test)]
mod tests;

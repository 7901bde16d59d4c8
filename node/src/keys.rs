//! The OPRF keys of the epochs in use: records that all holders signed, and this node's own shares.
//!
//! Not here: how keys are made ([`crate::ceremony`]) and used ([`crate::holder`], [`crate::asker`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use kring_protocol::ceremony::{KeyId, SignedKeyRecord, VerifiedKeyRecord};
use kring_protocol::covenant::VerifiedCovenant;
use kring_protocol::evaluation::{Budget, KeySpec, Party, PurposeTerms, Terms};
use kring_protocol::id::{Epoch, MemberId, PurposeId};
use kring_protocol::oprf::{KeyShare, PublicShare};
use kring_protocol::sign::VerifyingKey;
use tokio::sync::watch;

/// The keys of one epoch.
#[derive(Debug)]
pub struct EpochKeys {
    /// What the rules need to know of covenant and keys.
    pub terms: Arc<Terms>,
    /// This node's shares, by key.
    pub shares: HashMap<(PurposeId, MemberId), KeyShare>,
    /// The records, as they are handed to other members.
    pub records: Vec<SignedKeyRecord>,
}

/// Why key records are not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// A record's signatures or shares do not hold.
    #[error("the key records of epoch {0:?} do not hold; ask another key holder")]
    Record(Epoch),
    /// A key that the covenant asks for is missing, or one is there that it does not ask for.
    #[error("the key records of epoch {0:?} are not those that the covenant asks for")]
    Set(Epoch),
}

impl EpochKeys {
    /// Checks records against the covenant.
    ///
    /// # Errors
    /// [`BadKeys`].
    pub fn new(
        covenant: &VerifiedCovenant,
        epoch: Epoch,
        records: Vec<SignedKeyRecord>,
        shares: HashMap<(PurposeId, MemberId), KeyShare>,
    ) -> Result<Self, BadKeys> {
        let lookup = |member: &MemberId| -> Option<VerifyingKey> {
            covenant.member(member).map(|card| card.signing_key)
        };
        let mut verified = BTreeMap::new();
        for record in &records {
            let record = record.verify(lookup).map_err(|_| BadKeys::Record(epoch))?;
            if record.record().epoch != epoch || record.record().network != covenant.network() {
                return Err(BadKeys::Record(epoch));
            }
            verified.insert(record.record().key(), record);
        }
        let terms = terms(covenant, epoch, &verified).ok_or(BadKeys::Set(epoch))?;
        Ok(Self { terms: Arc::new(terms), shares, records })
    }
}

/// The rules' view of covenant and keys; none when the keys are not exactly those of the covenant.
fn terms(
    covenant: &VerifiedCovenant,
    epoch: Epoch,
    records: &BTreeMap<KeyId, VerifiedKeyRecord>,
) -> Option<Terms> {
    let mut purposes = BTreeMap::new();
    for purpose in &covenant.purposes {
        let mut keys = Vec::new();
        for matcher in &covenant.matchers {
            let id = KeyId { purpose: purpose.id.clone(), matcher: matcher.clone() };
            keys.push(key_spec(covenant, records.get(&id)?)?);
        }
        let members = purpose.members.iter().cloned().collect();
        purposes.insert(purpose.id.clone(), PurposeTerms { members, keys });
    }
    if records.len() != covenant.purposes.len() * covenant.matchers.len() {
        return None;
    }
    Some(Terms {
        network: covenant.network(),
        covenant: covenant.hash(),
        epoch,
        parties: parties(covenant),
        key_holders: covenant.key_holders.clone(),
        purposes,
    })
}

fn key_spec(covenant: &VerifiedCovenant, record: &VerifiedKeyRecord) -> Option<KeySpec> {
    let record = record.record();
    if record.holders != covenant.holders_of(&record.matcher) {
        return None;
    }
    let public = record.shares.iter().map(|point| PublicShare::from_bytes(*point.as_bytes()).ok());
    Some(KeySpec {
        matcher: record.matcher.clone(),
        threshold: record.t,
        holders: record.holders.clone(),
        public: public.collect::<Option<_>>()?,
    })
}

fn parties(covenant: &VerifiedCovenant) -> BTreeMap<MemberId, Party> {
    let budget = |member: &MemberId| {
        let budget = covenant.budgets.iter().find(|budget| budget.member == *member);
        budget.map_or(Budget { per_day: 0, allowance: 0 }, |budget| Budget {
            per_day: budget.per_day.into(),
            allowance: budget.allowance.into(),
        })
    };
    let party = |card: &kring_protocol::covenant::MemberCard| Party {
        controller: card.controller.to_string(),
        operator: card.operator.to_string(),
        key: card.signing_key,
        budget: budget(&card.id),
    };
    covenant.members.iter().map(|card| (card.card.id.clone(), party(&card.card))).collect()
}

/// The epochs whose keys this node has, shared by the roles.
#[derive(Debug)]
pub struct Keyring {
    epochs: RwLock<BTreeMap<Epoch, Arc<EpochKeys>>>,
    changed: watch::Sender<u64>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self { epochs: RwLock::default(), changed: watch::channel(0).0 }
    }
}

impl Keyring {
    /// The keys of an epoch, if they are there.
    #[must_use]
    pub fn get(&self, epoch: Epoch) -> Option<Arc<EpochKeys>> {
        self.read().get(&epoch).cloned()
    }

    /// All epochs whose keys are there, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<EpochKeys>> {
        self.read().values().cloned().collect()
    }

    /// Adds an epoch and wakes whoever waits for keys.
    pub fn insert(&self, keys: EpochKeys) {
        let epoch = keys.terms.epoch;
        self.epochs.write().expect("nobody panics while holding the keyring").insert(epoch, Arc::new(keys));
        self.changed.send_modify(|count| *count += 1);
    }

    /// Drops an epoch that has ended.
    pub fn remove(&self, epoch: Epoch) {
        self.epochs.write().expect("nobody panics while holding the keyring").remove(&epoch);
    }

    /// Changes whenever an epoch is added.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Epoch, Arc<EpochKeys>>> {
        self.epochs.read().expect("nobody panics while holding the keyring")
    }
}

//! Drives the key ceremony over the network, and fetches finished key records where this node holds no share
//! (`docs/protocol.md` section 3.4). The rules themselves are `kring_protocol::ceremony`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kring_protocol::ceremony::{
    Ceremony as Rules, Effect, KeyId, KeySpec, Outcome, Request, Response, Setup, SetupError,
    SignedKeyRecord, SpecError,
};
use kring_protocol::codec::{self, Wire};
use kring_protocol::evidence::Violation;
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::log::entry::Kind;
use kring_protocol::oprf::KeyShare;
use kring_protocol::secret::Secret;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::evidence::keep;
use crate::keys::{BadKeys, EpochKeys, Keyring};
use crate::network::Family;
use crate::partner::Partner;
use crate::store::{Batch, StoreError, Table};
use crate::vault::{KeyName, damaged};

/// Between two rounds of asking the others, while keys are missing.
const ROUND: Duration = Duration::from_millis(60);

/// How long one holder is waited for: a round is only as fast as its slowest, and asks again soon anyway.
const ANSWER: Duration = Duration::from_secs(1);

/// The ceremonies that this node takes part in, by epoch.
#[derive(Debug)]
pub struct Ceremonies {
    core: Arc<Core>,
    keyring: Arc<Keyring>,
    running: Mutex<BTreeMap<Epoch, Rules>>,
}

/// This node's shares of an epoch, as stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredShares {
    shares: Vec<StoredShare>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredShare {
    key: KeyId,
    #[serde(with = "kring_protocol::secret::stored")]
    share: Secret<32>,
}

impl Wire for StoredShares {
    const MAX_LEN: usize = 32_768;
}

/// A piece of what a ceremony keeps: with many keys it is more than one record may hold.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredKept(codec::Bytes);

/// Why a ceremony, or the keys it made, cannot go on. Neither is the disk's fault unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// The covenant asks for keys that cannot be made.
    #[error("the covenant's keys cannot be made: {0}; the members must agree on another covenant")]
    Specs(#[from] SpecError),
    /// The ceremony does not start, or not where it stopped.
    #[error("the key ceremony cannot start: {0}")]
    Setup(#[from] SetupError),
    /// Key records that do not belong to this covenant.
    #[error("the key records cannot be used: {0}")]
    Keys(#[from] BadKeys),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const PIECE_LEN: usize = 50_000;

impl Wire for StoredKept {
    const MAX_LEN: usize = 60_000;
}

impl Ceremonies {
    /// With the keys and the unfinished ceremonies in the store; those of epochs in use are entered.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub async fn load(core: Arc<Core>, keyring: Arc<Keyring>) -> Result<Self, CeremonyError> {
        let ceremonies = Self { core, keyring, running: Mutex::default() };
        for epoch in ceremonies.core.covenant.epochs_on(ceremonies.core.today()) {
            ceremonies.load_epoch(epoch).await?;
        }
        Ok(ceremonies)
    }

    async fn load_epoch(&self, epoch: Epoch) -> Result<(), CeremonyError> {
        let mut batch = Batch::new();
        let mut names = vec![KeyName::Shares(epoch)];
        let matchers = self.core.covenant.matchers_for(&self.core.me);
        names.extend(matchers.into_iter().map(|matcher| KeyName::Left { matcher, epoch }));
        self.core.vault.prepare(&names, &mut batch)?;
        if !batch.is_empty() {
            self.core.commit(batch, Vec::new()).await?;
        }
        if let Some(keys) = self.stored_keys(epoch)? {
            self.keyring.insert(keys);
        }
        if self.holds_a_share() {
            self.enter(epoch)?;
        }
        Ok(())
    }

    fn stored_keys(&self, epoch: Epoch) -> Result<Option<EpochKeys>, CeremonyError> {
        let prefix = epoch.to_be_bytes();
        let mut records = Vec::new();
        for record in self.core.store.scan(Table::KeyRecord, &prefix) {
            let (_, bytes) = record?;
            records.push(codec::decode::<SignedKeyRecord>(&bytes).map_err(|_| damaged(Table::KeyRecord))?);
        }
        if records.is_empty() {
            return Ok(None);
        }
        let mut shares = HashMap::new();
        if let Some(sealed) = self.core.store.get(Table::KeyShare, &prefix)? {
            let name = KeyName::Shares(epoch);
            let stored: StoredShares =
                self.core.vault.open_record(&name, Table::KeyShare, &prefix, &sealed)?;
            shares = usable(&stored.shares)?;
        }
        Ok(Some(EpochKeys::new(&self.core.covenant, epoch, records, shares)?))
    }

    fn enter(&self, epoch: Epoch) -> Result<(), CeremonyError> {
        let name = KeyName::Shares(epoch);
        let mut kept: Option<Vec<u8>> = None;
        for piece in self.core.store.scan(Table::Ceremony, &epoch.to_be_bytes()) {
            let (key, sealed) = piece?;
            let piece: StoredKept = self.core.vault.open_record(&name, Table::Ceremony, &key, &sealed)?;
            kept.get_or_insert_default().extend(piece.0.0);
        }
        let rules = Rules::new(self.setup(epoch)?, kept.as_deref(), &mut OsRng)?;
        self.running().insert(epoch, rules);
        Ok(())
    }

    /// Not every key holder of the covenant holds a share: one that is the only matcher, or related to every matcher, may
    /// hold none of the keys.
    fn holds_a_share(&self) -> bool {
        let covenant = &self.core.covenant;
        covenant.matchers.iter().any(|matcher| covenant.holders_of(matcher).contains(&self.core.me))
    }

    fn setup(&self, epoch: Epoch) -> Result<Setup, SpecError> {
        let covenant = &self.core.covenant;
        let mut specs = Vec::new();
        for purpose in &covenant.purposes {
            for matcher in &covenant.matchers {
                let key = KeyId { purpose: purpose.id.clone(), matcher: matcher.clone() };
                specs.push(KeySpec::new(key, covenant.holders_of(matcher))?);
            }
        }
        let verifying_key = |holder: &MemberId| Some((holder.clone(), self.core.verifying_key(holder)?));
        let has_a_share = |holder: &&MemberId| specs.iter().any(|spec| spec.holders().contains(holder));
        let holders = covenant.key_holders.iter().filter(has_a_share).filter_map(verifying_key).collect();
        Ok(Setup {
            network: covenant.network(),
            covenant: covenant.hash(),
            epoch,
            specs,
            holders,
            me: self.core.me.clone(),
            signing_key: Arc::clone(&self.core.identity.signing),
        })
    }

    /// What is being waited for, in words for the operator; none when all keys of today are there.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let epochs = self.core.covenant.epochs_on(self.core.today());
        if epochs.is_empty() {
            return Some("the covenant's first epoch has not begun".to_owned());
        }
        let epoch = epochs.into_iter().find(|epoch| self.keyring.get(*epoch).is_none())?;
        let state = self.running().get(&epoch).map(|rules| rules.state().to_string());
        let state = state.unwrap_or_else(|| "asking the key holders for their records".to_owned());
        Some(format!("keys of epoch {}: {state}", epoch.0))
    }

    /// Works until all keys of today are there, then looks again now and then, until the node stops.
    pub async fn run(self: Arc<Self>) {
        while !self.core.is_stopping() {
            let epochs = self.core.covenant.epochs_on(self.core.today());
            let missing = epochs.into_iter().find(|epoch| self.keyring.get(*epoch).is_none());
            let worked = match missing {
                None => {
                    self.core.pause(Duration::from_secs(60)).await;
                    continue;
                }
                Some(epoch) if self.running().contains_key(&epoch) => self.round(epoch).await,
                Some(epoch) if self.holds_a_share() => self.load_epoch(epoch).await,
                Some(epoch) => self.fetch(epoch).await,
            };
            if let Err(error) = worked {
                self.core.fail(error.to_string());
                return;
            }
            self.core.pause(ROUND).await;
        }
    }

    /// Asks every other holder once, all at the same time.
    async fn round(&self, epoch: Epoch) -> Result<(), CeremonyError> {
        let (peers, request) = {
            let running = self.running();
            let Some(rules) = running.get(&epoch) else { return Ok(()) };
            (rules.peers().cloned().collect::<Vec<_>>(), codec::encode(&rules.poll_request()))
        };
        let ask = |peer: MemberId| {
            let request = request.clone();
            async move {
                let asked = self.core.network.request(&peer, Family::Ceremony, request);
                let answer = tokio::time::timeout(ANSWER, asked).await.ok()?.ok()?;
                Some((peer, codec::decode::<Response>(&answer).ok()?))
            }
        };
        for (peer, response) in
            futures::future::join_all(peers.into_iter().map(ask)).await.into_iter().flatten()
        {
            let effects = match self.running().get_mut(&epoch) {
                Some(rules) => tokio::task::block_in_place(|| rules.handle_response(&peer, response)),
                None => Vec::new(),
            };
            self.carry_out(epoch, effects).await?;
        }
        Ok(())
    }

    async fn carry_out(&self, epoch: Epoch, effects: Vec<Effect>) -> Result<(), CeremonyError> {
        let mut effects = std::collections::VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Persist { session, kept } => {
                    let mut batch = Batch::new();
                    self.put_kept(&mut batch, epoch, kept.expose())?;
                    self.core.commit(batch, Vec::new()).await?;
                    let more = self.running().get_mut(&epoch).map(|rules| rules.persisted(session));
                    effects.extend(more.unwrap_or_default());
                }
                Effect::Complete(outcome) => self.complete(epoch, outcome).await?,
                Effect::Abort(abort) => {
                    tracing::error!(culprit = %abort.culprit, fault = ?abort.fault, "the key ceremony has stopped");
                    keep(&self.core, Violation::Ceremony(Box::new(abort))).await?;
                }
            }
        }
        Ok(())
    }

    fn put_kept(&self, batch: &mut Batch, epoch: Epoch, kept: &[u8]) -> Result<(), StoreError> {
        let prefix = epoch.to_be_bytes();
        // What was kept before may have had more pieces.
        for piece in self.core.store.scan(Table::Ceremony, &prefix) {
            batch.delete(Table::Ceremony, piece?.0);
        }
        for (number, piece) in (0_u32..).zip(kept.chunks(PIECE_LEN)) {
            let key = [prefix, number.to_be_bytes()].concat();
            let bytes = codec::encode(&StoredKept(codec::Bytes(piece.to_vec())));
            let sealed =
                self.core.vault.seal_record(&KeyName::Shares(epoch), Table::Ceremony, &key, &bytes)?;
            batch.put(Table::Ceremony, key, sealed);
        }
        Ok(())
    }

    /// Stores records and shares in one commit, then takes the keys into use.
    async fn complete(&self, epoch: Epoch, outcome: Outcome) -> Result<(), CeremonyError> {
        let mut batch = Batch::new();
        self.put_kept(&mut batch, epoch, outcome.kept.expose())?;
        let shares = outcome.shares.into_iter().map(|(key, share)| StoredShare { key, share }).collect();
        let stored = StoredShares { shares };
        let key = epoch.to_be_bytes();
        let bytes = codec::encode(&stored);
        let sealed = self.core.vault.seal_record(&KeyName::Shares(epoch), Table::KeyShare, &key, &bytes)?;
        batch.put(Table::KeyShare, key, sealed);
        let shares = usable(&stored.shares)?;
        self.take_into_use(epoch, outcome.records, shares, batch).await
    }

    /// At an epoch's end its keys, and everything left under them, are destroyed, done or not (section 3.5).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_epochs(&self, partner: &Partner) -> Result<(), StoreError> {
        let today = self.core.today();
        let ended = |epoch: &Epoch| self.core.covenant.epochs.end(*epoch) <= today;
        let epochs: Vec<_> = self.keyring.all().iter().map(|keys| keys.terms.epoch).filter(ended).collect();
        for epoch in epochs {
            let _changing = partner.changing_matches.lock().await;
            let mut batch = Batch::new();
            for table in [
                Table::KeyRecord,
                Table::KeyShare,
                Table::Ceremony,
                Table::Chain,
                Table::Header,
                Table::Answer,
                Table::Vouched,
            ] {
                for record in self.core.store.scan(table, &epoch.to_be_bytes()) {
                    batch.delete(table, record?.0);
                }
            }
            let mut events = partner.forget_epoch(epoch, &mut batch)?;
            let mut names = vec![KeyName::Shares(epoch)];
            let matchers = self.core.covenant.matchers_for(&self.core.me);
            names.extend(matchers.into_iter().map(|matcher| KeyName::Left { matcher, epoch }));
            self.core.vault.erase(&names, &mut batch)?;
            self.keyring.remove(epoch);
            self.running().remove(&epoch);
            events.push(self.core.event(Kind::Key, None, 1));
            self.core.commit(batch, events).await?;
        }
        Ok(())
    }

    /// Asks the key holders for the finished records of an epoch.
    async fn fetch(&self, epoch: Epoch) -> Result<(), CeremonyError> {
        let request = codec::encode(&Request::Records { epoch });
        for holder in &self.core.covenant.key_holders {
            let answer = self.core.network.request(holder, Family::Ceremony, request.clone()).await;
            let response = answer.ok().and_then(|bytes| codec::decode::<Response>(&bytes).ok());
            let Some(Response::Records(records)) = response else { continue };
            if records.is_empty() {
                continue;
            }
            if let Err(error) = EpochKeys::new(&self.core.covenant, epoch, records.clone(), HashMap::new()) {
                tracing::warn!(%holder, %error, "key records were not accepted");
                continue;
            }
            self.load_epoch(epoch).await?;
            return self.take_into_use(epoch, records, HashMap::new(), Batch::new()).await;
        }
        Ok(())
    }

    async fn take_into_use(
        &self,
        epoch: Epoch,
        records: Vec<SignedKeyRecord>,
        shares: HashMap<(kring_protocol::id::PurposeId, MemberId), KeyShare>,
        mut batch: Batch,
    ) -> Result<(), CeremonyError> {
        for (number, record) in records.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
            batch.put(Table::KeyRecord, [epoch.to_be_bytes(), number].concat(), codec::encode(record));
        }
        let keys = EpochKeys::new(&self.core.covenant, epoch, records, shares)?;
        let events = vec![self.core.event(Kind::Key, None, keys.records.len() as u64)];
        self.core.commit(batch, events).await?;
        tracing::info!(epoch = epoch.0, "keys are in use");
        self.keyring.insert(keys);
        Ok(())
    }

    /// Answers one request of `/kring/ceremony/1`.
    #[must_use]
    pub fn handle(&self, from: &MemberId, bytes: &[u8]) -> Vec<u8> {
        let response = match codec::decode::<Request>(bytes) {
            Ok(Request::Records { epoch }) => {
                let keys = self.keyring.get(epoch);
                Response::Records(keys.map(|keys| keys.records.clone()).unwrap_or_default())
            }
            Ok(request @ Request::Poll { epoch, .. }) => match self.running().get(&epoch) {
                Some(rules) => rules.handle_request(from, &request),
                None => Response::Elsewhere,
            },
            Err(_) => Response::Elsewhere,
        };
        codec::encode(&response)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Epoch, Rules>> {
        self.running.lock().expect("nobody panics while holding the ceremonies")
    }
}

fn usable(
    shares: &[StoredShare],
) -> Result<HashMap<(kring_protocol::id::PurposeId, MemberId), KeyShare>, StoreError> {
    let share = |stored: &StoredShare| {
        let share = KeyShare::from_bytes(&stored.share).map_err(|_| damaged(Table::KeyShare))?;
        Ok(((stored.key.purpose.clone(), stored.key.matcher.clone()), share))
    };
    shares.iter().map(share).collect()
}

#[cfg(test)]
mod tests;

//! The keys to which members seal what they leave here: one for each week (`docs/protocol.md` section 5.3).

use kring_protocol::codec;
use kring_protocol::relay::{Refusal, Response};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::submission::WeeklyKey;
use rand::rngs::OsRng;

use super::Matcher;
use super::record::StoredKey;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

impl Matcher {
    /// The keys to seal to: this week's, and next week's in good time.
    pub async fn weekly_keys(&self) -> Response {
        let week = self.core.today().week();
        let mut keys = Vec::new();
        for week in [week, week + 1] {
            match self.weekly_key(week).await {
                Ok(secret) => {
                    let signing = &self.core.identity.signing;
                    keys.push(WeeklyKey::sign(&self.destination, week, secret.public(), signing));
                }
                Err(_) => return Response::Refused(Refusal::Unreachable),
            }
        }
        Response::WeeklyKeys(keys)
    }

    /// A week's key; made durable before anyone hears of it.
    async fn weekly_key(&self, week: u32) -> Result<ExchangeSecret, StoreError> {
        let mut weekly = self.weekly.lock().await;
        if let Some(secret) = weekly.get(&week) {
            return Ok(secret.clone());
        }
        let stored = StoredKey(Secret::random(&mut OsRng));
        let key = week.to_be_bytes();
        let mut batch = Batch::new();
        let bytes = codec::encode(&stored);
        let sealed = self.core.vault.seal_record(&KeyName::Meeting, Table::WeeklyKey, &key, &bytes)?;
        batch.put(Table::WeeklyKey, key, sealed);
        // Two weeks back nothing sealed to a key is taken any more.
        let old: Vec<_> = weekly.keys().copied().filter(|known| known + 2 <= week).collect();
        for week in old {
            weekly.remove(&week);
            batch.delete(Table::WeeklyKey, week.to_be_bytes());
        }
        self.core.commit(batch, Vec::new()).await?;
        let secret = ExchangeSecret::from_bytes(stored.0);
        weekly.insert(week, secret.clone());
        Ok(secret)
    }
}

//! How people of local accounts show who they are: password, second factor, and the code by which both are set up.
//!
//! Stored sealed, one record an account. Not here: the account itself ([`crate::people`]), and who may try how often.

use std::sync::Arc;

use kring_protocol::codec::{self, Wire};
use kring_protocol::crypto;
use kring_protocol::secret::Secret;
use kring_protocol::time::Timestamp;
use rand::RngCore as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::password::PasswordHash;
use super::totp::TotpSecret;
use crate::audit::Event;
use crate::core::Core;
use crate::people::AccountId;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

/// Seconds that an activation code can be used.
pub const ACTIVATION_TERM: u64 = 72 * 3_600;
/// Characters of an activation code without the dashes: 100 bits.
const CODE_CHARS: usize = 20;
/// Crockford's: no letters that look like digits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What is stored of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credential {
    pub(super) password: Option<PasswordHash>,
    pub(super) totp: Option<TotpSecret>,
    /// The step of the last code that was accepted; none before it is again.
    pub(super) last_step: u64,
    activation: Option<Activation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activation {
    /// SHA-256 of the code.
    #[serde(with = "kring_protocol::secret::stored")]
    code: Secret<32>,
    expires: Timestamp,
}

impl Wire for Credential {
    const MAX_LEN: usize = 1_024;
}

impl Credential {
    /// One that was just set up: the step of its first code, where there is a second factor.
    pub(super) fn new(password: PasswordHash, factor: Option<(TotpSecret, u64)>) -> Self {
        let (totp, last_step) = factor.map_or((None, 0), |(totp, step)| (Some(totp), step));
        Self { password: Some(password), totp, last_step, activation: None }
    }

    /// Whether this is the activation code, and in time.
    pub(super) fn is_activated_by(&self, code: &[u8; 32], now: Timestamp) -> bool {
        self.activation
            .as_ref()
            .is_some_and(|activation| (activation.code == Secret::new(*code)) & (now < activation.expires))
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Credentials {
    core: Arc<Core>,
    /// Held from reading a record to the commit that changes it: a code counts once, however many come at once.
    changing: tokio::sync::Mutex<()>,
}

impl Credentials {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core, changing: tokio::sync::Mutex::default() }
    }

    pub(super) fn get(&self, account: AccountId) -> Result<Option<Credential>, StoreError> {
        let key = account.0.as_bytes();
        let Some(sealed) = self.core.store.get(Table::Credential, key)? else { return Ok(None) };
        self.core.vault.open_record(&KeyName::SignIn, Table::Credential, key, &sealed).map(Some)
    }

    /// Draws a code by which the account is set up anew. What was set up before keeps working until that is done.
    pub(super) async fn invite(
        &self,
        account: AccountId,
        event: Event,
    ) -> Result<(Zeroizing<String>, Timestamp), StoreError> {
        let _changing = self.changing.lock().await;
        let code = random_code();
        let expires = self.core.now().plus_secs(ACTIVATION_TERM);
        let mut credential = self.get(account)?.unwrap_or_default();
        credential.activation = code_hash(&code).map(|code| Activation { code: Secret::new(code), expires });
        self.put(account, &credential, event).await?;
        Ok((code, expires))
    }

    /// Sets the account up, if the code is still good; used up with it.
    pub(super) async fn activate(
        &self,
        account: AccountId,
        code: &[u8; 32],
        fresh: Credential,
        event: Event,
    ) -> Result<bool, StoreError> {
        let _changing = self.changing.lock().await;
        let known = self.get(account)?.unwrap_or_default();
        if !known.is_activated_by(code, self.core.now()) {
            return Ok(false);
        }
        self.put(account, &fresh, event).await?;
        Ok(true)
    }

    /// Whether a code of the second factor is right; durable that it cannot be used again.
    pub(super) async fn second_factor(&self, account: AccountId, code: &str) -> Result<bool, StoreError> {
        let _changing = self.changing.lock().await;
        let Some(mut credential) = self.get(account)? else { return Ok(false) };
        let step = credential
            .totp
            .as_ref()
            .and_then(|totp| totp.accept(code, self.core.now(), credential.last_step));
        let Some(step) = step else { return Ok(false) };
        credential.last_step = step;
        let mut batch = Batch::new();
        self.write(account, &credential, &mut batch)?;
        self.core.commit(batch, Vec::new()).await?;
        Ok(true)
    }

    async fn put(&self, account: AccountId, credential: &Credential, event: Event) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        self.write(account, credential, &mut batch)?;
        self.core.commit(batch, vec![event]).await
    }

    fn write(
        &self,
        account: AccountId,
        credential: &Credential,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (key, table) = (account.0.as_bytes(), Table::Credential);
        let plain = Zeroizing::new(codec::encode(credential));
        let sealed = self.core.vault.seal_record(&KeyName::SignIn, table, key, &plain)?;
        batch.put(table, key, sealed);
        Ok(())
    }
}

/// `ABCDE-FGH12-...`: to be read out over the telephone if need be.
fn random_code() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; CODE_CHARS]);
    OsRng.fill_bytes(bytes.as_mut_slice());
    let digit = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    let groups: Vec<String> = bytes.chunks(5).map(|chunk| chunk.iter().map(digit).collect()).collect();
    Zeroizing::new(groups.join("-"))
}

/// The hash of a code as somebody typed it; none if it cannot be one.
pub(super) fn code_hash(text: &str) -> Option<[u8; 32]> {
    let digit = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let plain = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(CODE_CHARS + 1).map(digit);
    let plain: Zeroizing<String> = Zeroizing::new(plain.collect());
    let right = plain.len() == CODE_CHARS && plain.bytes().all(|byte| ALPHABET.contains(&byte));
    right.then(|| crypto::sha256(plain.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = random_code();
        let hash = code_hash(&code).unwrap();
        assert_eq!(code.len(), CODE_CHARS + 3);
        assert_eq!(code_hash(&format!("  {} ", code.to_lowercase().replace('-', " "))), Some(hash));
        assert_eq!(code_hash(&code.replace('0', "o").replace('1', "l")), Some(hash));
        assert_ne!(code_hash(&random_code()), Some(hash));
        for wrong in ["", "ABCDE", &format!("{}0", *code), &code.replace('-', "U")] {
            assert_eq!(code_hash(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_activation_code_ends() {
        let now = Timestamp::from_secs(1_800_000_000);
        let code = code_hash(&random_code()).unwrap();
        let activation =
            Some(Activation { code: Secret::new(code), expires: now.plus_secs(ACTIVATION_TERM) });
        let credential = Credential { activation, ..Credential::default() };
        assert!(credential.is_activated_by(&code, now));
        assert!(!credential.is_activated_by(&[0; 32], now));
        assert!(!credential.is_activated_by(&code, now.plus_secs(ACTIVATION_TERM)));
        assert!(!Credential::default().is_activated_by(&code, now));
        assert!(!format!("{credential:?}").is_empty());
    }
}

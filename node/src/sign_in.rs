//! Signing in: who sits at a browser, and for how long that is believed.
//!
//! # In scope
//! Sessions, local accounts with a password and a second factor, the partner's OpenID provider, forms that come from our own
//! pages, and the headers that tell browsers what these pages never do.
//!
//! # Out of scope
//! Who may do what ([`crate::people::access`]); systems with tokens ([`crate::api::auth`]).

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kring_protocol::covenant::Tempo;
use kring_protocol::log::entry::{Kind, Outcome};
use kring_protocol::time::Timestamp;
use zeroize::Zeroizing;

use crate::audit::Event;
use crate::config::{OidcConfig, SignInConfig};
use crate::core::Core;
use crate::keystore::IndexKey;
use crate::people::{Account, AccountId, People, SignInName};
use crate::store::StoreError;

mod again;
mod answers;
mod attempts;
mod browser;
mod credential;
mod form;
mod handlers;
mod headers;
mod password;
mod provider;
mod session;
mod totp;
mod visitor;

pub use again::around_forms;
pub use browser::SignedIn;
pub use credential::ACTIVATION_TERM;
pub use form::{CsrfForm, CsrfUpload, Upload};
pub use handlers::router;
pub use headers::headers;
pub use session::{Limits, Session};

use attempts::{Attempts, Who};
use credential::Credentials;
use password::Hasher;
use provider::{Provider, RoleMap, client::Client};
use session::Sessions;
use visitor::Visitors;

/// Failures that cost nothing: of one account, and of all behind one address, which may be a whole office.
const FREE_FAILURES: u32 = 5;
const FREE_FAILURES_OF_ADDRESS: u32 = 50;
/// How often what has ended is removed, and when people were last seen is written.
const TIDY: Duration = Duration::from_secs(60);

/// Everything about signing in.
#[derive(Debug)]
pub struct SignIn {
    core: Arc<Core>,
    people: Arc<People>,
    sessions: Sessions,
    visitors: Visitors,
    answers: answers::Answers,
    credentials: Credentials,
    hasher: Hasher,
    provider: Option<Provider>,
    second_factor: bool,
    names: Attempts,
    factors: Attempts,
    addresses: Attempts,
    tried: IndexKey,
    /// Attempts that were refused unread since this was last entered in the audit log.
    refused: AtomicU32,
}

impl SignIn {
    /// Reads what is stored, and the secrets that the configuration names.
    ///
    /// # Errors
    /// What is wrong with the configuration or the store, and what to do.
    pub fn load(core: Arc<Core>, people: Arc<People>, config: &SignInConfig) -> Result<Self, String> {
        if !config.second_factor && core.covenant.tempo != Tempo::Immediate {
            return Err("second_factor is off, which only a covenant for tests permits (tempo immediate); \
                 remove the key"
                .to_owned());
        }
        let limits = Limits { idle: config.session_idle_minutes * 60, age: config.session_hours * 3_600 };
        let provider = config.oidc.as_ref().map(|oidc| settings(oidc, &config.public_url)).transpose()?;
        let sessions = Sessions::load(Arc::clone(&core), limits).map_err(|error| error.to_string())?;
        Ok(Self {
            sessions,
            visitors: Visitors::default(),
            answers: answers::Answers::default(),
            credentials: Credentials::new(Arc::clone(&core)),
            hasher: Hasher::new(),
            provider: provider.map(Provider::new),
            second_factor: config.second_factor,
            names: Attempts::new(FREE_FAILURES),
            factors: Attempts::new(FREE_FAILURES),
            addresses: Attempts::new(FREE_FAILURES_OF_ADDRESS),
            tried: core.vault.index_key("sign-in-attempts"),
            refused: AtomicU32::new(0),
            core,
            people,
        })
    }

    /// Removes what has ended, once a minute, until the node stops.
    pub async fn run(self: Arc<Self>) {
        while !self.core.is_stopping() {
            self.core.pause(TIDY).await;
            self.visitors.tidy(self.core.now());
            if self.sessions.tidy().await.is_err() || self.enter_refused().await.is_err() {
                return; // the disk failed, and the node stops
            }
        }
    }

    /// A new code by which a local account is set up; the old password and second factor count until that is done. None
    /// when there is no such account, or the provider signs it in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(
        &self,
        account: AccountId,
        event: Event,
    ) -> Result<Option<(Zeroizing<String>, Timestamp)>, StoreError> {
        let local = |account: &Account| account.active && matches!(account.sign_in, SignInName::Local(_));
        if self.people.get(&account).filter(local).is_none() {
            return Ok(None);
        }
        self.credentials.invite(account, event).await.map(Some)
    }

    /// Ends all sessions of an account, at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions(&self, account: AccountId) -> Result<(), StoreError> {
        self.sessions.end_all(account, Vec::new()).await.map(|_| ())
    }

    /// Nodes of a demonstration share one host; each has its own cookie.
    fn cookie_name(&self) -> String {
        format!("__Host-kring-{}", self.core.me)
    }

    fn event(&self, account: Option<AccountId>, outcome: Outcome) -> Event {
        let actor = account.map(|account| self.core.audit.actor(account.to_string().as_bytes()));
        Event { actor, outcome, ..self.core.event(Kind::SignIn, None, 1) }
    }

    /// Enters an attempt in vain.
    async fn enter_failure(&self, account: Option<AccountId>) -> Result<(), StoreError> {
        let event = self.event(account, Outcome::Failed);
        self.core.commit(crate::store::Batch::new(), vec![event]).await
    }

    /// Enters how many attempts were refused unread: one entry a minute, or whoever floods us would fill the log.
    async fn enter_refused(&self) -> Result<(), StoreError> {
        let count = self.refused.swap(0, Ordering::Relaxed);
        if count == 0 {
            return Ok(());
        }
        let event = Event { count, ..self.event(None, Outcome::Refused) };
        self.core.commit(crate::store::Batch::new(), vec![event]).await
    }

    fn who(&self, kind: &str, text: &str) -> Who {
        self.tried.hash(format!("{kind}:{text}").as_bytes())
    }

    /// Begins an attempt of this name from this address, or says how many seconds it is too early.
    fn begin_attempt(&self, attempts: &Attempts, name: Who, address: IpAddr) -> Result<(), u64> {
        let now = self.core.now();
        let refuse = |wait| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            wait
        };
        attempts.begin(name, now).map_err(refuse)?;
        self.addresses.begin(self.address(address), now).map_err(|wait| {
            attempts.take_back(&name);
            refuse(wait)
        })
    }

    fn end_attempt(&self, attempts: &Attempts, name: &Who, address: IpAddr) {
        attempts.forgive(name);
        self.addresses.take_back(&self.address(address));
    }

    /// Whoever has one address of the sixth version has 2^64 of them.
    fn address(&self, address: IpAddr) -> Who {
        match address {
            IpAddr::V4(address) => self.who("address", &address.to_string()),
            IpAddr::V6(address) => self.who("address", &hex::encode(&address.octets()[..8])),
        }
    }
}

fn settings(oidc: &OidcConfig, origin: &str) -> Result<provider::Settings, String> {
    provider::metadata::check_issuer(&oidc.issuer).map_err(|problem| format!("oidc_issuer: {problem}"))?;
    check_origin(origin).map_err(|problem| format!("public_url: {problem}"))?;
    let named = |file: &Path| {
        let file = file.display().to_string();
        move |problem| format!("{file}: {problem}")
    };
    let client = match (&oidc.client_secret_file, &oidc.client_key_file) {
        (Some(file), _) => Client::secret(file).map_err(named(file))?,
        (None, Some(file)) => Client::key(file).map_err(named(file))?,
        (None, None) => return Err("oidc_client_secret_file is missing".to_owned()),
    };
    if let Some(key) = client.public_key() {
        tracing::info!(%key, "register this public key at the OpenID provider");
    }
    let redirect = format!("{origin}{}", handlers::CALLBACK);
    tracing::info!(%redirect, "register this redirect address at the OpenID provider");
    Ok(provider::Settings {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client,
        roles: RoleMap::new(oidc.roles_claim.clone(), &oidc.role_map)?,
        redirect,
    })
}

/// Whether people can be served under this origin: https, or http on this machine only, where browsers keep our cookies too.
pub(crate) fn check_origin(origin: &str) -> Result<(), &'static str> {
    let uri: axum::http::Uri =
        origin.parse().map_err(|_| "write scheme and host, such as https://kring.example.nl")?;
    provider::metadata::check_issuer(origin)
        .map_err(|_| "write https://HOST; http only for this machine itself")?;
    if uri.path().len() > 1 { Err("write scheme, host and port only, without a path") } else { Ok(()) }
}

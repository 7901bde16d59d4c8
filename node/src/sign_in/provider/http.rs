//! Asking the provider: a few small requests, with limits. TLS is rustls on ring, with the operating system's roots.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::ProviderError;

/// A provider must answer in this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const MAX_ANSWER: u64 = 512 * 1024;

/// Asks over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Http(ureq::Agent);

impl Http {
    /// `direct`: past any proxy of the environment, for a provider on this machine.
    pub(super) fn new(direct: bool) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0) // a provider's addresses are what it says they are
            .timeout_global(Some(TIMEOUT))
            // Sign-ins are seldom: a connection that was kept is one that the provider has closed by then.
            .max_idle_connections(0)
            .user_agent("kring")
            .tls_config(tls);
        if direct {
            config = config.proxy(None);
        }
        Self(config.build().into())
    }

    /// A JSON document; with a bearer token, if one is given.
    pub(super) async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Value, ProviderError> {
        let mut request = self.0.get(url).header("accept", "application/json");
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        match answer(move || request.call()).await? {
            (200, Some(document)) => Ok(document),
            (200, None) => {
                Err(ProviderError::Unreachable("it answers with something else than JSON".to_owned()))
            }
            (status, _) => Err(ProviderError::Unreachable(format!("it answers with status {status}"))),
        }
    }

    /// Status and JSON answer to a form.
    pub(super) async fn post(
        &self,
        url: &str,
        form: &[(&str, String)],
        authorization: Option<String>,
    ) -> Result<(u16, Option<Value>), ProviderError> {
        let body = serde_urlencoded::to_string(form).unwrap_or_default();
        let mut request = self.0.post(url).header("accept", "application/json");
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        answer(move || request.send(body)).await
    }
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

async fn answer(
    ask: impl FnOnce() -> Answer + Send + 'static,
) -> Result<(u16, Option<Value>), ProviderError> {
    let asking = tokio::task::spawn_blocking(move || {
        let mut response = ask()?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok::<_, ureq::Error>((response.status().as_u16(), serde_json::from_slice(&body).ok()))
    });
    let answered = asking.await.map_err(|_| ProviderError::Unreachable("asking it failed".to_owned()))?;
    // Of a system's error message nothing is personal: host, port and reason.
    answered.map_err(|error| ProviderError::Unreachable(error.to_string()))
}

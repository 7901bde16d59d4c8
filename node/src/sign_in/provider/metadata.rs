//! What an OpenID provider says about itself (OpenID Connect Discovery 1.0, RFC 8414), and which addresses are good enough.

use axum::http::Uri;
use serde::Deserialize;

use super::ProviderError;
use super::client::ClientMethod;

/// What is used of the discovery document.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<String>,
    #[serde(default)]
    response_types_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Whether it is the document of this issuer, and its addresses may be used.
    pub(super) fn check(self, issuer: &str) -> Result<Self, ProviderError> {
        // Otherwise another provider could speak for this one (OpenID Connect Discovery section 4.3).
        if self.issuer != issuer {
            return Err(ProviderError::OtherIssuer("the discovery document"));
        }
        let userinfo = self.userinfo_endpoint.as_deref();
        let addresses =
            [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri].map(String::as_str);
        for address in addresses.into_iter().chain(userinfo) {
            check_address(address, issuer).map_err(ProviderError::Metadata)?;
        }
        let code = self.response_types_supported.as_ref();
        if code.is_some_and(|types| !types.iter().any(|one| one == "code")) {
            return Err(ProviderError::Metadata("the provider does not offer the code flow"));
        }
        // A provider that names its methods and not S256 would pass over our challenge.
        let challenges = self.code_challenge_methods_supported.as_ref();
        if challenges.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(ProviderError::Metadata("the provider does not offer PKCE with S256"));
        }
        Ok(self)
    }

    /// Whether the provider says that it signs ID tokens this way (all must offer RS256).
    pub(super) fn signs_with(&self, algorithm: &str) -> bool {
        match &self.id_token_signing_alg_values_supported {
            Some(algorithms) => algorithms.iter().any(|one| one == algorithm),
            None => algorithm == "RS256",
        }
    }

    /// How the client shows its secret: in a header, unless the provider only reads the form.
    pub(super) fn secret_method(&self) -> ClientMethod {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        let offers = |method: &str| methods.is_some_and(|methods| methods.iter().any(|one| one == method));
        if !offers("client_secret_basic") && offers("client_secret_post") {
            ClientMethod::Post
        } else {
            ClientMethod::Basic
        }
    }
}

/// An issuer as it may be configured: https without query or fragment; http on this machine only.
pub(crate) fn check_issuer(issuer: &str) -> Result<(), &'static str> {
    if issuer.contains(['?', '#']) {
        return Err("an issuer has no query and no fragment");
    }
    check_address(issuer, "http://127.0.0.1")
}

/// Whether this is plain http to this machine itself: for tests, and a provider behind the same door.
pub(super) fn is_loopback_http(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let ip = host.parse::<std::net::IpAddr>();
    uri.scheme_str() == Some("http") && (host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()))
}

/// https, or, where the issuer itself is plain http on this machine, that too.
fn check_address(address: &str, issuer: &str) -> Result<(), &'static str> {
    let uri: Uri = address.parse().map_err(|_| "an address of the provider is not a URL")?;
    if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return Err("an address of the provider names no host, or a user");
    }
    let good = uri.scheme_str() == Some("https") || (is_loopback_http(address) && is_loopback_http(issuer));
    if good { Ok(()) } else { Err("an address of the provider is not https") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in [
            "https://login.example/realms/a",
            "http://127.0.0.1:8080",
            "http://localhost/x",
            "http://[::1]:1/",
        ] {
            assert_eq!(check_issuer(good), Ok(()), "{good}");
        }
        for bad in [
            "http://login.example",
            "http://127.0.0.1.example",
            "http://10.0.0.1",
            "https://a@login.example",
            "login.example",
            "https://login.example/?a=b",
            "https://login.example/#a",
            "file:///etc/passwd",
            "ftp://login.example",
            "",
            "http://localhost.example/",
        ] {
            assert!(check_issuer(bad).is_err(), "{bad}");
        }
        assert!(
            check_address("http://127.0.0.1/token", "https://login.example").is_err(),
            "not from https to http"
        );
    }
}

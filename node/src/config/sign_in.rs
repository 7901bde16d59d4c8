//! The keys about signing in.

use std::path::PathBuf;

use super::{ConfigError, Layers};
use crate::sign_in::check_origin;

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInConfig {
    /// Scheme, host and port under which people reach the node.
    pub public_url: String,
    /// The partner's OpenID provider, where it has one.
    pub oidc: Option<OidcConfig>,
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u64,
    /// Hours after which a session ends.
    pub session_hours: u64,
    /// Whether local accounts need a second factor.
    pub second_factor: bool,
}

/// An OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcConfig {
    /// What it calls itself.
    pub issuer: String,
    /// What it calls the node.
    pub client_id: String,
    /// File with the client secret.
    pub client_secret_file: Option<PathBuf>,
    /// File with the client's private key.
    pub client_key_file: Option<PathBuf>,
    /// Where roles stand in its claims.
    pub roles_claim: String,
    /// Which words there give which roles.
    pub role_map: Vec<String>,
}

impl Layers {
    pub(super) fn sign_in(&self) -> Result<SignInConfig, ConfigError> {
        let second_factor = self.single("second_factor", "required")?;
        if !["required", "off"].contains(&second_factor.as_str()) {
            return Err(self.wrong("second_factor", "write required or off"));
        }
        Ok(SignInConfig {
            public_url: self.public_url()?,
            oidc: self.oidc()?,
            session_idle_minutes: self.within("session_idle_minutes", "15", 5..=60)?,
            session_hours: self.within("session_hours", "10", 1..=24)?,
            second_factor: second_factor == "required",
        })
    }

    fn public_url(&self) -> Result<String, ConfigError> {
        let Some(_) = self.find("public_url").0 else {
            return Ok(format!("http://{}", self.address("api_listen", "127.0.0.1:7401")?));
        };
        let url = self.single("public_url", "")?;
        check_origin(&url).map_err(|problem| self.wrong("public_url", problem))?;
        // As browsers write it in `Origin`: without a slash, and without the port that everybody assumes.
        let url = url.trim_end_matches('/').to_ascii_lowercase();
        let bare = match url.split_once("://") {
            Some(("https", _)) => url.strip_suffix(":443"),
            _ => url.strip_suffix(":80"),
        };
        Ok(bare.unwrap_or(&url).to_owned())
    }

    fn oidc(&self) -> Result<Option<OidcConfig>, ConfigError> {
        let Some(_) = self.find("oidc_issuer").0 else { return Ok(None) };
        let file = |key| self.find(key).0.is_some().then(|| self.path(key, "")).transpose();
        let oidc = OidcConfig {
            issuer: self.single("oidc_issuer", "")?,
            client_id: self.single("oidc_client_id", "")?,
            client_secret_file: file("oidc_client_secret_file")?,
            client_key_file: file("oidc_client_key_file")?,
            roles_claim: self.single("oidc_roles_claim", "/roles")?,
            role_map: self.find("oidc_role_map").0.unwrap_or_default().to_vec(),
        };
        if oidc.client_id.is_empty() {
            return Err(self.wrong("oidc_client_id", "is missing; write the node's name at the provider"));
        }
        if oidc.client_secret_file.is_some() == oidc.client_key_file.is_some() {
            let problem = "write either oidc_client_secret_file or oidc_client_key_file";
            return Err(self.wrong("oidc_client_secret_file", problem));
        }
        Ok(Some(oidc))
    }

    fn within(
        &self,
        key: &'static str,
        default: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        let value = self.parsed(key, default, "write a whole number")?;
        if range.contains(&value) {
            return Ok(value);
        }
        Err(self.wrong(key, &format!("choose {} to {}", range.start(), range.end())))
    }
}

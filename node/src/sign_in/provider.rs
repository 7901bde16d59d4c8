//! Signing in with the partner's own OpenID provider: code flow with PKCE, state, nonce and `iss` (OpenID Connect Core 1.0,
//! RFC 7636, RFC 9207, and the NL GOV profile).
//!
//! # In scope
//! Asking the provider, and believing its answer only after every check.
//!
//! # Out of scope
//! What comes of it: accounts and sessions ([`super`]). A second factor is the provider's to ask.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kring_protocol::crypto;
use kring_protocol::time::Timestamp;
use serde_json::{Map, Value};

use super::session::{random_word, same};
use crate::people::Role;

mod claims;
pub(crate) mod client;
mod http;
mod jose;
pub(crate) mod metadata;

pub(crate) use claims::Identity;
use claims::{Expected, text};
use client::{Client, Request};
use http::Http;
use jose::{KeySet, Token, Unsigned};
use metadata::Metadata;

/// What the provider says of itself is asked again after so many seconds.
const FRESH: u64 = 3_600;
/// Its keys are asked again for a token with an unknown one, but not more often than this.
const KEYS_FRESH: u64 = 60;
/// A provider that did not answer is not asked again for so many seconds.
const QUIET: u64 = 5;
/// An answer must come within so many seconds.
const TERM: u64 = 10 * 60;

/// Why nobody was signed in. Names nobody: these lines are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProviderError {
    /// No answer, or none that can be read.
    #[error(
        "the OpenID provider cannot be used: {0}; look whether oidc_issuer is right and this machine can reach it"
    )]
    Unreachable(String),
    /// Its description of itself.
    #[error("the OpenID provider's description of itself: {0}")]
    Metadata(&'static str),
    /// Something speaks for another issuer than the one configured.
    #[error("{0} names another issuer than oidc_issuer; write there exactly what the provider calls itself")]
    OtherIssuer(&'static str),
    /// What the browser brought back.
    #[error("an answer of the OpenID provider was refused: {0}")]
    Answer(&'static str),
    /// The person, or the provider for them, said no.
    #[error("the OpenID provider did not sign somebody in: {0}")]
    Declined(String),
    /// What the token endpoint said.
    #[error("the OpenID provider gave no token: {0}; look at client id, secret and redirect address there")]
    NoToken(String),
    /// The ID token.
    #[error("an ID token was refused: {0}")]
    Token(&'static str),
    /// The claim with the roles.
    #[error("oidc_roles_claim leads to something else than a text or a list of texts")]
    RoleClaim,
    /// The subject looks like a citizen service number.
    #[error("the provider's `sub` is a number like a BSN; have it give a pairwise or random one")]
    NumberAsSubject,
}

/// Which of the provider's words give which roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleMap {
    /// A JSON pointer (RFC 6901).
    claim: String,
    words: Vec<(String, Role)>,
}

impl RoleMap {
    /// From the configuration: entries `word=role`.
    pub(crate) fn new(claim: String, entries: &[String]) -> Result<Self, String> {
        if !claim.starts_with('/') {
            return Err(
                "oidc_roles_claim is a JSON pointer and begins with a slash, such as /roles".to_owned()
            );
        }
        let word = |entry: &String| {
            let (word, role) = entry.rsplit_once('=').unwrap_or((entry, ""));
            let role = Role::from_str(role.trim()).map_err(|_| {
                let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
                format!("oidc_role_map: {entry:?}: write WORD=ROLE, with one of {}", roles.join(", "))
            })?;
            Ok((word.trim().to_owned(), role))
        };
        Ok(Self { claim, words: entries.iter().map(word).collect::<Result<_, String>>()? })
    }

    /// The first name on the way to the claim.
    fn top(&self) -> String {
        let first = self.claim[1..].split('/').next().unwrap_or_default();
        first.replace("~1", "/").replace("~0", "~")
    }

    fn of(&self, claims: &Value) -> Result<BTreeSet<Role>, ProviderError> {
        let words: Vec<&str> = match claims.pointer(&self.claim) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => {
                let words: Option<_> = words.iter().map(Value::as_str).collect();
                words.ok_or(ProviderError::RoleClaim)?
            }
            Some(_) => return Err(ProviderError::RoleClaim),
        };
        let given = self.words.iter().filter(|(word, _)| words.contains(&word.as_str()));
        Ok(given.map(|(_, role)| *role).collect())
    }
}

/// The provider and this node's place at it, as configured.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client: Client,
    pub(crate) roles: RoleMap,
    /// Where the provider sends browsers back to; registered there, to the letter.
    pub(crate) redirect: String,
}

/// What was asked of the provider for one browser; its answer must fit.
#[derive(Clone)]
pub(super) struct Asked {
    state: String,
    nonce: String,
    verifier: String,
    at: Timestamp,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(<redacted>)")
    }
}

/// What is known of the provider.
#[derive(Clone, Debug)]
struct Known {
    metadata: Arc<Metadata>,
    keys: Arc<KeySet>,
    read: Timestamp,
    keys_read: Timestamp,
}

#[derive(Debug, Default)]
struct Memory {
    known: Option<Known>,
    failed: Option<(Timestamp, ProviderError)>,
}

/// The partner's OpenID provider.
#[derive(Debug)]
pub(super) struct Provider {
    settings: Settings,
    http: Http,
    memory: tokio::sync::Mutex<Memory>,
}

impl Provider {
    pub(super) fn new(settings: Settings) -> Self {
        let http = Http::new(metadata::is_loopback_http(&settings.issuer));
        Self { settings, http, memory: tokio::sync::Mutex::default() }
    }

    /// Where to send a browser, and what its answer must fit.
    pub(super) async fn ask(&self, now: Timestamp) -> Result<(Asked, String), ProviderError> {
        let metadata = self.known(now).await?.metadata;
        let asked = Asked { state: random_word(), nonce: random_word(), verifier: random_word(), at: now };
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.redirect),
            ("scope", "openid profile email"),
            ("state", &asked.state),
            ("nonce", &asked.nonce),
            ("code_challenge", &challenge(&asked.verifier)),
            ("code_challenge_method", "S256"),
        ]);
        let endpoint = &metadata.authorization_endpoint;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        Ok((asked, format!("{endpoint}{separator}{}", query.unwrap_or_default())))
    }

    /// Whether an answer belongs to what was asked of this browser.
    pub(super) fn is_answer_to(asked: &Asked, answer: &Answer) -> bool {
        answer.state.as_deref().is_some_and(|state| same(state, &asked.state))
    }

    /// Who was signed in, by the answer that the browser brought to what was asked.
    pub(super) async fn identify(
        &self,
        asked: &Asked,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Identity, ProviderError> {
        if !Self::is_answer_to(asked, answer) {
            return Err(ProviderError::Answer("its state is not that of this sign-in"));
        }
        if now.secs().saturating_sub(asked.at.secs()) >= TERM {
            return Err(ProviderError::Answer("it came too late"));
        }
        let known = self.known(now).await?;
        self.check_issuer(&known.metadata, answer)?;
        if let Some(error) = &answer.error {
            return Err(ProviderError::Declined(word(error)));
        }
        let code = answer.code.as_deref().ok_or(ProviderError::Answer("it holds no code"))?;
        let tokens = self.redeem(&known.metadata, code, asked, now).await?;
        let id_token = text(&tokens, "id_token").ok_or(ProviderError::Token("there is none"))?;
        let token = Token::read(id_token)?;
        let claims = self.believe(&known, &token, now).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: &asked.nonce,
            now,
        };
        let subject = expected.check(&claims)?;
        let more = self.more(&known.metadata, (&token, &claims, &subject), &tokens).await?;
        Identity::new(subject, &claims, &more, &self.settings.roles)
    }

    /// RFC 9207 section 2.4: a provider that gives its name with every answer must have given it with this one.
    fn check_issuer(&self, metadata: &Metadata, answer: &Answer) -> Result<(), ProviderError> {
        match &answer.iss {
            Some(issuer) if *issuer == self.settings.issuer => Ok(()),
            Some(_) => Err(ProviderError::OtherIssuer("an answer")),
            None if metadata.authorization_response_iss_parameter_supported => {
                Err(ProviderError::Answer("it does not say who gave it (iss)"))
            }
            None => Ok(()),
        }
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Value, ProviderError> {
        let settings = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", settings.redirect.clone()),
            ("code_verifier", asked.verifier.clone()),
        ];
        let request = Request {
            client_id: &settings.client_id,
            endpoint: &metadata.token_endpoint,
            method: metadata.secret_method(),
            now,
        };
        let authorization = settings.client.show(&request, &mut form);
        let (status, answer) = self.http.post(&metadata.token_endpoint, &form, authorization).await?;
        let answer = answer.unwrap_or_default();
        if status != 200 {
            let error = text(&answer, "error").map_or_else(|| format!("status {status}"), word);
            return Err(ProviderError::NoToken(error));
        }
        let bearer = text(&answer, "token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if bearer { Ok(answer) } else { Err(ProviderError::Token("it came with no bearer token")) }
    }

    /// The claims of a token that one of the provider's keys signed, in a way that it says it uses.
    async fn believe(
        &self,
        known: &Known,
        token: &Token<'_>,
        now: Timestamp,
    ) -> Result<Value, ProviderError> {
        if !known.metadata.signs_with(token.algorithm()) {
            return Err(ProviderError::Token("it is signed in a way that the provider does not announce"));
        }
        let wrong = ProviderError::Token("none of the provider's keys signed it");
        match token.verify(&known.keys) {
            Ok(claims) => return Ok(claims.clone()),
            Err(Unsigned::Wrong) => return Err(wrong),
            Err(Unsigned::UnknownKey) => {}
        }
        let keys = self.newer_keys(now).await?;
        token.verify(&keys).cloned().map_err(|_| wrong)
    }

    /// What userinfo says, where the ID token does not say all and there is such an address.
    async fn more(
        &self,
        metadata: &Metadata,
        (token, claims, subject): (&Token<'_>, &Value, &str),
        tokens: &Value,
    ) -> Result<Map<String, Value>, ProviderError> {
        let roles = self.settings.roles.top();
        let complete = ["name", "email", &roles].iter().all(|name| claims.get(*name).is_some());
        let (Some(address), false) = (&metadata.userinfo_endpoint, complete) else { return Ok(Map::new()) };
        let access_token = text(tokens, "access_token").unwrap_or_default();
        claims::check_access_token(claims, token.algorithm(), access_token)?;
        let answer = self.http.get(address, Some(access_token)).await?;
        // Otherwise another person's data could come with it (OpenID Connect Core section 5.3.2).
        if text(&answer, "sub") != Some(subject) {
            return Err(ProviderError::Token("userinfo speaks of somebody else"));
        }
        let wanted = ["name", "preferred_username", "email", &roles];
        let all = answer.as_object().cloned().unwrap_or_default();
        Ok(all.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect())
    }

    async fn known(&self, now: Timestamp) -> Result<Known, ProviderError> {
        let mut memory = self.memory.lock().await;
        if let Some(known) = memory.known.as_ref().filter(|known| is_within(known.read, FRESH, now)) {
            return Ok(known.clone());
        }
        if let Some((_, error)) = memory.failed.as_ref().filter(|(at, _)| is_within(*at, QUIET, now)) {
            return Err(error.clone());
        }
        let read = self.read(now).await;
        match &read {
            Ok(known) => *memory = Memory { known: Some(known.clone()), failed: None },
            Err(error) => *memory = Memory { known: None, failed: Some((now, error.clone())) },
        }
        read
    }

    async fn read(&self, now: Timestamp) -> Result<Known, ProviderError> {
        let issuer = &self.settings.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = self.http.get(&address, None).await?;
        let metadata: Metadata = serde_json::from_value(document)
            .map_err(|_| ProviderError::Metadata("it lacks an address, or is of another form"))?;
        let metadata = metadata.check(issuer)?;
        let keys = KeySet::read(&self.http.get(&metadata.jwks_uri, None).await?)?;
        Ok(Known { metadata: Arc::new(metadata), keys: Arc::new(keys), read: now, keys_read: now })
    }

    async fn newer_keys(&self, now: Timestamp) -> Result<Arc<KeySet>, ProviderError> {
        let mut memory = self.memory.lock().await;
        let known = memory.known.as_mut().ok_or(ProviderError::Token("the provider's keys are not known"))?;
        if !is_within(known.keys_read, KEYS_FRESH, now) {
            known.keys = Arc::new(KeySet::read(&self.http.get(&known.metadata.jwks_uri, None).await?)?);
            known.keys_read = now;
        }
        Ok(Arc::clone(&known.keys))
    }
}

fn is_within(since: Timestamp, secs: u64, now: Timestamp) -> bool {
    now.secs().saturating_sub(since.secs()) < secs
}

/// RFC 7636 section 4.2.
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(crypto::sha256(verifier.as_bytes()))
}

/// An error code (RFC 6749 section 5.2) as it may stand in a log.
fn word(code: &str) -> String {
    let good = code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if good { code.to_owned() } else { "an error without a proper code".to_owned() }
}

/// What a browser brings back from the provider.
#[derive(Default)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Answer {
    /// From the query. A parameter that comes twice is refused: two readers could take different ones.
    pub(super) fn read(query: &str) -> Result<Self, ProviderError> {
        let wrong = || ProviderError::Answer("its parameters cannot be read, or one comes twice");
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|_| wrong())?;
        let mut answer = Self::default();
        for (name, value) in pairs {
            let place = match name.as_str() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(wrong());
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_vector_of_pkce() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(random_word().len(), 43, "as long as the RFC asks at least");
    }

    #[test]
    fn roles_come_from_where_the_partner_says() {
        let entries = ["Zorg=professional", "Zorg=supervisor", "a=b=privacyOfficer"].map(str::to_owned);
        let roles = RoleMap::new("/resource_access/kring~1node/roles".to_owned(), &entries).unwrap();
        assert_eq!(roles.top(), "resource_access");
        let of = |value: Value| roles.of(&json!({"resource_access": {"kring/node": {"roles": value}}}));
        assert_eq!(of(json!(["Zorg", "x"])).unwrap(), [Role::Professional, Role::Supervisor].into());
        assert_eq!(of(json!("a=b")).unwrap(), [Role::PrivacyOfficer].into());
        assert_eq!(of(json!(["zorg", "professional"])).unwrap(), [].into());
        assert_eq!(of(Value::Null).unwrap(), [].into());
        for wrong in [json!({"Zorg": true}), json!(7), json!(["Zorg", 7]), json!(true)] {
            assert_eq!(of(wrong), Err(ProviderError::RoleClaim));
        }
        assert_eq!(roles.of(&json!({})).unwrap(), [].into());
        assert!(RoleMap::new("roles".to_owned(), &[]).is_err());
        assert!(RoleMap::new("/roles".to_owned(), &["Zorg".to_owned()]).is_err());
        assert!(RoleMap::new("/roles".to_owned(), &["Zorg=boss".to_owned()]).is_err());
    }

    #[test]
    fn an_answer_says_each_thing_once() {
        assert!(Answer::read("code=a&state=b&iss=c&session_state=d").is_ok());
        for twice in ["code=a&code=b", "state=a&code=b&state=a", "iss=a&iss=a", "error=a&error=b"] {
            assert!(Answer::read(twice).is_err(), "{twice}");
        }
        assert_eq!(word("access_denied"), "access_denied");
        assert_eq!(word("Jan Jansen"), "an error without a proper code");
    }
}

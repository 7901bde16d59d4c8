//! Bearer tokens for systems: random, stored as a hash, limited in scope and time.
//!
//! People sign in elsewhere and have sessions; a cookie means nothing here.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kring_protocol::crypto;
use kring_protocol::secret::Secret;
use kring_protocol::time::Timestamp;
use rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use super::limits::Limits;
use super::{Application, Problem};
use crate::people::AccountId;

/// How every token begins, so that scanners of source and mail find a lost one.
const PREFIX: &str = "kring_";
/// Length of a token as text: the prefix and 32 bytes in base64url.
const TOKEN_LEN: usize = PREFIX.len() + 43;

/// A token as its holder has it. The node shows it once and keeps only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Draws 256 random bits.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let secret = Secret::<32>::random(rng);
        Self(Zeroizing::new(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret.expose()))))
    }

    /// The text to give to its holder.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the node keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(<redacted>)")
    }
}

/// SHA-256 of a token. Enough at 256 random bits: there is nothing to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// From the bytes that were stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(token: &str) -> Self {
        Self(crypto::sha256(token.as_bytes()))
    }

    /// In constant time, whatever the application looked up by.
    fn same(&self, other: &Self) -> bool {
        Secret::new(self.0) == Secret::new(other.0)
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What a token allows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$doc])* $name),+ }

        impl Scope {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The scope as text, as in the OpenAPI document.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }

        /// Scopes as types, for [`Allowed`].
        pub(super) mod needs {
            $(#[derive(Debug)]
            #[allow(dead_code, reason = "not every scope has an endpoint")]
            pub(crate) struct $name;
            impl super::Needs for $name {
                const SCOPE: super::Scope = super::Scope::$name;
            })+

            /// Events say nothing that is not in notices.
            #[derive(Debug)]
            pub(crate) struct EventsOrNotices;
            impl super::Needs for EventsOrNotices {
                const SCOPE: super::Scope = super::Scope::EventsRead;
                const OR: Option<super::Scope> = Some(super::Scope::NoticesRead);
            }
        }
    };
}

scopes! {
    /// See signals.
    SignalsRead = "signals:read",
    /// Give, renew and withdraw signals.
    SignalsWrite = "signals:write",
    /// See notices.
    NoticesRead = "notices:read",
    /// Answer notices.
    NoticesWrite = "notices:write",
    /// See the network and the covenant.
    NetworkRead = "network:read",
    /// See the audit log.
    AuditRead = "audit:read",
    /// Import a caseload.
    ImportsWrite = "imports:write",
    /// See accounts and teams.
    PeopleRead = "people:read",
    /// Make and change accounts and teams.
    PeopleWrite = "people:write",
    /// Answer persons who ask what is held about them, and erase.
    AccessRequestsWrite = "access-requests:write",
    /// Hear that something happened.
    EventsRead = "events:read",
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope; the OpenAPI document lists them")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// A token as the node keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Names the token in the audit log; not secret.
    pub id: String,
    pub hash: TokenHash,
    pub scopes: BTreeSet<Scope>,
    /// Whose access it has, cut down to the scopes; a system's if nobody's.
    pub person: Option<AccountId>,
    /// From this moment on it is refused.
    pub expires: Timestamp,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A system, by its token's id.
    Token(String),
    /// A person: from the pages, or by a token that is bound to them.
    Person(AccountId),
}

pub(super) trait Needs {
    const SCOPE: Scope;
    /// Another scope that is enough.
    const OR: Option<Scope> = None;
}

/// An extractor: the request bears a valid token with scope `S`. It stands before the body, so that nobody without
/// one makes the node read any.
#[derive(Debug)]
pub(super) struct Allowed<S>(pub(super) Actor, pub(super) PhantomData<S>);

impl<A: Application, S: Needs + Send> FromRequestParts<Arc<A>> for Allowed<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, application: &Arc<A>) -> Result<Self, Problem> {
        let record = match valid_token(parts, application.as_ref()).await {
            Ok(record) => record,
            Err(problem) => return Err(Limits::stranger(parts).err().unwrap_or(problem)),
        };
        Limits::token(parts, &record.id)?;
        let actor = record.person.map_or(Actor::Token(record.id), Actor::Person);
        if ![Some(S::SCOPE), S::OR].into_iter().flatten().any(|scope| record.scopes.contains(&scope)) {
            application.access_refused(&actor, S::SCOPE).await;
            return Err(out_of_scope(S::SCOPE));
        }
        Ok(Self(actor, PhantomData))
    }
}

async fn valid_token<A: Application>(parts: &Parts, application: &A) -> Result<TokenRecord, Problem> {
    let mut headers = parts.headers.get_all(header::AUTHORIZATION).iter();
    let hash = match (headers.next(), headers.next()) {
        (None, _) => {
            return Err(unauthorised("", "This needs a bearer token in the header Authorization."));
        }
        (Some(value), None) => bearer(value).map(TokenHash::of),
        (Some(_), Some(_)) => None,
    };
    let invalid =
        || unauthorised(", error=\"invalid_token\"", "The token is unknown, malformed or has expired.");
    let hash = hash.ok_or_else(invalid)?;
    let record = application.token(&hash).await.ok_or_else(invalid)?;
    if !record.hash.same(&hash) || application.now() >= record.expires {
        return Err(invalid());
    }
    Ok(record)
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let well_formed =
        scheme.eq_ignore_ascii_case("bearer") && token.len() == TOKEN_LEN && token.starts_with(PREFIX);
    well_formed.then_some(token)
}

fn unauthorised(parameters: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with_header(header::WWW_AUTHENTICATE, challenge(parameters))
}

fn out_of_scope(scope: Scope) -> Problem {
    let parameters = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
    Problem::new(StatusCode::FORBIDDEN, format!("The token does not have the scope {scope}."))
        .with_header(header::WWW_AUTHENTICATE, challenge(&parameters))
}

fn challenge(parameters: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer realm=\"kring\"{parameters}")).expect("made of printable ASCII")
}

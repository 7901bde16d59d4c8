//! `tokens.toml`: the API tokens that an operator gave out, as hashes.
//!
//! The node reads the file when it starts. What a token is and how it is checked: [`crate::api::auth`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kring_protocol::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::auth::{Scope, Token, TokenHash, TokenRecord};
use crate::founding::check_version;
use crate::people::AccountId;

/// The version of the file that this software reads and writes.
const VERSION: u32 = 1;
/// Days that the token lives which `kring init` makes.
const FIRST_TOKEN_DAYS: u32 = 365;

/// The file is not what it should be; for the operator to put right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", .file.display())]
pub struct TokensError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong and what to do.
    pub problem: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensFile {
    version: u32,
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Whose it is; its id in the audit log.
    name: String,
    /// SHA-256 of the token's characters, in hexadecimal.
    sha256: String,
    scopes: Vec<String>,
    /// The account whose access it has; none: a system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    /// The first day on which it is no longer accepted (UTC).
    expires: String,
}

/// Reads the file.
///
/// # Errors
/// [`TokensError`], naming the token at fault.
pub fn load(file: &Path) -> Result<Vec<TokenRecord>, TokensError> {
    let wrong = |problem: String| TokensError { file: file.to_owned(), problem };
    let text = std::fs::read_to_string(file).map_err(|problem| wrong(problem.to_string()))?;
    check_version(&text).map_err(wrong)?;
    let content: TokensFile = toml::from_str(&text)
        .map_err(|problem| wrong(format!("not a list of tokens: {}", problem.message())))?;
    let mut names = BTreeSet::new();
    for entry in &content.token {
        if !names.insert(&entry.name) {
            return Err(wrong(format!("two tokens are called {:?}; name each differently", entry.name)));
        }
    }
    content.token.iter().map(|entry| record(entry).map_err(wrong)).collect()
}

fn record(entry: &Entry) -> Result<TokenRecord, String> {
    let wrong = |what: &str| format!("token {:?}: {what}", entry.name);
    let mut hash = [0; 32];
    hex::decode_to_slice(&entry.sha256, &mut hash)
        .map_err(|_| wrong("sha256 must be 64 hexadecimal digits"))?;
    let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let scopes = entry.scopes.iter().map(|scope| {
        Scope::from_str(scope)
            .map_err(|_| wrong(&format!("no such scope: {scope:?}; choose from {}", known.join(", "))))
    });
    let scopes = scopes.collect::<Result<_, _>>()?;
    let expires = day(&entry.expires).ok_or_else(|| wrong("expires must be a day, YYYY-MM-DD"))?.start();
    let person = entry.person.as_deref().map(|person| {
        let reason =
            "person must be the id of an account (`kring account list` shows it), or left out for a system";
        AccountId::from_str(person).map_err(|_| wrong(reason))
    });
    let person = person.transpose()?;
    Ok(TokenRecord { id: entry.name.clone(), hash: TokenHash::from_bytes(hash), scopes, expires, person })
}

/// The file's content with one token that may do all that the `kring` command does.
pub(crate) fn first(token: &Token, now: Timestamp) -> String {
    let entry = Entry {
        name: "operator".to_owned(),
        sha256: hex::encode(token.hash().as_bytes()),
        scopes: Scope::ALL.iter().map(ToString::to_string).collect(),
        expires: iso(now.day().plus(FIRST_TOKEN_DAYS)),
        person: None,
    };
    let content = TokensFile { version: VERSION, token: vec![entry] };
    toml::to_string(&content).expect("plain data with text keys always writes as TOML")
}

fn epoch() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

fn iso(day: Day) -> String {
    let span = jiff::Span::new().days(i64::from(day.days()));
    epoch().checked_add(span).unwrap_or(jiff::civil::Date::MAX).to_string()
}

fn day(text: &str) -> Option<Day> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let days = epoch().until((jiff::Unit::Day, date)).ok()?.get_days();
    u32::try_from(days).ok().map(Day::from_days)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::testing::TempDir;

    fn load_text(text: &str) -> Result<Vec<TokenRecord>, TokensError> {
        let dir = TempDir::new();
        let path = dir.path().join("tokens.toml");
        std::fs::write(&path, text).unwrap();
        load(&path)
    }

    #[test]
    fn the_first_token_is_accepted_for_a_year() {
        let token = Token::random(&mut StdRng::seed_from_u64(1));
        let text = first(&token, Timestamp::from_secs(1_800_000_000));
        assert!(!text.contains(token.expose()));
        let [record] = load_text(&text).unwrap().try_into().unwrap();
        assert_eq!(record.hash, token.hash());
        assert_eq!(record.scopes.len(), Scope::ALL.len());
        assert_eq!(record.expires, Timestamp::from_secs(1_831_507_200)); // 2028-01-15
        assert!(text.contains("2028-01-15"), "{text}");
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_token_and_reason() {
        let good = first(&Token::random(&mut StdRng::seed_from_u64(1)), Timestamp::from_secs(0));
        let twice = format!("{good}{}", good.replace("version = 1", ""));
        let cases = [
            (good.replace("version = 1", "version = 2"), "version 2 is not known"),
            (good.replace("sha256 = \"", "sha256 = \"z"), "\"operator\": sha256"),
            (
                good.replace("signals:read", "signals:all"),
                "no such scope: \"signals:all\"; choose from signals:read",
            ),
            (good.replace("1971-01-01", "1971-13-01"), "expires must be"),
            (good.replace("name", "nam"), "not a list of tokens"),
            (twice, "two tokens are called \"operator\""),
        ];
        for (text, expected) in cases {
            let error = load_text(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("tokens.toml"), "{error}");
        }
        assert!(load_text("version = 1").unwrap().is_empty());
    }
}

//! `webhooks.toml`: which systems of the partner are told that something happened.
//!
//! Read and checked once, when the node starts. Not here: calling them ([`super::deliver`]).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kring_protocol::id::SLUG_MAX_LEN;
use rustls::ClientConfig;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::address::Net;
use super::connect::Reach;
use super::signature::WebhookSecret;
use super::trust;
use crate::coordination::What;
use crate::founding::check_version;

/// More are not called.
const WEBHOOKS_MAX: usize = 16;

/// The file is not what it should be; for the operator to put right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", .file.display())]
pub struct WebhooksError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong and what to do. Never a secret or an address's path, which may hold one.
    pub problem: String,
}

/// A system that is told.
#[derive(Debug)]
pub struct Webhook {
    /// Its name among the partner's webhooks; for the log.
    pub name: String,
    /// Where it listens.
    pub url: Url,
    /// What both sides know.
    pub secret: WebhookSecret,
    /// Of what it is told.
    pub kinds: Vec<What>,
    /// Where it may be.
    pub reach: Reach,
    /// Whose certificate it may show.
    pub tls: Arc<ClientConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhooksFile {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    webhook: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    url: String,
    secret_file: PathBuf,
    kinds: Option<Vec<String>>,
    #[serde(default = "yes")]
    enabled: bool,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow_ports: Vec<u16>,
    #[serde(default)]
    allow_inside: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// Reads the file and what it names. Webhooks that are not enabled are checked as well, and left out.
///
/// # Errors
/// [`WebhooksError`], naming the webhook at fault.
pub fn load(file: &Path) -> Result<Vec<Webhook>, WebhooksError> {
    let wrong = |problem: String| WebhooksError { file: file.to_owned(), problem };
    let text = std::fs::read_to_string(file).map_err(|problem| wrong(problem.to_string()))?;
    check_version(&text).map_err(wrong)?;
    let content: WebhooksFile = toml::from_str(&text)
        .map_err(|problem| wrong(format!("not a list of webhooks: {}", problem.message())))?;
    if content.webhook.len() > WEBHOOKS_MAX {
        return Err(wrong(format!("more than {WEBHOOKS_MAX} webhooks; let one system pass events on")));
    }
    let mut names = BTreeSet::new();
    let directory = file.parent().unwrap_or_else(|| Path::new(""));
    let mut webhooks = Vec::new();
    for entry in &content.webhook {
        if !names.insert(&entry.name) {
            return Err(wrong(format!("two webhooks are called {:?}; name each differently", entry.name)));
        }
        let webhook = webhook(entry, directory)
            .map_err(|problem| wrong(format!("webhook {:?}: {problem}", entry.name)))?;
        webhooks.extend(entry.enabled.then_some(webhook));
    }
    Ok(webhooks)
}

fn webhook(entry: &Entry, directory: &Path) -> Result<Webhook, String> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if entry.name.is_empty() || entry.name.len() > SLUG_MAX_LEN || !entry.name.bytes().all(is_name) {
        return Err("name must be 1 to 32 lower-case letters, digits and hyphens".to_owned());
    }
    let inside = entry.allow_inside.iter().map(|net| net.parse::<Net>());
    let inside = inside.collect::<Result<_, _>>().map_err(|problem| format!("allow_inside: {problem}"))?;
    let reach = Reach { ports: entry.allow_ports.clone(), inside };
    let secret_file = directory.join(&entry.secret_file);
    let secret = std::fs::read_to_string(&secret_file).map(Zeroizing::new);
    let secret = secret.map_err(|problem| format!("secret_file: {}: {problem}", secret_file.display()))?;
    Ok(Webhook {
        name: entry.name.clone(),
        url: url(&entry.url, &reach)?,
        secret: WebhookSecret::parse(&secret).map_err(|problem| format!("the secret {problem}"))?,
        kinds: kinds(entry.kinds.as_deref())?,
        tls: trust::client(entry.ca_file.as_ref().map(|file| directory.join(file)).as_deref())
            .map_err(|problem| format!("ca_file: {problem}"))?,
        reach,
    })
}

/// An address as an operator may write it. Where it leads is checked when it is called.
fn url(text: &str, reach: &Reach) -> Result<Url, String> {
    let wrong = |problem: &str| Err(format!("url {problem}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not an address; write it as https://host/path");
    };
    if url.scheme() != "https" {
        return wrong("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name or password; the signature shows who calls");
    }
    if url.fragment().is_some() {
        return wrong("must not hold a fragment (#)");
    }
    match url.port() {
        Some(port) if !reach.ports.contains(&port) => {
            wrong("has a port other than 443; name it in allow_ports")
        }
        _ => Ok(url),
    }
}

fn kinds(named: Option<&[String]>) -> Result<Vec<What>, String> {
    let Some(named) = named else { return Ok(What::ALL.to_vec()) };
    let kind = |name: &String| {
        let known = || What::ALL.iter().map(|what| what.word()).collect::<Vec<_>>().join(", ");
        let found = What::ALL.iter().copied().find(|what| what.word() == name);
        found.ok_or_else(|| format!("no such kind: {name:?}; choose from {}", known()))
    };
    named.iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    const GOOD: &str = "version = 1\n[[webhook]]\nname = \"cases\"\nurl = \"https://cases.example/kring\"\n\
        secret_file = \"secret\"\nkinds = [\"involved\", \"leadClaimed\"]\nallow_inside = [\"10.1.2.3/32\"]\n";

    fn load_text(text: &str, secret: &str) -> Result<Vec<Webhook>, WebhooksError> {
        let dir = TempDir::new();
        std::fs::write(dir.path().join("secret"), secret).unwrap();
        std::fs::write(dir.path().join("webhooks.toml"), text).unwrap();
        load(&dir.path().join("webhooks.toml"))
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";

    #[test]
    fn a_webhook_is_read_with_its_exceptions() {
        let [webhook] = load_text(GOOD, SECRET).unwrap().try_into().unwrap();
        assert_eq!(webhook.kinds, [What::Involved, What::LeadClaimed]);
        assert_eq!(webhook.reach.inside.len(), 1);
        assert!(!format!("{webhook:?}").contains("MfKQ"));
        let all = GOOD.lines().filter(|line| !line.starts_with("kinds")).collect::<Vec<_>>().join("\n");
        assert_eq!(load_text(&all, SECRET).unwrap()[0].kinds, What::ALL);
        assert!(load_text(&format!("{GOOD}enabled = false\n"), SECRET).unwrap().is_empty());
        assert!(load_text("version = 1", SECRET).unwrap().is_empty());
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_webhook_and_reason_and_without_a_secret() {
        let with = |from: &str, to: &str| GOOD.replace(from, to);
        let address = |url: &str| with("https://cases.example/kring", url);
        let again = GOOD.replace("version = 1\n", "");
        for (text, expected) in [
            (with("version = 1", "version = 2"), "version 2 is not known"),
            (with("name =", "nam ="), "not a list of webhooks"),
            (with("\"cases\"", "\"Cases\""), "name must be"),
            (with("10.1.2.3/32", "10.0.0.0/8"), "\"cases\": allow_inside: \"10.0.0.0/8\" is too wide"),
            (with("involved", "everything"), "no such kind: \"everything\"; choose from involved"),
            (with("\"secret\"", "\"elsewhere\""), "secret_file"),
            (address("http://cases.example/"), "url must begin with https://"),
            (address("ftp://cases.example/"), "url must begin with https://"),
            (address("cases.example"), "url is not an address"),
            (address("https://u:p@cases.example/"), "user name or password"),
            (address("https://cases.example/#a"), "fragment"),
            (address("https://cases.example:8443/"), "port other than 443"),
            (format!("{GOOD}{again}"), "two webhooks are called \"cases\""),
            (format!("{GOOD}ca_file = \"nowhere\"\n"), "ca_file"),
        ] {
            let error = load_text(&text, SECRET).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("webhooks.toml"), "{error}");
        }
        let error = load_text(GOOD, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_err().to_string();
        assert!(error.contains("must begin with whsec_") && !error.contains("MfKQ"), "{error}");
    }
}

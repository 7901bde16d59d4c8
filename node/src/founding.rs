//! Founding: what a partner makes once, before it can join a network. `kring init`, the demonstration and tests all
//! come here.
//!
//! # In scope
//! A node's directory (keys, identity, settings, one API token) and `member.toml`, the card for the covenant's
//! coordinator.
//!
//! # Out of scope
//! The covenant itself, and everything the running node does with what is made here.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kring_protocol::covenant::{Kind, MemberCard, Oin, Party, SignedCard};
use kring_protocol::id::{MemberId, SLUG_MAX_LEN};
use kring_protocol::sign::{Signature, SigningKey};
use kring_protocol::time::Timestamp;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::api::auth::Token;
use crate::config::{Config, VERSION, listen_addresses, parse_address};
use crate::keystore::identity::Identity;
use crate::keystore::{KeyError, MasterKey};
use crate::tokens;

/// File names in a node's directory.
pub mod file {
    /// Settings.
    pub const CONFIG: &str = "node.toml";
    /// The master key, to be moved off the data disk by a careful operator.
    pub const MASTER_KEY: &str = "keys/master.key";
    /// The node's own secrets, sealed under the master key.
    pub const IDENTITY: &str = "data/identity.sealed";
    /// The card to send to the covenant's coordinator.
    pub const MEMBER: &str = "member.toml";
    /// The bearer token for the `kring` command.
    pub const TOKEN: &str = "api.token";
    /// Hashes of the tokens that the API accepts.
    pub const TOKENS: &str = "tokens.toml";
    /// The signed covenant.
    pub const COVENANT: &str = "covenant.kring";
}

/// Name of the identity's file in the data directory.
pub const IDENTITY_NAME: &str = "identity.sealed";

/// What a partner says of itself when it founds its node.
#[derive(Clone, Debug)]
pub struct Founder {
    /// Its id in the network.
    pub member: MemberId,
    /// Its name as people write it.
    pub name: String,
    /// The kind of organisation.
    pub kind: Kind,
    /// Its organisation number.
    pub oin: Oin,
    /// The legal person behind it.
    pub controller: Party,
    /// Who runs its machine.
    pub operator: Party,
    /// How many persons its caseload holds.
    pub persons: u32,
    /// Multiaddresses at which others dial its node; none for a node behind a firewall.
    pub addresses: Vec<String>,
    /// Where the node listens.
    pub ports: Ports,
}

/// The three ports of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// For other members, TCP and UDP.
    pub members: u16,
    /// For the API.
    pub api: u16,
    /// For operations.
    pub operations: u16,
}

/// Why a node could not be founded, or its files not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoundingError {
    /// The directory already holds a node.
    #[error(
        "{} exists already; a node's identity is made once. Choose another directory, or move the old node away if no covenant names it",
        .0.display()
    )]
    Exists(PathBuf),
    /// The system refused.
    #[error("{}: {problem}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// The content is not what it should be.
    #[error("{}: {problem}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A key file could not be made or read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What the founder says does not fit on a card.
    #[error("{0}")]
    Card(String),
}

/// Makes a node in `dir` and returns its card. Secrets and the token are drawn from the system.
///
/// # Errors
/// [`FoundingError`]; an existing identity is never overwritten.
pub fn create(dir: &Path, founder: &Founder, now: Timestamp) -> Result<SignedCard, FoundingError> {
    for existing in [file::CONFIG, file::MASTER_KEY, file::IDENTITY].map(|name| dir.join(name)) {
        if existing.exists() {
            return Err(FoundingError::Exists(existing));
        }
    }
    for address in &founder.addresses {
        parse_address(address).map_err(FoundingError::Card)?;
    }
    let identity = Identity::generate();
    let card = card(&identity, founder);
    let too_long = "name or addresses are too long for a card: at most 200 bytes each, 8 addresses";
    card.verify().map_err(|_| FoundingError::Card(too_long.to_owned()))?;
    for sub in ["", "keys", "data"] {
        make_dir(&dir.join(sub))?;
    }
    let master = MasterKey::create(&dir.join(file::MASTER_KEY))?;
    identity.save(&dir.join(file::IDENTITY), &master)?;
    let token = Token::random(&mut OsRng);
    write_new(&dir.join(file::TOKEN), format!("{}\n", token.expose()).as_bytes(), PRIVATE)?;
    write_new(&dir.join(file::TOKENS), tokens::first(&token, now).as_bytes(), PRIVATE)?;
    write_new(&dir.join(file::MEMBER), card_text(&card).as_bytes(), PUBLIC)?;
    write_new(&dir.join(file::CONFIG), config_text(founder).as_bytes(), PUBLIC)?;
    Ok(card)
}

/// The key with which the node of these settings signs as its member.
///
/// # Errors
/// [`FoundingError::Keys`] when there is no node, or its master key does not open its identity.
pub fn signing_key(config: &Config) -> Result<SigningKey, FoundingError> {
    let master = MasterKey::load(&config.master_key_file)?;
    Ok(Identity::load(&config.data_dir.join(IDENTITY_NAME), &master)?.signing_key())
}

/// Reads a card, `member.toml`, and checks its signature.
///
/// # Errors
/// [`FoundingError`].
pub fn read_card(path: &Path) -> Result<SignedCard, FoundingError> {
    let text = read_text(path)?;
    check_version(&text).map_err(|problem| content(path, &problem))?;
    let file: MemberFile =
        toml::from_str(&text).map_err(|problem| content(path, &format!("not a member card: {problem}")))?;
    let card = SignedCard { signature: file.signature, card: file.card };
    let altered = "was altered after it was signed; ask the member for its member.toml again";
    card.verify().map_err(|_| content(path, altered))?;
    Ok(card)
}

/// The id that follows from a name: letters without accents, in lower case; everything else becomes one hyphen.
/// `None` for a name without a letter or digit. A name too long is cut.
#[must_use]
pub fn slug(name: &str) -> Option<MemberId> {
    let folded = deunicode::deunicode(name).to_ascii_lowercase();
    let words: Vec<_> =
        folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(SLUG_MAX_LEN);
    slug.trim_end_matches('-').parse().ok()
}

/// The content of `member.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberFile {
    version: u32,
    signature: Signature,
    card: MemberCard,
}

fn card_text(card: &SignedCard) -> String {
    let file = MemberFile { version: 1, signature: card.signature, card: card.card.clone() };
    format!(
        "# Card of a member of Kring. Send it to the covenant's coordinator; it holds no secret.\n{}",
        to_toml(&file)
    )
}

/// Refuses a file of another version than 1 before its content is looked at.
///
/// # Errors
/// What is wrong and what to do.
pub fn check_version(text: &str) -> Result<(), String> {
    let table: toml::Table = text.parse().map_err(|problem| format!("not TOML: {problem}"))?;
    match table.get("version") {
        Some(toml::Value::Integer(1)) => Ok(()),
        Some(version) => {
            Err(format!("version {version} is not known, this software reads version 1; update Kring"))
        }
        None => Err("has no `version = 1`; is it the right file?".to_owned()),
    }
}

/// `node.toml` with every key an operator may want to see.
fn config_text(founder: &Founder) -> String {
    let Ports { members, api, operations } = founder.ports;
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let listen =
        listen_addresses(if only_loopback(&founder.addresses) { "127.0.0.1" } else { "0.0.0.0" }, members);
    format!(
        "# Settings of the Kring node of {}. Flags and KRING_ variables win over this file.
# Relative paths count from this file's directory. `kring node --help` explains every key.
version = {VERSION}
data_dir = \"data\"
# Keep this file on another disk than data_dir: whoever has both can read everything.
master_key_file = \"{}\"
covenant_file = \"{}\"
tokens_file = \"{}\"
listen = [{:?}, {:?}]
api_listen = \"{}\"
operations_listen = \"{}\"
log_format = \"text\"
log_level = \"info\"
",
        founder.member,
        file::MASTER_KEY,
        file::COVENANT,
        file::TOKENS,
        listen[0],
        listen[1],
        local(api),
        local(operations),
    )
}

/// Whether others can reach the node only from this machine, so that it need not listen elsewhere.
fn only_loopback(addresses: &[String]) -> bool {
    let local =
        |address: &String| ["/ip4/127.", "/ip6/::1/"].iter().any(|prefix| address.starts_with(prefix));
    !addresses.is_empty() && addresses.iter().all(local)
}

fn card(identity: &Identity, founder: &Founder) -> SignedCard {
    let card = MemberCard {
        id: founder.member.clone(),
        name: founder.name.clone(),
        kind: founder.kind,
        oin: founder.oin.clone(),
        controller: founder.controller.clone(),
        operator: founder.operator.clone(),
        persons: founder.persons,
        addresses: founder.addresses.clone(),
        signing_key: identity.signing_key().verifying_key(),
        transport_key: SigningKey::from_seed(&identity.transport).verifying_key(),
        trace_key: identity.trace_key().public(),
    };
    card.sign(&identity.signing_key())
}

const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

fn make_dir(dir: &Path) -> Result<(), FoundingError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|problem| system(dir, &problem))
}

/// Writes a file that must not exist yet, and syncs it: an identity that a power cut takes away cannot be remade.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FoundingError> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    };
    write().map_err(|problem: std::io::Error| match problem.kind() {
        std::io::ErrorKind::AlreadyExists => FoundingError::Exists(path.to_owned()),
        _ => system(path, &problem),
    })
}

fn read_text(path: &Path) -> Result<String, FoundingError> {
    fs::read_to_string(path).map_err(|problem| system(path, &problem))
}

fn to_toml(value: &impl Serialize) -> String {
    toml::to_string(value).expect("plain data with text keys always writes as TOML")
}

fn system(file: &Path, problem: &std::io::Error) -> FoundingError {
    FoundingError::File { file: file.to_owned(), problem: problem.to_string() }
}

fn content(file: &Path, problem: &str) -> FoundingError {
    FoundingError::Content { file: file.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests;

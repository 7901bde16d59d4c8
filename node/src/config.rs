//! `node.toml`: where a node keeps its things and where it listens.
//!
//! # In scope
//! Four layers, the first that has a key wins: flags, environment (`KRING_` and the key in capitals), the file,
//! defaults. One name for a key in all four. Unknown keys and versions are refused.
//!
//! # Out of scope
//! Secrets: the file names where they are and never holds one. What members agreed on stands in the covenant.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

mod mail;
mod sign_in;

pub use mail::{MailConfig, SmtpSecurity};
pub use sign_in::{OidcConfig, SignInConfig};

/// The version of `node.toml` that this software reads and writes.
pub const VERSION: i64 = 1;

/// What environment variables that set a key begin with.
pub const ENVIRONMENT_PREFIX: &str = "KRING_";

/// Every key with its meaning, in the order in which the file is written and the flags are listed.
pub const KEYS: [(&str, &str); 28] = [
    ("data_dir", "Directory of what the node stores"),
    ("master_key_file", "File with the master key; keep it off the disk that holds data_dir"),
    ("covenant_file", "The signed covenant, covenant.kring"),
    ("tokens_file", "API tokens, as hashes"),
    ("listen", "Multiaddresses for other members, TCP and QUIC; several separated by commas"),
    ("api_listen", "IP address and port of the API"),
    ("operations_listen", "Loopback address and port of /healthz, /readyz and /metrics"),
    ("log_format", "text or json"),
    ("log_level", "error, warn, info, debug or trace"),
    ("store_cache_mib", "Memory for the store's cache, in MiB, 8 to 65536"),
    ("webhooks_file", "Systems that are told of events"),
    ("smtp_server", "Name and port of the mail server; without it nobody is mailed"),
    ("smtp_security", "tls, starttls (also without this key), or none, for a mail server on this machine"),
    ("smtp_user", "As whom the node signs in at the mail server"),
    ("smtp_password_file", "File with the password for that"),
    ("mail_from", "From which address people are mailed"),
    ("mail_digest_time", "Hour of the daily mail in Amsterdam, such as 08:00"),
    ("coordinator_mail", "Address of the covenant's process coordinator"),
    ("public_url", "Origin under which people reach the node, such as https://kring.example.nl"),
    ("oidc_issuer", "The partner's OpenID provider, exactly as it calls itself"),
    ("oidc_client_id", "The node's name at the provider"),
    ("oidc_client_secret_file", "File with the client secret"),
    ("oidc_client_key_file", "File with the client's private key (PEM, PKCS #8), instead of a secret"),
    ("oidc_roles_claim", "Where roles stand in the provider's claims, as a JSON pointer"),
    ("oidc_role_map", "Which words there give which roles, as WORD=ROLE; several separated by commas"),
    ("session_idle_minutes", "Minutes without a request after which a session ends, 5 to 60"),
    ("session_hours", "Hours after which a session ends, 1 to 24"),
    ("second_factor", "required, or off where the covenant's tempo is immediate"),
];

/// A node's settings, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Directory of what the node stores.
    pub data_dir: PathBuf,
    /// The master key; never inside [`Self::data_dir`].
    pub master_key_file: PathBuf,
    /// The signed covenant.
    pub covenant_file: PathBuf,
    /// Hashed API tokens.
    pub tokens_file: PathBuf,
    /// Where other members can reach the node; at least one.
    pub listen: Vec<Multiaddr>,
    /// The API's address.
    pub api_listen: SocketAddr,
    /// The operations listener's address; loopback.
    pub operations_listen: SocketAddr,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines are written.
    pub log_level: LogLevel,
    /// Memory for the store's cache, in MiB.
    pub store_cache_mib: u64,
    /// Systems that are told of events.
    pub webhooks_file: Option<PathBuf>,
    /// How people are mailed.
    pub mail: Option<MailConfig>,
    /// How people sign in.
    pub sign_in: SignInConfig,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(()),
        }
    }
}

/// The least important lines that are still written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something needs attention.
    Warn,
    /// What the node does.
    Info,
    /// Why it does so.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl FromStr for LogLevel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];
        all.into_iter().find(|level| level.as_str() == text).ok_or(())
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// An environment variable.
    Environment,
    /// The file.
    File(PathBuf),
    /// Nobody gave it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment => f.write_str("environment"),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why the settings are refused. All of these are for the operator to put right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {problem}; make a node's directory with `kring init`, or name its node.toml", .file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// The file is not TOML.
    #[error("{}: not TOML: {problem}", .file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// What is wrong, with its line.
        problem: String,
    },
    /// The file has no version, or one that this software does not know.
    #[error("{}: version: {}; this software reads version {VERSION}; update Kring, or write `version = {VERSION}`", .file.display(), describe(.found))]
    Version {
        /// Which file.
        file: PathBuf,
        /// The version it names.
        found: Option<String>,
    },
    /// A key that does not exist.
    #[error("{origin}: {key}: no such key; remove it or choose one of: {}", names())]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
    },
    /// A value that does not fit its key.
    #[error("{origin}: {key}: {problem}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// What is expected instead.
        problem: String,
    },
}

fn describe(version: &Option<String>) -> String {
    version.as_ref().map_or_else(|| "missing".to_owned(), |version| format!("{version} is not known"))
}

fn names() -> String {
    KEYS.map(|(name, _)| name).join(", ")
}

/// The values that one layer gives, as text; a list has several.
type Layer = BTreeMap<&'static str, Vec<String>>;

impl Config {
    /// Reads `file` and lays `environment` and `flags` (key and value, a list's values separated by commas) over it.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, key and what to do.
    pub fn load(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&'static str, String)],
    ) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|problem| ConfigError::Unreadable {
            file: file.to_owned(),
            problem: problem.to_string(),
        })?;
        Self::parse(&text, file, environment, flags)
    }

    /// [`Self::load`] for a file already read.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(
        text: &str,
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&'static str, String)],
    ) -> Result<Self, ConfigError> {
        let directory = file.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let layers = Layers {
            flags: flags.iter().map(|(key, value)| (*key, list(value))).collect(),
            environment: environment_layer(environment)?,
            file: file_layer(text, file)?,
            path: file.to_owned(),
            directory,
        };
        layers.resolve()
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(|item| item.trim().to_owned()).collect()
}

fn known(key: &str) -> Option<&'static str> {
    KEYS.iter().map(|(name, _)| *name).find(|name| *name == key)
}

fn environment_layer(variables: impl IntoIterator<Item = (String, String)>) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        // A misspelt variable that is passed over would leave a node listening where nobody meant it to.
        let key = known(&key.to_ascii_lowercase())
            .ok_or_else(|| ConfigError::UnknownKey { origin: Origin::Environment, key: name.clone() })?;
        layer.insert(key, list(&value));
    }
    Ok(layer)
}

fn file_layer(text: &str, file: &Path) -> Result<Layer, ConfigError> {
    let mut table: toml::Table = text.parse().map_err(|problem: toml::de::Error| ConfigError::Syntax {
        file: file.to_owned(),
        problem: problem.to_string(),
    })?;
    let version = table.remove("version");
    if version != Some(toml::Value::Integer(VERSION)) {
        let found = version.map(|version| version.to_string());
        return Err(ConfigError::Version { file: file.to_owned(), found });
    }
    let mut layer = Layer::new();
    for (name, value) in table {
        let origin = Origin::File(file.to_owned());
        let key =
            known(&name).ok_or_else(|| ConfigError::UnknownKey { origin: origin.clone(), key: name })?;
        let values = texts(value).ok_or_else(|| ConfigError::Value {
            origin,
            key,
            problem: "write a text, a number, or a list of texts".to_owned(),
        })?;
        layer.insert(key, values);
    }
    Ok(layer)
}

fn texts(value: toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Array(items) => {
            items.into_iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
        }
        _ => None,
    }
}

struct Layers {
    flags: Layer,
    environment: Layer,
    file: Layer,
    path: PathBuf,
    directory: PathBuf,
}

impl Layers {
    fn resolve(&self) -> Result<Config, ConfigError> {
        let config = Config {
            data_dir: self.path("data_dir", "data")?,
            master_key_file: self.path("master_key_file", "keys/master.key")?,
            covenant_file: self.path("covenant_file", "covenant.kring")?,
            tokens_file: self.path("tokens_file", "tokens.toml")?,
            listen: self.listen()?,
            api_listen: self.address("api_listen", "127.0.0.1:7401")?,
            operations_listen: self.address("operations_listen", "127.0.0.1:7402")?,
            log_format: self.parsed("log_format", "text", "write text or json")?,
            log_level: self.parsed("log_level", "info", "write error, warn, info, debug or trace")?,
            store_cache_mib: self.parsed("store_cache_mib", "8", "write a whole number of MiB")?,
            webhooks_file: self.webhooks()?,
            mail: self.mail()?,
            sign_in: self.sign_in()?,
        };
        self.check(&config)?;
        Ok(config)
    }

    /// Rules over a value's meaning.
    fn check(&self, config: &Config) -> Result<(), ConfigError> {
        if config.master_key_file.starts_with(&config.data_dir) {
            let problem = "lies inside data_dir, where whoever gets the data gets the key; move it elsewhere";
            return Err(self.wrong("master_key_file", problem));
        }
        if !config.operations_listen.ip().is_loopback() {
            let problem = "is not loopback; choose an address such as 127.0.0.1:7402";
            return Err(self.wrong("operations_listen", problem));
        }
        if !(8..=65_536).contains(&config.store_cache_mib) {
            return Err(self.wrong("store_cache_mib", "choose 8 to 65536"));
        }
        Ok(())
    }

    fn find(&self, key: &'static str) -> (Option<&[String]>, Origin) {
        let layers = [
            (&self.flags, Origin::Flag),
            (&self.environment, Origin::Environment),
            (&self.file, Origin::File(self.path.clone())),
        ];
        for (layer, origin) in layers {
            if let Some(values) = layer.get(key) {
                return (Some(values), origin);
            }
        }
        (None, Origin::Default)
    }

    fn wrong(&self, key: &'static str, problem: &str) -> ConfigError {
        ConfigError::Value { origin: self.find(key).1, key, problem: problem.to_owned() }
    }

    fn single(&self, key: &'static str, default: &str) -> Result<String, ConfigError> {
        match self.find(key).0 {
            None => Ok(default.to_owned()),
            Some([one]) if !one.is_empty() => Ok(one.clone()),
            Some(_) => Err(self.wrong(key, "write exactly one value")),
        }
    }

    fn parsed<T: FromStr>(&self, key: &'static str, default: &str, expected: &str) -> Result<T, ConfigError> {
        let text = self.single(key, default)?;
        text.parse().map_err(|_| self.wrong(key, &format!("{text:?} does not fit; {expected}")))
    }

    fn address(&self, key: &'static str, default: &str) -> Result<SocketAddr, ConfigError> {
        self.parsed(key, default, "write an IP address and a port, such as 127.0.0.1:7401")
    }

    /// A relative path counts from the file that names it, or, in a flag or variable, from the working directory.
    fn path(&self, key: &'static str, default: &str) -> Result<PathBuf, ConfigError> {
        let path = PathBuf::from(self.single(key, default)?);
        match self.find(key).1 {
            Origin::Flag | Origin::Environment => Ok(path),
            Origin::File(_) | Origin::Default => Ok(self.directory.join(path)),
        }
    }

    fn listen(&self) -> Result<Vec<Multiaddr>, ConfigError> {
        let defaults = listen_addresses("0.0.0.0", 7400);
        let texts = self.find("listen").0.unwrap_or(&defaults);
        if texts.is_empty() {
            return Err(self.wrong("listen", "name at least one multiaddress"));
        }
        let parse = |text: &String| {
            let address = parse_address(text)?;
            let is_ip = matches!(address.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
            if is_ip { Ok(address) } else { Err(format!("{text:?} is a name; listen on an IP address")) }
        };
        texts.iter().map(|text| parse(text).map_err(|problem| self.wrong("listen", &problem))).collect()
    }
}

/// The TCP and the QUIC address of one port on one IPv4 address.
#[must_use]
pub fn listen_addresses(ip: &str, port: u16) -> [String; 2] {
    [format!("/ip4/{ip}/tcp/{port}"), format!("/ip4/{ip}/udp/{port}/quic-v1")]
}

/// Parses a multiaddress of a transport that nodes speak: TCP or QUIC v1, with nothing after it.
///
/// # Errors
/// What is expected instead.
pub fn parse_address(text: &str) -> Result<Multiaddr, String> {
    let expected = || {
        format!(
            "{text:?} is not a TCP or QUIC multiaddress; write /ip4/IP/tcp/PORT or /ip4/IP/udp/PORT/quic-v1"
        )
    };
    let address: Multiaddr = text.parse().map_err(|_| expected())?;
    let parts: Vec<_> = address.iter().collect();
    let host = matches!(
        parts.first(),
        Some(Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
    );
    let transport = matches!(parts.get(1..), Some([Protocol::Tcp(_)] | [Protocol::Udp(_), Protocol::QuicV1]));
    if host && transport { Ok(address) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(
        text: &str,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Config, ConfigError> {
        let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let flags: Vec<_> = flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Config::parse(text, Path::new("/etc/kring/node.toml"), environment, &flags)
    }

    #[test]
    fn defaults_count_from_the_files_directory() {
        let config = parse("version = 1", &[("PATH", "/bin")], &[]).unwrap();
        assert_eq!(config.data_dir, Path::new("/etc/kring/data"));
        assert_eq!(config.master_key_file, Path::new("/etc/kring/keys/master.key"));
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.log_format, LogFormat::Text);
        assert_eq!(config.log_level, LogLevel::Info);
    }

    #[test]
    fn flags_beat_environment_beats_file_beats_default() {
        let file = "version = 1\nlog_level = \"error\"\nstore_cache_mib = 16\ndata_dir = \"d\"\n";
        let environment =
            [("KRING_LOG_LEVEL", "warn"), ("KRING_STORE_CACHE_MIB", "32"), ("KRING_LOG_FORMAT", "json")];
        let config = parse(file, &environment, &[("log_level", "trace"), ("data_dir", "here")]).unwrap();
        assert_eq!(config.log_level, LogLevel::Trace);
        assert_eq!(config.store_cache_mib, 32);
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.data_dir, Path::new("here"));
        let listen = [("KRING_LISTEN", "/ip4/127.0.0.1/tcp/1, /ip6/::1/udp/2/quic-v1")];
        assert_eq!(parse(file, &listen, &[]).unwrap().listen.len(), 2);
    }

    #[test]
    fn every_refusal_names_place_key_and_remedy() {
        let cases = [
            ("", "/etc/kring/node.toml: version: missing; this software reads version 1"),
            ("version = 2", "version: 2 is not known"),
            (
                "version = 1\napi_lisen = \"x\"",
                "/etc/kring/node.toml: api_lisen: no such key; remove it or choose one of: data_dir",
            ),
            ("version = 1\nversion = 1", "not TOML"),
            (
                "version = 1\napi_listen = \"localhost\"",
                "api_listen: \"localhost\" does not fit; write an IP address and a port",
            ),
            ("version = 1\noperations_listen = \"0.0.0.0:1\"", "operations_listen: is not loopback"),
            (
                "version = 1\nlisten = [\"/ip4/1.2.3.4/udp/1\"]",
                "listen: \"/ip4/1.2.3.4/udp/1\" is not a TCP or QUIC",
            ),
            ("version = 1\nlisten = [\"/dns4/a.nl/tcp/1\"]", "listen: \"/dns4/a.nl/tcp/1\" is a name"),
            ("version = 1\nlisten = []", "listen: name at least one"),
            ("version = 1\nmaster_key_file = \"data/key\"", "master_key_file: lies inside data_dir"),
            ("version = 1\nstore_cache_mib = 1", "store_cache_mib: choose 8"),
            ("version = 1\nlog_level = true", "log_level: write a text"),
            ("version = 1\ndata_dir = [\"a\", \"b\"]", "data_dir: write exactly one value"),
        ];
        for (text, expected) in cases {
            let error = parse(text, &[], &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gave {error:?}");
        }
        let error = parse("version = 1", &[("KRING_API_LISTN", "x")], &[]).unwrap_err().to_string();
        assert!(error.starts_with("environment: KRING_API_LISTN: no such key"), "{error}");
        let error = Config::load(Path::new("/nowhere/node.toml"), [], &[]).unwrap_err().to_string();
        assert!(error.contains("kring init"), "{error}");
    }
}

//! `kring node`: runs the daemon.

use std::path::PathBuf;

use kring_node::config::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

use crate::output::Failure;

/// Run a node until it is told to stop (SIGTERM or Ctrl-C)
///
/// Every setting is one name in four places, the first that has it wins: flag (--api-listen), environment
/// (KRING_API_LISTEN), node.toml (api_listen), default. Relative paths count from node.toml's directory, in flags and
/// environment from the working directory. Unknown keys are refused. Logs go to stderr.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The node's settings, made by `kring init`
    #[arg(long, value_name = "node.toml", default_value = "node.toml")]
    config: PathBuf,
    /// Directory of what the node stores [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// File with the master key; keep it off the disk that holds the data [default: keys/master.key]
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<String>,
    /// The signed covenant [default: covenant.kring]
    #[arg(long, value_name = "FILE")]
    covenant_file: Option<String>,
    /// API tokens, as hashes [default: tokens.toml]
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<String>,
    /// Where other members reach the node, TCP and QUIC, separated by commas
    /// [default: /ip4/0.0.0.0/tcp/7400,/ip4/0.0.0.0/udp/7400/quic-v1]
    #[arg(long, value_name = "MULTIADDRS")]
    listen: Option<String>,
    /// Address of the API [default: 127.0.0.1:7401]
    #[arg(long, value_name = "IP:PORT")]
    api_listen: Option<String>,
    /// Loopback address of /healthz, /readyz and /metrics [default: 127.0.0.1:7402]
    #[arg(long, value_name = "IP:PORT")]
    operations_listen: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Memory for the store's cache, 8 to 65536 [default: 16]
    #[arg(long, value_name = "MIB")]
    store_cache_mib: Option<String>,
    /// Systems that are told of events [default: webhooks.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    webhooks_file: Option<String>,
    /// Name and port of the mail server; without it nobody is mailed
    #[arg(long, value_name = "HOST:PORT")]
    smtp_server: Option<String>,
    /// tls, starttls, or none for a mail server on this machine [default: starttls]
    #[arg(long, value_name = "SECURITY")]
    smtp_security: Option<String>,
    /// As whom the node signs in at the mail server
    #[arg(long, value_name = "USER")]
    smtp_user: Option<String>,
    /// File with the password for that
    #[arg(long, value_name = "FILE")]
    smtp_password_file: Option<String>,
    /// From which address people are mailed
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Hour of the daily mail in Amsterdam [default: 08:00]
    #[arg(long, value_name = "HH:MM")]
    mail_digest_time: Option<String>,
    /// Address of the covenant's process coordinator
    #[arg(long, value_name = "ADDRESS")]
    coordinator_mail: Option<String>,
    /// Origin under which people reach the node [default: http:// and the API's address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The partner's OpenID provider, exactly as it calls itself; without it people have local accounts
    #[arg(long, value_name = "URL")]
    oidc_issuer: Option<String>,
    /// The node's name at the provider
    #[arg(long, value_name = "ID")]
    oidc_client_id: Option<String>,
    /// File with the client secret
    #[arg(long, value_name = "FILE")]
    oidc_client_secret_file: Option<String>,
    /// File with the client's private key (PEM, PKCS #8), instead of a secret
    #[arg(long, value_name = "FILE")]
    oidc_client_key_file: Option<String>,
    /// Where roles stand in the provider's claims [default: /roles]
    #[arg(long, value_name = "POINTER")]
    oidc_roles_claim: Option<String>,
    /// Which words there give which roles, separated by commas
    #[arg(long, value_name = "WORD=ROLE")]
    oidc_role_map: Option<String>,
    /// Minutes without a request after which a session ends, 5 to 60 [default: 15]
    #[arg(long, value_name = "MINUTES")]
    session_idle_minutes: Option<String>,
    /// Hours after which a session ends, 1 to 24 [default: 10]
    #[arg(long, value_name = "HOURS")]
    session_hours: Option<String>,
    /// required, or off where the covenant's tempo is immediate [default: required]
    #[arg(long, value_name = "WHETHER")]
    second_factor: Option<String>,
    /// Stop when stdin closes, so that a node does not outlive the demonstration that started it
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Args {
    fn flags(&self) -> Vec<(&'static str, String)> {
        let given = [
            ("data_dir", &self.data_dir),
            ("master_key_file", &self.master_key_file),
            ("covenant_file", &self.covenant_file),
            ("tokens_file", &self.tokens_file),
            ("listen", &self.listen),
            ("api_listen", &self.api_listen),
            ("operations_listen", &self.operations_listen),
            ("log_format", &self.log_format),
            ("log_level", &self.log_level),
            ("store_cache_mib", &self.store_cache_mib),
            ("webhooks_file", &self.webhooks_file),
            ("smtp_server", &self.smtp_server),
            ("smtp_security", &self.smtp_security),
            ("smtp_user", &self.smtp_user),
            ("smtp_password_file", &self.smtp_password_file),
            ("mail_from", &self.mail_from),
            ("mail_digest_time", &self.mail_digest_time),
            ("coordinator_mail", &self.coordinator_mail),
            ("public_url", &self.public_url),
            ("oidc_issuer", &self.oidc_issuer),
            ("oidc_client_id", &self.oidc_client_id),
            ("oidc_client_secret_file", &self.oidc_client_secret_file),
            ("oidc_client_key_file", &self.oidc_client_key_file),
            ("oidc_roles_claim", &self.oidc_roles_claim),
            ("oidc_role_map", &self.oidc_role_map),
            ("session_idle_minutes", &self.session_idle_minutes),
            ("session_hours", &self.session_hours),
            ("second_factor", &self.second_factor),
        ];
        given.into_iter().filter_map(|(key, value)| value.clone().map(|value| (key, value))).collect()
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let config = Config::load(&args.config, std::env::vars(), &args.flags())?;
    start_log(&config);
    if args.with_parent {
        stop_with_parent();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(kring_node::run(config))?;
    Ok(())
}

fn start_log(config: &Config) {
    let filter = EnvFilter::new(config.log_level.as_str());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(false).init(),
    }
}

/// Ends this process as an operator would when whoever started it is gone. Its end closes the pipe, however it came.
fn stop_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        tracing::info!("whoever started this node is gone; stopping");
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM);
    });
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use kring_node::config::KEYS;

    use super::Args;

    #[derive(Debug, Parser)]
    struct Test {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn every_key_has_a_flag_that_sets_it() {
        let mut line = vec!["test".to_owned()];
        for (key, _) in KEYS {
            line.extend([format!("--{}", key.replace('_', "-")), key.to_uppercase()]);
        }
        let flags = Test::try_parse_from(line).unwrap().args.flags();
        assert_eq!(flags, KEYS.map(|(key, _)| (key, key.to_uppercase())));
        assert_eq!(Test::command().get_arguments().count(), KEYS.len() + 2);
    }
}

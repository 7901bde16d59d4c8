//! What a mail server needs, made from the configuration and checked when the node starts.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, Tokio1Executor};
use zeroize::Zeroizing;

use super::letter::Sender;
use crate::config::{MailConfig, SmtpSecurity};

/// How long the mail server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How people are mailed.
#[derive(Debug)]
pub struct Settings {
    /// The way to the mail server.
    pub transport: AsyncSmtpTransport<Tokio1Executor>,
    /// From whom.
    pub sender: Sender,
    /// The hour of the daily mail, in minutes after midnight in Amsterdam.
    pub digest_minutes: u32,
    /// The process coordinator.
    pub coordinator: Option<Mailbox>,
}

impl Settings {
    /// From the configuration. `organisation` is the partner's name, `link` where its people sign in.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn open(config: &MailConfig, organisation: &str, link: &str) -> Result<Self, String> {
        let from: Mailbox = config.from.parse().map_err(|_| "mail_from is not a mail address".to_owned())?;
        let coordinator = config.coordinator.as_ref().map(|address| mailbox(address));
        if coordinator == Some(None) {
            return Err("coordinator_mail is not a mail address".to_owned());
        }
        let client = ClientId::Domain(from.email.domain().to_owned());
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls(config)?)
            .timeout(Some(TIMEOUT))
            .hello_name(client);
        if let Some((user, file)) = &config.sign_in {
            let password = std::fs::read_to_string(file).map(Zeroizing::new);
            let password =
                password.map_err(|problem| format!("smtp_password_file: {}: {problem}", file.display()))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            transport: transport.build(),
            sender: Sender { from, organisation: organisation.to_owned(), link: link.to_owned() },
            digest_minutes: config.digest_minutes,
            coordinator: coordinator.flatten(),
        })
    }
}

fn tls(config: &MailConfig) -> Result<Tls, String> {
    let parameters = || {
        TlsParameters::new(config.host.clone())
            .map_err(|error| format!("smtp_security: no encryption for {}: {error}", config.host))
    };
    Ok(match config.security {
        SmtpSecurity::Tls => Tls::Wrapper(parameters()?),
        SmtpSecurity::StartTls => Tls::Required(parameters()?),
        SmtpSecurity::None => Tls::None,
    })
}

/// An address without a name.
#[must_use]
pub fn mailbox(address: &str) -> Option<Mailbox> {
    let address: Address = address.parse().ok()?;
    Some(Mailbox::new(None, address))
}

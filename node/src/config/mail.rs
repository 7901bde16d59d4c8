//! The keys about mail and webhooks, and what they mean together.

use std::net::IpAddr;
use std::path::PathBuf;

use super::{ConfigError, Layers, Origin};

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the start.
    Tls,
    /// TLS after a command, without which nothing is sent.
    StartTls,
    /// None; to this machine only.
    None,
}

/// How people are mailed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// As whom the node signs in there, and the file with the password.
    pub sign_in: Option<(String, PathBuf)>,
    /// From whom mails are.
    pub from: String,
    /// The hour of the daily mail, in minutes after midnight in Amsterdam.
    pub digest_minutes: u32,
    /// The process coordinator's address.
    pub coordinator: Option<String>,
}

impl Layers {
    /// The file of webhooks: one that is named, or the default one if it is there.
    pub(super) fn webhooks(&self) -> Result<Option<PathBuf>, ConfigError> {
        let key = "webhooks_file";
        let file = self.path(key, "webhooks.toml")?;
        let named = self.find(key).1 != Origin::Default;
        Ok((named || file.exists()).then_some(file))
    }

    /// How people are mailed; none without a mail server.
    pub(super) fn mail(&self) -> Result<Option<MailConfig>, ConfigError> {
        let Some(server) = self.optional("smtp_server")? else { return Ok(None) };
        let expected = "write the name and port of the mail server, such as mail.example.nl:587";
        let wrong = || self.wrong("smtp_server", expected);
        let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong());
        }
        let security = match self.single("smtp_security", "starttls")?.as_str() {
            "tls" => SmtpSecurity::Tls,
            "starttls" => SmtpSecurity::StartTls,
            "none" if is_loopback(&host) => SmtpSecurity::None,
            "none" => {
                let problem = "none is for a mail server on this machine only; write tls or starttls";
                return Err(self.wrong("smtp_security", problem));
            }
            _ => return Err(self.wrong("smtp_security", "write tls, starttls or none")),
        };
        let from = self.optional("mail_from")?.ok_or_else(|| {
            self.wrong("mail_from", "smtp_server needs it: write from which address people are mailed")
        })?;
        Ok(Some(MailConfig {
            host,
            port,
            security,
            sign_in: self.smtp_sign_in(security)?,
            from,
            digest_minutes: self.digest()?,
            coordinator: self.optional("coordinator_mail")?,
        }))
    }

    fn smtp_sign_in(&self, security: SmtpSecurity) -> Result<Option<(String, PathBuf)>, ConfigError> {
        let file = self.optional("smtp_password_file")?;
        match (self.optional("smtp_user")?, file) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) if security == SmtpSecurity::None => {
                Err(self.wrong("smtp_user", "a password goes over TLS only; write smtp_security = \"tls\""))
            }
            (Some(user), Some(_)) => Ok(Some((user, self.path("smtp_password_file", "")?))),
            (Some(_), None) => {
                Err(self.wrong("smtp_password_file", "smtp_user needs a password; name its file"))
            }
            (None, Some(_)) => Err(self.wrong("smtp_user", "smtp_password_file needs a user; name it")),
        }
    }

    fn digest(&self) -> Result<u32, ConfigError> {
        let text = self.single("mail_digest_time", "08:00")?;
        let minutes = || {
            let (hours, minutes) = text.split_once(':')?;
            let number = |text: &str, most: u32| {
                let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|number: &u32| two_digits && *number <= most)
            };
            Some(number(hours, 23)? * 60 + number(minutes, 59)?)
        };
        minutes().ok_or_else(|| self.wrong("mail_digest_time", "write an hour in Amsterdam, such as 08:00"))
    }

    fn optional(&self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.find(key).0.map(|_| self.single(key, "")).transpose()
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(lines: &str) -> Result<Config, ConfigError> {
        let text = format!("version = 1\n{lines}");
        Config::parse(&text, Path::new("/etc/kring/node.toml"), [], &[])
    }

    #[test]
    fn without_a_mail_server_nobody_is_mailed_and_with_one_the_rest_has_defaults() {
        assert_eq!(parse("mail_from = \"a@b.nl\"").unwrap().mail, None);
        let config = parse("smtp_server = \"mail.example.nl:587\"\nmail_from = \"a@b.nl\"").unwrap();
        let mail = config.mail.unwrap();
        assert_eq!((mail.host.as_str(), mail.port), ("mail.example.nl", 587));
        assert_eq!((mail.security, mail.digest_minutes), (SmtpSecurity::StartTls, 8 * 60));
        assert_eq!((mail.sign_in, mail.coordinator), (None, None));
        let local = "smtp_server = \"[::1]:25\"\nsmtp_security = \"none\"\nmail_from = \"a@b.nl\"\n";
        assert_eq!(parse(local).unwrap().mail.unwrap().host, "::1");
        assert_eq!(config.webhooks_file, None, "the default file is not there");
        let named = parse("webhooks_file = \"hooks.toml\"").unwrap();
        assert_eq!(named.webhooks_file.as_deref(), Some(Path::new("/etc/kring/hooks.toml")));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_its_key() {
        let good = "smtp_server = \"mail.example.nl:587\"\nmail_from = \"a@b.nl\"\n";
        for (lines, expected) in [
            ("smtp_server = \"mail.example.nl\"", "smtp_server: write the name and port"),
            ("smtp_server = \"mail.example.nl:0\"", "smtp_server: write the name and port"),
            ("smtp_server = \":25\"", "smtp_server: write the name and port"),
            ("smtp_server = \"mail.example.nl:587\"", "mail_from: smtp_server needs it"),
            (
                &format!("{good}smtp_security = \"none\""),
                "smtp_security: none is for a mail server on this machine",
            ),
            (&format!("{good}smtp_security = \"ssl\""), "smtp_security: write tls, starttls or none"),
            (&format!("{good}smtp_user = \"u\""), "smtp_password_file: smtp_user needs a password"),
            (&format!("{good}smtp_password_file = \"p\""), "smtp_user: smtp_password_file needs a user"),
            (&format!("{good}mail_digest_time = \"8:00\""), "mail_digest_time: write an hour"),
            (&format!("{good}mail_digest_time = \"24:00\""), "mail_digest_time: write an hour"),
            (&format!("{good}mail_digest_time = \"+8:00\""), "mail_digest_time: write an hour"),
        ] {
            let error = parse(lines).unwrap_err().to_string();
            assert!(error.contains(expected), "{lines}: {error}");
        }
    }
}

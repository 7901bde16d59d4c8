//! The ways out that an operator has set up: read and checked before the node does anything.

use super::mail::Settings;
use super::webhooks::{self, Webhook};
use crate::config::Config;
use crate::core::Core;

/// Webhooks and mail.
#[derive(Debug)]
pub struct Ways {
    /// Systems that are told.
    pub webhooks: Vec<Webhook>,
    /// How people are mailed, if they are.
    pub mail: Option<Settings>,
}

impl Ways {
    /// From the files that the configuration names.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn open(core: &Core, config: &Config) -> Result<Self, String> {
        let webhooks = match &config.webhooks_file {
            Some(file) => webhooks::load(file).map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        let organisation = core.covenant.member(&core.me).map_or("", |card| card.name.as_str());
        let link = format!("{}/", config.sign_in.public_url);
        let mail = config.mail.as_ref().map(|mail| Settings::open(mail, organisation, &link));
        Ok(Self { webhooks, mail: mail.transpose()? })
    }
}

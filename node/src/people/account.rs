//! Accounts and teams of one partner, as they are stored.
//!
//! Not here: who may do what ([`super::access`]), and how somebody shows who they are (signing in).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use kring_protocol::codec::Wire;
use kring_protocol::id::{FunctionId, Reference};
use kring_protocol::time::{Day, Timestamp};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

/// A text is not the id of an account or a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 32 hexadecimal digits, in lower case")]
pub struct NotAnId;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Reference);

        impl $name {
            /// A fresh one.
            #[must_use]
            pub fn random() -> Self {
                let mut bytes = [0; Reference::LEN];
                OsRng.fill_bytes(&mut bytes);
                Self(Reference::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes = hex::decode(text).map_err(|_| NotAnId)?;
                let id = Reference::try_from(bytes.as_slice()).map(Self).map_err(|_| NotAnId)?;
                if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
            }
        }
    };
}

random_id! {
    /// Names an account: random, and nothing else than a name.
    AccountId
}
random_id! {
    /// Names a team.
    TeamId
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What somebody does for the partner; one account may have several.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Role {
            $($(#[$doc])* #[serde(rename = $text)] $name),+
        }

        impl Role {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it is stored and written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

roles! {
    /// Works with families: makes signals, answers notices.
    Professional = "professional",
    /// Sees that the notices of a team are answered (aandachtsfunctionaris).
    Supervisor = "supervisor",
    /// Answers persons who ask what is held about them, and erases.
    PrivacyOfficer = "privacyOfficer",
    /// Reads the audit log for the board.
    BoardAuditor = "boardAuditor",
    /// Keeps accounts and teams, imports caseloads.
    FunctionalAdministrator = "functionalAdministrator",
    /// Keeps the node running.
    TechnicalAdministrator = "technicalAdministrator",
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role; the OpenAPI document lists them")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// By what somebody signs in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SignInName {
    /// A user name of this node, in lower case.
    #[serde(rename = "local")]
    Local(String),
    /// The `sub` that the partner's OpenID provider gives.
    #[serde(rename = "provider")]
    Provider(String),
}

impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInName(<redacted>)")
    }
}

/// Somebody is away, and who stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// First day, on the calendar of Amsterdam.
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// Who sees and changes the cases meanwhile.
    pub substitute: Option<AccountId>,
}

impl Absence {
    /// Whether it covers the day.
    #[must_use]
    pub fn covers(&self, day: Day) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

/// How somebody wants to be mailed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailWish {
    /// Once a day, all together.
    #[default]
    #[serde(rename = "digest")]
    Digest,
    /// One by one.
    #[serde(rename = "at-once")]
    AtOnce,
}

/// Somebody who works for the partner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// By what they sign in.
    pub sign_in: SignInName,
    /// Name, in the form of a contact card.
    pub name: String,
    /// E-mail address, likewise.
    pub email: String,
    /// Telephone number, likewise; empty where none is known.
    pub phone: String,
    /// Function, from the covenant's list.
    pub function: Option<FunctionId>,
    /// What they do.
    pub roles: BTreeSet<Role>,
    /// Where they belong.
    pub teams: BTreeSet<TeamId>,
    /// Nobody can sign in to an account that is not, and it owns nothing.
    pub active: bool,
    /// When they are away.
    pub absence: Option<Absence>,
    /// How they want to be mailed.
    pub mail: MailWish,
    /// Since when there is the account.
    pub created: Timestamp,
}

impl Wire for Account {
    const MAX_LEN: usize = 8_192;
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({:?}, <redacted>)", self.id)
    }
}

impl Account {
    /// Whether they are active in this role.
    #[must_use]
    pub fn acts_as(&self, role: Role) -> bool {
        self.active && self.roles.contains(&role)
    }

    /// Who stands in for them on this day.
    #[must_use]
    pub fn substitute(&self, today: Day) -> Option<AccountId> {
        self.absence.filter(|absence| absence.covers(today)).and_then(|absence| absence.substitute)
    }
}

/// Some who work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
}

impl Wire for Team {
    const MAX_LEN: usize = 1_024;
}

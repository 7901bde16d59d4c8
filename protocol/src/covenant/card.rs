//! A member's card: what a partner says of itself, signed by itself (`member.toml`, section 3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::terms::KEYS_PER_PERSON;
use crate::field::join;
use crate::id::{MemberId, NotASlug};
use crate::label;
use crate::sealing::ExchangeKey;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};

/// Most addresses on a card.
pub const ADDRESSES_MAX: usize = 8;
/// Longest name or address on a card, in bytes.
pub const TEXT_MAX_LEN: usize = 200;

/// A legal person (controller) or who runs the machine (operator). Rules about "different" parties compare these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Party(MemberId);

impl FromStr for Party {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        text.parse().map(Self)
    }
}

impl From<MemberId> for Party {
    fn from(id: MemberId) -> Self {
        Self(id)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kind of organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Addiction care.
    AddictionCare,
    /// Child Protection Board (Raad voor de Kinderbescherming).
    ChildProtectionBoard,
    /// Hospital.
    Hospital,
    /// Local team (wijkteam).
    LocalTeam,
    /// Mental health care (ggz).
    MentalHealthCare,
    /// Any other organisation.
    Other,
    /// Police.
    Police,
    /// School.
    School,
    /// Veilig Thuis.
    VeiligThuis,
    /// Youth protection (gecertificeerde instelling).
    YouthProtection,
}

impl Kind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::AddictionCare,
        Self::ChildProtectionBoard,
        Self::Hospital,
        Self::LocalTeam,
        Self::MentalHealthCare,
        Self::Other,
        Self::Police,
        Self::School,
        Self::VeiligThuis,
        Self::YouthProtection,
    ];

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddictionCare => "addiction-care",
            Self::ChildProtectionBoard => "child-protection-board",
            Self::Hospital => "hospital",
            Self::LocalTeam => "local-team",
            Self::MentalHealthCare => "mental-health-care",
            Self::Other => "other",
            Self::Police => "police",
            Self::School => "school",
            Self::VeiligThuis => "veilig-thuis",
            Self::YouthProtection => "youth-protection",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("unknown kind of organisation; choose one of: {}", known.join(", "))
        })
    }
}

/// An organisation's identification number (OIN): twenty digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Oin(String);

impl Oin {
    /// The twenty digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Oin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let digits = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { Ok(Self(text.to_owned())) } else { Err("an OIN has twenty digits") }
    }
}

impl<'de> Deserialize<'de> for Oin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a partner says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberCard {
    /// Its id in the network.
    pub id: MemberId,
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
    /// How many persons its caseload holds, as declared; its budget follows from this.
    pub persons: u32,
    /// Multiaddresses at which its node can be dialled; none for a node behind a firewall.
    pub addresses: Vec<String>,
    /// Signs everything the member says.
    pub signing_key: VerifyingKey,
    /// The node's libp2p identity.
    pub transport_key: VerifyingKey,
    /// Opens its half of tickets, where the covenant names the member for that.
    pub trace_key: ExchangeKey,
}

impl MemberCard {
    /// Match keys that the declared caseload gives at most; tempo and budgets reckon with it.
    #[must_use]
    pub const fn keys(&self) -> u32 {
        self.persons.saturating_mul(KEYS_PER_PERSON)
    }

    /// Whether this and `other` have neither one controller nor one operator.
    #[must_use]
    pub fn independent_of(&self, other: &Self) -> bool {
        self.controller != other.controller && self.operator != other.operator
    }

    fn fields(&self) -> Vec<u8> {
        let addresses: Vec<&[u8]> = self.addresses.iter().map(String::as_bytes).collect();
        join(&[
            self.id.as_bytes(),
            self.name.as_bytes(),
            self.kind.as_str().as_bytes(),
            self.oin.as_str().as_bytes(),
            self.controller.to_string().as_bytes(),
            self.operator.to_string().as_bytes(),
            &self.persons.to_be_bytes(),
            &join(&addresses),
            self.signing_key.as_bytes(),
            self.transport_key.as_bytes(),
            self.trace_key.as_bytes(),
        ])
    }

    /// Signs the card with the key it names.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> SignedCard {
        let signature = key.sign(label::MEMBER, &[&self.fields()]);
        SignedCard { card: self, signature }
    }
}

/// A card with its own member's signature: the content of `member.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCard {
    /// By the card's own signing key, over all its fields.
    pub signature: Signature,
    /// What the member says.
    pub card: MemberCard,
}

impl SignedCard {
    /// Whether the card was signed by the key it names, and its texts are of bounded size.
    ///
    /// # Errors
    /// [`BadSignature`] when the card was altered after signing, or could not have been signed.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let card = &self.card;
        let texts = card.addresses.iter().chain([&card.name]);
        if card.addresses.len() > ADDRESSES_MAX || texts.into_iter().any(|text| text.len() > TEXT_MAX_LEN) {
            return Err(BadSignature);
        }
        card.signing_key.verify(label::MEMBER, &[&self.card.fields()], &self.signature)
    }
}

//! Contact cards: how one professional reaches another, signed by the member for one pair of mailboxes, so that a card
//! cannot be handed on as one's own (`docs/protocol.md` section 10.8).
//!
//! Checked formats only, no free text. Three types in order: [`ContactCard`] is the content, [`CardMessage`] what travels,
//! [`VerifiedCard`] what anything else accepts. Not here: when a card may go ([`super::Cooperation`]), and the card by which
//! an organisation joins ([`crate::covenant::card`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::covenant::{Purpose, VerifiedCovenant};
use crate::field::join;
use crate::id::{FunctionId, MatchId, MemberId};
use crate::label;
use crate::matching::outbox::Pair;
use crate::sign::{Signature, SigningKey};
use crate::subject_key::Scope;
use crate::time::Day;

/// Longest name, in bytes.
pub const NAME_MAX_LEN: usize = 100;
/// Longest e-mail address, in bytes.
pub const EMAIL_MAX_LEN: usize = 160;

/// Why a text is not what a card may hold. The fault lies with whoever filled it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// The name.
    #[error("not a name: letters, blanks, hyphens, apostrophes and full stops, at most {NAME_MAX_LEN} bytes")]
    Name,
    /// The telephone number.
    #[error("not a telephone number: write it with area code, or with + and country code")]
    Telephone,
    /// The e-mail address.
    #[error("not an e-mail address such as name@example.nl, of at most {EMAIL_MAX_LEN} bytes")]
    Email,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// As it is sent and signed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadField;

            fn from_str(text: &str) -> Result<Self, BadField> {
                $check(text).map(Self).ok_or(BadField::$name)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                // Whoever sends it has already brought it into its one form.
                let parsed: Self = text.parse().map_err(serde::de::Error::custom)?;
                if parsed.0 == text { Ok(parsed) } else { Err(serde::de::Error::custom(BadField::$name)) }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }
    };
}

checked_text! {
    /// A professional's name: 1 to [`NAME_MAX_LEN`] bytes in NFC; letters, blanks, hyphens, apostrophes and full stops, the first
    /// of them a letter.
    Name, name
}
checked_text! {
    /// A telephone number as ITU-T E.164 writes it: `+` and 8 to 15 digits, the first not 0. Dutch numbers with a leading
    /// 0, and blanks, hyphens, dots and brackets, are understood and brought into this form.
    Telephone, telephone
}
checked_text! {
    /// An e-mail address: a plain local part of at most 64 bytes and a domain name in ASCII, together at most
    /// [`EMAIL_MAX_LEN`] bytes.
    Email, email
}

fn name(text: &str) -> Option<String> {
    use unicode_normalization::UnicodeNormalization;
    let text: String = text.trim().nfc().collect();
    let allowed = |c: char| c.is_alphabetic() || is_mark(c) || matches!(c, ' ' | '-' | '\'' | '’' | '.');
    let begins = text.chars().next().is_some_and(char::is_alphabetic);
    (begins && text.len() <= NAME_MAX_LEN && text.chars().all(allowed)).then_some(text)
}

/// An accent that has no letter of its own.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// The Netherlands.
const COUNTRY_CODE: &str = "31";

fn telephone(text: &str) -> Option<String> {
    // Many write +31 (0)6.
    let text = text.replace("(0)", "");
    let typed: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}')).collect();
    let international = typed.strip_prefix('+').or_else(|| typed.strip_prefix("00"));
    let digits = match (international, typed.strip_prefix('0')) {
        (Some(digits), _) => digits.to_owned(),
        (None, Some(national)) => format!("{COUNTRY_CODE}{national}"),
        (None, None) => return None,
    };
    let good = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    good.then(|| format!("+{digits}"))
}

fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let good_local =
        local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let (_, top) = domain.rsplit_once('.')?;
    let named_top = top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_alphabetic());
    let good = good_local && domain.split('.').all(label) && named_top && text.len() <= EMAIL_MAX_LEN;
    good.then(|| text.to_owned())
}

/// How one professional can be reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactCard {
    /// Who.
    pub name: Name,
    /// As what, from the covenant's list.
    pub function: FunctionId,
    /// By telephone.
    pub telephone: Telephone,
    /// By e-mail.
    pub email: Email,
}

impl fmt::Debug for ContactCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactCard(<redacted>)")
    }
}

impl ContactCard {
    fn fields(&self) -> Vec<u8> {
        join(&[
            self.name.as_str().as_bytes(),
            self.function.as_bytes(),
            self.telephone.as_str().as_bytes(),
            self.email.as_str().as_bytes(),
        ])
    }
}

/// For which match, and over which pair of mailboxes, a card is given. It is good nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct CardPlace<'a> {
    /// Where the pair met: its network, epoch and purpose count.
    pub scope: &'a Scope,
    /// The match.
    pub match_id: MatchId,
    /// The two mailboxes, from either side.
    pub pair: &'a Pair,
}

impl CardPlace<'_> {
    /// What stands between the label and the card: `network || epoch || purpose || match_id || lower mailbox || higher
    /// mailbox || issued`.
    fn sign(&self, issued: Day, card: &ContactCard, key: &SigningKey) -> Signature {
        self.with_fields(issued, card, |fields| key.sign(label::CARD, fields))
    }

    fn with_fields<T>(&self, issued: Day, card: &ContactCard, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        let low = self.pair.own.min(self.pair.other);
        let high = self.pair.own.max(self.pair.other);
        then(&[
            self.scope.network.as_bytes(),
            &self.scope.epoch.to_be_bytes(),
            self.scope.purpose.as_bytes(),
            self.match_id.as_bytes(),
            low.as_bytes(),
            high.as_bytes(),
            &issued.to_be_bytes(),
            &card.fields(),
        ])
    }
}

/// A card as it travels. Nothing is known of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardMessage {
    /// The sender's counter over this match; a card with a higher one takes the place of an earlier.
    pub seq: u64,
    /// Whose card it is.
    pub member: MemberId,
    /// The card.
    pub card: ContactCard,
    /// By the member, over the place, the message's day and the card.
    pub signature: Signature,
}

/// Why a card is not believed. The fault lies with its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It names somebody who takes no part in the purpose, or the reader's own controller.
    #[error("a card of nobody who takes part in the purpose")]
    NotAMember,
    /// It is another member's than the match's: borrowed.
    #[error("a card of another member than the one that was met")]
    OtherMember,
    /// The signature does not fit: forged, or given for another match or another pair of mailboxes.
    #[error("a card that was not signed for this match and these mailboxes")]
    Misbound,
    /// The function is not in the covenant's list.
    #[error("a card with a function that the covenant does not name")]
    Function,
}

/// A card of the member that was met, given for this match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCard {
    pub(super) seq: u64,
    pub(super) member: MemberId,
    pub(super) card: ContactCard,
}

impl CardMessage {
    /// Signs a card for one place. `issued` is the day of the message that carries it.
    ///
    /// # Errors
    /// [`CardError::Function`].
    pub fn sign(
        card: ContactCard,
        place: CardPlace<'_>,
        (seq, issued): (u64, Day),
        (member, key): (&MemberId, &SigningKey),
        purpose: &Purpose,
    ) -> Result<Self, CardError> {
        known_function(&card, purpose)?;
        let signature = place.sign(issued, &card, key);
        Ok(Self { seq, member: member.clone(), card, signature })
    }

    /// Checks whose it is and for what it was given. `expected` is the member that was met, where its name is known; `me` is
    /// the reader.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn verify(
        &self,
        issued: Day,
        place: CardPlace<'_>,
        expected: Option<&MemberId>,
        me: &MemberId,
        covenant: &VerifiedCovenant,
    ) -> Result<VerifiedCard, CardError> {
        let purpose = covenant.purpose(&place.scope.purpose).ok_or(CardError::NotAMember)?;
        let takes_part = purpose.members.contains(&self.member);
        let member = covenant.member(&self.member).filter(|_| takes_part).ok_or(CardError::NotAMember)?;
        if covenant.member(me).is_none_or(|me| me.controller == member.controller) {
            return Err(CardError::NotAMember);
        }
        if expected.is_some_and(|expected| *expected != self.member) {
            return Err(CardError::OtherMember);
        }
        place
            .with_fields(issued, &self.card, |fields| {
                member.signing_key.verify(label::CARD, fields, &self.signature)
            })
            .map_err(|_| CardError::Misbound)?;
        known_function(&self.card, purpose)?;
        Ok(VerifiedCard { seq: self.seq, member: self.member.clone(), card: self.card.clone() })
    }
}

fn known_function(card: &ContactCard, purpose: &Purpose) -> Result<(), CardError> {
    let known = purpose.coordination().functions.contains(&card.function);
    if known { Ok(()) } else { Err(CardError::Function) }
}

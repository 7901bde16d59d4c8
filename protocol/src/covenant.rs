//! The covenant: who the members are, what they may do for which purpose, and the signatures of all of them
//! (`docs/protocol.md` section 3).
//!
//! Three types in order: [`Covenant`] is the text; [`SignedCovenant`] is what travels; [`VerifiedCovenant`] is what
//! anything else in this crate accepts. The covenant names keys' holders; the keys themselves are made by the
//! ceremony and stand in key records.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::codec::{self, Bytes, CodecError, Wire};
use crate::crypto::sha256;
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId};
use crate::label;
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey};
use crate::time::Day;

pub mod card;
pub mod check;
pub mod terms;

pub use card::{Kind, MemberCard, Oin, Party, SignedCard};
pub use check::{Finding, Severity};
pub use terms::{Budget, Coordination, Disclosure, EpochTerms, KEYS_PER_PERSON, Purpose, Tempo};

/// One version of the agreement, as all members sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covenant {
    /// What people call the network.
    pub title: String,
    /// 1 for the first, then one more each time.
    pub version: u32,
    /// Hash of the version before; none for the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<CovenantHash>,
    /// SHA-256 of the members-only annex.
    pub annex: AnnexHash,
    /// Members whose nodes hold a share of the OPRF keys.
    pub key_holders: Vec<MemberId>,
    /// Members whose nodes compare tags.
    pub matchers: Vec<MemberId>,
    /// The two members whose trace keys together open a ticket.
    pub trace_keys: [MemberId; 2],
    /// When the keys change.
    pub epochs: EpochTerms,
    /// How fast a node works.
    pub tempo: Tempo,
    /// What signals are for.
    pub purposes: Vec<Purpose>,
    /// How many evaluations each member may ask.
    pub budgets: Vec<Budget>,
    /// The members' own signed cards.
    pub members: Vec<SignedCard>,
}

crate::id::byte_id! {
    /// SHA-256 of the members-only annex.
    AnnexHash, 32
}

impl Wire for Covenant {
    const MAX_LEN: usize = 1 << 20;
}

/// What only members may know: a second lock in front of the OPRF (section 4.1).
#[derive(Clone, Debug)]
pub struct Annex {
    /// Joined into every OPRF input.
    pub pepper: Secret<32>,
}

impl Annex {
    /// What the covenant's text says of it.
    #[must_use]
    pub fn hash(&self) -> AnnexHash {
        AnnexHash::from_bytes(sha256(&crate::field::join(&[label::ANNEX, self.pepper.expose()])))
    }
}

impl Covenant {
    /// SHA-256 of this version's encoding.
    #[must_use]
    pub fn hash(&self) -> CovenantHash {
        CovenantHash::from_bytes(sha256(&codec::encode(self)))
    }

    /// A member's card.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> Option<&MemberCard> {
        self.members.iter().map(|card| &card.card).find(|card| card.id == *id)
    }

    /// A purpose's terms.
    #[must_use]
    pub fn purpose(&self, id: &PurposeId) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.id == *id)
    }

    /// The purposes a member takes part in, in the covenant's order; the first is its default.
    pub fn purposes_of<'a>(&'a self, member: &'a MemberId) -> impl Iterator<Item = &'a Purpose> {
        self.purposes.iter().filter(move |purpose| purpose.members.contains(member))
    }

    /// Whether two members count as different: neither one controller nor one operator.
    #[must_use]
    pub fn independent(&self, a: &MemberId, b: &MemberId) -> bool {
        match (self.member(a), self.member(b)) {
            (Some(a), Some(b)) => a.independent_of(b),
            _ => false,
        }
    }

    /// The holders of the key of `matcher`: all key holders except it and whoever is not independent of it, sorted.
    #[must_use]
    pub fn holders_of(&self, matcher: &MemberId) -> Vec<MemberId> {
        let mut holders: Vec<_> =
            self.key_holders.iter().filter(|holder| self.independent(holder, matcher)).cloned().collect();
        holders.sort();
        holders
    }

    /// The matchers at which `member` leaves submissions: all but itself and those not independent of it, sorted.
    #[must_use]
    pub fn matchers_for(&self, member: &MemberId) -> Vec<MemberId> {
        let mut matchers: Vec<_> =
            self.matchers.iter().filter(|matcher| self.independent(matcher, member)).cloned().collect();
        matchers.sort();
        matchers
    }

    /// The members that may pass on what `sender` leaves at `matcher`, sorted.
    #[must_use]
    pub fn relays_for(&self, sender: &MemberId, matcher: &MemberId) -> Vec<MemberId> {
        let ids: BTreeSet<_> = self.members.iter().map(|card| card.card.id.clone()).collect();
        ids.into_iter()
            .filter(|relay| self.independent(relay, sender) && self.independent(relay, matcher))
            .collect()
    }

    /// The epochs whose keys are in use on `day`: one, or two during an overlap (the older first).
    #[must_use]
    pub fn epochs_on(&self, day: Day) -> Vec<Epoch> {
        self.epochs.on(day)
    }
}

/// Fewest partials that give a result: `t = floor(n/2) + 1` (section 3.3).
#[must_use]
pub const fn threshold(holders: usize) -> usize {
    holders / 2 + 1
}

/// A covenant with its members' signatures: the content of `covenant.kring`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCovenant {
    /// The encoding of the [`Covenant`].
    pub covenant: Bytes,
    /// One signature per member, sorted by member.
    pub signatures: Vec<MemberSignature>,
    /// The pepper, in the copy that members keep; absent from a copy for others.
    pub pepper: Option<Pepper>,
}

crate::id::byte_id! {
    /// The annex's pepper as it travels between members.
    Pepper, 32
}

impl Wire for SignedCovenant {
    const MAX_LEN: usize = 2 << 20;
}

/// One member's signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSignature {
    /// Who signed.
    pub member: MemberId,
    /// Over `"kring/covenant/v1" || covenant hash`.
    pub signature: Signature,
}

impl MemberSignature {
    /// Signs a covenant as `member`.
    #[must_use]
    pub fn new(member: MemberId, key: &SigningKey, covenant: &Covenant) -> Self {
        let signature = key.sign(label::COVENANT, &[covenant.hash().as_bytes()]);
        Self { member, signature }
    }
}

/// Why a signed covenant is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CovenantError {
    /// The file or its text is not a covenant of a version this software knows.
    #[error(
        "not a covenant this software can read ({0}); ask the coordinator for a fresh copy, or update Kring"
    )]
    Encoding(#[from] CodecError),
    /// The text breaks rules that every covenant must keep.
    #[error(
        "the covenant breaks {} of the rules every covenant must keep ({}); `kring covenant verify` lists them",
        .0.len(), .0.first().map_or("", |finding| finding.text.as_str())
    )]
    Rules(Vec<Finding>),
    /// Signatures are missing or wrong.
    #[error("not signed by every member: missing or wrong for {}", names(.0))]
    Signatures(Vec<MemberId>),
    /// The pepper is not the one the members signed.
    #[error(
        "the annex is missing or is not the one that the members signed; ask the coordinator for the members' copy"
    )]
    Annex,
}

fn names(members: &[MemberId]) -> String {
    members.iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

impl SignedCovenant {
    /// Puts text, annex and signatures together; says nothing yet of their being right.
    #[must_use]
    pub fn assemble(
        covenant: &Covenant,
        annex: Option<&Annex>,
        mut signatures: Vec<MemberSignature>,
    ) -> Self {
        signatures.sort();
        let pepper = annex.map(|annex| Pepper::from_bytes(*annex.pepper.expose()));
        Self { covenant: Bytes(codec::encode(covenant)), signatures, pepper }
    }

    /// Checks every rule and every signature, and the annex where `self` has one.
    ///
    /// # Errors
    /// [`CovenantError`], with all that is wrong of one kind at once.
    pub fn verify(&self) -> Result<VerifiedCovenant, CovenantError> {
        let covenant: Covenant = codec::decode(&self.covenant.0)?;
        let errors: Vec<_> = check::errors(&covenant);
        if !errors.is_empty() {
            return Err(CovenantError::Rules(errors));
        }
        let hash = covenant.hash();
        let unsigned: Vec<_> =
            covenant.members.iter().filter(|card| !self.signed_by(&card.card, &hash)).collect();
        if !unsigned.is_empty() || self.signatures.len() != covenant.members.len() {
            return Err(CovenantError::Signatures(
                unsigned.iter().map(|card| card.card.id.clone()).collect(),
            ));
        }
        let annex = self.pepper.map(|pepper| Annex { pepper: Secret::new(*pepper.as_bytes()) });
        if annex.as_ref().is_some_and(|annex| annex.hash() != covenant.annex) {
            return Err(CovenantError::Annex);
        }
        Ok(VerifiedCovenant { covenant, hash, annex })
    }

    fn signed_by(&self, card: &MemberCard, hash: &CovenantHash) -> bool {
        self.signatures.iter().filter(|signature| signature.member == card.id).any(|signature| {
            card.signing_key.verify(label::COVENANT, &[hash.as_bytes()], &signature.signature).is_ok()
        })
    }
}

/// A covenant whose rules and signatures hold. Everything else in Kring takes this type.
#[derive(Clone, Debug)]
pub struct VerifiedCovenant {
    covenant: Covenant,
    hash: CovenantHash,
    annex: Option<Annex>,
}

impl VerifiedCovenant {
    /// SHA-256 of this version.
    #[must_use]
    pub const fn hash(&self) -> CovenantHash {
        self.hash
    }

    /// The network: the hash of the first covenant. Later versions carry it on through their chain.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        NetworkId::from_bytes(*self.hash.as_bytes())
    }

    /// The members-only annex.
    ///
    /// # Errors
    /// [`CovenantError::Annex`] when this copy came without it.
    pub fn annex(&self) -> Result<&Annex, CovenantError> {
        self.annex.as_ref().ok_or(CovenantError::Annex)
    }
}

impl std::ops::Deref for VerifiedCovenant {
    type Target = Covenant;

    fn deref(&self) -> &Covenant {
        &self.covenant
    }
}

#[cfg(test)]
pub(crate) mod tests;

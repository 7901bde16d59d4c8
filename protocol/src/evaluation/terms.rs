//! What the covenant in force and its key records say about evaluations, in the form the rules need.
//!
//! Not checked here: that the covenant is valid. Whoever makes [`Terms`] takes them from a verified one.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId};
use crate::oprf::PublicShare;
use crate::sign::VerifyingKey;

/// The covenant in force, for one epoch. Two overlapping epochs are two of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The network.
    pub network: NetworkId,
    /// The covenant in force.
    pub covenant: CovenantHash,
    /// The epoch whose keys [`PurposeTerms::keys`] are.
    pub epoch: Epoch,
    /// Every member.
    pub parties: BTreeMap<MemberId, Party>,
    /// All key holders of the covenant.
    pub key_holders: Vec<MemberId>,
    /// Every purpose.
    pub purposes: BTreeMap<PurposeId, PurposeTerms>,
}

/// One member, as far as evaluations go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The legal person behind it.
    pub controller: String,
    /// Who runs its machine.
    pub operator: String,
    /// Checks its signatures.
    pub key: VerifyingKey,
    /// How much it may ask.
    pub budget: Budget,
}

/// How many blinded inputs a member may ask, dummies included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Per UTC day by the holder's clock; what is unused lapses.
    pub per_day: u64,
    /// Once per epoch, on top, used when the day's budget is spent: a first import or a rotation.
    pub allowance: u64,
}

/// One purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeTerms {
    /// Members that take part.
    pub members: BTreeSet<MemberId>,
    /// One key per matcher.
    pub keys: Vec<KeySpec>,
}

/// One key: of a matcher, for a purpose, in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// The matcher whose tags it makes.
    pub matcher: MemberId,
    /// Answers needed.
    pub threshold: u16,
    /// Its holders, in the order of their indices, the first having index 1.
    pub holders: Vec<MemberId>,
    /// Their public shares, in the same order.
    pub public: Vec<PublicShare>,
}

impl KeySpec {
    /// The holder's index, from 1, and its public share.
    #[must_use]
    pub fn share_of(&self, holder: &MemberId) -> Option<(u16, &PublicShare)> {
        let place = self.holders.iter().position(|other| other == holder)?;
        Some((u16::try_from(place + 1).ok()?, self.public.get(place)?))
    }
}

impl Terms {
    /// Whether two members are one, or share a controller or an operator. Unknown members count as related.
    #[must_use]
    pub fn related(&self, a: &MemberId, b: &MemberId) -> bool {
        let (Some(one), Some(other)) = (self.parties.get(a), self.parties.get(b)) else { return true };
        a == b || one.controller == other.controller || one.operator == other.operator
    }

    /// The key holders whose acknowledgements count for `member`'s headers: all but itself and whoever shares its
    /// controller or operator.
    pub fn witnesses<'a>(&'a self, member: &'a MemberId) -> impl Iterator<Item = &'a MemberId> {
        self.key_holders.iter().filter(|holder| !self.related(holder, member))
    }

    /// How many of [`Self::witnesses`] must have acknowledged.
    #[must_use]
    pub fn majority(&self, member: &MemberId) -> usize {
        self.witnesses(member).count() / 2 + 1
    }

    /// The keys a member's header must name: all of the purpose whose matcher is not related to it, by matcher.
    /// `None` when the member does not take part.
    #[must_use]
    pub fn keys_for(&self, member: &MemberId, purpose: &PurposeId) -> Option<Vec<&KeySpec>> {
        let purpose = self.purposes.get(purpose).filter(|purpose| purpose.members.contains(member))?;
        let mut keys: Vec<_> =
            purpose.keys.iter().filter(|key| !self.related(&key.matcher, member)).collect();
        keys.sort_by(|a, b| a.matcher.cmp(&b.matcher));
        Some(keys)
    }
}

//! Which keys an epoch has, and who holds them (`docs/protocol.md` section 3.3).
//!
//! Not here: who the key holders and matchers are; the covenant says that.

use serde::{Deserialize, Serialize};

use crate::id::{MemberId, PurposeId};

/// Fewest holders of one key: with one there would be nobody to share it with.
pub const HOLDERS_MIN: usize = 2;
/// Most holders of one key.
pub const HOLDERS_MAX: usize = 7;

/// Names one OPRF key of an epoch: there is one per purpose and matcher.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyId {
    /// The purpose whose signals it serves.
    pub purpose: PurposeId,
    /// The matcher that compares the tags made with it; never a holder of it.
    pub matcher: MemberId,
}

/// One key to be made: who will hold it. The threshold follows from the number of holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    key: KeyId,
    holders: Vec<MemberId>,
}

/// Why a key cannot be made. The covenant is at fault: name other key holders or another matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Too few or too many holders remain for this key.
    #[error(
        "the key of matcher {matcher} would have {found} holders; it needs {HOLDERS_MIN} to {HOLDERS_MAX} \
         that share neither controller nor operator with it"
    )]
    Holders {
        /// Whose key.
        matcher: MemberId,
        /// Holders that remain.
        found: usize,
    },
    /// One member is named twice among a key's holders.
    #[error("{0} is named twice as holder of one key")]
    Twice(MemberId),
    /// A matcher may not hold its own key.
    #[error("{0} would hold a key whose tags it compares")]
    OwnKey(MemberId),
}

impl KeySpec {
    /// A key with these holders, in any order.
    ///
    /// # Errors
    /// [`SpecError`] when the holders are fewer than two, more than seven, not distinct, or include the matcher.
    pub fn new(key: KeyId, mut holders: Vec<MemberId>) -> Result<Self, SpecError> {
        holders.sort();
        if !(HOLDERS_MIN..=HOLDERS_MAX).contains(&holders.len()) {
            return Err(SpecError::Holders { matcher: key.matcher, found: holders.len() });
        }
        if let Some(pair) = holders.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(SpecError::Twice(pair[0].clone()));
        }
        if holders.contains(&key.matcher) {
            return Err(SpecError::OwnKey(key.matcher));
        }
        Ok(Self { key, holders })
    }

    /// Which key.
    #[must_use]
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// Its holders, sorted. Holder `i` (from 1) has the share at `x = i`.
    #[must_use]
    pub fn holders(&self) -> &[MemberId] {
        &self.holders
    }

    /// Shares that are needed to evaluate.
    #[must_use]
    pub fn threshold(&self) -> u16 {
        threshold(self.holders.len())
    }

    /// Where `member` stands among the holders, from 1.
    pub(crate) fn position(&self, member: &MemberId) -> Option<u16> {
        let index = self.holders.binary_search(member).ok()?;
        Some(u16::try_from(index + 1).expect("a key has at most seven holders"))
    }
}

/// `floor(n / 2) + 1`: any two sets of that many holders have one in common.
pub(crate) fn threshold(holders: usize) -> u16 {
    u16::try_from(holders / 2 + 1).unwrap_or(u16::MAX)
}

/// A member with who is responsible for it and who runs its machine.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The member.
    pub member: &'a MemberId,
    /// The legal person behind it.
    pub controller: &'a str,
    /// Who runs its machine.
    pub operator: &'a str,
}

impl Party<'_> {
    fn is_independent_of(&self, other: &Self) -> bool {
        self.member != other.member && self.controller != other.controller && self.operator != other.operator
    }
}

/// The keys of an epoch, one for each purpose and matcher, sorted: each is held by all key holders except its matcher
/// and who shares its controller or operator.
///
/// # Errors
/// [`SpecError`] when a key would have too few or too many holders.
pub fn derive_specs(
    holders: &[Party<'_>],
    matchers: &[Party<'_>],
    purposes: &[PurposeId],
) -> Result<Vec<KeySpec>, SpecError> {
    let mut specs = Vec::with_capacity(purposes.len() * matchers.len());
    for purpose in purposes {
        for matcher in matchers {
            let independent = holders.iter().filter(|holder| holder.is_independent_of(matcher));
            let key = KeyId { purpose: purpose.clone(), matcher: matcher.member.clone() };
            specs.push(KeySpec::new(key, independent.map(|holder| holder.member.clone()).collect())?);
        }
    }
    specs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(specs)
}

#[cfg(test)]
mod tests {
    use super::{KeyId, KeySpec, Party, SpecError, derive_specs};
    use crate::id::MemberId;

    fn id(text: &str) -> MemberId {
        text.parse().unwrap()
    }

    fn parties<'a>(rows: &'a [(MemberId, &'a str, &'a str)]) -> Vec<Party<'a>> {
        let party = |row: &'a (MemberId, &'a str, &'a str)| Party {
            member: &row.0,
            controller: row.1,
            operator: row.2,
        };
        rows.iter().map(party).collect()
    }

    #[test]
    fn a_key_excludes_its_matcher_and_whoever_belongs_to_it() {
        let rows = [
            (id("e"), "controller-e", "operator-e"),
            (id("a"), "controller-a", "operator-a"),
            (id("b"), "controller-b", "operator-b"),
            (id("c"), "controller-c", "operator-c"),
            (id("d"), "controller-d", "operator-d"),
        ];
        // A matcher that is no key holder, runs at d's operator and belongs to c's controller.
        let outside = [(id("m"), "controller-c", "operator-d")];
        let holders = parties(&rows);
        let matchers = [holders[1], parties(&outside)[0]];
        let purposes = ["p1".parse().unwrap(), "p0".parse().unwrap()];
        let specs = derive_specs(&holders, &matchers, &purposes).unwrap();
        let summary: Vec<_> = specs
            .iter()
            .map(|spec| {
                let holders: Vec<_> = spec.holders().iter().map(MemberId::as_str).collect();
                format!(
                    "{}/{} {} {}",
                    spec.key().purpose,
                    spec.key().matcher,
                    holders.concat(),
                    spec.threshold()
                )
            })
            .collect();
        assert_eq!(summary, ["p0/a bcde 3", "p0/m abe 2", "p1/a bcde 3", "p1/m abe 2"]);
    }

    #[test]
    fn thresholds_are_majorities_and_one_holder_is_refused() {
        for (holders, threshold) in [(2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)] {
            let key = KeyId { purpose: "p".parse().unwrap(), matcher: id("m") };
            let holders = (0..holders).map(|n| id(&format!("h{n}"))).collect();
            assert_eq!(KeySpec::new(key, holders).unwrap().threshold(), threshold);
        }
        let rows = [(id("a"), "a", "a"), (id("b"), "b", "b")];
        let refused = derive_specs(&parties(&rows), &parties(&rows), &["p".parse().unwrap()]);
        assert_eq!(refused, Err(SpecError::Holders { matcher: id("a"), found: 1 }));
        let key = || KeyId { purpose: "p".parse().unwrap(), matcher: id("m") };
        assert_eq!(KeySpec::new(key(), vec![id("a"), id("b"), id("a")]), Err(SpecError::Twice(id("a"))));
        assert_eq!(KeySpec::new(key(), vec![id("a"), id("m")]), Err(SpecError::OwnKey(id("m"))));
        let eight = (0..8).map(|n| id(&format!("h{n}"))).collect();
        assert_eq!(KeySpec::new(key(), eight), Err(SpecError::Holders { matcher: id("m"), found: 8 }));
    }
}

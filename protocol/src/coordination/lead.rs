//! Who is the family's single point of contact: claims, what is told of them to whom, and conflicts (`docs/protocol.md`
//! section 10.9).
//!
//! A claim is known as long as somebody tells of it over a match that lives. Its maker tells of it to all it has met; those
//! pass it on without a name, which means "reach the lead through me".

use std::collections::{BTreeMap, BTreeSet};

use super::Cooperation;
use super::position::{CLAIMS_MAX, Claim, ClaimId, HOPS_MAX};

/// By which matches a claim is known: their places in the list, and how far the claim is from there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route(pub(super) BTreeMap<usize, u8>);

impl Route {
    /// The matches over which it is somebody's own claim: one, unless somebody lies.
    pub(super) fn direct(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter(|(_, hops)| **hops == 0).map(|(tie, _)| *tie)
    }

    /// How far the claim is without asking one of the matches.
    fn hops_without(&self, tie: usize) -> Option<u8> {
        self.0.iter().filter(|(via, _)| **via != tie).map(|(_, hops)| hops + 1).min()
    }
}

/// The claims of others that are known.
pub(super) type Claims = BTreeMap<ClaimId, Route>;

impl Cooperation {
    /// The claims of others.
    pub(super) fn claims(&self) -> Claims {
        let mut claims = Claims::new();
        let told = self.ties.iter().enumerate().filter(|(_, tie)| tie.shown);
        for (index, tie) in told {
            for claim in tie.theirs().into_iter().flat_map(|position| &position.claims) {
                let own = self.claim == Some(claim.id) || self.past_claims.contains(&claim.id);
                let known = claim.hops == 0 || (claim.hops <= HOPS_MAX && !self.word_of_maker(claim.id));
                if known && !own {
                    let hops = claims.entry(claim.id).or_default().0.entry(index).or_insert(claim.hops);
                    *hops = claim.hops.min(*hops);
                }
            }
        }
        claims
    }

    /// Whether the claim's maker was heard itself: then its own word counts, and a claim that it gave up is not kept
    /// alive by what others have not heard yet. A match that is not right says nothing.
    fn word_of_maker(&self, id: ClaimId) -> bool {
        let heard = |tie: &&super::tie::Tie| tie.claims_seen.iter().any(|seen| seen.id == id && seen.direct);
        self.ties.iter().filter(|tie| !tie.mistaken).any(|tie| heard(&tie))
    }

    /// What is told of claims over one match: the own one, and those known by other matches, the nearest first.
    pub(super) fn claims_for(&self, tie: usize, known: &Claims) -> BTreeSet<Claim> {
        let own = self.claim.map(|id| Claim { hops: 0, id });
        let passed_on = |(id, route): (&ClaimId, &Route)| {
            let near = |hops: &u8| *hops <= HOPS_MAX && route.0.get(&tie) != Some(&0);
            let hops = route.hops_without(tie).filter(near)?;
            Some(Claim { hops, id: *id })
        };
        let nearest: BTreeSet<_> = own.into_iter().chain(known.iter().filter_map(passed_on)).collect();
        nearest.into_iter().take(CLAIMS_MAX).collect()
    }

    /// Whether several claim to be the lead, the own claim included.
    pub(super) fn is_contested(&self, known: &Claims) -> bool {
        known.len() + usize::from(self.claim.is_some()) > 1
            || known.values().any(|route| route.direct().count() > 1)
    }

    /// Which claim this side agrees with, as far as it is known.
    pub(super) fn supported(&self, known: &Claims) -> Option<ClaimId> {
        self.claim.or(self.supports.filter(|id| known.contains_key(id)))
    }

    /// Gives up the own claim.
    pub(super) fn release(&mut self) {
        if let Some(own) = self.claim.take() {
            self.past_claims.push(own);
            let surplus = self.past_claims.len().saturating_sub(PAST_CLAIMS_MAX);
            self.past_claims.drain(..surplus);
        }
        self.ties.iter_mut().for_each(|tie| tie.decided.offers_lead = false);
    }

    /// The lead asked somebody to take over, and they did.
    pub(super) fn hand_over(&mut self) {
        let takes = |tie: &&super::tie::Tie| self.claim.is_some() && tie.shown && tie.decided.offers_lead;
        let taken = self.ties.iter().filter(takes).find_map(|tie| tie.theirs()?.own_claim());
        if let Some(theirs) = taken {
            self.release();
            self.supports = Some(theirs);
        }
    }
}

/// So many of the own claims are remembered, so that nobody shows them as another's.
const PAST_CLAIMS_MAX: usize = 32;

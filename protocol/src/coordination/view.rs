//! What a professional sees of one notice (`docs/protocol.md` section 10.10): how far it is, who is named and who is not.
//!
//! Not here: words, numbers of organisations by controller, and who may look (`node`).

use super::card::ContactCard;
use super::cooperation::Cooperation;
use super::lead::{Claims, Route};
use super::position::{ClaimId, Outcome, Response};
use super::tie::Tie;
use crate::covenant::Purpose;
use crate::id::MemberId;
use crate::matching::MatchKey;
use crate::time::Day;

/// How far a match, or a notice, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Nobody has answered.
    Open,
    /// A side has answered.
    Responded,
    /// There was contact, or both are working together already.
    InContact,
    /// Both agree on the one who claims to be the lead.
    LeadAgreed,
    /// Both are done with it. In a view: the own people are.
    Closed,
}

/// A whole notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView<'a> {
    /// As far as the match that is least far.
    pub state: Progress,
    /// The matches that live and that nobody has called mistaken.
    pub matches: Vec<MatchView<'a>>,
    /// Who claims to be the lead; several are a conflict, to be settled by people.
    pub claims: Vec<ClaimView>,
    /// Whether something waits for the own people, and until when it is in time; a date in Amsterdam.
    pub deadline: Option<Day>,
    /// Whether the professional wants no reminders.
    pub muted: bool,
}

/// One match of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchView<'a> {
    /// Which.
    pub key: &'a MatchKey,
    /// The other organisation, where its name may be known.
    pub partner: Option<&'a MemberId>,
    /// How far it is; closed as soon as the own people are done.
    pub state: Progress,
    /// What the own people answered.
    pub response: Option<Response>,
    /// What the other side answered.
    pub their_response: Option<Response>,
    /// The day of contact.
    pub contact: Option<Day>,
    /// What came of it for the own people.
    pub outcome: Option<Outcome>,
    /// What came of it for the other side.
    pub their_outcome: Option<Outcome>,
    /// How to reach the other side's professional.
    pub card: Option<&'a ContactCard>,
    /// Whether the lead asks this side to take over.
    pub offers_lead: bool,
    /// The claim that the other side agrees with.
    pub their_choice: Option<ClaimId>,
}

/// Somebody who claims to be the lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimView {
    /// Which claim.
    pub id: ClaimId,
    /// Whose.
    pub who: Who,
    /// Whether the own people agree with it.
    pub confirmed: bool,
}

/// Who claims to be the lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// This side.
    Us,
    /// The other side of this match, who was met.
    Partner(MatchKey),
    /// Somebody who was not met, and is not named: to be reached through the other sides of these matches.
    Through(Vec<MatchKey>),
}

impl Cooperation {
    /// The notice as it is now; none while no match is shown.
    #[must_use]
    pub fn view(&self, purpose: &Purpose) -> Option<NoticeView<'_>> {
        let (known, terms) = (self.claims(), purpose.coordination());
        let shown = || self.ties.iter().filter(|tie| tie.shown);
        let waiting = shown().filter_map(|tie| self.waiting(tie, &terms, &known));
        let deadline = waiting.filter(|waiting| waiting.for_us).map(|waiting| waiting.deadline()).min();
        let matches: Vec<_> = shown().map(|tie| self.match_view(tie, &known)).collect();
        let state = matches.iter().map(|view| view.state).min()?;
        let claims = self.claim_views(&known);
        Some(NoticeView { state, matches, claims, deadline, muted: self.muted })
    }

    fn match_view<'a>(&self, tie: &'a Tie, known: &Claims) -> MatchView<'a> {
        let theirs = tie.theirs();
        let done = tie.decided.outcome.is_some();
        MatchView {
            key: &tie.key,
            partner: tie.partner(),
            state: if done { Progress::Closed } else { self.progress(tie, known) },
            response: tie.decided.response,
            their_response: tie.their_response(),
            contact: tie.contact(),
            outcome: tie.decided.outcome,
            their_outcome: theirs.and_then(|position| position.outcome),
            card: tie.their_card.as_ref().map(|held| &held.card),
            offers_lead: theirs.is_some_and(|position| position.offers_lead),
            their_choice: theirs.and_then(|position| position.supports),
        }
    }

    /// How far a match is. Both sides come to the same from what both have said.
    pub(super) fn progress(&self, tie: &Tie, known: &Claims) -> Progress {
        let theirs_done = tie.theirs().is_some_and(|position| position.outcome.is_some());
        if tie.decided.outcome.is_some() && theirs_done {
            Progress::Closed
        } else if self.lead_is_agreed(tie, known) {
            Progress::LeadAgreed
        } else if tie.in_contact() {
            Progress::InContact
        } else if tie.decided.response.or(tie.their_response()).is_some() {
            Progress::Responded
        } else {
            Progress::Open
        }
    }

    /// Both sides agree with one claim, and it is the only one.
    pub(super) fn lead_is_agreed(&self, tie: &Tie, known: &Claims) -> bool {
        let ours = self.supported(known);
        ours.is_some()
            && ours == tie.theirs().and_then(|position| position.supports)
            && !self.is_contested(known)
    }

    fn claim_views(&self, known: &Claims) -> Vec<ClaimView> {
        let confirmed = self.supported(known);
        let keys = |ties: Vec<usize>| ties.into_iter().map(|tie| self.ties[tie].key.clone());
        let whose = |route: &Route| -> Vec<Who> {
            let direct: Vec<_> = keys(route.direct().collect()).map(Who::Partner).collect();
            if direct.is_empty() {
                vec![Who::Through(keys(route.0.keys().copied().collect()).collect())]
            } else {
                direct
            }
        };
        let others = known.iter().flat_map(|(id, route)| whose(route).into_iter().map(|who| (*id, who)));
        let own = self.claim.map(|id| (id, Who::Us));
        let all = own.into_iter().chain(others);
        all.map(|(id, who)| ClaimView { id, who, confirmed: confirmed == Some(id) }).collect()
    }
}

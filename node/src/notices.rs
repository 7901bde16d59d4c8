//! Notices as people see them: what the rules show of a case, with its words.
//!
//! Not here: what may be shown (`kring_protocol::coordination`), who may look ([`crate::api`]).

use std::collections::BTreeSet;

use kring_protocol::coordination::view::{ClaimView as RulesClaim, MatchView as RulesMatch};
use kring_protocol::coordination::{ContactCard, NoticeView as RulesNotice, Progress, Response, Who};
use kring_protocol::matching::{MatchKey, Matches};

use crate::api::{AlertView, CardView, ClaimView, MatchView, NoticeState, NoticeView, Says, Whose};
use crate::application::{Node, moment};
use crate::cases::{Case, CaseId};
use crate::coordination::{Kept, Told};
use crate::core::Core;
use crate::grounds::Grounds;
use crate::people::Ownership;
use crate::texts::{self, Language};

impl Node {
    /// The notices: one per case with a live signal of which the rules show a match, however many partners it met.
    /// Only those of cases of which `wanted` holds.
    pub(crate) fn notice_views(
        &self,
        language: Language,
        wanted: impl Fn(&Ownership) -> bool,
    ) -> Vec<NoticeView> {
        self.notice_views_of(language, |case| wanted(&case.ownership()))
    }

    /// One of them.
    pub(crate) fn notice_view(&self, case: CaseId, language: Language) -> Option<NoticeView> {
        self.notice_views_of(language, |found| found.id == case).pop()
    }

    /// The case that has a notice, whether anything of it is shown now or not.
    pub(crate) fn case_of_notice(&self, notice: &str) -> Option<CaseId> {
        let cases: Vec<_> = self.partner.cooperations().iter().map(|(case, _)| *case).collect();
        cases.into_iter().find(|case| self.notice_id(*case) == notice)
    }

    fn notice_views_of(&self, language: Language, wanted: impl Fn(&Case) -> bool) -> Vec<NoticeView> {
        let (cases, matches) = (self.partner.cases(), self.partner.matches());
        let cooperations = self.partner.cooperations();
        let conversations = self.partner.conversations();
        let today = self.core.today();
        let view = |(id, kept): (&CaseId, &Kept)| {
            let case = cases.get(id).filter(|case| wanted(case) && case.is_live(today))?;
            let notice = kept.cooperation.view(self.core.covenant.purpose(&case.purpose)?)?;
            let grounds = Grounds::new(&cases, &conversations, case);
            Some(self.one_notice(
                case,
                &notice,
                kept,
                &Words { language, matches: &matches, grounds: &grounds },
            ))
        };
        cooperations.iter().filter_map(view).collect()
    }

    fn one_notice(
        &self,
        case: &Case,
        notice: &RulesNotice<'_>,
        kept: &Kept,
        words: &Words<'_>,
    ) -> NoticeView {
        let covenant = &self.core.covenant;
        let named = notice.matches.iter().filter_map(|found| covenant.member(found.partner?));
        let controllers: BTreeSet<_> = named.map(|card| &card.controller).collect();
        let partner = |key: &MatchKey| {
            let found = notice.matches.iter().find(|found| found.key == key)?;
            found.partner.map(ToString::to_string)
        };
        NoticeView {
            id: self.notice_id(case.id),
            case_reference: case.case_reference.clone(),
            state: state(notice.state),
            // Where the purpose hides names, all that is known is that there is one.
            other_partners: controllers.len().max(1),
            deadline_date: notice.deadline.map(|day| day.to_string()),
            muted: notice.muted,
            matches: notice.matches.iter().map(|found| words.of_match(found)).collect(),
            lead: notice.claims.iter().map(|claim| claim_view(claim, partner)).collect(),
            alerts: kept.told.iter().map(|told| words.of_told(told)).collect(),
        }
    }

    /// A notice's id follows from its case's, so that it stays the same through restarts.
    pub(crate) fn notice_id(&self, case: CaseId) -> String {
        id_of(&self.core, case)
    }
}

/// The id of a case's notice.
pub(crate) fn id_of(core: &Core, case: CaseId) -> String {
    hex::encode(core.vault.index_key("notice").hash(case.0.as_bytes()))
}

/// What words are made of.
struct Words<'a> {
    language: Language,
    matches: &'a Matches,
    grounds: &'a Grounds<'a>,
}

impl Words<'_> {
    fn of_match(&self, found: &RulesMatch<'_>) -> MatchView {
        let entry = self.matches.get(found.key);
        let basis = entry.map(|entry| entry.basis().into_iter().map(ToString::to_string).collect());
        let persons = entry.map(|entry| self.grounds.of(entry)).unwrap_or_default();
        MatchView {
            match_id: found.key.id.to_string(),
            partner: found.partner.map(ToString::to_string),
            basis: basis.unwrap_or_default(),
            basis_text: texts::basis(self.language, &persons),
            state: state(found.state),
            response: found.response.map(says),
            their_response: found.their_response.map(says),
            contact_date: found.contact.map(|day| day.to_string()),
            card: found.card.map(card),
            outcome: found.outcome.into(),
            their_outcome: found.their_outcome.into(),
            offers_lead: found.offers_lead,
            their_choice: found.their_choice.map(|claim| claim.to_string()),
        }
    }

    fn of_told(&self, told: &Told) -> AlertView {
        let (date, days) =
            (told.deadline.map(|day| day.to_string()), told.waited.map(|days| days.to_string()));
        let arguments = [("date", date), ("days", days)];
        let given: Vec<_> =
            arguments.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        AlertView {
            at: moment(told.at),
            kind: told.what.word(),
            match_id: told.about.map(|id| id.to_string()),
            text: texts::alert(self.language, told.what, &given),
        }
    }
}

pub(crate) const fn state(progress: Progress) -> NoticeState {
    match progress {
        Progress::Open => NoticeState::Open,
        Progress::Responded => NoticeState::Responded,
        Progress::InContact => NoticeState::InContact,
        Progress::LeadAgreed => NoticeState::LeadAgreed,
        Progress::Closed => NoticeState::Closed,
    }
}

const fn says(response: Response) -> Says {
    match response {
        Response::Coordinate => Says::Coordinate,
        Response::AlreadyTogether => Says::AlreadyTogether,
    }
}

fn card(card: &ContactCard) -> CardView {
    CardView {
        name: card.name.as_str().to_owned(),
        function: card.function.to_string(),
        phone: card.telephone.as_str().to_owned(),
        email: card.email.as_str().to_owned(),
    }
}

fn claim_view(claim: &RulesClaim, partner: impl Fn(&MatchKey) -> Option<String>) -> ClaimView {
    let ids = |keys: &[MatchKey]| keys.iter().map(|key| key.id.to_string()).collect();
    let (who, partner, match_ids) = match &claim.who {
        Who::Us => (Whose::Us, None, Vec::new()),
        Who::Partner(key) => (Whose::Partner, partner(key), ids(std::slice::from_ref(key))),
        Who::Through(keys) => (Whose::Through, None, ids(keys)),
    };
    ClaimView { claim: claim.id.to_string(), who, partner, match_ids, confirmed: claim.confirmed }
}

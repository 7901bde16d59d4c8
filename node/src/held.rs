//! What this partner holds and shared about a person (GDPR article 15), found in its own records alone.
//!
//! A person is found as others would find them: by the match keys that their particulars give. Nothing is asked of anybody
//! else, and nobody is named who has not been disclosed. Not here: who may ask ([`crate::people::access`]).

use std::collections::BTreeSet;

use kring_protocol::coordination::view::MatchView;
use kring_protocol::id::{PurposeId, RecipeId};
use kring_protocol::identifier::Person;
use kring_protocol::matching::Match;
use kring_protocol::recipe::MatchKey;

use crate::api::{
    ApplicationError, HeldPersonView, HeldSignalView, HeldView, InvalidParam, NewPerson, SharedView,
    SignalView,
};
use crate::application::Node;
use crate::cases::{Case, Cases};
use crate::notices::state;
use crate::signals;

impl Node {
    /// Everything about whoever has these particulars.
    pub(crate) fn held(&self, asked: &NewPerson) -> Result<HeldView, ApplicationError> {
        let person = signals::one_person(asked, self.core.today())?;
        let found = self.found(&person);
        if found.is_none() {
            let reason = "are too few to find anybody by: give the BSN, or the full birth date with a name, or with a \
                          postal code and house number";
            return Err(ApplicationError::Invalid(vec![InvalidParam::body("", reason)]));
        }
        let found = found.unwrap_or_default();
        let signals = found.into_iter().map(|(case, persons)| self.held_signal(&case, persons)).collect();
        Ok(HeldView { signals })
    }

    /// The cases in which the person stands, with those who fit; none when the particulars give no key.
    fn found(&self, person: &Person) -> Option<Vec<(Case, Vec<HeldPersonView>)>> {
        let cases = self.partner.cases();
        let purposes = self.core.covenant.purposes_of(&self.core.me);
        let keys: Vec<(PurposeId, Vec<MatchKey>)> = purposes
            .map(|purpose| (purpose.id.clone(), cases.keys_of(&purpose.id, person)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        if keys.is_empty() {
            return None;
        }
        let of_case = |case: &Case| {
            let (_, keys) = keys.iter().find(|(purpose, _)| *purpose == case.purpose)?;
            let fits = |one: &Person| held_person(&cases, case, one, keys);
            let persons: Vec<_> = case.persons.iter().filter_map(fits).collect();
            (!persons.is_empty()).then(|| (case.clone(), persons))
        };
        Some(cases.iter().filter_map(of_case).collect())
    }

    fn held_signal(&self, case: &Case, persons: Vec<HeldPersonView>) -> HeldSignalView {
        let SignalView { id, case_reference, purpose, state, created_at, expires_at, .. } =
            self.signal_view(case);
        let terms = self.core.covenant.purpose(&case.purpose);
        HeldSignalView {
            id,
            case_reference,
            purpose,
            legal_ground: terms.map(|purpose| purpose.legal_ground.clone()).unwrap_or_default(),
            state,
            created_at,
            expires_at,
            family_informed: case.family_informed.as_ref().map(|informed| informed.informed),
            persons,
            shared: self.shared(case),
        }
    }

    /// With whom: every match, also one that has ended. Those that a professional called mistaken are about others.
    fn shared(&self, case: &Case) -> Vec<SharedView> {
        let matches = self.partner.matches();
        let cooperations = self.partner.cooperations();
        let purpose = self.core.covenant.purpose(&case.purpose);
        let kept = cooperations.get(&case.id);
        let notice = kept.zip(purpose).and_then(|(kept, purpose)| kept.cooperation.view(purpose));
        let shown = notice.as_ref().map(|notice| notice.matches.as_slice()).unwrap_or_default();
        let own = matches.iter().filter(|entry| entry.own == case.reference && !entry.is_mistaken());
        own.map(|entry| shared(entry, shown.iter().find(|view| *view.key == entry.key()))).collect()
    }
}

fn shared(entry: &Match, view: Option<&MatchView<'_>>) -> SharedView {
    let partner = entry.partner.as_ref().or_else(|| view.and_then(|view| view.partner));
    SharedView {
        partner: partner.map(ToString::to_string),
        since_date: entry.since.to_string(),
        live: entry.is_live(),
        state: view.map(|view| state(view.state)),
        contact_date: view.and_then(|view| view.contact).map(|day| day.to_string()),
        outcome: view.and_then(|view| view.outcome).into(),
        their_outcome: view.and_then(|view| view.their_outcome).into(),
    }
}

/// Somebody of a case, if one of their match keys is one of those asked for.
fn held_person(cases: &Cases, case: &Case, one: &Person, asked: &[MatchKey]) -> Option<HeldPersonView> {
    let own = cases.keys_of(&case.purpose, one);
    let same = |key: &&MatchKey| {
        asked.iter().any(|asked| asked.recipe() == key.recipe() && asked.value() == key.value())
    };
    let basis: BTreeSet<&RecipeId> = own.iter().filter(same).map(MatchKey::recipe).collect();
    if basis.is_empty() {
        return None;
    }
    let typed = one.typed().clone();
    Some(HeldPersonView {
        basis: basis.into_iter().map(ToString::to_string).collect(),
        role: typed.role,
        bsn: typed.bsn,
        given_names: typed.given_names,
        name_prefix: typed.name_prefix,
        family_name: typed.family_name,
        born: typed.birth_date,
        postal_code: typed.postal_code,
        house_number: typed.house_number,
        house_number_suffix: typed.house_number_suffix,
    })
}

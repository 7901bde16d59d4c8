//! Which person of a case a match rests on, and what of that person agrees: from the pairs of mailboxes that met back to
//! the persons whose keys were left there.
//!
//! Not here: the rule what agrees (`kring_protocol::basis`) and its words ([`crate::texts`]).

use std::collections::{BTreeMap, BTreeSet};

use kring_protocol::basis::Basis;
use kring_protocol::identifier::Role;
use kring_protocol::matching::Match;
use kring_protocol::matching::outbox::Pair;
use kring_protocol::recipe::Recipe;

use crate::cases::{Case, Cases, MatchKeyId};
use crate::conversations::Conversations;

/// The persons of one case with their match keys.
#[derive(Debug)]
pub(crate) struct Grounds<'a> {
    conversations: &'a Conversations,
    persons: Vec<(Role, BTreeMap<MatchKeyId, Recipe>)>,
}

impl<'a> Grounds<'a> {
    pub(crate) fn new(cases: &Cases, conversations: &'a Conversations, case: &Case) -> Self {
        let keys = |person| cases.keys_by_recipe(&case.purpose, person);
        let persons = case.persons.iter().map(|person| (person.role(), keys(person))).collect();
        Self { conversations, persons }
    }

    /// What each person by whom the match was made shares with the other side.
    pub(crate) fn of(&self, entry: &Match) -> Vec<(Role, Basis)> {
        let met: BTreeSet<MatchKeyId> = entry
            .points
            .iter()
            .filter_map(|point| self.conversations.leave_of(&Pair::from(point)).map(|leave| leave.key))
            .collect();
        let basis = |(role, keys): &(Role, BTreeMap<MatchKeyId, Recipe>)| {
            let recipes: BTreeSet<_> =
                keys.iter().filter(|(id, _)| met.contains(id)).map(|(_, recipe)| *recipe).collect();
            let live = keys.values().copied().collect();
            (!recipes.is_empty()).then(|| (*role, Basis::new(&recipes, &live)))
        };
        self.persons.iter().filter_map(basis).collect()
    }
}

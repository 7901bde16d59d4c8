//! Happenings as one reader of the API may see them.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kring_protocol::calendar::local_day;

use super::event::cloud_event;
use super::happening::Happening;
use super::{Outgoing, TooMany};
use crate::api::EventView;
use crate::cases::Case;
use crate::core::Core;
use crate::notices;
use crate::partner::Partner;
use crate::people::{AccountId, CaseAct, People, Viewer, may_with};

impl Outgoing {
    /// What happens from now on, and before it what happened after a number: about all cases for the partner's own systems,
    /// for a person about those that the person may see at that moment.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn feed(
        &self,
        person: Option<AccountId>,
        people: Arc<People>,
        after: Option<u64>,
    ) -> Result<BoxStream<'static, EventView>, TooMany> {
        let (core, partner) = (Arc::clone(&self.core), Arc::clone(&self.partner));
        let shown = move |found: Happening| {
            let shown = may_see(&core, &partner, &people, person, &found).then(|| view(&core, &found));
            std::future::ready(shown.flatten())
        };
        Ok(self.subscribe(after)?.filter_map(shown).boxed())
    }
}

fn may_see(
    core: &Core,
    partner: &Partner,
    people: &People,
    person: Option<AccountId>,
    found: &Happening,
) -> bool {
    let viewer = match person {
        None => return true,
        Some(id) => people.get(&id).map(Viewer::Person),
    };
    let ownership = partner.cases().get(&found.case).map(Case::ownership);
    let (Some(viewer), Some(ownership)) = (viewer, ownership) else { return false };
    may_with(&viewer, CaseAct::See, &ownership, people, local_day(core.now()))
}

fn view(core: &Core, found: &Happening) -> Option<EventView> {
    let card = core.covenant.member(&core.me)?;
    let event = cloud_event(found, &card.oin, &notices::id_of(core, found.case));
    Some(EventView { number: found.number, kind: found.kind.word(), json: event.to_string() })
}

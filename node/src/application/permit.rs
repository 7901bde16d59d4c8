//! Where every request is checked: on whose behalf it comes, and whether they may.
//!
//! Holds no rule of its own: [`crate::people::access`] decides. A refusal is logged before it is given; what is not there
//! is refused in the same way and takes as long as what is not the asker's.

use std::future::Future;
use std::panic::Location;

use kring_protocol::calendar::local_day;
use kring_protocol::log::entry::{Kind, Outcome as Ended};
use kring_protocol::time::Day;

use super::{Node, Outcome};
use crate::api::{Actor, ApplicationError};
use crate::audit::Event;
use crate::cases::{Case, CaseId};
use crate::people::{Account, AccountAct, Act, CaseAct, Ownership, Viewer, may, may_with, may_with_account};
use crate::store::Batch;

impl Node {
    /// Who asks, if they may do work of this kind.
    ///
    /// # Errors
    /// [`ApplicationError::Nobody`], [`ApplicationError::Forbidden`].
    #[track_caller]
    pub(crate) fn allowed<'a>(
        &'a self,
        actor: &'a Actor,
        act: Act,
    ) -> impl Future<Output = Outcome<Viewer>> + Send + 'a {
        let place = Location::caller();
        async move {
            let viewer = self.viewer(actor);
            let checked = viewer.and_then(|viewer| self.role(viewer, act, place));
            self.logged(actor, checked).await
        }
    }

    /// Who asks, and the case, if they may do this with it.
    ///
    /// # Errors
    /// Also [`ApplicationError::NotFound`]: there is no such case, or they may not see it. Who may see it and not do this
    /// is told so.
    #[track_caller]
    pub(crate) fn allowed_case<'a>(
        &'a self,
        actor: &'a Actor,
        act: Act,
        case_act: CaseAct,
        id: Option<CaseId>,
    ) -> impl Future<Output = Outcome<(Viewer, Case)>> + Send + 'a {
        let place = Location::caller();
        async move {
            let viewer = self.viewer(actor);
            let checked = viewer.and_then(|viewer| {
                let viewer = self.role(viewer, act, place)?;
                let case = id.and_then(|id| self.partner.cases().get(&id).cloned());
                let case = case.ok_or(ApplicationError::NotFound)?;
                self.with_case(&viewer, case_act, &case.ownership(), place)?;
                Ok((viewer, case))
            });
            self.logged(actor, checked).await
        }
    }

    /// Who asks, and the account, if they may do this with it.
    ///
    /// # Errors
    /// As [`Self::allowed_case`].
    #[track_caller]
    pub(crate) fn allowed_account<'a>(
        &'a self,
        actor: &'a Actor,
        act: AccountAct,
        id: &'a str,
    ) -> impl Future<Output = Outcome<(Viewer, Account)>> + Send + 'a {
        let place = Location::caller();
        async move {
            let viewer = self.viewer(actor);
            let checked = viewer.and_then(|viewer| {
                let account = id.parse().ok().and_then(|id| self.people.get(&id));
                let account = account.ok_or(ApplicationError::NotFound)?;
                let allowed = |act| may_with_account(&viewer, act, &account);
                if allowed(act) || removed::is(place, removed::Check::Account) {
                    Ok((viewer, account))
                } else if allowed(AccountAct::SeeName) {
                    Err(ApplicationError::Forbidden)
                } else {
                    Err(ApplicationError::NotFound)
                }
            });
            self.logged(actor, checked).await
        }
    }

    /// Whether they may do this with a case: for lists, and where the answer says neither yes nor no.
    #[track_caller]
    pub(crate) fn may(&self, viewer: &Viewer, act: CaseAct, of: &Ownership) -> bool {
        self.with_case(viewer, act, of, Location::caller()).is_ok()
    }

    /// The date on which absences are judged.
    pub(crate) fn local_today(&self) -> Day {
        local_day(self.core.now())
    }

    /// On whose behalf an actor acts.
    pub(crate) fn viewer(&self, actor: &Actor) -> Outcome<Viewer> {
        match actor {
            Actor::Token(_) => Ok(Viewer::System),
            Actor::Person(id) => {
                let account = self.people.get(id).filter(|account| account.active);
                account.map(Viewer::Person).ok_or(ApplicationError::Nobody)
            }
        }
    }

    fn role(&self, viewer: Viewer, act: Act, place: &'static Location<'static>) -> Outcome<Viewer> {
        let allowed = may(&viewer, act) || removed::is(place, removed::Check::Role);
        if allowed { Ok(viewer) } else { Err(ApplicationError::Forbidden) }
    }

    fn with_case(
        &self,
        viewer: &Viewer,
        act: CaseAct,
        of: &Ownership,
        place: &'static Location<'static>,
    ) -> Outcome<()> {
        let today = self.local_today();
        let allowed = |act| may_with(viewer, act, of, &*self.people, today);
        if allowed(act) || removed::is(place, removed::Check::Case) {
            Ok(())
        } else if allowed(CaseAct::See) {
            Err(ApplicationError::Forbidden)
        } else {
            Err(ApplicationError::NotFound)
        }
    }

    /// The same; logged when it is a refusal.
    pub(crate) async fn logged<T>(&self, actor: &Actor, checked: Outcome<T>) -> Outcome<T> {
        let refused = matches!(
            checked,
            Err(ApplicationError::Nobody | ApplicationError::Forbidden | ApplicationError::NotFound)
        );
        if refused {
            let event = Event { outcome: Ended::Refused, ..self.event(actor, Kind::AccessRefused, 1) };
            self.core.commit(Batch::new(), vec![event]).await.map_err(|_| ApplicationError::Internal)?;
        }
        checked
    }
}

/// Lets a test take single checks away, to see that another test notices.
#[cfg(test)]
pub(crate) mod removed {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::panic::Location;

    /// What is checked at a place.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) enum Check {
        /// That the role is one that the work is for.
        Role,
        /// That the case is theirs.
        Case,
        /// That the account is one they may do this with.
        Account,
    }

    /// A check in the source.
    pub(crate) type Site = (&'static str, u32, Check);

    thread_local! {
        static REMOVED: RefCell<Option<Site>> = const { RefCell::new(None) };
        static REFUSED: RefCell<BTreeSet<Site>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Whether this check, which would refuse, has been taken away.
    pub(super) fn is(place: &'static Location<'static>, check: Check) -> bool {
        let site = (place.file(), place.line(), check);
        REFUSED.with_borrow_mut(|refused| refused.insert(site));
        REMOVED.with_borrow(|removed| *removed == Some(site))
    }

    /// Takes a check away, or puts it back.
    pub(crate) fn take(site: Option<Site>) {
        REMOVED.with_borrow_mut(|removed| *removed = site);
    }

    /// The checks that refused something since the last call.
    pub(crate) fn refused() -> BTreeSet<Site> {
        REFUSED.with_borrow_mut(std::mem::take)
    }
}

#[cfg(not(test))]
mod removed {
    use std::panic::Location;

    pub(super) enum Check {
        Role,
        Case,
        Account,
    }

    pub(super) const fn is(_: &'static Location<'static>, _: Check) -> bool {
        false
    }
}

//! The node as its API sees it, where the partner's own people are concerned.

use kring_protocol::log::entry::Kind;

use super::{Node, Outcome, case_id, moment};
use crate::api::{
    ActivationView, Actor, AllView, ApplicationError, AwayView, DeclinedView, ErasedView, HeldView,
    Idempotency, NewAbsence, NewPerson, PersonForm, PersonView, SignInView, SignalView, Staff, TeamView,
    mail_word,
};
use crate::cases::Case;
use crate::erasure;
use crate::hand_over::{self, Step};
use crate::people::form::{self, Known};
use crate::people::{
    Account, AccountAct, AccountId, Act, CaseAct, SignInName, Team, TeamId, Viewer, access, may_with_account,
};
use crate::repeats::Once;
use crate::store::Batch;

impl Staff for Node {
    async fn people(&self, actor: &Actor) -> Outcome<Vec<PersonView>> {
        let viewer = self.allowed(actor, Act::ReadNames).await?;
        Ok(self.people.accounts().iter().map(|account| self.person_view(&viewer, account)).collect())
    }

    async fn person(&self, actor: &Actor, id: &str) -> Outcome<PersonView> {
        let (viewer, account) = self.allowed_account(actor, AccountAct::SeeName, id).await?;
        Ok(self.person_view(&viewer, &account))
    }

    async fn add_person(
        &self,
        actor: &Actor,
        form: PersonForm,
        idempotency: Option<Idempotency>,
    ) -> Outcome<PersonView> {
        let viewer = self.allowed(actor, Act::ChangePeople).await?;
        let event = self.event(actor, Kind::Configuration, 1);
        let first = match self.core.repeats.begin(&self.core, &event, &["people"], idempotency).await? {
            Once::First(first) => first,
            Once::Again(id) => {
                let known = id.as_slice().try_into().ok().and_then(|id| self.people.get(&AccountId(id)));
                let known = known.ok_or(ApplicationError::Internal)?;
                return Ok(self.person_view(&viewer, &known));
            }
        };
        let _changing = self.people.changing.lock().await;
        let account = self.with_known(|known| form::new_account(&form, known, self.core.now()))?;
        let mut batch = Batch::new();
        first.note(&self.core, &mut batch, account.id.0.as_bytes());
        self.people.put_with(account.clone(), batch, event).await.map_err(internal)?;
        Ok(self.person_view(&viewer, &account))
    }

    async fn change_person(&self, actor: &Actor, id: &str, form: PersonForm) -> Outcome<PersonView> {
        let act = if form.is_contact_only() { AccountAct::Contact } else { AccountAct::Standing };
        let (viewer, account) = self.allowed_account(actor, act, id).await?;
        let _changing = self.people.changing.lock().await;
        let account = self.people.get(&account.id).ok_or(ApplicationError::NotFound)?;
        let before = account.sign_in.clone();
        let account = self.with_known(|known| form::changed(account, &form, known))?;
        let event = self.event(actor, Kind::Configuration, 1);
        self.people.put(account.clone(), event).await.map_err(internal)?;
        if !account.active || account.sign_in != before {
            self.sign_in.end_sessions(account.id).await.map_err(internal)?;
        }
        Ok(self.person_view(&viewer, &account))
    }

    async fn set_absence(
        &self,
        actor: &Actor,
        id: &str,
        absence: Option<NewAbsence>,
        idempotency: Option<Idempotency>,
    ) -> Outcome<PersonView> {
        let (viewer, account) = self.allowed_account(actor, AccountAct::Absence, id).await?;
        let event = self.event(actor, Kind::Configuration, 1);
        let address = ["people", id, "absence"];
        let once = self.core.repeats.begin(&self.core, &event, &address, idempotency).await?;
        let _changing = self.people.changing.lock().await;
        let mut account = self.people.get(&account.id).ok_or(ApplicationError::NotFound)?;
        if let Once::First(first) = once {
            let absence = absence.map(|new| form::absence(&new, &account, &*self.people, self.local_today()));
            account.absence = absence.transpose().map_err(ApplicationError::Invalid)?;
            let mut batch = Batch::new();
            first.note(&self.core, &mut batch, &[]);
            self.people.put_with(account.clone(), batch, event).await.map_err(internal)?;
        }
        Ok(self.person_view(&viewer, &account))
    }

    async fn invite(&self, actor: &Actor, id: &str) -> Outcome<ActivationView> {
        let (_, account) = self.allowed_account(actor, AccountAct::Standing, id).await?;
        let event = self.event(actor, Kind::Configuration, 1);
        let invited = self.sign_in.invite(account.id, event).await.map_err(internal)?;
        let (code, expires) = invited.ok_or_else(|| {
            let reason = "the account is closed, or the organisation's own provider signs it in";
            ApplicationError::Conflict(reason.to_owned())
        })?;
        Ok(ActivationView { code, expires_at: moment(expires) })
    }

    async fn teams(&self, actor: &Actor) -> Outcome<Vec<TeamView>> {
        self.allowed(actor, Act::ReadNames).await?;
        Ok(self.people.teams().iter().map(team_view).collect())
    }

    async fn add_team(
        &self,
        actor: &Actor,
        name: String,
        idempotency: Option<Idempotency>,
    ) -> Outcome<TeamView> {
        self.allowed(actor, Act::ChangePeople).await?;
        let event = self.event(actor, Kind::Configuration, 1);
        let first = match self.core.repeats.begin(&self.core, &event, &["teams"], idempotency).await? {
            Once::First(first) => first,
            Once::Again(id) => {
                let id = id.as_slice().try_into().map(TeamId).map_err(internal)?;
                let known = self.people.teams().into_iter().find(|team| team.id == id);
                return known.as_ref().map(team_view).ok_or(ApplicationError::Internal);
            }
        };
        let _changing = self.people.changing.lock().await;
        let team = form::new_team(&name, &self.people.teams()).map_err(ApplicationError::Invalid)?;
        let mut batch = Batch::new();
        first.note(&self.core, &mut batch, team.id.0.as_bytes());
        self.people.put_team_with(team.clone(), batch, event).await.map_err(internal)?;
        Ok(team_view(&team))
    }

    async fn hand_over_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: Option<String>,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.allowed_case(actor, Act::WorkOnCases, CaseAct::Change, case_id(id)).await?;
        self.take(actor, id, Step::Offer(to), idempotency).await
    }

    async fn accept_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        if let Some(case) = self.already_mine(actor, id) {
            return Ok(self.signal_view(&case));
        }
        let (viewer, _) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::TakeOver, case_id(id)).await?;
        // Nothing is ever offered to a system.
        let Viewer::Person(me) = viewer else { return Err(ApplicationError::Forbidden) };
        self.take(actor, id, Step::Accept(me), idempotency).await
    }

    async fn decline_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<DeclinedView> {
        if self.already_declined(actor, id) {
            return Ok(DeclinedView { id: id.to_owned() });
        }
        let (viewer, _) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::TakeOver, case_id(id)).await?;
        // Nothing is ever offered to a system.
        let Viewer::Person(me) = viewer else { return Err(ApplicationError::Forbidden) };
        let declined = self.take(actor, id, Step::Decline(me.id), idempotency).await?;
        Ok(DeclinedView { id: declined.id })
    }

    async fn assign_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: String,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.allowed_case(actor, Act::AssignCases, CaseAct::Assign, case_id(id)).await?;
        self.take(actor, id, Step::Assign(to), idempotency).await
    }

    async fn erase_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ErasedView> {
        self.allowed(actor, Act::Erase).await?;
        let event = self.event(actor, Kind::CaseChanged, 1);
        let case = self.logged(actor, case_id(id).ok_or(ApplicationError::NotFound)).await?;
        let erased = erasure::erase(&self.core, &self.partner, case, idempotency, event).await;
        self.logged(actor, erased).await?;
        Ok(ErasedView { id: id.to_owned() })
    }

    async fn access_request(&self, actor: &Actor, person: NewPerson) -> Outcome<HeldView> {
        self.allowed(actor, Act::AccessRequest).await?;
        let held = self.held(&person)?;
        self.log(actor, Kind::AccessRequest, held.signals.len()).await?;
        Ok(held)
    }
}

impl Node {
    /// The case, where it is the actor's own already: taking over twice is taking over once.
    fn already_mine(&self, actor: &Actor, id: &str) -> Option<Case> {
        let Ok(Viewer::Person(me)) = self.viewer(actor) else { return None };
        let case = self.partner.cases().get(&case_id(id)?).cloned()?;
        let owner = access::owner(&case.ownership(), &*self.people)?;
        (owner.id == me.id).then_some(case)
    }

    /// Whether the actor declined it already: declining twice is declining once.
    fn already_declined(&self, actor: &Actor, id: &str) -> bool {
        let Ok(Viewer::Person(me)) = self.viewer(actor) else { return false };
        let case = case_id(id).and_then(|id| self.partner.cases().get(&id).cloned());
        case.is_some_and(|case| case.declined_by == Some(me.id))
    }

    async fn take(
        &self,
        actor: &Actor,
        id: &str,
        step: Step,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        let event = self.event(actor, Kind::CaseChanged, 1);
        let id = case_id(id).ok_or(ApplicationError::NotFound)?;
        let parts = (&*self.core, &*self.partner, &*self.people);
        let case = hand_over::take(parts, id, step, idempotency, event).await?;
        Ok(self.signal_view(&case))
    }

    /// Checks a form against the people that there are.
    fn with_known<T>(
        &self,
        check: impl FnOnce(&Known<'_>) -> Result<T, Vec<crate::api::InvalidParam>>,
    ) -> Outcome<T> {
        let (accounts, teams) = (self.people.accounts(), self.people.teams());
        let functions = form::functions(&self.core.covenant, &self.core.me);
        check(&Known { functions, accounts: &accounts, teams: &teams }).map_err(ApplicationError::Invalid)
    }

    /// Somebody, as far as the viewer may see them.
    fn person_view(&self, viewer: &Viewer, account: &Account) -> PersonView {
        let may = |act| may_with_account(viewer, act, account);
        let away = account.absence.filter(|absence| absence.until >= self.local_today());
        PersonView {
            id: account.id.to_string(),
            name: account.name.clone(),
            function: account.function.as_ref().map(ToString::to_string),
            teams: account.teams.iter().map(ToString::to_string).collect(),
            active: account.active,
            away: may(AccountAct::Absence).then(|| AwayView {
                now: away.is_some_and(|absence| absence.covers(self.local_today())),
                from_date: away.map(|absence| absence.from.to_string()),
                until_date: away.map(|absence| absence.until.to_string()),
                substitute: away.and_then(|absence| absence.substitute).map(|id| id.to_string()),
            }),
            all: may(AccountAct::Contact).then(|| AllView {
                sign_in: match &account.sign_in {
                    SignInName::Local(name) => SignInView::Local(name.clone()),
                    SignInName::Provider(name) => SignInView::Provider(name.clone()),
                },
                email: account.email.clone(),
                phone: account.phone.clone(),
                roles: account.roles.iter().map(|role| role.as_str()).collect(),
                mail: mail_word(account.mail),
                created_at: moment(account.created),
            }),
        }
    }
}

fn team_view(team: &Team) -> TeamView {
    TeamView { id: team.id.to_string(), name: team.name.clone() }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal<E>(_: E) -> ApplicationError {
    ApplicationError::Internal
}

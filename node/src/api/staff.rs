//! What the API needs of the node behind it where the partner's own people are concerned.

use std::future::Future;

use super::access_requests::HeldView;
use super::auth::Actor;
use super::hand_over::{DeclinedView, ErasedView};
use super::people::{ActivationView, NewAbsence, PersonForm, PersonView, TeamView};
use super::{ApplicationError, Idempotency, NewPerson, SignalView};

/// The result of a request to the application.
type Outcome<T> = Result<T, ApplicationError>;

/// The node as the API sees it: people, and whose a signal is. As for [`super::Application`], what the actor may not see
/// is [`ApplicationError::NotFound`]; what they see and may not do is [`ApplicationError::Forbidden`].
pub trait Staff: Send + Sync + 'static {
    /// Everybody whom the actor may see, each with as much as they may see.
    fn people(&self, actor: &Actor) -> impl Future<Output = Outcome<Vec<PersonView>>> + Send;

    fn person(&self, actor: &Actor, id: &str) -> impl Future<Output = Outcome<PersonView>> + Send;

    fn add_person(
        &self,
        actor: &Actor,
        form: PersonForm,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<PersonView>> + Send;

    /// Changes what the form says and nothing else.
    fn change_person(
        &self,
        actor: &Actor,
        id: &str,
        form: PersonForm,
    ) -> impl Future<Output = Outcome<PersonView>> + Send;

    /// Says when somebody is away, or with none that they are back.
    fn set_absence(
        &self,
        actor: &Actor,
        id: &str,
        absence: Option<NewAbsence>,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<PersonView>> + Send;

    /// Draws a code by which somebody sets up a password and second factor.
    fn invite(&self, actor: &Actor, id: &str) -> impl Future<Output = Outcome<ActivationView>> + Send;

    fn teams(&self, actor: &Actor) -> impl Future<Output = Outcome<Vec<TeamView>>> + Send;

    fn add_team(
        &self,
        actor: &Actor,
        name: String,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<TeamView>> + Send;

    /// Offers a signal to a colleague, or with none takes the offer back.
    fn hand_over_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: Option<String>,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    /// Takes over a signal that was offered.
    fn accept_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    /// Declines a signal that was offered; it stays with its owner.
    fn decline_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<DeclinedView>> + Send;

    /// Gives a signal to somebody.
    fn assign_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: String,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    /// Withdraws a signal and destroys its case for good.
    fn erase_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<ErasedView>> + Send;

    /// What this partner holds and shared about a person, from local data only.
    fn access_request(
        &self,
        actor: &Actor,
        person: NewPerson,
    ) -> impl Future<Output = Outcome<HeldView>> + Send;
}

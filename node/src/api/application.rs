//! What the API needs of the node behind it.

use std::future::Future;

use futures::stream::BoxStream;
use kring_protocol::time::Timestamp;

use super::auth::{Actor, Scope, TokenHash, TokenRecord};
use super::{
    ApplicationError, AuditEntry, AuditProof, EventView, Idempotency, ImportReport, NetworkView, NewResponse,
    NewSignal, NoticeView, ProofView, ResponseView, SignalFilter, SignalView, Staff, Step,
};
use crate::texts::Language;

/// The result of a request to the application.
type Outcome<T> = Result<T, ApplicationError>;

/// The node as the API sees it. Every method gets the actor, for the audit log, and checks that they may: the API itself
/// has looked at a token's scopes only.
///
/// Ids are opaque texts that the application chose at random; an unknown one, and one of what the actor may not see, is
/// [`ApplicationError::NotFound`].
pub trait Application: Staff {
    /// The clock by which tokens expire.
    fn now(&self) -> Timestamp;

    /// The token with this hash, expired or not.
    fn token(&self, hash: &TokenHash) -> impl Future<Output = Option<TokenRecord>> + Send;

    /// A valid token was used for what it does not allow. To be logged.
    fn access_refused(&self, actor: &Actor, needed: Scope) -> impl Future<Output = ()> + Send;

    /// Takes in a signal; returns once it is durable. The same idempotency key with the same body gives the first
    /// signal again; with another body it is [`ApplicationError::IdempotencyKeyReused`].
    fn add_signal(
        &self,
        actor: &Actor,
        signal: NewSignal,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    fn signals(
        &self,
        actor: &Actor,
        filter: SignalFilter,
    ) -> impl Future<Output = Outcome<Vec<SignalView>>> + Send;

    fn signal(&self, actor: &Actor, id: &str) -> impl Future<Output = Outcome<SignalView>> + Send;

    fn renew_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    fn withdraw_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<SignalView>> + Send;

    fn notices(
        &self,
        actor: &Actor,
        language: Language,
    ) -> impl Future<Output = Outcome<Vec<NoticeView>>> + Send;

    fn notice(
        &self,
        actor: &Actor,
        id: &str,
        language: Language,
    ) -> impl Future<Output = Outcome<NoticeView>> + Send;

    /// Takes in an answer to one match of a notice; returns once it is durable. Idempotency as for a signal. That a match
    /// is not right, said again, changes nothing, also when the notice has gone since.
    fn respond(
        &self,
        actor: &Actor,
        notice: &str,
        response: NewResponse,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<ResponseView>> + Send;

    /// Takes another step of the coordination and gives the notice as it is then; idempotency as for a signal. What the
    /// state of things does not allow is [`ApplicationError::Conflict`].
    fn step(
        &self,
        actor: &Actor,
        notice: &str,
        step: Step,
        idempotency: Option<Idempotency>,
        language: Language,
    ) -> impl Future<Output = Outcome<NoticeView>> + Send;

    /// What happens, as it happens; before it what happened after the event with this number, as far as it is kept. The
    /// stream ends when the node stops.
    fn events(
        &self,
        actor: &Actor,
        after: Option<u64>,
    ) -> impl Future<Output = Outcome<BoxStream<'static, EventView>>> + Send;

    fn network(&self, actor: &Actor) -> impl Future<Output = Outcome<NetworkView>> + Send;

    /// The covenant in force, readable.
    fn covenant(&self, actor: &Actor) -> impl Future<Output = Outcome<serde_json::Value>> + Send;

    /// Takes in a caseload in one commit, or with `dry_run` only reports what would happen; idempotency
    /// as for a signal, where something is taken in.
    fn import(
        &self,
        actor: &Actor,
        csv: Vec<u8>,
        dry_run: bool,
        idempotency: Option<Idempotency>,
    ) -> impl Future<Output = Outcome<ImportReport>> + Send;

    /// The newest checkpoint with its cosignatures, as a C2SP signed note.
    fn audit_checkpoint(&self, actor: &Actor) -> impl Future<Output = Outcome<String>> + Send;

    /// At most `limit` entries from index `first` on; none beyond the log's end.
    fn audit_entries(
        &self,
        actor: &Actor,
        first: u64,
        limit: u32,
    ) -> impl Future<Output = Outcome<Vec<AuditEntry>>> + Send;

    fn audit_proof(
        &self,
        actor: &Actor,
        wanted: AuditProof,
    ) -> impl Future<Output = Outcome<ProofView>> + Send;

    /// Whether the node can do its work, or what is missing.
    fn ready(&self) -> impl Future<Output = Result<(), Vec<String>>> + Send;

    /// All metrics as OpenMetrics text, ending in `# EOF`.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

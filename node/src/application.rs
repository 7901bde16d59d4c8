//! The node as its API sees it: requests of people and systems turned into what the partner's side does, and back.
//!
//! Not here: the form of requests ([`crate::api`]); the work itself ([`crate::signals`], [`crate::partner`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::stream::BoxStream;
use kring_protocol::codec;
use kring_protocol::covenant::Tempo as CovenantTempo;
use kring_protocol::id::Reference;
use kring_protocol::log::entry::Kind;
use kring_protocol::time::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use crate::api::auth::TokenHash;
use crate::api::{
    Actor, Application, ApplicationError, AuditEntry, AuditProof, BoardRead, EventView, Idempotency,
    ImportReport, InvalidParam, KeyView, NetworkView, NewResponse, NewSignal, NoticeView, PartnerView,
    ProofView, ResponseView, Scope, SignalFilter, SignalState, SignalView, Step, SubmissionsWaiting, Tempo,
    TokenRecord, WaitingView, operations,
};
use crate::audit::Event;
use crate::boards::Boards;
use crate::cases::{Case, CaseId};
use crate::ceremony::Ceremonies;
use crate::core::Core;
use crate::keys::Keyring;
use crate::matcher::Matcher;
use crate::outgoing::Outgoing;
use crate::outgoing::metrics::OutgoingCollector;
use crate::partner::Partner;
use crate::people::{Account, Act, CaseAct, Ownership, People, Viewer, access, form};
use crate::responses::{self, Asked};
use crate::sign_in::SignIn;
use crate::signals::{self, Maker};
use crate::store::Batch;
use crate::texts::Language;

mod permit;
mod staff;
#[cfg(test)]
mod tests;

/// What the API works on.
#[derive(Debug)]
pub struct Node {
    /// Shared by all roles.
    pub core: Arc<Core>,
    /// Keys in use.
    pub keyring: Arc<Keyring>,
    /// Keys being made.
    pub ceremonies: Arc<Ceremonies>,
    /// The partner's own side.
    pub partner: Arc<Partner>,
    /// The boards.
    pub boards: Arc<Boards>,
    /// The matcher's role, where this node has it.
    pub matcher: Option<Arc<Matcher>>,
    /// The partner's people.
    pub people: Arc<People>,
    /// Who sits at a browser.
    pub sign_in: Arc<SignIn>,
    /// What leaves the node to the partner's people and systems.
    pub outgoing: Arc<Outgoing>,
    /// Tokens that the API accepts.
    pub tokens: BTreeMap<TokenHash, TokenRecord>,
}

type Outcome<T> = Result<T, ApplicationError>;

impl Node {
    /// Logs an act of a person or system, before its result is given.
    async fn log(&self, actor: &Actor, kind: Kind, count: usize) -> Outcome<()> {
        let event = self.event(actor, kind, count);
        self.core.commit(Batch::new(), vec![event]).await.map_err(|_| ApplicationError::Internal)
    }

    pub(crate) fn event(&self, actor: &Actor, kind: Kind, count: usize) -> Event {
        let name = match actor {
            Actor::Token(id) => id.clone(),
            Actor::Person(id) => id.to_string(),
        };
        Event {
            actor: Some(self.core.audit.actor(name.as_bytes())),
            ..self.core.event(kind, None, count as u64)
        }
    }

    /// Whose a new signal is: of whoever makes it, or of the professional whom a system names.
    fn owner_of_new(&self, viewer: &Viewer, named: Option<&str>) -> Result<Option<Account>, InvalidParam> {
        let found = named.map(|id| form::professional(id, &*self.people));
        match (viewer, found) {
            (Viewer::System, None) => Ok(None),
            (Viewer::System, Some(found)) => {
                let wrong = || InvalidParam::body("/owner", "is not the id of an active professional");
                found.map(Some).ok_or_else(wrong)
            }
            (Viewer::Person(me), None) => Ok(Some(me.clone())),
            (Viewer::Person(me), Some(found)) if found.as_ref().is_some_and(|found| found.id == me.id) => {
                Ok(found)
            }
            (Viewer::Person(_), Some(_)) => {
                Err(InvalidParam::body("/owner", "may only be yourself; hand the signal over afterwards"))
            }
        }
    }

    fn asked<'a>(&self, actor: &Actor, notice: &'a str, idempotency: Option<Idempotency>) -> Asked<'a> {
        let event = self.event(actor, Kind::Coordination, 1);
        Asked { notice, case: self.case_of_notice(notice), idempotency, event }
    }

    pub(crate) fn signal_view(&self, case: &Case) -> SignalView {
        let state = if case.withdrawn.is_some() {
            SignalState::Withdrawn
        } else if case.is_live(self.core.today()) {
            SignalState::Active
        } else {
            SignalState::Expired
        };
        SignalView {
            id: case.id.0.to_string(),
            case_reference: case.case_reference.clone(),
            purpose: case.purpose.to_string(),
            state,
            persons: case.persons.len(),
            created_at: moment(case.created),
            expires_at: moment(case.expiry.plus(1).start()),
            quiet_until: (case.min > 2).then_some(case.min.into()),
            owner: access::owner(&case.ownership(), &*self.people).map(|owner| owner.id.to_string()),
            team: case.team.map(|team| team.to_string()),
            offered_to: case.offered_to.map(|account| account.to_string()),
            declined_by: case.declined_by.map(|account| account.to_string()),
        }
    }

    fn waiting(&self) -> WaitingView {
        let waiting = |(matcher, work): (&kring_protocol::id::MemberId, &crate::work::Work<_>)| {
            SubmissionsWaiting { matcher: matcher.to_string(), count: work.count() }
        };
        let board = |(matcher, board): (&kring_protocol::id::MemberId, &crate::boards::Board)| BoardRead {
            matcher: matcher.to_string(),
            size: board.known_size(),
            read: board.size(),
        };
        // In the order of the work, so that nothing slips from one count into another that was taken before.
        let evaluations = self.partner.evaluations.count();
        let submissions = self.partner.submissions.iter().map(waiting).collect();
        let appends = self.matcher.as_ref().map_or(0, |matcher| matcher.appends_waiting());
        WaitingView { evaluations, submissions, appends, boards: self.boards.iter().map(board).collect() }
    }

    fn key_views(&self) -> Vec<KeyView> {
        let covenant = &self.core.covenant;
        let mut views = Vec::new();
        for epoch in covenant.epochs_on(self.core.today()) {
            let state = if self.keyring.get(epoch).is_some() { "active" } else { "ceremony" };
            let ends_at = Some(moment(covenant.epochs.end(epoch).start()));
            for purpose in &covenant.purposes {
                views.extend(covenant.matchers.iter().map(|matcher| KeyView {
                    purpose: purpose.id.to_string(),
                    matcher: matcher.to_string(),
                    epoch: epoch.0,
                    state: state.to_owned(),
                    ends_at: ends_at.clone(),
                }));
            }
        }
        views
    }

    fn partner_views(&self) -> Vec<PartnerView> {
        let covenant = &self.core.covenant;
        let view = |(member, reachable)| {
            let card = covenant.member(&member)?;
            let mut roles = vec!["relay".to_owned()];
            if covenant.key_holders.contains(&member) {
                roles.push("keyHolder".to_owned());
            }
            if covenant.matchers.contains(&member) {
                roles.push("matcher".to_owned());
            }
            Some(PartnerView { id: member.to_string(), name: card.name.clone(), reachable, roles })
        };
        self.core.network.reachable().into_iter().filter_map(view).collect()
    }
}

impl Application for Node {
    fn now(&self) -> Timestamp {
        self.core.now()
    }

    async fn token(&self, hash: &TokenHash) -> Option<TokenRecord> {
        self.tokens.get(hash).cloned()
    }

    async fn access_refused(&self, actor: &Actor, _needed: Scope) {
        // A failing disk stops the node; the refusal stands either way.
        let _ = self.log(actor, Kind::AccessRefused, 1).await;
    }

    async fn add_signal(
        &self,
        actor: &Actor,
        signal: NewSignal,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        let viewer = self.allowed(actor, Act::MakeSignal).await?;
        let event = self.event(actor, Kind::CaseChanged, 1);
        let maker = Maker {
            owner: self.owner_of_new(&viewer, signal.owner.as_deref()),
            names_owner: signal.owner.is_some(),
            may_change: |of: &Ownership| self.may(&viewer, CaseAct::Change, of),
        };
        let case = signals::add(&self.core, &self.partner, signal, maker, idempotency, event).await?;
        // A request done before may be about what is not theirs any more.
        let mine = self.may(&viewer, CaseAct::See, &case.ownership());
        if mine { Ok(self.signal_view(&case)) } else { Err(ApplicationError::NotFound) }
    }

    async fn signals(&self, actor: &Actor, filter: SignalFilter) -> Outcome<Vec<SignalView>> {
        let act = match filter {
            SignalFilter::All => Act::WorkOnCases,
            SignalFilter::WithoutOwner => Act::SignalsWithoutOwner,
        };
        let viewer = self.allowed(actor, act).await?;
        let wanted = |of: &Ownership| {
            let listed = filter == SignalFilter::All || access::owner(of, &*self.people).is_none();
            listed && self.may(&viewer, CaseAct::See, of)
        };
        let views: Vec<_> = {
            let cases = self.partner.cases();
            cases.iter().filter(|case| wanted(&case.ownership())).map(|case| self.signal_view(case)).collect()
        };
        self.log(actor, Kind::CaseRead, views.len()).await?;
        Ok(views)
    }

    async fn signal(&self, actor: &Actor, id: &str) -> Outcome<SignalView> {
        let (_, case) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::See, case_id(id)).await?;
        self.log(actor, Kind::CaseRead, 1).await?;
        Ok(self.signal_view(&case))
    }

    async fn renew_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        let (_, case) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::Change, case_id(id)).await?;
        let event = self.event(actor, Kind::CaseChanged, 1);
        let case = signals::renew(&self.core, &self.partner, case.id, idempotency, event).await?;
        Ok(self.signal_view(&case))
    }

    async fn withdraw_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        let (_, case) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::Change, case_id(id)).await?;
        let event = self.event(actor, Kind::CaseChanged, 1);
        let case = signals::withdraw(&self.core, &self.partner, case.id, idempotency, event).await?;
        Ok(self.signal_view(&case))
    }

    async fn notices(&self, actor: &Actor, language: Language) -> Outcome<Vec<NoticeView>> {
        let viewer = self.allowed(actor, Act::WorkOnCases).await?;
        let views = self.notice_views(language, |of| self.may(&viewer, CaseAct::See, of));
        self.log(actor, Kind::CaseRead, views.len()).await?;
        Ok(views)
    }

    async fn notice(&self, actor: &Actor, id: &str, language: Language) -> Outcome<NoticeView> {
        let case = self.case_of_notice(id);
        let (viewer, case) = self.allowed_case(actor, Act::WorkOnCases, CaseAct::See, case).await?;
        let view = self.notice_view(case.id, language).ok_or(ApplicationError::NotFound)?;
        let event = self.event(actor, Kind::CaseRead, 1);
        if access::works_on(&viewer, &case.ownership(), &*self.people, self.local_today()) {
            responses::look(&self.core, &self.partner, case.id, event).await?;
        } else {
            // Who looks on need not be reminded; who works on it still must.
            self.log(actor, Kind::CaseRead, 1).await?;
        }
        Ok(view)
    }

    async fn respond(
        &self,
        actor: &Actor,
        notice: &str,
        response: NewResponse,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ResponseView> {
        let asked = self.asked(actor, notice, idempotency);
        self.allowed_case(actor, Act::WorkOnCases, CaseAct::Change, asked.case).await?;
        responses::respond(&self.core, &self.partner, asked, response).await
    }

    async fn step(
        &self,
        actor: &Actor,
        notice: &str,
        step: Step,
        idempotency: Option<Idempotency>,
        language: Language,
    ) -> Outcome<NoticeView> {
        let asked = self.asked(actor, notice, idempotency);
        let case = asked.case;
        self.allowed_case(actor, Act::WorkOnCases, CaseAct::Change, case).await?;
        responses::step(&self.core, &self.partner, asked, step).await?;
        case.and_then(|case| self.notice_view(case, language)).ok_or(ApplicationError::NotFound)
    }

    async fn events(&self, actor: &Actor, after: Option<u64>) -> Outcome<BoxStream<'static, EventView>> {
        self.allowed(actor, Act::WorkOnCases).await?;
        self.log(actor, Kind::CaseRead, 0).await?;
        let person = match actor {
            Actor::Token(_) => None,
            Actor::Person(id) => Some(*id),
        };
        let feed = self.outgoing.feed(person, Arc::clone(&self.people), after);
        feed.map_err(|error| ApplicationError::Unavailable(error.to_string()))
    }

    async fn network(&self, actor: &Actor) -> Outcome<NetworkView> {
        self.allowed(actor, Act::ReadNetwork).await?;
        let covenant = &self.core.covenant;
        let card = covenant.member(&self.core.me).ok_or(ApplicationError::Internal)?;
        let immediate = covenant.tempo == CovenantTempo::Immediate;
        Ok(NetworkView {
            member: card.id.to_string(),
            name: card.name.clone(),
            covenant_version: covenant.version.into(),
            covenant_hash: covenant.hash().to_string(),
            tempo: if immediate { Tempo::Immediate } else { Tempo::Production },
            development_mode: immediate,
            keys: self.key_views(),
            partners: self.partner_views(),
            waiting: self.waiting(),
        })
    }

    async fn covenant(&self, actor: &Actor) -> Outcome<Value> {
        self.allowed(actor, Act::ReadCovenant).await?;
        serde_json::to_value(&**self.core.covenant).map_err(|_| ApplicationError::Internal)
    }

    async fn import(
        &self,
        actor: &Actor,
        csv: Vec<u8>,
        dry_run: bool,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ImportReport> {
        self.allowed(actor, Act::Import).await?;
        let event = self.event(actor, Kind::CaseChanged, 0);
        signals::import(&self.core, &self.partner, &csv, dry_run, idempotency, event).await
    }

    async fn audit_checkpoint(&self, actor: &Actor) -> Outcome<String> {
        self.allowed(actor, Act::ReadAudit).await?;
        self.log(actor, Kind::Export, 1).await?;
        let note = self.core.audit.checkpoint().await.map_err(|_| ApplicationError::Internal)?;
        Ok(note.to_string())
    }

    async fn audit_entries(&self, actor: &Actor, first: u64, limit: u32) -> Outcome<Vec<AuditEntry>> {
        self.allowed(actor, Act::ReadAudit).await?;
        self.log(actor, Kind::Export, 1).await?;
        let to = first.saturating_add(limit.into());
        let records = self.core.audit.records(first, to).map_err(|_| ApplicationError::Internal)?;
        let view = |(index, local): (u64, crate::audit::LocalRecord)| AuditEntry {
            index,
            leaf: BASE64_STANDARD.encode(codec::encode(&local.record)),
            entry: json!({
                "time": moment(local.record.entry.time.start()),
                "kind": local.record.entry.kind,
                "actor": local.record.entry.actor.map(|actor| actor.to_string()),
                "object": local.record.entry.object.map(|object| object.to_string()),
                "count": local.record.entry.count,
                "outcome": local.record.entry.outcome,
            }),
        };
        Ok((first..).zip(records).map(view).collect())
    }

    async fn audit_proof(&self, actor: &Actor, wanted: AuditProof) -> Outcome<ProofView> {
        self.allowed(actor, Act::ReadAudit).await?;
        self.log(actor, Kind::Export, 1).await?;
        let proof = match wanted {
            AuditProof::Inclusion { index, size } => self.core.audit.inclusion_proof(index, size),
            AuditProof::Consistency { old_size, size } => self.core.audit.consistency_proof(old_size, size),
        };
        let hashes = proof.ok_or(ApplicationError::NotFound)?;
        Ok(ProofView { hashes: hashes.iter().map(|hash| BASE64_STANDARD.encode(hash.as_bytes())).collect() })
    }

    async fn ready(&self) -> Result<(), Vec<String>> {
        match self.ceremonies.missing() {
            None => Ok(()),
            Some(missing) => Err(vec![missing]),
        }
    }

    async fn metrics(&self) -> String {
        let mut registry = Registry::default();
        let live = match &self.matcher {
            Some(matcher) => matcher.live().await,
            None => 0,
        };
        let waiting = self.waiting();
        let counters = self.core.store.counters();
        let [canaries, met, withheld, revived] = self.partner.canaries().counts();
        let gauges: [(&str, &str, u64); 14] = [
            ("kring_signals", "Cases with a signal", self.partner.cases().iter().count() as u64),
            ("kring_submissions", "Submissions of this member", self.partner.leaves().len() as u64),
            ("kring_matches", "Matches, live and ended", self.partner.matches().iter().count() as u64),
            (
                "kring_conversations",
                "Pairs of mailboxes over which others may speak",
                self.partner.conversations().len() as u64,
            ),
            ("kring_meeting_submissions", "Live submissions at this matcher", live as u64),
            ("kring_waiting_evaluations", "Match keys to be evaluated", waiting.evaluations as u64),
            (
                "kring_waiting_submissions",
                "Submissions to be sent",
                waiting.submissions.iter().map(|waiting| waiting.count as u64).sum(),
            ),
            ("kring_waiting_appends", "Posts to be appended", waiting.appends as u64),
            ("kring_canaries", "Canaries that are left or to be left", canaries),
            ("kring_canaries_met", "Canaries that were introduced, since start", met),
            ("kring_canaries_withheld", "Canaries that were not introduced in time, since start", withheld),
            ("kring_canaries_revived", "Canaries introduced after their withdrawal, since start", revived),
            ("kring_store_commits", "Commits since start", counters.commits),
            ("kring_store_syncs", "Syncs of the store since start", counters.syncs),
        ];
        for (name, help, value) in gauges {
            let gauge = Gauge::<i64>::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        }
        registry.register_collector(Box::new(operations::NetworkCollector(Arc::clone(
            self.core.network.metrics(),
        ))));
        registry.register_collector(Box::new(OutgoingCollector(Arc::clone(self.outgoing.meters()))));
        operations::encode(&registry)
    }
}

fn case_id(id: &str) -> Option<CaseId> {
    let bytes = hex::decode(id).ok().and_then(|bytes| Reference::try_from(bytes.as_slice()).ok());
    bytes.map(CaseId)
}

/// RFC 3339, UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    let second = i64::try_from(time.secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX).to_string()
}

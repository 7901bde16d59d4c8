//! A node for tests: everything in memory, nothing checked that is not the API's to rely on.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures::StreamExt;
use futures::stream::BoxStream;
use kring_protocol::coordination::Outcome as Came;
use kring_protocol::time::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::auth::{Token, TokenHash};
use super::*;
use crate::texts::Language;

type Outcome<T> = Result<T, ApplicationError>;

pub(super) const NOW: u64 = 1_800_000_000;

#[derive(Default)]
pub(super) struct Fake {
    pub(super) tokens: Mutex<HashMap<TokenHash, TokenRecord>>,
    pub(super) signals: Mutex<Vec<(NewSignal, SignalView)>>,
    pub(super) keys: Mutex<HashMap<String, ([u8; 32], SignalView)>>,
    pub(super) refused: Mutex<Vec<(Actor, Scope)>>,
    pub(super) imported: Mutex<Vec<(usize, bool)>>,
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) missing: Mutex<Vec<String>>,
    /// Marks on requests other than new signals.
    pub(super) marks: Mutex<Vec<Idempotency>>,
    /// While somebody holds it no signal is taken in.
    pub(super) held: tokio::sync::Mutex<()>,
    /// What the next signal is answered with.
    pub(super) error: Mutex<Option<ApplicationError>>,
}

impl Fake {
    /// A token with these scopes that lasts until `expires`.
    pub(super) fn token_until(&self, scopes: &[Scope], expires: u64) -> String {
        self.token("test", scopes, expires)
    }

    /// A token with another name.
    pub(super) fn token_of(&self, name: &str, scopes: &[Scope]) -> String {
        self.token(name, scopes, NOW + 1)
    }

    fn token(&self, name: &str, scopes: &[Scope], expires: u64) -> String {
        let token = Token::random(&mut rand::thread_rng());
        let record = TokenRecord {
            id: name.into(),
            hash: token.hash(),
            scopes: scopes.iter().copied().collect(),
            expires: Timestamp::from_secs(expires),
            person: None,
        };
        self.tokens.lock().unwrap().insert(token.hash(), record);
        token.expose().to_owned()
    }

    pub(super) fn noted(&self, idempotency: Option<Idempotency>) {
        self.marks.lock().unwrap().extend(idempotency);
    }

    pub(super) fn token_for(&self, scopes: &[Scope]) -> String {
        self.token_until(scopes, NOW + 1)
    }
}

pub(super) fn view(id: &str, case: &str) -> SignalView {
    SignalView {
        id: id.into(),
        case_reference: case.into(),
        purpose: "care".into(),
        state: SignalState::Active,
        persons: 1,
        created_at: "2026-11-21T20:00:00Z".into(),
        expires_at: "2027-11-21T20:00:00Z".into(),
        quiet_until: None,
        owner: None,
        team: None,
        offered_to: None,
        declined_by: None,
    }
}

impl Application for Fake {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(NOW)
    }

    async fn token(&self, hash: &TokenHash) -> Option<TokenRecord> {
        self.tokens.lock().unwrap().get(hash).cloned()
    }

    async fn access_refused(&self, actor: &Actor, needed: Scope) {
        self.refused.lock().unwrap().push((actor.clone(), needed));
    }

    async fn add_signal(
        &self,
        _: &Actor,
        signal: NewSignal,
        key: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        drop(self.held.lock().await);
        if let Some(error) = self.error.lock().unwrap().take() {
            return Err(error);
        }
        let mut signals = self.signals.lock().unwrap();
        let added = view(&format!("s{}", signals.len()), &signal.case_reference);
        if let Some(Idempotency { key, body_hash }) = key {
            let mut keys = self.keys.lock().unwrap();
            if let Some((hash, first)) = keys.get(&key) {
                let same = *hash == body_hash;
                return if same { Ok(first.clone()) } else { Err(ApplicationError::IdempotencyKeyReused) };
            }
            keys.insert(key, (body_hash, added.clone()));
        }
        signals.push((signal, added.clone()));
        Ok(added)
    }

    async fn signals(&self, _: &Actor, _: SignalFilter) -> Outcome<Vec<SignalView>> {
        Ok(self.signals.lock().unwrap().iter().map(|(_, view)| view.clone()).collect())
    }

    async fn signal(&self, _: &Actor, id: &str) -> Outcome<SignalView> {
        let signals = self.signals.lock().unwrap();
        signals
            .iter()
            .find(|(_, view)| view.id == id)
            .map(|(_, view)| view.clone())
            .ok_or(ApplicationError::NotFound)
    }

    async fn renew_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.noted(idempotency);
        self.signal(actor, id).await
    }

    async fn withdraw_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.noted(idempotency);
        let state = SignalState::Withdrawn;
        Ok(SignalView { state, ..self.signal(actor, id).await? })
    }

    async fn notices(&self, actor: &Actor, language: Language) -> Outcome<Vec<NoticeView>> {
        Ok(vec![self.notice(actor, "n0", language).await?])
    }

    async fn respond(
        &self,
        _: &Actor,
        notice: &str,
        response: NewResponse,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ResponseView> {
        (notice == "n0").then_some(()).ok_or(ApplicationError::NotFound)?;
        let NewResponse { match_id, says, contact } = response;
        let key = idempotency.as_ref().map_or_else(String::new, |idempotency| idempotency.key.clone());
        self.noted(idempotency);
        let with = if contact.is_some() { " with contact" } else { "" };
        self.asked.lock().unwrap().push(format!("{match_id} {says:?} {key}{with}"));
        Ok(ResponseView { match_id, says })
    }

    async fn step(
        &self,
        actor: &Actor,
        notice: &str,
        step: Step,
        idempotency: Option<Idempotency>,
        language: Language,
    ) -> Outcome<NoticeView> {
        let view = self.notice(actor, notice, language).await?;
        let key = idempotency.as_ref().map_or_else(String::new, |idempotency| idempotency.key.clone());
        self.noted(idempotency);
        self.asked.lock().unwrap().push(format!("{step:?} {key}"));
        Ok(view)
    }

    async fn notice(&self, _: &Actor, id: &str, language: Language) -> Outcome<NoticeView> {
        let card = CardView {
            name: "A. Bakker".into(),
            function: "teacher".into(),
            phone: "+31101234567".into(),
            email: "a@school.example".into(),
        };
        let claim = |claim: &str, who, partner: Option<&str>| ClaimView {
            claim: claim.into(),
            who,
            partner: partner.map(Into::into),
            match_ids: vec!["m1".into()],
            confirmed: who == Whose::Partner,
        };
        let matched = |id: &str, partner: Option<&str>| MatchView {
            match_id: id.into(),
            partner: partner.map(Into::into),
            basis: vec!["bsn".into()],
            basis_text: language.tag().into(),
            state: NoticeState::InContact,
            response: Some(Says::Coordinate),
            their_response: partner.map(|_| Says::AlreadyTogether),
            contact_date: partner.map(|_| "2026-11-20".into()),
            card: partner.map(|_| card.clone()),
            outcome: MaybeOutcome(None),
            their_outcome: MaybeOutcome(partner.map(|_| Came::NoFollowUp)),
            offers_lead: false,
            their_choice: partner.map(|_| "c1".into()),
        };
        (id == "n0").then_some(()).ok_or(ApplicationError::NotFound)?;
        Ok(NoticeView {
            id: id.into(),
            case_reference: "case-1".into(),
            state: NoticeState::InContact,
            other_partners: 2,
            deadline_date: Some("2026-11-30".into()),
            muted: false,
            matches: vec![matched("m1", Some("school")), matched("m2", None)],
            lead: vec![claim("c1", Whose::Partner, Some("school")), claim("c2", Whose::Through, None)],
            alerts: vec![AlertView {
                at: "2026-11-21T20:00:00Z".into(),
                kind: "responded",
                match_id: Some("m1".into()),
                text: language.tag().into(),
            }],
        })
    }

    async fn network(&self, _: &Actor) -> Outcome<NetworkView> {
        Ok(NetworkView {
            member: "a".into(),
            name: "Wijkteam Noord".into(),
            covenant_version: 1,
            covenant_hash: "00".into(),
            tempo: Tempo::Immediate,
            development_mode: true,
            keys: vec![KeyView {
                purpose: "care".into(),
                matcher: "c".into(),
                epoch: 1,
                state: "active".into(),
                ends_at: None,
            }],
            partners: vec![PartnerView {
                id: "b".into(),
                name: "School".into(),
                reachable: true,
                roles: vec!["relay".into()],
            }],
            waiting: WaitingView {
                evaluations: 3,
                submissions: vec![SubmissionsWaiting { matcher: "c".into(), count: 4 }],
                appends: 1,
                boards: vec![BoardRead { matcher: "c".into(), size: 9, read: 8 }],
            },
        })
    }

    async fn events(&self, _: &Actor, after: Option<u64>) -> Outcome<BoxStream<'static, EventView>> {
        let first = after.unwrap_or(6) + 1;
        let view = |number| EventView { number, kind: "involved", json: r#"{"id":"x"}"#.into() };
        Ok(futures::stream::iter([first, first + 1].map(view)).boxed())
    }

    async fn covenant(&self, _: &Actor) -> Outcome<Value> {
        Ok(json!({"version": 1}))
    }

    async fn import(
        &self,
        _: &Actor,
        csv: Vec<u8>,
        dry_run: bool,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ImportReport> {
        self.noted(idempotency);
        self.imported.lock().unwrap().push((csv.len(), dry_run));
        let lines_left_out =
            vec![LineReason { line: 3, reason: "the birth date is not a date".into(), problems: Vec::new() }];
        let warnings = vec![LineReason {
            line: 4,
            reason: "given_names has only initials".into(),
            problems: Vec::new(),
        }];
        Ok(ImportReport { dry_run, cases: 2, persons: 5, unchanged: 1, lines_left_out, warnings })
    }

    async fn audit_checkpoint(&self, _: &Actor) -> Outcome<String> {
        Ok("kring.example/a\n0\n".into())
    }

    async fn audit_entries(&self, _: &Actor, first: u64, limit: u32) -> Outcome<Vec<AuditEntry>> {
        self.asked.lock().unwrap().push(format!("{limit} from {first}"));
        Ok(vec![AuditEntry { index: first, leaf: "AA==".into(), entry: json!({"kind": "signIn"}) }])
    }

    async fn audit_proof(&self, _: &Actor, wanted: AuditProof) -> Outcome<ProofView> {
        self.asked.lock().unwrap().push(format!("{wanted:?}"));
        Ok(ProofView { hashes: vec!["AA==".into()] })
    }

    async fn ready(&self) -> Result<(), Vec<String>> {
        let missing = self.missing.lock().unwrap().clone();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    async fn metrics(&self) -> String {
        "# EOF\n".into()
    }
}

mod staff;

/// A response, read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a problem, its form checked.
    #[track_caller]
    pub(super) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        assert_eq!(body["instance"], format!("urn:kring:request:{}", self.header("x-request-id")));
        body
    }

    /// The pointers or names of all errors of a 400.
    #[track_caller]
    pub(super) fn invalid(&self) -> Vec<String> {
        let body = self.problem(400);
        let errors = body["errors"].as_array().expect("a 400 lists its errors");
        let name = |error: &Value| {
            let name = error.get("pointer").or(error.get("name")).expect("an error says where it is");
            assert!(error["detail"].is_string() && error["in"].is_string(), "{error}");
            name.as_str().unwrap().to_owned()
        };
        errors.iter().map(name).collect()
    }
}

pub(super) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

//! A node with people of every role, and cases of every relation to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use kring_protocol::codec::encode;
use kring_protocol::coordination::{Action, Response};
use kring_protocol::covenant::{
    Annex, Budget, Covenant, Disclosure, EpochTerms, Kind as PartnerKind, MemberSignature, Purpose,
    SignedCovenant, Tempo,
};
use kring_protocol::id::{MemberId, Reference};
use kring_protocol::identifier::{Person, RawPerson};
use kring_protocol::matching::{Match, MeetingPoint, match_id};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use rand::RngCore;
use rand::rngs::OsRng;
use serde_json::Value;
use tower::ServiceExt;

use super::rows::EVENTS;
use crate::api::auth::Token;
use crate::api::{BASE_PATH, Scope, router};
use crate::application::Node;
use crate::cases::{Case, CaseId};
use crate::clock::Clock;
use crate::config::Config;
use crate::coordination::{Change, Changed, Of};
use crate::core::Core;
use crate::founding::{self, Founder, Ports, file};
use crate::node::at_rest;
use crate::people::{Absence, Account, AccountId, MailWish, Role, SignInName, Team, TeamId};
use crate::store::Batch;
use crate::testing::TempDir;
use crate::vault::KeyName;

const MEMBERS: [&str; 3] = ["a", "b", "c"];

/// One who asks, with their token.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) name: String,
    pub(super) account: Option<AccountId>,
    token: Token,
}

/// The node and its people. Everybody who asks is in team one; team two is the others'.
pub(super) struct World {
    pub(super) node: Arc<Node>,
    pub(super) teams: [TeamId; 2],
    /// One for each role, in their order.
    pub(super) roles: Vec<Asker>,
    pub(super) system: Asker,
    /// Systems with tokens for all but some scopes, by what is left out.
    pub(super) without: Vec<(&'static str, Asker)>,
    /// A professional who has left.
    pub(super) left: Asker,
    /// Colleagues of team one and of team two.
    pub(super) colleagues: [AccountId; 2],
    dir: TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        let dir = TempDir::new();
        let mut tokens = String::from("version = 1\n");
        let mut asker = |name: &str, account: Option<AccountId>, scopes: &[Scope]| {
            let token = Token::random(&mut OsRng);
            let person = account.map(|id| format!("person = \"{id}\"\n")).unwrap_or_default();
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            tokens += &format!(
                "[[token]]\nname = {name:?}\nsha256 = \"{}\"\nscopes = {scopes:?}\nexpires = \"2999-01-01\"\n{person}",
                hex::encode(token.hash().as_bytes())
            );
            Asker { name: name.to_owned(), account, token }
        };
        let person = || Some(AccountId::random());
        let roles: Vec<_> = Role::ALL.iter().map(|role| asker(role.as_str(), person(), Scope::ALL)).collect();
        let system = asker("system", None, Scope::ALL);
        let left_out = Scope::ALL.iter().map(|scope| scope.as_str()).chain([EVENTS]);
        let without = left_out.map(|left_out| {
            let is_left = |scope: &Scope| left_out.split(' ').any(|one| one == scope.as_str());
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| !is_left(scope)).collect();
            (left_out, asker(&format!("without {left_out}"), None, &others))
        });
        let without = without.collect();
        let left = asker("left", person(), Scope::ALL);
        let config = found(dir.path());
        std::fs::write(&config.tokens_file, tokens).unwrap();
        let node = at_rest(&config).await.unwrap();
        let teams = [TeamId::random(), TeamId::random()];
        let colleagues = [AccountId::random(), AccountId::random()];
        let world = Self { node, teams, roles, system, without, left, colleagues, dir };
        world.fill().await;
        world
    }

    async fn fill(&self) {
        for (n, id) in self.teams.into_iter().enumerate() {
            let event = self.core().event(kring_protocol::log::entry::Kind::Configuration, None, 1);
            self.node.people.put_team(Team { id, name: format!("Team {n}") }, event).await.unwrap();
        }
        for (asker, role) in self.roles.iter().zip(Role::ALL) {
            self.put(account(asker.account.unwrap(), &[*role], &[self.teams[0]])).await;
        }
        let left = account(self.left.account.unwrap(), Role::ALL, &self.teams);
        self.put(Account { active: false, ..left }).await;
        for (id, team) in self.colleagues.into_iter().zip(self.teams) {
            self.put(account(id, &[Role::Professional], &[team])).await;
        }
        // Team two has a supervisor of its own.
        self.put(account(AccountId::random(), &[Role::Supervisor], &[self.teams[1]])).await;
    }

    pub(super) async fn put(&self, account: Account) {
        let event = self.core().event(kring_protocol::log::entry::Kind::Configuration, None, 1);
        self.node.people.put(account, event).await.unwrap();
    }

    /// A file of the node's.
    pub(super) fn data(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("a/data").join(name)
    }

    pub(super) fn core(&self) -> &Core {
        &self.node.core
    }

    /// A case that nobody owns, with a notice that has been answered.
    pub(super) async fn case(&self, change: impl FnOnce(&mut Case)) -> Case {
        let case = self.unanswered(change).await;
        let (partner, mut batch) = (&self.node.partner, Batch::new());
        let key = partner.matches().iter().find(|entry| entry.own == case.reference).unwrap().key();
        let mut answered = Change::new(partner);
        let of = Of::new(self.core(), &case).unwrap();
        answered.act(&of, &Action::Respond(key, Response::AlreadyTogether)).unwrap();
        let Changed { events, .. } = answered.finish(&mut batch).unwrap();
        self.core().commit(batch, events).await.unwrap();
        case
    }

    /// The same, with a notice that nobody has looked at.
    pub(super) async fn unanswered(&self, change: impl FnOnce(&mut Case)) -> Case {
        let core = self.core();
        let raw = RawPerson { bsn: "999990019".into(), role: "child".into(), ..RawPerson::default() };
        let mut case = Case {
            id: CaseId(random()),
            reference: random(),
            case_reference: random().to_string(),
            purpose: "jeugd".parse().unwrap(),
            persons: vec![Person::parse(&raw, core.today()).unwrap()],
            contact: None,
            family_informed: None,
            min: 2,
            created: core.now(),
            expiry: core.today().plus(100),
            withdrawn: None,
            request: None,
            owner: None,
            team: None,
            offered_to: None,
            declined_by: None,
        };
        change(&mut case);
        let (partner, mut batch) = (&self.node.partner, Batch::new());
        core.vault.prepare(&[KeyName::Case(case.id)], &mut batch).unwrap();
        partner.put_case(&mut batch, &case).unwrap();
        partner.cases().put(case.clone(), core.today());
        let entry = met(&case, core);
        let key = entry.key();
        partner.matches().restore(entry);
        let mut met = Change::new(partner);
        met.update(std::slice::from_ref(&key));
        let Changed { events, .. } = met.finish(&mut batch).unwrap();
        core.commit(batch, events).await.unwrap();
        case
    }

    /// Whoever owns this case is away today, and this one stands in.
    pub(super) async fn away_owner(&self, substitute: AccountId) -> AccountId {
        let id = AccountId::random();
        let today = self.node.local_today();
        let absence = Absence { from: today, until: today, substitute: Some(substitute) };
        self.put(Account { absence: Some(absence), ..account(id, &[Role::Professional], &[self.teams[1]]) })
            .await;
        id
    }

    pub(super) fn notice(&self, case: &Case) -> String {
        self.node.notice_id(case.id)
    }

    /// Status, and body without what names the request.
    pub(super) async fn ask(
        &self,
        asker: Option<&Asker>,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("{BASE_PATH}{path}"));
        if let Some(asker) = asker {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", asker.token.expose()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (media_type, bytes) = match body {
            Value::String(csv) => ("text/csv", csv.clone()),
            Value::Null => ("application/json", String::new()),
            body => ("application/json", body.to_string()),
        };
        let request = request.header(header::CONTENT_TYPE, media_type).body(Body::from(bytes)).unwrap();
        let response = router(Arc::clone(&self.node)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let endless =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it == "text/event-stream");
        if endless {
            return (status, Value::Null);
        }
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let mut body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("instance");
        }
        (status, body)
    }
}

pub(super) fn account(id: AccountId, roles: &[Role], teams: &[TeamId]) -> Account {
    Account {
        id,
        sign_in: SignInName::Provider(id.to_string()),
        name: "Anna Bakker".into(),
        email: "anna@partner.example".into(),
        phone: "+31101234567".into(),
        function: Some("teacher".parse().unwrap()),
        roles: roles.iter().copied().collect(),
        teams: teams.iter().copied().collect(),
        active: true,
        absence: None,
        mail: MailWish::Digest,
        created: Clock.now(),
    }
}

pub(super) fn random() -> Reference {
    let mut bytes = [0; Reference::LEN];
    OsRng.fill_bytes(&mut bytes);
    Reference::from_bytes(bytes)
}

/// The id of a case's one match.
pub(super) fn match_of(case: &Case) -> String {
    match_id(case.reference, other(case)).to_string()
}

fn other(case: &Case) -> Reference {
    Reference::from_bytes(case.reference.as_bytes().map(|byte| !byte))
}

fn met(case: &Case, core: &Core) -> Match {
    let secret = || Secret::<32>::random(&mut OsRng);
    let point = MeetingPoint {
        matcher: "c".parse().unwrap(),
        own: ExchangeSecret::from_bytes(secret()).public(),
        other: ExchangeSecret::from_bytes(secret()).public(),
        withdraw_key: SigningKey::from_seed(&secret()).verifying_key(),
        expiry: core.today().plus(100),
        recipe: "bsn".parse().unwrap(),
    };
    Match {
        id: match_id(case.reference, other(case)),
        own: case.reference,
        other: other(case),
        partner: Some("b".parse().unwrap()),
        since: core.today(),
        points: BTreeSet::from([point]),
        ended: BTreeSet::new(),
        said: Vec::new(),
        heard: Vec::new(),
        heard_over: BTreeSet::new(),
        spent: Vec::new(),
    }
}

/// Founds a network of three in `dir`; the settings of the first.
fn found(dir: &std::path::Path) -> Config {
    let founder = |n: usize| Founder {
        member: MEMBERS[n].parse().unwrap(),
        name: MEMBERS[n].into(),
        kind: PartnerKind::Other,
        oin: format!("{:020}", 99_900_000 + n).parse().unwrap(),
        controller: MEMBERS[n].parse().unwrap(),
        operator: MEMBERS[n].parse().unwrap(),
        persons: 100,
        addresses: Vec::new(),
        ports: Ports { members: 9000, api: 9001, operations: 9002 },
    };
    let dirs = MEMBERS.map(|member| dir.join(member));
    let cards: Vec<_> =
        (0..3).map(|n| founding::create(&dirs[n], &founder(n), Clock.now()).unwrap()).collect();
    let configs = dirs.each_ref().map(|dir| Config::load(&dir.join(file::CONFIG), [], &[]).unwrap());
    let ids: Vec<MemberId> = MEMBERS.iter().map(|id| id.parse().unwrap()).collect();
    let annex = Annex { pepper: Secret::new([9; 32]) };
    let purpose = Purpose {
        id: "jeugd".parse().unwrap(),
        title: "Jeugd".into(),
        legal_ground: "Jeugdwet".into(),
        members: ids.clone(),
        bsn_members: ids.clone(),
        recipes: vec!["default".into()],
        disclosure: Disclosure::NameAtOnce,
        signal_months: 12,
        coordination: None,
    };
    let covenant = Covenant {
        title: "Test".into(),
        version: 1,
        previous: None,
        annex: annex.hash(),
        key_holders: ids.clone(),
        matchers: ids.clone(),
        trace_keys: [ids[0].clone(), ids[1].clone()],
        epochs: EpochTerms::starting(Clock.now().day()),
        tempo: Tempo::Immediate,
        purposes: vec![purpose],
        budgets: ids.iter().map(|id| Budget::for_caseload(id.clone(), 100, 1)).collect(),
        members: cards,
    };
    let sign = |config: &Config, id: &MemberId| {
        MemberSignature::new(id.clone(), &founding::signing_key(config).unwrap(), &covenant)
    };
    let signatures = configs.iter().zip(&ids).map(|(config, id)| sign(config, id)).collect();
    let signed = SignedCovenant::assemble(&covenant, Some(&annex), signatures);
    let [mut config, ..] = configs;
    std::fs::write(&config.covenant_file, encode(&signed)).unwrap();
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    config
}

//! A running node: opens what it has, starts its roles, serves until it is told to stop, and closes cleanly.

use std::path::Path;
use std::sync::Arc;

use kring_protocol::codec;
use kring_protocol::covenant::{SignedCovenant, VerifiedCovenant};
use kring_protocol::id::MemberId;
use kring_protocol::log::entry::Kind;
use kring_protocol::log::note::KeyName;
use kring_protocol::tempo::Pace;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::api::{self, operations};
use crate::application::Node;
use crate::asker::Asker;
use crate::audit::Audit;
use crate::boards::Boards;
use crate::canary::watch::{Asked, Watch};
use crate::ceremony::{Ceremonies, CeremonyError};
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::coordination;
use crate::core::{Core, Identity};
use crate::evidence::{self, Place};
use crate::founding::IDENTITY_NAME;
use crate::holder::Holder;
use crate::keys::Keyring;
use crate::keystore::{MasterKey, identity};
use crate::matcher::Matcher;
use crate::network::{Inbound, Network, Peer, Tap, peer_id};
use crate::outgoing::{Outgoing, Ways};
use crate::pages::{self, Pages};
use crate::partner::Partner;
use crate::people::People;
use crate::reader::Reader;
use crate::relay::Relay;
use crate::repeats::Repeats;
use crate::sender::{Counter, Sender};
use crate::serve::Roles;
use crate::sign_in::SignIn;
use crate::store::{Batch, Store};
use crate::tokens;
use crate::trace::Trace;
use crate::vault::{self, Vault};
use crate::witness::Witness;

/// Why a node did not start, or stopped although nobody asked it to.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct RunError {
    /// What was being done.
    pub what: &'static str,
    /// What went wrong, and what to do.
    pub reason: String,
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> RunError {
    move |error| RunError { what, reason: error.to_string() }
}

/// Requests of members that may wait for a role.
const INBOUND_QUEUE: usize = 256;

/// Runs a node until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: Config) -> Result<(), RunError> {
    run_with(config, Around::default()).await
}

/// What is around a node. Only test programs bring anything else than the default.
#[derive(Debug)]
pub struct Around {
    /// Every message passes it, if there is one.
    pub tap: Option<Arc<dyn Tap>>,
    /// The clock.
    pub time: Arc<dyn Time>,
    /// Whoever notifies it asks for canaries.
    pub canary: Option<Asked>,
}

impl Default for Around {
    fn default() -> Self {
        Self { tap: None, time: Arc::new(Clock), canary: None }
    }
}

/// As [`run`], for test programs that play a member with changed software, or under a clock of their own.
///
/// # Errors
/// [`RunError`].
pub async fn run_with(config: Config, around: Around) -> Result<(), RunError> {
    let asked_to_stop = signals();
    let (stop, stopping) = watch::channel(false);
    let (failure, mut failures) = watch::channel(None::<String>);
    let core_parts = CoreParts::open(&config)?;
    let api_listener = TcpListener::bind(config.api_listen).await.map_err(failed("listening for the API"))?;
    let operations_listener =
        TcpListener::bind(config.operations_listen).await.map_err(failed("listening for operations"))?;
    let (inbound, requests) = mpsc::channel(INBOUND_QUEUE);
    let canary = around.canary.clone();
    let core = core_parts.start(&config, inbound, around, stopping, failure).await?;
    let mut tasks = JoinSet::new();
    let node = start_roles(&core, &config, (requests, canary), &mut tasks).await?;

    let stopped = || {
        let core = Arc::clone(&core);
        async move { core.stopped().await }
    };
    let pages = Pages::new(Arc::clone(&node), Arc::clone(&node.sign_in), config.sign_in.public_url.clone());
    let router = api::router(Arc::clone(&node)).merge(pages::router(Arc::new(pages)));
    tasks.spawn(api::serve(api_listener, router, stopped()));
    tasks.spawn(api::serve(operations_listener, operations::router(node), stopped()));
    tracing::info!(member = %core.me, api = %config.api_listen, "the node is running");

    let reason = tokio::select! {
        () = asked_to_stop => None,
        failed = failures.wait_for(Option::is_some) => failed.ok().and_then(|reason| reason.clone()),
    };
    let events = vec![core.event(Kind::Service, None, 1)];
    let logged = if reason.is_none() { core.commit(Batch::new(), events).await } else { Ok(()) };
    stop.send_replace(true);
    core.network.clone().shutdown().await;
    while tasks.join_next().await.is_some() {}
    core.store.clone().close().await;
    match reason {
        None => logged.map_err(failed("stopping")),
        Some(reason) => Err(RunError { what: "running", reason }),
    }
}

/// What is opened before the node can be reached.
struct CoreParts {
    me: MemberId,
    covenant: VerifiedCovenant,
    identity: identity::Identity,
    store: Store,
    vault: Vault,
    audit: Audit,
}

impl CoreParts {
    fn open(config: &Config) -> Result<Self, RunError> {
        let master = MasterKey::load(&config.master_key_file).map_err(failed("reading the master key"))?;
        let identity_file = config.data_dir.join(IDENTITY_NAME);
        let identity = identity::Identity::load(&identity_file, &master)
            .map_err(failed("opening the node's identity"))?;
        let covenant = read_covenant(&config.covenant_file)?;
        let signing = identity.signing_key();
        let me = covenant
            .members
            .iter()
            .map(|card| &card.card)
            .find(|card| card.signing_key == signing.verifying_key())
            .map(|card| card.id.clone())
            .ok_or_else(|| RunError {
                what: "reading the covenant",
                reason: "it does not name this node's key; is it the right covenant, the right directory?"
                    .to_owned(),
            })?;
        let store = Store::open_with_cache(&config.data_dir.join("store"), config.store_cache_mib << 20)
            .map_err(failed("opening the store"))?;
        let actors = master.index_key("audit-actor");
        let vault = Vault::open(&store, &config.data_dir.join("slots"), master)
            .map_err(failed("opening the key file"))?;
        let origin: KeyName =
            format!("kring/{}/audit/{me}", &covenant.network().to_string()[..16])
                .parse()
                .map_err(failed::<kring_protocol::log::note::NoteError>("naming the audit log"))?;
        let audit =
            Audit::open(store.clone(), origin, signing, actors).map_err(failed("opening the audit log"))?;
        Ok(Self { me, covenant, identity, store, vault, audit })
    }

    async fn start(
        self,
        config: &Config,
        inbound: mpsc::Sender<Inbound>,
        around: Around,
        stopping: watch::Receiver<bool>,
        failure: watch::Sender<Option<String>>,
    ) -> Result<Arc<Core>, RunError> {
        let Self { me, covenant, identity, store, vault, audit } = self;
        let Around { tap, time, .. } = around;
        let pace = pace(&covenant, &me)?;
        let peers = peers(&covenant)?;
        let network =
            Network::start(&identity.transport, me.clone(), config.listen.clone(), peers, inbound, tap)
                .await
                .map_err(failed("joining the network"))?;
        let pepper = covenant.annex().map_err(failed("reading the covenant"))?.pepper.clone();
        let keys = Identity {
            signing: Arc::new(identity.signing_key()),
            withdraw_root: identity.withdraw_root(),
            trace: identity.trace_key(),
        };
        Ok(Arc::new(Core {
            me,
            covenant: Arc::new(covenant),
            pepper,
            identity: keys,
            store,
            vault,
            audit,
            evidence: Place::new(&config.data_dir),
            trace_dir: config.data_dir.join(crate::trace::answers::DIR),
            repeats: Repeats::default(),
            network,
            clock: time,
            pace,
            stopping,
            happened: Notify::new(),
            failure,
        }))
    }
}

/// The pace that the covenant gives this member; says so loudly when it is not one for real data.
fn pace(covenant: &VerifiedCovenant, me: &MemberId) -> Result<Pace, RunError> {
    let pace = Pace::of(covenant, me).ok_or_else(|| RunError {
        what: "reading the covenant",
        reason: "it gives this member no budget".to_owned(),
    })?;
    if pace == Pace::Immediate {
        tracing::warn!(
            "DEVELOPMENT MODE: the covenant's tempo is immediate: whoever sees the traffic sees when this partner has \
             something to say; never use it with real data"
        );
    }
    Ok(pace)
}

fn read_covenant(path: &Path) -> Result<VerifiedCovenant, RunError> {
    let what = "reading the covenant";
    let bytes = std::fs::read(path)
        .map_err(|error| RunError { what, reason: format!("{}: {error}", path.display()) })?;
    let signed: SignedCovenant = codec::decode(&bytes).map_err(failed(what))?;
    signed.verify().map_err(failed(what))
}

fn peers(covenant: &VerifiedCovenant) -> Result<Vec<Peer>, RunError> {
    let peer = |signed: &kring_protocol::covenant::SignedCard| {
        let card = &signed.card;
        let what = "reading the covenant's addresses";
        let addresses = card.addresses.iter().map(|address| address.parse());
        Ok(Peer {
            member: card.id.clone(),
            peer_id: peer_id(card.transport_key.as_bytes()).map_err(failed(what))?,
            addresses: addresses.collect::<Result<_, libp2p::multiaddr::Error>>().map_err(failed(what))?,
        })
    };
    covenant.members.iter().map(peer).collect()
}

/// Everything that is read from the store before the first task starts.
#[derive(Clone)]
struct Loaded {
    keyring: Arc<Keyring>,
    ceremonies: Arc<Ceremonies>,
    holder: Arc<Holder>,
    boards: Arc<Boards>,
    matcher: Option<Arc<Matcher>>,
    partner: Arc<Partner>,
    counter: Arc<Counter>,
    trace: Arc<Trace>,
}

impl Loaded {
    async fn load(core: &Arc<Core>) -> Result<Self, CeremonyError> {
        let mut batch = Batch::new();
        core.vault.prepare(
            &[
                vault::KeyName::Matches,
                vault::KeyName::Meeting,
                vault::KeyName::Traces,
                vault::KeyName::People,
                vault::KeyName::Outgoing,
                vault::KeyName::SignIn,
            ],
            &mut batch,
        )?;
        core.commit(batch, vec![core.event(Kind::Service, None, 1)]).await?;
        let keyring = Arc::new(Keyring::default());
        let ceremonies = Arc::new(Ceremonies::load(Arc::clone(core), Arc::clone(&keyring)).await?);
        let holder = Arc::new(Holder::new(Arc::clone(core), Arc::clone(&keyring)));
        let boards = Arc::new(Boards::load(Arc::clone(core))?);
        let matcher = if core.covenant.matchers.contains(&core.me) {
            Some(Arc::new(Matcher::load(Arc::clone(core), Arc::clone(&boards))?))
        } else {
            None
        };
        let partner = Arc::new(Partner::load(Arc::clone(core), Arc::clone(&keyring))?);
        partner.catch_up().await?;
        let counter = Arc::new(Counter::new(Asker::stored_counter(core)?));
        evidence::write_missing(core)?;
        let trace = Arc::new(Trace::load(Arc::clone(core), matcher.clone())?);
        Ok(Self { keyring, ceremonies, holder, boards, matcher, partner, counter, trace })
    }

    /// Starts the tasks of the roles that answer others.
    fn spawn_roles(&self, core: &Arc<Core>, requests: mpsc::Receiver<Inbound>, tasks: &mut JoinSet<()>) {
        let witness = Arc::new(Witness::new(
            Arc::clone(core),
            Arc::clone(&self.keyring),
            Arc::clone(&self.holder),
            Arc::clone(&self.boards),
            self.matcher.clone(),
        ));
        tasks.spawn(Arc::clone(&witness).run());
        let roles = Roles {
            witness,
            ceremonies: Arc::clone(&self.ceremonies),
            holder: Arc::clone(&self.holder),
            relay: Arc::new(Relay::new(Arc::clone(core))),
            matcher: self.matcher.clone(),
            boards: Arc::clone(&self.boards),
            trace: Arc::clone(&self.trace),
        };
        tasks.spawn(Arc::clone(&self.trace).complain());
        tasks.spawn(Arc::clone(&self.trace).tell());
        tasks.spawn(roles.run(Arc::clone(core), requests));
        tasks.spawn(Arc::clone(&self.ceremonies).run());
        if let Some(matcher) = self.matcher.clone() {
            tasks.spawn(matcher.run());
        }
    }

    /// Starts the tasks of the partner's own side.
    fn spawn_partner(&self, core: &Arc<Core>, asked: Option<Asked>, tasks: &mut JoinSet<()>) {
        let watch = Watch {
            core: Arc::clone(core),
            keyring: Arc::clone(&self.keyring),
            partner: Arc::clone(&self.partner),
            boards: Arc::clone(&self.boards),
            asked,
        };
        tasks.spawn(watch.run());
        let asker = Asker::new(
            Arc::clone(core),
            Arc::clone(&self.keyring),
            Arc::clone(&self.partner),
            Arc::clone(&self.holder),
            Arc::clone(&self.counter),
        );
        tasks.spawn(asker.run());
        tasks.spawn(coordination::run(Arc::clone(core), Arc::clone(&self.partner)));
        for matcher in self.partner.submissions.keys() {
            let counter = Arc::clone(&self.counter);
            let sender = Sender::new(Arc::clone(core), Arc::clone(&self.partner), matcher, counter);
            tasks.spawn(sender.run());
        }
        for matcher in core.covenant.matchers.iter().filter(|matcher| **matcher != core.me) {
            let boards = Arc::clone(&self.boards);
            let reader = Reader::new(Arc::clone(core), Arc::clone(&self.partner), boards, matcher);
            tasks.spawn(reader.run());
        }
        tasks.spawn(housekeeping(Arc::clone(core), self.clone()));
    }
}

/// Loads every role and starts its tasks.
async fn start_roles(
    core: &Arc<Core>,
    config: &Config,
    (requests, canary): (mpsc::Receiver<Inbound>, Option<Asked>),
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Node>, RunError> {
    let tokens = tokens::load(&config.tokens_file).map_err(failed("reading the API tokens"))?;
    let tokens = tokens.into_iter().map(|token| (token.hash, token)).collect();
    let ways = Ways::open(core, config).map_err(failed("reading how the node tells of events"))?;
    let loaded = Loaded::load(core).await.map_err(failed("reading what is stored"))?;
    let people = Arc::new(People::load(Arc::clone(core)).map_err(failed("reading the people"))?);
    // Before anything more can happen: all that has a number by now is durable.
    let outgoing = Arc::new(Outgoing::new(Arc::clone(core), Arc::clone(&loaded.partner)));
    let telling = outgoing.spawn(Arc::clone(&people), ways, tasks).await;
    telling.map_err(failed("reading what people and systems are to be told"))?;
    loaded.spawn_roles(core, requests, tasks);
    loaded.spawn_partner(core, canary, tasks);
    let Loaded { keyring, ceremonies, boards, matcher, partner, .. } = loaded;
    let sign_in = SignIn::load(Arc::clone(core), Arc::clone(&people), &config.sign_in);
    let sign_in = Arc::new(sign_in.map_err(failed("preparing sign-in"))?);
    tasks.spawn(Arc::clone(&sign_in).run());
    let core = Arc::clone(core);
    Ok(Arc::new(Node {
        core,
        keyring,
        ceremonies,
        partner,
        boards,
        matcher,
        people,
        sign_in,
        outgoing,
        tokens,
    }))
}

/// A node whose roles do not run: for tests of what may be asked of it.
#[cfg(test)]
pub(crate) async fn at_rest(config: &Config) -> Result<Arc<Node>, RunError> {
    let (stop, stopping) = watch::channel(false);
    let (failure, _) = watch::channel(None::<String>);
    let (inbound, requests) = mpsc::channel(INBOUND_QUEUE);
    let parts = CoreParts::open(config)?;
    let core = parts.start(config, inbound, Around::default(), stopping, failure).await?;
    let mut tasks = JoinSet::new();
    let node = start_roles(&core, config, (requests, None), &mut tasks).await?;
    tasks.shutdown().await;
    std::mem::forget(stop); // it must not seem to stop
    Ok(node)
}

/// Finds work whenever keys arrive; once an hour also lets go of what has expired.
async fn housekeeping(core: Arc<Core>, loaded: Loaded) {
    let Loaded { keyring, partner, matcher, boards, ceremonies, trace, .. } = loaded;
    let mut changes = keyring.changes();
    loop {
        let expired = async {
            ceremonies.end_epochs(&partner).await?;
            partner.expire().await?;
            Repeats::expire(&core).await?;
            trace.expire().await?;
            boards.expire().await?;
            match &matcher {
                Some(matcher) => matcher.expire().await,
                None => Ok(()),
            }
        };
        if let Err(error) = expired.await {
            core.fail(error.to_string());
            return;
        }
        partner.find_work();
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = core.pause(std::time::Duration::from_secs(3_600)) => {}
        }
        if core.is_stopping() {
            return;
        }
    }
}

/// SIGTERM or SIGINT, from this call on: one that comes while the node starts ends it in order too.
fn signals() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let [terminate, interrupt] = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let wait = async |signals: std::io::Result<tokio::signal::unix::Signal>| match signals {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    async move {
        tokio::select! {
            () = wait(terminate) => {}
            () = wait(interrupt) => {}
        }
    }
}

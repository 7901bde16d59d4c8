//! `kring demo`: a complete network of real nodes on this machine, from founding to the last match.
//!
//! # In scope
//! The course of the demonstration; its steps are the modules below.
//!
//! # Out of scope
//! Shortcuts. Whatever a partner's node does, it does here too, by the same functions and over the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kring_protocol::recipe::RecipeList;

use crate::client::{Client, ClientError};
use crate::command::demo::Args;
use crate::command::import::{LineReason, import};
use crate::output::{Failure, Output, note};

mod browser;
pub(crate) mod builtin;
pub(crate) mod caseload;
mod delivery;
mod founding;
mod interrupt;
mod patience;
mod people;
mod place;
mod ports;
mod process;
mod report;

use builtin::{Comparison, Truth};
use caseload::{Caseload, Partner};
use delivery::{Snapshot, Waiting};
use interrupt::catch_signals;
use patience::Patience;
use people::Staff;
pub(crate) use place::Place;
use process::{Network, Status};
use report::{Joined, Notice, PartnerRow, Report, Timings};

/// How often the network is asked whether all is delivered, and how often a wait looks around.
const POLL: Duration = Duration::from_millis(100);
/// Most warnings of one caseload that are told one by one; `kring import --dry-run` tells them all.
const WARNINGS_TOLD: usize = 5;

/// Runs the demonstration.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    if !args.recipes.is_empty() {
        RecipeList::from_terms(&args.recipes).map_err(|problem| Failure::Usage(problem.to_string()))?;
    }
    let (partners, truth) = participants(args)?;
    let interrupted = catch_signals()?;
    let place = Place::new(args.dir.as_deref(), &partners)?;
    let mut demo = Demo::found(place, partners, args.port, &args.recipes, interrupted)?;
    let result = demo.play(args.once, truth, output);
    if demo.interrupted.load(Ordering::Relaxed) {
        note("interrupted; stopping all nodes");
        return if args.once {
            Err(Failure::Work("interrupted before all was delivered".to_owned()))
        } else {
            Ok(())
        };
    }
    result
}

fn participants(args: &Args) -> Result<(Vec<Partner>, Option<Truth>), Failure> {
    let (bringing, truth) = match &args.caseload {
        Some(dir) => (caseload::read_dir(dir)?, None),
        None => {
            let (partners, truth) = caseload::built_in(args.partners);
            (partners, Some(truth))
        }
    };
    Ok((caseload::complete(bringing, args.partners)?, truth))
}

/// What the network found.
struct Found {
    /// Cases that each partner's node took in.
    cases: Vec<u64>,
    joined: Joined,
    /// Partners whose nodes are kept down.
    down: BTreeSet<String>,
}

/// A founded network, its nodes running. They end when it is dropped, and so does their directory.
pub(crate) struct Demo {
    partners: Vec<Partner>,
    clients: Vec<Client>,
    network: Network,
    interrupted: Arc<AtomicBool>,
    began: Instant,
    timings: Timings,
    /// Last, so that the nodes have ended before their directory goes.
    place: Place,
}

impl Demo {
    /// A network of six partners that bring no cases, in a temporary directory of `parent`.
    pub(crate) fn without_cases(parent: Option<&Path>) -> Result<Self, Failure> {
        let place = Place::temporary_in(parent)?;
        Self::found(place, caseload::complete(Vec::new(), None)?, None, &[], catch_signals()?)
    }

    /// The API of the partner with this place in the list.
    pub(crate) fn client(&self, index: usize) -> &Client {
        &self.clients[index]
    }

    /// Founds the network and starts its nodes.
    fn found(
        place: Place,
        partners: Vec<Partner>,
        port: Option<u16>,
        recipes: &[String],
        interrupted: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let began = Instant::now();
        note(&format!("founding a network of {} partners in {}", partners.len(), place.path().display()));
        let mut reserved = ports::reserve(partners.len(), port)?;
        let ports: Vec<_> = reserved.iter().map(|reserved| reserved.ports).collect();
        let dirs = founding::found(place.path(), &partners, &ports, recipes)?;
        let clients = dirs.iter().map(|dir| Client::open(dir, [])).collect::<Result<Vec<_>, _>>()?;
        let timings = Timings { founding: began.elapsed().as_secs_f64(), ..Timings::default() };
        say(began, "founded: every partner has its keys, and all have signed the covenant");
        let mut network = Network::new(Arc::clone(&interrupted));
        for ((partner, dir), reserved) in partners.iter().zip(&dirs).zip(&mut reserved) {
            reserved.release();
            network.start(&partner.id, dir, reserved.ports.operations)?;
        }
        network.watch();
        Ok(Self { partners, clients, network, interrupted, began, timings, place })
    }

    /// From the first start of the nodes to the report.
    fn play(&mut self, once: bool, truth: Option<Truth>, output: Output) -> Result<(), Failure> {
        let mut step = Instant::now();
        self.until_ready()?;
        self.timings.ready = lap(&mut step);
        self.say("every node is ready: the keys are made");
        let staff = if once { Vec::new() } else { self.make_people()? };
        let (cases, refused) = self.import_all()?;
        self.timings.imported = lap(&mut step);
        self.say("caseloads imported");
        self.assign(&staff)?;
        let delivered = self.until_delivered()?;
        self.timings.delivered = lap(&mut step);
        self.say(if delivered { "all is delivered" } else { "not all is delivered" });
        let found = self.collect(cases)?;
        let shown = found.joined.shown();
        self.timings.total = self.began.elapsed().as_secs_f64();
        let stopped = if once { self.network.stop() } else { self.network.status()? };
        let as_expected = self.report(found, truth, &stopped, output) && delivered && !refused;
        if !once {
            people::say(&staff);
            people::say_tour(&staff, shown.as_ref());
            note("each partner's folder holds its API token, api.token");
            note("the network stays up; Ctrl-C ends it");
            self.until_interrupted()?;
        }
        if as_expected { Ok(()) } else { Err(Failure::Reported) }
    }

    /// Waits until every node is ready that is not kept down.
    pub(crate) fn until_ready(&self) -> Result<(), Failure> {
        let mut waited = Patience::new();
        loop {
            let status = self.status()?;
            let waiting: Vec<_> = self.with_ids(&status, |status| !status.ready && !status.kept_down);
            if waiting.is_empty() {
                return Ok(());
            }
            waited.on(&waiting, || format!("not ready: {}", waiting.join(", ")))?;
            std::thread::sleep(POLL / 5);
        }
    }

    fn with_ids(&self, status: &[Status], wanted: impl Fn(&Status) -> bool) -> Vec<String> {
        let both = self.partners.iter().zip(status);
        both.filter(|(_, status)| wanted(status)).map(|(partner, _)| partner.id.clone()).collect()
    }

    /// Makes the people of every partner whose node is there, all partners at once.
    fn make_people(&self) -> Result<Vec<Staff>, Failure> {
        let down: Vec<_> = self.status()?.iter().map(|status| status.kept_down).collect();
        let make = |index: usize| people::make(index, &self.partners[index], &self.clients[index]);
        let made: Vec<Result<Staff, Failure>> = std::thread::scope(|scope| {
            let there = (0..self.partners.len()).filter(|index| !down[*index]);
            let making: Vec<_> = there.map(|index| scope.spawn(move || make(index))).collect();
            making.into_iter().map(joined).collect()
        });
        let staff = made.into_iter().collect::<Result<Vec<_>, _>>()?;
        people::write(self.place.path(), &staff)?;
        self.say("everybody can sign in");
        Ok(staff)
    }

    /// Gives every partner's cases to its professional.
    fn assign(&self, staff: &[Staff]) -> Result<(), Failure> {
        for of_partner in staff {
            let index = self.partners.iter().position(|partner| partner.id == of_partner.partner);
            if let Some(client) = index.map(|index| &self.clients[index]) {
                people::assign(client, of_partner)?;
            }
        }
        Ok(())
    }

    /// Imports every caseload, all partners at once. Returns how many cases each took in, and whether a file was
    /// refused as a whole.
    fn import_all(&self) -> Result<(Vec<u64>, bool), Failure> {
        let results: Vec<Result<Option<u64>, Failure>> = std::thread::scope(|scope| {
            let importing: Vec<_> =
                (0..self.partners.len()).map(|index| scope.spawn(move || self.import_one(index))).collect();
            importing.into_iter().map(joined).collect()
        });
        let results = results.into_iter().collect::<Result<Vec<_>, _>>()?;
        let refused = results.iter().any(Option::is_none);
        Ok((results.into_iter().map(Option::unwrap_or_default).collect(), refused))
    }

    /// Imports one partner's caseload, again if its node dies meanwhile: what it took in already it does not take in
    /// twice. `None` when the node refused the file.
    fn import_one(&self, index: usize) -> Result<Option<u64>, Failure> {
        let partner = &self.partners[index];
        let Some(Caseload { file, bytes }) = &partner.caseload else { return Ok(Some(0)) };
        let mut waited = Patience::new();
        loop {
            let status = &self.status()?[index];
            if status.kept_down {
                note(&format!("{} is kept down; its caseload is not imported", partner.id));
                return Ok(Some(0));
            }
            match import(&self.clients[index], bytes, false) {
                Ok(imported) => {
                    for line in &imported.lines_left_out {
                        note(&line.text(file));
                    }
                    note_warnings(file, &imported.warnings);
                    return Ok(Some(imported.cases + imported.unchanged));
                }
                Err(ClientError::Refused { status: 400..500, reasons }) => {
                    note(&format!("{}: {}", file.display(), reasons.join("; ")));
                    return Ok(None);
                }
                Err(problem @ ClientError::Answer(_)) => return Err(problem.into()),
                Err(problem) => waited.on(&status.restarts, || format!("{}: {problem}", partner.id))?,
            }
            std::thread::sleep(POLL);
        }
    }

    /// Whether all was delivered before the network got stuck.
    pub(crate) fn until_delivered(&self) -> Result<bool, Failure> {
        let mut waited = Patience::new();
        let mut before = Snapshot::default();
        loop {
            let now = self.snapshot()?;
            if delivery::delivered(&before, &now) {
                return Ok(true);
            }
            if let Err(Failure::Work(stuck)) = waited.on(&now, || format!("waiting: {}", now.left())) {
                note(&stuck);
                return Ok(false);
            }
            before = now;
            std::thread::sleep(POLL);
        }
    }

    fn snapshot(&self) -> Result<Snapshot, Failure> {
        let mut snapshot = Snapshot::default();
        for ((partner, client), status) in self.partners.iter().zip(&self.clients).zip(self.status()?) {
            let member = partner.member.to_string();
            if status.kept_down {
                snapshot.down.insert(member);
            } else if let (true, Some(waiting)) = (status.ready, waiting(client)?) {
                snapshot.nodes.insert(member, waiting);
            } else {
                snapshot.absent.insert(member);
            }
        }
        Ok(snapshot)
    }

    /// The notices of all living nodes, joined.
    fn collect(&self, cases: Vec<u64>) -> Result<Found, Failure> {
        let status = self.status()?;
        let down: BTreeSet<_> = self.with_ids(&status, |status| status.kept_down).into_iter().collect();
        let mut notices = BTreeMap::new();
        for (index, partner) in self.partners.iter().enumerate() {
            if !down.contains(&partner.id) {
                notices.insert(partner.id.clone(), self.notices(index)?);
            }
        }
        Ok(Found { cases, joined: report::join(&self.partners, &notices, &down), down })
    }

    fn notices(&self, index: usize) -> Result<Vec<Notice>, Failure> {
        let mut waited = Patience::new();
        loop {
            match self.clients[index].get("/notices") {
                Ok(answer) => return Ok(serde_json::from_value(answer)?),
                Err(problem @ ClientError::NotRunning { .. }) => {
                    waited.on(&self.status()?[index].restarts, || problem.to_string())?;
                }
                Err(problem) => return Err(problem.into()),
            }
            std::thread::sleep(POLL);
        }
    }

    /// Prints the report and says whether what was found is what is true.
    fn report(&self, found: Found, truth: Option<Truth>, status: &[Status], output: Output) -> bool {
        let Found { cases, joined, down } = found;
        for fault in &joined.faults {
            note(fault);
        }
        // Nobody can be asked what a partner that is kept down knows.
        let truth = truth.map(|truth| truth.without(&down));
        let comparison = truth.as_ref().map(|truth| truth.compare(&joined.pairs));
        if let Some(Comparison { missing, unexpected }) = &comparison {
            missing.iter().for_each(|pair| note(&format!("missing: {pair}")));
            unexpected.iter().for_each(|pair| note(&format!("unexpected: {pair}")));
        }
        let partners = self.partners.iter().zip(cases).map(|(partner, cases)| PartnerRow {
            id: partner.id.clone(),
            name: partner.name.clone(),
            cases,
        });
        let nodes = report::node_timings(&self.partners, status);
        let report = Report {
            partners: partners.collect(),
            matches: joined.rows,
            expected: truth.map(|truth| truth.len()),
            missing: comparison.as_ref().map(|all| all.missing.len()),
            unexpected: comparison.as_ref().map(|all| all.unexpected.len()),
            timings: Timings { nodes, ..self.timings.clone() }.rounded(),
        };
        output.result(&report, &report::text(&report));
        joined.faults.is_empty() && comparison.is_none_or(|all| all == Comparison::default())
    }

    fn until_interrupted(&self) -> Result<(), Failure> {
        loop {
            self.status()?;
            std::thread::sleep(POLL);
        }
    }

    /// How the nodes are doing, unless the demonstration is to end.
    fn status(&self) -> Result<Vec<Status>, Failure> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Failure::Work("interrupted".to_owned()));
        }
        self.network.status()
    }

    fn say(&self, text: &str) {
        say(self.began, text);
    }
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn note_warnings(file: &Path, warnings: &[LineReason]) {
    for line in warnings.iter().take(WARNINGS_TOLD) {
        note(&line.warning(file));
    }
    if let Some(more) = warnings.len().checked_sub(WARNINGS_TOLD).filter(|more| *more > 0) {
        note(&format!("{}: and more lines with a warning: {more}", file.display()));
    }
}

/// What a node says of waiting work; none when it is not there to say it.
fn waiting(client: &Client) -> Result<Option<Waiting>, Failure> {
    match client.get("/network") {
        Ok(mut answer) => Ok(Some(serde_json::from_value(answer["waiting"].take())?)),
        Err(ClientError::NotRunning { .. } | ClientError::Refused { status: 503, .. }) => Ok(None),
        Err(problem) => Err(problem.into()),
    }
}

fn say(began: Instant, text: &str) {
    note(&format!("{:6.2} s  {text}", began.elapsed().as_secs_f64()));
}

fn lap(since: &mut Instant) -> f64 {
    let now = Instant::now();
    now.duration_since(std::mem::replace(since, now)).as_secs_f64()
}

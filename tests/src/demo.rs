//! `kring demo` as a running process with its network of nodes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::command::kring;
use crate::node::Node;
use crate::report::Report;
use crate::wait::{until, within_time};

/// How long a network may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long a small network may take until all is delivered.
pub const DELIVERED: Duration = Duration::from_secs(240);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// Says that the key ceremony is over.
pub const KEYS_MADE: &str = "the keys are made";
/// Says that every caseload is in its node.
pub const IMPORTED: &str = "caseloads imported";

/// A demonstration. Dropping it ends it and its nodes.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    dir: PathBuf,
    out: PathBuf,
    log: PathBuf,
}

/// How a demonstration ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code.
    pub code: i32,
    /// What it printed on stdout: none when that is not JSON.
    pub report: Option<Report>,
    /// What it said on stderr.
    pub log: String,
}

impl Finished {
    /// The report of a demonstration that went as it should.
    ///
    /// # Panics
    /// When its exit code is not 0.
    #[must_use]
    pub fn good(self) -> Report {
        let Self { code, report, log } = self;
        assert_eq!(code, 0, "{log}");
        report.expect("a demonstration that succeeds prints its report")
    }
}

impl Demo {
    /// Starts `kring demo --json --dir PLACE/network` with further arguments.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(place: &Path, arguments: &[&str]) -> Self {
        let (dir, out, log) = (place.join("network"), place.join("report.json"), place.join("demo.log"));
        let file = |path: &Path| File::create(path).expect("the place can be written");
        let child = kring()
            .args(["demo", "--json", "--dir"])
            .arg(&dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&log))
            .spawn()
            .expect("kring starts");
        Self { child, dir, out, log }
    }

    /// A demonstration of the caseloads in `caseload` that ends by itself.
    #[must_use]
    pub fn once(place: &Path, caseload: &Path) -> Self {
        Self::start(place, &["--once", "--caseload", &caseload.to_string_lossy()])
    }

    /// A network with the caseloads in `caseload` that stays; returns when all is delivered.
    #[must_use]
    pub fn standing(place: &Path, caseload: &Path) -> Self {
        let mut demo = Self::start(place, &["--caseload", &caseload.to_string_lossy()]);
        demo.wait_for("the network stays up", DELIVERED);
        demo
    }

    /// What it said so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has said `text`.
    ///
    /// # Panics
    /// When it ends before, or `within` is over.
    pub fn wait_for(&mut self, text: &str, within: Duration) {
        let said = within_time(within, || {
            if self.log().contains(text) {
                return Some(true);
            }
            self.has_ended().then_some(false)
        });
        assert!(said == Some(true) || self.log().contains(text), "it never said {text:?}:\n{}", self.log());
    }

    /// Waits until every node was founded, and gives the nodes of these partners.
    ///
    /// # Panics
    /// When they are not there after a minute.
    pub fn nodes<const N: usize>(&mut self, ids: [&str; N]) -> [Node; N] {
        self.wait_for("founded: ", READY);
        ids.map(|id| Node::open(&self.dir.join(id)))
    }

    /// The nodes of all partners, in the order of their names.
    ///
    /// # Panics
    /// When they are not there after a minute.
    pub fn all_nodes(&mut self) -> Vec<Node> {
        self.wait_for("founded: ", READY);
        let entries = fs::read_dir(&self.dir).expect("the network has a directory");
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        let mut dirs: Vec<_> = paths.filter(|path| path.is_dir()).collect();
        dirs.sort();
        dirs.iter().map(|dir| Node::open(dir)).collect()
    }

    /// Where the nodes' directories are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When the system does not know.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our process").is_some()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time, or was killed.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        let code = self.end(DELIVERED);
        self.nobody_is_convicted();
        let report = fs::read(&self.out).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        Finished { code, report: report.map(Report), log: self.log() }
    }

    /// Honest nodes have no evidence against each other, whatever happened to them.
    fn nobody_is_convicted(&self) {
        let nodes = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let accusers: Vec<_> =
            nodes.map(|node| node.path().join("data/evidence")).filter(|dir| dir.exists()).collect();
        assert!(accusers.is_empty(), "evidence against an honest node: {accusers:?}\n{}", self.log());
    }

    /// Interrupts it as Ctrl-C does, and waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    #[must_use]
    pub fn stop(self) -> Finished {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it is our process");
        self.finish()
    }

    fn end(&mut self, within: Duration) -> i32 {
        let status = within_time(within, || self.child.try_wait().expect("it is our process"))
            .unwrap_or_else(|| {
                panic!("the demonstration does not end:\n{}", self.log());
            });
        status.code().expect("nobody kills it")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|end| end.is_some()) {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        let ended = within_time(STOP, || self.child.try_wait().ok().flatten());
        if ended.is_none() {
            let _ = self.child.kill(); // its nodes end with it: their stdin closes
        }
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Waits until every node is ready.
///
/// # Panics
/// When one is not after a minute.
pub fn until_ready(nodes: &[Node]) {
    until("every node is ready", READY, || nodes.iter().all(Node::is_ready).then_some(()));
}

//! The demonstration's node processes: started, watched, started again when they die, and ended with the
//! demonstration however it ends.
//!
//! One thread owns the watching; everyone else reads its findings. A node also ends by itself when its stdin closes, so
//! none survives a demonstration that was killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kring_node::config::ENVIRONMENT_PREFIX;
use kring_node::founding::file;
use rustix::process::{Pid, Signal, kill_process};

use crate::client;
use crate::output::{Failure, note};

/// How often nodes are looked at.
const TICK: Duration = Duration::from_millis(20);
/// How often their memory is read.
const MEMORY_TICK: Duration = Duration::from_millis(500);
/// How long a node may take to stop when asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a node may take to say whether it is ready.
const READY_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause before a node that never became ready is started again.
const PAUSE: Duration = Duration::from_millis(500);
/// Ends in a row, of its own accord and before being ready, after which a node is given up.
const FAILED_STARTS: u32 = 5;
/// Lines of a log that are shown when a node is given up.
const LOG_LINES: usize = 15;

/// How a node is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Status {
    /// It runs and says that it can do its work.
    pub(super) ready: bool,
    /// It does not run, and its file `stay-down` keeps it so.
    pub(super) kept_down: bool,
    /// From its first start until it was first ready.
    pub(super) first_ready: Option<Duration>,
    /// The longest that it took to be ready after a later start.
    pub(super) slowest_return: Option<Duration>,
    /// How often it was started again.
    pub(super) restarts: u32,
    /// Most memory that one of its processes held at once.
    pub(super) peak_rss_bytes: u64,
}

#[derive(Debug)]
struct Node {
    id: String,
    dir: PathBuf,
    operations_port: u16,
    child: Option<Child>,
    started: Instant,
    ended: Option<Instant>,
    failed_starts: u32,
    given_up: bool,
    status: Status,
}

#[derive(Debug)]
struct Shared {
    nodes: Mutex<Vec<Node>>,
    stop: AtomicBool,
    interrupted: Arc<AtomicBool>,
}

/// All node processes. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Network {
    shared: Arc<Shared>,
    watcher: Option<JoinHandle<()>>,
}

impl Network {
    /// Nobody runs yet. Nodes end when `interrupted` becomes true.
    pub(super) fn new(interrupted: Arc<AtomicBool>) -> Self {
        let shared = Shared { nodes: Mutex::new(Vec::new()), stop: AtomicBool::new(false), interrupted };
        Self { shared: Arc::new(shared), watcher: None }
    }

    /// Starts the node in `dir`.
    pub(super) fn start(&self, id: &str, dir: &Path, operations_port: u16) -> Result<(), Failure> {
        let mut node = Node {
            id: id.to_owned(),
            dir: dir.to_owned(),
            operations_port,
            child: None,
            started: Instant::now(),
            ended: None,
            failed_starts: 0,
            given_up: false,
            status: Status::default(),
        };
        if !node.must_stay_down() {
            node.start()?;
        }
        self.shared.lock().push(node);
        Ok(())
    }

    /// Begins to watch what was started.
    pub(super) fn watch(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.watcher = Some(std::thread::spawn(move || shared.watch()));
    }

    /// How all nodes are doing, in the order in which they were started.
    ///
    /// # Errors
    /// When a node was given up, with the end of its log.
    pub(super) fn status(&self) -> Result<Vec<Status>, Failure> {
        let nodes = self.shared.lock();
        if let Some(node) = nodes.iter().find(|node| node.given_up) {
            return Err(Failure::Work(format!(
                "the node of {} ends whenever it is started; the end of its log:\n{}",
                node.id,
                log_tail(&node.log_file())
            )));
        }
        Ok(nodes.iter().map(|node| node.status.clone()).collect())
    }

    /// Ends all nodes: asked first, then made to. Returns how they were doing last.
    pub(super) fn stop(&mut self) -> Vec<Status> {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            // A watcher that panicked has said so on stderr; the nodes are ended below all the same.
            let _ = watcher.join();
        }
        let mut nodes = self.shared.lock();
        end_all(&mut nodes);
        nodes.iter().map(|node| node.status.clone()).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Node>> {
        // The list is whole at every moment at which a holder could panic.
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let agent = client::agent(READY_TIMEOUT);
        let mut memory_read = Instant::now();
        while !self.stop.load(Ordering::Relaxed) && !self.interrupted.load(Ordering::Relaxed) {
            let read_memory = memory_read.elapsed() >= MEMORY_TICK;
            if read_memory {
                memory_read = Instant::now();
            }
            for node in self.lock().iter_mut() {
                node.reap();
                node.restart();
                if read_memory {
                    node.read_memory();
                }
            }
            self.ask_whether_ready(&agent);
            std::thread::sleep(TICK);
        }
        // Whoever waits for an answer from a node is not left waiting.
        end_all(&mut self.lock());
    }

    /// Asks without the lock, because a node may take its time.
    fn ask_whether_ready(&self, agent: &ureq::Agent) {
        let waiting: Vec<_> = self
            .lock()
            .iter()
            .enumerate()
            .filter(|(_, node)| node.child.is_some() && !node.status.ready)
            .map(|(index, node)| (index, node.pid(), node.operations_port))
            .collect();
        for (index, pid, port) in waiting {
            let answer = agent.get(format!("http://127.0.0.1:{port}/readyz")).call();
            let ready = answer.is_ok_and(|answer| answer.status().is_success());
            let node = &mut self.lock()[index];
            if ready && node.pid() == pid {
                node.became_ready();
            }
        }
    }
}

impl Node {
    fn log_file(&self) -> PathBuf {
        self.dir.join("node.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.join("node.pid")
    }

    fn must_stay_down(&self) -> bool {
        self.dir.join("stay-down").exists()
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let spawn = || -> std::io::Result<Child> {
            let log = File::options().create(true).append(true).open(self.log_file())?;
            let child = command(&self.dir)?.stdout(log.try_clone()?).stderr(log).spawn()?;
            let new = self.dir.join("node.pid.new");
            fs::write(&new, format!("{}\n", child.id()))?;
            fs::rename(new, self.pid_file())?;
            Ok(child)
        };
        let child = spawn()
            .map_err(|problem| Failure::Work(format!("cannot start the node of {}: {problem}", self.id)))?;
        self.child = Some(child);
        self.started = Instant::now();
        self.status.ready = false;
        self.status.kept_down = false;
        Ok(())
    }

    /// Notices that the process ended.
    fn reap(&mut self) {
        let Some(child) = &mut self.child else { return };
        let Ok(Some(end)) = child.try_wait() else { return };
        self.child = None;
        self.ended = Some(Instant::now());
        let _ = fs::remove_file(self.pid_file());
        // Whoever kills a node means to; a node that ends by itself before it is ready cannot do its work.
        self.failed_starts =
            if end.code().is_some() && !self.status.ready { self.failed_starts + 1 } else { 0 };
        self.status.ready = false;
        self.given_up = self.failed_starts >= FAILED_STARTS;
        self.say_ended(end);
    }

    fn say_ended(&self, end: ExitStatus) {
        let then = if self.given_up {
            "giving up"
        } else if self.must_stay_down() {
            "stay-down keeps it down"
        } else {
            "starting it again"
        };
        note(&format!("the node of {} ended ({end}); {then}", self.id));
    }

    fn restart(&mut self) {
        if self.child.is_some() || self.given_up {
            return;
        }
        self.status.kept_down = self.must_stay_down();
        let pausing = self.failed_starts > 0 && self.ended.is_some_and(|ended| ended.elapsed() < PAUSE);
        if self.status.kept_down || pausing {
            return;
        }
        self.status.restarts += u32::from(self.ended.is_some());
        if let Err(Failure::Work(message) | Failure::Usage(message)) = self.start() {
            note(&message);
            self.given_up = true;
        }
    }

    fn became_ready(&mut self) {
        let took = self.started.elapsed();
        self.status.ready = true;
        self.failed_starts = 0;
        if self.status.first_ready.is_none() {
            self.status.first_ready = Some(took);
        } else {
            self.status.slowest_return = self.status.slowest_return.max(Some(took));
        }
    }

    fn read_memory(&mut self) {
        let Some(pid) = self.pid() else { return };
        let peak =
            fs::read_to_string(format!("/proc/{pid}/status")).ok().and_then(|status| peak_rss(&status));
        self.status.peak_rss_bytes = self.status.peak_rss_bytes.max(peak.unwrap_or(0));
    }
}

/// `kring node` on `dir`, with nothing of our own environment that would move all nodes to one place.
fn command(dir: &Path) -> std::io::Result<Command> {
    use std::os::unix::process::CommandExt;

    let mut command = Command::new(std::env::current_exe()?);
    command.args(["node", "--with-parent", "--config"]).arg(dir.join(file::CONFIG));
    command.stdin(Stdio::piped());
    // As docs/operations.md advises: without it the C library keeps memory apart for every thread.
    command.env("MALLOC_ARENA_MAX", "1");
    // Out of the terminal's reach: at Ctrl-C we end the nodes, in order.
    command.process_group(0);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(ENVIRONMENT_PREFIX.as_bytes()) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

fn end_all(nodes: &mut [Node]) {
    for node in nodes.iter_mut() {
        node.read_memory();
        if let Some(child) = &node.child {
            let _ = kill_process(Pid::from_child(child), Signal::TERM);
        }
    }
    let deadline = Instant::now() + STOP_TIMEOUT;
    for node in nodes {
        let Some(mut child) = node.child.take() else { continue };
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(TICK);
        }
        if matches!(child.try_wait(), Ok(None)) {
            note(&format!("the node of {} does not stop; killing it", node.id));
            let _ = child.kill();
        }
        let _ = child.wait();
        let _ = fs::remove_file(node.pid_file());
        node.status.ready = false;
    }
}

/// `VmHWM` of `/proc/PID/status`, in bytes.
fn peak_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn log_tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Place;

    #[test]
    fn peak_memory_is_read_in_bytes() {
        assert_eq!(peak_rss("Name:\tkring\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n"), Some(12_345 * 1024));
        assert_eq!(peak_rss("Name:\tkring\n"), None);
    }

    fn node(place: &Place, child: Child) -> Node {
        Node {
            id: "a".into(),
            dir: place.path().to_owned(),
            operations_port: 1,
            child: Some(child),
            started: Instant::now(),
            ended: None,
            failed_starts: 0,
            given_up: false,
            status: Status::default(),
        }
    }

    fn shell(script: &str) -> Child {
        Command::new("/bin/sh").args(["-c", script]).spawn().unwrap()
    }

    fn reaped(node: &mut Node) {
        while node.child.is_some() {
            node.reap();
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_ends_by_itself_is_given_up_and_who_is_killed_is_not() {
        let place = Place::temporary().unwrap();
        let mut one = node(&place, shell("exit 1"));
        for expected in 1..=FAILED_STARTS {
            reaped(&mut one);
            assert_eq!((one.failed_starts, one.given_up), (expected, expected == FAILED_STARTS));
            one.child = Some(shell("exit 1"));
        }
        reaped(&mut one);
        let mut killed = node(&place, shell("kill -9 $$"));
        reaped(&mut killed);
        assert_eq!((killed.failed_starts, killed.given_up), (0, false));
    }

    #[test]
    fn stay_down_keeps_down() {
        let place = Place::temporary().unwrap();
        let mut one = node(&place, shell("exit 0"));
        fs::write(place.path().join("stay-down"), "").unwrap();
        reaped(&mut one);
        one.restart();
        assert!(one.child.is_none() && one.status.kept_down);
        assert_eq!(one.status.restarts, 0);
    }

    #[test]
    fn ending_asks_first() {
        let place = Place::temporary().unwrap();
        let script = format!(
            "trap 'echo asked > {}/asked; exit 0' TERM; echo up > {0}/up; while :; do sleep 0.01; done",
            place.path().display()
        );
        let mut nodes = [node(&place, shell(&script))];
        while !place.path().join("up").exists() {
            std::thread::yield_now();
        }
        end_all(&mut nodes);
        assert!(nodes[0].child.is_none());
        assert_eq!(fs::read_to_string(place.path().join("asked")).unwrap(), "asked\n");
    }
}

//! A network founded by hand, one `kring` command after the other, as operators do it: for what the demonstration's own
//! founding does not offer.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::{changed_node, kring, run};
use crate::demo::until_ready;
use crate::node::Node;

/// Ports of one node.
const PORTS: u16 = 3;

/// The network's nodes, each in its own directory. Dropping it ends them.
#[derive(Debug)]
pub struct Founded {
    dir: PathBuf,
    running: Vec<(String, Child)>,
}

impl Founded {
    /// Founds a network of `members` with two purposes at these matchers; `edit` changes the draft of the covenant before
    /// all sign it.
    ///
    /// # Panics
    /// When a command fails.
    #[must_use]
    pub fn new(dir: &Path, members: &[&str], matchers: &[&str], edit: impl FnOnce(String) -> String) -> Self {
        Self::with_controllers(dir, members, matchers, &[], edit)
    }

    /// The same, where some members are not their own controllers.
    ///
    /// # Panics
    /// When a command fails.
    #[must_use]
    pub fn with_controllers(
        dir: &Path,
        members: &[&str],
        matchers: &[&str],
        controllers: &[(&str, &str)],
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let first = free_ports(PORTS * u16::try_from(members.len()).expect("few members"));
        for (port, member) in (first..).step_by(PORTS.into()).zip(members) {
            let (oin, address, port) =
                (format!("{port:020}"), format!("/ip4/127.0.0.1/tcp/{port}"), port.to_string());
            let controller = controllers.iter().find(|(of, _)| of == member);
            let controller = controller.map(|(_, controller)| ["--controller", controller]);
            good(&[
                &["init", "--dir", &path(member), "--name", member, "--kind", "other", "--oin", &oin],
                &["--address", &address, "--port", &port, "--persons", "100"][..],
                controller.as_ref().map_or(&[], |both| &both[..]),
            ]);
        }
        let (draft, signed) = (path("covenant.toml"), path("covenant.kring"));
        let files =
            |name: &str| members.iter().map(|member| path(&format!("{member}/{name}"))).collect::<Vec<_>>();
        let cards = files("member.toml");
        let cards: Vec<_> = cards.iter().map(String::as_str).collect();
        let matchers = matchers.join(",");
        let choices =
            ["--purpose", "first", "--purpose", "second", "--tempo", "immediate", "--matchers", &matchers];
        good(&[&["covenant", "draft", "--out", &draft], &choices[..], &["--member"], &cards]);
        let text = fs::read_to_string(&draft).expect("the draft was written");
        fs::write(&draft, edit(text)).expect("the draft can be written");
        members.iter().for_each(|member| good(&[&["covenant", "sign", "--dir", &path(member), &draft]]));
        let signatures = files("signature.toml");
        let signatures: Vec<_> = signatures.iter().map(String::as_str).collect();
        good(&[&["covenant", "assemble", "--out", &signed, &draft], &signatures]);
        for copy in files("covenant.kring") {
            fs::copy(&signed, copy).expect("the node's directory can be written");
        }
        Self { dir: dir.to_owned(), running: Vec::new() }
    }

    /// Starts these nodes and waits until they are ready.
    ///
    /// # Panics
    /// When one is not.
    pub fn start(&mut self, members: &[&str]) {
        let nodes: Vec<_> = members.iter().map(|member| self.spawn(member, kring())).collect();
        until_ready(&nodes);
    }

    /// Starts a node with changed software ([`crate::changed`]); it may not be ready yet.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_changed(&mut self, member: &str, environment: &[(&str, &str)]) {
        self.spawn(member, changed_node(environment));
    }

    fn spawn(&mut self, member: &str, mut program: Command) -> Node {
        let dir = self.dir.join(member);
        let log = File::options().create(true).append(true).open(dir.join("node.log"));
        let child = program
            .args(["node", "--config"])
            .arg(dir.join("node.toml"))
            .stdin(Stdio::null())
            .stderr(log.expect("the node's directory can be written"))
            .spawn()
            .expect("kring starts");
        self.running.push((member.to_owned(), child));
        self.node(member)
    }

    /// Whether a node has been running since it was last started.
    ///
    /// # Panics
    /// When the system does not know.
    pub fn is_running(&mut self, member: &str) -> bool {
        let mut running = self.running.iter_mut().filter(|(running, _)| running == member);
        running.any(|(_, child)| child.try_wait().expect("it is our process").is_none())
    }

    /// Asks a node to stop and waits until it has.
    ///
    /// # Panics
    /// When it does not stop cleanly.
    pub fn stop(&mut self, member: &str) {
        for (_, child) in self.running.iter_mut().filter(|(running, _)| running == member) {
            kill_process(Pid::from_child(child), Signal::TERM).expect("it is our process");
            assert!(child.wait().expect("it is our process").success(), "{member} did not stop cleanly");
        }
        self.running.retain(|(running, _)| running != member);
    }

    /// Kills a node that runs, as a power cut would.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self, member: &str) {
        for (_, child) in self.running.iter_mut().filter(|(running, _)| running == member) {
            child.kill().and_then(|()| child.wait()).expect("it is our process");
        }
        self.running.retain(|(running, _)| running != member);
    }

    /// A member's node, running or not.
    #[must_use]
    pub fn node(&self, member: &str) -> Node {
        Node::open(&self.dir.join(member))
    }
}

impl Drop for Founded {
    fn drop(&mut self) {
        for (member, child) in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
            if std::thread::panicking() {
                let log = fs::read_to_string(self.dir.join(&*member).join("node.log")).unwrap_or_default();
                eprintln!("the log of {member}:\n{log}");
            }
        }
    }
}

/// Runs `kring` with these arguments, which must succeed.
fn good(arguments: &[&[&str]]) {
    let (code, _, log) = run(&arguments.concat());
    assert_eq!(code, 0, "{arguments:?}: {log}");
}

/// The first of so many ports in a row that nobody uses now. Below those that systems give out, and away from those
/// that demonstrations choose.
fn free_ports(count: u16) -> u16 {
    let is_free = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    };
    let tries = std::iter::repeat_with(|| 10_000 + rand::random::<u16>() % 9_000).take(100);
    tries.into_iter().find(|first| (*first..first + count).all(is_free)).expect("there are free ports")
}

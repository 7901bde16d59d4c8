//! Who receives what leaves a node: a webhook receiver and a mail server, both other people's software
//! (`tests/outgoing`), with the files that a node needs to reach them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use crate::wait::until;

/// Names the directory with the receivers' packages (`npm ci` of `tests/outgoing`).
pub const MODULES: &str = "TEST_OUTGOING_MODULES";
/// What the receiver and the node know.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// How long something may take to arrive.
const SOON: Duration = Duration::from_secs(60);

/// Both, running. Dropping it ends them.
#[derive(Debug)]
pub struct Receivers {
    dir: PathBuf,
    running: Vec<Child>,
}

impl Receivers {
    /// Starts both in a directory; `clock` is the test's. None, and a word about it, where their packages are not installed.
    ///
    /// # Panics
    /// When they do not start.
    #[must_use]
    pub fn start(dir: &Path, clock: &Path) -> Option<Self> {
        if std::env::var_os(MODULES).is_none() {
            eprintln!(
                "SKIPPED: {MODULES} is not set; `npm ci` in tests/outgoing, and set it to its node_modules"
            );
            return None;
        }
        let key = KeyPair::generate().expect("the system gives randomness");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let params = CertificateParams::new(names).expect("these are names");
        let certificate = params.self_signed(&key).expect("a key signs for itself");
        let write =
            |name: &str, text: &str| fs::write(dir.join(name), text).expect("the directory can be written");
        write("key.pem", &key.serialize_pem());
        write("certificate.pem", &certificate.pem());
        write("secret", SECRET);
        std::os::unix::fs::symlink(clock, dir.join("clock")).expect("the directory can be written");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("outgoing");
        let start = |script: &str| {
            let mut node = Command::new("node");
            let node = node.arg(scripts.join(script)).arg(dir).stdin(Stdio::null());
            node.spawn().expect("node is installed where the packages are")
        };
        let running = vec![start("receiver.mjs"), start("mailbox.mjs")];
        let receivers = Self { dir: dir.to_owned(), running };
        receivers.port("port");
        receivers.port("mail-port");
        Some(receivers)
    }

    fn port(&self, file: &str) -> u16 {
        let read = || fs::read_to_string(self.dir.join(file)).ok()?.trim().parse().ok();
        until("a receiver listens", SOON, read)
    }

    /// Tells a node that has not started, or is stopped, of both.
    ///
    /// # Panics
    /// When its directory cannot be written.
    pub fn configure(&self, node: &Path) {
        let (port, mail) = (self.port("port"), self.port("mail-port"));
        let file = |name: &str| self.dir.join(name).to_string_lossy().into_owned();
        let webhooks = format!(
            "version = 1\n[[webhook]]\nname = \"case-system\"\nurl = \"https://127.0.0.1:{port}/kring?from=test\"\n\
             secret_file = \"{}\"\nca_file = \"{}\"\nallow_ports = [{port}]\nallow_inside = [\"127.0.0.1/32\"]\n",
            file("secret"),
            file("certificate.pem")
        );
        fs::write(node.join("webhooks.toml"), webhooks).expect("the node's directory can be written");
        let settings = node.join("node.toml");
        let mut text = fs::read_to_string(&settings).expect("the node was founded");
        text.push_str(&format!(
            "smtp_server = \"127.0.0.1:{mail}\"\nsmtp_security = \"none\"\nmail_from = \"kring@partner.example\"\n\
             coordinator_mail = \"coordinator@covenant.example\"\n"
        ));
        fs::write(settings, text).expect("the node's directory can be written");
    }

    /// With which status webhooks are answered from now on.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn answer(&self, status: u16) {
        fs::write(self.dir.join("status"), status.to_string()).expect("the directory can be written");
    }

    /// Whether mails are refused from now on.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn refuse_mails(&self, refuse: bool) {
        let file = self.dir.join("refuse");
        let done = if refuse { fs::write(file, "") } else { fs::remove_file(file) };
        done.expect("the directory can be written");
    }

    /// The webhooks that came, whatever they were answered.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Value> {
        self.lines("received")
    }

    /// The mails that were taken.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        self.lines("mails")
    }

    /// The mails that were refused.
    #[must_use]
    pub fn refused(&self) -> Vec<Value> {
        self.lines("refused")
    }

    /// Everything that came, as it was written down.
    #[must_use]
    pub fn everything(&self) -> Vec<u8> {
        let read = |name: &&str| fs::read(self.dir.join(name)).unwrap_or_default();
        ["received", "mails", "refused"].iter().flat_map(read).collect()
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

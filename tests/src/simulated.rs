//! A clock that a test moves: all nodes of a network read it from one file, and between its steps time stands still.
//! A node says when it has done all that a step set off.
//!
//! So days pass in minutes, and however slow a machine is, nothing in the network is ever late.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use kring_node::canary::watch::Asked;
use kring_node::clock::{Clock, Time};
use kring_protocol::time::Timestamp;
use tokio::sync::watch;
use tokio::task;

/// Names the file with the time, in seconds since 1970; nodes go by the system's clock if it is not set.
pub const CLOCK: &str = "TEST_CLOCK";

/// Names the file to which a node writes the time for which it has done everything.
pub const DONE: &str = "TEST_DONE";

/// Names the file to which a node writes the time that it goes by, whenever it changes.
pub const SEEN: &str = "TEST_SEEN";

/// How often a node looks at the file.
const LOOK: Duration = Duration::from_millis(2);

/// The hand of the clock.
#[derive(Debug)]
pub struct Hand {
    file: PathBuf,
    now: u64,
}

impl Hand {
    /// A new clock in a directory, at this moment.
    ///
    /// # Panics
    /// When the directory cannot be written.
    #[must_use]
    pub fn new(dir: &Path, now: Timestamp) -> Self {
        let mut hand = Self { file: dir.join("clock"), now: 0 };
        hand.set(now);
        hand
    }

    /// Its file, for [`CLOCK`].
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What it shows.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.now)
    }

    /// Moves it.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn set(&mut self, now: Timestamp) {
        self.now = now.secs();
        write(&self.file, self.now).expect("the test's directory can be written");
    }

    /// Whether the node with this file for [`DONE`] has done everything that was to be done by now, or the one with this file
    /// for [`SEEN`] goes by this moment.
    #[must_use]
    pub fn is_done(&self, file: &Path) -> bool {
        read(file) == Some(self.now)
    }
}

/// A node's view of it.
#[derive(Debug)]
struct Simulated {
    shown: watch::Receiver<u64>,
    tasks: Arc<Tasks>,
}

/// The tasks that go by the clock: until when each waits, or none while it is at work.
#[derive(Debug, Default)]
struct Tasks(Mutex<HashMap<Option<task::Id>, Option<u64>>>);

impl Tasks {
    fn set(&self, until: Option<u64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task::try_id(), until);
    }

    /// Whether all of them wait for a later moment.
    fn are_done(&self, now: u64) -> bool {
        let tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !tasks.is_empty() && tasks.values().all(|until| until.is_some_and(|until| until > now))
    }
}

impl Time for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(*self.shown.borrow())
    }

    fn until(&self, moment: Timestamp) -> BoxFuture<'_, ()> {
        let mut shown = self.shown.clone();
        async move {
            self.tasks.set(Some(moment.secs()));
            // An error means that the program ends.
            let _ = shown.wait_for(|now| *now >= moment.secs()).await;
            self.tasks.set(None);
        }
        .boxed()
    }
}

/// The clock that the environment names.
///
/// # Panics
/// When its file cannot be read.
#[must_use]
pub fn from_environment() -> Arc<dyn Time> {
    let Some(file) = std::env::var_os(CLOCK).map(PathBuf::from) else { return Arc::new(Clock) };
    let [out, seen] = [DONE, SEEN].map(|name| std::env::var_os(name).map(PathBuf::from));
    let (hand, shown) = watch::channel(read(&file).expect("the test made a clock"));
    let tasks = Arc::new(Tasks::default());
    let simulated = Simulated { shown, tasks: Arc::clone(&tasks) };
    std::thread::spawn(move || {
        let mut done = 0;
        // Gone with the test's directory.
        while let Some(now) = read(&file) {
            if hand.send_if_modified(|shown| std::mem::replace(shown, now) != now)
                && let Some(seen) = &seen
            {
                write(seen, now).expect("the test's directory can be written");
            }
            if let Some(out) = &out
                && done != now
                && tasks.are_done(now)
                && write(out, now).is_ok()
            {
                done = now;
            }
            std::thread::sleep(LOOK);
        }
    });
    Arc::new(simulated)
}

/// Names a file with a number; whenever it changes, the node draws canaries: of those whose first half ends where the number
/// is odd.
pub const CANARY: &str = "TEST_CANARY";

/// Notified whenever the file that the environment names has changed.
#[must_use]
pub fn asked_for_canaries() -> Asked {
    let asked = Asked::default();
    let Some(file) = std::env::var_os(CANARY).map(PathBuf::from) else { return asked };
    let notify = asked.clone();
    std::thread::spawn(move || {
        let mut known = read(&file);
        loop {
            let now = read(&file);
            if let Some(number) = now.filter(|_| now != known) {
                let which = if number % 2 == 1 { &notify.ending } else { &notify.meeting };
                which.notify_one();
            }
            known = now;
            std::thread::sleep(LOOK * 20);
        }
    });
    asked
}

fn read(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Whoever reads it reads all of it.
fn write(file: &Path, secs: u64) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, secs.to_string())?;
    std::fs::rename(&new, file)
}

//! A clock that a test moves: all nodes of a network read it from one file, and between its steps time stands still.
//!
//! So days pass in minutes, and however slow a machine is, nothing in the network is ever late.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use kring_node::clock::{Clock, Time};
use kring_protocol::time::Timestamp;
use tokio::sync::watch;

/// Names the file with the time, in seconds since 1970; nodes go by the system's clock if it is not set.
pub const CLOCK: &str = "TEST_CLOCK";

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

    /// Moves it. The nodes see it within a few milliseconds.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn set(&mut self, now: Timestamp) {
        self.now = now.secs();
        let new = self.file.with_extension("new");
        std::fs::write(&new, self.now.to_string()).expect("the test's directory can be written");
        std::fs::rename(&new, &self.file).expect("both are in one directory");
    }
}

/// A node's view of it.
#[derive(Clone, Debug)]
struct Simulated(watch::Receiver<u64>);

impl Time for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(*self.0.borrow())
    }

    fn until(&self, moment: Timestamp) -> BoxFuture<'_, ()> {
        let mut shown = self.0.clone();
        // An error means that the program ends.
        async move { shown.wait_for(|now| *now >= moment.secs()).map(drop).await }.boxed()
    }
}

/// The clock that the environment names.
///
/// # Panics
/// When its file cannot be read.
#[must_use]
pub fn from_environment() -> Arc<dyn Time> {
    let Some(file) = std::env::var_os(CLOCK).map(PathBuf::from) else { return Arc::new(Clock) };
    let (hand, shown) = watch::channel(read(&file).expect("the test made a clock"));
    std::thread::spawn(move || {
        // Gone with the test's directory.
        while let Some(now) = read(&file) {
            hand.send_if_modified(|shown| std::mem::replace(shown, now) != now);
            std::thread::sleep(LOOK);
        }
    });
    Arc::new(Simulated(shown))
}

fn read(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

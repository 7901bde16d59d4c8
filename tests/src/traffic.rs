//! What an observer of the network sees of a node's messages: when, which way, which family, with whom, how many bytes.
//! Written down as they pass, with the part of their meaning that tells a node's own requests from what it relays.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kring_node::clock::Time;
use kring_node::network::{Family, Passing, Tap, Way};
use kring_protocol::log::witness::message as witness;
use kring_protocol::{codec, evaluation, relay};

/// Names the file that the messages are written down in.
pub const TRAFFIC: &str = "TEST_TRAFFIC";

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// When it passed, in seconds since 1970 by the node's clock.
    pub at: u64,
    /// `RequestOut` or another way.
    pub way: String,
    /// The kind of request, or the family's name for an answer.
    pub kind: String,
    /// The member at the other end.
    pub peer: String,
    /// For which matcher, where a request says so.
    pub matcher: String,
    /// Bytes.
    pub len: usize,
}

/// The tap that writes.
#[derive(Debug)]
pub struct Observer {
    file: Mutex<File>,
    time: Arc<dyn Time>,
}

impl Observer {
    /// As the environment says; none if it says nothing.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn from_environment(time: Arc<dyn Time>) -> std::io::Result<Option<Self>> {
        let Some(path) = std::env::var_os(TRAFFIC).map(PathBuf::from) else { return Ok(None) };
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Some(Self { file: Mutex::new(file), time }))
    }
}

impl Tap for Observer {
    fn pass(&self, Passing { way, peer, family }: Passing<'_>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let (kind, matcher) = match way {
            Way::RequestOut => kind(family, &bytes),
            _ => (format!("{family}"), "-".to_owned()),
        };
        let (at, len) = (self.time.now().secs(), bytes.len());
        let line = format!("{at} {way:?} {kind} {peer} {matcher} {len}\n");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).expect("the test's directory can be written");
        Some(bytes)
    }
}

fn kind(family: Family, bytes: &[u8]) -> (String, String) {
    let none = || "-".to_owned();
    match family {
        Family::Forward => match codec::decode(bytes) {
            Ok(relay::Request::Forward { matcher, .. }) => ("forward".to_owned(), matcher.to_string()),
            Ok(relay::Request::Relayed { .. }) => ("relayed".to_owned(), none()),
            Ok(relay::Request::WeeklyKey) => ("weekly-key".to_owned(), none()),
            Err(_) => ("?".to_owned(), none()),
        },
        Family::Evaluate => match codec::decode(bytes) {
            Ok(evaluation::Request::Announce(_)) => ("announce".to_owned(), none()),
            Ok(evaluation::Request::Evaluate(_)) => ("evaluate".to_owned(), none()),
            _ => ("head".to_owned(), none()),
        },
        Family::Witness => match codec::decode(bytes) {
            Ok(witness::Request::Chains { .. }) => ("chains".to_owned(), none()),
            Ok(witness::Request::Header { .. }) => ("header".to_owned(), none()),
            Ok(witness::Request::Vouched { .. }) => ("vouched".to_owned(), none()),
            Ok(witness::Request::Board { matcher, .. }) => ("board-head".to_owned(), matcher.to_string()),
            Err(_) => ("?".to_owned(), none()),
        },
        other => (other.to_string(), none()),
    }
}

/// What was written down in a file, in order; a line that is being written is left out.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn seen(file: &Path) -> Vec<Seen> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(parse).collect()
}

fn parse(line: &str) -> Seen {
    let [at, way, kind, peer, matcher, len] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("not a line of traffic: {line}")
    };
    let number = |text: &str| text.parse().expect("a number");
    Seen {
        at: number(at) as u64,
        way: way.to_owned(),
        kind: kind.to_owned(),
        peer: peer.to_owned(),
        matcher: matcher.to_owned(),
        len: number(len),
    }
}

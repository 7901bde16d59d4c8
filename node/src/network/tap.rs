//! Where a test program looks at, changes or withholds what a node sends and receives
//! (`docs/decisions/0010-a-tap-for-tests.md`).
//!
//! The product has no tap: only [`crate::run_with`] sets one, and `kring node` calls [`crate::run`].

use std::fmt;

use kring_protocol::id::MemberId;

use super::Family;

/// Which way a message goes, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A request of ours.
    RequestOut,
    /// A member's request.
    RequestIn,
    /// Our answer to a member.
    AnswerOut,
    /// A member's answer to us.
    AnswerIn,
}

/// One message on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    pub way: Way,
    /// The member at the other end.
    pub peer: &'a MemberId,
    pub family: Family,
}

/// Sees every message between the transport and the roles: decrypted, without its frame.
pub trait Tap: fmt::Debug + Send + Sync {
    /// What goes on instead of `bytes`. None: the message is lost, and its request is closed unanswered.
    fn pass(&self, passing: Passing<'_>, bytes: Vec<u8>) -> Option<Vec<u8>>;

    /// Whether a member's request is left open: it is neither answered nor closed until its family's time is over.
    fn holds(&self, _passing: Passing<'_>, _request: &[u8]) -> bool {
        false
    }
}

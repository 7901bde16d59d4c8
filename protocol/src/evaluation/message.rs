//! The messages of `/kring/evaluate/1` (`docs/protocol.md` section 4.5).
//!
//! A request comes over an authenticated connection; whose it is stands there and not in the message.

use serde::{Deserialize, Serialize};

use super::{Acknowledgement, HeaderHash, SignedAnswer, SignedHeader};
use crate::codec::{Bytes, Wire};
use crate::id::{Epoch, MemberId};

/// Most headers in one message. Whoever is further behind is brought up in several.
pub const MAX_HEADERS: usize = 64;

/// Asked of a key holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Request {
    /// Enter these headers of mine. Replied to with [`Response::Acknowledged`].
    Announce(Announce),
    /// Evaluate these elements. Replied to with [`Response::Answered`].
    Evaluate(Evaluate),
    /// What is the highest header of `member` in `epoch`? Answered always: to a member about itself when it starts,
    /// and to holders about every member. Replied to with [`Response::Head`].
    Head {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        member: MemberId,
    },
    /// The headers of `member` in `epoch` from number `from` on, at most [`MAX_HEADERS`]. Replied to with
    /// [`Response::Headers`].
    Headers {
        /// The epoch.
        epoch: Epoch,
        /// The member.
        member: MemberId,
        /// The first number wanted.
        from: u64,
    },
}

impl Wire for Request {
    const MAX_LEN: usize = 132 * 1_024;
}

/// Headers to enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// Ascending and without gaps, 1 to [`MAX_HEADERS`].
    pub headers: Vec<SignedHeader>,
}

/// Elements to evaluate under a header that was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    /// The epoch of the header's chain.
    pub epoch: Epoch,
    /// The header.
    pub header: HeaderHash,
    /// Of a majority of the other key holders.
    pub acknowledgements: Vec<Acknowledgement>,
    /// The blinded elements, parsed only once everything else is in order.
    pub elements: Bytes,
}

/// A key holder's reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Response {
    /// The last header announced stands in the chain.
    Acknowledged(Acknowledgement),
    /// The evaluations.
    Answered(SignedAnswer),
    /// The highest header, if there is any.
    Head(Option<SignedHeader>),
    /// The headers asked for, ascending.
    Headers(Vec<SignedHeader>),
    /// No, and why.
    Refused(Refused),
}

impl Wire for Response {
    const MAX_LEN: usize = 281 * 1_024;
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The highest header that the holder has of the asker in this epoch.
    pub highest: Option<SignedHeader>,
}

/// Why a holder refuses. In brackets: who has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// (asker) Not a member of the covenant in force.
    #[error("not a member of the covenant in force")]
    Stranger,
    /// (asker) Announced headers are not signed, malformed or none.
    #[error("the announced headers are malformed or not signed by their member")]
    Malformed,
    /// (asker) Headers of another member, network or epoch.
    #[error("the header belongs to another member, network or epoch")]
    OtherChain,
    /// (asker) Earlier headers are missing: send those after the highest known.
    #[error("earlier headers are missing; send those after the highest known")]
    Gap,
    /// (asker) The next number, but another predecessor or total than the highest header known.
    #[error("the header does not continue the highest known")]
    DoesNotContinue,
    /// (asker) Another header has this number. Both signatures are kept as proof.
    #[error("another header was signed with this number; both are kept as proof")]
    UsedNumber,
    /// (asker) Not the last header entered: announce it first.
    #[error("not the last header entered; announce it first")]
    NotEntered,
    /// (whoever is behind) Made under another covenant than the one in force here.
    #[error("made under another covenant than the one in force")]
    Covenant,
    /// (whoever's clock is wrong) More than ten minutes from this holder's clock: make a new header.
    #[error("more than ten minutes from this holder's clock")]
    Clock,
    /// (asker) The member does not take part in the purpose.
    #[error("the member does not take part in this purpose")]
    Purpose,
    /// (asker) A key whose matcher is the member, or shares its controller or operator.
    #[error("a matcher may not ask under its own key, nor may its relations")]
    OwnMatcher,
    /// (asker) Not exactly the keys of the purpose.
    #[error("the header must name all keys of the purpose, ascending")]
    Keys,
    /// (asker) Too few acknowledgements of other key holders.
    #[error("acknowledgements of a majority of the other key holders are needed")]
    Acknowledgements,
    /// (asker) This holder holds none of the keys.
    #[error("this holder holds no share of the keys asked")]
    NoShare,
    /// (asker) An element is not canonical or the identity, or they are not those of the header.
    #[error("the elements are unusable or not those of the header")]
    Elements,
    /// (nobody) Today's budget and the allowance are spent: ask again tomorrow.
    #[error("the budget is spent; it is new tomorrow")]
    Budget,
    /// (holder) Starting, and not yet sure of what it signed before: ask another holder.
    #[error("this holder is catching up")]
    CatchingUp,
}

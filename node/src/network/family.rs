//! The message families: one protocol name, one set of limits each (`docs/protocol.md` section 8).

use std::fmt;
use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A message family. Its name on the wire carries its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Evaluate,
    Forward,
    Board,
    Covenant,
    Ceremony,
    Witness,
    Trace,
}

impl Family {
    /// All of them, in the order of `Family::index`.
    pub const ALL: [Self; 7] = [
        Self::Evaluate,
        Self::Forward,
        Self::Board,
        Self::Covenant,
        Self::Ceremony,
        Self::Witness,
        Self::Trace,
    ];

    /// The protocol name that libp2p negotiates.
    #[must_use]
    pub const fn protocol(self) -> &'static str {
        match self {
            Self::Evaluate => "/kring/evaluate/1",
            Self::Forward => "/kring/forward/1",
            Self::Board => "/kring/board/1",
            Self::Covenant => "/kring/covenant/1",
            Self::Ceremony => "/kring/ceremony/1",
            Self::Witness => "/kring/witness/1",
            Self::Trace => "/kring/trace/1",
        }
    }

    /// Largest request, in bytes.
    #[must_use]
    pub const fn max_request(self) -> usize {
        match self {
            Self::Evaluate => 160 * KIB,
            Self::Board | Self::Witness => 64 * KIB,
            Self::Forward => 2 * MIB,
            Self::Covenant | Self::Ceremony | Self::Trace => MIB,
        }
    }

    /// Largest response, in bytes.
    #[must_use]
    pub const fn max_response(self) -> usize {
        match self {
            Self::Evaluate => 320 * KIB,
            Self::Forward => 2 * MIB,
            Self::Board => 4 * MIB,
            Self::Covenant | Self::Ceremony | Self::Trace => MIB,
            Self::Witness => 64 * KIB,
        }
    }

    /// How long a request may take. A board request may be a long poll of a minute.
    #[must_use]
    pub const fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::Board => 70,
            Self::Evaluate | Self::Forward | Self::Ceremony | Self::Trace => 30,
            Self::Covenant | Self::Witness => 20,
        })
    }

    /// Requests of one member to another that may be open at once, in each direction. An asker waits for a place;
    /// an answerer closes what is over. With the sizes above this bounds the memory one member can claim.
    #[must_use]
    pub const fn concurrent(self) -> usize {
        match self {
            Self::Evaluate => 16,
            Self::Board | Self::Witness => 8,
            Self::Forward | Self::Covenant | Self::Ceremony | Self::Trace => 4,
        }
    }

    /// Its place in [`Family::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol())
    }
}

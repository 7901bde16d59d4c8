//! Identifiers. Each is its own type; a value that exists is valid.
//!
//! Slugs are names that people choose (`docs/protocol.md` section 2.1); byte ids are random or derived.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an id: 1 to 32 characters, lower-case letters, digits and hyphens, starting with a letter or digit"
)]
pub struct NotASlug(pub String);

/// Longest slug, in bytes.
pub const SLUG_MAX_LEN: usize = 32;

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    (1..=SLUG_MAX_LEN).contains(&bytes.len()) && bytes.iter().all(allowed) && !text.starts_with('-')
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id as it is joined, signed and derived from.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = NotASlug;

            fn from_str(text: &str) -> Result<Self, NotASlug> {
                if is_slug(text) { Ok(Self(text.to_owned())) } else { Err(NotASlug(text.chars().take(64).collect())) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

slug! {
    /// A member of the covenant. A matcher, relay or key holder is a member too and is named by the same id.
    MemberId
}
slug! {
    /// A purpose of the covenant.
    PurposeId
}
slug! {
    /// A recipe by which a match key is made, such as `bsn` or `name-birth`.
    RecipeId
}

slug! {
    /// A professional's function, from the covenant's list.
    FunctionId
}

/// A byte id had the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} bytes, found {found}")]
pub struct WrongLength {
    /// Bytes that the type holds.
    pub expected: usize,
    /// Bytes that were given.
    pub found: usize,
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Size in bytes.
            pub const LEN: usize = $len;

            /// From its bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::id::WrongLength;

            fn try_from(bytes: &[u8]) -> Result<Self, $crate::id::WrongLength> {
                bytes.try_into().map(Self).map_err(|_| $crate::id::WrongLength { expected: $len, found: bytes.len() })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::codec::serialize_bytes(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::codec::deserialize_array(deserializer).map(Self)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({}..)"), hex::encode(&self.0[..4]))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
    };
}
pub(crate) use byte_id;

byte_id! {
    /// The network: SHA-256 of the first covenant.
    NetworkId, 32
}
byte_id! {
    /// SHA-256 of one version of the covenant.
    CovenantHash, 32
}
byte_id! {
    /// What a matcher compares: derived from a subject key, random to everyone without it (section 5.1).
    Tag, 16
}
byte_id! {
    /// Drawn per case; the only thing by which two partners can speak of a pair of cases (section 5.2).
    Reference, 16
}
byte_id! {
    /// A pair of references, the same on both sides (section 6.4).
    MatchId, 16
}
byte_id! {
    /// Where a board message stands; random to everyone but its reader (section 6.2).
    Address, 16
}

/// The number of a key epoch, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// Big-endian bytes, the form in which an epoch is joined, signed and derived from.
    #[must_use]
    pub const fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::MemberId;

    #[test]
    fn slugs_are_checked_at_the_border() {
        for good in ["a", "veilig-thuis", "school-12", "0"] {
            assert!(good.parse::<MemberId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "é", "a b", "a_b", &"a".repeat(33)] {
            assert!(bad.parse::<MemberId>().is_err(), "{bad}");
        }
    }
}

//! Secret bytes: wiped when dropped, redacted in `Debug`, compared in constant time, never serialised by accident.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes. Reading them is a named act: [`Secret::expose`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes over the bytes.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws `N` bytes from `rng`.
    pub fn random(rng: &mut (impl rand_core::RngCore + rand_core::CryptoRng)) -> Self {
        let mut secret = Self([0; N]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// The bytes, for use in cryptography or for sealing to disk.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> TryFrom<&[u8]> for Secret<N> {
    type Error = crate::id::WrongLength;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self).map_err(|_| crate::id::WrongLength { expected: N, found: bytes.len() })
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// For `#[serde(with = "crate::secret::stored")]`: the named way of writing a secret into a record that is sealed
/// before it reaches a disk.
pub mod stored {
    use serde::{Deserializer, Serializer};

    use super::Secret;

    /// Writes the bytes.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer, const N: usize>(
        secret: &Secret<N>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_bytes(secret.expose(), serializer)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// The deserializer's, or another length.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Secret<N>, D::Error> {
        crate::codec::deserialize_array(deserializer).map(Secret)
    }
}

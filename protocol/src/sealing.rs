//! HPKE (RFC 9180) with X25519-HKDF-SHA256, HKDF-SHA256 and AES-256-GCM, and the X25519 keys it needs: base mode to a
//! receiver, and the mode with a sender's key and a pre-shared key between two that know each other.
//!
//! What is sealed to whom, and under which `info`, is decided where the message is made.

use std::fmt;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crypto::Unopenable;
use crate::secret::Secret;
use crate::sign::is_canonical_field_element;

/// Bytes of an encapsulated key.
pub const ENCAPPED_LEN: usize = 32;
/// Bytes that one sealing adds to its plaintext.
pub const OVERHEAD: usize = ENCAPPED_LEN + crate::crypto::AEAD_TAG_LEN;

/// An X25519 public key that is canonical and not of small order (section 2.4), so that sealing to it cannot fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeKey([u8; 32]);

/// The bytes are not a usable X25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical X25519 public key of large order")]
pub struct BadExchangeKey;

/// Canonical u-coordinates of the points whose order divides 8, on the curve and on its twist (RFC 7748 section 6.1).
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    first_byte(1),
    p_minus_one(),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

const fn first_byte(byte: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = byte;
    bytes
}

const fn p_minus_one() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xec;
    bytes[31] = 0x7f;
    bytes
}

impl ExchangeKey {
    /// Parses and checks.
    ///
    /// # Errors
    /// [`BadExchangeKey`] for an encoding that is not canonical or a point of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, BadExchangeKey> {
        let usable = is_canonical_field_element(&bytes) && !SMALL_ORDER.contains(&bytes);
        if usable { Ok(Self(bytes)) } else { Err(BadExchangeKey) }
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn hpke(&self) -> <X25519HkdfSha256 as Kem>::PublicKey {
        <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0).expect("an X25519 public key is 32 bytes")
    }
}

impl Serialize for ExchangeKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_bytes(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for ExchangeKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(crate::codec::deserialize_array(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for ExchangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeKey({}..)", hex::encode(&self.0[..4]))
    }
}

/// The private half of an [`ExchangeKey`].
#[derive(Clone)]
pub struct ExchangeSecret {
    secret: Secret<32>,
    public: ExchangeKey,
}

impl ExchangeSecret {
    /// From 32 random bytes (clamped in use, RFC 7748 section 5).
    #[must_use]
    pub fn from_bytes(secret: Secret<32>) -> Self {
        let private = x25519_dalek::StaticSecret::from(*secret.expose());
        let public = ExchangeKey(x25519_dalek::PublicKey::from(&private).to_bytes());
        Self { secret, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> ExchangeKey {
        self.public
    }

    /// The private bytes, for sealing to disk.
    #[must_use]
    pub const fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// The raw X25519 secret shared with `other` (RFC 7748 section 6.1); never zero, as [`ExchangeKey`] excludes small
    /// orders.
    #[must_use]
    pub(crate) fn exchange(&self, other: &ExchangeKey) -> Secret<32> {
        Secret::new(x25519_dalek::x25519(*self.secret.expose(), other.0))
    }

    fn hpke(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.secret.expose())
            .expect("an X25519 key is 32 bytes")
    }
}

impl fmt::Debug for ExchangeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExchangeSecret(<redacted>, public {:?})", self.public)
    }
}

/// A sending context to one receiver: seals any number of messages in order and exports keys.
pub struct Sender {
    encapped: [u8; ENCAPPED_LEN],
    context: hpke::aead::AeadCtxS<AesGcm256, HkdfSha256, X25519HkdfSha256>,
}

impl Sender {
    /// Sets up a context to `receiver`.
    pub fn new(receiver: &ExchangeKey, info: &[u8], rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let (encapped, context) = hpke::setup_sender::<AesGcm256, HkdfSha256, X25519HkdfSha256, _>(
            &OpModeS::Base,
            &receiver.hpke(),
            info,
            rng,
        )
        .expect("encapsulation fails only for keys of small order, which ExchangeKey excludes");
        let encapped = encapped.to_bytes().as_slice().try_into().expect("an encapsulated key is 32 bytes");
        Self { encapped, context }
    }

    /// The encapsulated key, which the receiver needs.
    #[must_use]
    pub const fn encapped(&self) -> &[u8; ENCAPPED_LEN] {
        &self.encapped
    }

    /// Seals the context's first message: encapsulated key, ciphertext, tag.
    #[must_use]
    pub fn seal(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let ciphertext = self.context.seal(plaintext, &[]).expect("a fresh context seals one message");
        [self.encapped.as_slice(), &ciphertext].concat()
    }

    /// Exports a key bound to this context (RFC 9180 section 5.3).
    #[must_use]
    pub fn export(&self, label: &[u8]) -> Secret<32> {
        let mut key = [0; 32];
        self.context.export(label, &mut key).expect("32 bytes is a length that the exporter allows");
        Secret::new(key)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(<redacted>)")
    }
}

/// The receiving side of a [`Sender`].
pub struct Receiver {
    context: hpke::aead::AeadCtxR<AesGcm256, HkdfSha256, X25519HkdfSha256>,
}

impl Receiver {
    /// Sets up the context from the sender's encapsulated key.
    ///
    /// # Errors
    /// [`Unopenable`] when `encapped` is not a usable public key.
    pub fn new(secret: &ExchangeSecret, encapped: &[u8], info: &[u8]) -> Result<Self, Unopenable> {
        let encapped =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| Unopenable)?;
        let context =
            hpke::setup_receiver(&OpModeR::Base, &secret.hpke(), &encapped, info).map_err(|_| Unopenable)?;
        Ok(Self { context })
    }

    /// Opens the sender's first message (the ciphertext without the encapsulated key).
    ///
    /// # Errors
    /// [`Unopenable`].
    pub fn open(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, Unopenable> {
        self.context.open(ciphertext, &[]).map_err(|_| Unopenable)
    }

    /// The same key that [`Sender::export`] gave for `label`.
    #[must_use]
    pub fn export(&self, label: &[u8]) -> Secret<32> {
        let mut key = [0; 32];
        self.context.export(label, &mut key).expect("32 bytes is a length that the exporter allows");
        Secret::new(key)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver(<redacted>)")
    }
}

/// Seals one message to `receiver`.
pub fn seal(
    receiver: &ExchangeKey,
    info: &[u8],
    plaintext: &[u8],
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<u8> {
    Sender::new(receiver, info, rng).seal(plaintext)
}

/// Opens what [`seal`] made and returns the context for exporting keys.
///
/// # Errors
/// [`Unopenable`] for another key, another `info`, or altered bytes.
pub fn open(secret: &ExchangeSecret, info: &[u8], sealed: &[u8]) -> Result<(Vec<u8>, Receiver), Unopenable> {
    let (encapped, ciphertext) = sealed.split_at_checked(ENCAPPED_LEN).ok_or(Unopenable)?;
    let mut receiver = Receiver::new(secret, encapped, info)?;
    let plaintext = receiver.open(ciphertext)?;
    Ok((plaintext, receiver))
}

/// What sender and receiver of an authenticated message both know beforehand. RFC 9180 section 5.1 wants both parts.
#[derive(Clone, Copy, Debug)]
pub struct Psk<'a> {
    /// The key.
    pub key: &'a Secret<32>,
    /// Its name.
    pub id: &'a [u8],
}

impl<'a> Psk<'a> {
    fn bundle(self) -> PskBundle<'a> {
        PskBundle { psk: self.key.expose(), psk_id: self.id }
    }
}

/// Seals one message to `receiver` so that it opens only as coming from `sender` (RFC 9180 section 5.1.4,
/// `mode_auth_psk`).
pub fn seal_authenticated(
    sender: &ExchangeSecret,
    receiver: &ExchangeKey,
    psk: Psk<'_>,
    info: &[u8],
    plaintext: &[u8],
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<u8> {
    let mode = OpModeS::AuthPsk((sender.hpke(), sender.public.hpke()), psk.bundle());
    let (encapped, mut context) =
        hpke::setup_sender::<AesGcm256, HkdfSha256, X25519HkdfSha256, _>(&mode, &receiver.hpke(), info, rng)
            .expect("encapsulation fails only for keys of small order, which ExchangeKey excludes");
    let ciphertext = context.seal(plaintext, &[]).expect("a fresh context seals one message");
    [encapped.to_bytes().as_slice(), &ciphertext].concat()
}

/// Opens what [`seal_authenticated`] made, if `sender` made it.
///
/// # Errors
/// [`Unopenable`] for another sender, receiver, pre-shared key or `info`, or altered bytes.
pub fn open_authenticated(
    receiver: &ExchangeSecret,
    sender: &ExchangeKey,
    psk: Psk<'_>,
    info: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, Unopenable> {
    let (encapped, ciphertext) = sealed.split_at_checked(ENCAPPED_LEN).ok_or(Unopenable)?;
    let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| Unopenable)?;
    let mode = OpModeR::AuthPsk(sender.hpke(), psk.bundle());
    let mut context = hpke::setup_receiver::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &receiver.hpke(),
        &encapped,
        info,
    )
    .map_err(|_| Unopenable)?;
    context.open(ciphertext, &[]).map_err(|_| Unopenable)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::{ExchangeKey, ExchangeSecret, SMALL_ORDER, open, seal};
    use crate::secret::Secret;

    #[test]
    fn keys_of_small_order_are_refused() {
        for point in SMALL_ORDER {
            let shared = x25519_dalek::x25519([9; 32], point);
            assert_eq!(shared, [0; 32], "the list holds only points of small order");
            assert!(ExchangeKey::from_bytes(point).is_err());
        }
        let mut top_bit = [5; 32];
        top_bit[31] = 0x85;
        assert!(ExchangeKey::from_bytes(top_bit).is_err());
    }

    #[test]
    fn seals_to_one_receiver_and_one_info() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let secret = ExchangeSecret::from_bytes(Secret::random(&mut rng));
        let public = ExchangeKey::from_bytes(*secret.public().as_bytes()).unwrap();
        let mut sender = super::Sender::new(&public, b"info", &mut rng);
        let sealed = sender.seal(b"hello");
        let (plaintext, receiver) = open(&secret, b"info", &sealed).unwrap();
        assert_eq!(plaintext, b"hello");
        assert!(receiver.export(b"x") == sender.export(b"x"));
        assert!(open(&secret, b"other", &sealed).is_err());
        let again = seal(&public, b"info", b"hello", &mut rng);
        assert_ne!(sealed, again);
    }
}

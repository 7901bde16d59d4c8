//! What two partners say to each other after a match: sealed messages between two mailboxes, at addresses that only
//! those two can compute (`docs/protocol.md` section 10).
//!
//! A [`Channel`] is one pair of mailboxes that met. Which pairs a message takes is decided in [`crate::matching`]; how it
//! gets onto a board is a submission's affair ([`crate::submission`]).
//!
//! Not here: what follows from a message.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::board::Body;
use crate::crypto::{Unopenable, hkdf_salted, hmac_sha256_16};
use crate::field::join;
use crate::id::Address;
use crate::label;
use crate::sealing::{self, ExchangeKey, ExchangeSecret, Psk};
use crate::secret::Secret;
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::PostRequest;

pub mod message;

pub use message::{Message, MessageId, MistakenReason, Says};

/// The way between an own mailbox and one that it met. Nobody else can write or read on it, not even who knows the
/// same subject key.
pub struct Channel {
    own: ExchangeSecret,
    other: ExchangeKey,
    psk: Secret<32>,
    outgoing: Direction,
    incoming: Direction,
}

/// One of a channel's two directions.
struct Direction {
    info: Vec<u8>,
    addresses: Secret<32>,
}

impl Channel {
    /// Between `own` and `other`, which met under `key` in `scope`.
    #[must_use]
    pub fn new(key: &SubjectKey, scope: &Scope, own: ExchangeSecret, other: ExchangeKey) -> Self {
        let psk = key.psk(&own.public(), &other);
        let shared = own.exchange(&other);
        let direction = |from: &ExchangeKey, to: &ExchangeKey| Direction {
            info: message_info(scope, from, to),
            addresses: hkdf_salted(
                psk.expose(),
                shared.expose(),
                &join(&[label::ADDRESS, from.as_bytes(), to.as_bytes()]),
            ),
        };
        let outgoing = direction(&own.public(), &other);
        let incoming = direction(&other, &own.public());
        Self { own, other, psk, outgoing, incoming }
    }

    /// Where the `n`-th message to the other stands, from 0.
    #[must_use]
    pub fn address_to(&self, n: u32) -> Address {
        self.outgoing.address(n)
    }

    /// Where the `n`-th message from the other stands, from 0.
    #[must_use]
    pub fn address_from(&self, n: u32) -> Address {
        self.incoming.address(n)
    }

    /// The `n`-th message to the other, ready to be posted. A pure function of its arguments: sealing again gives the
    /// same bytes, which the matcher recognises.
    #[must_use]
    pub fn seal(&self, message: &Message, n: u32) -> PostRequest {
        let plaintext = message.to_plaintext();
        let info = &self.outgoing.info;
        let sealed = sealing::seal_authenticated(
            &self.own,
            &self.other,
            self.psk(),
            info,
            &plaintext,
            &mut self.rng(&plaintext, n),
        );
        let body = Body::try_from(sealed.as_slice()).expect("plaintext and overhead add up to a body");
        PostRequest { address: self.address_to(n), body }
    }

    /// Opens what stands at one of the addresses of messages from the other.
    ///
    /// # Errors
    /// [`Unopenable`] when the other mailbox's owner did not seal it for this one here, or in another form.
    pub fn open(&self, body: &Body) -> Result<Message, Unopenable> {
        let plaintext = sealing::open_authenticated(
            &self.own,
            &self.other,
            self.psk(),
            &self.incoming.info,
            body.as_bytes(),
        )?;
        Message::from_plaintext(&plaintext).map_err(|_| Unopenable)
    }

    fn psk(&self) -> Psk<'_> {
        Psk { key: &self.psk, id: label::PSK }
    }

    /// Drawn from the mailbox's secret and everything that is sealed: one encapsulation, one message, as RFC 6979 does
    /// it for signatures. Another message or number gives another encapsulation.
    fn rng(&self, plaintext: &[u8], n: u32) -> ChaCha20Rng {
        let own = self.own.public();
        let info = join(&[
            label::MESSAGE_SEED,
            own.as_bytes(),
            self.other.as_bytes(),
            &n.to_be_bytes(),
            &self.outgoing.info,
            plaintext,
        ]);
        let seed = hkdf_salted(self.psk.expose(), self.own.secret().expose(), &info);
        ChaCha20Rng::from_seed(*seed.expose())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel(<redacted>)")
    }
}

impl Direction {
    fn address(&self, n: u32) -> Address {
        Address::from_bytes(hmac_sha256_16(self.addresses.expose(), &n.to_be_bytes()))
    }
}

/// `"kring/message/v1" || network || epoch || matcher || purpose || from || to`
fn message_info(scope: &Scope, from: &ExchangeKey, to: &ExchangeKey) -> Vec<u8> {
    join(&[
        label::MESSAGE,
        scope.network.as_bytes(),
        &scope.epoch.to_be_bytes(),
        scope.matcher.as_bytes(),
        scope.purpose.as_bytes(),
        from.as_bytes(),
        to.as_bytes(),
    ])
}

#[cfg(test)]
mod tests;

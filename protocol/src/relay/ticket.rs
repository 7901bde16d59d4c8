//! Tickets: who sent a submission, sealed by the relay to the covenant's two trace keys in turn, so that it takes both
//! holders to open one (section 5.5).
//!
//! One HPKE context per trace key and day; each ticket's key comes from its exporter, which spares the relay three
//! quarters of the cost.

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use super::Trace;
use crate::codec::Bytes;
use crate::crypto::{AEAD_NONCE_LEN, Unopenable, open, seal, sha256};
use crate::field::join;
use crate::id::{MemberId, NetworkId, SLUG_MAX_LEN};
use crate::label;
use crate::sealing::{ENCAPPED_LEN, ExchangeKey, ExchangeSecret, Receiver, Sender};
use crate::secret::Secret;
use crate::sign::Signature;

/// A ticket: id, encapsulated key for the second trace key, and what it seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(Bytes);

const ID_LEN: usize = 16;
/// Each ticket has its own keys, so its nonces are fixed.
const NONCE: [u8; AEAD_NONCE_LEN] = [0; AEAD_NONCE_LEN];
const INNER_LEN: usize = 1 + SLUG_MAX_LEN + Signature::LEN;

/// The covenant's two trace keys: the first opens the inner seal, the second the outer.
#[derive(Clone, Debug)]
pub struct TraceKeys {
    /// The two members and their keys.
    pub holders: [(MemberId, ExchangeKey); 2],
}

/// Makes tickets for one day.
#[derive(Debug)]
pub struct TicketMaker {
    contexts: [Sender; 2],
}

impl TicketMaker {
    /// Sets up the day's two contexts.
    pub fn new(network: &NetworkId, keys: &TraceKeys, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let contexts =
            keys.holders.each_ref().map(|(member, key)| Sender::new(key, &info(network, member), rng));
        Self { contexts }
    }

    /// Seals who sent a submission, with its signature.
    pub fn make(
        &self,
        sender: &MemberId,
        signature: &Signature,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Ticket {
        let mut id = [0; ID_LEN];
        rng.fill_bytes(&mut id);
        let mut plain = vec![u8::try_from(sender.as_bytes().len()).expect("a slug has at most 32 bytes")];
        plain.extend_from_slice(sender.as_bytes());
        plain.resize(1 + SLUG_MAX_LEN, 0);
        plain.extend_from_slice(signature.as_bytes());
        let [inner, outer] = &self.contexts;
        let mut sealed = inner.encapped().to_vec();
        sealed.extend(seal(&ticket_key(|label| inner.export(label), &id), NONCE, &id, &plain));
        let sealed = seal(&ticket_key(|label| outer.export(label), &id), NONCE, &id, &sealed);
        Ticket(Bytes([id.as_slice(), outer.encapped(), &sealed].concat()))
    }
}

impl Ticket {
    /// SHA-256 of the ticket: what the relay signs.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.0.0)
    }

    /// The second holder's part: takes off the outer seal.
    ///
    /// # Errors
    /// [`Unopenable`] when the relay did not seal it to this key: the relay counts as the sender.
    pub fn open_outer(
        &self,
        network: &NetworkId,
        holder: &MemberId,
        key: &ExchangeSecret,
    ) -> Result<HalfOpened, Unopenable> {
        self.open_outer_with(&self.outer_key(network, holder, key)?)
    }

    /// The key of this ticket's outer seal alone: what the second holder shows where others must be able to open this one
    /// ticket too. It opens no other.
    ///
    /// # Errors
    /// [`Unopenable`] for bytes that are no ticket.
    pub fn outer_key(
        &self,
        network: &NetworkId,
        holder: &MemberId,
        key: &ExchangeSecret,
    ) -> Result<Secret<32>, Unopenable> {
        let Parts { id, encapped, .. } = self.parts()?;
        seal_key(network, holder, key, id, encapped)
    }

    /// Takes off the outer seal with its own key.
    ///
    /// # Errors
    /// [`Unopenable`].
    pub fn open_outer_with(&self, key: &Secret<32>) -> Result<HalfOpened, Unopenable> {
        let Parts { id, sealed, .. } = self.parts()?;
        Ok(HalfOpened { id: *id, inner: open(key, NONCE, id, sealed)? })
    }

    fn parts(&self) -> Result<Parts<'_>, Unopenable> {
        let (id, rest) = self.0.0.split_first_chunk::<ID_LEN>().ok_or(Unopenable)?;
        let (encapped, sealed) = rest.split_at_checked(ENCAPPED_LEN).ok_or(Unopenable)?;
        Ok(Parts { id, encapped, sealed })
    }
}

/// A ticket taken apart: its id, the encapsulated key of its outer seal, and what that seals.
struct Parts<'a> {
    id: &'a [u8; ID_LEN],
    encapped: &'a [u8],
    sealed: &'a [u8],
}

/// A ticket without its outer seal: still closed to everyone but the first holder.
#[derive(Clone, PartialEq, Eq)]
pub struct HalfOpened {
    id: [u8; ID_LEN],
    inner: Vec<u8>,
}

impl std::fmt::Debug for HalfOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HalfOpened(<redacted>)")
    }
}

impl HalfOpened {
    /// The first holder's part: takes off the inner seal.
    ///
    /// # Errors
    /// [`Unopenable`], as for the outer one.
    pub fn open_inner(
        &self,
        network: &NetworkId,
        holder: &MemberId,
        key: &ExchangeSecret,
    ) -> Result<Trace, Unopenable> {
        let plain = self.open_inner_with(&self.inner_key(network, holder, key)?)?;
        plain.ok_or(Unopenable)
    }

    /// The key of this ticket's inner seal alone, as [`Ticket::outer_key`].
    ///
    /// # Errors
    /// [`Unopenable`] where the relay sealed something else than an inner seal.
    pub fn inner_key(
        &self,
        network: &NetworkId,
        holder: &MemberId,
        key: &ExchangeSecret,
    ) -> Result<Secret<32>, Unopenable> {
        let (encapped, _) = self.parts().ok_or(Unopenable)?;
        seal_key(network, holder, key, &self.id, encapped)
    }

    /// Takes off the inner seal with its own key. None when the seal opens and holds no trace.
    ///
    /// # Errors
    /// [`Unopenable`] when it does not open.
    pub fn open_inner_with(&self, key: &Secret<32>) -> Result<Option<Trace>, Unopenable> {
        let (_, sealed) = self.parts().ok_or(Unopenable)?;
        open(key, NONCE, &self.id, sealed).map(|plain| read(&plain))
    }

    /// Whether what the outer seal held can be an inner seal at all.
    #[must_use]
    pub fn has_inner(&self) -> bool {
        self.parts().is_some()
    }

    fn parts(&self) -> Option<(&[u8], &[u8])> {
        self.inner.split_at_checked(ENCAPPED_LEN)
    }
}

fn seal_key(
    network: &NetworkId,
    holder: &MemberId,
    key: &ExchangeSecret,
    id: &[u8; ID_LEN],
    encapped: &[u8],
) -> Result<Secret<32>, Unopenable> {
    let receiver = Receiver::new(key, encapped, &info(network, holder))?;
    Ok(ticket_key(|label| receiver.export(label), id))
}

fn read(plain: &[u8]) -> Option<Trace> {
    if plain.len() != INNER_LEN {
        return None;
    }
    let (&length, rest) = plain.split_first()?;
    let (member, signature) = rest.split_at_checked(SLUG_MAX_LEN)?;
    let member = std::str::from_utf8(member.get(..length.into())?).ok()?.parse().ok()?;
    Some(Trace { member, signature: Signature::try_from(signature).ok()? })
}

fn ticket_key(export: impl Fn(&[u8]) -> Secret<32>, id: &[u8; ID_LEN]) -> Secret<32> {
    export(&join(&[label::TICKET, id]))
}

fn info(network: &NetworkId, holder: &MemberId) -> Vec<u8> {
    join(&[label::TICKET, network.as_bytes(), holder.as_bytes()])
}

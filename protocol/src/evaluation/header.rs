//! The signed header of a request, and the chain that headers form (`docs/protocol.md` section 4.2).

use serde::{Deserialize, Serialize};

use crate::codec::{Wire, array};
use crate::crypto::sha256;
use crate::field::join;
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId, byte_id};
use crate::label;
use crate::oprf::MAX_BATCH;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::time::Timestamp;

/// Most keys one header may name.
pub const MAX_KEYS: usize = 32;

byte_id! {
    /// SHA-256 of a header's joined fields.
    HeaderHash, 32
}

impl HeaderHash {
    /// What the first header of a chain names as its predecessor.
    pub const NONE: Self = Self([0; 32]);
}

/// What a member signs before any holder sees its elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The network.
    pub network: NetworkId,
    /// The covenant the member goes by.
    pub covenant: CovenantHash,
    /// The epoch of the keys.
    pub epoch: Epoch,
    /// The purpose of the keys.
    pub purpose: PurposeId,
    /// Who asks.
    pub member: MemberId,
    /// Its number in the member's chain of this epoch, from 1, over all purposes.
    pub seq: u64,
    /// Inputs asked so far in the chain, this request's included.
    pub total: u64,
    /// When it was made, by the member's clock.
    pub time: Timestamp,
    /// Inputs of this request, 1 to [`MAX_BATCH`].
    pub count: u32,
    /// SHA-256 of the blinded elements.
    #[serde(with = "array")]
    pub elements: [u8; 32],
    /// The matchers whose keys are asked, ascending: all of the purpose that are not refused to the member.
    pub keys: Vec<MemberId>,
    /// Hash of the previous header, [`HeaderHash::NONE`] for the first.
    pub prev: HeaderHash,
}

impl Header {
    /// SHA-256 of the joined fields.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        self.with_fields(|fields| HeaderHash(sha256(&join(fields))))
    }

    /// Signs it. The member's own headers need no verification.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> VerifiedHeader {
        let signature = self.with_fields(|fields| key.sign(label::HEADER, fields));
        VerifiedHeader { hash: self.hash(), signed: SignedHeader { header: self, signature } }
    }

    /// Whether it comes right after `last` in one chain; with no `last`, whether it starts one.
    #[must_use]
    pub fn continues(&self, last: Option<&VerifiedHeader>) -> bool {
        let (seq, total, hash) =
            last.map_or((0, 0, HeaderHash::NONE), |last| (last.header().seq, last.header().total, last.hash));
        Some(self.seq) == seq.checked_add(1)
            && Some(self.total) == total.checked_add(u64::from(self.count))
            && self.prev == hash
    }

    /// The fields in the order in which they are hashed and signed.
    fn with_fields<T>(&self, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        let keys: Vec<&[u8]> = self.keys.iter().map(MemberId::as_bytes).collect();
        then(&[
            self.network.as_bytes(),
            self.covenant.as_bytes(),
            &self.epoch.to_be_bytes(),
            self.purpose.as_bytes(),
            self.member.as_bytes(),
            &self.seq.to_be_bytes(),
            &self.total.to_be_bytes(),
            &self.time.secs().to_be_bytes(),
            &self.count.to_be_bytes(),
            &self.elements,
            &join(&keys),
            self.prev.as_bytes(),
        ])
    }

    fn check_shape(&self) -> Result<(), HeaderError> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        if !(1..=MAX_BATCH).contains(&count) {
            return Err(HeaderError::Count(self.count));
        }
        let ascending = self.keys.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending && (1..=MAX_KEYS).contains(&self.keys.len()) { Ok(()) } else { Err(HeaderError::Keys) }
    }
}

/// A header with its member's signature, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHeader {
    /// What is signed.
    pub header: Header,
    /// Over `"kring/header/v1"` and the fields in their order.
    pub signature: Signature,
}

impl Wire for SignedHeader {
    const MAX_LEN: usize = 2_048;
}

/// Why a header is nobody's or nothing. The fault lies with whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not signed by its member.
    #[error("the header is not signed by its member")]
    Signature,
    /// A request of no inputs, or of more than [`MAX_BATCH`].
    #[error("a request of {0} inputs; it has 1 to {MAX_BATCH}")]
    Count(u32),
    /// No keys, too many, or not in ascending order.
    #[error("the keys are not 1 to {MAX_KEYS} matchers in ascending order")]
    Keys,
}

impl From<BadSignature> for HeaderError {
    fn from(_: BadSignature) -> Self {
        Self::Signature
    }
}

impl SignedHeader {
    /// Checks form and signature. `key` is that of [`Header::member`].
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn verify(self, key: &VerifyingKey) -> Result<VerifiedHeader, HeaderError> {
        self.header.check_shape()?;
        self.header.with_fields(|fields| key.verify(label::HEADER, fields, &self.signature))?;
        Ok(VerifiedHeader { hash: self.header.hash(), signed: self })
    }
}

/// A header that its member did sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    hash: HeaderHash,
    signed: SignedHeader,
}

impl VerifiedHeader {
    /// From our own store, where only verified headers are put.
    #[must_use]
    pub fn trusted(signed: SignedHeader) -> Self {
        Self { hash: signed.header.hash(), signed }
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.signed.header
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> HeaderHash {
        self.hash
    }

    /// With its signature, for storing and sending.
    #[must_use]
    pub const fn signed(&self) -> &SignedHeader {
        &self.signed
    }
}

/// Two headers of one member that cannot stand in one chain, both signed: two with one number, or one that does not
/// continue the other. Proof that a member or its machine used a number twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fraud {
    /// The one that was known.
    pub known: SignedHeader,
    /// The one that came after.
    pub other: SignedHeader,
}

impl Wire for Fraud {
    const MAX_LEN: usize = 4_096;
}

impl Fraud {
    /// Whether it proves what it claims, for anyone who has the member's public key.
    #[must_use]
    pub fn proves(&self, key: &VerifyingKey) -> bool {
        let (known, other) = (&self.known.header, &self.other.header);
        let chain = |header: &Header| (header.network, header.epoch, header.member.clone());
        let signed = |header: &SignedHeader| header.clone().verify(key).is_ok();
        let follows = known.seq.checked_add(1) == Some(other.seq);
        let contradict = if follows {
            !other.continues(Some(&VerifiedHeader::trusted(self.known.clone())))
        } else {
            known.seq == other.seq && known != other
        };
        chain(known) == chain(other) && contradict && signed(&self.known) && signed(&self.other)
    }
}

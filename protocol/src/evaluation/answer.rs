//! What a holder signs: that a header stands in its chain, and what it evaluated (`docs/protocol.md` section 4.3).

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use super::{HeaderHash, KeySpec};
use crate::codec::{Bytes, Wire, array};
use crate::crypto::sha256;
use crate::field::join;
use crate::id::MemberId;
use crate::label;
use crate::oprf::{self, Elements, Evaluation, KeyShare, PROOF_LEN, Proof, PublicShare, hedged_nonce_rng};
use crate::secret::Secret;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};

/// A holder's word that a header stands durably in its member's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who says so.
    pub holder: MemberId,
    /// The header.
    pub header: HeaderHash,
    /// Over `"kring/acknowledge/v1"` and the header's hash.
    pub signature: Signature,
}

impl Acknowledgement {
    /// Signs. The header must be stored durably first.
    #[must_use]
    pub fn sign(holder: MemberId, header: HeaderHash, key: &SigningKey) -> Self {
        let signature = key.sign(label::ACKNOWLEDGE, &[header.as_bytes()]);
        Self { holder, header, signature }
    }

    /// Checks the signature with the key of [`Self::holder`].
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        key.verify(label::ACKNOWLEDGE, &[self.header.as_bytes()], &self.signature)
    }
}

/// One key's part of an answer, as it came: the signature is over these bytes whatever they are worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAnswer {
    /// Whose key.
    pub matcher: MemberId,
    /// The evaluated elements.
    pub elements: Bytes,
    /// The proof over all of them.
    #[serde(with = "array")]
    pub proof: [u8; PROOF_LEN],
}

/// A holder's answer to one header: an evaluation for every key it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAnswer {
    /// Who answers.
    pub holder: MemberId,
    /// The header answered.
    pub header: HeaderHash,
    /// One part per key, in the order of the header's keys.
    pub keys: Vec<KeyAnswer>,
    /// Over `"kring/answer/v1"`, the header's hash, SHA-256 of the parts, and the holder.
    pub signature: Signature,
}

impl Wire for SignedAnswer {
    const MAX_LEN: usize = 280 * 1_024;
}

/// A signed answer that is not what the header asked of this holder. The signature makes it evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongAnswer {
    /// Not exactly the keys that this holder holds of those asked.
    #[error("the answer is not for the keys that were asked of this holder")]
    Keys,
    /// Elements or proof are malformed, or the proof does not hold.
    #[error("the evaluation under the key of {0} is wrong")]
    Evaluation(MemberId),
}

impl SignedAnswer {
    /// Checks the signature with the key of [`Self::holder`]; says nothing about what is signed.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify_signature(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        verify_parts(&self.holder, &self.header, &self.parts_hash(), &self.signature, key)
    }

    /// The same parts signed for another header: what a dishonest holder can make.
    #[cfg(test)]
    pub(crate) fn signed_again(mut self, key: &SigningKey) -> Self {
        let fields: [&[u8]; 3] = [self.header.as_bytes(), &self.parts_hash(), self.holder.as_bytes()];
        self.signature = key.sign(label::ANSWER, &fields);
        self
    }

    /// What the signature covers of the parts.
    #[must_use]
    pub fn parts_hash(&self) -> [u8; 32] {
        hash_parts(&self.keys)
    }

    /// Checks every evaluation. `keys` are the header's, `blinded` its elements.
    ///
    /// # Errors
    /// See [`WrongAnswer`].
    pub fn check(&self, keys: &[&KeySpec], blinded: &Elements) -> Result<Vec<Evaluation>, WrongAnswer> {
        let held: Vec<_> =
            keys.iter().filter_map(|key| Some((&key.matcher, key.share_of(&self.holder)?.1))).collect();
        if !held.iter().map(|(matcher, _)| *matcher).eq(self.keys.iter().map(|part| &part.matcher)) {
            return Err(WrongAnswer::Keys);
        }
        let check = |(part, (_, public)): (&KeyAnswer, &(_, &PublicShare))| {
            let evaluation = part.parse().filter(|found| oprf::verify(public, blinded, found).is_ok());
            evaluation.ok_or_else(|| WrongAnswer::Evaluation(part.matcher.clone()))
        };
        self.keys.iter().zip(&held).map(check).collect()
    }
}

impl KeyAnswer {
    fn parse(&self) -> Option<Evaluation> {
        let elements = Elements::from_bytes(self.elements.as_ref()).ok()?;
        Some(Evaluation { elements, proof: Proof::from_bytes(self.proof).ok()? })
    }
}

/// Evaluates `elements` under each share and signs the whole. Expensive; to be stored durably before it is sent.
///
/// `shares` are the holder's for the keys that [`super::Decision::Answer`] names, in that order.
#[must_use]
pub fn answer(
    holder: MemberId,
    signing: &SigningKey,
    header: HeaderHash,
    elements: &Elements,
    shares: &[(&MemberId, &KeyShare)],
    rng: &mut (impl RngCore + CryptoRng),
) -> SignedAnswer {
    let os_randomness = Secret::<32>::random(rng);
    let part = |(matcher, share): &(&MemberId, &KeyShare)| {
        let mut nonce_rng = hedged_nonce_rng(share, os_randomness.expose(), header.as_bytes());
        let evaluation = oprf::evaluate(share, elements, &mut nonce_rng);
        let proof = evaluation.proof.to_bytes();
        KeyAnswer { matcher: (*matcher).clone(), elements: Bytes(evaluation.elements.to_bytes()), proof }
    };
    let keys: Vec<KeyAnswer> = shares.iter().map(part).collect();
    let fields: [&[u8]; 3] = [header.as_bytes(), &hash_parts(&keys), holder.as_bytes()];
    let signature = signing.sign(label::ANSWER, &fields);
    SignedAnswer { holder, header, keys, signature }
}

/// Checks a holder's signature on an answer of which only the hash of the parts is known.
pub(crate) fn verify_parts(
    holder: &MemberId,
    header: &HeaderHash,
    parts: &[u8; 32],
    signature: &Signature,
    key: &VerifyingKey,
) -> Result<(), BadSignature> {
    key.verify(label::ANSWER, &[header.as_bytes(), parts, holder.as_bytes()], signature)
}

/// A part of an answer with the hash of its elements in their place: all that the signature covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartHash {
    /// Whose key.
    pub matcher: MemberId,
    /// SHA-256 of the evaluated elements.
    #[serde(with = "array")]
    pub elements: [u8; 32],
    /// The proof over all of them.
    #[serde(with = "array")]
    pub proof: [u8; PROOF_LEN],
}

impl KeyAnswer {
    /// Without its elements.
    #[must_use]
    pub fn hashed(&self) -> PartHash {
        let elements = sha256(self.elements.as_ref());
        PartHash { matcher: self.matcher.clone(), elements, proof: self.proof }
    }
}

fn hash_parts(keys: &[KeyAnswer]) -> [u8; 32] {
    hash_part_hashes(&keys.iter().map(KeyAnswer::hashed).collect::<Vec<_>>())
}

/// SHA-256 of `matcher || SHA-256(elements) || proof` of every part, all joined.
pub(crate) fn hash_part_hashes(parts: &[PartHash]) -> [u8; 32] {
    let fields = |part: &'_ PartHash| -> [Vec<u8>; 3] {
        [part.matcher.as_bytes().to_vec(), part.elements.to_vec(), part.proof.to_vec()]
    };
    let fields: Vec<Vec<u8>> = parts.iter().flat_map(fields).collect();
    sha256(&join(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

//! What stands on a matcher's board: messages of one size at one-time addresses, and the matcher's own posts among them
//! (sections 6.1 and 6.2).
//!
//! That a board only grows is shown by [`crate::log`]; who is introduced to whom is decided in [`crate::meeting`].

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::codec::{self, Wire};
use crate::crypto::{Unopenable, hmac_sha256_16};
use crate::field::join;
use crate::id::{Address, byte_id};
use crate::label;
use crate::sealing::{self, ExchangeKey, ExchangeSecret};
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::submission::{Destination, Inbox, PostRequest, Replaces, SealedHello, Withdraw};
use crate::time::Day;
use crate::trace::Removal;

pub mod replication;

byte_id! {
    /// A sealed message on a board.
    Body, 640
}

/// Bytes of a board entry: address and body.
pub const ENTRY_LEN: usize = Address::LEN + Body::LEN;

/// Addresses a reader looks ahead of the last one used, so that a lost message does not end a conversation.
pub const LOOK_AHEAD: u32 = 64;

/// One entry of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where its reader looks for it.
    pub address: Address,
    /// What only its reader opens.
    pub body: Body,
}

impl Entry {
    /// The bytes that are hashed into the board's log: address, then body.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..Address::LEN].copy_from_slice(self.address.as_bytes());
        bytes[Address::LEN..].copy_from_slice(self.body.as_bytes());
        bytes
    }

    /// From [`ENTRY_LEN`] bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ENTRY_LEN]) -> Self {
        let (address, body) = bytes.split_at(Address::LEN);
        Self {
            address: Address::try_from(address).expect("split at the address's length"),
            body: Body::try_from(body).expect("the rest is the body"),
        }
    }
}

impl From<&PostRequest> for Entry {
    fn from(post: &PostRequest) -> Self {
        Self { address: post.address, body: post.body }
    }
}

/// The address of the matcher's `n`-th post to the submission with this inbox, from 0.
#[must_use]
pub fn post_address(inbox: &Inbox, n: u32) -> Address {
    Address::from_bytes(hmac_sha256_16(inbox.as_bytes(), &n.to_be_bytes()))
}

/// What a matcher tells a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Post {
    /// Another live submission has the same tag.
    Met(Box<Met>),
    /// A submission that was introduced has been replaced by a new mailbox, which is introduced by its own post.
    Replaced(Replaced),
    /// A submission that was introduced has been withdrawn.
    Withdrawn(Withdraw),
    /// A submission that was introduced has been removed by the holders of trace keys.
    Removed(Box<Removal>),
}

/// What one submission learns of another with the same tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Met {
    /// The other's mailbox.
    pub mailbox: ExchangeKey,
    /// The other's withdraw key.
    pub withdraw_key: VerifyingKey,
    /// The other's last day.
    pub expiry: Day,
    /// The other's hello.
    pub hello: SealedHello,
}

/// The old mailbox's consent, with the mailbox it consented to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    /// The old mailbox and its signature.
    pub replaces: Replaces,
    /// The new mailbox.
    pub new: ExchangeKey,
}

/// A post with its matcher's signature: what a body holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPost {
    /// What is said.
    pub post: Post,
    /// By the matcher, over network, matcher, mailbox and the post's encoding.
    pub signature: Signature,
}

const PLAINTEXT_LEN: usize = Body::LEN - sealing::OVERHEAD;

impl Wire for SignedPost {
    const MAX_LEN: usize = PLAINTEXT_LEN - 2;
}

impl Wire for Post {
    const MAX_LEN: usize = PLAINTEXT_LEN;
}

/// Signs a post as the matcher and seals it to a mailbox.
pub fn seal_post(
    post: Post,
    to: &ExchangeKey,
    destination: &Destination,
    key: &SigningKey,
    rng: &mut (impl RngCore + CryptoRng),
) -> Body {
    let signature = key.sign(label::POST, &signed_fields(destination, to, &codec::encode(&post)));
    let encoded = codec::encode(&SignedPost { post, signature });
    let mut plaintext = u16::try_from(encoded.len()).expect("MAX_LEN is below 65,536").to_be_bytes().to_vec();
    plaintext.extend_from_slice(&encoded);
    plaintext.resize(PLAINTEXT_LEN, 0);
    let sealed = sealing::seal(to, &info(destination, to), &plaintext, rng);
    Body::try_from(sealed.as_slice()).expect("plaintext and overhead add up to the size of a body")
}

/// Opens a post that stands at one of the mailbox's addresses and checks the matcher's signature.
///
/// # Errors
/// [`Unopenable`] when it was not sealed to this mailbox or not signed by this matcher.
pub fn open_post(
    body: &Body,
    mailbox: &ExchangeSecret,
    destination: &Destination,
    matcher_key: &VerifyingKey,
) -> Result<Post, Unopenable> {
    open_signed_post(body, mailbox, destination, matcher_key).map(|signed| signed.post)
}

/// As [`open_post`], with the signature by which others can be shown what the matcher said.
///
/// # Errors
/// As [`open_post`].
pub fn open_signed_post(
    body: &Body,
    mailbox: &ExchangeSecret,
    destination: &Destination,
    matcher_key: &VerifyingKey,
) -> Result<SignedPost, Unopenable> {
    let to = mailbox.public();
    let (plaintext, _) = sealing::open(mailbox, &info(destination, &to), body.as_bytes())?;
    let (length, rest) = plaintext.split_first_chunk::<2>().ok_or(Unopenable)?;
    let encoded = rest.get(..u16::from_be_bytes(*length).into()).ok_or(Unopenable)?;
    let signed: SignedPost = codec::decode(encoded).map_err(|_| Unopenable)?;
    signed.verify(&to, destination, matcher_key).map_err(|_| Unopenable)?;
    Ok(signed)
}

impl SignedPost {
    /// Checks that the matcher said this to the mailbox `to`.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        to: &ExchangeKey,
        destination: &Destination,
        matcher_key: &VerifyingKey,
    ) -> Result<(), BadSignature> {
        let encoded = codec::encode(&self.post);
        matcher_key.verify(label::POST, &signed_fields(destination, to, &encoded), &self.signature)
    }
}

fn info(destination: &Destination, to: &ExchangeKey) -> Vec<u8> {
    join(&[label::POST, destination.network.as_bytes(), destination.matcher.as_bytes(), to.as_bytes()])
}

fn signed_fields<'a>(destination: &'a Destination, to: &'a ExchangeKey, post: &'a [u8]) -> [&'a [u8]; 4] {
    [destination.network.as_bytes(), destination.matcher.as_bytes(), to.as_bytes(), post]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    /// The form in which a post is sealed; its golden bytes are those of the sealed entries.
    #[test]
    fn a_signed_post_has_one_spelling() {
        let mailbox = ExchangeSecret::from_bytes(Secret::new([1; 32])).public();
        let withdraw = Withdraw { mailbox, signature: Signature::from_bytes([2; 64]) };
        let post = SignedPost { post: Post::Withdrawn(withdraw), signature: Signature::from_bytes([3; 64]) };
        codec::tests::has_one_spelling::<SignedPost>(&codec::encode(&post));
    }
}

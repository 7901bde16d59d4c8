//! A key holder that answers wrongly and signs it: nothing but the proof shows it.

use kring_protocol::codec::{self, Bytes};
use kring_protocol::crypto::sha256;
use kring_protocol::evaluation::{Response, SignedAnswer};
use kring_protocol::field::join;
use kring_protocol::label;
use kring_protocol::oprf::blind;
use rand::rngs::OsRng;

use super::Change;
use crate::impostor::Member;

pub(super) fn wrong(change: Change, member: &Member, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Answered(mut answer)) = codec::decode(bytes) else { return None };
    let part = answer.keys.first_mut()?;
    if change == Change::WrongElement {
        // A good element, and not the one that was asked for.
        let other = blind(&[b"another input".to_vec()], &mut OsRng).ok()?.1.to_bytes();
        let rest = part.elements.as_ref().get(other.len()..)?;
        part.elements = Bytes([other.as_slice(), rest].concat());
    } else {
        part.proof[0] ^= 1;
    }
    Some(codec::encode(&Response::Answered(signed(answer, member))))
}

/// `docs/protocol.md` section 4.3.
fn signed(answer: SignedAnswer, member: &Member) -> SignedAnswer {
    let hashes: Vec<_> = answer.keys.iter().map(|part| sha256(part.elements.as_ref())).collect();
    let parts = answer.keys.iter().zip(&hashes);
    let parts = parts.flat_map(|(part, hash)| [part.matcher.as_bytes(), hash.as_slice(), &part.proof]);
    let parts = sha256(&join(&parts.collect::<Vec<&[u8]>>()));
    let fields: [&[u8]; 3] = [answer.header.as_bytes(), &parts, answer.holder.as_bytes()];
    let signature = member.signing_key().sign(label::ANSWER, &fields);
    SignedAnswer { signature, ..answer }
}

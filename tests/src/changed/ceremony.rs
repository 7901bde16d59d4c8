//! Key holders that spoil a ceremony.

use kring_protocol::ceremony::message::{Confirm, Working};
use kring_protocol::ceremony::{KeyId, Response, SessionId};
use kring_protocol::codec;
use kring_protocol::crypto::sha256;
use kring_protocol::field::join;
use kring_protocol::id::MemberId;
use kring_protocol::label;
use kring_protocol::secret::Secret;
use kring_protocol::sign::Signature;

use super::Change;
use crate::impostor::Member;

/// Its answer to another holder, with something wrong in it that it signs.
pub(super) fn wrong(change: Change, holder: &Member, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Working(mut working)) = codec::decode(bytes) else { return None };
    let session = working.session?;
    match change {
        Change::WrongShare => wrong_share(holder, &session, &mut working)?,
        Change::TwoFaced => other_commitment(holder, &session, &mut working)?,
        _ => early_confirmation(holder, session, &mut working)?,
    }
    Some(codec::encode(&Response::Working(working)))
}

/// Others' confirmations do not arrive, so that it never finishes: it has confirmed something else.
pub(super) fn without_confirmations(bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Working(mut working)) = codec::decode(bytes) else { return None };
    (!std::mem::take(&mut working.confirms).is_empty()).then(|| codec::encode(&Response::Working(working)))
}

fn wrong_share(holder: &Member, session: &SessionId, working: &mut Working) -> Option<()> {
    let share = working.shares.first_mut()?;
    let mut body = *share.body.expose();
    body[0] ^= 1;
    share.signature = sign(holder, session, &share.key, 2, share.receiver.as_bytes(), &body);
    share.body = Secret::new(body);
    Some(())
}

/// The commitment of another key in the place of the first one: it is in order by itself, proof and all.
fn other_commitment(holder: &Member, session: &SessionId, working: &mut Working) -> Option<()> {
    let mut own = working.commitments.iter_mut().filter(|it| it.sender == *holder.id());
    let first = own.next()?;
    let other = own.find(|other| other.body.0.len() == first.body.0.len())?;
    first.body = other.body.clone();
    first.signature = sign(holder, session, &first.key, 1, b"", &first.body.0);
    Some(())
}

/// It confirms before it can know what.
fn early_confirmation(holder: &Member, session: SessionId, working: &mut Working) -> Option<()> {
    if working.commitments.is_empty() {
        return None;
    }
    let transcript = [7; 32];
    let fields = join(&[label::CEREMONY_TRANSCRIPT, session.as_bytes(), &transcript]);
    let signature = holder.signing_key().sign_bytes(&fields);
    working.confirms.retain(|confirm| confirm.member != *holder.id());
    let member = holder.id().clone();
    working.confirms.push(Confirm { session, member, transcript, records: Vec::new(), signature });
    Some(())
}

/// Signs a package (`docs/protocol.md` section 3.4).
fn sign(holder: &Member, session: &SessionId, key: &KeyId, round: u32, to: &[u8], body: &[u8]) -> Signature {
    let holders: Vec<MemberId> = holder.covenant().holders_of(&key.matcher);
    let n = u32::try_from(holders.len()).expect("few holders");
    let (round, t, n) = (round.to_be_bytes(), (n / 2 + 1).to_be_bytes(), n.to_be_bytes());
    let body = sha256(body);
    let mut fields: Vec<&[u8]> = vec![
        label::CEREMONY_PACKAGE,
        session.as_bytes(),
        &round,
        key.purpose.as_bytes(),
        key.matcher.as_bytes(),
        &t,
        &n,
    ];
    fields.extend(holders.iter().map(MemberId::as_bytes));
    fields.extend([holder.id().as_bytes(), to, &body]);
    holder.signing_key().sign_bytes(&join(&fields))
}

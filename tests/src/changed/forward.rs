//! Relays that do not pass on what they were given, and matchers that give receipts for nothing.

use kring_protocol::codec;
use kring_protocol::crypto::sha256;
use kring_protocol::field::join;
use kring_protocol::id::MemberId;
use kring_protocol::label;
use kring_protocol::relay::{Relayed, Request, Response, TicketMaker, TraceKeys};
use kring_protocol::time::Day;
use rand::rngs::OsRng;

use crate::impostor::Member;

/// How a sealed receipt begins: a string of 144 bytes.
const RECEIPT: [u8; 2] = [0x58, 144];

pub(super) fn is_for_a_relay(bytes: &[u8]) -> bool {
    matches!(codec::decode(bytes), Ok(Request::Forward { .. }))
}

/// Alters every sealed submission on its way to the matcher.
pub(super) fn altered(relay: &Member, matcher: &MemberId, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Request::Relayed { day, mut items }) = codec::decode(bytes) else { return None };
    for item in &mut items {
        item.sealed.0[100] ^= 1;
        sign(relay, matcher, day, item);
    }
    Some(codec::encode(&Request::Relayed { day, items }))
}

/// Says of every submission that it came from the first holder of trace keys, without a signature of its on it.
pub(super) fn with_false_tickets(relay: &Member, matcher: &MemberId, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Request::Relayed { day, mut items }) = codec::decode(bytes) else { return None };
    let covenant = relay.covenant();
    let holders = covenant.trace_keys.each_ref().map(|holder| {
        (holder.clone(), covenant.member(holder).expect("trace keys are of members").trace_key)
    });
    let tickets = TicketMaker::new(&covenant.network(), &TraceKeys { holders }, &mut OsRng);
    let framed = covenant.trace_keys.first()?;
    for item in &mut items {
        item.ticket = tickets.make(framed, &relay.signing_key().sign_bytes(b"nothing"), &mut OsRng);
        sign(relay, matcher, day, item);
    }
    Some(codec::encode(&Request::Relayed { day, items }))
}

/// Signs as a relay does (`docs/protocol.md` section 5.4).
fn sign(relay: &Member, matcher: &MemberId, day: Day, item: &mut Relayed) {
    let fields = join(&[
        label::RELAY,
        relay.covenant().network().as_bytes(),
        &sha256(&item.sealed.0),
        item.plaintext.as_bytes(),
        &item.ticket.hash(),
        matcher.as_bytes(),
        &day.to_be_bytes(),
    ]);
    item.signature = relay.signing_key().sign_bytes(&fields);
}

/// Answers as it answered the first time, with as many outcomes as are expected now.
pub(super) fn replayed(first: &mut Option<Vec<u8>>, bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Outcomes(now)) = codec::decode(bytes) else { return None };
    let Some(first) = first else {
        *first = Some(bytes.to_vec());
        return None;
    };
    let Ok(Response::Outcomes(then)) = codec::decode(first) else { return None };
    let outcomes = then.iter().cycle().take(now.len()).cloned().collect();
    Some(codec::encode(&Response::Outcomes(outcomes)))
}

/// Damages every receipt.
pub(super) fn garbage(bytes: &[u8]) -> Option<Vec<u8>> {
    let Ok(Response::Outcomes(_)) = codec::decode(bytes) else { return None };
    let mut bytes = bytes.to_vec();
    let starts: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&RECEIPT)).collect();
    for at in starts {
        *bytes.get_mut(at + 10)? ^= 1;
    }
    Some(bytes)
}

//! What professionals answer to a notice: stored in one commit with what follows from it, then sent.
//!
//! Not here: the form of requests ([`crate::api`]), and what an answer means for both sides
//! (`kring_protocol::matching::mistaken`).

use kring_protocol::codec::{self, Wire};
use kring_protocol::conversation::{MessageId, MistakenReason};
use kring_protocol::crypto::sha256;
use kring_protocol::field::join;
use kring_protocol::id::MatchId;
use kring_protocol::submission::Sha256;
use kring_protocol::time::Day;
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::api::{ApplicationError, Idempotency, NewResponse, ResponseView, Says};
use crate::audit::Event;
use crate::cases::CaseId;
use crate::core::Core;
use crate::partner::Partner;
use crate::store::{Batch, StoreError, Table};

/// For so many days a repeated request is recognised by its mark. Doing it again would change nothing later either.
const ANSWERED_DAYS: u32 = 7;

/// A request that was done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// Of its address and body.
    hash: Sha256,
    /// When.
    day: Day,
}

impl Wire for Answered {
    const MAX_LEN: usize = 128;
}

/// Takes in that a match is not right. `notice` tells whether a case has the notice that the request names.
///
/// # Errors
/// [`ApplicationError`]: a match of another notice is as little there as one that nobody has.
pub async fn respond(
    core: &Core,
    partner: &Partner,
    notice: (&str, impl Fn(CaseId) -> String),
    response: NewResponse,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<ResponseView, ApplicationError> {
    let NewResponse { match_id, says } = response;
    let _changing = partner.changing_cases.lock().await;
    let mut batch = Batch::new();
    let again = repeated(core, notice.0, idempotency, &mut batch)?;
    let id =
        parse(&match_id).filter(|id| belongs(partner, *id, &notice)).ok_or(ApplicationError::NotFound)?;
    let Says::NotRight(reason) = says;
    let changed = if again { Vec::new() } else { mark(core, partner, id, reason) };
    partner.put_matches(&mut batch, &changed).map_err(|_| ApplicationError::Internal)?;
    core.commit(batch, vec![event]).await.map_err(|_| ApplicationError::Internal)?;
    partner.touch_matches(&changed);
    Ok(ResponseView { match_id, says: recorded(partner, id).unwrap_or(says) })
}

fn mark(
    core: &Core,
    partner: &Partner,
    id: MatchId,
    reason: MistakenReason,
) -> Vec<kring_protocol::matching::MatchKey> {
    let mut message = [0; MessageId::LEN];
    OsRng.fill_bytes(&mut message);
    partner.matches().mark_mistaken(id, MessageId::from_bytes(message), reason, core.today())
}

fn parse(match_id: &str) -> Option<MatchId> {
    hex::decode(match_id).ok().and_then(|bytes| MatchId::try_from(bytes.as_slice()).ok())
}

fn belongs(partner: &Partner, id: MatchId, notice: &(&str, impl Fn(CaseId) -> String)) -> bool {
    let own = partner.matches().with_id(id).next().map(|(_, entry)| entry.own);
    let case = own.and_then(|own| partner.cases().by_reference(&own).map(|case| case.id));
    case.is_some_and(|case| (notice.1)(case) == notice.0)
}

/// What this side has said about a match: the first word counts.
fn recorded(partner: &Partner, id: MatchId) -> Option<Says> {
    use kring_protocol::conversation::Says as Said;
    let matches = partner.matches();
    let mut said = matches.with_id(id).flat_map(|(_, entry)| &entry.said);
    said.find_map(|said| match said.message.says {
        Said::Mistaken(reason) => Some(Says::NotRight(reason)),
        Said::Position(_) | Said::Card(_) => None,
    })
}

/// Whether the request was done before. Otherwise its mark goes into the batch.
fn repeated(
    core: &Core,
    notice: &str,
    idempotency: Option<Idempotency>,
    batch: &mut Batch,
) -> Result<bool, ApplicationError> {
    let Some(Idempotency { key, body_hash }) = idempotency else { return Ok(false) };
    let record = core.vault.index_key("answered").hash(key.as_bytes());
    let hash = Sha256::from_bytes(sha256(&join(&[notice.as_bytes(), &body_hash])));
    let known = core.store.get(Table::Answered, &record).map_err(|_| ApplicationError::Internal)?;
    let known = known.and_then(|bytes| codec::decode::<Answered>(&bytes).ok());
    match known {
        Some(known) if known.hash == hash => Ok(true),
        Some(_) => Err(ApplicationError::IdempotencyKeyReused),
        None => {
            batch.put(Table::Answered, record, codec::encode(&Answered { hash, day: core.today() }));
            Ok(false)
        }
    }
}

/// Forgets the marks of old requests.
///
/// # Errors
/// [`StoreError`].
pub async fn expire(core: &Core) -> Result<(), StoreError> {
    let today = core.today();
    let mut batch = Batch::new();
    for (key, bytes) in core.store.scan_all(Table::Answered)? {
        let old = |answered: Answered| answered.day.plus(ANSWERED_DAYS) < today;
        if codec::decode(&bytes).map_or(true, old) {
            batch.delete(Table::Answered, key);
        }
    }
    if batch.is_empty() { Ok(()) } else { core.commit(batch, Vec::new()).await }
}

#[cfg(test)]
mod tests {
    use kring_protocol::time::Day;

    use super::Answered;
    use crate::testing::golden;

    #[test]
    fn golden_bytes_of_an_answered_request() {
        let answered: Answered = golden(&[
            "01a264686173685820050505050505050505050505050505050505050505050505050505050505050563646179194e20",
        ]);
        assert_eq!((answered.hash.as_bytes(), answered.day), (&[5; 32], Day::from_days(20_000)));
    }
}

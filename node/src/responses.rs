//! What professionals do with a notice: stored in one commit with what follows from it, then sent.
//!
//! Not here: the form of requests ([`crate::api`]), and what may be done when, and what it means for both sides
//! (`kring_protocol::coordination`, `kring_protocol::matching::mistaken`).

use kring_protocol::coordination::card::{Email, Name, Telephone};
use kring_protocol::coordination::{Action, ClaimId, Refused, Response};
use kring_protocol::covenant::Purpose;
use kring_protocol::id::{FunctionId, MatchId};
use kring_protocol::matching::MatchKey;

use crate::api::{
    ApplicationError, Idempotency, InvalidParam, NewContact, NewResponse, ResponseView, Says, Step,
};
use crate::audit::Event;
use crate::cases::{Case, CaseId, Contact};
use crate::coordination::{Change, Changed, Of};
use crate::core::Core;
use crate::partner::Partner;
use crate::repeats::Once;
use crate::store::{Batch, StoreError};

/// A request about a notice.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The notice's id.
    pub notice: &'a str,
    /// The case that has it, if any has.
    pub case: Option<CaseId>,
    /// The caller's mark.
    pub idempotency: Option<Idempotency>,
    /// Who does it.
    pub event: Event,
}

/// What a request comes down to.
#[derive(Debug, Default)]
struct Plan {
    actions: Vec<Action>,
    /// Who can be reached from now on.
    contact: Option<Contact>,
}

impl From<Action> for Plan {
    fn from(action: Action) -> Self {
        Self { actions: vec![action], contact: None }
    }
}

type Outcome<T> = Result<T, ApplicationError>;

/// Answers a match.
///
/// # Errors
/// [`ApplicationError`]: a match of another notice is as little there as one that nobody has.
pub async fn respond(
    core: &Core,
    partner: &Partner,
    asked: Asked<'_>,
    response: NewResponse,
) -> Outcome<ResponseView> {
    let NewResponse { match_id, says, contact } = response;
    let plan = |case: &Case, purpose: &Purpose| {
        let key = key_of(partner, case, &match_id)?;
        if let (Says::NotRight(_), Some(_)) = (says, recorded(partner, key.id)) {
            return Ok(Plan::default()); // the first word counts
        }
        let answer = match says {
            Says::NotRight(reason) => return Ok(Action::NotRight(key, reason).into()),
            Says::Coordinate => Response::Coordinate,
            Says::AlreadyTogether => Response::AlreadyTogether,
        };
        let contact = contact.as_ref().map(|contact| checked(contact, purpose)).transpose()?;
        let usable = || Of::new(core, case).is_some_and(|of| of.card().is_some());
        if says == Says::Coordinate && contact.is_none() && !usable() {
            return Err(ApplicationError::Conflict(no_card(purpose)));
        }
        Ok(Plan { actions: vec![Action::Respond(key, answer)], contact })
    };
    perform(core, partner, asked, "respond", plan).await?;
    let said = parse(&match_id).and_then(|id| recorded(partner, id));
    Ok(ResponseView { says: said.unwrap_or(says), match_id })
}

/// Does another step of the coordination.
///
/// # Errors
/// As [`respond`].
pub async fn step(core: &Core, partner: &Partner, asked: Asked<'_>, step: Step) -> Outcome<()> {
    let path = match step {
        Step::Contact { .. } => "contact",
        Step::Close { .. } | Step::Reopen { .. } => "close",
        Step::Mute(true) => "mute",
        Step::Mute(false) => "unmute",
        _ => "lead",
    };
    let plan = |case: &Case, _: &Purpose| {
        let key = |match_id: &str| key_of(partner, case, match_id);
        let action = match &step {
            Step::Contact { match_id, on } => Action::Contact(key(match_id)?, *on),
            Step::Claim => Action::Claim,
            Step::Release => Action::Release,
            Step::Confirm { claim } => Action::Confirm(claim_id(claim)?),
            Step::Offer { match_id } => Action::OfferLead(key(match_id)?),
            Step::Keep => Action::KeepLead,
            Step::Close { match_id, outcome } => Action::Close(key(match_id)?, *outcome),
            Step::Reopen { match_id } => Action::Reopen(key(match_id)?),
            Step::Mute(muted) => Action::Mute(*muted),
        };
        Ok(action.into())
    };
    perform(core, partner, asked, path, plan).await
}

/// Somebody looks at a notice: they need not be told again of what they see.
///
/// # Errors
/// [`ApplicationError`].
pub async fn look(core: &Core, partner: &Partner, case: CaseId, event: Event) -> Outcome<()> {
    let _changing = partner.changing_matches.lock().await;
    let case = partner.cases().get(&case).cloned().ok_or(ApplicationError::NotFound)?;
    let of = Of::new(core, &case).ok_or(ApplicationError::Internal)?;
    let mut change = Change::new(partner);
    change.act(&of, &Action::Look).map_err(refused)?;
    commit(core, partner, change, Batch::new(), event).await
}

/// Does what a request comes down to, once.
async fn perform(
    core: &Core,
    partner: &Partner,
    asked: Asked<'_>,
    path: &str,
    plan: impl FnOnce(&Case, &Purpose) -> Outcome<Plan>,
) -> Outcome<()> {
    let Asked { notice, case, idempotency, event } = asked;
    let once = core.repeats.begin(core, &event, &["notices", notice, path], idempotency).await?;
    let _case = partner.changing_cases.lock().await;
    let _matches = partner.changing_matches.lock().await;
    let mut batch = Batch::new();
    let again = match &once {
        Once::First(first) => {
            first.note(core, &mut batch, &[]);
            false
        }
        Once::Again(_) => true,
    };
    let case = case.and_then(|id| partner.cases().get(&id).cloned()).ok_or(ApplicationError::NotFound)?;
    let of = Of::new(core, &case).ok_or(ApplicationError::Internal)?;
    let mut change = Change::new(partner);
    let Plan { actions, contact } = if again { Plan::default() } else { plan(&case, of.purpose())? };
    if !actions.is_empty() && !case.is_live(core.today()) {
        let reason = "the signal has ended; give a new one first, and match again";
        return Err(ApplicationError::Conflict(reason.to_owned()));
    }
    let changed = contact.filter(|contact| case.contact.as_ref() != Some(contact));
    let changed = changed.map(|contact| Case { contact: Some(contact), ..case });
    let of = changed.as_ref().and_then(|case| Of::new(core, case)).unwrap_or(of);
    for action in actions {
        change.act(&of, &action).map_err(refused)?;
    }
    if let Some(case) = &changed {
        change.case_changed(case);
        partner.put_case(&mut batch, case).map_err(|_| ApplicationError::Internal)?;
    }
    commit(core, partner, change, batch, event).await?;
    if let Some(case) = changed {
        let touched = partner.cases().put(case, core.today());
        partner.touch(&touched);
    }
    Ok(())
}

async fn commit(
    core: &Core,
    partner: &Partner,
    change: Change<'_>,
    mut batch: Batch,
    event: Event,
) -> Outcome<()> {
    let internal = |_: StoreError| ApplicationError::Internal;
    let Changed { matches, mut events } = change.finish(&mut batch).map_err(internal)?;
    events.insert(0, event);
    core.commit(batch, events).await.map_err(internal)?;
    partner.touch_matches(&matches);
    Ok(())
}

fn parse(match_id: &str) -> Option<MatchId> {
    hex::decode(match_id).ok().and_then(|bytes| MatchId::try_from(bytes.as_slice()).ok())
}

/// The match of this case; one that is shown where a reference came with several names.
fn key_of(partner: &Partner, case: &Case, match_id: &str) -> Outcome<MatchKey> {
    let id = parse(match_id).ok_or(ApplicationError::NotFound)?;
    let matches = partner.matches();
    let own = || matches.with_id(id).filter(|(_, entry)| entry.own == case.reference);
    let found = own().find(|(_, entry)| entry.is_shown()).or_else(|| own().next());
    found.map(|(key, _)| key.clone()).ok_or(ApplicationError::NotFound)
}

fn claim_id(claim: &str) -> Outcome<ClaimId> {
    let bytes = hex::decode(claim).ok().and_then(|bytes| ClaimId::try_from(bytes.as_slice()).ok());
    bytes.ok_or_else(|| refused(Refused::NoClaim))
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

/// A contact that makes a card, in the form in which others get it.
pub(crate) fn checked(contact: &NewContact, purpose: &Purpose) -> Outcome<Contact> {
    let mut errors = Vec::new();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut wrong = |name: &str, reason: String| {
        errors.push(InvalidParam::body(format!("/contact/{name}"), reason));
        String::new()
    };
    let name = text(&contact.name).parse::<Name>();
    let name = name.map_or_else(|error| wrong("name", error.to_string()), |name| name.as_str().to_owned());
    let functions = purpose.coordination();
    let function = text(&contact.function).trim().parse::<FunctionId>().ok();
    let function = function.filter(|function| functions.functions.contains(function));
    let function = function.map_or_else(
        || wrong("function", format!("not one of the covenant's functions: {}", list(purpose))),
        |function| function.to_string(),
    );
    let phone = text(&contact.phone).parse::<Telephone>();
    let phone =
        phone.map_or_else(|error| wrong("phone", error.to_string()), |found| found.as_str().to_owned());
    let email = text(&contact.email).parse::<Email>();
    let email =
        email.map_or_else(|error| wrong("email", error.to_string()), |found| found.as_str().to_owned());
    if errors.is_empty() {
        Ok(Contact { name, function, phone, email })
    } else {
        Err(ApplicationError::Invalid(errors))
    }
}

fn list(purpose: &Purpose) -> String {
    let functions = purpose.coordination();
    functions.functions.iter().map(FunctionId::as_str).collect::<Vec<_>>().join(", ")
}

fn no_card(purpose: &Purpose) -> String {
    format!(
        "who wants to coordinate gives a contact card, and the signal has no contact that makes one: send the answer \
         again with `contact` (name, function, phone, email); the functions are: {}",
        list(purpose)
    )
}

/// Why it cannot be done, and what can.
fn refused(refused: Refused) -> ApplicationError {
    let what_then = match refused {
        Refused::NoMatch => "it has ended, or somebody said that it is not right; look at the notice again",
        Refused::NotNamed => "answer that you want to coordinate: the name comes with the contact card",
        Refused::AnswerFirst => "contact and closing come after an answer (`respond`)",
        Refused::NoContact => "record the day of contact first (`contact`), or close with `noFollowUp`",
        Refused::NoLead => "one side claims it and the other confirms (`lead`), and nobody else may claim it",
        Refused::NotLead => "only who claims to be the lead can give it up or offer it",
        Refused::NoClaim => "look at the notice again: it shows the claims that there are",
        Refused::InFuture => "record contact when there was contact",
    };
    ApplicationError::Conflict(format!("{refused}: {what_then}"))
}

//! Whose a case is, and how it changes: handing over in two steps, declining, and assigning by a supervisor.
//!
//! Who works on a case is who others reach about it: with the case goes the contact, and with the contact the card that
//! met partners hold. Not here: who may do this ([`crate::people::access`]).

use crate::api::{ApplicationError, Idempotency, InvalidParam};
use crate::audit::Event;
use crate::cases::{Case, CaseId, Contact};
use crate::coordination::card;
use crate::core::Core;
use crate::partner::Partner;
use crate::people::{Account, AccountId, People, form};
use crate::signals::{self, Stored};

type Outcome<T> = Result<T, ApplicationError>;

/// Makes an account the owner of a case.
pub fn own(core: &Core, case: &mut Case, account: &Account) {
    case.owner = Some(account.id);
    (case.offered_to, case.declined_by) = (None, None);
    if case.team.is_none_or(|team| !account.teams.contains(&team)) {
        case.team = account.teams.first().copied();
    }
    if let Some(contact) = contact(core, case, account) {
        case.contact = Some(contact);
    }
}

/// How others reach somebody about a case; none where their account does not make a card.
#[must_use]
pub fn contact(core: &Core, case: &Case, account: &Account) -> Option<Contact> {
    let contact = Contact {
        name: account.name.clone(),
        function: account.function.as_ref().map(ToString::to_string).unwrap_or_default(),
        phone: account.phone.clone(),
        email: account.email.clone(),
    };
    let purpose = core.covenant.purpose(&case.purpose)?;
    card(&contact, purpose).map(|_| contact)
}

/// What is done.
#[allow(clippy::large_enum_variant, reason = "one at a time, for as long as a request takes")]
#[derive(Clone, Debug)]
pub enum Step {
    /// The owner wants somebody to take over; none takes that back, or says that an answer was read.
    Offer(Option<String>),
    /// This one takes over.
    Accept(Account),
    /// This one does not.
    Decline(AccountId),
    /// A supervisor gives it to somebody.
    Assign(String),
}

impl Step {
    const fn word(&self) -> &'static str {
        match self {
            Self::Offer(_) => "hand-over",
            Self::Accept(_) => "accept",
            Self::Decline(_) => "decline",
            Self::Assign(_) => "assign",
        }
    }

    fn apply(self, core: &Core, people: &People, case: &mut Case) -> Outcome<()> {
        match self {
            Self::Offer(None) => (case.offered_to, case.declined_by) = (None, None),
            Self::Offer(Some(to)) => {
                let to = colleague(&to, people, case)?;
                (case.offered_to, case.declined_by) = (Some(to.id), None);
            }
            Self::Accept(me) if case.offered_to == Some(me.id) => own(core, case, &me),
            Self::Decline(me) if case.offered_to == Some(me) => {
                (case.offered_to, case.declined_by) = (None, Some(me));
            }
            Self::Accept(_) | Self::Decline(_) => {
                let reason = "it is not offered to you any more; ask who works on it";
                return Err(ApplicationError::Conflict(reason.to_owned()));
            }
            Self::Assign(to) => {
                let to = colleague(&to, people, case)?;
                own(core, case, &to);
            }
        }
        Ok(())
    }
}

/// The colleague who is meant: an active professional, and not the owner.
fn colleague(to: &str, people: &People, case: &Case) -> Outcome<Account> {
    let found = form::professional(to, people).filter(|account| case.owner != Some(account.id));
    found.ok_or_else(|| {
        let reason = "is not the id of an active professional other than the one who works on it now";
        ApplicationError::Invalid(vec![InvalidParam::body("/to", reason)])
    })
}

/// Does it, once.
///
/// # Errors
/// [`ApplicationError`].
pub async fn take(
    (core, partner, people): (&Core, &Partner, &People),
    id: CaseId,
    step: Step,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Outcome<Case> {
    let address = ["signals", &id.0.to_string(), step.word()];
    let change = |mut case: Case| {
        step.apply(core, people, &mut case)?;
        Ok(case)
    };
    signals::change(Stored { core, partner }, id, &address, idempotency, event, change).await
}

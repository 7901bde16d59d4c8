//! Signals as the partner's people and systems make them: checked, stored in one commit, then acted on.
//!
//! Not here: the form of requests ([`crate::api`]) and what a case means for the network ([`crate::partner`]).

use kring_protocol::codec::{self, Wire};
use kring_protocol::id::{PurposeId, Reference};
use kring_protocol::identifier::{Field, FieldError, Person, RawPerson};
use kring_protocol::submission::MIN_MAX;
use kring_protocol::time::Day;
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

use crate::api::{
    ApplicationError, FamilyInformed, Idempotency, ImportReport, InvalidParam, LineReason, NewContact,
    NewPerson, NewSignal,
};
use crate::audit::Event;
use crate::caseload;
use crate::cases::{Case, CaseId, Contact, Informed, PERSONS_MAX_LEN, persons_len};
use crate::coordination::{Change, Changed};
use crate::core::Core;
use crate::hand_over;
use crate::partner::Partner;
use crate::people::{Account, Ownership};
use crate::repeats::{First, Once};
use crate::store::{Batch, StoreError};
use crate::vault::KeyName;

/// Longest text of a contact field or case reference, in characters.
const TEXT_MAX: usize = 200;

/// Who makes a signal.
#[derive(Debug)]
pub struct Maker<F> {
    /// Whose it becomes, or what is wrong with who is named.
    pub owner: Result<Option<Account>, InvalidParam>,
    /// Whether the owner was named, and not only followed from who makes it.
    pub names_owner: bool,
    /// Whether they may change a case that is there.
    pub may_change: F,
}

/// Answers a request that made what is there no more.
const ERASED: &str = "what this request made has been erased since; a new signal needs a new idempotency key";

/// Takes in one signal. A case that has a live signal for the purpose gets its new content.
///
/// # Errors
/// [`ApplicationError`].
pub async fn add(
    core: &Core,
    partner: &Partner,
    signal: NewSignal,
    maker: Maker<impl Fn(&Ownership) -> bool>,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<Case, ApplicationError> {
    let first = match core.repeats.begin(core, &event, &["signals"], idempotency).await? {
        Once::First(first) => first,
        Once::Again(id) => {
            return noted(partner, &id).map_err(|_| ApplicationError::Conflict(ERASED.to_owned()));
        }
    };
    let _changing = partner.changing_cases.lock().await;
    let today = core.today();
    let mut errors = Vec::new();
    let purpose = purpose(core, signal.purpose.as_deref(), &mut errors);
    let case_reference = text(&signal.case_reference, "/caseReference", &mut errors);
    if case_reference.is_empty() {
        errors.push(InvalidParam::body("/caseReference", "is needed: your own reference of the case"));
    }
    let persons = persons(partner, &purpose, &signal.persons, today, &mut errors);
    let contact = signal.contact.map(|contact| check_contact(&contact, &mut errors));
    let min = quiet(signal.quiet_until, &mut errors);
    let family_informed = signal.family_informed.map(|FamilyInformed { informed, reason }| Informed {
        informed,
        reason: reason.map(|reason| text(&reason, "/familyInformed/reason", &mut errors)),
    });
    let owner = maker.owner.unwrap_or_else(|wrong| {
        errors.push(wrong);
        None
    });
    if !errors.is_empty() {
        return Err(ApplicationError::Invalid(errors));
    }
    let Some(purpose) = purpose else { return Err(ApplicationError::Internal) };
    let before = partner.cases().find(&purpose, &case_reference).cloned();
    if before.as_ref().is_some_and(|before| !(maker.may_change)(&before.ownership())) {
        let reason =
            "a colleague has a signal under this case reference; ask your supervisor who, and to be given it";
        return Err(ApplicationError::Conflict(reason.to_owned()));
    }
    let mut case = new_case(core, partner, &purpose, case_reference, persons)?;
    let goes_on = case.owner.is_some() && !maker.names_owner;
    if let Some(owner) = owner.filter(|_| !goes_on) {
        hand_over::own(core, &mut case, &owner);
    }
    // Who was named before can still be reached, unless somebody else is named.
    case.contact = contact.or(case.contact);
    case.family_informed = family_informed;
    case.min = min;
    store_one(core, partner, &first, case, event).await
}

/// The case of a request that was done before, as it is now.
fn noted(partner: &Partner, id: &[u8]) -> Result<Case, ApplicationError> {
    let id = Reference::try_from(id).map_err(|_| ApplicationError::Internal)?;
    partner.cases().get(&CaseId(id)).cloned().ok_or(ApplicationError::NotFound)
}

async fn store_one(
    core: &Core,
    partner: &Partner,
    first: &First<'_>,
    case: Case,
    event: Event,
) -> Result<Case, ApplicationError> {
    let mut batch = Batch::new();
    first.note(core, &mut batch, case.id.0.as_bytes());
    let stored = store(core, partner, batch, vec![case.clone()], event).await;
    stored.map_err(|_| ApplicationError::Internal)?;
    Ok(case)
}

fn purpose(core: &Core, named: Option<&str>, errors: &mut Vec<InvalidParam>) -> Option<PurposeId> {
    let mut mine = core.covenant.purposes_of(&core.me);
    let found = match named {
        None => mine.next(),
        Some(name) => mine.find(|purpose| purpose.id.as_str() == name),
    };
    if found.is_none() {
        errors.push(InvalidParam::body("/purpose", "is not a purpose in which this organisation takes part"));
    }
    found.map(|purpose| purpose.id.clone())
}

pub(crate) fn persons(
    partner: &Partner,
    purpose: &Option<PurposeId>,
    given: &[NewPerson],
    today: Day,
    errors: &mut Vec<InvalidParam>,
) -> Vec<Person> {
    let mut persons = Vec::new();
    for (index, person) in given.iter().enumerate() {
        match Person::parse(&raw(person), today) {
            Err(wrong) => errors.extend(wrong.iter().map(|error| {
                let pointer = format!("/persons/{index}{}", json_name(error.field));
                InvalidParam::body(pointer, error.problem.to_string())
            })),
            Ok(person) => {
                let recognisable = purpose
                    .as_ref()
                    .is_none_or(|purpose| !partner.cases().keys_of(purpose, &person).is_empty());
                if recognisable {
                    persons.push(person);
                } else {
                    let reason = "cannot be recognised by others: give the full birth date with a name, or with a \
                                  postal code and house number";
                    errors.push(InvalidParam::body(format!("/persons/{index}"), reason));
                }
            }
        }
    }
    if persons_len(&persons) > PERSONS_MAX_LEN {
        errors
            .push(InvalidParam::body("/persons", "are too many for one case; divide it into several cases"));
    }
    persons
}

/// Somebody's particulars, for looking them up.
///
/// # Errors
/// Everything that is wrong with them.
pub fn one_person(person: &NewPerson, today: Day) -> Result<Person, ApplicationError> {
    let wrong = |error: &FieldError| InvalidParam::body(json_name(error.field), error.problem.to_string());
    Person::parse(&raw(person), today)
        .map_err(|errors| ApplicationError::Invalid(errors.iter().map(wrong).collect()))
}

fn raw(person: &NewPerson) -> RawPerson {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    RawPerson {
        role: text(&person.role),
        bsn: text(&person.bsn),
        given_names: text(&person.given_names),
        name_prefix: text(&person.name_prefix),
        family_name: text(&person.family_name),
        birth_date: text(&person.birth_date),
        postal_code: text(&person.postal_code),
        house_number: text(&person.house_number),
        house_number_suffix: text(&person.house_number_suffix),
    }
}

fn json_name(field: Field) -> String {
    let mut name = String::from("/");
    for (index, part) in field.name().split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if index > 0 => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.extend(letters);
    }
    name
}

/// A contact as a case keeps it. Whether it makes a card that others accept is asked when one is needed.
fn check_contact(contact: &NewContact, errors: &mut Vec<InvalidParam>) -> Contact {
    let mut field = |value: &Option<String>, name: &str| text(value.as_deref().unwrap_or(""), name, errors);
    let contact = Contact {
        name: field(&contact.name, "/contact/name"),
        function: field(&contact.function, "/contact/function"),
        phone: field(&contact.phone, "/contact/phone"),
        email: field(&contact.email, "/contact/email"),
    };
    let phone_like = |c: char| c.is_ascii_digit() || " +-()".contains(c);
    if !contact.phone.chars().all(phone_like) {
        errors.push(InvalidParam::body("/contact/phone", "may hold digits, spaces, + - ( ) only"));
    }
    if !contact.email.is_empty() && contact.email.split('@').filter(|part| !part.is_empty()).count() != 2 {
        errors.push(InvalidParam::body("/contact/email", "is not an e-mail address"));
    }
    contact
}

fn text(value: &str, name: &str, errors: &mut Vec<InvalidParam>) -> String {
    let value = value.trim();
    if value.chars().count() > TEXT_MAX || value.chars().any(char::is_control) {
        errors.push(InvalidParam::body(
            name,
            format!("at most {TEXT_MAX} characters, without control characters"),
        ));
    }
    value.to_owned()
}

fn quiet(until: Option<u32>, errors: &mut Vec<InvalidParam>) -> u8 {
    let min =
        until.map_or(Some(2), |until| u8::try_from(until).ok().filter(|min| (2..=MIN_MAX).contains(min)));
    min.unwrap_or_else(|| {
        errors.push(InvalidParam::body("/quietUntil", format!("2 to {MIN_MAX} organisations")));
        2
    })
}

/// A case as it will be stored: the one under this reference with new content, or a new one. Where its signal has ended
/// this is a later signal on the same case: the network knows it by the same reference, so what was said about its
/// matches holds, and nothing else is kept.
fn new_case(
    core: &Core,
    partner: &Partner,
    purpose: &PurposeId,
    case_reference: String,
    persons: Vec<Person>,
) -> Result<Case, ApplicationError> {
    let expiry = expiry(core, purpose).ok_or(ApplicationError::Internal)?;
    let cases = partner.cases();
    let before = cases.find(purpose, &case_reference);
    let known = before.filter(|case| case.is_live(core.today()));
    Ok(Case {
        id: before.map_or_else(|| CaseId(random_reference()), |case| case.id),
        reference: before.map_or_else(random_reference, |case| case.reference),
        case_reference,
        purpose: purpose.clone(),
        persons,
        contact: known.and_then(|case| case.contact.clone()),
        family_informed: known.and_then(|case| case.family_informed.clone()),
        min: known.map_or(2, |case| case.min),
        created: known.map_or_else(|| core.now(), |case| case.created),
        expiry,
        withdrawn: None,
        request: None,
        owner: known.and_then(|case| case.owner),
        team: known.and_then(|case| case.team),
        offered_to: known.and_then(|case| case.offered_to),
        declined_by: known.and_then(|case| case.declined_by),
    })
}

fn random_reference() -> Reference {
    let mut bytes = [0; Reference::LEN];
    OsRng.fill_bytes(&mut bytes);
    Reference::from_bytes(bytes)
}

/// The last day of a signal made or renewed today: the last day of a month (section 5.3).
pub(crate) fn expiry(core: &Core, purpose: &PurposeId) -> Option<Day> {
    let months = core.covenant.purpose(purpose)?.signal_months;
    Some(core.today().plus(months * 30).last_of_month())
}

/// Stores cases in one commit with what is in the batch and the event that says who did it, then acts on them.
async fn store(
    core: &Core,
    partner: &Partner,
    mut batch: Batch,
    cases: Vec<Case>,
    event: Event,
) -> Result<(), StoreError> {
    let names: Vec<_> = cases.iter().map(|case| KeyName::Case(case.id)).collect();
    core.vault.prepare(&names, &mut batch)?;
    for case in &cases {
        partner.put_case(&mut batch, case)?;
    }
    let _changing = partner.changing_matches.lock().await;
    let mut change = Change::new(partner);
    cases.iter().for_each(|case| change.case_changed(case));
    let Changed { matches, mut events } = change.finish(&mut batch)?;
    events.insert(0, Event { count: u32::try_from(cases.len()).unwrap_or(u32::MAX), ..event });
    core.commit(batch, events).await?;
    let today = core.today();
    let touched = {
        let mut own = partner.cases();
        cases.into_iter().flat_map(|case| own.put(case, today)).collect()
    };
    partner.touch(&touched);
    partner.touch_matches(&matches);
    Ok(())
}

/// Where cases are kept.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// What all roles share.
    pub core: &'a Core,
    /// The cases.
    pub partner: &'a Partner,
}

/// Changes one case, once.
///
/// # Errors
/// [`ApplicationError`].
pub async fn change(
    Stored { core, partner }: Stored<'_>,
    id: CaseId,
    address: &[&str],
    idempotency: Option<Idempotency>,
    event: Event,
    change: impl FnOnce(Case) -> Result<Case, ApplicationError>,
) -> Result<Case, ApplicationError> {
    let first = match core.repeats.begin(core, &event, address, idempotency).await? {
        Once::First(first) => first,
        Once::Again(id) => return noted(partner, &id),
    };
    let _changing = partner.changing_cases.lock().await;
    let case = partner.cases().get(&id).cloned().ok_or(ApplicationError::NotFound)?;
    store_one(core, partner, &first, change(case)?, event).await
}

/// Withdraws a signal: its submissions follow, and its matches end on both sides.
///
/// # Errors
/// [`ApplicationError`].
pub async fn withdraw(
    core: &Core,
    partner: &Partner,
    id: CaseId,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<Case, ApplicationError> {
    let address = ["signals", &id.0.to_string(), "withdraw"];
    let withdrawn = |case: Case| Ok(Case { withdrawn: case.withdrawn.or_else(|| Some(core.now())), ..case });
    change(Stored { core, partner }, id, &address, idempotency, event, withdrawn).await
}

/// Renews a signal from today.
///
/// # Errors
/// [`ApplicationError`].
pub async fn renew(
    core: &Core,
    partner: &Partner,
    id: CaseId,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<Case, ApplicationError> {
    let address = ["signals", &id.0.to_string(), "renew"];
    let renewed = |case: Case| {
        if case.withdrawn.is_some() {
            return Err(ApplicationError::Conflict("the signal was withdrawn; make a new one".to_owned()));
        }
        let expiry = expiry(core, &case.purpose).ok_or(ApplicationError::Internal)?;
        Ok(Case { expiry, ..case })
    };
    change(Stored { core, partner }, id, &address, idempotency, event, renewed).await
}

/// Takes in a caseload as signals for the default purpose, in one commit for the file.
///
/// # Errors
/// [`ApplicationError`]: a file that cannot be read at all changes nothing.
pub async fn import(
    core: &Core,
    partner: &Partner,
    csv: &[u8],
    dry_run: bool,
    idempotency: Option<Idempotency>,
    event: Event,
) -> Result<ImportReport, ApplicationError> {
    let mut errors = Vec::new();
    let purpose = purpose(core, None, &mut errors).ok_or(ApplicationError::Invalid(errors))?;
    let recipes = partner.cases().recipes(&purpose).ok_or(ApplicationError::Internal)?;
    let read = tokio::task::block_in_place(|| caseload::read(csv, core.today(), &recipes));
    let caseload = read.map_err(ApplicationError::Unreadable)?;
    let mut report = ImportReport { dry_run, persons: caseload.persons(), ..ImportReport::default() };
    report.lines_left_out = by_line(&caseload.problems);
    report.warnings = by_line(&caseload.warnings);
    // Trying changes nothing, so it may be repeated anyway, and leaves the key for the import itself.
    let idempotency = idempotency.filter(|_| !dry_run);
    let first = match core.repeats.begin(core, &event, &["imports"], idempotency).await? {
        Once::First(first) => first,
        Once::Again(counts) => {
            (report.cases, report.unchanged) = codec::decode::<Taken>(&counts).map_err(internal)?.0;
            return Ok(report);
        }
    };
    let _changing = partner.changing_cases.lock().await;
    let mut changed = Vec::new();
    for rows in caseload.cases {
        let same = partner
            .cases()
            .find(&purpose, &rows.case_reference)
            .is_some_and(|case| case.is_live(core.today()) && case.persons == rows.persons);
        if same {
            report.unchanged += 1;
        } else {
            changed.push(new_case(core, partner, &purpose, rows.case_reference, rows.persons)?);
        }
    }
    report.cases = changed.len();
    if !dry_run {
        let mut batch = Batch::new();
        let taken = Taken((report.cases, report.unchanged));
        first.note(core, &mut batch, &codec::encode(&taken));
        store(core, partner, batch, changed, event).await.map_err(internal)?;
    }
    Ok(report)
}

fn internal<E>(_: E) -> ApplicationError {
    ApplicationError::Internal
}

/// What an import took in: cases that changed, and cases that did not. The rest of its report is in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Taken((usize, usize));

impl Wire for Taken {
    const MAX_LEN: usize = 32;
}

/// All reasons of one line together.
fn by_line(problems: &[caseload::LineProblem]) -> Vec<LineReason> {
    let together = |line: &[caseload::LineProblem]| LineReason {
        line: line[0].line,
        reason: line.iter().map(caseload::LineProblem::without_line).collect::<Vec<_>>().join("; "),
        problems: line.to_vec(),
    };
    problems.chunk_by(|one, next| one.line == next.line).map(together).collect()
}

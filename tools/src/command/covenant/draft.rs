//! `kring covenant draft`: a first covenant from the members' cards, with defaults that members can edit.

use std::path::PathBuf;

use kring_node::clock::Clock;
use kring_node::founding;
use kring_protocol::covenant::{
    Annex, Budget, Coordination, Covenant, Disclosure, EpochTerms, MemberCard, Purpose, SignedCard, Tempo,
    check,
};
use kring_protocol::id::{MemberId, PurposeId};
use kring_protocol::secret::Secret;
use kring_protocol::tempo::{Pace, ROUNDS_A_DAY};
use kring_protocol::time::Day;
use rand::{CryptoRng, RngCore};
use serde_json::json;

use crate::file::Draft;
use crate::output::{Failure, Output, note};

/// Most members that hold keys unless --holders names them.
const HOLDERS: usize = 6;
/// Members that are matchers unless --matchers names them.
const MATCHERS: usize = 4;
/// The recipe list of every purpose, until members edit the draft.
const RECIPES: &str = "default";
/// Months a signal lives unless renewed.
const SIGNAL_MONTHS: u32 = 12;

/// Write covenant.toml, a readable draft, from the members' cards
///
/// The draft is text: edit it before anyone signs. Its annex holds a secret for members only; send it by a channel
/// that only they read. What the covenant's rules say of the draft is printed; `kring covenant verify` says it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The members' cards, member.toml, in the order in which roles are given out
    #[arg(long, value_name = "member.toml", required = true, num_args = 1..)]
    member: Vec<PathBuf>,
    /// What people call the network
    #[arg(long, value_name = "T", default_value = "Kring")]
    title: String,
    /// Members that hold keys, three to seven [default: the first six, no two in one hand]
    #[arg(long, value_name = "ids", value_delimiter = ',')]
    holders: Vec<MemberId>,
    /// Members whose nodes compare tags [default: the last four]
    #[arg(long, value_name = "ids", value_delimiter = ',')]
    matchers: Vec<MemberId>,
    /// The two members whose keys together trace a submission [default: the first two, not in one hand]
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    trace_keys: Vec<MemberId>,
    /// A purpose with all members; may be repeated; the first is the default of its members
    #[arg(long, value_name = "id", default_value = "jeugd")]
    purpose: Vec<PurposeId>,
    /// How fast nodes work: production, or immediate (demonstration only, never for real data)
    #[arg(long, default_value = "production", value_parser = tempo)]
    tempo: Tempo,
    /// Members that may not use the BSN
    #[arg(long, value_name = "ids", value_delimiter = ',')]
    no_bsn: Vec<MemberId>,
    /// Where to write the draft
    #[arg(long, value_name = "covenant.toml", default_value = "covenant.toml")]
    out: PathBuf,
}

/// What a coordinator chooses; what is empty gets a default.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) title: String,
    pub(crate) holders: Vec<MemberId>,
    pub(crate) matchers: Vec<MemberId>,
    pub(crate) trace_keys: Vec<MemberId>,
    pub(crate) purposes: Vec<PurposeId>,
    pub(crate) tempo: Tempo,
    pub(crate) no_bsn: Vec<MemberId>,
    /// Of every purpose: the name of a list, or ids of recipes.
    pub(crate) recipes: Vec<String>,
}

pub(super) fn run(args: Args, output: Output) -> Result<(), Failure> {
    let cards = args.member.iter().map(|path| founding::read_card(path)).collect::<Result<Vec<_>, _>>()?;
    let choices = Choices {
        title: args.title,
        holders: args.holders,
        matchers: args.matchers,
        trace_keys: args.trace_keys,
        purposes: args.purpose,
        tempo: args.tempo,
        no_bsn: args.no_bsn,
        recipes: Vec::new(),
    };
    let draft = draft(cards, choices, Clock.now().day(), &mut rand::rngs::OsRng)?;
    draft.write_new(&args.out, &notes(&draft.covenant))?;
    let findings = check::findings(&draft.covenant);
    for finding in &findings {
        note(&finding.to_string());
    }
    let text = format!(
        "{}\nWrote {}. Next: let every member run `kring covenant sign` on it.",
        figures(&draft.covenant).join("\n"),
        args.out.display()
    );
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    output.result(
        &json!({ "draft": args.out, "hash": draft.covenant.hash().to_string(), "findings": findings }),
        &text,
    );
    Ok(())
}

/// Drafts a first covenant that starts on `today`.
pub(crate) fn draft(
    cards: Vec<SignedCard>,
    choices: Choices,
    today: Day,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Draft, Failure> {
    let members: Vec<&MemberCard> = cards.iter().map(|signed| &signed.card).collect();
    let ids: Vec<MemberId> = members.iter().map(|card| card.id.clone()).collect();
    let named =
        choices.holders.iter().chain(&choices.matchers).chain(&choices.trace_keys).chain(&choices.no_bsn);
    if let Some(stranger) = named.into_iter().find(|id| !ids.contains(id)) {
        return Err(Failure::Usage(format!("{stranger} is named but its member.toml is not among --member")));
    }
    let trace_keys = or_default(choices.trace_keys, || independent(&members, 2));
    let trace_keys = trace_keys
        .try_into()
        .map_err(|_| Failure::Usage("--trace-keys takes two members that are not in one hand".to_owned()))?;
    let bsn_members: Vec<_> = ids.iter().filter(|id| !choices.no_bsn.contains(id)).cloned().collect();
    let annex = Annex { pepper: Secret::random(rng) };
    let purposes = u32::try_from(choices.purposes.len()).unwrap_or(u32::MAX);
    let budget = |card: &&MemberCard| Budget::for_caseload(card.id.clone(), card.persons, purposes);
    let recipes = or_default(choices.recipes, || vec![RECIPES.to_owned()]);
    let covenant = Covenant {
        title: choices.title,
        version: 1,
        previous: None,
        annex: annex.hash(),
        key_holders: or_default(choices.holders, || independent(&members, HOLDERS)),
        matchers: or_default(choices.matchers, || ids[ids.len().saturating_sub(MATCHERS)..].to_vec()),
        trace_keys,
        epochs: EpochTerms::starting(today),
        tempo: choices.tempo,
        purposes: choices.purposes.into_iter().map(|id| purpose(id, &ids, &bsn_members, &recipes)).collect(),
        budgets: members.iter().map(budget).collect(),
        members: cards,
    };
    Ok(Draft { covenant, annex })
}

fn or_default<T>(given: Vec<T>, default: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if given.is_empty() { default() } else { given }
}

/// The first `count` members of whom no two have one controller or operator.
fn independent(members: &[&MemberCard], count: usize) -> Vec<MemberId> {
    let mut chosen: Vec<&MemberCard> = Vec::new();
    for card in members {
        if chosen.len() < count && chosen.iter().all(|other| other.independent_of(card)) {
            chosen.push(card);
        }
    }
    chosen.into_iter().map(|card| card.id.clone()).collect()
}

fn purpose(id: PurposeId, members: &[MemberId], bsn_members: &[MemberId], recipes: &[String]) -> Purpose {
    Purpose {
        title: id.as_str().to_owned(),
        id,
        legal_ground: "in te vullen door de partners".to_owned(),
        members: members.to_vec(),
        bsn_members: bsn_members.to_vec(),
        recipes: recipes.to_vec(),
        disclosure: Disclosure::NameAtOnce,
        signal_months: SIGNAL_MONTHS,
        coordination: Some(Coordination::default()),
    }
}

/// What budgets and tempo mean for each member.
pub(super) fn figures(covenant: &Covenant) -> Vec<String> {
    let line = |budget: &Budget| {
        let guesses = format!("{}: at most {} guesses a year", budget.member, budget.guesses_per_year());
        match Pace::of(covenant, &budget.member) {
            Some(Pace::Production(schedule)) => {
                let matchers = covenant.matchers_for(&budget.member).len();
                let tenths = schedule.bytes_a_day(matchers) / 100_000;
                format!(
                    "{guesses}; {ROUNDS_A_DAY} batches of {} inputs a day for each purpose; a message every {} s to \
                     each of {matchers} matchers, {}.{} MB a day",
                    schedule.batch(),
                    schedule.slot_secs(),
                    tenths / 10,
                    tenths % 10
                )
            }
            Some(Pace::Immediate) | None => guesses,
        }
    };
    covenant.budgets.iter().map(line).collect()
}

fn notes(covenant: &Covenant) -> Vec<String> {
    let mut notes = vec![
        "Draft of a covenant of Kring. Edit it, then let every member sign the same file.".to_owned(),
        "For members only: [annex] holds a secret.".to_owned(),
        "Days are counted from 1970-01-01. Budgets count evaluations and mean:".to_owned(),
    ];
    notes.extend(figures(covenant).into_iter().map(|line| format!("  {line}")));
    notes
}

fn tempo(text: &str) -> Result<Tempo, String> {
    match text {
        "immediate" => Ok(Tempo::Immediate),
        "production" => Ok(Tempo::Production),
        _ => Err("write immediate or production".to_owned()),
    }
}

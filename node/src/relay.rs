//! The relay's role: passes on other members' sealed submissions (`docs/protocol.md` sections 5.4 and 5.5). Keeps
//! nothing but counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kring_protocol::codec;
use kring_protocol::id::MemberId;
use kring_protocol::relay::{
    Forward, Outcome, Refusal, Relay as Rules, Relayed, Request, Response, TicketMaker, TraceKeys, is_recent,
};
use kring_protocol::tempo::Pace;
use kring_protocol::time::Day;
use rand::rngs::OsRng;

use kring_protocol::log::entry::Kind;

use crate::core::Core;
use crate::network::Family;
use crate::store::Batch;

/// The relay's role of this node.
#[derive(Debug)]
pub struct Relay {
    core: Arc<Core>,
    trace_keys: TraceKeys,
    tickets: Mutex<Option<(Day, Arc<TicketMaker>)>>,
    passed_on: Mutex<PassedOn>,
}

/// How many items each sender has handed over for each matcher today.
#[derive(Debug, Default)]
struct PassedOn {
    day: Option<Day>,
    counts: HashMap<(MemberId, MemberId), u64>,
}

/// A submission may be left, replaced and withdrawn, and each may have to be sent again.
const SENDINGS: u64 = 4;

impl Relay {
    /// The relay of this node.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        let key = |member: &MemberId| {
            let card = core.covenant.member(member).expect("a verified covenant names members as trace keys");
            (member.clone(), card.trace_key)
        };
        let trace_keys = TraceKeys { holders: core.covenant.trace_keys.each_ref().map(key) };
        Self { core, trace_keys, tickets: Mutex::new(None), passed_on: Mutex::default() }
    }

    /// Passes on what `from` hands over, and brings back what the matcher says.
    pub async fn forward(
        &self,
        from: &MemberId,
        matcher: MemberId,
        day: Day,
        items: Vec<Forward>,
    ) -> Response {
        let covenant = &self.core.covenant;
        let allowed = covenant.matchers.contains(&matcher)
            && covenant.matchers_for(from).contains(&matcher)
            && covenant.relays_for(from, &matcher).contains(&self.core.me);
        let Some(sender_key) = self.core.verifying_key(from).filter(|_| allowed) else {
            return Response::Refused(Refusal::Path);
        };
        if items.len() > self.core.pace.items_max() || items.is_empty() {
            return Response::Refused(Refusal::Malformed);
        }
        if !is_recent(day, self.core.today()) {
            return Response::Refused(Refusal::Day);
        }
        if !self.within_quota(from, &matcher, items.len()) {
            return Response::Refused(Refusal::Quota);
        }
        let destination = self.core.destination(&matcher);
        let tickets = self.tickets(day);
        let signing = &self.core.identity.signing;
        let rules = Rules { destination: &destination, me: &self.core.me, key: signing, day };
        let passed: Vec<Result<Relayed, Refusal>> = tokio::task::block_in_place(|| {
            items
                .into_iter()
                .map(|item| rules.pass_on(item, from, &sender_key, &tickets, &mut OsRng))
                .collect()
        });
        let good: Vec<_> = passed.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
        let count = good.len() as u64;
        let entries = vec![self.core.event(Kind::SubmissionRelayed, Some(from), count)];
        if self.core.commit(Batch::new(), entries).await.is_err() {
            return Response::Refused(Refusal::Unreachable);
        }
        let Some(outcomes) = self.hand_over(&matcher, day, good).await else {
            return Response::Refused(Refusal::Unreachable);
        };
        let mut outcomes = outcomes.into_iter();
        let outcome = |passed: Result<Relayed, Refusal>| match passed {
            Ok(_) => outcomes.next().unwrap_or(Outcome::Refused(Refusal::Unreachable)),
            Err(refusal) => Outcome::Refused(refusal),
        };
        Response::Outcomes(passed.into_iter().map(outcome).collect())
    }

    /// Most items that a sender may hand over in a day: its slots. Without slots no more than follows from what it may
    /// have evaluated (section 5.4).
    fn quota(&self, from: &MemberId) -> u64 {
        let covenant = &self.core.covenant;
        match Pace::of(covenant, from) {
            None => 0,
            Some(Pace::Production(schedule)) => schedule.slots_a_day(),
            Some(Pace::Immediate) => {
                let budget = covenant.budgets.iter().find(|budget| budget.member == *from);
                let inputs =
                    budget.map_or(0, |budget| u64::from(budget.per_day) + u64::from(budget.allowance));
                inputs.saturating_mul(SENDINGS)
            }
        }
    }

    /// Counts what a sender hands over today.
    fn within_quota(&self, from: &MemberId, matcher: &MemberId, items: usize) -> bool {
        let quota = self.quota(from);
        let mut passed = self.passed_on.lock().expect("nobody panics while holding the counts");
        let today = self.core.today();
        if passed.day != Some(today) {
            *passed = PassedOn { day: Some(today), counts: HashMap::new() };
        }
        let count = passed.counts.entry((from.clone(), matcher.clone())).or_default();
        *count += items as u64;
        *count <= quota
    }

    async fn hand_over(&self, matcher: &MemberId, day: Day, items: Vec<Relayed>) -> Option<Vec<Outcome>> {
        let count = items.len();
        if count == 0 {
            return Some(Vec::new());
        }
        let request = codec::encode(&Request::Relayed { day, items });
        let answer = self.core.network.request(matcher, Family::Forward, request).await.ok()?;
        match codec::decode(&answer).ok()? {
            Response::Outcomes(outcomes) if outcomes.len() == count => Some(outcomes),
            _ => None,
        }
    }

    /// The day's ticket contexts; yesterday's are dropped.
    fn tickets(&self, day: Day) -> Arc<TicketMaker> {
        let mut tickets = self.tickets.lock().expect("nobody panics while holding the tickets");
        match &*tickets {
            Some((made, maker)) if *made == day => Arc::clone(maker),
            _ => {
                let maker = TicketMaker::new(&self.core.network_id(), &self.trace_keys, &mut OsRng);
                let maker = Arc::new(maker);
                *tickets = Some((day, Arc::clone(&maker)));
                maker
            }
        }
    }
}

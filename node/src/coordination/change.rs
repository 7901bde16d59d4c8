//! One commit's worth of changes of matches and cooperations.
//!
//! Whoever makes one holds [`Partner::changing_matches`] from before the matches change until the commit is durable, so
//! that no older record is written over a newer one.

use std::collections::BTreeSet;

use kring_protocol::codec::encode;
use kring_protocol::conversation::{Message, Says};
use kring_protocol::coordination::{
    Action, At, CardDue, CardPlace, CardSigner, Cooperation, Effect, Incoming, Refused, pair_mark,
};
use kring_protocol::id::Reference;
use kring_protocol::log::entry::{Kind, Outcome};
use kring_protocol::matching::MatchKey;
use kring_protocol::matching::outbox::Pair;
use kring_protocol::subject_key::Scope;
use rand::rngs::OsRng;

use super::{Of, Told};
use crate::audit::Event;
use crate::cases::{Case, CaseId};
use crate::partner::Partner;
use crate::store::{Batch, StoreError, Table};
use crate::vault::KeyName;

/// What one commit changes. Memory has it at once; [`Self::finish`] gives what has to be stored.
#[derive(Debug)]
pub struct Change<'a> {
    partner: &'a Partner,
    matches: BTreeSet<MatchKey>,
    cases: BTreeSet<CaseId>,
    told: BTreeSet<CaseId>,
    /// What was told, in its order.
    news: Vec<(CaseId, Told)>,
    steps: u64,
    cards: u64,
    refused: u64,
    revived: u64,
}

/// What follows after the commit, and what has to be in it.
#[derive(Debug)]
pub struct Changed {
    /// Matches that changed, to be given to [`Partner::touch_matches`] after the commit.
    pub matches: Vec<MatchKey>,
    /// For the audit log.
    pub events: Vec<Event>,
}

impl<'a> Change<'a> {
    /// Nothing yet.
    #[must_use]
    pub const fn new(partner: &'a Partner) -> Self {
        Self {
            partner,
            matches: BTreeSet::new(),
            cases: BTreeSet::new(),
            told: BTreeSet::new(),
            news: Vec::new(),
            steps: 0,
            cards: 0,
            refused: 0,
            revived: 0,
        }
    }

    /// These matches are new, have begun, ended, or were called mistaken.
    pub fn update(&mut self, changed: &[MatchKey]) {
        for key in changed {
            self.matches.insert(key.clone());
            let Some(entry) = self.partner.matches().get(key).cloned() else { continue };
            let Some(of) = self.of(&entry.own) else { continue };
            let fed = |cooperation: &mut Cooperation, at: At<'_>| {
                Ok::<_, Refused>(cooperation.update(&entry, at, &mut OsRng))
            };
            let _: Result<bool, Refused> = self.run(&of, fed);
        }
    }

    /// A matcher has introduced a submission of the other side that had ended.
    pub const fn notice_revival(&mut self) {
        self.revived += 1;
    }

    /// Another partner says something over a pair of mailboxes that met in `scope`.
    pub fn hear(&mut self, message: &Message, pair: &Pair, scope: &Scope) {
        let matcher = &pair.matcher;
        let heard = {
            let mut matches = self.partner.matches();
            let heard = matches.hear(message, pair);
            heard.and_then(|changed| Ok((changed, matches.about(message, pair)?.clone())))
        };
        let (changed, entry) = match heard {
            Ok(heard) => heard,
            Err(error) => {
                tracing::warn!(%matcher, %error, "a message was left alone");
                return;
            }
        };
        let changed = Vec::from_iter(changed);
        let Some(of) = self.of(&entry.own) else {
            self.matches.extend(changed);
            return;
        };
        let core = self.partner.core();
        let (me, covenant) = (&core.me, &*core.covenant);
        let incoming = Incoming { message, entry: &entry, pair, scope, me, covenant };
        match self.run(&of, |cooperation, at| cooperation.hear(incoming, at, &mut OsRng)) {
            Ok(news) => self.steps += u64::from(news || !changed.is_empty()),
            Err(error) => {
                // Whose card it is, and what stands on it, is nobody's to know.
                tracing::error!(%matcher, %error, "a contact card was refused");
                self.refused += 1;
                self.update(&changed);
            }
        }
        self.matches.extend(changed);
    }

    /// One of the own people does something.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    pub fn act(&mut self, of: &Of, action: &Action) -> Result<(), Refused> {
        self.run(of, |cooperation, at| cooperation.act(action, at, &mut OsRng)).map(drop)
    }

    /// A case is about to be stored with new content: its signal may have ended, or somebody else is to be reached.
    pub fn case_changed(&mut self, case: &Case) {
        let Some(of) = Of::new(self.partner.core(), case) else { return };
        if self.partner.cooperations().get(&case.id).is_none() {
            return;
        }
        let before = self.partner.cases().get(&case.id).and_then(|known| known.contact.clone());
        if !case.is_live(self.partner.core().today()) {
            self.signal_ended(&of);
        } else if before != case.contact {
            let changed = self.act(&of, &Action::ChangeCard);
            debug_assert_eq!(changed, Ok(()), "a card may change whatever the state");
        }
    }

    /// Time has passed for a case.
    pub fn time_passed(&mut self, case: &Case) {
        let Some(of) = Of::new(self.partner.core(), case) else { return };
        if case.is_live(self.partner.core().today()) {
            let tick = |cooperation: &mut Cooperation, at: At<'_>| {
                Ok::<_, Refused>(cooperation.tick(at, &mut OsRng))
            };
            let _: Result<bool, Refused> = self.run(&of, tick);
        } else {
            self.signal_ended(&of);
        }
    }

    fn signal_ended(&mut self, of: &Of) {
        let ended = |cooperation: &mut Cooperation, at: At<'_>| {
            Ok::<_, Refused>(cooperation.own_signal_ended(at, &mut OsRng))
        };
        let _: Result<bool, Refused> = self.run(of, ended);
    }

    /// What has to be stored, and what follows then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(self, batch: &mut Batch) -> Result<Changed, StoreError> {
        let Self { partner, matches, cases, told, news, steps, cards, refused, revived } = self;
        let matches = Vec::from_iter(matches);
        partner.put_matches(batch, &matches)?;
        let core = partner.core();
        let cooperations = partner.cooperations();
        let mut put = |case: &CaseId, table, bytes: &[u8]| {
            let key = case.0.as_bytes().to_vec();
            let sealed = core.vault.seal_record(&KeyName::Case(*case), table, &key, bytes)?;
            batch.put(table, key, sealed);
            Ok::<_, StoreError>(())
        };
        for kept in cases.iter().filter_map(|case| Some((case, cooperations.get(case)?))) {
            put(kept.0, Table::Cooperation, &encode(&kept.1.cooperation))?;
        }
        for kept in told.iter().filter_map(|case| Some((case, cooperations.get(case)?))) {
            put(kept.0, Table::Told, &encode(&kept.1.told))?;
        }
        drop(cooperations);
        for (case, told) in &news {
            partner.happenings().add(core, batch, *case, told)?;
        }
        let counted = [
            (Kind::Coordination, steps, Outcome::Done),
            (Kind::Disclosure, cards, Outcome::Done),
            (Kind::Coordination, refused, Outcome::Refused),
            (Kind::Evidence, revived, Outcome::Failed),
        ];
        let event =
            |(kind, count, outcome): (Kind, u64, Outcome)| Event { outcome, ..core.event(kind, None, count) };
        let events = counted.into_iter().filter(|(_, count, _)| *count > 0).map(event).collect();
        Ok(Changed { matches, events })
    }

    /// Of the case that the network knows by this reference.
    fn of(&self, reference: &Reference) -> Option<Of> {
        let cases = self.partner.cases();
        Of::new(self.partner.core(), cases.by_reference(reference)?)
    }

    /// Lets the rules take one step, and carries out what follows. True when it changed the cooperation.
    fn run<E>(
        &mut self,
        of: &Of,
        step: impl FnOnce(&mut Cooperation, At<'_>) -> Result<Vec<Effect>, E>,
    ) -> Result<bool, E> {
        let at = At { now: self.partner.core().now(), purpose: &of.purpose, restored: None };
        let (changed, effects) = {
            let mut all = self.partner.cooperations();
            let known = all.get(&of.case).map(|kept| &kept.cooperation);
            let fresh = Cooperation::new(of.reference);
            let mut next = known.unwrap_or(&fresh).clone();
            let effects = step(&mut next, at)?;
            let changed = next != *known.unwrap_or(&fresh);
            if changed {
                all.put(of.case, next);
                self.cases.insert(of.case);
            }
            (changed, effects)
        };
        self.carry_out(of, effects);
        self.send_cards(of, at);
        Ok(changed)
    }

    fn carry_out(&mut self, of: &Of, effects: Vec<Effect>) {
        let now = self.partner.core().now();
        for effect in effects {
            if let Some(told) = Told::of(&effect, now) {
                self.tell(of, told);
            }
            match effect {
                Effect::Send { key, message, only } => {
                    self.cards += u64::from(matches!(message.says, Says::Card(_)));
                    self.partner.matches().tell(&key, *message, only);
                    self.matches.insert(key);
                }
                Effect::Mark { key, message, reason } => {
                    let marked = self.partner.matches().mark_mistaken(key.id, message, reason, now.day());
                    self.update(&marked);
                }
                _ => {}
            }
        }
    }

    fn tell(&mut self, of: &Of, told: Told) {
        tracing::info!(what = told.what.as_str(), "somebody is to be told about a notice");
        let mut all = self.partner.cooperations();
        if let Some(kept) = all.kept.get_mut(&of.case) {
            kept.told.add(told.clone());
            self.news.push((of.case, told));
            self.told.insert(of.case);
            self.steps += 1;
        }
    }

    /// Signs and sends the cards that have to go now.
    fn send_cards(&mut self, of: &Of, at: At<'_>) {
        let due = self
            .partner
            .cooperations()
            .get(&of.case)
            .map(|kept| kept.cooperation.cards_due())
            .unwrap_or_default();
        if due.is_empty() {
            return;
        }
        let Some(card) = of.card() else {
            tracing::warn!("a contact card is due, and its signal has no usable contact");
            return;
        };
        let core = self.partner.core();
        let (member, key) = (&core.me, &*core.identity.signing);
        for due in due {
            let Some((pair, scope)) = self.way(&due) else { continue };
            let place = CardPlace { scope: &scope, match_id: due.key.id, pair: &pair };
            let signer = CardSigner { member, key, place };
            let sent = {
                let mut all = self.partner.cooperations();
                let Some(kept) = all.kept.get_mut(&of.case) else { return };
                kept.cooperation.send_card(&due, card.clone(), signer, at, &mut OsRng)
            };
            match sent {
                Ok(effects) if !effects.is_empty() => {
                    self.cases.insert(of.case);
                    self.carry_out(of, effects);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a contact card cannot be given"),
            }
        }
    }

    /// The pair of mailboxes that a card takes, and where those met.
    fn way(&self, due: &CardDue) -> Option<(Pair, Scope)> {
        let pair = {
            let matches = self.partner.matches();
            let over = &matches.get(&due.key)?.heard_over;
            over.iter().find(|pair| pair_mark(pair) == due.over).cloned()?
        };
        let leave = self.partner.conversations().leave_of(&pair).cloned()?;
        let purpose = self.partner.leaves().get(&leave)?.purpose.clone();
        let network = self.partner.core().network_id();
        Some((pair, Scope { network, epoch: leave.epoch, purpose, matcher: leave.matcher }))
    }
}

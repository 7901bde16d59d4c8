//! Several partners with their cases, matches and boards, in one process. Real matches, real outboxes, real signatures;
//! only sealing is left out. What must hold at every moment is asserted here.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

use super::super::*;
use crate::codec::{decode, encode};
use crate::conversation::Says;
use crate::coordination::cooperation::Incoming;
use crate::covenant::tests::{Founder, covenant, founders, signed};
use crate::covenant::{Disclosure, VerifiedCovenant};
use crate::id::{Epoch, MatchId, MemberId, Reference};
use crate::matching::{Encounter, Matches, MeetingPoint};
use crate::sealing::{ExchangeKey, ExchangeSecret};
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::subject_key::Scope;
use crate::time::Timestamp;

/// Monday 11 January 2027, 9 o'clock in Amsterdam.
pub(super) const START: Timestamp = Timestamp::from_secs(1_799_654_400);
/// Matchers over which two cases may meet, and keys that they share there.
pub(super) const MATCHERS: usize = 2;
pub(super) const KEYS: usize = 2;

/// One partner's case.
pub(super) struct Case {
    pub(super) partner: usize,
    pub(super) reference: Reference,
    pub(super) matches: Matches,
    pub(super) cooperation: Cooperation,
    pub(super) withdrawn: bool,
    /// How often the professional's card has changed.
    pub(super) card: u8,
    pub(super) told: Told,
    backup: Option<Backup>,
    restored: Option<Timestamp>,
}

/// What a node can be put back to.
#[derive(Clone)]
struct Backup {
    cooperation: Vec<u8>,
    matches: Vec<Vec<u8>>,
    withdrawn: bool,
    told: Told,
}

/// What the own people and others were told.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) alerts: Vec<Alert>,
    pub(super) flags: Vec<Flag>,
    pub(super) reminders: BTreeMap<(MatchKey, u8), Vec<u32>>,
    pub(super) supervisor: BTreeSet<(MatchKey, u8)>,
    pub(super) coordinator: Vec<u32>,
    pub(super) closed: bool,
    /// An alert that others are involved, at which nobody has looked.
    pending: bool,
}

/// Two cases of one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge(pub(super) [usize; 2]);

/// Two mailboxes that met, and which sides know.
#[derive(Clone)]
struct Ground {
    edge: usize,
    matcher: usize,
    key: usize,
    mailboxes: [ExchangeKey; 2],
    met: [bool; 2],
    ended: bool,
    end_read: [bool; 2],
    /// At which side a message over it has opened.
    opened: [bool; 2],
}

struct Posted {
    ground: usize,
    to: usize,
    message: Message,
}

/// What becomes of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    ReceiptLost,
    Lost,
}

pub(super) struct World {
    pub(super) founders: Vec<Founder>,
    pub(super) covenant: VerifiedCovenant,
    pub(super) cases: Vec<Case>,
    pub(super) edges: Vec<Edge>,
    grounds: Vec<Ground>,
    posted: Vec<Posted>,
    pub(super) now: Timestamp,
    pub(super) rng: ChaCha20Rng,
    /// Which side of which edge has ever wanted to coordinate.
    wanted: BTreeSet<(usize, usize)>,
    /// Which case has ever called which match mistaken.
    pub(super) marked: BTreeSet<(usize, MatchKey)>,
}

pub(super) fn matcher(number: usize) -> MemberId {
    format!("m{number}").parse().unwrap()
}

impl World {
    /// Partners' cases, and who shares a family with whom.
    pub(super) fn new(partners: &[usize], edges: Vec<Edge>, disclosure: Disclosure) -> Self {
        let founders = founders(6);
        let mut terms = covenant(&founders);
        terms.purposes[0].disclosure = disclosure;
        let covenant = signed(&founders, &terms).verify().unwrap();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut case = |partner: usize| {
            let mut reference = [0; 16];
            rng.fill_bytes(&mut reference);
            let reference = Reference::from_bytes(reference);
            Case {
                partner,
                reference,
                matches: Matches::default(),
                cooperation: Cooperation::new(reference),
                withdrawn: false,
                card: 0,
                told: Told::default(),
                backup: None,
                restored: None,
            }
        };
        let cases = partners.iter().map(|partner| case(*partner)).collect();
        Self {
            founders,
            covenant,
            cases,
            edges,
            grounds: Vec::new(),
            posted: Vec::new(),
            now: START,
            rng,
            wanted: BTreeSet::new(),
            marked: BTreeSet::new(),
        }
    }

    /// Two, or all, cases of different partners around one family.
    pub(super) fn around_one_family(partners: usize, disclosure: Disclosure) -> Self {
        let cases: Vec<_> = (0..partners).collect();
        let pairs = |a: usize| (a + 1..partners).map(move |b| Edge([a, b]));
        let mut world = Self::new(&cases, (0..partners).flat_map(pairs).collect(), disclosure);
        for edge in 0..world.edges.len() {
            world.find(edge);
        }
        world
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.covenant.purposes[0].clone()
    }

    pub(super) fn at<'a>(&self, case: usize, purpose: &'a Purpose) -> At<'a> {
        At { now: self.now, purpose, restored: self.cases[case].restored }
    }

    fn member(&self, case: usize) -> MemberId {
        self.founders[self.cases[case].partner].card.card.id.clone()
    }

    pub(super) fn key(&self, edge: usize, side: usize) -> MatchKey {
        let [a, b] = self.edges[edge].0;
        let (own, other) = if side == 0 { (a, b) } else { (b, a) };
        let id = crate::matching::match_id(self.cases[own].reference, self.cases[other].reference);
        let named = self.purpose().disclosure == Disclosure::NameAtOnce;
        MatchKey { id, partner: named.then(|| self.member(other)) }
    }

    /// What a case says of one of its matches.
    pub(super) fn seen(&self, edge: usize, side: usize) -> Option<(NoticeView<'_>, usize)> {
        let case = &self.cases[self.edges[edge].0[side]];
        let key = self.key(edge, side);
        let view = case.cooperation.view(&self.covenant.purposes[0])?;
        let index = view.matches.iter().position(|found| *found.key == key)?;
        Some((view, index))
    }

    pub(super) fn edges_of(&self, case: usize) -> Vec<(usize, usize)> {
        let side = |edge: &Edge| edge.0.iter().position(|of| *of == case);
        self.edges.iter().enumerate().filter_map(|(at, edge)| Some((at, side(edge)?))).collect()
    }

    fn pair(&self, ground: usize, side: usize) -> Pair {
        let Ground { matcher: at, mailboxes, .. } = &self.grounds[ground];
        Pair { matcher: matcher(*at), own: mailboxes[side], other: mailboxes[1 - side] }
    }

    /// The ground of an edge at one matcher by one key: the one there is, or a new one.
    fn ground(&mut self, edge: usize, at: usize, key: usize) -> Option<usize> {
        let is = |ground: &Ground| {
            (ground.edge, ground.matcher, ground.key, ground.ended) == (edge, at, key, false)
        };
        if self.edges[edge].0.iter().any(|case| self.cases[*case].withdrawn) {
            return None;
        }
        self.grounds.iter().position(is).or_else(|| {
            let mut mailbox = || {
                let mut bytes = [0; 32];
                self.rng.fill_bytes(&mut bytes);
                ExchangeSecret::from_bytes(Secret::new(bytes)).public()
            };
            let (mailboxes, unread) = ([mailbox(), mailbox()], [false; 2]);
            self.grounds.push(Ground {
                edge,
                matcher: at,
                key,
                mailboxes,
                met: unread,
                ended: false,
                end_read: unread,
                opened: unread,
            });
            Some(self.grounds.len() - 1)
        })
    }

    /// One side reads that it has met the other at a matcher by a key.
    pub(super) fn meet(&mut self, edge: usize, at: usize, key: usize, side: usize) {
        let Some(ground) = self.ground(edge, at, key) else { return };
        self.grounds[ground].met[side] = true;
        let Pair { own, other, .. } = self.pair(ground, side);
        let point = MeetingPoint {
            matcher: matcher(at),
            own,
            other,
            withdraw_key: SigningKey::from_seed(&Secret::new([1; 32])).verifying_key(),
            expiry: self.now.day().plus(100),
            recipe: format!("r{key}").parse().unwrap(),
        };
        let [of, to] = if side == 0 { [0, 1] } else { [1, 0] }.map(|side: usize| self.edges[edge].0[side]);
        let references = [of, to].map(|case| self.cases[case].reference);
        let encounter = Encounter::of(self.key(edge, side).partner, references, point);
        let today = self.now.day();
        let changed = self.cases[of].matches.meet(&encounter, today);
        self.update(of, &changed);
    }

    /// Both sides find each other everywhere.
    pub(super) fn find(&mut self, edge: usize) {
        for at in 0..MATCHERS {
            for side in 0..2 {
                self.meet(edge, at, 0, side);
            }
        }
    }

    /// The mailboxes of an edge at a matcher are renewed.
    pub(super) fn renew(&mut self, edge: usize, at: usize, key: usize) {
        for ground in &mut self.grounds {
            ground.ended |= (ground.edge, ground.matcher, ground.key) == (edge, at, key);
        }
    }

    /// A case's signal is withdrawn. Others read of it later.
    pub(super) fn withdraw(&mut self, case: usize) {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        let effects = self.cases[case].cooperation.own_signal_ended(at, &mut self.rng);
        self.carry_out(case, effects);
        self.cases[case].withdrawn = true;
        for (edge, side) in self.edges_of(case) {
            for ground in 0..self.grounds.len() {
                if self.grounds[ground].edge == edge {
                    self.grounds[ground].ended = true;
                    self.read_end(ground, side);
                }
            }
        }
    }

    /// One side reads that a ground has ended.
    pub(super) fn read_end(&mut self, ground: usize, side: usize) {
        let count = self.grounds.len();
        let Some(found) = self.grounds.get_mut(ground % count.max(1)).filter(|found| found.ended) else {
            return;
        };
        if found.met[side] && !std::mem::replace(&mut found.end_read[side], true) {
            let (case, mailbox) = (self.edges[found.edge].0[side], found.mailboxes[side]);
            let changed = self.cases[case].matches.own_ended(&mailbox);
            self.update(case, &changed);
        }
    }

    fn update(&mut self, case: usize, changed: &[MatchKey]) {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        for key in changed {
            let Case { matches, cooperation, .. } = &mut self.cases[case];
            let effects = cooperation.update(matches.get(key).unwrap(), at, &mut self.rng);
            self.carry_out(case, effects);
        }
    }

    /// Posts what a case has to say at a matcher.
    pub(super) fn send(&mut self, case: usize, at: usize, fate: Fate) -> bool {
        let keys: Vec<_> = self.cases[case].matches.iter().map(crate::matching::Match::key).collect();
        let mut sent = false;
        for key in keys {
            for saying in self.cases[case].matches.say(&key, &matcher(at)) {
                sent = true;
                let is =
                    |ground: &Ground| ground.matcher == at && ground.mailboxes.contains(&saying.pair.own);
                let ground = self.grounds.iter().position(is).unwrap();
                let edge = self.edges[self.grounds[ground].edge];
                let to = usize::from(edge.0[0] == case);
                if fate != Fate::Lost {
                    self.posted.push(Posted { ground, to, message: saying.message.clone() });
                }
                if fate == Fate::Arrives {
                    assert!(self.cases[case].matches.receipted(&key, &saying.message.id, &saying.pair));
                }
            }
        }
        sent
    }

    /// A post is read, whenever and however often. A side listens on a pair from when it has met there, and posts stand on
    /// the board before that.
    pub(super) fn deliver(&mut self, which: usize) {
        let Some(Posted { ground, to, message }) = self.posted.get(which) else { return };
        let (ground, to, message) = (*ground, *to, message.clone());
        if !self.grounds[ground].met[to] {
            return;
        }
        let (pair, edge) = (self.pair(ground, to), self.edges[self.grounds[ground].edge]);
        let case = edge.0[to];
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        let scope = self.scope(&pair.matcher);
        let me = self.member(case);
        let Case { matches, cooperation, .. } = &mut self.cases[case];
        if matches.hear(&message, &pair).is_err() {
            return;
        }
        self.grounds[ground].opened[to] = true;
        let (message, pair, covenant) = (&message, &pair, &self.covenant);
        let entry = matches.about(message, pair).unwrap();
        let incoming = Incoming { message, entry, pair, scope: &scope, me: &me, covenant };
        let effects = cooperation.hear(incoming, at, &mut self.rng).unwrap();
        self.carry_out(case, effects);
    }

    pub(super) fn posts(&self) -> usize {
        self.posted.len()
    }

    pub(super) fn scope(&self, matcher: &MemberId) -> Scope {
        let purpose = self.purpose().id;
        Scope { network: self.covenant.network(), epoch: Epoch(1), purpose, matcher: matcher.clone() }
    }

    /// The card that a case's professional has now.
    pub(super) fn card(&self, case: usize) -> ContactCard {
        let Case { partner, card, .. } = self.cases[case];
        ContactCard {
            name: format!("Professional {}", ["A", "B", "C", "D", "E", "F"][partner]).parse().unwrap(),
            function: "social-worker".parse().unwrap(),
            telephone: format!("+316000000{partner}{card}").parse().unwrap(),
            email: format!("p{partner}-{card}@example.nl").parse().unwrap(),
        }
    }

    pub(super) fn send_cards(&mut self, case: usize) {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        for due in self.cases[case].cooperation.cards_due() {
            let entry = self.cases[case].matches.get(&due.key).unwrap();
            let pair = entry.heard_over.iter().find(|pair| pair_mark(pair) == due.over).unwrap().clone();
            let (scope, member) = (self.scope(&pair.matcher), self.member(case));
            let place = CardPlace { scope: &scope, match_id: due.key.id, pair: &pair };
            let card = self.card(case);
            let key = &self.founders[self.cases[case].partner].key;
            let signer = CardSigner { member: &member, key, place };
            let cooperation = &mut self.cases[case].cooperation;
            let effects = cooperation.send_card(&due, card, signer, at, &mut self.rng).unwrap();
            self.carry_out(case, effects);
        }
    }

    pub(super) fn act(&mut self, case: usize, action: &Action) -> Result<(), Refused> {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        let before = self.cases[case].cooperation.clone();
        let effects = self.cases[case].cooperation.act(action, at, &mut self.rng).inspect_err(|_| {
            assert_eq!(self.cases[case].cooperation, before, "refused, and nothing has changed");
        })?;
        if let Action::Respond(key, Response::Coordinate) = action {
            let edge = (0..self.edges.len()).find(|edge| self.key(*edge, 0).id == key.id).unwrap();
            self.wanted.insert((edge, usize::from(self.edges[edge].0[1] == case)));
        }
        self.cases[case].told.pending = false;
        self.carry_out(case, effects);
        Ok(())
    }

    pub(super) fn tick(&mut self, case: usize) {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        let effects = self.cases[case].cooperation.tick(at, &mut self.rng);
        self.carry_out(case, effects);
    }

    /// A node starts again with what it has stored.
    pub(super) fn restart(&mut self, case: usize) {
        let Case { matches, cooperation, .. } = &mut self.cases[case];
        let mut again = Matches::default();
        for entry in matches.iter() {
            again.restore(decode(&encode(entry)).unwrap());
        }
        *matches = again;
        let bytes = encode(cooperation);
        assert!(bytes.len() <= 64_000);
        *cooperation = decode(&bytes).unwrap();
    }

    pub(super) fn back_up(&mut self, case: usize) {
        let Case { matches, cooperation, withdrawn, told, .. } = &self.cases[case];
        let (cooperation, matches) = (encode(cooperation), matches.iter().map(encode).collect());
        self.cases[case].backup =
            Some(Backup { cooperation, matches, withdrawn: *withdrawn, told: told.clone() });
    }

    /// A node is restored from its backup, if it has one. It gives up all its mailboxes and draws new ones.
    pub(super) fn restore(&mut self, case: usize) {
        let Some(backup) = self.cases[case].backup.clone() else { return };
        let mut matches = Matches::default();
        backup.matches.iter().for_each(|entry| matches.restore(decode(entry).unwrap()));
        let put_back = &mut self.cases[case];
        put_back.matches = matches;
        put_back.cooperation = decode(&backup.cooperation).unwrap();
        (put_back.withdrawn, put_back.told) = (backup.withdrawn, backup.told);
        self.now = self.now.plus_secs(1);
        self.cases[case].restored = Some(self.now);
        for (edge, side) in self.edges_of(case) {
            for ground in 0..self.grounds.len() {
                if self.grounds[ground].edge == edge {
                    (self.grounds[ground].ended, self.grounds[ground].end_read[side]) = (true, false);
                    self.read_end(ground, side);
                }
            }
        }
        self.says_anew(case);
    }

    pub(super) fn says_anew(&mut self, case: usize) {
        let purpose = self.purpose();
        let at = self.at(case, &purpose);
        let effects = self.cases[case].cooperation.restored(at, &mut self.rng);
        self.carry_out(case, effects);
    }

    fn carry_out(&mut self, case: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { key, message, only } => self.say(case, &key, *message, only),
                Effect::Mark { key, message, reason } => {
                    self.marked.insert((case, key.clone()));
                    let today = self.now.day();
                    let changed = self.cases[case].matches.mark_mistaken(key.id, message, reason, today);
                    self.update(case, &changed);
                }
                other => {
                    let muted = self.cases[case].cooperation.muted;
                    assert!(!matches!(other, Effect::Remind { .. }) || !muted, "muted is muted");
                    self.cases[case].told.note(other);
                }
            }
        }
        self.check_names(case);
    }

    fn say(&mut self, case: usize, key: &MatchKey, message: Message, only: Option<Pair>) {
        // Whatever is said fits, and reads back.
        assert_eq!(Message::from_plaintext(&message.to_plaintext()), Ok(message.clone()));
        match (&message.says, &only) {
            (Says::Card(card), Some(pair)) => {
                assert_eq!(card.member, self.member(case), "nobody hands on another's card");
                self.check_card(case, key.id, pair);
            }
            (Says::Position(position), None) => assert!(position.seq > 0),
            other => panic!("{other:?}"),
        }
        assert!(self.cases[case].matches.tell(key, message, only));
    }

    /// A card goes when both want it, over a pair over which both were heard, and in its order.
    fn check_card(&self, case: usize, id: MatchId, pair: &Pair) {
        let edge = (0..self.edges.len()).find(|edge| self.key(*edge, 0).id == id).unwrap();
        let [a, b] = self.edges[edge].0;
        let (side, other) = if a == case { (0, b) } else { (1, a) };
        for side in 0..2 {
            assert!(self.wanted.contains(&(edge, side)), "no card before both want to coordinate");
        }
        let is =
            |ground: &&Ground| ground.mailboxes.contains(&pair.own) && ground.mailboxes.contains(&pair.other);
        let ground = self.grounds.iter().find(is).unwrap();
        assert_eq!(ground.opened, [true; 2], "no card before both sides' messages have opened there");
        let (view, index) = self.seen(edge, side).unwrap();
        let first = self.cases[case].reference < self.cases[other].reference;
        assert!(first || view.matches[index].card.is_some(), "the smaller reference first");
    }

    /// Who is named to whom: only whom one has met, and no earlier than the purpose allows.
    fn check_names(&self, case: usize) {
        let purpose = self.purpose();
        let Some(view) = self.cases[case].cooperation.view(&purpose) else { return };
        let ids: BTreeSet<_> = view.matches.iter().map(|seen| seen.key).collect();
        assert_eq!(ids.len(), view.matches.len(), "a match stands in the notice once");
        for (edge, side) in self.edges_of(case) {
            let key = self.key(edge, side);
            let Some(seen) = view.matches.iter().find(|seen| *seen.key == key) else { continue };
            let both = (0..2).all(|side| self.wanted.contains(&(edge, side)));
            let met = self.member(self.edges[edge].0[1 - side]);
            match purpose.disclosure {
                Disclosure::NameAtOnce => assert_eq!(seen.partner, Some(&met)),
                Disclosure::NameWhenBothAgree => {
                    assert!(seen.partner.is_none_or(|partner| both && *partner == met), "named too early");
                }
            }
            assert!(seen.card.is_none() || both, "no contact details before both want to coordinate");
        }
        // A lead is a match's other side, or somebody without a name behind one.
        for claim in &view.claims {
            let keys = match &claim.who {
                Who::Us => &[][..],
                Who::Partner(key) => std::slice::from_ref(key),
                Who::Through(keys) => keys,
            };
            assert!(keys.iter().all(|key| ids.contains(key)));
        }
    }

    /// Everything that can still happen by itself happens: what lives is found by both sides, what was said arrives.
    pub(super) fn run(&mut self) {
        let mut read = 0;
        for round in 0..200 {
            for ground in 0..self.grounds.len() {
                (0..2).for_each(|side| self.read_end(ground, side));
                let Ground { edge, matcher, key, met, ended, .. } = self.grounds[ground].clone();
                for side in (0..2).filter(|side| !ended && !met[*side]) {
                    self.meet(edge, matcher, key, side);
                }
            }
            let mut busy = false;
            for case in 0..self.cases.len() {
                self.send_cards(case);
                for at in 0..MATCHERS {
                    busy |= self.send(case, at, Fate::Arrives);
                }
            }
            // What stands on the boards is read in order, after everything that came in another one.
            busy |= read < self.posts();
            while read < self.posts() {
                self.deliver(read);
                read += 1;
            }
            if !busy {
                return;
            }
            assert!(round < 199, "it comes to rest");
        }
    }
}

impl Told {
    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::Notify(alert) => {
                assert!(!self.alerts.contains(&alert), "never the same alert twice: {alert:?}");
                if let Alert::Involved { first, .. } = &alert {
                    let before = |alert: &Alert| matches!(alert, Alert::Involved { .. });
                    assert_eq!(*first, !self.alerts.iter().any(before), "one notice");
                    assert!(!std::mem::replace(&mut self.pending, true), "one alert until somebody looks");
                }
                self.alerts.push(alert);
            }
            Effect::Flag(flag) => {
                assert!(!self.flags.contains(&flag), "never the same flag twice: {flag:?}");
                self.flags.push(flag);
            }
            Effect::Remind { days_left, about, .. } => {
                for (key, step) in about {
                    let given = self.reminders.entry((key, step as u8)).or_default();
                    given.push(days_left);
                    assert!(given.len() <= 2, "two reminders for one step at most");
                }
            }
            Effect::TellSupervisor { about, .. } => {
                for (key, step) in about {
                    assert!(self.supervisor.insert((key, step as u8)), "the supervisor is told once");
                }
            }
            Effect::TellCoordinator { waited } => self.coordinator.push(waited),
            Effect::Closed => assert!(!std::mem::replace(&mut self.closed, true)),
            Effect::Reopened => assert!(std::mem::replace(&mut self.closed, false)),
            Effect::Send { .. } | Effect::Mark { .. } => unreachable!(),
        }
    }
}

//! Whatever honest members and holders do, and whatever becomes of their clocks, disks and messages, nobody is accused.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::world::{ALL, Holder, World, id};
use crate::evaluation::*;
use crate::evidence::ServedTwice;
use crate::id::MemberId;
use crate::sign::SigningKey;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A member asks by its own clock, which is so many minutes off, holders answer by clocks that are off too, and those in
    /// `down` do not; what is not answered then stays open.
    Ask {
        member: usize,
        inputs: usize,
        down: u32,
        own: i64,
        theirs: i64,
    },
    /// It goes on with what is open, or gives it up.
    GoOn {
        member: usize,
        down: u32,
        give_up: bool,
    },
    /// It starts again with what stands on its disk.
    Restart {
        member: usize,
    },
    /// It is put back to an older state, and asks the holders that are not in `down` for the highest header that bears its
    /// name.
    Restore {
        member: usize,
        lost: u64,
        down: u32,
    },
    /// An announcement arrives again, or so late that it has long been overtaken.
    Again {
        member: usize,
        holder: usize,
        first: usize,
        count: usize,
    },
    /// A holder has lost all it knew of others.
    Forgets {
        holder: usize,
    },
    Hours(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let skew = || prop_oneof![3 => Just(0_i64), 1 => -4_000_i64..4_000];
    let (member, down) = (|| 0..ALL.len(), || 0_u32..64);
    prop_oneof![
        6 => (member(), 1_usize..4, down(), skew(), skew())
            .prop_map(|(member, inputs, down, own, theirs)| Op::Ask { member, inputs, down, own, theirs }),
        3 => (member(), down(), any::<bool>())
            .prop_map(|(member, down, give_up)| Op::GoOn { member, down, give_up }),
        1 => member().prop_map(|member| Op::Restart { member }),
        2 => (member(), 0_u64..4, down()).prop_map(|(member, lost, down)| Op::Restore { member, lost, down }),
        2 => (member(), member(), 0_usize..6, 1_usize..4)
            .prop_map(|(member, holder, first, count)| Op::Again { member, holder, first, count }),
        1 => member().prop_map(|holder| Op::Forgets { holder }),
        1 => (1_u64..30).prop_map(Op::Hours),
    ]
}

fn shifted(time: Timestamp, minutes: i64) -> Timestamp {
    Timestamp::from_secs(time.secs().saturating_add_signed(minutes * 60))
}

struct Honest {
    world: World,
    askers: BTreeMap<&'static str, Asker>,
    /// Who waits for a holder, and the highest number on its disk.
    waiting: BTreeMap<&'static str, u64>,
    answered: usize,
}

impl Honest {
    fn new() -> Self {
        let askers = ALL.map(|name| (name, Asker::new(id(name), None))).into();
        Self { world: World::new(), askers, waiting: BTreeMap::new(), answered: 0 }
    }

    fn apply(&mut self, op: Op) {
        let now = self.world.now;
        match op {
            Op::Ask { member, .. } | Op::GoOn { member, .. } if !self.askers.contains_key(ALL[member]) => {}
            Op::Ask { member, inputs, down, own, theirs } => {
                let asker = self.askers.get_mut(ALL[member]).unwrap();
                asker.abandon();
                self.world.now = shifted(now, own);
                self.world.begin(asker, &["x", "y", "z"][..inputs]);
                self.world.now = shifted(now, theirs);
                self.world.run(asker, &super::subset(&ALL, down));
                self.finish(member);
            }
            Op::GoOn { member, down, give_up } => {
                let asker = self.askers.get_mut(ALL[member]).unwrap();
                ALL.iter().for_each(|holder| asker.retry(&id(holder)));
                if give_up {
                    asker.abandon();
                }
                self.world.run(asker, &super::subset(&ALL, down));
                self.finish(member);
            }
            Op::Restart { member } => self.resume(member, 0, 0),
            Op::Restore { member, lost, down } => self.resume(member, lost, down),
            Op::Again { member, holder, first, count } => {
                let of = id(ALL[member]);
                let own = self.world.headers.iter().filter(|((member, _), _)| *member == of);
                let headers: Vec<_> = own.skip(first).take(count).map(|(_, header)| header.clone()).collect();
                let headers: Vec<_> = headers.iter().collect();
                let _ = self.world.send_headers(ALL[member], ALL[holder], &headers);
            }
            Op::Forgets { holder } => {
                let holder = self.world.holders.get_mut(&id(ALL[holder])).unwrap();
                let shares = std::mem::take(&mut holder.shares);
                *holder = Holder { shares, ..Holder::default() };
            }
            Op::Hours(hours) => self.world.now = now.plus_secs(hours * 3_600),
        }
        if !matches!(op, Op::Hours(_)) {
            self.world.now = now;
        }
    }

    fn finish(&mut self, member: usize) {
        let asker = self.askers.get_mut(ALL[member]).unwrap();
        self.answered += usize::from(asker.finish().is_ok());
    }

    /// With all but the last `lost` headers of the own disk, and what holders have that are not in `down`. As long as it has
    /// to wait for one it asks nothing.
    fn resume(&mut self, member: usize, lost: u64, down: u32) {
        let (name, down) = (ALL[member], super::subset(&ALL, down).into_iter().map(id).collect::<Vec<_>>());
        let (member, key) = (id(name), self.world.key(name).verifying_key());
        let own = self.world.headers.keys().filter(|(of, _)| *of == member).count() as u64;
        let kept = self.waiting.remove(name).unwrap_or(own).saturating_sub(lost);
        let terms = Arc::clone(&self.world.terms);
        let number = |holder: &MemberId| {
            self.world.holders[holder]
                .chains
                .get(&member)
                .and_then(Chain::last)
                .map_or(0, |head| head.header.seq)
        };
        let all: BTreeMap<_, _> = terms.witnesses(&member).map(|it| (it.clone(), number(it))).collect();
        let mut answers = all.clone();
        answers.retain(|holder, _| !down.contains(holder));
        let highest = |answers: &BTreeMap<MemberId, u64>| answers.values().copied().max().unwrap_or(0);
        // What cannot be known: only who is down has more than was kept (docs/threat-model.md). It is not claimed then.
        let claimed = highest(&answers) > kept || highest(&all) <= kept;
        let answers = if claimed { answers } else { all };
        let Resume::After(highest) = resume(kept, &answers, &terms, &member) else {
            self.askers.remove(name);
            self.waiting.insert(name, kept);
            return;
        };
        // What nobody has seen is gone.
        self.world.headers.retain(|(of, seq), _| *of != member || *seq <= highest);
        let last = self.world.headers.get(&(member.clone(), highest)).cloned();
        let last = last.map(|last| last.verify(&key).unwrap());
        self.askers.insert(name, Asker::new(member, last));
    }

    /// Every holder compares what it has with every other, as it does each hour.
    fn accused(&self) -> Vec<String> {
        let mut accused = Vec::new();
        for (me, holder) in &self.world.holders {
            accused.extend(
                holder.frauds.iter().map(|fraud| format!("{me} accuses {}", fraud.known.header.member)),
            );
            for other in self.world.holders.values() {
                for (member, chain) in &other.chains {
                    accused.extend(self.compared(holder, chain, member).map(|what| format!("{me}: {what}")));
                }
                for (member, theirs) in &other.vouched {
                    let Some(own) = holder.vouched.get(member) else { continue };
                    let known = |seq| holder.headers.get(&(member.clone(), seq)).cloned();
                    let key =
                        |holder: &MemberId| self.world.signing.get(holder).map(SigningKey::verifying_key);
                    let helpers = ServedTwice::helpers(own, theirs, known, key);
                    accused.extend(helpers.into_iter().map(|it| format!("{me} names {}", it.holder)));
                }
            }
        }
        accused
    }

    fn compared(&self, holder: &Holder, chain: &Chain, member: &MemberId) -> Option<String> {
        let head = chain.last()?.clone().verify(&self.world.signing[member].verifying_key()).unwrap();
        let known = |seq| holder.headers.get(&(member.clone(), seq)).cloned();
        match compare(&head, known) {
            Comparison::Fraud(_) => Some(format!("{member} used a number twice")),
            Comparison::Same | Comparison::Ahead => None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn honest_members_are_never_accused(ops in prop::collection::vec(op(), 1..40)) {
        let mut honest = Honest::new();
        for op in ops {
            honest.apply(op);
            prop_assert_eq!(honest.accused(), Vec::<String>::new(), "after {:?}", op);
        }
    }
}

/// The property is about something: most of such schedules answer requests, and a member that is put back without asking
/// is accused.
#[test]
fn who_is_put_back_without_asking_is_accused() {
    let mut honest = Honest::new();
    let ask = Op::Ask { member: 5, inputs: 1, down: 0, own: 0, theirs: 0 };
    honest.apply(ask);
    honest.apply(ask);
    assert_eq!((honest.answered, honest.accused()), (2, Vec::new()));
    honest.apply(Op::Restore { member: 5, lost: 2, down: 0 });
    honest.apply(ask);
    assert_eq!((honest.answered, honest.accused()), (3, Vec::new()));
    let first = honest.world.headers[&(id("f"), 1)].clone();
    let first = first.verify(&honest.world.key("f").verifying_key()).unwrap();
    honest.askers.insert("f", Asker::new(id("f"), Some(first)));
    honest.apply(ask);
    assert!(honest.accused().iter().any(|accused| accused == "a accuses f"), "{:?}", honest.accused());
}

/// Only `b` has its third header, and is down when `f` is put back to its first one: the others have a second, so `f` sees
/// that something was lost, and waits for `b`.
#[test]
fn who_is_put_back_waits_for_all_that_may_have_more() {
    let mut honest = Honest::new();
    let ask = |down| Op::Ask { member: 5, inputs: 1, down, own: 0, theirs: 0 };
    let (only_b, b) = (0b01_1101, 0b00_0010);
    [ask(0), ask(0), ask(only_b)].into_iter().for_each(|op| honest.apply(op));
    honest.apply(Op::Restore { member: 5, lost: 2, down: b });
    honest.apply(ask(b));
    assert_eq!((honest.answered, honest.accused()), (2, Vec::new()), "it asks nothing yet");
    honest.apply(Op::Restart { member: 5 });
    honest.apply(ask(0));
    assert_eq!((honest.answered, honest.accused()), (3, Vec::new()));
    assert_eq!(honest.world.holders[&id("b")].chains[&id("f")].last().unwrap().header.seq, 4);
}

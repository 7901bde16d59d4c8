//! Canaries at the matcher `p5` of which one half ends: an honest matcher is never accused of having revived it, whatever is
//! lost, late or down, and whatever is done to accuse it; one that revives always is.

use proptest::prelude::*;

use super::withheld::{Conduct, Matcher, at, hours, play_ending};
use super::world::{EPOCH, EXPIRY, TODAY, World, id, rng};
use crate::board::{Entry, open_signed_post};
use crate::canary::{Canary, Plan, Receipted, Side, Stage, Told};
use crate::evidence::*;
use crate::log::checkpoint::Checkpoint;
use crate::log::merkle::Hash;
use crate::sign::Signature;
use crate::submission::{Content, Destination};
use crate::time::Timestamp;

thread_local! { static WORLD: World = World::new(1); }

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_matcher_is_never_accused_of_it(hours in hours()) {
        WORLD.with(|world| {
            let (owner, proven) = play_ending(world, Conduct::Honest, &hours);
            prop_assert_eq!((&owner.odd, proven), (&Vec::new(), None));
            prop_assert_eq!(owner.canary.stage(), Stage::Met);
            prop_assert!(owner.canary.is_over(TODAY), "both halves are withdrawn");
            Ok(())
        })?;
    }

    #[test]
    fn one_that_revives_always_is(hours in hours()) {
        WORLD.with(|world| {
            let (owner, proven) = play_ending(world, Conduct::Revives, &hours);
            prop_assert!(owner.odd.iter().all(|told| *told == Told::Revived), "{:?}", owner.odd);
            let verdict = proven.expect("it did").check(&world.covenant).unwrap();
            prop_assert_eq!((verdict.kind, verdict.members), ("revived", vec![id("p5")]));
            prop_assert!(owner.canary.is_over(TODAY), "both halves are withdrawn");
            Ok(())
        })?;
    }
}

/// A record against a matcher that revives.
pub(super) fn sample(world: &World) -> Violation {
    play_ending(world, Conduct::Revives, &[]).1.unwrap().violation
}

fn revived(world: &World) -> Revived {
    match sample(world) {
        Violation::Revived(revived) => *revived,
        other => panic!("{other:?}"),
    }
}

fn check(world: &World, revived: Revived) -> Result<Verdict, NotProven> {
    world.evidence(Violation::Revived(Box::new(revived))).check(&world.covenant)
}

#[test]
fn a_record_needs_all_its_parts() {
    let world = World::new(1);
    let good = revived(&world);
    assert!(check(&world, good.clone()).is_ok());
    let no_end = Revived { plan: Plan { ended: None, ..good.plan.clone() }, ..good.clone() };
    assert_eq!(check(&world, no_end), Err(NotProven::Unfitting));
    let other_end = Revived {
        plan: Plan { ended: Some(Hash::from_bytes([1; 32])), ..good.plan.clone() },
        ..good.clone()
    };
    assert_eq!(check(&world, other_end), Err(NotProven::Unfitting));
    let other_side = Revived { to: good.to.other(), ..good.clone() };
    assert_eq!(check(&world, other_side), Err(NotProven::Signature));
    let no_withdrawal = Revived { withdrawn: good.left.clone(), ..good };
    assert_eq!(check(&world, no_withdrawal), Err(NotProven::Signature));
}

/// What somebody does who wants an honest matcher convicted.
#[derive(Clone, Copy, Debug)]
enum Deed {
    LeaveFirst,
    WithdrawFirst,
    /// A second half that depends on one of the roots seen so far.
    LeaveSecond(u8),
    Wait(u8),
    /// The matcher's clock was wrong.
    SetBack(u8),
    Append,
    /// The matcher times its head, as it may: when nothing is due.
    Time,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        Just(Deed::LeaveFirst),
        Just(Deed::WithdrawFirst),
        any::<u8>().prop_map(Deed::LeaveSecond),
        (1_u8..30).prop_map(Deed::Wait),
        (1_u8..100).prop_map(Deed::SetBack),
        Just(Deed::Append),
        Just(Deed::Time),
    ];
    prop::collection::vec(deed, 0..24)
}

/// All that the accuser has of the matcher.
struct Accuser<'a> {
    matcher: Matcher<'a>,
    destination: Destination,
    plan: Plan,
    now: Timestamp,
    left: Vec<Receipted>,
    withdrawn: Vec<Receipted>,
    heads: Vec<String>,
    roots: Vec<Hash>,
}

impl<'a> Accuser<'a> {
    fn new(world: &'a World) -> Self {
        let matcher = Matcher::new(world, Conduct::Honest);
        let before = (matcher.frontier(), EXPIRY);
        let canary = Canary::draw(id("p5"), EPOCH, before, at(0), &mut rng(6));
        let (left, withdrawn, heads, roots) = Default::default();
        let destination = world.destination("p5");
        let mut accuser =
            Self { matcher, destination, plan: canary.plan, now: at(0), left, withdrawn, heads, roots };
        accuser.see_root();
        accuser
    }

    /// Roots are seen with every head, timed or not.
    fn see_root(&mut self) {
        let root = root_of(&self.matcher.head(self.now));
        if self.roots.last() != Some(&root) {
            self.roots.push(root);
        }
    }

    fn plan(&self, root: Hash) -> Plan {
        Plan { ended: Some(root), ..self.plan.clone() }
    }

    fn does(&mut self, deed: Deed) {
        let leave = |plan: &Plan, side| Content::Leave(Box::new(plan.leave(side, &self.destination)));
        match deed {
            Deed::LeaveFirst => {
                let content = leave(&self.plan, Side::First);
                self.left.extend(self.matcher.take(&content, self.now));
            }
            Deed::WithdrawFirst => {
                let content = Content::Withdraw(self.plan.withdraw(Side::First, &self.destination));
                self.withdrawn.extend(self.matcher.take(&content, self.now));
            }
            Deed::LeaveSecond(which) => {
                let plan = self.plan(self.roots[usize::from(which) % self.roots.len()]);
                let _ = self.matcher.take(&leave(&plan, Side::Second), self.now);
            }
            Deed::Wait(hours) => self.now = self.now.plus_secs(u64::from(hours) * 3_600),
            Deed::SetBack(hours) => {
                let back = self.now.secs().saturating_sub(u64::from(hours) * 3_600);
                self.now = Timestamp::from_secs(back.max(at(0).secs()));
            }
            Deed::Append => self.matcher.tick(self.now),
            Deed::Time if self.matcher.owes_nothing() => self.heads.push(self.matcher.time_head(self.now)),
            Deed::Time => {}
        }
        self.see_root();
    }

    /// What the matcher signed to a half about the other.
    fn told(&self, plan: &Plan, to: Side) -> Vec<Signature> {
        let key = WORLD.with(|world| world.key("p5").verifying_key());
        let mailbox = plan.mailbox(to);
        let open = |entry: &[u8; 656]| {
            open_signed_post(&Entry::from_bytes(entry).body, &mailbox, &self.destination, &key).ok()
        };
        let signed = self.matcher.entries().as_chunks::<656>().0.iter().filter_map(open);
        let met = signed.filter(|signed| plan.introduces(to, &signed.post, &self.destination));
        met.map(|signed| signed.signature).collect()
    }

    /// Every record that can be made of it all.
    fn records(&self) -> Vec<Revived> {
        let mut records = Vec::new();
        for checkpoint in &self.heads {
            let plan = self.plan(root_of(checkpoint));
            for to in Side::BOTH {
                for signature in self.told(&plan, to) {
                    for (left, withdrawn) in
                        self.left.iter().flat_map(|left| self.withdrawn.iter().map(move |end| (left, end)))
                    {
                        records.push(Revived {
                            matcher: id("p5"),
                            plan: plan.clone(),
                            left: left.clone(),
                            withdrawn: withdrawn.clone(),
                            checkpoint: checkpoint.clone(),
                            to,
                            signature,
                        });
                    }
                }
            }
        }
        records
    }
}

fn root_of(head: &str) -> Hash {
    Checkpoint::parse(&format!("{}\n", head.split_once("\n\n").unwrap().0)).unwrap().root
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_done_in_secret_convicts_an_honest_matcher(deeds in deeds()) {
        WORLD.with(|world| {
            let mut accuser = Accuser::new(world);
            deeds.iter().for_each(|deed| accuser.does(*deed));
            for record in accuser.records() {
                prop_assert_eq!(check(world, record), Err(NotProven::Allowed), "{:?}", deeds);
            }
            Ok(())
        })?;
    }
}

/// The schedules that come nearest, each of them with a record that only one rule refuses.
#[test]
fn what_is_nearly_a_revival_convicts_nobody() {
    use Deed::{Append, LeaveFirst, LeaveSecond, SetBack, Time, Wait, WithdrawFirst};
    let near: [(&str, &[Deed]); 4] = [
        (
            "withdrawn before it was left",
            &[WithdrawFirst, Wait(30), Time, LeaveFirst, LeaveSecond(0), Append, Wait(30), LeaveFirst],
        ),
        ("both on one day", &[WithdrawFirst, LeaveFirst, Wait(30), Time, LeaveSecond(0), Append]),
        (
            "the clock was ahead",
            &[LeaveFirst, Wait(60), Time, SetBack(30), LeaveSecond(0), Append, WithdrawFirst],
        ),
        (
            "met before",
            &[Time, LeaveFirst, LeaveSecond(0), Append, Wait(30), WithdrawFirst, Append, Wait(30), Time],
        ),
    ];
    WORLD.with(|world| {
        for (what, deeds) in near {
            let mut accuser = Accuser::new(world);
            deeds.iter().for_each(|deed| accuser.does(*deed));
            let records = accuser.records();
            assert!(!records.is_empty(), "{what}: no record to refuse");
            for record in records {
                assert_eq!(check(world, record), Err(NotProven::Allowed), "{what}");
            }
        }
    });
}

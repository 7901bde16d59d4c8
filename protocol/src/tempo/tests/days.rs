//! Whole days of one node, second by second under a simulated clock, by the scheduler's rules: what leaves the node is
//! the same whatever it has to say.

use rand_core::RngCore;

use super::*;
use crate::codec;
use crate::id::Tag;
use crate::relay::{Request, forward};
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::submission::{Content, Destination, Inbox, Leave, SealedHello, Submission, Withdraw, seal};

/// What can be seen from outside: when, of which kind, to whom or for what, how many bytes or inputs.
type Seen = (u64, &'static str, String, usize);

/// When so many match keys come to the node.
struct Caseload(Vec<(u64, u32)>);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Item {
    Leave(u32),
    Withdraw(u32),
}

/// One node.
struct World {
    pace: Pace,
    schedule: Schedule,
    rng: ChaCha20Rng,
    keys: SigningKey,
    to_evaluate: Queue<u32>,
    to_send: BTreeMap<MemberId, Queue<Item>>,
    /// Inputs asked so far.
    total: u64,
    sent: u32,
    /// Messages that were no dummies.
    real: u32,
    next_key: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let covenant = network(300, 2);
        let me = id("p0");
        let pace = Pace::of(&covenant, &me).unwrap();
        let queue = |matcher| (matcher, Queue::new(pace.wait_secs()));
        Self {
            schedule: Schedule::of(&covenant, &me).unwrap(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            keys: SigningKey::from_seed(&Secret::new([3; 32])),
            to_evaluate: Queue::new(0),
            to_send: covenant.matchers_for(&me).into_iter().map(queue).collect(),
            pace,
            total: 0,
            sent: 0,
            real: 0,
            next_key: 0,
        }
    }

    /// Everything that leaves the node from `START` on, while it is not down.
    fn run(&mut self, caseload: &Caseload, down: &[(u64, u64)]) -> Vec<Seen> {
        let mut seen = Vec::new();
        let matchers: Vec<_> = self.to_send.keys().cloned().collect();
        let mut slots: Vec<_> =
            matchers.iter().map(|m| self.schedule.slot_after(m, &OWN, at(START))).collect();
        let mut round = self.pace.next_round(at(START));
        for second in START + 1..=START + DAYS {
            for _ in 0..caseload.0.iter().filter(|(time, _)| *time == second).map(|(_, keys)| keys).sum() {
                self.to_evaluate.add(self.next_key, at(second), &mut self.rng);
                self.next_key += 1;
            }
            if down.iter().any(|(first, last)| (first..last).contains(&&second)) {
                continue;
            }
            if down.iter().any(|(_, last)| *last == second) {
                // It starts, and knows the time and its own secret. (What was waiting is found again.)
                round = self.pace.next_round(at(second));
                slots = matchers.iter().map(|m| self.schedule.slot_after(m, &OWN, at(second))).collect();
            }
            if round == Next::At(at(second)) {
                self.evaluate(second, &mut seen);
                round = self.pace.next_round(at(second));
            }
            for (matcher, slot) in matchers.iter().zip(&mut slots) {
                if slot.moment == at(second) {
                    let size = self.message(matcher, slot);
                    seen.push((second, "forward", matcher.to_string(), size));
                    *slot = self.schedule.slot_after(matcher, &OWN, at(second));
                }
            }
        }
        seen
    }

    /// One round. All cases are of the first purpose.
    fn evaluate(&mut self, second: u64, seen: &mut Vec<Seen>) {
        for _batch in 0..self.schedule.batches(self.total) {
            for purpose in ["jeugd", "doel-1"] {
                for inputs in self.schedule.requests() {
                    let wanted = |_: &u32| purpose == "jeugd";
                    let real = self.to_evaluate.take_wanted(inputs, wanted, at(second), &mut self.rng);
                    self.total += inputs as u64;
                    seen.push((second, "evaluate", purpose.to_owned(), inputs));
                    for queue in self.to_send.values_mut() {
                        for key in &real {
                            queue.add(Item::Leave(*key), at(second), &mut self.rng);
                            if key.is_multiple_of(5) {
                                queue.add(Item::Withdraw(*key), at(second), &mut self.rng);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Length of what the sender hands to its relay.
    fn message(&mut self, matcher: &MemberId, slot: &Slot) -> usize {
        let rng = &mut self.rng;
        let item = self.to_send.get_mut(matcher).unwrap().take(slot.begins, rng);
        self.real += u32::from(item.is_some());
        self.sent += 1;
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let mailbox = ExchangeSecret::from_bytes(Secret::new(bytes)).public();
        let inbox = Inbox::from_bytes([bytes[0]; 16]);
        let (day, key) = (slot.moment.day(), &self.keys);
        let content = match item {
            None => Content::Dummy(inbox),
            Some(Item::Withdraw(_)) => {
                Content::Withdraw(Withdraw { mailbox, signature: key.sign(b"test", &[]) })
            }
            Some(Item::Leave(_)) => Content::Leave(Box::new(Leave {
                tag: Tag::from_bytes([bytes[1]; 16]),
                mailbox,
                withdraw_key: key.verifying_key(),
                min: 2,
                expiry: day,
                hello: SealedHello::from_bytes([bytes[2]; 242]),
                inbox,
                replaces: None,
            })),
        };
        let network = crate::id::NetworkId::from_bytes([1; 32]);
        let destination = Destination { network, matcher: matcher.clone() };
        let sealed = seal(&Submission { day, content }, &destination, &mailbox, rng);
        let items = vec![forward(&sealed, &destination, &id("p1"), day, key)];
        codec::encode(&Request::Forward { matcher: matcher.clone(), day, items }).len()
    }
}

/// The last second of a day.
const START: u64 = 1_700_006_399;
const DAYS: u64 = 3 * 86_400;

/// A first import, a case now and then, and nothing at all.
fn caseloads() -> [Caseload; 3] {
    let now_and_then = (0..DAYS).step_by(7_919).map(|after| (START + 1 + after, 12)).collect();
    [Caseload(vec![(START + 1, 3_600)]), Caseload(now_and_then), Caseload(Vec::new())]
}

#[test]
fn nobody_sees_what_a_node_has_to_say() {
    let [importing, working, idle] = caseloads().map(|caseload| {
        let mut world = World::new(7);
        (world.run(&caseload, &[]), world)
    });
    assert_eq!(importing.0, idle.0);
    assert_eq!(working.0, idle.0);
    let (seen, world) = importing;
    let sizes: BTreeSet<usize> = seen.iter().filter(|seen| seen.1 == "forward").map(|seen| seen.3).collect();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [983]);
    assert_eq!(world.schedule.slot_secs(), 240);
    assert_eq!(u64::from(world.sent), DAYS / 240 * world.to_send.len() as u64);
    let rounds: BTreeSet<u64> = seen.iter().filter(|seen| seen.1 == "evaluate").map(|seen| seen.0).collect();
    assert_eq!(rounds.len(), 24);
    // The scheduler did say something: nearly all messages of the import carry something, a part of the others'.
    assert!(world.real * 100 > world.sent * 90, "{} of {}", world.real, world.sent);
    assert!((1_000..world.sent / 2).contains(&working.1.real), "{} of {}", working.1.real, world.sent);
    assert_eq!(idle.1.real, 0);
}

#[test]
fn nor_through_any_restart() {
    let many = |n: u64| {
        let first = START + 500 + n * 6_000;
        (first, first + 1 + 17 * n % 900)
    };
    for down in [vec![(START + 3_000, START + 3_001)], (0..40).map(many).collect()] {
        let [importing, working, idle] = caseloads().map(|caseload| World::new(9).run(&caseload, &down));
        assert_eq!(importing, idle);
        assert_eq!(working, idle);
        let was_up = |seen: &&Seen| !down.iter().any(|(first, last)| (first..=last).contains(&&seen.0));
        let forwards = |seen: &[Seen]| -> Vec<Seen> {
            seen.iter().filter(|seen| seen.1 == "forward").filter(was_up).cloned().collect()
        };
        let undisturbed = World::new(9).run(&Caseload(Vec::new()), &[]);
        assert_eq!(
            forwards(&idle),
            forwards(&undisturbed),
            "while it is up, it sends what it would have sent"
        );
    }
}

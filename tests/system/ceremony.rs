//! A key holder with changed software spoils the ceremony of the next epoch: the keys in use stay as they were, it is named,
//! and the ceremony can be held again without the change.

use kring_node::clock::Clock;
use kring_tests::caseload::Person;
use kring_tests::changed::{CHANGE, DID, ONLY_TO};
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, Hand};
use kring_tests::wait::until;

use crate::hostile::{MEMBERS, evidence};
use crate::signals::{SOON, add, matches};

const HONEST: [&str; 5] = ["a", "b", "d", "e", "f"];
/// In the overlap of the first epoch with the second, in days from the first day.
const LATER: u64 = 160;

struct Holders {
    founded: Founded,
    hand: Hand,
    met: usize,
}

impl Holders {
    /// All are honest and have the keys of the first epoch. Then the second one begins, while all are down.
    fn new(place: &Place) -> Self {
        let founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
        let mut holders = Self { founded, hand: Hand::new(place.path(), Clock.now()), met: 0 };
        MEMBERS.iter().for_each(|member| holders.start(member, &[]));
        until_ready(&MEMBERS.map(|member| holders.node(member)));
        holders.meet();
        holders.stop();
        let later = holders.hand.now().plus_secs(LATER * 86_400);
        holders.hand.set(later);
        holders
    }

    fn node(&self, member: &str) -> Node {
        self.founded.node(member)
    }

    fn start(&mut self, member: &str, changed: &[(&str, &str)]) {
        let clock = self.hand.file().to_string_lossy().into_owned();
        self.founded.start_changed(member, &[&[(CLOCK, clock.as_str())], changed].concat());
    }

    fn stop(&mut self) {
        MEMBERS.iter().for_each(|member| self.founded.stop(member));
    }

    /// a and b meet over somebody new.
    fn meet(&mut self) {
        let (person, case) = (Person::invented(self.met), format!("case {}", self.met));
        self.met += 1;
        let nodes = ["a", "b"].map(|member| self.node(member));
        nodes.iter().for_each(|node| drop(add(node, &case, &[&person])));
        assert_eq!(matches(&nodes[0], &case, 1), matches(&nodes[1], &case, 1));
    }

    /// `c` is changed, and named for this by whoever sees it first; all others say on whose account they wait.
    fn spoilt(&mut self, changed: &[(&str, &str)], fault: &str) {
        let before = HONEST.map(|member| self.node(member).log().len());
        self.start("c", changed);
        HONEST.iter().for_each(|member| self.start(member, &[]));
        let stopped = |node: &Node, before: usize| {
            let log = node.log();
            let stopped = log[before..].lines().filter(|line| line.contains("the key ceremony has stopped"));
            stopped.map(str::to_owned).collect::<Vec<_>>()
        };
        for member in HONEST {
            until(&format!("{member} says whose fault it is"), SOON, || {
                let says = self.node(member).readiness()?;
                let named = says.contains("stopped by c") || says.contains("has stopped because of c");
                (says.contains("keys of epoch 2") && named).then_some(())
            });
            assert!(
                !self.node(member).log().contains("keys are in use epoch=2"),
                "{member} uses spoilt keys"
            );
        }
        let stopped: Vec<_> = HONEST
            .iter()
            .zip(before)
            .flat_map(|(member, before)| stopped(&self.node(member), before))
            .collect();
        assert!(!stopped.is_empty());
        for line in stopped {
            assert!(line.contains("culprit=c") && line.contains(&format!("fault={fault}")), "{line}");
        }
        assert!(self.node("c").log().contains(changed[0].1) && self.node("c").log().contains(DID));
        // The keys in use are those of before.
        self.meet();
        self.stop();
    }
}

#[test]
fn who_spoils_a_ceremony_is_named_and_the_keys_in_use_stay() {
    let place = Place::new();
    let mut holders = Holders::new(&place);
    let covenant = Member::of(&holders.node("a")).covenant().clone();
    let proofs = |holders: &Holders| {
        let proofs = MEMBERS.iter().flat_map(|member| evidence(&holders.node(member)));
        let verdicts = proofs.map(|proof| proof.check(&covenant).unwrap());
        verdicts.map(|verdict| (verdict.kind.to_owned(), verdict.members[0].to_string())).collect::<Vec<_>>()
    };

    holders.spoilt(&[(CHANGE, "WrongShare")], "Share");
    let shares = proofs(&holders).len();
    assert!(shares > 0);
    holders.spoilt(&[(CHANGE, "TwoFaced"), (ONLY_TO, "a")], "TwoFaced");
    let both = proofs(&holders).len();
    assert!(both > shares);
    // Last, because all are in a session then that they have signed, and go on with when c is honest.
    holders.spoilt(&[(CHANGE, "EarlyConfirmation")], "Transcript");
    assert_eq!(proofs(&holders).len(), both, "that is proven by the whole session only");

    // All are honest again: the second epoch's keys are made, and used.
    MEMBERS.iter().for_each(|member| holders.start(member, &[]));
    let nodes = MEMBERS.map(|member| holders.node(member));
    until_ready(&nodes);
    assert!(nodes.iter().all(|node| node.log().contains("keys are in use epoch=2")));
    holders.meet();
    let c = ("ceremony".to_owned(), "c".to_owned());
    assert!(proofs(&holders).iter().all(|proof| *proof == c), "nobody honest is accused");
}

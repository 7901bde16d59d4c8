mod forget;

use super::*;
use crate::covenant::tests::{Founder, covenant, founders, signed};
use crate::id::Epoch;
use crate::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use crate::secret::Secret;
use crate::submission::Leave;
use crate::submission::tests::rng;

const TODAY: Day = Day::from_days(20_010);
const EXPIRY: Day = Day::from_days(20_100);

struct Side<'a> {
    founder: &'a Founder,
    root: WithdrawRoot,
    own: OwnSubmission,
    leave: Leave,
}

fn scope(covenant: &VerifiedCovenant) -> Scope {
    Scope {
        network: covenant.network(),
        epoch: Epoch(1),
        purpose: "jeugd".parse().unwrap(),
        matcher: "p5".parse().unwrap(),
    }
}

fn key(covenant: &VerifiedCovenant) -> SubjectKey {
    SubjectKey::derive(&Secret::new([3; 64]), &scope(covenant))
}

fn side<'a>(founder: &'a Founder, covenant: &VerifiedCovenant, references: &[u8]) -> Side<'a> {
    let seed = references[0];
    let references = references.iter().map(|&byte| Reference::from_bytes([byte; 16])).collect();
    let number = WithdrawNumber { generation: 0, counter: u64::from(seed) };
    let own = OwnSubmission::draw(references, 2, EXPIRY, number, &mut rng(seed));
    let root = WithdrawRoot(Secret::new([seed; 32]));
    let leaver = Leaver { name: Some((&founder.card.card.id, &founder.key)), root: &root };
    let leave = own.leave(&key(covenant), &scope(covenant), leaver, None);
    Side { founder, root, own, leave }
}

fn met(leave: &Leave) -> Met {
    Met { mailbox: leave.mailbox, withdraw_key: leave.withdraw_key, expiry: leave.expiry, hello: leave.hello }
}

fn read(side: &Side<'_>, other: &Leave, covenant: &VerifiedCovenant) -> Result<Encounter, NoEncounter> {
    let recipe = "bsn".parse().unwrap();
    let reading = Reading {
        me: &side.founder.card.card.id,
        scope: &scope(covenant),
        key: &key(covenant),
        mailbox: side.own.mailbox().public(),
        recipe: &recipe,
        references: &side.own.references,
    };
    read_met(&met(other), reading, covenant)
}

#[test]
fn both_sides_find_the_same_matches() {
    let founders = founders(6);
    let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
    let [a, b] = [side(&founders[0], &covenant, &[1, 2]), side(&founders[1], &covenant, &[3])];
    let mut matches = [Matches::default(), Matches::default()];
    let changed_a = matches[0].meet(&read(&a, &b.leave, &covenant).unwrap(), TODAY);
    let changed_b = matches[1].meet(&read(&b, &a.leave, &covenant).unwrap(), TODAY);
    assert_eq!(changed_a.len(), 2);
    let ids = |changed: &[MatchKey]| changed.iter().map(|key| key.id).collect::<BTreeSet<_>>();
    assert_eq!(ids(&changed_a), ids(&changed_b));
    assert_eq!(changed_a[0].partner.as_ref().unwrap().as_str(), "p1");
    let again = read(&a, &b.leave, &covenant).unwrap();
    assert_eq!(matches[0].meet(&again, TODAY), [], "found again it is the same match");
}

#[test]
fn a_name_must_be_proven() {
    let founders = founders(6);
    let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
    let a = side(&founders[0], &covenant, &[1]);
    let scope = scope(&covenant);
    let own = OwnSubmission::draw(
        vec![Reference::from_bytes([9; 16])],
        2,
        EXPIRY,
        WithdrawNumber { generation: 0, counter: 1 },
        &mut rng(9),
    );
    let root = WithdrawRoot(Secret::new([9; 32]));
    // Founder 2 signs as founder 1.
    let borrowed = Leaver { name: Some((&founders[1].card.card.id, &founders[2].key)), root: &root };
    let nameless = Leaver { name: None, root: &root };
    for leaver in [borrowed, nameless] {
        let leave = own.leave(&key(&covenant), &scope, leaver, None);
        assert_eq!(read(&a, &leave, &covenant).unwrap_err(), NoEncounter::NoValidName);
    }
    let other_key = SubjectKey::derive(&Secret::new([4; 64]), &scope);
    let leaver = Leaver { name: Some((&founders[1].card.card.id, &founders[1].key)), root: &root };
    let ignorant = own.leave(&other_key, &scope, leaver, None);
    assert_eq!(read(&a, &ignorant, &covenant).unwrap_err(), NoEncounter::DoesNotOpen);
}

#[test]
fn one_controller_never_meets_itself() {
    let mut founders = founders(7);
    let mut card = founders[6].card.card.clone();
    card.controller = founders[0].card.card.controller.clone();
    founders[6].card = card.sign(&founders[6].key);
    let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
    let [a, b] = [side(&founders[0], &covenant, &[1]), side(&founders[6], &covenant, &[2])];
    assert_eq!(read(&a, &b.leave, &covenant).unwrap_err(), NoEncounter::SameParty);
    assert_eq!(read(&a, &a.leave, &covenant).unwrap_err(), NoEncounter::SameParty);
}

#[test]
fn a_match_lives_while_something_carries_it() {
    let founders = founders(6);
    let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
    let [a, b] = [side(&founders[0], &covenant, &[1]), side(&founders[1], &covenant, &[3])];
    let destination = Destination { network: covenant.network(), matcher: "p5".parse().unwrap() };
    let mut matches = Matches::default();
    let changed = matches.meet(&read(&a, &b.leave, &covenant).unwrap(), TODAY);

    let forged = destination.withdraw(&a.root.key(&destination.matcher, a.own.number), b.leave.mailbox);
    assert_eq!(matches.withdrawn(&forged, &destination), []);
    assert!(matches.get(&changed[0]).unwrap().is_live());

    // Renewed: the new mailbox is met first, then the old one ends; the match lives on and is the same.
    let number = WithdrawNumber { generation: 0, counter: 77 };
    let renewed = OwnSubmission::draw(b.own.references.clone(), 2, EXPIRY.plus(30), number, &mut rng(77));
    let leaver = Leaver { name: Some((&founders[1].card.card.id, &founders[1].key)), root: &b.root };
    let leave = renewed.leave(&key(&covenant), &scope(&covenant), leaver, Some(&b.own));
    assert_eq!(matches.meet(&read(&a, &leave, &covenant).unwrap(), TODAY), changed);
    let replaced = Replaced { replaces: leave.replaces.clone().unwrap(), new: leave.mailbox };
    assert_eq!(matches.replaced(&replaced, &destination), changed);
    assert!(matches.get(&changed[0]).unwrap().is_live());
    assert_eq!(matches.get(&changed[0]).unwrap().points.len(), 1);

    let withdraw = renewed.withdraw(&destination, &b.root);
    assert_eq!(matches.withdrawn(&withdraw, &destination), changed);
    assert!(!matches.get(&changed[0]).unwrap().is_live());

    // Neither the replaced nor the withdrawn submission can be brought back, also not for another case or after a restart.
    let mut restarted = Matches::default();
    let stored = crate::codec::encode(matches.get(&changed[0]).unwrap());
    restarted.restore(crate::codec::decode(&stored).unwrap());
    let other_case = side(&founders[0], &covenant, &[9]);
    for matches in [&mut matches, &mut restarted] {
        for side in [&a, &other_case] {
            for old in [&b.leave, &leave] {
                assert!(matches.has_ended(&old.mailbox));
                assert_eq!(matches.meet(&read(side, old, &covenant).unwrap(), TODAY), []);
            }
        }
        // After its last day a mailbox may be used again; nobody needs to remember it.
        matches.expire(EXPIRY.plus(1));
        assert!(!matches.has_ended(&b.leave.mailbox) && matches.has_ended(&leave.mailbox));
        matches.expire(EXPIRY.plus(31));
        assert_eq!(matches.meet(&read(&a, &b.leave, &covenant).unwrap(), TODAY), changed);
    }
}

#[test]
fn matches_end_by_expiry_and_by_own_withdrawal_and_survive_a_restart() {
    let founders = founders(6);
    let covenant = signed(&founders, &covenant(&founders)).verify().unwrap();
    let [a, b] = [side(&founders[0], &covenant, &[1]), side(&founders[1], &covenant, &[3])];
    let mut matches = Matches::default();
    let changed = matches.meet(&read(&a, &b.leave, &covenant).unwrap(), TODAY);
    let restored = |matches: &Matches| {
        let mut restored = Matches::default();
        for entry in matches.iter() {
            restored.restore(crate::codec::decode(&crate::codec::encode(entry)).unwrap());
        }
        restored
    };
    let mut first = restored(&matches);
    assert_eq!(first.expire(EXPIRY), []);
    assert_eq!(first.expire(EXPIRY.plus(1)), changed);
    let mut second = restored(&matches);
    assert_eq!(second.own_ended(&a.leave.mailbox), changed);
    assert!(!second.get(&changed[0]).unwrap().is_live());
    assert_eq!(second.get(&changed[0]).unwrap().since, TODAY);
}

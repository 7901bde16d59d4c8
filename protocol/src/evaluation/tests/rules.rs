//! What holders refuse, one rule at a time.

use super::world::{ALL, BUDGET, reason};
use super::*;
use crate::codec::Bytes;
use crate::id::CovenantHash;
use crate::id::MemberId;
use crate::time::Timestamp;

/// Begins a request of `member` and announces it to all; returns what it would ask.
fn announced(world: &mut World, asker: &mut Asker, inputs: &[&str]) -> Evaluate {
    let header = world.begin(asker, inputs);
    acknowledge(world, &header);
    acknowledged_request(world, &header, asker)
}

/// Announces a header to every holder.
fn acknowledge(world: &mut World, header: &SignedHeader) {
    let holders: Vec<_> = world.holders.keys().cloned().collect();
    for holder in holders {
        world.send_headers(header.header.member.as_str(), holder.as_str(), &[header]);
    }
}

fn acknowledged_request(world: &World, header: &SignedHeader, asker: &Asker) -> Evaluate {
    let hash = header.header.hash();
    let sign = |name: &MemberId| Acknowledgement::sign(name.clone(), hash, &world.signing[name]);
    let acknowledgements = world.terms.witnesses(asker.member()).map(sign).collect();
    Evaluate { acknowledgements, ..asker.evaluate_message().unwrap() }
}

/// Asks holder b, changed by `change`.
fn asked(world: &mut World, peer: &str, request: &Evaluate, change: impl FnOnce(&mut Evaluate)) -> Response {
    let mut request = request.clone();
    change(&mut request);
    world.request(peer, "b", &Request::Evaluate(request))
}

/// A header like `header`, changed and signed by its member.
fn altered(world: &World, header: &SignedHeader, change: impl FnOnce(&mut Header)) -> SignedHeader {
    let mut header = header.header.clone();
    change(&mut header);
    let key = &world.signing[&header.member];
    header.sign(key).signed().clone()
}

fn answered(response: &Response) -> bool {
    matches!(response, Response::Answered(_))
}

#[test]
fn strangers_and_non_participants_are_refused() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let request = announced(&mut world, &mut asker, &["x"]);
    let purpose = world.purpose.clone();
    world.change(|terms| {
        terms.purposes.get_mut(&purpose).unwrap().members.remove(&id("a"));
    });
    assert_eq!(reason(asked(&mut world, "a", &request, |_| {})), Reason::Purpose);
    world.change(|terms| {
        terms.parties.remove(&id("a"));
    });
    assert_eq!(reason(asked(&mut world, "a", &request, |_| {})), Reason::Stranger);
    let header = world.headers[&(id("a"), 1)].clone();
    assert_eq!(reason(world.send_headers("a", "c", &[&header])), Reason::Stranger);
    assert!(world.holders.values().all(|holder| holder.evaluations == 0));
}

#[test]
fn headers_of_others_are_refused() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let header = world.begin(&mut asker, &["x"]);
    assert_eq!(reason(world.send_headers("c", "b", &[&header])), Reason::Malformed, "not signed by the peer");
    let forged = altered(&world, &header, |header| header.member = id("c"));
    let forged = SignedHeader { header: header.header.clone(), signature: forged.signature };
    assert_eq!(reason(world.send_headers("a", "b", &[&forged])), Reason::Malformed);
    let epoch = altered(&world, &header, |header| header.epoch.0 += 1);
    assert_eq!(reason(world.send_headers("a", "b", &[&epoch])), Reason::OtherChain);
    assert_eq!(reason(world.send_headers("a", "b", &[])), Reason::Malformed);
    for (count, keys) in [(0, 1), (257, 1), (1, 0), (1, MAX_KEYS + 1)] {
        let keys = (0..keys).map(|number| id(&format!("k{number:02}"))).collect();
        let malformed = altered(&world, &header, |header| (header.count, header.keys) = (count, keys));
        assert_eq!(reason(world.send_headers("a", "b", &[&malformed])), Reason::Malformed);
    }
    let reversed = altered(&world, &header, |header| header.keys.reverse());
    assert_eq!(reason(world.send_headers("a", "b", &[&reversed])), Reason::Malformed);
}

#[test]
fn a_matcher_and_its_relations_may_not_ask_under_its_key() {
    let mut world = World::new();
    let all = ["c", "d", "e", "f"].map(id).to_vec();
    for (member, relation) in [("f", None), ("a", Some("operator of f")), ("a", Some("controller of f"))] {
        if let Some(shared) = relation {
            world = World::new();
            world.change(|terms| {
                let party = terms.parties.get_mut(&id(member)).unwrap();
                if shared.starts_with('o') { &mut party.operator } else { &mut party.controller }
                    .clone_from(&shared.into());
            });
        }
        let mut asker = Asker::new(id(member), None);
        let good = world.begin(&mut asker, &["x"]);
        assert_eq!(good.header.keys, ["c", "d", "e"].map(id), "its software does not try");
        let bad = altered(&world, &good, |header| header.keys.clone_from(&all));
        acknowledge(&mut world, &bad);
        let mut request = acknowledged_request(&world, &bad, &asker);
        request.header = bad.header.hash();
        assert_eq!(reason(asked(&mut world, member, &request, |_| {})), Reason::OwnMatcher);
    }
}

#[test]
fn all_permitted_keys_must_be_named() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let good = world.begin(&mut asker, &["x"]);
    let bad = altered(&world, &good, |header| header.keys = vec![id("c")]);
    acknowledge(&mut world, &bad);
    let mut request = acknowledged_request(&world, &bad, &asker);
    request.header = bad.header.hash();
    assert_eq!(reason(asked(&mut world, "a", &request, |_| {})), Reason::Keys);
}

#[test]
fn a_used_number_is_fraud_with_proof() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let first = world.begin(&mut asker, &["x"]);
    world.run(&mut asker, &[]);
    asker.finish().unwrap();
    let second = world.begin(&mut asker, &["y"]);
    world.run(&mut asker, &[]);
    let public = world.key("a").verifying_key();
    for known in [&first, &second] {
        let other = altered(&world, known, |header| header.elements = [7; 32]);
        assert_eq!(reason(world.send_headers("a", "b", &[&other])), Reason::UsedNumber);
        let fraud = world.holders.get_mut(&id("b")).unwrap().frauds.pop().unwrap();
        assert_eq!(fraud, Fraud { known: known.clone(), other });
        assert!(fraud.proves(&public));
        assert!(!fraud.proves(&world.key("b").verifying_key()));
        assert!(!Fraud { other: fraud.known.clone(), ..fraud.clone() }.proves(&public), "one header twice");
    }
    assert!(!Fraud { known: first.clone(), other: second.clone() }.proves(&public), "two numbers");

    // Within one announcement, and between two holders.
    let third = altered(&world, &second, |header| {
        (header.seq, header.total, header.prev) = (3, 3, second.header.hash())
    });
    let other = altered(&world, &third, |header| header.time = header.time.plus_secs(1));
    assert_eq!(reason(world.send_headers("a", "b", &[&third, &other])), Reason::UsedNumber);
    world.send_headers("a", "c", &[&other]);
    let shown = VerifiedHeader::trusted(world.holders[&id("c")].chains[&id("a")].last().unwrap().clone());
    let known = |world: &World, seq| world.holders[&id("b")].headers.get(&(id("a"), seq)).cloned();
    let Comparison::Fraud(fraud) = compare(&shown, |seq| known(&world, seq)) else { panic!("not seen") };
    assert!(fraud.proves(&public));
    assert_eq!(compare(&VerifiedHeader::trusted(second), |seq| known(&world, seq)), Comparison::Same);
    assert_eq!(compare(&shown, |_| None), Comparison::Ahead);
}

#[test]
fn gaps_and_broken_links_are_refused() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let first = world.begin(&mut asker, &["x"]);
    asker.abandon();
    let second = world.begin(&mut asker, &["y"]);
    assert_eq!(reason(world.send_headers("a", "b", &[&second])), Reason::Gap);
    let zero = altered(&world, &first, |header| header.seq = 0);
    assert_eq!(reason(world.send_headers("a", "b", &[&zero])), Reason::Malformed);
    let prev = altered(&world, &first, |header| header.prev = second.header.hash());
    assert_eq!(reason(world.send_headers("a", "b", &[&prev])), Reason::DoesNotContinue);
    let total = altered(&world, &first, |header| header.total = 0);
    assert_eq!(reason(world.send_headers("a", "b", &[&total])), Reason::DoesNotContinue);
    assert!(world.holders[&id("b")].headers.is_empty());

    // What continues is entered although the rest does not.
    let broken = altered(&world, &second, |header| header.total += 1);
    let Response::Refused(refused) = world.send_headers("a", "b", &[&first, &broken]) else { panic!() };
    assert_eq!(refused, Refused { reason: Reason::DoesNotContinue, highest: Some(first) });
    assert!(matches!(world.send_headers("a", "b", &[&second]), Response::Acknowledged(_)));
}

#[test]
fn only_other_unrelated_holders_acknowledgements_count() {
    let mut world = World::new();
    world.change(|terms| terms.parties.get_mut(&id("f")).unwrap().operator = "operator of a".into());
    let mut asker = Asker::new(id("a"), None);
    let request = announced(&mut world, &mut asker, &["x"]);
    let names: Vec<_> = request.acknowledgements.iter().map(|given| given.holder.as_str()).collect();
    assert_eq!(names, ["b", "c", "d", "e"], "without a itself and f; three are a majority");
    let refused = |world: &mut World, change: &dyn Fn(&mut Vec<Acknowledgement>)| {
        let response = asked(world, "a", &request, |request| change(&mut request.acknowledgements));
        assert_eq!(reason(response), Reason::Acknowledgements);
    };
    let hash = request.header;
    let by = |world: &World, name: &str| Acknowledgement::sign(id(name), hash, world.key(name));
    let (own, related) = (by(&world, "a"), by(&world, "f"));
    refused(&mut world, &|given| given.clear());
    refused(&mut world, &|given| given.truncate(2));
    refused(&mut world, &|given| *given = vec![given[0].clone(), given[0].clone(), given[1].clone()]);
    refused(&mut world, &|given| *given = vec![given[0].clone(), given[1].clone(), own.clone()]);
    refused(&mut world, &|given| *given = vec![given[0].clone(), given[1].clone(), related.clone()]);
    refused(&mut world, &|given| {
        given.truncate(3);
        given[2].holder = id("e");
    });
    let other = Acknowledgement::sign(id("d"), HeaderHash::NONE, world.key("d"));
    refused(&mut world, &|given| *given = vec![given[0].clone(), given[1].clone(), other.clone()]);
    assert!(answered(&asked(&mut world, "a", &request, |request| request.acknowledgements.truncate(3))));
}

#[test]
fn only_the_last_header_entered_is_answered() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let first = announced(&mut world, &mut asker, &["x"]);
    asker.abandon();
    let unknown = asked(&mut world, "a", &first, |request| request.header = HeaderHash::NONE);
    assert_eq!(reason(unknown), Reason::NotEntered);
    announced(&mut world, &mut asker, &["y"]);
    assert_eq!(reason(asked(&mut world, "a", &first, |_| {})), Reason::NotEntered);
}

#[test]
fn elements_must_be_usable_and_those_of_the_header() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let request = announced(&mut world, &mut asker, &["x", "y"]);
    let good = request.elements.0.clone();
    let swapped = [&good[32..], &good[..32]].concat();
    for bad in [Vec::new(), good[..32].to_vec(), swapped, vec![0; 64], vec![0xff; 64]] {
        let response = asked(&mut world, "a", &request, |request| request.elements = Bytes(bad.clone()));
        assert_eq!(reason(response), Reason::Elements);
    }
    assert!(answered(&asked(&mut world, "a", &request, |_| {})));

    // An identity that the header does name, and a count that it does not.
    for (elements, count) in [([0; 32].to_vec(), 1), (good[..32].to_vec(), 2)] {
        let mut world = World::new();
        let mut asker = Asker::new(id("a"), None);
        let good = world.begin(&mut asker, &["x"]);
        let sha256 = crate::crypto::sha256(&elements);
        let bad = altered(&world, &good, |header| {
            (header.elements, header.count, header.total) = (sha256, count, count.into());
        });
        acknowledge(&mut world, &bad);
        let mut request = acknowledged_request(&world, &bad, &asker);
        (request.header, request.elements) = (bad.header.hash(), Bytes(elements));
        assert_eq!(reason(asked(&mut world, "a", &request, |_| {})), Reason::Elements);
    }
}

#[test]
fn covenant_and_clock_must_fit_but_the_header_is_entered() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    for (offset, fits) in [(600, true), (601, false)] {
        for early in [false, true] {
            world.now = now();
            let request = announced(&mut world, &mut asker, &["x"]);
            let secs = now().secs();
            world.now = Timestamp::from_secs(if early { secs - offset } else { secs + offset });
            let response = asked(&mut world, "a", &request, |_| {});
            assert_eq!(answered(&response), fits, "{offset} {early}");
            assert!(fits || reason(response) == Reason::Clock);
            asker.abandon();
        }
    }
    world.now = now();
    let request = announced(&mut world, &mut asker, &["x"]);
    world.change(|terms| terms.covenant = CovenantHash::from_bytes([9; 32]));
    assert_eq!(reason(asked(&mut world, "a", &request, |_| {})), Reason::Covenant);
    asker.abandon();
    let request = announced(&mut world, &mut asker, &["x"]);
    assert!(answered(&asked(&mut world, "a", &request, |_| {})), "the next number goes on");
    assert!(world.holders.values().all(|holder| holder.headers.len() == 6 && holder.frauds.is_empty()));
}

/// Announces `count` inputs and asks b.
fn try_count(world: &mut World, asker: &mut Asker, count: u64) -> Result<(), Reason> {
    let inputs: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let request = announced(world, asker, &inputs);
    asker.abandon();
    match asked(world, "a", &request, |_| {}) {
        Response::Answered(_) => Ok(()),
        other => Err(reason(other)),
    }
}

#[test]
fn the_budget_is_per_day_and_then_the_allowance() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let Budget { per_day, allowance } = BUDGET;
    assert_eq!(try_count(&mut world, &mut asker, per_day - 1), Ok(()));
    assert_eq!(try_count(&mut world, &mut asker, allowance + 2), Err(Reason::Budget), "takes nothing");
    assert_eq!(try_count(&mut world, &mut asker, 1), Ok(()), "the rest of the day");
    assert_eq!(try_count(&mut world, &mut asker, allowance - 1), Ok(()), "from the allowance");
    assert_eq!(try_count(&mut world, &mut asker, 2), Err(Reason::Budget));
    for _ in 0..3 {
        world.now = world.now.plus_secs(86_400);
        assert_eq!(
            try_count(&mut world, &mut asker, per_day),
            Ok(()),
            "a new day; what was unused has lapsed"
        );
    }
    assert_eq!(try_count(&mut world, &mut asker, 2), Err(Reason::Budget));
    assert_eq!(try_count(&mut world, &mut asker, 1), Ok(()), "the allowance is there once");
    world.now = world.now.plus_secs(86_400);
    assert_eq!(try_count(&mut world, &mut asker, per_day + 1), Err(Reason::Budget));
}

/// Asking different holders for different requests must not multiply the budget.
#[test]
fn requests_that_others_answered_count_too() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let whole = BUDGET.per_day + BUDGET.allowance;
    let inputs: Vec<String> = (0..whole).map(|number| number.to_string()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    announced(&mut world, &mut asker, &inputs); // b is not asked for this one
    asker.abandon();
    assert_eq!(try_count(&mut world, &mut asker, 1), Err(Reason::Budget));
}

/// A holder that was away counts what was meant for today, and not what was meant for the days it missed.
#[test]
fn headers_of_other_days_do_not_count_today() {
    let mut world = World::new();
    let mut asker = Asker::new(id("a"), None);
    let mut late = Vec::new();
    for day in 0..3 {
        world.now = now().plus_secs(day * 86_400);
        for _ in 0..2 {
            late.push(world.begin(&mut asker, &["1", "2", "3", "4"]));
            asker.abandon();
        }
    }
    let late: Vec<_> = late.iter().collect();
    for holder in ALL {
        world.send_headers("a", holder, &late);
    }
    let left = BUDGET.per_day + BUDGET.allowance - 8;
    assert_eq!(try_count(&mut world, &mut asker, left + 1), Err(Reason::Budget));
    assert_eq!(try_count(&mut world, &mut asker, left), Ok(()));
}

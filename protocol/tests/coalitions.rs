//! Which partners together can test a guess about a person: known attacks, played (`docs/threat-model.md`, What remains).
//!
//! An honest member signals one of [`PERSONS`] invented persons. Partners pool all shares they hold and every byte they
//! saw, derive what they can for every person, and look for it. This shows what these attacks give, to whom; it is no
//! proof that there are no others. Not here: members that break rules to see more ([`kring_protocol::evaluation`] and
//! the tests of whole systems), timing, and traffic.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "coalitions/dictionary.rs"]
mod dictionary;
#[path = "coalitions/network.rs"]
mod network;
#[path = "coalitions/play.rs"]
mod play;

use std::collections::BTreeSet;

use dictionary::{Dictionary, MOST, Members, found_by, members};
use kring_protocol::covenant::CovenantError;
use kring_protocol::evaluation::Asker;
use network::{ALLOWANCE, Guard, Network, PER_DAY, PERSONS, Roles, id, index};
use play::Play;

/// Every way to give roles to so many members, up to their names: how many of them have none, hold keys, match, both.
fn all_roles(count: usize) -> Vec<Roles> {
    let mut all = Vec::new();
    for none in 0..=count {
        for holders in 0..=count - none {
            for matchers in 0..=count - none - holders {
                let first_matcher = none + holders;
                let first_both = first_matcher + matchers;
                all.push(Roles {
                    members: count,
                    holders: (none..first_matcher).chain(first_both..count).collect(),
                    matchers: (first_matcher..count).collect(),
                });
            }
        }
    }
    all
}

/// One member of each kind.
fn kinds(roles: &Roles) -> Vec<usize> {
    let kind = |member: &usize| (roles.holders.contains(member), roles.matchers.contains(member));
    let mut seen = BTreeSet::new();
    (0..roles.members).filter(|member| seen.insert(kind(member))).collect()
}

fn coalitions(of: usize, without: Members) -> impl Iterator<Item = Members> {
    let all = 1..=u8::try_from((1_u16 << of) - 1).unwrap();
    all.filter(move |coalition| coalition & without == 0 && coalition.count_ones() <= MOST)
}

/// Whether the threat model says that this coalition can test any guess: a matcher other than the sender, and a majority
/// of the other key holders. Counted from the roles alone, so that the covenant's own counting is tested too.
fn named(roles: &Roles, sender: usize, coalition: Members) -> bool {
    let inside = |member: &usize| coalition >> member & 1 == 1;
    roles.matchers.iter().filter(|matcher| **matcher != sender && inside(matcher)).any(|matcher| {
        let holders: Vec<_> = roles.holders.iter().filter(|holder| *holder != matcher).collect();
        holders.iter().filter(|holder| inside(holder)).count() > holders.len() / 2
    })
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    networks: usize,
    signals: usize,
    named: usize,
    others: usize,
}

/// One signal, and one more of the same person where there is a peer; then every coalition of the others.
fn play_one(roles: &Roles, dictionary: &Dictionary<'_>, honest: &[usize], person: usize, tally: &mut Tally) {
    let network = dictionary.network;
    let mut play = Play::new(network);
    for sender in honest {
        play.signal(*sender, &network.inputs()[person..=person]);
    }
    assert_eq!(play.public.len() > network.common.len(), honest.len() > 1, "two meet, and boards say so");
    let findings = dictionary.search(&play);
    for coalition in coalitions(roles.members, members(honest)) {
        let open = honest.iter().any(|sender| named(roles, *sender, coalition));
        tally.named += usize::from(open);
        tally.others += usize::from(!open);
        let expected = if open { BTreeSet::from([person]) } else { BTreeSet::new() };
        assert_eq!(found_by(coalition, &findings), expected, "{roles:?}, {honest:?}: {coalition:08b}");
    }
}

/// All roles that the covenant's rules permit, and a sender of each kind. For one sender of each network once more with
/// another honest member that signals the same person.
fn play_all(count: usize) -> Tally {
    let mut tally = Tally::default();
    for roles in all_roles(count) {
        let network = match Network::found(&roles, None) {
            Ok(network) => network,
            Err(CovenantError::Rules(_)) => continue,
            Err(other) => panic!("{other}"),
        };
        tally.networks += 1;
        let dictionary = Dictionary::new(&network);
        let senders = kinds(&roles);
        let met = senders[tally.networks % senders.len()];
        let alone = senders.into_iter().map(|sender| vec![sender]);
        for honest in alone.chain([vec![met, (met + 1) % count]]) {
            tally.signals += honest.len();
            let person = tally.signals * 5 % PERSONS;
            play_one(&roles, &dictionary, &honest, person, &mut tally);
        }
    }
    println!("{count} members: {tally:?}");
    tally
}

#[test]
fn of_four_or_five_partners_only_a_matcher_with_enough_holders_of_its_key_finds_the_person() {
    for count in [4, 5] {
        let tally = play_all(count);
        assert!(tally.named > 0 && tally.others > 0, "{tally:?}");
    }
}

#[test]
fn of_six_partners_only_a_matcher_with_enough_holders_of_its_key_finds_the_person() {
    let tally = play_all(6);
    assert!(tally.named > 0 && tally.others > 0, "{tally:?}");
}

#[test]
fn of_seven_partners_only_a_matcher_with_enough_holders_of_its_key_finds_the_person() {
    let tally = play_all(7);
    assert!(tally.named > 0 && tally.others > 0, "{tally:?}");
}

#[test]
fn of_eight_partners_only_a_matcher_with_enough_holders_of_its_key_finds_the_person() {
    let tally = play_all(8);
    assert!(tally.named > 0 && tally.others > 0, "{tally:?}");
}

/// Two without a role, three key holders of which one matches, two more matchers: keys of two holders and of three, all
/// of which need two.
fn seven(missing: Option<Guard>) -> Network {
    let roles = Roles { members: 7, holders: vec![2, 3, 4], matchers: vec![4, 5, 6] };
    Network::found(&roles, missing).unwrap()
}

/// Whom a coalition finds where member 0 signals person 11.
fn found_without(missing: Option<Guard>, coalition: &[usize]) -> BTreeSet<usize> {
    let network = seven(missing);
    let mut play = Play::new(&network);
    play.signal(0, &network.inputs()[11..12]);
    let findings = Dictionary::new(&network).search(&play);
    found_by(members(coalition), &findings)
}

#[test]
fn a_lone_matcher_finds_the_person_where_tags_are_plain_hashes() {
    assert_eq!(found_without(None, &[5]), BTreeSet::new());
    assert_eq!(found_without(Some(Guard::Oprf), &[5]), [11].into());
    assert_eq!(found_without(Some(Guard::Oprf), &[2, 3]), BTreeSet::new(), "holders see no tags");
}

#[test]
fn a_lone_key_holder_finds_the_person_where_inputs_are_not_blinded() {
    assert_eq!(found_without(None, &[2]), BTreeSet::new());
    assert_eq!(found_without(Some(Guard::Blinds), &[2]), [11].into());
    assert_eq!(found_without(Some(Guard::Blinds), &[1, 5]), BTreeSet::new(), "no holder among them");
}

#[test]
fn one_key_holder_and_a_matcher_find_the_person_where_one_share_is_enough() {
    assert_eq!(found_without(None, &[2, 5]), BTreeSet::new());
    assert_eq!(found_without(Some(Guard::Threshold), &[2, 5]), [11].into());
    assert_eq!(found_without(None, &[2, 3, 5]), [11].into());
}

#[test]
fn one_key_holder_and_a_matcher_find_the_person_where_a_matcher_holds_its_own_key() {
    assert_eq!(found_without(None, &[2, 4]), BTreeSet::new());
    assert_eq!(found_without(Some(Guard::ForeignKey), &[2, 4]), [11].into());
}

#[test]
fn enough_holders_and_the_relay_find_the_person_where_submissions_are_not_sealed() {
    for (missing, expected) in [(None, BTreeSet::new()), (Some(Guard::Seals), [11].into())] {
        let network = seven(missing);
        let mut play = Play::new(&network);
        play.signal(0, &network.inputs()[11..12]);
        let findings = Dictionary::new(&network).search(&play);
        let relay = (1..4).find(|relay| !play.views[*relay].carried.is_empty()).unwrap();
        assert_eq!(found_by(members(&[2, 3, relay]), &findings), expected);
    }
}

#[test]
fn holders_of_another_matchers_key_find_nobody() {
    let roles = Roles { members: 7, holders: vec![1, 2, 3, 4], matchers: vec![4, 5, 6] };
    let network = Network::found(&roles, None).unwrap();
    let mut play = Play::new(&network);
    play.signal(0, &network.inputs()[3..4]);
    let findings = Dictionary::new(&network).search(&play);
    // Two of three suffice for the key of 4; the key of 5 has four holders and needs three.
    assert_eq!(found_by(members(&[1, 2, 4]), &findings), [3].into());
    assert_eq!(found_by(members(&[1, 2, 5]), &findings), BTreeSet::new());
    assert_eq!(found_by(members(&[1, 2, 3]), &findings), BTreeSet::new());
}

#[test]
fn a_matcher_with_the_senders_relay_sees_who_left_which_tag_and_not_about_whom() {
    let network = seven(None);
    let mut play = Play::new(&network);
    play.signal(0, &network.inputs()[8..9]);
    let findings = Dictionary::new(&network).search(&play);
    for matcher in [4, 5, 6] {
        let [(sealed, _)] = play.views[matcher].opened[..] else { panic!("one was left") };
        let relays: Vec<usize> = (1..7)
            .filter(|relay| {
                let carried = &play.views[*relay].carried;
                carried.iter().any(|(sender, carried)| *sender == 0 && *carried == sealed)
            })
            .collect();
        assert_eq!(relays.len(), 2, "relay and spare");
        for relay in relays {
            assert_eq!(found_by(members(&[matcher, relay]), &findings), BTreeSet::new());
        }
    }
}

/// Member 0 signals everybody, so that whatever a coalition can test shows.
fn everybody_signalled(network: &Network) -> Play<'_> {
    let mut play = Play::new(network);
    play.signal(0, &network.inputs());
    play
}

/// Asks for persons, and puts what comes back in the dictionary as known to the asker.
fn ask(play: &mut Play<'_>, dictionary: &mut Dictionary<'_>, asker: &mut Asker, persons: &[usize]) -> bool {
    let inputs = play.network.inputs();
    let asked: Vec<_> = persons.iter().map(|person| inputs[*person].clone()).collect();
    let Some(results) = play.evaluate(asker, &asked) else { return false };
    for result in results {
        for (person, key) in persons.iter().zip(result.subject_keys) {
            let asker = members(&[index(asker.member())]);
            dictionary.guess(*person, index(&result.matcher), asker, key);
        }
    }
    true
}

/// What every key holder's chain says of a member: number of its last request, and inputs asked so far.
fn recorded(play: &Play<'_>, member: usize) -> (u64, u64) {
    let last = |holder: usize| {
        let header = &play.chains[&(holder, member)].last().unwrap().header;
        (header.seq, header.total)
    };
    let holders: BTreeSet<_> = play.network.covenant.key_holders.iter().map(|h| last(index(h))).collect();
    assert_eq!(holders.len(), 1, "holders differ: {holders:?}");
    holders.into_iter().next().unwrap()
}

#[test]
fn a_matcher_with_another_partner_tests_exactly_the_guesses_in_that_partners_chain() {
    // A partner without a role, and one that holds a share.
    for partner in [1, 2] {
        let network = seven(None);
        let mut play = everybody_signalled(&network);
        let mut dictionary = Dictionary::new(&network);
        let mut asker = Asker::new(id(partner), None);
        let mut guesses = BTreeSet::new();
        for (seq, persons) in (1..).zip([&[2, 7, 9][..], &[4], &[15, 0]]) {
            assert!(ask(&mut play, &mut dictionary, &mut asker, persons));
            guesses.extend(persons);
            assert_eq!(recorded(&play, partner), (seq, guesses.len() as u64));
            let findings = dictionary.search(&play);
            for matcher in [4, 5, 6] {
                assert_eq!(found_by(members(&[matcher, partner]), &findings), guesses);
                // One of 1 and 2 holds a share, which alone adds nothing.
                assert_eq!(found_by(members(&[matcher, 1, 2]), &findings), guesses);
                assert_eq!(found_by(members(&[matcher]), &findings), BTreeSet::new());
            }
            assert_eq!(found_by(members(&[1, 2]), &findings), BTreeSet::new(), "they see no tags");
        }
        // A dummy counts as an input and tests nobody.
        assert!(play.evaluate(&mut asker, &[b"a dummy".to_vec()]).is_some());
        assert_eq!(recorded(&play, partner), (4, guesses.len() as u64 + 1));
        assert_eq!(found_by(members(&[5, partner]), &dictionary.search(&play)), guesses);
    }
}

#[test]
fn a_matcher_with_two_partners_tests_what_both_chains_record_together() {
    let network = seven(None);
    let mut play = everybody_signalled(&network);
    let mut dictionary = Dictionary::new(&network);
    assert!(ask(&mut play, &mut dictionary, &mut Asker::new(id(1), None), &[2, 7]));
    assert!(ask(&mut play, &mut dictionary, &mut Asker::new(id(6), None), &[7, 8, 12]));
    assert_eq!((recorded(&play, 1), recorded(&play, 6)), ((1, 2), (1, 3)));
    let findings = dictionary.search(&play);
    assert_eq!(found_by(members(&[1, 5, 6]), &findings), [2, 7, 8, 12].into());
    assert_eq!(found_by(members(&[1, 5]), &findings), [2, 7].into());
    assert_eq!(found_by(members(&[5, 6]), &findings), [7, 8, 12].into());
    // A matcher gets no keys of its own, so what it asked opens nothing that was left with it.
    assert_eq!(found_by(members(&[6]), &findings), BTreeSet::new());
}

#[test]
fn beyond_its_budget_a_partner_asks_and_learns_nothing_and_the_chain_counts_it() {
    let network = seven(None);
    let mut play = everybody_signalled(&network);
    let mut dictionary = Dictionary::new(&network);
    let mut asker = Asker::new(id(1), None);
    let budget = u64::from(PER_DAY + ALLOWANCE);
    let persons: Vec<usize> = (0..PERSONS).collect();
    let (within, beyond) = persons.split_at(usize::try_from(budget).unwrap());
    assert!(ask(&mut play, &mut dictionary, &mut asker, within));
    assert!(!ask(&mut play, &mut dictionary, &mut asker, &beyond[..1]));
    assert_eq!(recorded(&play, 1), (2, budget + 1));
    let findings = dictionary.search(&play);
    assert_eq!(found_by(members(&[1, 5]), &findings), within.iter().copied().collect());
}

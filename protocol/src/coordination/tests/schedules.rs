//! Whatever is late, repeated, lost or forgotten in whatever order: all sides end with the same state.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::tie::Tie;
use super::super::*;
use super::world::{Edge, Fate, KEYS, MATCHERS, World};
use crate::conversation::MistakenReason;
use crate::covenant::Disclosure;

/// Who takes part and who shares a family with whom.
#[derive(Clone, Debug)]
struct Setup {
    partners: usize,
    families: usize,
    /// For every two partners and family, whether they share a person.
    shared: Vec<bool>,
    hidden: bool,
}

#[derive(Clone, Debug)]
enum Act {
    Meet {
        edge: usize,
        at: usize,
        key: usize,
        side: usize,
    },
    Renew {
        edge: usize,
        at: usize,
        key: usize,
    },
    ReadEnd {
        ground: usize,
        side: usize,
    },
    Withdraw {
        case: usize,
    },
    /// A later signal on the same case.
    Again {
        case: usize,
    },
    Send {
        case: usize,
        at: usize,
        fate: u8,
    },
    Deliver {
        which: usize,
    },
    Cards {
        case: usize,
    },
    Do {
        case: usize,
        what: What,
        which: usize,
    },
    Restart {
        case: usize,
    },
    BackUp {
        case: usize,
    },
    Restore {
        case: usize,
    },
    Pass {
        hours: u64,
    },
    Tick {
        case: usize,
    },
}

/// What somebody does, to the match or claim that comes to hand.
#[derive(Clone, Copy, Debug)]
enum What {
    Coordinate,
    Together,
    NotRight,
    Contact,
    Claim,
    Release,
    Confirm,
    Offer,
    Keep,
    Close(Outcome),
    Reopen,
    Look,
    Mute(bool),
    ChangeCard,
}

fn setup() -> impl Strategy<Value = Setup> {
    let shared = proptest::collection::vec(proptest::bool::weighted(0.7), 30);
    let families = prop_oneof![4 => Just(1_usize), 2 => Just(2), 1 => Just(3)];
    (2..=5_usize, families, shared, any::<bool>()).prop_map(|(partners, families, shared, hidden)| Setup {
        partners,
        families,
        shared,
        hidden,
    })
}

fn what() -> impl Strategy<Value = What> {
    let close = proptest::sample::select(Outcome::ALL.to_vec()).prop_map(What::Close);
    prop_oneof![
        8 => Just(What::Coordinate),
        2 => Just(What::Together),
        1 => Just(What::NotRight),
        4 => Just(What::Contact),
        5 => Just(What::Claim),
        2 => Just(What::Release),
        5 => Just(What::Confirm),
        3 => Just(What::Offer),
        1 => Just(What::Keep),
        8 => close,
        1 => Just(What::Reopen),
        1 => Just(What::Look),
        1 => any::<bool>().prop_map(What::Mute),
        1 => Just(What::ChangeCard),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let any_number = 0..1_000_usize;
    let place = || (0..1_000_usize, 0..MATCHERS, 0..KEYS);
    let case = || 0..1_000_usize;
    prop_oneof![
        12 => (place(), 0..2_usize).prop_map(|((edge, at, key), side)| Act::Meet { edge, at, key, side }),
        2 => place().prop_map(|(edge, at, key)| Act::Renew { edge, at, key }),
        4 => (case(), 0..2_usize).prop_map(|(ground, side)| Act::ReadEnd { ground, side }),
        1 => case().prop_map(|case| Act::Withdraw { case }),
        1 => case().prop_map(|case| Act::Again { case }),
        12 => (case(), 0..MATCHERS, 0..4_u8).prop_map(|(case, at, fate)| Act::Send { case, at, fate }),
        16 => any_number.prop_map(|which| Act::Deliver { which }),
        6 => case().prop_map(|case| Act::Cards { case }),
        24 => (case(), what(), 0..1_000_usize).prop_map(|(case, what, which)| Act::Do { case, what, which }),
        2 => case().prop_map(|case| Act::Restart { case }),
        2 => case().prop_map(|case| Act::BackUp { case }),
        1 => case().prop_map(|case| Act::Restore { case }),
        3 => (1..200_u64).prop_map(|hours| Act::Pass { hours }),
        4 => case().prop_map(|case| Act::Tick { case }),
    ]
}

fn build(setup: &Setup) -> World {
    let partners: Vec<_> = (0..setup.families).flat_map(|_| 0..setup.partners).collect();
    let mut edges = Vec::new();
    let mut shared = setup.shared.iter();
    for family in 0..setup.families {
        for a in 0..setup.partners {
            for b in a + 1..setup.partners {
                if *shared.next().unwrap() || (a, b) == (0, 1) {
                    edges.push(Edge([a, b].map(|partner| family * setup.partners + partner)));
                }
            }
        }
    }
    let disclosure = if setup.hidden { Disclosure::NameWhenBothAgree } else { Disclosure::NameAtOnce };
    World::new(&partners, edges, disclosure)
}

fn perform(world: &mut World, act: &Act) {
    let (cases, edges) = (world.cases.len(), world.edges.len());
    match *act {
        Act::Meet { edge, at, key, side } => world.meet(edge % edges, at, key, side),
        Act::Renew { edge, at, key } => world.renew(edge % edges, at, key),
        Act::ReadEnd { ground, side } => world.read_end(ground, side),
        Act::Withdraw { case } => world.withdraw(case % cases),
        Act::Again { case } => world.cases[case % cases].withdrawn = false,
        Act::Send { case, at, fate } => {
            let fate = [Fate::Arrives, Fate::Arrives, Fate::ReceiptLost, Fate::Lost][usize::from(fate)];
            world.send(case % cases, at, fate);
        }
        Act::Deliver { which } => {
            let posts = world.posts();
            // Late ones more often than early ones, but any.
            let which =
                if which % 3 == 0 { which % posts.max(1) } else { posts.saturating_sub(1 + which % 8) };
            world.deliver(which);
        }
        Act::Cards { case } => world.send_cards(case % cases),
        Act::Do { case, what, which } => act_somehow(world, case % cases, what, which),
        Act::Restart { case } => world.restart(case % cases),
        Act::BackUp { case } => world.back_up(case % cases),
        Act::Restore { case } => world.restore(case % cases),
        Act::Pass { hours } => world.now = world.now.plus_secs(hours * 3_600),
        Act::Tick { case } => world.tick(case % cases),
    }
}

fn act_somehow(world: &mut World, case: usize, what: What, which: usize) {
    let edges = world.edges_of(case);
    let key = edges.get(which % edges.len().max(1)).map(|(edge, side)| world.key(*edge, *side));
    let Some(key) = key else { return };
    let claims: Vec<_> = world.cases[case].cooperation.claims().into_keys().collect();
    let today = crate::calendar::local_day(world.now);
    let action = match what {
        What::Coordinate => Action::Respond(key, Response::Coordinate),
        What::Together => Action::Respond(key, Response::AlreadyTogether),
        What::NotRight => Action::NotRight(key, MistakenReason::OtherPerson),
        What::Contact => Action::Contact(key, (!which.is_multiple_of(4)).then_some(today)),
        What::Claim => Action::Claim,
        What::Release => Action::Release,
        What::Confirm if claims.is_empty() => return,
        What::Confirm => Action::Confirm(claims[which % claims.len()]),
        What::Offer => Action::OfferLead(key),
        What::Keep => Action::KeepLead,
        What::Close(outcome) => Action::Close(key, outcome),
        What::Reopen => Action::Reopen(key),
        What::Look => Action::Look,
        What::Mute(muted) => Action::Mute(muted),
        What::ChangeCard => Action::ChangeCard,
    };
    let done = world.act(case, &action).is_ok();
    if done && matches!(what, What::ChangeCard) {
        let changed = &mut world.cases[case].card;
        *changed = (*changed + 1) % 10;
    }
}

fn tie(world: &World, edge: usize, side: usize) -> &Tie {
    let case = &world.cases[world.edges[edge].0[side]];
    case.cooperation.tie(&world.key(edge, side)).unwrap()
}

/// The edges over which both sides see each other, after everything has arrived.
fn living(world: &mut World) -> Vec<usize> {
    for edge in 0..world.edges.len() {
        world.find(edge);
    }
    world.run();
    // A restored node may have forgotten a mark of its own, and nobody tells it: its people say so again.
    for (case, key) in world.marked.clone() {
        let again = Action::NotRight(key, MistakenReason::OtherPerson);
        assert!(matches!(world.act(case, &again), Ok(()) | Err(Refused::NoMatch)));
    }
    world.run();
    let lives = |edge: &usize| world.seen(*edge, 0).is_some();
    let living: Vec<_> = (0..world.edges.len()).filter(lives).collect();
    for edge in 0..world.edges.len() {
        assert_eq!(world.seen(edge, 1).is_some(), living.contains(&edge), "both see it, or neither");
    }
    living
}

/// Both sides of a match know the same and draw the same from it.
fn check_edge(world: &World, edge: usize) {
    for side in 0..2 {
        let (ours, theirs) = (tie(world, edge, side), tie(world, edge, 1 - side));
        let said = (ours.told != Position::default()).then_some(&ours.told);
        assert_eq!(theirs.theirs(), said, "what one has said last is what the other knows");
        let of = |side: usize| &world.cases[world.edges[edge].0[side]].cooperation;
        let progress = |side: usize, tie: &Tie| of(side).progress(tie, &of(side).claims());
        assert_eq!(progress(side, ours), progress(1 - side, theirs));
        if ours.both_want_to_coordinate() {
            let card = theirs.their_card.as_ref().map(|held| held.card.clone());
            assert_eq!(card, Some(world.card(world.edges[edge].0[side])), "the card that is good now");
        }
    }
}

/// All cases that are connected know the same claims, and so see the same conflict.
fn check_claims(world: &World, living: &[usize]) {
    for case in 0..world.cases.len() {
        let mut around = BTreeSet::from([case]);
        while let Some(further) = living.iter().find_map(|edge| {
            let [a, b] = world.edges[*edge].0;
            let next = if around.contains(&a) { b } else { a };
            (around.contains(&a) != around.contains(&b)).then_some(next)
        }) {
            around.insert(further);
        }
        let made: BTreeSet<_> = around.iter().filter_map(|of| world.cases[*of].cooperation.claim).collect();
        let cooperation = &world.cases[case].cooperation;
        let known: BTreeSet<_> = cooperation.claims().into_keys().chain(cooperation.claim).collect();
        assert_eq!(known, made, "case {case} of {around:?}");
        assert_eq!(cooperation.is_contested(&cooperation.claims()), made.len() > 1);
    }
}

/// What a world has come to, in words.
fn come_to(world: &World, living: &[usize]) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    for edge in living {
        let tie = tie(world, *edge, 0);
        seen.extend(tie.their_card.as_ref().map(|_| "cards"));
        let of = &world.cases[world.edges[*edge].0[0]].cooperation;
        seen.insert(match of.progress(tie, &of.claims()) {
            Progress::Open => "open",
            Progress::Responded => "responded",
            Progress::InContact => "in contact",
            Progress::LeadAgreed => "lead agreed",
            Progress::Closed => "closed",
        });
    }
    let purpose = world.purpose();
    for case in &world.cases {
        let (cooperation, told) = (&case.cooperation, &case.told);
        let claims = cooperation.view(&purpose).into_iter().flat_map(|view| view.claims).collect::<Vec<_>>();
        let through = claims.iter().any(|claim| matches!(claim.who, Who::Through(_)));
        let gave_way = cooperation.supports.is_some() && !cooperation.past_claims.is_empty();
        for (is_so, what) in [
            (claims.len() > 1, "contested"),
            (through, "through another"),
            (gave_way, "gave way"),
            (told.flags.iter().any(|flag| matches!(flag, Flag::Traceable(_))), "traceable"),
            (!told.reminders.is_empty(), "reminded"),
            (!told.supervisor.is_empty(), "supervisor"),
            (!told.coordinator.is_empty(), "coordinator"),
        ] {
            seen.extend(is_so.then_some(what));
        }
        seen.extend(told.alerts.iter().map(|alert| match alert {
            Alert::Involved { first: true, .. } => "a notice",
            Alert::Involved { .. } => "a notice that grew",
            Alert::LeadContested(_) => "told of a conflict",
            Alert::LeadOffered(..) => "offered",
            Alert::Ended(_) => "ended",
            Alert::NotRight(_) => "not right",
            Alert::Silent(_) => "silent",
            Alert::Card(_) | Alert::Responded(_) | Alert::LeadClaimed(_) | Alert::OtherClosed(_) => "other",
        }));
    }
    seen
}

/// That the schedules come to what they are to test: how many of 300 worlds end with it.
#[test]
fn schedules_come_to_everything() {
    use proptest::strategy::ValueTree;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (setup(), proptest::collection::vec(act(), 400));
    let mut reached: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..300 {
        let (setup, acts) = strategy.new_tree(&mut runner).unwrap().current();
        let mut world = build(&setup);
        acts.iter().for_each(|act| perform(&mut world, act));
        let living = living(&mut world);
        come_to(&world, &living).into_iter().for_each(|what| *reached.entry(what).or_default() += 1);
    }
    println!("{reached:?}");
    assert!(reached.values().all(|worlds| *worlds >= 3), "{reached:?}");
    assert_eq!(reached.len(), 21, "all that is named above: {reached:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]
    #[test]
    fn all_sides_end_with_the_same_state(
        setup in setup(),
        acts in proptest::collection::vec(act(), 1..400),
    ) {
        let mut world = build(&setup);
        for act in &acts {
            perform(&mut world, act);
        }
        let living = living(&mut world);
        for edge in &living {
            check_edge(&world, *edge);
        }
        check_claims(&world, &living);
        // Nothing that was done by itself undoes anything: whoever starts again knows the same, and says nothing new.
        let posts = world.posts();
        for case in 0..world.cases.len() {
            let before = world.cases[case].cooperation.clone();
            world.restart(case);
            prop_assert_eq!(&world.cases[case].cooperation, &before);
        }
        world.run();
        prop_assert_eq!(world.posts(), posts);
    }
}

//! Contact cards: formats, whose they are and for what they are good, and when they go.

use super::super::card::{BadField, Email, Name, Telephone};
use super::super::*;
use super::world::{Fate, World};
use crate::conversation::Says;
use crate::covenant::Disclosure;
use crate::covenant::tests::Founder;
use crate::id::{Epoch, MatchId, MemberId, NetworkId};
use crate::sealing::ExchangeSecret;
use crate::secret::Secret;
use crate::sign::SigningKey;
use crate::subject_key::Scope;

#[test]
fn fields_are_checked_and_brought_into_one_form() {
    for (typed, form) in [
        ("+31612345678", "+31612345678"),
        ("06-12345678", "+31612345678"),
        ("010 123 45 67", "+31101234567"),
        ("(030) 123.45.67", "+31301234567"),
        ("+31 (0)6 1234 5678", "+31612345678"),
        ("0031 6 12345678", "+31612345678"),
        ("0800-2000", "+318002000"),
        ("+32 470 12 34 56", "+32470123456"),
    ] {
        assert_eq!(typed.parse::<Telephone>().unwrap().as_str(), form, "{typed}");
    }
    for bad in
        ["", "112", "12345678", "+0612345678", "06-1234567x", "+1234567890123456", "+31 bel maar", "+", "0"]
    {
        assert_eq!(bad.parse::<Telephone>(), Err(BadField::Telephone), "{bad}");
    }
    for good in
        ["a@b.nl", "j.de-vries+kring@wijk-team.example.nl", "o'neil@example.co.uk", "x@xn--bcher-kva.example"]
    {
        assert_eq!(good.parse::<Email>().unwrap().as_str(), good);
    }
    let long = format!("{}@{}.nl", "a".repeat(64), "b".repeat(63));
    assert!(long.parse::<Email>().is_ok());
    let longer = format!("a@{0}.{0}.{0}.nl", "b".repeat(60));
    for bad in [
        "",
        "a",
        "a@b",
        "@b.nl",
        "a@.nl",
        "a.@b.nl",
        ".a@b.nl",
        "a..b@c.nl",
        "a@-b.nl",
        "a b@c.nl",
        "a@b.1",
        "a@b@c.nl",
        "é@b.nl",
        &longer,
    ] {
        assert_eq!(bad.parse::<Email>(), Err(BadField::Email), "{bad}");
    }
    for (typed, form) in [
        (" Anne de Vries ", "Anne de Vries"),
        ("Zo\u{308}e O'Neil-d’Arc Jr.", "Zöe O'Neil-d’Arc Jr."),
        ("محمد", "محمد"),
    ] {
        assert_eq!(typed.parse::<Name>().unwrap().as_str(), form);
    }
    for bad in ["", " ", "-", "Anne 06-12345678", "Anne\nbel", "see: file", "<b>", &"a".repeat(101)] {
        assert_eq!(bad.parse::<Name>(), Err(BadField::Name), "{bad}");
    }
}

#[test]
fn what_travels_is_in_its_one_form_already() {
    let read = |text: &str| serde_json::from_str::<Telephone>(&format!("\"{text}\""));
    assert!(read("+31612345678").is_ok());
    assert!(read("0612345678").is_err() && read("+31 612345678").is_err());
    assert!(serde_json::from_str::<Name>("\" Anne\"").is_err());
}

#[test]
fn debugging_a_card_shows_nobody() {
    let world = World::around_one_family(2, Disclosure::NameAtOnce);
    let card = world.card(0);
    let shown = format!("{card:?} {:?} {:?} {:?}", card.name, card.telephone, card.email);
    assert!(!shown.contains("Professional") && !shown.contains("316") && !shown.contains('@'), "{shown}");
}

/// A place, and a card for it as `by` signs it.
struct Given {
    world: World,
    scope: Scope,
    pair: Pair,
    id: MatchId,
    issued: Day,
}

impl Given {
    fn new() -> Self {
        let world = World::around_one_family(3, Disclosure::NameAtOnce);
        let mailbox = |byte| ExchangeSecret::from_bytes(Secret::new([byte; 32])).public();
        let pair = Pair { matcher: "p5".parse().unwrap(), own: mailbox(3), other: mailbox(4) };
        let scope = world.scope(&pair.matcher);
        Self { world, scope, pair, id: MatchId::from_bytes([5; 16]), issued: Day::from_days(20_000) }
    }

    fn place(&self) -> CardPlace<'_> {
        CardPlace { scope: &self.scope, match_id: self.id, pair: &self.pair }
    }

    fn founder(&self, by: usize) -> (&MemberId, &SigningKey) {
        let Founder { card, key } = &self.world.founders[by];
        (&card.card.id, key)
    }

    fn sign(&self, by: usize) -> CardMessage {
        let purpose = self.world.purpose();
        let card = self.world.card(by);
        CardMessage::sign(card, self.place(), (7, self.issued), self.founder(by), &purpose).unwrap()
    }

    /// What 0 makes of it, who has met 1.
    fn read(&self, card: &CardMessage) -> Result<VerifiedCard, CardError> {
        self.read_as(card, Some(1))
    }

    fn read_as(&self, card: &CardMessage, expected: Option<usize>) -> Result<VerifiedCard, CardError> {
        let expected = expected.map(|by| self.founder(by).0);
        card.verify(self.issued, self.place(), expected, self.founder(0).0, &self.world.covenant)
    }
}

#[test]
fn a_card_is_good_for_its_match_and_mailboxes_only() {
    let given = Given::new();
    let card = given.sign(1);
    assert!(given.read(&card).is_ok());
    type Change = fn(&mut Given);
    let changes: [Change; 7] = [
        |given| given.scope.network = NetworkId::from_bytes([9; 32]),
        |given| given.scope.epoch = Epoch(2),
        |given| given.id = MatchId::from_bytes([6; 16]),
        |given| given.pair.own = given.pair.other,
        |given| given.pair.other = ExchangeSecret::from_bytes(Secret::new([5; 32])).public(),
        |given| given.issued = given.issued.plus(1),
        |given| given.world.founders.swap(1, 2),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut given = Given::new();
        change(&mut given);
        let error = if number == 6 { CardError::OtherMember } else { CardError::Misbound };
        assert_eq!(given.read(&card), Err(error), "change {number}");
    }
    // The other side names the same two mailboxes the other way round.
    let mut turned = Given::new();
    (turned.pair.own, turned.pair.other) = (turned.pair.other, turned.pair.own);
    assert!(turned.read(&card).is_ok());
    let mut no_purpose = Given::new();
    no_purpose.scope.purpose = "other".parse().unwrap();
    assert_eq!(no_purpose.read(&card), Err(CardError::NotAMember));
}

#[test]
fn no_part_of_a_card_can_be_changed() {
    let given = Given::new();
    let card = given.sign(1);
    let other = given.world.card(2);
    type Change<'a> = Box<dyn Fn(&mut ContactCard) + 'a>;
    let changes: [Change<'_>; 4] = [
        Box::new(|card| card.name = other.name.clone()),
        Box::new(|card| card.function = "teacher".parse().unwrap()),
        Box::new(|card| card.telephone = other.telephone.clone()),
        Box::new(|card| card.email = other.email.clone()),
    ];
    for change in &changes {
        let mut changed = card.clone();
        change(&mut changed.card);
        assert_eq!(given.read(&changed), Err(CardError::Misbound));
    }
}

#[test]
fn a_borrowed_card_is_refused() {
    let given = Given::new();
    // 1 passes the card of 2 on as its own, whatever it was given for.
    let of_another = given.sign(2);
    assert_eq!(given.read(&of_another), Err(CardError::OtherMember));
    let claimed = CardMessage { member: given.founder(1).0.clone(), ..of_another };
    assert_eq!(given.read(&claimed), Err(CardError::Misbound));
    // Where no name is known, a card that 2 gave to 1 is still bound to their mailboxes.
    let mut theirs = Given::new();
    theirs.pair.other = ExchangeSecret::from_bytes(Secret::new([8; 32])).public();
    assert_eq!(given.read_as(&theirs.sign(2), None), Err(CardError::Misbound));
    assert!(given.read_as(&given.sign(2), None).is_ok(), "who it is stands on the card");
    // The reader's own card comes back; a stranger's; a function that nobody agreed on.
    assert_eq!(given.read_as(&given.sign(0), None), Err(CardError::NotAMember));
    let stranger = CardMessage { member: "stranger".parse().unwrap(), ..given.sign(1) };
    assert_eq!(given.read_as(&stranger, None), Err(CardError::NotAMember));
    let mut card = given.world.card(1);
    card.function = "astrologer".parse().unwrap();
    let purpose = given.world.purpose();
    let signed =
        CardMessage::sign(card.clone(), given.place(), (7, given.issued), given.founder(1), &purpose);
    assert_eq!(signed, Err(CardError::Function));
    let mut lax = purpose;
    let functions = &mut lax.coordination.insert(crate::covenant::Coordination::default()).functions;
    functions.insert("astrologer".parse().unwrap());
    let signed = CardMessage::sign(card, given.place(), (7, given.issued), given.founder(1), &lax).unwrap();
    assert_eq!(given.read(&signed), Err(CardError::Function));
}

/// The design's bytes, written out: `"kring/card/v1" || network || epoch || purpose || match_id || both mailboxes || issued
/// || card`.
#[test]
fn a_signature_is_over_the_designs_bytes() {
    let given = Given::new();
    let card = given.sign(1);
    let field = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [length.as_slice(), bytes].concat()
    };
    let (low, high) = (given.pair.own.min(given.pair.other), given.pair.own.max(given.pair.other));
    let content = [
        field(card.card.name.as_str().as_bytes()),
        field(b"social-worker"),
        field(card.card.telephone.as_str().as_bytes()),
        field(card.card.email.as_str().as_bytes()),
    ]
    .concat();
    let signed = [
        field(b"kring/card/v1"),
        field(given.world.covenant.network().as_bytes()),
        field(&[0, 0, 0, 1]),
        field(b"jeugd"),
        field(&[5; 16]),
        field(low.as_bytes()),
        field(high.as_bytes()),
        field(&20_000_u32.to_be_bytes()),
        field(&content),
    ]
    .concat();
    let key = given.world.founders[1].key.verifying_key();
    assert_eq!(key.verify_bytes(&signed, &card.signature), Ok(()));
}

fn two_who_want() -> World {
    let mut world = World::around_one_family(2, Disclosure::NameAtOnce);
    for side in 0..2 {
        world.act(side, &Action::Respond(world.key(0, side), Response::Coordinate)).unwrap();
    }
    world
}

fn due(world: &World) -> [usize; 2] {
    [0, 1].map(|case| world.cases[case].cooperation.cards_due().len())
}

/// Both say what they have to say, and read it.
fn exchange(world: &mut World) {
    let from = world.posts();
    for (case, at) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        world.send(case, at, Fate::Arrives);
    }
    (from..world.posts()).for_each(|which| world.deliver(which));
}

#[test]
fn the_smaller_reference_sends_first_once_both_were_heard() {
    let mut world = two_who_want();
    let first = usize::from(world.cases[1].reference < world.cases[0].reference);
    assert_eq!(due(&world), [0; 2]);
    exchange(&mut world);
    assert_eq!(due(&world), [0; 2], "each has heard the other, and does not know that it was heard");
    exchange(&mut world);
    let mut expected = [0; 2];
    expected[first] = 1;
    assert_eq!(due(&world), expected, "only the first");
    world.send_cards(first);
    assert_eq!(due(&world), [0; 2], "it is on its way");
    exchange(&mut world);
    expected.swap(0, 1);
    assert_eq!(due(&world), expected, "now the other");
    world.send_cards(1 - first);
    exchange(&mut world);
    for side in 0..2 {
        let (view, index) = world.seen(0, side).unwrap();
        assert_eq!(view.matches[index].card, Some(&world.card(1 - side)));
        let arrived = Alert::Card(world.key(0, side));
        assert!(world.cases[side].told.alerts.contains(&arrived));
    }
}

#[test]
fn a_card_that_does_not_follow_within_a_day_is_flagged_on_both_sides() {
    let mut world = two_who_want();
    let first = usize::from(world.cases[1].reference < world.cases[0].reference);
    (0..3).for_each(|_| exchange(&mut world));
    world.send_cards(first);
    exchange(&mut world);
    exchange(&mut world);
    let flags = |world: &mut World| {
        (0..2).for_each(|case| world.tick(case));
        [first, 1 - first].map(|case| world.cases[case].told.flags.clone())
    };
    world.now = world.now.plus_secs(24 * 3_600);
    assert_eq!(flags(&mut world), [vec![], vec![]]);
    world.now = world.now.plus_secs(1);
    let late = |world: &World, case: usize, ours| vec![Flag::CardLate { key: world.key(0, case), ours }];
    let both = [late(&world, first, false), late(&world, 1 - first, true)];
    assert_eq!(flags(&mut world), both);
    world.now = world.now.plus_secs(1_000_000);
    assert_eq!(flags(&mut world), both, "once");
}

#[test]
fn a_card_goes_again_when_its_mailboxes_end_before_it_arrived_or_it_changes() {
    let mut world = two_who_want();
    let first = usize::from(world.cases[1].reference < world.cases[0].reference);
    (0..3).for_each(|_| exchange(&mut world));
    world.send_cards(first);
    world.renew(0, 0, 0);
    world.renew(0, 1, 0);
    world.find(0);
    world.run();
    for side in 0..2 {
        let card = world.seen(0, side).unwrap().0.matches[0].card.cloned();
        assert_eq!(card, Some(world.card(1 - side)), "signed anew for mailboxes that live");
    }
    world.act(1, &Action::ChangeCard).unwrap();
    world.cases[1].card = 7;
    world.run();
    assert_eq!(world.seen(0, 0).unwrap().0.matches[0].card, Some(&world.card(1)));
}

#[test]
fn no_card_after_a_change_of_mind() {
    let mut world = two_who_want();
    let first = usize::from(world.cases[1].reference < world.cases[0].reference);
    (0..3).for_each(|_| exchange(&mut world));
    assert_eq!(due(&world)[first], 1);
    let instead = Action::Respond(world.key(0, 1 - first), Response::AlreadyTogether);
    world.act(1 - first, &instead).unwrap();
    exchange(&mut world);
    assert_eq!(due(&world), [0; 2]);
    world.run();
    let said = world.cases.iter().flat_map(|case| case.matches.iter()).flat_map(|entry| &entry.said);
    assert!(!said.into_iter().any(|said| matches!(said.message.says, Says::Card(_))));
}

#[test]
fn a_card_goes_again_from_a_node_that_may_have_forgotten_a_change() {
    let mut world = two_who_want();
    world.run();
    world.back_up(0);
    world.act(0, &Action::ChangeCard).unwrap();
    world.cases[0].card = 7;
    world.restore(0);
    world.find(0);
    world.run();
    assert_eq!(world.seen(0, 1).unwrap().0.matches[0].card, Some(&world.card(0)));
}

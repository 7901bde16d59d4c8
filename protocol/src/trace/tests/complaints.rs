//! A founded complaint ends in a name; an unfounded one opens nothing.

use proptest::prelude::*;

use super::world::{Form, Passed, TODAY, World, id, subject_key};
use crate::codec::{decode, encode};
use crate::trace::*;

const BAD: [Form; 3] = [Form::Closed, Form::Nameless, Form::NameOfAnother];

/// p2 met what p5 left, in this form and by this relay.
fn case(world: &World, form: Form, passed: Passed) -> (SignedComplaint, [Disclosed; 2]) {
    let key = subject_key(7);
    let (own, other) = (world.leave("p2", 2, &key, Form::Good), world.leave("p5", 5, &key, form));
    let complaint = world.complaint(("p2", 2), &other, &world.scope(1, "jeugd"), &key);
    (complaint, [world.disclosed("p2", &own, Passed::Well), world.disclosed("p5", &other, passed)])
}

#[test]
fn a_founded_complaint_ends_in_the_senders_name() {
    let world = World::new();
    for form in BAD {
        let (complaint, records) = case(&world, form, Passed::Well);
        assert_eq!(complaint.verify(&world.covenant), Ok(()));
        assert_eq!(world.judge(&complaint, &records), Ok(Judged::Founded), "{form:?}");
        let (_, answer) = world.opened(&records[1]);
        let found = answer.check(&world.covenant);
        assert_eq!(found, Ok(Finding { sender: id("p5"), how: How::Signed }), "{form:?}");
        let violation = answer.false_ticket().unwrap();
        let evidence = Evidence { network: world.covenant.network(), violation };
        assert!(evidence.check(&world.covenant).is_err(), "the relay is innocent");
    }
}

#[test]
fn a_false_ticket_ends_in_the_relays_name() {
    let world = World::new();
    let by = |passed| {
        let (complaint, records) = case(&world, Form::Closed, passed);
        assert_eq!(world.judge(&complaint, &records), Ok(Judged::Founded));
        let (_, answer) = world.opened(&records[1]);
        (answer.check(&world.covenant).unwrap(), answer)
    };
    let relay = |how| Finding { sender: id("p3"), how };
    let (found, answer) = by(Passed::False);
    assert_eq!(found, relay(How::FalseTicket));
    let violation = answer.false_ticket().unwrap();
    let evidence = Evidence { network: world.covenant.network(), violation };
    assert_eq!(evidence.check(&world.covenant).unwrap().members, [id("p3")]);
    assert_eq!(by(Passed::NoTicket).0, relay(How::Unopenable(id("p1"))));
    assert_eq!(by(Passed::NoInner).0, relay(How::Unopenable(id("p0"))));
}

#[test]
fn a_hello_in_order_opens_nothing_whatever_the_complainant_says_of_it() {
    let world = World::new();
    let key = subject_key(7);
    let (own, other) = (world.leave("p2", 2, &key, Form::Good), world.leave("p5", 5, &key, Form::Good));
    let records = [world.disclosed("p2", &own, Passed::Well), world.disclosed("p5", &other, Passed::Well)];
    for scope in [world.scope(1, "jeugd"), world.scope(2, "jeugd"), world.scope(1, "other")] {
        let complaint = world.complaint(("p2", 2), &other, &scope, &key);
        assert_eq!(world.judge(&complaint, &records), Err(Refusal::Unfounded), "{scope:?}");
    }
    // Another key, of the complainant's own making.
    let complaint = world.complaint(("p2", 2), &other, &world.scope(1, "jeugd"), &subject_key(8));
    assert_eq!(world.judge(&complaint, &records), Err(Refusal::Unfounded));
    // A submission of another person's that p2 never had.
    let mine = world.leave("p2", 2, &subject_key(8), Form::Good);
    let records = [world.disclosed("p2", &mine, Passed::Well), records[1].clone()];
    for key in [subject_key(7), subject_key(8)] {
        let complaint = world.complaint(("p2", 2), &other, &world.scope(1, "jeugd"), &key);
        assert_eq!(world.judge(&complaint, &records), Err(Refusal::Unfounded));
    }
}

#[test]
fn a_hello_without_name_is_in_order_where_some_purpose_hides_names() {
    let world = World::with_hidden_names();
    let (complaint, records) = case(&world, Form::Nameless, Passed::Well);
    assert_eq!(world.judge(&complaint, &records), Err(Refusal::Unfounded));
    let (complaint, records) = case(&world, Form::Closed, Passed::Well);
    assert_eq!(world.judge(&complaint, &records), Ok(Judged::Founded));
}

#[test]
fn what_the_matcher_did_is_proven_against_it_and_nobody_is_opened() {
    let world = World::new();
    let proven = |complaint: &SignedComplaint, records: &[Disclosed; 2]| {
        let Ok(Judged::Proven(violation)) = world.judge(complaint, records) else { panic!() };
        let evidence = Evidence { network: world.covenant.network(), violation };
        let verdict = evidence.check(&world.covenant).unwrap();
        assert_eq!(verdict.members, [id("p14")]);
        verdict.kind
    };
    let key = subject_key(7);
    let (own, left) = (world.leave("p2", 2, &key, Form::Good), world.leave("p5", 5, &key, Form::Good));
    let mut posted = left.clone();
    posted.hello = world.leave("p5", 5, &key, Form::Closed).hello;
    let complaint = world.complaint(("p2", 2), &posted, &world.scope(1, "jeugd"), &key);
    let records = [world.disclosed("p2", &own, Passed::Well), world.disclosed("p5", &left, Passed::Well)];
    assert_eq!(proven(&complaint, &records), "misposted");
    let (complaint, records) = case(&world, Form::Closed, Passed::Never);
    assert_eq!(proven(&complaint, &records), "invented");
}

#[test]
fn only_who_met_it_can_complain_and_only_of_what_the_matcher_posted() {
    let world = World::new();
    let (complaint, records) = case(&world, Form::Closed, Passed::Well);
    // p4 has what p2 was posted, and p2's submission is not its own.
    let key = subject_key(7);
    let other = world.leave("p5", 5, &key, Form::Closed);
    let theirs = world.complaint(("p4", 4), &other, &world.scope(1, "jeugd"), &key);
    assert_eq!(theirs.verify(&world.covenant), Ok(()));
    assert_eq!(world.judge(&theirs, &records), Err(Refusal::Unreachable), "the records are of others");
    let mut stolen = complaint.clone();
    stolen.complaint.member = id("p4");
    stolen.by_member = world.key("p4").sign_bytes(&stolen.complaint.signed_bytes());
    assert_eq!(stolen.verify(&world.covenant), Ok(()));
    assert_eq!(
        stolen.key(&id("p1"), &World::trace_secret(1), &world.covenant),
        Err(Refusal::Signature),
        "the key was sealed for p2's complaint"
    );
    let again = |mut complaint: SignedComplaint| {
        let bytes = complaint.complaint.signed_bytes();
        complaint.by_member = world.key("p2").sign_bytes(&bytes);
        complaint.by_mailbox = World::withdraw(2).sign_bytes(&bytes);
        complaint.verify(&world.covenant)
    };
    assert_eq!(again(complaint.clone()), Ok(()));
    for change in [
        |it: &mut Complaint| it.met.expiry = it.met.expiry.plus(31),
        |it: &mut Complaint| it.mailbox = World::mailbox(77).public(),
    ] {
        let mut changed = complaint.clone();
        change(&mut changed.complaint);
        assert_eq!(again(changed), Err(Refusal::Signature));
    }
    let mut foreign = complaint.clone();
    foreign.complaint.purpose = "unknown".parse().unwrap();
    assert_eq!(again(foreign), Err(Refusal::Role));
    // Somebody else's withdraw key.
    let mut unowned = complaint;
    unowned.by_mailbox = World::withdraw(5).sign_bytes(&unowned.complaint.signed_bytes());
    assert_eq!(world.judge(&unowned, &records), Err(Refusal::Signature));
}

#[test]
fn one_complaint_however_often_it_is_made() {
    let world = World::new();
    let (complaint, _) = case(&world, Form::Closed, Passed::Well);
    let other = world.leave("p5", 5, &subject_key(7), Form::Closed);
    let later = world.complaint(("p2", 22), &other, &world.scope(1, "jeugd"), &subject_key(7));
    assert_eq!(complaint.complaint.id(), later.complaint.id(), "also by another mailbox of its own");
    let another = world.leave("p5", 6, &subject_key(7), Form::Closed);
    let another = world.complaint(("p2", 2), &another, &world.scope(1, "jeugd"), &subject_key(7));
    assert_ne!(complaint.complaint.id(), another.complaint.id());
}

#[test]
fn one_holder_alone_learns_nothing() {
    let world = World::new();
    let (_, [_, record]) = case(&world, Form::Closed, Passed::Well);
    let (network, ticket) = (world.covenant.network(), &record.kept.passed.ticket);
    let [first, second] = [0, 1].map(World::trace_secret);
    for holder in [id("p0"), id("p1")] {
        assert!(ticket.open_outer(&network, &holder, &first).is_err(), "the first has no outer key");
        let half = ticket.open_outer(&network, &id("p1"), &second).unwrap();
        assert!(half.open_inner(&network, &holder, &second).is_err(), "the second has no inner key");
    }
    // The first does not go on from a part that the second did not sign, or one that is made up.
    let (half, answer) = world.opened(&record);
    let why = World::why();
    let trial = Trial { covenant: &world.covenant, matcher: &id("p14"), kept: &record.kept, why: &why };
    let forged = Half { signature: answer.signatures[0], ..half.clone() };
    assert_eq!(trial.open(&forged, &first, world.key("p0")), Err(Refusal::Signature));
    let wrong = trial.half_open(&first, world.key("p1"), TODAY);
    assert_eq!(wrong.outer, None, "with another's key nothing opens");
    let other_why = Why::Complaint { member: id("p4"), id: ComplaintId::from_bytes([4; 16]) };
    let other = Trial { why: &other_why, ..trial };
    assert_eq!(
        other.open(&half, &first, world.key("p0")),
        Err(Refusal::Signature),
        "signed for another reason"
    );
    assert!(other.accept(&half, &answer).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nobody who kept the rules is opened, whatever is altered in what is shown against it.
    #[test]
    fn altered_complaints_and_records_open_nobody(place in any::<prop::sample::Index>(), bit in 0_u8..8, part in 0..3) {
        let world = World::new();
        let (complaint, records) = case(&world, Form::Good, Passed::Well);
        let flip = |mut bytes: Vec<u8>| {
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            bytes
        };
        let (mut complaint, [mut own, mut other]) = (Some(complaint), records.map(Some));
        match part {
            0 => complaint = complaint.and_then(|it| decode(&flip(encode(&it))).ok()),
            1 => own = own.and_then(|it| decode(&flip(encode(&Part(it)))).ok()).map(|Part(it)| it),
            _ => other = other.and_then(|it| decode(&flip(encode(&Part(it)))).ok()).map(|Part(it)| it),
        }
        if let (Some(complaint), Some(own), Some(other)) = (complaint, own, other) {
            let keys = [0, 1].map(|n| complaint.key(&id(&format!("p{n}")), &World::trace_secret(n), &world.covenant));
            for key in keys.into_iter().flatten() {
                let judged = complaint.judge([&own, &other], &key, &world.covenant, TODAY);
                prop_assert_ne!(judged, Ok(Judged::Founded));
            }
        }
    }

    /// A founded complaint stays founded or falls, and never names anyone but the sender or the relay.
    #[test]
    fn an_altered_answer_names_nobody_else(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = World::new();
        let (_, [_, record]) = case(&world, Form::Closed, Passed::Well);
        let (_, answer) = world.opened(&record);
        let mut bytes = encode(&answer);
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = decode::<Answer>(&bytes) {
            prop_assert!(altered.check(&world.covenant).is_err());
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Part(Disclosed);

impl Wire for Part {
    const MAX_LEN: usize = 2_048;
}

//! The bytes of every message and record of section 13, and their sizes.

use super::world::{Form, Passed, TODAY, World, subject_key};
use crate::board::Post;
use crate::codec::{Wire, decode, encode};
use crate::crypto::sha256;
use crate::id::MemberId;
use crate::trace::crowd::REPORT_MAX;
use crate::trace::message::{OpenComplaint, OpenCrowd};
use crate::trace::*;

fn whole<T: Wire + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    hex::encode(bytes)
}

/// Length and hash of what is too long to read.
fn long<T: Wire + PartialEq + std::fmt::Debug>(value: &T) -> String {
    let bytes = hex::decode(whole(value)).unwrap();
    format!("{} bytes, {}", bytes.len(), hex::encode(sha256(&bytes)))
}

fn crowd(world: &World) -> Crowd {
    let record =
        |seed: u8| world.disclosed("p5", &world.leave("p5", seed, &subject_key(7), Form::Good), Passed::Well);
    Crowd::sign((100..117).map(record).collect(), &world.destination(), TODAY, world.key("p14"))
}

#[test]
fn messages_and_records() {
    let world = World::new();
    let key = subject_key(7);
    let (own, other) = (world.leave("p2", 2, &key, Form::Good), world.leave("p5", 5, &key, Form::Closed));
    let complaint = world.complaint(("p2", 2), &other, &world.scope(1, "jeugd"), &key);
    let records = [world.disclosed("p2", &own, Passed::Well), world.disclosed("p5", &other, Passed::Well)];
    let (half, answer) = world.opened(&records[1]);
    let open = OpenComplaint { complaint: complaint.clone(), records: records.clone(), half };
    let crowd = crowd(&world);
    let halves = crowd.half_open(&world.covenant, &World::trace_secret(1), world.key("p1"), TODAY);
    let verdict = crowd.rule(&halves, &world.covenant, &World::trace_secret(0), world.key("p0")).unwrap();
    let ruling = crowd.accept(&verdict, &halves, &world.covenant, world.key("p1")).unwrap();
    let removal = ruling.verify(&world.destination(), &world.covenant).unwrap().removed[0].clone();
    let rule = OpenCrowd { crowd: crowd.clone(), halves };
    let found = [
        ("complaint id", complaint.complaint.id().to_string()),
        ("signed complaint", whole(&complaint)),
        ("answer", whole(&answer)),
        ("answer about a crowd", whole(&verdict.answers[0])),
        ("post removed", whole(&Post::Removed(Box::new(removal)))),
        ("request complain", whole(&Request::Complain(Box::new(complaint.clone())))),
        ("request kept", whole(&Request::Kept(Box::new(complaint)))),
        ("request open", whole(&Request::Open(Box::new(open)))),
        ("request crowd", long(&Request::Crowd(Box::new(crowd)))),
        ("request rule", long(&Request::Rule(Box::new(rule)))),
        ("response handled", whole(&Response::Handled)),
        ("response kept", whole(&Response::Kept(Box::new(records)))),
        ("response answer", whole(&Response::Answer(Box::new(answer)))),
        ("response verdict", long(&Response::Verdict(Box::new(verdict)))),
        ("response ruling", whole(&Response::Ruling(Box::new(ruling)))),
        ("response refused", whole(&Response::Refused(Refusal::TooMany))),
    ];
    let found: String = found.iter().map(|(name, bytes)| format!("{name}: {bytes}\n")).collect();
    assert_eq!(found, include_str!("golden.txt"), "\n{found}");
}

/// With the longest names, and as many as there may be.
#[test]
fn the_longest_messages_fit() {
    let world = World::new();
    let long: MemberId = "m".repeat(32).parse().unwrap();
    let key = subject_key(7);
    let other = world.leave("p5", 5, &key, Form::Closed);
    let mut complaint = world.complaint(("p2", 2), &other, &world.scope(1, "jeugd"), &key);
    complaint.complaint.matcher = long.clone();
    complaint.complaint.member = long.clone();
    complaint.complaint.purpose = "m".repeat(32).parse().unwrap();
    complaint.complaint.epoch = Epoch(u32::MAX);
    assert!(encode(&complaint.complaint).len() <= Complaint::MAX_LEN);
    assert!(encode(&complaint).len() <= SignedComplaint::MAX_LEN);
    let mut record = world.disclosed("p5", &other, Passed::Well);
    record.kept.relay = long.clone();
    let (half, mut answer) = world.opened(&record_of(&world));
    answer.why = Why::Crowd { id: opening::CrowdId::from_bytes([255; 16]), submissions: u32::MAX };
    assert!(encode(&answer.why).len() <= Why::MAX_LEN);
    answer.why = Why::Complaint { member: long.clone(), id: complaint.complaint.id() };
    assert!(encode(&answer.why).len() <= Why::MAX_LEN);
    answer.kept.relay = long.clone();
    answer.matcher = long.clone();
    assert!(encode(&answer).len() <= Answer::MAX_LEN);
    let mut crowd = crowd(&world);
    crowd.records = vec![record; REPORT_MAX];
    crowd.matcher = long;
    assert!(encode(&crowd).len() <= Crowd::MAX_LEN);
    let halves = vec![half; REPORT_MAX];
    let rule = Request::Rule(Box::new(OpenCrowd { crowd, halves }));
    assert!(encode(&rule).len() <= Request::MAX_LEN, "{}", encode(&rule).len());
    let mailboxes: Vec<_> = (0..=255).map(|seed| World::mailbox(seed).public()).collect();
    let by =
        HolderSignatures { removals: vec![answer.signatures[0]; REPORT_MAX], ruling: answer.signatures[0] };
    let verdict =
        crowd::Verdict { removed: mailboxes, answers: vec![answer; REPORT_MAX], cleared: Vec::new(), by };
    let verdict = Response::Verdict(Box::new(verdict));
    assert!(encode(&verdict).len() <= Response::MAX_LEN, "{}", encode(&verdict).len());
}

fn record_of(world: &World) -> Disclosed {
    world.disclosed("p5", &world.leave("p5", 5, &subject_key(7), Form::Closed), Passed::Well)
}

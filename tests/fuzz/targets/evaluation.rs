//! Asking members and key holders, driven by a list of operations on what is sent: whatever is lost, late, sent twice,
//! altered or forgotten, no number is answered for two requests, no budget is exceeded, no honest side is accused, and
//! what comes out for an input is always the same.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use curve25519_dalek::scalar::Scalar;
use kring_fuzz::{TODAY, id, operations, rng, seeds, signing};
use kring_protocol::codec::{Wire, decode, encode};
use kring_protocol::evaluation::{
    Acknowledgement, Announce, AnswerFault, Asker, Budget, Chain, Decision, Evaluate, Fraud, HeaderHash,
    KeySpec, NewRequest, Outcome, Outgoing, Party, Progress, PurposeTerms, Reason, Refused, Request,
    Response, SignedAnswer, SignedHeader, Terms, VerifiedHeader, answer,
};
use kring_protocol::id::{CovenantHash, Epoch, MemberId, NetworkId, PurposeId};
use kring_protocol::oprf::KeyShare;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::subject_key::SubjectKey;
use kring_protocol::time::Timestamp;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

/// Everyone; all but the first hold keys, the last two are matchers.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const BUDGET: Budget = Budget { per_day: 4, allowance: 3 };

#[derive(Debug, Arbitrary)]
enum Op {
    /// The asker begins a request of one to four inputs.
    Begin {
        first: u8,
        count: u8,
        preferred: u8,
    },
    /// One is begun, carried to its end and finished.
    Whole {
        first: u8,
        count: u8,
    },
    /// What it wants to send is on its way.
    Send,
    /// A request on its way arrives; the reply is on its way.
    Arrive(u8),
    /// As before, and the request arrives again later.
    ArriveTwice(u8),
    /// A reply on its way arrives, as it is, with a bit flipped, or from another holder.
    Reply {
        which: u8,
        change: Change,
    },
    /// A request or a reply is lost, and the asker told.
    Lose {
        which: u8,
        reply: bool,
    },
    /// Everything arrives, in order.
    Run,
    Overdue,
    Retry(u8),
    Finish,
    Abandon,
    /// The asker stops and starts with the last header that it has stored.
    Restart,
    /// It is put back to an older one, as from a backup, without asking the holders what they have.
    PutBack(u8),
    /// Time passes.
    Clock {
        minutes: u16,
    },
    /// From now on, or no more, a holder signs wrong answers.
    Lie(u8),
    /// The asker signs a header of its making and announces it to a holder.
    Forge {
        holder: u8,
        seq: i8,
        total: i8,
        count: u8,
        minutes: i16,
    },
}

#[derive(Debug, Arbitrary)]
enum Change {
    Nothing,
    Bit(u16),
    Sender(u8),
    /// A refusal names another highest number.
    Highest(i8),
}

#[derive(Default)]
struct Holder {
    shares: BTreeMap<MemberId, KeyShare>,
    chain: Option<Chain>,
    headers: BTreeMap<u64, SignedHeader>,
    stored: Option<SignedAnswer>,
    lies: bool,
    /// Whether it has ever lied: a wrong answer is stored and given again.
    lied: bool,
    /// Inputs of what it has answered.
    answered: u64,
}

/// What stays the same: terms, keys and shares.
struct Setting {
    terms: Arc<Terms>,
    purpose: PurposeId,
    signing: BTreeMap<MemberId, SigningKey>,
    shares: BTreeMap<MemberId, Vec<(MemberId, Secret<32>)>>,
}

static SETTING: LazyLock<Setting> = LazyLock::new(|| {
    let signing: BTreeMap<_, _> = (1..).zip(NAMES).map(|(seed, name)| (id(name), signing(seed))).collect();
    let party = |name: &str| Party {
        controller: name.to_owned(),
        operator: name.to_owned(),
        key: signing[&id(name)].verifying_key(),
        budget: BUDGET,
    };
    let mut shares = BTreeMap::new();
    let keys = ["d", "e"].map(|matcher| make_key(&id(matcher), &mut shares)).to_vec();
    let purpose: PurposeId = "safety".parse().unwrap();
    let terms = Terms {
        network: NetworkId::from_bytes([1; 32]),
        covenant: CovenantHash::from_bytes([2; 32]),
        epoch: Epoch(3),
        parties: NAMES.map(|name| (id(name), party(name))).into(),
        key_holders: NAMES[1..].iter().map(|name| id(name)).collect(),
        purposes: [(purpose.clone(), PurposeTerms { members: NAMES.map(id).into(), keys })].into(),
    };
    Setting { terms: Arc::new(terms), purpose, signing, shares }
});

/// Shamir's sharing over all key holders but the matcher.
fn make_key(matcher: &MemberId, shares: &mut BTreeMap<MemberId, Vec<(MemberId, Secret<32>)>>) -> KeySpec {
    let holders: Vec<MemberId> =
        NAMES[1..].iter().map(|name| id(name)).filter(|name| name != matcher).collect();
    let threshold = holders.len() / 2 + 1;
    let mut rng = rng(matcher.as_bytes()[0].into());
    let coefficients: Vec<Scalar> = (0..threshold).map(|_| Scalar::random(&mut rng)).collect();
    let mut public = Vec::new();
    for (x, holder) in (1_u64..).map(Scalar::from).zip(&holders) {
        let value = coefficients.iter().rev().fold(Scalar::ZERO, |sum, term| sum * x + term);
        let share = Secret::new(value.to_bytes());
        public.push(*KeyShare::from_bytes(&share).unwrap().public());
        shares.entry(holder.clone()).or_default().push((matcher.clone(), share));
    }
    KeySpec { matcher: matcher.clone(), threshold: u16::try_from(threshold).unwrap(), holders, public }
}

struct World {
    asker: Asker,
    /// Every header the asker has ever signed, in the order of its store.
    headers: Vec<SignedHeader>,
    holders: BTreeMap<MemberId, Holder>,
    requests: Vec<(MemberId, Request)>,
    replies: Vec<(MemberId, Response)>,
    now: Timestamp,
    draws: u64,
    /// Whether the asker has been put back, and so may sign a number twice.
    forked: bool,
    inputs: Vec<Vec<u8>>,
    /// Why holders refused of late.
    reasons: BTreeSet<String>,
    /// Which header was answered with each number, by anyone.
    answered: BTreeMap<u64, HeaderHash>,
    /// What came out for each input.
    results: BTreeMap<(Vec<u8>, MemberId), SubjectKey>,
}

fn me() -> MemberId {
    id("a")
}

fn through_bytes<T: Wire>(message: &T) -> T {
    decode(&encode(message)).expect("what is sent can be read")
}

impl World {
    fn new() -> Self {
        let holder = |name: &str| {
            let shares = SETTING.shares[&id(name)].iter();
            let shares = shares.map(|(key, share)| (key.clone(), KeyShare::from_bytes(share).unwrap()));
            (id(name), Holder { shares: shares.collect(), ..Holder::default() })
        };
        Self {
            asker: Asker::new(me(), None),
            headers: Vec::new(),
            holders: NAMES[1..].iter().map(|name| holder(name)).collect(),
            requests: Vec::new(),
            replies: Vec::new(),
            now: TODAY.start().plus_secs(43_200),
            draws: 0,
            forked: false,
            inputs: Vec::new(),
            reasons: BTreeSet::new(),
            answered: BTreeMap::new(),
            results: BTreeMap::new(),
        }
    }

    fn begin(&mut self, first: u8, count: u8, preferred: u8) {
        self.draws += 1;
        let inputs: Vec<Vec<u8>> = (0..=count % 4).map(|number| vec![1 + (first % 4 + number) % 6]).collect();
        let preferred = [id(NAMES[1 + usize::from(preferred) % 4])];
        let request = NewRequest {
            terms: &SETTING.terms,
            purpose: &SETTING.purpose,
            inputs: &inputs,
            preferred: &preferred,
        };
        let begun = self.asker.begin(request, &SETTING.signing[&me()], self.now, &mut rng(self.draws));
        if let Ok(header) = begun {
            let header = through_bytes(header);
            self.headers.retain(|known| known.header.seq < header.header.seq);
            self.headers.push(header);
            self.inputs = inputs;
        }
    }

    fn send(&mut self) {
        for (holder, outgoing) in self.asker.outgoing() {
            let request = match outgoing {
                Outgoing::Announce(range) => {
                    let announced = |header: &&SignedHeader| range.contains(&header.header.seq);
                    let headers = self.headers.iter().filter(announced).cloned().collect();
                    Request::Announce(Announce { headers })
                }
                Outgoing::Evaluate => Request::Evaluate(self.asker.evaluate_message().unwrap()),
            };
            self.requests.push((holder, request));
        }
    }

    fn arrive(&mut self, which: u8, twice: bool) {
        if self.requests.is_empty() {
            return;
        }
        let place = usize::from(which) % self.requests.len();
        let (name, request) = if twice { self.requests[place].clone() } else { self.requests.remove(place) };
        let response = match through_bytes(&request) {
            Request::Announce(announce) => self.announce(&name, &announce),
            Request::Evaluate(evaluate) => self.evaluate(&name, &evaluate),
            other => panic!("{other:?}"),
        };
        self.replies.push((name, through_bytes(&response)));
    }

    fn announce(&mut self, name: &MemberId, announce: &Announce) -> Response {
        let key = SETTING.signing[&me()].verifying_key();
        let verified = announce.headers.iter().map(|header| header.clone().verify(&key));
        let verified: Result<Vec<VerifiedHeader>, _> = verified.collect();
        let holder = self.holders.get_mut(name).unwrap();
        let chain = holder.chain.get_or_insert_with(|| Chain::new(me()));
        let Ok(verified) = verified else { return refused(Reason::Malformed, chain) };
        let entered =
            chain.enter(&verified, |seq| holder.headers.get(&seq).cloned(), &SETTING.terms, self.now);
        for header in entered.new {
            assert!(holder.headers.insert(header.header.seq, header).is_none(), "entered once");
        }
        *chain = through_bytes(&entered.chain);
        match entered.outcome {
            Outcome::Acknowledge(hash) => {
                Response::Acknowledged(Acknowledgement::sign(name.clone(), hash, &SETTING.signing[name]))
            }
            Outcome::Refuse(reason) => refused(reason, chain),
            Outcome::Fraud(fraud) => {
                let fraud: Fraud = through_bytes(&*fraud);
                assert!(self.forked && fraud.proves(&key), "only who signed a number twice is accused");
                refused(Reason::UsedNumber, chain)
            }
        }
    }

    fn evaluate(&mut self, name: &MemberId, evaluate: &Evaluate) -> Response {
        let holder = self.holders.get_mut(name).unwrap();
        let Some(chain) = &mut holder.chain else { return refused(Reason::NotEntered, &Chain::new(me())) };
        match chain.decide(evaluate, &SETTING.terms, name, self.now) {
            Decision::Refuse(reason) => refused(reason, chain),
            Decision::Stored => Response::Answered(holder.stored.clone().expect("stored with the chain")),
            Decision::Answer { chain: next, elements, keys, .. } => {
                let place = |place: usize| if holder.lies { (place + 1) % keys.len() } else { place };
                let share = |index: usize| &holder.shares[&keys[place(index)].matcher];
                let shares: Vec<_> =
                    keys.iter().enumerate().map(|(index, key)| (&key.matcher, share(index))).collect();
                let signing = &SETTING.signing[name];
                let answer = answer(name.clone(), signing, evaluate.header, &elements, &shares, &mut rng(9));
                let header = &next.last().unwrap().header;
                assert_eq!(header.hash(), evaluate.header);
                let seq = self.answered.entry(header.seq).or_insert(evaluate.header);
                assert_eq!(*seq, evaluate.header, "two requests with one number were answered");
                holder.answered += u64::from(header.count);
                let days = u64::from(self.now.day().days() - TODAY.days()) + 1;
                assert!(holder.answered <= days * BUDGET.per_day + BUDGET.allowance, "more than the budget");
                holder.stored = Some(through_bytes(&answer));
                *chain = through_bytes(&*next);
                Response::Answered(answer)
            }
        }
    }

    fn reply(&mut self, which: u8, change: &Change) {
        if self.replies.is_empty() {
            return;
        }
        let (mut holder, mut response) = self.replies.remove(usize::from(which) % self.replies.len());
        match change {
            Change::Nothing => {}
            Change::Bit(bit) => {
                let mut bytes = encode(&response);
                let place = usize::from(*bit) % (bytes.len() * 8);
                bytes[place / 8] ^= 1 << (place % 8);
                let Ok(altered) = decode(&bytes) else { return self.asker.failed(&holder) };
                response = altered;
            }
            Change::Sender(other) => {
                self.asker.failed(&holder);
                holder = id(NAMES[1 + usize::from(*other) % 4]);
            }
            Change::Highest(seq) => {
                if let Response::Refused(Refused { highest: Some(highest), .. }) = &mut response {
                    highest.header.seq = i64::from(*seq).cast_unsigned();
                }
            }
        }
        match response {
            Response::Acknowledged(given) => self.asker.acknowledged(&holder, given),
            Response::Refused(refused) => {
                self.reasons.insert(format!("{:?}", refused.reason));
                self.asker.refused(&holder, &refused);
            }
            Response::Answered(answer) => match self.asker.answered(&holder, answer) {
                Ok(()) | Err(AnswerFault::NotAnAnswer) => {}
                Err(AnswerFault::Wrong(culprit)) => {
                    assert!(culprit.proves(&SETTING.terms));
                    assert!(self.holders[&holder].lied, "an honest holder is accused");
                }
            },
            _ => self.asker.failed(&holder),
        }
    }

    fn lose(&mut self, which: u8, reply: bool) {
        let place = usize::from(which);
        let lost = match (reply, self.requests.len(), self.replies.len()) {
            (false, 1.., _) => self.requests.remove(place % self.requests.len()).0,
            (true, _, 1..) => self.replies.remove(place % self.replies.len()).0,
            _ => return,
        };
        self.asker.failed(&lost);
    }

    /// Everything arrives until nothing is to be sent.
    fn run(&mut self) {
        for _ in 0..40 {
            self.send();
            if self.requests.is_empty() && self.replies.is_empty() {
                return;
            }
            while !self.requests.is_empty() {
                self.arrive(0, false);
            }
            while !self.replies.is_empty() {
                self.reply(0, &Change::Nothing);
            }
        }
        panic!("it does not come to an end");
    }

    fn finish(&mut self) {
        let complete = self.asker.progress() == Progress::Complete;
        let finished = self.asker.finish();
        assert_eq!(finished.is_ok(), complete);
        for result in finished.unwrap_or_default() {
            assert_eq!(result.subject_keys.len(), self.inputs.len());
            for (input, key) in self.inputs.iter().zip(result.subject_keys) {
                let known =
                    self.results.entry((input.clone(), result.matcher.clone())).or_insert(key.clone());
                assert_eq!(*known, key, "an input has one subject key");
            }
        }
    }

    fn start_from(&mut self, count: usize) {
        self.headers.truncate(count);
        let last = self.headers.last().cloned().map(VerifiedHeader::trusted);
        self.asker = Asker::new(me(), last);
        // What was on its way may still arrive.
        self.replies.clear();
    }

    /// With all holders up, honest and asked again, an honest asker gets its answer while budget and clock allow.
    fn settle(&mut self) {
        if self.forked || self.asker.progress() == Progress::Idle {
            return;
        }
        self.holders.values_mut().for_each(|holder| holder.lies = false);
        self.run();
        self.reasons.clear();
        NAMES[1..].iter().for_each(|name| self.asker.retry(&id(name)));
        self.run();
        let allowed = ["Budget", "Clock"].iter().any(|reason| self.reasons.contains(*reason));
        let wronged = self.holders.values().any(|holder| holder.lied);
        let progress = self.asker.progress();
        assert!(
            progress == Progress::Complete || allowed || wronged,
            "{progress:?}, refused: {:?}",
            self.reasons
        );
    }

    /// A header that the asker signs whatever it says, announced to one holder.
    fn forge(&mut self, holder: u8, (seq, total): (i8, i8), count: u8, minutes: i16) {
        let Some(last) = self.headers.last() else { return };
        self.forked = true;
        let mut header = last.header.clone();
        header.seq = header.seq.wrapping_add_signed(seq.into());
        header.total = header.total.wrapping_add_signed(total.into());
        header.count = count.into();
        header.prev = last.header.hash();
        let secs = header.time.secs().wrapping_add_signed(60 * i64::from(minutes));
        header.time = Timestamp::from_secs(secs);
        let header = header.sign(&SETTING.signing[&me()]).signed().clone();
        let announce = Announce { headers: vec![header] };
        self.requests.push((id(NAMES[1 + usize::from(holder) % 4]), Request::Announce(announce)));
    }
}

fn refused(reason: Reason, chain: &Chain) -> Response {
    Response::Refused(Refused { reason, highest: chain.last().cloned() })
}

fn run(ops: &[Op]) {
    let mut world = World::new();
    for op in ops.iter().take(60) {
        match *op {
            Op::Begin { first, count, preferred } => world.begin(first, count, preferred),
            Op::Whole { first, count } => {
                world.begin(first, count, 0);
                world.run();
                world.finish();
                world.asker.abandon();
            }
            Op::Send => world.send(),
            Op::Arrive(which) => world.arrive(which, false),
            Op::ArriveTwice(which) => world.arrive(which, true),
            Op::Reply { which, ref change } => world.reply(which, change),
            Op::Lose { which, reply } => world.lose(which, reply),
            Op::Run => world.run(),
            Op::Overdue => world.asker.overdue(),
            Op::Retry(holder) => world.asker.retry(&id(NAMES[1 + usize::from(holder) % 4])),
            Op::Finish => world.finish(),
            Op::Abandon => world.asker.abandon(),
            Op::Restart => world.start_from(world.headers.len()),
            Op::PutBack(count) => {
                let count = usize::from(count) % (world.headers.len() + 1);
                world.forked |= count < world.headers.len();
                world.start_from(count);
            }
            Op::Forge { holder, seq, total, count, minutes } => {
                world.forge(holder, (seq, total), count, minutes);
            }
            Op::Clock { minutes } => world.now = world.now.plus_secs(60 * u64::from(minutes)),
            Op::Lie(holder) => {
                let holder = world.holders.get_mut(&id(NAMES[1 + usize::from(holder) % 4])).unwrap();
                holder.lies = !holder.lies;
                holder.lied = true;
            }
        }
    }
    world.settle();
    world.finish();
}

fuzz_target!(init: seeds(operations), |ops: Vec<Op>| run(&ops));

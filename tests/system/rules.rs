//! Members with changed software against honest nodes: what they are refused, and that they are told why.
//!
//! `f` is a key holder and a matcher whose own node is stopped; this test speaks for it, with its keys.

use kring_node::clock::Clock;
use kring_node::network::{Family, Network, RequestError};
use kring_protocol::codec::{self, Bytes};
use kring_protocol::crypto::sha256;
use kring_protocol::evaluation::{
    Acknowledgement, Announce, Evaluate, Header, HeaderHash, Reason, Refused, Request, Response,
    SignedAnswer, SignedHeader, VerifiedHeader,
};
use kring_protocol::id::{CovenantHash, Epoch, MemberId};
use kring_protocol::oprf::blind;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::time::Timestamp;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::impostor::Member;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, Hand};
use kring_tests::wait::within_time;
use rand::rngs::OsRng;

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// Key holders whose word counts for `f`'s headers: all others. A majority of them is three.
const WITNESSES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// What `f` may ask on a day in this covenant.
const BUDGET: u32 = 300;

/// A network in which `f` is no part of the second purpose and may ask little.
fn network(place: &Place) -> Founded {
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| {
        let (before, second) = draft.split_once("id = \"second\"").unwrap();
        let second = second.replacen(r#", "f"]"#, "]", 2);
        let (before_budget, budget) = second.split_once("member = \"f\"").unwrap();
        let (_, after) = budget.split_once("allowance").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        format!(
            "{before}id = \"second\"{before_budget}member = \"f\"\nper_day = {BUDGET}\nallowance = 0\n{after}"
        )
    });
    founded.start(&MEMBERS);
    founded
}

/// A member whose software does what the test says.
struct Hostile {
    network: Network,
    member: Member,
    /// Its honest headers so far.
    last: Option<VerifiedHeader>,
}

impl Hostile {
    async fn new(founded: &Founded) -> Self {
        let member = Member::of(&founded.node("f"));
        Self { network: member.connect().await, member, last: None }
    }

    /// The header that comes next, as an honest member would make it.
    fn header(&self, elements: &[u8]) -> Header {
        let last = self.last.as_ref();
        let count = u32::try_from(elements.len() / 32).unwrap();
        Header {
            network: self.member.covenant().network(),
            covenant: self.member.covenant().hash(),
            epoch: self.epoch(),
            purpose: "first".parse().unwrap(),
            member: id("f"),
            seq: last.map_or(0, |last| last.header().seq) + 1,
            total: last.map_or(0, |last| last.header().total) + u64::from(count),
            time: Clock.now(),
            count,
            elements: sha256(elements),
            keys: ["c", "d", "e"].map(id).to_vec(),
            prev: last.map_or(HeaderHash::NONE, VerifiedHeader::hash),
        }
    }

    fn epoch(&self) -> Epoch {
        self.member.covenant().epochs_on(Clock.now().day())[0]
    }

    async fn ask(&self, holder: &str, request: &Request) -> Response {
        let answered = self.network.request(&id(holder), Family::Evaluate, codec::encode(request)).await;
        codec::decode(&answered.unwrap()).unwrap()
    }

    async fn announce_to(&self, holder: &str, header: &SignedHeader) -> Response {
        self.ask(holder, &Request::Announce(Announce { headers: vec![header.clone()] })).await
    }

    /// Enters a header everywhere: the acknowledgements.
    async fn announce(&mut self, header: Header) -> (HeaderHash, Vec<Acknowledgement>) {
        let header = header.sign(&self.member.signing_key());
        let mut given = Vec::new();
        for holder in WITNESSES {
            match self.announce_to(holder, header.signed()).await {
                Response::Acknowledged(acknowledgement) => given.push(acknowledgement),
                other => panic!("{holder}: {other:?}"),
            }
        }
        let hash = header.hash();
        self.last = Some(header);
        (hash, given)
    }

    async fn evaluate(&self, header: HeaderHash, given: &[Acknowledgement], elements: &[u8]) -> Response {
        self.evaluate_at("a", header, given, elements).await
    }

    async fn evaluate_at(
        &self,
        holder: &str,
        header: HeaderHash,
        given: &[Acknowledgement],
        elements: &[u8],
    ) -> Response {
        let (acknowledgements, elements) = (given.to_vec(), Bytes(elements.to_vec()));
        let request = Evaluate { epoch: self.epoch(), header, acknowledgements, elements };
        self.ask(holder, &Request::Evaluate(request)).await
    }

    /// Announces a changed header for `elements` and has them evaluated.
    async fn attempt(&mut self, elements: &[u8], change: impl FnOnce(&mut Header)) -> Response {
        let mut header = self.header(elements);
        change(&mut header);
        let (hash, given) = self.announce(header).await;
        self.evaluate(hash, &given, elements).await
    }
}

fn id(member: &str) -> MemberId {
    member.parse().unwrap()
}

fn elements(count: usize) -> Vec<u8> {
    let inputs: Vec<_> = (0..count).map(|input| format!("input {input}").into_bytes()).collect();
    blind(&inputs, &mut OsRng).unwrap().1.to_bytes()
}

#[track_caller]
fn refused(response: Response, expected: Reason) {
    match response {
        Response::Refused(Refused { reason, .. }) => assert_eq!(reason, expected),
        other => panic!("{expected:?} expected, got {other:?}"),
    }
}

#[track_caller]
fn answered(response: Response) -> SignedAnswer {
    match response {
        Response::Answered(answer) => answer,
        other => panic!("an answer expected, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_let_in() {
    let place = Place::new();
    let mut founded = network(&place);
    founded.kill("f");
    let member = Member::of(&founded.node("f"));
    let a = founded.node("a");
    let received = || a.metric("kring_network_requests_received_total").unwrap();
    let strangers = || a.metric("kring_network_strangers_refused_total").unwrap();
    let before = strangers();
    let stranger = member.connect_with(&Secret::random(&mut OsRng)).await;
    let epoch = member.covenant().epochs_on(Clock.now().day())[0];
    let question = codec::encode(&Request::Head { epoch, member: id("f") });
    let answer = stranger.request(&id("a"), Family::Evaluate, question.clone()).await;
    assert!(matches!(answer, Err(RequestError::Unreachable(_) | RequestError::Closed(_))), "{answer:?}");
    let counted = within_time(std::time::Duration::from_secs(5), || (strangers() > before).then_some(()));
    assert_eq!(counted, Some(()), "the node counts who is not let in");
    stranger.shutdown().await;
    // The same question by the member itself is answered: it was the key that was refused.
    let hostile = Hostile::new(&founded).await;
    let before = received();
    let answer = hostile.network.request(&id("a"), Family::Evaluate, question).await.unwrap();
    assert!(matches!(codec::decode(&answer), Ok(Response::Head(None))));
    assert!(received() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_may_not_ask_is_refused_by_its_reason() {
    let place = Place::new();
    let mut founded = network(&place);
    founded.kill("f");
    let mut f = Hostile::new(&founded).await;
    let one = elements(1);

    refused(f.attempt(&one, |header| header.purpose = "second".parse().unwrap()).await, Reason::Purpose);
    refused(f.attempt(&one, |header| header.purpose = "third".parse().unwrap()).await, Reason::Purpose);
    refused(f.attempt(&one, |header| header.keys.push(id("f"))).await, Reason::OwnMatcher);
    refused(f.attempt(&one, |header| header.keys.truncate(2)).await, Reason::Keys);
    refused(f.attempt(&one, |header| header.keys = vec![id("a")]).await, Reason::Keys);
    let other = CovenantHash::from_bytes([7; 32]);
    refused(f.attempt(&one, |header| header.covenant = other).await, Reason::Covenant);
    let past = Timestamp::from_secs(Clock.now().secs() - 700);
    refused(f.attempt(&one, |header| header.time = past).await, Reason::Clock);

    refused(f.attempt(&[0; 32], |_| {}).await, Reason::Elements); // the identity
    refused(f.attempt(&[0xff; 32], |_| {}).await, Reason::Elements); // not canonical
    let among_good = [&one[..], &[0; 32]].concat();
    refused(f.attempt(&among_good, |_| {}).await, Reason::Elements);
    let (hash, given) = f.announce(f.header(&one)).await;
    refused(f.evaluate(hash, &given, &elements(1)).await, Reason::Elements); // not those of the header

    let (hash, given) = f.announce(f.header(&one)).await;
    refused(f.evaluate(hash, &given[..2], &one).await, Reason::Acknowledgements);
    let twice = [given[0].clone(), given[1].clone(), given[1].clone()];
    refused(f.evaluate(hash, &twice, &one).await, Reason::Acknowledgements);
    let own = Acknowledgement::sign(id("f"), hash, &f.member.signing_key());
    let with_own = [given[0].clone(), given[1].clone(), own];
    refused(f.evaluate(hash, &with_own, &one).await, Reason::Acknowledgements);
    let forged = Acknowledgement::sign(id("c"), hash, &f.member.signing_key());
    let with_forged = [given[0].clone(), given[1].clone(), forged];
    refused(f.evaluate(hash, &with_forged, &one).await, Reason::Acknowledgements);
    // Three are a majority of five, and nothing else was wrong.
    let first = answered(f.evaluate(hash, &given[..3], &one).await);
    assert_eq!(
        answered(f.evaluate(hash, &given, &one).await),
        first,
        "the same header again: the same answer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_not_forked_skipped_or_spoken_for() {
    let place = Place::new();
    let mut founded = network(&place);
    founded.kill("f");
    let mut f = Hostile::new(&founded).await;
    let one = elements(1);
    let sign = |f: &Hostile, change: &dyn Fn(&mut Header)| {
        let mut header = f.header(&one);
        change(&mut header);
        header.sign(&f.member.signing_key())
    };

    refused(f.announce_to("a", sign(&f, &|header| header.seq = 2).signed()).await, Reason::Gap);
    refused(f.announce_to("a", sign(&f, &|header| header.total = 2).signed()).await, Reason::DoesNotContinue);
    refused(
        f.announce_to("a", sign(&f, &|header| header.member = id("b")).signed()).await,
        Reason::OtherChain,
    );
    let foreign = f.header(&one).sign(&SigningKey::from_seed(&Secret::new([9; 32])));
    refused(f.announce_to("a", foreign.signed()).await, Reason::Malformed);
    refused(f.evaluate(sign(&f, &|_| {}).hash(), &[], &one).await, Reason::NotEntered);

    let before = f.header(&one);
    let (hash, given) = f.announce(before.clone()).await;
    let answer = answered(f.evaluate(hash, &given, &one).await);
    // The same number again, for other elements.
    let fork = Header { elements: sha256(&elements(1)), ..before }.sign(&f.member.signing_key());
    refused(f.announce_to("a", fork.signed()).await, Reason::UsedNumber);
    refused(f.evaluate(fork.hash(), &given, &one).await, Reason::NotEntered);
    assert_eq!(
        answered(f.evaluate(hash, &given, &one).await),
        answer,
        "who forks is still judged by its own chain"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_spent_once_wherever_one_asks() {
    let place = Place::new();
    let mut founded = network(&place);
    founded.kill("f");
    let mut f = Hostile::new(&founded).await;
    let most = elements(256);
    let (hash, given) = f.announce(f.header(&most)).await;
    answered(f.evaluate(hash, &given, &most).await);
    let rest = elements(BUDGET as usize - 256 + 1);
    refused(f.attempt(&rest, |_| {}).await, Reason::Budget);
    answered(f.attempt(&rest[32..], |_| {}).await);
    refused(f.attempt(&rest[..32], |_| {}).await, Reason::Budget);
    let asked_elsewhere = f.header(&rest[..32]);
    let (hash, given) = f.announce(asked_elsewhere).await;
    let request = Evaluate {
        epoch: f.epoch(),
        header: hash,
        acknowledgements: given,
        elements: Bytes(rest[..32].to_vec()),
    };
    refused(f.ask("b", &Request::Evaluate(request)).await, Reason::Budget);
}

/// c's controller stands behind f too. f may not ask under c's key, and c's word does not count for it.
#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_controller_with_a_matcher_is_its_relation() {
    let place = Place::new();
    let related = [("f", "c")];
    let mut founded =
        Founded::with_controllers(place.path(), &MEMBERS, &["c", "d", "e"], &related, |draft| draft);
    founded.start(&MEMBERS);
    founded.kill("f");
    let mut f = Hostile::new(&founded).await;
    let one = elements(1);
    refused(f.attempt(&one, |_| {}).await, Reason::OwnMatcher);
    let mut header = f.header(&one);
    header.keys = ["d", "e"].map(id).to_vec();
    let (hash, given) = f.announce(header).await;
    let [a, b, c, d, e] = given.try_into().unwrap();
    let with_its_own = [a.clone(), b.clone(), c];
    refused(f.evaluate(hash, &with_its_own, &one).await, Reason::Acknowledgements);
    // Everybody else's word does, and the others' keys are asked as ever.
    answered(f.evaluate(hash, &[a, b, d, e], &one).await);
}

/// f is a key holder itself. It signs two requests with one number, over keys of two purposes, and shows each to holders
/// that did not see the other. At most one of them is answered.
#[tokio::test(flavor = "multi_thread")]
async fn holders_that_saw_different_requests_do_not_both_make_a_majority() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    founded.start(&MEMBERS);
    founded.kill("f");
    let f = Hostile::new(&founded).await;
    let (one, other) = (elements(1), elements(2));
    let key = f.member.signing_key();
    let first = f.header(&one).sign(&key);
    let second = Header { purpose: "second".parse().unwrap(), ..f.header(&other) }.sign(&key);
    let mut given = [Vec::new(), Vec::new()];
    for (holder, header, given_at) in
        [("a", &first, 0), ("b", &first, 0), ("c", &second, 1), ("d", &second, 1), ("e", &second, 1)]
    {
        let Response::Acknowledged(word) = f.announce_to(holder, header.signed()).await else { panic!() };
        given[given_at].push(word);
    }
    // Two and its own: no majority of the other holders. What was said of the other request does not help.
    given[0].push(Acknowledgement::sign(id("f"), first.hash(), &key));
    refused(f.evaluate_at("a", first.hash(), &given[0], &one).await, Reason::Acknowledgements);
    let borrowed = [&given[0][..2], &given[1][..1]].concat();
    refused(f.evaluate_at("a", first.hash(), &borrowed, &one).await, Reason::Acknowledgements);
    refused(f.announce_to("c", first.signed()).await, Reason::UsedNumber);
    // The other three are a majority, and have seen the second one alone.
    answered(f.evaluate_at("c", second.hash(), &given[1], &other).await);
    refused(f.evaluate_at("a", second.hash(), &given[1], &other).await, Reason::NotEntered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_epoch_is_not_evaluated_for_any_more() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
    let mut hand = Hand::new(place.path(), Clock.now());
    let clock = hand.file().to_string_lossy().into_owned();
    MEMBERS.iter().for_each(|member| founded.start_changed(member, &[(CLOCK, &clock)]));
    until_ready(&MEMBERS.map(|member| founded.node(member)));
    founded.kill("f");
    let mut f = Hostile::new(&founded).await;
    let one = elements(1);
    answered(f.attempt(&one, |_| {}).await);
    // The shares are destroyed at the latest an hour after the epoch's end, and at a start.
    hand.set(hand.now().plus_secs(190 * 86_400));
    founded.stop("a");
    founded.start_changed("a", &[(CLOCK, &clock)]);
    let header = Header { time: hand.now(), ..f.header(&one) }.sign(&f.member.signing_key());
    let announce = codec::encode(&Request::Announce(Announce { headers: vec![header.signed().clone()] }));
    let answer = loop {
        match f.network.request(&id("a"), Family::Evaluate, announce.clone()).await {
            Ok(answer) => break codec::decode(&answer).unwrap(),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    refused(answer, Reason::Stranger);
    refused(f.evaluate(header.hash(), &[], &one).await, Reason::Stranger);
}

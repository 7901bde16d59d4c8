//! What leaves a node to people and systems of the partner, on real nodes, received by other people's software: server-sent
//! events, webhooks and mail.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use kring_node::clock::Clock;
use kring_protocol::calendar::{local_day, working_days_after};
use kring_protocol::time::Timestamp;
use kring_tests::canary::{CONTACT, REASON, REFERENCE, canaries, family};
use kring_tests::caseload::signal;
use kring_tests::demo::until_ready;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::receivers::Receivers;
use kring_tests::scan::Scanner;
use kring_tests::simulated::{CLOCK, Hand};
use kring_tests::wait::until;
use serde_json::{Value, json};

use crate::signals::matches;

/// Names that are found nowhere else: of partners, and of members in the covenant.
const MEMBERS: [&str; 6] =
    ["spechtenhuis", "reigerstein", "lepelaarshof", "grutto-school", "kievit-zorg", "wulp-jeugd"];
const OWN: &str = MEMBERS[0];
const OTHER: &str = MEMBERS[1];
const SOON: Duration = Duration::from_secs(60);

struct Scene {
    founded: Founded,
    hand: Hand,
    receivers: Receivers,
    ours: Node,
    theirs: Node,
}

impl Scene {
    /// A network on a clock of the test's, at noon of a working day with ten more to come.
    fn start(place: &Place) -> Option<Self> {
        let founded = Founded::new(place.path(), &MEMBERS, &MEMBERS[3..], |draft| draft);
        let today = working_days_after(local_day(Clock.now()), 1);
        let hand = Hand::new(place.path(), noon(today));
        let receivers = Receivers::start(&place.dir("receivers"), hand.file())?;
        receivers.configure(&place.path().join(OWN));
        let (ours, theirs) = (founded.node(OWN), founded.node(OTHER));
        let mut scene = Self { founded, hand, receivers, ours, theirs };
        MEMBERS.iter().for_each(|member| scene.start_node(member));
        until_ready(&MEMBERS.map(|member| scene.founded.node(member)));
        Some(scene)
    }

    fn start_node(&mut self, member: &str) {
        let clock = self.hand.file().to_string_lossy().into_owned();
        self.founded.start_changed(member, &[(CLOCK, &clock)]);
    }

    fn kill_and_start(&mut self) {
        self.founded.kill(OWN);
        self.start_node(OWN);
        until_ready(std::slice::from_ref(&self.ours));
    }

    /// So many kinds of webhooks were taken, each once.
    fn taken(&self, kinds: &[&str]) -> Vec<Value> {
        until(&format!("webhooks {kinds:?}"), SOON, || {
            let taken: Vec<_> =
                self.receivers.webhooks().into_iter().filter(|one| one["status"] == 204).collect();
            let ids: BTreeSet<_> = taken.iter().map(|one| one["headers"]["webhook-id"].to_string()).collect();
            let mut found: Vec<_> = taken.iter().map(kind).collect();
            let mut expected = kinds.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            (found == expected && ids.len() == kinds.len()).then_some(taken)
        })
    }

    /// The mails to these, as many as there are to be, in any order.
    fn mailed(&self, to: &[&str]) -> Vec<Value> {
        until(&format!("mails to {to:?}"), SOON, || {
            let mails = self.receivers.mails();
            let mut found: Vec<_> = mails.iter().map(|mail| mail["to"][0].as_str().unwrap()).collect();
            let mut expected = to.to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            (found == expected).then_some(mails)
        })
    }
}

fn noon(day: kring_protocol::time::Day) -> Timestamp {
    day.start().plus_secs(11 * 3_600)
}

fn event(webhook: &Value) -> Value {
    serde_json::from_str(webhook["body"].as_str().unwrap()).unwrap()
}

fn kind(webhook: &Value) -> String {
    event(webhook)["data"]["kind"].as_str().unwrap().to_owned()
}

fn person(node: &Node, name: &str, roles: &[&str], teams: &[&str], mail: &str) -> String {
    let body = json!({
        "signIn": { "local": name }, "name": "Vos de Beer", "email": format!("{name}@partner.example"),
        "roles": roles, "teams": teams, "mail": mail,
    });
    let (status, answer) = node.post("/people", &body);
    assert_eq!(status, 201, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

/// A team with an owner, who is away today, somebody who stands in, and a supervisor.
fn staff(scene: &Scene) -> String {
    let node = &scene.ours;
    let (status, team) = node.post("/teams", &json!({ "name": "Noord" }));
    assert_eq!(status, 201, "{team}");
    let team = team["id"].as_str().unwrap();
    let owner = person(node, "owner", &["professional"], &[team], "atOnce");
    let substitute = person(node, "substitute", &["professional"], &[team], "atOnce");
    person(node, "supervisor", &["supervisor"], &[team], "digest");
    person(node, "bystander", &["professional", "technicalAdministrator"], &[team], "atOnce");
    let today = local_day(scene.hand.now());
    let until = working_days_after(today, 1);
    let away =
        json!({ "fromDate": today.to_string(), "untilDate": until.to_string(), "substitute": substitute });
    let (status, answer) = node.post(&format!("/people/{owner}/absence"), &away);
    assert_eq!(status, 200, "{answer}");
    owner
}

/// Both sides signal the family that is searched for.
fn meet(scene: &Scene, owner: &str) {
    let [child, sister, mother] = family();
    let mut ours = signal(REFERENCE, &[&child, &sister, &mother]);
    let [name, _, phone, email] = CONTACT;
    ours["contact"] = json!({ "name": name, "function": "teacher", "phone": phone, "email": email });
    ours["familyInformed"] = json!({ "informed": false, "reason": REASON });
    ours["owner"] = json!(owner);
    let (status, answer) = scene.ours.post("/signals", &ours);
    assert_eq!(status, 201, "{answer}");
    let theirs = signal("theirs", &[&child, &mother]);
    assert_eq!(scene.theirs.post("/signals", &theirs).0, 201);
    matches(&scene.ours, REFERENCE, 1);
}

/// A stream of events that is being read.
struct Stream {
    lines: BufReader<TcpStream>,
}

impl Stream {
    fn open(node: &Node, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(node.api()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let (host, token) = (node.api(), node.authorization());
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n{last}\r\n")
            .unwrap();
        let mut lines = BufReader::new(stream);
        let head = (&mut lines).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        let head: Vec<_> = head.map(|line| line.to_lowercase()).collect();
        assert!(
            head[0].contains("200") && head.contains(&"content-type: text/event-stream".into()),
            "{head:?}"
        );
        assert!(head.contains(&"cache-control: no-store".into()), "{head:?}");
        Self { lines }
    }

    /// The next event: its number, and what it holds. None when the stream has ended.
    fn next(&mut self) -> Option<(String, Value)> {
        let mut id = None;
        for line in (&mut self.lines).lines() {
            let line = line.ok()?;
            if let Some(found) = line.strip_prefix("id: ") {
                id = Some(found.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((id.unwrap(), serde_json::from_str(data).unwrap()));
            }
        }
        None
    }
}

#[test]
fn from_notice_to_coordinator_people_and_systems_are_told_once_and_of_nothing() {
    let place = Place::new();
    let Some(mut scene) = Scene::start(&place) else { return };
    let owner = staff(&scene);
    let mut stream = Stream::open(&scene.ours, None);
    meet(&scene, &owner);

    let webhooks = scene.taken(&["involved"]);
    check_webhook(&webhooks[0], &scene.ours);
    let (number, streamed) = stream.next().unwrap();
    assert_eq!(streamed, event(&webhooks[0]), "the same event both ways");
    let everyone = ["owner@partner.example", "substitute@partner.example"];
    let mails = scene.mailed(&everyone);
    check_mails(&mails, &scene.ours);

    // Nobody takes anything, and the node is killed: what waited comes after it, by the ids it had.
    scene.receivers.answer(503);
    scene.receivers.refuse_mails(true);
    let start = local_day(scene.hand.now());
    scene.hand.set(noon(working_days_after(start, 2)));
    let tried = |one: &Value| one["status"] == 503 && kind(one) == "reminder";
    let first = until("a webhook is refused", SOON, || scene.receivers.webhooks().into_iter().find(tried));
    let refused = until("a mail is refused", SOON, || scene.receivers.refused().pop());
    scene.kill_and_start();
    scene.receivers.answer(204);
    scene.receivers.refuse_mails(false);
    scene.hand.set(scene.hand.now().plus_secs(600));
    let webhooks = scene.taken(&["involved", "reminder"]);
    assert_eq!(webhooks[1]["headers"]["webhook-id"], first["headers"]["webhook-id"]);
    assert_eq!(event(&webhooks[1]), event(&first));
    let to: Vec<_> = everyone.into_iter().chain([everyone[0]]).collect();
    let mails = scene.mailed(&to);
    assert_eq!(message_id(mails.last().unwrap()), message_id(&refused), "the same mail");
    assert!(text(mails.last().unwrap()).contains("Er staat nog een bericht voor u klaar."));

    // The stream ended with the node, and goes on after whatever its reader names.
    assert_eq!(stream.next().unwrap().1, event(&first));
    assert_eq!(stream.next(), None);
    let mut stream = Stream::open(&scene.ours, Some(&number));
    assert_eq!(stream.next().unwrap().1, event(&first));
    nobody_answers(&mut scene, start, &mut stream);
    nothing_of_the_case(&scene);
}

/// Further days pass: the supervisor is told, then the coordinator.
fn nobody_answers(scene: &mut Scene, start: kring_protocol::time::Day, stream: &mut Stream) {
    let (owner, substitute) = ("owner@partner.example", "substitute@partner.example");
    let (supervisor, coordinator) = ("supervisor@partner.example", "coordinator@covenant.example");
    let mut mailed = vec![owner, substitute, owner];
    let mut taken = vec!["involved", "reminder"];
    for (working_day, kind, to) in
        [(4, "reminder", owner), (6, "overdue", supervisor), (11, "escalated", coordinator)]
    {
        let day = working_days_after(start, working_day);
        scene.hand.set(day.start().plus_secs(3_600 / 2));
        taken.push(kind);
        mailed.push(to);
        scene.taken(&taken);
        assert_eq!(stream.next().unwrap().1["data"]["kind"], kind);
        assert_eq!(scene.receivers.mails().len(), mailed.len() - 1, "{kind}: not at night");
        scene.hand.set(noon(day));
        let mails = scene.mailed(&mailed);
        let last = text(mails.last().unwrap());
        let expected = match kind {
            "overdue" => "Een bericht binnen uw team wacht al 5 werkdagen.",
            "escalated" => "Een match wacht al 10 werkdagen.",
            _ => "Er staat nog een bericht voor u klaar.",
        };
        assert!(last.contains(expected), "{last}");
        assert_eq!(kind == "escalated", !last.contains("http"), "{last}");
    }
    scene.kill_and_start();
    scene.hand.set(scene.hand.now().plus_secs(2 * 3_600));
    assert!(scene.ours.is_ready());
    scene.taken(&taken);
    scene.mailed(&mailed);
    let metric = |name: &str| scene.ours.metric(name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(metric("kring_webhooks_waiting") + metric("kring_mails_waiting"), 0);
}

fn check_webhook(webhook: &Value, node: &Node) {
    assert_eq!(webhook["verified"], true, "by the reference library: {webhook}");
    assert_eq!((&webhook["method"], &webhook["url"]), (&json!("POST"), &json!("/kring?from=test")));
    let event = event(webhook);
    let notice = node.notice(REFERENCE).unwrap();
    assert_eq!(event["data"], json!({ "noticeId": notice["id"], "kind": "involved" }));
    assert_eq!(event["id"], webhook["headers"]["webhook-id"]);
    assert_eq!(event["type"], "nl.kring.notice.involved.v1");
    let source = event["source"].as_str().unwrap();
    assert!(source.starts_with("urn:nld:oin:0000000000") && source.ends_with(":systeem:kring"), "{source}");
    let keys: BTreeSet<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        Vec::from_iter(keys),
        ["data", "datacontenttype", "id", "source", "specversion", "time", "type"]
    );
}

fn check_mails(mails: &[Value], node: &Node) {
    let texts: Vec<_> = mails.iter().map(text).collect();
    assert_eq!(texts[0], texts[1], "the same for everyone");
    let deadline = node.notice(REFERENCE).unwrap()["deadlineDate"].as_str().unwrap().to_owned();
    let [year, _, day] = deadline.split('-').collect::<Vec<_>>()[..] else { panic!("{deadline}") };
    for part in ["Er staat een bericht voor u klaar.", year, day.trim_start_matches('0'), OWN] {
        assert!(texts[0].contains(part), "{part}: {}", texts[0]);
    }
    assert!(texts[0].contains(&format!("http://{}/\r\n", node.api())), "{}", texts[0]);
    for mail in mails {
        assert!(
            mail["data"].as_str().unwrap().contains("Subject: U hebt een bericht in Kring\r\n"),
            "{mail}"
        );
        assert_eq!(mail["from"], "kring@partner.example");
    }
}

fn text(mail: &Value) -> String {
    mail["data"].as_str().unwrap().split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn message_id(mail: &Value) -> String {
    let line = mail["data"].as_str().unwrap().lines().find(|line| line.starts_with("Message-ID: "));
    line.unwrap().to_owned()
}

/// Nothing of the case in what left the node, what it logged, and what it measures.
fn nothing_of_the_case(scene: &Scene) {
    let mut all = canaries();
    all.push(REFERENCE.to_owned());
    let of_the_case = Scanner::new(all.iter().map(String::as_str));
    let mut with_partners = all.clone();
    with_partners.extend(MEMBERS[1..].iter().map(|name| (*name).to_owned()));
    let and_of_partners = Scanner::new(with_partners.iter().map(String::as_str));
    let left = scene.receivers.everything();
    assert!(left.len() > 5_000);
    assert_eq!(and_of_partners.bytes("what left", &left), BTreeSet::new());
    let own = [scene.ours.log(), scene.ours.metrics().unwrap()].concat();
    assert_eq!(of_the_case.bytes("log and metrics", own.as_bytes()), BTreeSet::new());
    // The control: had it been there, it would have been found, also in the encodings of mail.
    for planted in [REFERENCE, OTHER, "Kwikstaartsma"] {
        let mail = json!({ "data": format!("Subject: {planted}\r\n") }).to_string();
        let found = and_of_partners.bytes("planted", &[left.as_slice(), mail.as_bytes()].concat());
        assert!(found.iter().any(|one| one.canary == planted), "{planted}: {found:?}");
    }
    let personal = ["owner@partner.example", "supervisor@partner.example", "coordinator@covenant.example"];
    assert_eq!(Scanner::new(personal).bytes("log and metrics", own.as_bytes()), BTreeSet::new());
}

//! The people of two partners on running nodes: absence, hand-over, leaving, what is held about a person, and erasure.

use kring_node::api::auth::{Scope, Token};
use kring_node::cases::{Case, CaseId};
use kring_node::store::Table;
use kring_node::vault::KeyName;
use kring_protocol::calendar::local_day;
use kring_protocol::id::Reference;
use kring_tests::caseload::{Person, signal};
use kring_tests::command;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::wait::until;
use rand::rngs::OsRng;
use serde_json::{Value, json};

use crate::signals::{SOON, match_ids, no_notice};
use crate::wire::Records;

const MEMBERS: [&str; 3] = ["a", "b", "c"];

/// Somebody with an account and a token of their own.
struct Colleague {
    id: String,
    name: &'static str,
    token: Token,
}

impl Colleague {
    /// Adds the account with the operator's token.
    fn add(node: &Node, user: &str, name: &'static str, role: &str, team: Option<&str>) -> Self {
        let email = format!("{user}@partner.example");
        let mut fields = vec!["--local", user, "--name", name, "--email", &email, "--role", role];
        fields.extend(["--phone", "010 123 45 67", "--function", "teacher"]);
        fields.extend(team.into_iter().flat_map(|team| ["--team", team]));
        let made = commands(node, None, "account", "add", &fields);
        Self { id: made["id"].as_str().unwrap().to_owned(), name, token: Token::random(&mut OsRng) }
    }

    /// The line of `tokens.toml` by which the node knows the token.
    fn token_entry(&self) -> String {
        let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!(
            "\n[[token]]\nname = {:?}\nsha256 = \"{}\"\nscopes = {scopes:?}\nexpires = \"2999-01-01\"\nperson = {:?}\n",
            self.name,
            hex::encode(self.token.hash().as_bytes()),
            self.id
        )
    }

    fn token_file(&self, node: &Node) -> String {
        node.dir().join(format!("{}.token", self.id)).to_string_lossy().into_owned()
    }

    /// The node as this one sees it.
    fn at(&self, node: &Node) -> Node {
        node.with_token(self.token.expose())
    }
}

/// What `kring` prints; as the operator, or as somebody.
fn commands(node: &Node, who: Option<&Colleague>, noun: &str, verb: &str, arguments: &[&str]) -> Value {
    let dir = node.dir().to_string_lossy().into_owned();
    let token_file = who.map(|who| who.token_file(node));
    let mut all = vec![noun, verb, "--json", "--dir", &dir];
    all.extend(token_file.iter().flat_map(|file| ["--token-file", file.as_str()]));
    all.extend(arguments);
    let (code, out, log) = command::run(&all);
    assert_eq!(code, 0, "{all:?}: {log}");
    serde_json::from_str(&out).unwrap()
}

/// Gives everybody their token; the node reads it when it starts.
fn give_tokens(founded: &mut Founded, member: &str, people: &[&Colleague]) {
    let node = founded.node(member);
    let path = node.config().tokens_file;
    let entries: String = people.iter().map(|one| one.token_entry()).collect();
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &entries).unwrap();
    for one in people {
        std::fs::write(one.token_file(&node), one.token.expose()).unwrap();
    }
    founded.stop(member);
    founded.start(&[member]);
}

/// The people of `a`.
struct Staff {
    anna: Colleague,
    bram: Colleague,
    sam: Colleague,
    piet: Colleague,
}

impl Staff {
    fn add(node: &Node) -> Self {
        let team =
            |name: &str| commands(node, None, "team", "add", &[name])["id"].as_str().unwrap().to_owned();
        let (north, south) = (team("Noord"), team("Zuid"));
        Self {
            anna: Colleague::add(node, "anna", "Anna Appel", "professional", Some(&north)),
            bram: Colleague::add(node, "bram", "Bram Bes", "professional", Some(&south)),
            sam: Colleague::add(node, "sam", "Sam Sinaas", "supervisor", Some(&north)),
            piet: Colleague::add(node, "piet", "Piet Peer", "privacy-officer", None),
        }
    }

    fn all(&self) -> [&Colleague; 4] {
        [&self.anna, &self.bram, &self.sam, &self.piet]
    }
}

fn sees(node: &Node, case: &str) -> bool {
    node.notice(case).is_some()
}

/// Waits until the other side's card names somebody.
fn card_names(node: &Node, case: &str, name: &str) {
    until(&format!("the card of {name}"), SOON, || {
        let notice = node.notice(case)?;
        (notice["matches"][0]["card"]["name"] == name).then_some(())
    });
}

fn answer(node: &Node, case: &str, body: &Value) {
    let notice = node.notice(case).unwrap();
    let mut body = body.clone();
    body["matchId"] = notice["matches"][0]["matchId"].clone();
    let path = format!("/notices/{}/respond", notice["id"].as_str().unwrap());
    let (status, answer) = node.post(&path, &body);
    assert_eq!(status, 200, "{answer}");
}

/// Anna is away and Bram stands in: he answers, and Bea gets Anna's card. When Anna is back he sees nothing any more.
fn absence(a: &Node, staff: &Staff, bea: &Node) {
    let (anna, bram) = (staff.anna.at(a), staff.bram.at(a));
    assert!(sees(&anna, "ours") && sees(&staff.sam.at(a), "ours") && !sees(&bram, "ours"));
    let today = local_day(kring_node::clock::Clock.now());
    let (from, until_day) = (today.to_string(), today.plus(3).to_string());
    let away = ["--from", &from, "--until", &until_day, "--substitute", &staff.bram.id, &staff.anna.id];
    let answered = commands(a, Some(&staff.anna), "account", "absence", &away);
    assert_eq!(answered["away"]["substitute"], staff.bram.id.as_str());
    assert!(sees(&bram, "ours"));
    answer(&bram, "ours", &json!({ "response": "coordinate" }));
    answer(bea, "theirs", &json!({ "response": "coordinate" }));
    card_names(bea, "theirs", "Anna Appel");
    commands(a, Some(&staff.anna), "account", "absence", &["--none", &staff.anna.id]);
    assert!(!sees(&bram, "ours") && sees(&anna, "ours"));
}

/// Anna hands over to Bram, who accepts; Bea then has his card. He leaves, and Sam finds the signal without owner.
fn hand_over_and_leave(a: &Node, staff: &Staff, bea: &Node, id: &str) {
    let (anna, bram, sam) = (staff.anna.at(a), staff.bram.at(a), staff.sam.at(a));
    let unknown = format!("/signals/{}", "00".repeat(16));
    let hidden = bram.try_get(&format!("/signals/{id}")).unwrap();
    let mut not_there = bram.try_get(&unknown).unwrap();
    not_there.1["instance"] = hidden.1["instance"].clone();
    assert_eq!((hidden.0, &hidden), (404, &not_there));
    commands(a, Some(&staff.anna), "signal", "hand-over", &["--to", &staff.bram.id, id]);
    assert_eq!(anna.get(&format!("/signals/{id}"))["owner"], staff.anna.id.as_str(), "until he accepts");
    let taken = commands(a, Some(&staff.bram), "signal", "accept", &[id]);
    assert_eq!(taken["owner"], staff.bram.id.as_str());
    card_names(bea, "theirs", "Bram Bes");
    assert!(!sees(&anna, "ours") && sees(&bram, "ours"));

    commands(a, None, "account", "update", &["--active", "false", &staff.bram.id]);
    assert_eq!(bram.try_get("/signals").unwrap().0, 401);
    let without = commands(a, Some(&staff.sam), "signal", "list", &["--without-owner"]);
    let ids: Vec<_> = without.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [id]);
    assert!(sees(&sam, "ours"));
    commands(a, Some(&staff.sam), "signal", "assign", &["--to", &staff.anna.id, id]);
    assert!(sees(&anna, "ours"));
    card_names(bea, "theirs", "Anna Appel");
    assert_eq!(commands(a, Some(&staff.sam), "signal", "list", &["--without-owner"]), json!([]));
}

fn access_request(piet: &Node, person: &Person, id: &str) {
    let (status, held) = piet.post("/access-requests", &person.json("child"));
    assert_eq!(status, 200, "{held}");
    let signals = held["signals"].as_array().unwrap();
    assert_eq!((signals.len(), &signals[0]["id"]), (1, &json!(id)), "{held}");
    let shared = &signals[0]["shared"];
    assert_eq!((&shared[0]["partner"], &shared[0]["live"]), (&json!("b"), &json!(true)), "{held}");
    assert_eq!(signals[0]["persons"][0]["familyName"], person.family.as_str());
    assert_eq!(piet.try_get("/signals").unwrap().0, 403, "no case otherwise");
    let (status, nothing) = piet.post("/access-requests", &Person::invented(700).json("child"));
    assert_eq!((status, nothing), (200, json!({ "signals": [] })));
}

/// The sealed record of a case, and whether the node's keys open it.
fn record(node: &Node, case: CaseId, sealed: Option<&[u8]>) -> (Option<Vec<u8>>, bool) {
    let records = Records::open(node);
    let key = case.0.as_bytes();
    let stored = records.store.get(Table::Case, key).unwrap();
    let opens = sealed.or(stored.as_deref()).is_some_and(|sealed| {
        records.vault.open_record::<Case>(&KeyName::Case(case), Table::Case, key, sealed).is_ok()
    });
    (stored, opens)
}

#[test]
fn a_partners_people_share_leave_and_erase_a_case() {
    let place = Place::new();
    let mut founded = Founded::new(place.path(), &MEMBERS, &MEMBERS, |draft| draft);
    founded.start(&MEMBERS);
    let [a, b] = ["a", "b"].map(|member| founded.node(member));
    let staff = Staff::add(&a);
    let bea = Colleague::add(&b, "bea", "Bea Blom", "professional", None);
    give_tokens(&mut founded, "a", &staff.all());
    give_tokens(&mut founded, "b", &[&bea]);
    let bea = bea.at(&b);

    let person = Person::invented(60);
    let (status, ours) = staff.anna.at(&a).post("/signals", &signal("ours", &[&person]));
    assert_eq!((status, &ours["owner"]), (201, &json!(staff.anna.id)), "{ours}");
    let id = ours["id"].as_str().unwrap().to_owned();
    assert_eq!(bea.post("/signals", &signal("theirs", &[&person])).0, 201);
    for (node, case) in [(staff.anna.at(&a), "ours"), (bea.clone(), "theirs")] {
        until("both have a notice", SOON, || (match_ids(&node.notice(case)?).len() == 1).then_some(()));
    }
    absence(&a, &staff, &bea);
    hand_over_and_leave(&a, &staff, &bea, &id);
    access_request(&staff.piet.at(&a), &person, &id);

    let case = CaseId(Reference::try_from(hex::decode(&id).unwrap().as_slice()).unwrap());
    founded.stop("a");
    let (sealed, opens) = record(&a, case, None);
    assert!(opens, "so far it can be read");
    founded.start(&["a"]);
    commands(&a, Some(&staff.piet), "signal", "erase", &["--for-good", &id]);
    no_notice(&bea, "theirs");
    assert!(!sees(&staff.anna.at(&a), "ours"));
    let (_, held) = staff.piet.at(&a).post("/access-requests", &person.json("child"));
    assert_eq!(held, json!({ "signals": [] }));
    founded.stop("a");
    assert_eq!(record(&a, case, sealed.as_deref()), (None, false), "a copy from before is noise too");
    founded.start(&["a"]);
    assert_eq!(staff.sam.at(&a).get("/signals"), json!([]), "it does not come back");
}

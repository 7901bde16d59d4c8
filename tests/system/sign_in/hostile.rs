//! An OpenID provider, or whoever stands between, that does everything wrong that it can, one thing at a time.

use std::sync::Arc;

use kring_tests::place::Place;
use kring_tests::wait::until;
use serde_json::{Value, json};

use super::browser::{Answer, Browser};
use super::provider::{Change, Lie, Provider, Signs, query};
use super::{Attempts, CLIENT, HOUR, House, MINUTE, SECRET, SOON, secret_file};

fn change(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Option<Change> {
    Some(Arc::new(change))
}

fn set(name: &'static str, value: impl Into<Value>) -> Option<Change> {
    let value = value.into();
    change(move |object| object[name] = value.clone())
}

fn without(name: &'static str) -> Option<Change> {
    change(move |object| drop(object.as_object_mut().unwrap().remove(name)))
}

type Pairs = Vec<(String, String)>;

/// A browser on its way: begun at the node, and back from the provider with this query.
struct Way {
    browser: Browser,
    pairs: Pairs,
}

struct Trial {
    house: House,
    provider: Provider,
}

impl Trial {
    fn begin(&self) -> Way {
        let browser = Browser::at(&self.house.node);
        let answer = browser.get("/sign-in/start");
        assert_eq!(answer.status, 303, "{}", answer.body);
        let pairs = self.provider.authorize(&answer.location);
        Way { browser, pairs }
    }

    fn lie(&self, lie: Lie) {
        self.provider.set(self.house.now(), lie);
    }

    /// The whole way, with this lie; whether somebody is signed in at its end.
    fn succeeds(&self, lie: Lie) -> bool {
        self.lie(lie);
        let way = self.begin();
        way.back();
        way.browser.is_signed_in()
    }
}

impl Way {
    fn back(&self) -> Answer {
        self.browser.get(&format!("/sign-in/callback?{}", query(&self.pairs)))
    }

    /// Whether coming back with other parameters signs in.
    fn changed(mut self, change: impl FnOnce(&mut Pairs)) -> bool {
        change(&mut self.pairs);
        self.back();
        self.browser.is_signed_in()
    }
}

fn settings(place: &Place, issuer: &str) -> String {
    let file = secret_file(place.path(), "client-secret", SECRET);
    format!(
        "\noidc_issuer = \"{issuer}\"\noidc_client_id = \"{CLIENT}\"\noidc_client_secret_file = \"{}\"\n\
         oidc_role_map = [\"zorg=professional\", \"toezicht=supervisor\"]\n",
        file.display()
    )
}

#[test]
fn a_hostile_provider_signs_nobody_in() {
    let place = Place::new();
    let provider = Provider::start();
    let house = House::new(place.path(), &settings(&place, &provider.issuer));
    let mut trial = Trial { house, provider };
    assert!(trial.succeeds(Lie::default()), "control: an honest provider signs in");
    let mut attempts = Attempts::default();

    tokens(&trial, &mut attempts);
    answers(&mut trial, &mut attempts);
    descriptions(&mut trial, &mut attempts);
    people(&trial, &mut attempts);

    trial.house.pass(HOUR);
    assert!(trial.succeeds(Lie::default()), "control: and does so at the end");
    attempts.tell(45);
    let log = trial.house.node.log();
    for word in ["Anna", "bakker", "u-1", "999990019", "code-"] {
        assert!(!log.contains(word), "{word} stands in the log");
    }
    for outcome in ["done", "failed", "refused"] {
        assert!(trial.house.entries().iter().any(|(ended, _)| ended == outcome), "{outcome}");
    }
}

/// What an ID token says, and who signed it.
fn tokens(trial: &Trial, attempts: &mut Attempts) {
    let now = trial.house.now();
    let signs = |signs| Lie { signs, ..Lie::default() };
    let claims = |claims| Lie { claims, ..Lie::default() };
    let header = |header| Lie { header, ..Lie::default() };
    let answers = |tokens| Lie { tokens, ..Lie::default() };
    let lies = [
        ("no signature", signs(Signs::Not)),
        ("no signature, spelt otherwise", Lie { header: set("alg", "nOnE"), ..signs(Signs::Not) }),
        ("HS256 with the public key", signs(Signs::WithThePublicKey)),
        ("a foreign key", signs(Signs::Foreign)),
        ("an algorithm that is not announced", signs(Signs::Unannounced)),
        ("an unknown key id", header(set("kid", "k9"))),
        ("the id of a key of another kind", header(set("kid", "k2"))),
        ("another kind of token", header(set("typ", "at+jwt"))),
        ("a critical header", header(set("crit", json!(["exp"])))),
        ("a wrong nonce", claims(set("nonce", "another"))),
        ("no nonce", claims(without("nonce"))),
        ("a wrong issuer", claims(set("iss", "https://evil.example"))),
        ("no issuer", claims(without("iss"))),
        ("a wrong audience", claims(set("aud", "another-client"))),
        ("no audience", claims(without("aud"))),
        ("several audiences without azp", claims(set("aud", json!([CLIENT, "another-client"])))),
        ("a wrong azp", claims(set("azp", "another-client"))),
        ("an expired token", claims(set("exp", now - 10 * MINUTE))),
        ("a token without end", claims(without("exp"))),
        ("a token from the future", claims(set("iat", now + 10 * MINUTE))),
        ("a token of yesterday", claims(set("iat", now - 24 * HOUR))),
        ("a token without beginning", claims(without("iat"))),
        ("a token that is not valid yet", claims(set("nbf", now + 10 * MINUTE))),
        ("no subject", claims(without("sub"))),
        ("an empty subject", claims(set("sub", ""))),
        ("a BSN as subject", claims(set("sub", "999990019"))),
        ("roles of a wrong type", claims(set("roles", json!({"zorg": true})))),
        ("roles of mixed types", claims(set("roles", json!(["zorg", 7])))),
        ("userinfo of somebody else", Lie { userinfo: set("sub", "u-2"), ..Lie::default() }),
        ("another access token", claims(set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"))),
        ("no ID token", answers(without("id_token"))),
        ("an ID token that is none", answers(set("id_token", "a.b.c"))),
        ("an access token of another type", answers(set("token_type", "mac"))),
    ];
    for (name, lie) in lies {
        attempts.fails(name, !trial.succeeds(lie));
    }
}

/// What the browser brings back.
fn answers(trial: &mut Trial, attempts: &mut Attempts) {
    trial.lie(Lie::default());
    let replace = |name: &'static str, value: &str| {
        let value = value.to_owned();
        move |pairs: &mut Pairs| {
            pairs.iter_mut().filter(|(known, _)| known == name).for_each(|pair| pair.1.clone_from(&value))
        }
    };
    let remove = |name: &'static str| move |pairs: &mut Pairs| pairs.retain(|(known, _)| known != name);
    attempts.fails("a wrong state", !trial.begin().changed(replace("state", "another")));
    attempts.fails("no state", !trial.begin().changed(remove("state")));
    attempts.fails("no iss", !trial.begin().changed(remove("iss")));
    attempts.fails("a wrong iss", !trial.begin().changed(replace("iss", "https://evil.example")));
    attempts.fails("no code", !trial.begin().changed(remove("code")));
    attempts.fails("two codes", !trial.begin().changed(|pairs| pairs.push(pairs[0].clone())));
    attempts.fails(
        "an error",
        !trial.begin().changed(|pairs| pairs.push(("error".to_owned(), "access_denied".to_owned()))),
    );

    let (mine, theirs) = (trial.begin(), trial.begin());
    let swapped =
        Way { pairs: vec![theirs.pairs[0].clone(), mine.pairs[1].clone(), mine.pairs[2].clone()], ..mine };
    attempts.fails("a swapped code", !swapped.changed(|_| ()));
    let lured = Way { pairs: theirs.pairs.clone(), ..trial.begin() };
    attempts.fails("an answer to another browser", !lured.changed(|_| ()));
    let stranger = Way { browser: Browser::at(&trial.house.node), pairs: theirs.pairs.clone() };
    attempts.fails("an answer that nobody asked for", !stranger.changed(|_| ()));
    for path in ["/sign-in/callback/", "/sign-in/callback/x", "/", "/sign-in", "/activate"] {
        let way = trial.begin();
        way.browser.get(&format!("{path}?{}", query(&way.pairs)));
        attempts.fails("an answer to another path", !way.browser.is_signed_in());
    }

    let way = trial.begin();
    let before = way.browser.cookies.borrow().clone();
    way.back();
    assert!(way.browser.is_signed_in(), "control");
    let thief = Browser::at(&trial.house.node);
    *thief.cookies.borrow_mut() = before;
    let again = Way { browser: thief, pairs: way.pairs.clone() };
    attempts.fails("an answer that was heard", !again.changed(|_| ()));

    let late = trial.begin();
    trial.house.pass(11 * MINUTE);
    trial.lie(Lie::default());
    attempts.fails("an answer after eleven minutes", !late.changed(|_| ()));
}

/// What the provider says of itself. It is asked again after an hour.
fn descriptions(trial: &mut Trial, attempts: &mut Attempts) {
    let lies = [
        ("a description of another issuer", set("issuer", "https://evil.example")),
        ("a description without keys", without("jwks_uri")),
        ("tokens over plain http from elsewhere", set("token_endpoint", "http://192.0.2.1/token")),
        ("a provider without PKCE", set("code_challenge_methods_supported", json!(["plain"]))),
        ("a provider without the code flow", set("response_types_supported", json!(["id_token"]))),
    ];
    for (name, metadata) in lies {
        trial.house.pass(HOUR);
        trial.lie(Lie { metadata, ..Lie::default() });
        let answer = Browser::at(&trial.house.node).get("/sign-in/start");
        attempts.fails(name, answer.status == 502);
    }
    trial.house.pass(HOUR);
    for issuer in ["http://login.example", "ftp://login.example", "https://login.example/?a=b"] {
        let place = Place::new();
        let text = std::fs::read_to_string(trial.house.node.dir().join("node.toml")).unwrap();
        let dir = trial.house.node.dir().to_owned();
        let changed = text.replace(&trial.provider.issuer, issuer);
        trial.house.founded.stop("a");
        std::fs::write(dir.join("node.toml"), changed).unwrap();
        trial.house.founded.start_changed("a", &[]);
        let refused =
            until("the node refuses", SOON, || (!trial.house.founded.is_running("a")).then_some(true));
        attempts.fails(
            "an issuer that nobody may use",
            refused && trial.house.node.log().contains("oidc_issuer"),
        );
        trial.house.founded.kill("a");
        std::fs::write(dir.join("node.toml"), text).unwrap();
        trial.house.start();
        drop(place);
    }
}

/// Whom the provider signs in.
fn people(trial: &Trial, attempts: &mut Attempts) {
    let count = || trial.house.node.get("/people").as_array().unwrap().len();
    let before = count();
    trial.provider.is("u-stranger", json!(["boss"]));
    trial.lie(Lie::default());
    let way = trial.begin();
    let answer = way.back();
    attempts.fails(
        "a role that nobody gave",
        answer.status == 403 && !way.browser.is_signed_in() && count() == before,
    );
    assert!(answer.body.contains("functioneel beheerder"), "the page says whom to ask");

    // The same person with another role, then with none: what the provider says counts at every sign-in.
    trial.provider.is("u-1", json!(["toezicht"]));
    let way = trial.begin();
    way.back();
    assert!(way.browser.is_signed_in() && count() == before, "control: the account is there already");
    let person = trial.house.node.get("/people").as_array().unwrap()[0].clone();
    assert_eq!((&person["roles"], &person["name"]), (&json!(["supervisor"]), &json!("Anna Bakker")));
    trial.provider.is("u-1", json!([]));
    let again = trial.begin();
    again.back();
    attempts.fails("a role that was taken away", !again.browser.is_signed_in());
    attempts.fails("a session from before a role was taken away", !way.browser.is_signed_in());

    let path = format!("/people/{}", person["id"].as_str().unwrap());
    assert_eq!(trial.house.node.patch(&path, &json!({"active": false}).to_string()), 200);
    trial.provider.is("u-1", json!(["zorg"]));
    attempts.fails("a closed account", !trial.succeeds(Lie::default()));
    assert_eq!(trial.house.node.patch(&path, &json!({"active": true}).to_string()), 200);
}

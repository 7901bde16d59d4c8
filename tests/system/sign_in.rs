//! Signing in to a real node, by browsers that behave and by people who do not: local accounts with a second factor, and the
//! partner's OpenID provider.
//!
//! The clock is the test's. Every attempt that must fail has a name, and all that did not fail are told together.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kring_node::clock::Clock;
use kring_protocol::time::Timestamp;
use kring_tests::founded::Founded;
use kring_tests::node::Node;
use kring_tests::place::Place;
use kring_tests::simulated::{CLOCK, Hand, SEEN};
use kring_tests::wait::until;
use ring::hmac;
use serde_json::{Value, json};

use crate::hostile::MEMBERS;

mod browser;
mod hostile;
mod provider;
mod real;
mod typed;

use browser::{Answer, Browser};

const CLIENT: &str = "kring-node";
const SECRET: &str = "a-secret-of-the-test";
const PASSWORD: &str = "drie blauwe fietsen";
const SOON: Duration = Duration::from_secs(60);
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// A node that runs alone, by the test's clock: for signing in it needs nobody else.
struct House {
    founded: Founded,
    hand: Hand,
    node: Node,
}

impl House {
    fn new(place: &Path, settings: &str) -> Self {
        let founded = Founded::new(place, &MEMBERS, &["c", "d", "e", "f"], |draft| draft);
        let mut file = OpenOptions::new().append(true).open(place.join("a/node.toml")).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        let hand = Hand::new(place, Clock.now());
        let node = founded.node("a");
        let mut house = Self { founded, hand, node };
        house.start();
        house
    }

    fn start(&mut self) {
        let seen = self.seen();
        let clock = [(CLOCK, self.hand.file().to_str().unwrap()), (SEEN, seen.to_str().unwrap())];
        self.founded.start_changed("a", &clock);
        until("the node answers", SOON, || self.node.try_get("/network"));
    }

    fn now(&self) -> u64 {
        self.hand.now().secs()
    }

    /// Moves the clock, and waits until the node goes by it.
    fn pass(&mut self, secs: u64) {
        self.hand.set(Timestamp::from_secs(self.now() + secs));
        until("the node goes by the new time", SOON, || self.hand.is_done(&self.seen()).then_some(()));
    }

    /// Where the node writes the time that it goes by.
    fn seen(&self) -> PathBuf {
        self.hand.file().with_file_name("seen")
    }

    /// Makes an account; its id.
    fn account(&self, user: &str, roles: &[&str]) -> String {
        let (status, made) = self.node.post(
            "/people",
            &json!({"signIn": {"local": user}, "name": "Anna Bakker", "email": "a.bakker@example.nl", "roles": roles}),
        );
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    fn invite(&self, account: &str) -> String {
        let (status, made) = self.node.post(&format!("/people/{account}/activation"), &Value::Null);
        assert_eq!(status, 201, "{made}");
        made["code"].as_str().unwrap().to_owned()
    }

    /// Sets an account up in a browser of its own; the secret of its second factor.
    fn activate(&mut self, user: &str, code: &str) -> (Browser, Vec<u8>) {
        let browser = Browser::at(&self.node);
        let csrf = browser.get("/activate").csrf();
        let fields = [("user", user), ("activation", code), ("password", PASSWORD), ("again", PASSWORD)];
        let answer = browser.post("/activate", &csrf, &fields);
        assert_eq!((answer.status, answer.location.as_str()), (303, "/activate"), "{}", answer.body);
        let page = browser.get("/activate");
        assert!(page.body.contains("<svg"), "a picture for the app");
        let secret = page.body.split("id=\"totp-secret\">").nth(1).unwrap().split('<').next().unwrap();
        let secret = base32(secret);
        let answer = browser.post("/activate", &page.csrf(), &[("code", &totp(&secret, self.now()))]);
        assert_eq!((answer.status, answer.location.as_str()), (303, "/"), "{}", answer.body);
        self.pass(MINUTE); // that code was used
        (browser, secret)
    }

    /// Signs in with password and second factor.
    fn sign_in(&mut self, browser: &Browser, user: &str, secret: &[u8]) -> Answer {
        self.pass(MINUTE);
        let answer = password(browser, user, PASSWORD);
        assert_eq!(answer.location, "/sign-in/second-factor", "{}", answer.body);
        second_factor(browser, &totp(secret, self.now()))
    }

    /// Kinds and outcomes of all entries about signing in.
    fn entries(&self) -> Vec<(String, u64)> {
        let page = |first: usize| {
            let page = self.node.get(&format!("/audit/entries?first={first}&limit=1000"));
            page.as_array().cloned().unwrap_or_default()
        };
        let mut all = page(0);
        while all.len() % 1_000 == 0 {
            all.extend(page(all.len()));
        }
        let entries = all.iter().map(|entry| &entry["entry"]).filter(|entry| entry["kind"] == "sign-in");
        let said = |entry: &Value| Some((entry["outcome"].as_str()?.to_owned(), entry["count"].as_u64()?));
        entries.filter_map(said).collect()
    }
}

fn password(browser: &Browser, user: &str, password: &str) -> Answer {
    let csrf = browser.get("/sign-in").csrf();
    browser.post("/sign-in", &csrf, &[("user", user), ("password", password)])
}

fn second_factor(browser: &Browser, code: &str) -> Answer {
    let csrf = browser.get("/sign-in/second-factor").csrf();
    browser.post("/sign-in/second-factor", &csrf, &[("code", code)])
}

fn base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'A'..=b'Z' => byte - b'A',
        _ => byte - b'2' + 26,
    });
    let bits: String = digits.map(|digit| format!("{digit:05b}")).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

fn totp(secret: &[u8], now: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &(now / 30).to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// Attempts that must fail; what did not is told at the end, all together.
#[derive(Default)]
struct Attempts {
    tried: usize,
    succeeded: Vec<&'static str>,
}

impl Attempts {
    fn fails(&mut self, name: &'static str, failed: bool) {
        self.tried += 1;
        if !failed {
            self.succeeded.push(name);
        }
    }

    fn tell(&self, at_least: usize) {
        assert!(
            self.succeeded.is_empty(),
            "{} of {}: {:#?}",
            self.succeeded.len(),
            self.tried,
            self.succeeded
        );
        assert!(self.tried >= at_least, "{}", self.tried);
    }
}

/// A file that only its owner may read.
fn secret_file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
    path
}

#[test]
fn local_accounts_sign_in_with_two_factors_and_nobody_else_does() {
    let place = Place::new();
    let mut house = House::new(place.path(), "");
    let id = house.account("A.Bakker", &["professional"]);
    let mut attempts = Attempts::default();

    activation(&mut house, &id, &mut attempts);
    let code = house.invite(&id);
    let (first, secret) = house.activate("a.bakker", &code);
    assert!(first.is_signed_in(), "control: setting up an account signs in");
    passwords_and_codes(&mut house, &secret, &mut attempts);
    forms(&mut house, &secret, &mut attempts);
    sessions(&mut house, (&id, &secret), &mut attempts);
    waits(&mut house, &secret, &mut attempts);
    attempts.tell(40);

    let entries = house.entries();
    for outcome in ["done", "failed"] {
        assert!(entries.iter().any(|(ended, _)| ended == outcome), "{outcome}: {entries:?}");
    }
    let log = house.node.log().to_lowercase();
    for word in [
        "bakker",
        PASSWORD,
        &code.to_lowercase(),
        &first.cookies.borrow().values().next().unwrap().to_lowercase(),
    ] {
        assert!(!log.contains(word), "{word} stands in the log");
    }
}

fn activation(house: &mut House, id: &str, attempts: &mut Attempts) {
    let old = house.invite(id);
    let code = house.invite(id);
    let browser = Browser::at(&house.node);
    let act = |user: &str, code: &str, password: &str, again: &str| {
        let csrf = browser.get("/activate").csrf();
        let fields = [("user", user), ("activation", code), ("password", password), ("again", again)];
        browser.post("/activate", &csrf, &fields)
    };
    for (name, user, code, password, again) in [
        ("a code that was replaced", "a.bakker", old.as_str(), PASSWORD, PASSWORD),
        ("no code", "a.bakker", "", PASSWORD, PASSWORD),
        ("a code of nobody", "b.bakker", &code, PASSWORD, PASSWORD),
        ("a short password", "a.bakker", &code, "kort", "kort"),
        ("a common password", "a.bakker", &code, "Wachtwoord2026!", "Wachtwoord2026!"),
        ("two passwords", "a.bakker", &code, PASSWORD, "drie groene fietsen"),
    ] {
        let answer = act(user, code, password, again);
        attempts.fails(name, answer.status == 400 && !answer.body.contains("totp-secret"));
    }
    house.pass(72 * HOUR);
    attempts.fails("a code after 72 hours", act("a.bakker", &code, PASSWORD, PASSWORD).status == 400);
    let code = house.invite(id);
    let answer = act("a.bakker", &code, PASSWORD, PASSWORD);
    assert_eq!(answer.location, "/activate", "{}", answer.body);
    let csrf = browser.get("/activate").csrf();
    let answer = browser.post("/activate", &csrf, &[("code", "000000")]);
    attempts.fails("a wrong first code", answer.status == 400 && !browser.is_signed_in());
    let stranger = Browser::at(&house.node);
    stranger.get("/sign-in");
    attempts.fails(
        "a password that was not set up to its end",
        password(&stranger, "a.bakker", PASSWORD).status == 400,
    );
}

fn passwords_and_codes(house: &mut House, secret: &[u8], attempts: &mut Attempts) {
    let browser = Browser::at(&house.node);
    let (wrong, nobody) =
        (password(&browser, "a.bakker", "drie rode fietsen"), password(&browser, "nobody", PASSWORD));
    attempts.fails("a wrong password", wrong.status == 400 && !browser.is_signed_in());
    attempts.fails("a name of nobody", nobody.status == 400);
    let plain = |answer: &Answer, user: &str| answer.body.replace(user, "").replace(&answer.csrf(), "");
    assert_eq!(plain(&wrong, "a.bakker"), plain(&nobody, "nobody"), "nothing tells which names exist");
    attempts.fails("an empty password", password(&browser, "a.bakker", "").status == 400);
    let csrf = browser.get("/sign-in").csrf();
    let first = browser.post("/sign-in/second-factor", &csrf, &[("code", &totp(secret, house.now()))]);
    attempts.fails("the second factor first", first.location == "/sign-in" && !browser.is_signed_in());

    // Control, and after it the same code again, from elsewhere.
    house.pass(MINUTE);
    assert_eq!(password(&browser, " A.BAKKER ", PASSWORD).location, "/sign-in/second-factor");
    attempts.fails("a password alone", !browser.is_signed_in());
    attempts.fails("a wrong second factor", second_factor(&browser, "000000").status == 400);
    let late = totp(secret, house.now() - 90);
    attempts.fails("an old code", second_factor(&browser, &late).status == 400);
    let code = totp(secret, house.now());
    assert_eq!(second_factor(&browser, &code).location, "/");
    assert!(browser.is_signed_in());
    let thief = Browser::at(&house.node);
    assert_eq!(password(&thief, "a.bakker", PASSWORD).location, "/sign-in/second-factor");
    attempts
        .fails("a code that was used", second_factor(&thief, &code).status == 400 && !thief.is_signed_in());
}

/// Forms that do not come from our own pages.
fn forms(house: &mut House, secret: &[u8], attempts: &mut Attempts) {
    let browser = Browser::at(&house.node);
    house.sign_in(&browser, "a.bakker", secret);
    let other = Browser::at(&house.node);
    let foreign = other.get("/sign-in").csrf();
    let csrf = session_word(&browser);
    let origin = browser.origin.clone();
    let (ours, same) = (("origin", origin.as_str()), ("sec-fetch-site", "same-origin"));
    let good = [("csrf", csrf.as_str())];
    for (name, fields, says) in [
        ("a form without the word", vec![], vec![ours, same]),
        ("a form with an empty word", vec![("csrf", "")], vec![ours, same]),
        ("a form with another browser's word", vec![("csrf", foreign.as_str())], vec![ours, same]),
        (
            "a form with the word twice",
            vec![("csrf", csrf.as_str()), ("csrf", csrf.as_str())],
            vec![ours, same],
        ),
        ("a form from another site", good.to_vec(), vec![("origin", "https://evil.example"), same]),
        ("a form from a page without origin", good.to_vec(), vec![("origin", "null"), same]),
        ("a form from another port", good.to_vec(), vec![("origin", "http://127.0.0.1:1"), same]),
        ("a cross-site request", good.to_vec(), vec![ours, ("sec-fetch-site", "cross-site")]),
        ("a same-site request", good.to_vec(), vec![ours, ("sec-fetch-site", "same-site")]),
        ("a request that says nothing of itself", good.to_vec(), vec![]),
    ] {
        let answer = browser.submit("/sign-out", &fields, &says);
        attempts.fails(name, answer.status == 403 && browser.is_signed_in());
        assert_ne!(answer.status, 422);
    }
    let body = browser.submit("/language", &[("csrf", &csrf), ("no", "language")], &[ours, same]);
    assert_eq!(body.status, 400, "what is no such form is a bad request");
    // Control.
    let answer = browser.submit(
        "/language",
        &[("csrf", &csrf), ("language", "en"), ("to", "/account")],
        &[ours, same],
    );
    assert_eq!((answer.status, answer.location.as_str()), (303, "/account"));
    let away = [("csrf", csrf.as_str()), ("language", "nl"), ("to", "//evil.example/")];
    attempts.fails("a redirect elsewhere", browser.submit("/language", &away, &[ours, same]).location == "/");
    let answer = browser.post("/sign-out", &csrf, &[]);
    assert_eq!((answer.status, browser.is_signed_in()), (303, false));
}

/// The hidden word of a session's own pages, here of the page that refuses a form.
fn session_word(browser: &Browser) -> String {
    let csrf = browser.submit("/language", &[], &[("origin", &browser.origin)]).csrf();
    assert!(!csrf.is_empty());
    csrf
}

fn sessions(house: &mut House, (id, secret): (&str, &[u8]), attempts: &mut Attempts) {
    cookies(house, secret, attempts);
    limits(house, secret, attempts);
    endings(house, (id, secret), attempts);
}

fn cookies(house: &mut House, secret: &[u8], attempts: &mut Attempts) {
    let browser = Browser::at(&house.node);
    let before = browser.get("/sign-in");
    let cookie = before.cookies[0].clone();
    assert!(
        cookie.starts_with("__Host-kring-a=") && cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax")
    );
    let mut ids = vec![browser.cookies.borrow().clone()];
    assert_eq!(password(&browser, "a.bakker", PASSWORD).status, 303);
    ids.push(browser.cookies.borrow().clone());
    house.pass(MINUTE);
    assert_eq!(second_factor(&browser, &totp(secret, house.now())).location, "/");
    ids.push(browser.cookies.borrow().clone());
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "a new id at every step");
    for (name, old) in
        [("a cookie from before sign-in", &ids[0]), ("a cookie from between the factors", &ids[1])]
    {
        let thief = Browser::at(&house.node);
        *thief.cookies.borrow_mut() = old.clone();
        attempts.fails(name, !thief.is_signed_in());
        *thief.cookies.borrow_mut() = old.clone();
        let page = thief.get("/sign-in/second-factor");
        attempts.fails(name, page.location == "/sign-in" && page.csrf().is_empty());
    }
    // What was wanted before is where sign-in leads, if it is ours.
    let wanting = Browser::at(&house.node);
    let sent = wanting.get("/account");
    assert_eq!((sent.status, sent.location.as_str()), (303, "/sign-in"), "without the wanted path in it");
    assert_eq!(house.sign_in(&wanting, "a.bakker", secret).location, "/account");
    assert_eq!(wanting.get("/account").status, 200);
    // Fixation: a cookie of the attacker's making is nobody's, and sign-in does not keep it.
    let planted = Browser::at(&house.node);
    let name = "__Host-kring-a".to_owned();
    planted.cookies.borrow_mut().insert(name.clone(), "A".repeat(43));
    house.sign_in(&planted, "a.bakker", secret);
    attempts.fails("a planted cookie", planted.cookies.borrow()[&name] != "A".repeat(43));
    let answer = browser.get("/sign-in");
    let policy = &answer.headers["content-security-policy"];
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (header, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.headers[header], value, "{header}");
    }
    assert!(answer.headers["strict-transport-security"].starts_with("max-age=31536000"));
}

fn limits(house: &mut House, secret: &[u8], attempts: &mut Attempts) {
    let browser = Browser::at(&house.node);
    house.sign_in(&browser, "a.bakker", secret);
    house.pass(15 * MINUTE - 1);
    assert!(browser.is_signed_in(), "control: a second before the limit");
    house.pass(15 * MINUTE);
    attempts.fails("a session idle for 15 minutes", !browser.is_signed_in());
    house.sign_in(&browser, "a.bakker", secret);
    for _ in 0..3 {
        house.pass(5 * MINUTE);
        browser.fetch("/account");
    }
    attempts.fails("a session kept alive by a page that asks for news", !browser.is_signed_in());
    let stranger = Browser::at(&house.node);
    attempts.fails("a script's request without a session", stranger.fetch("/account").status == 401);
    house.sign_in(&browser, "a.bakker", secret);
    let began = house.now();
    while house.now() - began < 10 * HOUR - 10 * MINUTE {
        house.pass(10 * MINUTE);
        assert!(browser.is_signed_in());
    }
    house.pass(10 * MINUTE);
    attempts.fails("a session of 10 hours", !browser.is_signed_in());
}

fn endings(house: &mut House, (id, secret): (&str, &[u8]), attempts: &mut Attempts) {
    let (desk, telephone) = (Browser::at(&house.node), Browser::at(&house.node));
    house.sign_in(&desk, "a.bakker", secret);
    house.sign_in(&telephone, "a.bakker", secret);
    // A restart signs nobody out, and brings nobody back.
    house.founded.stop("a");
    house.start();
    assert!(desk.is_signed_in() && telephone.is_signed_in(), "control: sessions outlive a restart");
    let kept = telephone.cookies.borrow().clone();
    assert_eq!(desk.post("/sign-out", &session_word(&desk), &[]).location, "/sign-in");
    attempts.fails("a session after sign-out", !desk.is_signed_in());
    attempts.fails("a session on another device after sign-out", !telephone.is_signed_in());
    house.founded.kill("a");
    house.start();
    *telephone.cookies.borrow_mut() = kept;
    attempts.fails("a session after sign-out and a crash", !telephone.is_signed_in());

    house.sign_in(&desk, "a.bakker", secret);
    let set = |active: bool| {
        let body = json!({ "active": active }).to_string();
        house.node.patch(&format!("/people/{id}"), &body)
    };
    let kept = desk.cookies.borrow().clone();
    assert_eq!(set(false), 200);
    attempts.fails("a session of a closed account", !desk.is_signed_in());
    assert_eq!(set(true), 200);
    *desk.cookies.borrow_mut() = kept;
    attempts.fails("a session from before an account was closed", !desk.is_signed_in());
    assert_eq!(set(false), 200);
    let answer = password(&desk, "a.bakker", PASSWORD);
    attempts.fails("a password of a closed account", answer.status == 400 && !desk.is_signed_in());
    let (status, _) = house.node.post(&format!("/people/{id}/activation"), &Value::Null);
    attempts.fails("a code for a closed account", status == 409);
    assert_eq!(set(true), 200);
}

/// Whoever guesses waits longer and longer, whichever name it is, and never for good.
fn waits(house: &mut House, secret: &[u8], attempts: &mut Attempts) {
    let guesser = Browser::at(&house.node);
    for user in ["a.bakker", "nobody.at.all"] {
        house.pass(24 * HOUR);
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(password(&guesser, user, "drie gele fietsen").status);
        }
        assert_eq!(statuses, [400, 400, 400, 400, 400, 429, 429, 429], "{user}");
        let mut wait = 1;
        for _ in 0..9 {
            let early = password(&guesser, user, PASSWORD);
            attempts.fails(
                "a password too early",
                early.status == 429 && early.headers["retry-after"] == wait.to_string(),
            );
            house.pass(wait);
            assert_eq!(password(&guesser, user, "drie gele fietsen").status, 400, "{user} after {wait} s");
            wait = (wait * 2).min(15 * MINUTE);
        }
    }
    house.pass(15 * MINUTE);
    house.sign_in(&guesser, "a.bakker", secret);
    assert!(guesser.is_signed_in(), "control: whoever knows the password is never locked out for good");
}

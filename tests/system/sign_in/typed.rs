//! What somebody was typing when their session ended: it comes back to them, once they are signed in again, and to nobody else.

use kring_tests::place::Place;
use kring_tests::scan::Scanner;

use super::{Answer, Browser, HOUR, House, MINUTE, PASSWORD, password};

const REFERENCE: &str = "ZEEHOND-4711";
const GIVEN: &str = "Zwaanhildegonde";
const BSN: &str = "999993653";
const KEPT: &str = "Wat u invulde, staat er weer.";

/// Anna and Bea, each with an account; the second factor is not what this is about.
fn house(place: &Place) -> House {
    let house = House::new(place.path(), "second_factor = \"off\"\n");
    for user in ["anna", "bea"] {
        let id = house.account(user, &["professional"]);
        let code = house.invite(&id);
        let browser = Browser::at(&house.node);
        let csrf = browser.get("/activate").csrf();
        let fields = [("user", user), ("activation", &code), ("password", PASSWORD), ("again", PASSWORD)];
        assert_eq!(browser.post("/activate", &csrf, &fields).status, 303, "{user}");
    }
    house
}

/// Signs in; where it leads.
fn sign_in(browser: &Browser, user: &str) -> String {
    let answer = password(browser, user, PASSWORD);
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.location
}

/// Begins a signal; the page that asks who it is about, and its hidden word.
fn begin(browser: &Browser) -> (String, String) {
    let csrf = browser.get("/signals/new").csrf();
    let path = browser.post("/signals/new", &csrf, &[("decision", "yes")]).location;
    assert!(path.ends_with("/who"), "{path}");
    let csrf = browser.get(&path).csrf();
    (path, csrf)
}

fn send(browser: &Browser, path: &str, csrf: &str) -> Answer {
    let fields = [
        ("reference", REFERENCE),
        ("role", "parent"),
        ("bsn", BSN),
        ("given_names", GIVEN),
        ("birth_date_day", "31"),
        ("action", "next"),
    ];
    browser.post(path, csrf, &fields)
}

fn shows_all(page: &str) -> bool {
    [REFERENCE, GIVEN, "value=\"31\"", "value=\"parent\" checked", KEPT]
        .iter()
        .all(|text| page.contains(text))
}

fn shows_some(page: &str) -> bool {
    [REFERENCE, GIVEN, BSN, KEPT].iter().any(|text| page.contains(text))
}

#[test]
fn what_was_typed_when_the_session_ended_comes_back_to_who_typed_it() {
    let place = Place::new();
    let mut house = house(&place);
    let browser = Browser::at(&house.node);
    sign_in(&browser, "anna");
    let (path, csrf) = begin(&browser);
    house.pass(16 * MINUTE);
    let answer = send(&browser, &path, &csrf);
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (303, "/sign-in"),
        "without anything in the address"
    );
    let page = browser.get("/sign-in").body;
    assert!(page.contains("Wat u invulde, is bewaard.") && !shows_some(&page));

    // Somebody else at the same browser gets nothing of it; whose it is does, as often as the page is loaded.
    assert_eq!(sign_in(&browser, "bea"), path);
    assert!(!shows_some(&browser.follow(&path, "nowhere").body), "Bea sees what Anna typed");
    let anna = Browser::at(&house.node);
    sign_in(&anna, "anna");
    assert!(!shows_some(&anna.get("/signals/new").body), "on another page");
    for _ in 0..2 {
        assert!(shows_all(&anna.get(&path).body), "{}", anna.get(&path).body);
    }
    assert!(!anna.get("/").body.contains(REFERENCE), "nothing was done with it");
    // Sent, it is not kept any more.
    let csrf = anna.get(&path).csrf();
    assert_eq!(send(&anna, &path, &csrf).status, 400, "it was not complete");
    assert!(!anna.get(&path).body.contains(KEPT));
    on_a_page_of_everybody(&mut house, &anna);
    nowhere_written(&house, &place);
}

/// Everybody has this page at the same address.
fn on_a_page_of_everybody(house: &mut House, browser: &Browser) {
    const PATH: &str = "/absence";
    let csrf = browser.get(PATH).csrf();
    house.pass(16 * MINUTE);
    let answer = browser.post(PATH, &csrf, &[("from_day", "29"), ("action", "set")]);
    assert_eq!(answer.location, "/sign-in");
    assert_eq!(sign_in(browser, "bea"), PATH);
    let page = browser.get(PATH).body;
    assert!(!page.contains(KEPT) && !page.contains("value=\"29\""), "Bea sees what Anna typed");
    let anna = Browser::at(&house.node);
    sign_in(&anna, "anna");
    let page = anna.get(PATH).body;
    assert!(page.contains(KEPT) && page.contains("value=\"29\""));
}

#[test]
fn forms_of_ended_sessions_are_kept_for_an_hour_and_only_where_they_are_ours() {
    let place = Place::new();
    let mut house = house(&place);
    // In another window they signed in again; the form still has the word of the session before.
    let browser = Browser::at(&house.node);
    sign_in(&browser, "anna");
    let (path, old) = begin(&browser);
    house.pass(16 * MINUTE);
    browser.get("/");
    sign_in(&browser, "anna");
    let answer = send(&browser, &path, &old);
    assert_eq!((answer.status, answer.location.as_str()), (303, path.as_str()));
    assert!(shows_all(&browser.get(&path).body));
    // Bea's session does not take what carries Anna's word.
    let bea = Browser::at(&house.node);
    sign_in(&bea, "bea");
    assert_eq!(send(&bea, &path, &old).status, 403);
    // An hour later it is gone.
    for _ in 0..6 {
        house.pass(10 * MINUTE);
        browser.get("/");
    }
    assert!(!shows_some(&browser.get(&path).body), "after an hour");

    // A form with another word, or from another site, is not kept.
    let csrf = browser.get(&path).csrf();
    house.pass(HOUR);
    let fields = [("csrf", csrf.as_str()), ("reference", REFERENCE)];
    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let ended = browser.cookies.borrow().clone();
    for (word, answer) in [
        ("another word", send(&browser, &path, "AAAA")),
        ("another site", {
            *browser.cookies.borrow_mut() = ended;
            browser.submit(&path, &fields, &evil)
        }),
    ] {
        assert_eq!((answer.status, answer.location.as_str()), (303, "/sign-in"), "{word}");
    }
    sign_in(&browser, "anna");
    assert!(!shows_some(&browser.get(&path).body));
    nowhere_written(&house, &place);
}

/// Neither in the node's directory nor in its log.
fn nowhere_written(house: &House, place: &Place) {
    let scanner = Scanner::new([REFERENCE, GIVEN, BSN]);
    let found = scanner.dir(&place.path().join("a"));
    assert!(found.is_empty(), "{found:?}");
    let planted = format!("{}{REFERENCE}", house.node.log());
    assert!(!scanner.bytes("control", planted.as_bytes()).is_empty());
}

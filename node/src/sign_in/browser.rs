//! Which browser sends a request, and whether somebody is signed in there.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::SignIn;
use super::session::{Found, Session, SessionId};
use super::visitor::Visitor;
use crate::api::Peer;
use crate::pages::{Page, Pages};
use crate::people::Account;
use crate::texts::Language;

/// Somebody who is signed in and active. Without them the browser is sent to sign in, and what it asked for is remembered.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their session.
    pub session: Session,
    /// Their account.
    pub account: Account,
}

impl FromRequestParts<Arc<Pages>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        let browser = Browser::from_request_parts(parts, pages).await.unwrap_or_else(|never| match never {});
        match browser.who {
            Who::SignedIn(signed_in) => Ok(*signed_in),
            _ => Err(pages.sign_in.send_to_sign_in(browser, parts)),
        }
    }
}

/// Who is at the other end.
#[derive(Debug)]
pub(super) enum Who {
    SignedIn(Box<SignedIn>),
    /// On the way to sign in.
    Visitor(SessionId, Box<Visitor>),
    /// Was signed in too long or too long idle, or signed out elsewhere.
    Ended(Session),
    Unknown,
}

/// A browser with its request.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) who: Who,
    /// What its headers ask for; what was chosen counts more.
    accepted: Language,
    pub(super) address: IpAddr,
    /// What its person typed in a form of a session that has ended is kept.
    pub(super) kept: bool,
}

impl FromRequestParts<Arc<Pages>> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0);
        Ok(Self {
            who: pages.sign_in.who_is(&parts.headers),
            accepted: Language::accepted(
                text(&parts.headers, header::ACCEPT_LANGUAGE.as_str()).unwrap_or_default(),
            ),
            address: address(&parts.headers, peer),
            kept: false,
        })
    }
}

impl Browser {
    pub(super) fn language(&self) -> Language {
        match &self.who {
            Who::SignedIn(signed_in) => signed_in.session.language,
            Who::Visitor(_, visitor) => visitor.language,
            Who::Ended(session) => session.language,
            Who::Unknown => self.accepted,
        }
    }

    /// What its forms must carry; none for a browser that has had no page of ours.
    pub(super) fn csrf(&self) -> Option<&str> {
        match &self.who {
            Who::SignedIn(signed_in) => Some(&signed_in.session.csrf),
            Who::Visitor(_, visitor) => Some(&visitor.csrf),
            Who::Ended(_) | Who::Unknown => None,
        }
    }

    pub(super) fn page(&self, pages: &Pages, path: &str) -> Page {
        let csrf = self.csrf().unwrap_or_default().to_owned();
        let name = match &self.who {
            Who::SignedIn(signed_in) => Some(signed_in.account.name.clone()),
            _ => None,
        };
        Page { csrf, name, ..Page::of(&pages.node, self.language(), path) }
    }
}

impl SignIn {
    fn who_is(&self, headers: &HeaderMap) -> Who {
        let Some(id) = cookie(headers, &self.cookie_name()).and_then(SessionId::parse) else {
            return Who::Unknown;
        };
        match self.sessions.find(&id, is_for_a_person(headers)) {
            Found::Session(session) => {
                match self.people.get(&session.account).filter(|account| account.active) {
                    Some(account) => Who::SignedIn(Box::new(SignedIn { session, account })),
                    None => Who::Unknown, // the account was closed; its sessions with it
                }
            }
            Found::Ended(session) => Who::Ended(session),
            Found::Nothing => match self.visitors.get(&id, self.core.now()) {
                Some(visitor) => Who::Visitor(id, Box::new(visitor)),
                None => Who::Unknown,
            },
        }
    }

    /// Makes a visitor of a browser that is none yet; the cookie to be set, if so.
    pub(super) fn receive(&self, browser: &mut Browser) -> Option<HeaderValue> {
        let note = match browser.who {
            Who::Visitor(..) | Who::SignedIn(_) => return None,
            Who::Ended(_) if browser.kept => Some("sign-in-ended-kept"),
            Who::Ended(_) => Some("sign-in-ended"),
            Who::Unknown => None,
        };
        let now = self.core.now();
        let visitor = Visitor { note, ..Visitor::new(browser.language(), now) };
        let id = self.visitors.add(visitor.clone(), now);
        let cookie = self.cookie(&id);
        browser.who = Who::Visitor(id, Box::new(visitor));
        Some(cookie)
    }

    pub(super) fn send_to_sign_in(&self, mut browser: Browser, parts: &Parts) -> Response {
        // What a script of ours asks for is no place to return to; it sees that nobody is signed in any more.
        if !is_for_a_person(&parts.headers) {
            return (StatusCode::UNAUTHORIZED, [(header::CACHE_CONTROL, "no-store")]).into_response();
        }
        // Behind every form of ours there is a page at the same address.
        let returns = parts.method == Method::GET || matches!(browser.who, Who::Ended(_));
        let cookie = self.receive(&mut browser);
        if let (Who::Visitor(id, _), true) = (&browser.who, returns) {
            self.visitors.change(id, |visitor| visitor.want(parts.uri.path()));
        }
        see_other(super::handlers::SIGN_IN, cookie)
    }

    /// The cookie that holds a session's id. `__Host-` makes the browser refuse it from anybody else than this host.
    pub(super) fn cookie(&self, id: &SessionId) -> HeaderValue {
        let text = format!("{}={}; Path=/; Secure; HttpOnly; SameSite=Lax", self.cookie_name(), *id.text());
        let mut value = HeaderValue::from_str(&text).expect("made of printable ASCII");
        value.set_sensitive(true);
        value
    }
}

/// A redirect after a form, and the cookie with it.
pub(super) fn see_other(path: &str, cookie: Option<HeaderValue>) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    let headers =
        [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    with_cookie((StatusCode::SEE_OTHER, headers).into_response(), cookie)
}

pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// Whether a person asked for this. What a page asks for by itself, such as news, keeps nobody signed in.
pub(super) fn is_for_a_person(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-dest").is_none_or(|destination| destination == "document")
}

/// Where a request comes from. A proxy on this machine says for whom it asks, last in its list; nobody else is believed.
fn address(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    let forwarded =
        headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let last = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    last.filter(|_| peer.is_loopback()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("x__Host-kring-a=1; __Host-kring-ab=2;"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-kring-a=3;b"));
        assert_eq!(cookie(&headers, "__Host-kring-a"), Some("3"));
        assert_eq!(cookie(&headers, "__Host-kring"), None);
    }

    #[test]
    fn only_a_proxy_on_this_machine_speaks_for_another() {
        let mut headers = HeaderMap::new();
        let (local, far): (IpAddr, IpAddr) = ("127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
        assert_eq!(address(&headers, local), local);
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7, 203.0.113.9"));
        assert_eq!(address(&headers, local), "203.0.113.9".parse::<IpAddr>().unwrap());
        assert_eq!(address(&headers, far), far);
        headers.insert("x-forwarded-for", HeaderValue::from_static("nobody"));
        assert_eq!(address(&headers, local), local);
    }
}

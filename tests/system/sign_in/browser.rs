//! A browser as far as signing in needs one: cookies, redirects that the test follows itself, forms with their hidden field.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kring_tests::node::Node;

/// An answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) body: String,
    pub(super) headers: BTreeMap<String, String>,
    /// `Set-Cookie`, as it came.
    pub(super) cookies: Vec<String>,
}

impl Answer {
    /// The hidden word of the page's forms.
    pub(super) fn csrf(&self) -> String {
        let start = self.body.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
        start.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A browser with its own cookies, at one address.
pub(super) struct Browser {
    pub(super) origin: String,
    agent: ureq::Agent,
    pub(super) cookies: RefCell<BTreeMap<String, String>>,
    /// For whom a proxy says that it asks.
    pub(super) address: String,
}

impl Browser {
    pub(super) fn at(node: &Node) -> Self {
        Self::to(&format!("http://{}", node.config().api_listen))
    }

    pub(super) fn to(origin: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let address = format!("192.0.2.{}", rand::random::<u8>());
        Self { origin: origin.to_owned(), agent: config.build().into(), cookies: RefCell::default(), address }
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) }
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.borrow();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = response.expect("it answers");
        let header = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let cookies = header("set-cookie");
        for cookie in &cookies {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        Answer {
            status: response.status().as_u16(),
            location: header("location").into_iter().next().unwrap_or_default(),
            headers: headers.collect(),
            cookies,
            body: response.body_mut().read_to_string().unwrap_or_default(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("cookie", self.cookie());
        self.keep(request.header("x-forwarded-for", &self.address).call())
    }

    /// What a script of a page asks for by itself.
    pub(super) fn fetch(&self, path: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("cookie", self.cookie());
        self.keep(request.header("sec-fetch-dest", "empty").call())
    }

    /// Follows redirects to wherever they lead, as far as `until`, which is not asked any more.
    pub(super) fn follow(&self, from: &str, until: &str) -> Answer {
        let mut answer = self.get(from);
        for _ in 0..12 {
            if answer.location.is_empty() || answer.location.starts_with(until) {
                return answer;
            }
            answer = self.get(&answer.location.clone());
        }
        panic!("redirects without end")
    }

    /// A form with what a browser says of itself.
    pub(super) fn submit(&self, path: &str, fields: &[(&str, &str)], says: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(self.url(path)).header("cookie", self.cookie());
        request = request.header("x-forwarded-for", &self.address);
        for (name, value) in says {
            request = request.header(*name, *value);
        }
        self.keep(request.send_form(fields.iter().copied()))
    }

    /// The form of a page of ours.
    pub(super) fn post(&self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("csrf", csrf)], fields].concat();
        self.submit(path, &fields, &[("origin", &self.origin), ("sec-fetch-site", "same-origin")])
    }

    /// Whether the node takes it for somebody's: who is signed in has no business on the sign-in page.
    pub(super) fn is_signed_in(&self) -> bool {
        let answer = self.get("/sign-in");
        assert!([200, 303].contains(&answer.status), "{answer:?}");
        answer.status == 303 && answer.location == "/"
    }
}

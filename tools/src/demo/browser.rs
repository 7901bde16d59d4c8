//! As much of a browser as it takes to set up a sign-in: a cookie, and a form's hidden word.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::agent;
use crate::output::Failure;

/// Longest wait for a page: passwords are hashed slowly, on purpose.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Most bytes of a page that are read.
const PAGE_MAX_LEN: u64 = 1 << 20;

/// One browser at one node.
pub(super) struct Browser {
    agent: ureq::Agent,
    origin: String,
}

impl Browser {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { agent: agent(TIMEOUT), origin: format!("http://{address}") }
    }

    /// Sets up an account with the code that its holder got.
    pub(super) fn activate(&self, user: &str, code: &str, password: &str) -> Result<(), Failure> {
        let url = format!("{}/activate", self.origin);
        let failed = |problem: &dyn std::fmt::Display| Failure::Work(format!("{url}: {problem}"));
        let mut page = self.agent.get(&url).call().map_err(|problem| failed(&problem))?;
        let cookie = page.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let text = page.body_mut().with_config().limit(PAGE_MAX_LEN).read_to_string();
        let text = text.map_err(|problem| failed(&problem))?;
        let csrf = text.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let csrf = csrf.ok_or_else(|| failed(&"a page without a form"))?;
        let form = [
            ("csrf", csrf),
            ("user", user),
            ("activation", code),
            ("password", password),
            ("again", password),
        ];
        let request = self.agent.post(&url).config().max_redirects(0).build();
        let request = request.header("cookie", cookie).header("origin", &self.origin);
        let answer = request.send_form(form).map_err(|problem| failed(&problem))?;
        match answer.status().as_u16() {
            303 => Ok(()),
            status => Err(failed(&format!("the account {user} could not be set up ({status})"))),
        }
    }
}

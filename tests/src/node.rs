//! One node of a network, from outside: its interfaces, its process, its directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kring_node::config::Config;
use kring_node::founding::file;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait::until;

/// How long a node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A node in its directory.
#[derive(Clone, Debug)]
pub struct Node {
    dir: PathBuf,
    api: SocketAddr,
    operations: SocketAddr,
    token: String,
    agent: ureq::Agent,
}

impl Node {
    /// The node that was founded in `dir`, running or not.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn open(dir: &Path) -> Self {
        let config = Config::load(&dir.join(file::CONFIG), [], &[]).expect("the node was founded");
        let token = std::fs::read_to_string(dir.join(file::TOKEN)).expect("founding makes a token");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build()
            .into();
        Self {
            dir: dir.to_owned(),
            api: config.api_listen,
            operations: config.operations_listen,
            token: token.trim().to_owned(),
            agent,
        }
    }

    /// The same node for whoever has this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Its configuration.
    ///
    /// # Panics
    /// When its file is gone.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::load(&self.dir.join(file::CONFIG), [], &[]).expect("the node was founded")
    }

    /// What it has logged so far, where nobody else collects it.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("node.log")).unwrap_or_default()
    }

    /// Where its API listens.
    #[must_use]
    pub const fn api(&self) -> SocketAddr {
        self.api
    }

    /// What the header `Authorization` says.
    #[must_use]
    pub fn authorization(&self) -> String {
        self.bearer()
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Status and body of a `GET` below `/api/v1`; none when nobody answers.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<(u16, Value)> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        answer(request.call().ok()?)
    }

    /// The body of a `GET` that succeeds.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        match self.try_get(path) {
            Some((200, body)) => body,
            other => panic!("GET {path}: {other:?}"),
        }
    }

    /// Status and body of a `POST` with JSON.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.post_with(path, "application/json", body.to_string().as_bytes(), &[])
    }

    /// Status of a `PATCH` with JSON.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn patch(&self, path: &str, body: &str) -> u16 {
        let request = self.agent.patch(self.url(path)).header("authorization", self.bearer());
        let answered = request.header("content-type", "application/json").send(body);
        answered.expect("the node answers").status().as_u16()
    }

    /// Status and body of any `POST`.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn post_with(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let answered = self.try_post_with(path, media_type, body, headers);
        answered.unwrap_or_else(|| panic!("POST {path}: no answer"))
    }

    /// The same; none when nobody answers. It may have been done all the same.
    #[must_use]
    pub fn try_post_with(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Option<(u16, Value)> {
        let mut request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header("content-type", media_type).send(body).ok().and_then(answer)
    }

    /// Its notices.
    #[must_use]
    pub fn notices(&self) -> Vec<Value> {
        self.get("/notices").as_array().cloned().unwrap_or_default()
    }

    /// The notice about one of its cases, if there is one.
    #[must_use]
    pub fn notice(&self, case: &str) -> Option<Value> {
        self.notices().into_iter().find(|notice| notice["caseReference"] == case)
    }

    /// Everything on `/metrics`; none when nobody answers.
    #[must_use]
    pub fn metrics(&self) -> Option<String> {
        let url = format!("http://{}/metrics", self.operations);
        self.agent.get(url).call().ok()?.body_mut().read_to_string().ok()
    }

    /// One metric; none when nobody answers.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        let metrics = self.metrics()?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.parse().ok()
    }

    /// Whether it says that it can do its work.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let answered = self.agent.get(format!("http://{}/readyz", self.operations)).call();
        answered.is_ok_and(|answer| answer.status().is_success())
    }

    /// What it says on `/readyz`; none when nobody answers.
    #[must_use]
    pub fn readiness(&self) -> Option<String> {
        let url = format!("http://{}/readyz", self.operations);
        self.agent.get(url).call().ok()?.body_mut().read_to_string().ok()
    }

    /// Its process, while there is one.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.dir.join("node.pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// Kills the process with SIGKILL. False when there was none.
    #[must_use]
    pub fn kill(&self) -> bool {
        self.pid().is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
    }

    /// Kills the process for good.
    ///
    /// # Panics
    /// When it does not end.
    pub fn take_down(&self) {
        std::fs::write(self.dir.join("stay-down"), "").expect("the directory can be written");
        until("a killed node ends", TIMEOUT, || {
            let _ = self.kill();
            self.pid().is_none().then_some(())
        });
    }

    /// The address of a path below `/api/v1`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.api)
    }

    /// The header Authorization for its operator's token.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Option<(u16, Value)> {
    let text = response.body_mut().read_to_string().ok()?;
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).ok()? };
    Some((response.status().as_u16(), body))
}

//! A node's HTTP API as the `kring` command uses it: blocking, on the same machine, with the operator's token.
//!
//! Identifiers never stand in an address here, only in bodies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kring_node::config::Config;
use kring_node::founding::file;
use serde_json::Value;

use crate::output::Failure;

/// Longest wait for an answer. A caseload of thousands is committed whole before it is answered.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Longest wait for a connection: the node is on this machine or near it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const ANSWER_MAX_LEN: u64 = 256 << 20;
/// Media type of a caseload.
pub(crate) const CSV: &str = "text/csv";
/// Media type of everything else.
pub(crate) const JSON: &str = "application/json";

/// One node's API.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    address: SocketAddr,
    token: Token,
    config_file: PathBuf,
}

#[derive(Clone)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Why there is no answer to work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nothing listens, or it stopped before it answered.
    #[error("no answer from the node at {address} ({problem}); start it with `kring node --config {}`", .config_file.display())]
    NotRunning { address: SocketAddr, config_file: PathBuf, problem: String },
    /// The node answered that it will not.
    #[error("the node refused ({status}): {}", .reasons.join("; "))]
    Refused { status: u16, reasons: Vec<String> },
    /// The node answered something else than the API promises.
    #[error("the node's answer is not what its API promises: {0}; do the versions of kring and node agree?")]
    Answer(String),
}

impl Client {
    /// For the node in `dir`, with its settings and token.
    pub(crate) fn open(
        dir: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        Self::open_as(dir, &dir.join(file::TOKEN), environment)
    }

    /// The same with the token in this file.
    pub(crate) fn open_as(
        dir: &Path,
        token_file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let config_file = dir.join(file::CONFIG);
        let config = Config::load(&config_file, environment, &[])?;
        let token = std::fs::read_to_string(token_file).map_err(|problem| {
            Failure::Work(format!("{}: {problem}; `kring init` makes a token", token_file.display()))
        })?;
        Ok(Self {
            agent: agent(TIMEOUT),
            address: reachable(config.api_listen),
            token: Token(token.trim().to_owned()),
            config_file,
        })
    }

    /// Where the API is.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, ClientError> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.answer(request.call())
    }

    /// The same, with texts for people in this language.
    pub(crate) fn get_in(&self, path: &str, language: &str) -> Result<Value, ClientError> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        self.answer(request.header("accept-language", language).call())
    }

    pub(crate) fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Result<Value, ClientError> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        self.answer(request.header("content-type", media_type).send(body))
    }

    pub(crate) fn patch(&self, path: &str, body: &[u8]) -> Result<Value, ClientError> {
        let request = self.agent.patch(self.url(path)).header("authorization", self.bearer());
        self.answer(request.header("content-type", JSON).send(body))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.address)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.0)
    }

    fn answer(
        &self,
        result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ClientError> {
        let mut response = result.map_err(|problem| self.not_running(&problem))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_MAX_LEN);
        let bytes = body.read_to_vec().map_err(|problem| self.not_running(&problem))?;
        let value = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        match (status, value) {
            (200..300, Ok(value)) => Ok(value),
            (200..300, Err(problem)) => Err(ClientError::Answer(problem.to_string())),
            (_, value) => Err(ClientError::Refused { status, reasons: reasons(&value.unwrap_or_default()) }),
        }
    }

    fn not_running(&self, problem: &ureq::Error) -> ClientError {
        ClientError::NotRunning {
            address: self.address,
            config_file: self.config_file.clone(),
            problem: problem.to_string(),
        }
    }
}

/// An agent that leaves statuses to its caller.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
        .proxy(None)
        .build()
        .into()
}

/// Where to reach a listener that may listen on all of a machine's addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// What a problem document (RFC 9457) says: every error where it lists them, its detail or title otherwise.
fn reasons(problem: &Value) -> Vec<String> {
    let listed: Vec<_> = problem["errors"].as_array().into_iter().flatten().map(error_text).collect();
    if !listed.is_empty() {
        return listed;
    }
    let text = problem["detail"].as_str().or_else(|| problem["title"].as_str());
    vec![text.unwrap_or("without giving a reason").to_owned()]
}

fn error_text(error: &Value) -> String {
    let text = error["detail"].as_str().or_else(|| error.as_str());
    let text = text.map_or_else(|| error.to_string(), ToOwned::to_owned);
    match error["pointer"].as_str() {
        Some(pointer) => format!("{pointer}: {text}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_come_from_wherever_the_problem_has_them() {
        let listed = json!({"title": "t", "errors": [{"detail": "a", "pointer": "#/x"}, "b"]});
        assert_eq!(reasons(&listed), ["#/x: a", "b"]);
        assert_eq!(reasons(&json!({"title": "t", "detail": "d"})), ["d"]);
        assert_eq!(reasons(&json!({"title": "t"})), ["t"]);
        assert_eq!(reasons(&Value::Null), ["without giving a reason"]);
    }

    fn client(address: SocketAddr) -> Client {
        Client {
            agent: agent(Duration::from_secs(5)),
            address,
            token: Token("secret".into()),
            config_file: "d/node.toml".into(),
        }
    }

    /// Answers one request with `answer` and returns what was asked.
    fn serve(answer: &'static str) -> (SocketAddr, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        (address, server)
    }

    #[test]
    fn the_token_goes_along_and_answers_come_back() {
        let (address, server) = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
        assert_eq!(client(address).get("/notices"), Ok(json!([])));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /api/v1/notices HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer secret\r\n"), "{request}");
    }

    #[test]
    fn refusals_and_silence_are_told_apart() {
        let problem =
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 16\r\nconnection: close\r\n\r\n{\"detail\":\"why\"}";
        let (address, server) = serve(problem);
        let error = client(address).post("/signals", JSON, b"{}").unwrap_err();
        assert_eq!(error, ClientError::Refused { status: 400, reasons: vec!["why".into()] });
        server.join().unwrap();

        let error = client(address).get("/notices").unwrap_err();
        assert!(error.to_string().contains("start it with `kring node --config d/node.toml`"), "{error}");
        assert!(!format!("{:?}", client(address)).contains("secret"));
    }
}

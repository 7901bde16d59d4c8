//! One HTTPS request to somebody else's address, and no way to make it reach an inside one.
//!
//! The name is resolved once; every address it gives must be one that may be reached ([`super::address`]); and the
//! connection is made to exactly such an address, with the name in the handshake and the `Host` header. There is no second
//! look at the name between check and connection, no redirect, no proxy, and no connection that is used again.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures::future::BoxFuture;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::address::{Net, may_reach};

/// From resolving the name to the answer's status.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Of the addresses that a name has, so many are tried.
const ADDRESSES_MAX: usize = 8;
/// Bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// Why a request did not come to an answer. Names nothing that an address could be learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not `https`.
    #[error("it is not an https address")]
    NotHttps,
    /// A port that is not allowed.
    #[error("its port is not allowed; `allow_ports` names further ones")]
    Port,
    /// The name has no address.
    #[error("its name has no address")]
    NoAddress,
    /// An inside address.
    #[error("it leads to an inside address, which is refused; `allow_inside` names exceptions")]
    Inside,
    /// Nobody answers there.
    #[error("no connection was made")]
    Connection,
    /// No encrypted connection to who it should be.
    #[error("the certificate or the encryption is not accepted")]
    Tls,
    /// No answer, or none that can be read.
    #[error("there was no answer")]
    NoAnswer,
    /// Too slow.
    #[error("it took too long")]
    TooSlow,
}

/// Gives the addresses of a name.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All of them.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // The port is ours to choose; this one is not used.
            let found = tokio::net::lookup_host((name, 443)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Where a webhook may go.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Ports beside 443.
    pub ports: Vec<u16>,
    /// Inside addresses that may be reached.
    pub inside: Vec<Net>,
}

/// Makes requests.
#[derive(Debug)]
pub struct Caller {
    resolver: Arc<dyn Resolve>,
}

impl Caller {
    /// With a resolver.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver }
    }

    /// Sends a body and gives the answer's status, whatever it is. The rest of the answer is not read.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post(
        &self,
        url: &Url,
        reach: &Reach,
        tls: Arc<ClientConfig>,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<StatusCode, CallError> {
        let call = async {
            let stream = self.connect(url, reach).await?;
            request(stream, url, tls, headers, body).await
        };
        tokio::time::timeout(TIMEOUT, call).await.map_err(|_| CallError::TooSlow)?
    }

    /// A connection to an address that may be reached.
    async fn connect(&self, url: &Url, reach: &Reach) -> Result<TcpStream, CallError> {
        if url.scheme() != "https" {
            return Err(CallError::NotHttps);
        }
        let port = url.port_or_known_default().unwrap_or(443);
        if port != 443 && !reach.ports.contains(&port) {
            return Err(CallError::Port);
        }
        let addresses = match url.host().ok_or(CallError::NoAddress)? {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(name) => self.resolver.resolve(name).await.map_err(|_| CallError::NoAddress)?,
        };
        if addresses.is_empty() {
            return Err(CallError::NoAddress);
        }
        // One that may not be reached among others that may is no oversight.
        if !addresses.iter().all(|address| may_reach(*address, &reach.inside)) {
            return Err(CallError::Inside);
        }
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            if let Ok(stream) = TcpStream::connect(SocketAddr::new(address, port)).await {
                let _ = stream.set_nodelay(true); // slower without, and nothing else
                return Ok(stream);
            }
        }
        Err(CallError::Connection)
    }
}

async fn request(
    stream: TcpStream,
    url: &Url,
    tls: Arc<ClientConfig>,
    headers: &[(&'static str, String)],
    body: Vec<u8>,
) -> Result<StatusCode, CallError> {
    let name = match url.host().ok_or(CallError::NoAddress)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| CallError::Tls)?,
        Host::Ipv4(address) => ServerName::from(IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(address)),
    };
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|_| CallError::Tls)?;
    let mut http = http1::Builder::new();
    http.max_buf_size(MAX_HEAD);
    let (mut sender, connection) =
        http.handshake(TokioIo::new(stream)).await.map_err(|_| CallError::NoAnswer)?;
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = Request::builder()
        .method(Method::POST)
        .uri(target)
        .header(HOST, authority)
        .header(USER_AGENT, "kring")
        .header(CONTENT_TYPE, super::event::MEDIA_TYPE);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = request.body(Body::from(body)).map_err(|_| CallError::NoAnswer)?;
    let exchange = sender.send_request(request);
    tokio::pin!(exchange);
    let mut connection = Box::pin(connection);
    // Both end here: nobody's connection lives on after the answer.
    let answer = tokio::select! {
        answer = &mut exchange => answer,
        _ = &mut connection => {
            drop(connection);
            exchange.await // what came with the connection's end, if an answer did
        }
    };
    answer.map(|answer| answer.status()).map_err(|_| CallError::NoAnswer)
}

#[cfg(test)]
mod tests;

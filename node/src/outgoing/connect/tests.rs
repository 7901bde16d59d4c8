use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Names and what they resolve to, one answer after the other; the last stands.
#[derive(Debug, Default)]
struct Names {
    answers: BTreeMap<&'static str, Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
    log: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[(&'static str, &[&[&str]])]) -> Arc<Self> {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(|(name, answers)| (*name, answers.iter().map(parse).collect()));
        Arc::new(Self { answers: answers.collect(), ..Self::default() })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed);
        self.log.lock().unwrap().push(name.to_owned());
        let known = self.answers.get(name);
        let answer = known.and_then(|answers| answers.get(nth).or(answers.last())).cloned();
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("unknown")) })
    }
}

fn reach(ports: &[u16], inside: &[&str]) -> Reach {
    Reach { ports: ports.to_vec(), inside: inside.iter().map(|net| net.parse().unwrap()).collect() }
}

/// Encodings of addresses inside, as literals in an address of a webhook.
const LITERALS: [&str; 68] = [
    // Plain.
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.127.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    // Short forms, decimal, octal, hexadecimal, mixed, with leading zeros.
    "127.1",
    "127.0.1",
    "10.1",
    "0",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0x0.0.1",
    "3232235777",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "00000177.0000.0000.0001",
    "169.254.43518",
    "10.0x000001",
    "4294967295",
    // Escapes, other digits and dots (IDNA maps them), a trailing dot.
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "①②⑦.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "127.0.0.1.",
    "0x7f.1.",
    "⑯⑨.254.169.254",
    // IPv6: loopback, unspecified, mapped, compatible, unique local, link-local, site-local, multicast.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    // IPv4 in IPv6: 6to4, NAT64, Teredo, ISATAP; documentation.
    "[2002:7f00:1::1]",
    "[64:ff9b::7f00:1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2a00::5efe:10.0.0.1]",
    "[2001:db8::1]",
];

#[tokio::test]
async fn no_encoding_of_an_inside_address_is_connected_to() {
    let caller = Caller::new(Names::new(&[]));
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let reach = reach(&[port], &["10.9.9.9/32"]);
    for literal in LITERALS {
        for address in [
            format!("https://{literal}/"),
            format!("https://{literal}:{port}/hook"),
            format!("https://hooks.example.org@{literal}:{port}/"),
            format!("https://hooks.example.org:443@{literal}:{port}/"),
        ] {
            // Some are no addresses at all: those never get as far as here.
            let Ok(url) = Url::parse(&address) else { continue };
            let refused = caller.connect(&url, &reach).await.map(drop);
            assert_eq!(refused, Err(CallError::Inside), "{address} is {url}");
        }
        let read = Url::parse(&format!("https://{literal}/")).is_ok();
        assert!(read || literal.starts_with('⑯'), "{literal} is tried, and not only misread");
    }
    // The control: an exception for loopback lets one of them through.
    let open = Reach { ports: vec![port], inside: vec!["127.0.0.1/32".parse().unwrap()] };
    let url = Url::parse(&format!("https://0x7f.1:{port}/")).unwrap();
    assert!(caller.connect(&url, &open).await.is_ok());
}

#[tokio::test]
async fn names_that_lead_inside_are_refused_however_many_addresses_they_have() {
    let names = Names::new(&[
        ("v4.example", &[&["127.0.0.1"]]),
        ("v6.example", &[&["::1"]]),
        ("mapped.example", &[&["::ffff:10.0.0.1"]]),
        ("metadata.example", &[&["169.254.169.254"]]),
        ("localhost", &[&["127.0.0.1", "::1"]]),
        ("localhost.", &[&["127.0.0.1"]]),
        ("mixed.example", &[&["93.184.216.34", "10.0.0.1"]]),
        ("none.example", &[&[]]),
    ]);
    let resolver: Arc<dyn Resolve> = Arc::clone(&names) as Arc<dyn Resolve>;
    let caller = Caller::new(resolver);
    let none = reach(&[], &[]);
    for name in [
        "v4.example",
        "v6.example",
        "mapped.example",
        "metadata.example",
        "localhost",
        "localhost.",
        "mixed.example",
    ] {
        let url = Url::parse(&format!("https://{name}/")).unwrap();
        assert_eq!(caller.connect(&url, &none).await.map(drop), Err(CallError::Inside), "{name}");
    }
    for (address, error) in [
        ("https://none.example/", CallError::NoAddress),
        ("https://unknown.example/", CallError::NoAddress),
        ("http://v4.example/", CallError::NotHttps),
        ("https://v4.example:8443/", CallError::Port),
        ("https://v4.example:22/", CallError::Port),
    ] {
        assert_eq!(
            caller.connect(&Url::parse(address).unwrap(), &none).await.map(drop),
            Err(error),
            "{address}"
        );
    }
    let asked = names.log.lock().unwrap();
    assert_eq!(asked.len(), 9, "{asked:?}: a name whose port is refused is not even resolved");
}

/// The name leads to one address when it is checked and to another one afterwards.
#[tokio::test]
async fn a_name_that_changes_between_check_and_connection_changes_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 3), port)).await.unwrap();
    let names = Names::new(&[("rebinds.example", &[&["127.0.0.2"], &["127.0.0.3"]])]);
    let resolver: Arc<dyn Resolve> = Arc::clone(&names) as Arc<dyn Resolve>;
    let caller = Caller::new(resolver);
    let reach = reach(&[port], &["127.0.0.2/32"]);
    let url = Url::parse(&format!("https://rebinds.example:{port}/")).unwrap();
    let stream = caller.connect(&url, &reach).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), Ipv4Addr::new(127, 0, 0, 2), "the address that was checked");
    assert_eq!(names.asked.load(Ordering::Relaxed), 1, "there is no second look");
    assert_eq!(
        caller.connect(&url, &reach).await.map(drop),
        Err(CallError::Inside),
        "the next time it is refused"
    );
    let nobody = tokio::time::timeout(Duration::from_millis(50), other.accept()).await;
    assert!(nobody.is_err(), "nobody came to the address behind it");
}

/// A server with a certificate of its own authority, which answers every request in this way.
async fn server(answer: String) -> (u16, Arc<ClientConfig>, Arc<Mutex<String>>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(["receiver.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&heard);
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = vec![0; 4_096];
            let len = stream.read(&mut bytes).await.unwrap_or(0);
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..len]));
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, Arc::new(client), heard)
}

async fn post(port: u16, host: &str, tls: Arc<ClientConfig>) -> Result<StatusCode, CallError> {
    let names = Names::new(&[("receiver.example", &[&["127.0.0.1"]]), ("other.example", &[&["127.0.0.1"]])]);
    let url = Url::parse(&format!("https://{host}:{port}/hook?a=b")).unwrap();
    let headers = [("webhook-id", "1".to_owned())];
    Caller::new(names).post(&url, &reach(&[port], &["127.0.0.1/32"]), tls, &headers, b"{}".to_vec()).await
}

#[tokio::test]
async fn a_request_bears_the_name_and_goes_to_who_can_prove_it() {
    let (port, tls, heard) = server("HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    assert_eq!(post(port, "receiver.example", Arc::clone(&tls)).await, Ok(StatusCode::NO_CONTENT));
    let text = heard.lock().unwrap().clone();
    assert!(text.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{text}");
    for line in [
        format!("host: receiver.example:{port}"),
        "content-type: application/cloudevents+json".to_owned(),
        "webhook-id: 1".to_owned(),
        "content-length: 2".to_owned(),
    ] {
        assert!(text.to_lowercase().contains(&line), "{line}: {text}");
    }
    assert_eq!(
        post(port, "other.example", Arc::clone(&tls)).await,
        Err(CallError::Tls),
        "another's certificate"
    );
    let strangers = crate::outgoing::trust::client(None);
    if let Ok(strangers) = strangers {
        assert_eq!(
            post(port, "receiver.example", strangers).await,
            Err(CallError::Tls),
            "an unknown authority"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (inside, _, never) = server("HTTP/1.1 200 OK\r\n\r\n".to_owned()).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("https://receiver.example:{inside}/");
        let answer = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let (port, tls, _) = server(answer).await;
        assert_eq!(post(port, "receiver.example", tls).await.map(|status| status.as_u16()), Ok(status));
    }
    assert_eq!(*never.lock().unwrap(), "");
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_answer() {
    for answer in ["", "HTTP/1.1 ", "nonsense\r\n\r\n"] {
        let (port, tls, _) = server(answer.to_owned()).await;
        assert_eq!(post(port, "receiver.example", tls).await, Err(CallError::NoAnswer), "{answer:?}");
    }
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(MAX_HEAD));
    let (port, tls, _) = server(long).await;
    assert_eq!(post(port, "receiver.example", tls).await, Err(CallError::NoAnswer));
}

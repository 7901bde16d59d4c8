//! Sizes, types, slowness; the operations listener.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;

async fn send_signal(fake: &Arc<Fake>, token: &str, media_type: &str, body: Body) -> Answer {
    let request = request("POST", "/signals", token).header(header::CONTENT_TYPE, media_type);
    send(router(Arc::clone(fake)), request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let (fake, token) = node();
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", "\u{e9}"]
    {
        send_signal(&fake, &token, media_type, Body::from("{}")).await.problem(415);
    }
    let answer = send_signal(&fake, &token, "Application/JSON; charset=utf-8", Body::from("{}")).await;
    answer.invalid();
}

#[tokio::test]
async fn a_body_that_is_not_json_is_invalid_input() {
    let (fake, token) = node();
    let deep = "[".repeat(100_000);
    for body in ["", "{", "{\"caseReference\": 1,}", "\u{feff}{}", deep.as_str()] {
        let answer = send_signal(&fake, &token, "application/json", Body::from(body.to_owned())).await;
        assert_eq!(answer.invalid(), ["#"]);
    }
    send_signal(&fake, &token, "application/json", Body::from(vec![0xff])).await.problem(400);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_and_without_a_length() {
    let (fake, token) = node();
    let body = |len: usize| Body::from(vec![b' '; len]);
    send_signal(&fake, &token, "application/json", body(body::MAX_JSON)).await.problem(400);
    send_signal(&fake, &token, "application/json", body(body::MAX_JSON + 1)).await.problem(413);
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1024]));
    send_signal(&fake, &token, "application/json", Body::from_stream(endless)).await.problem(413);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let (fake, token) = node();
    let silent = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    send_signal(&fake, &token, "application/json", Body::from_stream(silent)).await.problem(408);
}

#[tokio::test]
async fn nobody_without_a_token_makes_the_node_read_a_body() {
    let (fake, _) = node();
    let untouched =
        futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> {
            panic!("the body was read")
        });
    send_signal(&fake, "wrong", "application/json", Body::from_stream(untouched)).await.problem(401);
}

async fn operation(fake: &Arc<Fake>, path: &str) -> Answer {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    send(operations::router(Arc::clone(fake)), request).await
}

#[tokio::test]
async fn operations_answer_health_readiness_and_metrics() {
    let (fake, _) = node();
    let health = operation(&fake, "/healthz").await;
    assert_eq!((health.status.as_u16(), health.text.as_str()), (200, "ok"));
    let ready = operation(&fake, "/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({"ready": true, "missing": []})));
    fake.missing.lock().unwrap().push("a majority of the key holders".into());
    let missing = json!({"ready": false, "missing": ["a majority of the key holders"]});
    let not_ready = operation(&fake, "/readyz").await;
    assert_eq!((not_ready.status.as_u16(), not_ready.json()), (503, missing));
    let metrics = operation(&fake, "/metrics").await;
    assert_eq!(metrics.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(metrics.text.ends_with("# EOF\n"));
}

/// A served node, its address, and how to stop it.
async fn served(
    fake: &Arc<Fake>,
) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let router = router(Arc::clone(fake));
    let task = tokio::spawn(async move {
        serve(listener, router, async {
            let _ = stopped.await;
        })
        .await;
    });
    (address, stop, task)
}

#[tokio::test]
async fn a_request_over_a_socket_is_answered_and_a_stop_ends_the_connection() {
    let (fake, token) = node();
    let (address, stop, task) = served(&fake).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/v1/signals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let len = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer[..len].to_vec()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n[]"), "{answer}");
    stop.send(()).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0, "the idle connection is closed");
    task.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_given_up() {
    let (fake, _) = node();
    let (address, _stop, _task) = served(&fake).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v1/signals HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
    let started = tokio::time::Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let (fake, _) = node();
    let (address, _stop, _task) = served(&fake).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ").await.unwrap();
    let endless = async { while stream.write_all(&[b'a'; 1024]).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), endless).await.expect("the node closes the connection");
}

/// Sends these requests over one connection and gives the heads and bodies of the answers.
async fn exchange(address: std::net::SocketAddr, requests: &[String]) -> Vec<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answers = Vec::new();
    for request in requests {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let whole = |answer: &str| {
            let (head, body) = answer.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            (body.len() == length.parse::<usize>().unwrap()).then_some(())
        };
        while whole(&answer).is_none() {
            let mut bytes = [0; 8192];
            let len = stream.read(&mut bytes).await.unwrap();
            assert!(len > 0, "{answer}");
            answer.push_str(std::str::from_utf8(&bytes[..len]).unwrap());
        }
        answers.push(answer);
    }
    answers
}

fn raw(path: &str, token: &str) -> String {
    format!("GET /api/v1{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n")
}

#[tokio::test]
async fn a_caller_without_measure_is_told_to_wait_and_no_other_caller_is() {
    let (fake, token) = node();
    let other = fake.token_of("other", Scope::ALL);
    let (address, _stop, _task) = served(&fake).await;
    let answers = exchange(address, &vec![raw("/signals", &token); 1_400]).await;
    let (good, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.starts_with("HTTP/1.1 200 OK"));
    assert!(good.len() >= 1_000, "a burst of {} is answered", good.len());
    let refused = refused.first().expect("more than a thousand at once is too much");
    assert!(refused.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{refused}");
    for line in [
        "retry-after: 1",
        "api-version: 1.0.0",
        "cache-control: no-store",
        "content-type: application/problem+json",
    ] {
        assert!(refused.contains(&format!("\r\n{line}\r\n")), "{line}: {refused}");
    }
    let body: Value = serde_json::from_str(refused.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&body["status"], &body["title"]), (&json!(429), &json!("Too Many Requests")));
    let answers = exchange(address, &[raw("/signals", &other), raw("/openapi.json", "")]).await;
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200 OK")), "others are answered");
}

#[tokio::test]
async fn a_flood_of_wrong_tokens_keeps_nobody_out() {
    let (fake, token) = node();
    let (address, _stop, _task) = served(&fake).await;
    let answers = exchange(address, &vec![raw("/signals", "kring_wrong"); 400]).await;
    let count =
        |status: &str| answers.iter().filter(|a| a.starts_with(&format!("HTTP/1.1 {status}"))).count();
    assert!(count("401") >= 200 && count("429") > 100, "{} {}", count("401"), count("429"));
    let answers = exchange(address, &vec![raw("/signals", &token); 300]).await;
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200 OK")), "from the same address");
}

#[tokio::test]
async fn what_the_caller_does_not_take_is_not_given() {
    let (fake, token) = node();
    let asked = |path: &'static str, accepted: &'static str| {
        let request = request("GET", path, &token).header(header::ACCEPT, accepted);
        send(router(Arc::clone(&fake)), request.body(Body::empty()).unwrap())
    };
    for accepted in ["*/*", "application/json", "text/html, application/*;q=0.1"] {
        assert_eq!(asked("/signals", accepted).await.status, 200, "{accepted}");
    }
    for (path, accepted) in [
        ("/signals", "application/xml"),
        ("/signals", "application/json;q=0"),
        ("/audit/checkpoint", "application/json"),
    ] {
        let problem = asked(path, accepted).await.problem(406);
        assert!(problem["detail"].as_str().unwrap().contains("see the header Accept"), "{problem}");
    }
    assert_eq!(asked("/audit/checkpoint", "text/plain").await.status, 200);
}

#[tokio::test]
async fn a_request_is_done_to_its_end_when_its_caller_goes() {
    let (fake, token) = node();
    let held = fake.held.lock().await;
    let signal = json!({"caseReference": "case-1", "persons": [{}]});
    let request = post(&fake, "/signals", &token, &signal);
    let gone = tokio::time::timeout(Duration::from_millis(50), request).await;
    assert!(gone.is_err(), "the caller goes while the node works");
    drop(held);
    tokio::time::timeout(Duration::from_secs(10), async {
        while fake.signals.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the signal is taken in");
}

#[tokio::test]
async fn a_body_where_none_belongs_is_refused() {
    let (fake, token) = node();
    add_a_signal(&fake);
    assert_eq!(post(&fake, "/signals/s0/renew", &token, &json!({"months": 3})).await.invalid(), ["#"]);
    assert_eq!(post(&fake, "/signals/s0/renew", &token, &json!({})).await.status, 200);
    let bare = request("POST", "/signals/s0/withdraw", &token).body(Body::empty()).unwrap();
    assert_eq!(send(router(Arc::clone(&fake)), bare).await.status, 200);
    let text = request("POST", "/signals/s0/withdraw", &token).header(header::CONTENT_TYPE, "text/plain");
    send(router(Arc::clone(&fake)), text.body(Body::from("now")).unwrap()).await.problem(415);
}

//! The last step of every response: its version, its id, the headers that the Dutch rules ask, its problem details,
//! and one line in the log without anything that was said.

use std::future::Future;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rand::RngCore;

use super::{API_VERSION, ApplicationError, Problem};

const VERSION: HeaderName = HeaderName::from_static("api-version");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const HEADERS: [(HeaderName, &str); 6] = [
    (VERSION, API_VERSION),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

pub(super) async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The template of the path: an id names somebody's case.
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let id = new_id();
    let mut response = to_its_end(next.run(request)).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_problem(response, &id);
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let id_value = HeaderValue::from_str(&id).expect("hexadecimal digits are a header value");
    response.headers_mut().insert(REQUEST_ID, id_value);
    let path = path.as_deref().unwrap_or("-");
    let status = response.status().as_u16();
    let milliseconds = started.elapsed().as_millis();
    tracing::info!(request = id, %method, path, status, milliseconds, "request");
    response
}

/// Lets a request be done to its end, also when the caller has gone: memory follows what is committed. One that panics
/// is answered as every fault of the node's is.
async fn to_its_end(request: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(request).await.unwrap_or_else(|_| Problem::from(ApplicationError::Internal).into_response())
}

/// Drawn here and never taken from the caller, so that nothing foreign gets into the log.
fn new_id() -> String {
    let mut id = [0; 8];
    rand::thread_rng().fill_bytes(&mut id);
    hex::encode(id)
}

fn with_problem(mut response: Response, id: &str) -> Response {
    let problem = response
        .extensions_mut()
        .remove::<Problem>()
        .unwrap_or_else(|| Problem::from_status(response.status()));
    if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    *response.body_mut() = Body::from(problem.to_json(id).to_string());
    response
}

//! Whether the caller takes what an operation answers; 406 if not.
//!
//! Not here: the language ([`super::notices`]), where there always is an answer.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// A layer around one operation that answers one of these media types. Whoever names none takes all.
pub(super) async fn check(State(given): State<Vec<String>>, request: Request, next: Next) -> Response {
    if given.is_empty() || given.iter().any(|given| accepts(request.headers(), given)) {
        return next.run(request).await;
    }
    let detail = format!("This is given as {} only; see the header Accept.", given.join(" or "));
    Problem::new(StatusCode::NOT_ACCEPTABLE, detail).into_response()
}

/// Whether this media type is one that is accepted (RFC 9110, section 12.5.1): the most specific range that it falls in
/// decides.
fn accepts(headers: &HeaderMap, given: &str) -> bool {
    let mut ranges = headers.get_all(header::ACCEPT).iter().flat_map(|value| {
        let value = value.to_str().unwrap_or("");
        value.split(',').map(str::trim).filter(|range| !range.is_empty())
    });
    let mut any = false;
    let whole = given.split('/').next().unwrap_or("");
    let best = ranges.by_ref().inspect(|_| any = true).filter_map(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next()?;
        let rank = match name.split_once('/')? {
            ("*", "*") => 0,
            (main, "*") if main == whole => 1,
            _ if name == given => 2,
            _ => return None,
        };
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
            weight.is_some_and(|weight| weight <= 0.0)
        });
        Some((rank, !refused))
    });
    let best = best.max();
    match best {
        Some((_, accepted)) => accepted,
        None => !any,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let with = |values: &[&'static str]| {
            let lines = values.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
            accepts(&HeaderMap::from_iter(lines), "application/json")
        };
        for accepted in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/*"],
            &["Application/JSON; charset=utf-8"],
            &["text/html, application/xhtml+xml, */*;q=0.8"],
            &["text/html", "application/json;q=0.1"],
            &["*/*;q=0, application/json"],
        ] {
            assert!(with(accepted), "{accepted:?}");
        }
        for refused in [
            &["text/html"][..],
            &["text/*"],
            &["application/json;q=0"],
            &["application/json;q=0, */*"],
            &["application/xml", "text/plain"],
            &["json"],
            &["application/jsonx"],
        ] {
            assert!(!with(refused), "{refused:?}");
        }
    }
}

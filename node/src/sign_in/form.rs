//! Forms that come from our own pages, and from nowhere else (cross-site request forgery).
//!
//! Two checks, each of which would do: the browser's word on where the form was (`Sec-Fetch-Site`, `Origin`), and a random
//! word that only pages of this session hold. Not here: what is in the form.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::again;
use super::browser::{Browser, see_other, text};
use super::session::same;
use crate::pages::{Failure, Pages, render_with};

/// Longest form without files, in bytes.
const MAX_FORM: usize = 256 * 1024;
/// Longest file, in bytes.
const MAX_FILE: usize = 64 * 1024 * 1024;
/// A form must be here in this time, a file in that.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);
const FILE_TIMEOUT: Duration = Duration::from_secs(120);
/// Most fields of a form.
const MAX_FIELDS: usize = 1_000;

/// A form of one of our pages, its hidden field `csrf` taken out. Anything else is answered with a page: 403 when it does not
/// come from our page, 400 when it is not the form.
#[derive(Debug)]
pub struct CsrfForm<T>(pub T);

/// The same with at most one file, in a form of type `multipart/form-data` whose first field is `csrf`.
#[derive(Debug)]
pub struct CsrfUpload<T> {
    /// The other fields.
    pub form: T,
    /// The file, if one was chosen.
    pub file: Option<Upload>,
}

/// A file that somebody sent.
pub struct Upload {
    /// Its name on their machine; never believed.
    pub name: String,
    /// What is in it.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({} bytes)", self.bytes.len())
    }
}

/// Why a form is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// It was sent from elsewhere, or by nobody that we know.
    Foreign,
    /// It is not a form, or not this one.
    Malformed,
    TooLong,
    TooSlow,
    MediaType,
    /// It is of a session that has ended; what was typed is kept.
    Ended,
}

impl Refusal {
    fn page(self, browser: &Browser, pages: &Pages, path: &str) -> Response {
        let (status, title, text) = match self {
            Self::Ended => return see_other(path, None),
            Self::Foreign => (StatusCode::FORBIDDEN, "form-foreign-title", "form-foreign-text"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "form-malformed-title", "form-malformed-text"),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "form-malformed-title", "form-too-long-text"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "form-malformed-title", "form-too-slow-text"),
            Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "form-malformed-title", "form-malformed-text")
            }
        };
        render_with(status, &Failure { page: browser.page(pages, "/"), title, text, detail: None })
    }
}

impl<T: DeserializeOwned + Send> FromRequest<Arc<Pages>> for CsrfForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let browser = browser(&mut parts, pages).await;
        let read = async {
            check_site(&parts.headers, &pages.origin)?;
            media_type(&parts.headers, "application/x-www-form-urlencoded")?;
            let bytes = collect(body, MAX_FORM).await?;
            let pairs: Fields = serde_urlencoded::from_bytes(&bytes).map_err(|_| Refusal::Malformed)?;
            if let Some(account) = pages.sign_in.of_ended(&browser, &pairs) {
                again::keep(pages, account, parts.uri.path(), pairs);
                return Err(Refusal::Ended);
            }
            form(pairs, browser.csrf())
        };
        let read = tokio::time::timeout(FORM_TIMEOUT, read).await.unwrap_or(Err(Refusal::TooSlow));
        read.map(Self).map_err(|refusal| refusal.page(&browser, pages, parts.uri.path()))
    }
}

impl<T: DeserializeOwned + Send> FromRequest<Arc<Pages>> for CsrfUpload<T> {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let (browser, path) = (browser(&mut parts, pages).await, parts.uri.clone());
        let read = async {
            check_site(&parts.headers, &pages.origin)?;
            media_type(&parts.headers, "multipart/form-data")?;
            let mut request = Request::from_parts(parts, body);
            DefaultBodyLimit::disable().apply(&mut request); // the limits are ours, field by field
            let multipart = Multipart::from_request(request, &()).await.map_err(|_| Refusal::Malformed)?;
            upload(multipart, browser.csrf()).await
        };
        let read = tokio::time::timeout(FILE_TIMEOUT, read).await.unwrap_or(Err(Refusal::TooSlow));
        read.map_err(|refusal| refusal.page(&browser, pages, path.path()))
    }
}

pub(super) type Fields = Vec<(String, String)>;

pub(super) async fn browser(parts: &mut axum::http::request::Parts, pages: &Arc<Pages>) -> Browser {
    Browser::from_request_parts(parts, pages).await.unwrap_or_else(|never| match never {})
}

/// Whether the browser says that the form stood on a page of ours. Every browser of these years says at least one of the two;
/// a caller that says neither is none, and has no business with forms.
fn check_site(headers: &HeaderMap, origin: &str) -> Result<(), Refusal> {
    let (given, site) = (headers.get(header::ORIGIN), headers.get("sec-fetch-site"));
    let right_origin = given.is_none_or(|given| given.as_bytes() == origin.as_bytes());
    let right_site = site.is_none_or(|site| site == "same-origin");
    if right_origin && right_site && (given.is_some() || site.is_some()) {
        Ok(())
    } else {
        Err(Refusal::Foreign)
    }
}

/// Takes the hidden field out, which must be there once, and reads the rest.
fn form<T: DeserializeOwned>(mut pairs: Fields, csrf: Option<&str>) -> Result<T, Refusal> {
    if pairs.len() > MAX_FIELDS {
        return Err(Refusal::TooLong);
    }
    let words: Vec<_> =
        pairs.iter().filter(|(name, _)| name == "csrf").map(|(_, word)| word.as_str()).collect();
    match (words.as_slice(), csrf) {
        ([word], Some(csrf)) if same(word, csrf) => {}
        _ => return Err(Refusal::Foreign),
    }
    pairs.retain(|(name, _)| name != "csrf");
    let text = serde_urlencoded::to_string(&pairs).map_err(|_| Refusal::Malformed)?;
    serde_urlencoded::from_str(&text).map_err(|_| Refusal::Malformed)
}

async fn upload<T: DeserializeOwned>(
    mut multipart: Multipart,
    csrf: Option<&str>,
) -> Result<CsrfUpload<T>, Refusal> {
    let (mut pairs, mut file, mut len) = (Fields::new(), None, 0);
    while let Some(field) = multipart.next_field().await.map_err(|_| Refusal::Malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        // Nobody makes the node read a file who has not had a page of ours.
        let known = pairs
            .first()
            .is_some_and(|(first, word)| first == "csrf" && csrf.is_some_and(|csrf| same(word, csrf)));
        if !known && (name != "csrf" || !pairs.is_empty()) {
            return Err(Refusal::Foreign);
        }
        match field.file_name().map(str::to_owned) {
            Some(_) if file.is_some() => return Err(Refusal::Malformed),
            Some(file_name) => {
                let bytes = read(field, MAX_FILE).await?;
                file = (!file_name.is_empty()).then_some(Upload { name: file_name, bytes });
            }
            None => {
                let bytes = read(field, MAX_FORM - len).await?;
                len += bytes.len();
                let value = String::from_utf8(bytes.to_vec()).map_err(|_| Refusal::Malformed)?;
                pairs.push((name, value));
            }
        }
    }
    Ok(CsrfUpload { form: form(pairs, csrf)?, file })
}

async fn read(mut field: Field<'_>, max: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(|_| Refusal::Malformed)? {
        if bytes.len() + chunk.len() > max {
            return Err(Refusal::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn collect(body: axum::body::Body, max: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::Malformed)?;
        if bytes.len() + chunk.len() > max {
            return Err(Refusal::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn media_type(headers: &HeaderMap, expected: &str) -> Result<(), Refusal> {
    let given = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(Refusal::MediaType) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_form_comes_from_our_own_page() {
        let ours = "https://kring.example";
        for (origin, site, good) in [
            (Some(ours), Some("same-origin"), true),
            (Some(ours), None, true),
            (None, Some("same-origin"), true),
            (None, None, false),
            (Some("null"), None, false),
            (Some("null"), Some("same-origin"), false),
            (Some("https://evil.example"), None, false),
            (Some("https://evil.example"), Some("same-origin"), false),
            (Some("https://kring.example.evil.example"), None, false),
            (Some("http://kring.example"), None, false),
            (Some("https://kring.example:8443"), None, false),
            (Some(ours), Some("same-site"), false),
            (Some(ours), Some("cross-site"), false),
            (Some(ours), Some("none"), false),
            (None, Some("none"), false),
        ] {
            let mut headers = HeaderMap::new();
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap()));
            site.map(|site| headers.insert("sec-fetch-site", HeaderValue::from_str(site).unwrap()));
            assert_eq!(check_site(&headers, ours).is_ok(), good, "{origin:?} {site:?}");
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Example {
        days: u32,
        name: Option<String>,
    }

    fn read(text: &str, csrf: Option<&str>) -> Result<Example, Refusal> {
        form(serde_urlencoded::from_str(text).unwrap(), csrf)
    }

    #[test]
    fn a_form_carries_the_sessions_word_once() {
        let good = Example { days: 3, name: Some("é &=".to_owned()) };
        assert_eq!(read("csrf=w&days=3&name=%C3%A9+%26%3D", Some("w")), Ok(good));
        assert_eq!(read("days=3&csrf=w", Some("w")), Ok(Example { days: 3, name: None }));
        for (text, csrf) in [
            ("days=3", Some("w")),
            ("csrf=&days=3", Some("w")),
            ("csrf=v&days=3", Some("w")),
            ("csrf=&days=3", None),
            ("csrf=w&days=3", None),
            ("csrf=w&csrf=w&days=3", Some("w")),
            ("csrf=v&csrf=w&days=3", Some("w")),
        ] {
            assert_eq!(read(text, csrf), Err(Refusal::Foreign), "{text}");
        }
        assert_eq!(read("csrf=w&days=many", Some("w")), Err(Refusal::Malformed));
        assert_eq!(read("csrf=w", Some("w")), Err(Refusal::Malformed));
        let pairs: Vec<(String, String)> = form(
            vec![("csrf".into(), "w".into()), ("a".into(), "1".into()), ("a".into(), "2".into())],
            Some("w"),
        )
        .unwrap();
        assert_eq!(pairs.len(), 2);
    }
}

//! The files that pages use, in the binary: served under a name that holds their hash, so that they may be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kring_protocol::crypto::sha256;

/// A file and the name under which it is served.
#[derive(Debug)]
pub struct Asset {
    /// `/assets/` and the name with the hash in it.
    pub path: String,
    name: String,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = hex::encode(sha256(bytes));
        let name = format!("{stem}.{}.{ending}", &hash[..16]);
        Self { path: format!("/assets/{name}"), name, kind, bytes }
    }
}

/// All files.
#[derive(Debug)]
pub struct Assets {
    /// The stylesheet.
    pub style: Asset,
    /// Live updates.
    pub live: Asset,
    /// The mark of the product, shown by browsers beside the title.
    pub mark: Asset,
}

/// The files of this binary.
pub static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css")),
    live: Asset::new("live", "js", "text/javascript; charset=utf-8", include_bytes!("../../assets/live.js")),
    mark: Asset::new("mark", "svg", "image/svg+xml", include_bytes!("../../assets/mark.svg")),
});

/// `GET /assets/{name}`.
pub async fn serve(Path(name): Path<String>) -> Response {
    let all = [&ASSETS.style, &ASSETS.live, &ASSETS.mark];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes).into_response()
}

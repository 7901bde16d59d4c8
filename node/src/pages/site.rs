//! What every page of somebody who is signed in begins with: who asks, and the layout's part. And how it ends when the node
//! says no.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::Pairs;
use super::page::{Failure, Page, Place};
use super::{Pages, render_with};
use crate::api::{Actor, ApplicationError};
use crate::application::Node;
use crate::people::{Act, Viewer, may};
use crate::sign_in::SignedIn;
use crate::texts::Language;

/// A request of somebody who is signed in.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) pages: Arc<Pages>,
    pub(super) who: SignedIn,
    path: String,
    /// Whether it asks for a page, and sends nothing.
    asks: bool,
}

impl FromRequestParts<Arc<Pages>> for Site {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        let who = SignedIn::from_request_parts(parts, pages).await.map_err(IntoResponse::into_response)?;
        let (path, asks) = (parts.uri.path().to_owned(), parts.method == Method::GET);
        if !asks {
            pages.kept.forget(who.account.id, &path);
        }
        Ok(Self { pages: Arc::clone(pages), who, path, asks })
    }
}

impl Site {
    pub(super) fn node(&self) -> &Node {
        &self.pages.node
    }

    pub(super) const fn actor(&self) -> Actor {
        Actor::Person(self.who.account.id)
    }

    pub(super) fn viewer(&self) -> Viewer {
        Viewer::Person(self.who.account.clone())
    }

    pub(super) fn may(&self, act: Act) -> bool {
        may(&self.viewer(), act)
    }

    /// The layout's part, with what was to be said once.
    pub(super) fn page(&self) -> Page {
        let mut page = Page::of(self.node(), self.who.session.language, &self.path);
        page.name = Some(self.who.account.name.clone());
        page.csrf.clone_from(&self.who.session.csrf);
        page.places = places(&self.viewer());
        page.said = self.pages.said.take(self.who.account.id);
        page.typed = self.typed();
        page
    }

    /// What was typed here when the session had ended.
    pub(super) fn typed(&self) -> Option<Pairs> {
        let me = self.who.account.id;
        self.asks.then(|| self.pages.kept.get(me, &self.path, self.node().core.now())).flatten()
    }

    /// Sends the browser on, and says something there.
    pub(super) fn go(&self, to: &str, said: Option<&'static str>) -> Response {
        if let Some(said) = said {
            self.pages.said.put(self.who.account.id, said);
        }
        Redirect::to(to).into_response()
    }

    /// The page for a request that the node refused for another reason than what was filled in.
    pub(super) fn failed(&self, error: &ApplicationError) -> Response {
        let page = self.page();
        match error {
            ApplicationError::NotFound => Failure::not_found(page),
            ApplicationError::Forbidden => Failure::no_right(page),
            ApplicationError::Conflict(reason) => {
                let failure = Failure { title: "conflict-title", text: conflict(reason), page, detail: None };
                render_with(StatusCode::CONFLICT, &failure)
            }
            _ => Failure::internal(page),
        }
    }
}

/// An address at which there is nothing, whether somebody is signed in or not.
pub(super) async fn nothing_here(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match Site::from_request_parts(&mut parts, &pages).await {
        Ok(site) => Failure::not_found(site.page()),
        Err(_) => {
            let header = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            let language = header.map(Language::accepted).unwrap_or_default();
            Failure::not_found(Page::of(&pages.node, language, "/"))
        }
    }
}

/// The words for what the state of things does not allow.
pub(super) fn conflict(reason: &str) -> &'static str {
    let known = [
        ("(`contact`)", "conflict-contact-first"),
        ("(`lead`)", "conflict-lead-first"),
        ("(`respond`)", "conflict-answer-first"),
        ("has ended", "conflict-ended"),
        ("was withdrawn", "conflict-ended"),
    ];
    known.iter().find(|(sign, _)| reason.contains(sign)).map_or("conflict", |(_, text)| text)
}

/// The menu: what the viewer's roles are for.
fn places(viewer: &Viewer) -> Vec<Place> {
    let all = [
        (Act::MakeSignal, "/", "menu-overview"),
        (Act::MakeSignal, "/signals/new", "menu-new-signal"),
        (Act::WorkOnCases, "/team", "menu-team"),
        (Act::WorkOnCases, "/expiring", "menu-expiring"),
        (Act::MakeSignal, "/absence", "menu-absence"),
        (Act::ChangePeople, "/people", "menu-people"),
        (Act::Import, "/import", "menu-import"),
        (Act::ReadNetwork, "/network", "menu-network"),
        (Act::AccessRequest, "/access-request", "menu-access-request"),
        (Act::ReadAudit, "/audit", "menu-audit"),
    ];
    let theirs = all.into_iter().filter(|(act, ..)| may(viewer, *act));
    theirs.map(|(_, path, text)| Place { path, text }).collect()
}

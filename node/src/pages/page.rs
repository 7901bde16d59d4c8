//! What every page has, whatever it shows: its language, whose node it is, who looks, the menu, and what was wrong with what
//! they filled in. Templates reach texts through it.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use kring_protocol::covenant::Tempo;

use super::assets::ASSETS;
use crate::application::Node;
use crate::texts::{self, Language};

/// An entry of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it leads.
    pub path: &'static str,
    /// The text's key.
    pub text: &'static str,
}

/// Something that was wrong with what somebody filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct PageError {
    /// The id of the field that it is about; empty when it is about none.
    pub field: String,
    /// What is wrong, and what would be right, in the page's language.
    pub text: String,
}

impl std::fmt::Debug for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageError").field("field", &self.field).finish_non_exhaustive()
    }
}

/// What the layout shows. Every template has one as its field `page`.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The language of its texts.
    pub language: Language,
    /// The partner whose node it is.
    pub organisation: String,
    /// Whether the covenant's tempo is one for tests only.
    pub development: bool,
    /// Who is signed in, if anybody is.
    pub name: Option<String>,
    /// What forms carry to show that they come from this session.
    pub csrf: String,
    /// Where this page stands.
    pub path: String,
    /// The menu.
    pub places: Vec<Place>,
    /// What was wrong with what was sent.
    pub errors: Vec<PageError>,
    /// The key of what is to be said once, after something was done.
    pub said: Option<&'static str>,
    /// What was typed here when the session had ended: fields and their texts, in place of what the form would show.
    pub typed: Option<Vec<(String, String)>>,
    /// Whether it asks to be told when something changes.
    pub live: bool,
}

impl Page {
    /// A page of this node that nobody is signed in to.
    #[must_use]
    pub fn of(node: &Node, language: Language, path: &str) -> Self {
        let covenant = &node.core.covenant;
        let organisation = covenant.member(&node.core.me).map(|card| card.name.clone()).unwrap_or_default();
        let development = covenant.tempo == Tempo::Immediate;
        Self { language, organisation, development, path: path.to_owned(), ..Self::default() }
    }

    /// A text.
    #[must_use]
    pub fn t(&self, id: &str) -> String {
        texts::t(self.language, id, &[])
    }

    /// A text with something filled in.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn with(&self, id: &str, name: &str, value: impl ToString) -> String {
        texts::t(self.language, id, &[(name, &value.to_string())])
    }

    /// A text with two things filled in.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn with2(
        &self,
        id: &str,
        name: &str,
        value: impl ToString,
        second: &str,
        other: impl ToString,
    ) -> String {
        texts::t(self.language, id, &[(name, &value.to_string()), (second, &other.to_string())])
    }

    /// The text for one (`id-one`) or for several (`id-many`, with `count` filled in).
    #[must_use]
    pub fn count(&self, id: &str, count: &usize) -> String {
        match count {
            1 => self.t(&format!("{id}-one")),
            _ => self.with(&format!("{id}-many"), "count", count),
        }
    }

    /// Notes what is wrong with a field; `text` is the text's key.
    pub fn wrong(&mut self, field: &str, text: &str) {
        let text = self.t(text);
        self.errors.push(PageError { field: field.to_owned(), text });
    }

    /// The same with something filled in.
    pub fn wrong_with(&mut self, field: &str, text: &str, argument: (&str, &str)) {
        let text = texts::t(self.language, text, &[argument]);
        self.errors.push(PageError { field: field.to_owned(), text });
    }

    /// What is wrong with a field, if anything is.
    #[must_use]
    pub fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.text.as_str())
    }

    /// What a field holds: what was typed when the session had ended, or else this.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn filled(&self, name: impl ToString, value: impl ToString) -> String {
        let name = name.to_string();
        let typed = self.typed.iter().flatten().find(|(field, _)| *field == name);
        typed.map_or_else(|| value.to_string(), |(_, text)| text.clone())
    }

    /// The same for a field whose name has two parts.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn filled_part(&self, name: impl ToString, part: &str, value: impl ToString) -> String {
        self.filled(format!("{}{part}", name.to_string()), value)
    }

    /// Whether something was typed in, or chosen of, a field when the session had ended.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn is_typed(&self, name: impl ToString) -> bool {
        let name = name.to_string();
        self.typed.iter().flatten().any(|(field, _)| *field == name)
    }

    /// Whether it was this.
    #[allow(clippy::needless_pass_by_value, reason = "templates pass values and references alike")]
    #[must_use]
    pub fn is_chosen(&self, name: impl ToString, value: impl ToString) -> bool {
        let (name, value) = (name.to_string(), value.to_string());
        self.typed.iter().flatten().any(|(field, text)| *field == name && *text == value)
    }

    /// Whether a menu entry leads to the part of the site where this page stands.
    #[must_use]
    pub fn is_at(&self, place: &Place) -> bool {
        match place.path {
            "/" => self.path == "/" || self.path.starts_with("/notices/"),
            path => self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }

    /// Where the stylesheet is.
    #[must_use]
    pub fn style(&self) -> &'static str {
        &ASSETS.style.path
    }

    /// Where the script for live updates is.
    #[must_use]
    pub fn script(&self) -> &'static str {
        &ASSETS.live.path
    }

    /// Where the mark is.
    #[must_use]
    pub fn mark(&self) -> &'static str {
        &ASSETS.mark.path
    }

    /// The page with status 200, or 400 where something was wrong with what was sent.
    pub fn status(&self) -> StatusCode {
        if self.errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
    }
}

/// A page that only says that something did not work.
#[derive(Debug, Template)]
#[template(path = "failure.html")]
pub struct Failure {
    /// The layout's part.
    pub page: Page,
    /// The key of its heading.
    pub title: &'static str,
    /// The key of what it says.
    pub text: &'static str,
    /// More words, ready to be shown.
    pub detail: Option<String>,
}

impl Failure {
    /// Somebody asks for what is not there, or not for them.
    #[must_use]
    pub fn not_found(page: Page) -> Response {
        let failure = Self { page, title: "not-found-title", text: "not-found-text", detail: None };
        render_with(StatusCode::NOT_FOUND, &failure)
    }

    /// Somebody asks for what their role has no right to.
    #[must_use]
    pub fn no_right(page: Page) -> Response {
        let failure = Self { page, title: "no-right-title", text: "no-right-text", detail: None };
        render_with(StatusCode::FORBIDDEN, &failure)
    }

    /// The node is at fault.
    #[must_use]
    pub fn internal(page: Page) -> Response {
        let failure = Self { page, title: "failed-title", text: "failed-text", detail: None };
        render_with(StatusCode::INTERNAL_SERVER_ERROR, &failure)
    }
}

/// A page, with status 200.
pub fn render(template: &impl Template) -> Response {
    render_with(StatusCode::OK, template)
}

/// A page with this status. What cannot be rendered is a plain page that says so, never a panic.
pub fn render_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response(),
        Err(_) => {
            tracing::error!("a page could not be rendered");
            let plain = "Dit lukt nu niet. Probeer het over een minuut opnieuw.";
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CACHE_CONTROL, "no-store")], plain).into_response()
        }
    }
}

//! The pages for people: what professionals, their supervisors and the partner's administrators see.
//!
//! Not here: any rule about who may do what or when ([`crate::application`] asks those); sign-in and sessions. Pages only
//! ask, show, and say what was wrong.

pub mod assets;
pub mod page;

use std::sync::Arc;

use axum::Router;

pub use page::{Failure, Page, PageError, Place, render, render_with};

use crate::application::Node;
use crate::sign_in::{self, SignIn};

/// What page handlers work on.
#[derive(Debug)]
pub struct Pages {
    /// The node.
    pub node: Arc<Node>,
    /// Who is who.
    pub sign_in: Arc<SignIn>,
    /// Where people reach the node: scheme, host and port.
    pub origin: String,
}

/// Everything outside the API.
pub fn router(pages: Arc<Pages>) -> Router {
    sign_in::router().with_state(pages).layer(axum::middleware::from_fn(sign_in::headers))
}

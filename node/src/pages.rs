//! The pages for people: what professionals, their supervisors and the partner's administrators see.
//!
//! Not here: any rule about who may do what or when ([`crate::application`] asks those); sign-in and sessions. Pages only
//! ask, show, and say what was wrong.

pub mod assets;
pub mod page;

pub use page::{Failure, Page, PageError, Place, render, render_with};

//! The whole system: real node processes, started, used, killed and searched.
//!
//! One binary for all of it. Every test has a network of its own; the test runner starts one at a time
//! (`.config/nextest.toml`), and networks choose free ports, so that `cargo test` may start several.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod about_whom;
mod api;
mod board_reader;
mod canaries;
mod caseloads;
mod ceremony;
mod cooperation;
mod crash_points;
mod documents;
mod dropping;
mod evidence;
mod hostile;
mod kills;
mod matching;
mod mistaken;
mod outgoing;
mod pages;
mod people;
mod privacy;
mod recipes;
mod restored;
mod roles;
mod rules;
mod sign_in;
mod signals;
mod tempo;
mod tempo_kinds;
mod trace;
mod wire;

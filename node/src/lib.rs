//! The machine: one daemon around the rules of `kring-protocol`.
//!
//! # In scope
//! Sockets, disk, keys, time, people and their pages.
//!
//! # Out of scope
//! What two partners must agree on: that is `protocol`, which knows none of this.

pub mod api;
pub mod application;
pub mod asker;
pub mod audit;
pub mod boards;
pub mod canary;
pub mod caseload;
pub mod cases;
pub mod ceremony;
pub mod clock;
pub mod config;
pub mod conversations;
pub mod coordination;
pub mod core;
pub mod erasure;
pub mod evidence;
mod files;
pub mod founding;
mod grounds;
pub mod hand_over;
mod held;
pub mod holder;
pub mod keys;
pub mod keystore;
pub mod leaves;
pub mod matcher;
pub mod network;
pub mod node;
mod notices;
pub mod outgoing;
pub mod pages;
pub mod partner;
pub mod people;
pub mod reader;
pub mod relay;
pub mod repeats;
pub mod responses;
pub mod sender;
pub mod serve;
pub mod sign_in;
pub mod signals;
pub mod store;
#[cfg(test)]
mod testing;
pub mod texts;
pub mod tokens;
pub mod trace;
pub mod vault;
pub mod witness;
pub mod work;

pub use node::{Around, RunError, run, run_with};

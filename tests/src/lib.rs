//! What whole-system tests need: real networks of node processes, and ways to look at them from outside.
//!
//! # In scope
//! Starting the `kring` command, its caseloads, the nodes' interfaces, killing nodes, searching what they left.
//!
//! # Out of scope
//! The tests themselves (`tests/system`). Nothing here looks into a node by other ways than a partner or an attacker has.

pub mod canary;
pub mod caseload;
pub mod changed;
pub mod command;
pub mod demo;
pub mod founded;
pub mod guesser;
pub mod impostor;
pub mod node;
pub mod place;
pub mod raw;
pub mod receivers;
pub mod report;
pub mod rogue;
pub mod scan;
pub mod simulated;
pub mod traffic;
pub mod wait;

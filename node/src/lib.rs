//! The machine: one daemon around the rules of `kring-protocol`.
//!
//! # In scope
//! Sockets, disk, keys, time, people and their pages.
//!
//! # Out of scope
//! What two partners must agree on: that is `protocol`, which knows none of this.

pub mod audit;
mod files;
pub mod keystore;
pub mod network;
pub mod store;

#[cfg(test)]
mod testing;

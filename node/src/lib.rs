//! The machine: one daemon around the rules of `kring-protocol`.
//!
//! # In scope
//! Sockets, disk, keys, time, people and their pages.
//!
//! # Out of scope
//! What two partners must agree on: that is `protocol`, which knows none of this.

pub mod api;
pub mod clock;
pub mod config;
pub mod founding;
pub mod keystore;
pub mod network;
pub mod store;
pub mod tokens;

#[cfg(test)]
mod testing;

/// Why a node stopped although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Placeholder until the daemon lands.
    #[error("this build has no daemon yet")]
    Missing,
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// [`RunError`].
pub async fn run(_config: config::Config) -> Result<(), RunError> {
    Err(RunError::Missing)
}

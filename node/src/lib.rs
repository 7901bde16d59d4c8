//! The Kring daemon: what turns the rules of `kring_protocol` into a running node.

pub mod clock;
pub mod config;
pub mod founding;

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

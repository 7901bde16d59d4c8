//! Where the demonstration keeps its nodes.

use std::path::{Path, PathBuf};

use super::caseload::Partner;
use super::founding;
use crate::output::Failure;

/// A directory for the nodes, one folder a partner.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    temporary: bool,
}

impl Place {
    pub(super) fn new(dir: Option<&Path>, partners: &[Partner]) -> Result<Self, Failure> {
        let Some(dir) = dir else { return Self::temporary() };
        founding::check_fresh(dir, partners)?;
        Ok(Self { path: std::path::absolute(dir)?, temporary: false })
    }

    /// A fresh directory in the system's temporary one that only its owner can read, removed at the end.
    pub(crate) fn temporary() -> Result<Self, Failure> {
        Self::temporary_in(None)
    }

    /// The same in another directory.
    pub(crate) fn temporary_in(parent: Option<&Path>) -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;

        let name = format!("kring-demo-{:016x}", rand::random::<u64>());
        let path = parent.map_or_else(std::env::temp_dir, Path::to_owned).join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, temporary: true })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

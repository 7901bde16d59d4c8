//! Directories for tests: removed when the test passed, kept and named when it failed.

use std::path::{Path, PathBuf};

/// A directory of its own for one test.
#[derive(Debug)]
pub struct Place(PathBuf);

impl Place {
    /// A fresh, empty directory.
    ///
    /// # Panics
    /// When the system does not make it.
    #[must_use]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("kring-system-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A new directory in it.
    ///
    /// # Panics
    /// When the system does not make it.
    #[must_use]
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        path
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what the test left is in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

//! Helpers for this crate's tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kring_protocol::codec::{Wire, decode, encode};

/// The stored record whose golden bytes these are, in hex: it reads, and it is written as nothing else. A flipped bit
/// gives another record or none.
pub(crate) fn golden<T: Wire>(rows: &[&str]) -> T {
    let bytes = hex::decode(rows.concat()).unwrap();
    let record: T = decode(&bytes).unwrap();
    assert_eq!(hex::encode(encode(&record)), rows.concat());
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = decode::<T>(&flipped) {
            assert_eq!(encode(&other), flipped, "bit {bit}");
        }
    }
    record
}

/// A directory of its own for one test, removed when dropped.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kring-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

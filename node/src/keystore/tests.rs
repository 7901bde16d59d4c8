use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::{KeyError, MasterKey};
use crate::testing::TempDir;

#[test]
fn a_master_key_is_made_once_and_read_back() {
    let dir = TempDir::new();
    let path = dir.path().join("master.key");
    let key = MasterKey::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&path).unwrap().len(), 65);
    assert_eq!(MasterKey::load(&path).unwrap().0, key.0);
    assert!(matches!(MasterKey::create(&path), Err(KeyError::Io { .. })));
    assert_eq!(MasterKey::load(&path).unwrap().0, key.0);
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    let dir = TempDir::new();
    let path = dir.path().join("master.key");
    MasterKey::create(&path).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(MasterKey::load(&path).unwrap_err(), KeyError::Readable(path.clone()));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(MasterKey::load(&path).is_ok());
}

#[test]
fn what_is_not_a_master_key_is_refused() {
    let dir = TempDir::new();
    let path = dir.path().join("master.key");
    MasterKey::create(&path).unwrap();
    for bad in [String::new(), "0".repeat(63), "0".repeat(65), "0".repeat(1000), "g".repeat(64)] {
        fs::write(&path, bad).unwrap();
        assert_eq!(MasterKey::load(&path).unwrap_err(), KeyError::NotAKey(path.clone()));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(MasterKey::load(&path), Err(KeyError::Io { .. })));
}

#[test]
fn index_keys_differ_by_kind_and_by_node() {
    let key = |byte| MasterKey(kring_protocol::secret::Secret::new([byte; 32]));
    let hash = key(1).index_key("case").hash(b"A-1");
    assert_eq!(hex::encode(hash), "7adfaafdb1156be6646208333661ed5c");
    assert_ne!(hash, key(1).index_key("case").hash(b"A-2"));
    assert_ne!(hash, key(1).index_key("signal").hash(b"A-1"));
    assert_ne!(hash, key(2).index_key("case").hash(b"A-1"));
}

//! Append-only logs that others can check: audit logs and boards (`docs/protocol.md` section 7).
//!
//! The tree is RFC 6962's, the signed head is a C2SP checkpoint in a C2SP signed note, so that tools which others
//! wrote can verify both. Not here: where entries are kept and who is asked for them (`node`).

pub mod checkpoint;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod witness;

//! The keys of an epoch: which there are, who holds them, and what everyone must know of them.

pub mod record;
pub mod spec;

pub use record::{KeyRecord, Point, RecordError, SignedKeyRecord, VerifiedKeyRecord};
pub use spec::{KeyId, KeySpec, Party, SpecError, derive_specs};

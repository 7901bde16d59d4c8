//! placeholder
pub mod caseload;

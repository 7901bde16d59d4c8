//! The subcommands, one file each.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod covenant;
pub(crate) mod demo;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod node;
pub(crate) mod notice;
pub(crate) mod signal;
pub(crate) mod team;

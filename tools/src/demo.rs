//! `kring demo`: a complete network on this machine.

#[cfg_attr(not(test), allow(dead_code, reason = "until the demo command uses it"))]
pub(crate) mod builtin;

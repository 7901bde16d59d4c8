//! The node behind its API: who may do what.

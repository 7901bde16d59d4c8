//! Forms: what is wrong with them.

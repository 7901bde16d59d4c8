//! The rules of Kring: everything two partners must agree on.
//!
//! # In scope
//! Identifiers and match keys, the threshold OPRF, the key ceremony, submissions, relays, meeting, the board, the
//! covenant, messages after a match, the log, and the bytes of every message. `docs/protocol.md` is the normative text; comments cite its
//! sections.
//!
//! # Out of scope
//! Sockets, disks, clocks and operating-system randomness. Time and randomness are arguments; what must happen
//! in the world is returned to the caller (`node`), who carries it out.

#![forbid(unsafe_code)]

pub mod basis;
pub mod board;
pub mod calendar;
pub mod canary;
pub mod ceremony;
pub mod codec;
pub mod conversation;
pub mod coordination;
pub mod covenant;
pub mod crypto;
pub mod evaluation;
pub mod evidence;
pub mod field;
pub mod id;
pub mod identifier;
pub mod label;
pub mod log;
pub mod matching;
pub mod meeting;
pub mod oprf;
pub mod own_submission;
pub mod recipe;
pub mod relay;
pub mod sealing;
pub mod secret;
pub mod sign;
pub mod subject_key;
pub mod submission;
pub mod tempo;
pub mod time;
pub mod trace;

//! Tests of the coordination: each rule by itself, cards, bytes, and random schedules of several partners.

mod bytes;
mod cards;
mod chase;
mod leads;
mod rules;
mod schedules;
mod world;

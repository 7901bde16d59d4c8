//! The node behind its API: who may do what, request by request, on a real node whose roles do not run.

mod matrix;
mod people;
mod rows;
mod world;

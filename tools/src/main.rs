//! placeholder
mod demo;

fn main() {}

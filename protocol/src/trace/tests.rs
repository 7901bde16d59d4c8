mod complaints;
mod crowds;
mod golden;
mod world;

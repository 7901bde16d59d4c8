mod convicts;
mod innocent;
mod world;

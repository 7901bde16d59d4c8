mod convicts;
mod innocent;
mod withheld;
mod world;

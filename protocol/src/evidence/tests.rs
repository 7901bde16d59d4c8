mod convicts;
mod innocent;
mod revived;
mod withheld;
mod world;

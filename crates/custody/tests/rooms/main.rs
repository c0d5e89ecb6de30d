//! The rules of custody, room by room, in one house (`tests/house`).

#[path = "../house/mod.rs"]
mod house;

mod budgets;
mod chain;
mod lies;
mod people;
mod walk;
mod warrant;

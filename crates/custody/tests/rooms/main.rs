//! The rules of custody, room by room, in one house (`tests/house`).

#[path = "../house/mod.rs"]
mod house;

mod walk;
mod warrant;

//! An office and the vaults that it looks at: following a desk, watching it, and everything that a book can be that it must
//! not be. The program is driven as its user drives it.
#![cfg(test)]

mod desk;
mod room;
mod said;
mod vault;

mod doctor;
mod follow;
mod intake;
mod own;
mod serve;
mod tls;
mod walk;
mod watch;

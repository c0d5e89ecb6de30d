//! The ground under every server that browsers and programs reach over HTTP: where it listens, how long it has patience, and
//! which Host and Origin it answers. What is served is the caller's.
//!
//! Reading order: who is let in ([`guard`]), from where ([`peers`]), how connections are held ([`listen`]) and bodies
//! read ([`timed`]), who is signed in ([`sessions`]), how pages follow changes ([`events`]), what stands around pages
//! ([`site`]), and how much of it a log tells ([`sparse`]).

mod events;
mod guard;
mod listen;
mod peers;
pub mod sessions;
mod site;
mod sparse;
mod timed;

pub use events::Streams;
pub use guard::{Allowed, NotAdmitted, sole};
pub use listen::{Connections, Known, listen_check, serve, serve_tls};
pub use peers::{Peer, Peers};
pub use site::{Site, Stray, to_with};
pub use sparse::Sparse;
pub use timed::within;

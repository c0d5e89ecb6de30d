//! The ground under every server that browsers and programs reach over HTTP: where it listens, how long it has patience, and
//! which Host and Origin it answers. What is served is the caller's. With the feature `nodes` also how a server of ours asks a
//! chain's node, within bounds.
//!
//! Reading order: who is let in ([`guard`]), from where ([`peers`]), how connections are held ([`listen`]) and bodies
//! read ([`timed`]), who is signed in ([`sessions`]), how pages follow changes ([`events`]), what stands around pages
//! ([`site`]), what browsers report of them ([`reports`]), how much of it a log tells ([`sparse`]), and how nodes are
//! asked (`node`).

mod events;
mod guard;
mod listen;
#[cfg(feature = "nodes")]
mod node;
mod peers;
mod reports;
pub mod sessions;
mod site;
mod sparse;
mod timed;

pub use events::Streams;
pub use guard::{Allowed, NotAdmitted, sole};
pub use listen::{Connections, Known, listen_check, serve, serve_tls};
#[cfg(feature = "nodes")]
pub use node::{NoResult, Node, Patience, bounded};
pub use peers::{Peer, Peers};
pub use site::{Site, Stray, to_with, with_cookie};
pub use sparse::Sparse;
pub use timed::within;

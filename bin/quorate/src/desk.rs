//! The desk: the one writer of a vault's ledger, and everything around it that touches the world.
//!
//! Reading order: the engine that records before it acts; the cosigners, the chain and the sources of facts that its effects
//! reach; then the doors through which people and programs come in.

pub mod files;

pub mod engine;

pub mod balances;
pub mod chain;
pub mod cosigners;
pub mod effects;
pub mod facts;
pub mod heights;
pub mod meters;
pub mod receipts;

mod oauth;
mod proofs;

mod office;

pub mod book_door;
pub mod control_door;

mod web_door;

pub mod answers;
pub mod mcp_door;

mod bulletin;
pub mod console_door;

pub mod source;

mod captured;
mod erasing;
pub mod start;

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, which is what it is for"
)]
mod room;

pub use engine::{Engine, Trouble};
pub use mcp_door::mcp_stdio;
pub use source::source_run;
pub use start::run;

//! The desk: the one writer of a vault's ledger, and everything around it that touches the world.
//!
//! Reading order: the engine that records before it acts; the cosigners, the chain and the sources of facts that its effects
//! reach; then the doors through which people and programs come in.

mod files;

mod engine;

mod chain;
mod cosigners;
mod effects;
mod facts;
mod receipts;

mod book_door;
mod control_door;

mod answers;
mod mcp_door;

mod source;
mod start;

pub use engine::{Engine, Trouble};
pub use mcp_door::mcp_stdio;
pub use source::source_run;
pub use start::run;

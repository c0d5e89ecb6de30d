//! The ground that every process stands on: clock, randomness, configuration, secrets at rest, ledger stores,
//! pinned links between processes, and what an operator sees. It knows nothing of intents, policy or shares.
//!
//! Reading order: how the world fails, time and chance, what lies on disk, how processes speak, what people see.
//!
//! Invariant: no environment variable is read here, and nothing but `ui` writes to standard output, and
//! `usage` where help is asked for.

pub mod fault;

pub mod clock;
pub mod harden;
pub mod random;

pub mod config;
pub mod identity;
pub mod seal;
pub mod sealed_files;
pub mod secret;
pub mod secret_file;
pub mod store;

pub mod https;
pub mod link;
pub mod machine;
pub mod unix;

pub mod findings;
pub mod metrics;
pub mod telemetry;
pub mod ui;
pub mod usage;

pub use clock::{Clock, SystemClock};
pub use fault::Fault;
pub use identity::Identity;
pub use sealed_files::SealedFiles;
pub use secret::Secret;
pub use store::Store;

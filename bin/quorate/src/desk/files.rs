//! Where the desk keeps what: one folder, mode 0700.

use std::path::{Path, PathBuf};

/// The desk's folder.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// The layout under `dir`.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.dir.join("desk.toml")
    }

    /// The key that signs checkpoints.
    pub fn log_key(&self) -> PathBuf {
        self.dir.join("keys").join("log.seed")
    }

    /// The identity on mutual-TLS links.
    pub fn link_key(&self) -> PathBuf {
        self.dir.join("keys").join("link.seed")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("run").join("desk.sock")
    }

    /// What nodes said of balances.
    pub fn balances(data: &Path) -> PathBuf {
        data.join("balances.history")
    }

    /// The ledger.
    pub fn ledger(data: &Path) -> PathBuf {
        data.join("ledger.db")
    }
}

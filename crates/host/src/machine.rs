//! Which machine this is, and which binary runs on it: what a process records when it starts.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, VaultId};
use sha2::{Digest as _, Sha256};

use crate::fault::Fault;

/// A pseudonym of this machine: the same for all its processes in one vault, of no use anywhere else.
#[must_use]
pub fn host(vault: &VaultId) -> Digest {
    let sources = ["/etc/machine-id", "/proc/sys/kernel/hostname"];
    let name =
        sources.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    Digest::of(tag::CONFIGURATION, format!("host {vault} {}", name.trim()).as_bytes())
}

/// SHA-256 of the running binary, as `sha256sum` gives it.
///
/// # Errors
/// [`Fault`] where the system does not show a process its own binary.
pub fn binary() -> Result<Digest, Fault> {
    let path = Path::new("/proc/self/exe");
    let mut file = File::open(path).map_err(|e| Fault::at(path, &e))?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut buffer).map_err(|e| Fault::at(path, &e))?;
        if read == 0 {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_another_name_in_each_vault_and_a_binary_one_digest() {
        let vault = |name: &str| name.parse::<VaultId>().unwrap();
        assert_eq!(host(&vault("a")), host(&vault("a")));
        assert_ne!(host(&vault("a")), host(&vault("b")));
        let bytes = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(binary().unwrap(), Digest::from_bytes(Sha256::digest(bytes).into()));
    }
}

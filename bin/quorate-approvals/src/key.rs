//! The approver's signing key: sealed at rest under a passphrase, in memory only for one signature.

use std::path::{Path, PathBuf};

use quorate_host::random::Random;
use quorate_host::seal::{self, Cost, KeySource};
use quorate_host::ui::{self, PassphraseFrom};
use quorate_host::{Identity, Secret, secret_file};
use quorate_terms::{ApproverId, canonical};
use serde::Serialize;

use crate::trouble::{Done, Trouble};

/// What the sealed key is bound to: the role and the seat. No vault, because the key is made before there is one.
#[derive(Serialize)]
struct Place<'a> {
    approver: &'a ApproverId,
    role: &'static str,
}

fn context(approver: &ApproverId) -> Done<Vec<u8>> {
    Ok(canonical::to_bytes(&Place { approver, role: "approver" }, "seal context")?)
}

/// Where the passphrase comes from.
pub(crate) struct Passphrase {
    file: Option<PathBuf>,
}

impl Passphrase {
    /// From a file of mode 0600, or else asked for on the terminal.
    pub(crate) const fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    fn get(&self, twice: bool) -> Done<Secret> {
        let from = self.file.as_deref().map_or(PassphraseFrom::Terminal, PassphraseFrom::File);
        Ok(ui::passphrase(from, "passphrase of the signing key", twice)?)
    }
}

/// Makes a signing key and seals it into a new file.
pub(crate) fn create(
    path: &Path,
    approver: &ApproverId,
    passphrase: &Passphrase,
    random: Random,
) -> Done<Identity> {
    let passphrase = passphrase.get(true)?;
    let seed = random.secret::<32>()?;
    let source = KeySource::Passphrase { passphrase, cost: Cost::STANDARD };
    let blob = seal::seal(&source, &context(approver)?, seed.as_slice(), random)?;
    secret_file::create(path, &blob, random)?;
    Ok(Identity::from_seed(&seed)?)
}

/// Unseals the signing key.
pub(crate) fn unseal(
    path: &Path,
    approver: &ApproverId,
    passphrase: &Passphrase,
) -> Done<Identity> {
    let blob = secret_file::read(path)?;
    let source = KeySource::Passphrase { passphrase: passphrase.get(false)?, cost: Cost::STANDARD };
    let seed = seal::open(&source, &context(approver)?, blob.expose())?;
    let seed: &[u8; 32] = seed.expose().try_into().map_err(|_| {
        Trouble::refused("sealed", "the sealed file holds no signing key", "restore the backup")
    })?;
    Ok(Identity::from_seed(seed)?)
}
